"""Clones of a cohort: everyone in each arm they could still join, from the tables to rows that estimators take.

Everyone is sentenced on day 0 to a community order and followed for 600 days; a start counts up to day 100. A clone reads
``arm from..to``, its rows joined, and in capitals what ended it.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from small_courses import Course, taken
from small_study import UNTREATED, cohort, held

import outcomes as oc
from outcomes.errors import DesignError, EstimationError, NotSupportedError

CLONES: dict[str, Any] = {"strategy": "clone_censor_weight", "grace": 100, "horizon": 600}

CASES = {
    "started nothing": (Course(), "manualised 0..100", "bespoke 0..100", "untreated 0..600"),
    "started within the grace period": (
        Course(attends="m1 30..90 completed"), "manualised 0..600", "bespoke 0..30", "untreated 0..30",
    ),
    "started, dropped out, started the other: what follows a start is not looked at": (
        Course(attends="b1 30..40 dropped_out; m1 60..90 completed"), "manualised 0..30", "bespoke 0..600", "untreated 0..30",
    ),
    "started after it": (Course(attends="m1 101..200 completed"), "manualised 0..100", "bespoke 0..100", "untreated 0..600"),
    "had started before time zero": (Course(attends="b1 -20..90 completed"), "bespoke 0..600"),
    "offended before the start": (
        Course(attends="m1 30..90 completed", offends="20 violent"), "manualised 0..20 ANY", "bespoke 0..20 ANY", "untreated 0..20 ANY",
    ),
    "offended on the day of the start": (
        Course(attends="m1 30..90 completed", offends="30 violent"), "manualised 0..30 ANY", "bespoke 0..30 ANY", "untreated 0..30 ANY",
    ),
    "offended on the last day of the grace period, having started nothing": (
        Course(offends="100 violent"), "manualised 0..100 ANY", "bespoke 0..100 ANY", "untreated 0..100 ANY",
    ),
    "offended after the start": (
        Course(attends="m1 30..90 completed", offends="31 violent"), "manualised 0..31 ANY", "bespoke 0..30", "untreated 0..30",
    ),
    "died before the start": (Course(leaves="10 death"), "manualised 0..10 DEATH", "bespoke 0..10 DEATH", "untreated 0..10 DEATH"),
    "in a circle, which belongs to no arm": (
        Course(attends="c1 50..90 completed"), "manualised 0..100", "bespoke 0..100", "untreated 0..50",
    ),
}  # fmt: skip


def clones(found: oc.Cohort, *, every: bool = False) -> dict[str, list[str]]:
    """Return, by person, a line a clone."""
    data = found.every_event("any") if every else found.outcome("any")
    shown: dict[str, list[str]] = {}
    for clone, person in enumerate(data.baseline["person_id"]):
        mine = np.flatnonzero(data.person == clone)
        events = "".join(f" {data.causes[code - 1].upper()}" for code in data.event[mine] if code)
        pieces = [f"{data.entry[mine[0]]:g}"]
        for before, after in itertools.pairwise(mine):
            if data.exit[before] != data.entry[after]:
                pieces.append(f"{data.exit[before]:g} {data.entry[after]:g}")
        line = "..".join([*pieces, f"{data.exit[mine[-1]]:g}"])
        shown.setdefault(f"p{person:02}", []).append(f"{data.arms[data.arm[clone]]} {line}{events}")
    return shown


@pytest.fixture(scope="module")
def everyone() -> oc.Cohort:
    return cohort(held(taken(*(course for course, *_ in CASES.values()))), arms=UNTREATED, **CLONES)


@pytest.mark.parametrize("why", CASES)
def test_each_arm_a_person_could_join_has_a_clone_until_it_does_something_else(everyone: oc.Cohort, why: str) -> None:
    place = list(CASES).index(why) + 1
    assert sorted(clones(everyone)[f"p{place:02}"]) == sorted(CASES[why][1:])


def test_the_cohort_is_everyone_and_knows_no_start(everyone: oc.Cohort) -> None:
    assert everyone.arms == ("all",)
    assert len(everyone.baseline) == len(CASES)
    assert not {"start_date", "status", "assigned_date"} & set(everyone.baseline.columns)


def test_rows_are_cut_at_the_months_of_the_grace_period(everyone: oc.Cohort) -> None:
    data = everyone.outcome("any")
    untreated = [
        n
        for n in range(len(data.baseline))
        if data.baseline["person_id"][n] == 1 and data.arms[data.arm[n]] == "untreated"
    ]
    assert data.entry[data.person == untreated[0]].tolist() == [0, 33, 66, 100]


def test_a_person_and_what_is_known_of_them_stand_once_for_each_arm(everyone: oc.Cohort) -> None:
    data = everyone.outcome("any")
    assert data.arms == ("manualised", "bespoke", "untreated")
    assert data.cluster == "person_id"
    assert data.baseline["arm"].tolist() == [data.arms[code] for code in data.arm]
    assert data.clones is not None
    assert data.baseline.groupby("person_id")["age_at_time_zero"].nunique().max() == 1


def test_a_note_says_that_people_stand_in_several_arms_and_weights_are_needed(everyone: oc.Cohort) -> None:
    said = [note.text for note in everyone.outcome("any").notes if note.code == "clones"]
    assert any("11 people stand as 31 clones" in text and "censoring_weights" in text for text in said)


def test_every_event_of_a_clone_counts_until_it_departs() -> None:
    found = cohort(
        held(taken(Course(attends="b1 30..90 completed", offends="10 violent; 50 violent"), Course())), **CLONES
    )
    assert clones(found, every=True)["p01"] == ["manualised 0..30 ANY", "bespoke 0..600 ANY ANY"]


def test_time_away_is_a_gap_and_a_clone_that_departs_in_it_has_left_before() -> None:
    one = Course(attends="b1 50..90 completed", away="40..60 custody")
    found = cohort(held(taken(one, Course())), scale="at_risk", **CLONES)
    assert clones(found)["p01"] == ["manualised 0..40", "bespoke 0..40 60..600"]


@pytest.mark.parametrize(
    ("study", "error", "message"),
    [
        ({"window": 90}, DesignError, r"\[arms\] window looks at starts that are still to come"),
        ({"if_both": "exclude"}, DesignError, r"\[arms\] if_both looks at starts that are still to come"),
        ({"observed_from": "2010-01-20"}, DesignError, r"\[follow_up\] observed_from has people enter late"),
        ({"scale": "community"}, NotSupportedError, r"Take scale = 'at_risk'"),
    ],
)
def test_what_looks_ahead_or_stops_the_clock_is_refused(
    study: dict[str, Any], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        cohort(held(taken(Course(), Course())), **(CLONES | study))


def test_an_arm_that_nobody_could_join_is_said() -> None:
    begun = Course(attends="b1 -20..90 completed")
    with pytest.raises(DesignError, match=r"nobody could still join arm 'manualised' at time zero"):
        cohort(held(taken(begun, begun)), **CLONES).outcome("any")


def test_a_propensity_score_of_clones_is_refused(everyone: oc.Cohort) -> None:
    with pytest.raises(EstimationError, match=r"Take censoring_weights"):
        oc.weight(everyone.outcome("any"), "age_at_time_zero", estimand="ate")
