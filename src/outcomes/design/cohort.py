"""From checked tables and a study to the people compared: the function people call and what it gives."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from outcomes.design.assignment import arm_programmes, assign
from outcomes.design.baseline import add_baseline, holds, in_order, time_zero
from outcomes.design.cohort_notes import cohort_notes
from outcomes.design.data import SurvivalData, survival_data
from outcomes.design.eligibility import eligible_for
from outcomes.design.ending import endings
from outcomes.design.flow import Flow, build_flow
from outcomes.design.study import Study
from outcomes.durations import DAYS_PER_YEAR, in_words
from outcomes.errors import DesignError, DisclosureError, NotSupportedError, did_you_mean
from outcomes.results import Note, html_table

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.loading.tables import Tables

__all__ = ["Cohort", "build_cohort"]

_NOT = {
    "==": "is not", "!=": "is", "<": "is not below", "<=": "is above", ">": "is not above", ">=": "is below", "in": "is none of",
    "not in": "is one of",
}  # fmt: skip


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Cohort:
    """The people a study compares, from when, and what was known of them then.

    Attributes
    ----------
    baseline : pandas.DataFrame
        One row a person: person_id, arm, time_zero (day), covariates at time zero, ``eligible_<arm>`` (yes, no, unknown).
    flow : Flow
        Who left, where and why.
    """

    study: Study
    tables: Tables
    baseline: pd.DataFrame
    flow: Flow
    population: str
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, the reference first."""
        return self.study.arms.names

    def outcome(self, name: str) -> SurvivalData:
        """Return time to the first proven offence of a group, with what competes, for everyone in the cohort.

        Parameters
        ----------
        name : str
            An outcome of the study.

        Returns
        -------
        SurvivalData
            In days since time zero; causes are the outcome and its competing events, in the study's order.

        Raises
        ------
        DesignError
            No such outcome, or an arm without follow-up for it.
        """
        if name not in self.study.outcomes:
            raise DesignError(f"outcome: the study has no outcome {name!r}. {did_you_mean(name, self.study.outcomes)}")
        spec = self.study.outcomes[name]
        ended = endings(self.baseline, self.tables, self.study, spec)
        frame = self.baseline.assign(_time=ended.time, _event=ended.cause)[ended.followed]
        notes = list(ended.notes)
        short = int((~ended.followed).sum())
        if short:
            notes.append(
                Note(
                    "no_follow_up",
                    f"{name}: {short:,} people came too late for its proving period and are left out of it.",
                )
            )
        for arm in self.arms:
            if not (frame["arm"] == arm).any():
                raise DesignError(f"outcome: nobody in arm {arm!r} has follow-up for {name!r}; see cohort.flow.")
        labels = {
            "outcome": name,
            "population": self.population,
            "scale": self.study.follow_up.scale,
            "proven_within": in_words(spec.proving_period),
            "free_of": _listed([f"reoffending ({name})", *spec.competing]),
        }
        data = survival_data(
            frame.rename(columns={"_time": "time", "_event": "end"}),
            duration="time",
            event="end",
            censored="censored",
            causes=[name, *spec.competing],
            arm="arm",
            reference=self.study.arms.reference,
            id="person_id",
            cluster=self.study.adjust.cluster if self.study.adjust else None,
            labels=labels,
        )
        return replace(data, notes=(*self.notes, *notes))

    def summary(self) -> pd.DataFrame:
        """Return one row an arm: n, first and last period, share in custody, median wait in days."""
        import pandas as pd

        rows = []
        for arm in self.arms:
            mine = self.baseline[self.baseline["arm"] == arm]
            rows.append(
                {
                    "arm": arm,
                    "n": len(mine),
                    "first_period": mine["period"].min(),
                    "last_period": mine["period"].max(),
                    "share_custody": float((mine["setting"] == "custody").mean()),
                    "median_wait_days": float(mine["wait_days"].median()),
                }
            )
        return pd.DataFrame(rows)

    def describe(self) -> str:
        """Return who is compared, in sentences."""
        return " ".join([self.flow.describe(), f"Population: {self.population}.", *(note.text for note in self.notes)])

    def __reduce__(self) -> NoReturn:
        raise DisclosureError("A cohort holds rows about people and does not pickle; build it again from its tables.")

    def __repr__(self) -> str:
        return f"Cohort: {self.study.title}\n{self.flow.describe()}\n{self.summary().to_string(index=False)}"

    def _repr_html_(self) -> str:
        notes = "".join(f"<li>{html.escape(note.text)}</li>" for note in self.notes)
        return html_table(self.summary(), caption=f"{self.study.title}: {self.flow.describe()}") + f"<ul>{notes}</ul>"


