"""What a study's formula says of other people than those it was written for: terms that still tell them apart, causes that can bear it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from outcomes.results import IntArray, Note
from outcomes.survival.design_matrix import design_matrix
from outcomes.survival.formula_text import names_in, terms_of

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["left_out_notes", "models_by_cause", "telling_terms"]

_EVENTS_A_TERM, _LEAST = 10, 5


def telling_terms(formula: str, baseline: pd.DataFrame) -> tuple[str, tuple[str, ...]]:
    """Return a formula without the terms of columns that are the same for everybody, and the terms left out.

    Waits, for instance, say nothing where everyone is followed from release. Empty where no term says anything.
    """
    kept: list[str] = []
    left: list[str] = []
    for term in terms_of(formula):
        same = any(name in baseline and baseline[name].nunique(dropna=False) < 2 for name in names_in(term))
        (left if same else kept).append(term)
    return " + ".join(kept), tuple(left)


def left_out_notes(left: Mapping[str, Sequence[str]]) -> tuple[Note, ...]:
    """Return one note a term for what was left out among whom: populations with their terms."""
    whose: dict[str, list[str]] = {}
    for whom, terms in left.items():
        for term in terms:
            whose.setdefault(term, []).append(whom)
    return tuple(
        Note("terms_left_out", f"{term} is the same for everybody in {', '.join(whom)}, and was left out there.")
        for term, whom in whose.items()
    )


def models_by_cause(
    data: SurvivalData, cause: str, formula: str, *, of: str = "arm"
) -> tuple[dict[str, str | None], tuple[Note, ...]]:
    """Return for each cause what its hazard is modelled on, as `adjusted_curves` takes it, and what a cause had to do without.

    `cause` has the arm (or another column `of` rows) and the formula. So has a competing cause with ten events a term, without the
    factors of which some level had fewer than five of its events; one with ten events in each arm knows the arm alone, and a rarer one
    nothing: everybody is as likely to die.
    """
    models: dict[str, str | None] = {cause: f"{of} + {formula}" if formula else of}
    notes = []
    for other in data.causes:
        if other == cause:
            continue
        events = _events_by(data, other, of)
        models[other] = None if events.min() < _EVENTS_A_TERM else of
        kept = [term for term in terms_of(formula) if not _starved(data, term, other)] if formula else []
        if models[other] is None or not kept:
            continue
        shorter = " + ".join(kept)
        terms = design_matrix(shorter, data.baseline, arm=None, what="case mix").values.shape[1]
        if events.sum() < _EVENTS_A_TERM * (terms + len(events)):
            continue
        models[other] = f"{of} + {shorter}"
        if left := [term for term in terms_of(formula) if term not in kept]:
            text = f"The model of {other} goes without {', '.join(left)}: some level had fewer than {_LEAST} of its events."
            notes.append(Note("terms_of_a_cause", text))
    return models, tuple(notes)


def _events_by(data: SurvivalData, cause: str, of: str) -> IntArray:
    """Return the events of a cause in each arm, or in each level of another column of rows that is a category."""
    if of == "arm":
        return data.events_by_arm(cause)
    levels = data.frame[of].cat
    hit = data.event == 1 + data.causes.index(cause)
    return np.bincount(levels.codes.to_numpy()[hit], minlength=len(levels.categories))


def _starved(data: SurvivalData, term: str, cause: str) -> bool:
    """Whether a term has a factor some level of which had fewer than five events of a cause."""
    hit = data.event == 1 + data.causes.index(cause)
    for name in names_in(term):
        column = data.baseline.get(name)
        if column is None or (f"C({name}" not in term and column.dtype.kind in "iuf"):
            continue
        counts = column.astype(str).iloc[data.person[hit]].value_counts()
        if any(counts.get(level, 0) < _LEAST for level in column.astype(str).unique()):
            return True
    return False
