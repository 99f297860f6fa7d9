"""Estimates to pool over imputed sets, and Rubin's rules written out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import t

import outcomes as oc

__all__ = ["MODELS", "Estimate", "M", "by_hand", "weighted"]

Estimate = Callable[[oc.SurvivalData], Any]
M = 5
FORMULA = "risk + denial + band"


def weighted(data: oc.SurvivalData) -> oc.Weights:
    return oc.weight(data, FORMULA, estimand="ate")


def by_hand(estimates: np.ndarray, errors: np.ndarray, complete: float = np.inf) -> dict[str, np.ndarray]:
    """Return Rubin's rules of numbers (m, k), written out."""
    m, mean, within = len(estimates), estimates.mean(axis=0), (errors**2).mean(axis=0)
    between = ((estimates - mean) ** 2).sum(axis=0) / (m - 1)
    total = within + (1 + 1 / m) * between
    share = (1 + 1 / m) * between / total
    df = (m - 1) / share**2
    if np.isfinite(complete):
        seen = (complete + 1) / (complete + 3) * complete * (1 - share)
        df = df * seen / (df + seen)
    return {"estimate": mean, "std_error": np.sqrt(total), "df": df, "reach": t.ppf(0.975, df) * np.sqrt(total)}


MODELS: dict[str, Estimate] = {
    "cox": lambda d: oc.cox(d, f"arm + {FORMULA}", cause="any"),
    "cox, weighted": lambda d: oc.cox(d, "arm", cause="any", weights=weighted(d)),
    "cox with a ridge": lambda d: oc.cox(d, "arm + risk", cause="any", penalty=0.5),
    "cause-specific": lambda d: oc.cause_specific(d, "arm + risk"),
    "fine_gray": lambda d: oc.fine_gray(d, "arm + risk", cause="any"),
    "weibull": lambda d: oc.parametric(d, "arm + risk", distribution="weibull", cause="any"),
    "spline": lambda d: oc.parametric(d, "arm + risk", distribution="spline", cause="any"),
    "rmst_regression": lambda d: oc.rmst_regression(d, "arm + risk", horizon=300),
    "rate_model": lambda d: oc.rate_model(d, "arm + risk", cause="any"),
    "rmst": lambda d: oc.rmst(d, horizon=300, weights=weighted(d)),
    "risk difference": lambda d: oc.compare(
        oc.cumulative_incidence(d, weights=weighted(d)), measure="risk_difference", at=[200, 300]
    ),
    "rmst difference": lambda d: oc.compare(oc.rmst(d, horizon=300, weights=weighted(d)), measure="rmst_difference"),
}
