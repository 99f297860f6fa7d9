"""Tests for few clusters against R 4.2 (survival), wild bootstraps written out draw by draw, and lists of all arrangements."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from numpy.testing import assert_allclose
from scipy.optimize import brentq

import outcomes as oc
from outcomes.comparison.arrangements import Arrangements
from outcomes.design.data import SurvivalData


@pytest.fixture(scope="module")
def towns() -> SurvivalData:
    """Rossi's people in nine towns, the last four of which are the arm."""
    frame = load_rossi().assign(town=lambda f: f.index % 9, given=lambda f: (f["town"] >= 5).astype(int))
    frame["parity"] = frame["town"] % 2
    return oc.survival_data(
        frame, duration="week", event="arrest", arm="given", reference=0, cluster="town", unit="weeks"
    )


def _number(data: SurvivalData, statistic: object, **asked: object) -> tuple[float, float]:
    row = oc.randomisation_test(data, statistic, **asked).to_frame().iloc[0]  # type: ignore[arg-type]
    return float(row["estimate"]), float(row["p_value"]) * 126


def test_logrank_over_all_126_arrangements_is_that_of_survdiff(towns: SurvivalData) -> None:
    """R: o <- survdiff(Surv(week, arrest) ~ a); (o$obs - o$exp)[2], for every column of combn(0:8, 4)."""
    assert_allclose(_number(towns, None), (0.536101236526, 116), rtol=1e-9)


def test_risk_difference_over_all_arrangements_is_that_of_survfit(towns: SurvivalData) -> None:
    """R: summary(survfit(Surv(week, arrest) ~ a), times = 40)$surv."""
    found = _number(towns, lambda d: oc.compare(oc.kaplan_meier(d), measure="risk_difference", at=40))
    assert_allclose(found, (0.0208333333333, 92), rtol=1e-9)


def test_hazard_ratio_over_all_arrangements_is_that_of_coxph(towns: SurvivalData) -> None:
    """R: coef(coxph(Surv(week, arrest) ~ a + prio))[1]."""
    assert_allclose(_number(towns, lambda d: oc.cox(d, "arm + prio")), (0.017179496837, 114), rtol=1e-6)


def test_ratio_to_the_robust_error_over_all_arrangements_is_that_of_coxph(towns: SurvivalData) -> None:
    """R: coef / se of coxph(…, cluster = town); ours is on CR1, sqrt(8 / 9) of it, which moves no p-value."""
    found = _number(towns, lambda d: oc.cox(d, "arm + prio"), read="statistic")
    assert_allclose(found, (0.138085774106 * (8 / 9) ** 0.5, 116), rtol=1e-6)


def test_within_strata_over_all_60_arrangements_is_that_of_survdiff(towns: SurvivalData) -> None:
    """R: the same over two of the even towns and two of the odd ones."""
    row = oc.randomisation_test(towns, within="parity").to_frame().iloc[0]
    assert (row["n_arrangements"], round(row["p_value"] * 60, 9)) == (60, 60)


def test_arrangements_are_all_the_different_ones_in_every_stratum() -> None:
    """Also where a stratum lacks an arm, whichever it is."""
    rng = np.random.default_rng(0)
    for _ in range(100):
        size = rng.integers(2, 8)
        arm, stratum = (np.unique(rng.integers(0, 3, size), return_inverse=True)[1] for _ in range(2))
        kept = [sorted(arm[stratum == s]) for s in range(stratum.max() + 1)]
        wanted = {
            ways
            for ways in set(itertools.permutations(arm.tolist()))
            if [sorted(np.array(ways)[stratum == s]) for s in range(stratum.max() + 1)] == kept
        }
        possible = Arrangements(arm, stratum)
        found = [tuple(row) for row in possible.every().tolist()]
        assert len(found) == possible.number == len(wanted)
        assert set(found) == wanted


def test_a_stratum_without_the_arm_says_nothing_and_breaks_nothing(towns: SurvivalData) -> None:
    """Three towns of the reference alone in theirs: 15 ways to choose four of the other six."""
    frame = towns.baseline.assign(apart=(towns.baseline["town"] >= 3).astype(int))
    data = oc.survival_data(
        frame, duration="week", event="arrest", arm="given", reference=0, cluster="town", unit="weeks"
    )
    assert oc.randomisation_test(data, within="apart").to_frame()["n_arrangements"].item() == 15


def test_null_score_is_that_of_coxph_held_at_0() -> None:
    """R: residuals(coxph(…, init = c(0, b), iter.max = 0), type = "score"), efficient part, summed by town; over its root."""
    frame = load_rossi().assign(town=lambda f: f.index % 9, given=lambda f: (f["town"] >= 5).astype(int))
    for arm, wanted in (("given", 0.1374255359), ("fin", -1.997376007)):
        data = oc.survival_data(
            frame, duration="week", event="arrest", arm=arm, reference=0, cluster="town", unit="weeks"
        )
        found = oc.wild_score_test(oc.cox(data, "arm + prio")).to_frame()["statistic"].item()
        assert found == pytest.approx(wanted, rel=1e-6)


