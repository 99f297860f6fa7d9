"""Simultaneous bands: constants, what they hold, what they refuse."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc
from outcomes.survival.band_constants import equal_precision_constant, hall_wellner_constant

RNG = np.random.default_rng(4)
FRAME = pd.DataFrame(
    {
        "start": np.where(RNG.random(150) < 0.2, 1.0, 0.0),
        "stop": RNG.integers(2, 30, 150).astype(float),
        "end": RNG.choice(["none", "sexual", "death"], 150, p=[0.4, 0.4, 0.2]),
        "arm": RNG.integers(0, 2, 150),
        "w": RNG.uniform(0.5, 2, 150),
        "area": RNG.integers(0, 25, 150),
    }
)


def take(**more: Any) -> oc.SurvivalData:
    asked = {"exit": "stop", "event": "end", "censored": "none", "causes": ["sexual", "death"], "arm": "arm"}
    return oc.survival_data(FRAME, **{**asked, "reference": 0, "unit": "months", **more})


def test_hall_wellner_over_all_time_is_kolmogorovs() -> None:
    assert hall_wellner_constant(0, 1, 0.95) == pytest.approx(1.3581, abs=1e-4)
    assert hall_wellner_constant(0, 1, 0.90) == pytest.approx(1.2238, abs=1e-4)


@pytest.mark.parametrize(("low", "high"), [(0.1, 0.6), (0.3, 0.9)])
def test_constants_are_quantiles_of_how_far_a_bridge_strays(low: float, high: float) -> None:
    steps, rng = 500, np.random.default_rng(1)
    walk = np.cumsum(rng.standard_normal((2000, steps)) / np.sqrt(steps), axis=1)
    u = np.arange(1, steps + 1) / steps
    inside = (u >= low) & (u <= high)
    bridge = np.abs(walk - u * walk[:, -1:])[:, inside]
    assert hall_wellner_constant(low, high, 0.9) == pytest.approx(np.quantile(bridge.max(axis=1), 0.9), rel=0.05)
    scaled = (bridge / np.sqrt(u * (1 - u))[inside]).max(axis=1)
    assert equal_precision_constant(low, high, 0.9) == pytest.approx(np.quantile(scaled, 0.9), rel=0.05)


def test_at_one_time_a_band_is_no_narrower_than_a_point() -> None:
    assert 0.98 < hall_wellner_constant(0.5, 0.5, 0.95) < 1.1
    assert equal_precision_constant(0.5, 0.5, 0.95) >= 1.9599


@pytest.mark.parametrize("kind", ["equal-precision", "hall-wellner"])
@pytest.mark.parametrize("conf_type", ["log-log", "arcsine"])
def test_bands_lie_around_the_curve_inside_zero_and_one(kind: str, conf_type: str) -> None:
    found = oc.kaplan_meier(take(entry="start"), cause="any", conf_type=conf_type).bands(kind)
    assert (found["conf_low"] <= found["estimate"]).all()
    assert (found["estimate"] <= found["conf_high"]).all()
    assert found["conf_low"].min() >= 0
    assert found["conf_high"].max() <= 1


def test_equal_precision_is_the_pointwise_interval_with_a_larger_constant() -> None:
    km = oc.kaplan_meier(take(), cause="any", conf_type="plain")
    band = km.bands(between=(5, 20))
    assert (band["critical"] > 1.96).all()
    assert band["time"].between(5, 20).all()
    high = np.minimum(band["estimate"] + band["critical"] * band["std_error"], 1)
    np.testing.assert_allclose(band["conf_high"], high)


def test_a_narrower_stretch_of_time_has_a_narrower_band() -> None:
    km = oc.kaplan_meier(take(), cause="any")
    for kind in ("equal-precision", "hall-wellner"):
        assert km.bands(kind, between=(10, 15))["critical"].max() <= km.bands(kind)["critical"].min()


@pytest.mark.parametrize("weights", [None, "w"])
def test_incidences_and_weighted_curves_are_drawn_and_the_seed_decides(weights: str | None) -> None:
    found = oc.cumulative_incidence(take(), weights=weights)
    one, same, other = (found.bands(draws=200, seed=s) for s in (1, 1, 2))
    pd.testing.assert_frame_equal(one, same)
    assert set(one["cause"]) == {"sexual", "death"}
    assert one["critical"].between(2, 4).all()
    assert not np.allclose(one["critical"], other["critical"])


def test_the_band_of_an_incidence_is_drawn_whatever_its_variance() -> None:
    robust, aalen = (oc.cumulative_incidence(take(), variance=v).bands() for v in ("robust", "aalen"))
    assert (aalen["critical"] > 2).all()
    np.testing.assert_allclose(aalen["critical"], robust["critical"], rtol=0.05)


def test_drawn_and_tabled_constants_are_near_one_another_and_the_scale_of_weights_does_not_matter() -> None:
    data = take(arm=None, reference=None)
    tabled, drawn, tenfold = (
        oc.kaplan_meier(data, cause="any", weights=w).bands("hall-wellner", draws=1000)["critical"][0]
        for w in (None, np.ones(150), np.full(150, 10.0))
    )
    assert drawn == pytest.approx(tenfold)
    assert drawn == pytest.approx(tabled, rel=0.1)


def test_people_of_one_cluster_are_drawn_together() -> None:
    km = [oc.kaplan_meier(take(), cause="any", cluster=c).bands(draws=400) for c in ("area", np.arange(150))]
    assert not np.allclose(km[0]["std_error"], km[1]["std_error"])
    plain = oc.kaplan_meier(take(), cause="any", variance="robust").bands(draws=400)
    np.testing.assert_allclose(km[1]["critical"], plain["critical"])


def test_what_has_no_band_says_so() -> None:
    km = oc.kaplan_meier(take(), cause="any")
    with pytest.raises(oc.EstimationError, match="must be one of 'equal-precision', 'hall-wellner'"):
        km.bands("hall")
    with pytest.raises(oc.EstimationError, match="the earlier first"):
        km.bands(between=(9, 3))
    with pytest.raises(oc.EstimationError, match="draws must be 1 or more; got 0"):
        km.bands(draws=0)
    with pytest.raises(oc.EstimationError, match="there is no band"):
        km.bands(between=(0.1, 0.5))
    with pytest.raises(oc.NotSupportedError, match="Hall–Wellner bands are of Kaplan–Meier curves"):
        oc.cumulative_incidence(take()).bands("hall-wellner")
    nobody = oc.survival_data(FRAME.assign(none=0), duration="stop", event="none", unit="months")
    with pytest.raises(oc.EstimationError, match="curve of arm 'all' is 0 or 1"):
        oc.kaplan_meier(nobody).bands()
