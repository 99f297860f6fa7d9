"""Exposure that changes with time: nobody is classed by what they start later, and a row of time says where its person stood.

Everyone is sentenced on day 0 to a community order and followed for 600 days. A row reads ``from..to exposure state strand``, then
``voluntary`` and, in capitals, what ended it.
"""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd
import pytest
from small_courses import Course, courses, taken
from small_study import UNTREATED, Reframed, after, cohort, held, notes

import outcomes as oc

VARYING = {"strategy": "time_varying", "horizon": 600}


@dataclass(frozen=True)
class Case:
    why: str
    course: Course
    rows: list[str]


def case(why: str, *rows: str, **course: str) -> Case:
    return Case(why, Course(**course), list(rows))


CASES = [
    case("started nothing, referred to nothing: one row", "0..600 none not_referred none"),
    case("started after time zero", "0..30 none not_referred none", "30..100 manualised started core", "100..600 manualised completed none",
         attends="m1 30..100 completed"),
    case("started before time zero: exposed all along", "0..50 bespoke started core", "50..600 bespoke completed none",
         attends="b1 -10..50 completed"),
    case("started on time zero", "0..50 manualised started core", "50..600 manualised completed none", attends="m1 0..50 completed"),
    case("had left before time zero", "0..600 bespoke dropped_out none", attends="b1 -90..-20 dropped_out"),
    case("offended on the day of the start: not exposed yet", "0..30 none not_referred none ANY",
         attends="m1 30..100 completed", offends="30 violent"),
    case("offended the day after", "0..30 none not_referred none", "30..31 manualised started core ANY",
         attends="m1 30..100 completed", offends="31 violent"),
    case("would have started after the offence", "0..29 none not_referred none ANY",
         attends="m1 30..100 completed", offends="29 violent"),
    case("offended on the last day of the programme", "0..30 none not_referred none", "30..100 manualised started core ANY",
         attends="m1 30..100 completed", offends="100 violent"),
    case("offended on time zero, on which they started", "0..0.5 bespoke started core ANY",
         attends="b1 0..50 completed", offends="0 violent"),
    case("died on the day of the start", "0..30 none not_referred none DEATH", attends="m1 30..100 completed", leaves="30 death"),
    case("dropped out", "0..30 none not_referred none", "30..60 bespoke started core", "60..600 bespoke dropped_out none",
         attends="b1 30..60 dropped_out"),
    case("was removed: as who drops out", "0..30 none not_referred none", "30..60 bespoke started core",
         "60..600 bespoke dropped_out none", attends="b1 30..60 removed"),
    case("dropped out, then the other arm", "0..30 none not_referred none", "30..60 bespoke started core",
         "60..90 bespoke dropped_out none", "90..200 manualised started core", "200..600 manualised completed none",
         attends="b1 30..60 dropped_out; m1 90..200 completed"),
    case("ended with the order", "0..30 none not_referred none", "30..60 bespoke started core", "60..600 bespoke ended none",
         attends="b1 30..60 ended_order"),
    case("stayed on voluntarily after the order", "0..30 none not_referred none", "30..60 bespoke started core",
         "60..300 bespoke started core voluntary", "300..600 bespoke completed none",
         attends="b1 30..60 ended_order; b1 60..300 completed voluntary"),
    case("transferred, and went on the same day", "0..30 none not_referred none", "30..200 bespoke started core",
         "200..600 bespoke completed none", attends="b1 30..90 transferred; b1 90..200 completed"),
    case("core, then maintenance after a pause", "0..30 none not_referred none", "30..100 bespoke started core",
         "100..150 bespoke completed none", "150..400 bespoke started maintenance", "400..600 bespoke completed none",
         attends="b1 30..100 completed; b2 150..400 completed"),
    case("core and maintenance at once", "0..30 none not_referred none", "30..80 bespoke started core",
         "80..100 bespoke started core+maintenance", "100..300 bespoke started maintenance", "300..600 bespoke dropped_out none",
         attends="b1 30..100 completed; b2 80..300 dropped_out"),
    case("two arms at once: exposed to the later one, also when it is left", "0..30 none not_referred none", "30..50 bespoke started core",
         "50..300 manualised started core", "300..600 manualised completed none",
         attends="b1 30..300 completed; m1 50..80 dropped_out"),
    case("two arms on one day: the smaller id", "0..30 none not_referred none", "30..90 manualised started core",
         "90..600 manualised completed none", attends="m1 30..90 completed; b1 30..90 completed"),
    case("one day only", "0..30 none not_referred none", "30..600 bespoke dropped_out none", attends="b1 30..30 dropped_out"),
    case("has not left yet", "0..30 none not_referred none", "30..600 manualised started core", attends="m1 30.. ongoing"),
    case("completed, nobody recorded when", "0..30 none not_referred none", "30..600 manualised started core",
         attends="m1 30.. completed"),
    case("referred, never accepted", "0..20 none not_referred none", "20..600 none referred none", referred="m1 20 not_suitable"),
    case("referred before the sentence", "0..600 none referred none", referred="m1 -20 pending"),
    case("referred, then started", "0..10 none not_referred none", "10..30 none referred none", "30..600 bespoke started core",
         referred="b1 10 accepted", attends="b1 30.. ongoing"),
    case("referred again while attending", "0..30 none not_referred none", "30..600 bespoke started core",
         referred="b2 90 accepted", attends="b1 30.. ongoing"),
    case("a programme of no arm", "0..30 none not_referred none", "30..90 other started circle", "90..600 other completed none",
         attends="c1 30..90 completed"),
    case("a programme of no arm, then one of an arm", "0..30 none not_referred none", "30..60 other started circle",
         "60..90 bespoke started core+circle", "90..600 bespoke started core", attends="c1 30..90 completed; b1 60.. ongoing"),
    case("a programme of an arm, then one of none", "0..30 none not_referred none", "30..60 bespoke started core",
         "60..600 bespoke started core+circle", attends="b1 30.. ongoing; c1 60.. ongoing"),
]  # fmt: skip


