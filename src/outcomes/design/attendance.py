"""Sessions attended of those planned in the first core course of each person: how many by which day, as it was then."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.assignment import arm_of
from outcomes.design.cohort import Cohort
from outcomes.design.course_people import CORE
from outcomes.design.data import SurvivalData
from outcomes.design.ending import Places
from outcomes.design.follow_up import on_engine
from outcomes.results import Array, IntArray

if TYPE_CHECKING:
    import pyarrow as pa

__all__ = ["Attendance", "attendance_of", "attended_share", "scheduled_lengths", "share_days"]

TENTHS = 10


@dataclass(frozen=True)
class Attendance:
    """The first core course of an arm of each person, P people; days since time zero. Missing where a person has none.

    Attributes
    ----------
    start, end : ndarray, shape (P,)
        The end of one that goes on is the data cut; missing where nobody recorded it.
    planned, attended : ndarray, shape (P,)
        Sessions; missing where not recorded, or none were planned.
    programme : ndarray of int, shape (P,)
        Programme id; -1 where a person has none.
    arm : ndarray of int, shape (P,)
        Index into the arms with programmes; -1 where a person has none.
    completed : ndarray of bool, shape (P,)
    """

    start: Array
    end: Array
    planned: Array
    attended: Array
    programme: IntArray
    arm: IntArray
    completed: Any

    @property
    def recorded(self) -> Any:
        """Whether both sessions and the end are known, shape (P,)."""
        return np.isfinite(self.planned) & np.isfinite(self.attended) & np.isfinite(self.end)


def attendance_of(cohort: Cohort, data: SurvivalData) -> Attendance:
    """Return the attendance of the people of `data` in the first core, adapted or individual course of an arm they started."""
    tables, arms = cohort.tables, cohort.study.arms.treated
    people = len(data.baseline)
    where = Places(data.baseline["sentence_id"].to_numpy(), tables)
    found = _rows(cohort, data)
    row = where.of(found["sentence_id"].to_numpy())
    order = np.lexsort((found["participation_id"].to_numpy(), found["start_date"].to_numpy(), row))
    whose, first = np.unique(row[order], return_index=True)
    at = order[first]
    zero = data.baseline["time_zero"].to_numpy(dtype=np.float64)

    def spread(values: Any, missing: float = np.nan) -> Array:
        out = np.full(people, missing)
        out[whose] = np.asarray(values, dtype=np.float64)[at]
        return out

    counted = ("start_date", "end_date", "sessions_planned", "sessions_attended")
    numbers = {name: found[name].to_numpy().astype(np.float64) for name in counted}
    status = np.array(found["status"].to_pylist(), dtype=object)
    end = np.where(status == "ongoing", float(cohort.study.follow_up.data_cut), numbers["end_date"])
    planned = np.where(numbers["sessions_planned"] > 0, numbers["sessions_planned"], np.nan)
    codes = np.array([arms.index(name) for name in found["arm"].to_pylist()], dtype=np.float64)
    return Attendance(
        start=spread(numbers["start_date"]) - zero,
        end=spread(end) - zero,
        planned=spread(planned),
        attended=spread(numbers["sessions_attended"]),
        programme=spread(found["programme_id"].to_numpy(), -1).astype(np.int64),
        arm=spread(codes, -1).astype(np.int64),
        completed=spread(status == "completed", 0) == 1,
    )


def _rows(cohort: Cohort, data: SurvivalData) -> pa.Table:
    """Return everyone's core courses of an arm, on this machine."""
    import narwhals as nw

    tables, programmes = cohort.tables, cohort.candidates.programmes
    names = (
        "participation_id", "sentence_id", "programme_id", "start_date", "end_date", "status", "sessions_planned",
        "sessions_attended", "arm",
    )  # fmt: skip
    strands = tables.lazy("programmes").filter(nw.col("strand").is_in(list(CORE))).select("programme_id")
    with tables.keeping():
        kept = on_engine(data.baseline, tables).select("sentence_id")
        mine = tables.lazy("participation").join(kept, on="sentence_id", how="semi")
        mine = mine.join(strands, on="programme_id", how="semi").with_columns(arm=arm_of(programmes))
        return tables.collect(mine.filter(~nw.col("arm").is_null()).select(*names))


def scheduled_lengths(found: Attendance, share: float = 0.9) -> Array:
    """Return how long the course of each person is due to last, shape (P,): by then `share` of its completers had finished.

    The same for everyone in a programme, whatever became of them; missing where nobody completed it.
    """
    length = np.full(len(found.start), np.nan)
    for programme in np.unique(found.programme[found.programme >= 0]):
        mine = found.programme == programme
        done = (found.end - found.start)[mine & found.completed & np.isfinite(found.end)]
        if len(done):
            length[mine] = np.quantile(done, share, method="higher")
    return length


def attended_share(found: Attendance, person: IntArray, day: Array) -> Array:
    """Return the share of the planned sessions each of `person` had attended by a day: sessions lie evenly from start to end.

    At most 1, where more were attended than planned.
    """
    start, end = found.start[person], found.end[person]
    passed = np.clip((day - start) / np.maximum(end - start, 1.0), 0.0, 1.0)
    return np.minimum(passed * found.attended[person] / found.planned[person], 1.0)


def share_days(found: Attendance) -> tuple[IntArray, Array]:
    """Return whose share reaches another tenth of the planned sessions, and on which day since time zero."""
    person = np.flatnonzero(found.recorded)
    whole = attended_share(found, person, found.end[person])
    reached = np.floor(TENTHS * whole + 1e-9).astype(np.int64)
    whose = np.repeat(person, reached)
    step = np.arange(reached.sum()) - np.repeat(np.cumsum(reached) - reached, reached) + 1
    rate = found.attended[whose] / found.planned[whose]
    return whose, found.start[whose] + np.ceil((found.end - found.start)[whose] * step / TENTHS / rate - 1e-9)
