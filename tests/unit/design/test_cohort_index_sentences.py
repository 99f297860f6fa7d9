"""One index sentence a person, the first that qualifies; or, with ``index = "all"``, every one that does, each from its own time zero."""

from __future__ import annotations

import pytest
from small_study import Reframed, after, cohort, extract, held, intervals, left, notes, offences, rows, spells

import outcomes as oc

CUT = "2012-04-10"  # the last usable day is day 730


@pytest.fixture(scope="module")
def twice() -> Reframed:
    return held(
        extract(
            "p1 m1 community 2009-12-01 - 2010-01-01",  # s1
            f"p1 b1 community {after(300)} - {after(310)}",  # s2: the same man, in the other arm
            f"p2 b1 community 2009-12-01 - {after(10)}",  # s3
            f"p2 - community {after(400)} -",  # s4: started nothing under it
            f"p3 m1 community {after(100)} - {after(100)}",  # s5
            f"p3 m1 community {after(720)} - {after(730)}",  # s6: no follow-up
            reoffences=offences(
                f"p1 {after(200)} {after(210)} violent",  # between his two sentences
                f"p1 {after(400)} {after(410)} violent",  # after both
                f"p2 {after(10)} {after(200)} violent",  # proven late
            ),
        )
    )


@pytest.fixture(scope="module")
def every(twice: Reframed) -> oc.Cohort:
    return cohort(twice, index="all", data_cut=CUT)


def test_the_first_that_qualifies_is_the_default(twice: Reframed) -> None:
    found = cohort(twice, data_cut=CUT)
    assert intervals(found, by="sentence_id") == {
        "s1": [(0, 200, "any")],
        "s3": [(0, 720, "")],
        "s5": [(0, 630, "")],
    }
    assert found.outcome("any").cluster is None


def test_each_sentence_has_its_own_arm_and_time_zero(every: oc.Cohort) -> None:
    frame = every.baseline
    assert list(zip(frame["person_id"], frame["sentence_id"], frame["arm"], frame["wait_days"], strict=True)) == [
        (1, 1, "manualised", 31.0),
        (1, 2, "bespoke", 10.0),
        (2, 3, "bespoke", 41.0),
        (3, 5, "manualised", 0.0),
    ]


def test_an_offence_counts_for_every_sentence_it_came_after(every: oc.Cohort) -> None:
    assert intervals(every, by="sentence_id") == {
        "s1": [(0, 200, "any")],  # the first after day 0
        "s2": [(0, 90, "any")],  # the first after day 310, which was the second of his
        "s3": [(0, 720, "")],
        "s5": [(0, 630, "")],
    }
    assert intervals(every, by="sentence_id", every=True)["s1"] == [(0, 200, "any"), (200, 400, "any"), (400, 730, "")]
    assert intervals(every, by="sentence_id", every=True)["s2"] == [(0, 90, "any"), (90, 420, "")]


def test_a_person_with_two_sentences_is_one_cluster_of_two(every: oc.Cohort) -> None:
    data = every.outcome("any")
    assert (data.n, data.cluster) == (4, "person_id")
    assert data.baseline["person_id"].tolist() == [1, 1, 2, 3]
    assert data.people_by_arm().tolist() == [2, 2]


def test_a_cluster_the_study_names_goes_before(twice: Reframed) -> None:
    assert cohort(twice, index="all", data_cut=CUT, cluster="area").outcome("any").cluster == "area"


def test_the_flow_counts_sentences(every: oc.Cohort) -> None:
    assert left(every) == {
        "started no programme of an arm": 1,
        "no follow-up before the data cut less the proving period": 1,
    }
    assert every.flow.summary()["n_remaining"].tolist()[0] == 6
    assert every.flow.describe() == (
        "Of 6 index sentences in the extract 4 are compared: 2 in manualised, 2 in bespoke."
    )


def test_the_flow_of_sentences_says_nothing_of_people_without_one() -> None:
    tables = extract(
        "p1 m1 community 2009-12-01 - 2010-01-01",
        f"p1 m1 community {after(300)} - {after(310)}",
        "p2 b1 community 2009-12-01 - 2010-01-01",
    )
    tables["people"] = rows("person_id sex ethnicity_group", *(f"p{n} male white" for n in (1, 2, 3, 4, 5)))
    assert left(cohort(tables)) == {"no sentence in the extract": 3}
    assert left(cohort(tables, index="all")) == {}


def test_an_offence_that_does_not_count_is_one_offence_however_many_sentences_came_before() -> None:
    tables = extract(
        "p1 m1 community 2009-12-01 - 2010-01-01",
        f"p1 m1 community {after(100)} - {after(110)}",
        "p2 b1 community 2009-12-01 - 2010-01-01",
        reoffences=offences(
            f"p1 {after(200)} {after(400)} violent",  # proven late
            f"p1 {after(310)} {after(320)} violent",  # in custody
        ),
        spells=spells(f"p1 {after(300)} {after(350)} custody"),
    )
    said = notes(cohort(tables, index="all", data_cut=CUT).outcome("any"))
    assert said["proven_late"].startswith("any: 1 offences")
    assert said["offences_away"].startswith("any: 1 offences")


def test_custody_under_a_later_sentence_is_away_under_the_first_and_before_time_zero_of_the_second() -> None:
    tables = extract(
        "p1 m1 community 2009-12-01 - 2010-01-01",
        f"p1 m1 custody {after(100)} {after(300)} {after(150)}",
        "p2 b1 community 2009-12-01 - 2010-01-01",
    )
    found = intervals(cohort(tables, index="all", data_cut=CUT, scale="at_risk"), by="sentence_id")
    assert found == {"s1": [(0, 100, ""), (300, 730, "")], "s2": [(0, 430, "")], "s3": [(0, 730, "")]}


@pytest.mark.parametrize(("index", "compared"), [("first", 3), ("all", 5)])
def test_under_every_population_the_sentences_are_the_same(twice: Reframed, index: str, compared: int) -> None:
    found = cohort(twice, index=index, data_cut="2015-12-31")
    assert len(found.baseline) == len(found.with_population("both").baseline) == compared


def test_notes_count_what_the_flow_counts(twice: Reframed) -> None:
    found = cohort(twice, index="all", data_cut=CUT, observed_from=after(50))
    assert notes(found)["era"].startswith("0 of 4 index sentences started where and when")
    assert notes(found.outcome("any"))["late_entry"].startswith("any: 2 index sentences enter late")
    first = cohort(twice, data_cut=CUT, observed_from=after(50))
    assert notes(first.outcome("any"))["late_entry"].startswith("any: 2 people enter late")
