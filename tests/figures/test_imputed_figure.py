"""The figure of imputed values: what is drawn is what was released, number for number."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from incomplete_people import incomplete_people, time_at_risk
from matplotlib.patches import StepPatch

import outcomes as oc
from outcomes.disclosure.releasing import Released
from outcomes.figures import FIGURES, figure_of

mpl.use("Agg")


@pytest.fixture(scope="module")
def imputed() -> oc.Imputed:
    return oc.impute(time_at_risk(incomplete_people()), m=4, seed=1)


@pytest.fixture(scope="module")
def released(imputed: oc.Imputed) -> Released:
    return oc.release(imputed, "none")


def test_a_row_of_panels_a_column_most_missing_first(released: Released) -> None:
    figure = figure_of("imputed", released)
    assert len(figure.axes) == 6
    assert list(released.facts["missing"]) == ["risk", "band", "denial"]
    assert figure.axes[2].get_title(loc="left").startswith("band: missing for")
    assert [text.get_text() for text in figure.axes[2].get_xticklabels()] == ["low", "middle", "high"]


def test_bars_are_the_observed_and_outlines_the_imputed(released: Released) -> None:
    figure, frame = figure_of("imputed", released), FIGURES["imputed"].data(released)
    for ax, name in zip(figure.axes[::2], released.facts["missing"], strict=True):
        mine = frame[frame["column"] == name]
        outline = next(patch for patch in ax.patches if isinstance(patch, StepPatch))
        bars = [bar.get_height() for bar in ax.containers[0]]
        assert bars == mine["observed"].tolist()
        assert outline.get_data().values.tolist() == mine["imputed"].tolist()


def test_every_chain_is_a_line(released: Released) -> None:
    figure, chains = figure_of("imputed", released), released.frames["chains"]
    lines = figure.axes[1].get_lines()
    assert len(lines) == 4
    first = chains[(chains["column"] == "risk") & (chains["imputation"] == 1)]
    np.testing.assert_array_equal(lines[0].get_ydata(), first["mean"])


def test_a_value_of_one_person_is_no_edge_of_a_bin() -> None:
    frame = incomplete_people()
    frame.loc[frame["risk"].idxmax(), "risk"] = 512.7
    bins = oc.impute(time_at_risk(frame), m=2, seed=1, columns=["risk", "age"]).distribution()
    assert bins["high"].iloc[-1] < 120
    assert bins[["observed", "imputed"]].sum().tolist() == pytest.approx([1.0, 1.0])
    assert (bins["low"] % 5 == 0).all()


def test_one_set_of_axes_takes_the_first_distribution(imputed: oc.Imputed) -> None:
    from matplotlib import pyplot as plt

    figure, ax = plt.subplots()
    assert imputed.plot(ax=ax) is ax
    assert len(figure.axes) == 1
    plt.close(figure)


def test_one_iteration_is_drawn_as_points() -> None:
    one = oc.impute(time_at_risk(incomplete_people()), m=3, seed=1, columns=["risk", "age"])
    figure = figure_of("imputed", oc.release(one, "none"))
    assert {line.get_marker() for line in figure.axes[1].get_lines()} == {"o"}


def test_the_figure_in_words(released: Released) -> None:
    words = FIGURES["imputed"].alternative(released)
    assert "means of the imputed over the iterations of 4 chains" in words
    assert "band: missing for" in words
