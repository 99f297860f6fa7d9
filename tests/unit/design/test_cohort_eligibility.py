"""Entry rules as dated data applied to everyone, and the conditions of the study; what is missing is unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from small_study import Reframed, cohort, compared, extract, held, left, notes, on_duckdb, starters
from small_tables import rows

import outcomes as oc
from outcomes.design.conditions import holds, parse_condition
from outcomes.design.eligibility import eligible_for
from outcomes.errors import DesignError

RULES = "programme_id column operator value valid_from valid_to reason"
ASSESSED = "person_id date instrument score band denial learning_disability"


@pytest.fixture(scope="module")
def rules_bent() -> Reframed:
    """Six people; m1 refuses full denial and learning disability, b1 refuses nobody. Odd people started m1, even ones b1."""
    return held(
        starters(
            6,
            assessments=rows(
                ASSESSED,
                "p1 2009-12-01 static 3 medium none false",
                "p2 2009-12-01 static 3 medium partial false",
                "p3 2009-12-01 static 3 medium full false",  # started m1 all the same
                "p4 2009-12-01 static 3 medium none true",
                "p5 2009-12-01 static 3 medium - false",  # denial not recorded
                "p6 2009-12-01 static 3 medium - true",  # not recorded either, but one rule that holds is enough
            ),
        )
    )


def test_each_arms_own_clients_are_all_compared_and_the_rules_only_looked_at(rules_bent: Reframed) -> None:
    found = cohort(rules_bent, population="own")
    assert compared(found, "eligible_manualised", "eligible_bespoke") == {
        "p1": ("yes", "yes"),
        "p2": ("yes", "yes"),
        "p3": ("no", "yes"),
        "p4": ("no", "yes"),
        "p5": ("unknown", "yes"),
        "p6": ("no", "yes"),
    }
    assert left(found) == {}
    assert found.population == "own"


def test_the_rule_that_excludes_stands_beside_the_verdict_where_somebody_is_excluded(rules_bent: Reframed) -> None:
    found = cohort(rules_bent, population="own")
    reasons = {p: reason for p, reason in compared(found, "excluded_by_manualised").items() if pd.notna(reason)}
    assert reasons == {"p3": "denial", "p4": "learning_disability", "p6": "learning_disability"}
    assert "excluded_by_bespoke" not in found.baseline
    assert "excluded_by_manualised" not in cohort(rules_bent, population="both").baseline


def test_eligible_for_both_leaves_those_whom_one_arms_rules_exclude_or_may_exclude(rules_bent: Reframed) -> None:
    found = cohort(rules_bent, population="both")
    assert compared(found) == {"p1": "manualised", "p2": "bespoke"}
    assert left(found) == {
        "not eligible for manualised by its entry rules": 3,
        "eligibility for manualised unknown": 1,
    }
    assert left(found, "bespoke") == {"not eligible for manualised by its entry rules": 2}


@pytest.mark.parametrize("population", ["own", "both"])
def test_who_started_though_the_rules_exclude_them_is_counted(rules_bent: Reframed, population: str) -> None:
    assert notes(cohort(rules_bent, population=population))["started_though_ineligible"] == (
        "1 people started in manualised though its entry rules exclude them."
    )


def test_the_reason_a_rule_gives_is_counted_in_the_flow(rules_bent: Reframed) -> None:
    flow = cohort(rules_bent, population="both").flow
    said = " ".join([*flow.to_frame()["reason"], *(note.text for note in flow.notes)])
    assert "denial: 1" in said  # p3
    assert "learning_disability: 2" in said  # p4 and p6


def test_a_list_in_a_rule_needs_an_operator_for_lists() -> None:
    rules = rows(RULES, "m1 denial == partial|full - - denial")
    with pytest.raises(DesignError, match="compares 'denial' with a list by ==; a list needs 'in' or 'not in'"):
        cohort(starters(4, eligibility=rules), population="both")


def test_who_was_refused_though_eligible_is_counted() -> None:
    found = cohort(
        starters(
            2,
            referrals=rows(
                "referral_id person_id sentence_id programme_id referral_date stage decision",
                "r1 p1 s1 m1 2009-12-05 order accepted",
                "r2 p2 s2 m1 2009-12-05 order not_eligible",  # no rule of m1 excludes p2, who went to b1
            ),
        )
    )
    assert compared(found, "eligible_manualised") == {"p1": "yes", "p2": "yes"}
    assert any(text.startswith("1 ") and "refused" in text for text in notes(found).values())


def test_a_rule_counts_while_it_is_in_force_on_the_day_of_referral_else_of_time_zero() -> None:
    found = cohort(
        extract(
            "p1 m1 community 2009-12-01 - 2010-02-01 2010-01-09",  # referred the day before the rule's first day
            "p2 b1 community 2009-12-01 - 2010-02-01 2010-01-10",
            "p3 b1 community 2009-12-01 - 2010-02-01 2010-01-20",
            "p4 b1 community 2009-12-01 - 2010-01-20 2010-01-09",  # referred before, started while in force
            "p5 b1 community 2009-12-01 - 2010-01-20",  # no referral: the start counts
            "p6 b1 community 2009-12-01 - 2010-01-21",
            eligibility=rows(RULES, "m1 prior_sanctions >= 2 2010-01-10 2010-01-20 many_sanctions"),
        )
    )
    assert compared(found, "eligible_manualised") == {
        "p1": "yes", "p2": "no", "p3": "no", "p4": "yes", "p5": "no", "p6": "yes",
    }  # fmt: skip


def test_without_a_single_assessment_everyone_is_unknown() -> None:
    tables = oc.load_tables(starters(2, assessments=rows(ASSESSED)))
    assert compared(cohort(tables), "eligible_manualised") == {"p1": "unknown", "p2": "unknown"}
    with pytest.raises(DesignError, match=r"arm 'manualised' is empty\. eligibility for manualised unknown: 1"):
        cohort(tables, population="both")


def _verdicts(*lines: str, programmes: tuple[int, ...] = (1,)) -> list[str]:
    """Return what rules ``programme column operator value`` (``not_in`` for not in) say of three people."""
    people = pd.DataFrame(
        {
            "time_zero": [100.0, 100.0, 100.0],
            "referral_date": [np.nan, np.nan, np.nan],
            "risk_band": ["low", "high", None],
            "prior_sanctions": [0, 5, 10],
            "risk_score": [1.0, 2.5, np.nan],
            "learning_disability": [True, False, None],
        }
    )
    rules = rows("programme_id column operator value", *lines)
    rules = rules.assign(
        operator=rules["operator"].str.replace("_", " "),
        programme_id=rules["programme_id"].astype(int),
        valid_from=pd.array([pd.NA] * len(rules), dtype="Int64"),
        valid_to=pd.array([pd.NA] * len(rules), dtype="Int64"),
        reason="a_rule",
    )
    lazy = on_duckdb(people)
    verdict, _ = eligible_for(frozenset(programmes), rules, lazy.collect_schema())
    return lazy.select(verdict.alias("verdict")).to_native().df()["verdict"].tolist()


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("1 risk_band == high", ["yes", "no", "unknown"]),
        ("1 risk_band != high", ["no", "yes", "unknown"]),
        ("1 risk_band in high|very_high", ["yes", "no", "unknown"]),
        ("1 risk_band in low|high", ["no", "no", "unknown"]),
        ("1 risk_band in high", ["yes", "no", "unknown"]),
        ("1 risk_band not_in low|medium", ["yes", "no", "unknown"]),
        ("1 prior_sanctions > 5", ["yes", "yes", "no"]),
        ("1 prior_sanctions >= 5", ["yes", "no", "no"]),
        ("1 prior_sanctions < 5", ["no", "yes", "yes"]),
        ("1 prior_sanctions <= 5", ["no", "no", "yes"]),
        ("1 prior_sanctions in 0|10", ["no", "yes", "no"]),
        ("1 risk_score >= 2.5", ["yes", "no", "unknown"]),
        ("1 learning_disability == true", ["no", "yes", "unknown"]),
        ("1 learning_disability == false", ["yes", "no", "unknown"]),
        ("1 learning_disability == yes", ["no", "yes", "unknown"]),
        ("1 learning_disability == 1", ["no", "yes", "unknown"]),
        ("1 learning_disability == T", ["no", "yes", "unknown"]),  # flags are read as in every table
        ("1 learning_disability == y", ["no", "yes", "unknown"]),
        ("2 risk_band == high", ["yes", "yes", "yes"]),  # of another programme
    ],
)
def test_a_rule_is_a_column_an_operator_and_a_value_in_the_columns_kind(rule: str, expected: list[str]) -> None:
    assert _verdicts(rule) == expected


def test_one_rule_that_holds_excludes_whatever_another_leaves_unknown() -> None:
    assert _verdicts("1 risk_band == high", "1 prior_sanctions > 5") == ["yes", "no", "no"]
    assert _verdicts("1 risk_band == high", "1 prior_sanctions == 0") == ["no", "no", "unknown"]


def test_one_programme_of_an_arm_that_admits_is_enough() -> None:
    rules = ("1 risk_band == high", "2 prior_sanctions == 0")
    assert _verdicts(*rules, programmes=(1, 2)) == ["yes", "yes", "yes"]
    rules = ("1 risk_band == high", "2 prior_sanctions >= 5")
    assert _verdicts(*rules, programmes=(1, 2)) == ["yes", "no", "unknown"]
    assert _verdicts() == ["yes", "yes", "yes"]


@pytest.mark.parametrize(
    "rule",
    [
        "1 risk_bnad == CANARY",
        "1 risk_band > CANARY",
        "1 prior_sanctions == CANARY",
        "1 prior_sanctions in 1|CANARY",
        "1 learning_disability == CANARY",
    ],
)
def test_a_rule_that_has_no_meaning_is_refused_without_its_value(rule: str) -> None:
    with pytest.raises(DesignError) as caught:
        _verdicts(rule)
    assert "eligibility" in str(caught.value)
    assert "CANARY" not in str(caught.value)


@pytest.fixture(scope="module")
def mixed() -> Reframed:
    frames = starters(
        7,
        assessments=rows(
            ASSESSED,
            *(f"p{n} 2009-12-01 static 3 {'low' if n == 5 else 'medium'} none false" for n in (1, 2, 3, 4, 5, 6)),
        ),
    )
    frames["people"]["sex"] = ["male", "male", "male", "female", "male", "female", "male"]
    frames["sentences"]["age_at_sentence"] = ["30", "17.95", "17", "30", "30", "17", "30"]  # p2 is 18.03 a month later
    return held(frames)


def test_every_condition_has_its_row_in_order_and_what_is_missing_its_own(mixed: Reframed) -> None:
    conditions = ["age_at_time_zero >= 18", "sex == 'male'", "risk_band in ['medium', 'high']"]
    found = cohort(mixed, include=conditions)
    assert compared(found) == {"p1": "manualised", "p2": "bespoke"}
    assert list(left(found).items()) == [
        ("age at time zero is below 18", 2),  # p3 and p6, who is no man either
        ("sex is not male", 1),  # p4
        ("risk band is none of medium, high", 1),  # p5
        ("risk band unknown", 1),  # p7
    ]


@pytest.fixture(scope="module")
def known(mixed: Reframed) -> pd.DataFrame:
    return cohort(mixed).baseline


@pytest.mark.parametrize(
    ("condition", "stay"),
    [
        ("prior_sanctions <= 2", "1234567"),
        ("sex != 'male'", "46"),
        ("risk_band not in ['low']", "12346"),  # p7's band is unknown, not "not low"
        ("risk_band != 'low'", "12346"),
        ("learning_disability == false", "123456"),
        ("learning_disability != true", "123456"),
        ("age_at_time_zero < 18", "36"),
        ("risk_score > 2.5", "123456"),
        ("sex in ['male', 'female']", "1234567"),
    ],
)
def test_operators_of_conditions(known: pd.DataFrame, condition: str, stay: str) -> None:
    lazy = on_duckdb(known)
    met, unknown = holds(parse_condition(condition), lazy.collect_schema(), where="here")
    found = lazy.select("person_id", met=met, unknown=unknown).to_native().df()
    assert "".join(str(n) for n in found["person_id"][found["met"]]) == stay
    assert not (found["met"] & found["unknown"]).any()


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        ("risk_bnad == 'low'", r"\[eligibility\] include: there is no column 'risk_bnad'\. Did you mean 'risk_band'\?"),
        ("age_at_time_zero >= '18'", r"age_at_time_zero holds numbers; .*compares it with text"),
        ("prior_sanctions in ['2']", r"prior_sanctions holds numbers; .*compares it with text"),
        ("risk_band > 'low'", r"risk_band holds no numbers; .*has no meaning"),
        ("sex != 1", r"sex"),  # text is never a number: everybody would stay
        ("learning_disability != 'true'", r"learning_disability"),  # nor is a flag text
    ],
)
def test_conditions_without_meaning_are_refused(mixed: Reframed, condition: str, message: str) -> None:
    with pytest.raises(DesignError, match=message):
        cohort(mixed, include=[condition])


def test_the_conditions_of_a_study_are_asked_before_the_entry_rules(rules_bent: Reframed) -> None:
    found: Any = cohort(rules_bent, population="both", include=["denial != 'full'"])
    assert list(left(found)) == [
        "denial is full",
        "denial unknown",
        "not eligible for manualised by its entry rules",
    ]
    assert list(left(found).values()) == [1, 2, 1]
