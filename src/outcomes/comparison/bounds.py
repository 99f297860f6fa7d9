"""Between what limits a difference lies where some people have no counterpart: whatever they would have done, or within a stated range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.adjust.entry_rules import excluded_from
from outcomes.comparison.measures import quantile
from outcomes.comparison.raw_and_adjusted import Asked, raw_and_adjusted
from outcomes.design.some_people import some_people
from outcomes.survival.curves import cumulative_incidence

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study

__all__ = ["Bounds", "interval_of_bounds", "with_those_shut_out"]


@dataclass(frozen=True)
class Bounds:
    """Limits of a difference in risk that is not identified, and an interval for it.

    Attributes
    ----------
    low, high : float
    conf_low, conf_high : float
        Hold the difference with the confidence asked for, wherever between the limits it lies.
    share : float
        Of the people asked about, those without a counterpart.
    """

    low: float
    high: float
    conf_low: float
    conf_high: float
    share: float


def with_those_shut_out(
    pair: SurvivalData, study: Study, asked: Asked, estimand: str, risk: tuple[float, float]
) -> Bounds | None:
    """Return the limits of the effect in one arm's own clients, some of whom the other arm's rules shut out; None where there are none.

    Parameters
    ----------
    pair : SurvivalData
        Two arms.
    estimand : {"att", "atc"}
        Whose clients: those of the arm, or of the reference.
    risk : tuple of float
        Between what those shut out would have had as risk in the other arm: (0, 1) assumes nothing.

    Notes
    -----
    Whoever is in an arm against its own rules is left out. The effect in the clients who are not shut out, and the risk of those who
    are, are taken as independent; of the latter the larger of the errors by person and by cluster counts, and where all or none of them
    had the event that of Wilson's interval. The interval is Imbens and Manski's, on t where the effect is.

    References
    ----------
    Manski (1990), American Economic Review 80:319; Imbens & Manski (2004), Econometrica 72:1845.
    """
    own = 1 if estimand == "att" else 0
    mine = pair.arm == own
    barred = excluded_from(pair.baseline, pair.arms[1 - own])
    shut = mine & barred
    kept, gone = np.flatnonzero(~barred), np.flatnonzero(shut)
    if not len(gone) or shut.sum() == mine.sum():
        return None
    answer = raw_and_adjusted(some_people(pair, kept, pair.arm[kept], pair.arms), study, asked, estimand).rows[-1]
    if not answer["identified"] or not np.isfinite(answer["conf_low"]):
        return None
    had, error = _risk_of(some_people(pair, gone, np.zeros(len(gone), dtype=np.int64), ("all",)), asked)
    if not np.isfinite(had + error):
        return None
    share, size = float(shut.sum() / mine.sum()), int(mine.sum())
    sign = 1.0 if own else -1.0
    ends = sorted(float(sign * (had - end)) for end in risk)
    limits = [(1 - share) * answer["estimate"] + share * end for end in ends]
    reach = quantile(asked.conf_level, answer["df"])
    sides = (answer["estimate"] - answer["conf_low"], answer["conf_high"] - answer["estimate"])
    errors = [
        float(
            np.sqrt(
                ((1 - share) * side / reach) ** 2
                + (share * error) ** 2
                + share * (1 - share) / size * (end - answer["estimate"]) ** 2
            )
        )
        for end, side in zip(ends, sides, strict=True)
    ]
    low, high = interval_of_bounds((limits[0], limits[1]), (errors[0], errors[1]), asked.conf_level, answer["df"])
    return Bounds(limits[0], limits[1], low, high, share)


def _risk_of(people: SurvivalData, asked: Asked) -> tuple[float, float]:
    """Return the risk of people in one arm and its standard error; missing where they were not followed to the horizon."""
    errors = []
    for asked_of in (people, people.with_cluster(None)):
        found = cumulative_incidence(asked_of).at(asked.horizon)
        row = found[found["cause"] == people.causes[0]].iloc[0]
        errors.append(float(row["std_error"]))
    risk, n = float(row["estimate"]), len(people.baseline)
    if risk in (0.0, 1.0):
        reach = quantile(asked.conf_level, np.inf)
        errors.append(reach / (n + reach**2))  # Wilson's limit is reach^2 / (n + reach^2) away
    return risk, max(errors)


def interval_of_bounds(
    limits: tuple[float, float], errors: tuple[float, float], conf_level: float, df: float = np.inf
) -> tuple[float, float]:
    """Return an interval that holds what lies between two estimated limits with the confidence asked for, on t where `df` is finite.

    Examples
    --------
    >>> tuple(round(end, 3) for end in interval_of_bounds((0.0, 0.0), (0.1, 0.1), 0.95))
    (-0.196, 0.196)
    >>> tuple(round(end, 3) for end in interval_of_bounds((-0.5, 0.5), (0.1, 0.1), 0.95))
    (-0.664, 0.664)
    """
    from scipy.optimize import brentq
    from scipy.stats import norm, t

    wide, spread = limits[1] - limits[0], max(errors)
    if spread == 0:
        return limits
    law = t(df) if np.isfinite(df) else norm
    reach = brentq(lambda c: law.cdf(c + wide / spread) - law.cdf(-c) - conf_level, 0.0, 1000.0, xtol=1e-12)
    return limits[0] - reach * errors[0], limits[1] + reach * errors[1]
