"""Kaplan–Meier, quantiles, restricted means and their contrasts, where the event is the only one there is."""

from __future__ import annotations

import numpy as np
import pandas as pd
from drawn_times import SCALE, SHAPE, censoring, free, hazard, observed, positive_stable, weibull
from scenario import Band, Found, Interval, Key, Scenario, Truth, interval, log_interval

import outcomes as oc

__all__ = ["OF_CURVES", "area_free", "as_data", "curve_rows", "of_two_arms", "two_arms"]

RATIO = 0.7  # hazard ratio of arm b
TIMES = (365.0, 730.0)
HORIZON = 730.0
DRAWS = 200  # of a band
BETWEEN = (60.0, 730.0)
LIMITS = ("log-log", "log", "plain", "logit", "arcsine")


def area_free(ratio: float, horizon: float = HORIZON, *, shape: float = SHAPE, scale: float = SCALE) -> float:
    """Return the mean time free of the event within a horizon."""
    from scipy.integrate import quad

    return float(quad(lambda t: float(free(t, ratio, shape=shape, scale=scale)), 0, horizon, limit=200)[0])


def as_data(frame: pd.DataFrame, **columns: object) -> oc.SurvivalData:
    """Return rows as time at risk, arm a the reference where there are arms."""
    arm = {"arm": "arm", "reference": "a"} if "arm" in frame.columns else {}
    span = {} if {"entry", "exit"} & set(columns) else {"duration": "time"}
    return oc.survival_data(frame, event="event", **arm, **span, **columns)  # type: ignore[arg-type]


def curve_rows(frame: pd.DataFrame, estimator: str, said: str) -> dict[Key, Interval]:
    """Return the intervals of a table with one row an arm and time, the quantity said with both."""
    rows = frame.to_dict("records")
    return {(estimator, f"{said} at {row['time']:g}, {row['arm']}"): interval(row) for row in rows}


def of_two_arms(
    ratio: float, *, shape: float = SHAPE, scale: float = SCALE, times: tuple[float, ...] = TIMES
) -> dict[str, Truth]:
    """Return the truths of two arms of Weibull times, hazards of b `ratio` times those of a."""
    found: dict[str, Truth] = {}
    each = {"a": 1.0, "b": ratio}
    for time in times:
        a, b = (1 - float(free(time, r, shape=shape, scale=scale)) for r in each.values())
        for arm, r in each.items():
            found[f"free at {time:g}, {arm}"] = Truth(float(free(time, r, shape=shape, scale=scale)))
        found[f"risk difference at {time:g}"] = Truth(b - a)
        found[f"log risk ratio at {time:g}"] = Truth(float(np.log(b / a)))
        found[f"log odds ratio at {time:g}"] = Truth(float(np.log(b / (1 - b) * (1 - a) / a)))
    for arm, r in each.items():
        found[f"mean time free within {times[-1]:g}, {arm}"] = Truth(area_free(r, times[-1], shape=shape, scale=scale))
    means = [area_free(r, times[-1], shape=shape, scale=scale) for r in each.values()]
    found[f"difference in mean time free within {times[-1]:g}"] = Truth(means[1] - means[0])
    found[f"log ratio of mean time free within {times[-1]:g}"] = Truth(float(np.log(means[1] / means[0])))
    return found


def contrasts(data: oc.SurvivalData, said: str, at: float, **asked: object) -> dict[Key, Found]:
    """Return contrasts of the curves and restricted means of two arms."""
    curve = oc.kaplan_meier(data, **asked)  # type: ignore[arg-type]
    mean = oc.rmst(data, horizon=at, **asked)  # type: ignore[arg-type]
    found: dict[Key, Found] = {}
    for measure, name, take in (
        ("risk_difference", f"risk difference at {at:g}", interval),
        ("risk_ratio", f"log risk ratio at {at:g}", log_interval),
        ("odds_ratio", f"log odds ratio at {at:g}", log_interval),
    ):
        row = oc.compare(curve, measure=measure, at=at).to_frame().iloc[0]
        found[f"compare(kaplan_meier), {said}", name] = take(row)
    for row in mean.to_frame().query("measure == 'rmst'").to_dict("records"):
        found[f"rmst, {said}", f"mean time free within {at:g}, {row['arm']}"] = interval(row)
    for measure, name, take in (
        ("rmst_difference", f"difference in mean time free within {at:g}", interval),
        ("rmst_ratio", f"log ratio of mean time free within {at:g}", log_interval),
    ):
        found[f"compare(rmst), {said}", name] = take(oc.compare(mean, measure=measure).to_frame().iloc[0])
    return found


