"""The outcome as models of covariates take it: what happened to each person, and the cumulative hazards of their time at risk."""

from __future__ import annotations

import numpy as np

from outcomes.design.data import SurvivalData
from outcomes.results import Array
from outcomes.survival.risk_table import risk_table

__all__ = ["outcome_terms"]


def outcome_terms(data: SurvivalData) -> tuple[Array, tuple[str, ...]]:
    """Return events and Nelson–Aalen cumulative hazards of each person, cause by cause, and their names.

    Returns
    -------
    values : ndarray, shape (P, 2 K)
        For each cause the number of the person's events of it (0 or 1 where it ends the time at risk), then its cumulative hazard
        between the person's entry and exit, estimated from everybody; the pieces of a person with several rows are added up.
    names : tuple of str

    References
    ----------
    White & Royston (2009), Statistics in Medicine 28:1982; with competing causes one hazard each: Bartlett & Taylor (2016),
    Biostatistics 17:751.
    """
    rows, people, causes = len(data.exit), len(data.baseline), len(data.causes)
    one = np.ones(rows)
    table = risk_table(data.entry, data.exit, data.event, one, one, causes)
    steps = np.cumsum(table.per_at_risk(table.events), axis=1)
    cumulative = np.concatenate([np.zeros((causes, 1)), steps], axis=1)
    values, names = np.empty((people, 2 * causes)), list[str]()
    for k, cause in enumerate(data.causes):
        passed = cumulative[k][table.last + 1] - cumulative[k][table.first]
        values[:, 2 * k] = np.bincount(data.person, weights=data.event == k + 1, minlength=people)
        values[:, 2 * k + 1] = np.bincount(data.person, weights=passed, minlength=people)
        names += [f"event: {cause}", f"cumulative hazard: {cause}"]
    return values, tuple(names)
