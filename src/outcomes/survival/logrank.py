"""The log-rank family: G^(rho, gamma), stratified, any number of arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean
from outcomes.results import Array, IntArray, Note, Result, read_only
from outcomes.survival.cox_kernel import group_scores, risk_sums, score_residuals
from outcomes.survival.cox_rows import CoxRows, sort_rows, strata_codes
from outcomes.survival.estimates import by_person, covariance_of, stack
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, resolve

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["LogRank", "logrank_test"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LogRank(Result):
    """Observed and expected events by arm, and the test that the hazards are the same.

    Attributes
    ----------
    observed, expected : ndarray, shape (A,)
        Weighted by S(t-)^rho (1 - S(t-))^gamma, and by the sampling weights where there are any.
    covariance : ndarray, shape (A, A)
        Of observed less expected.
    variance : str
        ``model`` (hypergeometric) or ``robust`` (scores summed by person or cluster).
    """

    arms: tuple[str, ...]
    n: tuple[int, ...]
    observed: Array
    expected: Array
    covariance: Array
    variance: str
    statistic: float
    df: int
    p_value: float
    rho: float
    gamma: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Log-rank test"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row: rho, gamma, variance, statistic, df, p_value."""
        import pandas as pd

        row = {
            "rho": self.rho,
            "gamma": self.gamma,
            "variance": self.variance,
            "statistic": self.statistic,
            "df": self.df,
            "p_value": self.p_value,
        }
        return pd.DataFrame([row])

    def by_arm(self) -> pd.DataFrame:
        """Return one row an arm: arm, n, observed, expected."""
        import pandas as pd

        return pd.DataFrame({"arm": self.arms, "n": self.n, "observed": self.observed, "expected": self.expected})

    def describe(self) -> str:
        """Return the test in a sentence."""
        return (
            f"Log-rank test of equal hazards: chi-squared {self.statistic:.2f} on {self.df} df, p = {self.p_value:.3f}."
        )


