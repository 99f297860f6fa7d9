"""Time at risk cut where a person's course through programmes changes: exposure as it was then, never as it turned out."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.courses import STATES, Courses, courses_of
from outcomes.design.cutting import cut_rows, goes_on
from outcomes.design.ending import Places
from outcomes.design.follow_up import on_engine
from outcomes.design.strategy_rules import NOBODYS, OTHER, VARYING
from outcomes.loading.schema import STRANDS
from outcomes.results import Array, IntArray, Note, read_only

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.candidates import Candidates
    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study

__all__ = ["Pieces", "Situation", "cut_by_course", "pieces_by_course", "situation"]


@dataclass(frozen=True)
class Situation:
    """Where people stand in programmes just after a moment; Q moments.

    Attributes
    ----------
    exposure : ndarray of int, shape (Q,)
        0 = has started nothing; k + 1 = the last started programme of an arm is one of arm k; -1 = has started programmes of no arm only.
    state : ndarray of int, shape (Q,)
        Index into `STATES`.
    strands : ndarray of int, shape (Q,)
        Bit k is set while a programme of strand k is attended.
    voluntary : ndarray of bool, shape (Q,)
    """

    exposure: IntArray
    state: IntArray
    strands: IntArray
    voluntary: Any


@dataclass(frozen=True)
class Pieces:
    """Pieces of rows, M of them: their row, (entry, exit], and where the person stood.

    Attributes
    ----------
    row : ndarray of int, shape (M,)
    entry, exit : ndarray, shape (M,)
    last : ndarray of bool, shape (M,)
        Whether a piece is the last of its row, which what ended the row belongs to.
    situation : Situation
    """

    row: IntArray
    entry: Array
    exit: Array
    last: Any
    situation: Situation


def cut_by_course(data: SurvivalData, candidates: Candidates, study: Study) -> SurvivalData:
    """Return time at risk with its rows cut where people start, leave, are referred or turn to attend voluntarily.

    `frame` gains, by row:

    - ``exposure``: the arm of the programme started last, from the day after the start on, whatever became of it; first its level of
      those who have started nothing (the arm ``none = true``, else ``none``), then the arms, then ``other`` (programmes of no arm only);
    - ``state``: not_referred, referred (and not started, whatever was decided), started (attends a programme), and attending none, how
      the one that ended last ended: completed, dropped_out (or removed), ended (with the order, on recall, transferred);
    - ``strand``: the strands attended, in the order of the schema and joined by ``+``; ``none``;
    - ``voluntary``: attends a programme voluntarily.

    Levels that nobody has are none. ``state``, ``strand`` and ``voluntary`` speak of all programmes, of an arm or not.

    Notes
    -----
    A change on day d holds from (d, …]: an event on that day came before it. What came on or before time zero holds from the start.
    Of two programmes started on one day the one with the smaller id decides, as where people are classed by their first start.
    """
    untreated = study.arms.untreated or NOBODYS
    arms = study.arms.treated
    with candidates.tables.keeping():
        kept = on_engine(data.baseline, candidates.tables)
        where = Places(data.baseline["sentence_id"].to_numpy(), candidates.tables)
        zero = data.baseline["time_zero"].to_numpy(dtype=np.float64)
        courses = courses_of(kept, where, zero, candidates.programmes, arms)
    pieces = pieces_by_course(data.person, data.entry, data.exit, courses)
    levels = (untreated, *arms, OTHER)
    return dataclasses.replace(
        data,
        entry=read_only(pieces.entry),
        exit=read_only(pieces.exit),
        event=read_only(np.where(pieces.last, data.event[pieces.row], 0), np.int64),
        person=read_only(data.person[pieces.row], np.int64),
        frame=_with_columns(data.frame, pieces, levels),
        varying=VARYING,
        notes=(*data.notes, *_notes(data, pieces, courses, levels)),
    )


def pieces_by_course(person: IntArray, entry: Array, exit_: Array, courses: Courses) -> Pieces:
    """Return rows (entry, exit] cut where the situation of their person changes.

    Parameters
    ----------
    person, entry, exit_ : ndarray, shape (N,)
        Rows in the order of person and entry; they do not overlap.
    courses : Courses
    """
    people = np.arange(len(courses.referred))
    days = np.r_[courses.start, courses.end, courses.referred]
    row, begin, end, after = cut_rows(person, entry, exit_, np.r_[courses.row, courses.row, people], days)
    found = situation(courses, person[row], after)
    return _joined(row, begin, end, found)


def situation(courses: Courses, row: IntArray, after: Array) -> Situation:
    """Return where each of `row`'s people stands just after a day since time zero."""
    first, stop = np.searchsorted(courses.row, row, "left"), np.searchsorted(courses.row, row, "right")
    count = stop - first
    asked = np.repeat(np.arange(len(row)), count)
    spell = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count) + first[asked]
    begun = courses.start[spell] <= after[asked]
    attends = begun & (courses.end[spell] > after[asked])
    place = np.arange(len(courses.row))
    of_an_arm = begun & (courses.arm[spell] >= 0)
    started = _last(asked[of_an_arm], spell[of_an_arm], np.lexsort((-place, courses.start)), len(row))
    over = begun & ~attends
    ended = _last(asked[over], spell[over], np.lexsort((place, courses.end)), len(row))
    strands, now = np.zeros(len(row), dtype=np.int64), np.zeros(len(row), dtype=bool)
    voluntary, ever = now.copy(), now.copy()
    now[asked[attends]] = ever[asked[begun]] = True
    voluntary[asked[attends & courses.voluntary[spell]]] = True
    np.bitwise_or.at(strands, asked[attends], np.int64(1) << courses.strand[spell[attends]])
    before = np.where(courses.referred[row] <= after, STATES.index("referred"), STATES.index("not_referred"))
    since = np.where(now, STATES.index("started"), np.where(ended >= 0, np.append(courses.left, 0)[ended], before))
    none_of_an_arm = np.where(ever, -1, 0)
    return Situation(
        exposure=np.where(started >= 0, np.append(courses.arm, 0)[started] + 1, none_of_an_arm),
        state=since,
        strands=strands,
        voluntary=voluntary,
    )


