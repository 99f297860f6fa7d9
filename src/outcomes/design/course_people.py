"""Everyone's time at risk beside their courses, and the same people from a later day of their own: completion, a landmark, a start."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from outcomes.design.cohort import Cohort
from outcomes.design.courses import STATES, Courses, courses_of
from outcomes.design.data import SurvivalData
from outcomes.design.ending import Places
from outcomes.design.follow_up import follow_up, on_engine, time_at_risk
from outcomes.design.some_people import some_people
from outcomes.loading.schema import STRANDS
from outcomes.results import Array, IntArray, read_only

__all__ = ["CORE", "FirstCourses", "first_completed", "from_later", "of_strands", "people_and_courses"]

CORE = ("core", "adapted", "individual")
"""Strands that are the main part of a programme: what maintenance follows."""


@dataclass(frozen=True)
class FirstCourses:
    """One course of each person, P people.

    Attributes
    ----------
    spell : ndarray of int, shape (P,)
        Row of the courses; -1 where a person has none.
    day : ndarray, shape (P,)
        Day since time zero, 0 where it came before; infinite where a person has none.
    arm : ndarray of int, shape (P,)
        Index into the arms that were asked for; -1 where a person has none.
    """

    spell: IntArray
    day: Array
    arm: IntArray


def people_and_courses(cohort: Cohort, name: str) -> tuple[SurvivalData, Courses]:
    """Return time to an outcome from release or sentence on, a row a person, and everyone's courses; arms are the study's."""
    study, tables = cohort.study, cohort.tables
    spec = study.outcomes[name]
    found = follow_up(cohort.candidates, cohort.baseline, study, spec)
    data = time_at_risk(found, cohort.baseline, study, spec, every=False, notes=cohort.notes)
    with tables.keeping():
        kept = on_engine(data.baseline, tables)
        where = Places(data.baseline["sentence_id"].to_numpy(), tables)
        zero = data.baseline["time_zero"].to_numpy(dtype=np.float64)
        return data, courses_of(kept, where, zero, cohort.candidates.programmes, study.arms.treated)


def of_strands(courses: Courses, strands: tuple[str, ...]) -> Courses:
    """Return the courses through programmes of some strands only; referrals stay as they are."""
    mine = np.isin(courses.strand, [STRANDS.index(strand) for strand in strands])
    names = ("row", "start", "end", "left", "arm", "strand", "voluntary", "unknown_end")
    return replace(courses, **{name: getattr(courses, name)[mine] for name in names})


def first_completed(courses: Courses) -> FirstCourses:
    """Return the first core course of an arm that each person completed, by the day it ended."""
    mine = np.isin(courses.strand, [STRANDS.index(strand) for strand in CORE]) & (courses.arm >= 0)
    mine &= (courses.left == STATES.index("completed")) & np.isfinite(courses.end)
    spell = np.flatnonzero(mine)
    spell = spell[np.lexsort((courses.end[spell], courses.row[spell]))]
    return _firsts(courses, spell, courses.end)


def _firsts(courses: Courses, spell: IntArray, day: Array) -> FirstCourses:
    """Return for each person the first of spells in the order of person."""
    whose, at = np.unique(courses.row[spell], return_index=True)
    first = np.full(len(courses.referred), -1)
    first[whose] = spell[at]
    there = first >= 0
    return FirstCourses(
        spell=first,
        day=np.where(there, np.maximum(np.append(day, 0)[first], 0.0), np.inf),
        arm=np.where(there, np.append(courses.arm, -1)[first], -1),
    )


def from_later(data: SurvivalData, day: Array) -> tuple[SurvivalData, IntArray]:
    """Return those still followed after a day of their own, from it on, in one arm; and their rows of the old baseline.

    Parameters
    ----------
    day : ndarray, shape (P,)
        In the data's time; infinite: the person is left out.

    Notes
    -----
    What happened on the day itself came before it, and leaves a person out.
    """
    kept = np.unique(data.person[data.exit > day[data.person]])
    mine = some_people(data, kept, np.zeros(len(kept), dtype=np.int64), ("all",))
    zero = day[kept][mine.person]
    left = np.flatnonzero(mine.exit > zero)
    whole = len(left) == len(mine.exit)
    return (
        replace(
            mine,
            entry=read_only(np.maximum(mine.entry - zero, 0.0)[left]),
            exit=read_only((mine.exit - zero)[left]),
            event=read_only(mine.event[left], np.int64),
            person=read_only(mine.person[left], np.int64),
            frame=mine.frame if whole else mine.frame.iloc[left].reset_index(drop=True),
            cluster=data.cluster,
        ),
        kept,
    )