def build_cohort(tables: Tables, study: Study) -> Cohort:
    """Derive the people a study compares: arm, time zero, eligibility, covariates at time zero.

    Use it between loading and estimating: everything that decides who is compared, from when, happens here and is counted.

    Parameters
    ----------
    tables : Tables
    study : Study

    Returns
    -------
    Cohort
        ``flow`` says who left where and why; ``baseline`` has one row a person; ``outcome(name)`` gives time at risk.

    Raises
    ------
    DataError
        The tables break a rule that the study does not list in [checks] drop.
    DesignError
        An arm is empty; the study names what the tables do not have; people are classed by a programme that started after
        their time zero.
    NotSupportedError
        A part of the study that is not built yet, by name.

    Notes
    -----
    One index sentence a person: the first that meets every condition (of those who meet none, the one that came furthest
    stands in the flow). Reasons are exclusive and in order.

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.build_cohort(tables, study).flow.describe()  # doctest: +SKIP
    """
    _supported(study)
    clean = tables.require_clean(study.checks.drop)
    _same_clock(clean, study)
    rows = assign(clean, study.arms)
    rows["time_zero"] = time_zero(rows, study)
    _refuse_the_future(rows, study)
    rows = add_baseline(rows, clean, study)
    programmes = arm_programmes(clean, study.arms)
    rules = clean.frame("eligibility")
    treated = [arm for arm in study.arms.names if not study.arms.definitions[arm].none]
    excluded = {}
    for arm in treated:
        rows[f"eligible_{arm}"], excluded[arm] = eligible_for(rows, programmes[arm], rules)
    steps = _steps(rows, clean, study, treated)
    reasons = [reason for reason, _ in steps]
    failed = np.stack([fails for _, fails in steps])
    left_at = np.where(failed.any(axis=0), failed.argmax(axis=0), len(reasons))
    chosen = _index_sentence(rows, left_at)
    rows, left_at = rows.iloc[chosen].reset_index(drop=True), left_at[chosen]
    kept = in_order(rows[left_at == len(reasons)].drop(columns=["started_both"]).reset_index(drop=True))
    refused = {
        arm: excluded[arm][chosen][left_at == reasons.index(_not_eligible(arm))]
        for arm in treated
        if _not_eligible(arm) in reasons
    }
    notes = cohort_notes(rows, kept, left_at == len(reasons), clean, programmes, refused, study.follow_up.data_cut)
    arm_of, without = rows["arm"].to_numpy(dtype=object), len(clean.frame("people")) - len(rows)
    if without:
        reasons = ["no sentence in the extract", *reasons]
        left_at = np.concatenate([left_at + 1, np.zeros(without, dtype=left_at.dtype)])
        arm_of = np.concatenate([arm_of, np.full(without, None, dtype=object)])
    flow = build_flow(arm_of, left_at, reasons, study.arms.names, notes)
    for arm in study.arms.names:
        if not (kept["arm"] == arm).any():
            lost = flow.to_frame()
            mine = lost[(lost["arm"] == arm) & (lost["n_leaving"] > 0)]
            where = "; ".join(f"{row['reason']}: {row['n_leaving']:,}" for row in mine.to_dict("records"))
            raise DesignError(f"build_cohort: arm {arm!r} is empty. {where or 'Nobody started one of its programmes.'}")
    return Cohort(
        study=study,
        tables=clean,
        baseline=kept,
        flow=flow,
        population=study.eligibility.population,
        notes=notes,
        provenance=MappingProxyType({"study": study.hash, "files": dict(clean.hashes)}),
    )


