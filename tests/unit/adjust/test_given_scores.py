"""Scores made elsewhere: what their weights are, that they are taken as known, and what no score can be."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

FORMULA = "age + race + prio"


def two(**changes: object) -> oc.SurvivalData:
    frame = load_rossi().assign(**changes)
    return oc.survival_data(frame, duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")


def three(**changes: object) -> oc.SurvivalData:
    frame = load_rossi()
    frame = frame.assign(group=frame["paro"] + frame["wexp"], **changes)
    return oc.survival_data(frame, duration="week", event="arrest", arm="group", reference=0, unit="weeks")


@pytest.mark.parametrize("estimand", ["ate", "att", "atc", "ato", "atm"])
def test_a_column_of_fitted_scores_gives_the_weights_of_the_fit(estimand: str) -> None:
    fitted = oc.weight(two(), FORMULA, estimand=estimand)
    given = oc.weight(two(ps=fitted.score), FORMULA, estimand=estimand, score="ps")
    np.testing.assert_allclose(given.values, fitted.values, rtol=1e-9)
    assert given.loglik == pytest.approx(fitted.loglik)
    assert given.c_statistic == pytest.approx(fitted.c_statistic)


@pytest.mark.parametrize("estimand", ["ate", "ato", "atm"])
@pytest.mark.parametrize("names", [["p0", "p1", "p2"], {"2": "p2", "0": "p0", "1": "p1"}, {2: "p2", 0: "p0", 1: "p1"}])
def test_several_arms_take_a_column_each_in_order_or_by_name(estimand: str, names: object) -> None:
    fitted = oc.weight(three(), FORMULA, estimand=estimand)
    columns = {f"p{a}": fitted.score[:, a] for a in range(3)}
    given = oc.weight(three(**columns), FORMULA, estimand=estimand, score=names)  # type: ignore[arg-type]
    np.testing.assert_allclose(given.values, fitted.values, rtol=1e-9)


def test_the_formula_says_what_balance_is_judged_on() -> None:
    fitted = oc.weight(two(), FORMULA, estimand="ate")
    given = oc.weight(two(ps=fitted.score), "age + mar", estimand="ate", score="ps")
    assert list(given.balance().to_frame()["term"]) == ["age", "mar", "propensity score"]
    assert len(given.overlap().to_frame()) == 40


def test_given_scores_are_taken_as_known_and_said_to_be() -> None:
    fitted = oc.weight(two(), FORMULA, estimand="ate")
    data = two(ps=fitted.score)
    given = oc.weight(data, FORMULA, estimand="ate", score="ps")
    assert repr(given).startswith("Weights from given scores\n")
    assert "take them as known" in {n.code: n.text for n in given.notes}["scores_given"]
    assert given.influence is None
    found = oc.compare(oc.kaplan_meier(data, weights=given), measure="risk_difference", at=52)
    known = oc.compare(oc.kaplan_meier(two(), weights=fitted), measure="risk_difference", at=52, variance="robust")
    assert found.variance == "robust"
    assert found.to_frame()["std_error"].iloc[0] == pytest.approx(known.to_frame()["std_error"].iloc[0], rel=1e-9)
    with pytest.raises(oc.EstimationError, match="stacked"):
        oc.compare(oc.kaplan_meier(data, weights=given), measure="risk_difference", at=52, variance="stacked")
    with pytest.raises(oc.EstimationError, match="the scores were given"):
        given.score_model()


def test_within_levels_given_scores_keep_their_weights() -> None:
    data = two(ps=oc.weight(two(), FORMULA, estimand="ato").score, half=np.arange(432) % 2)
    found = oc.subgroup_effects(data, "half", at=52, weights=oc.weight(data, FORMULA, estimand="ato", score="ps"))
    assert any("its scores were given" in note.text for note in found.notes)


def test_scores_of_0_and_1_are_an_error_where_the_estimand_speaks_of_them() -> None:
    data = two()
    ps = oc.weight(data, FORMULA, estimand="ate").score.copy()
    sure = (np.arange(432) % 20 == 0) & (data.arm == 1)
    ps[sure] = 1.0
    data = two(ps=ps)
    for estimand in ("ate", "att"):
        with pytest.raises(oc.EstimationError, match=rf"scores given \(ps\) are 0 or 1 for {sure.sum()} of 432 people"):
            oc.weight(data, FORMULA, estimand=estimand, score="ps")
    for estimand in ("atc", "ato", "atm"):
        made = oc.weight(data, FORMULA, estimand=estimand, score="ps")
        assert (made.values[sure] == 0).all()
        assert {n.code: n.text for n in made.notes}["one_arm_only"].startswith(f"{sure.sum()} people")


def test_a_score_that_rules_out_the_arm_a_person_is_in_contradicts_the_data() -> None:
    ps = np.where(np.arange(432) % 20 == 0, 0.0, 0.5)
    people = int(((np.arange(432) % 20 == 0) & (two().arm == 1)).sum())
    with pytest.raises(
        oc.EstimationError, match=rf"{people} of 432 people are in an arm whose score \(ps\) is 0 for them.*here of 1"
    ):
        oc.weight(two(ps=ps), FORMULA, estimand="ato", score="ps")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda e: np.where(np.arange(432) < 7, np.nan, e), r"'ps' \(score\) is missing for 7 of 432 people"),
        (lambda e: np.log(e / (1 - e)), r"below 0 or above 1 for \d+ of 432 people\. Scores are chances, not log odds"),
        (lambda e: [f"{v:.3f}" for v in e], "must hold numbers from 0 to 1"),
    ],
)
def test_columns_that_hold_no_scores_are_refused_by_count(change: object, said: str) -> None:
    e = oc.weight(two(), FORMULA, estimand="ate").score
    with pytest.raises(oc.EstimationError, match=said):
        oc.weight(two(ps=change(e)), FORMULA, estimand="ate", score="ps")  # type: ignore[operator]


@pytest.mark.parametrize(
    ("score", "said"),
    [
        ("pz", r"no column 'pz' \(score\)"),
        (["p0", "p1"], r"score= must name one column, the chance of being in 1; it names 2"),
        ({"2": "p0"}, r"score= must name one column for each of"),
    ],
)
def test_columns_that_are_not_there_or_too_many_are_refused(score: object, said: str) -> None:
    with pytest.raises(oc.EstimationError, match=said):
        oc.weight(two(p0=0.5, p1=0.5), FORMULA, estimand="ate", score=score)  # type: ignore[arg-type]


def test_scores_of_several_arms_must_sum_to_1() -> None:
    columns = {"p0": 0.3, "p1": 0.3, "p2": np.where(np.arange(432) < 9, 0.3, 0.4)}
    with pytest.raises(oc.EstimationError, match=r"scores of 9 of 432 people \(p0, p1, p2\) do not sum to 1"):
        oc.weight(three(**columns), FORMULA, estimand="ate", score=["p0", "p1", "p2"])
    with pytest.raises(oc.EstimationError, match="3 columns, one an arm: 0, 1, 2; it names 1"):
        oc.weight(three(**columns), FORMULA, estimand="ate", score="p0")


@pytest.mark.parametrize("method", ["entropy", "cbps"])
def test_methods_that_make_their_own_weights_take_no_scores(method: str) -> None:
    with pytest.raises(oc.NotSupportedError, match="scores given by score= would not be used"):
        oc.weight(two(ps=0.5), FORMULA, estimand="ate", method=method, score="ps")


def test_an_arm_of_whose_people_one_could_have_been_elsewhere_is_an_error() -> None:
    data = two()
    ps = np.where(data.arm == 1, 1.0, 0.5)
    nobody = r"nobody of the 247 people in 1 could have been in every other arm \(told exactly by ps\)"
    with pytest.raises(oc.EstimationError, match=nobody):
        oc.weight(two(ps=ps), FORMULA, estimand="ato", score="ps")
    ps[np.flatnonzero(data.arm == 1)[0]] = 0.5
    with pytest.raises(oc.EstimationError, match=r"only one of the 247 people in arm '1' has any weight"):
        oc.weight(two(ps=ps), FORMULA, estimand="ato", score="ps")


def test_one_person_with_nearly_all_the_weight_of_an_arm_is_said() -> None:
    data = two()
    ps = np.full(432, 0.5)
    ps[np.flatnonzero(data.arm == 1)[0]] = 1e-6
    made = oc.weight(two(ps=ps), FORMULA, estimand="ate", score="ps")
    assert "One person carries 100 % of the weight of arm 1." in {n.text for n in made.notes}
    assert made.effective_sample_size["1"] == pytest.approx(1, abs=0.01)
    assert "poor_overlap" in {n.code for n in made.notes}
