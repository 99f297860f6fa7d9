"""Coefficients of a regression as columns of a tidy table: estimate, standard error, test and limits, on the log scale or as ratios."""

from __future__ import annotations

import numpy as np

from outcomes.results import Array
from outcomes.survival.inputs import normal_quantile

__all__ = ["coefficient_columns"]


def coefficient_columns(
    coefficients: Array, covariance: Array, conf_level: float, *, exponentiate: bool
) -> dict[str, Array]:
    """Return estimate, std_error, statistic, p_value, conf_low and conf_high of coefficients (p,).

    With `exponentiate` estimates and limits are ratios; the standard error stays on the log scale.
    """
    from scipy.special import ndtr

    error = np.sqrt(np.diag(covariance))
    reach = normal_quantile(conf_level) * error
    estimate, low, high = coefficients, coefficients - reach, coefficients + reach
    with np.errstate(divide="ignore", invalid="ignore"):  # without doubt (one cluster) there is no test
        statistic = coefficients / error
    if exponentiate:
        with np.errstate(over="ignore"):  # the limits of a term that separates are infinite
            estimate, low, high = np.exp(estimate), np.exp(low), np.exp(high)
    return {
        "estimate": estimate,
        "std_error": error,
        "statistic": statistic,
        "p_value": 2 * ndtr(-np.abs(statistic)),
        "conf_low": low,
        "conf_high": high,
    }
