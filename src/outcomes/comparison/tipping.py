"""Which unmeasured confounder would tip a result: how common in each arm, and how strongly tied to the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.comparison.evalue import as_risk_ratio
from outcomes.errors import EstimationError, one_of
from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["TippingPoints", "tipping_points"]

_SHARES = (0.1, 0.3, 0.5, 0.7, 0.9)
_MEASURES = ("risk_ratio", "hazard_ratio", "odds_ratio", "risk_difference")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class TippingPoints(Result):
    """What something unmeasured, present or not, would have to do to the outcome to explain a result away.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row a share in the reference and a share in the arm.
    measure : str
        ``risk_ratio`` or ``risk_difference``: the scale of what it would have to do.
    estimate, limit : float
        What is explained away: the estimate, and its limit nearer to no difference (missing where the interval holds none).
    """

    frame: pd.DataFrame
    measure: str
    estimate: float
    limit: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "tipping_points"
    title: ClassVar[str] = "Tipping points"

    def to_frame(self) -> pd.DataFrame:
        """Return one row a share in the reference and in the arm: share_reference, share_arm, for_estimate, for_limit.

        ``for_estimate`` and ``for_limit`` are the ratio of risks (or the difference in risk) between those with it and those without
        that makes the estimate, or its limit, show no difference; missing where nothing with these shares could.
        """
        return self.frame.copy()

    def describe(self) -> str:
        """Return the easiest case, and one of middling imbalance, in sentences."""
        if self.estimate == self._nothing:
            return "The estimate shows no difference: there is nothing to explain away."
        known = self.frame.dropna(subset=["for_estimate"])
        if known.empty:
            return "Nothing that is present or not, in the shares looked at, could explain the estimate away."
        away = np.abs(known["for_estimate"] if self.measure == "risk_difference" else np.log(known["for_estimate"]))
        row = known.loc[away.idxmin()]
        limit = "" if np.isnan(row["for_limit"]) else f", and {self._said(row['for_limit'])} for the limit"
        return (
            f"Something unmeasured that {100 * row['share_arm']:.0f} % of people in the arm and {100 * row['share_reference']:.0f} % in "
            f"the reference have would explain the estimate away if it went with {self._said(row['for_estimate'])}{limit}. Where it is "
            "spread more evenly it would have to do more."
        )

    @property
    def _nothing(self) -> float:
        return 0.0 if self.measure == "risk_difference" else 1.0

    def _said(self, value: float) -> str:
        if self.measure == "risk_difference":
            return f"{100 * value:+.0f} events per 100 people".replace("-", "−")
        return f"{value:.2f} times the risk"


def tipping_points(
    estimate: float,
    conf_low: float,
    conf_high: float,
    *,
    measure: str = "risk_ratio",
    rare: bool = False,
    shares: Sequence[float] = _SHARES,
) -> TippingPoints:
    """Return which unmeasured confounders would explain an estimate, and its limit, away.

    Use it beside the E-value, which assumes the worst shares: here they are named, so that a reader can ask of something they have in
    mind (housing, motivation, a family that waits) whether it could be that uneven and that strong.

    Parameters
    ----------
    estimate, conf_low, conf_high : float
        A ratio, or a difference in risk as a share (−0.08, not −8), and its interval.
    measure : {"risk_ratio", "hazard_ratio", "odds_ratio", "risk_difference"}
        What the estimate is; hazard and odds ratios are turned into risk ratios first, as `e_value` does.
    rare : bool
        The outcome is rare by the end of follow-up.
    shares : sequence of float
        Shares of people who have the confounder, tried for both arms.

    Returns
    -------
    TippingPoints

    Raises
    ------
    EstimationError
        A ratio not above 0, an estimate outside its interval, a difference beyond 1, shares outside 0 to 1.

    Notes
    -----
    A binary confounder with share p1 in the arm and p0 in the reference, that multiplies the risk by g in both, biases the risk ratio by
    (1 + p1 (g - 1)) / (1 + p0 (g - 1)); one that adds d to the risk biases the difference by d (p1 - p0). Solved for g, or d. It is taken
    to be unrelated to what was adjusted for, and to do the same in both arms.

    References
    ----------
    Bross (1966), Journal of Chronic Diseases 19:637; Lin, Psaty & Kronmal (1998), Biometrics 54:948.

    Examples
    --------
    >>> import outcomes as oc
    >>> found = oc.tipping_points(0.70, 0.55, 0.89)
    >>> row = found.to_frame().query("share_arm == 0.1 and share_reference == 0.5").iloc[0]
    >>> row[["for_estimate", "for_limit"]].round(2).tolist()
    [2.2, 1.32]
    """
    import pandas as pd

    one_of(measure, _MEASURES, what="tipping_points: measure")
    given = (estimate, conf_low, conf_high)
    difference = measure == "risk_difference"
    if not difference and any(value <= 0 for value in given):
        raise EstimationError("tipping_points: a ratio and its limits must lie above 0.")
    if difference and any(abs(value) > 1 for value in given):
        raise EstimationError("tipping_points: a difference in risk is a share between -1 and 1, such as -0.08.")
    if conf_low > estimate or conf_high < estimate:
        raise EstimationError("tipping_points: the estimate must lie between its limits.")
    tried = sorted(set(map(float, shares)))
    if not tried or tried[0] < 0 or tried[-1] > 1:
        raise EstimationError("tipping_points: shares are of people, between 0 and 1.")
    none = 0.0 if difference else 1.0
    values = given if difference else tuple(as_risk_ratio(value, measure=measure, rare=rare) for value in given)
    middle, low, high = values
    limit = float("nan") if low <= none <= high else low if middle > none else high
    rows = []
    for reference in tried:
        for arm in tried:
            solve = _added if difference else _multiplied
            rows.append((reference, arm, solve(middle, arm, reference), solve(limit, arm, reference)))
    return TippingPoints(
        frame=pd.DataFrame(rows, columns=["share_reference", "share_arm", "for_estimate", "for_limit"]),
        measure="risk_difference" if difference else "risk_ratio",
        estimate=float(middle),
        limit=float(limit),
    )


def _multiplied(ratio: float, arm: float, reference: float) -> float:
    """Return the g for which such a confounder makes this ratio out of none; missing where there is none."""
    below = arm - ratio * reference
    g = 1 + (ratio - 1) / below if below != 0 else float("nan")
    return g if np.isfinite(g) and g > 0 else float("nan")


def _added(difference: float, arm: float, reference: float) -> float:
    """Return the d for which such a confounder makes this difference out of none; missing beyond a share."""
    apart = arm - reference
    d = difference / apart if apart != 0 else float("nan")
    return d if abs(d) <= 1 else float("nan")
