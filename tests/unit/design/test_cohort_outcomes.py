"""What ends follow-up, and when: everyone here starts on 2010-01-01, and ``after(50)`` is fifty days later.

Unless a test says otherwise an offence must be proven within 100 days and the data end on 2012-04-10, so that the last usable
day is 2012-01-01, day 730.
"""

from __future__ import annotations

from typing import Any

import pytest
from small_study import Reframed, after, cohort, ended, exits, extract, held, notes, offences, outcome, spells, starters

import outcomes as oc
from outcomes.errors import DesignError

CUT = "2012-04-10"


@pytest.fixture(scope="module")
def proofs() -> Reframed:
    return held(
        starters(
            9,
            reoffences=offences(
                f"p1 {after(50)} {after(150)} violent",  # proven on the last day of the 100
                f"p2 {after(50)} {after(151)} violent",  # a day later
                f"p3 {after(730)} {after(730)} violent",  # on the data cut less 100 days
                f"p4 {after(731)} {after(731)} violent",  # a day later
                f"p5 {after(-12)} {after(40)} violent",  # committed before time zero, proven after it
                f"p6 {after(0)} {after(10)} violent",  # on the day of time zero
                f"p7 {after(10)} {after(200)} violent",  # proven late; the second one counts
                f"p7 {after(200)} {after(210)} violent",
                f"p7 {after(150)} {after(160)} motoring",  # of no type asked for
                f"p8 {after(-200)} {after(-100)} violent",  # history
                f"p9 {after(0)} {after(101)} violent",  # on the day of time zero, proven late
            ),
        )
    )


def test_an_offence_counts_if_proven_in_time_and_committed_early_enough(proofs: Reframed) -> None:
    assert ended(cohort(proofs, data_cut=CUT)) == {
        "p1": (50, "any"),
        "p2": (730, "censored"),
        "p3": (730, "any"),
        "p4": (730, "censored"),
        "p5": (730, "censored"),
        "p6": (0.5, "any"),
        "p7": (200, "any"),
        "p8": (730, "censored"),
        "p9": (730, "censored"),
    }


def test_what_does_not_count_is_counted_beside_the_number(proofs: Reframed) -> None:
    found = notes(cohort(proofs, data_cut=CUT).outcome("any"))
    assert found["pseudo_reconvictions"] == (
        "any: 1 offences were committed before time zero and proven after it: neither outcome nor history."
    )
    assert found["proven_late"] == (
        "any: 3 offences were proven later than 100 days after the offence and do not count."  # p2, p7, p9
    )
    assert "offences_away" not in found
    assert "no_follow_up" not in found


def test_only_offences_that_count_are_said_to_count_half_a_day(proofs: Reframed) -> None:
    found = notes(cohort(proofs, data_cut=CUT).outcome("any"))
    assert found["on_time_zero"].startswith("any: 1 offences fell on the day of time zero")  # p6, not p9


@pytest.mark.parametrize(("horizon", "expected"), [(200, (200, "any")), (199, (199, "censored")), (731, (200, "any"))])
def test_the_last_day_of_the_horizon_is_inside(proofs: Reframed, horizon: int, expected: tuple[float, str]) -> None:
    found = ended(cohort(proofs, data_cut=CUT, horizon=horizon))
    assert found["p7"] == expected
    assert found["p2"] == (min(horizon, 730), "censored")


@pytest.mark.parametrize(
    ("proven_within", "expected"),
    [(99, (731, "censored")), (100, (50, "any")), (101, (50, "any"))],
)
def test_proven_within_p_days_of_the_offence(proofs: Reframed, proven_within: int, expected: tuple[float, str]) -> None:
    found = ended(cohort(proofs, data_cut=CUT, outcomes={"any": outcome(proven_within=proven_within)}))
    assert found["p1"] == expected


