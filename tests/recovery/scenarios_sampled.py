"""Weights: of a known sampling that goes with the outcome, and of a score that is estimated."""

from __future__ import annotations

import numpy as np
from drawn_times import censoring, free, observed, weibull, weighted_by_outcome
from scenario import Band, Found, Key, Scenario, Truth, interval
from scenarios_competing import CAUSES, _truths, two_causes
from scenarios_curves import (
    BETWEEN,
    DRAWS,
    HORIZON,
    RATIO,
    TIMES,
    as_data,
    contrasts,
    curve_rows,
    held,
    of_two_arms,
    two_arms,
)

import outcomes as oc

__all__ = ["OF_SAMPLED"]

SHARE = 0.4  # of those without an event that are sampled


def _sampled(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(weighted_by_outcome(rng, two_arms(rng, 600), SHARE))
    curve = oc.kaplan_meier(data, weights="w")
    found: dict[Key, Found] = dict(curve_rows(curve.at(TIMES), "kaplan_meier, weighted, log-log", "free"))
    found |= contrasts(data, "weighted", HORIZON, weights="w")
    row = oc.cox(data, "arm", weights="w").to_frame().iloc[0]
    found["cox, weighted", "log hazard ratio of b"] = interval(row)
    for kind in ("equal-precision", "hall-wellner"):
        band = curve.bands(kind, between=BETWEEN, draws=DRAWS, seed=int(rng.integers(2**31))).query("arm == 'a'")
        found[f"bands, {kind}, weighted", f"free from {BETWEEN[0]:g} to {BETWEEN[1]:g}, a"] = Band(held(band, BETWEEN))
    return found


def _sampled_causes(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(weighted_by_outcome(rng, two_causes(rng, 600), SHARE), causes=CAUSES)
    curve, mean = oc.cumulative_incidence(data, weights="w"), oc.rmst(data, horizon=HORIZON, weights="w")
    found: dict[Key, Found] = {
        ("cumulative_incidence, weighted", f"incidence of {row['cause']} at {row['time']:g}, {row['arm']}"): interval(
            row
        )
        for row in curve.at(TIMES).to_dict("records")
    }
    row = oc.compare(curve, measure="risk_difference", at=HORIZON).to_frame().iloc[0]
    found["compare(cumulative_incidence), weighted", f"difference in incidence of first at {HORIZON:g}"] = interval(row)
    for one in mean.to_frame().to_dict("records"):
        found["rmst, by cause, weighted", f"{one['measure']} within {HORIZON:g}, {one['arm']}"] = interval(one)
    return found


PULL, RAISE = 0.8, 0.5  # what the covariate does to the log odds of arm b, and to the log hazard


def _confounded(rng: np.random.Generator) -> dict[Key, Found]:
    x = rng.standard_normal(600)
    arm = np.where(rng.random(600) < 1 / (1 + np.exp(-PULL * x)), "b", "a")
    time = weibull(rng, np.exp(RAISE * x) * np.where(arm == "b", RATIO, 1.0))
    data = as_data(observed(time, censoring(rng, 600), arm=arm, x=x))
    found: dict[Key, Found] = {}
    for estimand in ("ate", "att", "ato"):
        curve = oc.kaplan_meier(data, weights=oc.weight(data, "x", estimand=estimand))
        quantity = f"risk difference at {HORIZON:g}, {estimand}"
        for variance in ("stacked", "robust"):
            row = oc.compare(curve, measure="risk_difference", at=HORIZON, variance=variance).to_frame().iloc[0]
            found[f"compare(kaplan_meier), {variance}, {estimand}", quantity] = interval(row)
    return found


def _of_confounded() -> dict[str, Truth]:
    """Return differences in risk averaged over the covariate, by Gauss–Hermite quadrature."""
    node, share = np.polynomial.hermite_e.hermegauss(80)
    share = share / share.sum()
    gap = free(HORIZON, np.exp(RAISE * node)) - free(HORIZON, RATIO * np.exp(RAISE * node))
    score = 1 / (1 + np.exp(-PULL * node))
    tilt = {"ate": np.ones(len(node)), "att": score, "ato": score * (1 - score)}
    return {
        f"risk difference at {HORIZON:g}, {name}": Truth(float((share * h * gap).sum() / (share * h).sum()))
        for name, h in tilt.items()
    }


_KNOWN = "takes estimated weights as known, which its note and docstring say: too wide for an ATE or ATO, either way for an ATT"

OF_SAMPLED = (
    Scenario(
        "sampled by outcome",
        f"600 people of the two arms, of whom all with an event and {100 * SHARE:.0f} % of the others are in the sample, weighted by the "
        "inverse of that.",
        460,
        _sampled,
        {**of_two_arms(RATIO), "log hazard ratio of b": Truth(float(np.log(RATIO)))},
    ),
    Scenario(
        "two causes, sampled by outcome",
        "600 people of the two causes, sampled so.",
        500,
        _sampled_causes,
        _truths(),
        daily=True,
    ),
    Scenario(
        "weights from a score",
        f"600 people; a normal covariate moves the log odds of arm b by {PULL} and the log hazard by {RAISE} a standard deviation. "
        "Weights from a logistic score fitted to each replicate.",
        600,
        _confounded,
        _of_confounded(),
        reported={f"compare(kaplan_meier), robust, {estimand}": _KNOWN for estimand in ("ate", "att", "ato")},
        daily=True,
    ),
)
