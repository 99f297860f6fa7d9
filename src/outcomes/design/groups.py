"""Which group of a programme people went to: where, who ran it, and what its monitoring scored by which day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.follow_up import on_engine
from outcomes.errors import DesignError, NotSupportedError
from outcomes.results import Array, IntArray

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.cohort import Cohort
    from outcomes.design.study import Study

__all__ = [
    "NOBODY",
    "Monitoring",
    "grade_of_groups",
    "group_of_people",
    "monitoring_of",
    "must_be_started",
    "scores_by_person",
    "teams",
]

NOBODY = -1
"""Where no group, site or team is recorded."""


@dataclass(frozen=True)
class Monitoring:
    """Monitoring of groups, M rows in order of group and date.

    Attributes
    ----------
    group : ndarray of int, shape (M,)
    date : ndarray of int, shape (M,)
        Days.
    score : ndarray, shape (M,)
    scale : str
    n_late : int
        Rows left out because they are dated after their group's last session, or after the data cut.
    """

    group: IntArray
    date: IntArray
    score: Array
    scale: str
    n_late: int


def must_be_started(study: Study, what: str) -> None:
    """Raise where a study does not class people by the programme they had started by time zero: their group is then not known."""
    if study.arms.assigned_by != "start" or not study.arms_are_fixed:
        raise NotSupportedError(
            f"{what}: people are put into the groups they started in, which must be known at time zero: [arms] assigned_by = 'start' and "
            "no strategy under which arms are not fixed."
        )


def group_of_people(cohort: Cohort) -> IntArray:
    """Return the group of the spell that put each person into their arm, `NOBODY` where none is recorded, shape (P,).

    The spell is the first start, under the index sentence, of a programme of the arm; of two on one day the smaller id.
    """
    import narwhals as nw

    from outcomes.design.assignment import arm_of

    tables, baseline = cohort.tables, cohort.baseline
    with tables.keeping():
        kept = on_engine(baseline, tables)
        spells = tables.lazy("participation").select(
            "participation_id",
            "sentence_id",
            "start_date",
            "group_id",
            arm_of(cohort.candidates.programmes).alias("_of"),
        )
        mine = kept.join(spells, on="sentence_id", how="inner").filter(nw.col("_of") == nw.col("arm"))
        found = tables.collect(mine.select("sentence_id", "start_date", "participation_id", "group_id"))
    frame = found.to_pandas().sort_values(["sentence_id", "start_date", "participation_id"])
    first = frame.drop_duplicates("sentence_id").set_index("sentence_id")["group_id"]
    group = first.reindex(baseline["sentence_id"]).to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isnan(group), NOBODY, group).astype(np.int64)


def monitoring_of(cohort: Cohort, groups: IntArray, scale: str | None, what: str) -> Monitoring:
    """Return the monitoring of some groups on one scale, up to each group's last session.

    Raises
    ------
    DesignError
        No monitoring of these groups, several scales and none named, a scale that is not there.
    """
    tables = cohort.tables
    frame = tables.frame("fidelity")[["group_id", "date", "score", "scale"]]
    frame = frame[frame["group_id"].isin(groups)]
    if not len(frame):
        raise DesignError(
            f"{what}: the table fidelity has no row of the {len(np.unique(groups)):,} groups these people went to."
        )
    chosen = _scale(frame["scale"].astype(str), scale, what)
    frame = frame[frame["scale"].astype(str) == chosen]
    spells = tables.frame("participation")[["group_id", "end_date"]]
    spells = spells[spells["group_id"].isin(groups)]
    last = (
        spells.assign(end_date=spells["end_date"].astype("float64").fillna(np.inf))
        .groupby("group_id")["end_date"]
        .max()
    )
    until = np.minimum(frame["group_id"].map(last).to_numpy(dtype=np.float64), cohort.study.follow_up.data_cut)
    in_time = frame["date"].to_numpy(dtype=np.float64) <= until
    kept = frame[in_time].sort_values(["group_id", "date"], kind="stable")
    return Monitoring(
        group=kept["group_id"].to_numpy(dtype=np.int64),
        date=kept["date"].to_numpy(dtype=np.int64),
        score=kept["score"].to_numpy(dtype=np.float64),
        scale=chosen,
        n_late=int((~in_time).sum()),
    )


def _scale(scales: pd.Series[str], asked: str | None, what: str) -> str:
    present = sorted(scales.unique())
    if asked is None and len(present) == 1:
        return str(present[0])
    counted = ", ".join(f"{name} ({int((scales == name).sum()):,} rows)" for name in present)
    if asked is None:
        raise DesignError(
            f"{what}: groups were scored on {len(present)} scales ({counted}), which have no common unit. Name one (scale=)."
        )
    if asked not in present:
        raise DesignError(f"{what}: no group of these people was scored on the scale {asked!r}. There are: {counted}.")
    return asked


def scores_by_person(group: IntArray, monitoring: Monitoring, by_day: Array) -> tuple[Array, IntArray]:
    """Return the mean score of each person's group up to a day, and how many scores it is the mean of.

    Parameters
    ----------
    group : ndarray of int, shape (P,)
    monitoring : Monitoring
    by_day : ndarray, shape (P,)
        Last day of monitoring that counts for each person; infinite where all of it does.

    Returns
    -------
    (ndarray, ndarray of int), shape (P,) each
        Missing and 0 where nobody had scored the group by then.
    """
    total, count = np.zeros(len(group)), np.zeros(len(group), dtype=np.int64)
    start = np.searchsorted(monitoring.group, group, side="left")
    end = np.searchsorted(monitoring.group, group, side="right")
    for nth in range(int((end - start).max(initial=0))):
        row = np.minimum(start + nth, len(monitoring.group) - 1)
        counts = (start + nth < end) & (monitoring.date[row] <= by_day)
        total += np.where(counts, monitoring.score[row], 0.0)
        count += counts
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(count > 0, total / count, np.nan), count


def teams(cohort: Cohort, group: IntArray) -> IntArray:
    """Return the facilitators' team of each person's group, `NOBODY` where nobody is recorded, shape (P,).

    Groups that share a facilitator, directly or by way of others, are of one team: their people are not independent.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    delivery = cohort.tables.frame("delivery")[["group_id", "facilitator_id"]].dropna()
    delivery = delivery[delivery["group_id"].isin(group)]
    if not len(delivery):
        return np.full(len(group), NOBODY)
    groups, row = np.unique(delivery["group_id"].to_numpy(dtype=np.int64), return_inverse=True)
    people, column = np.unique(delivery["facilitator_id"].to_numpy(dtype=np.int64), return_inverse=True)
    links = coo_matrix((np.ones(len(row)), (row, len(groups) + column)), shape=(len(groups) + len(people),) * 2)
    team = connected_components(links, directed=False)[1][: len(groups)]
    place = np.minimum(np.searchsorted(groups, group), len(groups) - 1)
    return np.where(groups[place] == group, team[place], NOBODY).astype(np.int64)


def grade_of_groups(cohort: Cohort, group: IntArray) -> Any:
    """Return the grade of whoever led each person's group (the first by id, where no role says so), text, shape (P,)."""
    delivery = cohort.tables.frame("delivery")
    delivery = delivery[delivery["group_id"].isin(group)].dropna(subset=["grade"])
    if not len(delivery):
        raise DesignError(
            "site_variation: the table delivery has no grade of whoever ran these people's groups (grade=)."
        )
    led = (delivery["role"].astype(str) != "lead").to_numpy()
    first = delivery.assign(_led=led).sort_values(["group_id", "_led", "facilitator_id"]).drop_duplicates("group_id")
    grade = first.set_index("group_id")["grade"].astype(str)
    return grade.reindex(group).fillna("not recorded").to_numpy(dtype=object)
