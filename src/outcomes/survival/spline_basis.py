"""Natural cubic splines of log time: the shape of a log cumulative hazard (Royston & Parmar 2002, Statistics in Medicine 21:2175)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import Array, read_only

__all__ = ["SplineBasis", "spline_basis"]


@dataclass(frozen=True)
class SplineBasis:
    """Columns log t, v1(log t), ..., vm(log t) for m inner knots, made uncorrelated over the events for the fit.

    Attributes
    ----------
    knots : ndarray, shape (m + 2,)
        On log time, the boundaries first and last: linear beyond them.
    centre : ndarray, shape (m + 1,)
    turn : ndarray, shape (m + 1, m + 1)
        ``(columns - centre) @ turn`` are the columns of the fit.
    """

    knots: Array
    centre: Array
    turn: Array

    def values(self, log_t: Array) -> Array:
        """Return the columns of the fit, shape (N, m + 1)."""
        return np.asarray((raw_columns(log_t, self.knots) - self.centre) @ self.turn)

    def slopes(self, log_t: Array) -> Array:
        """Return their derivatives by log time, shape (N, m + 1)."""
        return np.asarray(raw_slopes(log_t, self.knots) @ self.turn)


def spline_basis(knots: int | Sequence[float], event_times: Array) -> SplineBasis:
    """Return the basis with `knots` inner knots at quantiles of the log event times, or at the times given."""
    log_t = np.log(event_times)
    if isinstance(knots, int):
        if not 0 <= knots <= 8:
            raise EstimationError(f"parametric: knots must be a number from 0 to 8, or times; got {knots}.")
        inner = np.quantile(log_t, np.arange(1, knots + 1) / (knots + 1)) if knots else np.empty(0)
    else:
        given = np.asarray(list(knots), dtype=np.float64)
        inside = np.isfinite(given) & (given > event_times.min()) & (given < event_times.max())
        if not inside.all():
            raise EstimationError(
                f"parametric: {int((~inside).sum())} of {len(given)} knots do not lie between the first and the last event."
            )
        inner = np.log(np.sort(given))
    found = np.concatenate(([log_t.min()], inner, [log_t.max()]))
    if min(len(np.unique(found)), len(np.unique(log_t))) < len(found):
        raise EstimationError(
            f"parametric: {len(inner)} knots need events at {len(found)} different times or more, spread between them. Take fewer."
        )
    columns = raw_columns(log_t, found)
    centre = columns.mean(axis=0)
    triangle = np.linalg.qr(columns - centre, mode="r") / np.sqrt(len(log_t))
    return SplineBasis(read_only(found), read_only(centre), read_only(np.linalg.inv(triangle)))


def raw_columns(log_t: Array, knots: Array) -> Array:
    """Return log t and v_j(log t), shape (N, m + 1)."""
    low, high = knots[0], knots[-1]
    columns = [log_t]
    for knot in knots[1:-1]:
        share = (high - knot) / (high - low)
        columns.append(_cube(log_t - knot) - share * _cube(log_t - low) - (1 - share) * _cube(log_t - high))
    return np.stack(columns, axis=-1)


def raw_slopes(log_t: Array, knots: Array) -> Array:
    """Return the derivatives of `raw_columns` by log t, shape (N, m + 1)."""
    low, high = knots[0], knots[-1]
    columns = [np.ones_like(log_t)]
    for knot in knots[1:-1]:
        share = (high - knot) / (high - low)
        parts = (np.maximum(log_t - at, 0.0) ** 2 for at in (knot, low, high))
        first, second, third = parts
        columns.append(3 * (first - share * second - (1 - share) * third))
    return np.stack(columns, axis=-1)


def _cube(x: Array) -> Array:
    return np.asarray(np.maximum(x, 0.0) ** 3)
