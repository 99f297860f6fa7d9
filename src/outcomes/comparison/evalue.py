"""How strong an unmeasured confounder would have to be to explain a result away."""

from __future__ import annotations

import math
from dataclasses import dataclass

from outcomes.errors import EstimationError, one_of

__all__ = ["EValue", "as_risk_ratio", "e_value"]


@dataclass(frozen=True)
class EValue:
    """E-values of an estimate and of the limit nearer to no effect (1 where the interval holds no effect)."""

    estimate: float
    limit: float

    def describe(self) -> str:
        """Return what an unmeasured confounder would have to be like, in a sentence."""
        if not math.isfinite(self.estimate):
            return "There is no estimate, and so no E-value."
        first = (
            f"Something unmeasured that is tied to both arm and outcome by risk ratios of {self.estimate:.2f} each could explain the "
            "estimate away; where one of the two is weaker, the other would have to be stronger"
        )
        if not math.isfinite(self.limit):
            return f"{first}. There is no interval."
        if self.limit == 1:
            return f"{first}. The interval holds no difference already."
        return f"{first}. For the limit nearer to no difference {self.limit:.2f} each would do."


def e_value(
    estimate: float, conf_low: float, conf_high: float, *, measure: str = "risk_ratio", rare: bool = False
) -> EValue:
    """Return the E-value of a ratio and of its confidence limit nearer to 1.

    Use it beside every adjusted headline, to say how strong what was not measured would have to be.

    Parameters
    ----------
    estimate, conf_low, conf_high : float
        A ratio above 0 and its interval.
    measure : {"risk_ratio", "hazard_ratio", "odds_ratio"}
        What the ratio is; the latter two are turned into risk ratios first.
    rare : bool
        The outcome is rare (below 15 %) by the end of follow-up: hazard and odds ratios then are nearly risk ratios.

    Returns
    -------
    EValue
        ``estimate`` and ``limit``; missing where there is no estimate, or no interval.

    Raises
    ------
    EstimationError
        A ratio or limit is not above 0, or the estimate lies outside its interval.

    Notes
    -----
    RR + sqrt(RR (RR - 1)) for RR >= 1, of the inverse below 1: a confounder associated with both arm and outcome by risk
    ratios of this size each could explain the estimate away, a weaker one could not.

    References
    ----------
    VanderWeele & Ding (2017), Annals of Internal Medicine 167:268.

    Examples
    --------
    >>> import outcomes as oc
    >>> found = oc.e_value(0.80, 0.71, 0.91)
    >>> round(found.estimate, 3), round(found.limit, 3)
    (1.809, 1.429)
    """
    given = (estimate, conf_low, conf_high)
    if any(value <= 0 for value in given):
        raise EstimationError("e_value: a ratio and its limits must lie above 0.")
    if conf_low > estimate or conf_high < estimate:
        raise EstimationError("e_value: the estimate must lie between its limits.")
    ratio, low, high = (as_risk_ratio(value, measure=measure, rare=rare) for value in given)
    if low <= 1 <= high:
        return EValue(_one(ratio), 1.0)
    return EValue(_one(ratio), _one(low if ratio >= 1 else high))


def as_risk_ratio(ratio: float, *, measure: str, rare: bool = False) -> float:
    """Return the risk ratio a hazard or odds ratio stands for.

    Common outcomes: sqrt(OR), and (1 - 0.5^sqrt(HR)) / (1 - 0.5^sqrt(1/HR)); rare ones: the ratio itself.

    References
    ----------
    VanderWeele (2017), Epidemiology 28:e58; VanderWeele & Ding (2017), Annals of Internal Medicine 167:268.

    Examples
    --------
    >>> round(as_risk_ratio(0.56, measure="hazard_ratio"), 6)
    0.670084
    """
    one_of(measure, ("risk_ratio", "hazard_ratio", "odds_ratio"), what="e_value: measure")
    if measure == "risk_ratio" or rare or not math.isfinite(ratio):
        return ratio
    if measure == "odds_ratio":
        return math.sqrt(ratio)
    return float((1 - 0.5 ** math.sqrt(ratio)) / (1 - 0.5 ** math.sqrt(1 / ratio)))


def _one(ratio: float) -> float:
    ratio = max(ratio, 1 / ratio)
    return ratio + math.sqrt(ratio * (ratio - 1))
