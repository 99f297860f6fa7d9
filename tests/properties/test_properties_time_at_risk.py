"""Who is compared and when they were at risk: what a plain loop over days says, and what must not change."""

from __future__ import annotations

import dataclasses
import itertools
from collections import Counter
from random import Random
from typing import Any

import pandas as pd
from by_hand import ImmortalTime, Lists, Told, as_lists, compared_by_hand
from by_hand_time import Interval, at_risk_by_hand
from drawn_extracts import FIRST, IN_COMMUNITY, LATEST, OUTCOMES, extracts, loaded, on_scale, studies, typed
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from small_study import Reframed

import outcomes as oc
from outcomes.design.study import Study
from outcomes.errors import DesignError
from outcomes.loading.schema import SCHEMA

Frames = dict[str, pd.DataFrame]

SCALES = ("calendar", "at_risk", "community")
KNOWN = ("age_at_time_zero", "wait_days", "period", "risk_score", "risk_band", "denial", "learning_disability", "sex")
NEVER = "no sentence in the extract"
OF_PEOPLE = ("people", "sentences", "assessments", "referrals", "participation", "spells", "reoffences", "exits")
IDS = ("person_id", "sentence_id", "referral_id", "participation_id", "reoffence_id")
SEEN = {"calendar": "recalled", "at_risk": "any", "community": "sexual"}  # on each scale one outcome is looked at
MORE = 5000  # added to the ids of further people


def _cohort(frames: Frames, study: Study, origin: str = "undisclosed") -> oc.Cohort | str:
    """Return the cohort, or why there is none."""
    try:
        return oc.build_cohort(Reframed(loaded(), origin=origin, **frames), study)
    except DesignError as error:
        return str(error)


def _intervals(found: oc.Cohort, scale: str, name: str, every: bool) -> dict[int, list[Interval]] | str:
    """Return the intervals of each sentence on a scale, or why there are none."""
    there = dataclasses.replace(found, study=on_scale(found.study, scale))
    try:
        data = there.every_event(name) if every else there.outcome(name)
    except DesignError as error:
        return str(error)
    causes = (None, *data.causes)
    rows: dict[int, list[Interval]] = {}
    sentences = data.frame["sentence_id"]
    for sentence, entry, leave, event in zip(sentences, data.entry, data.exit, data.event, strict=True):
        rows.setdefault(int(sentence), []).append((float(entry), float(leave), causes[event]))
    return rows


@st.composite
def _asked(draw: st.DrawFn, number: int = 3) -> tuple[str, list[tuple[str, bool]]]:
    """Draw a scale, and outcomes on it: each as the first event, and (where there is one) as every event."""
    scale = draw(st.sampled_from(SCALES))
    names = sorted(OUTCOMES | (IN_COMMUNITY if scale == "calendar" else {}))
    repeated = (False, True) if scale != "community" else (False,)
    asked = [(name, every) for name in names for every in repeated]
    return scale, draw(st.lists(st.sampled_from(asked), min_size=number, max_size=number, unique=True))


@settings(max_examples=8)
@given(frames=extracts(), study=studies(), asked=_asked(), origin=st.sampled_from(["undisclosed", "1970-01-01"]))
def test_a_cohort_is_what_a_loop_over_people_and_days_says(
    frames: Frames, study: Study, asked: tuple[str, list[tuple[str, bool]]], origin: str
) -> None:
    lists, found = as_lists(frames), _cohort(frames, study, origin)
    try:
        told = compared_by_hand(lists, study, origin)
    except ImmortalTime:
        assert "immortal time" in str(found)
        return
    kept = [t for t in told if t.reason is None]
    if {t.arm for t in kept} != set(study.arms.names):
        assert "is empty" in str(found)
        return
    assert isinstance(found, oc.Cohort), found
    _same_people(found, kept)
    assert _leaving(found) == _leaving_by_hand(told, lists, study)
    scale, outcomes = asked
    there = on_scale(study, scale)
    for name, every in outcomes:
        if name not in there.outcomes:
            continue
        by_hand = {t.sentence: at_risk_by_hand(t, lists, there, there.outcomes[name], every) for t in kept}
        by_hand = {sentence: intervals for sentence, intervals in by_hand.items() if intervals}
        if {t.arm for t in kept if t.sentence in by_hand} != set(study.arms.names):
            assert "has follow-up" in str(_intervals(found, scale, name, every))
        else:
            assert _intervals(found, scale, name, every) == by_hand, (scale, name, every)


