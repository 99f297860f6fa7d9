"""What a Cox model predicts: baseline hazards, curves at covariates, curves by arm standardised over people."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.errors import NotSupportedError

ROSSI = load_rossi()
WEIGHTS = np.random.default_rng(5).uniform(0.3, 3, len(ROSSI))
NEW = pd.DataFrame({"arm": ["1", "0"], "prio": [2, 5], "race": [1, 0]}, index=["a", "b"])


def rossi(frame: pd.DataFrame = ROSSI, **more: Any) -> oc.SurvivalData:
    asked = {"duration": "week", "event": "arrest", "unit": "weeks", "arm": "fin", "reference": 0} | more
    return oc.survival_data(frame, **asked)


def by_difference(estimate: Any, weights: np.ndarray, step: float = 1e-5) -> np.ndarray:
    """Return the robust standard error of `estimate(weights)` from the difference each person's weight makes."""
    base, each = estimate(weights), []
    for i in range(len(weights)):
        moved = weights.copy()
        moved[i] *= 1 + step
        each.append((estimate(moved) - base) / step)
    return np.asarray(np.sqrt((np.array(each) ** 2).sum(axis=0)))


def test_the_worked_example_in_print() -> None:
    """Therneau & Grambsch (2000), appendix E.1: cumulative hazard at x = 0."""
    small = pd.DataFrame({"time": [1, 1, 6, 6, 8, 9], "status": [1, 0, 1, 1, 0, 1], "x": [1, 1, 1, 0, 0, 0]})
    data = oc.survival_data(small, duration="time", event="status")
    for ties, hazard in {
        "breslow": [0.06204689, 0.3333333, 1.3333333],
        "efron": [0.05250401, 0.3655434, 1.3655434],
    }.items():
        frame = oc.cox(data, "x", ties=ties).baseline_hazard()
        assert frame["time"].tolist() == [1, 6, 9]
        np.testing.assert_allclose(frame["cumulative_hazard"], hazard, atol=5e-7)
    breslow = oc.cox(data, "x", ties="breslow").predict(pd.DataFrame({"x": [0]}), times=[1, 6, 9]).to_frame()
    spread = (breslow["std_error"] / breslow["estimate"]) ** 2
    np.testing.assert_allclose(spread, [0.007870818, 0.1111111, 1.1111111], rtol=1e-6)


def test_curves_have_a_row_a_new_row_and_time() -> None:
    curves = oc.cox(rossi(), "arm + prio").predict(NEW, times=[0, 20, 52, 60])
    frame = curves.to_frame()
    assert frame["profile"].tolist() == ["a"] * 4 + ["b"] * 4
    assert frame["estimate"].iloc[0] == 1
    assert frame["estimate"].isna().tolist() == [False, False, False, True] * 2
    assert ((frame["conf_low"] < frame["estimate"]) & (frame["estimate"] < frame["conf_high"]))[[1, 2, 5, 6]].all()
    assert "by 52 weeks: a: " in curves.describe()
    default = oc.cox(rossi(), "arm + prio").predict(NEW).to_frame()
    assert default["time"].nunique() == ROSSI.loc[ROSSI["arrest"] == 1, "week"].nunique()


@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_robust_limits_are_those_of_the_difference_each_weight_makes(ties: str) -> None:
    def at(weights: np.ndarray) -> np.ndarray:
        model = oc.cox(rossi(ROSSI.iloc[:50]), "arm + prio", weights=weights, strata="race", ties=ties)
        return model.predict(NEW, times=[20, 50]).to_frame()["estimate"].to_numpy()

    model = oc.cox(rossi(ROSSI.iloc[:50]), "arm + prio", weights=WEIGHTS[:50], strata="race", ties=ties)
    found = model.predict(NEW, times=[20, 50]).to_frame()["std_error"]
    np.testing.assert_allclose(found, by_difference(at, WEIGHTS[:50]), rtol=1e-3)


def test_without_covariates_that_matter_the_robust_and_the_model_based_errors_are_near() -> None:
    new = pd.DataFrame({"arm": ["1"]})
    plain, robust = (
        oc.cox(rossi(), "arm", robust=robust).predict(new, times=[26, 50]).to_frame()["std_error"]
        for robust in (False, True)
    )
    np.testing.assert_allclose(plain, robust, rtol=0.05)


