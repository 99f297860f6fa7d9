"""Regression of restricted time: what it equals where that is known, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc

ROSSI = load_rossi()
LOST = ROSSI.assign(week=ROSSI["week"].where(np.arange(432) % 5 > 0, ROSSI["week"] // 2 + 1))
LOST["arrest"] = LOST["arrest"].where(np.arange(432) % 5 > 0, 0)


def take(frame: pd.DataFrame = ROSSI, **more: Any) -> oc.SurvivalData:
    asked = {"duration": "week", "event": "arrest", "arm": "fin", "reference": 0, "unit": "weeks"}
    return oc.survival_data(frame, **{**asked, **more})


def test_without_censoring_it_is_least_squares_with_the_errors_of_white() -> None:
    found = oc.rmst_regression(take(), "fin + age + prio", horizon=52).to_frame()
    np.testing.assert_allclose(found["estimate"], [43.1712075, 1.9177276, 0.1606442, -0.7464674], rtol=1e-6)
    np.testing.assert_allclose(found["std_error"], [2.6521984, 1.20081, 0.1030399, 0.2403833], rtol=1e-5)


def test_the_arm_alone_is_the_difference_in_restricted_means() -> None:
    found = oc.rmst_regression(take(), "fin", horizon=40).to_frame()["estimate"]
    means = oc.rmst(take(), horizon=40).to_frame().query("measure == 'rmst'")["estimate"].to_numpy()
    np.testing.assert_allclose(found, [means[0], means[1] - means[0]])


@pytest.mark.parametrize("measure", ["difference", "ratio", "lost_ratio"])
def test_influences_are_near_the_derivatives_by_the_weights(measure: str) -> None:
    """Near, not equal: the slope is that of all people, as in survRM2, where a derivative has that of the known times, weighted."""
    data, weight = take(LOST), np.random.default_rng(1).uniform(0.5, 2, 432)
    asked = {"formula": "fin + age", "horizon": 45, "measure": measure}
    found = oc.rmst_regression(data, weights=weight, **asked)
    moved = np.zeros((432, 3))
    for person in range(0, 432, 16):
        up = weight.copy()
        up[person] *= 1 + 1e-6
        moved[person] = (oc.rmst_regression(data, weights=up, **asked).estimate - found.estimate) / 1e-6
    some = np.where(np.arange(432) % 16 == 0, np.arange(432), 432)
    alone = oc.rmst_regression(data, weights=weight, cluster=some, **asked)
    rest = -moved.sum(axis=0)  # all influences add to nothing
    expected = np.sqrt(np.diag(moved.T @ moved + np.outer(rest, rest)))
    np.testing.assert_allclose(np.sqrt(np.diag(alone.covariance)), expected, rtol=0.1)


def test_frequencies_pieces_and_the_scale_of_weights_are_as_everywhere() -> None:
    asked = {"formula": "fin + age", "horizon": 45}
    counted = oc.count_rows(LOST, ["fin", "age", "week", "arrest"])
    rows = oc.rmst_regression(take(LOST), **asked).to_frame()
    pd.testing.assert_frame_equal(oc.rmst_regression(take(counted, frequency="people"), **asked).to_frame(), rows)
    tenfold = oc.rmst_regression(take(LOST), weights=np.full(432, 10.0), **asked).to_frame()
    pd.testing.assert_frame_equal(tenfold, rows)
    whole = LOST.assign(id=np.arange(432), start=0)
    early = whole.assign(week=whole["week"].clip(upper=20), arrest=whole["arrest"].where(whole["week"] <= 20, 0))
    split = pd.concat([early, whole[whole["week"] > 20].assign(start=20)])
    data = take(split, duration=None, entry="start", exit="week", id="id")
    pd.testing.assert_frame_equal(oc.rmst_regression(data, **asked).to_frame(), rows)


def test_ratios_are_logs_until_asked_for() -> None:
    found = oc.rmst_regression(take(LOST), "fin + age", horizon=45, measure="lost_ratio")
    logs, ratios = found.to_frame(), found.to_frame(exponentiate=True)
    np.testing.assert_allclose(np.exp(logs["conf_high"]), ratios["conf_high"])
    assert found.describe().startswith("Ratio of mean times lost to the event within 45 weeks")
    with pytest.raises(oc.EstimationError, match="no logarithm"):
        oc.rmst_regression(take(), "fin", horizon=45).to_frame(exponentiate=True)


@pytest.mark.parametrize(
    ("frame", "asked", "kind", "message"),
    [
        (LOST, {"horizon": 60}, oc.EstimationError, "beyond the follow-up of arm '0', whose last usable time is 52"),
        (LOST, {"horizon": 45, "measure": "odds"}, oc.EstimationError, "must be one of 'difference'"),
        (LOST, {"horizon": 45, "formula": "fin + agee"}, oc.EstimationError, "Did you mean 'age'"),
        (ROSSI.assign(arrest=0), {"horizon": 45, "measure": "lost_ratio"}, oc.EstimationError, "nobody lost any time"),
    ],
)
def test_what_has_no_answer_is_an_error(
    frame: pd.DataFrame, asked: dict[str, Any], kind: type[Exception], message: str
) -> None:
    with pytest.raises(kind, match=message):
        oc.rmst_regression(take(frame), **{"formula": "fin + age", **asked})


def test_late_entry_and_weights_of_rows_are_not_supported() -> None:
    late = take(ROSSI.assign(start=0.5), duration=None, entry="start", exit="week")
    with pytest.raises(oc.NotSupportedError, match="432 people enter after time zero"):
        oc.rmst_regression(late, "fin", horizon=40)
