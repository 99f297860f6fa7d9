"""From checked tables and a study to the people compared: the function people call and what it gives."""

from __future__ import annotations

import dataclasses
import html
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from outcomes.design.candidates import Candidates, derive
from outcomes.design.clone_cohort import as_clones
from outcomes.design.cohort_notes import cohort_notes
from outcomes.design.data import SurvivalData
from outcomes.design.ending import Places, endings
from outcomes.design.exposure import cut_by_course
from outcomes.design.flow import Flow, build_flow
from outcomes.design.follow_up import away_from, follow_up, on_engine, time_at_risk
from outcomes.design.recorded_days import last_days
from outcomes.design.selection import Selection, select
from outcomes.design.study import Outcome, Study
from outcomes.design.windows import CommunityDays, RiskWindow, community_days, risk_window
from outcomes.durations import DAYS_PER_YEAR, days, in_words
from outcomes.errors import DesignError, DisclosureError, NotSupportedError, did_you_mean, must_be
from outcomes.loading.tables import Tables
from outcomes.results import Note, html_table

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["Cohort", "build_cohort"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Cohort:
    """The people a study compares, from when, and what was known of them then.

    Attributes
    ----------
    baseline : pandas.DataFrame
        One row a person: person_id, arm, time_zero (day), covariates at time zero, ``eligible_<arm>`` (yes, no, unknown),
        and ``excluded_by_<arm>`` (the reason of the rule) where a rule excludes somebody.
    flow : Flow
        Who left, where and why.
    """

    study: Study
    candidates: Candidates
    baseline: pd.DataFrame
    flow: Flow
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    @property
    def tables(self) -> Tables:
        """The tables it was built from, without the rows that [checks] drop left out."""
        return self.candidates.tables

    @property
    def population(self) -> str:
        """Whose comparison this is: own, both or caseload."""
        return self.study.eligibility.population

    @property
    def arms(self) -> tuple[str, ...]:
        """Names of the arms, the reference first; ``("all",)`` where they are not fixed at time zero."""
        return self.study.arms_compared

    def outcome(self, name: str) -> SurvivalData:
        """Return time to the first event of an outcome, with what competes, for everyone in the cohort.

        Parameters
        ----------
        name : str
            An outcome of the study.

        Returns
        -------
        SurvivalData
            In days since time zero; causes are the outcome and its competing events, in the study's order. Where exposure changes
            with time (``strategy = "time_varying"``) ``frame`` has ``exposure``, ``state``, ``strand`` and ``voluntary`` by row, and
            everyone is in the arm ``all``: take ``cox(data, "exposure + …", cause=name)``. Under ``"clone_censor_weight"`` people are
            clones, one in each arm they could join: give estimators the weights of ``censoring_weights(data, formula)``.

        Raises
        ------
        DesignError
            No such outcome, or an arm without follow-up for it.
        """
        return self._followed(name, every=False)

    def every_event(self, name: str) -> SurvivalData:
        """Return all proven offences of a group, not only the first: for frequencies and rates.

        Offences of one person on one day count once. What competes, and what censors, ends a person's follow-up; offences do not.

        Parameters
        ----------
        name : str
            An outcome of the study.

        Returns
        -------
        SurvivalData
            With ``repeated`` set: rows (entry, exit] between events, several a person.

        Raises
        ------
        DesignError
            No such outcome, or an arm without follow-up for it.
        NotSupportedError
            On the scale ``community``: one interval a person holds one event.
        """
        if self.study.follow_up.scale == "community":
            raise NotSupportedError(
                "every_event: on the scale 'community' a person has one interval and one event; take scale = 'at_risk', on which time away "
                "is left out too."
            )
        return self._followed(name, every=True)

    def within(self, name: str, horizon: float | str) -> RiskWindow:
        """Return who had the event within a fixed time of time zero: yes, no, or not known.

        Use it beside the curves, where a reader expects a share such as "reoffended within two years", or as the outcome of a
        regression of people (``.people``).

        Parameters
        ----------
        name : str
            An outcome of the study.
        horizon : float or str
            Days, or text such as ``"2y"``; no longer than the study follows.

        Returns
        -------
        RiskWindow

        Raises
        ------
        DesignError
            No such outcome; a horizon beyond the study's.
        NotSupportedError
            Under a strategy against immortal time, which needs time to event.
        """
        spec, length = self._outcome(name), self._window(horizon, "within")
        calendar = self.study.replace(follow_up=dataclasses.replace(self.study.follow_up, scale="calendar"))
        found = follow_up(self.candidates, self.baseline, calendar, spec)
        return risk_window(found, self.baseline, outcome=name, horizon=length, arms=self.arms)

    def days_in_community(self, horizon: float | str) -> CommunityDays:
        """Return how many of the first days after time zero people spent in the community, by arm.

        Parameters
        ----------
        horizon : float or str
            Days, or text such as ``"2y"``; no longer than the study follows.

        Returns
        -------
        CommunityDays

        Raises
        ------
        DesignError
            A horizon beyond the study's.
        NotSupportedError
            Under a strategy against immortal time, which needs time to event.
        """
        length = self._window(horizon, "days_in_community")
        where = Places(self.baseline["sentence_id"].to_numpy(), self.tables)
        leaving = Outcome("leaving", (), 0.0, ("death", "deportation", "emigration"))
        with self.tables.keeping():
            kept = on_engine(self.baseline, self.tables)
            ended = endings(None, kept, self.baseline, self.tables, self.study, leaving)
            away = away_from(where, kept)
        return community_days(ended, away, self.baseline, horizon=length, arms=self.arms)

    def _window(self, horizon: float | str, what: str) -> float:
        length = days(horizon, what=f"{what}: horizon")
        if length > self.study.follow_up.horizon:
            raise DesignError(
                f"{what}: the study follows people for {in_words(self.study.follow_up.horizon)}, not longer."
            )
        if self.study.time_zero.strategy != "none":
            raise NotSupportedError(
                f"{what}: under [time_zero] strategy = {self.study.time_zero.strategy!r} take cohort.outcome(…) and a curve."
            )
        return length

    def _outcome(self, name: str) -> Outcome:
        if name not in self.study.outcomes:
            raise DesignError(f"outcome: the study has no outcome {name!r}. {did_you_mean(name, self.study.outcomes)}")
        return self.study.outcomes[name]

    def _followed(self, name: str, *, every: bool) -> SurvivalData:
        spec = self._outcome(name)
        found = follow_up(self.candidates, self.baseline, self.study, spec, every=every)
        data = time_at_risk(found, self.baseline, self.study, spec, every=every, notes=self.notes)
        if self.study.time_zero.strategy == "time_varying":
            return cut_by_course(data, self.candidates, self.study)
        if self.study.time_zero.strategy == "clone_censor_weight":
            return as_clones(data, self.candidates, self.study)
        return data

    def with_population(self, name: str) -> Cohort:
        """Return the cohort of another population of the same study: ``own``, ``both`` or ``caseload``; nothing is derived again."""
        eligibility = dataclasses.replace(self.study.eligibility, population=name)
        return _selected(self.candidates, self.study.replace(eligibility=eligibility))

    def summary(self) -> pd.DataFrame:
        """Return one row an arm: n, first and last period, share in custody, median wait in days."""
        import pandas as pd

        rows = []
        for arm in self.arms:
            mine = self.baseline[self.baseline["arm"] == arm]
            periods = sorted(mine["period"].unique())
            rows.append(
                {
                    "arm": arm,
                    "n": len(mine),
                    "first_period": periods[0],
                    "last_period": periods[-1],
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

    Notes
    -----
    One index sentence a person: the first that meets every condition (of those who meet none, the one that came furthest
    stands in the flow). Reasons are exclusive and in order. Under ``strategy = "time_varying"`` and ``"clone_censor_weight"`` nobody
    is in an arm at time zero: everyone who meets the conditions is followed, whether or not they ever start, and the baseline knows
    no start.

    Examples
    --------
    >>> import outcomes as oc
    >>> tables, study = oc.load_tables("data/synthetic"), oc.read_study("notebooks/study.toml")  # doctest: +SKIP
    >>> oc.build_cohort(tables, study).flow.describe()  # doctest: +SKIP
    """
    call = "build_cohort(tables, study)"
    must_be(tables, Tables, what=f"{call}: tables", expected="Tables, from load_tables(…)", error=DesignError)
    must_be(study, Study, what=f"{call}: study", expected="a Study, from read_study(…)", error=DesignError)
    clean = tables.require_clean(study.checks.drop)
    _same_clock(clean, study)
    return _selected(derive(clean, study), study)


def _selected(candidates: Candidates, study: Study) -> Cohort:
    """Return the cohort of a population; what its candidates are is the same for each."""
    selection = select(candidates, study)
    reasons, counts = _counted(selection, study)
    baseline = selection.baseline()
    notes = cohort_notes(selection, baseline, study)
    flow = build_flow(counts, reasons, study.arms_compared, notes, unit=study.eligibility.unit)
    for arm in study.arms_compared:
        if not (baseline["arm"] == arm).any():
            lost = flow.to_frame()
            mine = lost[(lost["arm"] == arm) & (lost["n_leaving"] > 0)]
            where = "; ".join(f"{row['reason']}: {row['n_leaving']:,}" for row in mine.to_dict("records"))
            raise DesignError(f"build_cohort: arm {arm!r} is empty. {where or _nobody_in(study, arm)}")
    return Cohort(
        study=study,
        candidates=candidates,
        baseline=baseline,
        flow=flow,
        notes=notes,
        provenance=MappingProxyType({"study": study.hash, "files": dict(candidates.tables.hashes)}),
    )


def _nobody_in(study: Study, arm: str) -> str:
    """Return why an arm had nobody from the first step on."""
    if study.arms.definitions[arm].none:
        return "Everybody started a programme of another arm."
    by = f" by {in_words(study.time_zero.landmark)}" if study.time_zero.landmark else ""
    how = {
        "start": f"Nobody{' had' if by else ''} started one of its programmes{by}.",
        "referral": "Nobody was referred to one of its programmes.",
        "provision": "Nobody was released or sentenced where and while it alone was open (table provision).",
    }
    return how[study.arms.assigned_by]


def _counted(selection: Selection, study: Study) -> tuple[list[str], dict[tuple[str | None, int], int]]:
    """Return the reasons of the flow, and how many left by arm and reason."""
    candidates, steps = selection.candidates, len(selection.reasons)
    arm = candidates.rows["arm"].cat
    codes = arm.codes.to_numpy()[selection.index].astype(np.int64) + 1
    names = (None, *arm.categories)
    pairs = np.bincount(codes * (steps + 1) + selection.left_at, minlength=len(names) * (steps + 1))
    counted = pairs.reshape(len(names), steps + 1)
    there = counted.sum(axis=0) > 0
    shown = [step for step in range(steps) if there[step] or step not in selection.optional]
    reasons = [selection.reasons[step] for step in shown]
    counts = {
        (name, place): int(counted[code, step])
        for code, name in enumerate(names)
        for place, step in enumerate([*shown, steps])
    }
    without = candidates.tables.counts["people"] - len(selection.index) if study.eligibility.index == "first" else 0
    if without > 0:
        reasons = ["no sentence in the extract", *reasons]
        counts = {(name, step + 1): n for (name, step), n in counts.items()} | {(None, 0): without}
    return reasons, counts


def _same_clock(tables: Tables, study: Study) -> None:
    """Refuse a data cut that cannot be on the clock of an extract whose days count from an undisclosed origin."""
    if tables.origin == "1970-01-01":
        return
    days = last_days(tables)
    last = max((days[table] for table in ("sentences", "reoffences") if table in days), default=float("nan"))
    if study.follow_up.data_cut > last + 20 * DAYS_PER_YEAR:
        raise DesignError(
            "build_cohort: [follow_up] data_cut lies more than 20 years after the last day of the extract, whose days count from an origin "
            "it does not tell. Write data_cut as a whole day on the extract's own clock."
        )