def _same_people(found: oc.Cohort, kept: list[Told]) -> None:
    kept = sorted(kept, key=lambda t: (t.person, t.sentence))
    rows = as_lists({"baseline": found.baseline})["baseline"]
    assert [(r["sentence_id"], r["person_id"], r["arm"], r["time_zero"]) for r in rows] == [
        (t.sentence, t.person, t.arm, t.time_zero) for t in kept
    ]
    columns = [*KNOWN, *(name for name in found.baseline if name.startswith("eligible_"))]
    for row, t in zip(rows, kept, strict=True):
        assert {name: row[name] for name in columns} == {name: (t.known or {})[name] for name in columns}


def _leaving(found: oc.Cohort) -> Counter[tuple[str, str]]:
    """Return how many left, by arm and reason."""
    frame = found.flow.to_frame()
    frame = frame[(frame["arm"] != "all") & (frame["n_leaving"] > 0)]
    return Counter({(row["arm"], row["reason"]): row["n_leaving"] for row in frame.to_dict("records")})


def _leaving_by_hand(told: list[Told], lists: Lists, study: Study) -> Counter[tuple[str, str]]:
    sentenced = {row["person_id"] for row in lists["sentences"]}
    never = [("no arm", NEVER) for row in lists["people"] if row["person_id"] not in sentenced]
    if study.eligibility.index == "all":  # sentences are counted, not people
        never = []
    return Counter([*((t.arm or "no arm", t.reason) for t in told if t.reason is not None), *never])


def _seen(found: oc.Cohort | str, *scales: str) -> Any:
    """Return all that a cohort says: who is compared, who left, and what befell them on these scales (default: every)."""
    if isinstance(found, str):
        return found
    rows = as_lists({"baseline": found.baseline})["baseline"]
    people = {
        row["sentence_id"]: [row[name] for name in ("person_id", "arm", *KNOWN) if name != "period"] for row in rows
    }
    asked = [
        (scale, name, every) for scale, name in SEEN.items() for every in (False, True)[: 1 + (scale != "community")]
    ]
    told = {each: _intervals(found, *each) for each in asked if each[0] in (scales or SCALES)}
    return people, _leaving(found), told


@settings(max_examples=2)
@given(frames=extracts(), study=studies(), days=st.integers(-13_000, 13_000))
def test_other_days_to_count_from_change_nothing(frames: Frames, study: Study, days: int) -> None:
    moved = {
        name: frame.assign(**{c.name: frame[c.name] + days for c in SCHEMA[name].columns if c.kind == "date"})
        for name, frame in frames.items()
    }
    follow_up = study.follow_up
    observed = None if follow_up.observed_from is None else follow_up.observed_from + days
    later = dataclasses.replace(follow_up, data_cut=follow_up.data_cut + days, observed_from=observed)
    assert _seen(_cohort(moved, study.replace(follow_up=later))) == _seen(_cohort(frames, study))


@settings(max_examples=3)
@given(frames=extracts(), study=studies(), order=st.randoms(use_true_random=False))
def test_neither_the_order_of_rows_nor_spells_cut_in_pieces_change_anything(
    frames: Frames, study: Study, order: Random
) -> None:
    pieces: list[dict[str, Any]] = []
    for row in as_lists(frames)["spells"]:
        end = row["start_date"] + 30 if row["end_date"] is None else row["end_date"]
        cuts = sorted(order.randint(row["start_date"], end) for _ in range(order.randint(0, 2)))
        edges = [row["start_date"], *cuts, row["end_date"]]
        pieces += [{**row, "start_date": a, "end_date": b} for a, b in itertools.pairwise(edges)]
    cut = frames | {"spells": typed("spells", pieces)}
    turned = {name: frame.sample(frac=1, random_state=order.randint(0, 999)) for name, frame in cut.items()}
    assert _seen(_cohort(turned, study)) == _seen(_cohort(frames, study))


