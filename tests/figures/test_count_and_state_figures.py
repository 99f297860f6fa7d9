"""Pictures of mean counts and of states: what is drawn is what was released, and words beside it."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

import outcomes as oc
from outcomes.figures import FIGURES, figure_of
from outcomes.figures.rendering import as_svg


@pytest.fixture(scope="module")
def released() -> dict[str, oc.Released]:
    rows = [
        ("a", 0, 3, "free", "custody", 1, "x"), ("a", 3, 6, "custody", "free", 1, "x"), ("a", 6, 9, "free", "on", 0, "x"),
        ("b", 0, 5, "free", "dead", 2, "x"), ("c", 0, 9, "free", "on", 0, "x"), ("d", 0, 4, "free", "custody", 1, "y"),
        ("d", 4, 9, "custody", "on", 0, "y"), ("e", 0, 7, "free", "custody", 1, "y"), ("e", 7, 8, "custody", "dead", 2, "y"),
    ]  # fmt: skip
    frame = pd.DataFrame(rows, columns=["id", "start", "stop", "was", "then", "e", "arm"])
    given = {"entry": "start", "exit": "stop", "id": "id", "arm": "arm", "reference": "x", "unit": "weeks"}
    states = oc.survival_data(
        frame, event="then", censored="on", causes=["free", "custody", "dead"], from_state="was", **given
    )
    events = oc.survival_data(frame, event="e", causes={1: "arrest", 2: "death"}, repeated=True, **given)
    return {
        "mean_count": oc.release(oc.mean_count(events), "none"),
        "state_probabilities": oc.release(oc.state_probabilities(states), "none"),
    }


def test_mean_counts_are_drawn_as_they_were_released(released: dict[str, oc.Released]) -> None:
    one = released["mean_count"]
    ax = figure_of("mean_count", one).axes[0]
    frame = FIGURES["mean_count"].data(one)
    for line, arm in zip(ax.lines, one.facts["arms"], strict=True):
        np.testing.assert_array_equal(line.get_ydata(), frame.loc[frame["arm"] == arm, "estimate"])
    assert "3 (0)" in [text.get_text() for text in ax.texts]


def test_states_are_stacked_to_the_whole_with_a_panel_an_arm(released: dict[str, oc.Released]) -> None:
    one = released["state_probabilities"]
    frame = FIGURES["state_probabilities"].data(one)
    np.testing.assert_allclose(frame.loc[frame["state"] == "dead", "high"], 1, atol=2e-6)
    np.testing.assert_allclose(frame["high"] - frame["low"], frame["estimate"])
    figure = figure_of("state_probabilities", one)
    assert [len(ax.collections) for ax in figure.axes] == [3, 3]
    last = frame[(frame["arm"] == "y") & (frame["time"] == frame["time"].max())]
    assert {f"{r['state']} {100 * r['estimate']:.1f} %" for r in last.to_dict("records")} == {
        text.get_text() for text in figure.axes[1].texts
    }


@pytest.mark.parametrize("name", ["mean_count", "state_probabilities"])
def test_same_bytes_and_words(released: dict[str, oc.Released], name: str) -> None:
    words = FIGURES[name].alternative(released[name])
    assert len(words) > 80
    assert all(arm in words for arm in ("x: ", "y: "))
    twice = [as_svg(figure_of(name, released[name]), title="t", description=words) for _ in range(2)]
    assert twice[0] == twice[1]
