"""From offer to completion: which steps people took in the programmes of the arm they stand in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from outcomes.design.assignment import arm_of
from outcomes.design.ending import Places
from outcomes.design.follow_up import on_engine

if TYPE_CHECKING:
    import narwhals as nw

    from outcomes.design.cohort import Cohort

__all__ = ["TakeUp", "take_up"]


@dataclass(frozen=True)
class TakeUp:
    """What became of P people in programmes of their own arm, under their index sentence; arrays of bool, shape (P,).

    Attributes
    ----------
    admitted
        The entry rules of some programme of the arm admit them; people of whom that is unknown are not counted.
    referred, accepted, started
        At any time up to the horizon after time zero.
    completed
        Of those who started by then, whenever they completed.
    elsewhere
        Started a programme of another arm.
    """

    admitted: npt.NDArray[np.bool_]
    referred: npt.NDArray[np.bool_]
    accepted: npt.NDArray[np.bool_]
    started: npt.NDArray[np.bool_]
    completed: npt.NDArray[np.bool_]
    elsewhere: npt.NDArray[np.bool_]


def take_up(cohort: Cohort, horizon: float) -> TakeUp:
    """Return the steps people of a cohort took in the programmes of their arm.

    Who completed a programme in time is not who would complete it: these are counts of what happened, never arms.
    """
    import narwhals as nw

    baseline, tables = cohort.baseline, cohort.tables
    arm = baseline["arm"].astype(str).to_numpy()
    admitted = np.zeros(len(baseline), dtype=bool)
    for name in cohort.arms:
        mine = arm == name
        if f"eligible_{name}" in baseline:
            admitted[mine] = (baseline[f"eligible_{name}"].astype(str) == "yes").to_numpy()[mine]
    with tables.keeping():
        kept = on_engine(baseline, tables)
        where = Places(baseline["sentence_id"].to_numpy(), tables)
        of_arm = arm_of(cohort.candidates.programmes).alias("_of")
        in_time = nw.col("_day") <= nw.col("time_zero") + int(horizon)
        referrals = tables.lazy("referrals").select("sentence_id", "decision", of_arm, _day="referral_date")
        starts = tables.lazy("participation").select("sentence_id", "status", of_arm, _day="start_date")
        referred = kept.join(referrals, on="sentence_id", how="inner").filter(in_time, nw.col("_of") == nw.col("arm"))
        begun = kept.join(starts, on="sentence_id", how="inner").filter(in_time, ~nw.col("_of").is_null())
        own = begun.filter(nw.col("_of") == nw.col("arm"))
        return TakeUp(
            admitted=admitted,
            referred=_some(where, referred),
            accepted=_some(where, referred.filter(nw.col("decision") == "accepted")),
            started=_some(where, own),
            completed=_some(where, own.filter(nw.col("status") == "completed")),
            elsewhere=_some(where, begun.filter(nw.col("_of") != nw.col("arm"))),
        )


def _some(where: Places, rows: nw.LazyFrame[Any]) -> npt.NDArray[np.bool_]:
    """Return which people have a row."""
    return np.isfinite(where.first(rows, "_day"))
