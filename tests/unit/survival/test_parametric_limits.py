"""Parametric models at the edge: too few events, no plateau, separation, and what is refused, with what is said."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from lifelines.datasets import load_rossi

import outcomes as oc
from outcomes.errors import EstimationError, NotSupportedError
from outcomes.survival.cured_share import follow_up_notes

ROSSI = load_rossi().head(120)
DISTRIBUTIONS = ("weibull", "exponential", "lognormal", "loglogistic", "generalized_gamma", "spline", "cure")


def take(frame: pd.DataFrame = ROSSI, **more: Any) -> oc.SurvivalData:
    asked = {"duration": "week", "event": "arrest", "arm": "fin", "reference": 0, "unit": "weeks"}
    return oc.survival_data(frame, **(asked | more))


def codes(fit: oc.Parametric) -> set[str]:
    return {note.code for note in fit.notes}


@pytest.mark.parametrize("name", ["weibull", "exponential", "spline"])
def test_an_arm_without_events_is_said_to_separate(name: str) -> None:
    data = take(ROSSI.assign(arrest=ROSSI["arrest"] * (ROSSI["fin"] == 0)))
    fit = oc.parametric(data, "arm", distribution=name)
    assert "separation" in codes(fit)
    assert "arm[1]" in next(note.text for note in fit.notes if note.code == "separation")
    curve = fit.at(52)
    assert curve["estimate"][1] == pytest.approx(1, abs=1e-4)
    alone = oc.parametric(take(ROSSI[ROSSI["fin"] == 0], arm=None), "1", distribution=name)
    assert curve["estimate"][0] == pytest.approx(alone.at(52)["estimate"][0], abs=1e-4)


def test_a_covariate_that_tells_who_has_the_event_separates() -> None:
    data = take(ROSSI.assign(told=ROSSI["arrest"]))
    fit = oc.parametric(data, "arm + told", distribution="lognormal")
    assert "told (location)" in next(note.text for note in fit.notes if note.code == "separation")
    with pytest.raises(EstimationError, match=r"running away: .*told \(location\)"):
        oc.parametric(data, "arm + told", distribution="exponential")


def test_one_event_is_enough_for_a_rate_and_no_more() -> None:
    one = take(ROSSI.assign(arrest=(ROSSI.index == 5).astype(int)))
    fit = oc.parametric(one, "1", distribution="exponential")
    assert fit.coefficients[0] == pytest.approx(np.log(ROSSI["week"].sum()))
    assert "few_events" in codes(fit)
    with pytest.raises(EstimationError, match=r"2 knots need events at 4 different times"):
        oc.parametric(one, "1", distribution="spline")
    final = take(ROSSI.assign(arrest=(ROSSI.index == ROSSI["week"].idxmax()).astype(int)))
    with pytest.raises(
        EstimationError, match=r"no top that could be found in these data \(events: 1, coefficients: 2;"
    ):
        oc.parametric(final, "1", distribution="weibull")


@pytest.mark.parametrize("name", ["weibull", "loglogistic", "spline"])
def test_where_everybody_had_the_event_nothing_is_special(name: str) -> None:
    frame = ROSSI.assign(arrest=1, week=ROSSI["week"] + ROSSI["age"] / 100)
    fit = oc.parametric(take(frame), "arm + prio", distribution=name)
    assert fit.n_events == 120
    assert not codes(fit)


def test_nobody_who_had_the_event_is_an_error() -> None:
    with pytest.raises(EstimationError, match="nobody had the event 'arrest'"):
        oc.parametric(take(ROSSI.assign(arrest=0)), "arm", distribution="weibull")


def test_ties_do_not_matter() -> None:
    close = ROSSI.assign(week=ROSSI["week"] + 1e-9 * np.arange(120))
    one, other = (oc.parametric(take(f), "arm", distribution="lognormal") for f in (ROSSI, close))
    np.testing.assert_allclose(one.theta, other.theta, rtol=1e-6)


def test_order_and_unit_of_time_change_what_they_should() -> None:
    shuffled = ROSSI.sample(frac=1, random_state=1).assign(week=lambda f: 7 * f["week"])
    for name in ("cure", "spline"):
        one, other = (oc.parametric(take(f), "arm + prio", distribution=name) for f in (ROSSI, shuffled))
        np.testing.assert_allclose(one.to_frame()["estimate"][1:3], other.to_frame()["estimate"][1:3], rtol=1e-5)
        np.testing.assert_allclose(one.at(40)["std_error"], other.at(280)["std_error"], rtol=1e-5)


def test_one_arm_has_one_curve_and_no_contrast() -> None:
    fit = oc.parametric(take(arm=None), "prio", distribution="weibull")
    assert fit.at(20)["arm"].tolist() == ["all"]
    with pytest.raises(EstimationError, match="only one arm"):
        oc.parametric(take(arm=None), "arm", distribution="weibull")
    without = oc.parametric(take(), "prio", distribution="weibull")
    assert "arm_not_in_model" in codes(without)
    assert without.at(20)["estimate"][0] == without.at(20)["estimate"][1]


def test_a_numeric_arm_is_set_by_its_number() -> None:
    number, level = (oc.parametric(take(), f, distribution="weibull") for f in ("fin + prio", "arm + prio"))
    np.testing.assert_allclose(number.at([20, 60])["estimate"], level.at([20, 60])["estimate"])


# competing causes


def test_competing_causes_are_censored_and_said_to_be() -> None:
    frame = ROSSI.assign(end=np.where(ROSSI["arrest"] == 0, "none", np.where(ROSSI["prio"] > 3, "arrest", "moved")))
    data = take(frame, event="end", censored="none", causes=["arrest", "moved"])
    with pytest.raises(EstimationError, match=r"2 causes compete here \(arrest, moved\)"):
        oc.parametric(data, "arm", distribution="weibull")
    with pytest.raises(EstimationError, match="Did you mean 'arrest'"):
        oc.parametric(data, "arm", distribution="weibull", cause="arest")
    fit = oc.parametric(data, "arm", distribution="weibull", cause="arrest")
    alone = oc.parametric(take(frame.assign(arrest=frame["end"] == "arrest")), "arm", distribution="weibull")
    np.testing.assert_allclose(fit.theta, alone.theta)
    assert "ends of follow-up by moved count as censored" in next(
        n.text for n in fit.notes if n.code == "cause_specific"
    )


# cure


def plateau(seed: int = 3) -> pd.DataFrame:
    """Half never have the event; of the others nine in ten within 20 weeks; everybody is followed for 60 to 100."""
    u = (np.arange(200) + 0.5) / 200
    ever, late = (np.arange(200) * 7 + seed) % 10 < 5, 60 + 40 * u[::-1]
    time = np.where(ever, np.minimum(-9 * np.log(u), late), late)
    return pd.DataFrame({"week": time, "arrest": (ever & (time < late)).astype(int), "fin": np.arange(200) % 2})


def test_a_plateau_is_a_cured_share_and_needs_no_warning() -> None:
    fit = oc.parametric(take(plateau()), "1", distribution="cure")
    assert "no_plateau" not in codes(fit)
    shares = fit.cured_share()
    assert shares.columns.tolist() == ["arm", "measure", "estimate", "std_error", "conf_low", "conf_high", "n"]
    assert shares["conf_low"][0] < 0.5 < shares["conf_high"][0]


def test_follow_up_too_short_for_a_plateau_is_warned_of_with_its_rule() -> None:
    short = plateau().assign(arrest=lambda f: f["arrest"] * (f["week"] <= 10), week=lambda f: np.minimum(f["week"], 10))
    fit = oc.parametric(take(short), "arm", distribution="cure")
    said = [note.text for note in fit.notes if note.code == "no_plateau"]
    assert [text[:6] for text in said] == ["Arm 0:", "Arm 1:"]
    assert "(rule: at most 5 %)" in said[0]
    assert "(rule: 3 or more, Maller & Zhou 1994)" in said[0]


def test_what_is_still_to_come_is_a_mean_over_people_weighted_and_counted() -> None:
    short = plateau().assign(arrest=lambda f: f["arrest"] * (f["week"] <= 10), week=lambda f: np.minimum(f["week"], 10))
    slow = (np.arange(200) % 4 == 0).astype(float)
    often, weight = np.where(slow > 0, 9, 1), np.where(slow > 0, 2.0, 1.0)
    data = take(short.assign(often=often), arm=None, reference=None, frequency="often")
    designs, theta = (
        (np.ones((200, 1)), np.column_stack((np.ones(200), slow)), np.ones((200, 1))),
        np.array([0, 2, 2, 0.0]),
    )
    free = np.exp(-np.exp(np.log(10) - 2 - 2 * slow))  # of those not cured, the scale being 1
    shares = [np.average(free, weights=w) for w in (often, often * weight)]
    for share, w in zip(shares, (often, often * weight), strict=True):
        said = follow_up_notes(data, designs, theta, data.event > 0, np.arange(200), w.astype(float))
        assert f"the model expects {100 * share:.0f} % of those not cured" in said[0].text
    assert f"{100 * shares[0]:.0f}" != f"{100 * shares[1]:.0f}" != f"{100 * free.mean():.0f}"


def test_the_cured_share_is_a_mean_over_people_by_what_they_weigh_at_their_start() -> None:
    whole = plateau().assign(start=0.0, person=range(200), x=np.arange(200) % 3)
    late = whole[whole["week"] > 5].assign(start=5.0)
    early = whole.assign(arrest=whole["arrest"] * (whole["week"] <= 5), week=whole["week"].clip(upper=5))
    rows = pd.concat([early, late], ignore_index=True).sort_values(["person", "start"], ignore_index=True)
    weight, first = 1 + rows["x"] * (rows["start"] == 0), rows["start"] == 0
    data = oc.survival_data(rows, entry="start", exit="week", event="arrest", id="person", unit="weeks")
    fit = oc.parametric(data, "x", distribution="cure", weights=weight.to_numpy())
    never = fit.predict(rows.loc[first, ["x"]], 1e9)["estimate"]
    assert fit.cured_share()["estimate"][0] == pytest.approx(np.average(never, weights=weight[first]), rel=1e-9)


def test_only_a_cure_model_has_a_cured_share() -> None:
    fit = oc.parametric(take(), "arm", distribution="lognormal")
    with pytest.raises(NotSupportedError, match="distribution='cure'"):
        fit.cured_share()
    with pytest.raises(NotSupportedError, match="not proportional"):
        fit.hazard_ratios()


# what is refused


@pytest.mark.parametrize(
    ("formula", "columns", "message"),
    [
        ("arm + aeg", {}, "Did you mean 'age'"),
        (
            "arm + lost",
            {"lost": [np.nan] * 3 + [1.0, 2.0] * 58 + [1.0]},
            r"covariates are missing: lost \(3\) of 120 rows",
        ),
        ("arm + same", {"same": 7}, "same is the same for everyone"),
        ("arm + twice", {"twice": 2 * ROSSI["fin"]}, r"\(collinear\), leave out: twice"),
        ("arm + age)", {}, "cannot be read"),
    ],
)
def test_formulas_that_do_not_fit_are_refused(formula: str, columns: dict[str, Any], message: str) -> None:
    with pytest.raises(EstimationError, match=message):
        oc.parametric(take(ROSSI.assign(**columns)), formula, distribution="weibull")


def test_covariates_that_change_over_time_are_refused() -> None:
    rows = pd.concat([ROSSI.assign(person=range(120), start=0.0, stop=0.5, arrest=0, job=0),
                      ROSSI.assign(person=range(120), start=0.5, stop=ROSSI["week"], job=ROSSI["mar"])])  # fmt: skip
    data = take(rows, duration=None, entry="start", exit="stop", id="person")
    with pytest.raises(NotSupportedError, match=rf"change over time for {ROSSI['mar'].sum()} of 120 people"):
        oc.parametric(data, "arm + job", distribution="weibull")
    assert oc.parametric(data, "arm", distribution="weibull").n == 120


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"distribution": "weibul"}, "distribution must be one of"),
        ({"distribution": "weibull", "knots": 2}, "knots belong to distribution='spline'"),
        ({"distribution": "spline", "knots": 9}, "a number from 0 to 8"),
        ({"distribution": "spline", "knots": [10, 400]}, "1 of 2 knots do not lie between"),
        ({"distribution": "weibull", "conf_level": 95}, "conf_level must lie between 0 and 1"),
        (
            {"distribution": "weibull", "weights": "age", "robust": False},
            "model-based variance takes weights for counts",
        ),
    ],
)
def test_arguments_without_meaning_are_refused(asked: dict[str, Any], message: str) -> None:
    with pytest.raises(EstimationError, match=message):
        oc.parametric(take(), "arm", **asked)


def test_data_that_hold_every_event_are_refused() -> None:
    with pytest.raises(NotSupportedError, match="parametric is about the first"):
        oc.parametric(replace(take(), repeated=True), "arm", distribution="weibull")


def test_times_before_zero_are_refused() -> None:
    frame = ROSSI.assign(start=-9.0, stop=np.where(ROSSI.index < 4, -1.0, ROSSI["week"]))
    with pytest.raises(EstimationError, match="4 rows end at or before time 0"):
        oc.parametric(take(frame, duration=None, entry="start", exit="stop"), "arm", distribution="weibull")


def test_people_who_do_not_fit_the_formula_are_counted_and_never_shown() -> None:
    marker = "qx7marker"
    frame = ROSSI.assign(band=np.where(ROSSI["age"] > 25, "old", "young"))
    fit = oc.parametric(take(frame), "arm + C(band)", distribution="weibull")
    for new, message in (
        (pd.DataFrame({"arm": [0, 1], "band": ["old", marker]}), "do not fit the model"),
        (pd.DataFrame({"arm": [0, marker], "band": ["old", "old"]}), "names no arm of the data in 1 of 2 rows"),
        (pd.DataFrame({"arm": [0, 1], "band": ["old", None]}), r"covariates are missing: band \(1\) of 2 rows"),
        (pd.DataFrame({"arm": [0, 1], "bnad": ["old", marker]}), "no column 'band'"),
    ):
        with pytest.raises(EstimationError, match=message) as caught:
            fit.predict(new, 20)
        assert marker not in f"{caught.value}{caught.value.__cause__}{caught.value.__context__}"
    with pytest.raises(EstimationError, match="shares must lie between 0 and 1"):
        fit.quantile(frame, 50)
    with pytest.raises(EstimationError, match="at: measure must be one of"):
        fit.at(20, measure="hazard")


def test_the_result_shows_and_keeps_no_rows() -> None:
    fit = oc.parametric(take(ROSSI.assign(prio=ROSSI["prio"] + 0.4271)), "arm + prio", distribution="weibull")
    assert ".4271" not in f"{fit!r}{fit.design!r}{fit.describe()}"
    with pytest.raises(ValueError, match="read-only"):
        fit.theta[0] = 0
