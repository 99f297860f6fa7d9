"""Who left, where and why: exclusive, in order, adding up; and nothing about a single person in anything that is said."""

from __future__ import annotations

import dataclasses
import pickle
from typing import Any

import pandas as pd
import pytest
from small_study import UNTREATED, Reframed, cohort, compared, exits, extract, held, left, offences, outcome, starters
from small_tables import rows

import outcomes as oc
from outcomes.errors import DesignError, DisclosureError


@pytest.fixture(scope="module")
def leaving() -> oc.Tables:
    frames = extract(
        "p1 m1 community 2009-12-01 - 2010-01-01",
        "p2 b1 community 2009-12-01 - 2010-01-01",
        "p3 - community 2009-12-01",  # started nothing, and is a woman
        "p4 b1 custody 2008-01-01 - 2008-06-01",  # not released
        "p5 b1 community 2009-12-01 - 2010-01-01",  # lost before
        "p6 m1 community 2009-12-01 - 2010-01-01",  # a woman
        "p7 m1 community 2015-12-01 - 2016-01-01",  # too late, and a woman
        "p8 b1 community 2009-12-01 - 2010-01-01",  # denies, which m1 refuses
        exits=exits("p5 2009-12-15 lost"),
    )
    frames["people"]["sex"] = ["male", "male", "female", "male", "male", "female", "female", "male"]
    frames["assessments"]["denial"] = ["none"] * 7 + ["full"]
    return oc.load_tables(frames)


@pytest.fixture(scope="module")
def found(leaving: oc.Tables) -> oc.Cohort:
    return cohort(leaving, include=["sex == 'male'"], population="both")


def test_everyone_leaves_at_the_first_reason_that_fits(found: oc.Cohort) -> None:
    assert list(found.flow.summary().itertuples(index=False, name=None)) == [
        ("in the extract", 0, 8),
        ("started no programme of an arm", 1, 7),
        ("not released or started yet", 1, 6),
        ("left observation before time zero", 1, 5),
        ("no follow-up before the data cut less the proving period", 1, 4),
        ("sex is not male", 1, 3),
        ("not eligible for manualised by its entry rules", 1, 2),
        ("eligibility for manualised unknown", 0, 2),
        ("not eligible for bespoke by its entry rules", 0, 2),
        ("eligibility for bespoke unknown", 0, 2),
    ]
    assert compared(found) == {"p1": "manualised", "p2": "bespoke"}


def test_arms_and_those_in_none_add_up_to_everyone_at_every_step(found: oc.Cohort) -> None:
    frame = found.flow.to_frame()
    assert frame.columns.tolist() == ["step", "reason", "arm", "n_leaving", "n_remaining"]
    numbers = frame.pivot_table(index="step", columns="arm", values=["n_leaving", "n_remaining"])
    for what in ("n_leaving", "n_remaining"):
        parts = numbers[what][["manualised", "bespoke", "no arm"]].sum(axis=1)
        assert (parts == numbers[what]["all"]).all()
    for arm in ("all", "manualised", "bespoke", "no arm"):
        assert (numbers["n_remaining"][arm].diff().iloc[1:] == -numbers["n_leaving"][arm].iloc[1:]).all()
    assert numbers["n_remaining"].iloc[-1].to_dict() == {"all": 2, "bespoke": 1, "manualised": 1, "no arm": 0}
    assert left(found, "manualised") == {
        "no follow-up before the data cut less the proving period": 1,
        "sex is not male": 1,
    }


def test_the_flow_is_said_in_a_sentence(found: oc.Cohort) -> None:
    assert found.flow.describe() == "Of 8 people in the extract 2 are compared: 1 in manualised, 1 in bespoke."
    assert found.describe().startswith(found.flow.describe() + " Population: both.")
    assert len(repr(found).splitlines()) <= 12
    assert found.flow.arms == found.arms == ("manualised", "bespoke")


def test_people_without_a_sentence_are_in_the_extract_too() -> None:
    frames = starters(2)
    frames["people"] = pd.concat([frames["people"], rows("person_id sex ethnicity_group", "p3 male white")])
    assert cohort(frames).flow.describe().startswith("Of 3 people in the extract 2 are compared")


def test_an_empty_arm_is_an_error_that_says_where_its_people_went(leaving: oc.Tables) -> None:
    with pytest.raises(DesignError) as caught:
        cohort(leaving, include=["sex == 'female'"])
    assert str(caught.value) == (
        "build_cohort: arm 'bespoke' is empty. not released or started yet: 1; left observation before time zero: 1; "
        "sex is not female: 2"
    )


def test_an_arm_nobody_started_is_an_error_that_says_so() -> None:
    with pytest.raises(DesignError, match=r"arm 'bespoke' is empty\. Nobody started one of its programmes"):
        cohort(extract("p1 m1 community 2009-12-01 - 2010-01-01"))


