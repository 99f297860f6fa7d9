"""People whom entry rules leave no comparison person: an effect in them cannot be had, and the answer says whose can."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from outcomes.design.data import SurvivalData
from outcomes.errors import EstimationError
from outcomes.results import Note

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["entry_rule_notes", "excluded_from", "must_have_comparison_people", "without_comparison_people"]

_FEW = 10  # smaller counts are not told: an error may be copied to where rows may not go
# as many, and as large a share of those asked about, must an arm hold against its rule to stand in for them
_FEWEST, _SHARE = 10, 0.1
_WHOM = {"ate": "everyone compared", "att": "people of {other}", "atc": "people of {reference}"}


@dataclass(frozen=True)
class _Cell:
    """People of one arm whom one rule of another arm excludes, where that arm has nobody the rule excludes, or too few."""

    arm: str
    excluded_by: str
    reason: str
    people: int
    against_the_rule: int

    def __str__(self) -> str:
        too_few = f"; {_count(self.against_the_rule)} there against the rule" if self.against_the_rule else ""
        return f"{_count(self.people)} of {self.arm} ({self.excluded_by}: {self.reason}{too_few})"


def excluded_from(baseline: pd.DataFrame, arm: str) -> npt.NDArray[np.bool_]:
    """Return whom the entry rules of an arm exclude, shape (P,); nobody where the baseline does not say.

    It says so in a column ``eligible_<arm>``, as that of a cohort does: ``no`` or False is excluded.
    """
    name = f"eligible_{arm}"
    if name not in baseline.columns:
        return np.zeros(len(baseline), dtype=bool)
    return np.asarray(baseline[name].astype(object).isin(["no", False]), dtype=bool)


def without_comparison_people(data: SurvivalData, estimand: str) -> str:
    """Return the cells of people asked about whom entry rules leave nobody to be compared with, in words; empty where there are none.

    Counts under 10 are not told.
    """
    if estimand not in _WHOM:
        return ""
    return "; ".join(map(str, _without_counterpart(data, _asked(data, estimand, None))))


def must_have_comparison_people(data: SurvivalData, estimand: str, what: str, *, focal: str | None = None) -> None:
    """Raise where an effect is asked in people who could not have been in another arm by its entry rules, and (next to) nobody was.

    Fewer than 10 there against the same rule, or fewer than one for every ten of those asked about, stand in for nobody.

    Overlap and matching weights speak of people who might have been in any arm; they are not refused (see `entry_rule_notes`). With
    several arms `focal` is the one the ATT is about.

    Raises
    ------
    EstimationError
        Cells of arm and reason, with counts (those under 10 not told), and the questions that can be answered.
    """
    if estimand not in _WHOM or not (cells := list(_without_counterpart(data, _asked(data, estimand, focal)))):
        return
    raise EstimationError(
        f"{what}: estimand={estimand!r} asks for the effect in {_named(data, estimand, focal)}, and entry rules leave some of them nobody "
        f"to be compared with: {'; '.join(map(str, cells))}. No model can stand in for them. {_instead(data, estimand, focal)}"
    )


def entry_rule_notes(data: SurvivalData) -> tuple[Note, ...]:
    """Return what a reader must know of people compared against a rule: some whom it excludes were in the arm nevertheless."""
    notes = []
    for arm, name in enumerate(data.arms):
        excluded = excluded_from(data.baseline, name)
        elsewhere, inside = int((excluded & (data.arm != arm)).sum()), int((excluded & (data.arm == arm)).sum())
        if not elsewhere:
            continue
        against = f"; {_count(inside)} whom they exclude were in it all the same" if inside else ""
        text = (
            f"The entry rules of {name} exclude {_count(elsewhere)} of those compared who were not in it{against}. Put what the rules look "
            'at into the formula, or compare those eligible for every arm (population "both" of a cohort).'
        )
        notes.append(Note("excluded_by_rule", text))
    return tuple(notes)


def _asked(data: SurvivalData, estimand: str, focal: str | None) -> range:
    """Return the arms whose people the question is about."""
    if focal is not None and estimand == "att":
        return range(data.arms.index(focal), data.arms.index(focal) + 1)
    return {"ate": range(len(data.arms)), "att": range(1, len(data.arms)), "atc": range(1)}[estimand]


def _without_counterpart(data: SurvivalData, asked: range) -> Iterator[_Cell]:
    """Yield the cells of people asked about whom a rule keeps from an arm that holds nobody the same rule excludes, or too few.

    A rule bent for a handful gives the many nobody to be compared with: a score would set them against people unlike them.
    """
    for arm, name in enumerate(data.arms):
        excluded = excluded_from(data.baseline, name)
        if not excluded.any():
            continue
        reasons = _reasons(data, name)
        bent = Counter(reasons[excluded & (data.arm == arm)])
        for other in asked:
            if other == arm:
                continue
            found, counts = np.unique(reasons[excluded & (data.arm == other)], return_counts=True)
            for reason, people in zip(found, counts, strict=True):
                if bent[reason] < max(_FEWEST, _SHARE * people):
                    yield _Cell(data.arms[other], name, str(reason), int(people), bent[reason])


def _reasons(data: SurvivalData, arm: str) -> npt.NDArray[np.object_]:
    """Return the reason that excludes each person from an arm, in words."""
    name = f"excluded_by_{arm}"
    if name not in data.baseline.columns:
        return np.full(len(data.baseline), "not eligible", dtype=object)
    said = data.baseline[name].astype(object)
    return np.asarray(said.where(said.notna(), "not eligible").astype(str), dtype=object)


def _named(data: SurvivalData, estimand: str, focal: str | None) -> str:
    other = " and ".join(data.arms[1:]) if focal is None else focal
    return _WHOM[estimand].format(reference=data.arms[0], other=other)


def _instead(data: SurvivalData, estimand: str, focal: str | None) -> str:
    """Return which questions the same data, or the same cohort, can answer."""
    answers = [
        f"estimand={other!r} ({_named(data, other, focal)})"
        for other in _WHOM
        if other != estimand and not any(True for _ in _without_counterpart(data, _asked(data, other, focal)))
    ]
    barred = np.zeros(len(data.baseline), dtype=bool)
    for arm in data.arms:
        barred |= excluded_from(data.baseline, arm)
    answers.append(
        f"any estimand among the {_count(int((~barred).sum()))} whom no rule excludes (cohort.with_population('both'), or [eligibility] "
        "population = 'both')"
    )
    return f"What can be answered: {'; '.join(answers)}."


def _count(people: int) -> str:
    return f"{people:,} people" if people >= _FEW else f"fewer than {_FEW} people"
