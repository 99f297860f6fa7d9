"""Arms by referral, whether or not anything was started; and arms by what was on offer where and when, whoever was referred."""

from __future__ import annotations

import pandas as pd
import pytest
from small_study import TWO_ARMS, UNTREATED, Reframed, after, cohort, compared, extract, held, left, notes, starters
from small_tables import rows

import outcomes as oc
from outcomes.design.study import ArmSpec
from outcomes.errors import DesignError

REFERRALS = "referral_id person_id sentence_id programme_id referral_date stage decision"


@pytest.fixture(scope="module")
def referred() -> Reframed:
    tables = extract(
        # person, programme, setting, sentenced, released, started, referred
        "p1 m1 community 2010-01-01 - 2010-03-01 2010-02-01",
        "p2 m1 community 2010-01-01 - - 2010-02-01",  # never started
        "p3 b1 community 2010-01-01 - 2010-02-01 -",  # started without a referral
        "p4 b1 community 2010-01-01 - 2010-03-01 2009-12-20",  # referred at the pre-sentence stage
        "p5 b1 custody 2008-01-01 2010-01-01 - 2009-06-01",  # referred inside
        "p6 b1 custody 2008-01-01 2010-01-01 - 2010-02-10",  # referred after release
        "p7 m1 community 2010-01-01 - - 2010-02-01",  # and to b1 later
        "p8 b1 community 2010-01-01 - - 2010-02-01",  # refused; referred to m1 and started there later
        also=["s8 m1 2010-05-01"],
    )
    more = rows(REFERRALS, "x7 p7 s7 b1 2010-03-01 order accepted", f"x8 p8 s8 m1 {after(60)} order accepted")
    tables["referrals"] = pd.concat([tables["referrals"], more], ignore_index=True)
    tables["referrals"].loc[tables["referrals"]["person_id"] == "p4", "stage"] = "psr"
    tables["referrals"].loc[tables["referrals"]["referral_id"] == "r8", "decision"] = "not_eligible"
    return held(tables)


@pytest.mark.parametrize(
    ("person", "arm", "time_zero"),
    [
        ("p1", "manualised", "2010-02-01"),
        ("p2", "manualised", "2010-02-01"),  # referral decides, not the start that never came
        ("p4", "bespoke", "2010-01-01"),  # nobody is followed from before the sentence
        ("p5", "bespoke", "2010-01-01"),  # from release
        ("p6", "bespoke", "2010-02-10"),
        ("p7", "manualised", "2010-02-01"),  # the first referral
        ("p8", "bespoke", "2010-02-01"),  # also where it was refused, and another programme started
    ],
)
def test_the_first_referral_decides_the_arm_and_follow_up_starts_with_it(
    referred: Reframed, person: str, arm: str, time_zero: str
) -> None:
    assert compared(cohort(referred, assigned_by="referral"), "arm", "time_zero")[person] == (arm, time_zero)


def test_who_was_referred_to_nothing_is_in_no_arm(referred: Reframed) -> None:
    found = cohort(referred, assigned_by="referral")
    assert "p3" not in compared(found)
    assert left(found) == left(found, "no arm") == {"referred to no programme of an arm": 1}


def test_the_start_is_known_where_it_was_in_the_arm_of_the_referral(referred: Reframed) -> None:
    found = compared(cohort(referred, assigned_by="referral"), "status")
    assert found == {
        "p1": "completed", "p2": None, "p4": "completed", "p5": None, "p6": None, "p7": None, "p8": None,
    }  # fmt: skip


def test_people_referred_to_both_may_be_left_out(referred: Reframed) -> None:
    found = cohort(referred, assigned_by="referral", if_both="exclude")
    assert set(compared(found)) == {"p1", "p2", "p4", "p5", "p6"}
    assert left(found)["referred to programmes of both arms"] == 2


@pytest.mark.parametrize(
    ("day", "counts"),
    [
        (-12, True),  # at the pre-sentence stage
        (0, True),
        (30, True),  # the window's last day
        (31, False),
    ],
)
def test_a_window_counts_referrals_from_the_sentence(day: int, counts: bool) -> None:
    tables = extract(
        "p1 m1 community 2010-01-01 - - 2010-01-10",
        "p2 b1 community 2010-01-01 - - 2010-01-10",
        f"p3 b1 community 2010-01-01 - - {after(day)}",
    )
    assert ("p3" in compared(cohort(tables, assigned_by="referral", window=30))) is counts