@pytest.fixture(scope="module")
def away() -> Reframed:
    return held(
        starters(
            6,
            spells=spells(
                f"p1 {after(100)} {after(200)} custody",
                f"p2 {after(100)} {after(200)} custody",
                f"p3 {after(100)} {after(200)} recall",
                f"p4 {after(100)} {after(200)} hospital",
                f"p5 {after(100)} - custody",
                f"p6 {after(100)} {after(150)} custody",
                f"p6 {after(150)} {after(200)} custody",
            ),
            reoffences=offences(
                f"p1 {after(100)} {after(110)} violent",  # on the day custody began
                f"p2 {after(150)} {after(160)} violent",
                f"p3 {after(199)} {after(199)} violent",
                f"p3 {after(200)} {after(210)} violent",  # on the day back in the community
                f"p4 {after(150)} {after(160)} violent",
                f"p5 {after(500)} {after(510)} violent",
                f"p6 {after(150)} {after(160)} violent",  # on the day one spell turned into the next
            ),
        )
    )


def test_offences_in_custody_or_on_recall_do_not_count_but_for_the_first_day(away: Reframed) -> None:
    found = ended(cohort(away, data_cut=CUT))
    assert {person: found[person] for person in ("p1", "p2", "p3", "p4", "p5")} == {
        "p1": (100, "any"),
        "p2": (730, "censored"),
        "p3": (200, "any"),
        "p4": (150, "any"),
        "p5": (730, "censored"),
    }


def test_a_spell_written_in_two_parts_is_as_one(away: Reframed) -> None:
    found = cohort(away, data_cut=CUT)
    assert ended(found)["p6"] == (730, "censored")
    assert notes(found.outcome("any"))["offences_away"].startswith("any: 4 offences were committed in custody")


@pytest.fixture(scope="module")
def inside() -> Reframed:
    """Custody before release is in no spell: it comes from the sentence."""
    return held(
        extract(
            "p1 m1 community 2010-01-01 - 2010-01-01",
            f"p1 - custody {after(100)} {after(300)}",  # sentenced again
            f"p2 b1 custody 2010-01-01 {after(200)} 2010-01-01",
            f"p3 b1 custody 2010-01-01 {after(200)} 2010-01-01",
            reoffences=offences(
                f"p1 {after(200)} {after(210)} violent",
                f"p2 {after(50)} {after(60)} violent",
                f"p3 {after(200)} {after(210)} violent",  # on the day of release
            ),
        )
    )


def test_offences_inside_under_a_later_sentence_do_not_count(inside: Reframed) -> None:
    assert ended(cohort(inside, data_cut=CUT, event="sentence"))["p1"] == (730, "censored")


def test_offences_between_sentence_and_release_do_not_count(inside: Reframed) -> None:
    found = ended(cohort(inside, data_cut=CUT, event="sentence"))
    assert found["p2"] == (730, "censored")
    assert found["p3"] == (200, "any")


@pytest.fixture(scope="module")
def leavers() -> oc.Cohort:
    return cohort(
        starters(
            8,
            exits=exits(
                f"p1 {after(300)} death",
                f"p2 {after(300)} death",
                f"p3 {after(300)} deportation",
                f"p4 {after(300)} lost",
                f"p5 {after(300)} emigration",
                f"p6 {after(300)} lost",
                f"p7 {after(300)} lost",
                f"p8 {after(730)} death",
            ),
            reoffences=offences(
                f"p2 {after(300)} {after(300)} violent",
                f"p6 {after(300)} {after(310)} violent",
                f"p7 {after(301)} {after(310)} violent",
            ),
        ),
        data_cut=CUT,
        outcomes={
            "any": outcome(),
            "emigration_competes": outcome(competing=("emigration",)),
            "alone": outcome(competing=()),
        },
    )


