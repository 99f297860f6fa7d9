"""Coefficients, means, rates and tests as points with intervals; predictions and hazards as curves; coefficients over time."""

from __future__ import annotations

import warnings
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.figures import FIGURES, figure_of

ARMS = {0: "usual supervision", 1: "financial aid"}
FORMULA = "arm + age + prio + mar"


def take(**given: Any) -> oc.SurvivalData:
    frame = load_rossi().assign(
        cause=lambda f: np.where(f["arrest"] == 0, "none", np.where(f["prio"] > 3, "arrest", "moved"))
    )
    return oc.survival_data(frame, duration="week", arm="fin", reference=0, unit="weeks", arms=ARMS, **given)


ONE = take(event="arrest")
TWO = take(event="cause", censored="none", causes=["arrest", "moved"])
NEW = pd.DataFrame(
    {"arm": ["usual supervision", "financial aid"], "age": [20, 40], "prio": [8, 1], "mar": [0, 1]},
    index=["young", "older"],
)
WITH_INTERVALS = {
    "rmst": oc.rmst(TWO, horizon=50),
    "event_rate": oc.event_rate(TWO),
    "cox": oc.cox(ONE, FORMULA),
    "fine_gray": oc.fine_gray(TWO, FORMULA, cause="arrest"),
    "cause_specific": oc.cause_specific(TWO, FORMULA),
    "rate_model": oc.rate_model(ONE, FORMULA),
    "rmst_regression": oc.rmst_regression(ONE, FORMULA, horizon=50),
    "logrank": oc.logrank_test(ONE),
    "gray": oc.gray_test(TWO, cause="arrest"),
    "max_combo": oc.max_combo_test(ONE),
}
AS_CURVES = {
    "nelson_aalen": oc.nelson_aalen(ONE),
    "predict": oc.cox(ONE, FORMULA).predict(NEW),
    "standardised": oc.cox(ONE, FORMULA).standardised(),
    "predicted_incidence": oc.fine_gray(TWO, FORMULA, cause="arrest").predict(NEW),
}


@pytest.mark.parametrize("name", WITH_INTERVALS)
def test_every_line_is_drawn_at_its_numbers(name: str) -> None:
    released = oc.release(WITH_INTERVALS[name], "none")
    frame, ax = FIGURES["intervals"].data(released), figure_of("intervals", released).axes[0]
    points = [
        line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o" and line.get_markerfacecolor() != "white"
    ]
    assert points == frame["estimate"].tolist()
    limits = {
        tuple(line.get_xdata()) for line in ax.lines if line.get_linewidth() == 2.2 and len(line.get_xdata()) == 2
    }
    known = frame.dropna(subset=["conf_low", "conf_high"])
    assert set(zip(known["conf_low"], known["conf_high"], strict=True)) <= limits


@pytest.mark.parametrize("name", WITH_INTERVALS)
def test_every_line_has_its_name_and_the_words_say_each(name: str) -> None:
    released = oc.release(WITH_INTERVALS[name], "none")
    ticks = {t.get_text().replace("\n", " ") for t in figure_of("intervals", released).axes[0].get_yticklabels()}
    words = FIGURES["intervals"].alternative(released)
    for label in released.frame["label"]:
        assert label in ticks
        assert label in words


def test_ratios_are_on_a_log_axis_with_the_line_at_one_and_differences_at_zero() -> None:
    ratio, difference = (oc.release(WITH_INTERVALS[k], "none") for k in ("cox", "rmst_regression"))
    for released, scale, none in ((ratio, "log", 1.0), (difference, "linear", 0.0)):
        ax = figure_of("intervals", released).axes[0]
        assert ax.get_xscale() == scale
        assert [none, none] in [list(line.get_xdata()) for line in ax.lines]


def test_means_and_rates_start_at_zero_and_tests_show_what_was_expected() -> None:
    assert WITH_INTERVALS["rmst"].plot().get_xlim()[0] == 0
    test = WITH_INTERVALS["logrank"]
    hollow = [line.get_xdata()[0] for line in test.plot().lines if line.get_markerfacecolor() == "white"]
    assert hollow == pytest.approx(test.expected.tolist(), rel=1e-5)


def test_lines_of_one_group_stand_together() -> None:
    groups = oc.release(WITH_INTERVALS["event_rate"], "none").frame["group"].tolist()
    assert groups == ["arrest", "arrest", "moved", "moved"]


@pytest.mark.parametrize("name", AS_CURVES)
def test_curves_are_drawn_to_the_end_and_named_there(name: str) -> None:
    released = oc.release(AS_CURVES[name], "none")
    ax = figure_of("predicted_curves", released).axes[0]
    frame = FIGURES["predicted_curves"].data(released)
    lines = [line for line in ax.lines if len(line.get_xdata()) > 2]
    for line, profile in zip(lines, released.facts["profiles"], strict=True):
        mine = frame[frame["profile"] == profile]
        np.testing.assert_array_equal(line.get_ydata(), mine["estimate"])
        assert any(t.get_text().startswith(profile) for t in ax.texts)
    assert frame["time"].max() == 52


