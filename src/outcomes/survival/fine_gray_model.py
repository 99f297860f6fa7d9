"""Fine–Gray regression of the cumulative incidence: the function people call and the result they get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.errors import EstimationError, NotSupportedError, did_you_mean, one_of
from outcomes.results import Array, IntArray, Note, Result, read_only
from outcomes.survival.coefficient_table import coefficient_columns
from outcomes.survival.competing_rows import CompetingRows, with_rivals
from outcomes.survival.cox_kernel import newton, risk_sums
from outcomes.survival.cox_rows import sort_rows, strata_codes
from outcomes.survival.design_matrix import DesignMatrix, check_columns, design_matrix
from outcomes.survival.estimates import by_person, covariance_of, stack
from outcomes.survival.fine_gray_influence import score_influence
from outcomes.survival.fitted_information import inverse_information
from outcomes.survival.incidence_predictions import PredictedIncidence, predicted_incidence
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, normal_quantile, resolve
from outcomes.survival.observation_chances import Observation, observe

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["FineGray", "fine_gray"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class FineGray(Result):
    """A fitted Fine–Gray model; p terms.

    Attributes
    ----------
    terms : tuple of str
        Column names: numeric columns keep theirs, a level is ``arm[bespoke]``.
    coefficients : ndarray, shape (p,)
        Log subdistribution hazard ratios.
    covariance, model_covariance : ndarray, shape (p, p)
        The covariance the standard errors come from; the inverse information.
    loglik_null, loglik : float
        Log pseudo-likelihood at 0 and at the estimate.
    rows : CompetingRows
        The sorted rows it was fitted to, centred and scaled.
    observation : Observation
        The chances of being in view that weigh those who had a competing event.
    centre, scale : ndarray, shape (p,)
        Mean and standard deviation of each column.
    stratum : ndarray of int, shape (N,), or None
        Baseline stratum of each row.
    n_competing : int
        Number of competing events, frequencies counted.
    """

    data: SurvivalData
    asked: Asked
    formula: str
    cause: str
    ties: str
    strata: tuple[str, ...]
    terms: tuple[str, ...]
    coefficients: Array
    covariance: Array
    model_covariance: Array
    loglik_null: float
    loglik: float
    rows: CompetingRows
    observation: Observation
    centre: Array
    scale: Array
    stratum: IntArray | None
    n_competing: int
    conf_level: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    tabled: ClassVar[bool] = True
    instead: ClassVar[str] = "Curves at covariates are drawn by .predict(new).plot()."
    title: ClassVar[str] = "Fine–Gray regression"

    @property
    def n_events(self) -> int:
        """Number of events of the cause, frequencies counted."""
        return int(self.rows.deaths.sum())

    @property
    def n(self) -> int:
        """Number of people with a weight above 0, frequencies counted."""
        return int(self.asked.people_by_arm(self.data).sum())

    @property
    def standardised(self) -> Array:
        """Coefficients per standard deviation, shape (p,)."""
        return self.coefficients * self.scale

    @property
    def uncertain(self) -> Observation | None:
        """The chances of being in view where the variance counts them as estimated; None where it takes them as known."""
        return self.observation if self.ties == "breslow" else None

    def to_frame(self, *, exponentiate: bool = False) -> pd.DataFrame:
        """Return one row a term: term, estimate, std_error, statistic, p_value, conf_low, conf_high, n, n_events, n_competing.

        Estimates are log subdistribution hazard ratios; ``exponentiate=True`` gives ratios and their limits (std_error stays
        on the log scale).
        """
        import pandas as pd

        scale = "subdistribution_hazard_ratio"
        return pd.DataFrame(
            {
                "outcome": self.data.labels.get("outcome", ""),
                "cause": self.cause,
                "term": self.terms,
                "measure": scale if exponentiate else f"log_{scale}",
                **coefficient_columns(self.coefficients, self.covariance, self.conf_level, exponentiate=exponentiate),
                "n": self.n,
                "n_events": self.n_events,
                "n_competing": self.n_competing,
            }
        )

    def summary(self) -> pd.DataFrame:
        """Return subdistribution hazard ratios with limits, one row a term."""
        frame = self.to_frame(exponentiate=True)
        return frame[["term", "estimate", "conf_low", "conf_high", "p_value"]].rename(
            columns={"estimate": "subdistribution_hazard_ratio"}
        )

    def tests(self) -> pd.DataFrame:
        """Return the Wald test of all terms at once: test, statistic, df, p_value.

        Missing where there are not more clusters than terms. A pseudo-likelihood has no likelihood-ratio test.
        """
        import pandas as pd
        from scipy.special import chdtrc

        df = len(self.terms)
        enough = self.asked.n_clusters is None or self.asked.n_clusters > df
        wald = float(self.coefficients @ np.linalg.solve(self.covariance, self.coefficients)) if enough else np.nan
        return pd.DataFrame([{"test": "wald", "statistic": wald, "df": df, "p_value": float(chdtrc(df, wald))}])

    def influence(self, *, variance: str | None = None) -> Array:
        """Return each person's influence on the coefficients, shape (P, p); summed by cluster its square is the covariance.

        Parameters
        ----------
        variance : {"robust", "stacked"}, optional
            Whether weights count as known or as estimated; default as in the result.
        """
        return stack(self.asked_as(variance), self.unit_influence())

    def unit_influence(self) -> Array:
        """Return how the coefficients move with a unit of each person's weight, shape (P, p)."""
        score = score_influence(self.rows, risk_sums(self.rows, self.standardised), self.uncertain, len(self.data.exit))
        each = score @ (self.model_covariance * self.scale[:, None]) * np.reshape(self.asked.beside(), (-1, 1))
        return by_person(each, self.data.person, len(self.data.baseline))

    def asked_as(self, variance: str | None) -> Asked:
        """Return what was asked, with another kind of variance where one is named."""
        if variance is None or variance == self.asked.variance:
            return self.asked
        one_of(variance, ("robust", "stacked"), what="fine_gray: variance")
        again = resolve(self.data, self.asked.given, None, variance, what="fine_gray")
        return replace(again, cluster=self.asked.cluster)

    def predict(self, new: pd.DataFrame, *, conf_type: str = "log-log") -> PredictedIncidence:
        """Return the cumulative incidence of the cause at covariates, one curve a row of `new`.

        Parameters
        ----------
        new : pandas.DataFrame
            One row a profile, with every column of the formula (``arm`` by name) and of `strata`. Its index names the profiles.
        conf_type : {"log-log", "log", "plain", "logit", "arcsine"}

        Returns
        -------
        PredictedIncidence
            ``at(times)`` and ``to_frame()``: profile, cause, time, estimate, std_error, conf_low, conf_high; ``plot()``.

        Raises
        ------
        EstimationError
            A column is not there or has missing values; a level or stratum the model was not fitted to.
        """
        return predicted_incidence(self, new, conf_type)

    def describe(self) -> str:
        """Return the ratios in plain sentences, and what they are and are not."""
        parts = [
            f"{r['term']}: {r['estimate']:.2f} ({r['conf_low']:.2f} to {r['conf_high']:.2f})"
            for r in self.to_frame(exponentiate=True).to_dict("records")
        ]
        return (
            f"Subdistribution hazard ratios for {self.cause} ({self.n:,} people, {self.n_events:,} events, "
            f"{self.n_competing:,} competing events, {100 * self.conf_level:g} % intervals): "
            + "; ".join(parts)
            + ". Above 1 means that a larger share has had the event by any time; the ratio says the direction, not by how many people. "
            "It is not a ratio of rates among people still at risk: it mixes what a term does to the event with what it does to "
            "the competing events. Read it beside cause-specific hazard ratios and the incidences themselves."
        )


