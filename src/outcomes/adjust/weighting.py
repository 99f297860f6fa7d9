"""Weights that make two arms alike: the function people call and the result they get."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from outcomes.adjust.entry_rules import entry_rule_notes, must_have_comparison_people
from outcomes.adjust.estimands import ESTIMANDS
from outcomes.adjust.scored_weights import ScoredWeights
from outcomes.adjust.two_arms import must_have_two_arms
from outcomes.adjust.weight_fit import FittedWeights, Trim, fit_weights
from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, must_be, one_of
from outcomes.results import Array, Note, read_only
from outcomes.survival.design_matrix import design_matrix, in_few_words
from outcomes.survival.formula_text import names_in

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ESTIMANDS", "PropensityWeights", "weight"]

_METHODS = ("logistic", "entropy")
_LARGE = 0.10  # share of an arm's weight carried by one person


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PropensityWeights(ScoredWeights):
    """Weights from a propensity score, with the score and the formula it came from; P people, K parameters.

    Attributes
    ----------
    coefficients, std_errors : ndarray, shape (1 + len(columns),)
        Of the score, the intercept first.
    c_statistic, loglik : float
    kept, certain : ndarray of bool, shape (P,)
        False for people who were trimmed; True for people whose arm the covariates tell exactly.
    trim : (float, float), "common" or None
    stabilise : bool
    method : str

    Notes
    -----
    `influence` and `gradient` have one column a coefficient; stabilised weights one more, for the share of the arm.
    """

    score: Array
    linear: Array
    coefficients: Array
    std_errors: Array
    c_statistic: float
    loglik: float
    kept: npt.NDArray[np.bool_]
    certain: npt.NDArray[np.bool_]
    trim: Trim
    stabilise: bool
    method: str

    title: ClassVar[str] = "Propensity weights"

    def summary(self) -> pd.DataFrame:
        """Return one row an arm.

        Columns: arm, estimand, n, effective_sample_size, sum_of_weights, largest_weight, n_trimmed, largest_share (of the arm's
        weight, in one person).
        """
        frame = super().summary()
        frame["n_trimmed"] = [int((~self.kept[self.arm == a]).sum()) for a in range(len(self.arms))]
        frame["largest_share"] = frame["largest_weight"] / frame["sum_of_weights"]
        return frame

    def score_model(self) -> pd.DataFrame:
        """Return the logistic regression behind the score, one row a column: term, estimate (log odds), std_error."""
        import pandas as pd

        names = ["Intercept", *self.columns]
        return pd.DataFrame({"term": names, "estimate": self.coefficients, "std_error": self.std_errors})

    def describe(self) -> str:
        """Return the estimand in words, the effective sample size and how well the score tells the arms apart."""
        trimmed = int((~self.kept).sum())
        dropped = f" {trimmed:,} people were trimmed." if trimmed else ""
        return f"{super().describe()} The population described: {ESTIMANDS[self.estimand]}.{dropped} c-statistic {self.c_statistic:.2f}."


def weight(
    data: SurvivalData,
    formula: str,
    *,
    estimand: str,
    method: str = "logistic",
    trim: Trim = None,
    stabilise: bool = False,
) -> PropensityWeights:
    """Weight people by their propensity score so that the arms are alike in the covariates.

    Use it where people were not allocated by lot and the covariates that decided, and matter, were recorded.

    Parameters
    ----------
    data : SurvivalData
        Two arms; the score is fitted on one row a person (``data.baseline``).
    formula : str
        Covariates at time zero, such as ``"age_at_time_zero + C(risk_band)"``. Not the arm.
    estimand : {"ate", "att", "atc", "ato", "atm"}
        Whose effect is asked; required. ``att`` = people like those in the arm that is not the reference; ``atc`` = people
        like those in the reference.
    method : {"logistic", "entropy"}
        Logistic: weights from a propensity score by unpenalised maximum likelihood. Entropy: of all weights that make the means of the
        formula's columns alike, those nearest to equal ones (ATE, ATT, ATC); the score is fitted beside them, to show the overlap.
    trim : (float, float) or "common", optional
        People whose score lies outside these bounds, or outside the range both arms have, get weight 0 and are counted. The
        score is not fitted again; the population described changes.
    stabilise : bool
        Multiply each arm's weights by its share (ATE only); curves do not change.

    Returns
    -------
    PropensityWeights
        ``summary()``: arm, estimand, n, effective_sample_size, sum_of_weights, largest_weight, n_trimmed, largest_share.

    Raises
    ------
    EstimationError
        One arm, fewer than two people in an arm, missing covariates (counted by column), constant or collinear columns, people the
        estimand speaks of whose arm the covariates tell exactly (separation: columns named, people counted) or whom entry rules (columns
        ``eligible_<arm>`` of the baseline) leave no comparison person (cells named, and what can be answered), no convergence,
        trimming that leaves an arm empty.
    NotSupportedError
        More than two arms; row counts; other methods; what a method does not answer; ``stabilise`` for estimands other than the ATE.

    Notes
    -----
    With score e: ATE 1/e and 1/(1-e); ATT 1 and e/(1-e); ATC (1-e)/e and 1; overlap 1-e and e; matching min(e, 1-e) over the
    probability of one's own arm. Overlap weights from this score balance the covariates' means exactly.
    People whose arm the covariates tell exactly (a period or an entry rule that only one arm had) have no comparison person. The
    ATE cannot be had with them, nor the ATT (ATC) where they are in the arm (the reference): an error. Overlap and matching
    weights, and the other one of ATT and ATC, give them weight 0, and a note counts them.
    The weights carry the influence and the gradient of the score's coefficients, so that contrasts can account for the
    weights having been estimated; trimming bounds are taken as given.

    References
    ----------
    Rosenbaum & Rubin (1983), Biometrika 70:41; Li, Morgan & Zaslavsky (2018), JASA 113:390; Li & Greene (2013),
    International Journal of Biostatistics 9:215; entropy: Hainmueller (2012), Political Analysis 20:25.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="wexp", reference=0)
    >>> oc.weight(data, "age + race + mar + paro + prio", estimand="ato").summary()["effective_sample_size"].round(1).tolist()
    [155.6, 172.9]
    """
    must_be_data(data, "weight(data, formula)")
    must_be(formula, str, what="weight(data, formula): formula", expected="text such as 'age + C(risk_band)'")
    _check(data, estimand, method, stabilise, trim)
    matrix = design_matrix(formula, data.baseline, arm=None, what="weight")
    if data.arm_column is not None and data.arm_column in names_in(formula):
        raise EstimationError(
            f"weight: the formula names the arm ({data.arm_column!r}); a score is fitted on what came before it."
        )
    treated = (data.arm == 1).astype(np.float64)
    made = fit_weights(
        matrix.values, treated, matrix.columns, estimand=estimand, trim=trim, stabilise=stabilise, method=method
    )
    fit = made.fit
    rule = trim if trim is None or isinstance(trim, str) else (float(trim[0]), float(trim[1]))
    return PropensityWeights(
        values=read_only(made.values),
        estimand=estimand,
        arm=data.arm,
        arms=data.arms,
        influence=read_only(made.influence),
        gradient=read_only(made.gradient),
        notes=_notes(data, made, estimand, method),
        provenance=MappingProxyType(
            {"formula": formula, "estimand": estimand, "method": method, "trim": rule, "stabilise": stabilise}
        ),
        score=read_only(fit.score),
        linear=read_only(fit.linear),
        formula=formula,
        columns=matrix.columns,
        terms=matrix.terms,
        design=read_only(matrix.values),
        coefficients=read_only(fit.coefficients),
        std_errors=read_only(fit.std_errors),
        c_statistic=fit.c_statistic,
        loglik=fit.loglik,
        kept=read_only(made.kept, bool),
        certain=read_only(fit.certain, bool),
        trim=rule,
        stabilise=stabilise,
        method=method,
        baseline=data.baseline,
    )


def _check(data: SurvivalData, estimand: str, method: str, stabilise: bool, trim: Trim) -> None:
    one_of(estimand, ESTIMANDS, what="weight: estimand")
    if method not in _METHODS:
        raise NotSupportedError(f"weight: there is no method {method!r}. {did_you_mean(method, _METHODS)}")
    if method == "entropy" and (estimand in ("ato", "atm") or trim is not None or stabilise):
        raise NotSupportedError(
            "weight: method='entropy' answers 'ate', 'att' or 'atc', and neither trims nor stabilises; overlap weights (estimand='ato') "
            "from the logistic score balance means exactly too."
        )
    must_have_two_arms(data, "weight")
    must_have_comparison_people(data, estimand, "weight")
    if stabilise and estimand != "ate":
        raise NotSupportedError(
            "weight: stabilise=True is for the ATE; the other estimands' weights are bounded on one side already."
        )


def _notes(data: SurvivalData, made: FittedWeights, estimand: str, method: str) -> tuple[Note, ...]:
    notes, values, kept, columns = list(entry_rule_notes(data)), made.values, made.kept, made.fit.design.shape[1] - 1
    certain = [int(made.fit.certain[data.arm == a].sum()) for a in range(2)]
    if sum(certain) and method == "logistic":  # entropy balancing takes them where the means can be had with them
        counted = ", ".join(f"{n:,} in {arm}" for n, arm in zip(certain, data.arms, strict=True))
        telling = in_few_words(made.fit.certain_columns)
        text = (
            f"{sum(certain):,} people ({counted}) have covariates that only their own arm has ({telling}); they count for nothing, "
            "and the answer is not about them."
        )
        notes.append(Note("one_arm_only", text))
    trimmed = [int((~kept[data.arm == a]).sum()) for a in range(2)]
    if sum(trimmed):
        counted = ", ".join(f"{n:,} in {arm}" for n, arm in zip(trimmed, data.arms, strict=True))
        text = f"{sum(trimmed):,} people ({counted}) lie outside the trimming bounds and count for nothing; the population changed."
        notes.append(Note("trimmed", text))
    people = data.people_by_arm()
    smaller = int(people.argmin())
    if people[smaller] < 10 * columns:
        text = (
            f"Arm {data.arms[smaller]} has {people[smaller]:,} people for {columns} columns of the score: fewer than 10 a column. "
            "The score may chase accidents of this sample."
        )
        notes.append(Note("few_people", text))
    arms = [values[data.arm == a] for a in range(2)]
    shares = [float(w.sum() ** 2 / (w**2).sum() / len(w)) for w in arms]
    thinnest = data.arms[int(np.argmin(shares))]
    if min(shares) < 0.5 and estimand in {"ate", "att", "atc"}:
        text = (
            f"Weighting leaves {100 * min(shares):.0f} % of the effective sample of arm {thinnest}. Overlap weights "
            "(estimand='ato') ask about the people who might have gone to either arm, for whom the data can speak."
        )
        notes.append(Note("poor_overlap", text))
    heavy = [
        (arm, float(w.max() / w.sum())) for arm, w in zip(data.arms, arms, strict=True) if w.max() > _LARGE * w.sum()
    ]
    for arm, share in heavy:
        notes.append(Note("large_weight", f"One person carries {100 * share:.0f} % of the weight of arm {arm}."))
    return tuple(notes)
