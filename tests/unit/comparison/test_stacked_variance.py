"""The variance that knows the weights were estimated: against estimating equations solved by hand, and leaving people out."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.adjust.estimands import weights_from_odds

FORMULA = "age + race + paro + prio"


def rossi(**asked: object) -> oc.SurvivalData:
    frame = load_rossi().assign(area=np.arange(432) * 7 % 25)
    return oc.survival_data(frame, duration="week", event="arrest", arm="wexp", reference=0, unit="weeks", **asked)  # type: ignore[arg-type]


def m_estimation(estimand: str, stabilise: bool, cluster: np.ndarray | None) -> np.ndarray:
    """Covariance of the two weighted risks by week 52, the score's equations stacked on theirs, derivatives by difference."""
    frame = load_rossi()
    x = np.column_stack([np.ones(432), frame[["age", "race", "paro", "prio"]]])
    x[:, 1:] = (x[:, 1:] - x[:, 1:].mean(axis=0)) / x[:, 1:].std(axis=0)
    a, y = frame["wexp"].to_numpy(dtype=float), frame["arrest"].to_numpy(dtype=float)

    def psi(theta: np.ndarray) -> np.ndarray:
        beta, share, low, high = theta[:5], theta[5], theta[6], theta[7]
        w = weights_from_odds(x @ beta, a, estimand)[0]
        if stabilise:
            w = w * np.where(a == 1, share, 1 - share)
        score = (a - 1 / (1 + np.exp(-x @ beta)))[:, None] * x
        return np.column_stack([score, a - share, (1 - a) * w * (y - low), a * w * (y - high)])

    from scipy.optimize import root

    start = np.r_[np.zeros(5), a.mean(), y[a == 0].mean(), y[a == 1].mean()]
    theta = root(lambda t: psi(t).sum(axis=0), start, tol=1e-12).x
    step = 1e-6
    slopes = np.stack(
        [(psi(theta + step * e).sum(axis=0) - psi(theta - step * e).sum(axis=0)) / (2 * step) for e in np.eye(8)],
        axis=1,
    )
    each = psi(theta)
    if cluster is not None:
        each = np.stack([each[cluster == g].sum(axis=0) for g in np.unique(cluster)])
    bread = np.linalg.inv(slopes)
    return (bread @ each.T @ each @ bread.T)[6:, 6:]


@pytest.mark.parametrize("estimand", ["ate", "att", "atc", "ato", "atm"])
@pytest.mark.parametrize("by_area", [False, True])
def test_stacked_covariance_is_that_of_the_stacked_estimating_equations(estimand: str, by_area: bool) -> None:
    data = rossi(cluster="area" if by_area else None)
    curve = oc.kaplan_meier(data, weights=oc.weight(data, FORMULA, estimand=estimand))
    expected = m_estimation(estimand, False, data.baseline["area"].to_numpy() if by_area else None)
    np.testing.assert_allclose(curve.arm_estimates([52], variance="stacked").covariance[0], expected, rtol=1e-5)
    row = oc.compare(curve, measure="risk_difference", at=52).to_frame().iloc[0]
    factor = 25 / 24 if by_area else 1.0
    assert row["std_error"] == pytest.approx(np.sqrt(factor * (np.array([-1, 1]) @ expected @ [-1, 1])), rel=1e-5)


def test_stabilised_weights_give_the_same_stacked_covariance() -> None:
    data = rossi()
    curve = oc.kaplan_meier(data, weights=oc.weight(data, FORMULA, estimand="ate", stabilise=True))
    expected = m_estimation("ate", True, None)
    np.testing.assert_allclose(curve.arm_estimates([52], variance="stacked").covariance[0], expected, rtol=1e-5)


def invented(n: int = 240) -> pd.DataFrame:
    rng = np.random.default_rng(17)
    x = rng.normal(size=n)
    arm = rng.random(n) < 1 / (1 + np.exp(-0.8 * x))
    t1, t2 = rng.exponential(30 / np.exp(0.6 * x)), rng.exponential(60, n)
    lost = rng.uniform(10, 80, n)
    time = np.minimum(np.minimum(t1, t2), lost)
    cause = np.where(lost == time, "none", np.where(t1 < t2, "sexual", "death"))
    return pd.DataFrame({"x": x, "arm": np.where(arm, "b", "a"), "t": np.ceil(time), "e": cause})


def answers(frame: pd.DataFrame, estimand: str, stabilise: bool) -> tuple[oc.CumulativeIncidence, oc.Rmst, oc.Cox]:
    data = oc.survival_data(
        frame, duration="t", event="e", censored="none", causes=["sexual", "death"], arm="arm", reference="a"
    )
    w = oc.weight(data, "x", estimand=estimand, stabilise=stabilise)
    return (
        oc.cumulative_incidence(data, weights=w),
        oc.rmst(data, horizon=30, weights=w),
        oc.cox(data, "arm", cause="sexual", weights=w),
    )


@pytest.mark.parametrize(("estimand", "stabilise"), [("ate", False), ("ate", True), ("att", False), ("ato", False)])
def test_stacked_errors_of_every_measure_are_those_of_leaving_each_person_out(estimand: str, stabilise: bool) -> None:
    """The jackknife refits score, weights and estimate without each person: censoring, competing events and ties included."""
    frame = invented()

    def contrasts(rows: pd.DataFrame, name: str) -> list[float]:
        curves, means, model = answers(rows, estimand, stabilise)
        found = [
            oc.compare(curves, measure="risk_difference", at=25),
            oc.compare(curves, measure="risk_ratio", at=25, cause="death"),
            oc.compare(means, measure="rmst_difference"),
            oc.compare(model, measure="hazard_ratio"),
        ]
        values = [f.to_frame()[name].iloc[0] for f in found]
        if name == "estimate":
            values[1], values[3] = np.log(values[1]), np.log(values[3])
        return [float(v) for v in values]

    left_out = np.array([contrasts(frame.drop(index=i), "estimate") for i in frame.index[::2]])
    n = len(frame)
    jackknife = np.sqrt((n - 1) ** 2 / n * left_out.var(axis=0, ddof=1))
    np.testing.assert_allclose(contrasts(frame, "std_error"), jackknife, rtol=0.12)


def test_weights_that_are_numbers_are_taken_as_known() -> None:
    data = rossi()
    weights = oc.weight(data, FORMULA, estimand="ate")
    as_numbers = oc.compare(oc.kaplan_meier(data, weights=weights.values), measure="risk_difference", at=52)
    as_known = oc.compare(oc.kaplan_meier(data, weights=weights), measure="risk_difference", at=52, variance="robust")
    assert (as_numbers.variance, as_known.variance) == ("robust", "robust")
    columns = ["estimate", "std_error", "conf_low", "conf_high"]
    np.testing.assert_allclose(as_numbers.to_frame()[columns], as_known.to_frame()[columns], rtol=1e-12)
    with pytest.raises(oc.EstimationError, match="stacked"):
        oc.compare(oc.kaplan_meier(data, weights=weights.values), measure="risk_difference", at=52, variance="stacked")
    with pytest.raises(oc.EstimationError, match="counts of people"):
        oc.compare(oc.kaplan_meier(data, weights=weights), measure="risk_difference", at=52, variance="greenwood")
