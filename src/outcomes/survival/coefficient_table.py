"""Coefficients of a regression as columns of a tidy table: estimate, standard error, test and limits, on the log scale or as ratios."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from outcomes.results import Array, Note
from outcomes.survival.design_matrix import in_few_words
from outcomes.survival.few_clusters import FewClusters
from outcomes.survival.hotelling import joint_test
from outcomes.survival.inputs import normal_quantile

__all__ = ["coefficient_columns", "wald_test", "without_spread"]


def coefficient_columns(
    coefficients: Array,
    covariance: Array,
    few: FewClusters,
    conf_level: float,
    *,
    exponentiate: bool,
    instead: Mapping[str, Array] | None = None,
) -> dict[str, Any]:
    """Return estimate, std_error, statistic, df, p_value, conf_low and conf_high of coefficients (p,).

    `instead` holds p_value and limits that were found otherwise (on the log scale). With `exponentiate` estimates and limits are
    ratios; the standard error stays on the log scale.
    """
    estimate, error = np.asarray(coefficients), np.sqrt(np.diag(covariance))
    error_used = np.where(error > 0, error * np.sqrt(few.factor), np.nan)
    statistic = estimate / error_used
    reach = _quantile(conf_level, few.df) * error_used
    low, high, p_value = estimate - reach, estimate + reach, _two_sided(statistic, few.df)
    if instead is not None:
        low, high, p_value = instead["conf_low"], instead["conf_high"], instead["p_value"]
    if exponentiate:
        with np.errstate(over="ignore"):  # the limits of a term that separates are infinite
            estimate, low, high = np.exp(estimate), np.exp(low), np.exp(high)
    return {
        "estimate": estimate,
        "std_error": error,
        "statistic": statistic,
        "df": few.df,
        "p_value": p_value,
        "conf_low": low,
        "conf_high": high,
    }


def without_spread(covariance: Array, unit: Array, names: Sequence[str]) -> tuple[Array, tuple[Note, ...]]:
    """Return a covariance (p, p) whose variances that are rounding are 0, and what must be said of them.

    `unit` (p,) is the size of a large coefficient: one per standard deviation of its column.
    """
    none = ~(np.diag(covariance) > 1e-20 * unit**2)
    if not none.any():
        return covariance, ()
    text = (
        f"Nobody's own outcome moves the coefficient of {in_few_words(np.asarray(names)[none])} (all had the event at one time, or "
        "nobody had it): it has no standard error, test or interval."
    )
    return np.where(none | none[:, None], 0.0, covariance), (Note("no_variance", text),)


def wald_test(coefficients: Array, covariance: Array, few: FewClusters, clusters: int | None) -> dict[str, float]:
    """Return the test of all coefficients at once: statistic (chi-squared, that of R), df, df_residual, p_value.

    Where people are clustered the p-value is that of Hotelling's T², with variances times G/(G - 1) and the fewest degrees of freedom
    of the terms: for one term it is that of the table. Missing where there are not more clusters than coefficients.
    """
    terms, none = len(coefficients), float("nan")
    found = {"statistic": none, "df": terms, "df_residual": float("inf"), "p_value": none}
    # G clusters span at most G - 1 directions: with fewer than the terms need there is no test of all of them
    if clusters is not None:
        free = float(np.min(few.df))
        found["df_residual"] = free - terms + 1
        if clusters <= terms or not found["df_residual"] > 0:
            return {**found, "df_residual": none}
    size = np.sqrt(np.diag(covariance))
    if not (size > 0).all() or np.linalg.matrix_rank(covariance / np.outer(size, size), hermitian=True) < terms:
        return found
    statistic = float(coefficients @ np.linalg.solve(covariance, coefficients))
    found["statistic"] = statistic
    if clusters is None:
        return {**found, "p_value": joint_test(statistic, terms, float("inf")).p_value}
    return {**found, "p_value": joint_test(statistic / float(np.max(few.factor)), terms, free).p_value}


def _quantile(conf_level: float, df: Array) -> Array:
    from scipy.special import stdtrit

    normal = normal_quantile(conf_level)
    finite = np.isfinite(df)
    return np.where(finite, stdtrit(np.where(finite, df, 1.0), 0.5 + conf_level / 2), normal)


def _two_sided(statistic: Array, df: Array) -> Array:
    from scipy.special import ndtr, stdtr

    finite = np.isfinite(df)
    size = -np.abs(statistic)
    return np.asarray(2 * np.where(finite, stdtr(np.where(finite, df, 1.0), size), ndtr(size)))
