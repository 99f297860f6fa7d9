"""Clones of people, table by table: three people at most, whose first start was when, and what became of each clone.

Two programmes (arms A and B) and the arm of people who started nothing; a start counts up to day 90.
"""

from __future__ import annotations

import numpy as np
import pytest

from outcomes.design.clock import Away, Intervals
from outcomes.design.cloning import Starts, away_of, cloned, cut_at, grace_months

ARMS = ("A", "B", "none")
NEVER = np.inf
HORIZON = 730.0


def clones_of(
    *people: tuple[float, str, float, int], other: float = NEVER, arms: tuple[str, ...] = ARMS
) -> list[tuple[object, ...]]:
    """Return (person, arm, day it ended, cause, complied from, departed on) of each clone.

    A person is the day of the first start, whose programme it was (``-`` for none), the day follow-up ended, and the cause (0 = censored).
    """
    day, arm, time, cause = zip(*people, strict=True)
    starts = Starts(
        np.array(day), np.array([arms.index(a) if a in arms else -1 for a in arm]), np.full(len(day), other)
    )
    untreated = arms.index("none") if "none" in arms else None
    found = cloned(starts, np.array(time), np.array(cause), arms=len(arms), untreated=untreated, grace=90.0)
    columns = (found.person, [arms[a] for a in found.arm], found.time, found.cause, found.complied, found.departed)
    return [
        tuple(value.item() if hasattr(value, "item") else value for value in row) for row in zip(*columns, strict=True)
    ]


def test_who_starts_within_the_grace_period_complies_in_one_arm_and_departs_in_the_others_on_that_day() -> None:
    assert clones_of((40, "A", HORIZON, 0)) == [
        (0, "A", HORIZON, 0, 40, NEVER),
        (0, "B", 40, 0, NEVER, 40),
        (0, "none", 40, 0, NEVER, 40),
    ]


def test_who_never_starts_departs_from_the_programmes_at_the_end_of_the_grace_period() -> None:
    assert clones_of((NEVER, "-", HORIZON, 0)) == [
        (0, "A", 90, 0, NEVER, 90),
        (0, "B", 90, 0, NEVER, 90),
        (0, "none", HORIZON, 0, 90, NEVER),
    ]


def test_a_start_after_the_grace_period_counts_as_none_within_it() -> None:
    assert clones_of((91, "A", HORIZON, 0)) == clones_of((NEVER, "-", HORIZON, 0))


def test_a_start_on_the_last_day_of_the_grace_period_still_counts() -> None:
    assert clones_of((90, "B", HORIZON, 0)) == [
        (0, "A", 90, 0, NEVER, 90),
        (0, "B", HORIZON, 0, 90, NEVER),
        (0, "none", 90, 0, NEVER, 90),
    ]


def test_an_event_before_the_start_counts_for_every_clone() -> None:
    assert [row[1:4] for row in clones_of((40, "A", 20, 1))] == [("A", 20, 1), ("B", 20, 1), ("none", 20, 1)]


def test_an_event_on_the_day_of_the_start_came_before_it() -> None:
    assert [row[1:4] + row[5:] for row in clones_of((40, "A", 40, 1))] == [
        ("A", 40, 1, NEVER),
        ("B", 40, 1, NEVER),
        ("none", 40, 1, NEVER),
    ]


def test_an_event_after_the_start_counts_for_the_clone_that_started_alone() -> None:
    assert [row[1:4] for row in clones_of((40, "A", 41, 1))] == [("A", 41, 1), ("B", 40, 0), ("none", 40, 0)]


def test_a_competing_event_keeps_its_cause() -> None:
    assert [row[1:4] for row in clones_of((NEVER, "-", 60, 2))] == [("A", 60, 2), ("B", 60, 2), ("none", 60, 2)]


@pytest.mark.parametrize("day", [0.0, -200.0])
def test_who_had_started_by_time_zero_has_one_clone(day: float) -> None:
    assert clones_of((day, "A", HORIZON, 0)) == [(0, "A", HORIZON, 0, 0, NEVER)]


def test_a_programme_of_no_arm_is_not_nothing_but_keeps_nobody_from_an_arm() -> None:
    assert clones_of((NEVER, "-", HORIZON, 0), other=30.0) == [
        (0, "A", 90, 0, NEVER, 90),
        (0, "B", 90, 0, NEVER, 90),
        (0, "none", 30, 0, NEVER, 30),
    ]


def test_of_two_programmes_alone_the_one_not_started_is_departed_from() -> None:
    assert clones_of((40, "A", HORIZON, 0), (NEVER, "-", HORIZON, 0), arms=("A", "B")) == [
        (0, "A", HORIZON, 0, 40, NEVER),
        (0, "B", 40, 0, NEVER, 40),
        (1, "A", 90, 0, NEVER, 90),
        (1, "B", 90, 0, NEVER, 90),
    ]


def test_everyone_has_a_clone_in_some_arm() -> None:
    rng = np.random.default_rng(3)
    day = np.where(rng.random(500) < 0.3, NEVER, rng.integers(-50, 200, 500))
    starts = Starts(
        day, np.where(np.isfinite(day), rng.integers(0, 2, 500), -1), np.where(rng.random(500) < 0.1, 5.0, NEVER)
    )
    found = cloned(
        starts, rng.integers(1, 700, 500).astype(float), np.zeros(500, dtype=int), arms=3, untreated=2, grace=90.0
    )
    assert set(found.person) == set(range(500))


def test_time_away_is_that_of_the_person() -> None:
    starts = Starts(np.array([10.0, NEVER]), np.array([0, -1]), np.full(2, NEVER))
    found = cloned(starts, np.full(2, HORIZON), np.zeros(2, dtype=int), arms=2, untreated=1, grace=90.0)
    away = Away(np.array([0, 1, 1]), np.array([5.0, 1.0, 50.0]), np.array([8.0, 2.0, 60.0]))
    mine = away_of(found, away, 2)
    assert [(found.person[row], start, end) for row, start, end in zip(mine.row, mine.start, mine.end, strict=True)] == [
        (0, 5, 8), (0, 5, 8), (1, 1, 2), (1, 50, 60), (1, 1, 2), (1, 50, 60),
    ]  # fmt: skip


def test_rows_are_cut_at_the_months_of_the_grace_period_and_keep_their_event_at_the_end() -> None:
    rows = Intervals(np.array([0, 0, 1]), np.array([0.0, 45, 0]), np.array([31.0, 200, 30]), np.array([0, 1, 2]))
    cut = cut_at(rows, grace_months(90.0)[1:])
    assert list(zip(cut.row, cut.entry, cut.exit, cut.event, strict=True)) == [
        (0, 0, 30, 0), (0, 30, 31, 0), (0, 45, 60, 0), (0, 60, 90, 0), (0, 90, 200, 1), (1, 0, 30, 2),
    ]  # fmt: skip


@pytest.mark.parametrize(("grace", "months"), [(10.0, 1), (182.0, 6), (365.0, 12)])
def test_a_grace_period_has_about_as_many_months_as_the_calendar(grace: float, months: int) -> None:
    edges = grace_months(grace)
    assert (edges[0], edges[-1], len(edges) - 1) == (0, grace, months)
