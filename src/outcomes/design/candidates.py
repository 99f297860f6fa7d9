"""Every sentence with all a study asks of it: arm, time zero, covariates, entry rules. One row a sentence, on the engine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from outcomes.design.assignment import arm_programmes, assigned, offered
from outcomes.design.baseline import ASSESSED, add_baseline
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


@dataclass(frozen=True)
class Candidates:
    """What a study knows of every sentence, before it says who is compared; the same for every population.

    Attributes
    ----------
    rows : LazyFrame
        One row a sentence, kept on the engine: the sentence's own columns, ``arm`` (null where none), ``time_zero`` (null where it
        has not come), ``started_both``, covariates at time zero, and for each arm with programmes ``eligible_<arm>`` (yes, no,
        unknown) and ``excluded_by_<arm>`` (the reason of the rule that excludes).
    programmes : mapping of arm to programme ids
    """

    tables: Tables
    rows: nw.LazyFrame[Any]
    programmes: Mapping[str, frozenset[int]]

    @property
    def treated(self) -> tuple[str, ...]:
        """Arms that have programmes, in the order of the study."""
        return tuple(arm for arm, ids in self.programmes.items() if ids)


def derive(tables: Tables, study: Study) -> Candidates:
    """Return the candidates of a study.

    Raises
    ------
    DesignError
        The study names what the tables do not have; an extract's column is called like one made here; people are classed by what
        came after their time zero.
    """
    arms = study.arms
    _refuse_own(tables)
    programmes = {name: arm_programmes(tables, arms)[name] for name in arms.names}
    grace = study.time_zero.grace if study.time_zero.strategy == "landmark" else None
    rows = add_time_zero(assigned(tables, arms, programmes, within=grace), study)
    if arms.assigned_by == "provision":
        rows = offered(rows, tables, arms, programmes, day="time_zero")
    rows = tables.keep(rows.drop("_row"))
    refuse_the_future(rows, tables, study)
    rows = tables.keep(add_baseline(rows, tables, study.eligibility.covariate_window))
    schema, rules = rows.collect_schema(), tables.frame("eligibility")
    found: dict[str, nw.Expr] = {}
    for arm, ids in programmes.items():
        if ids:
            found[f"eligible_{arm}"], found[f"excluded_by_{arm}"] = eligible_for(ids, rules, schema)
    return Candidates(tables, tables.keep(rows.with_columns(**found)), programmes)


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
