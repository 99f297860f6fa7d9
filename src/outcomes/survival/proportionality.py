"""The score test of proportional hazards (Grambsch & Therneau 1994, in the exact form of R's survival 3), and its robust form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.errors import one_of
from outcomes.results import Array, Note, Result, p_in_words
from outcomes.survival.coefficient_paths import coefficient_paths
from outcomes.survival.cox_kernel import group_scores, information
from outcomes.survival.cox_variance import score_by_person
from outcomes.survival.curve_kernel import fit_arm
from outcomes.survival.estimates import covariance_of, stack

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.cox_result import Cox

__all__ = ["ProportionalHazards", "score_test"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class ProportionalHazards(Result):
    """Score test of each term times a function of time, and of all terms at once."""

    frame: pd.DataFrame
    transform: str
    model: Cox
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    drawing: ClassVar[str | None] = "coefficient_paths"
    title: ClassVar[str] = "Test of proportional hazards"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row a term and one for all: term, statistic, df, p_value."""
        return self.frame.copy()

    def paths(self) -> pd.DataFrame:
        """Return each coefficient over time, smoothed: term, time, estimate, conf_low, conf_high (log hazard ratios).

        Raises
        ------
        EstimationError
            Fewer than 8 distinct times of events.
        """
        return coefficient_paths(self.model, _clock(self.model, self.transform))

    def describe(self) -> str:
        """Return the global test in a sentence."""
        row = self.frame.iloc[-1]
        verdict = "hazards were not proportional" if row["p_value"] < 0.05 else "no sign against proportional hazards"
        terms = self.frame.iloc[:-1]
        alone = [f"{r['term']} ({p_in_words(r['p_value'])})" for r in terms.to_dict("records") if r["p_value"] < 0.05]
        if alone and row["p_value"] >= 0.05:
            verdict = f"no sign against it for all of them together, but for {', '.join(alone)} alone there is"
        test = f"chi-squared {row['statistic']:.2f} on {int(row['df'])} df, {p_in_words(row['p_value'])}"
        return f"Test of proportional hazards for all terms: {test}; {verdict}."


def score_test(model: Cox, *, transform: str, by_term: bool) -> ProportionalHazards:
    """Return the score test at the fitted coefficients.

    Notes
    -----
    The coefficient of x times g(t) is tested at 0 with the other coefficients free: the score over event times of g(t) times
    (observed - expected covariate), against its information less what the fitted coefficients take up. Neither centring g nor
    the scale of x changes it. Robust: against the sum over people or clusters of their squared contributions to that score (Lin & Wei
    1989), so that the scale of the weights does not matter.
    """
    import pandas as pd
    from scipy.special import chdtrc

    one_of(transform, ("km", "identity", "log", "rank"), what="proportional_hazards: transform")
    model.refuse("proportional_hazards", exact=True, penalised=True)
    rows, sums = model.rows, model.sums
    g = _clock(model, transform)
    g = g - np.average(g, weights=rows.deaths)
    u = group_scores(rows, sums) @ g
    base, first = information(rows, sums), information(rows, sums, g)
    if model.asked.variance == "model":
        spread = information(rows, sums, g**2) - first @ np.linalg.solve(base, first)
    else:
        spread = _robust(model, g, np.asarray(np.linalg.solve(base, first)))
    owners = model.owners if by_term else model.terms
    tests = []
    for term in dict.fromkeys(owners):
        index = [i for i, owner in enumerate(owners) if owner == term]
        tests.append(_row(term, u[index], spread[np.ix_(index, index)], model.asked.n_clusters))
    tests.append(_row("GLOBAL", u, spread, model.asked.n_clusters))
    frame = pd.DataFrame(tests)
    frame["p_value"] = chdtrc(frame["df"], frame["statistic"])
    return ProportionalHazards(frame=frame, transform=transform, model=model, notes=(*model.notes, *_missing(frame)))


def _missing(frame: pd.DataFrame) -> tuple[Note, ...]:
    """Return what must be said where a test does not exist."""
    if not frame["statistic"].isna().any():
        return ()
    text = "A test is missing: there are not more clusters than terms, or too few times of events to see a coefficient change."
    return (Note("untestable", text),)


def _robust(model: Cox, g: Array, taken: Array) -> Array:
    """Return the variance of the scores from people's (or clusters') own, less what the fitted coefficients take up, shape (p, p)."""
    each = score_by_person(model, g) - score_by_person(model) @ taken
    return covariance_of(model.asked, stack(model.asked, each))


def _row(term: str, u: Array, spread: Array, clusters: int | None) -> dict[str, Any]:
    # G clusters span at most G - 1 directions; events at one time, or a covariate alike among those at risk, span fewer
    known = (clusters is None or clusters > len(u)) and np.linalg.matrix_rank(spread, hermitian=True) == len(u)
    return {"term": term, "statistic": float(u @ np.linalg.solve(spread, u)) if known else np.nan, "df": len(u)}


def _clock(model: Cox, transform: str) -> Array:
    """Return g(t) at each group of tied events, shape (G,)."""
    time = model.rows.time
    if transform == "identity":
        return np.asarray(time)
    if transform == "log":
        return np.asarray(np.log(time))
    if transform == "rank":  # mean rank of the time among all rows, censored ones too
        ordered = np.sort(model.data.exit[model.asked.by_row(model.data) > 0])
        low, high = np.searchsorted(ordered, time, side="left"), np.searchsorted(ordered, time, side="right")
        return np.asarray((low + 1 + high) / 2)
    data, asked = model.data, model.asked
    weight = asked.by_row(data)
    used = weight > 0
    died = (np.asarray(data.event) == 1 + data.causes.index(model.cause))[used].astype(np.int64)
    count = asked.count[data.person][used]
    fit = fit_arm(data.entry[used], data.exit[used], died, weight[used] * count, count, 1)
    before = np.concatenate(([1.0], fit.survival[:-1]))
    return np.asarray(1.0 - before[np.searchsorted(fit.times, time)])