def _last(asked: IntArray, spell: IntArray, order: IntArray, size: int) -> IntArray:
    """Return for each question, of the spells it was given, the one that comes last in an order of all; -1 where it has none."""
    rank = np.empty(len(order), dtype=np.int64)
    rank[order] = np.arange(len(order))
    highest = np.full(size, -1)
    np.maximum.at(highest, asked, rank[spell])
    return np.where(highest >= 0, np.append(order, -1)[highest], -1)


def _joined(row: IntArray, begin: Array, end: Array, found: Situation) -> Pieces:
    """Return the pieces, those of a row that follow each other in the same situation as one.

    Two changes on one day leave a piece without length between them: it is in the situation of the next, and goes into it.
    """
    codes = np.stack([row, found.exposure, found.state, found.strands, found.voluntary])
    new = np.r_[True, (codes[:, 1:] != codes[:, :-1]).any(axis=0)][: len(row)]
    first = np.flatnonzero(new)
    until = np.r_[first[1:], len(row)][: len(first)] - 1
    kept = Situation(found.exposure[first], found.state[first], found.strands[first], found.voluntary[first])
    return Pieces(row[first], begin[first], end[until], ~goes_on(row[first]), kept)


def _with_columns(frame: pd.DataFrame, pieces: Pieces, levels: tuple[str, ...]) -> pd.DataFrame:
    """Return the frame by piece, with the columns that change."""
    now = pieces.situation
    met, codes = np.unique(now.strands, return_inverse=True)
    attended = [[strand for k, strand in enumerate(STRANDS) if bits >> k & 1] for bits in met]
    order = sorted(range(len(met)), key=lambda n: [STRANDS.index(strand) for strand in attended[n]])
    place = np.argsort(order)
    exposure = np.where(now.exposure < 0, len(levels) - 1, now.exposure)
    found = {
        "exposure": _levelled(exposure, levels),
        "state": _levelled(now.state, STATES),
        "strand": _levelled(place[codes], ["+".join(attended[n]) or NOBODYS for n in order]),
        "voluntary": now.voluntary,
    }
    return frame.iloc[pieces.row].reset_index(drop=True).assign(**found)


def _levelled(codes: Any, levels: Sequence[str]) -> pd.Categorical:
    """Return codes as categories in the order of the levels, without those that nobody has."""
    import pandas as pd

    return pd.Categorical.from_codes(codes, dtype=pd.CategoricalDtype(list(levels))).remove_unused_categories()


def _notes(data: SurvivalData, pieces: Pieces, courses: Courses, levels: tuple[str, ...]) -> list[Note]:
    """Return what a reader must know of the courses: ends not recorded, switches, starts that do not count, levels without people."""
    people, what = len(data.baseline), data.causes[0]
    pairs = np.unique(np.stack([data.person[pieces.row], pieces.situation.exposure]), axis=1)
    arms_of_each = np.bincount(pairs[0][pairs[1] > 0], minlength=people)
    last = np.zeros(people)
    np.maximum.at(last, data.person, data.exit)
    unseen = [name for code, name in enumerate(levels[:-1]) if code not in pairs[1]]
    said = (
        ("switched", int((arms_of_each > 1).sum()),
         "people were exposed to one arm and later to another; exposure is to the programme started last"),
        ("ends_unknown", int(courses.unknown_end.sum()),
         "participations ended on a day nobody recorded: state, strand and voluntary have them go on to the end of follow-up"),
        ("started_elsewhere", int((courses.elsewhere < last).sum()),
         "people started a programme under another of their sentences while followed; it does not count"),
    )  # fmt: skip
    notes = [Note(code, f"{what}: {n:,} {text}.") for code, n, text in said if n]
    if unseen:
        notes.append(
            Note("exposure_without_people", f"{what}: nobody was at risk with exposure {' or '.join(unseen)}.")
        )
    return notes
