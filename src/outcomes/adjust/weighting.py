"""Weights that make two arms alike: the function people call and the result they get."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from outcomes.adjust.balancing import Balance, balance_of
from outcomes.adjust.overlapping import Overlap, overlap_of
from outcomes.adjust.propensity import fit_propensity
from outcomes.errors import EstimationError, NotSupportedError, one_of
from outcomes.results import Array, Note, Weights, read_only
from outcomes.survival.design_matrix import design_matrix

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["ESTIMANDS", "PropensityWeights", "weight"]

ESTIMANDS = {
    "ate": "everyone compared, as they are",
    "att": "people like those in the arm that is not the reference",
    "atc": "people like those in the reference arm",
    "ato": "people who might have gone to either arm (overlap weights)",
    "atm": "people for whom a match exists in the other arm (matching weights)",
}


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PropensityWeights(Weights):
    """Weights from a propensity score, with the score and the formula it came from.

    Attributes
    ----------
    score : ndarray, shape (P,)
        Probability of being in the arm that is not the reference.
    formula : str
    columns : tuple of str
        Columns of the score's design.
    design : ndarray, shape (P, len(columns))
    c_statistic : float
    baseline : pandas.DataFrame
    """

    score: Array
    formula: str
    columns: tuple[str, ...]
    design: Array
    c_statistic: float
    baseline: pd.DataFrame

    title: ClassVar[str] = "Propensity weights"

    def balance(self) -> Balance:
        """Return how alike the arms are before and after weighting, column by column of the score's formula."""
        return balance_of(self)

    def overlap(self, *, by: Sequence[str] = ()) -> Overlap:
        """Return how the scores of the arms overlap, and (with `by`) which cells of columns hold one arm only."""
        return overlap_of(self, by=by)

    def describe(self) -> str:
        """Return the estimand in words, and the effective sample size."""
        return f"{super().describe()} The population described: {ESTIMANDS[self.estimand]}. c-statistic {self.c_statistic:.2f}."


