"""Limits of a difference for people some of whom have no counterpart, against arithmetic and against whatever might have been."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import norm, t

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


@pytest.mark.parametrize("risk", [(0.5, 0.2), (-0.1, 0.5), (0.0, 1.2), 0.3, ("a", "b")])
def test_a_range_is_two_risks_in_order(tables: oc.Tables, study: oc.Study, risk: Any) -> None:
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


def people(
    arm: list[str], event: list[int], days: list[float], shut: list[bool], *, area: list[str] | None = None
) -> oc.SurvivalData:
    """Return people in two arms, of whom some are shut out of `m` by rule."""
    frame = pd.DataFrame(
        {"arm": arm, "event": event, "days": days, "eligible_b": "yes", "eligible_m": np.where(shut, "no", "yes"),
         "area": area if area is not None else [f"a{i % 15}" for i in range(len(arm))]}
    )  # fmt: skip
    return oc.survival_data(frame, duration="days", event="event", arm="arm", reference="m")


def some(reference: str = "m") -> oc.SurvivalData:
    """Return 40 people of m (10 events), 40 of b who could have been in m (6 events), 20 of b who could not (8 events)."""
    arm = ["m"] * 40 + ["b"] * 60
    event = [1] * 10 + [0] * 30 + [1] * 6 + [0] * 34 + [1] * 8 + [0] * 12
    days = [100.0 if hit else 1000.0 for hit in event]
    data = people(arm, event, days, [False] * 80 + [True] * 20)
    return (
        data
        if reference == "m"
        else oc.survival_data(
            data.baseline.assign(arm=arm, event=event, days=days),
            duration="days",
            event="event",
            arm="arm",
            reference=reference,
        )
    )


@pytest.fixture(scope="module")
def unadjusted(study: oc.Study) -> oc.Study:
    return study.replace(adjust=None, headline=None)


ASKED = Asked("event", 730.0, None, 0.95)


def test_limits_lie_where_arithmetic_puts_them(unadjusted: oc.Study) -> None:
    found = with_those_shut_out(some(), unadjusted, ASKED, "att", (0.2, 0.7))
    assert found is not None
    alike, had = 6 / 40 - 10 / 40, 8 / 20
    assert (found.low, found.high) == pytest.approx(((2 * alike + had - 0.7) / 3, (2 * alike + had - 0.2) / 3))
    assert found.share == pytest.approx(1 / 3)
    turned = with_those_shut_out(some("b"), unadjusted, ASKED, "atc", (0.2, 0.7))
    assert turned is not None
    assert (turned.low, turned.high) == pytest.approx((-found.high, -found.low))


def test_the_error_of_a_limit_is_that_of_its_parts_and_of_their_shares(unadjusted: oc.Study) -> None:
    found = with_those_shut_out(some(), unadjusted, ASKED, "att", (0.5, 0.5))
    assert found is not None
    alike, had = 6 / 40 - 10 / 40, 8 / 20
    inside = (0.15 * 0.85 + 0.25 * 0.75) / 40
    outside, moved = had * (1 - had) / 20, (2 / 9) / 60 * (had - 0.5 - alike) ** 2
    error = np.sqrt(4 / 9 * inside + outside / 9 + moved)
    assert found.conf_high - found.high == pytest.approx(norm.ppf(0.975) * error, rel=1e-6)
    assert found.low - found.conf_low == pytest.approx(norm.ppf(0.975) * error, rel=1e-6)


def test_nobody_shut_out_with_the_event_is_not_a_risk_known_exactly(unadjusted: oc.Study) -> None:
    arm, event = ["m"] * 40 + ["b"] * 60, [1] * 10 + [0] * 30 + [1] * 6 + [0] * 54
    data = people(arm, event, [100.0 if hit else 1000.0 for hit in event], [False] * 80 + [True] * 20)
    found = with_those_shut_out(data, unadjusted, ASKED, "att", (0.0, 0.0))
    assert found is not None
    alike = 6 / 40 - 10 / 40
    wilson = norm.ppf(0.975) / (20 + norm.ppf(0.975) ** 2)
    error = np.sqrt(4 / 9 * (0.15 * 0.85 + 0.25 * 0.75) / 40 + wilson**2 / 9 + (2 / 9) / 60 * alike**2)
    assert found.conf_high - found.high == pytest.approx(norm.ppf(0.975) * error, rel=1e-6)


def test_all_of_them_in_one_area_are_not_a_risk_known_exactly(unadjusted: oc.Study) -> None:
    data = some().with_cluster("area")
    area = data.baseline["area"].where(data.baseline["eligible_m"] == "yes", "one")
    one = dataclasses.replace(data, baseline=data.baseline.assign(area=area))
    spread, packed = (with_those_shut_out(each, unadjusted, ASKED, "att", (0.5, 0.5)) for each in (some(), one))
    assert spread is not None
    assert packed is not None
    assert packed.conf_high - packed.high > 0.9 * (spread.conf_high - spread.high)


def test_people_shut_out_who_were_not_followed_to_the_horizon_leave_no_limits(unadjusted: oc.Study) -> None:
    data = some()
    early = dataclasses.replace(data, exit=np.where(data.arm == 1, np.minimum(data.exit, 1000.0), data.exit))
    early.exit[80:] = np.minimum(early.exit[80:], 400.0)
    assert with_those_shut_out(early, unadjusted, ASKED, "att", (0.0, 1.0)) is None


def test_with_few_areas_the_reach_is_that_of_t() -> None:
    low, high = interval_of_bounds((0.0, 0.0), (0.1, 0.1), 0.95, df=11)
    assert (low, high) == pytest.approx((-t.ppf(0.975, 11) * 0.1, t.ppf(0.975, 11) * 0.1))


def test_whoever_is_in_an_arm_against_its_rules_is_left_out_of_the_limits(unadjusted: oc.Study) -> None:
    arm = ["m"] * 45 + ["b"] * 60
    event = [1] * 10 + [0] * 30 + [1] * 5 + [1] * 6 + [0] * 34 + [1] * 8 + [0] * 12
    shut = [False] * 40 + [True] * 5 + [False] * 40 + [True] * 20
    bent = people(arm, event, [100.0 if hit else 1000.0 for hit in event], shut)
    found, plain = (with_those_shut_out(each, unadjusted, ASKED, "att", (0.0, 1.0)) for each in (bent, some()))
    assert found is not None
    assert plain is not None
    assert (found.low, found.high) == pytest.approx((plain.low, plain.high))


def test_the_range_that_was_assumed_is_said(tables: oc.Tables, study: oc.Study) -> None:
    found = oc.populations(tables, study, shut_out_risk=(0.2, 0.5))
    assert (
        "If between 20 and 50 of 100 of those shut out would have had the event in the other programme"
        in found.describe()
    )
    assert found.provenance["shut_out_risk"] == (0.2, 0.5)
    assert "Whatever would have happened to those shut out" in oc.populations(tables, study).describe()
