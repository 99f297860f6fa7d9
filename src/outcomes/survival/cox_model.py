"""Cox regression: the function people call and the result they get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, must_be, one_of
from outcomes.results import Array, Note, Result, read_only
from outcomes.survival.concordance import Concordance, count_pairs
from outcomes.survival.cox_kernel import CoxFit, moment, newton, risk_sums, score_residuals
from outcomes.survival.cox_rows import CoxRows, sort_rows, strata_codes
from outcomes.survival.design_matrix import check_columns, dependent_columns, design_matrix
from outcomes.survival.estimates import by_person, covariance_of, stack
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, normal_quantile, resolve
from outcomes.survival.proportionality import ProportionalHazards, score_test
from outcomes.survival.risk_table import summed

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["Cox", "cox"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Cox(Result):
    """A fitted Cox model; p terms.

    Attributes
    ----------
    terms : tuple of str
        Column names: numeric columns keep theirs, a level is ``arm[bespoke]``.
    coefficients : ndarray, shape (p,)
        Log hazard ratios.
    covariance, model_covariance : ndarray, shape (p, p)
        The covariance the standard errors come from; the inverse information.
    loglik_null, loglik : float
        Log partial likelihood at 0 and at the estimate.
    score_statistic : float
        Score test of all terms at 0.
    rows : CoxRows
        The sorted rows it was fitted to, centred and scaled.
    scale : ndarray, shape (p,)
        Standard deviation of each column; `coefficients` are per unit, those of the sorted rows per standard deviation.
    """

    data: SurvivalData
    asked: Asked
    formula: str
    cause: str
    ties: str
    terms: tuple[str, ...]
    owners: tuple[str, ...]
    coefficients: Array
    covariance: Array
    model_covariance: Array
    loglik_null: float
    loglik: float
    score_statistic: float
    rows: CoxRows
    scale: Array
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    tabled: ClassVar[bool] = True
    instead: ClassVar[str] = "The hazard ratio of the arms is drawn by compare(model, measure='hazard_ratio').plot()."
    title: ClassVar[str] = "Cox regression"

    @property
    def n_events(self) -> int:
        """Number of events the model was fitted to, frequencies counted."""
        return int(self.rows.deaths.sum())

    @property
    def n(self) -> int:
        """Number of people with a weight above 0, frequencies counted."""
        return int(self.asked.people_by_arm(self.data).sum())

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a term: term, estimate, std_error, statistic, p_value, conf_low, conf_high, n, n_events.

        Estimates are log hazard ratios; ``exponentiate=True`` gives hazard ratios and limits (std_error stays on the log scale).
        """
        import pandas as pd
        from scipy.special import ndtr

        error = np.sqrt(np.diag(self.covariance))
        critical = normal_quantile(self.conf_level)
        low, high = self.coefficients - critical * error, self.coefficients + critical * error
        estimate, z = self.coefficients, self.coefficients / error
        if exponentiate:
            with np.errstate(over="ignore"):  # the limits of a term that separates are infinite
                estimate, low, high = np.exp(estimate), np.exp(low), np.exp(high)
        return pd.DataFrame(
            {
                "outcome": self.data.labels.get("outcome", ""),
                "cause": self.cause,
                "term": self.terms,
                "measure": "hazard_ratio" if exponentiate else "log_hazard_ratio",
                "estimate": estimate,
                "std_error": error,
                "statistic": z,
                "p_value": 2 * ndtr(-np.abs(z)),
                "conf_low": low,
                "conf_high": high,
                "n": self.n,
                "n_events": self.n_events,
            }
        )

    def summary(self) -> pd.DataFrame:
        """Return hazard ratios with limits, one row a term."""
        frame = self.to_frame(exponentiate=True)
        return frame[["term", "estimate", "conf_low", "conf_high", "p_value"]].rename(
            columns={"estimate": "hazard_ratio"}
        )

    def tests(self) -> pd.DataFrame:
        """Return the tests of all terms at once: test, statistic, df, p_value.

        Wald always (with the covariance in use; missing where there are not more clusters than terms); likelihood-ratio
        and score only where the likelihood is one of independent rows.
        """
        import pandas as pd
        from scipy.special import chdtrc

        df = len(self.terms)
        # G clusters span at most G - 1 directions: with fewer than the terms need there is no test of all of them
        enough = self.asked.n_clusters is None or self.asked.n_clusters > df
        wald = self.coefficients @ np.linalg.solve(self.covariance, self.coefficients) if enough else np.nan
        rows = [("wald", float(wald))]
        if self.asked.variance == "model":
            rows += [("likelihood ratio", 2 * (self.loglik - self.loglik_null)), ("score", self.score_statistic)]
        return pd.DataFrame([{"test": n, "statistic": s, "df": df, "p_value": float(chdtrc(df, s))} for n, s in rows])

    def proportional_hazards(self, *, transform: str = "km", by_term: bool = True) -> ProportionalHazards:
        """Return the score test of proportional hazards, by term and for all terms.

        Parameters
        ----------
        transform : {"km", "identity", "log", "rank"}
            Function of time the coefficients are tested against.
        by_term : bool
            One test a term of the formula (a factor's levels together); False: one a column.

        Raises
        ------
        NotSupportedError
            Weighted, clustered or multi-row fits: the test would scale with the weights.
        """
        if self.asked.variance != "model":
            raise NotSupportedError(
                "proportional_hazards: with weights, clusters or several rows a person this test scales with the weights. "
                "Fit without them, or test arm x time with a robust variance."
            )
        return score_test(self, transform=transform, by_term=by_term)

    def influence(self, terms: str | Sequence[str] | None = None, *, variance: str | None = None) -> Array:
        """Return each person's influence on the coefficients, shape (P, p); summed by cluster its square is the covariance.

        Parameters
        ----------
        terms : str or list of str, optional
            Some of `terms`, in this order; default all.
        variance : {"robust", "stacked"}, optional
            Whether weights count as known or as estimated; default as in the result.
        """
        asked = self.asked
        if variance is not None and variance != asked.variance:
            again = resolve(self.data, _weights_of(asked), None, variance, what="cox")
            asked = replace(again, cluster=None if again.variance == "model" else asked.cluster)
        each = score_residuals(self.rows, risk_sums(self.rows, self._beta)).T @ (
            self.model_covariance * self.scale[:, None]
        )
        names = self.terms if terms is None else (terms,) if isinstance(terms, str) else tuple(terms)
        for name in names:
            if name not in self.terms:
                raise EstimationError(f"cox: no term {name!r}. {did_you_mean(name, self.terms)}")
        each = each[:, [self.terms.index(name) for name in names]]
        return stack(asked, by_person(each, self.data.person[self.rows.order], len(self.data.baseline)))

    @property
    def _beta(self) -> Array:
        """Coefficients per standard deviation, shape (p,)."""
        return self.coefficients * self.scale

    def concordance(self) -> Concordance:
        """Return the share of comparable pairs the model puts in the right order (Harrell's C), with its standard error."""
        rows = self.rows
        # summed row by row, so that the same covariates give the same score to the last bit
        score = np.sum(rows.x * self._beta[:, None], axis=0)
        pairs = count_pairs(rows, score)
        concordant, discordant, tied = (
            float(rows.weight @ part) / 2 for part in (pairs.concordant, pairs.discordant, pairs.tied)
        )
        total = concordant + discordant + tied
        share = (concordant - discordant) / total if total > 0 else float("nan")
        moved = (pairs.concordant - pairs.discordant) - share * (pairs.concordant + pairs.discordant + pairs.tied)
        each = by_person(moved[:, None], self.data.person[rows.order], len(self.data.baseline))
        known = replace(self.asked, variance="robust")
        error = float(np.sqrt(covariance_of(known, stack(known, each))[0, 0])) / (2 * total) if total > 0 else share
        return Concordance((share + 1) / 2, error, concordant, discordant, tied)

    def describe(self) -> str:
        """Return the hazard ratios in plain sentences."""
        parts = [
            f"{r['term']}: {r['estimate']:.2f} ({r['conf_low']:.2f} to {r['conf_high']:.2f})"
            for r in self.to_frame(exponentiate=True).to_dict("records")
        ]
        return (
            f"Hazard ratios for {self.cause} ({self.n:,} people, {self.n_events:,} events, {100 * self.conf_level:g} % intervals): "
            + "; ".join(parts)
            + ". Above 1 means sooner; read beside the test of proportional hazards and an absolute difference."
        )


