"""People in two arms whose events come again and again, of whom some have each event recorded by chance only: data with a known truth.

Until the first event that is recorded, another end or the end of observation, people are followed; unrecorded events leave no trace.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

import outcomes as oc

__all__ = ["HAZARDS", "OTHER", "thinned", "true_risk"]

HAZARDS = {"usual": 0.35, "new": 0.30}
"""Events a year in each arm of people whose events are all recorded; of the others half as many again."""
OTHER = 0.06
"""Other ends a year."""
SHARES = {"usual": 0.15, "new": 0.45}
"""Of each arm, how many are the less detected."""


def thinned(people: int, share: float, rng: np.random.Generator, *, years: float = 4.0) -> oc.SurvivalData:
    """Draw people, half of them in each arm, observed for between half a year and `years` years."""
    arm = np.where(rng.random(people) < 0.5, "new", "usual")
    less = rng.random(people) < np.vectorize(SHARES.get)(arm)
    hazard = np.vectorize(HAZARDS.get)(arm) * np.where(less, 1.5, 1.0)
    recorded = np.array(
        [_first_recorded(rate, share if few else 1.0, years, rng) for rate, few in zip(hazard, less, strict=True)]
    )
    other, end = rng.exponential(1 / OTHER, people), rng.uniform(0.5, years, people)
    kind = np.argmin([end, recorded, other], axis=0)
    frame = pd.DataFrame({"time": np.minimum.reduce([end, recorded, other]), "end": kind, "arm": arm, "less": less})
    causes = {1: "offence", 2: "death"}
    return oc.survival_data(
        frame, duration="time", event="end", causes=causes, arm="arm", reference="usual", unit="years"
    )


def _first_recorded(rate: float, share: float, years: float, rng: np.random.Generator) -> float:
    """Return when the first event that is recorded happens, event by event."""
    now = rng.exponential(1 / rate)
    while now < years and rng.random() >= share:
        now += rng.exponential(1 / rate)
    return float(now)


def true_risk(arm: str, time: float) -> float:
    """Return the share of an arm with an event by a time, before another end."""
    risk: Any = 0.0
    for part, factor in ((SHARES[arm], 1.5), (1 - SHARES[arm], 1.0)):
        rate = factor * HAZARDS[arm]
        risk += part * rate / (rate + OTHER) * (1 - np.exp(-(rate + OTHER) * time))
    return float(risk)
