"""Time at risk of a cohort as that of clones: each person in every arm they could still join at time zero."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.cloning import Clones, Starts, cloned, cut_at, day_of, grace_months, rows_of
from outcomes.design.courses import Courses, courses_of
from outcomes.design.ending import Places
from outcomes.design.follow_up import on_engine
from outcomes.durations import in_words
from outcomes.errors import DesignError
from outcomes.results import IntArray, Note, read_only

if TYPE_CHECKING:
    from outcomes.design.candidates import Candidates
    from outcomes.design.data import SurvivalData
    from outcomes.design.study import Study

__all__ = ["as_clones"]


def as_clones(data: SurvivalData, candidates: Candidates, study: Study) -> SurvivalData:
    """Return time at risk of the clones of everyone in `data`, censored when they depart from the strategy of their arm.

    `baseline` has one row a clone, with its ``arm``; rows are cut at the months of the grace period, at which weights change.
    Clones of a person are in one cluster.

    Raises
    ------
    DesignError
        Nobody followed could still join an arm at time zero.
    """
    names, grace = study.arms.names, float(study.time_zero.grace or 0)
    untreated = next((n for n, name in enumerate(names) if study.arms.definitions[name].none), None)
    starts = _first_starts(data, candidates, names)
    edges = grace_months(grace)
    clones = cloned(starts, arms=len(names), untreated=untreated, grace=grace)
    rows = cut_at(
        rows_of(clones, np.asarray(data.person), np.asarray(data.entry), np.asarray(data.exit), np.asarray(data.event)),
        edges[1:],
    )
    last = np.zeros(len(data.baseline))
    np.maximum.at(last, data.person, day_of(np.asarray(data.exit)))
    seen, mine = np.unique(rows.row, return_inverse=True)
    of = clones.person[seen]
    for code, name in enumerate(names):
        if not (clones.arm[seen] == code).any():
            raise DesignError(f"outcome: nobody could still join arm {name!r} at time zero; see cohort.flow.")
    baseline = data.baseline.iloc[of].reset_index(drop=True)
    baseline["arm"] = _arm_column(clones.arm[seen], names)
    return dataclasses.replace(
        data,
        entry=read_only(rows.entry),
        exit=read_only(rows.exit),
        event=read_only(rows.event, np.int64),
        person=read_only(mine, np.int64),
        arm=read_only(clones.arm[seen], np.int64),
        arms=names,
        frame=baseline.iloc[mine].reset_index(drop=True),
        baseline=baseline,
        cluster=data.cluster or "person_id",
        clones=Clones(
            person=read_only(of, np.int64),
            complied=read_only(clones.complied[seen]),
            departed=read_only(np.where(clones.departs < last[clones.person], clones.departs, np.inf)[seen]),
            last=read_only(last[of]),
            edges=read_only(edges),
            untreated=untreated,
        ),
        notes=(*data.notes, _note(len(data.baseline), len(seen), grace)),
    )


def _first_starts(data: SurvivalData, candidates: Candidates, names: tuple[str, ...]) -> Starts:
    """Return the first start of everyone under the index sentence, in days since time zero."""
    treated = tuple(name for name in names if candidates.programmes[name])
    zero = data.baseline["time_zero"].to_numpy(dtype=np.float64)
    with candidates.tables.keeping():
        where = Places(data.baseline["sentence_id"].to_numpy(), candidates.tables)
        courses = courses_of(on_engine(data.baseline, candidates.tables), where, zero, candidates.programmes, treated)
    return starts_of(courses, len(zero), np.array([names.index(name) for name in treated]))


def starts_of(courses: Courses, people: int, codes: IntArray) -> Starts:
    """Return the first start in a programme of an arm, and of no arm, of each person; `codes` are the arms as they are numbered.

    Two starts on one day: the smaller id, as where people are classed by their first start.
    """
    day, arm, other = np.full(people, np.inf), np.full(people, -1), np.full(people, np.inf)
    of_an_arm = np.flatnonzero(courses.arm >= 0)
    whose, first = np.unique(courses.row[of_an_arm], return_index=True)  # in the order of person, start and id
    day[whose], arm[whose] = courses.start[of_an_arm[first]], codes[courses.arm[of_an_arm[first]]]
    elsewhere = courses.arm < 0
    np.minimum.at(other, courses.row[elsewhere], courses.start[elsewhere])
    return Starts(day, arm, other)


def _arm_column(codes: IntArray, names: tuple[str, ...]) -> Any:
    import pandas as pd

    return pd.Categorical.from_codes(codes.tolist(), dtype=pd.CategoricalDtype(list(names)))


def _note(people: int, clones: int, grace: float) -> Note:
    text = (
        f"{people:,} people stand as {clones:,} clones in the arms they could still join at time zero, and are censored when they depart "
        f"from what their arm says within {in_words(grace)}. Who departs is not chance: give every estimator the weights of "
        "censoring_weights(data, formula). Numbers of people in results are numbers of clones."
    )
    return Note("clones", text)
