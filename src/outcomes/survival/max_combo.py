"""The max-combo test: the largest of several weighted log-rank statistics, judged as the largest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, NotSupportedError
from outcomes.results import Array, Note, Result, p_in_words, read_only
from outcomes.survival.inputs import ClusterLike, WeightsLike, known_weights
from outcomes.survival.largest_of_several import chance_of_larger, value_exceeded
from outcomes.survival.logrank import checked_weightings, tables_to_test
from outcomes.survival.logrank_kernel import logrank_sums, nothing_to_test

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MaxCombo", "max_combo_test"]

_FAMILY = ((0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0))


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class MaxCombo(Result):
    """Several weighted log-rank statistics of two arms, and the test of the largest.

    Attributes
    ----------
    family : tuple of (rho, gamma)
    z : ndarray, shape (K,)
        Observed less expected events of the arm that is not the reference, over its standard error; missing where a
        weighting leaves nothing.
    correlation : ndarray, shape (K, K)
    statistic : float
        The largest absolute value of `z`.
    """

    arms: tuple[str, ...]
    n: tuple[int, ...]
    family: tuple[tuple[float, float], ...]
    z: Array
    correlation: Array
    variance: str
    statistic: float
    p_value: float
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "intervals"
    title: ClassVar[str] = "Max-combo test"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row: variance, statistic, df (number of tests combined), p_value."""
        import pandas as pd

        df = int(np.isfinite(self.z).sum())
        return pd.DataFrame(
            [{"variance": self.variance, "statistic": self.statistic, "df": df, "p_value": self.p_value}]
        )

    def by_weighting(self) -> pd.DataFrame:
        """Return one row a weighting: rho, gamma, z, p_value (of that test alone)."""
        import pandas as pd
        from scipy.special import chdtrc

        rho, gamma = zip(*self.family, strict=True)
        return pd.DataFrame({"rho": rho, "gamma": gamma, "z": self.z, "p_value": chdtrc(1, self.z**2)})

    def critical_value(self, level: float = 0.05) -> float:
        """Return what the largest |z| exceeds with probability `level` where the hazards are equal; missing where nothing is tested.

        Raises
        ------
        EstimationError
            A level that is not between 0 and 1.
        """
        if not 0 < level < 1:
            raise EstimationError(f"critical_value: level must lie between 0 and 1; got {level}.")
        known = np.isfinite(self.z)
        return value_exceeded(level, self.correlation[np.ix_(known, known)]) if known.any() else float("nan")

    def describe(self) -> str:
        """Return the test in a sentence."""
        return (
            f"Max-combo test of equal hazards in {self.arms[1]} ({self.n[1]:,} people) and {self.arms[0]} ({self.n[0]:,}) over "
            f"{len(self.family)} weightings of time: largest |z| {self.statistic:.2f}, {p_in_words(self.p_value)}."
        )


def max_combo_test(
    data: SurvivalData,
    *,
    cause: str | None = None,
    family: Sequence[tuple[float, float]] = _FAMILY,
    strata: str | Sequence[str] | None = None,
    weights: WeightsLike = None,
    cluster: ClusterLike = None,
    variance: str | None = None,
) -> MaxCombo:
    """Test whether the hazards of two arms are the same, where they may differ early, late or in between.

    Use it where it is not known beforehand when a programme works, and say so beforehand: it looks for early, middle and
    late differences at once, and its p-value pays for having looked.

    Parameters
    ----------
    data : SurvivalData
        Two arms.
    cause : str, optional
        Required where causes compete; the others are censored.
    family : sequence of (rho, gamma)
        Weightings S(t-)^rho (1 - S(t-))^gamma of the tests combined.
    strata, weights, cluster, variance
        As in `logrank_test`.

    Returns
    -------
    MaxCombo
        ``to_frame()``: one row with variance, statistic, df, p_value. ``by_weighting()``: rho, gamma, z, p_value.

    Raises
    ------
    EstimationError
        As in `logrank_test`; a family that is empty.
    NotSupportedError
        More than two arms.

    Notes
    -----
    The statistics are normal together; their covariance is hypergeometric for plain data, otherwise that of the scores summed by
    person or cluster. The p-value is the probability that the largest is as large as it was, to three digits or more; nothing
    is drawn at random. Risk sets are (entry, exit]; people may enter late; ties are one hypergeometric draw.

    References
    ----------
    Lee (2007), Computational Statistics & Data Analysis 51:6557; Karrison (2016), Stata Journal 16:678.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0)
    >>> round(oc.max_combo_test(data).p_value, 3)
    0.079
    """
    must_be_data(data, "max_combo_test(data)")
    pairs = tuple((float(rho), float(gamma)) for rho, gamma in family)
    if not pairs:
        raise EstimationError("max_combo_test: family must hold at least one (rho, gamma).")
    checked_weightings(pairs, what="max_combo_test")
    if len(data.arms) > 2:
        raise NotSupportedError(
            f"max_combo_test: {len(data.arms)} arms; the test is of two. Take two at a time, or logrank_test for all."
        )
    asked, tables = tables_to_test(data, cause, strata, weights, cluster, variance, what="max_combo_test")
    sums = logrank_sums(data, asked, tables, pairs, np.arange(2))
    gap, covariance = (sums.observed - sums.expected)[:, 1], sums.covariance[:, 1, :, 1]
    error = np.sqrt(np.diag(covariance))
    known = error > 1e-12 * max(error.max(), 1e-300)
    z = np.divide(gap, error, out=np.full(len(gap), np.nan), where=known)
    outer = np.outer(error, error)
    correlation = np.divide(covariance, outer, out=np.full(outer.shape, np.nan), where=np.outer(known, known))
    statistic = float(np.abs(z[known]).max()) if known.any() else float("nan")
    p_value = chance_of_larger(statistic, correlation[np.ix_(known, known)]) if known.any() else float("nan")
    return MaxCombo(
        arms=data.arms,
        n=tuple(int(n) for n in asked.people_by_arm(data)),
        family=pairs,
        z=read_only(z),
        correlation=read_only(correlation),
        variance=asked.variance,
        statistic=statistic,
        p_value=p_value,
        notes=(*data.notes, *known_weights(asked), *nothing_to_test(int(known.sum()))),
    )
