"""Distributions of time as functions of linear predictors: cumulative hazard and log hazard at log time, differentiable.

Every function takes log times and one array of linear predictors a parameter, all of one shape, and works row by row.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import autograd.numpy as anp
import numpy as np
from autograd.scipy.stats import norm

from outcomes.results import Array
from outcomes.survival.generalized_gamma import log_density, log_survival
from outcomes.survival.spline_basis import SplineBasis

__all__ = ["DISTRIBUTIONS", "Family", "family_of"]

DISTRIBUTIONS = ("weibull", "exponential", "lognormal", "loglogistic", "generalized_gamma", "spline", "cure")

# what an intercept and what a covariate's coefficient is called, by parameter
_MEASURES = MappingProxyType(
    {
        "location": ("log_time", "log_time_ratio"),
        "log_scale": ("log_scale", "log_scale_ratio"),
        "shape": ("shape", "shape_difference"),
        "log_cumulative_hazard": ("log_cumulative_hazard", "log_hazard_ratio"),
        "cured": ("log_odds", "log_odds_ratio"),
    }
)


@dataclass(frozen=True)
class Family:
    """One distribution; the first parameter takes the formula, the others an intercept unless asked otherwise."""

    name: ClassVar[str]
    parameters: ClassVar[tuple[str, ...]] = ("location", "log_scale")
    sentence: ClassVar[str] = "Above 1 means a longer time to the event."

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the parameters."""
        return self.parameters

    def measure(self, parameter: str, *, intercept: bool) -> str:
        """Return what a coefficient of a parameter is."""
        return _MEASURES.get(parameter, ("coefficient", "coefficient_difference"))[0 if intercept else 1]

    def cumulative_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return the cumulative hazard."""
        raise NotImplementedError

    def log_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return the log hazard by time."""
        raise NotImplementedError

    def start(self, log_mean: float, share: float) -> Mapping[str, float]:
        """Return intercepts to begin from: an exponential of this log mean time; `share` of people had the event."""
        return {"location": log_mean}

    def as_reported(self, size: int) -> Array:
        """Return the matrix (p, p) from the coefficients of the fit to those reported; levels of the others come last."""
        return np.eye(size)


def _z(log_t: Array, location: Any, log_scale: Any) -> Any:
    return anp.clip((log_t - location) * anp.exp(-anp.clip(log_scale, -20.0, 20.0)), -1e6, 500.0)


class Exponential(Family):
    """A constant hazard."""

    name = "exponential"
    parameters = ("location",)

    def cumulative_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return t exp(-location)."""
        return anp.exp(anp.clip(log_t - eta[0], -1e6, 500.0))

    def log_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return -location."""
        return -eta[0]


class Weibull(Family):
    """Log time with extreme value errors."""

    name = "weibull"

    def cumulative_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return exp(z)."""
        return anp.exp(_z(log_t, *eta))

    def log_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return z less log scale and log time."""
        return _z(log_t, *eta) - eta[1] - log_t


class Loglogistic(Family):
    """Log time with logistic errors."""

    name = "loglogistic"

    def cumulative_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return log(1 + exp(z))."""
        return anp.logaddexp(0.0, _z(log_t, *eta))

    def log_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return the log hazard by time."""
        z = _z(log_t, *eta)
        return z - anp.logaddexp(0.0, z) - eta[1] - log_t


class Lognormal(Family):
    """Log time with normal errors."""

    name = "lognormal"

    def cumulative_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return -log Phi(-z)."""
        return -norm.logcdf(-_z(log_t, *eta))

    def log_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return the log hazard by time."""
        z = _z(log_t, *eta)
        return norm.logpdf(z) - norm.logcdf(-z) - eta[1] - log_t


