"""Log-rank tests of every two arms, with p-values that pay for their number."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.comparison.multiplicity import benjamini_hochberg, holm
from outcomes.design.data import SurvivalData, must_be_data
from outcomes.results import Note, Result, p_in_words
from outcomes.survival.inputs import ClusterLike, WeightsLike
from outcomes.survival.logrank import tables_to_test
from outcomes.survival.logrank_kernel import chi_squared, logrank_sums, nothing_to_test

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PairwiseLogRank", "pairwise_logrank_test"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class PairwiseLogRank(Result):
    """Log-rank tests of every two arms; `variance` is ``model``, ``robust`` or ``stacked``."""

    frame: pd.DataFrame
    variance: str
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Pairwise log-rank tests"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row a pair: arm, reference, rho, gamma, n, n_events, statistic, df, p_value, p_holm, p_bh."""
        return self.frame.copy()

    def describe(self) -> str:
        """Return the tests in a sentence, p-values by Holm's method."""
        pairs = [f"{r['arm']} and {r['reference']}, {p_in_words(r['p_holm'])}" for r in self.frame.to_dict("records")]
        return f"Log-rank tests of every two of the arms, adjusted by Holm's method: {'; '.join(pairs)}."


def pairwise_logrank_test(
    data: SurvivalData,
    *,
    cause: str | None = None,
    rho: float = 0.0,
    gamma: float = 0.0,
    strata: str | Sequence[str] | None = None,
    weights: WeightsLike = None,
    cluster: ClusterLike = None,
    variance: str | None = None,
) -> PairwiseLogRank:
    """Test every two arms against each other (log-rank), with Holm's and Benjamini and Hochberg's adjusted p-values.

    Use it after `logrank_test` has said that the arms differ, to see which do.

    Parameters
    ----------
    data, cause, rho, gamma, strata, weights, cluster, variance
        As in `logrank_test`.

    Returns
    -------
    PairwiseLogRank
        ``to_frame()``: one row a pair with arm, reference, rho, gamma, n, n_events, statistic, df, p_value, p_holm, p_bh.
        Where nobody of a pair had the event its statistic is missing and it does not count as a test.

    Raises
    ------
    EstimationError
        As in `logrank_test`.

    Notes
    -----
    Risk sets, and the curve that rho and gamma weight by, are of the two arms alone. Ties, late entry, weights and clusters as
    in `logrank_test`.

    References
    ----------
    Holm (1979), Scandinavian Journal of Statistics 6:65; Benjamini & Hochberg (1995), JRSS B 57:289.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> frame = load_rossi().assign(earlier=lambda f: f["prio"].clip(upper=2))
    >>> data = oc.survival_data(frame, duration="week", event="arrest", arm="earlier", reference=0)
    >>> oc.pairwise_logrank_test(data).to_frame()[["arm", "reference"]].values.tolist()
    [['1', '0'], ['2', '0'], ['2', '1']]
    """
    import pandas as pd
    from scipy.special import chdtrc

    must_be_data(data, "pairwise_logrank_test(data)")
    asked, tables = tables_to_test(data, cause, strata, weights, cluster, variance, what="pairwise_logrank_test")
    people = asked.people_by_arm(data)
    events = [int(table.n_events.sum()) for table in tables.tables]
    rows = []
    for first, second in combinations(range(len(data.arms)), 2):
        sums = logrank_sums(data, asked, tables, [(rho, gamma)], np.array([first, second]))
        statistic, df = chi_squared((sums.observed - sums.expected)[0], sums.covariance[0, :, 0, :])
        rows.append(
            {
                "arm": data.arms[second],
                "reference": data.arms[first],
                "rho": rho,
                "gamma": gamma,
                "n": int(people[first] + people[second]),
                "n_events": events[first] + events[second],
                "statistic": statistic if df else float("nan"),
                "df": df,
                "p_value": float(chdtrc(df, statistic)) if df else float("nan"),
            }
        )
    frame = pd.DataFrame(rows)
    p = frame["p_value"].to_numpy()
    frame = frame.assign(p_holm=holm(p), p_bh=benjamini_hochberg(p))
    return PairwiseLogRank(
        frame=frame, variance=asked.variance, notes=(*data.notes, *nothing_to_test(int(frame["df"].min())))
    )
