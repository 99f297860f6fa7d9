"""Who is compared: the reasons for leaving in order, and the index sentence of each person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outcomes.design.candidates import Candidates
from outcomes.design.first_rows import first_rows
from outcomes.design.study import Study

if TYPE_CHECKING:
    import narwhals as nw

__all__ = ["Selection", "not_eligible", "select"]

_DID = {"start": "started", "referral": "referred to"}


@dataclass(frozen=True)
class Selection:
    """The index sentences of everyone, and where each left.

    Attributes
    ----------
    index : LazyFrame
        One row a person (with ``index = "all"``: a sentence), kept on the engine: ``left_at`` (number of the reason; ``len(reasons)``
        for those who stay), person_id, sentence_id, arm, time_zero, area, start_date, started_both, and what the entry rules say.
    reasons : tuple of str
        In order; everyone leaves at the first that fits.
    optional : frozenset of int
        Reasons that stand in the flow only where somebody left for them: what is unknown of people.
    """

    index: nw.LazyFrame[Any]
    reasons: tuple[str, ...]
    optional: frozenset[int] = frozenset()

    @property
    def kept(self) -> nw.LazyFrame[Any]:
        """Those who stay."""
        import narwhals as nw

        return self.index.filter(nw.col("left_at") == len(self.reasons))


def select(candidates: Candidates, study: Study) -> Selection:
    """Return who leaves and who stays.

    Of the sentences of a person the first that meets every condition is the index sentence; of those who have none, the one that
    came furthest stands in the flow, and of these the earliest.
    """
    import narwhals as nw

    tables, steps = candidates.tables, _steps(candidates, study)
    left_at: nw.Expr = nw.lit(len(steps))
    for place, (_, fails) in reversed(list(enumerate(steps))):
        left_at = nw.when(fails).then(nw.lit(place)).otherwise(left_at)
    gone = tables.lazy("exits").group_by("person_id").agg(_gone=nw.col("exit_date").min())
    rows = candidates.rows.join(gone, on="person_id", how="left").join(candidates.judged, on="sentence_id", how="left")
    found = rows.with_columns(left_at=left_at).with_columns(_behind=-nw.col("left_at"))
    asked = [f"{what}_{arm}" for arm in candidates.treated for what in ("eligible", "excluded_by")]
    narrow = ("person_id", "sentence_id", "sentence_date", "arm", "time_zero", "area", "start_date", "started_both")
    found = tables.keep(found.select(*narrow, "left_at", "_behind", *asked))
    if study.eligibility.index == "first":
        order = ("_behind", "sentence_date", "sentence_id")
        found = first_rows(found, tables, by=("person_id",), key="sentence_id", order_by=order)
    reasons = tuple(reason for reason, _ in steps)
    unknown = {reason for reason, is_unknown in candidates.conditions if is_unknown}
    return Selection(found, reasons, frozenset(place for place, reason in enumerate(reasons) if reason in unknown))


def _steps(candidates: Candidates, study: Study) -> list[tuple[str, nw.Expr]]:
    """Return the reasons for leaving in order, each with the rows it fits; a condition is never null."""
    import narwhals as nw

    zero = nw.col("time_zero")
    outcomes = study.outcomes
    proving = (
        outcomes[study.headline.outcome].proving_period
        if study.headline
        else max(o.proving_period for o in outcomes.values())
    )
    by, not_yet = study.arms.assigned_by, ("not released or started yet", zero.is_null())
    no_arm, both = (_no_arm(study), nw.col("arm").is_null()), nw.col("started_both")
    if by == "provision":  # what is on offer is asked on the day of release
        steps = [not_yet, no_arm, ("programmes of two arms on offer there and then", both)]
    elif study.arms.if_both == "exclude":
        steps = [no_arm, (f"{_DID[by]} programmes of both arms", both), not_yet]
    else:
        steps = [no_arm, not_yet]
    too_late = zero >= study.follow_up.data_cut - proving
    steps += [
        ("left observation before time zero", (nw.col("_gone") < zero).fill_null(False)),
        ("no follow-up before the data cut less the proving period", too_late.fill_null(False)),
    ]
    for place, (reason, _) in enumerate(candidates.conditions):
        steps.append((reason, (nw.col("condition") == place).fill_null(False)))
    if study.eligibility.population == "both":
        for arm in candidates.treated:
            verdict = nw.col(f"eligible_{arm}")
            steps.append((not_eligible(arm), (verdict == "no").fill_null(False)))
            steps.append((f"eligibility for {arm} unknown", (verdict == "unknown").fill_null(False)))
    return steps


def not_eligible(arm: str) -> str:
    """Return the reason of those whom the entry rules of an arm exclude."""
    return f"not eligible for {arm} by its entry rules"


def _no_arm(study: Study) -> str:
    if study.arms.assigned_by == "provision":
        return "no programme of an arm on offer there and then"
    untreated = any(arm.none for arm in study.arms.definitions.values())
    what = "a programme that belongs to no arm" if untreated else "no programme of an arm"
    return f"{_DID[study.arms.assigned_by]} {what}"