def logrank_test(
    data: SurvivalData,
    *,
    cause: str | None = None,
    rho: float = 0.0,
    gamma: float = 0.0,
    strata: str | Sequence[str] | None = None,
    weights: WeightsLike = None,
    cluster: ClusterLike = None,
) -> LogRank:
    """Test whether the hazards of the arms are the same (log-rank, Fleming-Harrington weights, strata).

    Use it beside a difference in risk, never instead of one: it says whether, not how much.

    Parameters
    ----------
    data : SurvivalData
    cause : str, optional
        Required where causes compete; the others are censored.
    rho, gamma : float
        Weights S(t-)^rho (1 - S(t-))^gamma from the pooled curve of each stratum: 0, 0 is the log-rank test, 1, 0 Peto-Prentice.
    strata : str or list of str, optional
        Columns of ``data.frame``; observed and expected are added over strata.
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time.
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` (or codes) whose groups vary together. Default: the cluster of the data.

    Returns
    -------
    LogRank
        ``to_frame()``: one row with rho, gamma, variance, statistic, df, p_value. ``by_arm()``: n, observed, expected.

    Raises
    ------
    EstimationError
        One arm only, an arm with nobody, no events, causes competing without `cause`, fewer clusters than arms.
    NotSupportedError
        rho or gamma other than 0 with weights, clusters or several rows a person.

    Notes
    -----
    With weights, clusters or several rows a person the test is the score test of the arms in a Cox model (Breslow's ties) with
    the variance of the scores summed by person or cluster, so it does not grow with the weights (Xie & Liu 2005; Lin & Wei 1989).

    References
    ----------
    Mantel (1966); Peto & Peto (1972), JRSS A 135:185; Fleming & Harrington (1991), section 7.2.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0)
    >>> round(oc.logrank_test(data).statistic, 4)
    3.8376
    """
    from scipy.special import chdtrc

    must_be_data(data, "logrank_test(data)")
    if len(data.arms) < 2:
        raise EstimationError(f"logrank_test: there is only one arm; nothing to compare.{data.instead_of_arms}")
    if cause is None and len(data.causes) > 1:
        raise EstimationError(
            f"logrank_test: {len(data.causes)} causes compete ({', '.join(data.causes)}); name one (cause=)."
        )
    if cause is not None and cause not in data.causes:
        raise EstimationError(f"logrank_test: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    code = 1 if cause is None else 1 + data.causes.index(cause)
    died = np.asarray(data.event) == code
    asked = resolve(data, weights, cluster, None, what="logrank_test")
    if not (died & (asked.by_row(data) > 0)).any():
        raise EstimationError("logrank_test: nobody had the event; there is nothing to test.")
    if asked.variance != "model" and (rho or gamma):
        raise NotSupportedError(
            "logrank_test: with weights, clusters or several rows a person only the log-rank test (rho=0, gamma=0) is offered."
        )
    if asked.n_clusters is not None and asked.n_clusters <= len(data.arms):
        raise EstimationError(
            f"logrank_test: {asked.n_clusters} clusters cannot tell {len(data.arms)} arms apart; more are needed."
        )
    rows = _sorted(data, asked, died, strata_codes(data, strata, what="logrank_test"))
    if asked.variance == "model":
        observed, expected, covariance = _hypergeometric(rows, rho, gamma)
    else:
        observed, expected, covariance = _robust(data, asked, rows)
    gap = (observed - expected)[1:]
    inner = covariance[1:, 1:]
    df = int(np.linalg.matrix_rank(inner, hermitian=True))
    statistic = float(gap @ np.linalg.pinv(inner, hermitian=True) @ gap)
    return LogRank(
        arms=data.arms,
        n=tuple(int(n) for n in asked.people_by_arm(data)),
        observed=read_only(observed),
        expected=read_only(expected),
        covariance=read_only(covariance),
        variance=asked.variance,
        statistic=statistic,
        df=df,
        p_value=float(chdtrc(df, statistic)),
        rho=rho,
        gamma=gamma,
        notes=data.notes,
    )


def _sorted(data: SurvivalData, asked: Asked, died: npt.NDArray[np.bool_], stratum: IntArray | None) -> CoxRows:
    """Return the rows in order, with one column an arm."""
    arms, person = len(data.arms), data.person
    indicator = (data.row_arm[:, None] == np.arange(arms)).astype(np.float64)
    return sort_rows(
        np.asarray(data.entry), np.asarray(data.exit), died, stratum, asked.by_row(data), asked.count[person],
        indicator, np.zeros(arms), np.ones(arms), efron=False,
    )  # fmt: skip


def _hypergeometric(rows: CoxRows, rho: float, gamma: float) -> tuple[Array, Array, Array]:
    """Return observed, expected (A,) and the hypergeometric covariance (A, A), added over strata."""
    total, deaths = rows.over_risk_sets(rows.weight), rows.over_events(rows.weight[rows.event])
    at_risk = np.stack([rows.over_risk_sets(rows.weight * x) for x in rows.x])
    ended = np.stack([rows.over_events((rows.weight * x)[rows.event]) for x in rows.x])
    before = _survival_before(1.0 - deaths / total, rows.end)
    weight = before**rho * (1.0 - before) ** gamma
    share = at_risk / total
    spread = np.divide(deaths * (total - deaths), total - 1, out=np.zeros(len(total)), where=total > 1) * weight**2
    covariance = np.diag(share @ spread) - (share * spread) @ share.T
    return ended @ weight, share @ (deaths * weight), covariance


def _survival_before(factor: Array, end: IntArray) -> Array:
    """Return the product of the factors of earlier groups of the same stratum, shape (G,)."""
    parts = np.split(factor, np.unique(end)[:-1])
    return np.concatenate([np.cumprod(np.concatenate(([1.0], part[:-1]))) for part in parts])


def _robust(data: SurvivalData, asked: Asked, rows: CoxRows) -> tuple[Array, Array, Array]:
    """Return observed, expected (A,) and the covariance (A, A) of their difference from the Cox scores at 0."""
    sums = risk_sums(rows, np.zeros(len(rows.x)))
    expected = sums.expected.sum(axis=1)
    observed = group_scores(rows, sums).sum(axis=1) + expected
    residual = score_residuals(rows, sums) * asked.beside(rows.order)
    each = by_person(residual.T, data.person[rows.order], len(data.baseline))
    return observed, expected, covariance_of(asked, stack(asked, each))
