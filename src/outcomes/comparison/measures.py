"""The scales on which arms are contrasted: value, slope and limits of each measure. Arrays in, small frozen results out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import Array

__all__ = [
    "DIFFERENCES",
    "MEASURES",
    "RATIOS",
    "Contrast",
    "contrast",
    "no_contrast",
    "on_scale",
    "quantile",
    "quantiles",
    "two_sided",
]

MEASURES = (
    "risk_difference", "risk_ratio", "odds_ratio", "nnt", "rmst_difference", "rmst_ratio", "count_difference", "count_ratio",
    "hazard_ratio",
)  # fmt: skip
RATIOS = ("risk_ratio", "odds_ratio", "rmst_ratio", "count_ratio", "hazard_ratio")
DIFFERENCES = ("risk_difference", "rmst_difference", "count_difference")


@dataclass(frozen=True)
class Contrast:
    """One arm against the reference.

    Attributes
    ----------
    estimate, conf_low, conf_high : float
        On the measure's own scale.
    std_error, statistic : float
        On the scale the interval is made on: the log of ratios, the risk difference of a number needed.
    df : float
        Of t; infinite for the normal distribution.
    p_value : float
        Against no difference.
    """

    estimate: float
    std_error: float
    statistic: float
    df: float
    p_value: float
    conf_low: float
    conf_high: float


def contrast(
    measure: str,
    pair: Array,
    covariance: Array,
    *,
    df: float,
    conf_level: float,
    limits: tuple[float, float] | None = None,
) -> Contrast:
    """Return the contrast of two estimates.

    Parameters
    ----------
    measure : str
        One of `MEASURES`; a hazard ratio comes as ``pair`` = (0, log hazard ratio).
    pair : ndarray, shape (2,)
        Reference, arm.
    covariance : ndarray, shape (2, 2)
    df : float
    conf_level : float
    limits : (float, float), optional
        Of the difference, where they come from elsewhere (an arm without events); there is then no test.
    """
    value, slope = on_scale(measure, pair)
    error = float(np.sqrt(max(float(slope @ covariance @ slope), 0.0)))
    statistic = value / error if error > 0 and limits is None else float("nan")
    reach = quantile(conf_level, df) * error
    low, high = (value - reach, value + reach) if limits is None else limits
    if error == 0 and limits is None:
        low = high = float("nan")
    estimate = value
    if measure == "risk_difference" and np.isfinite(low):
        low, high = max(low, -1.0), min(high, 1.0)  # risks differ by no more than everybody
    if measure in RATIOS:
        with np.errstate(over="ignore"):  # the limits of a term that separates are infinite
            estimate, low, high = (float(np.exp(x)) for x in (value, low, high))
    elif measure == "nnt":
        estimate, low, high = _needed(value, low, high)
    return Contrast(estimate, error, statistic, df, two_sided(statistic, df), low, high)


def no_contrast(df: float) -> Contrast:
    """Return the contrast that does not exist."""
    none = float("nan")
    return Contrast(none, none, none, df, none, none, none)


def on_scale(measure: str, pair: Array) -> tuple[float, Array]:
    """Return the value on the scale of the interval and its slope by (reference, arm)."""
    reference, arm = float(pair[0]), float(pair[1])
    if measure in ("risk_ratio", "rmst_ratio", "count_ratio"):
        return float(np.log(arm / reference)), np.array([-1 / reference, 1 / arm])
    if measure == "odds_ratio":
        odds = [p / (1 - p) for p in (reference, arm)]
        return float(np.log(odds[1] / odds[0])), np.array([-1 / (reference * (1 - reference)), 1 / (arm * (1 - arm))])
    return arm - reference, np.array([-1.0, 1.0])


def _needed(difference: float, low: float, high: float) -> tuple[float, float, float]:
    """Return 1 / difference and its limits, which exist only where those of the difference exclude 0."""
    number = 1 / difference if difference != 0 else float("inf")
    if low > 0 or high < 0:
        return number, 1 / high, 1 / low
    return number, float("nan"), float("nan")


def quantile(conf_level: float, df: float) -> float:
    """Return the two-sided quantile of t, or of the normal distribution where `df` is infinite."""
    from scipy.special import ndtri, stdtrit

    if not 0 < conf_level < 1:
        raise EstimationError(f"conf_level must lie between 0 and 1; got {conf_level}.")
    level = 0.5 + conf_level / 2
    return float(ndtri(level)) if np.isinf(df) else float(stdtrit(df, level))


def quantiles(conf_level: float, df: Any) -> Any:
    """Return the two-sided quantile of t for each of `df`, of the normal distribution where it is infinite."""
    from scipy.special import ndtri, stdtrit

    finite, level = np.isfinite(df), 0.5 + conf_level / 2
    return np.where(finite, stdtrit(np.where(finite, df, 1.0), level), np.where(np.isnan(df), np.nan, ndtri(level)))


def two_sided(statistic: float, df: float) -> float:
    """Return the two-sided p-value of a statistic on t, or on the normal distribution."""
    from scipy.special import ndtr, stdtr

    if not np.isfinite(statistic):
        return float("nan")
    return float(2 * ndtr(-abs(statistic))) if np.isinf(df) else float(2 * stdtr(df, -abs(statistic)))
