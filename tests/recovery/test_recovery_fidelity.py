"""A known effect of the fidelity of groups is found again, and none where there is none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from delivered_groups import delivered, risk_at, study_of_groups

import outcomes as oc

SEEDS = range(1, 5)


def fidelity(slope: float, site_sd: float = 0.0) -> pd.DataFrame:
    """Return what is estimated by standard deviation, sample after sample, with the truth beside it."""
    rows = []
    for seed in SEEDS:
        tables = oc.load_tables(delivered(seed=seed, sites=12, groups=5, people=12, slope=slope, site_sd=site_sd))
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
    assert found["held"].sum() >= 3
    assert found["ratio_held"].sum() >= 3


def test_where_fidelity_does_nothing_and_sites_differ_none_is_found() -> None:
    found = fidelity(0.0, site_sd=0.3)
    assert found["log_ratio"].mean() == pytest.approx(0.0, abs=0.15)
    assert found["risk"].mean() == pytest.approx(0.0, abs=0.02)
    assert found["held"].sum() >= 3
