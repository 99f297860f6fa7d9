"""The factual record before it is cut into tables: who started what when, and what happened to them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.synthetic.assignment import BESPOKE, MANUALISED, NONE, OTHER, Assignment, assign
from outcomes.synthetic.biases import Biases
from outcomes.synthetic.courses import Exits, courses, draw_exits
from outcomes.synthetic.draws import below, table
from outcomes.synthetic.hazards import Rates, rates
from outcomes.synthetic.life import Lives, live
from outcomes.synthetic.people import People, draw_people
from outcomes.synthetic.provision import CATALOGUE, Provision, day, draw_provision
from outcomes.synthetic.worlds import World

__all__ = ["EXTRACTED", "NEVER", "Story", "tell"]

Bool = np.typing.NDArray[np.bool_]
EXTRACTED = "2015-12-31"  # nothing later is in the tables
NEVER = np.iinfo(np.int64).max // 4  # a day that does not come
PROGRAMME = {programme.key: k for k, programme in enumerate(CATALOGUE)}


@dataclass(frozen=True, eq=False)
class Story:
    """People, what they were to start, their lives; arrays of shape (n,) unless said.

    Attributes
    ----------
    dropped : ndarray of bool
        Dropped out of the programme of the arm.
    licence_days : ndarray of int
        Length of the licence; 0 without one.
    custody_days : ndarray of int
        Days from sentence to release; 0 in the community.
    other : ndarray of int
        Programme (row of the catalogue) of those in arm OTHER, -1 for everyone else.
    other_start : ndarray of int
        Day it starts.
    """

    people: People
    provision: Provision
    assignment: Assignment
    rates: Rates
    lives: Lives
    exits: Exits
    biases: Biases
    world: World
    dropped: Bool
    licence_days: IntArray
    custody_days: IntArray
    other: IntArray
    other_start: IntArray

    @cached_property
    def origin(self) -> IntArray:
        """Day of sentence (community) or release (custody)."""
        return self.assignment.origin

    @cached_property
    def sentence(self) -> IntArray:
        """Day of sentence."""
        return self.origin - self.custody_days

    @cached_property
    def last(self) -> IntArray:
        """Day of leaving observation for good; `NEVER` where that is not in the record."""
        gone = self.origin + np.ceil(np.minimum(self.exits.time, 1e6)).astype(np.int64)
        return np.where(gone <= day(EXTRACTED), gone, NEVER)

    @cached_property
    def started(self) -> Bool:
        """Started the bespoke or the manualised programme."""
        return (self.assignment.arm <= MANUALISED) & self.lives.started

    @cached_property
    def arm(self) -> IntArray:
        """What was started in fact: `ARMS`."""
        planned = self.assignment.arm
        other = (planned == OTHER) & (self.other >= 0)
        return np.where(self.started, planned, np.where(other, OTHER, NONE))

    @cached_property
    def wait(self) -> IntArray:
        """Days from sentence or release to time zero."""
        return np.where(self.started, self.assignment.wait, 0)

    @cached_property
    def time_zero(self) -> IntArray:
        """Start of the programme in the community; release, or sentence, for everyone else."""
        return self.origin + self.wait

    def present(self, rows: IntArray, on: IntArray) -> Bool:
        """Whether people are alive, in the record and not away on these days."""
        here = (on < self.last[rows]) & (on < day(EXTRACTED)) & (on > self.origin[rows])
        lives = self.lives
        away = np.zeros(len(self.origin), dtype=bool)
        on_of = np.full(len(self.origin), -1)
        on_of[rows] = on
        since = on_of[lives.away_course] - self.origin[lives.away_course]
        away[lives.away_course[(lives.away_from - 1 <= since) & (since <= lives.away_to)]] = True
        return here & ~away[rows]


def tell(n: int, n_areas: int, biases: Biases, world: World, streams: dict[str, np.random.Generator]) -> Story:
    """Return the factual record of `n` people."""
    people = draw_people(n, n_areas, streams["people"])
    provision = draw_provision(n_areas, biases.clustering, streams["provision"], world.offered)
    assignment = assign(people, provision, biases, streams["assignment"])
    u = streams["life"].random((8, n))
    licence = np.where(people.custody, below(u[0], 180, 900) + people.extended * 730, 0)
    effects = (world.bespoke, world.manualised)
    all_rates = rates(people, assignment, provision, biases, licence, effects)
    everyone = np.arange(n)
    chosen = assignment.arm <= MANUALISED
    dropped = chosen & (u[1] < all_rates.dropping_out[everyone, np.where(chosen, assignment.arm, BESPOKE)])
    exits = draw_exits(all_rates, everyone, u[2:5], loss=True)
    # without immortal time nothing happens between sentence or release and the start, and everyone lives to see it
    begin = np.where(biases.immortal_time > 0, 0, assignment.wait).astype(np.float64)
    exits = replace(exits, time=exits.time + begin)
    drawn = courses(
        all_rates,
        everyone,
        assignment.arm,
        begin=begin,
        onset=assignment.wait.astype(np.float64),
        length=(day(EXTRACTED) - assignment.origin) - begin,
        exit=exits.time - begin,
        dropped=dropped,
    )
    lives = live(drawn, streams["events"], lag_strength=biases.conviction_lag)
    served = np.floor(table(u[5], (0, 0.3, 0.7, 0.95, 1), (150, 330, 750, 1500, 2600))).astype(np.int64)
    served = np.where(people.custody, np.maximum(served, assignment.gap + 120), 0)
    other, other_start = _other_programmes(people, assignment, u[6], u[7])
    story = Story(
        people=people, provision=provision, assignment=assignment, rates=all_rates, lives=lives, exits=exits,
        biases=biases, world=world, dropped=dropped, licence_days=licence, custody_days=served, other=other, other_start=other_start,
    )  # fmt: skip
    possible = (other_start < story.origin) | story.present(everyone, other_start)
    return _replace_other(story, np.where(possible, other, -1))


def _other_programmes(people: People, assignment: Assignment, u: Array, v: Array) -> tuple[IntArray, IntArray]:
    """Return which of the other programmes people in arm OTHER go to, and when."""
    half = u < 0.5
    highest = np.where(half & people.custody, PROGRAMME["circle"], PROGRAMME["counselling"])
    usual = np.where(half & people.custody, PROGRAMME["residential"], PROGRAMME["partner"])
    chosen = np.where(people.age < 21, PROGRAMME["youth"], np.where(people.band == 3, highest, usual))
    chosen = np.where(assignment.arm == OTHER, chosen, -1)
    start = assignment.origin + below(v, 20, 110)
    inside = np.maximum(assignment.gap, 60)
    return chosen, np.where(chosen == PROGRAMME["residential"], assignment.origin - inside, start)


def _replace_other(story: Story, other: IntArray) -> Story:
    """Return the story with those who could not start another programme taken out of it."""
    return replace(story, other=other)
