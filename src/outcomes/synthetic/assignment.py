"""Who starts which programme, when, and how long they waited.

Each person has a planned time zero, uniform over the intake. The regime is what the person's area offers on the planned
start. Offered programme r, a person starts it with a chance whose ratio between the two programmes is log-linear in
`preference`, so among starters eligible for both the log odds of manualised against bespoke are that score, plus a term
of the date (how many areas offer what), plus one linear in the wait.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.synthetic.biases import Biases
from outcomes.synthetic.draws import exponential, pick, two_exponentials
from outcomes.synthetic.people import People
from outcomes.synthetic.provision import SITES_PER_AREA, Provision, day

__all__ = ["ARMS", "BESPOKE", "MANUALISED", "NONE", "OTHER", "Assignment", "assign", "preference", "start_chances"]

Bool = np.typing.NDArray[np.bool_]
BESPOKE, MANUALISED, OTHER, NONE = 0, 1, 2, 3
ARMS = ("bespoke", "manualised", "other", "none")
INTAKE = ("2004-01-01", "2012-12-31")
CAP = 0.88  # chance that a willing, suitable person starts what is offered
SHORTEST_WAIT = 14
_WAIT_SCALE = 32.0  # days; the mean wait is SHORTEST_WAIT plus twice this


@dataclass(frozen=True, eq=False)
class Assignment:
    """One entry a person; arrays of shape (n,).

    Attributes
    ----------
    planned : ndarray of int
        Planned time zero, days since 1970-01-01.
    gap : ndarray of int
        Days between the start of a programme in custody and release, for those who did or would have done it there.
    delayed : ndarray of bool
        The programme starts after sentence or release, in the community.
    wait : ndarray of int
        Days between sentence or release and start; 0 unless `delayed` and starting.
    arm : ndarray of int
        What the person was to start (`ARMS`); life may come between (see `life`).
    offered : ndarray of int
        BESPOKE or MANUALISED: what was offered first on the planned start.
    site : ndarray of int
        Site within the area, the same under either programme.
    propensity : ndarray
        Chance of manualised rather than bespoke among starters, given date, wait and history (nan if refused by rule).
    chance : ndarray, shape (n, 2)
        Chance of starting if only the bespoke, only the manualised programme were on offer.
    """

    planned: IntArray
    gap: IntArray
    delayed: Bool
    wait: IntArray
    arm: IntArray
    offered: IntArray
    site: IntArray
    propensity: Array
    chance: Array

    @property
    def origin(self) -> IntArray:
        """Day of sentence (community) or release (custody): where the clock of the hazards starts."""
        return self.planned - self.wait

    @property
    def planned_start(self) -> IntArray:
        """Day on which the regime was looked up and the programme starts or would have started."""
        return self.planned - self.gap


def preference(people: People, biases: Biases) -> Array:
    """Return the log ratio of the chances of starting the manualised and the bespoke programme, shape (n,)."""
    by_band = np.array([0.40, 0.10, -0.26, -0.50])[people.band]
    seen = by_band + 0.008 * (people.age - 42.0) - 0.022 * (people.prior - 4.0)
    return biases.selection * seen + 0.8 * biases.unmeasured * people.unmeasured


def start_chances(people: People, biases: Biases) -> Array:
    """Return each person's chance of starting the bespoke or the manualised programme if it is offered, shape (n, 2)."""
    score = preference(people, biases)
    chance = CAP * np.exp(-np.maximum(0.0, np.stack([score, -score], axis=1)))
    leak = 1.0 - 0.98 * min(1.0, biases.exclusion)
    chance[:, 1] *= np.where(people.excluded, leak, 1.0)
    chance[~people.male, 1] = 0.0
    chance[~people.sexual_index | (people.age < 18)] = 0.0
    return chance


def assign(people: People, provision: Provision, biases: Biases, rng: np.random.Generator) -> Assignment:
    """Return planned dates, waits and programmes."""
    n = people.n
    u = rng.random((12, n))
    first, last = day(INTAKE[0]), day(INTAKE[1])
    planned = first + np.floor(u[0] * (last - first + 1)).astype(np.int64)
    licence = people.custody & (u[1] < np.minimum(0.9, 0.2 * biases.immortal_time))
    delayed = ~people.custody | licence
    gap = np.where(delayed, 0, biases.custody_delivery * (210 + 120 * np.minimum(exponential(u[2]), 4.0)))
    gap = np.floor(gap).astype(np.int64)
    start = planned - gap
    offered = _offered(people, provision, biases, start, u[3])
    chance = start_chances(people, biases)
    there = provision.bespoke_open(people.area, start) | provision.manualised_open(people.area, start)
    starts = there & (u[4] < chance[np.arange(n), offered])
    scale = _WAIT_SCALE * np.array([1.0, 1.0 + 0.6 * biases.waits])
    waited = SHORTEST_WAIT + np.floor(two_exponentials(u[5], u[6])[:, None] * scale).astype(np.int64)
    wait = np.where(delayed & starts, waited[np.arange(n), offered], 0)
    other = ~starts & (u[7] < np.where(people.age < 21, 0.8, np.where(people.band == 3, 0.35, 0.12)))
    arm = np.where(starts, offered, np.where(other, OTHER, NONE))
    odds = preference(people, biases) + provision.log_odds(start)
    odds = odds + np.where(delayed, _log_density_ratio(wait, scale), 0.0)
    return Assignment(
        planned=planned,
        gap=gap,
        delayed=delayed,
        wait=wait,
        arm=arm.astype(np.int64),
        offered=offered,
        site=pick(u[8], (1.0,) * SITES_PER_AREA),
        propensity=np.where(people.excluded, np.nan, 1.0 / (1.0 + np.exp(-odds))),
        chance=chance,
    )


def _offered(people: People, provision: Provision, biases: Biases, on: IntArray, u: Array) -> IntArray:
    """Return the programme each person is offered first: the open one; where both are, half each, the refused bespoke."""
    old, new = provision.bespoke_open(people.area, on), provision.manualised_open(people.area, on)
    refused = people.excluded & (biases.exclusion > 0)
    to_manual = 0.5 * np.where(refused, 1.0 - 0.98 * min(1.0, biases.exclusion), 1.0)
    return np.where(old & new, u < to_manual, new).astype(np.int64)


def _log_density_ratio(wait: IntArray, scale: Array) -> Array:
    """Return the log ratio of the densities of a wait, manualised over bespoke (gamma of shape 2): linear in the wait."""
    over = np.maximum(wait - SHORTEST_WAIT, 0)
    return np.asarray(over * (1.0 / scale[0] - 1.0 / scale[1]) - 2.0 * np.log(scale[1] / scale[0]))
