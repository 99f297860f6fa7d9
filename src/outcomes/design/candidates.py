"""Every sentence with all a study asks of it: arm, time zero, covariates, entry rules. Derived on the engine, once for all populations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.assignment import arm_programmes, assigned, offered, unassigned
from outcomes.design.baseline import ASSESSED, last_known, with_covariates
from outcomes.design.conditions import holds
from outcomes.design.eligibility import eligible_for
from outcomes.design.recorded_days import last_days
from outcomes.design.slim_frame import slim
from outcomes.design.strategy_rules import VARYING
from outcomes.design.study import Study
from outcomes.design.time_zero import add_time_zero, refuse_the_future
from outcomes.errors import DesignError
from outcomes.results import IntArray

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd

    from outcomes.loading.tables import Tables

__all__ = ["Candidates", "derive"]

_MADE_LATER = ("age_at_time_zero", "wait_days", "period", *ASSESSED.values(), "condition", "within")
_MADE_HERE = (
    "arm", "assigned_date", "start_date", "referral_date", "site_id", "status", "started_both", "started_other", "time_zero",
    "sex", "ethnicity_group", *_MADE_LATER,
)  # fmt: skip
_NOT = {
    "==": "is not", "!=": "is", "<": "is not below", "<=": "is above", ">": "is not above", ">=": "is below", "in": "is none of",
    "not in": "is one of",
}  # fmt: skip
_OF_THE_START = (
    "arm", "assigned_date", "start_date", "referral_date", "site_id", "status", "started_both", "time_zero",
)  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False)
class Candidates:
    """What a study knows of every sentence, before it says who is compared; the same for every population.

    Attributes
    ----------
    rows : pandas.DataFrame
        One row a sentence, in the order of person, sentence date and id: person_id, sentence_id, ``arm`` (missing where none),
        ``time_zero`` (missing where it has not come), ``gone`` (day of leaving observation), ``started_both``, and ``at``, its row of
        `frame` (-1 where its covariates decide nothing).
    frame : pandas.DataFrame
        Covariates at time zero of the sentences with an arm, or refused one; ``condition`` (number of the first of `conditions` that
        fits, missing where none does), and for each arm with programmes ``eligible_<arm>`` (yes, no, unknown) and
        ``excluded_by_<arm>`` (the reason of the rule that excludes). In no order: `rows` say where each stands.
    conditions : tuple of (str, bool)
        Reasons for leaving by the conditions of the study, in order, and whether each is that a value is unknown.
    programmes : mapping of arm to programme ids
    """

    tables: Tables
    rows: pd.DataFrame
    frame: pd.DataFrame
    conditions: tuple[tuple[str, bool], ...]
    programmes: Mapping[str, frozenset[int]]

    @property
    def treated(self) -> tuple[str, ...]:
        """Arms that have programmes, in the order of the study."""
        return tuple(arm for arm, ids in self.programmes.items() if ids)

    @cached_property
    def last_day(self) -> float:
        """Last day on which the extract records anything; NaN where it records nothing."""
        return max(last_days(self.tables).values(), default=float("nan"))

    @cached_property
    def refused(self) -> Mapping[str, Any]:
        """For each arm with programmes which of `rows` were referred to one of them and refused as not eligible."""
        import narwhals as nw

        referrals = self.tables.lazy("referrals").filter(nw.col("decision") == "not_eligible")
        turned = self.tables.collect(referrals.select("sentence_id", "programme_id"))
        sentence, programme = turned["sentence_id"].to_numpy(), turned["programme_id"].to_numpy()
        mine = {arm: sentence[np.isin(programme, sorted(self.programmes[arm]))] for arm in self.treated}
        return {arm: self.rows["sentence_id"].isin(found).to_numpy() for arm, found in mine.items()}


def derive(tables: Tables, study: Study) -> Candidates:
    """Return the candidates of a study.

    Raises
    ------
    DesignError
        The study names what the tables do not have; an extract's column is called like one made here; people are classed by what
        came after their time zero.
    """
    arms = study.arms
    _refuse_own(tables, study)
    found = arm_programmes(tables, arms)
    programmes = {name: found[name] for name in arms.names}
    grace = study.time_zero.grace if study.time_zero.strategy == "landmark" else None
    with tables.keeping():
        fixed = assigned(tables, arms, programmes, within=grace) if study.arms_are_fixed else unassigned(tables)
        assignment = add_time_zero(fixed, study)
        if arms.assigned_by == "provision":
            assignment = offered(assignment, tables, arms, programmes, day="time_zero")
        assignment = assignment.join(_turned_away(tables), on="sentence_id", how="left")
        known = [name for name in _OF_THE_START if name in assignment.collect_schema().names()]
        assignment = tables.keep(assignment.select("sentence_id", "person_id", "sentence_date", *known, "_turned"))
        rows = _rows(assignment, tables)
        refuse_the_future(int((rows["arm"].notna() & (rows["assigned_date"] > rows["time_zero"])).sum()), study)
        frame, conditions = _frame(assignment, tables, study, programmes)
    return Candidates(tables, _with_places(rows, frame), frame, conditions, programmes)


def _with_places(rows: pd.DataFrame, frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows with ``at``, their row of the frame (-1 where there is none), and without the days used up; nothing is copied."""
    import pandas as pd

    kept = {name: rows[name].array for name in rows if name not in ("assigned_date", "sentence_date")}
    return pd.DataFrame({**kept, "at": _places(rows["sentence_id"], frame["sentence_id"])}, copy=False)