def _invented(seed: int, *, nested: bool, effect: float = 0.8) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    site = np.repeat(np.arange(8), rng.integers(3, 8, 8))
    x, arm = rng.standard_normal(len(site)), (site >= 4) if nested else (rng.random(len(site)) < 0.5)
    time = rng.exponential(1 / np.exp(0.4 * x + effect * arm + 0.3 * rng.standard_normal(8)[site]))
    end = rng.uniform(0.5, 4, len(site))
    return pd.DataFrame({"t": np.minimum(time, end), "e": (time <= end) * 1, "given": arm * 1, "site": site, "x": x})


def _draw_by_draw(frame: pd.DataFrame) -> float:
    """The p-value from martingale increments by person and time: multiplied, the hazard and the slope of x estimated anew."""
    t, e, x, z = (frame[c].to_numpy(dtype=float) for c in ("t", "e", "x", "given"))
    when = np.unique(t[e == 1])
    present, happened = (t[:, None] >= when) * 1.0, (t[:, None] == when) * e[:, None]

    def means(b: float, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        load = np.exp(b * x)[:, None] * present
        return load, (load * values[:, None]).sum(0) / load.sum(0)

    b = brentq(lambda b: ((x[:, None] - means(b, x)[1]) * happened).sum(), -5, 5, xtol=1e-14)
    load, of_x = means(b, x)
    hazard = happened.sum(0) / load.sum(0)
    known = (load * (x[:, None] - of_x) ** 2 * hazard).sum()
    own = z - (load * (x[:, None] - of_x) * (z[:, None] - means(b, z)[1]) * hazard).sum() / known * x
    far, martingale = own[:, None] - means(b, own)[1], happened - load * hazard
    site = frame["site"].to_numpy()
    found = []
    for signs in itertools.product((1.0, -1.0), repeat=8):
        new = np.array(signs)[site][:, None] * martingale
        slope = ((x[:, None] - of_x) * new).sum() / known
        left = new - load * new.sum(0) / load.sum(0) - load * (x[:, None] - of_x) * hazard * slope
        parts = np.bincount(site, (far * left).sum(1))
        found.append(parts.sum() ** 2 / (parts**2).sum())
    return float(np.mean(np.array(found) >= found[0] * (1 - 1e-9)))


@pytest.mark.parametrize("nested", [True, False])
def test_wild_score_of_a_cox_model_is_the_one_written_out(nested: bool) -> None:
    """All 256 signs."""
    for seed in range(6):
        frame = _invented(seed, nested=nested)
        data = oc.survival_data(frame, duration="t", event="e", arm="given", reference=0, cluster="site")
        found = oc.wild_score_test(oc.cox(data, "arm + x")).to_frame()["p_value"].item()
        assert found == _draw_by_draw(frame)


@pytest.mark.parametrize("nested", [True, False])
def test_wild_score_without_censoring_is_the_wild_bootstrap_of_two_means(nested: bool) -> None:
    """The risk is a share of people and the restricted mean a mean: least squares on a constant, refitted for every sign."""
    frame = _invented(3, nested=nested).assign(e=1)
    data = oc.survival_data(frame, duration="t", event="e", arm="given", reference=0, cluster="site")
    site, away = frame["site"].to_numpy(), (frame["given"] - frame["given"].mean()).to_numpy()

    def squared(residual: np.ndarray) -> float:
        parts = np.bincount(site, away * (residual - residual.mean()))
        return float(parts.sum() ** 2 / (parts**2).sum())

    def by_hand(y: np.ndarray) -> float:
        r = y - y.mean()
        found = [squared(np.array(s)[site] * r) for s in itertools.product((1.0, -1.0), repeat=8)]
        return float(np.mean(np.array(found) >= found[0] * (1 - 1e-9)))

    t = frame["t"].to_numpy()
    risk = oc.wild_score_test(oc.kaplan_meier(data), at=0.6).to_frame()["p_value"].item()
    mean = oc.wild_score_test(oc.rmst(data, horizon=0.6)).to_frame()["p_value"].item()
    assert (risk, mean) == (by_hand((t <= 0.6) * 1.0), by_hand(np.minimum(t, 0.6)))


def test_what_was_observed_is_as_extreme_as_itself() -> None:
    """However far the other coefficients were from their last digit, no p-value is below the smallest possible, nor 0."""
    for seed in range(12, 18):
        rng = np.random.default_rng(seed)
        site = np.repeat(np.arange(10), 12)
        x, arm = rng.standard_normal(120), (site >= 5) * 1
        time, end = rng.exponential(1 / np.exp(0.5 * x + 1.5 * arm)), rng.uniform(0.3, 3, 120)
        frame = pd.DataFrame({"t": np.minimum(time, end), "e": (time <= end) * 1, "given": arm, "site": site, "x": x})
        data = oc.survival_data(frame, duration="t", event="e", arm="given", reference=0, cluster="site")
        row = oc.wild_score_test(oc.cox(data, "arm + x")).to_frame().iloc[0]
        assert row["p_value"] >= row["smallest_p"] > 0