def test_cutting_follow_up_changes_no_curve() -> None:
    whole = oc.cox(rossi(), "arm + prio", robust=True).predict(NEW, times=[20, 50]).to_frame()
    split = oc.cox(oc.split_follow_up(rossi(), 26), "arm + prio").predict(NEW, times=[20, 50]).to_frame()
    pd.testing.assert_frame_equal(whole, split, rtol=1e-9)


def test_each_stratum_has_its_own_curve() -> None:
    model = oc.cox(rossi(), "arm + prio", strata=["race", "wexp"])
    baseline = model.baseline_hazard()
    assert list(baseline.columns) == ["race", "wexp", "time", "cumulative_hazard", "n_events"]
    new = NEW.assign(wexp=[1, 0])
    found = model.predict(new, times=[50]).to_frame()["cumulative_hazard"]
    for position, row in enumerate(new.itertuples()):
        own = baseline[(baseline["race"] == row.race) & (baseline["wexp"] == row.wexp) & (baseline["time"] <= 50)]
        ratio = np.exp(model.coefficients @ [float(row.arm), row.prio])
        assert found[position] == pytest.approx(own["cumulative_hazard"].iloc[-1] * ratio)


def test_new_rows_that_do_not_fit_are_refused_in_counts() -> None:
    model = oc.cox(
        rossi(ROSSI.assign(band=np.where(ROSSI["age"] > 25, "old", "young"))), "arm + C(band)", strata="race"
    )
    good = pd.DataFrame({"arm": ["1"], "band": ["old"], "race": [1]})
    assert len(model.predict(good, times=10).to_frame()) == 1
    for change, message in {
        "band": r"band of the new rows do not fit",
        "arm": r"1 of 1 new rows are of no arm of the data \(0, 1\)",
        "race": r"1 of 1 new rows are of a stratum",
    }.items():
        with pytest.raises(oc.EstimationError, match=message) as caught:
            model.predict(good.assign(**{change: ["CANARY"]}))
        assert "CANARY" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        with pytest.raises(oc.EstimationError, match=change):
            model.predict(good.drop(columns=change))


def test_numbers_of_new_rows_must_be_numbers() -> None:
    model = oc.cox(rossi(ROSSI.assign(known=0.1)), "fin + prio", offset="known")
    good = pd.DataFrame({"fin": [1.0], "prio": [2], "known": [0.0]})
    assert len(model.predict(good, times=10).to_frame()) == 1
    for change in good:
        with pytest.raises(oc.EstimationError, match=rf"{change} must hold numbers") as caught:
            model.predict(good.assign(**{change: ["CANARY"]}))
        assert "CANARY" not in str(caught.value)
        with pytest.raises(oc.EstimationError, match=rf"{change} \(1\) of 1 rows"):
            model.predict(good.assign(**{change: [np.nan]}))


def test_standardised_curves_are_predictions_averaged_over_people() -> None:
    model = oc.cox(rossi(), "arm + prio + age", weights=WEIGHTS)
    found = model.standardised().at([26, 52]).pivot_table(index="time", columns="arm", values="estimate")
    for arm in ("0", "1"):
        each = model.predict(ROSSI.assign(arm=arm), times=[26, 52]).to_frame()
        mean = [np.average(each.loc[each["time"] == t, "estimate"], weights=WEIGHTS) for t in (26, 52)]
        np.testing.assert_allclose(found[arm], mean, rtol=1e-12)


@pytest.mark.parametrize("over", [None, "1"])
def test_their_limits_are_those_of_the_difference_each_weight_makes(over: str | None) -> None:
    frame = ROSSI.iloc[:50]

    def gap(weights: np.ndarray) -> np.ndarray:
        model = oc.cox(rossi(frame), "arm * prio", weights=weights, strata="race")
        free = model.standardised(over=over).at([20, 50]).pivot_table(index="time", columns="arm", values="estimate")
        return (free["0"] - free["1"]).to_numpy()

    curves = oc.cox(rossi(frame), "arm * prio", weights=WEIGHTS[:50], strata="race").standardised(over=over)
    found = oc.compare(curves, measure="risk_difference", at=[20, 50]).to_frame()
    np.testing.assert_allclose(found["estimate"], gap(WEIGHTS[:50]), rtol=1e-10)
    np.testing.assert_allclose(found["std_error"], by_difference(gap, WEIGHTS[:50]), rtol=1e-3)