@pytest.fixture(scope="module")
def tables() -> Reframed:
    return held(taken(*(each.course for each in CASES)))


@pytest.fixture(scope="module")
def found(tables: Reframed) -> oc.Cohort:
    return cohort(tables, **VARYING)


@pytest.fixture(scope="module")
def shown(found: oc.Cohort) -> dict[str, list[str]]:
    return courses(found)


@pytest.mark.parametrize("number", range(len(CASES)), ids=[each.why for each in CASES])
def test_rows_say_where_a_person_stood(shown: dict[str, list[str]], number: int) -> None:
    assert shown[f"p{number + 1}"] == CASES[number].rows


def test_everyone_is_followed_whether_they_ever_start_or_not(found: oc.Cohort) -> None:
    assert found.arms == ("all",)
    assert len(found.baseline) == len(CASES)
    assert set(found.baseline["time_zero"]) == {found.baseline["sentence_date"].iloc[0]}
    assert set(found.baseline["arm"]) == {"all"}
    assert not {"start_date", "referral_date", "site_id", "status", "exposure", "state"} & set(found.baseline)


def test_levels_are_those_somebody_has_in_a_fixed_order(found: oc.Cohort) -> None:
    frame = found.outcome("any").frame
    assert list(frame["exposure"].cat.categories) == ["none", "manualised", "bespoke", "other"]
    states = ["not_referred", "referred", "started", "completed", "dropped_out", "ended"]
    assert list(frame["state"].cat.categories) == states
    assert list(frame["strand"].cat.categories) == [
        "none",
        "core",
        "core+maintenance",
        "core+circle",
        "maintenance",
        "circle",
    ]
    assert frame["voluntary"].dtype == bool


def test_what_changes_is_by_row_and_not_in_the_baseline(found: oc.Cohort) -> None:
    data = found.outcome("any")
    assert data.varying == ("exposure", "state", "strand", "voluntary")
    assert not set(data.varying) & set(data.baseline)
    assert (data.arms, data.n) == (("all",), len(CASES))


def test_what_a_reader_must_know_is_noted(found: oc.Cohort) -> None:
    said = notes(found.outcome("any"))
    assert said["switched"].startswith("any: 2 people were exposed to one arm and later to another")
    assert said["ends_unknown"].startswith("any: 1 participations ended on a day nobody recorded")
    assert "is not chance" in said["time_varying_confounding"]
    assert "exposure_without_people" not in said
    assert set(notes(found)) <= {"time_varying_confounding", "far_data_cut"}


