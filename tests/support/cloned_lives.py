"""Lives in which who starts what, and when, depends on a number that decides about offending too; the truth is known.

Starts of A and B are hazards a day, lower or higher by x; offending is one too, and changes with the start. What would have happened
had everyone kept to one strategy is drawn by letting it decide when people start.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

import outcomes as oc
from outcomes.design.clock import Away, intervals_at_risk
from outcomes.design.cloning import Starts, clone_rows, grace_months
from outcomes.results import Array, IntArray

ARMS = ("A", "B", "none")
GRACE, FOLLOWED = 182.0, 730.0
NOBODY_AWAY = Away(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))


@dataclass(frozen=True)
class Lives:
    """P people: x, their first start (infinite: none) and its arm, and what ended follow-up when (1 = offended)."""

    x: Array
    day: Array
    arm: IntArray
    time: Array
    event: IntArray


def lived(people: int, rng: np.random.Generator, effect: tuple[float, float], keeping_to: str | None = None) -> Lives:
    """Return lives as they were lived, or as they would have been had everyone kept to a strategy; `effect` is that of A and of B."""
    x = rng.normal(size=people)
    rates = np.exp(-6 - 0.5 * x), np.exp(-6.3 + 0.4 * x)
    first = [np.ceil(rng.exponential(1 / rate)) for rate in rates]
    before = rng.random(people) < 0.1 / (1 + np.exp(x))
    if keeping_to in ("A", "B"):
        mine = ARMS.index(keeping_to)
        day, arm = _within_grace(first[mine], rates[mine], rng), np.full(people, mine)
    else:
        if keeping_to == "none":
            first = [GRACE + np.ceil(rng.exponential(1 / rate)) for rate in rates]
        else:
            first[0] = np.where(before, -10.0, first[0])
        day, arm = np.minimum(*first), np.where(first[0] <= first[1], 0, 1)
    return _followed(x, day, arm, rng, effect)


def _within_grace(own: Array, rate: Array, rng: np.random.Generator) -> Array:
    """Return starts as they come, those not before the last month of the grace period in it."""
    last = grace_months(GRACE)[-2]
    share = rng.random(len(own)) * -np.expm1(-rate * (GRACE - last))
    late = last + np.ceil(-np.log1p(-share) / rate)
    return np.where(own <= last, own, np.minimum(late, GRACE))


def _followed(x: Array, day: Array, arm: IntArray, rng: np.random.Generator, effect: tuple[float, float]) -> Lives:
    hazard, started = np.exp(-7.3 + 0.8 * x), np.maximum(day, 0.0)
    spent = rng.exponential(size=len(x))
    after = started + (spent - hazard * started) / (hazard * np.asarray(effect)[arm])
    time = np.maximum(np.ceil(np.where(spent < hazard * started, spent / hazard, after)), 1.0)
    seen = time <= FOLLOWED
    day = np.where(day > FOLLOWED, np.inf, day)
    return Lives(x, day, np.where(np.isfinite(day), arm, -1), np.minimum(time, FOLLOWED), seen.astype(np.int64))


def as_clones(lives: Lives) -> oc.SurvivalData:
    """Return time at risk of their clones, as a cohort gives it."""
    people = len(lives.x)
    whole = intervals_at_risk(
        lives.time, lives.event, np.zeros(people), NOBODY_AWAY, scale="calendar", horizon=FOLLOWED
    )
    starts = Starts(lives.day, lives.arm, np.full(people, np.inf))
    made = clone_rows(starts, whole.row, whole.entry, whole.exit, whole.event, arms=len(ARMS), untreated=2, grace=GRACE)
    of, rows = made.clones.person, made.rows
    baseline = pd.DataFrame({"x": lives.x[of], "person_id": of})
    return oc.SurvivalData(
        entry=rows.entry, exit=rows.exit, event=rows.event, person=rows.row, arm=made.arm, causes=("any",), arms=ARMS,
        frame=baseline.iloc[rows.row].reset_index(drop=True), baseline=baseline, cluster="person_id", clones=made.clones,
        labels=MappingProxyType({"outcome": "any"}),
    )  # fmt: skip
