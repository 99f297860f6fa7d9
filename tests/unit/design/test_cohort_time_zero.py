"""From when follow-up counts: release, start, sentence or referral; one index sentence a person; nobody is classed by the future."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from small_study import (
    UNTREATED,
    Reframed,
    after,
    as_days,
    cohort,
    compared,
    exits,
    extract,
    held,
    left,
    notes,
    on_duckdb,
    small_study,
)
from small_tables import rows

import outcomes as oc
from outcomes.design.time_zero import add_time_zero
from outcomes.errors import DesignError


@pytest.fixture(scope="module")
def settings() -> Reframed:
    return held(
        extract(
            "p1 m1 custody 2008-01-01 2010-01-01 2008-06-01",  # programme inside
            "p2 m1 community 2010-01-01 - 2010-02-01",
            "p3 b1 custody 2008-01-01 2010-01-01 2010-03-02",  # programme after release
            "p4 b1 community 2010-02-01 - 2010-02-01",
            "p5 b1 custody 2008-01-01 - 2008-06-01",  # not released yet
        )
    )


def test_time_zero_is_release_from_custody_and_the_start_in_the_community(settings: Reframed) -> None:
    found = cohort(settings)
    assert compared(found, "time_zero", "wait_days") == {
        "p1": ("2010-01-01", 0.0),
        "p2": ("2010-02-01", 31.0),  # days since the sentence
        "p3": ("2010-03-02", 60.0),  # days since release
        "p4": ("2010-02-01", 0.0),
    }
    assert left(found) == {"not released or started yet": 1}


def zeros(*lines: str, **study: Any) -> list[int | None]:
    """Return time zero of sentences ``setting sentenced released assigned started referred``."""
    days = ["sentence_date", "release_date", "assigned_date", "start_date", "referral_date"]
    table = rows(" ".join(["setting", *days]), *lines)
    table = table.assign(**{day: pd.array(pd.to_numeric(table[day]), dtype="Int64") for day in days}, arm="manualised")
    found = add_time_zero(on_duckdb(table), small_study(**study)).to_native().df()["time_zero"]
    return [None if pd.isna(day) else int(day) for day in found]


@pytest.mark.parametrize(
    ("event", "expected"),
    [
        ("auto", [100, 50, 150, None, None]),
        ("release", [100, 20, 100, None, 20]),
        ("start", [30, 50, 150, 30, None]),
        ("sentence", [10, 20, 10, 10, 20]),
        ("referral", [25, 45, 140, None, None]),
    ],
)
def test_each_event_has_its_day(event: str, expected: list[int | None]) -> None:
    sentences = (
        "custody 10 100 30 30 25",  # inside
        "community 20 - 50 50 45",
        "custody 10 100 150 150 140",  # after release
        "custody 10 - 30 30 -",  # inside, not released yet
        "community 20 - - - -",  # never
    )
    assert zeros(*sentences, event=event) == expected


@pytest.mark.parametrize(
    "study",
    [
        {"arms": UNTREATED},
        {"assigned_by": "provision", "population": "caseload"},
        {"strategy": "time_varying"},
        {"strategy": "clone_censor_weight", "grace": 90},
    ],
    ids=["an arm started nothing", "what was on offer", "time-varying", "clones"],
)
def test_where_nothing_may_depend_on_the_start_auto_is_release_or_sentence_for_all(study: dict[str, Any]) -> None:
    assert zeros("custody 10 100 150 150 -", "community 20 - - - -", **study) == [100, 20]


def test_a_landmark_lies_its_grace_after_release_or_sentence() -> None:
    lines = ("custody 10 100 150 150 -", "community 20 - - - -", "custody 10 - - - -")
    assert zeros(*lines, strategy="landmark", grace=90) == [190, 110, None]


def test_assigned_by_referral_auto_is_the_referral_in_the_community_and_release_from_custody() -> None:
    lines = ("custody 10 100 40 60 40", "community 20 - 30 50 30", "community 20 - 30 - 30", "custody 10 100 120 - 120")
    assert zeros(*lines, assigned_by="referral") == [100, 30, 30, 120]


def test_a_start_on_the_day_of_release_counts_from_that_day() -> None:
    assert zeros("custody 10 100 100 100 -") == [100]


@pytest.mark.parametrize(("event", "number"), [("release", 2), ("sentence", 4)])
def test_nobody_is_classed_at_time_zero_by_a_programme_that_started_later(
    settings: Reframed, event: str, number: int
) -> None:
    with pytest.raises(DesignError) as caught:
        cohort(settings, event=event)
    said = str(caught.value)
    assert said.startswith(f"build_cohort: {number} sentences are put into an arm by a programme that started after")
    for remedy in ("immortal time", "event = 'start'", "landmark", "time_varying", "clone_censor_weight"):
        assert remedy in said


@pytest.fixture(scope="module")
def edges() -> Reframed:
    """Offences must be proven within 100 days: the last usable day is 2015-09-22."""
    return held(
        extract(
            "p1 m1 community 2009-12-01 - 2010-01-01",  # lost the day before
            "p2 m1 community 2009-12-01 - 2010-01-01",  # dies on the day
            "p3 b1 community 2015-09-01 - 2015-09-21",
            "p4 b1 community 2015-09-01 - 2015-09-22",
            "p5 b1 community 2015-09-01 - 2016-03-01",  # after the data cut
            "p6 m1 community 2015-09-01 - 2015-10-01",  # lost before as well: the earlier reason counts
            exits=exits("p1 2009-12-31 lost", "p2 2010-01-01 death", "p6 2015-09-30 emigration"),
        )
    )


def test_who_has_left_observation_or_has_no_follow_up_is_not_compared(edges: Reframed) -> None:
    found = cohort(edges)
    assert compared(found) == {"p2": "manualised", "p3": "bespoke"}
    assert list(left(found).items()) == [
        ("left observation before time zero", 2),
        ("no follow-up before the data cut less the proving period", 2),
    ]


@pytest.fixture(scope="module")
def several_sentences() -> Reframed:
    frames = extract(
        "p1 m1 community 2009-12-01 - 2010-01-01",  # p1 is 17
        "p1 b1 community 2011-12-01 - 2012-01-01",  # p1 is 19
        "p2 b1 community 2009-12-01 - 2010-01-01",
        "p2 m1 community 2011-12-01 - 2012-01-01",
        "p3 - community 2009-12-01 - -",
        "p3 m1 community 2011-12-01 - 2012-01-01",  # p3 is 17
        "p4 m1 community 2009-12-01 - 2010-01-01",
    )
    frames["sentences"]["age_at_sentence"] = ["17", "19", "30", "32", "15", "17", "30"]
    return held(frames)


def test_the_first_sentence_that_meets_every_condition_counts(several_sentences: Reframed) -> None:
    found = cohort(several_sentences, include=["age_at_time_zero >= 18"])
    assert compared(found, "arm", "time_zero") == {
        "p1": ("bespoke", "2012-01-01"),
        "p2": ("bespoke", "2010-01-01"),
        "p4": ("manualised", "2010-01-01"),
    }


def test_of_those_who_meet_none_the_sentence_that_came_furthest_stands_in_the_flow(
    several_sentences: Reframed,
) -> None:
    found = cohort(several_sentences, include=["age_at_time_zero >= 18"])
    assert left(found) == left(found, "manualised") == {"age at time zero is below 18": 1}
    assert found.flow.summary()["n_remaining"].iloc[0] == 4  # people, not sentences


def test_without_a_condition_the_first_sentence_with_a_start_counts(several_sentences: Reframed) -> None:
    assert compared(cohort(several_sentences)) == {
        "p1": "manualised", "p2": "bespoke", "p3": "manualised", "p4": "manualised",
    }  # fmt: skip


@pytest.fixture(scope="module")
def undisclosed() -> Reframed:
    """Days since an origin nobody tells (it is 2009-01-01)."""
    people = extract(
        "p1 m1 community 2009-12-01 - 2010-01-01",  # day 365
        "p2 b1 community 2010-12-01 - 2011-01-03",  # day 732
    )
    return held(as_days(people, "2009-01-01"))


def test_days_without_a_known_origin_are_taken_as_they_are(undisclosed: Reframed) -> None:
    found = cohort(undisclosed, data_cut=2555)
    assert compared(found, "arm", "wait_days") == {"p1": ("manualised", 31.0), "p2": ("bespoke", 33.0)}
    assert found.baseline["time_zero"].tolist() == [365.0, 732.0]
    assert compared(found, "period") == {"p1": "year 0", "p2": "year 2"}  # years of 365.25 days


def test_a_data_cut_on_another_clock_than_the_extract_is_refused(undisclosed: Reframed) -> None:
    with pytest.raises(oc.OutcomesError, match="data_cut"):
        cohort(undisclosed, data_cut="2015-12-31")  # day 16,800 since 1970


def test_arms_in_different_settings_are_said() -> None:
    found = cohort(
        extract(
            "p1 m1 custody 2008-01-01 2010-01-01 2008-06-01",
            "p2 m1 custody 2008-01-01 2010-01-01 2008-06-01",
            f"p3 b1 community 2010-01-01 - {after(90)}",
            f"p4 b1 community 2010-01-01 - {after(92)}",
        )
    )
    assert "100 % in manualised" in notes(found)["settings_differ"]
    assert "0 % in bespoke" in notes(found)["settings_differ"]
    assert notes(found)["waits_differ"] == (
        "Median waits before time zero lie more than 90 days apart: 91 days in bespoke, 0 days in manualised."
    )


def test_settings_and_waits_that_are_alike_need_no_word(settings: Reframed) -> None:
    found = notes(cohort(settings))
    assert "settings_differ" not in found
    assert "waits_differ" not in found
