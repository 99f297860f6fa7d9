"""What a parametric model says of people: shares free of the event, and times by which a share has had it, with their slopes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.survival.parametric_fit import predictors

if TYPE_CHECKING:
    from outcomes.survival.parametric_families import Family

__all__ = ["Averaged", "Estimate", "averaged_survival", "event_times", "survival"]

_BISECTIONS = 80


@dataclass(frozen=True)
class Estimate:
    """M numbers and how they move with the p coefficients.

    Attributes
    ----------
    value : ndarray, shape (M,)
    slope : ndarray, shape (M, p)
    """

    value: Array
    slope: Array

    def std_error(self, covariance: Array) -> Array:
        """Return standard errors by the delta method, shape (M,)."""
        variance = np.einsum("mp,pq,mq->m", self.slope, covariance, self.slope)
        return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


@dataclass(frozen=True)
class Averaged(Estimate):
    """M means over people, and what each person adds to them.

    Attributes
    ----------
    kinds : ndarray, shape (K, M)
        The numbers of people who are alike in every column.
    who : ndarray of int, shape (P,)
        Each person's kind.
    """

    kinds: Array
    who: IntArray

    def apart(self) -> Array:
        """Return by how much each person's numbers lie above the means, shape (P, M)."""
        found: Array = (self.kinds - self.value)[self.who]
        return found


def survival(family: Family, designs: tuple[Array, ...], theta: Array, time: float) -> Estimate:
    """Return each person's probability to be free of the event at one time; `designs` (n, p_k) each."""
    from autograd import elementwise_grad

    eta = predictors(designs, theta)
    if time == 0:
        return Estimate(np.ones(len(eta[0])), np.zeros((len(eta[0]), len(theta))))
    log_t = np.full(len(eta[0]), np.log(time))

    def hazard(*linear: Array) -> Any:
        return family.cumulative_hazard(log_t, *linear)

    with np.errstate(all="ignore"):
        value = np.exp(-family.cumulative_hazard(log_t, *eta))
        slopes = [-(value * elementwise_grad(hazard, k)(*eta))[:, None] * design for k, design in enumerate(designs)]
    return Estimate(value, np.nan_to_num(np.hstack(slopes), posinf=0.0, neginf=0.0))


def averaged_survival(
    family: Family, designs: tuple[Array, ...], weight: Array, theta: Array, times: Array
) -> Averaged:
    """Return the weighted mean of everybody's probability to be free of the event, at each time."""
    alike, who = np.unique(np.hstack(designs), axis=0, return_inverse=True)
    share = np.bincount(who.ravel(), weights=weight / weight.sum(), minlength=len(alike))
    ends = np.cumsum([design.shape[1] for design in designs])
    blocks = tuple(np.split(alike, ends[:-1], axis=1))
    each = [survival(family, blocks, theta, float(time)) for time in times]
    kinds = np.stack([e.value for e in each], axis=1)
    return Averaged(share @ kinds, np.stack([share @ e.slope for e in each]), kinds, who.ravel())


def event_times(family: Family, designs: tuple[Array, ...], theta: Array, share: float) -> Estimate:
    """Return the log time by which `share` of people like each have had the event; infinite where so many never have it."""
    from autograd import elementwise_grad

    eta = predictors(designs, theta)
    wanted = -np.log1p(-share)
    low, high = np.full(len(eta[0]), -50.0), np.full(len(eta[0]), 100.0)
    with np.errstate(all="ignore"):
        reached = family.cumulative_hazard(high, *eta) >= wanted
        for _ in range(_BISECTIONS):
            middle = (low + high) / 2
            passed = family.cumulative_hazard(middle, *eta) >= wanted
            low, high = np.where(passed, low, middle), np.where(passed, middle, high)
        log_t = (low + high) / 2
        rate = np.exp(family.log_hazard(log_t, *eta) + log_t)

        def hazard(*linear: Array) -> Any:
            return family.cumulative_hazard(log_t, *linear)

        slopes = [-(elementwise_grad(hazard, k)(*eta) / rate)[:, None] * design for k, design in enumerate(designs)]
    slope = np.where(reached[:, None], np.hstack(slopes), np.nan)
    return Estimate(np.where(reached, log_t, np.inf), slope)
