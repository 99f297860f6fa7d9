"""Every sentence with all a study asks of it: arm, time zero, covariates, entry rules. One row a sentence, on the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outcomes.design.assignment import arm_programmes, assigned, offered
from outcomes.design.baseline import ASSESSED, last_known, with_covariates
from outcomes.design.conditions import holds
from outcomes.design.eligibility import eligible_for
from outcomes.design.study import Study
from outcomes.design.time_zero import add_time_zero, refuse_the_future
from outcomes.errors import DesignError

if TYPE_CHECKING:
    import narwhals as nw

    from outcomes.loading.tables import Tables

__all__ = ["Candidates", "derive"]

_MADE_LATER = ("age_at_time_zero", "wait_days", "period", *ASSESSED.values())
_MADE_HERE = (
    "arm", "assigned_date", "start_date", "referral_date", "site_id", "status", "started_both", "started_other", "time_zero", "time",
    "end", "sex", "ethnicity_group", *_MADE_LATER,
)  # fmt: skip
_NOT = {
    "==": "is not", "!=": "is", "<": "is not below", "<=": "is above", ">": "is not above", ">=": "is below", "in": "is none of",
    "not in": "is one of",
}  # fmt: skip
_OF_THE_START = (
    "arm", "assigned_date", "start_date", "referral_date", "site_id", "status", "started_both", "started_other", "time_zero",
)  # fmt: skip


@dataclass(frozen=True)
class Candidates:
    """What a study knows of every sentence, before it says who is compared; the same for every population.

    Attributes
    ----------
    rows : LazyFrame
        One row a sentence, kept on the engine and narrow: sentence_id, person_id, sentence_date, area, ``arm`` (null where none),
        ``time_zero`` (null where it has not come), ``assigned_date``, ``started_both``, and what is known of the first start in that arm.
    known : LazyFrame
        One row a sentence with an assessment that counts, kept on the engine.
    judged : LazyFrame
        One row a sentence whose covariates decide something, kept on the engine: ``condition`` (number of the first step of `conditions`
        that fits; null where none does), and for each arm with programmes ``eligible_<arm>`` (yes, no, unknown) and
        ``excluded_by_<arm>`` (the reason of the rule that excludes).
    conditions : tuple of (str, bool)
        Reasons for leaving by the conditions of the study, in order, and whether each is that a value is unknown.
    programmes : mapping of arm to programme ids
    """

    tables: Tables
    rows: nw.LazyFrame[Any]
    known: nw.LazyFrame[Any]
    judged: nw.LazyFrame[Any]
    conditions: tuple[tuple[str, bool], ...]
    programmes: Mapping[str, frozenset[int]]

    @property
    def treated(self) -> tuple[str, ...]:
        """Arms that have programmes, in the order of the study."""
        return tuple(arm for arm, ids in self.programmes.items() if ids)

    def described(self, rows: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Return rows of `rows` with the sentence's own columns and covariates at time zero."""
        return _described(rows, self.known, self.tables)


def derive(tables: Tables, study: Study) -> Candidates:
    """Return the candidates of a study.

    Raises
    ------
    DesignError
        The study names what the tables do not have; an extract's column is called like one made here; people are classed by what
        came after their time zero.
    """
    import narwhals as nw

    arms = study.arms
    _refuse_own(tables)
    found = arm_programmes(tables, arms)
    programmes = {name: found[name] for name in arms.names}
    grace = study.time_zero.grace if study.time_zero.strategy == "landmark" else None
    rows = add_time_zero(assigned(tables, arms, programmes, within=grace), study)
    if arms.assigned_by == "provision":
        rows = offered(rows, tables, arms, programmes, day="time_zero")
    rows = tables.keep(rows.select("sentence_id", "person_id", "sentence_date", "area", *_OF_THE_START))
    refuse_the_future(rows, tables, study)
    turned = (
        tables.lazy("referrals").filter(nw.col("decision") == "not_eligible").group_by("sentence_id").agg(_n=nw.len())
    )
    asked = (
        rows.join(turned, on="sentence_id", how="left")
        .filter(~nw.col("arm").is_null() | ~nw.col("_n").is_null())
        .drop("_n")
    )
    known = tables.keep(last_known(asked, tables, study.eligibility.covariate_window))
    judged, conditions = _judged(_described(asked, known, tables), tables, study, programmes)
    return Candidates(tables, rows, known, tables.keep(judged), conditions, programmes)


def _described(rows: nw.LazyFrame[Any], known: nw.LazyFrame[Any], tables: Tables) -> nw.LazyFrame[Any]:
    sentences = tables.lazy("sentences").drop("_row", "person_id", "sentence_date", "area")
    return with_covariates(sentences.join(rows, on="sentence_id", how="inner"), known, tables)


def _judged(
    described: nw.LazyFrame[Any], tables: Tables, study: Study, programmes: Mapping[str, frozenset[int]]
) -> tuple[nw.LazyFrame[Any], tuple[tuple[str, bool], ...]]:
    """Return what covariates decide of each row: the conditions of the study, and the entry rules of every arm."""
    import narwhals as nw

    schema, rules = described.collect_schema(), tables.frame("eligibility")
    said, steps = [], []
    for condition in study.eligibility.include:
        met, unknown = holds(condition, schema, where="[eligibility] include")
        name = condition.column.replace("_", " ")
        said += [(f"{name} {_NOT[condition.operator]} {_shown(condition.value)}", False), (f"{name} unknown", True)]
        steps += [~met & ~unknown, unknown]
    first: nw.Expr = nw.lit(None, dtype=nw.Int64)
    for place, fails in reversed(list(enumerate(steps))):
        first = nw.when(fails).then(nw.lit(place)).otherwise(first)
    verdicts: dict[str, nw.Expr] = {}
    for arm, ids in programmes.items():
        if ids:
            verdicts[f"eligible_{arm}"], verdicts[f"excluded_by_{arm}"] = eligible_for(ids, rules, schema)
    return described.select("sentence_id", condition=first, **verdicts), tuple(said)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _refuse_own(tables: Tables) -> None:
    """Refuse columns of the extract that are called like those a cohort makes."""
    for table, reserved in (("sentences", _MADE_HERE), ("people", ("time", "end", "time_zero", *_MADE_LATER))):
        names = tables.lazy(table).collect_schema().names()
        own = [name for name in names if name in reserved or name.startswith(("eligible_", "excluded_by_"))]
        own = [name for name in own if table == "sentences" or name in reserved]
        if own:
            raise DesignError(
                f"build_cohort: table {table} has columns of its own called {', '.join(own)}, which a cohort makes itself. Rename them "
                f"with [columns] {table} = {{ theirs = ours }}."
            )
