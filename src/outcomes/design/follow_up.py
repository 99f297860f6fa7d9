"""Time at risk of a cohort for one outcome: what every estimator takes."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.candidates import Candidates
from outcomes.design.clock import Away, Intervals, intervals_at_risk, with_every_event
from outcomes.design.data import SurvivalData
from outcomes.design.ending import Ended, Places, endings
from outcomes.design.events import Counted, counted_events
from outcomes.design.study import Outcome, Study
from outcomes.design.time_away import spells_away
from outcomes.durations import in_words
from outcomes.errors import DesignError, did_you_mean
from outcomes.results import Note, read_only

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd

    from outcomes.loading.tables import Tables

_NO_COVARIATES = (
    "status", "time_zero", "start_date", "referral_date", "sentence_date", "release_date", "site_id", "sentence_id", "person_id",
)  # fmt: skip

__all__ = ["FollowedUp", "away_from", "follow_up", "on_engine", "time_at_risk"]


@dataclass(frozen=True)
class FollowedUp:
    """How P people were followed for one outcome.

    Attributes
    ----------
    ended : Ended
    at_risk : Intervals
    notes : tuple of Note
        What was left out.
    """

    ended: Ended
    at_risk: Intervals
    notes: tuple[Note, ...]


def follow_up(
    candidates: Candidates,
    baseline: pd.DataFrame,
    study: Study,
    outcome: Outcome,
    *,
    every: bool = False,
) -> FollowedUp:
    """Return how the people of `baseline` were followed for an outcome.

    Parameters
    ----------
    every : bool
        Events of the outcome do not end follow-up: all of them are events.
    """
    tables, scale, horizon = candidates.tables, study.follow_up.scale, study.follow_up.horizon
    wait = study.time_zero.landmark
    if wait:  # what happened before the landmark decides who is still there on it
        baseline = baseline.assign(time_zero=baseline["time_zero"] - wait)
        study = study.replace(follow_up=dataclasses.replace(study.follow_up, horizon=horizon + wait))
    with tables.keeping():
        kept = on_engine(baseline, tables)
        counted = counted_events(kept, tables, study, outcome, candidates.programmes)
        ended = endings(None if every else counted.rows, kept, baseline, tables, study, outcome, start=wait)
        where = Places(baseline["sentence_id"].to_numpy(), tables)
        spells = away_from(where, kept, wait) if scale != "calendar" else _NOBODY
        before = ended.time < wait
        entry = np.where(ended.followed & ~before, np.maximum(ended.entry - wait, 0.0), np.inf)
        time = np.maximum(ended.time - wait, 0.0)
        at_risk = intervals_at_risk(time, ended.cause, entry, spells, scale=scale, horizon=horizon, days=every)
        if every:
            row, day = _all_days(counted, where, baseline)
            at_risk = with_every_event(at_risk, row[day >= wait], day[day >= wait] - wait)
    return FollowedUp(
        ended, at_risk, (*counted.notes, *_unfollowed(ended, before, at_risk, outcome, study.eligibility.unit))
    )


def on_engine(baseline: pd.DataFrame, tables: Tables) -> nw.LazyFrame[Any]:
    """Return who is compared as a frame of the engine: sentence_id, person_id, arm, time_zero."""
    import pyarrow as pa

    names = ("sentence_id", "person_id", "time_zero")
    columns = {name: pa.array(baseline[name].to_numpy(dtype=np.int64)) for name in names}
    arm = pa.DictionaryArray.from_arrays(pa.array(baseline["arm"].cat.codes), list(baseline["arm"].cat.categories))
    return tables.put(pa.table({**columns, "arm": arm.cast(pa.string())}))


_NOBODY = Away(np.empty(0, dtype=np.int64), np.empty(0), np.empty(0))


def away_from(where: Places, kept: nw.LazyFrame[Any], wait: int = 0) -> Away:
    """Return time away in days from the landmark where there is one, else from time zero."""
    found = where.tables.collect(spells_away(kept, where.tables))
    row = where.of(found["sentence_id"].to_numpy())
    start, end = (found[name].to_numpy().astype(np.float64) - wait for name in ("start", "end"))
    row, start, end = row[end > 0], start[end > 0], end[end > 0]
    order = np.lexsort((start, row))
    return Away(row[order], start[order], end[order])


def _all_days(counted: Counted, where: Places, baseline: pd.DataFrame) -> tuple[Any, Any]:
    """Return whose each event was, and on which day since time zero."""
    found = where.tables.collect(counted.rows)
    row = where.of(found["sentence_id"].to_numpy())
    zero = baseline["time_zero"].to_numpy(dtype=np.float64)
    return row, found["day"].to_numpy().astype(np.float64) - zero[row]


def _unfollowed(ended: Ended, before: Any, at_risk: Intervals, outcome: Outcome, unit: str) -> list[Note]:
    """Return who has no time at risk, or less, and why; `unit` is what is counted."""
    notes = []
    if short := int((~ended.followed).sum()):
        text = f"{outcome.name}: {short:,} {unit} came too late for its proving period and are left out of it."
        if outcome.rule == "moj_window":
            text = f"{outcome.name}: {short:,} {unit} came too late for a whole year and six months, and are left out of it."
        notes.append(Note("no_follow_up", text))
    seen = np.zeros(len(ended.time), dtype=bool)
    seen[at_risk.row] = True
    if gone := int((ended.followed & before).sum()):
        text = (
            f"{outcome.name}: {gone:,} {unit} had an event or left before the landmark, and are left out of it: this compares those "
            "who were still there then."
        )
        notes.append(Note("before_the_landmark", text))
    late = ended.followed & ~before & ~seen & (ended.time <= ended.entry) & (ended.entry > 0)
    if late.any():
        text = f"{outcome.name}: {int(late.sum()):,} {unit} had left before the first day observed, and are left out of it."
        notes.append(Note("ended_before_observed", text))
    if entered := int((ended.entry[seen] > 0).sum()):
        text = f"{outcome.name}: {entered:,} {unit} enter late, on the first day observed; none of them can have had the event before it."
        notes.append(Note("late_entry", text))
    if never := int((ended.followed & ~before & ~seen & ~late).sum()):
        text = f"{outcome.name}: {never:,} {unit} had no day in the community while followed, and are left out of it."
        notes.append(Note("never_at_risk", text))
    if at_risk.ended_away:
        text = (
            f"{outcome.name}: for {at_risk.ended_away:,} {unit} what ended follow-up, the event or one that competes, came while out of "
            "the community; on this scale nobody is at risk then, so it does not count, and follow-up ends as they went out."
        )
        notes.append(Note("ended_away", text))
    return notes


def time_at_risk(
    followed: FollowedUp,
    baseline: pd.DataFrame,
    study: Study,
    outcome: Outcome,
    *,
    every: bool,
    notes: tuple[Note, ...],
) -> SurvivalData:
    """Return time at risk as what every estimator takes.

    Raises
    ------
    DesignError
        An arm has nobody with time at risk.
    """
    rows = followed.at_risk
    people, person = np.unique(rows.row, return_inverse=True)
    whole = len(people) == len(baseline)
    mine = baseline if whole else baseline.iloc[people].reset_index(drop=True)
    frame = mine if len(person) == len(people) else mine.iloc[person].reset_index(drop=True)
    index = {name: code for code, name in enumerate(study.arms_compared)}
    arm = mine["arm"].map(index).to_numpy(dtype=np.int64)
    for name, code in index.items():
        if not (arm == code).any():
            raise DesignError(f"outcome: nobody in arm {name!r} has follow-up for {outcome.name!r}; see cohort.flow.")
    return SurvivalData(
        entry=read_only(rows.entry),
        exit=read_only(rows.exit),
        event=read_only(rows.event, np.int64),
        person=read_only(person, np.int64),
        arm=read_only(arm, np.int64),
        causes=(outcome.name, *outcome.competing),
        arms=study.arms_compared,
        frame=frame,
        baseline=mine,
        arm_column="arm",
        cluster=_cluster(study, mine),
        repeated=every,
        apart=tuple(name for name in _NO_COVARIATES if name in mine.columns),
        labels=MappingProxyType(labels_of(study, outcome)),
        notes=(*notes, *followed.notes),
    )


def _cluster(study: Study, baseline: pd.DataFrame) -> str | None:
    """Return the column whose groups vary together: the study's, or the person where one may have several sentences."""
    cluster = study.adjust.cluster if study.adjust else None
    if cluster is None:
        return "person_id" if study.eligibility.index == "all" else None
    if cluster not in baseline.columns:
        raise DesignError(
            f"[adjust] cluster: no column {cluster!r}. {did_you_mean(cluster, map(str, baseline.columns))}"
        )
    if missing := int(baseline[cluster].isna().sum()):
        raise DesignError(f"[adjust] cluster: column {cluster!r} is missing for {missing:,} people.")
    return cluster


def labels_of(study: Study, outcome: Outcome) -> dict[str, str]:
    """Return what every result of an outcome should print."""
    what = f"reoffending ({outcome.name})" if outcome.kind == "reoffence" else outcome.name.replace("_", " ")
    found = {
        "outcome": outcome.name,
        "unit": "days",
        "population": study.eligibility.population,
        "scale": study.follow_up.scale,
        "free_of": _listed([what, *outcome.competing]),
    }
    if outcome.negative_control:
        found["negative_control"] = "yes"
    if outcome.rule == "moj_window":
        found["proven_within"] = "six months after the year that counts"
    elif outcome.proving_period:
        found["proven_within"] = in_words(outcome.proving_period)
    return found


def _listed(words: list[str]) -> str:
    """Return words as a list in a sentence."""
    return " and ".join(part for part in (", ".join(words[:-1]), words[-1]) if part)
