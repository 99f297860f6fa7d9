"""The covariate balancing score: its own conditions hold, its doubt is that of its own equations, and what it cannot balance."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.adjust.estimands import weights_from_odds

FORMULA = "age + race + mar + paro + prio"
NAMES = FORMULA.split(" + ")


def rossi(**changes: object) -> oc.SurvivalData:
    frame = load_rossi().assign(**changes)
    return oc.survival_data(frame, duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")


def balancing(
    estimand: str, data: oc.SurvivalData | None = None, formula: str = FORMULA, **more: object
) -> oc.PropensityWeights:
    return oc.weight(data or rossi(), formula, estimand=estimand, method="cbps", **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("estimand", ["ate", "att", "atc"])
def test_the_weighted_sums_of_every_column_are_the_same_in_two_arms(estimand: str) -> None:
    made = balancing(estimand)
    x = np.column_stack([np.ones(432), made.design])
    sums = [made.values[made.arm == a] @ x[made.arm == a] for a in (0, 1)]
    np.testing.assert_allclose(sums[0], sums[1], rtol=1e-9)
    frame = made.balance().to_frame()
    assert frame.query("term != 'propensity score'")["smd_after"].abs().max() < 1e-10


@pytest.mark.parametrize("estimand", ["ate", "att", "atc"])
def test_weights_are_those_of_a_logistic_score(estimand: str) -> None:
    made = balancing(estimand)
    linear = np.column_stack([np.ones(432), made.design]) @ made.coefficients
    np.testing.assert_allclose(made.linear, linear, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(made.values, weights_from_odds(linear, made.arm.astype(float), estimand)[0], rtol=1e-9)
    np.testing.assert_allclose(made.score, 1 / (1 + np.exp(-linear)), rtol=1e-10)


def test_the_conditions_solved_by_scipy_have_the_same_answer() -> None:
    """Imai and Ratkovic's just-identified conditions of the ATE, by a solver that knows nothing of them."""
    from scipy.optimize import root

    frame = load_rossi()
    x = frame[NAMES].to_numpy(dtype=float)
    z = np.column_stack([np.ones(432), (x - x.mean(axis=0)) / x.std(axis=0)])
    treated = frame["wexp"].to_numpy(dtype=float)

    def conditions(beta: np.ndarray) -> np.ndarray:
        e = 1 / (1 + np.exp(-z @ beta))
        return np.asarray(z.T @ ((treated - e) / (e * (1 - e))) / 432)

    found = root(conditions, np.zeros(6), tol=1e-13).x
    np.testing.assert_allclose(balancing("ate").linear, z @ found, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("estimand", ["att", "atc"])
def test_weights_to_an_arm_are_entropy_balancings_up_to_a_factor(estimand: str) -> None:
    made, other = balancing(estimand), oc.weight(rossi(), FORMULA, estimand=estimand, method="entropy")
    turning = made.arm == (0 if estimand == "att" else 1)
    ratio = made.values[turning] / other.values[turning]
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-8)


@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_gradient_is_the_derivative_of_the_weights_by_the_coefficients(estimand: str) -> None:
    made = balancing(estimand)
    x = np.column_stack([np.ones(432), made.design])
    for k in range(6):
        step = np.zeros(6)
        step[k] = 1e-5 / np.abs(x[:, k]).max()
        up, down = (
            weights_from_odds(x @ (made.coefficients + s * step), made.arm.astype(float), estimand)[0] for s in (1, -1)
        )
        np.testing.assert_allclose(made.gradient[:, k], (up - down) / (2 * step[k]), rtol=1e-5, atol=1e-6)


def drawn(people: int = 240, seed: int = 4) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"age": rng.normal(35, 9, people), "prior": rng.poisson(2, people).astype(float)})
    chance = 1 / (1 + np.exp(-(frame["age"] - 35) / 12 - 0.3 * (frame["prior"] - 2)))
    frame["arm"] = (rng.random(people) < chance).astype(int)
    day = np.ceil(rng.exponential(200 * np.exp(-0.15 * (frame["prior"] - 2))))
    return frame.assign(day=np.minimum(day, 300), seen=(day <= 300).astype(int), counts=1.0)