def test_predictions_are_drawn_as_risks_whichever_way_their_table_goes() -> None:
    standardised = AS_CURVES["standardised"]
    drawn = oc.release(standardised, "none").frames["summary"]
    free = standardised.at(52)
    assert drawn["estimate"].tolist() == pytest.approx((1 - free["estimate"]).tolist(), rel=1e-5)
    assert drawn["conf_low"].tolist() == pytest.approx((1 - free["conf_high"]).tolist(), rel=1e-5)


def test_a_coefficient_over_time_has_a_panel_a_term_and_its_constant_beside() -> None:
    test = oc.cox(ONE, FORMULA).proportional_hazards()
    released = oc.release(test, "none")
    figure = figure_of("coefficient_paths", released)
    assert [ax.get_title(loc="left").split(" (")[0] for ax in figure.axes] == [
        "arm[financial aid]",
        "age",
        "prio",
        "mar",
    ]
    constant = test.model.to_frame()["estimate"]
    for ax, value in zip(figure.axes, constant, strict=True):
        assert value == pytest.approx(float(ax.lines[2].get_ydata()[0]), rel=1e-5)


def test_the_smooth_of_a_coefficient_is_least_squares_on_the_residuals_of_the_events() -> None:
    model = oc.cox(ONE, FORMULA)
    paths = model.proportional_hazards(transform="identity").paths()
    residual = model.residuals("scaled_schoenfeld")
    mine = paths[paths["term"] == "age"]
    t = residual["time"].to_numpy()
    knots = np.quantile(t, [0, 1 / 3, 2 / 3, 1])

    def natural(x: np.ndarray) -> np.ndarray:
        low, first, second, high = knots
        cube = [np.maximum(x - k, 0) ** 3 for k in (low, first, second, high)]
        columns = [np.ones_like(x), x]
        columns += [
            cube[i] - cube[0] * (high - k) / (high - low) - cube[3] * (k - low) / (high - low)
            for i, k in ((1, first), (2, second))
        ]
        return np.column_stack(columns)

    beta = np.linalg.lstsq(natural(t), residual["age"].to_numpy(), rcond=None)[0]
    np.testing.assert_allclose(mine["estimate"], natural(mine["time"].to_numpy()) @ beta, rtol=1e-6)


def test_too_few_times_of_events_have_no_paths() -> None:
    few = load_rossi().assign(week=lambda f: np.ceil(f["week"] / 13))
    model = oc.cox(oc.survival_data(few, duration="week", event="arrest"), "age")
    with pytest.raises(oc.EstimationError, match="fewer than 8 different times of events"):
        model.proportional_hazards().plot()


@pytest.mark.parametrize("name", [*WITH_INTERVALS, *AS_CURVES])
def test_nothing_warns_on_axes_of_the_callers_own(name: str) -> None:
    from matplotlib.figure import Figure

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = Figure(figsize=(6, 3), layout="constrained")
        result = (WITH_INTERVALS | AS_CURVES)[name]
        assert result.plot(ax=figure.add_subplot()) is figure.axes[0]
        figure.canvas.draw()
    assert mpl.rcParams["axes.grid"] is False


THREE = oc.survival_data(
    load_rossi().assign(kind=lambda f: f["prio"].clip(upper=2)), duration="week", event="arrest", arm="kind", reference=0,
    unit="weeks", arms={0: "none before", 1: "one before", 2: "several before"},
)  # fmt: skip


def test_pairs_show_what_holms_method_costs_each() -> None:
    result = oc.pairwise_logrank_test(THREE)
    frame, ax = result.to_frame(), result.plot()
    points = [line for line in ax.lines if line.get_marker() == "o"]
    drawn = {
        fill: [p.get_xdata()[0] for p in points if (p.get_markerfacecolor() == "white") is fill]
        for fill in (True, False)
    }
    assert drawn[False] == pytest.approx(frame["p_holm"].clip(lower=1e-4).tolist(), rel=1e-5)
    assert drawn[True] == pytest.approx(frame["p_value"].clip(lower=1e-4).tolist(), rel=1e-5)
    assert [0.05, 0.05] in [list(line.get_xdata()) for line in ax.lines]
    assert ax.get_yticklabels()[0].get_text() == "one before and none before"


def test_a_pair_without_events_says_so() -> None:
    frame = load_rossi().assign(kind=lambda f: f["prio"].clip(upper=2))
    frame["arrest"] *= frame["kind"] == 2
    data = oc.survival_data(frame, duration="week", event="arrest", arm="kind", reference=0)
    assert [t.get_text() for t in oc.pairwise_logrank_test(data).plot().texts].count("no events") == 1


