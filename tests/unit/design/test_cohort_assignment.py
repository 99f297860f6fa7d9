"""Who is in which arm: the first start decides, later switches are counted, people who started nothing have their own arm."""

from __future__ import annotations

import pytest
from small_study import (
    TWO_ARMS,
    UNTREATED,
    Reframed,
    after,
    cohort,
    compared,
    extract,
    held,
    left,
    notes,
    starters,
    two_starters,
)

import outcomes as oc
from outcomes.design.study import ArmSpec
from outcomes.errors import DesignError


@pytest.fixture(scope="module")
def switches() -> Reframed:
    return held(
        extract(
            "p1 m1 community 2009-12-01 - 2010-01-01",  # goes on to b1
            "p2 m1 community 2009-12-01 - 2010-01-01",
            "p3 b1 community 2009-12-01 - 2010-01-01",  # goes on to b2, a strand of the same arm
            "p4 b1 community 2009-12-01 - 2010-06-01",  # was in m1 before
            "p5 b2 community 2009-12-01 - 2010-01-01",
            also=["s1 b1 2010-06-01", "s3 b2 2010-06-01", "s4 m1 2010-01-01"],
        )
    )


def test_the_first_start_decides_the_arm_and_switches_are_counted(switches: Reframed) -> None:
    found = cohort(switches)
    assert compared(found, "arm", "time_zero") == {
        "p1": ("manualised", "2010-01-01"),
        "p2": ("manualised", "2010-01-01"),
        "p3": ("bespoke", "2010-01-01"),
        "p4": ("manualised", "2010-01-01"),
        "p5": ("bespoke", "2010-01-01"),
    }
    assert left(found) == {}
    assert notes(found)["switched"] == (
        "2 of the people compared later started the other arm's programme too; they stay in their first."
    )


def test_people_who_started_both_may_be_left_out(switches: Reframed) -> None:
    found = cohort(switches, if_both="exclude")
    assert compared(found) == {"p2": "manualised", "p3": "bespoke", "p5": "bespoke"}
    assert left(found) == left(found, "manualised") == {"started programmes of both arms": 2}
    assert "switched" not in notes(found)


def test_arms_are_chosen_by_family_programme_and_strand(switches: Reframed) -> None:
    core = {"m": ArmSpec(programme=("m1",)), "b": ArmSpec(family=("south_project",), strand=("core",))}
    found = cohort(switches, arms=core, reference="m")
    assert compared(found) == {"p1": "m", "p2": "m", "p3": "b", "p4": "m"}
    assert left(found) == left(found, "no arm") == {"started no programme of an arm": 1}
    assert found.arms == ("m", "b")
    by_strand = {"core": ArmSpec(programme=("b1",)), "maintenance": ArmSpec(strand=("maintenance",))}
    found = cohort(switches, arms=by_strand, reference="maintenance")
    assert compared(found) == {"p1": "core", "p3": "core", "p4": "core", "p5": "maintenance"}
    assert found.arms == ("maintenance", "core")


@pytest.mark.parametrize(
    ("arms", "message"),
    [
        ({"bespoke": ArmSpec(family=("south_projekt",))}, r"none of the 3 rows of programmes has family_id .*mean 'south_project'\?"),
        ({"bespoke": ArmSpec(programme=("b11",))}, r"none of the 3 rows of programmes has programme_id 'b11'\. Did you mean 'b1'\?"),
        ({"bespoke": ArmSpec(strand=("youth",))}, r"\[arms\] bespoke: none of the 3 rows of programmes has strand 'youth'\.$"),
        ({"bespoke": ArmSpec(family=("south_project",), programme=("m1",))}, r"none of the 3 rows of programmes fits all"),
        ({"bespoke": ArmSpec(strand=("core",))}, r"\[arms\] bespoke and manualised claim 1 of the same programmes"),
    ],
    ids=["family", "programme", "strand", "none fits", "shared"],
)  # fmt: skip
def test_programmes_the_catalogue_does_not_have_or_two_arms_claim_are_refused(
    switches: Reframed, arms: dict[str, ArmSpec], message: str
) -> None:
    with pytest.raises(DesignError, match=message):
        cohort(switches, arms={**TWO_ARMS, **arms})


