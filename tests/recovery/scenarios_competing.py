"""Cumulative incidence, and time lost to each cause, where two causes compete."""

from __future__ import annotations

import numpy as np
import pandas as pd
from drawn_times import SCALE, SHAPE, censoring, hazard, observed, weibull
from scenario import Band, Found, Key, Scenario, Truth, interval, log_interval
from scenarios_curves import BETWEEN, DRAWS, HORIZON, LIMITS, TIMES, as_data

import outcomes as oc

__all__ = ["CAUSES", "OF_COMPETING", "two_causes"]

CAUSES = {1: "first", 2: "second"}
RATIOS = {"a": (1.0, 0.5), "b": (0.7, 0.6)}  # of each cause's hazard to the Weibull's


def incidence(time: np.ndarray | float, arm: str, cause: int = 1) -> np.ndarray:
    """Return the cumulative incidence of a cause: its share of the hazard times the share with any event."""
    own, both = RATIOS[arm][cause - 1], sum(RATIOS[arm])
    return np.asarray(own / both * -np.expm1(-both * hazard(time)))


def two_causes(rng: np.random.Generator, people: int, ratios: dict[str, tuple[float, float]] = RATIOS) -> pd.DataFrame:
    """Return half the people in each arm, each followed to the first of two causes."""
    arm = np.repeat(["a", "b"], people // 2)
    each = np.array([ratios[one] for one in arm])
    both = each.sum(axis=1)
    cause = np.where(rng.random(people) < each[:, 0] / both, 1, 2)
    return observed(weibull(rng, both), censoring(rng, people), cause, arm=arm)


def _two_causes(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(two_causes(rng, 400), causes=CAUSES)
    curve, mean = oc.cumulative_incidence(data), oc.rmst(data, horizon=HORIZON)
    found: dict[Key, Found] = dict(_incidences(curve, "cumulative_incidence, robust, log-log"))
    for measure, name, take in (
        ("risk_difference", f"difference in incidence of first at {HORIZON:g}", interval),
        ("risk_ratio", f"log ratio of incidences of first at {HORIZON:g}", log_interval),
    ):
        row = oc.compare(curve, measure=measure, at=HORIZON).to_frame().iloc[0]
        found["compare(cumulative_incidence)", name] = take(row)
    for row in mean.to_frame().to_dict("records"):
        found["rmst, by cause", f"{row['measure']} within {HORIZON:g}, {row['arm']}"] = interval(row)
    return found


def _other_limits(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(two_causes(rng, 400), causes=CAUSES)
    found: dict[Key, Found] = {}
    for kind in LIMITS[1:]:
        found |= _incidences(oc.cumulative_incidence(data, conf_type=kind), f"cumulative_incidence, robust, {kind}")
    found |= _incidences(oc.cumulative_incidence(data, variance="aalen"), "cumulative_incidence, Aalen, log-log")
    specific = oc.cause_specific(data, "arm").to_frame().to_dict("records")
    return found | {("cause_specific", f"log hazard ratio of {row['cause']}"): interval(row) for row in specific}


def _incidences(curve: oc.CumulativeIncidence, estimator: str) -> dict[Key, Found]:
    rows = curve.at(TIMES).to_dict("records")
    return {
        (estimator, f"incidence of {row['cause']} at {row['time']:g}, {row['arm']}"): interval(row)
        for row in rows
        if row["arm"] == "a"
    }


def _bands(rng: np.random.Generator) -> dict[Key, Found]:
    frame = two_causes(rng, 400).query("arm == 'a'").drop(columns="arm").reset_index(drop=True)
    curve = oc.cumulative_incidence(as_data(frame, causes=CAUSES))
    band = curve.bands(between=BETWEEN, draws=DRAWS, seed=int(rng.integers(2**31))).query("cause == 'first'")
    start = band["time"].to_numpy()
    until = np.append(start[1:], BETWEEN[1])
    held = (band["conf_low"].to_numpy() <= incidence(start, "a")) & (
        incidence(until, "a") <= band["conf_high"].to_numpy()
    )
    return {
        ("bands, equal-precision, drawn", f"incidence of first from {BETWEEN[0]:g} to {BETWEEN[1]:g}"): Band(
            bool(held.all())
        )
    }


def _truths() -> dict[str, Truth]:
    from scipy.integrate import quad

    found = {
        f"incidence of {CAUSES[k]} at {t:g}, {arm}": Truth(float(incidence(t, arm, k)))
        for k in CAUSES
        for t in TIMES
        for arm in RATIOS
    }
    a, b = (float(incidence(HORIZON, arm)) for arm in RATIOS)
    found[f"difference in incidence of first at {HORIZON:g}"] = Truth(b - a)
    found[f"log ratio of incidences of first at {HORIZON:g}"] = Truth(float(np.log(b / a)))
    for arm in RATIOS:
        lost = {
            k: float(quad(lambda t, k=k, arm=arm: float(incidence(t, arm, k)), 0, HORIZON, limit=200)[0])
            for k in CAUSES
        }
        found[f"rmst within {HORIZON:g}, {arm}"] = Truth(HORIZON - sum(lost.values()))
        for k, name in CAUSES.items():
            found[f"rmtl: {name} within {HORIZON:g}, {arm}"] = Truth(lost[k])
    for k, name in CAUSES.items():
        found[f"log hazard ratio of {name}"] = Truth(float(np.log(RATIOS["b"][k - 1] / RATIOS["a"][k - 1])))
    return found


OF_COMPETING = (
    Scenario(
        "two causes",
        f"Hazards of both causes in proportion to a Weibull's (shape {SHAPE}, scale {SCALE:,.0f} days): 1 and 0.5 times it in a, "
        "0.7 and 0.6 times it in b; 200 people an arm, censored as above.",
        400,
        _two_causes,
        _truths(),
        daily=True,
    ),
    Scenario("two causes, other limits", "The same two causes; hazards by Cox.", 400, _other_limits, _truths()),
    Scenario("bands of an incidence", "Arm a of the two causes, 200 people.", 200, _bands),
)
