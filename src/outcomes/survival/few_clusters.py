"""What clusters do to an interval: a factor, degrees of freedom, or no interval at all.

One rule for coefficients and for levels of arms. Standard errors are those of R; limits and tests are wider: variances times
G/(G - 1) and t in place of the normal, which R does not do. Clusters of one person each are people, and nothing changes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import Array, Note
from outcomes.survival.inputs import Asked, normal_quantile

if TYPE_CHECKING:
    from outcomes.design.data import SurvivalData

__all__ = [
    "CLUSTER_NOTES",
    "FEW",
    "FewClusters",
    "about_clusters_of_arms",
    "few_clusters",
    "reach_of_arm",
    "reach_of_model",
]

CLUSTER_NOTES = ("one_cluster", "few_clusters")

FEW = 10  # clusters, below which t is not enough


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
    if (min(counts) if by_arm else groups) < FEW:
        text = f"Fewer than {FEW} clusters{' in an arm' if by_arm else ''} ({listed}): intervals may be too narrow even on t."
        whole = by_arm and sum(counts) == groups
        beside = "with randomisation_test(data, …)" if whole else "(of a Cox model) with wild_score_test(…)"
        return FewClusters(factor, df, (Note("few_clusters", f"{text} Read them {beside}."),))
    return FewClusters(factor, df, ())


def reach_of_arm(data: SurvivalData, asked: Asked, arm: int, conf_level: float) -> float:
    """Return what the standard error of an arm's level is multiplied by: t on one less than the arm's clusters.

    Missing where it has one cluster: its people do not tell how clusters differ.
    """
    if asked.cluster is None:
        return normal_quantile(conf_level)
    return _reach(len(np.unique(asked.cluster[asked.used & (data.arm == arm)])), conf_level)


def reach_of_model(asked: Asked, conf_level: float) -> float:
    """Return what the standard error of a level of all people together is multiplied by: t on one less than the clusters."""
    return normal_quantile(conf_level) if asked.n_clusters is None else _reach(asked.n_clusters, conf_level)


def _reach(clusters: int, conf_level: float) -> float:
    from scipy.special import stdtrit

    if clusters < 2:
        return float("nan")
    return float(stdtrit(clusters - 1, 0.5 + conf_level / 2) * np.sqrt(clusters / (clusters - 1)))


def about_clusters_of_arms(data: SurvivalData, asked: Asked) -> tuple[Note, ...]:
    """Return what must be said of arms with few clusters, and of those with one."""
    counts = dict(zip(data.arms, asked.clusters_by_arm(data) or (), strict=False))
    alone = [arm for arm, count in counts.items() if count < 2]
    few = [f"{count:,} in {arm}" for arm, count in counts.items() if 2 <= count < FEW]
    notes = []
    if alone:
        text = f"One cluster in {' and in '.join(alone)} says nothing of how clusters differ: no interval is given."
        notes.append(Note("one_cluster", text))
    if few:
        text = f"Fewer than {FEW} clusters ({' and '.join(few)}): intervals may be too narrow even on t."
        notes.append(Note("few_clusters", text))
    return tuple(notes)
