"""A fitted hazard: its jumps, everybody's relative hazard in each arm, and how sums of it move with each person's weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import Array, IntArray
from outcomes.survival.arm_worlds import in_arm
from outcomes.survival.cox_baseline import encode, jumps_derivative
from outcomes.survival.cox_kernel import RiskSums, risk_sums
from outcomes.survival.cox_rows import CoxRows, sort_rows

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData
    from outcomes.survival.cox_result import Cox

__all__ = ["FittedHazard", "hazard_of_everybody", "hazard_of_model"]


@dataclass(frozen=True)
class FittedHazard:
    """A proportional hazard of P people, one row each, with p coefficients and G jumps; A arms.

    Attributes
    ----------
    x : tuple of ndarray, shape (P, p)
        Covariates of everybody in each arm, on the scale of the sorted rows.
    relative : tuple of ndarray, shape (P,)
        Hazard against the baseline of everybody in each arm.
    slopes : ndarray, shape (P, p)
        Derivative of the coefficients of `x` by each person's weight.
    rows, sums
        What the hazard was fitted to, and its sums over risk sets.
    """

    x: tuple[Array, ...]
    relative: tuple[Array, ...]
    slopes: Array
    rows: CoxRows
    sums: RiskSums

    @property
    def time(self) -> Array:
        """When the baseline jumps, shape (G,)."""
        return self.rows.time

    @property
    def jump(self) -> Array:
        """How far it jumps, shape (G,)."""
        return self.sums.hazard

    @property
    def mean(self) -> Array:
        """How much each jump falls as each coefficient rises, shape (p, G)."""
        found: Array = self.sums.s1 * self.sums.square - self.sums.d1 * self.sums.square_f
        return found

    def moved(self, by_jump: Array, by_coefficient: Array) -> Array:
        """Return what each person's weight does to T numbers that this hazard moves, shape (P, T).

        Parameters
        ----------
        by_jump : ndarray, shape (G, T)
            Derivative of each number by each jump of the baseline, coefficients fixed.
        by_coefficient : ndarray, shape (p, T)
            Derivative by each coefficient, jumps fixed.
        """
        rows = self.rows
        by_coefficient = by_coefficient - self.mean @ by_jump
        found: Array = self.slopes @ by_coefficient
        found[rows.order] += jumps_derivative(rows, self.sums, by_jump, np.arange(len(rows.order)))
        return found


def hazard_of_model(model: Cox) -> FittedHazard:
    """Return the hazard of a Cox model of one row a person, without strata or offset."""
    data, x = model.data, []
    for arm in range(len(data.arms)):
        world = in_arm(data, arm)
        x.append(encode(model, world, np.full(len(world), arm), what="adjusted_curves"))
    relative = tuple(np.exp(values @ model.scaled) for values in x)
    return FittedHazard(tuple(x), relative, model.slopes * model.scale, model.rows, model.sums)


def hazard_of_everybody(data: SurvivalData, died: IntArray) -> FittedHazard:
    """Return the hazard that is the same for everybody of ending as `died` (P,) says: events over people at risk."""
    people, ones, none = len(data.exit), np.ones(len(data.exit)), np.zeros(0)
    rows = sort_rows(
        np.asarray(data.entry), np.asarray(data.exit), died > 0, None, ones, ones, np.zeros((people, 0)), none, none,
        efron=False,
    )  # fmt: skip
    alike = np.zeros((people, 0))
    arms = len(data.arms)
    return FittedHazard((alike,) * arms, (ones,) * arms, alike, rows, risk_sums(rows, none))
