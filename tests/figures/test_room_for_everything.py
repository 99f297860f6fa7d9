"""Many arms, long names and narrow Axes: nothing is cut off, nothing stands on something else, no two arms look alike."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import combinations
from typing import Any, Literal

import numpy as np
import pytest
from delivered_groups import delivered, study_of_groups
from lifelines.datasets import load_rossi
from matplotlib.figure import Figure

import outcomes as oc
from outcomes.figures.fitting import room, spread, thinned
from outcomes.figures.styling import arm_style, percent, shade

LONG = {i: f"Programme {i} in the community with mentoring" for i in range(8)}


def arms_of(count: int, **given: Any) -> oc.SurvivalData:
    frame = load_rossi().assign(
        area=np.arange(432) % count,
        cause=lambda f: np.where(f["arrest"] == 0, "none", np.where(f["prio"] > 3, "arrest", "moved")),
    )
    named = {i: LONG[i] for i in range(count)}
    return oc.survival_data(frame, duration="week", arm="area", reference=0, unit="weeks", arms=named, **given)


def one(count: int) -> oc.SurvivalData:
    return arms_of(count, event="arrest")


def two(count: int) -> oc.SurvivalData:
    return arms_of(count, event="cause", censored="none", causes=["arrest", "moved"])


@lru_cache
def delivery(sites: int) -> Any:
    return oc.load_tables(delivered(sites=3 * sites, groups=2, people=8, site_sd=0.5))


DRAWN: dict[str, Callable[[int], Any]] = {
    "kaplan_meier": lambda n: oc.kaplan_meier(one(n)),
    "cumulative_incidence": lambda n: oc.cumulative_incidence(two(n)),
    "nelson_aalen": lambda n: oc.nelson_aalen(one(n)),
    "standardised": lambda n: oc.cox(one(n), "arm + age").standardised(),
    "parametric": lambda n: oc.parametric(one(n), "arm", distribution="weibull"),
    "rmst": lambda n: oc.rmst(two(n), horizon=50),
    "event_rate": lambda n: oc.event_rate(two(n)),
    "cox": lambda n: oc.cox(one(n), "arm + age"),
    "proportional_hazards": lambda n: oc.cox(one(n), "arm + age").proportional_hazards(),
    "logrank": lambda n: oc.logrank_test(one(n)),
    "gray": lambda n: oc.gray_test(two(n), cause="arrest"),
    "compare": lambda n: oc.compare(oc.kaplan_meier(one(n)), measure="risk_difference", at=[26, 52]),
    "fidelity": lambda n: oc.fidelity_effect(delivery(n), study_of_groups()),
    "sites": lambda n: oc.site_variation(delivery(n), study_of_groups()),
    "pairwise": lambda n: oc.pairwise_logrank_test(one(min(n, 4))),
}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    from matplotlib import pyplot as plt

    yield
    plt.close("all")


def _written(figure: Figure) -> dict[str, Any]:
    """Where each text of a figure stands, once it is drawn."""
    figure.draw_without_rendering()
    texts = [*figure.texts]
    for ax in figure.axes:
        marked = [
            (ax.get_xlim(), ax.get_xticks(), ax.get_xticklabels()),
            (ax.get_ylim(), ax.get_yticks(), ax.get_yticklabels()),
        ]
        ticks = [
            text
            for ends, at, labels in marked
            for value, text in zip(at, labels, strict=False)  # an axis that shares another's has ticks alone
            if min(ends) <= value <= max(ends)
        ]
        texts += [*ax.texts, ax.title, *(ax._left_title, ax._right_title), ax.xaxis.label, ax.yaxis.label, *ticks]  # type: ignore[attr-defined]
    return {
        f"{i}: {t.get_text()}": t.get_window_extent() for i, t in enumerate(texts) if t.get_text() and t.get_visible()
    }


def _on_each_other(boxes: dict[str, Any], slack: float = 1.5) -> list[tuple[str, str]]:
    found = []
    for (first, a), (second, b) in combinations(boxes.items(), 2):
        wide = min(a.x1, b.x1) - max(a.x0, b.x0)
        high = min(a.y1, b.y1) - max(a.y0, b.y0)
        if wide > slack and high > slack:
            found.append((first, second))
    return found


@pytest.mark.parametrize("count", [2, 8])
@pytest.mark.parametrize("name", DRAWN)
def test_nothing_is_cut_off_and_nothing_stands_on_something_else(name: str, count: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = DRAWN[name](count).plot().get_figure(root=True)
        boxes = _written(figure)
    for text, box in boxes.items():
        inside = box.x0 >= -1 and box.y0 >= -1 and box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1
        assert inside, text
    assert _on_each_other(boxes) == []


@pytest.mark.parametrize("layout", ["constrained", None])
@pytest.mark.parametrize(
    "name", ["kaplan_meier", "cumulative_incidence", "rmst", "cox", "logrank", "compare", "parametric"]
)
def test_in_a_narrow_axes_it_stays_on_its_own_side(name: str, layout: Literal["constrained"] | None) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = Figure(figsize=(10, 4), layout=layout)
        left, right = figure.subplots(1, 2)
        DRAWN[name](2).plot(ax=left)
        boxes = _written(figure)
    border = right.get_tightbbox().x0
    own = {text: box for text, box in boxes.items() if box.x0 < left.get_window_extent().x1}
    assert all(box.x1 <= border + 1 for text, box in own.items() if "not for release" not in text)
    assert _on_each_other(own) == []


def test_one_axes_draws_the_outcome_of_several_causes_alone() -> None:
    result = oc.cumulative_incidence(two(2))
    ax = Figure(figsize=(8, 5), layout="constrained").add_subplot()
    assert result.plot(ax=ax) is ax
    drawn = result.at(52)
    outcome = drawn.loc[drawn["cause"] == "arrest", "estimate"]
    assert [line.get_ydata()[-1] for line in ax.lines] == pytest.approx(outcome.tolist(), rel=1e-5)


def test_counts_under_a_narrow_axis_are_fewer_but_more_than_the_first() -> None:
    def columns(width: float) -> int:
        figure = Figure(figsize=(width, 4), layout="constrained")
        ax = figure.add_subplot()
        oc.kaplan_meier(oc.survival_data(load_rossi(), duration="week", event="arrest", unit="weeks")).plot(ax=ax)
        return sum(text.get_text().endswith(")") for text in ax.texts) - 1  # the heading ends so too

    assert columns(9.0) == 6
    assert 1 < columns(4.5) < 6


def test_eight_arms_are_told_apart_by_colour_and_line_or_marker() -> None:
    assert len({(arm_style(i)["color"], str(arm_style(i)["linestyle"])) for i in range(8)}) == 8
    ax = DRAWN["parametric"](8).plot()
    smooth = [line for line in ax.lines if line.get_label() in LONG.values()]
    assert len({(line.get_color(), line.get_marker()) for line in smooth}) == 8


def test_where_names_do_not_fit_beside_their_curves_they_stand_under_the_axis_with_their_line() -> None:
    ax = DRAWN["kaplan_meier"](8).plot()
    written = [text.get_text() for text in ax.texts]
    assert all(written.count(name) == 1 for name in LONG.values())
    lines = [text.arrow_patch.get_edgecolor() for text in ax.texts if getattr(text, "arrow_patch", None) is not None]
    assert len(lines) == 16  # beside each name, and beside each value


def test_many_bands_are_paler() -> None:
    assert shade(2) == shade(3) > shade(8) > 0


def test_labels_keep_their_order_and_stay_between_their_limits() -> None:
    rng = np.random.default_rng(1)
    wanted = rng.uniform(0, 1, 7).tolist()
    placed = spread(wanted, 0.1, 0.05, 0.95)
    assert np.argsort(placed).tolist() == np.argsort(wanted).tolist()
    assert min(placed) >= 0.05 - 1e-9
    assert max(placed) <= 0.95 + 1e-9
    assert np.diff(sorted(placed)).min() >= 0.1 - 1e-9


def test_one_label_is_always_kept() -> None:
    assert thinned(1, 10.0, 30).tolist() == [0]
    assert thinned(5, 10.0, 30).tolist() == [0]


def test_the_room_of_an_axes_ends_where_its_neighbour_begins() -> None:
    figure = Figure(figsize=(10, 4))
    left, right = figure.subplots(1, 2)
    free = room(left)
    assert free.width == pytest.approx(720 * left.get_position().width)
    assert free.right == pytest.approx(right.get_tightbbox().x0 * 72 / figure.dpi - 720 * left.get_position().x0)
    assert room(right).right == pytest.approx(720 * (1 - right.get_position().x0))


def test_shares_keep_the_digits_they_need() -> None:
    assert [percent(share) for share in (0.025, 0.075, 0.1, 0)] == ["2.5 %", "7.5 %", "10 %", "0 %"]


def test_scores_of_several_arms_are_named_each_under_its_own_axis() -> None:
    from matplotlib import pyplot as plt

    oc.weight(one(4), "age", estimand="ate").overlap().plot()
    assert _on_each_other(_written(plt.gcf())) == []


def test_a_layout_that_somebody_chose_stays() -> None:
    figure = Figure(layout="tight")
    chosen = figure.get_layout_engine()
    DRAWN["cox"](2).plot(ax=figure.add_subplot())
    assert figure.get_layout_engine() is chosen
