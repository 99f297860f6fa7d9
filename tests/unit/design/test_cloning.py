"""Clones of people, table by table: three people at most, whose first start was when, and what became of each clone.

Two programmes (arms A and B) and the arm of people who started nothing; a start counts up to day 90.
"""

from __future__ import annotations

import numpy as np
import pytest

from outcomes.design.clock import Intervals
from outcomes.design.cloning import Cloned, Starts, cloned, cut_at, grace_months, rows_of

ARMS = ("A", "B", "none")
NEVER = np.inf
HORIZON = 730.0


def clones_of(
    *people: tuple[float, str, float, int], other: float = NEVER, arms: tuple[str, ...] = ARMS
) -> list[tuple[object, ...]]:
    """Return (person, arm, day it ended, cause, complied from, departs on) of each clone.

    A person is the day of the first start, whose programme it was (``-`` for none), the day follow-up ended, and the cause (0 = censored).
    """
    day, arm, time, cause = (np.array(column) for column in zip(*people, strict=True))
    starts = Starts(day, np.array([arms.index(a) if a in arms else -1 for a in arm]), np.full(len(day), other))
    found = cloned(starts, arms=len(arms), untreated=arms.index("none") if "none" in arms else None, grace=90.0)
    rows = rows_of(found, np.arange(len(day)), np.zeros(len(day)), time, cause)
    assert rows.row.tolist() == list(range(len(found.person)))
    columns = (found.person, np.array(arms)[found.arm], rows.exit, rows.event, found.complied, found.departs)
    return list(zip(*(column.tolist() for column in columns), strict=True))


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
    assert [row[1:4] for row in clones_of((40, "A", 40, 1))] == [("A", 40, 1), ("B", 40, 1), ("none", 40, 1)]


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
    other = np.where(rng.random(500) < 0.1, 5.0, NEVER)
    starts = Starts(day, np.where(np.isfinite(day), rng.integers(0, 2, 500), -1), other)
    assert set(cloned(starts, arms=3, untreated=2, grace=90.0).person) == set(range(500))


def rows_until(departs: float, *rows: tuple[float, float, int]) -> list[tuple[float, float, int]]:
    """Return the rows (entry, exit, event) of a clone that departs on a day, whose person has these."""
    entry, exit_, event = (np.array(column) for column in zip(*rows, strict=True))
    clone = Cloned(np.array([0]), np.array([0]), np.array([NEVER]), np.array([departs]))
    found = rows_of(clone, np.zeros(len(rows), dtype=int), entry, exit_, event)
    return list(zip(found.entry.tolist(), found.exit.tolist(), found.event.tolist(), strict=True))


def test_a_clone_that_departs_while_away_has_left_with_its_person() -> None:
    assert rows_until(50, (0, 30, 0), (70, 200, 1)) == [(0, 30, 0)]


def test_one_that_departs_while_at_risk_is_followed_until_then() -> None:
    assert rows_until(80, (0, 30, 0), (70, 200, 1)) == [(0, 30, 0), (70, 80, 0)]


def test_an_event_on_the_day_of_coming_back_is_before_departing_on_it() -> None:
    assert rows_until(70, (0, 30, 0), (70, 70.5, 1)) == [(0, 30, 0), (70, 70.5, 1)]


def test_every_event_before_departing_is_kept() -> None:
    assert rows_until(80, (0, 30, 1), (30, 60, 1), (60, 100, 1)) == [(0, 30, 1), (30, 60, 1), (60, 80, 0)]


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
