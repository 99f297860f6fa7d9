"""Who is compared: the reasons for leaving in order, and the index sentence of each person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outcomes.design.candidates import Candidates
from outcomes.design.conditions import holds
from outcomes.design.study import Study

if TYPE_CHECKING:
    import narwhals as nw

__all__ = ["Selection", "not_eligible", "select"]

_NOT = {
    "==": "is not", "!=": "is", "<": "is not below", "<=": "is above", ">": "is not above", ">=": "is below", "in": "is none of",
    "not in": "is one of",
}  # fmt: skip
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

    steps = _steps(candidates, study)
    left_at: Any = nw.lit(len(steps))
    for place, (_, fails) in reversed(list(enumerate(steps))):
        left_at = nw.when(fails).then(nw.lit(place)).otherwise(left_at)
    gone = candidates.tables.lazy("exits").group_by("person_id").agg(_gone=nw.col("exit_date").min())
    rows = candidates.rows.join(gone, on="person_id", how="left")
    asked = [f"{what}_{arm}" for arm in candidates.treated for what in ("eligible", "excluded_by")]
    found = rows.with_columns(left_at=left_at).select(
        "person_id",
        "sentence_id",
        "sentence_date",
        "arm",
        "time_zero",
        "left_at",
        "area",
        "start_date",
        "started_both",
        *asked,
    )
    if study.eligibility.index == "first":
        found = found.with_columns(_behind=-nw.col("left_at"))
        nth = nw.col("sentence_id").cum_count().over("person_id", order_by=["_behind", "sentence_date", "sentence_id"])
        found = found.with_columns(_place=nth).filter(nw.col("_place") == 1).drop("_place", "_behind")
    reasons = tuple(reason for reason, _ in steps)
    unknown = {f"{condition.column.replace('_', ' ')} unknown" for condition in study.eligibility.include}
    optional = frozenset(place for place, reason in enumerate(reasons) if reason in unknown)
    return Selection(candidates.tables.keep(found), reasons, optional)


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
    steps += [
        ("left observation before time zero", (nw.col("_gone") < zero).fill_null(False)),
        (
            "no follow-up before the data cut less the proving period",
            (zero >= study.follow_up.data_cut - proving).fill_null(False),
        ),
    ]
    schema = candidates.rows.collect_schema()
    for condition in study.eligibility.include:
        met, unknown = holds(condition, schema, where="[eligibility] include")
        name = condition.column.replace("_", " ")
        steps.append((f"{name} {_NOT[condition.operator]} {_shown(condition.value)}", ~met & ~unknown))
        steps.append((f"{name} unknown", unknown))
    if study.eligibility.population == "both":
        for arm in candidates.treated:
            steps.append((not_eligible(arm), nw.col(f"eligible_{arm}") == "no"))
            steps.append((f"eligibility for {arm} unknown", nw.col(f"eligible_{arm}") == "unknown"))
    return steps


def not_eligible(arm: str) -> str:
    """Return the reason of those whom the entry rules of an arm exclude."""
    return f"not eligible for {arm} by its entry rules"


def _no_arm(study: Study) -> str:
    if study.arms.assigned_by == "provision":
        return "no programme of an arm on offer there and then"
    what = (
        "a programme that belongs to no arm"
        if any(a.none for a in study.arms.definitions.values())
        else "no programme of an arm"
    )
    return f"{_DID[study.arms.assigned_by]} {what}"


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)
