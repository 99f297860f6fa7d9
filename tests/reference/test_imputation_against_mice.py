"""Imputing and pooling beside R's mice: the same numbers from the same completed sets, the same distributions from the same data."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from mice_in_r import imputed_by_mice, pooled_by_mice

import outcomes as oc
from outcomes.adjust.outcome_terms import outcome_terms

M = 40
NAMES = ("estimate", "within", "between", "total", "df", "relative_increase", "share_between", "fmi")


def incomplete(n: int, seed: int) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    g, z = rng.integers(0, 2, n), rng.integers(0, 3, n)
    x = rng.normal(0, 1, n) + 0.5 * g + 0.4 * (z == 2)
    t, c = rng.exponential(1 / np.exp(0.7 * x + 0.3 * g + 0.5 * (z == 1))), rng.uniform(0.2, 2.5, n)
    frame = pd.DataFrame(
        {"g": g, "x": x, "z": np.array(["a", "b", "c"])[z], "t": np.minimum(t, c), "e": (t <= c).astype(int)}
    )
    lost = 1 / (1 + np.exp(-(-1.2 + 0.8 * g + 0.8 * frame["e"])))
    frame.loc[rng.random(n) < lost, "x"] = np.nan
    frame.loc[rng.random(n) < 0.25, "z"] = None
    return frame


def time_at_risk(frame: pd.DataFrame) -> oc.SurvivalData:
    return oc.survival_data(frame, duration="t", event="e", arm="g", reference=0)


@pytest.fixture(scope="module")
def data() -> oc.SurvivalData:
    return time_at_risk(incomplete(400, 3))


def test_pooled_cox_models_are_those_of_mice(data: oc.SurvivalData, tmp_path: Path) -> None:
    imputed = oc.impute(data, m=6, seed=1)
    fit = "coxph(Surv(t, e) ~ factor(g) + x + factor(z), data = d)"
    theirs = pooled_by_mice([one.baseline for one in imputed], fit, tmp_path, 60.0)
    ours = oc.pool(imputed, lambda d: oc.cox(d, "arm + x + z"))
    few = oc.pool(imputed, lambda d: oc.cox(d, "arm + x + z"), df_complete=60.0)
    for name in NAMES:
        np.testing.assert_allclose(ours.missing_information()[name], theirs[name], rtol=1e-6, err_msg=name)
    for name in ("df", "fmi"):
        np.testing.assert_allclose(few.missing_information()[name], theirs[f"{name}_few"], rtol=1e-6, err_msg=name)
    test = ours.tests()[["statistic", "df", "df_residual", "p_value"]].to_numpy(dtype=float)[0]
    np.testing.assert_allclose(test, theirs["joint"], rtol=1e-6)


@pytest.fixture(scope="module")
def theirs(data: oc.SurvivalData, tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[float]]:
    frame = incomplete(400, 3)
    return imputed_by_mice(frame, tmp_path_factory.mktemp("mice"), m=M, maxit=6, factors=["g", "z"])


@pytest.fixture(scope="module")
def ours(data: oc.SurvivalData) -> dict[str, np.ndarray]:
    imputed = oc.impute(data, m=M, seed=2, iterations=6)
    values = {v.name: drawn for v, drawn in zip(imputed.variables, imputed.values, strict=True)}
    fits = np.stack([oc.cox(one, "arm + x + z").coefficients for one in imputed])
    found = {"x": values["x"].mean(axis=1)}
    found |= {f"z:{level}": (values["z"] == code).mean(axis=1) for code, level in enumerate("abc")}
    return found | {f"cox:{name}": fits[:, j] for j, name in enumerate(("g1", "x", "zb", "zc"))}


def test_cumulative_hazards_are_those_of_mice(data: oc.SurvivalData, theirs: dict[str, list[float]]) -> None:
    terms, names = outcome_terms(data)
    np.testing.assert_allclose(terms[:, names.index("cumulative hazard: e")], theirs["hazard"], rtol=1e-10)


@pytest.mark.parametrize("name", ["x", "z:a", "z:b", "z:c", "cox:g1", "cox:x", "cox:zb", "cox:zc"])
def test_what_is_drawn_is_distributed_as_in_mice(
    name: str, ours: dict[str, np.ndarray], theirs: dict[str, list[float]]
) -> None:
    mine, other = ours[name], np.array(theirs[name])
    error = np.sqrt((mine.var(ddof=1) + other.var(ddof=1)) / M)
    assert abs(mine.mean() - other.mean()) < 4 * error
    # both spreads are estimates from M chains: their ratio is that of two independent ones, far in neither tail
    assert 0.55 < mine.std(ddof=1) / other.std(ddof=1) < 1.8