def test_the_max_combo_test_shades_what_chance_explains() -> None:
    result = WITH_INTERVALS["max_combo"]
    ax = result.plot()
    bound = result.critical_value()
    edges = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches]
    assert edges == [pytest.approx((-bound, bound))]
    assert "shaded: where chance alone" in oc.release(result, "none").facts["said"]


def test_a_bootstrap_is_drawn_line_by_line_under_what_tells_the_lines_apart() -> None:
    result = oc.bootstrap(
        ONE, lambda d: oc.compare(oc.kaplan_meier(d), measure="risk_difference", at=[26, 52]), replicates=20, seed=1
    )
    ax, frame = result.plot(), result.to_frame()
    assert [text.get_text() for text in ax.get_yticklabels()] == ["26", "52"]
    points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert points == pytest.approx(frame["estimate"].tolist(), rel=1e-5)
    assert ax.get_xlim()[0] < 0


def test_adjusted_means_are_drawn_as_means_are() -> None:
    result = oc.adjusted_curves(ONE, outcome="arm + age", treatment="age", estimand="ate").rmst(50)
    ax = result.plot()
    points = [line.get_xdata()[0] for line in ax.lines if line.get_marker() == "o"]
    assert points == pytest.approx(result.estimate.tolist(), rel=1e-5)
    assert ax.get_xlabel() == "mean weeks within 50 weeks"


@pytest.mark.parametrize("name", ["cox", "cause_specific", "rate_model"])
def test_ratios_are_marked_on_both_sides_of_one_where_intervals_lie_on_both(name: str) -> None:
    ax = WITH_INTERVALS[name].plot()
    ticks = ax.get_xticks()
    assert 1.0 in ticks
    assert ticks.min() < 1
    assert all(ax.get_xlim()[0] <= tick <= ax.get_xlim()[1] for tick in ticks)
    assert [text.get_text() for text in ax.get_xticklabels()] == [f"{tick:g}" for tick in ticks]


def test_numbers_of_one_group_have_the_same_decimals() -> None:
    texts = [t.get_text() for t in WITH_INTERVALS["rmst_regression"].plot().texts if t.get_gid() == "beside"]
    assert len({len(text.split(" ")[0].split(".")[1]) for text in texts}) == 1


def test_what_has_no_picture_says_which_call_draws() -> None:
    with pytest.raises(oc.NotSupportedError, match=r"kaplan_meier\(data\)\.plot\(\)"):
        oc.risk_sets(ONE).plot()
    for kind in (oc.RiskWindow, oc.CommunityDays):
        assert ".plot() draws" in kind.instead
    with pytest.raises(oc.NotSupportedError, match="Draw measure='risk_difference'"):
        oc.compare(oc.kaplan_meier(ONE), measure="nnt", at=52).plot()


def test_a_panel_alone_says_whose_coefficient_it_is_and_how_many_there_are() -> None:
    from matplotlib.figure import Figure

    ax = Figure(figsize=(6, 4), layout="constrained").add_subplot()
    oc.cox(ONE, FORMULA).proportional_hazards().plot(ax=ax)
    said = " ".join(text.get_text().replace("\n", " ") for text in ax.texts)
    assert "arm[financial aid] (p = " in said
    assert "the first of 4 terms" in said
    assert ax.get_title(loc="left") == "Test of proportional hazards"


def test_an_interval_that_reaches_below_zero_is_drawn_to_its_end() -> None:
    few = load_rossi().assign(arrest=lambda f: f["arrest"] * (f.groupby("fin")["arrest"].cumsum() <= 2))
    data = oc.survival_data(
        few.assign(cause=np.where(few["arrest"] == 0, "none", np.where(few["fin"] == 1, "arrest", "moved"))),
        duration="week", event="cause", censored="none", causes=["arrest", "moved"], arm="wexp", reference=0, unit="weeks",
    )  # fmt: skip
    result = oc.rmst(data, horizon=50)
    assert result.to_frame()["conf_low"].min() < 0
    assert result.plot().get_xlim()[0] == pytest.approx(result.to_frame()["conf_low"].min(), rel=1e-5)


def test_weighted_paths_scatter_about_the_weighted_coefficient_whatever_the_scale_of_the_weights() -> None:
    from lifelines.datasets import load_rossi

    data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    weights = np.random.default_rng(4).gamma(1.0, 1.0, len(data.baseline)) + 0.05
    model, larger = (oc.cox(data, "arm", weights=w) for w in (weights, 50 * weights))
    path, same = (m.proportional_hazards().paths() for m in (model, larger))
    np.testing.assert_allclose(path[["estimate", "conf_low"]], same[["estimate", "conf_low"]], rtol=1e-6)
    died = np.asarray(data.event) > 0
    at_events = np.interp(np.asarray(data.exit)[died], path["time"], path["estimate"])
    assert np.average(at_events, weights=weights[died]) == pytest.approx(model.coefficients[0], abs=0.05)
