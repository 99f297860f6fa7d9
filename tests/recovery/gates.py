"""The gates of recovery: how far an estimate may be off, how often an interval must hold the truth, how often a test may cry wolf."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from scenario import Band, Estimate, Found, Interval, PValue, Truth

__all__ = ["BOUNDED", "FULL", "Gates", "gates_for", "summary_row"]

LEVEL = 0.95
_HALF = 0.0005  # each tail of the 99.9 % band


@dataclass(frozen=True)
class Gates:
    """How strictly a run is judged: the whole one, or the bounded one of every day.

    Attributes
    ----------
    errors : int
        Monte-Carlo errors by which a mean may be off, beside 0.1 standard deviations.
    exact : bool
        Shares must lie inside the exact binomial 99.9 % band of the nominal one, not inside fixed limits.
    """

    errors: int
    exact: bool

    def band(self, nominal: float, replicates: int) -> tuple[float, float]:
        """Return between which limits a share of replicates must lie."""
        if not self.exact:
            return (0.925, 0.975) if nominal == LEVEL else (0.035, 0.065)
        from scipy.stats import binom

        low, high = binom.ppf([_HALF, 1 - _HALF], replicates, nominal) / replicates
        return float(low), float(high)

    def near(self, bias: float, spread: float, error: float) -> bool:
        """Return whether a mean lies near enough to the truth."""
        return abs(bias) <= 0.1 * spread + self.errors * error

    def right_share(self, share: float, nominal: float, replicates: int, *, conservative: bool) -> bool:
        """Return whether a share of replicates is right; a conservative one may be off to the safe side."""
        low, high = self.band(nominal, replicates)
        safe_high = conservative and nominal == LEVEL
        safe_low = conservative and nominal != LEVEL
        return (share >= low or safe_low) and (share <= high or safe_high)


FULL = Gates(errors=3, exact=False)
BOUNDED = Gates(errors=4, exact=True)
_WHOLE = 2000


def gates_for(replicates: int) -> Gates:
    """Return the gates a number of replicates can bear: with fewer than 2,000 the fixed limits would fail what is right by chance."""
    return FULL if replicates >= _WHOLE else BOUNDED


def summary_row(found: Sequence[Found], truth: Truth | None, gates: Gates, *, conservative: bool) -> dict[str, Any]:
    """Return one row over replicates: mean, bias, spread, coverage (or rejections), Monte-Carlo errors, and whether they pass."""
    if isinstance(found[0], Interval):
        if truth is None:
            raise KeyError("an interval needs a truth")
        return _of_intervals(np.array(found, dtype=np.float64), truth, gates, conservative=conservative)
    if isinstance(found[0], Estimate):
        if truth is None:
            raise KeyError("an estimate needs a truth")
        return _of_estimates(np.array(found, dtype=np.float64)[:, 0], truth, gates)
    if isinstance(found[0], PValue):
        hit = np.array([one.value < 1 - LEVEL for one in found if isinstance(one, PValue)])
        return _of_shares(hit, "type I error", 1 - LEVEL, gates, conservative=conservative)
    hit = np.array([one.holds for one in found if isinstance(one, Band)])
    return _of_shares(hit, "coverage of a curve", LEVEL, gates, conservative=conservative)


def _of_estimates(values: np.ndarray, truth: Truth, gates: Gates) -> dict[str, Any]:
    """Return the row of estimates, shape (R,)."""
    spread = float(values.std(ddof=1))
    bias, bias_error = float(values.mean() - truth.value), float(np.hypot(spread / np.sqrt(len(values)), truth.error))
    return {
        "kind": "estimate", "replicates": len(values), "truth": truth.value, "truth_error": truth.error,
        "mean_estimate": float(values.mean()), "bias": bias, "bias_mcse": bias_error, "empirical_sd": spread,
        "passed": gates.near(bias, spread, bias_error),
    }  # fmt: skip


def _of_intervals(values: np.ndarray, truth: Truth, gates: Gates, *, conservative: bool) -> dict[str, Any]:
    """Return the row of estimates, shape (R, 4): estimate, standard error, limits. A limit that is missing holds nothing."""
    estimate, error, low, high = values.T
    row, count = _of_estimates(estimate, truth, gates), len(estimate)
    mean_error = float(error.mean())
    coverage = float(((low <= truth.value) & (truth.value <= high)).mean())
    good = row["passed"] and gates.right_share(coverage, LEVEL, count, conservative=conservative)
    return row | {
        "kind": "interval", "mean_std_error": mean_error, "se_ratio": mean_error / row["empirical_sd"], "share": coverage,
        "share_mcse": _share_error(coverage, count), "passed": bool(good),
    }  # fmt: skip


def _of_shares(hit: np.ndarray, kind: str, nominal: float, gates: Gates, *, conservative: bool) -> dict[str, Any]:
    share, count = float(hit.mean()), len(hit)
    good = gates.right_share(share, nominal, count, conservative=conservative)
    return {
        "kind": kind, "replicates": count, "share": share, "share_mcse": _share_error(share, count), "passed": bool(good),
    }  # fmt: skip


def _share_error(share: float, count: int) -> float:
    return float(np.sqrt(share * (1 - share) / count))
