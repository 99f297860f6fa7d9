"""Events recorded by chance are found again where the chance is known; the switch of detection in invented cohorts moves the answer."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.stats import binom
from thinned_events import thinned, true_risk

import outcomes as oc
from outcomes.synthetic.biases import Biases
from outcomes.synthetic.cohort import make_cohort

ROOT = Path(__file__).parents[2]
REPLICATES, PEOPLE, YEARS = 250, 240, 2.0
TRUTH = true_risk("new", YEARS) - true_risk("usual", YEARS)


def estimated(share: float) -> pd.DataFrame:
    """Return the difference as recorded and as undone, sample after sample."""
    rows = []
    for seed in range(REPLICATES):
        data = thinned(PEOPLE, share, np.random.default_rng([7, seed]))
        found = oc.detection_sensitivity(data, less_detected={"less": True}, at=YEARS, shares=[share]).frame
        naive, undone = found.iloc[0], found.iloc[-1]
        rows.append(
            {"naive": naive["estimate"], "estimate": undone["estimate"], "std_error": undone["std_error"],
             "held": undone["conf_low"] <= TRUTH <= undone["conf_high"]}
        )  # fmt: skip
    return pd.DataFrame(rows)


def test_what_was_not_recorded_is_brought_back_and_the_interval_holds_the_truth() -> None:
    found = estimated(0.5)
    spread = found["estimate"].std()
    bias = found["estimate"].mean() - TRUTH
    assert abs(bias) <= 0.1 * spread + 4 * spread / np.sqrt(REPLICATES)
    low, high = binom.ppf([0.0005, 0.9995], REPLICATES, 0.95)
    assert low <= found["held"].sum() <= high
    assert found["std_error"].mean() == pytest.approx(spread, rel=0.15)
    assert found["naive"].mean() - TRUTH < -0.04  # what is undone is there


def own_clients(detection: float, seed: int) -> oc.SurvivalData:
    biases = dataclasses.replace(Biases(), detection=detection)
    tables = oc.load_tables(make_cohort(4000, seed=seed, replicates=0, biases=biases).tables)
    study = oc.read_study(ROOT / "notebooks/study.toml")
    own = dataclasses.replace(study.eligibility, population="own")
    return oc.build_cohort(tables, study.replace(headline=None, eligibility=own)).outcome("any")


def test_in_invented_cohorts_detection_moves_the_recorded_difference_and_is_undone() -> None:
    strength = 3.0
    share = float(
        np.exp(-0.45 * strength)
    )  # as the invented cohorts record offences of people with a learning disability
    moved, left = [], []
    for seed in (1, 2):
        everything = own_clients(0.0, seed)
        complete = oc.compare(oc.cumulative_incidence(everything), measure="risk_difference", at="2y", cause="any")
        asked = {"less_detected": {"learning_disability": True}, "at": "2y", "shares": [share]}
        recorded, undone = oc.detection_sensitivity(own_clients(strength, seed), **asked).frame["estimate"]
        moved.append(recorded - complete.frame["estimate"].iloc[0])
        left.append(undone - complete.frame["estimate"].iloc[0])
    assert max(moved) < -0.004  # those with a learning disability are in the bespoke programme
    assert abs(np.mean(left)) < abs(np.mean(moved)) / 2
