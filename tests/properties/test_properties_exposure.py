"""Time at risk cut by courses: what a plain loop over days says, and cuts that must not change an estimate."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

import outcomes as oc
from outcomes.design.courses import STATES, Courses
from outcomes.design.exposure import Pieces, pieces_by_course
from outcomes.loading.schema import STRANDS

LAST = 30
Spell = dict[str, Any]
Person = tuple[list[Spell], int | None, list[tuple[int, int]]]
Stand = tuple[int, str, frozenset[str], bool]

_day = st.integers(-5, LAST + 5)
_spell = st.fixed_dictionaries(
    {
        "start": _day, "length": st.sampled_from([0, 1, 3, 8, 40, None]), "arm": st.integers(-1, 1), "strand": st.sampled_from(STRANDS),
        "left": st.sampled_from(STATES[3:]), "voluntary": st.booleans(),
    }
)  # fmt: skip
_gap = st.sampled_from([[(0, LAST)], [(0, 10), (12, LAST)], [(4, 20)], [(0, 1), (1, 2), (5, 9)]])
_people = st.lists(st.tuples(st.lists(_spell, max_size=4), st.none() | _day, _gap), min_size=1, max_size=5)


def _courses(people: list[Person]) -> Courses:
    """Return the courses of people; of each, spells in the order of their start."""
    spells = [(who, s) for who, (own, _, _) in enumerate(people) for s in sorted(own, key=lambda s: s["start"])]
    start = np.array([s["start"] for _, s in spells], dtype=float)
    length = np.array([np.inf if s["length"] is None else s["length"] for _, s in spells])
    return Courses(
        row=np.array([who for who, _ in spells], dtype=np.int64),
        start=start,
        end=start + length,
        left=np.array([STATES.index(s["left"]) for _, s in spells], dtype=np.int64),
        arm=np.array([s["arm"] for _, s in spells], dtype=np.int64),
        strand=np.array([STRANDS.index(s["strand"]) for _, s in spells], dtype=np.int64),
        voluntary=np.array([s["voluntary"] for _, s in spells], dtype=bool),
        unknown_end=np.zeros(len(spells), dtype=bool),
        referred=np.array([np.inf if day is None else day for _, day, _ in people], dtype=float),
        elsewhere=np.full(len(people), np.inf),
    )


def _cut(people: list[Person]) -> tuple[Pieces, list[tuple[int, int, int]]]:
    rows = [(who, entry, leave) for who, (_, _, intervals) in enumerate(people) for entry, leave in intervals]
    person, entry, leave = (np.array(column) for column in zip(*rows, strict=True))
    return pieces_by_course(person, entry.astype(float), leave.astype(float), _courses(people)), rows


def _stands(person: Person, day: int) -> Stand:
    """Return where a person stands on a day: changes of an earlier day count, and those of time zero on every day."""
    spells, referred, _ = person
    spells = sorted(spells, key=lambda s: s["start"])
    begun = [s for s in spells if s["start"] < day]
    now = [s for s in begun if s["length"] is None or s["start"] + s["length"] >= day]
    over = [s for s in begun if s not in now]
    exposure = -1 if begun else 0
    for s in begun:
        same_day = [t for t in begun if t["start"] == s["start"] and t["arm"] >= 0]
        if s["arm"] >= 0:
            exposure = same_day[0]["arm"] + 1
    state = "referred" if referred is not None and referred < day else "not_referred"
    if over:
        final = max(s["start"] + s["length"] for s in over)
        state = [s for s in over if s["start"] + s["length"] == final][-1]["left"]
    if now:
        state = "started"
    return exposure, state, frozenset(s["strand"] for s in now), any(s["voluntary"] for s in now)


def _said(pieces: Pieces, place: int) -> Stand:
    found = pieces.situation
    strands = frozenset(s for k, s in enumerate(STRANDS) if found.strands[place] >> k & 1)
    return int(found.exposure[place]), STATES[found.state[place]], strands, bool(found.voluntary[place])


@settings(max_examples=150)
@given(people=_people)
def test_each_piece_says_what_a_loop_over_its_days_says(people: list[Person]) -> None:
    pieces, rows = _cut(people)
    told = {}
    for place, row in enumerate(pieces.row):
        for day in range(int(pieces.entry[place]) + 1, int(pieces.exit[place]) + 1):
            told[int(row), day] = _said(pieces, place)
    assert told == {
        (row, day): _stands(people[who], day)
        for row, (who, entry, leave) in enumerate(rows)
        for day in range(entry + 1, leave + 1)
    }


@settings(max_examples=150)
@given(people=_people)
def test_pieces_are_their_row_and_no_more_of_them_than_changes(people: list[Person]) -> None:
    pieces, rows = _cut(people)
    for row, (who, entry, leave) in enumerate(rows):
        mine = np.flatnonzero(pieces.row == row)
        assert pieces.entry[mine[0]] == entry
        assert pieces.exit[mine[-1]] == leave
        assert (pieces.entry[mine[1:]] == pieces.exit[mine[:-1]]).all()
        assert pieces.last[mine].tolist() == [False] * (len(mine) - 1) + [True]
        assert all(_said(pieces, a) != _said(pieces, b) for a, b in itertools.pairwise(mine))
        if not people[who][0] and people[who][1] is None:
            assert len(mine) == 1


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32 - 1))
def test_a_row_split_on_any_other_day_changes_no_estimate(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 60
    start, time = rng.integers(1, 40, n), rng.integers(2, 60, n)
    rows = [(i, 0, min(start[i], time[i]), 0, time[i] <= start[i]) for i in range(n)]
    rows += [(i, start[i], time[i], 1, True) for i in range(n) if time[i] > start[i]]
    frame = pd.DataFrame(rows, columns=["who", "entry", "leave", "exposed", "last"]).astype(
        {"entry": float, "leave": float}
    )
    frame["age"] = rng.normal(40, 10, n)[frame["who"]]
    frame["event"] = np.where(frame["last"], (rng.random(n) < 0.7)[frame["who"]], 0)
    frame.loc[frame["last"].idxmax(), "event"] = 1
    on = np.floor((frame["entry"] + frame["leave"]) / 2)
    split = (frame["leave"] - frame["entry"] > 1) & (on > frame["entry"])
    before, after = frame[split].assign(leave=on[split], event=0), frame[split].assign(entry=on[split])
    one, other = (
        oc.cox(oc.survival_data(rows_, entry="entry", exit="leave", event="event", id="who"), "exposed + age")
        for rows_ in (frame, pd.concat([frame[~split], before, after], ignore_index=True))
    )
    np.testing.assert_allclose(one.coefficients, other.coefficients, rtol=1e-8, atol=1e-10)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-8, atol=1e-12)
