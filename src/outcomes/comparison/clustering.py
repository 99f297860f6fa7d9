"""What clusters do to an interval: its small-sample factor, its degrees of freedom, and what must be said."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from outcomes.errors import EstimationError
from outcomes.results import IntArray, Note
from outcomes.survival.few_clusters import FEW

__all__ = ["Clustered", "clustered"]


@dataclass(frozen=True)
class Clustered:
    """Factor of the variance (missing: no interval can be given), degrees of freedom of t, notes."""

    factor: float
    df: float
    notes: tuple[Note, ...]


def clustered(
    cluster: IntArray | None,
    arm: IntArray,
    arms: tuple[str, ...],
    pair: tuple[int, int],
    cluster_df: float | None = None,
) -> Clustered:
    """Return what the clusters of the people in two arms ask of their contrast.

    Parameters
    ----------
    cluster : ndarray of int, shape (P,), or None
    arm : ndarray of int, shape (P,)
        Index into `arms`; -1 for people who do not count.
    arms : tuple of str
    pair : (int, int)
        Reference and arm; people of other arms do not count.
    cluster_df : float, optional
        Degrees of freedom to use instead.

    Notes
    -----
    The variance is multiplied by G/(G - 1). Degrees of freedom: G - 2 where whole clusters went to an arm, G - 1 where
    clusters hold people of both. With one cluster in an arm nothing tells arm from cluster: no interval.
    """
    if cluster_df is not None and not cluster_df > 0:
        raise EstimationError(f"compare: cluster_df must be above 0; got {cluster_df}.")
    if cluster is None:
        if cluster_df is not None:
            raise EstimationError(
                "compare: cluster_df is for clustered estimates; name cluster= where the curves are made."
            )
        return Clustered(1.0, float("inf"), ())
    mine = [np.unique(cluster[arm == index]) for index in pair]
    groups, both = len(np.union1d(mine[0], mine[1])), len(np.intersect1d(mine[0], mine[1]))
    counted = " and ".join(f"{len(found)} in {arms[index]}" for found, index in zip(mine, pair, strict=True))
    alone = [arms[index] for found, index in zip(mine, pair, strict=True) if len(found) < 2]
    if alone or groups < 3:
        text = f"Too few clusters for an interval ({counted}): " + (
            f"with one cluster, arm {' and arm '.join(alone)} and its cluster cannot be told apart."
            if alone
            else "two in all."
        )
        return Clustered(float("nan"), float("nan"), (Note("one_cluster", text),))
    notes = []
    if both == 0:
        text = f"No cluster holds people of both arms ({counted}): arm and cluster can be told apart only by many clusters."
        notes.append(Note("nested_clusters", text))
    if min(len(found) for found in mine) < FEW:
        text = (
            f"Fewer than {FEW} clusters in an arm ({counted}): the interval may be too narrow even on t; read it with "
            f"{'randomisation_test(data, …)' if both == 0 else 'wild_score_test(…) of a curve, a mean or a Cox model'}."
        )
        notes.append(Note("few_clusters", text))
    df = groups - (2 if both == 0 else 1) if cluster_df is None else cluster_df
    return Clustered(groups / (groups - 1), float(df), tuple(notes))