def _weights_of(asked: Asked) -> WeightsLike:
    if asked.source is not None:
        return asked.source
    return asked.weight if asked.weighted else None


def cox(
    data: SurvivalData,
    formula: str,
    *,
    cause: str | None = None,
    weights: WeightsLike = None,
    strata: str | Sequence[str] | None = None,
    cluster: ClusterLike = None,
    ties: str = "efron",
    robust: bool | None = None,
    conf_level: float = 0.95,
) -> Cox:
    """Fit a Cox proportional hazards model.

    Use it for a relative answer beside an absolute one, or to adjust by regression.

    Parameters
    ----------
    data : SurvivalData
    formula : str
        Terms joined by ``+``: columns of ``data.frame``, ``C(column)`` for factors, ``arm`` (or its original column) with the
        reference first.
    cause : str
        Required where causes compete: the cause whose hazard is modelled; the others are censored (cause-specific hazard).
    weights : Weights, str or array of shape (P,), optional
        Sampling weights, one a person. Row counts belong to ``survival_data(frequency=)``.
    strata : str or list of str, optional
        Columns of ``data.frame``; each combination has its own baseline hazard.
    cluster : str, optional
        Column of ``data.baseline`` whose groups vary together. Default: the cluster of the data.
    ties : {"efron", "breslow"}
    robust : bool, optional
        Default: robust whenever weighted, clustered or several rows a person.
    conf_level : float

    Returns
    -------
    Cox
        ``to_frame()`` has one row a term: term, estimate (log hazard ratio), std_error, statistic, p_value, conf_low, conf_high.

    Raises
    ------
    EstimationError
        Unknown or missing covariates (counted), constant or collinear columns, no events, causes competing without `cause`.

    Notes
    -----
    Risk sets are (entry, exit]. The robust variance is Lin and Wei's with Efron's own scores. A coefficient that runs away
    (a term that separates those with from those without events) is said in a note, never reported in silence.

    References
    ----------
    Cox (1972), JRSS B 34:187; Efron (1977), JASA 72:557; Lin & Wei (1989), JASA 84:1074.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> oc.cox(data, "fin + prio").to_frame()["estimate"].round(4).tolist()
    [-0.3988, 0.1041]
    """
    must_be_data(data, "cox(data, formula)")
    must_be(formula, str, what="cox(data, formula): formula", expected="text such as 'arm + age'")
    one_of(ties, ("efron", "breslow"), what="cox: ties")
    died, name = _events_of(data, cause)
    variance = None if robust is None else ("robust" if robust else "model")
    asked = resolve(data, weights, cluster, variance, what="cox")
    person = data.person
    arm = (data.arm_column, data.row_arm.astype(np.float64), data.arms)
    matrix = design_matrix(formula, data.frame, arm=arm, what="cox")
    count, weight = asked.count[person], asked.weight[person]
    used = weight > 0
    if not used.all():
        check_columns(matrix.values[used], matrix.columns, "cox")
    died = died & used
    if not died.any():
        raise EstimationError(f"cox: nobody had the event {name!r}; there is nothing to fit.")
    total = weight * count
    centre = total @ matrix.values / total.sum()
    scale = np.sqrt(total @ (matrix.values - centre) ** 2 / total.sum())
    stratum = strata_codes(data, strata, what="cox")
    rows = sort_rows(
        np.asarray(data.entry), np.asarray(data.exit), died, stratum, weight, count, matrix.values, centre, scale,
        efron=ties == "efron",
    )  # fmt: skip
    fit = newton(rows)
    inverse, notes = _inverse(fit, matrix.columns, int(rows.deaths.sum()), float(total[died].sum()))
    model = read_only(inverse / np.outer(scale, scale))
    result = Cox(
        data=data,
        asked=asked,
        formula=formula,
        cause=name,
        ties=ties,
        terms=matrix.columns,
        owners=matrix.terms,
        coefficients=read_only(fit.beta / scale),
        covariance=model,
        model_covariance=model,
        loglik_null=fit.loglik_null,
        loglik=fit.loglik,
        score_statistic=fit.score_statistic,
        rows=rows,
        scale=read_only(scale),
        conf_level=conf_level,
        notes=(*data.notes, *notes),
    )
    if asked.variance == "model":
        return result
    return replace(result, covariance=read_only(_robust(result)))


