"""Events per time at risk: by hand, exact limits, and what it does where data are thin."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi
from scipy.stats import norm, t

import outcomes as oc

close = np.testing.assert_allclose


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Return people with several events, late entry, a gap and a death."""
    rows = [
        ("a", 0, 2, 1, "x", 1.0, 1), ("a", 2, 5, 1, "x", 1.0, 1), ("b", 1, 6, 0, "x", 2.0, 1), ("c", 0, 3, 2, "x", 3.0, 2),
        ("d", 0, 4, 1, "y", 1.0, 2), ("d", 6, 8, 0, "y", 1.0, 2), ("e", 0, 5, 0, "y", 2.5, 3),
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["id", "start", "stop", "e", "arm", "w", "area"])


def _take(frame: pd.DataFrame, **more: str) -> oc.SurvivalData:
    return oc.survival_data(
        frame, entry="start", exit="stop", event="e", censored=0, causes={1: "arrest", 2: "death"}, id="id", repeated=True,
        arm="arm", reference="x", unit="weeks", **more,
    )  # fmt: skip


def test_time_at_risk_leaves_out_late_entry_and_gaps(frame: pd.DataFrame) -> None:
    found = oc.event_rate(_take(frame)).to_frame()
    assert found[["arm", "cause", "n", "n_events", "time_at_risk"]].values.tolist() == [
        ["x", "arrest", 3, 2, 13.0], ["x", "death", 3, 1, 13.0], ["y", "arrest", 2, 1, 11.0], ["y", "death", 2, 0, 11.0],
    ]  # fmt: skip
    close(found["estimate"], [2 / 13, 1 / 13, 1 / 11, 0])


@pytest.mark.parametrize(("scale", "area"), [(1.0, False), (50.0, False), (1.0, True)])
def test_the_error_is_that_of_a_ratio_of_totals_by_person_or_cluster(
    frame: pd.DataFrame, scale: float, area: bool
) -> None:
    data = _take(frame)
    weight = scale * data.baseline["w"].to_numpy()
    found = oc.event_rate(data, cause="arrest", weights=weight, cluster="area" if area else None).to_frame().iloc[0]
    w, events, time = np.array([1, 2, 3.0]), np.array([2, 0, 0]), np.array([5, 5, 3])
    rate = (w @ events) / (w @ time)
    each = w * (events - rate * time) / (w @ time)
    error = np.hypot(each[0] + each[1], each[2]) if area else np.sqrt((each**2).sum())
    close(found[["estimate", "std_error"]].astype(float), [rate, error], rtol=1e-12)
    reach = t.ppf(0.975, 1) * np.sqrt(2) if area else norm.ppf(0.975)  # two areas
    close(found["conf_high"], rate * np.exp(reach * error / rate), rtol=1e-12)


def test_published_numbers() -> None:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    found = oc.event_rate(data, variance="model")
    assert found.to_frame()[["n_events", "time_at_risk"]].values.tolist() == [[66, 9684], [48, 10125]]
    assert "0, arrest: 0.006815 events per person and week at risk" in found.describe()
    yearly = oc.event_rate(data, per=52).to_frame()
    close(yearly["estimate"], 52 * found.to_frame()["estimate"])


def test_exact_limits_of_a_poisson_count() -> None:
    rows = pd.DataFrame({"t": [10.0] * 15, "e": [1] * 10 + [0] * 5, "arm": ["x"] * 10 + ["y"] * 5})
    data = oc.survival_data(rows, duration="t", event="e", arm="arm", reference="x")
    found = oc.event_rate(data, variance="model").to_frame()
    close(found["conf_low"], [0.04795389, 0], atol=1e-8)
    close(found["conf_high"], [0.18390356, 0.07377759], atol=1e-8)


def test_an_arm_without_events_has_an_upper_limit_whatever_the_scale_of_weights() -> None:
    rows = pd.DataFrame({"t": [10.0] * 6, "e": [1] + [0] * 5, "arm": ["x"] + ["y"] * 5, "w": [1.0] * 6})
    data = oc.survival_data(rows, duration="t", event="e", arm="arm", reference="x")
    plain, heavy = (oc.event_rate(data, weights=w) for w in (None, np.full(6, 7.0)))
    for found in (plain, heavy):
        close(found.to_frame()["conf_high"].iloc[1], 0.07377759, atol=1e-8)
        assert [note.code for note in found.notes] == ["one_unit", "no_events_in_arm"]
        assert np.isnan(found.to_frame()["conf_high"].iloc[0])


def test_a_row_that_stands_for_several_people_is_those_people(frame: pd.DataFrame) -> None:
    first = frame.drop_duplicates("id").assign(many=[2, 3, 1, 4, 2])
    written = first.loc[first.index.repeat(first["many"])].assign(id=lambda f: np.arange(len(f)))
    few, all_of_them = oc.event_rate(_take(first, frequency="many")), oc.event_rate(_take(written))
    pd.testing.assert_frame_equal(few.to_frame(), all_of_them.to_frame())


def test_what_cannot_be_is_refused(frame: pd.DataFrame) -> None:
    with pytest.raises(oc.EstimationError, match="per must be above 0"):
        oc.event_rate(_take(frame), per=0)
    with pytest.raises(oc.EstimationError, match="Did you mean 'arrest'"):
        oc.event_rate(_take(frame), cause="arrests")
    one = oc.event_rate(_take(frame[frame["arm"] == "x"]))
    assert one.summary()["arm"].tolist() == ["x", "x"]
