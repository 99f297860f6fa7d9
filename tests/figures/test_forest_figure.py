"""The forest of a comparison: its lines are named by what differs between them, its head by what does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.figures import FIGURES

ROSSI = load_rossi()


def _take(column: str = "fin", frame: pd.DataFrame = ROSSI, **more: Any) -> oc.SurvivalData:
    given = {"duration": "week", "event": "arrest", "arm": column, "reference": 0, "unit": "weeks", **more}
    return oc.survival_data(frame, **given)


ONE = _take(arms={0: "usual supervision", 1: "financial aid"})
THREE = _take(
    "kind", ROSSI.assign(kind=ROSSI["prio"].clip(upper=2)), arms={0: "usual supervision", 1: "aid", 2: "aid and work"}
)


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    from matplotlib import pyplot as plt

    yield
    plt.close("all")


def _lines(ax: Any) -> list[str]:
    return [text.get_text() for text in ax.get_yticklabels()]


def _said(ax: Any) -> str:
    return " | ".join(text.get_text() for text in ax.texts)


def test_one_effect_is_everybodys_and_the_head_says_of_what() -> None:
    ax = oc.compare(oc.kaplan_meier(ONE), measure="risk_difference", at=52).plot()
    assert _lines(ax) == ["everybody, unadjusted"]
    assert "Arrest by 52 weeks: financial aid against usual supervision" in _said(ax)


def test_several_times_are_named_as_a_sentence_names_them() -> None:
    in_days = _take(frame=ROSSI.assign(week=ROSSI["week"] * 14), unit="days")
    ax = oc.compare(oc.kaplan_meier(in_days), measure="risk_difference", at=["1y", "18m"]).plot()
    assert _lines(ax)[0] == "by 1 year"
    assert "unadjusted" in _said(ax)


def test_several_arms_and_times_are_both_named() -> None:
    ax = oc.compare(oc.kaplan_meier(THREE), measure="risk_ratio", at=[26, 52]).plot()
    assert _lines(ax) == ["aid by 26 weeks", "aid and work by 26 weeks", "aid by 52 weeks", "aid and work by 52 weeks"]
    assert "each arm against usual supervision, unadjusted" in _said(ax)


def test_hazard_ratios_of_several_arms_have_no_time_and_say_lower_and_higher() -> None:
    result = oc.compare(oc.cox(THREE, "arm + age"), measure="hazard_ratio")
    ax = result.plot()
    assert _lines(ax) == ["aid", "aid and work"]
    assert "nan" not in _said(ax)
    assert "← lower in the arm named" in _said(ax)
    words = FIGURES["forest"].alternative(oc.release(result, "none"))
    assert "each arm against usual supervision" in words
    assert "nan" not in words


@pytest.mark.parametrize(
    ("measure", "less", "axis"),
    [
        ("risk_difference", "fewer", "difference in risk per 100 people"),
        ("risk_ratio", "lower", "risk ratio"),
        ("odds_ratio", "lower", "odds ratio"),
    ],
)
def test_sides_are_named_as_the_measure_is(measure: str, less: str, axis: str) -> None:
    ax = oc.compare(oc.kaplan_meier(ONE), measure=measure, at=52).plot()
    assert f"← {less} in financial aid" in _said(ax)
    assert ax.get_xlabel() == axis


def test_means_have_their_unit() -> None:
    ax = oc.compare(oc.rmst(ONE, horizon=52), measure="rmst_difference").plot()
    assert ax.get_xlabel() == "difference in mean weeks free of events"
    assert "← shorter in financial aid" in _said(ax)


def test_the_line_of_no_effect_is_at_one_for_ratios_and_zero_for_differences() -> None:
    for measure, none in (("risk_ratio", 1.0), ("risk_difference", 0.0)):
        ax = oc.compare(oc.kaplan_meier(ONE), measure=measure, at=52).plot()
        assert [none, none] in [list(line.get_xdata()) for line in ax.lines]
        assert np.all((ax.get_xticks() >= ax.get_xlim()[0]) & (ax.get_xticks() <= ax.get_xlim()[1]))


def test_adjusted_and_unadjusted_lines_of_a_subgroup_forest_say_which_they_are() -> None:
    result = oc.subgroup_effects(ONE, "wexp", at=52, weights=oc.weight(ONE, "age", estimand="ate"))
    labels = _lines(result.plot())
    assert [label for label in labels if label.startswith("everybody")] == [
        "everybody, unadjusted",
        "everybody, adjusted",
    ]
