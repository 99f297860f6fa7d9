"""Whose effect is asked, and by which way of making the arms alike: each recovers the effect in its own people."""

from __future__ import annotations

import numpy as np
import pandas as pd
from drawn_choices import (
    AT,
    ESTIMANDS,
    PEOPLE,
    hazard_ratio,
    people,
    person_effects,
    risk_difference,
    time_free_difference,
)
from scenario import Found, Interval, Key, Scenario, Truth, interval

import outcomes as oc

__all__ = ["OF_ESTIMANDS"]

FORMULA = "x + z"


def as_data(frame: pd.DataFrame) -> oc.SurvivalData:
    """Return people as time at risk, reoffending the outcome of interest."""
    return oc.survival_data(
        frame,
        duration="time",
        event="event",
        censored=0,
        causes={1: "reoffence", 2: "other"},
        arm="arm",
        reference="none",
    )


def _difference(data: oc.SurvivalData, weights: oc.Weights | None = None) -> Interval:
    risk = oc.cumulative_incidence(data, weights=weights)
    return interval(oc.compare(risk, cause="reoffence", measure="risk_difference", at=AT).to_frame().iloc[0])


def _weighted(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(people(rng))
    found: dict[Key, Found] = {("no weights", f"risk difference, {e}"): _difference(data) for e in ("ate", "att")}
    for estimand in ESTIMANDS:
        weights = oc.weight(data, FORMULA, estimand=estimand)
        found["weight", f"risk difference, {estimand}"] = _difference(data, weights)
        cox = oc.cox(data, "arm", cause="reoffence", weights=weights).to_frame().iloc[0]
        found["weight, cox", f"log hazard ratio, {estimand}"] = interval(cox)
        mean = oc.compare(oc.rmst(data, horizon=AT, weights=weights), measure="rmst_difference").to_frame().iloc[0]
        found["weight, rmst", f"days free of both, {estimand}"] = interval(mean)
    for estimand in ("ate", "att", "atc"):
        weights = oc.weight(data, FORMULA, estimand=estimand, method="entropy")
        found["weight, entropy", f"risk difference, {estimand}"] = _difference(data, weights)
    for estimand in ("ate", "att"):
        weights = oc.weight(data, FORMULA, estimand=estimand, method="cbps")
        found["weight, cbps", f"risk difference, {estimand}"] = _difference(data, weights)
    return found


MATCHINGS = {
    "nearest, caliper 0.2": {"caliper": 0.2},
    "nearest, caliper 0.02": {"caliper": 0.02},
    "nearest, with replacement, caliper 0.05": {"replace": True, "caliper": 0.05},
    "radius, caliper 0.05": {"method": "radius", "caliper": 0.05},
    "full, caliper 0.05": {"method": "full", "caliper": 0.05},
    "subclass, 10 classes": {"method": "subclass", "subclasses": 10},
}


def _matched(rng: np.random.Generator) -> dict[Key, Found]:
    """Each replicate has its own truth, the effect in those of the programme who were matched; it is moved to zero."""
    frame = people(rng)
    data, effects = as_data(frame), person_effects(frame)
    found: dict[Key, Found] = {}
    for name, asked in MATCHINGS.items():
        matched = oc.match(data, FORMULA, **asked)
        truth = float(effects[matched.kept & (matched.arm == 1)].mean())
        one = _difference(data, matched)
        found[f"match, {name}", "risk difference less that of the matched"] = Interval(
            one.estimate - truth, one.std_error, one.low - truth, one.high - truth
        )
    return found


_WEIGHTED = {
    **{f"risk difference, {e}": Truth(risk_difference(e)) for e in ESTIMANDS},
    **{f"log hazard ratio, {e}": Truth(hazard_ratio(e)) for e in ESTIMANDS},
    **{f"days free of both, {e}": Truth(time_free_difference(e)) for e in ESTIMANDS},
}
_SAID = (
    "People join a programme by two covariates that also raise the hazard; the programme helps some more than others, another cause "
    "competes, and people of the programme are kept in view longer."
)

OF_ESTIMANDS = (
    Scenario(
        "whose effect, by weights",
        f"{_SAID} Asked by weights from a right score, in everyone (ATE), those who joined (ATT), those who did not (ATC), those who "
        "might have done either (ATO, ATM).",
        PEOPLE,
        _weighted,
        _WEIGHTED,
        reported={"no weights": "the arms differ in who is in them: this is what adjustment is for"},
    ),
    Scenario(
        "whose effect, by matching",
        f"{_SAID} Asked in those of the programme who were matched; each draw has a truth of its own, taken off.",
        PEOPLE,
        _matched,
        {"risk difference less that of the matched": Truth(0.0)},
        reported={
            "match, nearest, caliper 0.2": "within so wide a caliper those of the programme still have the higher scores of each pair: "
            "what is left of the confounding is the price of matching nearly everybody"
        },
    ),
)
