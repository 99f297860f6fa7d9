"""Arms that differ in what also decides the outcome: adjusted curves, doubly robust and not, with a competing cause."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from drawn_times import hazard, observed, weibull
from scenario import Found, Key, Scenario, Truth, interval
from scenarios_competing import CAUSES
from scenarios_curves import as_data

import outcomes as oc

__all__ = ["AT", "OF_ADJUSTED", "RIGHT", "WRONG", "confounded", "true_risks"]

AT = 730.0
END = 1500.0
RIGHT = {"outcome": "arm + x + z", "treatment": "x + z", "censoring": "arm + x"}
WRONG = {"outcome": "arm + z", "treatment": "z", "censoring": "arm"}  # without x, which decides most

_FORMS = {
    "aipw": ("aipw", RIGHT),
    "aipw, outcome wrong": ("aipw", RIGHT | {"outcome": WRONG["outcome"]}),
    "aipw, treatment and censoring wrong": ("aipw", WRONG | {"outcome": RIGHT["outcome"]}),
    "iptw": ("iptw", RIGHT),
    "g-formula": ("g-formula", RIGHT),
}


def confounded(rng: np.random.Generator, people: int, *, lost_by_x: float = 0.5) -> pd.DataFrame:
    """Return people more of whom are in b the higher x is; x raises both causes' hazards and that of being lost."""
    x, z = rng.standard_normal(people), rng.integers(0, 2, people)
    arm = np.where(rng.random(people) < _in_b(x, z), "b", "a")
    first, second = _ratios(arm == "b", x, z)
    cause = np.where(rng.random(people) < first / (first + second), 1, 2)
    lost = rng.exponential(1500.0, people) / np.exp(lost_by_x * x + 0.3 * (arm == "b"))
    return observed(weibull(rng, first + second), np.minimum(lost, END), cause, arm=arm, x=x, z=z)


def true_risks(estimand: str, time: float = AT) -> tuple[float, float]:
    """Return the incidence of the first cause in a and in b of everybody, or of the people of b (quadrature over x)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    x, z = np.repeat(nodes, 2), np.tile([0, 1], len(nodes))
    share = np.repeat(weights, 2) * (_in_b(x, z) if estimand == "att" else 1.0)
    risks = []
    for in_b in (False, True):
        first, second = _ratios(np.full(len(x), in_b), x, z)
        each = first / (first + second) * -np.expm1(-(first + second) * hazard(time))
        risks.append(float(share @ each / share.sum()))
    return risks[0], risks[1]


def _in_b(x: np.ndarray, z: np.ndarray) -> np.ndarray:
    return np.asarray(1 / (1 + np.exp(-(0.8 * x + 0.4 * z - 0.2))))


def _ratios(in_b: np.ndarray, x: np.ndarray, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the hazards of both causes against the Weibull's."""
    first = np.exp(-0.4 * in_b + 0.7 * x + 0.3 * z - 0.2)
    return first, np.exp(0.2 * in_b + 0.4 * x - 1.0)


def _adjusted(rng: np.random.Generator) -> dict[Key, Found]:
    data = as_data(confounded(rng, 500), causes=CAUSES)
    return {
        (f"adjusted_curves, {said}", f"difference in incidence of first, {estimand}"): interval(row)
        for estimand in ("ate", "att")
        for said, row in _differences(data, estimand)
    }


def _differences(data: oc.SurvivalData, estimand: str) -> Iterator[tuple[str, pd.Series]]:
    for said, (method, models) in _FORMS.items():
        curves = oc.adjusted_curves(data, estimand=estimand, method=method, **models)
        yield said, oc.compare(curves, measure="risk_difference", at=AT).to_frame().iloc[0]


def _truths() -> dict[str, Truth]:
    found = {}
    for estimand in ("ate", "att"):
        a, b = true_risks(estimand)
        found[f"difference in incidence of first, {estimand}"] = Truth(b - a)
    return found


OF_ADJUSTED = (
    Scenario(
        "adjusted curves",
        "500 people; a normal covariate x sends people to b, raises the hazards of both causes (log hazard ratios 0.7 and 0.4) and that of "
        "being lost (0.5); a binary one matters less. Wrong models leave x out. Truths by Gauss–Hermite quadrature.",
        500,
        _adjusted,
        _truths(),
    ),
)