def test_by_referral_against_nobody_everyone_counts_from_the_sentence() -> None:
    tables = extract(
        "p1 m1 community 2010-01-01 - 2010-03-01 2009-12-20",
        "p2 b1 community 2010-01-01 - - 2009-12-20",
        "p3 - community 2010-01-01",
    )
    found = cohort(tables, assigned_by="referral", arms=UNTREATED)
    assert compared(found, "arm", "time_zero") == {
        "p1": ("manualised", "2010-01-01"),
        "p2": ("bespoke", "2010-01-01"),  # never started anything
        "p3": ("untreated", "2010-01-01"),
    }


def test_by_referral_against_nobody_a_later_referral_is_the_future(referred: Reframed) -> None:
    with pytest.raises(DesignError, match="5 sentences are put into an arm by a referral made after time zero"):
        cohort(referred, assigned_by="referral", arms=UNTREATED)  # p1, p2, p6, p7, p8


B2_IN_NO_ARM = {"manualised": ArmSpec(programme=("m1",)), "bespoke": ArmSpec(programme=("b1",))}
B2_NOT_UNTREATED = {**B2_IN_NO_ARM, "untreated": ArmSpec(none=True)}


@pytest.fixture(scope="module")
def other_programmes() -> Reframed:
    return held(
        extract(
            "p1 m1 community 2010-01-01 - 2010-01-01",
            "p2 b1 community 2010-01-01 - 2010-01-01",
            "p3 - community 2010-01-01",
            "p4 b2 community 2010-01-01 - 2010-01-20",
            f"p5 b2 community 2010-01-01 - {after(31)}",  # after a window of 30 days
            "p6 b2 community 2010-01-01 - 2010-01-01",
            also=["s6 m1 2010-01-01"],
        )
    )


@pytest.mark.parametrize(
    ("study", "expected"),
    [
        # who started a programme of no arm was not untreated; one of an arm decides whatever else was started
        ({}, {"p1": "manualised", "p2": "bespoke", "p3": "untreated", "p6": "manualised"}),
        # what was started after the window does not count, of whatever programme
        ({"window": 30}, {"p1": "manualised", "p2": "bespoke", "p3": "untreated", "p5": "untreated", "p6": "manualised"}),
    ],
    ids=["no window", "30 days"],
)  # fmt: skip
def test_who_started_a_programme_of_no_arm_is_not_untreated(
    other_programmes: Reframed, study: dict[str, int], expected: dict[str, str]
) -> None:
    found = cohort(other_programmes, arms=B2_NOT_UNTREATED, **study)
    assert compared(found) == expected
    assert left(found) == {"started a programme that belongs to no arm": 6 - len(expected)}


def test_who_was_referred_to_a_programme_of_no_arm_is_not_untreated_by_referral() -> None:
    tables = extract(
        "p1 m1 community 2010-01-01 - - 2009-12-20",
        "p2 b1 community 2010-01-01 - - 2009-12-20",
        "p3 b2 community 2010-01-01 - - 2009-12-20",
        "p4 - community 2010-01-01",
    )
    found = cohort(tables, assigned_by="referral", arms=B2_NOT_UNTREATED)
    assert compared(found) == {"p1": "manualised", "p2": "bespoke", "p4": "untreated"}
    assert left(found) == {"referred to a programme that belongs to no arm": 1}


PROVISION = rows(
    "programme_id area open_from open_to",
    "m1 north 2005-01-01 2010-06-30",  # replaced by b1 the next day
    "b1 north 2010-07-01 -",
    "m1 east 2005-01-01 -",  # both from 2010 on
    "b1 east 2010-01-01 -",
    "b1 south 2010-01-01 2010-12-31",  # two strands of one arm
    "b2 south 2010-06-01 2010-12-31",
)

OFFERS = [
    # setting, sentenced, released, area: the arm, or why nobody is in one
    ("community 2010-06-30 - north", "manualised"),  # on its last day
    ("community 2010-07-01 - north", "bespoke"),  # opened on the day, the other closed the day before
    ("community 2009-12-31 - east", "manualised"),  # the day before the other opened
    ("community 2010-01-01 - east", "both"),
    ("community 2009-12-31 - south", "none"),  # the day before it opened
    ("community 2010-08-01 - south", "bespoke"),  # two strands of one arm are no conflict
    ("community 2011-01-01 - south", "none"),  # the day after it closed
    ("community 2010-08-01 - west", "none"),  # nothing was ever open there
    ("custody 2009-01-01 2010-07-01 north", "bespoke"),  # what was on offer on release
]