@pytest.fixture(scope="module")
def starts_after_release() -> Reframed:
    return held(
        extract(
            f"p1 m1 community 2010-01-01 - {after(100)}",
            f"p2 m1 community 2010-01-01 - {after(101)}",
            f"p3 b1 custody 2008-01-01 2010-01-01 {after(100)}",
            f"p4 b1 custody 2008-01-01 2010-01-01 {after(101)}",
            "p5 b1 custody 2008-01-01 2010-01-01 2008-02-01",  # before release: always counts
            "p6 b1 custody 2008-01-01 - 2008-02-01",  # started inside, not released yet
        )
    )


def test_a_window_counts_from_release_or_sentence_and_its_last_day_is_inside(starts_after_release: Reframed) -> None:
    found = cohort(starts_after_release, window=100)
    assert compared(found) == {"p1": "manualised", "p3": "bespoke", "p5": "bespoke"}
    assert compared(cohort(starts_after_release)) == {
        "p1": "manualised", "p2": "manualised", "p3": "bespoke", "p4": "bespoke", "p5": "bespoke",
    }  # fmt: skip


def test_with_a_window_too_starts_before_a_release_that_has_not_come_count(starts_after_release: Reframed) -> None:
    assert left(cohort(starts_after_release)) == {"not released or started yet": 1}
    assert left(cohort(starts_after_release, window=100)) == {
        "started no programme of an arm": 2,
        "not released or started yet": 1,
    }


@pytest.fixture(scope="module")
def some_started_nothing() -> Reframed:
    return held(
        extract(
            "p1 m1 custody 2008-01-01 2010-01-01 2009-01-01",
            "p2 b1 custody 2008-01-01 2010-02-01 2009-01-01",
            "p3 - community 2010-03-01",
            "p4 - custody 2008-01-01 2010-04-01",
            "p5 - custody 2008-01-01",
        )
    )


def test_people_who_started_nothing_are_an_arm_and_everyone_counts_from_release_or_sentence(
    some_started_nothing: Reframed,
) -> None:
    found = cohort(some_started_nothing, arms=UNTREATED)
    assert compared(found, "arm", "time_zero") == {
        "p1": ("manualised", "2010-01-01"),
        "p2": ("bespoke", "2010-02-01"),
        "p3": ("untreated", "2010-03-01"),
        "p4": ("untreated", "2010-04-01"),
    }
    assert left(found, "untreated") == {"not released or started yet": 1}
    assert found.arms == ("manualised", "bespoke", "untreated")


def test_without_such_an_arm_they_leave_at_the_first_step(some_started_nothing: Reframed) -> None:
    found = cohort(some_started_nothing)
    assert compared(found) == {"p1": "manualised", "p2": "bespoke"}
    assert left(found) == left(found, "no arm") == {"started no programme of an arm": 3}


def test_against_people_who_started_nothing_a_start_after_release_or_sentence_is_refused(
    starts_after_release: Reframed,
) -> None:
    with pytest.raises(
        DesignError, match=r"4 sentences are put into an arm by a programme that started after time zero"
    ):
        cohort(starts_after_release, arms=UNTREATED)


def test_rules_of_the_tables_must_hold_or_be_listed() -> None:
    frames = starters(4)
    frames["sentences"]["age_at_sentence"] = ["30", "30", "150", "30"]
    tables = oc.load_tables(frames)
    with pytest.raises(oc.DataError, match=r"plausible_values \(sentences\.age_at_sentence\): 1 of 4 rows"):
        cohort(tables)
    found = cohort(tables, drop=("plausible_values",))
    assert compared(found) == {"p1": "manualised", "p2": "bespoke", "p4": "bespoke"}


def test_people_are_not_mixed_by_the_order_of_the_arms() -> None:
    two = two_starters()
    turned = dict(reversed(TWO_ARMS.items()))
    assert compared(cohort(two, arms=turned)) == compared(cohort(two)) == {"p1": "manualised", "p2": "bespoke"}
    assert cohort(two, reference="bespoke").arms == ("bespoke", "manualised")
