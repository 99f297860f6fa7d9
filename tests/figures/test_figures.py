"""What is drawn is what was released, number for number; the same bytes every time; words beside every picture."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.errors import DisclosureError
from outcomes.figures import FIGURES, draw, figure_of
from outcomes.figures.rendering import as_png, as_svg
from outcomes.figures.styling import COLOURS, INK


@pytest.fixture(scope="module")
def data() -> oc.SurvivalData:
    frame = load_rossi().assign(
        cause=lambda f: np.where(f["arrest"] == 0, "none", np.where(f["prio"] > 3, "arrest", "moved"))
    )
    return oc.survival_data(
        frame, duration="week", event="cause", censored="none", causes=["arrest", "moved"], arm="fin", reference=0, unit="weeks"
    )  # fmt: skip


@pytest.fixture(scope="module")
def released(data: oc.SurvivalData) -> dict[str, oc.Released]:
    weights = oc.weight(data, "age + prio + C(race)", estimand="ato")
    results = {
        "kaplan_meier": oc.kaplan_meier(data, cause="arrest"),
        "cumulative_incidence": oc.cumulative_incidence(data, weights=weights),
        "love_plot": weights.balance(),
        "overlap": weights.overlap(),
        "forest": oc.subgroup_effects(data, "wexp", at=52, weights=weights, margin=3.0),
    }
    return {name: oc.release(result, "none") for name, result in results.items()}


def test_curves_are_drawn_as_they_were_released(released: dict[str, oc.Released]) -> None:
    one = released["kaplan_meier"]
    ax = figure_of("kaplan_meier", one).axes[0]
    frame = FIGURES["kaplan_meier"].data(one)
    for line, arm in zip(ax.lines, one.facts["arms"], strict=True):
        mine = frame[frame["arm"] == arm]
        np.testing.assert_array_equal(line.get_xdata(), mine["time"])
        np.testing.assert_array_equal(line.get_ydata(), mine["estimate"])


def test_people_at_risk_stand_under_the_axis(released: dict[str, oc.Released], data: oc.SurvivalData) -> None:
    written = [t.get_text() for t in figure_of("kaplan_meier", released["kaplan_meier"]).axes[0].texts]
    row = oc.kaplan_meier(data, cause="arrest").at(20).iloc[0]
    assert f"{row['n_at_risk']:,} ({row['n_events']:,})" in written


def test_each_competing_event_has_a_panel(released: dict[str, oc.Released]) -> None:
    axes = figure_of("cumulative_incidence", released["cumulative_incidence"]).axes
    assert {ax.get_title(loc="left") for ax in axes} == {"Cumulative incidence", "moved, competing"}


def test_the_love_plot_shows_absolute_differences(released: dict[str, oc.Released]) -> None:
    one = released["love_plot"]
    before, after = figure_of("love_plot", one).axes[0].collections[1:3]
    frame = FIGURES["love_plot"].data(one)
    np.testing.assert_array_equal(before.get_offsets()[:, 0], frame["smd_before"])
    np.testing.assert_array_equal(after.get_offsets()[:, 0], frame["smd_after"])
    assert (frame["smd_before"] >= 0).all()
    assert frame["smd_before"].is_monotonic_increasing


def test_the_forest_shows_points_per_hundred_and_its_intervals(released: dict[str, oc.Released]) -> None:
    one = released["forest"]
    frame = FIGURES["forest"].data(one)
    numbers = frame[frame["level"] != 1]
    np.testing.assert_allclose(numbers["estimate"], 100 * one.frame["estimate"])
    lines = figure_of("forest", one).axes[0].lines
    markers = [line.get_xdata()[0] for line in lines if line.get_marker() in ("o", "s")]
    np.testing.assert_array_equal(markers, numbers["estimate"])


@pytest.mark.parametrize("name", ["kaplan_meier", "cumulative_incidence", "love_plot", "overlap", "forest"])
def test_same_bytes_and_words(released: dict[str, oc.Released], name: str) -> None:
    words = FIGURES[name].alternative(released[name])
    assert len(words) > 80
    twice = [as_svg(figure_of(name, released[name]), title="t", description=words) for _ in range(2)]
    assert twice[0] == twice[1]
    assert as_png(figure_of(name, released[name]), description=words).startswith(b"\x89PNG")


def test_nothing_leaves_the_figure(released: dict[str, oc.Released]) -> None:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    for name, one in released.items():
        figure = figure_of(name, one)
        canvas = FigureCanvasAgg(figure)
        canvas.draw()
        renderer = canvas.get_renderer()
        texts = [t for ax in figure.axes for t in [*ax.texts, ax.title] if t.get_text()]
        boxes = [t.get_window_extent(renderer) for t in texts]
        for text, box in zip(texts, boxes, strict=True):
            inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1
            assert inside, f"{name}: {text.get_text()!r} leaves the figure"


def test_drawing_on_axes_given_changes_nothing_global(released: dict[str, oc.Released]) -> None:
    from matplotlib.figure import Figure

    before = dict(mpl.rcParams)
    ax = Figure().add_subplot()
    assert draw("overlap", released["overlap"], ax=ax) is ax
    assert dict(mpl.rcParams) == before


def test_a_figure_that_there_is_not_and_one_of_another_kind_are_refused(released: dict[str, oc.Released]) -> None:
    with pytest.raises(DisclosureError, match="Did you mean 'forest'"):
        draw("forrest", released["forest"])
    with pytest.raises(DisclosureError, match="draws curves; what was released is balance"):
        draw("kaplan_meier", released["love_plot"])


def _contrast(colour: str) -> float:
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 1.05 / (0.05 + 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2])


def test_lines_and_labels_stand_out_from_white() -> None:
    assert all(_contrast(colour) >= 2.95 for colour in COLOURS)
    assert _contrast(INK) >= 4.5
