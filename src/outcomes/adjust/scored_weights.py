"""Weights that know the covariates they were made from: how alike they make the arms, and where the arms overlap."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from outcomes.adjust.balancing import Balance, balance_of
from outcomes.adjust.overlapping import Overlap, overlap_of
from outcomes.errors import EstimationError
from outcomes.results import Array, Weights

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ScoredWeights"]


_UNLIKE = 0.10  # standard deviations


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ScoredWeights(Weights):
    """Weights with the formula and covariates they came from; P people.

    Attributes
    ----------
    formula : str
    columns, terms : tuple of str
        Columns of the formula's design without the intercept, and the term each belongs to.
    design : ndarray, shape (P, len(columns))
    score, linear : ndarray, shape (P,) with two arms, (P, A) with more, or None
        Propensity score, and its log odds: of being in the arm that is not the reference; of several arms, of being in each of them
        rather than in any other. None where none was asked for.
    baseline : pandas.DataFrame
    focal : str or None
        With several arms, the one whose people the ATT is about.
    sampling : ndarray, shape (P,), or None
        Sampling weights, which are part of `values`; the arms before weighting are described with these alone.
    """

    done: ClassVar[str] = "weighting"  # what was done to make the arms alike

    formula: str
    columns: tuple[str, ...]
    terms: tuple[str, ...]
    design: Array
    score: Array | None
    linear: Array | None
    baseline: pd.DataFrame
    focal: str | None = None
    sampling: Array | None = None

    def balance(
        self,
        terms: Sequence[str] | None = None,
        *,
        denominator: str | None = None,
        binary: str = "sample",
        squares: bool = False,
        interactions: bool = False,
    ) -> Balance:
        """Return how alike the arms are before and after; of several arms, every two of them.

        Parameters
        ----------
        terms : sequence of str, optional
            Columns of ``data.baseline``; default the covariates of the formula, and the score itself. Factors give one row
            a level.
        denominator : {"pooled", "arm", "reference"}, optional
            Whose standard deviation, in the unadjusted sample, differences are divided by. Default: pooled (over all arms) for ATE,
            overlap and matching weights, the arm's for ATT, the reference's for ATC. Of several arms "arm" is the one the ATT is about.
        binary : {"sample", "population"}
            Variance of a 0/1 column: with n - 1, as for numbers; or p(1 - p), as MatchIt and cobalt take it.
        squares, interactions : bool
            Also judge squares of numbers, and products of every two covariates.
        """
        return balance_of(
            self, terms, denominator=denominator, binary=binary, squares=squares, interactions=interactions
        )

    def overlap(self, *, by: Sequence[str] = ()) -> Overlap:
        """Return how the scores of the arms overlap, and (with `by`) which cells of columns hold one arm only.

        Raises
        ------
        EstimationError
            There is no score.
        """
        if self.score is None:
            raise EstimationError("overlap: these people were matched without a score. Take weight(…).overlap().")
        return overlap_of(self, by=by)

    def still_unlike(self) -> dict[str, float]:
        """Return the columns of the formula whose means still differ between two arms by more than 0.10, with the largest difference.

        In standard deviations within the arms before weighting.
        """
        base = np.ones(len(self.arm)) if self.sampling is None else np.asarray(self.sampling)
        before, after, spread = [], [], []
        for arm in range(len(self.arms)):
            mine = self.arm == arm
            rows = self.design[mine]
            if not self.values[mine].sum() > 0:
                return {}
            before.append(np.average(rows, axis=0, weights=base[mine]))
            spread.append(np.average(np.square(rows - before[-1]), axis=0, weights=base[mine]))
            after.append(np.average(rows, axis=0, weights=self.values[mine]))
        unit = np.sqrt(np.mean(spread, axis=0))
        gap = np.ptp(np.array(after), axis=0)
        apart = np.divide(gap, unit, out=np.zeros_like(gap), where=unit > 0)
        return {name: float(size) for name, size in zip(self.columns, apart, strict=True) if size > _UNLIKE}

    def scores(self) -> tuple[Array, Array]:
        """Return the score and its log odds, where there are any."""
        return np.asarray(self.score), np.asarray(self.linear)
