"""Gray's test: whether the arms have the same cumulative incidence of one cause while others compete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError, did_you_mean
from outcomes.results import Array, Note, Result, p_in_words, read_only
from outcomes.survival.arm_tables import tables_by_arm
from outcomes.survival.cox_rows import strata_codes
from outcomes.survival.gray_kernel import gray_scores
from outcomes.survival.inputs import WeightsLike, resolve
from outcomes.survival.logrank_kernel import chi_squared, nothing_to_test

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Gray", "gray_test"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Gray(Result):
    """Gray's scores by arm, and the test that the incidences of a cause are the same.

    Attributes
    ----------
    cause : str
    score : ndarray, shape (A,)
        Weighted events of the cause less what the arms' common incidence would give.
    covariance : ndarray, shape (A, A)
    n, n_events : tuple of int
        People, and events of the cause, by arm.
    """

    arms: tuple[str, ...]
    cause: str
    n: tuple[int, ...]
    n_events: tuple[int, ...]
    score: Array
    covariance: Array
    statistic: float
    df: int
    p_value: float
    rho: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Gray's test"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row: cause, rho, statistic, df, p_value."""
        import pandas as pd

        row = {
            "cause": self.cause,
            "rho": self.rho,
            "statistic": self.statistic,
            "df": self.df,
            "p_value": self.p_value,
        }
        return pd.DataFrame([row])

    def by_arm(self) -> pd.DataFrame:
        """Return one row an arm: arm, n, n_events (of the cause), score."""
        import pandas as pd

        return pd.DataFrame({"arm": self.arms, "n": self.n, "n_events": self.n_events, "score": self.score})

    def describe(self) -> str:
        """Return the test in a sentence."""
        counted = "; ".join(
            f"{arm}, {events:,} of {people:,} people"
            for arm, events, people in zip(self.arms, self.n_events, self.n, strict=True)
        )
        return (
            f"Gray's test of equal cumulative incidence of {self.cause}: chi-squared {self.statistic:.2f} on {self.df} df, "
            f"{p_in_words(self.p_value)}. Events: {counted}."
        )


def gray_test(
    data: SurvivalData,
    *,
    cause: str | None = None,
    strata: str | Sequence[str] | None = None,
    rho: float = 0.0,
    weights: WeightsLike = None,
) -> Gray:
    """Test whether the arms have the same cumulative incidence of one cause (Gray).

    Use it beside a difference in cumulative incidence where causes compete; `logrank_test` with `cause` is about the hazard of
    the cause instead, and the two may disagree.

    Parameters
    ----------
    data : SurvivalData
    cause : str, optional
        Required where causes compete. With one cause the test is nearly the log-rank test.
    strata : str or list of str, optional
        Columns of ``data.frame``; scores and covariances are added over strata.
    rho : float
        Times are weighted by (1 - F(t-))^rho, F the pooled incidence of the cause.
    weights
        Not supported; named so that the answer is an error, not a wrong number.

    Returns
    -------
    Gray
        ``to_frame()``: one row with cause, rho, statistic, df, p_value. ``by_arm()``: n, n_events, score.

    Raises
    ------
    EstimationError
        One arm only, causes competing without `cause`, nobody with the cause.
    NotSupportedError
        Weights or clusters: the test has no variance for them. Use a difference in incidence (`compare`).

    Notes
    -----
    Variance as in Gray (1988), with its correction for ties. People may enter late, and rows may be split: risk sets are (entry,
    exit]; who enters an arm after everybody in it had an event counts for nothing.
    The test is of the subdistribution, so an arm with more competing events has fewer of this cause by that alone.

    References
    ----------
    Gray (1988), Annals of Statistics 16:1141.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"day": [5, 8, 9, 12, 3, 4, 7, 10], "end": [1, 2, 1, 0, 2, 2, 1, 2], "arm": [0, 0, 0, 0, 1, 1, 1, 1]})
    >>> data = oc.survival_data(frame, duration="day", event="end", causes={1: "sexual", 2: "death"}, arm="arm", reference=0)
    >>> round(oc.gray_test(data, cause="sexual").statistic, 3)
    0.361
    """
    from scipy.special import chdtrc

    must_be_data(data, "gray_test(data)")
    code = _code_of(data, cause)
    asked = resolve(data, weights, None, None, what="gray_test")
    if asked.weighted or asked.cluster is not None:
        what = "weights" if asked.weighted else "clusters"
        own = (
            ""
            if asked.weighted
            else " If people may be taken as independent, ask gray_test(data.with_cluster(None), …)."
        )
        raise NotSupportedError(
            f"gray_test: {what} are not supported; the test has no variance for them. Compare cumulative incidences instead "
            f"(compare), whose variance takes both.{own}"
        )
    kind = np.where(data.event == code, 1, np.where(data.event > 0, 2, 0))
    if not (kind == 1).any():
        raise EstimationError(f"gray_test: nobody had the event {data.causes[code - 1]!r}; there is nothing to test.")
    tables = tables_by_arm(data, asked, kind, 2, strata_codes(data, strata, what="gray_test"))
    parts = [
        gray_scores(tables.at_risk[:, inside], tables.events[:, 0, inside], tables.events[:, 1, inside], rho)
        for inside in tables.strata()
    ]
    score, covariance = sum(part.score for part in parts), sum(part.covariance for part in parts)
    statistic, df = chi_squared(np.asarray(score), np.asarray(covariance))
    return Gray(
        arms=data.arms,
        cause=data.causes[code - 1],
        n=tuple(int(n) for n in asked.people_by_arm(data)),
        n_events=tuple(int(n) for n in tables.events[:, 0].sum(axis=1)),
        score=read_only(score),
        covariance=read_only(covariance),
        statistic=statistic,
        df=df,
        p_value=float(chdtrc(df, statistic)) if df else float("nan"),
        rho=rho,
        notes=(*data.notes, *nothing_to_test(df)),
    )


def _code_of(data: SurvivalData, cause: str | None) -> int:
    """Return the code of the cause to be tested."""
    if len(data.arms) < 2:
        raise EstimationError("gray_test: there is only one arm; nothing to compare.")
    if cause is None and len(data.causes) > 1:
        raise EstimationError(
            f"gray_test: {len(data.causes)} causes compete ({', '.join(data.causes)}); name one (cause=)."
        )
    if cause is not None and cause not in data.causes:
        raise EstimationError(f"gray_test: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    return 1 if cause is None else 1 + data.causes.index(cause)
