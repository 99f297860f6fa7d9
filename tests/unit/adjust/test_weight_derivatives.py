"""What the weights carry: how each person moves the score, and how each weight moves with it; by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.adjust.estimands import ESTIMANDS, weights_from_odds
from outcomes.adjust.propensity import fit_propensity
from outcomes.adjust.weight_fit import fit_weights

NAMES = ("age", "race", "mar", "paro", "prio")


def rossi_columns() -> tuple[np.ndarray, np.ndarray]:
    frame = load_rossi()
    return frame[list(NAMES)].to_numpy(dtype=float), frame["wexp"].to_numpy(dtype=float)


@pytest.mark.parametrize("estimand", ESTIMANDS)
def test_gradient_is_the_derivative_of_the_weights_by_the_coefficients(estimand: str) -> None:
    x, treated = rossi_columns()
    made = fit_weights(x, treated, NAMES, estimand=estimand, trim=None, stabilise=False)
    design, beta = np.column_stack([np.ones(len(x)), x]), made.fit.coefficients
    for k in range(len(beta)):
        step = np.zeros(len(beta))
        step[k] = 1e-5 / np.abs(design[:, k]).max()
        up, down = (weights_from_odds(design @ (beta + s * step), treated, estimand)[0] for s in (1, -1))
        np.testing.assert_allclose(made.gradient[:, k], (up - down) / (2 * step[k]), rtol=1e-6, atol=1e-7)


def test_gradient_of_stabilised_weights_has_a_column_for_the_share_of_the_arm() -> None:
    x, treated = rossi_columns()
    plain = fit_weights(x, treated, NAMES, estimand="ate", trim=None, stabilise=False)
    made = fit_weights(x, treated, NAMES, estimand="ate", trim=None, stabilise=True)
    assert made.gradient.shape == made.influence.shape == (len(x), len(NAMES) + 2)

    def weights(share: float) -> np.ndarray:
        return plain.values * np.where(treated == 1, share, 1 - share)

    share = treated.mean()
    np.testing.assert_allclose(made.gradient[:, -1], (weights(share + 1e-6) - weights(share - 1e-6)) / 2e-6, rtol=1e-6)
    np.testing.assert_allclose(made.influence[:, -1].sum(), 0, atol=1e-12)
    np.testing.assert_allclose((made.influence[:, -1] ** 2).sum(), share * (1 - share) / len(x), rtol=1e-12)


def test_trimmed_people_do_not_move() -> None:
    x, treated = rossi_columns()
    made = fit_weights(x, treated, NAMES, estimand="ate", trim=(0.2, 0.8), stabilise=False)
    assert (made.gradient[~made.kept] == 0).all()
    assert (made.gradient[made.kept] != 0).any(axis=1).all()


def test_influence_is_close_to_leaving_each_person_out() -> None:
    x, treated = rossi_columns()
    fit = fit_propensity(x, treated, NAMES)
    left_out = []
    for i in range(0, len(x), 9):
        keep = np.arange(len(x)) != i
        left_out.append(fit.coefficients - fit_propensity(x[keep], treated[keep], NAMES).coefficients)
    close = np.array(left_out) / fit.std_errors
    np.testing.assert_allclose(fit.influence[::9] / fit.std_errors, close, atol=0.06)  # a few people have leverage
    for k in range(x.shape[1] + 1):
        assert np.corrcoef(fit.influence[::9, k], close[:, k])[0, 1] > 0.99


def test_influences_sum_to_nothing_and_their_squares_are_the_sandwich() -> None:
    x, treated = rossi_columns()
    fit = fit_propensity(x, treated, NAMES)
    np.testing.assert_allclose(fit.influence.sum(axis=0) / fit.std_errors, 0, atol=1e-9)
    design = np.column_stack([np.ones(len(x)), x])
    bread = np.linalg.inv(design.T @ ((fit.score * (1 - fit.score))[:, None] * design))
    scores = design * (treated - fit.score)[:, None]
    sandwich = bread @ scores.T @ scores @ bread
    np.testing.assert_allclose(fit.influence.T @ fit.influence, sandwich, rtol=1e-6, atol=1e-12)


def test_the_fit_does_not_depend_on_the_units_of_the_covariates() -> None:
    x, treated = rossi_columns()
    factor = np.array([365.25, 1e-6, 1e6, 1.0, 12.0])
    plain, scaled = fit_propensity(x, treated, NAMES), fit_propensity(x * factor, treated, NAMES)
    np.testing.assert_allclose(scaled.score, plain.score, rtol=1e-10)
    np.testing.assert_allclose(scaled.coefficients[1:] * factor, plain.coefficients[1:], rtol=1e-8)


@pytest.mark.parametrize("estimand", ["ate", "att", "ato"])
def test_stacked_standard_error_is_near_the_bootstrap_that_refits_the_score(estimand: str) -> None:
    """200 resamples. Not `mar`: five people of the reference are married, and a resample without them separates."""
    frame, formula = load_rossi(), "age + race + paro + prio"
    rng = np.random.default_rng(2010)

    def difference(rows: object) -> float:
        data = oc.survival_data(rows, duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")
        curve = oc.kaplan_meier(data, weights=oc.weight(data, formula, estimand=estimand))
        return float(curve.arm_estimates([52], variance="robust").estimate[0] @ [-1, 1])

    draws = [difference(frame.iloc[rng.integers(0, len(frame), len(frame))]) for _ in range(200)]
    data = oc.survival_data(frame, duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")
    curve = oc.kaplan_meier(data, weights=oc.weight(data, formula, estimand=estimand))
    stacked = oc.compare(curve, measure="risk_difference", at=52).to_frame()["std_error"].iloc[0]
    assert stacked == pytest.approx(np.std(draws, ddof=1), rel=0.2)
