"""Curves of a parametric model: what is drawn is what was released, and extrapolation looks like it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.figures import FIGURES, figure_of
from outcomes.figures.rendering import as_svg


@pytest.fixture(scope="module")
def fit() -> oc.Parametric:
    frame = load_rossi().head(150).assign(week=lambda f: np.where(f["fin"] == 1, np.minimum(f["week"], 40), f["week"]))
    data = oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    return oc.parametric(data, "arm", distribution="weibull")


@pytest.fixture(scope="module")
def released(fit: oc.Parametric) -> oc.Released:
    return oc.release(fit, "none", horizon=80)


def _lines(released: oc.Released) -> tuple[list[Any], list[Any]]:
    lines = figure_of("parametric", released).axes[0].lines
    beyond = [line for line in lines if line.get_gid() == "extrapolated"]
    return [line for line in lines if line.get_label() in ("0", "1")], beyond


def test_solid_while_people_were_at_risk_and_dashed_beyond(released: oc.Released) -> None:
    frame, (seen, beyond) = FIGURES["parametric"].data(released), _lines(released)
    for arm, last, solid, dashed in zip(("0", "1"), (52, 40), seen, beyond, strict=True):
        mine = frame[frame["arm"] == arm]
        np.testing.assert_array_equal(solid.get_ydata(), mine.loc[mine["time"] <= last, "estimate"])
        np.testing.assert_array_equal(dashed.get_ydata(), mine.loc[mine["time"] >= last, "estimate"])
        assert solid.get_linestyle() == "-"
        assert dashed.get_linestyle() == "--"
        assert mine["time"].max() == 80


def test_extrapolation_is_written_on_it_and_said_in_words(released: oc.Released) -> None:
    written = [text.get_text() for text in figure_of("parametric", released).axes[0].texts]
    assert any("dashed on grey: extrapolated, nobody at risk" in text.replace("\n", " ") for text in written)
    words = FIGURES["parametric"].alternative(released)
    assert "extrapolated to" in words
    assert "(nobody at risk after 40 weeks)" in words


def test_within_follow_up_nothing_is_dashed(fit: oc.Parametric) -> None:
    inside = oc.release(fit, "none", horizon=30)
    assert _lines(inside)[1] == []
    assert "extrapolated" not in FIGURES["parametric"].alternative(inside)


def test_same_bytes_and_the_numbers_beside(released: oc.Released, fit: oc.Parametric) -> None:
    twice = [as_svg(figure_of("parametric", released), title="t", description="d") for _ in range(2)]
    assert twice[0] == twice[1]
    assert list(released.frames) == ["curve", "table", "summary", "observed"]
    at = fit.at(52, measure="risk")["estimate"][0]
    curve = released.frame
    assert curve.loc[(curve["arm"] == "0") & (curve["time"] == 52), "estimate"].item() == pytest.approx(at, rel=1e-5)


def test_the_plot_of_a_result_is_that_figure(fit: oc.Parametric) -> None:
    from matplotlib.figure import Figure

    ax = Figure().add_subplot()
    assert fit.plot(ax, horizon=100) is ax
    assert ax.get_xlim() == (0, 100)
