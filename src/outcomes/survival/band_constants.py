"""Constants of simultaneous bands: how far a Brownian bridge strays between two shares of its time."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np

from outcomes.results import Array, read_only

__all__ = ["equal_precision_constant", "hall_wellner_constant"]

_NODES = 64
_SHORTEST = 0.02  # a shorter stretch is widened to this: the kernel between its ends is too sharp for the quadrature


def equal_precision_constant(low: float, high: float, conf_level: float) -> float:
    """Return c with P(sup |B(u)| / sqrt(u (1 - u)) > c, low <= u <= high) = 1 - conf_level, B a Brownian bridge.

    By the tail approximation of Miller & Siegmund (1982), Biometrics 38:1011, as in Nair (1984), Technometrics 26:265; it errs
    to the wide side where the interval is short, and is never below the constant of one point.
    """
    from scipy.special import ndtri

    low, high = max(low, 1e-12), min(high, 1 - 1e-12)
    ratio = np.log(high * (1 - low) / (low * (1 - high)))

    def beyond(c: float) -> float:
        density = np.exp(-c * c / 2) / np.sqrt(2 * np.pi)
        return float(4 * density / c + density * (c - 1 / c) * ratio)

    return _solve(beyond, float(ndtri(0.5 + conf_level / 2)), 12.0, 1 - conf_level)


def hall_wellner_constant(low: float, high: float, conf_level: float) -> float:
    """Return k with P(sup |B(u)| > k, low <= u <= high) = 1 - conf_level, B a Brownian bridge.

    Hall & Wellner (1980), Biometrika 67:133. From the probability of staying within -k and k between the two shares, given where
    B is at each (reflection), averaged over both by quadrature. A stretch shorter than 0.02 counts as that long.
    """
    short = max(_SHORTEST - (high - low), 0.0) / 2
    begin, end = max(low - short, 0.0), min(high + short, 1.0)
    return _solve(lambda k: 1 - _stays(k, begin, end), 0.2, 3.0, 1 - conf_level)


def _solve(falling: Callable[[float], float], low: float, high: float, level: float) -> float:
    """Return where a falling function comes down to `level`, `low` where it is there already."""
    if falling(low) <= level:
        return low
    for _ in range(32):
        middle = (low + high) / 2
        low, high = (middle, high) if falling(middle) > level else (low, middle)
    return (low + high) / 2


def _stays(k: float, low: float, high: float) -> float:
    """Return P(|B(u)| <= k for low <= u <= high)."""
    x, at_low = _places(k, low)
    y, at_high = _places(k, 1 - high)
    return float(at_low @ _killed(x[:, None], y[None, :], k, high - low) @ at_high * np.sqrt(2 * np.pi))


def _places(k: float, spread: float) -> tuple[Array, Array]:
    """Return places within -k and k, and weights that integrate a normal density with variance `spread` over them."""
    if spread < 1e-12:
        return np.zeros(1), np.ones(1)
    node, weight = _nodes()
    reach = min(k, 9 * np.sqrt(spread))
    place = reach * node
    return place, reach * weight * np.exp(-(place**2) / (2 * spread)) / np.sqrt(2 * np.pi * spread)


@cache
def _nodes() -> tuple[Array, Array]:
    """Return nodes and weights of Gauss–Legendre quadrature over -1 to 1, shape (_NODES,) each."""
    node, weight = np.polynomial.legendre.leggauss(_NODES)
    return read_only(node), read_only(weight)


def _killed(x: Array, y: Array, k: float, time: float) -> Array:
    """Return the density of a Brownian motion from x to y in `time` that never leaves (-k, k): images of y by reflection."""
    images = 4 * k * np.arange(-4, 5)[:, None, None]

    def density(gap: Array) -> Array:
        return np.asarray(np.exp(-(gap**2) / (2 * time)) / np.sqrt(2 * np.pi * time))

    return np.asarray((density(y - x + images) - density(2 * k - y - x + images)).sum(axis=0))
