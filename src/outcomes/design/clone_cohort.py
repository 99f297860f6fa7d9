"""Time at risk of a cohort as that of clones: each person in every arm they could still join at time zero."""

from __future__ import annotations

import dataclasses
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.cloning import Starts, clone_rows
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
    made = clone_rows(
        starts, np.asarray(data.person), np.asarray(data.entry), np.asarray(data.exit), np.asarray(data.event),
        arms=len(names), untreated=untreated, grace=grace,
    )  # fmt: skip
    for code, name in enumerate(names):
        if not (made.arm == code).any():
            raise DesignError(f"outcome: nobody could still join arm {name!r} at time zero; see cohort.flow.")
    baseline = data.baseline.iloc[made.clones.person].reset_index(drop=True)
    baseline["arm"] = _arm_column(made.arm, names)
    rows = made.rows
    return dataclasses.replace(
        data,
        entry=read_only(rows.entry),
        exit=read_only(rows.exit),
        event=read_only(rows.event, np.int64),
        person=read_only(rows.row, np.int64),
        arm=read_only(made.arm, np.int64),
        arms=names,
        frame=baseline.iloc[rows.row].reset_index(drop=True),
        baseline=baseline,
        cluster=data.cluster or "person_id",
        clones=made.clones,
        labels=MappingProxyType({**data.labels, "counted": "clones"}),
        notes=(*data.notes, _note(len(data.baseline), len(baseline), grace)),
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