def fine_gray(
    data: SurvivalData,
    formula: str,
    *,
    cause: str | None = None,
    weights: WeightsLike = None,
    strata: str | Sequence[str] | None = None,
    censoring_strata: str | Sequence[str] | None = None,
    cluster: ClusterLike = None,
    ties: str = "breslow",
    conf_level: float = 0.95,
) -> FineGray:
    """Fit a proportional subdistribution hazards model (Fine & Gray) to one of several competing causes.

    Use it to say how covariates go with the share of people who have the event in the presence of the competing ones. What they
    do to the rate of each cause is asked with `cause_specific`.

    Parameters
    ----------
    data : SurvivalData
        One row a person; late entry is allowed.
    formula : str
        Terms joined by ``+``, as in `cox`.
    cause : str
        The cause whose incidence is modelled; required where there is more than one.
    weights : Weights, str or array of shape (P,), optional
        Sampling weights, one a person. The chances of being in view are estimated under the same weights.
    strata : str or list of str, optional
        Columns of ``data.frame``; each combination has its own baseline subdistribution hazard.
    censoring_strata : str or list of str, optional
        Columns of ``data.frame`` within which censoring (and entry) is the same for everyone. Default: for all people.
    cluster : str, optional
        Column of ``data.baseline`` whose groups vary together. Default: the cluster of the data.
    ties : {"breslow", "efron"}
        The first is the method as published and as in R's ``cmprsk::crr``; the second that of R's ``survival::finegray`` with a
        weighted ``coxph``. See Notes.
    conf_level : float

    Returns
    -------
    FineGray
        ``to_frame()`` has one row a term: term, estimate (log subdistribution hazard ratio), std_error, statistic, p_value,
        conf_low, conf_high, n, n_events, n_competing.

    Raises
    ------
    EstimationError
        Unknown or missing covariates (counted), constant or collinear columns, no events, causes competing without `cause`, a time
        at which all in view had been censored.
    NotSupportedError
        Several rows a person (covariates that change, gaps, split spells): after a competing event nobody could say what they
        would have been. Data that hold every event of a person.

    Notes
    -----
    Who had a competing event stays in the risk set, weighing at t what the chance of being in view at t is to that at their event.
    The standard error is always robust: by person, or by cluster.

    With ``ties="breslow"`` it counts the censoring distribution as estimated, and a person with an event at a time of censoring
    counts as at risk of being censored then. With ``ties="efron"`` the weights are taken as known, and events come before
    censorings. With late entry the latter order holds for both, the chance of having entered weighs too, and under ``"breslow"``
    counts as estimated. Where censoring strata are given each person moves only the censoring distribution of the own stratum
    (``crr`` lets all competing events count in every stratum's part of the variance).

    A coefficient that runs away is said in a note, never reported in silence.

    References
    ----------
    Fine & Gray (1999), JASA 94:496; Geskus (2011), Biometrics 67:39; Zhou et al. (2011, 2012), Biometrics 67:661 and
    Biostatistics 13:371 (strata, clusters).

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"week": [1, 2, 3, 4, 5, 6, 7, 8], "end": [1, 2, 1, 0, 1, 2, 1, 0], "x": [1, 0, 0, 1, 1, 0, 0, 1]})
    >>> data = oc.survival_data(frame, duration="week", event="end", causes={1: "arrest", 2: "death"}, unit="weeks")
    >>> oc.fine_gray(data, "x", cause="arrest").to_frame()["estimate"].round(3).tolist()
    [0.41]
    """
    one_of(ties, ("breslow", "efron"), what="fine_gray: ties")
    normal_quantile(conf_level)
    name = _cause_of(data, cause)
    asked = resolve(data, weights, cluster, "robust", what="fine_gray")
    _refuse_several_rows(data)
    arm = (data.arm_column, data.row_arm.astype(np.float64), data.arms)
    matrix = design_matrix(formula, data.frame, arm=arm, what="fine_gray")
    stratum = strata_codes(data, strata, what="fine_gray")
    code = strata_codes(data, censoring_strata, what="fine_gray")
    fit = _fit(data, asked, matrix, name, stratum, code, efron=ties == "efron")
    result = FineGray(
        data=data,
        asked=asked,
        formula=formula,
        cause=name,
        ties=ties,
        strata=(strata,) if isinstance(strata, str) else tuple(strata or ()),
        terms=matrix.columns,
        coefficients=read_only(fit.coefficients),
        covariance=read_only(fit.inverse),
        model_covariance=read_only(fit.inverse),
        loglik_null=fit.loglik_null,
        loglik=fit.loglik,
        rows=fit.rows,
        observation=fit.observation,
        centre=read_only(fit.centre),
        scale=read_only(fit.scale),
        stratum=stratum,
        n_competing=fit.n_competing,
        conf_level=conf_level,
        notes=(*data.notes, *fit.notes),
    )
    return replace(result, covariance=read_only(covariance_of(asked, result.influence())))


