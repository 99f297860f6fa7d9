"""Cumulative incidence at covariates: the definition, its doubt as a derivative, strata, levels, what lies beyond the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

import outcomes as oc
from outcomes.figures import FIGURES, figure_of
from outcomes.figures.rendering import as_svg
from outcomes.survival.fine_gray_result import FineGray

I = np.arange(80)  # noqa: E741
NEW = pd.DataFrame({"x": [0.0, 1.5], "z": [0, 1]}, index=["low", "high"])


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    late = np.where(I % 4 == 1, (3 * I) % 5, 0)
    return pd.DataFrame(
        {
            "x": (7 * I) % 11 / 5,
            "z": (I % 3 == 0) * 1,
            "g": np.where(I % 2, "town", "country"),
            "cl": (5 * I) % 12,
            "third": I % 3,
            "entry": late,
            "stop": late + 1 + (17 * I) % 13,
            "e": np.array([0, 1, 2, 1, 2])[(I * 7) % 5],
            "w": 0.5 + (5 * I) % 9 / 6,
        }
    )


def model_of(
    frame: pd.DataFrame, formula: str = "x + z", *, data: dict[str, Any] | None = None, **more: Any
) -> FineGray:
    columns = {"entry": "entry", "exit": "stop", "event": "e", "causes": {1: "sexual", 2: "death"}} | (data or {})
    return oc.fine_gray(oc.survival_data(frame, **columns), formula, cause="sexual", **more)


def test_one_row_a_profile_and_time(frame: pd.DataFrame) -> None:
    found = model_of(frame).predict(NEW)
    table = found.to_frame()
    assert table.columns.tolist() == [
        "outcome", "profile", "cause", "time", "estimate", "std_error", "conf_low", "conf_high",
    ]  # fmt: skip
    for _, one in table.groupby("profile"):
        assert one["time"].iloc[0] == one["estimate"].iloc[0] == one["conf_high"].iloc[0] == 0
        assert one["estimate"].is_monotonic_increasing
    inside = table[table["time"] > 4]
    assert inside["conf_low"].lt(inside["estimate"]).all()
    assert inside["conf_high"].gt(inside["estimate"]).all()
    assert found.at([3, 9])["time"].tolist() == [3, 9, 3, 9]


def test_beyond_the_last_observation_nothing_is_said(frame: pd.DataFrame) -> None:
    found = model_of(frame).predict(NEW)
    assert found.at([found.last_time])["estimate"].notna().all()
    assert found.at([found.last_time + 1])[["estimate", "std_error", "conf_low"]].isna().all(axis=None)


@pytest.mark.parametrize("asked", [{}, {"strata": "g"}, {"cluster": "cl"}])
def test_the_error_is_that_of_the_derivatives_by_the_weights(frame: pd.DataFrame, asked: dict[str, Any]) -> None:
    few = frame.iloc[:40]
    weight, step, new = few["w"].to_numpy(), 1e-5, NEW.assign(g=["town", "country"])

    def incidence(weights: Any) -> np.ndarray:
        return model_of(few, weights=weights, **asked).predict(new).at([4, 9])["estimate"].to_numpy()

    slopes = np.stack(
        [
            (incidence(weight + step * (i == I[:40])) - incidence(weight - step * (i == I[:40]))) / (2 * step)
            for i in I[:40]
        ]
    )
    moved = weight[:, None] * slopes
    if "cluster" in asked:
        moved = pd.DataFrame(moved).groupby(few["cl"]).sum().to_numpy()
    found = model_of(few, weights=weight, **asked).predict(new).at([4, 9])["std_error"]
    np.testing.assert_allclose(found, np.sqrt((moved**2).sum(axis=0)), rtol=1e-5)


def test_without_competing_events_it_is_what_the_cox_model_predicts(frame: pd.DataFrame) -> None:
    alone = frame.assign(e=frame["e"] % 2)
    for ties in ("breslow", "efron"):
        model = model_of(alone, ties=ties)
        cox = oc.cox(model.data, "x + z", cause="sexual", ties=ties, robust=True)
        ours, theirs = model.predict(NEW).at([3, 9]), cox.predict(NEW).at([3, 9])
        np.testing.assert_allclose(ours["estimate"], 1 - theirs["estimate"], rtol=1e-9)
        np.testing.assert_allclose(ours["std_error"], theirs["std_error"], rtol=1e-7)


def test_each_stratum_has_its_own_baseline(frame: pd.DataFrame) -> None:
    model = model_of(frame, strata="g")
    found = model.predict(pd.DataFrame({"x": 1.0, "z": 0, "g": ["town", "country"]})).at(9)["estimate"]
    assert abs(found.iloc[0] - found.iloc[1]) > 1e-3
    with pytest.raises(oc.EstimationError, match=r"no column g \(strata"):
        model.predict(NEW)
    with pytest.raises(oc.EstimationError, match="1 of 2 new rows are of a stratum"):
        model.predict(NEW.assign(g=["town", "sea"]))


def test_arms_and_levels_are_named_and_others_refused(frame: pd.DataFrame) -> None:
    model = model_of(frame, "arm + C(third)", data={"arm": "g", "reference": "town"})
    found = model.predict(pd.DataFrame({"arm": ["town", "country"], "third": [2, 2]})).at(9)["estimate"]
    ratio = np.log1p(-found.iloc[1]) / np.log1p(-found.iloc[0])
    assert ratio == pytest.approx(np.exp(model.coefficients[0]))
    for bad, message in (
        ({"arm": ["sea"], "third": [2]}, "of no arm of the data"),
        ({"arm": ["town"], "third": [99]}, "a level it was not fitted to"),
        ({"arm": ["town"], "third": [np.nan]}, "missing"),
        ({"third": [2]}, "no column 'arm'"),
    ):
        with pytest.raises(oc.EstimationError, match=message):
            model.predict(pd.DataFrame(bad))


def test_profiles_need_rows_and_names_of_their_own(frame: pd.DataFrame) -> None:
    model = model_of(frame)
    with pytest.raises(oc.EstimationError, match="the new rows are none"):
        model.predict(NEW.iloc[:0])
    with pytest.raises(oc.EstimationError, match="must be unique"):
        model.predict(NEW.iloc[[0, 0]])
    with pytest.raises(oc.EstimationError, match="conf_type"):
        model.predict(NEW, conf_type="wide")


def test_what_is_drawn_is_what_was_released(frame: pd.DataFrame) -> None:
    found = model_of(frame).predict(NEW)
    released = oc.release(found, "none", horizon=12)
    drawn = FIGURES["predicted_curves"].data(released)
    lines = [line for line in figure_of("predicted_curves", released).axes[0].lines if len(line.get_xdata()) > 2]
    for line, name in zip(lines, ("low", "high"), strict=True):
        mine = drawn[drawn["profile"] == name]
        np.testing.assert_array_equal(line.get_xdata(), mine["time"])
        np.testing.assert_array_equal(line.get_ydata(), mine["estimate"])
        assert mine["time"].max() == 12
    words = FIGURES["predicted_curves"].alternative(released)
    assert "low: " in words
    assert "95 % interval" in words
    twice = [as_svg(figure_of("predicted_curves", released), title="t", description=words) for _ in range(2)]
    assert twice[0] == twice[1]


def test_the_sentence_gives_the_last_time_and_what_it_is_not(frame: pd.DataFrame) -> None:
    text = model_of(frame).predict(NEW).describe()
    assert text.startswith("Predicted share with sexual by")
    assert text.endswith("Predictions at covariates, not averages over a population.")
