"""Adjusted curves: what they are by hand, how they move with every person, and what cannot be adjusted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from adjusted_by_hand import Asked, risks
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.adjust import curve_sums
from outcomes.errors import NotSupportedError

METHODS = ("aipw", "iptw", "g-formula")
ESTIMANDS = ("ate", "att", "atc")
SCORE = "age + race + mar + paro + prio"


def lives(n: int = 70, seed: int = 3) -> pd.DataFrame:
    """People with confounding, a competing event, censoring that depends on covariates, and ties."""
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=n), rng.integers(0, 2, n)
    arm = (rng.random(n) < 1 / (1 + np.exp(-0.8 * x))).astype(int)
    times = rng.exponential(1, (3, n)) / np.exp([0.6 * x - 0.5 * arm - 0.5, 0.3 * z - 1.0, 0.4 * x - 1.0])
    which = times.argmin(axis=0)
    return pd.DataFrame(
        {"time": np.ceil(12 * times.min(axis=0)), "event": np.array([1, 2, 0])[which], "arm": arm, "x": x, "z": z}
    )


def as_data(frame: pd.DataFrame, **more: Any) -> oc.SurvivalData:
    causes = {1: "offence", 2: "death"} if (frame["event"] == 2).any() else {1: "offence"}
    asked = {"duration": "time", "event": "event", "causes": causes, "arm": "arm", "reference": 0} | more
    return oc.survival_data(frame, **asked)


def adjusted(frame: pd.DataFrame, *, estimand: str = "ate", method: str = "aipw", **more: Any) -> oc.AdjustedCurves:
    models = {"outcome": "arm + x + z", "treatment": "x + z", "censoring": "arm + x"} | more
    return oc.adjusted_curves(as_data(frame), estimand=estimand, method=method, **models)


def rossi(**more: Any) -> oc.SurvivalData:
    asked = {"duration": "week", "event": "arrest", "unit": "weeks", "arm": "wexp", "reference": 0} | more
    return oc.survival_data(load_rossi(), **asked)


@pytest.mark.parametrize("estimand", ESTIMANDS)
@pytest.mark.parametrize("method", METHODS)
def test_the_risks_are_those_summed_person_by_person(method: str, estimand: str) -> None:
    frame = lives()
    found = adjusted(frame, estimand=estimand, method=method).at([5, 10])["estimate"].to_numpy().reshape(2, 2)
    expected = risks(Asked(frame, (5.0, 10.0), estimand, method), np.ones(len(frame)))
    np.testing.assert_allclose(found, expected, rtol=1e-8)


@pytest.mark.parametrize(
    ("method", "estimand"), [("aipw", "ate"), ("aipw", "att"), ("iptw", "atc"), ("g-formula", "ate")]
)
def test_each_persons_influence_is_the_difference_their_weight_makes_with_every_model_fitted_again(
    method: str, estimand: str
) -> None:
    frame, step = lives(), 1e-4
    asked = Asked(frame, (5.0, 10.0), estimand, method)
    found = adjusted(frame, estimand=estimand, method=method).influence([5, 10]).values
    for person in (0, 11, 23, 42, 69):
        up, down = (np.ones(len(frame)) for _ in range(2))
        up[person], down[person] = 1 + step, 1 - step
        expected = (risks(asked, up) - risks(asked, down)) / (2 * step)
        np.testing.assert_allclose(found[person], expected, rtol=2e-4, atol=2e-7)


def test_influences_add_up_to_nothing() -> None:
    for method in METHODS:
        for estimand in ESTIMANDS:
            total = adjusted(lives(), method=method, estimand=estimand).influence([3, 8, 12]).values.sum(axis=0)
            np.testing.assert_allclose(total, 0, atol=1e-10)


def test_people_taken_a_few_at_a_time_make_the_same_curves(monkeypatch: pytest.MonkeyPatch) -> None:
    curves = adjusted(lives())
    whole = curves.influence([5, 10])
    monkeypatch.setattr(curve_sums, "_CELLS", 150)
    np.testing.assert_allclose(curves.influence([5, 10]).values, whole.values, rtol=1e-9, atol=1e-13)


def test_times_asked_together_or_alone_give_the_same() -> None:
    curves = adjusted(lives())
    together = curves.at([2, 7, 11]).sort_values(["time", "arm"], ignore_index=True)
    alone = pd.concat([curves.at(t) for t in (2, 7, 11)], ignore_index=True)
    pd.testing.assert_frame_equal(together, alone, rtol=1e-9)
    assert curves.at(0)[["estimate", "std_error", "conf_low", "conf_high"]].to_numpy().tolist() == [[0.0] * 4] * 2


def test_the_g_formula_with_one_cause_is_the_standardised_cox_model() -> None:
    data = rossi()
    ours = oc.adjusted_curves(data, outcome=f"arm + {SCORE}", estimand="att", method="g-formula").influence([20, 50])
    theirs = oc.cox(data, f"arm + {SCORE}").standardised(over="1").influence([20, 50])
    np.testing.assert_allclose(ours.estimate, theirs.estimate, rtol=1e-12)
    np.testing.assert_allclose(ours.values, theirs.values, atol=1e-14)


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_within_cells_that_the_score_tells_apart_weighting_is_a_mean_of_shares(estimand: str) -> None:
    """Nobody was censored before week 52: weighting by a saturated score is direct standardisation over the cells."""
    frame = load_rossi()
    curves = oc.adjusted_curves(rossi(), treatment="mar", estimand=estimand, method="iptw")
    over = frame if estimand == "ate" else frame[frame["wexp"] == (estimand == "att")]
    share = over["mar"].value_counts(normalize=True)
    happened = frame.assign(y=(frame["arrest"] == 1) & (frame["week"] <= 50)).groupby(["wexp", "mar"])["y"].mean()
    expected = [sum(share[m] * happened[arm, m] for m in (0, 1)) for arm in (0, 1)]
    np.testing.assert_allclose(curves.at(50)["estimate"], expected, rtol=1e-9)


def test_without_covariates_and_models_the_weighted_incidence_is_aalen_johansens_but_for_ties() -> None:
    """Weighting by one over the product-limit chance of being in view is Aalen–Johansen; here the chance is exp(-hazard)."""
    frame = lives(3000, seed=9).assign(one=lambda f: np.arange(len(f)) % 2)
    frame["time"] += np.random.default_rng(1).random(len(frame))
    data = as_data(frame)
    found = oc.adjusted_curves(data, treatment="one", censoring="arm", estimand="ate", method="iptw").at([5, 10])
    plain = oc.cumulative_incidence(data).at([5, 10]).query("cause == 'offence'")
    np.testing.assert_allclose(found["estimate"], plain["estimate"], atol=0.004)


@pytest.mark.parametrize("method", METHODS)
def test_swapping_the_arms_swaps_the_estimands_and_the_sign(method: str) -> None:
    frame = lives()
    one = oc.compare(adjusted(frame, estimand="att", method=method), measure="risk_difference", at=8).to_frame().iloc[0]
    swapped = adjusted(frame.assign(arm=1 - frame["arm"]), estimand="atc", method=method)
    other = oc.compare(swapped, measure="risk_difference", at=8).to_frame().iloc[0]
    assert one["estimate"] == pytest.approx(-other["estimate"], rel=1e-8)
    assert one["std_error"] == pytest.approx(other["std_error"], rel=1e-8)


def test_a_contrast_says_whose_risk_it_is_and_how_it_was_adjusted() -> None:
    curves = adjusted(lives(), estimand="att")
    found = oc.compare(curves, measure="risk_difference", at=[5, 10])
    covariance = curves.influence([5, 10]).covariance
    expected = np.sqrt(covariance[:, 0, 0] + covariance[:, 1, 1] - 2 * covariance[:, 0, 1])
    np.testing.assert_allclose(found.to_frame()["std_error"], expected, rtol=1e-12)
    assert found.to_frame()["estimand"].tolist() == ["att", "att"]
    assert "adjusted (doubly robust) to the people of 1 (ATT)" in found.describe()
    for measure in ("risk_ratio", "odds_ratio", "nnt"):
        assert np.isfinite(oc.compare(curves, measure=measure, at=5).to_frame()["estimate"]).all()
    assert "had the people of 1 been in each arm (ATT), by doubly robust" in curves.describe()


def test_the_order_of_people_and_the_unit_of_time_do_not_matter() -> None:
    frame = lives()
    shuffled = frame.sample(frac=1, random_state=1).assign(time=lambda f: f["time"] * 7)
    one, other = adjusted(frame, estimand="att").at([5, 10]), adjusted(shuffled, estimand="att").at([35, 70])
    shown = ["estimate", "std_error", "conf_low", "conf_high"]
    np.testing.assert_allclose(one[shown], other[shown], rtol=1e-9)


def test_every_name_of_a_variance_gives_the_one_that_knows_all_models_were_estimated() -> None:
    curves = adjusted(lives())
    errors = {
        variance: oc.compare(curves, measure="risk_difference", at=8, variance=variance).to_frame()["std_error"][0]
        for variance in (None, "robust", "stacked", "greenwood")
    }
    assert len(set(errors.values())) == 1
    with pytest.raises(oc.EstimationError, match="variance must be one of"):
        curves.influence(8, variance="bootstrap")


def test_three_arms_are_standardised_and_not_weighted() -> None:
    frame = lives(150).assign(arm=lambda f: (f["arm"] + np.arange(150)) % 3)
    data = as_data(frame)
    curves = oc.adjusted_curves(data, outcome="arm + x", estimand="ate", method="g-formula")
    assert len(oc.compare(curves, measure="risk_difference", at=8).to_frame()) == 2
    for change in ({"estimand": "att"}, {"method": "aipw", "treatment": "x"}):
        asked = {"outcome": "arm + x", "estimand": "ate", "method": "g-formula"} | change
        with pytest.raises(NotSupportedError, match="two arms are needed"):
            oc.adjusted_curves(data, **asked)


def test_a_weighted_risk_that_is_no_probability_is_refused_in_contrasts() -> None:
    """One person of the arm stands for everybody whom the score tells to be in the other."""
    x = np.r_[np.linspace(-3, 0.5, 40), -2.5, np.linspace(-0.5, 3, 39)]
    frame = pd.DataFrame({"time": np.tile(np.arange(1.0, 41), 2), "event": 1, "arm": np.repeat([0, 1], 40), "x": x})
    curves = oc.adjusted_curves(as_data(frame), treatment="x", estimand="ate", method="iptw")
    risky = curves.at(39)
    assert (risky["estimate"] > 1).any()
    assert np.isfinite(risky[["conf_low", "conf_high"]].to_numpy()).all()
    with pytest.raises(oc.EstimationError, match=r"which is no probability: .* method='g-formula'"):
        oc.compare(curves, measure="risk_difference", at=39)


def test_a_doubly_robust_risk_a_little_below_zero_has_a_difference_and_no_ratio() -> None:
    frame = lives(40, seed=17)
    curves = adjusted(frame, outcome="arm + x", treatment="x", censoring="arm")
    early = curves.to_frame().query("estimate < 0").iloc[0]
    asked = {"at": early["time"]}
    gap, ratio = (oc.compare(curves, measure=name, **asked) for name in ("risk_difference", "risk_ratio"))
    assert np.isfinite(gap.to_frame()[["estimate", "std_error", "conf_low"]].to_numpy(dtype=float)).all()
    assert ratio.to_frame()["estimate"].isna().all()
    assert "below_zero" in {note.code for note in gap.notes} & {note.code for note in ratio.notes}


def test_people_seen_twice_are_one_cluster() -> None:
    frame = lives().assign(pair=np.arange(70))
    twice = pd.concat([frame, frame], ignore_index=True)
    models = {"outcome": "arm + x + z", "treatment": "x + z", "censoring": "arm + x", "ties": "breslow"}
    plain, clustered = (
        oc.adjusted_curves(as_data(twice, **more), estimand="ate", **models).at([5, 10])
        for more in ({}, {"cluster": "pair"})
    )
    single = oc.adjusted_curves(as_data(frame), estimand="ate", **models).at([5, 10])
    np.testing.assert_allclose(clustered["estimate"], single["estimate"], rtol=1e-8)
    np.testing.assert_allclose(clustered["std_error"], single["std_error"], rtol=1e-8)
    np.testing.assert_allclose(clustered["std_error"], np.sqrt(2) * plain["std_error"], rtol=1e-8)


def test_arms_of_few_clusters_are_noted_and_one_cluster_has_no_interval() -> None:
    frame = lives().assign(area=lambda f: np.where(f["arm"] == 1, "a", [str(i % 12) for i in range(70)]))
    curves = oc.adjusted_curves(
        as_data(frame, cluster="area"), outcome="arm + x", treatment="x", estimand="ate", censoring="arm"
    )
    assert "one_cluster" in {note.code for note in curves.notes}
    limits = curves.at(8)[["conf_low", "conf_high"]].to_numpy()
    assert np.isfinite(limits[0]).all()
    assert np.isnan(limits[1]).all()


def test_what_the_weights_leave_is_told() -> None:
    rng = np.random.default_rng(2)
    x = rng.normal(size=400)
    arm = (rng.random(400) < 1 / (1 + np.exp(-2.5 * x))).astype(int)
    frame = pd.DataFrame(
        {"time": rng.exponential(5, 400), "event": 1 * (rng.random(400) < 0.2), "arm": arm, "x": x, "z": 0.0}
    )
    curves = adjusted(frame, outcome="arm + x", treatment="x", estimand="att")
    assert {"poor_overlap", "large_weight", "hardly_in_view"} <= {note.code for note in curves.notes}
    table = curves.positivity().set_index("arm")
    assert table["n"].sum() == 400
    assert table.loc["1", "effective_sample_size"] == pytest.approx((arm == 1).sum())
    assert table.loc["0", "effective_sample_size"] < 0.2 * (arm == 0).sum()
    assert table.loc["0", "largest_share"] > 0.1
    assert 0 < table["smallest_in_view"].min() < 0.05
    assert (
        adjusted(frame, outcome="arm + x", estimand="ate", method="g-formula")
        .positivity()[["effective_sample_size", "smallest_in_view"]]
        .isna()
        .all(axis=None)
    )


def test_a_competing_cause_nobody_had_is_left_out_with_a_note() -> None:
    frame = lives()
    frame = frame[frame["event"] != 2].reset_index(drop=True)
    named = oc.adjusted_curves(
        as_data(frame, causes={1: "offence", 2: "death"}), outcome="arm + x", treatment="x", estimand="ate"
    )
    assert "no_events_of_cause" in {note.code for note in named.notes}
    plain = oc.adjusted_curves(as_data(frame), outcome="arm + x", treatment="x", estimand="ate")
    np.testing.assert_allclose(named.at(8)["estimate"], plain.at(8)["estimate"], rtol=1e-12)


def test_a_formula_for_every_cause_may_be_said_cause_by_cause() -> None:
    frame = lives()
    one = adjusted(frame).at([10])["estimate"].tolist()
    each = adjusted(frame, outcome={"offence": "arm + x + z", "death": "arm + x + z"}).at([10])["estimate"].tolist()
    rest = adjusted(frame, outcome={"offence": "arm + x + z"}).at([10])["estimate"].tolist()
    assert one == each == rest
    assert adjusted(frame, outcome={"offence": "arm + x + z", "death": "z"}).at([10])["estimate"].tolist() != one


@pytest.mark.parametrize("method", ["g-formula", "aipw"])
def test_a_rare_cause_may_have_one_hazard_for_everybody(method: str) -> None:
    frame, n = lives(150), 150
    formulas = {"offence": "arm + x + z", "death": None}
    found = adjusted(frame, outcome=formulas, method=method).at([10])
    left_out = np.array(
        [
            adjusted(frame.drop(index=i).reset_index(drop=True), outcome=formulas, method=method).at([10])["estimate"]
            for i in range(0, n, 2)
        ]
    )
    jackknife = np.sqrt((n - 1) * ((left_out - found["estimate"].to_numpy()) ** 2).mean(axis=0))
    assert found["std_error"].tolist() == pytest.approx(jackknife.tolist(), rel=0.15)


def test_a_formula_for_no_cause_and_none_for_the_one_asked_about_are_refused() -> None:
    with pytest.raises(oc.EstimationError, match="a formula for 'deth', which is no cause here"):
        adjusted(lives(), outcome={"offence": "arm + x", "deth": "x"})
    with pytest.raises(oc.EstimationError, match="no formula for 'offence', the cause asked about"):
        adjusted(lives(), outcome={"death": "arm + x"})


def test_people_whom_entry_rules_leave_no_comparison_person_are_refused() -> None:
    frame = lives().assign(eligible_0=lambda f: np.where((f["arm"] == 1) & (f["x"] > 1), "no", "yes"))
    with pytest.raises(
        oc.EstimationError, match="adjusted_curves: estimand='ate' asks for the effect in everyone compared"
    ):
        adjusted(frame)


def test_the_incidence_of_the_other_cause_is_asked_by_name_and_all_shares_add_up_to_less_than_one() -> None:
    first, second = (adjusted(lives(), cause=cause, method="g-formula") for cause in ("offence", "death"))
    assert second.causes == ("death",)
    total = first.at([5, 10, 15])["estimate"].to_numpy() + second.at([5, 10, 15])["estimate"].to_numpy()
    assert (total < 1).all()
    assert first.to_frame()["time"].is_monotonic_increasing is False  # arm after arm
    assert first.to_frame().groupby("arm")["estimate"].is_monotonic_increasing.all()


@pytest.mark.parametrize("method", METHODS)
def test_mean_time_free_of_every_event_is_the_area_and_so_is_its_influence(method: str) -> None:
    """Without a second cause the area is that over the curve itself, a step between times."""
    frame = lives()
    frame["event"] = 1 * (frame["event"] > 0)
    curves = adjusted(frame, method=method)
    steps = np.append(0.0, np.unique(frame["time"][frame["time"] < 10]))
    width = np.diff(np.append(steps, 10))
    mean, whole = curves.rmst(10), curves.influence(steps)
    np.testing.assert_allclose(mean.estimate, 10 - whole.estimate @ width, rtol=1e-12)
    expected = np.sqrt(((whole.values @ width) ** 2).sum(axis=0))
    np.testing.assert_allclose(mean.to_frame()["std_error"], expected, rtol=1e-10)


@pytest.mark.parametrize("method", METHODS)
def test_with_competing_causes_it_is_what_none_of_them_takes(method: str) -> None:
    frame = lives()
    each = [adjusted(frame, cause=cause, method=method) for cause in ("offence", "death")]
    steps = np.append(0.0, np.unique(frame["time"][frame["time"] < 10]))
    width = np.diff(np.append(steps, 10))
    lost = [curves.influence(steps) for curves in each]
    mean = each[0].rmst(10)
    np.testing.assert_allclose(mean.estimate, 10 - sum(one.estimate @ width for one in lost), rtol=1e-10)
    np.testing.assert_allclose(mean.derivative, -sum(one.values @ width for one in lost), atol=1e-10)
    row = oc.compare(mean, measure="rmst_difference").to_frame().iloc[0]
    assert row["estimate"] == pytest.approx(mean.estimate[1] - mean.estimate[0])
    assert (row["estimand"], row["n_events"]) == ("ate", int(((frame["time"] <= 10) & (frame["event"] > 0)).sum()))
    assert "ATE)" in mean.describe()
    with pytest.raises(oc.EstimationError, match="beyond the follow-up"):
        each[0].rmst(1000)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"outcome": None}, "method='aipw' needs outcome="),
    ({"treatment": None}, "method='aipw' needs treatment="),
    ({"outcome": ["arm", "x"]}, "outcome must be text"),
    ({"outcome": "x + z"}, "outcome model of offence: the model does not know the arm"),
    ({"treatment": "x + arm"}, "treatment"),
    ({"treatment": "x + nobody"}, "no column 'nobody'"),
    ({"censoring": "arm + nobody"}, "censoring: the data have no column 'nobody'"),
    ({"treatment": "x + same"}, "same"),
    ({"outcome": "arm + same"}, "same"),
    ({"treatment": "x + gone"}, "gone"),
    ({"outcome": "arm + gone"}, "gone"),
    ({"treatment": "x + known"}, r"treatment: the covariates tell .* exactly \(separation\)"),
    ({"outcome": "arm + sure"}, "outcome model of offence: The coefficient of sure has no finite maximum"),
    ({"censoring": "arm + stayed"}, "censoring: The coefficient of stayed has no finite maximum"),
    ({"cause": "offense"}, "Did you mean 'offence'"),
    ({"estimand": "ato"}, "estimand must be one of"),
    ({"method": "tmle"}, "method must be one of"),
    ({"ties": "exact"}, "ties must be one of"),
    ({"conf_level": 95}, "conf_level must lie between 0 and 1"),
    ({"cluster": "nowhere"}, "no column 'nowhere'"),
]


@pytest.mark.parametrize(("change", "said"), BAD, ids=[said[:40] for _, said in BAD])
def test_what_cannot_be_fitted_is_one_error_that_names_the_model(change: dict[str, Any], said: str) -> None:
    frame = lives().assign(
        same=1.0, gone=np.nan, known=lambda f: f["arm"] * 2.0, sure=lambda f: 1.0 * (f["event"] == 1),
        stayed=lambda f: 1.0 * (f["event"] > 0),
    )  # fmt: skip
    asked = {"outcome": "arm + x + z", "treatment": "x + z", "censoring": "arm + x", "estimand": "ate"} | change
    with pytest.raises(oc.EstimationError, match=said):
        oc.adjusted_curves(as_data(frame), **asked)


def test_arms_that_are_empty_of_people_or_events_are_refused() -> None:
    frame, asked = lives(), {"outcome": "arm + x", "treatment": "x", "estimand": "ate"}
    none = frame.assign(event=np.where((frame["arm"] == 1) & (frame["event"] == 1), 0, frame["event"]))
    with pytest.raises(oc.EstimationError, match="nobody in arm 1 had offence"):
        oc.adjusted_curves(as_data(none), **asked)
    deathless = frame.assign(event=np.where((frame["arm"] == 1) & (frame["event"] == 2), 0, frame["event"]))
    with pytest.raises(oc.EstimationError, match="outcome model of death: The coefficient of arm"):
        oc.adjusted_curves(as_data(deathless), **asked)
    alone = frame[(frame["arm"] == 0) | (frame.index == frame.index[frame["arm"] == 1][0])]
    with pytest.raises(oc.EstimationError, match="arm '1' has fewer than two people"):
        oc.adjusted_curves(as_data(alone.reset_index(drop=True)), **asked)
    with pytest.raises(NotSupportedError, match="two arms are needed"):
        oc.adjusted_curves(as_data(frame, arm=None, reference=None), **asked)


def test_people_who_come_late_or_have_several_rows_are_refused() -> None:
    frame, asked = (
        lives().assign(start=0.5, person=np.arange(70), n=2),
        {"outcome": "arm + x", "treatment": "x", "estimand": "ate"},
    )
    with pytest.raises(NotSupportedError, match="70 of them begin after time zero"):
        oc.adjusted_curves(as_data(frame, duration=None, entry="start", exit="time"), **asked)
    with pytest.raises(NotSupportedError, match="one row a person from time zero"):
        oc.adjusted_curves(oc.split_follow_up(as_data(frame), [3]), **asked)
    with pytest.raises(NotSupportedError, match="row counts"):
        oc.adjusted_curves(as_data(frame, frequency="n"), **asked)
    with pytest.raises(oc.EstimationError, match="data must be SurvivalData"):
        oc.adjusted_curves(frame, **asked)  # type: ignore[arg-type]


def test_times_beyond_the_follow_up_are_missing_in_tables_and_refused_in_contrasts() -> None:
    curves = oc.adjusted_curves(rossi(), outcome="arm + prio", treatment="prio", estimand="ate")
    assert curves.at(60)["estimate"].isna().all()
    assert curves.at([50, 60])["estimate"].notna().tolist() == [True, False, True, False]
    with pytest.raises(oc.EstimationError, match="beyond the follow-up of arm '0', whose last usable time is 52"):
        oc.compare(curves, measure="risk_difference", at=60)
    with pytest.raises(oc.EstimationError, match="These curves are of 'arrest'"):
        oc.compare(curves, measure="risk_difference", at=50, cause="death")
    with pytest.raises(oc.EstimationError, match="for hazard_ratio take"):
        oc.compare(curves, measure="hazard_ratio")
