"""Weights that make the arms alike: the function people call and the result they get."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from outcomes.adjust.arms_needed import must_have_arms
from outcomes.adjust.before_time_zero import must_come_before
from outcomes.adjust.entry_rules import must_have_comparison_people
from outcomes.adjust.estimands import ESTIMANDS, population_of
from outcomes.adjust.missing_indicators import completed_design
from outcomes.adjust.sampling import sampling_weights
from outcomes.adjust.scored_weights import ScoredWeights
from outcomes.adjust.scores import GivenScores, given_scores
from outcomes.adjust.trimming import Trim, check_trim
from outcomes.adjust.weight_fit import fit_weights
from outcomes.adjust.weight_notes import weight_notes
from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, must_be, one_of
from outcomes.results import Array, read_only

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ESTIMANDS", "PropensityWeights", "weight"]

_TITLES = {
    "logistic": "Propensity weights",
    "entropy": "Entropy-balancing weights",
    "cbps": "Weights from a covariate balancing propensity score",
    "given": "Weights from given scores",
}
METHODS = ("logistic", "entropy", "cbps")


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PropensityWeights(ScoredWeights):
    """Weights from a propensity score, with the score and the formula it came from; P people, A arms, K parameters.

    Attributes
    ----------
    coefficients, std_errors : ndarray, shape (1 + len(columns),); with several arms (A - 1, 1 + len(columns))
        Of the score, the intercept first: log odds of the arm, of each other arm, against the reference. Missing where scores were given.
    c_statistic, loglik : float
        With several arms the c-statistic is the mean over all pairs of them.
    kept, certain : ndarray of bool, shape (P,)
        False for people who were trimmed; True for people whom the covariates keep from an arm exactly.
    trim : (float, float), "common", "crump", ("percentile", float) or None
    stabilise : bool
    method : str
        ``logistic``, ``entropy``, ``cbps`` or ``given``.

    Notes
    -----
    `influence` and `gradient` have one column a coefficient, arm after arm; stabilised weights one more for the share of each arm but the
    reference; those of entropy balancing one a mean and one a multiplier.
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

    @property
    def heading(self) -> str:
        """What the weights are, by the method that made them."""
        return _TITLES[self.method]

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
        """Return the regression behind the score: term, estimate (log odds), std_error; with several arms, arm first.

        Raises
        ------
        EstimationError
            The scores were given.
        """
        import pandas as pd

        if self.method == "given":
            raise EstimationError("score_model: the scores were given; what model they came from is not known here.")
        names = ["Intercept", *self.columns]
        if len(self.arms) == 2:
            return pd.DataFrame({"term": names, "estimate": self.coefficients, "std_error": self.std_errors})
        return pd.DataFrame(
            {
                "arm": np.repeat(self.arms[1:], len(names)),
                "term": names * (len(self.arms) - 1),
                "estimate": self.coefficients.ravel(),
                "std_error": self.std_errors.ravel(),
            }
        )

    def describe(self) -> str:
        """Return the estimand in words, the effective sample size and how well the score tells the arms apart."""
        trimmed = int((~self.kept).sum())
        dropped = f" Of them {trimmed:,} people were trimmed, and the answer is not about these." if trimmed else ""
        whom = population_of(self.estimand, self.focal, len(self.arms))
        return f"{super().describe()} The population described: {whom}.{dropped} c-statistic {self.c_statistic:.2f}."


