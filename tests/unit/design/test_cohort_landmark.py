"""A landmark: 90 days after the sentence people are classed by what they had started by then, and time counts from that day.

Everyone is sentenced on day 0 to a community order; the landmark is day 90. The last usable day is 730, which is 640 after it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from small_lives import Life, lived
from small_study import (
    UNTREATED,
    Reframed,
    after,
    cohort,
    compared,
    extract,
    held,
    intervals,
    left,
    notes,
    outcome,
    small_study,
)

import outcomes as oc
from outcomes.errors import DesignError, NotSupportedError

LANDMARK: dict[str, Any] = {"strategy": "landmark", "grace": 90, "data_cut": "2012-04-10"}
Row = tuple[float, float, str]


@dataclass(frozen=True)
class Start:
    why: str
    life: Life
    arm: str | None  # of those compared where the arms are two programmes
    or_untreated: str | None  # and where people who started nothing are an arm as well


STARTS = [
    Start("started before the landmark", Life(programme="m1", sentenced=0, started=30), "manualised", "manualised"),
    Start("started on the landmark", Life(programme="b1", sentenced=0, started=90), "bespoke", "bespoke"),
    Start("started the day after: had started nothing by then", Life(programme="m1", sentenced=0, started=91), None, "untreated"),
    Start("started two years later", Life(programme="b1", sentenced=0, started=700), None, "untreated"),
    Start("started nothing", Life(programme="-", sentenced=0, started=None), None, "untreated"),
    Start("started on the day of the sentence", Life(programme="b2", sentenced=0, started=0), "bespoke", "bespoke"),
    Start("died before the landmark", Life(programme="m1", sentenced=0, started=30, leaves="89 death"), None, None),
    Start("died on it", Life(programme="m1", sentenced=0, started=30, leaves="90 death"), "manualised", "manualised"),
    Start("the landmark is the day before the last usable one", Life(programme="m1", sentenced=639, started=640),
          "manualised", "manualised"),
    Start("the landmark is the last usable day", Life(programme="m1", sentenced=640, started=640), None, None),
]  # fmt: skip


@pytest.fixture(scope="module")
def starts() -> Reframed:
    return held(lived(*(case.life for case in STARTS)))


def _named(attribute: str) -> dict[str, str]:
    return {f"p{n}": arm for n, case in enumerate(STARTS, start=1) if (arm := getattr(case, attribute))}


def test_the_arm_is_what_was_started_by_the_landmark(starts: Reframed) -> None:
    found = cohort(starts, **LANDMARK)
    assert compared(found) == _named("arm")
    assert left(found) == {
        "started no programme of an arm": 3,
        "left observation before time zero": 1,
        "no follow-up before the data cut less the proving period": 1,
    }


def test_who_had_started_nothing_by_the_landmark_is_untreated_whatever_came_later(starts: Reframed) -> None:
    assert compared(cohort(starts, arms=UNTREATED, **LANDMARK)) == _named("or_untreated")


def test_time_zero_is_the_landmark(starts: Reframed) -> None:
    found = compared(cohort(starts, **LANDMARK), "time_zero", "wait_days")
    assert {found[person] for person in ("p1", "p2", "p6", "p8")} == {(after(90), 90.0)}


def test_of_two_started_by_the_landmark_the_first_counts() -> None:
    tables = extract(
        f"p1 m1 community 2010-01-01 - {after(30)}",
        f"p2 b1 community 2010-01-01 - {after(30)}",
        f"p3 b1 community 2010-01-01 - {after(30)}",
        also=[f"s2 m1 {after(60)}", f"s3 m1 {after(95)}"],  # p2 by the landmark, p3 after it
    )
    assert compared(cohort(tables, **LANDMARK)) == {"p1": "manualised", "p2": "bespoke", "p3": "bespoke"}
    one_only = cohort(tables, if_both="exclude", **LANDMARK)
    assert compared(one_only) == {"p1": "manualised", "p3": "bespoke"}  # what p3 did later decides nothing


def test_after_custody_the_landmark_counts_from_release() -> None:
    tables = extract(
        "p1 m1 custody 2008-01-01 2010-01-01 2008-06-01",  # started inside
        f"p2 b1 custody 2008-01-01 2010-01-01 {after(90)}",
        f"p3 b1 custody 2008-01-01 2010-01-01 {after(91)}",
        "p4 b1 custody 2008-01-01 - 2008-06-01",  # not released
    )
    found = cohort(tables, **LANDMARK)
    assert compared(found, "arm", "time_zero") == {
        "p1": ("manualised", after(90)),
        "p2": ("bespoke", after(90)),
    }
    assert left(found) == {"started no programme of an arm": 1, "not released or started yet": 1}


@dataclass(frozen=True)
class Case:
    why: str
    away: str
    offends: str
    leaves: str
    calendar: list[Row]
    at_risk: list[Row]
    community: list[Row]


def same(why: str, *expected: Row, offends: str = "", leaves: str = "", away: str = "") -> Case:
    """Return a case that is the same on all scales."""
    return Case(why, away, offends, leaves, list(expected), list(expected), list(expected))


CASES = [
    same("nothing happened", (0, 640, "")),
    same("offended after the landmark", (0, 110, "any"), offends="200 violent"),
    same("offended the day after the landmark", (0, 1, "any"), offends="91 violent"),
    same("offended on the landmark: half a day, as on any time zero", (0, 0.5, "any"), offends="90 violent"),
    same("offended the day before: no longer there", offends="89 violent"),
    same("offended before and after: no longer there", offends="50 violent; 200 violent"),
    same("offended before, proven too late to count", (0, 640, ""), offends="50..200 violent"),
    same("offended before, in custody", (0, 640, ""), offends="50 violent", away="40..60 custody"),
    same("died on the landmark", (0, 0.5, "death"), leaves="90 death"),
    same("died after it", (0, 10, "death"), leaves="100 death"),
    same("away and back before the landmark", (0, 640, ""), away="20..60 custody"),
    Case("away over the landmark", "50..150 custody", "", "", [(0, 640, "")], [(60, 640, "")], [(0, 580, "")]),
    Case("away after it", "190..290 recall", "", "", [(0, 640, "")], [(0, 100, ""), (200, 640, "")], [(0, 540, "")]),
    Case("away over the landmark, offended on the day back", "50..150 custody", "150 violent", "",
         [(0, 60, "any")], [(60, 60.5, "any")], [(0, 0.5, "any")]),
    Case("away over the landmark and never back", "50.. custody", "", "", [(0, 640, "")], [], []),
]  # fmt: skip


@pytest.fixture(scope="module")
def people() -> Reframed:
    lives = (Life(sentenced=0, started=30, away=case.away, offends=case.offends, leaves=case.leaves) for case in CASES)
    return held(lived(*lives))


@pytest.fixture(scope="module")
def found(people: Reframed) -> dict[str, oc.Cohort]:
    return {scale: cohort(people, scale=scale, **LANDMARK) for scale in ("calendar", "at_risk", "community")}


@pytest.fixture(scope="module")
def shown(found: dict[str, oc.Cohort]) -> dict[str, dict[str, list[Row]]]:
    return {scale: intervals(each) for scale, each in found.items()}


@pytest.mark.parametrize("scale", ["calendar", "at_risk", "community"])
@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.why for case in CASES])
def test_time_counts_from_the_landmark(shown: dict[str, dict[str, list[Row]]], number: int, scale: str) -> None:
    assert shown[scale].get(f"p{number + 1}", []) == getattr(CASES[number], scale)


def test_who_was_no_longer_there_on_the_landmark_is_said(found: dict[str, oc.Cohort]) -> None:
    said = notes(found["calendar"].outcome("any"))
    assert said["before_the_landmark"].startswith("any: 2 people had an event or left before the landmark")


def test_the_offence_that_counts_half_a_day_is_the_one_on_the_landmark(found: dict[str, oc.Cohort]) -> None:
    assert notes(found["calendar"].outcome("any"))["on_time_zero"].startswith("any: 1 offences fell on the day of time")


def test_an_offence_on_the_day_of_the_sentence_came_before_the_landmark() -> None:
    tables = lived(Life(sentenced=0, started=30, offends="0 violent"), Life(sentenced=0), Life(sentenced=0))
    data = cohort(tables, **LANDMARK).outcome("any")
    assert "on_time_zero" not in notes(data)
    assert data.n == 2


def test_recalled_before_the_landmark_where_recall_competes(people: Reframed) -> None:
    tables = lived(
        Life(sentenced=0, started=30, away="40..60 recall"),  # no longer there
        Life(sentenced=0, started=30, away="190..200 recall"),
        Life(sentenced=0, started=30, away="40..60 hospital"),
    )
    found = cohort(tables, outcomes={"any": outcome(competing=("death", "recall"))}, **LANDMARK)
    assert intervals(found) == {"p2": [(0, 100, "recall")], "p3": [(0, 640, "")]}


@pytest.mark.parametrize("scale", ["calendar", "at_risk", "community"])
def test_a_horizon_counts_from_the_landmark(people: Reframed, scale: str) -> None:
    found = intervals(cohort(people, scale=scale, horizon=110, **LANDMARK))
    assert (found["p1"], found["p2"]) == ([(0, 110, "")], [(0, 110, "any")])


def test_all_offences_from_the_landmark_on_count_whatever_came_before(found: dict[str, oc.Cohort]) -> None:
    shown = intervals(found["calendar"], every=True)
    assert shown["p6"] == [(0, 110, "any"), (110, 640, "")]  # offended on day 50 too
    assert shown["p4"] == [(0, 0.5, "any"), (0.5, 640, "")]


@pytest.mark.parametrize(("seen_from", "entry"), [(60, 0), (90, 0), (120, 30)])
def test_late_entry_counts_from_the_landmark_too(people: Reframed, seen_from: int, entry: int) -> None:
    found = intervals(cohort(people, observed_from=after(seen_from), **LANDMARK))
    assert found["p1"] == [(entry, 640, "")]


def test_windows_from_a_landmark_are_refused(found: dict[str, oc.Cohort]) -> None:
    for asked in (lambda each: each.within("any", 100), lambda each: each.days_in_community(100)):
        with pytest.raises(NotSupportedError, match=r"strategy = 'landmark' take cohort\.outcome"):
            asked(found["calendar"])


@pytest.mark.parametrize(
    ("study", "said"),
    [(LANDMARK, "let grace say how soon a start counts"), ({"assigned_by": "provision", "population": "both"}, "goes by neither")],
    ids=["landmark", "provision"],
)  # fmt: skip
def test_a_window_for_starts_is_refused_where_something_else_says_which_count(study: dict[str, Any], said: str) -> None:
    assert small_study(**study).arms.window is None
    with pytest.raises(DesignError, match=said):
        small_study(window=30, **study)
