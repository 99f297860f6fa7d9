"""The variance that knows the scores of several arms were estimated: against estimating equations, and leaving people out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

ESTIMANDS = ["ate", "att", "atc", "ato", "atm"]
FORMULA = "age + race + prio"
TARGET = {"att": 2, "atc": 0}


def frame_of_three() -> pd.DataFrame:
    """Rossi's people in three arms: parole and work experience, none, one or both."""
    frame = load_rossi()
    return frame.assign(group=frame["paro"] + frame["wexp"], stands_for=1 + np.arange(432) % 3)


def data_of(frame: pd.DataFrame) -> oc.SurvivalData:
    return oc.survival_data(frame, duration="week", event="arrest", arm="group", reference=0, unit="weeks")


def weights_by_definition(e: np.ndarray, arm: np.ndarray, estimand: str) -> np.ndarray:
    tilt = {
        "ate": np.ones(len(e)),
        "att": e[:, 2],
        "atc": e[:, 0],
        "ato": 1 / (1 / e).sum(axis=1),
        "atm": e.min(axis=1),
    }[estimand]
    return tilt / e[np.arange(len(e)), arm]


def m_estimation(estimand: str, *, stabilise: bool = False, sampled: bool = False) -> np.ndarray:
    """Covariance of the three weighted risks by week 52, all equations stacked, derivatives by difference."""
    from scipy.optimize import root
    from scipy.special import softmax

    frame = frame_of_three()
    x = np.column_stack([np.ones(432), frame[["age", "race", "prio"]]])
    x[:, 1:] = (x[:, 1:] - x[:, 1:].mean(axis=0)) / x[:, 1:].std(axis=0)
    arm, y = frame["group"].to_numpy(), frame["arrest"].to_numpy(dtype=float)
    is_it = (arm[:, None] == np.arange(3)).astype(float)
    s = frame["stands_for"].to_numpy(dtype=float) if sampled else np.ones(432)

    def psi(theta: np.ndarray) -> np.ndarray:
        beta, share, risk = theta[:8].reshape(2, 4), theta[8:10], theta[10:]
        e = softmax(np.column_stack([np.zeros(432), x @ beta.T]), axis=1)
        w = s * weights_by_definition(e, arm, estimand)
        if stabilise:
            w = w * np.r_[1 - share.sum(), share][arm]
        left = s[:, None] * (is_it - e)[:, 1:]
        return np.column_stack(
            [
                (left[:, :, None] * x[:, None, :]).reshape(432, 8),
                s[:, None] * (is_it[:, 1:] - share),
                is_it * w[:, None] * (y[:, None] - risk),
            ]
        )

    start = np.r_[np.zeros(8), is_it[:, 1:].mean(axis=0), [0.3, 0.3, 0.3]]
    theta = root(lambda t: psi(t).sum(axis=0), start, tol=1e-12).x
    step = 1e-6
    slopes = np.stack(
        [(psi(theta + step * e).sum(axis=0) - psi(theta - step * e).sum(axis=0)) / (2 * step) for e in np.eye(13)],
        axis=1,
    )
    bread, each = np.linalg.inv(slopes), psi(theta)
    return np.asarray((bread @ each.T @ each @ bread.T)[10:, 10:])


@pytest.mark.parametrize("estimand", ESTIMANDS)
@pytest.mark.parametrize("sampled", [False, True])
def test_stacked_covariance_is_that_of_the_stacked_estimating_equations(estimand: str, sampled: bool) -> None:
    data = data_of(frame_of_three())
    weights = oc.weight(
        data,
        FORMULA,
        estimand=estimand,
        focal="2" if estimand == "att" else None,
        sampling="stands_for" if sampled else None,
    )
    found = oc.kaplan_meier(data, weights=weights).arm_estimates([52], variance="stacked").covariance[0]
    np.testing.assert_allclose(found, m_estimation(estimand, sampled=sampled), rtol=2e-5, atol=1e-10)