class GeneralizedGamma(Family):
    """Log time with log-gamma errors of any shape: Weibull at shape 1, lognormal at 0."""

    name = "generalized_gamma"
    parameters = ("location", "log_scale", "shape")

    def cumulative_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return -log S."""
        return -log_survival(_z(log_t, *eta[:2]), eta[2])

    def log_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return the log hazard by time."""
        z = _z(log_t, *eta[:2])
        return log_density(z, eta[2]) - log_survival(z, eta[2]) - eta[1] - log_t

    def start(self, log_mean: float, share: float) -> Mapping[str, float]:
        """Begin at the exponential."""
        return {"location": log_mean, "shape": 1.0}


@dataclass(frozen=True)
class Spline(Family):
    """A log cumulative hazard that is a natural cubic spline of log time, shifted by covariates: proportional hazards."""

    basis: SplineBasis

    name: ClassVar[str] = "spline"
    sentence: ClassVar[str] = "Above 1 means sooner."

    @property
    def names(self) -> tuple[str, ...]:
        """The level, then one coefficient a column of the basis."""
        return ("log_cumulative_hazard", *(f"spline_{j + 1}" for j in range(len(self.basis.centre))))

    def _level(self, log_t: Array, eta: tuple[Any, ...]) -> Any:
        columns = np.moveaxis(self.basis.values(log_t), -1, 0)
        return eta[0] + sum(column * along for column, along in zip(columns, eta[1:], strict=True))

    def cumulative_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return exp of the spline."""
        return anp.exp(anp.clip(self._level(log_t, eta), -1e6, 500.0))

    def log_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return the log hazard by time; very low where the spline falls, which no cumulative hazard does."""
        columns = np.moveaxis(self.basis.slopes(log_t), -1, 0)
        slope = sum(column * along for column, along in zip(columns, eta[1:], strict=True))
        rising = slope > 1e-12
        return self._level(log_t, eta) + anp.log(anp.where(rising, slope, 1e-12)) - log_t

    def start(self, log_mean: float, share: float) -> Mapping[str, float]:
        """Begin at the exponential: log cumulative hazard log t - log mean."""
        along = np.linalg.inv(self.basis.turn)[:, 0]
        level = float(self.basis.centre[0]) - log_mean
        return {"log_cumulative_hazard": level, **dict(zip(self.names[1:], map(float, along), strict=True))}

    def as_reported(self, size: int) -> Array:
        """Return the way from the uncorrelated columns to log time and the cubes of Royston and Parmar."""
        found, count = np.eye(size), len(self.basis.centre)
        found[-count:, -count:] = self.basis.turn
        found[0, -count:] = -self.basis.centre @ self.basis.turn
        return found


class Cure(Family):
    """A share that never has the event, and a Weibull time for everyone else (Boag 1949; Farewell 1982)."""

    name = "cure"
    parameters = ("cured", "location", "log_scale")
    sentence = "Odds of never having the event: above 1 means that more never have it."

    def cumulative_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return -log(cured + (1 - cured) S)."""
        never, ever = -anp.logaddexp(0.0, -eta[0]), -anp.logaddexp(0.0, eta[0])
        return -anp.logaddexp(never, ever - anp.exp(_z(log_t, *eta[1:])))

    def log_hazard(self, log_t: Array, *eta: Any) -> Any:
        """Return the log hazard by time."""
        z = _z(log_t, *eta[1:])
        density = -anp.logaddexp(0.0, eta[0]) + z - anp.exp(z) - eta[2] - log_t
        return density + self.cumulative_hazard(log_t, *eta)

    def start(self, log_mean: float, share: float) -> Mapping[str, float]:
        """Begin where half of those without the event never have it."""
        never = min(max(0.5 * (1 - share), 0.05), 0.95)
        return {"cured": float(np.log(never / (1 - never))), "location": log_mean + float(np.log(max(share, 0.05)))}


_PLAIN = {f.name: f for f in (Exponential, Weibull, Loglogistic, Lognormal, GeneralizedGamma, Cure)}


def family_of(distribution: str, basis: SplineBasis | None) -> Family:
    """Return the family of a distribution's name; `basis` for the spline."""
    return Spline(basis) if basis is not None else _PLAIN[distribution]()
