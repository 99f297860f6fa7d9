"""A known variation between sites is found again, and hardly any where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from delivered_groups import delivered, risk_at, study_of_groups

import outcomes as oc

SEEDS = range(1, 5)


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
        assert mine["estimate"].mean() == pytest.approx(truth, abs=0.025)
        assert ((mine["conf_low"] <= truth) & (truth <= mine["conf_high"])).sum() >= 3
    both = found[found["quantity"] == "risk_difference"]
    truth = (risk_at(sites - 0.3) - risk_at(sites)).mean()
    varying = both[both["model"] == "sites vary"]
    assert varying["estimate"].mean() == pytest.approx(truth, abs=0.03)
    assert ((varying["conf_low"] <= truth) & (truth <= varying["conf_high"])).sum() >= 3
    errors = both.groupby("model")["std_error"].mean()
    assert errors["sites vary"] > 1.2 * errors["people independent"]


def test_where_sites_are_alike_hardly_any_is_found() -> None:
    found = variation(0.0)
    icc = found[found["quantity"] == "icc"]
    assert icc["estimate"].mean() < 0.012
    assert (icc["conf_low"] == 0).sum() >= 7
    assert icc["conf_high"].max() < 0.1