def test_weights_of_rows_that_repeat_the_persons_change_nothing() -> None:
    split = oc.split_follow_up(rossi(), [10, 30])
    whole, by_row = (
        oc.compare(oc.cox(data, "arm + prio", weights=w).standardised(), measure="risk_difference", at=50).to_frame()
        for data, w in ((rossi(), WEIGHTS), (split, WEIGHTS[split.person]))
    )
    np.testing.assert_allclose(by_row[["estimate", "std_error"]], whole[["estimate", "std_error"]], rtol=1e-8)


def test_the_risk_had_everybody_had_the_programme_is_compared_and_named_for_whom() -> None:
    """R's riskRegression::ate gives risks 0.2707369 and 0.2392774, and a standard error within 2 % (it takes Breslow's scores)."""
    data = rossi(arm="wexp")
    curves = oc.cox(data, "arm + age + race + mar + paro + prio").standardised()
    np.testing.assert_allclose(1 - curves.at(51)["estimate"], [0.2707369, 0.2392774], atol=5e-8)
    row = oc.compare(curves, measure="risk_difference", at=51).to_frame().iloc[0]
    assert row["estimate"] == pytest.approx(-0.03145951, abs=5e-9)
    assert row["std_error"] == pytest.approx(0.04531844, rel=0.02)
    assert row["estimand"] == "ate"
    treated = (
        oc.compare(oc.cox(data, "arm + age").standardised(over="1"), measure="risk_ratio", at=51).to_frame().iloc[0]
    )
    assert treated["estimand"] == "standardised over 1"
    assert "had everybody been in each arm" in curves.describe()


def test_clusters_and_counts_are_in_the_limits() -> None:
    twice = ROSSI.assign(copies=2, pair=np.arange(len(ROSSI)))
    counted = oc.cox(rossi(twice, frequency="copies"), "arm + prio", robust=True, ties="breslow").standardised().at(50)
    rows = pd.concat([twice, twice], ignore_index=True)
    plain = oc.cox(rossi(rows), "arm + prio", robust=True, ties="breslow").standardised().at(50)
    clustered = oc.cox(rossi(rows, cluster="pair"), "arm + prio", ties="breslow").standardised().at(50)
    pd.testing.assert_frame_equal(counted, plain, rtol=1e-8)
    np.testing.assert_allclose(clustered["std_error"], np.sqrt(2) * plain["std_error"], rtol=1e-8)


def test_what_cannot_be_standardised() -> None:
    with pytest.raises(NotSupportedError, match="does not know the arm"):
        oc.cox(rossi(), "prio").standardised()
    with pytest.raises(NotSupportedError, match="penalised"):
        oc.cox(rossi(), "arm", penalty=1.0).standardised()
    bands = oc.cox(oc.split_follow_up(rossi(), 26), "arm * time_band")
    with pytest.raises(NotSupportedError, match="time_band changes over time"):
        bands.standardised()
    curves = oc.cox(rossi(), "arm").standardised()
    with pytest.raises(oc.EstimationError, match="beyond the follow-up of arm '0', whose last usable time is 52"):
        oc.compare(curves, measure="risk_difference", at=60)
    assert curves.at(60)["estimate"].isna().all()


def test_other_causes_count_as_censored_and_that_is_said() -> None:
    frame = ROSSI.assign(end=np.where(ROSSI["arrest"] == 1, "arrest", np.where(ROSSI["age"] > 40, "death", "none")))
    data = rossi(frame, event="end", censored="none", causes=["arrest", "death"])
    model = oc.cox(data, "arm + prio", cause="arrest")
    for curves in (model.standardised(), model.predict(NEW)):
        assert "competing_censored" in {note.code for note in curves.notes}


def test_at_one_time_events_come_before_censorings_in_weighted_concordance() -> None:
    """With this rule S(t) G(t) is the share still there, so that both weightings are one; the number is R's (survival 3.5-3)."""
    frame = pd.DataFrame(
        {
            "t": [2, 2, 2, 4, 4, 6, 6, 7, 9, 9],
            "e": [1, 0, 0, 1, 0, 1, 0, 1, 1, 0],
            "x": [0.1, 0.9, 0.4, 0.8, 0.2, 0.3, 0.7, 0.5, 0.6, 0.0],
        }
    )
    model = oc.cox(oc.survival_data(frame, duration="t", event="e"), "x")
    for weight in ("S/G", "n/G2"):
        assert model.concordance(time_weight=weight).estimate == pytest.approx(0.529043, abs=5e-7)
