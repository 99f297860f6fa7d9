"""The outcome as models of covariates take it: what happened to each person, and the cumulative hazards of their time at risk."""

from __future__ import annotations

import numpy as np

from outcomes.design.data import SurvivalData
from outcomes.results import Array, IntArray
from outcomes.survival.risk_table import risk_table

__all__ = ["outcome_terms"]


def outcome_terms(data: SurvivalData, people: IntArray | None = None) -> tuple[Array, tuple[str, ...]]:
    """Return events and Nelson–Aalen cumulative hazards of each person, cause by cause, and their names.

    Parameters
    ----------
    data : SurvivalData
    people : ndarray of int, optional
        Whose terms, from the hazards of these people alone; default everybody's, P of them.

    Returns
    -------
    values : ndarray, shape (P, 2 K)
        For each cause the number of the person's events of it (0 or 1 where it ends the time at risk), then its cumulative hazard
        between the person's entry and exit, estimated from all of them; the pieces of a person with several rows are added up.
    names : tuple of str

    References
    ----------
    White & Royston (2009), Statistics in Medicine 28:1982; with competing causes one hazard each: Bartlett & Taylor (2016),
    Biostatistics 17:751.
    """
    size, causes = len(data.baseline), len(data.causes)
    rows = slice(None) if people is None else np.flatnonzero(np.isin(data.person, people))
    event, person, one = data.event[rows], data.person[rows], np.ones(len(data.exit[rows]))
    table = risk_table(data.entry[rows], data.exit[rows], event, one, one, causes)
    steps = np.cumsum(table.per_at_risk(table.events), axis=1)
    cumulative = np.concatenate([np.zeros((causes, 1)), steps], axis=1)
    values, names = np.empty((size, 2 * causes)), list[str]()
    for k, cause in enumerate(data.causes):
        passed = cumulative[k][table.last + 1] - cumulative[k][table.first]
        values[:, 2 * k] = np.bincount(person, weights=event == k + 1, minlength=size)
        values[:, 2 * k + 1] = np.bincount(person, weights=passed, minlength=size)
        names += [f"event: {cause}", f"cumulative hazard: {cause}"]
    return values if people is None else values[people], tuple(names)