def on_offer(*people: str, **changed: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return people ``setting sentenced released area`` who were referred to nothing and started nothing."""
    split = [line.split() for line in people]
    tables = extract(
        *(f"p{n} - {setting} {sentenced} {released}" for n, (setting, sentenced, released, _) in enumerate(split, 1)),
        **({"provision": PROVISION} | changed),
    )
    tables["sentences"]["area"] = [area for *_, area in split]
    return tables


CASELOAD = {"assigned_by": "provision", "population": "caseload"}


@pytest.fixture(scope="module")
def offers() -> Reframed:
    return held(on_offer(*(line for line, _ in OFFERS)))


def test_the_arm_is_what_was_on_offer_where_and_when(offers: Reframed) -> None:
    found = cohort(offers, **CASELOAD)
    assert compared(found) == {f"p{n}": arm for n, (_, arm) in enumerate(OFFERS, 1) if arm in TWO_ARMS}
    assert left(found) == {
        "no programme of an arm on offer there and then": 3,
        "programmes of two arms on offer there and then": 1,
    }


def test_everyone_counts_from_the_sentence_or_release(offers: Reframed) -> None:
    found = compared(cohort(offers, **CASELOAD), "time_zero")
    assert found == {
        "p1": "2010-06-30", "p2": "2010-07-01", "p3": "2009-12-31", "p6": "2010-08-01", "p9": "2010-07-01",
    }  # fmt: skip


def test_where_nothing_was_open_people_are_the_arm_of_those_without_a_programme(offers: Reframed) -> None:
    found = cohort(offers, arms=UNTREATED, **CASELOAD)
    expected = {f"p{n}": "untreated" if arm == "none" else arm for n, (_, arm) in enumerate(OFFERS, 1) if arm != "both"}
    assert compared(found) == expected
    assert left(found) == {"programmes of two arms on offer there and then": 1}


def test_who_was_referred_or_started_does_not_matter() -> None:
    tables = extract(
        "p1 m1 community 2010-01-01 - 2010-02-01 2010-01-10",  # where m1 is open, and in m1
        "p2 b1 community 2010-01-01 - 2010-02-01 2010-01-10",  # where m1 is open, and in b1
        "p3 - community 2010-01-01",  # where m1 is open, and in nothing
        "p4 b1 community 2010-08-01 - - 2010-08-02",  # where b1 is open
        provision=PROVISION,
    )
    tables["sentences"]["area"] = "north"
    expected = {"p1": "manualised", "p2": "manualised", "p3": "manualised", "p4": "bespoke"}
    found = cohort(tables, **CASELOAD)
    assert compared(found) == expected
    assert not {"switched", "era", "started_though_ineligible"} & set(notes(found))


def test_who_is_not_released_yet_is_said_to_be_that(offers: Reframed) -> None:
    tables = on_offer("community 2010-01-01 - north", "community 2010-08-01 - north", "custody 2010-01-01 - north")
    assert left(cohort(tables, **CASELOAD)) == {"not released or started yet": 1}


def test_the_caseload_is_everyone_and_both_are_those_whom_the_rules_of_each_admit() -> None:
    tables = on_offer(
        "community 2010-01-01 - north",
        "community 2010-01-01 - north",  # in full denial, whom m1 refuses
        "community 2010-08-01 - north",
        "community 2010-08-01 - north",  # in full denial
    )
    tables["assessments"] = tables["assessments"].assign(denial=["none", "full", "none", "full"])
    loaded = oc.load_tables(tables)
    everyone = cohort(loaded, **CASELOAD)
    assert compared(everyone) == {"p1": "manualised", "p2": "manualised", "p3": "bespoke", "p4": "bespoke"}
    both = cohort(loaded, assigned_by="provision", population="both")
    assert compared(both) == compared(everyone.with_population("both")) == {"p1": "manualised", "p3": "bespoke"}
    assert left(both) == {"not eligible for manualised by its entry rules": 2}


def test_what_was_on_offer_has_no_clients_of_its_own(offers: Reframed) -> None:
    with pytest.raises(DesignError, match="assigned_by = 'provision' has no clients of its own"):
        cohort(offers, assigned_by="provision")


def test_a_caseload_is_of_what_was_on_offer() -> None:
    for assigned_by in ("start", "referral"):
        with pytest.raises(DesignError, match=rf"needs \[arms\] assigned_by = 'provision', not '{assigned_by}'"):
            cohort(starters(2), assigned_by=assigned_by, population="caseload")
