"""P-values of several tests at once. Rows without a p-value are not tests and are not counted."""

from __future__ import annotations

import numpy as np

from outcomes.results import Array

__all__ = ["benjamini_hochberg", "holm"]


def holm(p: Array) -> Array:
    """Return p-values adjusted by Holm's method, which bounds the chance of any false finding.

    Examples
    --------
    >>> holm(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.06, 0.06]
    """
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    stepped = np.maximum.accumulate(p[order] * (len(order) - np.arange(len(order))))
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted


def benjamini_hochberg(p: Array) -> Array:
    """Return p-values adjusted by Benjamini and Hochberg's method, which bounds the share of false findings.

    Examples
    --------
    >>> benjamini_hochberg(np.array([0.01, 0.04, 0.03])).round(3).tolist()
    [0.03, 0.04, 0.04]
    """
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")[::-1]]
    stepped = np.minimum.accumulate(p[order] * (len(order) / (len(order) - np.arange(len(order)))))
    adjusted = np.full(len(p), np.nan)
    adjusted[order] = np.minimum(stepped, 1.0)
    return adjusted