def test_on_one_day_the_outcome_comes_before_death_and_death_before_censoring(leavers: oc.Cohort) -> None:
    assert ended(leavers) == {
        "p1": (300, "death"),
        "p2": (300, "any"),  # offended and died on one day
        "p3": (300, "deportation"),
        "p4": (300, "censored"),  # lost
        "p5": (300, "censored"),  # emigrated, which this outcome does not name
        "p6": (300, "any"),  # offended and was lost on one day
        "p7": (300, "censored"),  # offended the day after
        "p8": (730, "death"),  # on the last day
    }


def test_leaving_competes_where_the_outcome_names_it_and_is_censoring_where_not(leavers: oc.Cohort) -> None:
    found = ended(leavers, "emigration_competes")
    assert (found["p5"], found["p1"], found["p3"]) == ((300, "emigration"), (300, "censored"), (300, "censored"))
    alone = ended(leavers, "alone")
    assert {alone[person] for person in ("p1", "p3", "p4", "p5")} == {(300, "censored")}
    assert leavers.outcome("alone").causes == ("alone",)


@pytest.fixture(scope="module")
def recalled() -> oc.Cohort:
    return cohort(
        starters(
            5,
            exits=exits(f"p3 {after(100)} death"),
            spells=spells(
                f"p1 {after(100)} {after(150)} recall",
                f"p2 {after(100)} {after(150)} recall",
                f"p3 {after(100)} - recall",
                f"p4 {after(0)} {after(20)} recall",
                f"p5 {after(100)} {after(150)} custody",
            ),
            reoffences=offences(
                f"p1 {after(200)} {after(210)} violent",
                f"p2 {after(100)} {after(110)} violent",  # what p2 was recalled for
            ),
        ),
        data_cut=CUT,
        outcomes={
            "any": outcome(),
            "death_first": outcome(competing=("death", "recall")),
            "recall_first": outcome(competing=("recall", "death")),
            "inside": outcome(competing=("custody",)),
        },
    )


def test_recall_competes_where_the_outcome_says_so(recalled: oc.Cohort) -> None:
    assert ended(recalled) == {
        "p1": (200, "any"), "p2": (100, "any"), "p3": (100, "death"), "p4": (730, "censored"), "p5": (730, "censored"),
    }  # fmt: skip
    assert ended(recalled, "death_first") == {
        "p1": (100, "recall"),
        "p2": (100, "death_first"),  # the outcome, on the day of the recall
        "p3": (100, "death"),
        "p4": (0.5, "recall"),  # on the day of time zero
        "p5": (730, "censored"),
    }
    assert ended(recalled, "inside")["p5"] == (100, "custody")


def test_of_two_competing_events_on_one_day_the_first_named_counts(recalled: oc.Cohort) -> None:
    assert ended(recalled, "death_first")["p3"] == (100, "death")
    assert ended(recalled, "recall_first")["p3"] == (100, "recall")


def test_causes_are_the_outcome_and_what_competes_in_the_order_of_the_study(recalled: oc.Cohort) -> None:
    data = recalled.outcome("recall_first")
    assert data.causes == ("recall_first", "recall", "death")
    assert (data.arms, data.unit, data.n) == (("manualised", "bespoke"), "days", 5)
    assert dict(data.labels) == {
        "outcome": "recall_first",
        "population": "own",
        "scale": "calendar",
        "proven_within": "100 days",
        "free_of": "reoffending (recall_first), recall and death",
        "unit": "days",
    }
    assert data.events_by_arm("recall").tolist() == [2, 1]  # p1 and p3; p4


@pytest.fixture(scope="module")
def groups() -> Reframed:
    return held(
        starters(
            4,
            reoffences=offences(
                f"p1 {after(100)} {after(110)} violent",
                f"p1 {after(300)} {after(310)} sexual_contact",
                f"p2 {after(50)} {after(200)} sexual_image",  # proven after 150 days
                f"p4 {after(700)} {after(710)} sexual_contact",
            ),
        )
    )