def test_people_who_started_nothing_may_be_called_as_the_study_calls_them(tables: Reframed) -> None:
    found = cohort(tables, arms=UNTREATED, reference="untreated", **VARYING)
    assert list(found.outcome("any").frame["exposure"].cat.categories) == [
        "untreated",
        "manualised",
        "bespoke",
        "other",
    ]
    assert courses(found)["p2"][0] == "0..30 untreated not_referred none"


def test_an_exposure_nobody_was_at_risk_with_is_no_level_and_is_said(tables: Reframed) -> None:
    began = tables.frame("participation").assign(programme_id=tables.programme_ids["m1"], start_date=0)
    everyone = [began.head(1).assign(participation_id=n, person_id=n, sentence_id=n) for n in range(1, len(CASES) + 1)]
    data = cohort(Reframed(tables, participation=pd.concat(everyone)), **VARYING).outcome("any")
    assert list(data.frame["exposure"].cat.categories) == ["manualised"]
    assert notes(data)["exposure_without_people"] == "any: nobody was at risk with exposure none or bespoke."


AWAY = [
    case("started inside", "0..50 none not_referred none", "80..100 manualised started core", "100..600 manualised completed none",
         attends="m1 60..100 completed", away="50..80 custody"),
    case("started and left inside", "0..50 none not_referred none", "80..600 manualised dropped_out none",
         attends="m1 60..70 dropped_out", away="50..80 custody"),
    case("started on the day of going in", "0..50 none not_referred none", "80..600 manualised started core",
         attends="m1 50.. ongoing", away="50..80 recall"),
    case("started on the day back", "0..50 none not_referred none", "80..600 manualised started core",
         attends="m1 80.. ongoing", away="50..80 recall"),
    case("offended on the day back, on which they started: not exposed yet", "0..50 none not_referred none",
         "80..80.5 none not_referred none ANY", attends="m1 80.. ongoing", away="50..80 recall", offends="80 violent"),
    case("left on the day back", "0..50 bespoke started core", "80..600 bespoke ended none",
         attends="b1 -5..80 ended_recall", away="50..80 recall"),
]  # fmt: skip


MORE = {
    "offends again and again": Course(attends="m1 30..100 completed", offends="30 violent; 60 violent; 200 violent"),
    "offends and dies on the day of the start": Course(
        attends="m1 60.. ongoing", offends="60 violent", leaves="60 death"
    ),
    "was in a programme when first observed": Course(attends="m1 30..100 completed"),
}


@pytest.fixture(scope="module")
def others() -> Reframed:
    return held(taken(*(each.course for each in AWAY), *MORE.values()))


def test_time_away_is_a_gap_and_the_course_goes_on_in_it(others: Reframed) -> None:
    shown = courses(cohort(others, scale="at_risk", **VARYING))
    for number, each in enumerate(AWAY, start=1):
        assert shown[f"p{number}"] == each.rows, each.why


def test_every_event_is_cut_like_the_first(others: Reframed) -> None:
    shown = courses(cohort(others, **VARYING), every=True)
    assert shown[f"p{len(AWAY) + 1}"] == [
        "0..30 none not_referred none ANY",
        "30..60 manualised started core ANY",
        "60..100 manualised started core",
        "100..200 manualised completed none ANY",
        "200..600 manualised completed none",
    ]
    assert shown[f"p{len(AWAY) + 2}"] == ["0..60 none not_referred none ANY", "60..60.5 none not_referred none DEATH"]


def test_who_is_observed_late_enters_as_they_stand_then(others: Reframed) -> None:
    shown = courses(cohort(others, observed_from=after(50), **VARYING))
    assert shown[f"p{len(AWAY) + 3}"] == ["50..100 manualised started core", "100..600 manualised completed none"]


def test_without_a_single_programme_there_is_one_row_a_person(others: Reframed) -> None:
    data = cohort(Reframed(others, participation=others.frame("participation").head(0)), **VARYING).outcome("any")
    assert not data.multi_row
    assert set(data.frame["exposure"]) == {"none"}
