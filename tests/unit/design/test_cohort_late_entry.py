"""Data that speak from a day on (``observed_from``): whose time zero came before enters late. Here from day 100; data until day 730.

Nobody who enters late can have had an event before: whoever had one is not there, and counts neither as event nor as time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import pytest
from small_lives import Life, lived
from small_study import Reframed, after, cohort, held, intervals, notes

import outcomes as oc

CUT = "2012-04-10"
FROM = after(100)
Row = tuple[float, float, str]


@dataclass(frozen=True)
class Case:
    why: str
    life: Life
    calendar: list[Row]
    at_risk: list[Row]
    community: list[Row]


def same(why: str, life: Life, *expected: Row) -> Case:
    """Return a case that is the same on all scales: nobody is away."""
    return Case(why, life, list(expected), list(expected), list(expected))


CASES = [
    same("time zero 100 days before: enters on day 100", Life(), (100, 730, "")),
    same("time zero ten days before: enters on day 10", Life(started=90), (10, 640, "")),
    same("time zero on the first day observed: from the start", Life(started=100), (0, 630, "")),
    same("time zero later: from the start", Life(started=150), (0, 580, "")),
    same("offended once observed", Life(offends="300 violent"), (100, 300, "any")),
    same("offended on the first day observed: half a day", Life(offends="100 violent"), (100, 100.5, "any")),
    same("offended before, and so never enters", Life(offends="50 violent")),
    same("nor with a second offence", Life(offends="50 violent; 300 violent")),
    same("died before", Life(leaves="50 death")),
    same("died on the first day observed", Life(leaves="100 death"), (100, 100.5, "death")),
    same("lost on the first day observed: no time at risk", Life(leaves="100 lost")),
    same("lost later", Life(leaves="400 lost"), (100, 400, "")),
    Case("away when observation starts: the clock read 50", Life(away="50..200 custody"),
         [(100, 730, "")], [(200, 730, "")], [(50, 580, "")]),
    Case("away and back before it starts: the clock reads 60", Life(away="20..60 custody"),
         [(100, 730, "")], [(100, 730, "")], [(60, 690, "")]),
    Case("away later", Life(away="200..300 custody"),
         [(100, 730, "")], [(100, 200, ""), (300, 730, "")], [(100, 630, "")]),
    Case("back on the first day observed", Life(away="50..100 custody"),
         [(100, 730, "")], [(100, 730, "")], [(50, 680, "")]),
    Case("away from the first day observed", Life(away="100..150 custody"),
         [(100, 730, "")], [(150, 730, "")], [(100, 680, "")]),
    Case("away from before, offended on the day back", Life(away="50..200 custody", offends="200 violent"),
         [(100, 200, "any")], [(200, 200.5, "any")], [(50, 50.5, "any")]),
    Case("away before, and never back", Life(away="50.. custody"),
         [(100, 730, "")], [], []),
]  # fmt: skip


@pytest.fixture(scope="module")
def people() -> Reframed:
    return held(lived(*(case.life for case in CASES)))


@pytest.fixture(scope="module")
def found(people: Reframed) -> dict[str, oc.Cohort]:
    scales = ("calendar", "at_risk", "community")
    return {scale: cohort(people, data_cut=CUT, observed_from=FROM, scale=scale) for scale in scales}


@pytest.fixture(scope="module")
def shown(found: dict[str, oc.Cohort]) -> dict[str, dict[str, list[Row]]]:
    return {scale: intervals(each) for scale, each in found.items()}


@pytest.mark.parametrize("scale", ["calendar", "at_risk", "community"])
@pytest.mark.parametrize("number", range(len(CASES)), ids=[case.why for case in CASES])
def test_time_before_the_first_day_observed_is_not_at_risk(
    shown: dict[str, dict[str, list[Row]]], number: int, scale: str
) -> None:
    assert shown[scale].get(f"p{number + 1}", []) == getattr(CASES[number], scale)


def test_who_enters_late_and_who_had_gone_before_is_said(found: dict[str, oc.Cohort]) -> None:
    said = notes(found["calendar"].outcome("any"))
    late = [case for case in CASES if case.calendar and case.calendar[0][0] > 0]
    assert said["late_entry"].startswith(f"any: {len(late)} people enter late, on the first day observed")
    assert said["ended_before_observed"].startswith("any: 4 people had left before the first day observed")


def test_where_everything_is_observed_nobody_enters_late(people: Reframed) -> None:
    early, whole = cohort(people, data_cut=CUT, observed_from=after(-31)), cohort(people, data_cut=CUT)
    assert intervals(early) == intervals(whole)
    assert "late_entry" not in notes(early.outcome("any"))


def test_a_horizon_counts_from_time_zero_not_from_entry(people: Reframed) -> None:
    found = intervals(cohort(people, data_cut=CUT, observed_from=FROM, horizon=300))
    assert (found["p1"], found["p2"], found["p3"]) == ([(100, 300, "")], [(10, 300, "")], [(0, 300, "")])


def test_offences_before_the_first_day_observed_are_no_events_of_a_count(people: Reframed) -> None:
    found = intervals(cohort(people, data_cut=CUT, observed_from=FROM), every=True)
    assert found["p6"] == [(100, 100.5, "any"), (100.5, 730, "")]
    assert found["p7"] == [(100, 730, "")]  # counts go on whatever came before
    assert found["p8"] == [(100, 300, "any"), (300, 730, "")]


def test_a_window_from_time_zero_is_not_known_of_who_entered_late(found: dict[str, oc.Cohort]) -> None:
    within = found["calendar"].within("any", 200).people["within"].tolist()
    assert [math.isnan(each) for each in within[:4]] == [True, True, False, False]
    days = found["calendar"].days_in_community(200).people["days_in_community"].tolist()
    assert [math.isnan(each) for each in days[:4]] == [True, True, False, False]


def test_data_that_speak_only_after_they_end_are_refused(people: Reframed) -> None:
    with pytest.raises(oc.OutcomesError, match=r"\[follow_up\] observed_from lies on or after data_cut"):
        cohort(people, data_cut=CUT, observed_from=CUT)