def test_an_empty_arm_of_people_who_started_nothing_is_not_said_to_have_started_nothing() -> None:
    with pytest.raises(DesignError, match=r"arm 'untreated' is empty\. Everybody started a programme of another arm"):
        cohort(starters(2), arms=UNTREATED, strategy="landmark", grace=183)


def test_an_arm_without_provision_is_an_error_that_names_the_table() -> None:
    with pytest.raises(
        DesignError, match=r"arm 'bespoke' is empty\. Nobody was released or sentenced where .* \(table provision\)"
    ):
        cohort(
            extract("p1 m1 community 2009-12-01 - 2010-01-01"),
            assigned_by="provision",
            population="caseload",
            event="sentence",
        )


def test_people_who_started_nothing_have_no_start_to_count_from() -> None:
    tables = extract(
        "p1 m1 community 2009-12-01 - 2010-01-01",
        "p2 b1 community 2009-12-01 - 2010-01-01",
        "p3 - community 2009-12-01",
    )
    with pytest.raises(DesignError, match=r"arm 'untreated' is empty\. not released or started yet: 1"):
        cohort(tables, arms=UNTREATED, event="start")


def test_what_holds_rows_does_not_pickle(found: oc.Cohort) -> None:
    with pytest.raises(DisclosureError):
        pickle.dumps(found)
    with pytest.raises(DisclosureError):
        pickle.dumps(found.outcome("any"))
    with pytest.raises(DisclosureError):
        pickle.dumps(found.flow)


def test_a_cohort_is_frozen_and_knows_its_study(found: oc.Cohort) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        found.baseline = found.baseline.head(0)  # type: ignore[misc]
    assert found.provenance["study"] == found.study.hash
    frame = found.flow.to_frame()
    frame.loc[:, "n_leaving"] = 99
    assert left(found)["sex is not male"] == 1


def test_building_a_cohort_changes_no_table(leaving: oc.Tables) -> None:
    before = {name: leaving.frame(name) for name in leaving.names}
    cohort(leaving, include=["sex == 'male'"], population="both")
    assert all(leaving.frame(name).equals(frame) for name, frame in before.items())


@pytest.fixture(scope="module")
def marked() -> Reframed:
    """Two people whose cells hold a marker wherever a cell may hold text of its own."""
    frames = extract(
        "p-CANARY m1 community 2009-12-01 - 2010-01-01",
        "p-CANARY2 b1 community 2009-12-01 - 2010-01-01",
        reoffences=offences("p-CANARY 2010-03-01 2010-04-01 violent", "p-CANARY2 2010-03-01 2011-04-01 violent"),
        eligibility=rows("programme_id column operator value reason", "m1 denial == CANARY CANARY"),
    )
    frames["sentences"]["area"] = ["CANARY", "CANARY"]
    frames["sentences"]["sentence_type"] = ["CANARY", "CANARY"]
    frames["assessments"]["band"] = ["CANARY", "CANARY"]
    frames["people"]["ethnicity_group"] = ["CANARY", "CANARY"]
    frames["provision"]["area"] = ["CANARY"] * 3
    return held(frames)


@pytest.mark.parametrize(
    "study",
    [
        {"include": ["sex == 'female'"]},
        {"include": ["sexx == 'male'"]},
        {"include": ["risk_band > 3"]},
        {"include": ["risk_band == 3"]},
        {"include": ["risk_score == 'high'"]},
        {"event": "sentence"},
        {"event": "release"},
        {"data_cut": "2010-01-01"},
        {"event": "referral"},
        {"if_both": "exclude", "include": ["risk_band == 'high'"]},
    ],
    ids=str,
)
def test_no_error_of_a_cohort_shows_a_row(marked: Reframed, study: dict[str, Any]) -> None:
    with pytest.raises(oc.OutcomesError) as caught:
        cohort(marked, **study)
    assert "CANARY" not in str(caught.value)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_nothing_a_cohort_says_shows_a_row(marked: Reframed) -> None:
    found = cohort(marked, population="both", outcomes={"any": outcome(), "slow": outcome(proven_within=3000)},
                   headline="any")  # fmt: skip
    data = found.outcome("any")
    said = [repr(found), found._repr_html_(), found.describe(), repr(found.flow), found.flow._repr_html_(), repr(data)]
    said += [data._repr_html_(), *(note.text for note in (*found.notes, *data.notes)), str(found.provenance)]
    said += [found.summary().to_string(), found.flow.to_frame().to_string()]
    for name in ("slow", "CANARY-not"):
        with pytest.raises(oc.OutcomesError) as caught:
            found.outcome(name.removeprefix("CANARY-"))
        said.append(str(caught.value))
    assert not [text for text in said if "CANARY" in text]
