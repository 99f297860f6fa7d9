"""Between what limits a difference lies where some people have no counterpart: whatever they would have done, or within a stated range."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.adjust.entry_rules import excluded_from
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
    The effect in the clients who are not shut out, and the risk of those who are, are taken as independent. The interval is Imbens and
    Manski's.

    References
    ----------
    Manski (1990), American Economic Review 80:319; Imbens & Manski (2004), Econometrica 72:1845.
    """
    own = 1 if estimand == "att" else 0
    mine = pair.arm == own
    shut = mine & excluded_from(pair.baseline, pair.arms[1 - own])
    kept, gone = np.flatnonzero(~shut), np.flatnonzero(shut)
    if not len(gone) or shut.sum() == mine.sum():
        return None
    answer = raw_and_adjusted(some_people(pair, kept, pair.arm[kept], pair.arms), study, asked, estimand)[0][-1]
    if not answer["identified"] or not np.isfinite(answer["std_error"]):
        return None
    alone = some_people(pair, gone, np.zeros(len(gone), dtype=np.int64), ("all",))
    observed = cumulative_incidence(alone).at(asked.horizon)
    row = observed[observed["cause"] == pair.causes[0]].iloc[0]
    share, size = float(shut.sum() / mine.sum()), int(mine.sum())
    sign = 1.0 if own else -1.0
    ends = sorted((float(sign * (row["estimate"] - end)), end) for end in risk)
    limits = [(1 - share) * answer["estimate"] + share * part for part, _ in ends]
    errors = [
        float(
            np.sqrt(
                ((1 - share) * answer["std_error"]) ** 2
                + (share * float(row["std_error"])) ** 2
                + share * (1 - share) / size * (part - answer["estimate"]) ** 2
            )
        )
        for part, _ in ends
    ]
    low, high = interval_of_bounds((limits[0], limits[1]), (errors[0], errors[1]), asked.conf_level)
    return Bounds(limits[0], limits[1], low, high, share)


def interval_of_bounds(
    limits: tuple[float, float], errors: tuple[float, float], conf_level: float
) -> tuple[float, float]:
    """Return an interval that holds what lies between two estimated limits with the confidence asked for.

    Examples
    --------
    >>> tuple(round(end, 3) for end in interval_of_bounds((0.0, 0.0), (0.1, 0.1), 0.95))
    (-0.196, 0.196)
    >>> tuple(round(end, 3) for end in interval_of_bounds((-0.5, 0.5), (0.1, 0.1), 0.95))
    (-0.664, 0.664)
    """
    from scipy.optimize import brentq
    from scipy.stats import norm

    wide, spread = limits[1] - limits[0], max(errors)
    if spread == 0:
        return limits
    reach = brentq(lambda c: norm.cdf(c + wide / spread) - norm.cdf(-c) - conf_level, 0.0, 10.0, xtol=1e-12)
    return limits[0] - reach * errors[0], limits[1] + reach * errors[1]
