"""Restricted means: areas, horizons, competing causes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import outcomes as oc

FRAME = pd.DataFrame(
    {
        "t": [5, 8, 9, 12, 6, 7, 3, 10],
        "e": [1, 0, 1, 0, 1, 1, 0, 0],
        "end": [1, 2, 1, 0, 2, 1, 0, 0],
        "g": ["m"] * 4 + ["b"] * 4,
    }
)


@pytest.fixture
def data() -> oc.SurvivalData:
    return oc.survival_data(FRAME, duration="t", event="e", arm="g", reference="m")


@pytest.fixture
def competing() -> oc.SurvivalData:
    return oc.survival_data(
        FRAME, duration="t", event="end", censored=0, causes={1: "sexual", 2: "death"}, arm="g", reference="m"
    )


def test_the_area_by_hand(data: oc.SurvivalData) -> None:
    found = oc.rmst(data, horizon=10).to_frame().query("measure == 'rmst'")
    assert found["estimate"].tolist() == pytest.approx([5 + 4 * 0.75 + 1 * 0.375, 6 + 1 * 2 / 3 + 3 * 1 / 3])


def test_a_horizon_before_the_first_event_is_all_free(data: oc.SurvivalData) -> None:
    found = oc.rmst(data, horizon=2).to_frame()
    assert found["estimate"].tolist() == [2.0, 0.0, 2.0, 0.0]
    assert found["std_error"].tolist() == [0.0] * 4
    assert found["n_events"].tolist() == [0] * 4


def test_the_horizon_may_be_written(data: oc.SurvivalData) -> None:
    assert oc.rmst(data, horizon="1w").horizon == 7


def test_a_horizon_beyond_follow_up_names_the_arm_and_its_last_time(data: oc.SurvivalData) -> None:
    with pytest.raises(oc.EstimationError, match="arm 'b', whose last usable time is 10"):
        oc.rmst(data, horizon=11)


def test_an_arm_where_everybody_had_the_event_has_no_last_time() -> None:
    data = oc.survival_data(FRAME.assign(e=1), duration="t", event="e", arm="g", reference="m")
    assert oc.rmst(data, horizon=100).to_frame()["estimate"].tolist() == [8.5, 91.5, 6.5, 93.5]


def test_the_last_event_of_all_leaves_the_standard_error_finite() -> None:
    data = oc.survival_data(FRAME.assign(e=1), duration="t", event="e")
    times = FRAME["t"].to_numpy()
    error = oc.rmst(data, horizon=12).to_frame()["std_error"].iloc[0]
    assert error == pytest.approx(np.std(times) / np.sqrt(len(times)))  # no censoring: the standard error of a mean


def test_time_lost_is_by_cause_where_causes_compete(competing: oc.SurvivalData) -> None:
    found = oc.rmst(competing, horizon=9)
    assert found.measures == ("rmst", "rmtl: sexual", "rmtl: death")
    frame = found.to_frame()
    assert frame.groupby("arm")["estimate"].sum().tolist() == pytest.approx([9, 9])
    assert frame.query("arm == 'm'")["estimate"].tolist() == pytest.approx([5 + 3 * 0.75 + 1 * 0.5, 4 * 0.25, 1 * 0.25])


def test_influences_square_to_the_variance(competing: oc.SurvivalData) -> None:
    found = oc.rmst(competing, horizon=9)
    for measure in found.measures:
        influence = found.influence(measure=measure)
        assert influence.values.shape == (8, 2, 1)
        ours = found.to_frame().query("measure == @measure")["std_error"]
        assert np.sqrt(np.diag(influence.covariance[0])) == pytest.approx(ours.to_numpy())
    with pytest.raises(oc.EstimationError, match="no measure 'rmtl'"):
        found.influence(measure="rmtl")


def test_the_sentence_names_unit_and_horizon(data: oc.SurvivalData) -> None:
    assert oc.rmst(data, horizon=10).describe().startswith("Mean days without an event within 10 days: m, 8.4 (")
