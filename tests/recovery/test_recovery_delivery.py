"""A known effect of fidelity and a known variation between sites are found again, and none where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from delivered_groups import delivered, risk_at, study_of_groups

import outcomes as oc

SEEDS = range(1, 7)


def fidelity(slope: float, site_sd: float = 0.0) -> pd.DataFrame:
    """Return what is estimated by standard deviation, sample after sample, with the truth beside it."""
    rows = []
    for seed in SEEDS:
        tables = oc.load_tables(delivered(seed=seed, sites=15, groups=5, people=16, slope=slope, site_sd=site_sd))
        found = oc.fidelity_effect(tables, study_of_groups())
        frame = found.to_frame()
        mine = frame[frame["analysis"] == "per_sd"].set_index("measure")
        ratio, risk = mine.loc["hazard_ratio"], mine.loc["risk_difference"]
        at = slope * (found.mean - 3 + found.spread * np.array([-0.5, 0.5]))
        truth = np.diff(risk_at(at)).item()
        rows.append(
            {"log_ratio": np.log(ratio["estimate"]) / found.spread, "risk": risk["estimate"], "true_risk": truth,
             "held": risk["conf_low"] <= truth <= risk["conf_high"],
             "ratio_held": ratio["conf_low"] <= np.exp(slope * found.spread) <= ratio["conf_high"]}
        )  # fmt: skip
    return pd.DataFrame(rows)


def test_an_effect_of_fidelity_is_found_as_hazard_ratio_and_as_risk() -> None:
    found = fidelity(-0.7)
    assert found["log_ratio"].mean() == pytest.approx(-0.7, abs=0.12)
    assert (found["risk"] - found["true_risk"]).mean() == pytest.approx(0.0, abs=0.012)
    assert found["held"].sum() >= 5
    assert found["ratio_held"].sum() >= 5


def test_where_fidelity_does_nothing_and_sites_differ_none_is_found() -> None:
    found = fidelity(0.0, site_sd=0.3)
    assert found["log_ratio"].mean() == pytest.approx(0.0, abs=0.15)
    assert found["risk"].mean() == pytest.approx(0.0, abs=0.02)
    assert found["held"].sum() >= 5


def variation(site_sd: float) -> pd.DataFrame:
    frames = []
    for seed in SEEDS:
        tables = oc.load_tables(delivered(seed=seed, sites=30, groups=1, people=25, site_sd=site_sd, arm=-0.3))
        frames.append(oc.site_variation(tables, study_of_groups()).to_frame())
    return pd.concat(frames)


def test_the_variation_between_sites_is_found() -> None:
    found = variation(0.4)
    sites = np.random.default_rng(0).normal(0, 0.4, 2000)
    for arm, shift in (("manualised", 0.0), ("bespoke", -0.3)):
        truth = risk_at(sites + shift).std()
        mine = found[(found["arm"] == arm) & (found["quantity"] == "sd")]
        assert mine["estimate"].mean() == pytest.approx(truth, abs=0.02)
        assert ((mine["conf_low"] <= truth) & (truth <= mine["conf_high"])).sum() >= 5
    both = found[found["quantity"] == "risk_difference"]
    truth = (risk_at(sites - 0.3) - risk_at(sites)).mean()
    varying = both[both["model"] == "sites vary"]
    assert varying["estimate"].mean() == pytest.approx(truth, abs=0.03)
    assert ((varying["conf_low"] <= truth) & (truth <= varying["conf_high"])).sum() >= 5
    errors = both.groupby("model")["std_error"].mean()
    assert errors["sites vary"] > 1.2 * errors["people independent"]


def test_where_sites_are_alike_hardly_any_is_found() -> None:
    found = variation(0.0)
    icc = found[found["quantity"] == "icc"]
    assert icc["estimate"].mean() < 0.012
    assert (icc["conf_low"] == 0).sum() >= 11
    assert icc["conf_high"].max() < 0.1
