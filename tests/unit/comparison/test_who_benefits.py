"""Who benefits: every level as if it were all there is, every test counted, and nothing said that was not found."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from risks_by_hand import risk_by
from scipy.stats import chi2

import outcomes as oc
from outcomes.comparison.bands_of_people import age_bands, eras, yes_or_no
from outcomes.design.conditions import parse_condition
from outcomes.errors import DesignError, EstimationError, NotSupportedError


@pytest.fixture(scope="module")
def found(tables: oc.Tables, study: oc.Study) -> oc.Benefits:
    return oc.who_benefits(tables, study)


@pytest.fixture(scope="module")
def raw(tables: oc.Tables, study: oc.Study) -> oc.Benefits:
    return oc.who_benefits(tables, study.replace(adjust=None), by=["setting", "age", "era"])


def row(found: oc.Benefits, subgroup: str, level: str, measure: str = "risk_difference") -> pd.Series:
    frame = found.frame
    here = (frame["subgroup"] == subgroup) & (frame["level"] == level) & (frame["measure"] == measure)
    return frame[here].iloc[-1]


def test_ages_are_banded_at_their_bounds_and_unknown_ones_are_in_none() -> None:
    bands = age_bands(pd.Series([18.0, 29.99, 30.0, 49.99, 50.0, np.nan])).values
    assert list(bands[:5]) == ["below 30", "below 30", "30 to 49", "30 to 49", "50 and over"]
    assert bands.isna().tolist() == [False] * 5 + [True]


@pytest.mark.parametrize(
    ("periods", "halves"),
    [
        (["2006", "2004", "2005"], ["2006", "2004 to 2005", "2004 to 2005"]),
        (["2004", "2005", "2006", "2007"], ["2004 to 2005", "2004 to 2005", "2006 to 2007", "2006 to 2007"]),
        (["2004", "2004"], ["2004", "2004"]),
    ],
)
def test_eras_are_halves_of_the_periods_there_are_the_middle_one_in_the_first(
    periods: list[str], halves: list[str]
) -> None:
    made = eras(pd.Series(periods))
    assert list(made.values) == halves
    assert list(made.values.categories) == sorted(set(halves))


def test_flags_are_yes_and_no() -> None:
    assert list(yes_or_no(pd.Series([True, False, None], dtype="boolean"))[:2]) == ["yes", "no"]


def test_what_was_named_in_advance_comes_first_and_all_else_is_exploratory(found: oc.Benefits) -> None:
    frame = found.to_frame()
    order = list(dict.fromkeys(frame["subgroup"]))
    assert order == ["", "risk_band", "denial", "setting", "age", "era"]
    assert set(frame.loc[frame["named"], "subgroup"]) == {"risk_band"}
    heads = found.plot().get_yticklabels()
    shown = [text.get_text().replace("\n", " ") for text in heads]
    assert shown.index("Risk band (named in advance)") < shown.index("Denial (exploratory)")


def test_nothing_is_named_for_another_time_or_population(tables: oc.Tables, study: oc.Study) -> None:
    assert not oc.who_benefits(tables, study, horizon="1y", by="risk_band").frame["named"].any()
    own = study.replace(eligibility=dataclasses.replace(study.eligibility, population="own"), adjust=None)
    assert not oc.who_benefits(tables, own, by="risk_band").frame["named"].any()


def test_a_raw_level_is_the_risk_of_its_people_in_each_arm_on_both_scales(
    raw: oc.Benefits, tables: oc.Tables, study: oc.Study
) -> None:
    data = oc.build_cohort(tables, study).outcome("any")
    age = data.baseline["age_at_time_zero"].to_numpy()
    for level, mine in (("below 30", age < 30), ("30 to 49", (age >= 30) & (age < 50)), ("50 and over", age >= 50)):
        risks = [
            risk_by(data.exit[mine & (data.arm == arm)], data.event[mine & (data.arm == arm)], 730) for arm in (0, 1)
        ]
        assert row(raw, "age", level)["estimate"] == pytest.approx(risks[1] - risks[0], abs=1e-10)
        assert row(raw, "age", level, "risk_ratio")["estimate"] == pytest.approx(risks[1] / risks[0], rel=1e-10)


def test_an_adjusted_level_is_the_study_of_its_people_alone(
    found: oc.Benefits, tables: oc.Tables, study: oc.Study
) -> None:
    only = (*study.eligibility.include, parse_condition("setting == 'community'"))
    alone = study.replace(eligibility=dataclasses.replace(study.eligibility, include=only), headline=None)
    data = oc.build_cohort(tables, alone).outcome("any")
    formula = study.adjust.formula.replace(" + C(setting)", "")
    curves = oc.cumulative_incidence(data, weights=oc.weight(data, formula, estimand="ato"))
    expected = oc.compare(curves, measure="risk_difference", at="2y").frame.iloc[0]
    community = row(found, "setting", "community")
    for name in ("estimate", "std_error", "conf_low", "conf_high", "n", "n_events"):
        assert community[name] == pytest.approx(expected[name], rel=1e-6)


def test_with_the_arms_in_each_others_place_differences_turn_round_and_tests_stay(
    found: oc.Benefits, tables: oc.Tables, study: oc.Study
) -> None:
    other = oc.who_benefits(tables, study.replace(arms=dataclasses.replace(study.arms, reference="bespoke")), by="age")
    for level in ("below 30", "30 to 49", "50 and over"):
        assert row(other, "age", level)["estimate"] == pytest.approx(-row(found, "age", level)["estimate"], abs=1e-8)
        assert row(other, "age", level, "risk_ratio")["estimate"] == pytest.approx(
            1 / row(found, "age", level, "risk_ratio")["estimate"], rel=1e-7
        )
    tests = [each.interaction().query("subgroup == 'age'")["p_value"].to_numpy() for each in (other, found)]
    np.testing.assert_allclose(*tests, rtol=1e-6)


@pytest.mark.parametrize("subgroup", ["setting", "era"])
def test_the_test_of_two_levels_is_that_of_their_difference_on_either_scale(raw: oc.Benefits, subgroup: str) -> None:
    tests = raw.interaction().set_index(["subgroup", "scale"])
    for scale, measure in (("additive", "risk_difference"), ("multiplicative", "risk_ratio")):
        levels = raw.frame[(raw.frame["subgroup"] == subgroup) & (raw.frame["measure"] == measure)]
        value = levels["estimate"].to_numpy()
        value = np.log(value) if scale == "multiplicative" else value
        statistic = (value[1] - value[0]) ** 2 / (levels["std_error"] ** 2).sum()
        assert tests.loc[(subgroup, scale), "statistic"] == pytest.approx(statistic, rel=1e-8)
        assert tests.loc[(subgroup, scale), "p_value"] == pytest.approx(chi2.sf(statistic, 1), rel=1e-8)


def test_p_values_pay_for_every_test_on_both_scales(raw: oc.Benefits) -> None:
    tests = raw.interaction()
    assert len(tests) == 6
    smallest = tests["p_value"].idxmin()
    assert tests.loc[smallest, "p_holm"] == pytest.approx(min(1, 6 * tests.loc[smallest, "p_value"]))
    levels = raw.frame[raw.frame["subgroup"] != ""]
    assert len(levels) == 2 * 7
    first = levels["p_value"].idxmin()
    assert levels.loc[first, "p_holm"] == pytest.approx(min(1, 14 * levels.loc[first, "p_value"]))
    assert raw.frame.loc[raw.frame["subgroup"] == "", "p_holm"].isna().all()


def test_a_column_with_one_level_among_those_eligible_is_left_out_and_said(
    found: oc.Benefits, tables: oc.Tables, study: oc.Study
) -> None:
    said = [note.text for note in found.notes if note.code == "one_level"]
    assert len(said) == 1
    assert "learning disability" in said[0]
    with pytest.raises(EstimationError, match="everybody compared is in one level of learning_disability"):
        oc.who_benefits(tables, study, by="learning_disability")


def test_among_own_clients_learning_disability_is_yes_or_no_and_levels_one_arm_shuts_out_have_no_estimate(
    tables: oc.Tables, study: oc.Study
) -> None:
    own = study.replace(eligibility=dataclasses.replace(study.eligibility, population="own"), adjust=None)
    plain = oc.who_benefits(tables, own, by=["learning_disability", "denial"])
    levels = plain.summary()
    assert set(levels.loc[levels["subgroup"] == "learning_disability", "level"]) == {"no", "yes"}
    refused = row(plain, "denial", "full")
    assert refused["n"] > 0
    assert np.isnan(refused["estimate"])
    said = plain.describe()
    assert "full: no estimate" in said
    assert "(in the test: " in said
    assert "cannot be tested" in said


def test_sentences_say_verdicts_and_that_no_sign_of_a_difference_is_no_sign_of_none(found: oc.Benefits) -> None:
    text = found.describe()
    verdicts = {part.split(".")[0].split(" (")[0] for part in text.split("Verdict: ")[1:]}
    assert verdicts <= {"lower", "higher", "not determined", "no difference larger than 3 per 100"}
    assert "no sign that levels differ" in text
    assert "no sign that they are the same" in text
    assert "do not differ" not in text
    assert "works" not in text


def test_a_clear_interaction_is_said_to_differ_and_a_lone_one_to_be_gone_once_all_are_counted(raw: oc.Benefits) -> None:
    def said(p: float, holm: float) -> str:
        tests = raw.tests.assign(p_value=p, p_holm=holm)
        return dataclasses.replace(raw, tests=tests).describe()

    assert "levels differ by more than chance, all tests counted" in said(1e-6, 1e-5)
    assert "gone once all tests are counted" in said(0.03, 0.18)
    assert "no sign that levels differ" in said(0.4, 1.0)
    assert "cannot be tested" in said(np.nan, np.nan)


def test_what_cannot_be_asked_is_refused(tables: oc.Tables, study: oc.Study) -> None:
    with pytest.raises(EstimationError, match="no column 'risk_bnd'"):
        oc.who_benefits(tables, study, by="risk_bnd")
    with pytest.raises(EstimationError, match="by must be a column's name or a list of names; got int"):
        oc.who_benefits(tables, study, by=3)  # type: ignore[arg-type]
    with pytest.raises(EstimationError, match="conf_level must lie between 0 and 1"):
        oc.who_benefits(tables, study, conf_level=95)
    with pytest.raises(NotSupportedError, match="two arms"):
        oc.who_benefits(tables, study.with_untreated("6m"))
    moving = study.replace(time_zero=dataclasses.replace(study.time_zero, strategy="time_varying"))
    with pytest.raises(DesignError, match="fixes no arm"):
        oc.who_benefits(tables, moving)
    nearest = study.replace(adjust=dataclasses.replace(study.adjust, method="nearest"))
    with pytest.raises(NotSupportedError, match="method = 'nearest'"):
        oc.who_benefits(tables, nearest)


def test_what_is_released_is_one_forest_with_tests_and_ratios_beside(found: oc.Benefits) -> None:
    released = oc.release(found, "none")
    assert released.kind == "effects"
    assert set(released.frame["measure"]) == {"risk_difference"}
    assert set(released.frames["tests"]["scale"]) == {"additive", "multiplicative"}
    assert set(released.frames["table"]["measure"]) == {"risk_difference", "risk_ratio"}
    assert len(released.sentences) == 7


def test_a_level_with_an_estimate_that_is_not_in_the_test_is_not_said_to_be(tables: oc.Tables, study: oc.Study) -> None:
    """Within 30 days nobody of low risk in one arm had the event: a difference can be given, and no test of it."""
    early = oc.who_benefits(tables, study, by="risk_band", horizon="30d")
    assert np.isfinite(row(early, "risk_band", "low")["estimate"])
    assert set(early.interaction()["levels"]) == {"medium, high, very_high"}
    said = early.sentences[1]
    assert (
        "(in the test: medium, high, very high; elsewhere there is no estimate, or nobody or everybody in an arm had the event)"
        in said
    )


def test_a_margin_named_in_advance_decides_where_nothing_larger_is_left(tables: oc.Tables, study: oc.Study) -> None:
    assert study.headline is not None
    wide = study.replace(headline=dataclasses.replace(study.headline, margin=60.0))
    found = oc.who_benefits(tables, wide, by="era")
    levels = found.frame[(found.frame["measure"] == "risk_difference") & (found.frame["subgroup"] == "era")]
    undecided = (levels["conf_low"] < 0) & (levels["conf_high"] > 0)
    assert undecided.any()
    assert set(levels.loc[undecided, "verdict"]) == {"no difference larger than the margin"}
    assert "Verdict: no difference larger than 60 per 100" in found.describe()
