"""The log-rank family: G^(rho, gamma), stratified, any number of arms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.errors import EstimationError, NotSupportedError, did_you_mean
from outcomes.results import Array, IntArray, Note, Result
from outcomes.survival.curve_kernel import fit_arm

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["LogRank", "logrank_test"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class LogRank(Result):
    """Observed and expected events by arm, and the test that the hazards are the same.

    Attributes
    ----------
    observed, expected : ndarray, shape (A,)
        Weighted by S(t-)^rho (1 - S(t-))^gamma.
    covariance : ndarray, shape (A, A)
    """

    arms: tuple[str, ...]
    n: tuple[int, ...]
    observed: Array
    expected: Array
    covariance: Array
    statistic: float
    df: int
    p_value: float
    rho: float
    gamma: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Log-rank test"

    def to_frame(self) -> pd.DataFrame:
        """Return one row: rho, gamma, statistic, df, p_value."""
        import pandas as pd

        row = {
            "rho": self.rho,
            "gamma": self.gamma,
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

    Returns
    -------
    LogRank
        ``to_frame()``: one row with rho, gamma, statistic, df, p_value. ``by_arm()``: n, observed, expected.

    Raises
    ------
    EstimationError
        One arm only, no events, causes competing without `cause`.
    NotSupportedError
        Several rows a person: use `cox` with its robust variance.

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

    if len(data.arms) < 2:
        raise EstimationError("logrank_test: there is only one arm; nothing to compare.")
    if data.multi_row:
        raise NotSupportedError("logrank_test: several rows a person need a robust variance; use cox(data, 'arm').")
    if cause is None and len(data.causes) > 1:
        raise EstimationError(
            f"logrank_test: {len(data.causes)} causes compete ({', '.join(data.causes)}); name one (cause=)."
        )
    if cause is not None and cause not in data.causes:
        raise EstimationError(f"logrank_test: no cause {cause!r}. {did_you_mean(cause, data.causes)}")
    code = 1 if cause is None else 1 + data.causes.index(cause)
    died = np.asarray(data.event) == code
    size = len(data.arms)
    observed, expected, covariance = np.zeros(size), np.zeros(size), np.zeros((size, size))
    for rows in _strata(data, strata):
        o, e, v = _one_stratum(data, rows, died, rho, gamma)
        observed, expected, covariance = observed + o, expected + e, covariance + v
    if not died.any():
        raise EstimationError("logrank_test: nobody had the event; there is nothing to test.")
    gap = (observed - expected)[1:]
    inner = covariance[1:, 1:]
    df = int(np.linalg.matrix_rank(inner))
    statistic = float(gap @ np.linalg.pinv(inner) @ gap)
    return LogRank(
        arms=data.arms,
        n=tuple(int(n) for n in data.people_by_arm()),
        observed=observed,
        expected=expected,
        covariance=covariance,
        statistic=statistic,
        df=df,
        p_value=float(chdtrc(df, statistic)),
        rho=rho,
        gamma=gamma,
        notes=data.notes,
    )


def _strata(data: SurvivalData, strata: str | Sequence[str] | None) -> list[IntArray]:
    if strata is None:
        return [np.arange(len(data.exit), dtype=np.int64)]
    names = [strata] if isinstance(strata, str) else list(strata)
    for name in names:
        if name not in data.frame.columns:
            raise EstimationError(
                f"logrank_test: no column {name!r} (strata). {did_you_mean(name, map(str, data.frame.columns))}"
            )
    return [
        np.asarray(rows, dtype=np.int64)
        for rows in data.frame.groupby(names, sort=True, observed=True).indices.values()
    ]


def _one_stratum(data: SurvivalData, rows: IntArray, died: Any, rho: float, gamma: float) -> tuple[Array, Array, Array]:
    """Return observed, expected (A,) and the hypergeometric covariance (A, A) of one stratum."""
    entry, stop, arm = np.asarray(data.entry)[rows], np.asarray(data.exit)[rows], data.row_arm[rows]
    event = died[rows].astype(np.int64)
    count = np.ones(len(rows)) if data.frequency is None else np.asarray(data.frequency)[rows]
    pooled = fit_arm(entry, stop, event, count, count, 1)
    table = pooled.table
    at = table.events[0] > 0
    total, deaths = table.at_risk[at], table.events[0][at]
    before = np.concatenate(([1.0], pooled.survival[:-1]))[at]
    weight = before**rho * (1 - before) ** gamma
    size = len(data.arms)
    at_risk, ended = np.zeros((size, len(total))), np.zeros((size, len(total)))
    for a in range(size):
        mine = arm == a
        if not mine.any():
            continue
        start, end = np.sort(entry[mine]), np.argsort(stop[mine])
        time = pooled.times[at]
        mass = count[mine]
        joined = np.concatenate(([0.0], np.cumsum(mass[np.argsort(entry[mine])])))[
            np.searchsorted(start, time, side="left")
        ]
        gone = np.concatenate(([0.0], np.cumsum(mass[end])))[np.searchsorted(stop[mine][end], time, side="left")]
        at_risk[a] = joined - gone
        where = np.searchsorted(time, stop[mine][event[mine] == 1])
        ended[a] = np.bincount(where, weights=mass[event[mine] == 1], minlength=len(time))
    share = at_risk / total
    spread = np.divide(deaths * (total - deaths), total - 1, out=np.zeros(len(total)), where=total > 1) * weight**2
    covariance = np.diag(share @ spread) - (share * spread) @ share.T
    return ended @ weight, share @ (deaths * weight), covariance
