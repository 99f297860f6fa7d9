"""The score test of proportional hazards (Grambsch & Therneau 1994, in the exact form of R's survival 3)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.errors import one_of
from outcomes.results import Array, Note, Result
from outcomes.survival.cox_kernel import group_scores, information, risk_sums
from outcomes.survival.curve_kernel import fit_arm

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.cox_model import Cox

__all__ = ["ProportionalHazards", "score_test"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ProportionalHazards(Result):
    """Score test of each term times a function of time, and of all terms at once."""

    frame: pd.DataFrame
    transform: str
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Test of proportional hazards"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row a term and one for all: term, statistic, df, p_value."""
        return self.frame.copy()

    def describe(self) -> str:
        """Return the global test in a sentence."""
        row = self.frame.iloc[-1]
        verdict = "hazards were not proportional" if row["p_value"] < 0.05 else "no sign against proportional hazards"
        test = f"chi-squared {row['statistic']:.2f} on {int(row['df'])} df, p = {row['p_value']:.3f}"
        return f"Test of proportional hazards for all terms: {test}; {verdict}."


def score_test(model: Cox, *, transform: str, by_term: bool) -> ProportionalHazards:
    """Return the score test at the fitted coefficients.

    Notes
    -----
    The coefficient of x times g(t) is tested at 0 with the other coefficients free: the score over event times of g(t) times
    (observed - expected covariate), against its information less what the fitted coefficients take up. Neither centring g nor
    the scale of x changes it.
    """
    import pandas as pd
    from scipy.special import chdtrc

    one_of(transform, ("km", "identity", "log", "rank"), what="proportional_hazards: transform")
    rows = model.rows
    sums = risk_sums(rows, np.asarray(model.coefficients * model.scale))
    g = _clock(model, transform)
    g = g - np.average(g, weights=rows.deaths)
    u = group_scores(rows, sums) @ g
    base, first, second = (information(rows, sums, power) for power in (None, g, g**2))
    rest = second - first @ np.linalg.solve(base, first)
    owners = model.owners if by_term else model.terms
    tests = []
    for term in dict.fromkeys(owners):
        index = [i for i, owner in enumerate(owners) if owner == term]
        tests.append(_row(term, u[index], _one_term(index, first, second, base)))
    tests.append(_row("GLOBAL", u, rest))
    frame = pd.DataFrame(tests)
    frame["p_value"] = chdtrc(frame["df"], frame["statistic"])
    return ProportionalHazards(frame=frame, transform=transform, notes=model.notes)


def _one_term(index: list[int], first: Array, second: Array, base: Array) -> Array:
    cross = first[:, index]
    return np.asarray(second[np.ix_(index, index)] - cross.T @ np.linalg.solve(base, cross))


def _row(term: str, u: Array, information: Array) -> dict[str, Any]:
    return {"term": term, "statistic": float(u @ np.linalg.solve(information, u)), "df": len(u)}


def _clock(model: Cox, transform: str) -> Array:
    """Return g(t) at each group of tied events, shape (G,)."""
    time = model.rows.time
    if transform == "identity":
        return np.asarray(time)
    if transform == "log":
        return np.asarray(np.log(time))
    if transform == "rank":  # mean rank of the time among all rows, censored ones too
        ordered = np.sort(np.asarray(model.data.exit))
        low, high = np.searchsorted(ordered, time, side="left"), np.searchsorted(ordered, time, side="right")
        return np.asarray((low + 1 + high) / 2)
    data = model.data
    died = (np.asarray(data.event) == 1 + data.causes.index(model.cause)).astype(np.int64)
    count = np.ones(len(died)) if data.frequency is None else np.asarray(data.frequency)
    fit = fit_arm(np.asarray(data.entry), np.asarray(data.exit), died, count, count, 1)
    before = np.concatenate(([1.0], fit.survival[:-1]))
    return np.asarray(1.0 - before[np.searchsorted(fit.times, time)])
