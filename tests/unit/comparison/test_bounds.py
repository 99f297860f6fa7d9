"""Limits of a difference for people some of whom have no counterpart, against arithmetic and against whatever might have been."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm

import outcomes as oc
from outcomes.comparison.bounds import interval_of_bounds, with_those_shut_out
from outcomes.comparison.raw_and_adjusted import Asked
from outcomes.errors import EstimationError


def own_row(found: oc.Populations) -> pd.Series:
    frame = found.frame
    return frame[(frame["whom"] == "own clients of bespoke") & (frame["adjustment"] == "adjusted")].iloc[0]


def test_limits_are_those_of_none_and_all_of_them_reoffending(tables: oc.Tables, study: oc.Study) -> None:
    found = oc.populations(tables, study)
    row = own_row(found)
    own = oc.build_cohort(tables, study).with_population("own")
    shut = (own.baseline["eligible_manualised"] == "no").to_numpy()
    mine = (own.baseline["arm"] == "bespoke").to_numpy()
    share = (shut & mine).sum() / mine.sum()
    assert row["bound_high"] - row["bound_low"] == pytest.approx(share)
    rest = oc.populations(
        tables,
        study.replace(eligibility=dataclasses.replace(study.eligibility, population="own")),
        shut_out_risk=(0.3, 0.3),
    )
    point = own_row(rest)
    assert point["bound_low"] == pytest.approx(point["bound_high"])
    assert row["bound_low"] < point["bound_low"] < row["bound_high"]
    assert row["bound_conf_low"] < row["bound_low"] < row["bound_high"] < row["bound_conf_high"]
    assert "the difference lies between" in found.describe()


def test_where_everybody_has_a_counterpart_there_are_no_limits(tables: oc.Tables, study: oc.Study) -> None:
    data = oc.build_cohort(tables, study).outcome("any")
    assert with_those_shut_out(data, study, Asked("any", 730.0, None, 0.95), "att", (0.0, 1.0)) is None


@pytest.mark.parametrize("risk", [(0.5, 0.2), (-0.1, 0.5), (0.0, 1.2)])
def test_a_range_is_two_risks_in_order(tables: oc.Tables, study: oc.Study, risk: tuple[float, float]) -> None:
    with pytest.raises(EstimationError, match="shut_out_risk must be two risks"):
        oc.populations(tables, study, shut_out_risk=risk)


@pytest.mark.parametrize("place", [0.0, 0.3, 1.0])
def test_the_interval_holds_the_truth_as_often_as_it_says_wherever_it_lies(place: float) -> None:
    """Two estimated ends, 0.5 standard errors apart."""
    rng, times, error, wide = np.random.default_rng(3), 1_000, 0.1, 0.05
    truth = place * wide
    shift = rng.normal(0, error, times)  # both ends move together
    held = [
        low <= truth <= high for low, high in (interval_of_bounds((s, s + wide), (error, error), 0.95) for s in shift)
    ]
    assert np.mean(held) >= 0.95 - 3 * np.sqrt(0.95 * 0.05 / times)


def test_far_apart_limits_need_a_one_sided_reach() -> None:
    low, high = interval_of_bounds((-1.0, 1.0), (0.1, 0.2), 0.95)
    assert (low, high) == pytest.approx((-1 - norm.ppf(0.95) * 0.1, 1 + norm.ppf(0.95) * 0.2), abs=1e-6)
