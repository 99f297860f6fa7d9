"""The log-rank family: G^(rho, gamma), stratified, any number of arms, trend across them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, Note, Result, p_in_words, read_only
from outcomes.survival.arm_tables import ArmTables, tables_by_arm
from outcomes.survival.cox_rows import strata_codes
from outcomes.survival.inputs import Asked, ClusterLike, WeightsLike, known_weights, resolve
from outcomes.survival.logrank_kernel import chi_squared, logrank_sums, nothing_to_test

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["LogRank", "checked_weightings", "logrank_test", "tables_to_test"]


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
        ``model`` (hypergeometric), or ``robust`` or ``stacked`` (scores summed by person or cluster).
    scores : tuple of float or None
        Scores of the arms where the test is of a trend.
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
    scores: tuple[float, ...] | None = None
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
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
        of = "equal hazards" if self.scores is None else "no trend of the hazards across the arms"
        counted = "; ".join(
            f"{r['arm']}, {r['n']:,} people: {r['observed']:.4g} observed, {r['expected']:.4g} expected"
            for r in self.by_arm().to_dict("records")
        )
        how = "" if self.rho == self.gamma == 0 else f" weighted by rho = {self.rho:g}, gamma = {self.gamma:g},"
        return (
            f"Log-rank test{how} of {of}: chi-squared {self.statistic:.2f} on {self.df} df, {p_in_words(self.p_value)}. "
            f"Events: {counted}."
        )


def logrank_test(
    data: SurvivalData,
    *,
    cause: str | None = None,
    rho: float = 0.0,
    gamma: float = 0.0,
    strata: str | Sequence[str] | None = None,
    scores: Mapping[str, float] | Sequence[float] | None = None,
    weights: WeightsLike = None,
    cluster: ClusterLike = None,
    variance: str | None = None,
) -> LogRank:
    """Test whether the hazards of the arms are the same (log-rank, Fleming-Harrington weights, strata, trend).

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
    scores : mapping of arm to number, or one number an arm in the order of ``data.arms``, optional
        Tests for a trend of the hazards across the arms so scored, on 1 degree of freedom.
    weights : Weights, str or array of shape (P,) or (N,), optional
        Sampling weights, one a person, or one a row where they change over time.
    cluster : str or array of shape (P,), optional
        Column of ``data.baseline`` (or codes) whose groups vary together. Default: the cluster of the data.
    variance : {"model", "robust", "stacked"}, optional
        Default: hypergeometric for plain data; scores summed by person or cluster where there are weights, clusters or several
        rows a person. ``"stacked"``: the same with the weights as estimated.

    Returns
    -------
    LogRank
        ``to_frame()``: one row with rho, gamma, variance, statistic, df, p_value. ``by_arm()``: n, observed, expected.

    Raises
    ------
    EstimationError
        One arm only, an arm with nobody, no events, causes competing without `cause`, fewer clusters than arms, a rho or gamma
        below 0.

    Notes
    -----
    Risk sets are (entry, exit]; people may enter late; tied events are one hypergeometric draw. An arm or a stratum without
    events is allowed. With weights, clusters or several rows a person the test is the score test of the arms in a Cox model
    (Breslow's ties), its terms weighted over time by rho and gamma, with the variance of the scores summed by person or
    cluster, so that it does not grow with the weights (Xie & Liu 2005; Lin & Wei 1989).

    References
    ----------
    Mantel (1966); Peto & Peto (1972), JRSS A 135:185; Fleming & Harrington (1991), section 7.2; trend: Tarone (1975),
    Biometrika 62:679.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0)
    >>> round(oc.logrank_test(data).statistic, 4)
    3.8376
    """
    from scipy.special import chdtrc

    asked, tables = tables_to_test(data, cause, strata, weights, cluster, variance, what="logrank_test")
    checked_weightings([(rho, gamma)], what="logrank_test")
    values = _scores_of_arms(data, scores)
    sums = logrank_sums(data, asked, tables, [(rho, gamma)], np.arange(len(data.arms)))
    gap, covariance = (sums.observed - sums.expected)[0], sums.covariance[0, :, 0, :]
    if values is None:
        statistic, df = chi_squared(gap, covariance)
    else:
        spread = float(values @ covariance @ values)
        statistic, df = (float(values @ gap) ** 2 / spread, 1) if spread > 0 else (0.0, 0)
    return LogRank(
        arms=data.arms,
        n=tuple(int(n) for n in asked.people_by_arm(data)),
        observed=read_only(sums.observed[0]),
        expected=read_only(sums.expected[0]),
        covariance=read_only(covariance),
        variance=asked.variance,
        statistic=statistic,
        df=df,
        p_value=float(chdtrc(df, statistic)) if df else float("nan"),
        rho=rho,
        gamma=gamma,
        scores=None if values is None else tuple(float(v) for v in values),
        notes=(*data.notes, *known_weights(asked), *nothing_to_test(df)),
    )


def tables_to_test(
    data: SurvivalData,
    cause: str | None,
    strata: str | Sequence[str] | None,
    weights: WeightsLike,
    cluster: ClusterLike,
    variance: str | None,
    *,
    what: str,
) -> tuple[Asked, ArmTables]:
    """Return what a test of the arms' hazards was asked with and the risk tables it stands on.

    Raises
    ------
    EstimationError
        One arm only, causes competing without `cause`, nobody with the event, fewer clusters than arms.
    """
    must_be_data(data, f"{what}(data)")
    if len(data.arms) < 2:
        raise EstimationError(f"{what}: there is only one arm; nothing to compare.{data.instead_of_arms}")
    if cause is None and len(data.causes) > 1:
        raise EstimationError(
            f"{what}: {len(data.causes)} causes compete ({', '.join(data.causes)}); name one (cause=)."
        )
    if cause is not None and cause not in data.causes:
        raise EstimationError(f"{what}: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    code = 1 if cause is None else 1 + data.causes.index(cause)
    died = np.asarray(data.event) == code
    asked = resolve(data, weights, cluster, variance, what=what)
    if not (died & (asked.by_row(data) > 0)).any():
        raise EstimationError(f"{what}: nobody had the event; there is nothing to test.")
    if asked.n_clusters is not None and asked.n_clusters <= len(data.arms):
        raise EstimationError(
            f"{what}: {asked.n_clusters} clusters cannot tell {len(data.arms)} arms apart; more are needed."
        )
    return asked, tables_by_arm(data, asked, died.astype(np.int64), 1, strata_codes(data, strata, what=what))


def checked_weightings(family: Sequence[tuple[float, float]], *, what: str) -> None:
    """Raise unless every rho and gamma is a finite number of 0 or more."""
    for rho, gamma in family:
        if not (0 <= rho < np.inf and 0 <= gamma < np.inf):
            raise EstimationError(f"{what}: rho and gamma must be finite and 0 or more; got {rho} and {gamma}.")


def _scores_of_arms(data: SurvivalData, scores: Mapping[str, float] | Sequence[float] | None) -> Array | None:
    """Return one finite score an arm, not all the same, shape (A,)."""
    if scores is None:
        return None
    if isinstance(scores, Mapping):
        named = {str(arm): score for arm, score in scores.items()}
        if set(named) != set(data.arms):
            raise EstimationError(
                f"logrank_test: scores must name every arm and no other; the arms are {', '.join(data.arms)}."
            )
        scores = [named[arm] for arm in data.arms]
    values = np.asarray(scores, dtype=np.float64)
    if values.shape != (len(data.arms),) or not np.isfinite(values).all() or np.ptp(values) == 0:
        raise EstimationError(
            f"logrank_test: scores must be one finite number an arm ({len(data.arms)}), not all the same."
        )
    return values
