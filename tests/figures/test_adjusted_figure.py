"""Adjusted curves drawn: a curve an arm, of the numbers that were released, with whom they speak of in words."""

from __future__ import annotations

import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.figures import FIGURES, figure_of
from outcomes.figures.rendering import as_svg


@pytest.fixture(scope="module")
def curves() -> oc.AdjustedCurves:
    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=0, unit="weeks")
    return oc.adjusted_curves(data, outcome="arm + age", treatment="age + prio", estimand="att")


def test_what_is_drawn_is_what_was_released(curves: oc.AdjustedCurves) -> None:
    released = oc.release(curves, "none", horizon=40)
    frame = FIGURES["predicted_curves"].data(released)
    assert frame["time"].max() == 40
    ax = figure_of("predicted_curves", released).axes[0]
    for arm in ("0", "1"):
        line = next(line for line in ax.lines if line.get_label() == arm)
        np.testing.assert_array_equal(line.get_ydata(), frame.loc[frame["profile"] == arm, "estimate"])
    end = curves.at(40).set_index("arm")["estimate"]
    np.testing.assert_allclose(frame.groupby("profile")["estimate"].last(), end, rtol=1e-5)


def test_the_words_say_whose_risk_it_is_and_how_it_was_adjusted(curves: oc.AdjustedCurves) -> None:
    words = FIGURES["predicted_curves"].alternative(oc.release(curves, "none"))
    assert "had the people of 1 been in each arm, adjusted (doubly robust)" in words
    assert words.startswith("Step curves over 52 weeks, one an arm.")


def test_the_same_curves_give_the_same_bytes_and_whom_the_weights_leave_stands_beside(
    curves: oc.AdjustedCurves,
) -> None:
    released = oc.release(curves, "none")
    twice = [as_svg(figure_of("predicted_curves", released), title="t", description="d") for _ in range(2)]
    assert twice[0] == twice[1]
    assert released.frames["positivity"]["n"].sum() == 432
    assert [line.get_label() for line in curves.plot().lines][:2] == ["0", "1"]
