"""Variance by set and by person against sandwich 3.0.2 and survival 3.5.3 (R 4.2.2), on one row a person in a set.

``lm(arrest ~ wexp, weights = w)`` with ``vcovCL(cluster = ~ set + person, type = "HC0", cadjust = FALSE)``: everyone is followed to week
52, so that the risk there is a weighted mean. ``coxph(Surv(week, arrest) ~ wexp + age + prio, weights = w, ties = "breslow")`` with its
weighted dfbeta summed by set, by person and by row; vcovCL of a weighted coxph mixes weighted and unweighted parts and is no oracle.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

ASKED: dict[str, dict[str, Any]] = {
    "replacement": {"ratio": 2, "replace": True, "caliper": 0.2},
    "radius": {"method": "radius", "caliper": 0.1},
}
DIFFERENCE = {"replacement": (0.0285714285714, 0.0686421404112), "radius": (0.00187803703818, 0.0588401070273)}
COX = {
    "replacement": (
        [0.0386397575483, -0.0728674163622, 0.1160757753063],
        [0.2218765524337, 0.0352168560466, 0.0271831231349],
    ),
    "radius": (
        [-0.0323170930159, -0.0996096492672, 0.1232677539331],
        [0.2097940960229, 0.0372617079009, 0.0302872010550],
    ),
}


@pytest.mark.parametrize("how", ["replacement", "radius"])
def test_risk_difference_and_cox(how: str) -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=0)
    matched = oc.match(data, "age + race + mar + paro + prio", estimand="atc", **ASKED[how])
    found = oc.kaplan_meier(data, weights=matched).arm_estimates([52.0])
    spread = found.covariance[0]
    difference, error = DIFFERENCE[how]
    assert found.estimate[0, 1] - found.estimate[0, 0] == pytest.approx(difference, rel=1e-9)
    assert np.sqrt(spread[0, 0] + spread[1, 1] - 2 * spread[0, 1]) == pytest.approx(error, rel=1e-9)
    model = oc.cox(data, "arm + age + prio", weights=matched, ties="breslow").to_frame()
    np.testing.assert_allclose(model["estimate"], COX[how][0], rtol=1e-6)
    np.testing.assert_allclose(model["std_error"], COX[how][1], rtol=1e-6)
