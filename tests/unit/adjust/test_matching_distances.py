"""Mahalanobis distance: the same people are near each other in whatever units they are measured."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc


@pytest.mark.parametrize("asked", [{"method": "nearest", "replace": True}, {"method": "optimal"}, {"method": "full"}])
def test_distance_does_not_depend_on_units_however_far_apart(asked: dict[str, Any]) -> None:
    rng = np.random.default_rng(2)
    days, male = rng.normal(12_500, 3_200, 200), rng.integers(0, 2, 200)
    chance = 1 / (1 + np.exp(-(1.6 * male - 1.6 + (days - 12_500) / 3_200)))
    arm = (rng.random(200) < chance).astype(int)
    frame = pd.DataFrame({"t": rng.exponential(1, 200) + 0.1, "e": 1, "arm": arm, "days": days, "male": male})
    data = oc.survival_data(
        frame.assign(e=rng.integers(0, 2, 200), years=days / 365.25), duration="t", event="e", arm="arm", reference=0
    )
    in_days, in_years = (
        oc.match(data, f"{age} + I({age}**2) + male", distance="mahalanobis", **asked) for age in ("days", "years")
    )
    np.testing.assert_allclose(in_days.values, in_years.values, rtol=1e-6)