def difference(frame: pd.DataFrame, estimand: str, sampling: str | None = None) -> pd.Series:
    data = oc.survival_data(frame.reset_index(drop=True), duration="day", event="seen", arm="arm", reference=0)
    made = oc.weight(data, "age + prior", estimand=estimand, method="cbps", sampling=sampling)
    return oc.compare(oc.kaplan_meier(data, weights=made), measure="risk_difference", at=200).to_frame().iloc[0]


@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_the_stacked_variance_is_that_of_leaving_people_out_one_by_one(estimand: str) -> None:
    frame = drawn()
    left = np.array([difference(frame.drop(index=i), estimand)["estimate"] for i in frame.index])
    jackknife = np.sqrt((len(left) - 1) / len(left) * ((left - left.mean()) ** 2).sum())
    assert difference(frame, estimand)["std_error"] == pytest.approx(jackknife, rel=0.05)


@pytest.mark.parametrize("estimand", ["ate", "att"])
def test_the_stacked_variance_is_exactly_that_of_counting_people_a_little_more(estimand: str) -> None:
    frame = drawn(100)
    moved = [
        (
            difference(frame.assign(counts=1.0 + 1e-4 * (frame.index == i)), estimand, "counts")["estimate"]
            - difference(frame.assign(counts=1.0 - 1e-4 * (frame.index == i)), estimand, "counts")["estimate"]
        )
        / 2e-4
        for i in frame.index
    ]
    assert difference(frame, estimand)["std_error"] == pytest.approx(np.sqrt(np.sum(np.square(moved))), rel=1e-6)


def test_it_prints_under_its_own_name_and_keeps_its_method_within_levels() -> None:
    data = rossi(half=np.where(np.arange(432) % 2 == 0, "one", "other"))
    made = balancing("att", data, "age + prio")
    assert repr(made).startswith("Weights from a covariate balancing propensity score\n")
    found = oc.subgroup_effects(data, "half", at=52, weights=made).to_frame().set_index("level")
    frame = data.baseline[data.baseline["half"] == "one"].reset_index(drop=True)
    alone = oc.survival_data(frame, duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")
    again = oc.kaplan_meier(alone, weights=balancing("att", alone, "age + prio"))
    row = oc.compare(again, measure="risk_difference", at=52).to_frame().iloc[0]
    assert found.loc["one", "estimate"] == pytest.approx(row["estimate"], rel=1e-8)


@pytest.mark.parametrize("estimand", ["ato", "atm"])
def test_overlap_is_not_its_question(estimand: str) -> None:
    with pytest.raises(oc.NotSupportedError, match="method='cbps' answers 'ate', 'att' or 'atc'"):
        balancing(estimand)


def test_several_arms_are_refused_with_what_to_take() -> None:
    frame = load_rossi().assign(group=lambda d: d["paro"] + d["wexp"])
    data = oc.survival_data(frame, duration="week", event="arrest", arm="group", reference=0)
    with pytest.raises(oc.NotSupportedError, match=r"balances two arms; these data have 3\. Take method='entropy'"):
        oc.weight(data, "age", estimand="ate", method="cbps")


def test_means_that_no_weights_reach_are_refused_by_column() -> None:
    """The mean of `far` in the arm lies above everybody of the reference, though scores of the arms overlap."""
    rng = np.random.default_rng(2)
    arm = np.repeat([0, 1], 60)
    far = np.where(arm == 1, rng.uniform(0.8, 3.0, 120), rng.uniform(0.0, 1.0, 120))
    frame = pd.DataFrame({"near": rng.normal(size=120), "far": far, "arm": arm, "t": 1.0, "e": 0})
    data = oc.survival_data(frame, duration="t", event="e", arm="arm", reference=0)
    assert not oc.weight(data, "near + far", estimand="att").certain.any()
    with pytest.raises(oc.EstimationError, match=r"no score balances the arms in .*far.*method='cbps'"):
        oc.weight(data, "near + far", estimand="att", method="cbps")


def test_people_whose_arm_is_told_exactly_are_refused() -> None:
    only = ((load_rossi()["wexp"] == 0) & (np.arange(432) % 5 == 0)).astype(int)
    with pytest.raises(oc.EstimationError, match="no score balances the arms in only"):
        balancing("att", rossi(only=only), f"{FORMULA} + only")