def _turned_away(tables: Tables) -> nw.LazyFrame[Any]:
    """Return the sentences with a referral refused as not eligible."""
    import narwhals as nw

    turned = tables.lazy("referrals").filter(nw.col("decision") == "not_eligible")
    return turned.group_by("sentence_id").agg(_turned=nw.len())


def _rows(assignment: nw.LazyFrame[Any], tables: Tables) -> pd.DataFrame:
    import narwhals as nw

    gone = tables.lazy("exits").group_by("person_id").agg(gone=nw.col("exit_date").min())
    narrow = ("person_id", "sentence_id", "sentence_date", "arm", "assigned_date", "time_zero", "started_both", "gone")
    rows = assignment.join(gone, on="person_id", how="left").select(*narrow)
    return slim(tables.collect(rows), by=("person_id", "sentence_date", "sentence_id"))


def _frame(
    assignment: nw.LazyFrame[Any], tables: Tables, study: Study, programmes: Mapping[str, frozenset[int]]
) -> tuple[pd.DataFrame, tuple[tuple[str, bool], ...]]:
    """Return covariates at time zero and what they decide: the conditions of the study, and the entry rules of every arm."""
    import narwhals as nw

    asked = assignment.filter(~nw.col("arm").is_null() | ~nw.col("_turned").is_null())
    asked = asked.drop("_turned", "assigned_date", "started_both")
    known = last_known(asked, tables, study.eligibility.covariate_window)
    sentences = tables.lazy("sentences").drop("_row", "person_id", "sentence_date")
    described = with_covariates(asked.join(sentences, on="sentence_id", how="inner"), known, tables)
    schema, rules = described.collect_schema(), tables.frame("eligibility")
    condition, conditions = _condition(study, schema)
    verdicts = {"condition": condition}
    for arm, ids in programmes.items():
        if ids:
            verdicts[f"eligible_{arm}"], verdicts[f"excluded_by_{arm}"] = eligible_for(ids, rules, schema)
    return slim(tables.collect(described.with_columns(**verdicts))), conditions


def _condition(study: Study, schema: nw.Schema) -> tuple[nw.Expr, tuple[tuple[str, bool], ...]]:
    """Return the number of the first condition that each row does not meet (null: meets all), and what each is called."""
    import narwhals as nw

    said, steps = [], []
    for condition in study.eligibility.include:
        met, unknown = holds(condition, schema, where="[eligibility] include")
        name = condition.column.replace("_", " ")
        said += [(f"{name} {_NOT[condition.operator]} {_shown(condition.value)}", False), (f"{name} unknown", True)]
        steps += [~met & ~unknown, unknown]
    first: nw.Expr = nw.lit(None, dtype=nw.Int64)
    for place, fails in reversed(list(enumerate(steps))):
        first = nw.when(fails).then(nw.lit(place)).otherwise(first)
    return first, tuple(said)


def _places(wanted: pd.Series[Any], present: pd.Series[Any]) -> IntArray:
    """Return where each wanted key stands among the present ones, -1 where it does not."""
    import pandas as pd

    return np.asarray(pd.Index(present.to_numpy()).get_indexer(pd.Index(wanted.to_numpy())), dtype=np.int64)


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _refuse_own(tables: Tables, study: Study) -> None:
    """Refuse columns of the extract that are called like those a cohort makes, for good or (with a _ before them) on the way.

    A column of people that is called like one of the sentences is renamed instead.
    """
    verdicts = [f"{said}_{arm}" for arm in study.arms.names for said in ("eligible", "excluded_by")]
    varying = () if study.arms_are_fixed else VARYING
    for table, reserved in (("sentences", _MADE_HERE), ("people", _MADE_LATER)):
        names = [name for name in tables.lazy(table).collect_schema().names() if name != "_row"]
        own = [name for name in names if name in (*reserved, *verdicts, *varying) or name.startswith("_")]
        if own:
            raise DesignError(
                f"build_cohort: table {table} has columns of its own called {', '.join(own)}, which a cohort makes itself. Rename them "
                f"with [columns] {table} = {{ theirs = ours }}."
            )
