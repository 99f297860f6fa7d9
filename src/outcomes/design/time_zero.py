"""The day follow-up starts, and the refusal to class people by what came after it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from outcomes.design.assignment import at_liberty
from outcomes.design.study import Study
from outcomes.errors import DesignError

if TYPE_CHECKING:
    import narwhals as nw


__all__ = ["add_time_zero", "refuse_the_future"]


def add_time_zero(rows: nw.LazyFrame[Any], study: Study) -> nw.LazyFrame[Any]:
    """Return the rows with ``time_zero``, the day follow-up starts for each sentence; null where it has not come.

    ``auto``: the start (referral) that decided the arm, but nobody is followed from before release (custody) or the sentence: what
    came inside, or at the pre-sentence stage, counts from then. Where an arm is made of people who started nothing, where arms are
    what was on offer, and under a strategy against immortal time: release or sentence for everybody. A landmark lies `grace` days
    after that.
    """
    import narwhals as nw

    event = study.time_zero.event
    everybody = (
        study.arms.untreated is not None or study.arms.assigned_by == "provision" or study.time_zero.strategy != "none"
    )
    if event == "auto" and everybody:
        event = "release"
    if event == "release":
        zero = at_liberty()
    elif event in ("sentence", "start", "referral"):
        zero = nw.col(f"{event}_date")
    else:
        assigned = nw.col("assigned_date")
        later = (assigned > at_liberty()).fill_null(False)
        zero = nw.when(~assigned.is_null()).then(nw.when(later).then(assigned).otherwise(at_liberty()))
    return rows.with_columns(time_zero=zero + study.time_zero.landmark)


def refuse_the_future(ahead: int, study: Study) -> None:
    """Refuse to class people at time zero by a programme they started (were referred to) later.

    Parameters
    ----------
    ahead : int
        Sentences whose arm was decided after their time zero.

    Raises
    ------
    DesignError
        There are some, and the study names no strategy; the message names the three there are.
    """
    if ahead and study.time_zero.strategy in ("none", "landmark"):
        what = "programme that started" if study.arms.assigned_by == "start" else "referral made"
        raise DesignError(
            f"build_cohort: {ahead:,} sentences are put into an arm by a {what} after time zero: these people could "
            "not offend in between and still be in the arm (immortal time). Let follow-up start with the programme ([time_zero] "
            "event = 'start', or 'auto' where no arm is made of people who started nothing), or choose a [time_zero] strategy: "
            "landmark, time_varying or clone_censor_weight."
        )
