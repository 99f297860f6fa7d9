"""The log-rank family: what it does and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

ROSSI = load_rossi().assign(band=lambda d: 2 + d["age"] % 5)


def take(frame: pd.DataFrame = ROSSI, **more: Any) -> oc.SurvivalData:
    return oc.survival_data(frame, **({"duration": "week", "event": "arrest", "arm": "fin", "reference": 0} | more))


def test_observed_and_expected_add_to_the_events() -> None:
    found = oc.logrank_test(take())
    assert found.observed.tolist() == [66, 48]
    assert found.expected.sum() == pytest.approx(114)
    assert found.by_arm()["n"].tolist() == [216, 216]
    assert list(found.to_frame().columns) == ["rho", "gamma", "variance", "statistic", "df", "p_value"]


def test_any_number_of_arms() -> None:
    found = oc.logrank_test(take(arm="band", reference=3))
    assert found.df == 4
    assert found.covariance.sum() == pytest.approx(0, abs=1e-9)


def test_weights_make_it_robust_and_their_scale_does_not_matter() -> None:
    weights = 0.5 + (ROSSI["age"] % 5).to_numpy()
    one, ten = oc.logrank_test(take(), weights=weights), oc.logrank_test(take(), weights=10 * weights)
    assert one.variance == "robust"
    assert one.statistic == pytest.approx(ten.statistic)


def test_robust_and_hypergeometric_tests_are_near_one_another_without_weights() -> None:
    plain, robust = oc.logrank_test(take()), oc.logrank_test(take(), weights=np.ones(432))
    assert robust.observed - robust.expected == pytest.approx(plain.observed - plain.expected)
    assert robust.statistic == pytest.approx(plain.statistic, rel=0.02)


def test_clusters_are_summed() -> None:
    found = oc.logrank_test(take(), cluster=np.arange(432) // 4)
    assert found.variance == "robust"
    with pytest.raises(oc.EstimationError, match="2 clusters cannot tell 2 arms apart"):
        oc.logrank_test(take(), cluster="wexp")


@pytest.mark.parametrize(
    ("asked", "message"),
    [({"strata": "wxp"}, "no column 'wxp'"), ({"cause": "arest"}, "Did you mean 'arrest'")],
)
def test_what_is_not_there_is_named(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(oc.EstimationError, match=message):
        oc.logrank_test(take(), **asked)


@pytest.mark.parametrize("asked", [{"rho": float("nan")}, {"rho": -1}, {"gamma": -0.5}, {"gamma": float("inf")}])
def test_weightings_of_time_are_finite_and_not_negative(asked: dict[str, float]) -> None:
    with pytest.raises(oc.EstimationError, match="logrank_test: rho and gamma must be finite and 0 or more"):
        oc.logrank_test(take(), **asked)
    pair = (asked.get("rho", 0.0), asked.get("gamma", 0.0))
    with pytest.raises(oc.EstimationError, match="max_combo_test: rho and gamma must be finite and 0 or more"):
        oc.max_combo_test(take(), family=[(0, 0), pair])


def test_one_arm_or_no_event_cannot_be_tested() -> None:
    with pytest.raises(oc.EstimationError, match="only one arm"):
        oc.logrank_test(take(arm=None, reference=None))
    with pytest.raises(oc.EstimationError, match="nobody had the event"):
        oc.logrank_test(take(ROSSI.assign(arrest=0)))


def test_competing_causes_need_a_name() -> None:
    data = take(
        ROSSI.assign(end=ROSSI["arrest"] * (1 + ROSSI["wexp"])), event="end", censored=0, causes={1: "a", 2: "b"}
    )
    with pytest.raises(oc.EstimationError, match=r"2 causes compete \(a, b\)"):
        oc.logrank_test(data)
    assert oc.logrank_test(data, cause="a").observed.sum() == (ROSSI["arrest"] * (1 - ROSSI["wexp"])).sum()


@pytest.mark.parametrize(("rho", "gamma"), [(1, 0), (0, 1), (0.5, 0.5)])
def test_weightings_of_time_are_robust_too_and_near_the_hypergeometric_without_weights(
    rho: float, gamma: float
) -> None:
    plain = oc.logrank_test(take(), rho=rho, gamma=gamma)
    robust = oc.logrank_test(take(), rho=rho, gamma=gamma, weights=np.ones(432))
    assert robust.observed == pytest.approx(plain.observed)
    assert robust.statistic == pytest.approx(plain.statistic, rel=0.03)
    tenfold = oc.logrank_test(take(), rho=rho, gamma=gamma, weights=np.full(432, 10.0))
    assert tenfold.statistic == pytest.approx(robust.statistic)


def test_late_entry_and_pieces_of_a_person_change_nothing_but_who_is_at_risk() -> None:
    whole = ROSSI.assign(id=np.arange(432), start=0.0, week=ROSSI["week"].astype(float))
    early = whole.assign(week=whole["week"].clip(upper=20), arrest=whole["arrest"].where(whole["week"] <= 20, 0))
    split = pd.concat([early, whole[whole["week"] > 20].assign(start=20.0)], ignore_index=True)
    asked = {"duration": None, "entry": "start", "exit": "week", "id": "id"}
    for weights in (None, "age"):
        found = [oc.logrank_test(take(f, **asked), weights=weights, variance="robust") for f in (whole, split)]
        assert found[0].statistic == pytest.approx(found[1].statistic)


def test_two_scores_are_the_two_arms_and_their_scale_does_not_matter() -> None:
    data = take(ROSSI.assign(before=ROSSI["prio"].clip(upper=4)), arm="before", reference=0)
    assert data.arms == ("0", "1", "2", "3", "4")
    found = oc.logrank_test(data, scores={arm: float(arm) for arm in data.arms})
    assert found.df == 1
    assert found.statistic == pytest.approx(oc.logrank_test(data, scores=[10, 20, 30, 40, 50]).statistic)
    assert oc.logrank_test(take(), scores=[0, 1]).statistic == pytest.approx(oc.logrank_test(take()).statistic)
    assert "no trend" in found.describe()


@pytest.mark.parametrize(
    ("scores", "message"),
    [
        ([1, 1], "not all the same"),
        ([1, 2, 3], "one finite number an arm"),
        ({"0": 1.0}, "must name every arm and no other; the arms are 0, 1"),
    ],
)
def test_scores_that_are_none_are_refused(scores: Any, message: str) -> None:
    with pytest.raises(oc.EstimationError, match=message):
        oc.logrank_test(take(), scores=scores)


def test_one_event_is_tested_and_so_is_an_arm_without_any() -> None:
    one = ROSSI.assign(arrest=(np.arange(432) == 30).astype(int))
    assert oc.logrank_test(take(one)).df == 1
    none = ROSSI.assign(arrest=ROSSI["arrest"].where(ROSSI["fin"] == 0, 0))
    assert oc.logrank_test(take(none)).p_value < 1e-6


def test_a_stratum_without_one_of_the_arms_adds_nothing() -> None:
    frame = ROSSI.assign(s=np.where((ROSSI["fin"] == 0) & (ROSSI["age"] > 30), 1, 0))
    some = frame[frame["s"] == 0]
    whole, part = oc.logrank_test(take(frame), strata="s"), oc.logrank_test(take(some))
    assert whole.observed - whole.expected == pytest.approx(part.observed - part.expected)
    assert whole.statistic == pytest.approx(part.statistic)
