"""The generalized gamma distribution on the log scale, smooth through the lognormal at shape 0, with derivatives.

log T = mu + sigma W, where W has shape q: q = 1 is the Weibull, q = 0 the lognormal, q = sigma the gamma distribution. Derivatives in
the shape have no closed form: all are central differences over seven points, which leave errors below 1e-9.

Prentice (1974), Biometrika 61:539; Cox, Chu, Schneider & Muñoz (2007), Statistics in Medicine 26:4352.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd.extend import defvjp, primitive
from scipy.special import gammainc, gammaincc, gammaln, log_ndtr

from outcomes.results import Array

__all__ = ["log_density", "log_survival"]

_SMALL = 0.1  # below this shape the closed form of the constant cancels and its series takes over
_FLAT = 1e-5  # below this shape the distribution is the lognormal
_STEP = 0.01
_STENCILS = (
    np.array([0, 0, 0, 1, 0, 0, 0.0]),
    np.array([-1, 9, -45, 0, 45, -9, 1]) / 60 / _STEP,
    np.array([2, -27, 270, -490, 270, -27, 2]) / 180 / _STEP**2,
)


def _constant(q: Array) -> Array:
    """Return log|q| + a log a - a - log Gamma(a) with a = 1/q²: what does not depend on w in the log density."""
    small = np.abs(q) < _SMALL
    square = np.square(q)
    a = 1 / np.where(small, 1.0, square)
    series = -0.5 * np.log(2 * np.pi) - square / 12 * (1 - square**2 / 30 * (1 - 2 * square**2 / 7))
    return np.asarray(np.where(small, series, (a - 0.5) * np.log(a) - a - gammaln(a)))


def _bend(x: Array) -> Array:
    """Return (exp(x) - 1 - x) / x², which is 1/2 at 0."""
    small = np.abs(x) < 0.5
    near, far = np.where(small, x, 0.0), np.where(small, 1.0, np.minimum(x, 500.0))
    term = np.full_like(near, 0.5)
    total = term
    for k in range(3, 18):
        term = term * near / k
        total = total + term
    return np.where(small, total, (np.expm1(far) - far) / far**2)


def _log_density(w: Array, q: Array) -> Array:
    return np.asarray(_constant(q) - w**2 * _bend(q * w))


def _log_survival(w: Array, q: Array) -> Array:
    flat = np.abs(q) < _FLAT
    a = 1 / np.square(np.where(flat, 1.0, q))
    u = a * np.exp(np.clip(q * w, -500.0, 500.0))
    tail = np.where(q > 0, gammaincc(a, u), gammainc(a, u))
    return np.asarray(np.where(flat, log_ndtr(-w), np.log(np.maximum(tail, 1e-300))))


def _smooth(function: Callable[[Array, Array], Array], in_w: int = 0, in_q: int = 0) -> Any:
    """Return `function` of (w, q), differentiated so many times in each, as automatic differentiation takes it."""

    def value(w: Array, q: Array) -> Array:
        total = np.zeros(np.shape(w))
        for i, across in zip(range(-3, 4), _STENCILS[in_w], strict=True):
            for j, along in zip(range(-3, 4), _STENCILS[in_q], strict=True):
                if across * along:
                    total = total + across * along * function(w + i * _STEP, q + j * _STEP)
        return total

    found = primitive(value)
    if in_w + in_q < 2:
        by_w, by_q = _smooth(function, in_w + 1, in_q), _smooth(function, in_w, in_q + 1)
        defvjp(
            found,
            lambda answer, w, q: lambda g: g * by_w(w, q),
            lambda answer, w, q: lambda g: g * by_q(w, q),
        )
    return found


log_density = _smooth(_log_density)
_density_by_q = _smooth(_log_density, in_q=1)

log_survival: Any = primitive(_log_survival)
_by_q: Any = primitive(lambda w, q: _along_shape(w, q, 1))
_by_q_twice: Any = primitive(lambda w, q: _along_shape(w, q, 2))


def _along_shape(w: Array, q: Array, order: int) -> Array:
    steps = zip(range(-3, 4), _STENCILS[order], strict=True)
    return np.asarray(sum(c * _log_survival(w, q + j * _STEP) for j, c in steps if c))


def _hazard(w: Any, q: Any) -> Any:
    return anp.exp(log_density(w, q) - log_survival(w, q))


defvjp(
    log_survival,
    lambda answer, w, q: lambda g: -g * _hazard(w, q),
    lambda answer, w, q: lambda g: g * _by_q(w, q),
)
defvjp(
    _by_q,
    lambda answer, w, q: lambda g: g * _hazard(w, q) * (_by_q(w, q) - _density_by_q(w, q)),
    lambda answer, w, q: lambda g: g * _by_q_twice(w, q),
)
