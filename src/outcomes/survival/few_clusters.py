"""What few clusters do to the interval of a coefficient: a factor, degrees of freedom, or no interval at all."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import Array, Note
from outcomes.survival.inputs import Asked

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = ["CLUSTER_NOTES", "FewClusters", "few_clusters"]

CLUSTER_NOTES = ("one_cluster", "few_clusters")

_FEW = 10


@dataclass(frozen=True)
class FewClusters:
    """Corrections by term; p terms.

    Attributes
    ----------
    factor : ndarray, shape (p,)
        What variances are multiplied by: G/(G − 1); missing where no interval can be given.
    df : ndarray, shape (p,)
        Degrees of freedom of t; infinite where nothing is clustered.
    notes : tuple of Note
    """

    factor: Array
    df: Array
    notes: tuple[Note, ...]


def few_clusters(data: SurvivalData, asked: Asked, owners: tuple[str, ...]) -> FewClusters:
    """Return the corrections of the coefficients of terms `owners`.

    Notes
    -----
    t on G − 1 degrees of freedom; for terms of the arm G − A where no cluster holds people of two of the A arms (as where arms were
    given to areas). With one cluster in an arm nothing tells the arm from its cluster: its terms have no interval.

    References
    ----------
    Cameron & Miller (2015), Journal of Human Resources 50:317.
    """
    size, groups = len(owners), asked.n_clusters
    if groups is None:
        return FewClusters(np.ones(size), np.full(size, np.inf), ())
    factor = np.full(size, groups / (groups - 1) if groups > 1 else np.nan)
    df = np.full(size, groups - 1.0 if groups > 1 else np.nan)
    counts = asked.clusters_by_arm(data) or ()
    named = {"arm", data.arm_column}
    of_arm = np.array([bool(set(re.findall(r"\w+", owner)) & named) for owner in owners])
    by_arm = bool(of_arm.any()) and len(counts) > 1
    listed = (
        " and ".join(f"{n:,} in {arm}" for n, arm in zip(counts, data.arms, strict=True)) if by_arm else f"{groups:,}"
    )
    if by_arm and sum(counts) == groups:
        df[of_arm] = groups - len(counts)
    if groups < 2 or (by_arm and min(counts) < 2):
        mine = of_arm if groups > 1 else np.ones(size, dtype=bool)
        factor[mine], df[mine] = np.nan, np.nan
        text = f"One cluster ({listed}) cannot be told apart from what it differs in: no interval is given."
        return FewClusters(factor, df, (Note("one_cluster", text),))
    if (min(counts) if by_arm else groups) < _FEW:
        text = f"Fewer than {_FEW} clusters{' in an arm' if by_arm else ''} ({listed}): intervals may be too narrow even on t."
        return FewClusters(factor, df, (Note("few_clusters", text),))
    return FewClusters(factor, df, ())
