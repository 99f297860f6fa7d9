"""Who benefits, against the truth: a programme that helps the young only is found to, and the invented cohort's bands hold theirs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from offending_starters import offending_starters
from small_study import small_study

import outcomes as oc
from outcomes.design.study import Adjust

ROOT = Path(__file__).parents[2]
PEOPLE, RATE, HELP = 6000, 1 / 900, 0.4


@pytest.fixture(scope="module")
def found() -> oc.Benefits:
    """Return effects by age and period where the bespoke programme leaves `HELP` of the hazard below 30, and all of it from 30 on."""
    rng = np.random.default_rng(2010)
    age = rng.choice([22.0, 40.0, 60.0], PEOPLE)
    bespoke = np.arange(1, PEOPLE + 1) % 2 == 0
    hazard = RATE * np.where(bespoke & (age < 30), HELP, 1.0)
    extract = offending_starters(np.ceil(rng.exponential(1 / hazard)).astype(int), sentences={"age_at_sentence": age})
    study = small_study(horizon=730).replace(adjust=Adjust("age_at_time_zero", "ate"))
    return oc.who_benefits(extract, study, by=["age"])


@pytest.mark.slow
def test_who_is_helped_is_told_from_who_is_not(found: oc.Benefits) -> None:
    rows = found.frame[(found.frame["subgroup"] == "age") & (found.frame["measure"] == "risk_difference")]
    young = np.exp(-RATE * 730) - np.exp(-RATE * HELP * 730)
    truth = {"below 30": young, "30 to 49": 0.0, "50 and over": 0.0}
    assert rows["level"].tolist() == list(truth)
    for row in rows.to_dict("records"):
        assert abs(row["estimate"] - truth[row["level"]]) <= 4 * row["std_error"]
        assert row["std_error"] < 0.03
    assert rows["verdict"].iloc[0] == "lower"


@pytest.mark.slow
def test_that_effects_differ_is_found_on_both_scales_and_said(found: oc.Benefits) -> None:
    assert (found.interaction()["p_holm"] < 0.001).all()
    assert "levels differ by more than chance, all tests counted" in found.describe()


@pytest.mark.slow
def test_each_risk_band_of_the_invented_cohort_is_near_its_truth() -> None:
    """Far truths lie within three errors: areas and years part the arms, and one cohort is one draw."""
    tables, study = oc.load_tables(ROOT / "data/synthetic"), oc.read_study(ROOT / "notebooks/study.toml")
    rows = oc.who_benefits(tables, study, by="risk_band").frame
    rows = rows[(rows["subgroup"] == "risk_band") & (rows["measure"] == "risk_difference")].set_index("level")
    asked = {"population": "both_overlap", "outcome": "any", "version": "proven", "horizon": "2y", "scale": "calendar"}
    truths = json.loads((ROOT / "data/synthetic/truth.json").read_text())["results_by_risk_band"]
    here = {one["risk_band"]: one for one in truths if asked.items() <= one.items()}
    assert set(here) == set(rows.index)
    for band, truth in here.items():
        assert abs(rows.loc[band, "estimate"] - truth["risk_difference"]) <= 3 * rows.loc[band, "std_error"]