def test_each_outcome_is_the_first_of_its_group_with_its_own_proving_period(groups: Reframed) -> None:
    found = cohort(
        groups,
        data_cut=CUT,
        outcomes={
            "any": outcome(),
            "sexual": outcome("sexual_contact", "sexual_image", proven_within=200),  # last usable day: 630
        },
    )
    assert ended(found, "any") == {
        "p1": (100, "any"),
        "p2": (730, "censored"),
        "p3": (730, "censored"),
        "p4": (700, "any"),
    }
    assert ended(found, "sexual") == {
        "p1": (300, "sexual"),  # whatever came before
        "p2": (50, "sexual"),
        "p3": (630, "censored"),
        "p4": (630, "censored"),
    }
    assert found.outcome("sexual").labels["proven_within"] == "200 days"


@pytest.fixture(scope="module")
def late() -> Reframed:
    return held(
        extract(
            "p1 m1 community 2009-12-01 - 2010-01-01",
            "p2 b1 community 2009-12-01 - 2010-01-01",
            f"p3 b1 community 2009-12-01 - {after(630)}",  # the data cut less 200 days
            f"p4 b1 community 2009-12-01 - {after(629)}",
        )
    )


LONG = {"any": outcome(), "sexual": outcome("sexual_contact", proven_within=200)}


def test_who_came_too_late_for_an_outcome_is_left_out_of_it_and_said(late: Reframed) -> None:
    found = cohort(late, data_cut=CUT, outcomes=LONG, headline="any")
    assert ended(found, "any") == {
        "p1": (730, "censored"), "p2": (730, "censored"), "p3": (100, "censored"), "p4": (101, "censored"),
    }  # fmt: skip
    assert ended(found, "sexual") == {"p1": (630, "censored"), "p2": (630, "censored"), "p4": (1, "censored")}
    assert notes(found.outcome("sexual"))["no_follow_up"] == (
        "sexual: 1 people came too late for its proving period and are left out of it."
    )


def test_without_a_headline_the_longest_proving_period_decides_who_is_compared(late: Reframed) -> None:
    found = cohort(late, data_cut=CUT, outcomes=LONG)
    assert list(ended(found, "any")) == list(ended(found, "sexual")) == ["p1", "p2", "p4"]


def test_an_arm_without_follow_up_is_an_error_that_names_it(late: Reframed) -> None:
    outcomes = {"any": outcome(), "slow": outcome(proven_within=900)}
    found = cohort(late, data_cut=CUT, outcomes=outcomes, headline="any")
    with pytest.raises(DesignError, match="nobody in arm 'manualised' has follow-up for 'slow'"):
        found.outcome("slow")


def test_an_outcome_the_study_does_not_have_is_refused_with_the_nearest_name(late: Reframed) -> None:
    found = cohort(late, data_cut=CUT, outcomes=LONG, headline="any")
    with pytest.raises(DesignError, match=r"the study has no outcome 'sexul'\. Did you mean 'sexual'\?"):
        found.outcome("sexul")


def test_people_are_clustered_by_the_column_the_study_names(late: Reframed) -> None:
    assert cohort(late, cluster="area").outcome("any").cluster == "area"
    with pytest.raises(oc.OutcomesError, match="'aera'"):
        cohort(late, cluster="aera").outcome("any")


def test_asking_for_an_outcome_changes_nothing(groups: Reframed) -> None:
    found: Any = cohort(groups, data_cut=CUT)
    before = found.baseline.copy()
    first, second = ended(found), ended(found)
    assert first == second
    assert found.baseline.equals(before)


def test_a_data_cut_long_after_the_last_record_is_said() -> None:
    tables = starters(4, reoffences=offences("p1 2012-01-01 2012-02-01 violent"))
    assert "far_data_cut" not in notes(cohort(tables, data_cut="2012-07-01"))
    assert "more than" in notes(cohort(tables, data_cut="2012-12-31"))["far_data_cut"]