def weight(
    data: SurvivalData,
    formula: str,
    *,
    estimand: str,
    focal: str | None = None,
    method: str = "logistic",
    score: GivenScores | None = None,
    missing: str = "error",
    sampling: str | None = None,
    trim: Trim = None,
    stabilise: bool = False,
) -> PropensityWeights:
    """Weight people by their propensity score so that the arms are alike in the covariates.

    Use it where people were not allocated by lot and the covariates that decided, and matter, were recorded.

    Parameters
    ----------
    data : SurvivalData
        Two arms or more; the score is fitted on one row a person (``data.baseline``): a logistic regression, of several arms a
        multinomial one.
    formula : str
        Covariates at time zero, such as ``"age_at_time_zero + C(risk_band)"``. Not the arm.
    estimand : {"ate", "att", "atc", "ato", "atm"}
        Whose effect is asked; required. ``att`` = people like those in the arm that is not the reference; ``atc`` = people
        like those in the reference.
    focal : str, optional
        With several arms, the one whose people the ATT is about; required there.
    method : {"logistic", "entropy", "cbps"}
        Logistic: weights from a propensity score by unpenalised maximum likelihood. Entropy: of all weights that make the means of the
        formula's columns alike, those nearest to equal ones (ATE, ATT, ATC); the score is fitted beside them, to show the overlap.
        Cbps: the covariate balancing score, under whose weights the means of two arms agree exactly (ATE, ATT, ATC).
    score : str, sequence of str, or mapping of arm to str, optional
        Columns that hold scores made elsewhere, in place of a fitted one: the chance of the arm that is not the reference, or with
        several arms one column an arm, in the order of ``data.arms`` or by name. The formula then says what balance is judged on.
    missing : {"error", "indicator"}
        Covariates that are missing for some are refused, or taken with an indicator of who misses them (a level of its own, of a factor).
        For imputation see `impute`.
    sampling : str, optional
        Column of sampling weights (above 0): the score is fitted under them and the weights are multiplied by them, so that the people
        described are those the sample stands for.
    trim : (low, high), "common", "crump" or ("percentile", share), optional
        People whose score lies outside these bounds, outside the range all arms have, outside the range in which the average effect is
        known best, or below the percentile (such as 0.05) of the scores for an arm of those in it, get weight 0 and are counted. The score
        is not fitted again; the population described changes. With several arms every arm's score must lie inside.
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
        estimand speaks of whom the covariates keep from an arm exactly (separation: columns named, people counted) or whom entry rules
        (columns ``eligible_<arm>`` of the baseline) leave no comparison person (cells named, and what can be answered), no convergence,
        trimming that leaves an arm empty, no `focal` for the ATT of several arms, scores or sampling weights that are missing or out of
        range (counted by column).
    NotSupportedError
        Row counts; other methods; what a method does not answer (``cbps`` of several arms; overlap weights by balance);
        ``stabilise`` for estimands other than the ATE.

    Notes
    -----
    With e the score of a person's own arm, weights are h / e: ATE h = 1; ATT and ATC h the score of the arm asked about; overlap h the
    harmonic mean of all scores over their number; matching h the smallest. Of two arms with score e: ATE 1/e and 1/(1-e); ATT 1 and
    e/(1-e); ATC (1-e)/e and 1; overlap 1-e and e; matching min(e, 1-e) over the probability of one's own arm. Overlap weights from the
    logistic score of two arms balance the covariates' means exactly; of several arms they need not.
    People whom the covariates keep from an arm exactly (a period or an entry rule that only one arm had) have no comparison person there.
    The ATE cannot be had with them, nor the ATT (ATC) where they are in the arm asked about: an error. Overlap and matching weights give
    them weight 0, and a note counts them; of the others, the ATT (ATC) gives weight 0 to those who could not be in the arm asked about.
    The weights carry the influence and the gradient of the parameters behind them, so that contrasts can account for the weights having
    been estimated; trimming bounds, given scores and sampling weights are taken as given.

    References
    ----------
    Rosenbaum & Rubin (1983), Biometrika 70:41; Li, Morgan & Zaslavsky (2018), JASA 113:390; Li & Greene (2013),
    International Journal of Biostatistics 9:215; several arms: Imbens (2000), Biometrika 87:706, McCaffrey et al. (2013), Statistics in
    Medicine 32:3388, Li & Li (2019), Annals of Applied Statistics 13:2389; entropy: Hainmueller (2012), Political Analysis 20:25; cbps:
    Imai & Ratkovic (2014), JRSS B 76:243; sampling weights: DuGoff, Schuler & Stuart (2014), Health Services Research 49:284.

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
    _check(data, estimand, method, stabilise, trim, score is not None)
    target = _target(data, estimand, focal)
    must_have_comparison_people(data, estimand, "weight", focal=data.arms[target] if estimand == "att" else None)
    rule = check_trim(trim)
    design = completed_design(formula, data.baseline, missing, "weight")
    must_come_before(data, formula, "weight", "a score is fitted on what came before it")
    several = len(data.arms) > 2
    survey = None if sampling is None else sampling_weights(data.baseline, sampling, "weight")
    made = fit_weights(
        design.values,
        data.arm,
        design.columns,
        estimand=estimand,
        trim=rule,
        stabilise=stabilise,
        method=method,
        arms=data.arms,
        target=target,
        sampling=survey,
        given=None if score is None else given_scores(data.baseline, score, data.arm, data.arms, len(design.columns)),
    )
    fit, how = made.fit, method if score is None else "given"
    notes = weight_notes(data, made, estimand=estimand, method=how, trim=rule, columns=len(design.columns))
    made_how = {"formula": formula, "estimand": estimand, "method": how, "trim": rule, "stabilise": stabilise}
    beside = {
        "focal": focal and data.arms[target],
        "missing": None if missing == "error" else missing,
        "sampling": sampling,
    }
    return PropensityWeights(
        values=read_only(made.values),
        estimand=estimand,
        arm=data.arm,
        arms=data.arms,
        influence=None if made.influence is None else read_only(made.influence),
        gradient=None if made.gradient is None else read_only(made.gradient),
        notes=(*notes, *design.notes),
        provenance=MappingProxyType(made_how | {name: said for name, said in beside.items() if said is not None}),
        score=read_only(fit.chances if several else fit.chances[:, 1]),
        linear=read_only(_against_all_others(fit.linear) if several else _against_the_first(fit.linear)),
        formula=formula,
        columns=design.columns,
        terms=design.terms,
        design=read_only(design.values),
        coefficients=read_only(fit.coefficients),
        std_errors=read_only(fit.std_errors),
        c_statistic=fit.c_statistic,
        loglik=fit.loglik,
        kept=read_only(made.kept, bool),
        certain=read_only(fit.certain, bool),
        trim=rule,
        stabilise=stabilise,
        method=how,
        baseline=data.baseline,
        focal=data.arms[target] if several and estimand == "att" else None,
        sampling=None if survey is None else read_only(survey),
    )


def _check(data: SurvivalData, estimand: str, method: str, stabilise: bool, trim: Trim, given: bool) -> None:
    one_of(estimand, ESTIMANDS, what="weight: estimand")
    if method not in METHODS:
        raise NotSupportedError(f"weight: there is no method {method!r}. {did_you_mean(method, METHODS)}")
    if given and method != "logistic":
        raise NotSupportedError(
            f"weight: method={method!r} makes its own weights; scores given by score= would not be used."
        )
    if method == "entropy" and (estimand in ("ato", "atm") or trim is not None or stabilise):
        raise NotSupportedError(
            "weight: method='entropy' answers 'ate', 'att' or 'atc', and neither trims nor stabilises; overlap weights (estimand='ato') "
            "from the logistic score balance means exactly too."
        )
    if method == "cbps" and estimand in ("ato", "atm"):
        raise NotSupportedError(
            "weight: method='cbps' answers 'ate', 'att' or 'atc'; overlap weights (estimand='ato') from the logistic score balance "
            "means exactly too."
        )
    must_have_arms(data, "weight")
    if method == "cbps" and len(data.arms) > 2:
        raise NotSupportedError(
            f"weight: method='cbps' balances two arms; these data have {len(data.arms)}. Take method='entropy', which balances several, or "
            "method='logistic'."
        )
    if stabilise and estimand != "ate":
        raise NotSupportedError(
            "weight: stabilise=True is for the ATE; the other estimands' weights are bounded on one side already."
        )


def _target(data: SurvivalData, estimand: str, focal: str | None) -> int:
    """Return the arm whose people are asked about; any where the estimand asks about no arm's."""
    others = data.arms[1:]
    focal = None if focal is None else str(focal)
    if focal is not None and estimand != "att":
        raise EstimationError(
            f"weight: focal= names the arm the ATT is about; estimand={estimand!r} asks about "
            f"{population_of(estimand, None, len(data.arms))}."
        )
    if focal is not None and focal not in others:
        extra = " For the people of the reference ask estimand='atc'." if focal == data.reference else ""
        raise EstimationError(f"weight: focal must be one of {', '.join(others)}; got {focal!r}.{extra}")
    if focal is None and estimand == "att" and len(others) > 1:
        raise EstimationError(
            f"weight: estimand='att' with {len(data.arms)} arms needs focal=, the arm whose people are asked about: one of "
            f"{', '.join(others)}."
        )
    if estimand == "atc":
        return 0
    return 1 if focal is None else data.arms.index(focal)


def _against_the_first(linear: Array) -> Array:
    """Return the log odds of the second of two arms, shape (P,)."""
    return np.asarray(linear[:, 1] - linear[:, 0])


def _against_all_others(linear: Array) -> Array:
    """Return the log odds of each arm against all others together, shape (P, A)."""
    rest = np.empty_like(linear)
    with np.errstate(divide="ignore"):
        for index in range(linear.shape[1]):
            others = np.delete(linear, index, axis=1)
            top = others.max(axis=1)
            safe = np.where(np.isfinite(top), top, 0.0)
            rest[:, index] = safe + np.log(np.exp(others - safe[:, None]).sum(axis=1))
    return np.asarray(linear - rest)
