"""Fine–Gray regression on times drawn from a proportional subdistribution hazards model (Fine & Gray 1999, section 6)."""

from __future__ import annotations

from functools import partial

import numpy as np
import pandas as pd
from drawn_times import observed, weighted_by_outcome
from scenario import Found, Key, Scenario, Truth, interval
from scenarios_competing import CAUSES
from scenarios_curves import as_data

import outcomes as oc

__all__ = ["OF_FINE_GRAY", "subdistribution"]

B, X = float(np.log(0.6)), 0.5  # log subdistribution hazard ratios of arm b and of a normal covariate
YEAR = 365.0
AT = (365.0, 730.0)
NEW = pd.DataFrame({"arm": ["a", "b"], "x": [-0.5, 0.5]})
NAMES = {"arm[b]": "log subdistribution hazard ratio of b", "x": "log subdistribution hazard ratio of x"}


def incidence(time: float, share: float, predictor: float) -> float:
    """Return the incidence of the first cause: 1 − (1 − share (1 − exp(−t)))^exp(predictor), t in years."""
    return float(1 - (1 - share * -np.expm1(-time / YEAR)) ** np.exp(predictor))


def subdistribution(
    rng: np.random.Generator, share: np.ndarray, given: np.ndarray, x: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return times and causes; `share` (P,) is the incidence of the first cause at covariates 0 in the end."""
    ratio = np.exp(B * given + X * x)
    first = rng.random(len(x)) < 1 - (1 - share) ** ratio
    level = rng.random(len(x)) * (1 - (1 - share) ** ratio)  # of the incidence, given the first cause
    with np.errstate(divide="ignore", invalid="ignore"):
        time = -np.log(1 - (1 - (1 - level) ** (1 / ratio)) / share)
    other = rng.standard_exponential(len(x)) / np.exp(-B * given - X * x)
    return YEAR * np.where(first, time, other), np.where(first, 1, 2)


def _drawn(rng: np.random.Generator, people: int, share: np.ndarray | float, **more: np.ndarray) -> pd.DataFrame:
    given, x = rng.random(people) < 0.5, rng.standard_normal(people)
    time, cause = subdistribution(rng, np.broadcast_to(share, people), given, x)
    until = np.minimum(rng.uniform(300, 1500, people), rng.exponential(2000.0, people))
    return observed(time, until, cause, arm=np.where(given, "b", "a"), x=x, **more)


def _coefficients(model: oc.FineGray, estimator: str) -> dict[Key, Found]:
    rows = model.to_frame().to_dict("records")
    return {(estimator, NAMES[row["term"]]): interval(row) for row in rows}


def _predictions(model: oc.FineGray, new: pd.DataFrame, estimator: str) -> dict[Key, Found]:
    rows = model.predict(new).at(AT).to_dict("records")
    return {(estimator, f"incidence at {row['time']:g}, profile {row['profile']}"): interval(row) for row in rows}


def _plain(rng: np.random.Generator, share: float) -> dict[Key, Found]:
    data = as_data(_drawn(rng, 400, share), causes=CAUSES)
    found: dict[Key, Found] = {}
    for ties in ("breslow", "efron"):
        model = oc.fine_gray(data, "arm + x", cause="first", ties=ties)
        said = f"fine_gray, {ties.capitalize()}"
        found |= _coefficients(model, said) | _predictions(model, NEW, f"{said}, predict")
    return found


def _sampled(rng: np.random.Generator) -> dict[Key, Found]:
    frame = weighted_by_outcome(rng, _drawn(rng, 600, 0.5), 0.4)
    model = oc.fine_gray(as_data(frame, causes=CAUSES), "arm + x", cause="first", weights="w")
    return _coefficients(model, "fine_gray, weighted") | _predictions(model, NEW, "fine_gray, weighted, predict")


SHARES = (0.3, 0.66)


def _strata(rng: np.random.Generator) -> dict[Key, Found]:
    """Two strata with incidences of their own, censored at different rates."""
    stratum = rng.integers(0, 2, 500)
    frame = _drawn(rng, 500, np.array(SHARES)[stratum], stratum=stratum)
    sooner = rng.exponential(np.where(stratum == 1, 900.0, 1e9))
    frame["event"] = frame["event"].where(frame["time"] <= sooner, 0)
    frame["time"] = frame["time"].clip(upper=sooner)
    model = oc.fine_gray(
        as_data(frame, causes=CAUSES), "arm + x", cause="first", strata="stratum", censoring_strata="stratum"
    )
    new = pd.concat([NEW.assign(stratum=0), NEW.assign(stratum=1)], ignore_index=True)
    return _coefficients(model, "fine_gray, strata") | _predictions(model, new, "fine_gray, strata, predict")


def _late(rng: np.random.Generator) -> dict[Key, Found]:
    drawn = _drawn(rng, 1000, 0.5)
    drawn["entry"] = np.where(rng.random(1000) < 0.5, rng.uniform(0, 150, 1000), 0.0)
    there = drawn[drawn["time"] > drawn["entry"]].iloc[:400].reset_index(drop=True)
    data = as_data(there, entry="entry", exit="time", causes=CAUSES)
    found: dict[Key, Found] = {}
    for ties in ("breslow", "efron"):
        found |= _coefficients(
            oc.fine_gray(data, "arm + x", cause="first", ties=ties), f"fine_gray, {ties.capitalize()}"
        )
    return found


def _areas(rng: np.random.Generator) -> dict[Key, Found]:
    """Areas of which each has a covariate of its own, so that its people are alike in x, and a day on which all its files end."""
    area = np.repeat(np.arange(40), 12)
    given, x = rng.random(480) < 0.5, rng.standard_normal(40)[area]
    time, cause = subdistribution(rng, np.full(480, 0.5), given, x)
    frame = observed(time, rng.uniform(300, 1500, 40)[area], cause, arm=np.where(given, "b", "a"), x=x, area=area)
    model = oc.fine_gray(as_data(frame, causes=CAUSES, cluster="area"), "arm + x", cause="first")
    return _coefficients(model, "fine_gray, by area")


_RATIOS = {NAMES["arm[b]"]: Truth(B), NAMES["x"]: Truth(X)}


def _truths(*shares: float) -> dict[str, Truth]:
    found = dict(_RATIOS)
    profiles = [
        (share, B * (arm == "b") + X * x) for share in shares for arm, x in zip(NEW["arm"], NEW["x"], strict=True)
    ]
    for number, (share, predictor) in enumerate(profiles):
        for t in AT:
            found[f"incidence at {t:g}, profile {number}"] = Truth(incidence(t, share, predictor))
    return found


OF_FINE_GRAY = (
    *(
        Scenario(
            f"fine-gray, share {share}",
            f"The incidence of the first cause is 1 − (1 − {share} (1 − exp(−t)))^exp(βz), t in years, β = {B:.3f} for arm b and {X} for a "
            "normal covariate; the second cause exponential at rate exp(−βz). A data cut over days 300 to 1,500, loss at a constant rate.",
            400,
            partial(_plain, share=share),
            _truths(share),
        )
        for share in SHARES
    ),
    Scenario(
        "fine-gray, sampled by outcome",
        "600 such people of share 0.5, all with an event and 40 % of the others sampled.",
        540,
        _sampled,
        _truths(0.5),
        daily=True,
    ),
    Scenario(
        "fine-gray, strata",
        "Two strata, share 0.3 and 0.66, the second censored sooner as well.",
        500,
        _strata,
        _truths(*SHARES),
    ),
    Scenario(
        "fine-gray, delayed entry",
        "Half of the people seen only from a day spread over 0 to 150 on; share 0.5.",
        400,
        _late,
        _RATIOS,
    ),
    Scenario(
        "fine-gray, areas",
        "40 areas of 12 people who share the covariate and the day on which their follow-up ends; share 0.5.",
        480,
        _areas,
        _RATIOS,
    ),
)