@settings(max_examples=2)
@given(frames=extracts(), study=studies(), later=st.integers(1, 30))
def test_what_happens_after_the_data_end_changes_nothing(frames: Frames, study: Study, later: int) -> None:
    found = _cohort(frames, study)
    assume(isinstance(found, oc.Cohort))
    day = max(study.follow_up.data_cut, FIRST + LATEST) + later
    longer = _with_more(frames, dict.fromkeys(found.baseline["person_id"], day), "reoffences", "spells", "exits")
    assert _seen(_cohort(longer, study)) == _seen(found)


@settings(max_examples=2)
@given(frames=extracts(), study=studies(), later=st.integers(1, 30))
def test_what_happens_after_the_horizon_changes_nothing(frames: Frames, study: Study, later: int) -> None:
    found = _cohort(frames, study)
    assume(isinstance(found, oc.Cohort))
    days = found.baseline.groupby("person_id")["time_zero"].max() + int(study.follow_up.horizon) + later
    longer = _with_more(frames, days.to_dict(), "reoffences", "spells")
    on_calendar_time = SCALES[:2]  # on their own clock people reach the horizon later
    assert _seen(_cohort(longer, study), *on_calendar_time) == _seen(found, *on_calendar_time)


def _with_more(frames: Frames, days: dict[int, int], *tables: str) -> Frames:
    """Return tables in which a man offends, is recalled for good, or dies on a day of his own."""
    more = [
        {
            "reoffence_id": 1000 + person, "person_id": person, "offence_date": day, "proven_date": day, "exit_date": day,
            "offence_type": "violent", "severity": 1, "start_date": day, "state": "recall", "reason": "death",
        }
        for person, day in days.items()
    ]  # fmt: skip
    return frames | {name: pd.concat([frames[name], typed(name, more)]) for name in tables}


@settings(max_examples=2)
@given(frames=extracts(), study=studies(), others=extracts(people=(1, 3)))
def test_more_people_change_nothing_for_the_others(frames: Frames, study: Study, others: Frames) -> None:
    alone = _cohort(frames, study)
    assume(isinstance(alone, oc.Cohort))
    found = _cohort(frames | {name: pd.concat([frames[name], _renumbered(others[name])]) for name in OF_PEOPLE}, study)
    assume("immortal time" not in str(found))
    people, _, told = _seen(alone)
    everyone, _, more = _seen(found)
    assert {sentence: known for sentence, known in everyone.items() if sentence < MORE} == people
    for asked, rows in told.items():
        if not isinstance(rows, str):
            assert {sentence: intervals for sentence, intervals in more[asked].items() if sentence < MORE} == rows


def _renumbered(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.assign(**{name: frame[name] + MORE for name in frame if name.endswith("_id") and name in IDS})


@settings(max_examples=3)
@given(frames=extracts(), study=studies(), name=st.sampled_from(["any", "sexual", "drop_out"]))
def test_with_time_away_left_out_people_are_at_risk_as_long_as_their_own_clock_says(
    frames: Frames, study: Study, name: str
) -> None:
    study = study.replace(follow_up=dataclasses.replace(study.follow_up, horizon=5000))  # the data end before it
    found = _cohort(frames, study)
    assume(isinstance(found, oc.Cohort))
    gaps, own = (_intervals(found, scale, name, False) for scale in ("at_risk", "community"))
    assume(isinstance(gaps, dict) and isinstance(own, dict))
    assert gaps.keys() == own.keys()
    for sentence, rows in gaps.items():
        ((entry, leave, cause),) = own[sentence]
        assert sum(b - a for a, b, _ in rows) == leave - entry
        assert rows[-1][2] == cause
        assert all(a < b <= c for (a, b, _), (c, _, _) in itertools.pairwise(rows))
