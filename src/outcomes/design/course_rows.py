"""Courses as states people move between: not referred, referred, in a programme, how it ended, maintenance, and what came of it."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.cohort import Cohort
from outcomes.design.course_people import of_strands, people_and_courses
from outcomes.design.courses import STATES, Courses
from outcomes.design.cutting import cut_rows
from outcomes.design.data import SurvivalData
from outcomes.design.ending import Places
from outcomes.design.exposure import situation
from outcomes.design.follow_up import on_engine
from outcomes.design.row_order import check_moves
from outcomes.design.study import Outcome
from outcomes.loading.schema import STRANDS
from outcomes.results import Array, IntArray, Note, read_only

if TYPE_CHECKING:
    from outcomes.loading.tables import Tables

__all__ = ["BESIDE", "COURSE_STATES", "rows_by_state", "state_at"]

BESIDE = ("partner", "circle")
"""Strands that go on beside a course and are no step of it."""

COURSE_STATES = (
    "not_referred", "referred", "in_programme", "completed", "dropped_out", "ended", "maintenance", "maintenance_voluntary",
    "maintenance_over",
)  # fmt: skip
"""Where a person stands in a course, before anything ends it."""

_ENDS = {"recall": "recalled"}  # what a kind of event is called as a state; others keep their name
_LEFT = "died_or_left"
_OVER = len(STATES)  # what the end of maintenance makes of a person, beside the states there are
_OF_STATES = {  # index into STATES (or _OVER) -> index into COURSE_STATES
    "not_referred": "not_referred",
    "referred": "referred",
    "started": "in_programme",
    "completed": "completed",
    "dropped_out": "dropped_out",
    "ended": "ended",
}


@dataclass(frozen=True)
class _Away:
    """Spells of recall, S of them: whose, and from which day until which since time zero (infinite where open)."""

    row: IntArray
    start: Array
    end: Array


def rows_by_state(cohort: Cohort, name: str) -> SurvivalData:
    """Return the people of a cohort as rows (entry, exit] in one state each, with the state they move into.

    Parameters
    ----------
    cohort : Cohort
        From release or sentence on, on the calendar.
    name : str
        The outcome that ends a course.

    Notes
    -----
    A change on day d holds from (d, …]: an event on that day came before it. Recall is a state people come back from, unless it
    competes with the outcome or is the outcome. Competing exits (death, deportation, …) are one state.
    """
    spec, tables = cohort.study.outcomes[name], cohort.tables
    data, every = people_and_courses(cohort, name)
    away = _recalls(data, tables) if "recall" not in (*spec.competing, spec.kind) else _NOBODY
    course = of_strands(every, tuple(strand for strand in STRANDS if strand not in BESIDE))
    return _moved(data, course, away, spec, (*_about(every, course, name), *_about_recall(away, name)))


def state_at(courses: Courses, row: IntArray, after: Array) -> IntArray:
    """Return the index into `COURSE_STATES` of each of `row`'s people just after a day since time zero, shape (Q,)."""
    bit = STRANDS.index("maintenance")
    ends = np.where(courses.strand == bit, _OVER, courses.left)
    now = situation(dataclasses.replace(courses, left=ends), row, after)
    place = {name: code for code, name in enumerate(COURSE_STATES)}
    table = np.array([place[_OF_STATES[name]] for name in STATES] + [place["maintenance_over"]])
    kept_up = np.where(now.voluntary, place["maintenance_voluntary"], place["maintenance"])
    return np.where(now.strands == 1 << bit, kept_up, table[now.state])


def _moved(data: SurvivalData, course: Courses, away: _Away, spec: Outcome, notes: tuple[Note, ...]) -> SurvivalData:
    """Return the rows of `data` cut where the state changes."""
    people = np.arange(len(course.referred))
    whose = np.r_[course.row, course.row, people, away.row, away.row]
    days = np.r_[course.start, course.end, course.referred, away.start, away.end]
    row, begin, end, after = cut_rows(data.person, data.entry, data.exit, whose, days)
    names = (*COURSE_STATES, *_endings(spec))
    state = state_at(course, data.person[row], after)
    if len(away.row):
        state = np.where(_inside(away, data.person[row], after), names.index("recalled"), state)
    new = np.r_[True, (row[1:] != row[:-1]) | (state[1:] != state[:-1])]
    first = np.flatnonzero(new)
    row, begin, state = row[first], begin[first], state[first]
    end = end[np.r_[first[1:], len(new)] - 1]
    to = _moves(data, row, begin, end, state, _absorbed(spec, names))
    check_moves(data.person[row], begin, end, state, to)
    return _in_states(data, row, begin, end, state, to, names, notes)


