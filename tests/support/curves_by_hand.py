"""Curves, mean times and partial likelihoods by plain loops, from the definitions and not from the library: a second witness.

People are at risk on (entry, exit]. Events are 0 (censored) or the number of a cause. Weights count people.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import pandas as pd

__all__ = ["Person", "chance_to_be_seen", "curve", "loglik", "mean_time", "people_of", "pseudo_values"]


@dataclass(frozen=True)
class Person:
    """One person of an arm."""

    entry: float
    exit: float
    event: int
    weight: float
    x: float
    cluster: int


def people_of(frame: pd.DataFrame, *, weighted: bool = True) -> list[Person]:
    """Return the rows of a frame with entry, exit, event, w, x and cluster."""
    return [
        Person(r["entry"], r["exit"], r["event"], r["w"] if weighted else 1.0, r["x"], r["cluster"])
        for r in frame.to_dict("records")
    ]


def curve(people: Sequence[Person], time: float) -> tuple[float, dict[int, float]]:
    """Return the share free of every event at a time, and the incidence of each cause."""
    free, incidence = 1.0, {1: 0.0, 2: 0.0}
    for t in sorted({p.exit for p in people if p.event > 0 and p.exit <= time}):
        at_risk = sum(p.weight for p in people if p.entry < t <= p.exit)
        gone = 0.0
        for cause in incidence:
            events = sum(p.weight for p in people if p.exit == t and p.event == cause)
            incidence[cause] += free * events / at_risk
            gone += events
        free *= 1 - gone / at_risk
    return free, incidence


def mean_time(people: Sequence[Person], horizon: float) -> float:
    """Return the area under the share free of every event."""
    cuts = sorted({0.0, horizon} | {p.exit for p in people if p.exit < horizon})
    return sum((b - a) * curve(people, a)[0] for a, b in pairwise(cuts))


def loglik(people: Sequence[Person], beta: float, *, cause: int, efron: bool) -> float:
    """Return the log partial likelihood of one covariate; tied events weigh their mean weight under Efron's rule."""
    total = 0.0
    for t in sorted({p.exit for p in people if p.event == cause}):
        died = [p for p in people if p.exit == t and p.event == cause]
        everyone = sum(p.weight * math.exp(beta * p.x) for p in people if p.entry < t <= p.exit)
        theirs = sum(p.weight * math.exp(beta * p.x) for p in died)
        each = sum(p.weight for p in died) / len(died)
        total += sum(p.weight * beta * p.x for p in died)
        for k in range(len(died)):
            total -= each * math.log(everyone - (k / len(died) * theirs if efron else 0.0))
    return total


def chance_to_be_seen(people: Sequence[Person], time: float) -> float:
    """Return the Kaplan–Meier share not yet censored just before a time; events come before censorings of the same time."""
    share = 1.0
    for t in sorted({p.exit for p in people if p.event == 0 and p.exit < time}):
        could = sum(p.weight for p in people if p.exit > t or (p.exit == t and p.event == 0))
        share *= 1 - sum(p.weight for p in people if p.exit == t and p.event == 0) / could
    return share


def pseudo_values(people: Sequence[Person], horizon: float) -> np.ndarray:
    """Return n times the mean time of all less n - 1 times that of all others, person by person."""
    n, whole = len(people), mean_time(people, horizon)
    return np.array([n * whole - (n - 1) * mean_time([*people[:i], *people[i + 1 :]], horizon) for i in range(n)])
