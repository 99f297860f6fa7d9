"""From people, programmes and rates to courses of life: the factual one, and those under each programme or none."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.synthetic.assignment import BESPOKE, MANUALISED
from outcomes.synthetic.draws import exponential
from outcomes.synthetic.hazards import YEAR, Rates
from outcomes.synthetic.life import Courses

__all__ = ["KEPT_BY_DROP_OUTS", "Exits", "courses", "draw_exits"]

Bool = np.typing.NDArray[np.bool_]
KEPT_BY_DROP_OUTS = 0.3


@dataclass(frozen=True, eq=False)
class Exits:
    """When each of N courses ends for good, in days since its beginning, and why (0 death, 1 deportation, 2 loss)."""

    time: Array
    reason: IntArray


def draw_exits(rates: Rates, rows: IntArray, u: Array, *, loss: bool) -> Exits:
    """Return deaths, deportations and (in the record, not in the truth) losses; `u` has shape (3, N)."""
    yearly = np.stack([rates.death[rows], rates.deportation[rows], rates.loss[rows] * loss])
    with np.errstate(divide="ignore"):
        times = exponential(u) * YEAR / yearly
    return Exits(time=times.min(axis=0), reason=times.argmin(axis=0).astype(np.int64))


def courses(
    rates: Rates,
    rows: IntArray,
    arm: IntArray,
    *,
    begin: Array,
    onset: Array,
    length: Array,
    exit: Array,
    dropped: Bool,
) -> Courses:
    """Return courses of the people `rows` under programmes `arm` (N of each; OTHER has no effect of its own).

    `begin` and `onset` are on the clock since sentence or release; `length` and `exit` count from `begin`.
    """
    treated = (arm == BESPOKE) | (arm == MANUALISED)
    column = np.where(treated, arm, BESPOKE)
    share = np.where(dropped, KEPT_BY_DROP_OUTS, 1.0)
    effect = rates.effect[rows, column] * share + rates.setting[rows, column]
    return Courses(
        begin=begin,
        end=begin + length,
        exit=begin + exit,
        onset=np.where(treated, onset, np.inf),
        sexual=rates.group[rows, 0] / YEAR,
        general=rates.group[rows, 1] / YEAR,
        control=rates.group[rows, 2] / YEAR,
        recall=rates.recall[rows] / YEAR,
        effect=np.where(treated, effect, 0.0),
        recall_effect=np.where(treated, rates.recall_effect[rows, column], 0.0),
        licence_end=rates.licence_end[rows],
        detection=rates.detection[rows],
    )
