"""Rates per person and programme, and the falling shape they share.

Every hazard of reoffending and of recall is a rate times the same step function of time since sentence or release: high
at first, lower later. Someone who waited before time zero starts further along it; nothing else depends on the wait.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.synthetic.assignment import Assignment
from outcomes.synthetic.biases import Biases
from outcomes.synthetic.people import People
from outcomes.synthetic.provision import Provision, day

__all__ = [
    "CONTROL", "GENERAL", "OFFENCES", "SEXUAL", "Rates", "elapsed", "operational", "rates",
]  # fmt: skip

KNOTS = np.array([0.0, 90.0, 182.0, 365.0, 730.0, 1461.0])
LEVELS = np.array([1.75, 1.4, 1.1, 0.85, 0.65, 0.5])
_AT_KNOTS = np.concatenate([[0.0], np.cumsum(np.diff(KNOTS) * LEVELS[:-1])])
YEAR = 365.25


@dataclass(frozen=True)
class Offence:
    """One type of reoffence: its share in its group, how its cases go through the courts, and what follows.

    `lag` is the median number of days from offence to proof, `lag_shape` the Weibull shape; `remand` and `sentence` are
    the chances of custody at once or from conviction, `away` the mean days of it.
    """

    code: str
    group: int
    share: float
    lag: float
    lag_shape: float
    remand: float
    sentence: float
    away: float
    severity: int


SEXUAL, GENERAL, CONTROL = 0, 1, 2
OFFENCES = (
    Offence("sexual_contact", SEXUAL, 0.42, 310.0, 1.6, 0.45, 0.40, 900.0, 1),
    Offence("sexual_noncontact", SEXUAL, 0.24, 250.0, 1.6, 0.10, 0.25, 240.0, 2),
    Offence("sexual_image", SEXUAL, 0.34, 330.0, 1.7, 0.05, 0.30, 260.0, 2),
    Offence("violent", GENERAL, 0.30, 100.0, 1.3, 0.15, 0.15, 200.0, 2),
    Offence("acquisitive", GENERAL, 0.33, 70.0, 1.3, 0.08, 0.14, 100.0, 3),
    Offence("drugs", GENERAL, 0.14, 85.0, 1.3, 0.04, 0.08, 120.0, 3),
    Offence("other", GENERAL, 0.23, 80.0, 1.3, 0.03, 0.06, 80.0, 4),
    Offence("motoring", CONTROL, 0.45, 75.0, 1.3, 0.0, 0.02, 60.0, 4),
    Offence("breach_order", CONTROL, 0.25, 45.0, 1.3, 0.05, 0.10, 45.0, 4),
    Offence("breach_notification", CONTROL, 0.30, 60.0, 1.3, 0.03, 0.10, 70.0, 4),
)


@dataclass(frozen=True, eq=False)
class Rates:
    """What drives lives; yearly rates at a level of 1 of the shape; arrays of shape (n,) unless said.

    Attributes
    ----------
    group : ndarray, shape (n, 3)
        Rates of sexual, general and control offences without a programme.
    effect : ndarray, shape (n, 2)
        Log hazard ratio of the full bespoke and manualised programme on sexual and general offences.
    setting : ndarray, shape (n, 2)
        Log hazard of the person's site and its facilitators under either programme.
    dropping_out : ndarray, shape (n, 2)
        Chance of dropping out of either programme.
    recall, recall_effect : ndarray, shapes (n,) and (n, 2)
        Rate of recall while on licence, and the log ratio of either programme.
    licence_end : ndarray
        Days from release to the end of the licence; 0 without one.
    death, deportation, loss : ndarray
        Constant yearly rates; `loss` is emigration and losing touch.
    detection : ndarray
        Chance that a reoffence comes to be proven.
    """

    group: Array
    effect: Array
    setting: Array
    dropping_out: Array
    recall: Array
    recall_effect: Array
    licence_end: Array
    death: Array
    deportation: Array
    loss: Array
    detection: Array


def rates(
    people: People,
    assignment: Assignment,
    provision: Provision,
    biases: Biases,
    licence_end: IntArray,
    effects: tuple[float, float],
) -> Rates:
    """Return everyone's rates under each programme and none; `effects` are the log hazard ratios of the bespoke and the manualised one."""
    n = people.n
    year = (assignment.planned - day("2008-07-01")) / YEAR
    shared = (
        provision.area_effect[people.area]
        - 0.05 * biases.rollout_trend * year
        - 0.5 * biases.unmeasured * people.unmeasured
    )
    general = np.array([-0.55, 0.0, 0.42, 0.75])[people.band] - 0.018 * (people.age - 42) + 0.028 * (people.prior - 4)
    sexual = np.array([-0.70, 0.0, 0.60, 1.10])[people.band] - 0.008 * (people.age - 42) + 0.05 * people.prior_sexual
    general = general + 0.15 * people.learning_disability
    sexual = sexual + 0.30 * people.learning_disability - 0.30 * (people.denial == 2)
    group = np.stack(
        [0.013 * np.exp(sexual + shared), 0.185 * np.exp(general + shared), 0.085 * np.exp(0.8 * general + shared)],
        axis=1,
    )
    tilt = 1.0 + biases.effect_modification * np.array([-0.6, -0.1, 0.35, 0.6])[people.band]
    leaving = biases.drop_out * np.array([0.12, 0.22, 0.36, 0.5])[people.band]
    recall = 0.15 * np.exp(np.array([-0.6, -0.1, 0.4, 0.7])[people.band])
    return Rates(
        group=group,
        effect=tilt[:, None] * np.array(effects),
        setting=provision.site_effect[people.area, assignment.site],
        dropping_out=1.0 - np.exp(-leaving[:, None] * np.array([1.0, 1.3])),
        recall=np.where(people.custody, recall, 0.0),
        recall_effect=np.broadcast_to(biases.recall_by_arm * np.array([-0.10, 0.30]), (n, 2)),
        licence_end=licence_end.astype(np.float64),
        death=0.0055 * np.exp(0.055 * (people.age - 45)),
        deportation=np.where(people.foreign & people.custody, 0.25, 0.0),
        loss=np.full(n, 0.0012),
        detection=np.where(people.learning_disability, np.exp(-0.45 * biases.detection), 1.0),
    )


def operational(t: Array) -> Array:
    """Return the area under the shape up to `t` days since sentence or release."""
    step = np.searchsorted(KNOTS, t, side="right") - 1
    return np.asarray(_AT_KNOTS[step] + (t - KNOTS[step]) * LEVELS[step])


def elapsed(area: Array) -> Array:
    """Return the time at which the area under the shape reaches `area`: the inverse of `operational`."""
    step = np.searchsorted(_AT_KNOTS, area, side="right") - 1
    return np.asarray(KNOTS[step] + (area - _AT_KNOTS[step]) / LEVELS[step])