def weight(
    data: SurvivalData,
    formula: str,
    *,
    estimand: str,
    method: str = "logistic",
    trim: tuple[float, float] | None = None,
    stabilise: bool = False,
) -> PropensityWeights:
    """Weight people by their propensity score so that the arms are alike in the covariates.

    Use it where people were not allocated by lot and the covariates that decided, and matter, were recorded.

    Parameters
    ----------
    data : SurvivalData
        Two arms; the score is fitted on one row a person (``data.baseline``).
    formula : str
        Covariates at time zero, such as ``"age_at_time_zero + C(risk_band)"``.
    estimand : {"ate", "att", "atc", "ato", "atm"}
        Whose effect is asked; required. ``att`` = people like those in the arm that is not the reference.
    method : {"logistic"}
        Unpenalised maximum likelihood.
    trim : (float, float), optional
        People whose score lies outside get weight 0 and are counted; changes the population described.
    stabilise : bool
        Multiply each arm's weights by its share (ATE only); curves do not change.

    Returns
    -------
    PropensityWeights
        ``summary()``: arm, estimand, n, effective_sample_size, sum_of_weights, largest_weight, n_trimmed.

    Raises
    ------
    EstimationError
        One arm, missing covariates (counted by column), collinear columns, separation.
    NotSupportedError
        More than two arms; other methods.

    Notes
    -----
    With score e: ATE 1/e and 1/(1-e); ATT 1 and e/(1-e); ATC (1-e)/e and 1; overlap 1-e and e; matching min(e, 1-e) over the
    probability of one's own arm. Overlap weights from this score balance the covariates' means exactly.
    The weights carry the influence and the gradient of the score's coefficients, so that contrasts can account for the
    weights having been estimated.

    References
    ----------
    Rosenbaum & Rubin (1983), Biometrika 70:41; Li, Morgan & Zaslavsky (2018), JASA 113:390; Li & Greene (2013),
    International Journal of Biostatistics 9:215.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=0)
    >>> oc.weight(data, "age + race + mar + paro + prio", estimand="ato").summary()["effective_sample_size"].round(1).tolist()
    [155.6, 172.9]
    """
    one_of(estimand, ESTIMANDS, what="weight: estimand")
    if method != "logistic":
        raise NotSupportedError(f"weight: method {method!r} is not there yet; there is 'logistic'.")
    if len(data.arms) != 2:
        raise NotSupportedError(
            f"weight: two arms are needed; these data have {len(data.arms)} ({', '.join(data.arms)})."
        )
    if data.frequency is not None:
        raise NotSupportedError("weight: row counts (frequency) are not supported here; give one row a person.")
    matrix = design_matrix(formula, data.baseline, arm=None, what="weight")
    treated = (data.arm == 1).astype(np.float64)
    fit = fit_propensity(matrix.values, treated, matrix.columns)
    values, slope = _weights(fit.score, treated, estimand)
    share = treated.mean()
    if stabilise:
        if estimand != "ate":
            raise EstimationError(
                "weight: stabilise=True is for the ATE; the other estimands' weights are bounded already."
            )
        factor = np.where(treated == 1, share, 1 - share)
        values, slope = values * factor, slope * factor
    kept = np.ones(len(values), dtype=bool)
    if trim is not None:
        kept = (fit.score >= trim[0]) & (fit.score <= trim[1])
        values, slope = np.where(kept, values, 0.0), np.where(kept, slope, 0.0)
    return PropensityWeights(
        values=read_only(values),
        estimand=estimand,
        arm=data.arm,
        arms=data.arms,
        influence=read_only(fit.influence),
        gradient=read_only(slope[:, None] * fit.design),
        notes=_notes(values, treated, estimand, int((~kept).sum())),
        score=read_only(fit.score),
        formula=formula,
        columns=matrix.columns,
        design=read_only(matrix.values),
        c_statistic=fit.c_statistic,
        baseline=data.baseline,
    )


def _weights(e: Array, treated: Array, estimand: str) -> tuple[Array, Array]:
    """Return the weights and their derivative by the linear predictor, shape (P,) each; de/deta = e (1 - e)."""
    odds = e / (1 - e)
    inside = np.where(treated == 1, 1.0, 0.0)
    if estimand == "ate":
        return inside / e + (1 - inside) / (1 - e), -inside / odds + (1 - inside) * odds
    if estimand == "att":
        return inside + (1 - inside) * odds, (1 - inside) * odds
    if estimand == "atc":
        return inside / odds + (1 - inside), -inside / odds
    if estimand == "ato":
        spread = e * (1 - e)
        return inside * (1 - e) + (1 - inside) * e, np.where(treated == 1, -spread, spread)
    lower = e < 0.5
    values = np.where(treated == 1, np.where(lower, 1.0, 1 / odds), np.where(lower, odds, 1.0))
    slope = np.where(treated == 1, np.where(lower, 0.0, -1 / odds), np.where(lower, odds, 0.0))
    return values, slope


def _notes(values: Array, treated: Array, estimand: str, trimmed: int) -> tuple[Note, ...]:
    notes = []
    if trimmed:
        notes.append(
            Note(
                "trimmed",
                f"{trimmed:,} people lie outside the trimming bounds and count for nothing; the population changed.",
            )
        )
    shares = []
    for side in (0.0, 1.0):
        w = values[treated == side]
        shares.append(float(w.sum() ** 2 / (w**2).sum() / len(w)) if (w > 0).any() else 0.0)
    if min(shares) < 0.5 and estimand in {"ate", "att", "atc"}:
        notes.append(
            Note(
                "poor_overlap",
                f"Weighting leaves {100 * min(shares):.0f} % of an arm's effective sample. Overlap weights (estimand='ato') ask about the "
                "people who might have gone to either arm, for whom the data can speak.",
            )
        )
    return tuple(notes)