def _robust(model: Cox) -> Array:
    """Return the covariance from score residuals summed by person or cluster, weights taken as known."""
    asked, rows = model.asked, model.rows
    person = model.data.person[rows.order]
    residual = score_residuals(rows, risk_sums(rows, model._beta))
    weight, count = asked.weight[person], asked.count[person]
    if asked.cluster is None and not model.data.multi_row:
        middle = moment(residual, weight**2 * count)
    else:
        group = person if asked.cluster is None else asked.cluster[person]
        each = weight * (np.sqrt(count) if asked.cluster is None else count)
        total = np.stack([summed(group, row * each, int(group.max()) + 1) for row in residual])
        middle = total @ total.T
    inverse = model.model_covariance * model.scale
    return np.asarray(inverse @ middle @ inverse.T)


def _events_of(data: SurvivalData, cause: str | None) -> tuple[Any, str]:
    if cause is None:
        if len(data.causes) > 1:
            raise EstimationError(
                f"cox: {len(data.causes)} causes compete here ({', '.join(data.causes)}); name the one whose hazard is asked (cause=)."
            )
        return np.asarray(data.event) > 0, data.causes[0]
    if cause not in data.causes:
        raise EstimationError(f"cox: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    return np.asarray(data.event) == 1 + data.causes.index(cause), cause


def _inverse(fit: CoxFit, columns: tuple[str, ...], events: int, weight: float) -> tuple[Array, tuple[Note, ...]]:
    """Return the inverse information on the scaled columns, and what must be said about the fit.

    `weight` is the events' total: a scaled column that differs among those at risk together has information of this order, and one
    that does not has what rounding leaves.
    """
    notes: list[Note] = []
    flat = dependent_columns(fit.information_null, floor=1e-10 * weight)
    if flat:
        raise EstimationError(
            f"cox: {', '.join(columns[j] for j in flat)} says nothing beyond the other columns among those at risk together "
            "(the same for all of a stratum, or different only where nobody had the event). Leave it out."
        )
    inverse = np.linalg.pinv(fit.information, hermitian=True)
    runaway = [name for name, b, v in zip(columns, fit.beta, np.diag(inverse), strict=True) if abs(b) > 8 or v > 1e4]
    if runaway:
        notes.append(
            Note(
                "separation",
                f"The coefficient of {', '.join(runaway)} has no finite maximum (all or no events on one side); it and its "
                "interval mean nothing. Firth's penalised likelihood would give an answer.",
            )
        )
    elif not fit.converged:
        notes.append(Note("not_converged", f"The fit stopped after {fit.iterations} steps without converging."))
    if events < 10 * len(columns):
        notes.append(
            Note(
                "few_events",
                f"Fewer than 10 events a term (events: {events:,}; terms: {len(columns)}). Estimates are unstable and biased away from 0.",
            )
        )
    return np.asarray(inverse, dtype=np.float64), tuple(notes)
