"""How strong an unmeasured confounder would have to be to explain a result away."""

from __future__ import annotations

import math
from dataclasses import dataclass

__all__ = ["EValue", "e_value"]


@dataclass(frozen=True)
class EValue:
    """E-values of an estimate and of the limit nearer to no effect (1 where the interval holds no effect)."""

    estimate: float
    limit: float


def e_value(risk_ratio: float, conf_low: float, conf_high: float) -> EValue:
    """Return the E-value of a risk ratio and of its confidence limit nearer to 1.

    Parameters
    ----------
    risk_ratio, conf_low, conf_high : float
        A risk ratio above 0 and its interval.

    Notes
    -----
    RR + sqrt(RR (RR - 1)) for RR >= 1, of the inverse below 1: a confounder associated with both arm and outcome by risk
    ratios of this size each could explain the estimate away, a weaker one could not.

    References
    ----------
    VanderWeele & Ding (2017), Annals of Internal Medicine 167:268.

    Examples
    --------
    >>> e_value(0.80, 0.71, 0.91)
    EValue(estimate=1.8090169943749477, limit=1.4285714285714286)
    """
    limit = conf_low if risk_ratio >= 1 else conf_high
    crossed = conf_low <= 1 <= conf_high
    return EValue(_one(risk_ratio), 1.0 if crossed else _one(limit))


def _one(ratio: float) -> float:
    ratio = max(ratio, 1 / ratio)
    return ratio + math.sqrt(ratio * (ratio - 1))