def _moves(
    data: SurvivalData, row: IntArray, begin: Array, end: Array, state: IntArray, absorbed: IntArray
) -> IntArray:
    """Return the state each piece leads to, -1 where the person stays: the next piece's, or what ended the course."""
    person = data.person[row]
    follows = np.r_[(person[1:] == person[:-1]) & (begin[1:] == end[:-1]), False]
    to_next = np.where(follows, np.r_[state[1:], -1], -1)
    last = np.r_[row[1:] != row[:-1], True]
    ended = np.where(last, absorbed[data.event[row]], -1)
    to = np.where(ended >= 0, ended, to_next)
    return np.where(to == state, -1, to)


def _in_states(
    data: SurvivalData,
    row: IntArray,
    begin: Array,
    end: Array,
    state: IntArray,
    to: IntArray,
    names: tuple[str, ...],
    notes: tuple[Note, ...],
) -> SurvivalData:
    """Return the pieces as data of states: those never moved into first, then the others, both in the order of a course."""
    entered = [code for code in range(len(names)) if (to == code).any()]
    met = [code for code in range(len(names)) if (state == code).any() and code not in entered]
    order = [*met, *entered]
    place = np.full(len(names) + 1, -1)
    place[order] = np.arange(len(order))
    return dataclasses.replace(
        data,
        entry=read_only(begin),
        exit=read_only(end),
        event=read_only(np.where(to >= 0, place[to] - len(met) + 1, 0), np.int64),
        person=read_only(data.person[row], np.int64),
        frame=data.frame.iloc[row].reset_index(drop=True).assign(state=np.array(names, dtype=object)[state]),
        causes=tuple(names[code] for code in entered),
        state=read_only(place[state], np.int64),
        states=tuple(names[code] for code in order),
        labels=MappingProxyType({key: value for key, value in data.labels.items() if key != "free_of"}),
        notes=(*data.notes, *notes),
    )


def _endings(spec: Outcome) -> tuple[str, ...]:
    """Return the states beside those of a course: recall and others that compete, the outcome, and having died or left."""
    outcome = "reoffended" if spec.kind == "reoffence" else _ENDS.get(spec.kind, spec.kind)
    others = [_ENDS.get(kind, kind) for kind in spec.competing if kind in ("recall", "custody", "hospital", "abroad")]
    return tuple(dict.fromkeys(("recalled", *others, outcome, _LEFT)))


def _absorbed(spec: Outcome, names: tuple[str, ...]) -> IntArray:
    """Return the state that each code of an event leads to for good, shape (1 + C,); -1 for none."""
    outcome = "reoffended" if spec.kind == "reoffence" else _ENDS.get(spec.kind, spec.kind)
    states = (outcome, *(_ENDS.get(kind, kind) for kind in spec.competing))
    return np.array([-1, *(names.index(state) if state in names else names.index(_LEFT) for state in states)])


_NOBODY = _Away(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))


def _recalls(data: SurvivalData, tables: Tables) -> _Away:
    import narwhals as nw

    zero = data.baseline["time_zero"].to_numpy(dtype=np.float64)
    where = Places(data.baseline["sentence_id"].to_numpy(), tables)
    spells = tables.lazy("spells").filter(nw.col("state") == "recall").select("person_id", "start_date", "end_date")
    with tables.keeping():
        joined = (
            on_engine(data.baseline, tables)
            .select("sentence_id", "person_id")
            .join(spells, on="person_id", how="inner")
        )
        found = tables.collect(joined.select("sentence_id", "start_date", "end_date"))
    row = where.of(found["sentence_id"].to_numpy())
    start, end = (found[name].to_numpy().astype(np.float64) - zero[row] for name in ("start_date", "end_date"))
    end = np.where(np.isnan(end), np.inf, end)
    real = (end > start) & (end > 0)
    return _Away(row[real], start[real], end[real])


def _inside(away: _Away, row: IntArray, after: Array) -> Any:
    """Return whether more spells have begun than ended for each of `row`'s people just after a day."""
    last = 1 + after.max(initial=0)
    far = last + 2

    def passed(days: Array) -> Any:
        keys = np.sort(away.row * far + 1 + np.clip(days, -1, last))
        found: IntArray = np.searchsorted(keys, row * far + 1 + after, "right") - np.searchsorted(
            keys, row * far, "left"
        )
        return found

    return passed(away.start) > passed(away.end)


def _about(every: Courses, course: Courses, name: str) -> list[Note]:
    beside, unknown = len(every.row) - len(course.row), int(course.unknown_end.sum())
    said = (
        ("beside_the_course", beside, "participations in circles or partner programmes go on beside a course and change no state"),
        ("ends_unknown", unknown, "participations ended on a day nobody recorded: people are taken to attend to the end of follow-up"),
    )  # fmt: skip
    return [Note(code, f"{name}: {n:,} {text}.") for code, n, text in said if n]


def _about_recall(away: _Away, name: str) -> list[Note]:
    if not len(away.row):
        return []
    text = "people on recall are in that state until its end, then where their course has come to."
    return [Note("recall_is_a_state", f"{name}: {text}")]