def two_arms(rng: np.random.Generator, people: int, ratio: float = RATIO) -> pd.DataFrame:
    """Return half the people in arm a and half in arm b, followed from time zero."""
    arm = np.repeat(["a", "b"], people // 2)
    return observed(weibull(rng, np.where(arm == "b", ratio, 1.0)), censoring(rng, people), arm=arm)


def _plain(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(two_arms(rng, 400))
    curve = oc.kaplan_meier(data)
    found: dict[Key, Found] = dict(curve_rows(curve.at(TIMES), "kaplan_meier, Greenwood, log-log", "free"))
    found |= curve_rows(oc.nelson_aalen(data).at(TIMES), "nelson_aalen", "cumulative hazard")
    return found | _quartile(curve, "log-log") | contrasts(data, "Greenwood", HORIZON)


def _quartile(curve: oc.KaplanMeier, said: str) -> dict[Key, Found]:
    row = curve.quantile(0.25).iloc[0]
    high = row["conf_high"] if np.isfinite(row["conf_high"]) else np.inf  # a limit that never comes down so far
    limits = Interval(float(row["time"]), np.nan, float(row["conf_low"]), float(high))
    return {(f"quantile, {said}", "time by which 25 % had the event, a"): limits}


def _other_limits(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(two_arms(rng, 400))
    found: dict[Key, Found] = {}
    for kind in LIMITS[1:]:
        rows = oc.kaplan_meier(data, conf_type=kind).at(TIMES).query("arm == 'a'")
        found |= curve_rows(rows, f"kaplan_meier, Greenwood, {kind}", "free")
    robust = oc.kaplan_meier(data, variance="robust")
    found |= curve_rows(robust.at(TIMES), "kaplan_meier, robust, log-log", "free")
    found |= _quartile(oc.kaplan_meier(data, conf_type="plain"), "plain") | _quartile(robust, "robust")
    row = oc.rmst_regression(data, "arm", horizon=HORIZON).to_frame().set_index("term").loc["arm[b]"]
    found["rmst_regression", f"difference in mean time free within {HORIZON:g}"] = interval(row)
    return found | contrasts(data, "robust", HORIZON, variance="robust")


def _bands(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(observed(weibull(rng, np.ones(200)), censoring(rng, 200)))
    plain, robust = oc.kaplan_meier(data), oc.kaplan_meier(data, variance="robust")
    found: dict[Key, Found] = {}
    for curve, said in ((plain, "constant"), (robust, "drawn")):
        for kind in ("hall-wellner", "equal-precision"):
            band = curve.bands(kind, between=BETWEEN, draws=DRAWS, seed=int(rng.integers(2**31)))
            found[f"bands, {kind}, {said}", f"free from {BETWEEN[0]:g} to {BETWEEN[1]:g}"] = Band(held(band, BETWEEN))
    return found


def held(band: pd.DataFrame, between: tuple[float, float]) -> bool:
    """Return whether the true curve lies inside a band of steps from their start to just before the next."""
    start = band["time"].to_numpy()
    until = np.append(start[1:], between[1])
    low, high = band["conf_low"].to_numpy(), band["conf_high"].to_numpy()
    return bool(((free(start) <= high) & (low <= free(until))).all())


def _days(rng: np.random.Generator) -> dict[Key, Found]:
    """Follow-up of 90 days at most, times in whole days: a score of people share a day."""
    arm = np.repeat(["a", "b"], 200)
    time = np.ceil(weibull(rng, np.where(arm == "b", RATIO, 1.0), scale=100.0))
    data = as_data(observed(time, np.ceil(rng.uniform(40, 120, 400)), arm=arm))
    found: dict[Key, Found] = dict(
        curve_rows(oc.kaplan_meier(data).at((20, 40)), "kaplan_meier, Greenwood, log-log", "free")
    )
    row = oc.compare(oc.kaplan_meier(data), measure="risk_difference", at=40).to_frame().iloc[0]
    return found | {("compare(kaplan_meier), Greenwood", "risk difference at 40"): interval(row)}


def late(rng: np.random.Generator, people: int, *, late_share: float = 0.6) -> pd.DataFrame:
    """Return people of whom some are seen only from a later day on, if nothing has happened to them before it."""
    drawn = 3 * people
    frame = two_arms(rng, drawn).assign(entry=np.where(rng.random(drawn) < late_share, rng.uniform(0, 400, drawn), 0.0))
    there = frame[frame["time"] > frame["entry"]]
    return there.sample(people, random_state=rng).reset_index(drop=True)


def _late(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(late(rng, 500), entry="entry", exit="time")
    found: dict[Key, Found] = dict(
        curve_rows(oc.kaplan_meier(data).at(TIMES), "kaplan_meier, Greenwood, log-log", "free")
    )
    found |= curve_rows(oc.kaplan_meier(data, variance="robust").at(TIMES), "kaplan_meier, robust, log-log", "free")
    return found | contrasts(data, "Greenwood", HORIZON)


FRAILTY = 0.85
AREAS = 40


def in_areas(rng: np.random.Generator, areas: int, each: int, *, by_area: bool, ratio: float = RATIO) -> pd.DataFrame:
    """Return people in areas of unequal size whose hazards share a positive stable frailty; whole areas to an arm, or people."""
    sizes = rng.integers(each // 2, each + each // 2 + 1, areas)
    area = np.repeat(np.arange(areas), sizes)
    given = (area % 2 == 0) if by_area else rng.random(len(area)) < 0.5
    arm = np.where(given, "b", "a")
    mean = np.where(given, ratio, 1.0) ** (1 / FRAILTY)  # so that the ratio in the mean is `ratio`
    time = weibull(rng, positive_stable(rng, FRAILTY, areas)[area] * mean, shape=SHAPE / FRAILTY)
    return observed(time, censoring(rng, len(area)), arm=arm, area=area)


def _areas(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(in_areas(rng, AREAS, 15, by_area=False), cluster="area")
    found: dict[Key, Found] = dict(
        curve_rows(oc.kaplan_meier(data).at(TIMES), "kaplan_meier, by area, log-log", "free")
    )
    return found | contrasts(data, "by area", HORIZON)


def _whole_areas(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(in_areas(rng, 2 * AREAS, 8, by_area=True), cluster="area")
    found: dict[Key, Found] = dict(
        curve_rows(oc.kaplan_meier(data).at(TIMES), "kaplan_meier, by area, log-log", "free")
    )
    return found | contrasts(data, "by area", HORIZON)


def _few_areas(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(in_areas(rng, 12, 50, by_area=True), cluster="area")
    row = oc.compare(oc.kaplan_meier(data), measure="risk_difference", at=HORIZON).to_frame().iloc[0]
    return {("compare(kaplan_meier), by area", f"risk difference at {HORIZON:g}"): interval(row)}


_TRUTHS = of_two_arms(RATIO)
_PLAIN = {
    **_TRUTHS,
    **{
        f"cumulative hazard at {t:g}, {arm}": Truth(float(r * hazard(t)))
        for t in TIMES
        for arm, r in (("a", 1), ("b", RATIO))
    },
    "time by which 25 % had the event, a": Truth(float(SCALE * (-np.log(0.75)) ** (1 / SHAPE))),
}
_FEW = "twelve areas of very unequal risk, six an arm: fewer than the 30 the gates are for"

OF_CURVES = (
    Scenario(
        "two arms, random censoring",
        "Weibull times (shape 0.8, scale 1,200 days), hazards of b 0.7 times those of a, 200 people an arm; a data cut "
        "spread over days 600 to 1,600 and loss at a constant rate.",
        400,
        _plain,
        _PLAIN,
        daily=True,
    ),
    Scenario("other limits and the robust variance", "The same two arms.", 400, _other_limits, _PLAIN),
    Scenario(
        "simultaneous bands",
        f"One arm of 200 as above; the whole true curve from day {BETWEEN[0]:g} to day {BETWEEN[1]:g}.",
        200,
        _bands,
    ),
    Scenario(
        "whole days, many ties",
        "Weibull times of scale 100 days in whole days, followed for 40 to 120 whole days.",
        400,
        _days,
        of_two_arms(RATIO, scale=100.0, times=(20.0, 40.0)),
        daily=True,
    ),
    Scenario(
        "delayed entry",
        "As the two arms, 60 % of people seen only from a day spread over 0 to 400 on, if nothing has happened before it.",
        500,
        _late,
        _TRUTHS,
    ),
    Scenario(
        "areas, people to arms",
        f"{AREAS} areas of 7 to 22 people with a positive stable frailty (index {FRAILTY}); arms within areas. In the mean the two arms as "
        "above.",
        600,
        _areas,
        _TRUTHS,
        daily=True,
    ),
    Scenario(
        "areas, areas to arms",
        f"{2 * AREAS} areas of 4 to 12 people with the same frailty; whole areas to an arm.",
        640,
        _whole_areas,
        _TRUTHS,
    ),
    Scenario(
        "few areas to arms",
        "12 areas of 25 to 75 people with the same frailty; whole areas to an arm.",
        600,
        _few_areas,
        _TRUTHS,
        reported={"compare(kaplan_meier), by area": _FEW},
    ),
)
