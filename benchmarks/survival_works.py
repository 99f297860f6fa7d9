"""The pieces of work that are timed: how many people, what is asked of whom, and what is aimed at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd

import our_calls as ours
import outcomes as oc
from invented_people import CAUSES, FORMULA, TERMS
from outcomes.survival.cox_kernel import newton

__all__ = ["AIMS", "GROWING", "WORKS", "Aim", "Work", "columns_read", "kernel"]


@dataclass(frozen=True)
class Work:
    """A question asked of us and of others.

    Attributes
    ----------
    name, title : str
    question : str
        Name of the question in the tables of the peers.
    people : int
    main : callable
        Ours, timed; what the ratios are of.
    same : callable or None
        Ours without what those peers cannot do that are not in `whole`; timed too.
    peers : tuple of str
        Who is asked.
    whole : tuple of str
        Peers that do all that `main` does.
    """

    name: str
    title: str
    question: str
    people: int
    main: Callable[[pd.DataFrame], pd.DataFrame]
    same: Callable[[pd.DataFrame], pd.DataFrame] | None = None
    peers: tuple[str, ...] = ()
    whole: tuple[str, ...] = field(default=())


@dataclass(frozen=True)
class Aim:
    """What is aimed at: so many times faster than a peer (or the best of them), or at most so many seconds (or a sort's)."""

    work: str
    kind: str  # "faster", "seconds" or "sort"
    value: float
    against: str = "best"


def _robust(frame: pd.DataFrame) -> pd.DataFrame:
    return ours.cox(frame, robust=True)


def _weighted(frame: pd.DataFrame) -> pd.DataFrame:
    return ours.cox(frame, robust=True, weighted=True)


def _fine_gray_weighted(frame: pd.DataFrame) -> pd.DataFrame:
    return ours.fine_gray(frame, weighted=True)


WORKS = (
    Work(
        "cox_robust_100k", "Cox, Efron, robust by person, weighted", "cox_robust", 100_000, _weighted, _robust,
        ("R", "lifelines", "greenwood", "surpyval"), ("R", "lifelines"),
    ),
    Work("cox_robust_1m", "Cox, Efron, robust by person, weighted", "cox_robust", 1_000_000, _weighted, _robust, ("surpyval",)),
    Work("cox_model_1m", "Cox, Efron, model variance", "cox_model", 1_000_000, ours.cox, None, ("R", "lifelines", "surpyval")),
    Work(
        "cox_1k", "Cox, Efron, model variance", "cox_model", 1_000, ours.cox, None,
        ("R", "lifelines", "statsmodels", "greenwood", "surpyval"),
    ),
    Work(
        "fine_gray_10k", "Fine–Gray, weighted, strata", "fine_gray", 10_000, _fine_gray_weighted, ours.fine_gray,
        ("R", "surpyval"),
    ),
    Work(
        "aalen_johansen_100k", "Aalen–Johansen, weighted, two arms", "aalen_johansen", 100_000, ours.aalen_johansen, None,
        ("R",), ("R",),
    ),
    Work(
        "kaplan_meier_1m", "Kaplan–Meier", "kaplan_meier", 1_000_000, ours.kaplan_meier, None,
        ("R", "lifelines", "statsmodels", "greenwood", "surpyval"),
    ),
)  # fmt: skip

AIMS = (
    Aim("cox_robust_100k", "faster", 4),
    Aim("cox_robust_100k", "faster", 300, "lifelines"),
    Aim("cox_robust_100k", "faster", 300, "R"),
    Aim("cox_robust_1m", "faster", 3),
    Aim("cox_model_1m", "faster", 1.8),
    Aim("cox_1k", "seconds", 0.008),
    Aim("cox_1k", "seconds", 0.003, "our kernel"),
    Aim("fine_gray_10k", "faster", 2),
    Aim("aalen_johansen_100k", "faster", 20),
    Aim("kaplan_meier_1m", "sort", 1.0),
)

GROWING: dict[str, tuple[str, Callable[[pd.DataFrame], Any]]] = {
    "cox_model": ("Cox, model variance", ours.cox),
    "cox_robust": ("Cox, robust, weighted", _weighted),
    "fine_gray": ("Fine–Gray", ours.fine_gray),
    "aalen_johansen": ("Aalen–Johansen, weighted", ours.aalen_johansen),
    "kaplan_meier": ("Kaplan–Meier", ours.kaplan_meier),
}


def columns_read(question: str, frame: pd.DataFrame) -> int | None:
    """Return how many times a column of the data must pass by at the least; None where sorting is the limit.

    A Cox or Fine–Gray model reads its covariates 4 times to take, check, and order them, 3 times at each value of the coefficients
    (score, mean and information) and, robust, 3 times for the residuals. A weighted Aalen–Johansen curve reads time, end, arm and
    weight twice, and for the jackknife of each cause 8 columns made of them.
    """
    if question == "kaplan_meier":
        return None
    if question == "aalen_johansen":
        return 2 * 4 + len(CAUSES) * 8
    competing = question == "fine_gray"
    data = oc.survival_data(
        frame, duration="days", event="end" if competing else "event", causes=CAUSES if competing else None
    )
    fit = oc.fine_gray(data, FORMULA, cause=CAUSES[1]) if competing else oc.cox(data, FORMULA)
    values = newton(fit.rows).iterations + 1
    return len(TERMS) * (4 + 3 * values + (0 if question == "cox_model" else 3))


def kernel(frame: pd.DataFrame) -> Callable[[], np.ndarray]:
    """Return the Cox fit of arrays that are ready: weighted rows in order."""
    data = oc.survival_data(frame, duration="days", event="event")
    rows = oc.cox(data, FORMULA, weights="weight").rows
    return lambda: newton(rows).beta