def _same_clock(tables: Tables, study: Study) -> None:
    """Refuse a data cut that cannot be on the clock of an extract whose days count from an undisclosed origin."""
    last = max(
        (
            float(column.max())
            for column in (tables.frame("sentences")["sentence_date"], tables.frame("reoffences")["proven_date"])
            if column.notna().any()
        ),
        default=float("nan"),
    )
    if tables.origin != "1970-01-01" and study.follow_up.data_cut > last + 20 * DAYS_PER_YEAR:
        raise DesignError(
            "build_cohort: [follow_up] data_cut lies more than 20 years after the last day of the extract, whose days count from an origin "
            "it does not tell. Write data_cut as a whole day on the extract's own clock."
        )


def _refuse_the_future(rows: pd.DataFrame, study: Study) -> None:
    """Refuse to class people at time zero by a programme they started later."""
    later = int((rows["start_date"] > rows["time_zero"]).fillna(False).sum())
    if later:
        raise DesignError(
            f"build_cohort: {later:,} sentences are put into an arm by a programme that started after time zero: these people could "
            "not offend in between and still be in the arm (immortal time). Let follow-up start with the programme ([time_zero] "
            "event = 'start', or 'auto' where no arm is made of people who started nothing), or choose a [time_zero] strategy: "
            "landmark, time_varying or clone_censor_weight."
        )


def _supported(study: Study) -> None:
    if study.follow_up.scale != "calendar":
        raise NotSupportedError(f"[follow_up] scale = {study.follow_up.scale!r} is not there yet; there is 'calendar'.")
    if study.time_zero.strategy != "none":
        raise NotSupportedError(
            f"[time_zero] strategy = {study.time_zero.strategy!r} is not there yet; there is 'none'."
        )
    if study.eligibility.population == "caseload":
        raise NotSupportedError("[eligibility] population = 'caseload' is not there yet; there are 'own' and 'both'.")


def _steps(rows: pd.DataFrame, tables: Tables, study: Study, treated: list[str]) -> list[tuple[str, Any]]:
    """Return the reasons for leaving in order, each with the rows it fits."""
    zero = rows["time_zero"].to_numpy(dtype=np.float64)
    outcomes = study.outcomes
    proving = (
        outcomes[study.headline.outcome].proving_period
        if study.headline
        else max(o.proving_period for o in outcomes.values())
    )
    gone = (
        rows["person_id"].map(tables.frame("exits").groupby("person_id")["exit_date"].min()).to_numpy(dtype=np.float64)
    )
    steps: list[tuple[str, Any]] = [("started no programme of an arm", rows["arm"].isna().to_numpy())]
    if study.arms.if_both == "exclude":
        steps.append(("started programmes of both arms", rows["started_both"].to_numpy()))
    steps += [
        ("not released or started yet", np.isnan(zero)),
        ("left observation before time zero", gone < zero),
        ("no follow-up before the data cut less the proving period", zero >= study.follow_up.data_cut - proving),
    ]
    for condition in study.eligibility.include:
        met, unknown = holds(rows, condition, where="[eligibility] include")
        name = condition.column.replace("_", " ")
        steps.append((f"{name} {_NOT[condition.operator]} {_shown(condition.value)}", ~met & ~unknown))
        if unknown.any():
            steps.append((f"{name} unknown", unknown))
    if study.eligibility.population == "both":
        for arm in treated:
            status = rows[f"eligible_{arm}"].to_numpy()
            steps.append((_not_eligible(arm), status == "no"))
            steps.append((f"eligibility for {arm} unknown", status == "unknown"))
    return steps


def _not_eligible(arm: str) -> str:
    return f"not eligible for {arm} by its entry rules"


def _shown(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _index_sentence(rows: pd.DataFrame, left_at: Any) -> Any:
    """Return the row of each person's index sentence: the one that came furthest, the earliest of these."""
    table = rows[["person_id", "sentence_date", "sentence_id"]].assign(_row=np.arange(len(rows)), _far=-left_at)
    table = table.sort_values(["person_id", "_far", "sentence_date", "sentence_id"], kind="stable")
    return table.drop_duplicates("person_id")["_row"].to_numpy()


def _listed(words: Sequence[str]) -> str:
    """Return words as a list in a sentence."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
