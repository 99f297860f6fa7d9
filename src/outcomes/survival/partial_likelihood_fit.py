"""What models fitted by a partial likelihood over sorted rows share: their data, coefficients, and sums over risk sets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.results import Array, Note, Result
from outcomes.survival.cox_kernel import RiskSums, risk_sums
from outcomes.survival.cox_rows import CoxRows
from outcomes.survival.design_matrix import DesignMatrix
from outcomes.survival.fitted_information import held_wide
from outcomes.survival.inputs import Asked

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["PartialLikelihoodFit"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PartialLikelihoodFit(Result):
    """A fitted model; p terms.

    Attributes
    ----------
    design : DesignMatrix
        How columns are made from a frame; its values are those of no row.
    coefficients : ndarray, shape (p,)
        Log ratios of hazards.
    covariance, model_covariance : ndarray, shape (p, p)
        The covariance the standard errors come from; the inverse information.
    loglik_null, loglik : float
        Log (pseudo-)likelihood at 0 and at the estimate.
    rows : CoxRows
        The sorted rows it was fitted to, centred and scaled.
    centre, scale : ndarray, shape (p,)
        Mean and standard deviation of each column; `coefficients` are per unit, those of the sorted rows per standard deviation.
    strata_levels : pandas.DataFrame or None
        Values of the strata's columns, one row a code of the sorted rows' strata.
    away : tuple of str
        Terms whose coefficients have no finite maximum.
    """

    data: SurvivalData
    asked: Asked
    formula: str
    cause: str
    ties: str
    design: DesignMatrix
    coefficients: Array
    covariance: Array
    model_covariance: Array
    loglik_null: float
    loglik: float
    rows: CoxRows
    centre: Array
    scale: Array
    strata_levels: pd.DataFrame | None = None
    away: tuple[str, ...] = ()
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    tabled: ClassVar[bool] = True

    @property
    def terms(self) -> tuple[str, ...]:
        """Column names: numeric columns keep theirs, a level is ``arm[bespoke]``."""
        return self.design.columns

    def wide_where_away(self, covariance: Array) -> Array:
        """Return a robust covariance (p, p) that says of terms without a finite maximum that nothing is known of them."""
        return held_wide(
            np.asarray(covariance), np.asarray(self.model_covariance), [name in self.away for name in self.terms]
        )

    @property
    def n_events(self) -> int:
        """Number of events the model was fitted to, frequencies counted."""
        return int(self.rows.deaths.sum())

    @property
    def n(self) -> int:
        """Number of people with a weight above 0, frequencies counted."""
        return int(self.asked.people_by_arm(self.data).sum())

    @property
    def scaled(self) -> Array:
        """Coefficients per standard deviation, shape (p,)."""
        return self.coefficients * self.scale

    @cached_property
    def sums(self) -> RiskSums:
        """Sums over risk sets at the estimate."""
        return risk_sums(self.rows, self.scaled)
