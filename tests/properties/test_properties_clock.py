"""The clock against a loop over days: intervals at risk on each scale, and every event in them."""

from __future__ import annotations

import itertools

import numpy as np
from by_hand_time import Interval, Whereabouts, intervals_by_hand, on_own_clock
from hypothesis import given, settings
from hypothesis import strategies as st

from outcomes.design.clock import Away, Intervals, intervals_at_risk, with_every_event

LAST = 14
Person = tuple[int, int, int, list[tuple[int, int]], list[int]]
"""Day follow-up ended, by which cause, from which day observed, away from and to, days of events that do not end it."""


@st.composite
def _person(draw: st.DrawFn) -> Person:
    days = sorted(draw(st.lists(st.integers(-2, LAST + 2), max_size=6, unique=True)))
    touching = draw(st.booleans())
    pairs = itertools.pairwise(days) if touching else zip(days[::2], days[1::2], strict=False)
    away = [(a, b) for a, b in pairs if b > 0]
    events = draw(st.lists(st.integers(0, LAST + 1), max_size=5))
    return draw(st.integers(0, LAST)), draw(st.integers(0, 3)), draw(st.sampled_from([0, 0, 1, 3, 8])), away, events


def _away(people: list[Person]) -> Away:
    spells = [(row, a, b) for row, person in enumerate(people) for a, b in person[3]]
    row, start, end = np.array(spells, dtype=float).reshape(-1, 3).T
    return Away(row.astype(np.int64), start, end)


def _where(person: Person, scale: str) -> Whereabouts:
    spells = person[3] if scale != "calendar" else []
    return Whereabouts(
        at_large=lambda day: not any(a < day < b for a, b in spells),
        out_after=lambda day: any(a <= day < b for a, b in spells),
    )


def _clock(people: list[Person], scale: str, horizon: float, *, every: bool = False) -> Intervals:
    time, cause, entry = (np.array([person[n] for person in people], dtype=float) for n in range(3))
    if every:  # the outcome ends nothing
        cause = np.where(cause == 1, 0, cause)
    return intervals_at_risk(
        time, cause.astype(np.int64), entry, _away(people), scale=scale, horizon=horizon, days=every
    )


def _rows(found: Intervals, people: int) -> list[list[Interval]]:
    rows: list[list[Interval]] = [[] for _ in range(people)]
    for row, entry, leave, event in zip(found.row, found.entry, found.exit, found.event, strict=True):
        rows[row].append((float(entry), float(leave), int(event) or None))
    return rows


@settings(max_examples=200)
@given(
    people=st.lists(_person(), min_size=1, max_size=4),
    scale=st.sampled_from(["calendar", "at_risk", "community"]),
    horizon=st.sampled_from([1, 4, 30]),
)
def test_intervals_at_risk_are_those_of_a_loop_over_days(people: list[Person], scale: str, horizon: int) -> None:
    expected = []
    for person in people:
        end, cause, seen_from, _, _ = person
        where = _where(person, scale)
        rows = intervals_by_hand(seen_from, end, [(end, cause)] if cause else [], where)
        expected.append(on_own_clock(rows, seen_from, horizon, where) if scale == "community" else rows)
    found = _clock(people, scale, horizon)
    assert _rows(found, len(people)) == expected
    ended_away = [
        cause > 0 and end >= seen_from and not _where((end, cause, seen_from, away, []), scale).at_large(end)
        for end, cause, seen_from, away, _ in people
    ]
    assert found.ended_away == sum(ended_away)


@settings(max_examples=200)
@given(people=st.lists(_person(), min_size=1, max_size=4), scale=st.sampled_from(["calendar", "at_risk"]))
def test_every_event_is_that_of_a_loop_over_days(people: list[Person], scale: str) -> None:
    events = [(row, day) for row, person in enumerate(people) for day in person[4]]
    row, day = np.array(events, dtype=float).reshape(-1, 2).T
    found = with_every_event(_clock(people, scale, 30, every=True), row.astype(np.int64), day)
    expected = []
    for person in people:
        end, cause, seen_from, _, days = person
        marks = [(day, 1) for day in sorted(set(days)) if day <= end] + ([(end, cause)] if cause > 1 else [])
        expected.append(intervals_by_hand(seen_from, end, marks, _where(person, scale)))
    assert _rows(found, len(people)) == expected