@dataclass(frozen=True)
class _Fit:
    """A converged (or stopped) fit on the covariates' own scale; p terms. Names as in `FineGray`."""

    coefficients: Array
    inverse: Array
    loglik_null: float
    loglik: float
    rows: CompetingRows
    observation: Observation
    centre: Array
    scale: Array
    n_competing: int
    notes: tuple[Note, ...]


def _fit(
    data: SurvivalData,
    asked: Asked,
    matrix: DesignMatrix,
    cause: str,
    stratum: IntArray | None,
    code: IntArray | None,
    *,
    efron: bool,
) -> _Fit:
    """Return the fit of one cause; `stratum` and `code` are the baseline and the censoring strata of the rows."""
    weight, count, values = asked.by_row(data), asked.count[data.person], matrix.values
    used, total = weight > 0, weight * count
    if not used.all():
        check_columns(values[used], matrix.columns, "fine_gray")
    died = used & (data.event == 1 + data.causes.index(cause))
    rival = used & (data.event > 0) & ~died
    if not died.any():
        raise EstimationError(f"fine_gray: nobody had the event {cause!r}; there is nothing to fit.")
    centre = total @ values / total.sum()
    scale = np.sqrt(total @ (values - centre) ** 2 / total.sum())
    code = np.zeros(len(total), dtype=np.int64) if code is None else code
    observation = observe(data.entry, data.exit, data.event == 0, code, total, exact=efron)
    at_risk = sort_rows(data.entry, data.exit, died, stratum, weight, count, values, centre, scale, efron=efron)
    rows = with_rivals(at_risk, data.exit, rival, stratum, code, observation, (total, values, centre, scale))
    fit = newton(rows)
    events, mass = int(rows.deaths.sum()), float(total[died].sum())
    inverse, notes = inverse_information(fit, matrix.columns, events, mass, what="fine_gray")
    n_competing = int(count[rival].sum())
    if not n_competing:
        notes = (*notes, Note("nothing_competes", "Nobody had a competing event: this is the Cox model."))
    return _Fit(
        fit.beta / scale, inverse / np.outer(scale, scale), fit.loglik_null, fit.loglik, rows, observation, centre, scale,
        n_competing, notes,
    )  # fmt: skip


def _refuse_several_rows(data: SurvivalData) -> None:
    if data.multi_row:
        raise NotSupportedError(
            f"fine_gray: {len(data.person) - len(data.baseline):,} rows are a person's second or later (covariates that change, gaps, "
            "split spells). Who has had a competing event stays at risk here, and what would have changed since is not known. "
            "Give one row a person, or use cause_specific."
        )


def _cause_of(data: SurvivalData, cause: str | None) -> str:
    if cause is None and len(data.causes) > 1:
        raise EstimationError(
            f"fine_gray: {len(data.causes)} causes compete here ({', '.join(data.causes)}); name the one whose incidence is asked (cause=)."
        )
    if cause is not None and cause not in data.causes:
        raise EstimationError(f"fine_gray: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    return data.causes[0] if cause is None else cause