def test_stabilising_by_the_shares_of_the_arms_changes_no_covariance() -> None:
    data = data_of(frame_of_three())
    weights = oc.weight(data, FORMULA, estimand="ate", stabilise=True)
    found = oc.kaplan_meier(data, weights=weights).arm_estimates([52], variance="stacked").covariance[0]
    np.testing.assert_allclose(found, m_estimation("ate", stabilise=True), rtol=2e-5, atol=1e-10)
    shares = np.bincount(data.arm) / 432
    np.testing.assert_allclose(weights.values, oc.weight(data, FORMULA, estimand="ate").values * shares[data.arm])


def invented(n: int = 44) -> pd.DataFrame:
    rng = np.random.default_rng(29)
    x = rng.normal(size=n)
    linear = np.column_stack([np.zeros(n), 0.3 + 0.6 * x, -0.5 * x])
    arm = (linear + rng.gumbel(size=(n, 3))).argmax(axis=1)
    t1, t2, lost = rng.exponential(30 / np.exp(0.6 * x)), rng.exponential(60, n), rng.uniform(10, 80, n)
    time = np.minimum(np.minimum(t1, t2), lost)
    cause = np.where(lost == time, "none", np.where(t1 < t2, "sexual", "death"))
    return pd.DataFrame({"x": x, "arm": np.array(["a", "b", "c"])[arm], "t": np.ceil(time), "e": cause})


def contrasts(frame: pd.DataFrame, estimand: str, method: str, name: str, formula: str = "x") -> np.ndarray:
    data = oc.survival_data(
        frame, duration="t", event="e", censored="none", causes=["sexual", "death"], arm="arm", reference="a"
    )
    focal = "c" if estimand == "att" else None
    w = oc.weight(data, formula, estimand=estimand, focal=focal, method=method, sampling="counts")
    found = [
        oc.compare(oc.cumulative_incidence(data, weights=w), measure="risk_difference", at=25),
        oc.compare(oc.cox(data, "arm", cause="sexual", weights=w), measure="hazard_ratio"),
    ]
    values = np.array([f.to_frame()[name].to_numpy(dtype=float) for f in found])
    if name == "estimate":
        values[1] = np.log(values[1])
    return values.ravel()


@pytest.mark.parametrize(("estimand", "method"), [("ato", "logistic"), ("att", "entropy"), ("ate", "entropy")])
def test_stacked_errors_are_those_of_counting_each_person_a_little_more(estimand: str, method: str) -> None:
    """The infinitesimal jackknife by brute force: score, weights and estimate are made again; censoring, causes and ties included."""
    frame = invented().assign(counts=1.0)
    moved = []
    for i in frame.index:
        up, down = (
            contrasts(frame.assign(counts=1.0 + e * (frame.index == i)), estimand, method, "estimate")
            for e in (1e-4, -1e-4)
        )
        moved.append((up - down) / 2e-4)
    expected = np.sqrt((np.array(moved) ** 2).sum(axis=0))
    np.testing.assert_allclose(contrasts(frame, estimand, method, "std_error"), expected, rtol=1e-5)


def test_so_are_those_where_a_column_keeps_some_from_an_arm() -> None:
    """They weigh nothing in the contrast, but still tell the other two arms apart in the score."""
    frame = invented().assign(counts=1.0)
    frame["late"] = ((frame["arm"] != "c") & (frame.index % 4 == 0)).astype(float)
    formula, moved = "x + late", []
    for i in frame.index:
        up, down = (
            contrasts(frame.assign(counts=1.0 + e * (frame.index == i)), "ato", "logistic", "estimate", formula)
            for e in (1e-4, -1e-4)
        )
        moved.append((up - down) / 2e-4)
    late = np.array(moved)[frame["late"] == 1]
    assert (np.abs(late) > 1e-6).any()
    expected = np.sqrt((np.array(moved) ** 2).sum(axis=0))
    np.testing.assert_allclose(contrasts(frame, "ato", "logistic", "std_error", formula), expected, rtol=1e-5)
