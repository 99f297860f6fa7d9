"""Who is compared: the reasons for leaving in order, and the index sentence of each person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.design.candidates import Candidates
from outcomes.design.study import Study
from outcomes.results import IntArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Selection", "not_eligible", "select"]

_DID = {"start": "started", "referral": "referred to"}


@dataclass(frozen=True, eq=False, repr=False)
class Selection:
    """The index sentences of everyone, and where each left.

    Attributes
    ----------
    index : ndarray of int, shape (P,)
        Rows of the candidates: one a person (with ``index = "all"``: every sentence), in the order of persons.
    left_at : ndarray of int, shape (P,)
        Number of the reason for which each left; ``len(reasons)`` for those who stay.
    reasons : tuple of str
        In order; everyone leaves at the first that fits.
    optional : frozenset of int
        Reasons that stand in the flow only where somebody left for them: what is unknown of people.
    """

    candidates: Candidates
    index: IntArray
    left_at: IntArray
    reasons: tuple[str, ...]
    optional: frozenset[int] = frozenset()

    @property
    def stays(self) -> Any:
        """Which of `index` stay."""
        return self.left_at == len(self.reasons)

    def says(self, column: str, value: str) -> Any:
        """Return which of `index` have a value in a column of the candidates' frame: none whose covariates decide nothing."""
        return _among((self.candidates.frame[column] == value).to_numpy(), self._at)

    def counted(self, column: str, which: Any) -> dict[str, int]:
        """Return how many of some of `index` have each value in a column of categories; ``None`` where there is none."""
        values = self.candidates.frame[column].cat
        codes = np.append(values.codes.to_numpy(), -1)[self._at[which]]
        names = (*map(str, values.categories), str(None))
        counts = np.bincount(np.where(codes < 0, len(names) - 1, codes), minlength=len(names))
        return {name: int(n) for name, n in zip(names, counts, strict=True) if n}

    @property
    def _at(self) -> IntArray:
        """Rows of the candidates' frame of `index`, -1 where there is none."""
        return np.asarray(self.candidates.rows["at"].to_numpy()[self.index], dtype=np.int64)

    def baseline(self) -> pd.DataFrame:
        """Return those who stay, one row a person (sentence), in the order of person and sentence."""
        import pandas as pd

        at = self._at[self.stays]
        frame = self.candidates.frame
        person = frame["person_id"].to_numpy()[at]
        if (
            person[1:] <= person[:-1]
        ).any():  # several sentences a person, which the rows have in the order of their days
            at = at[np.lexsort((frame["sentence_id"].to_numpy()[at], person))]
        columns = {name: _of_those(column, at) for name, column in frame.items() if name != "condition"}
        for arm in self.candidates.treated:
            if not (columns[f"eligible_{arm}"] == "no").any():
                del columns[f"excluded_by_{arm}"]
        columns["time_zero"] = columns["time_zero"].astype(np.int64)
        return pd.DataFrame(columns, copy=False)


def _of_those(column: pd.Series[Any], at: IntArray) -> Any:
    """Return the values of a column at some rows: without levels that none of them has, and a flag that all of them have as one."""
    import pandas as pd

    values = column.array.take(at)
    if isinstance(column.dtype, pd.CategoricalDtype):
        met = np.bincount(values.codes.astype(np.int64) + 1, minlength=1 + len(column.cat.categories))[1:] > 0
        return values if met.all() else values.remove_unused_categories()
    values = values.to_numpy()
    known = values.dtype == object and not pd.isna(values).any()
    return values.astype(bool) if known else values


def select(candidates: Candidates, study: Study) -> Selection:
    """Return who leaves and who stays.

    Of the sentences of a person the first that meets every condition is the index sentence; of those who have none, the one that
    came furthest stands in the flow, and of these the earliest.
    """
    steps = _steps(candidates, study)
    left_at = np.full(len(candidates.rows), len(steps), dtype=np.int64)
    for place, (_, fails) in reversed(list(enumerate(steps))):
        left_at[fails] = place
    index = np.arange(len(left_at))
    if study.eligibility.index == "first":
        index = _furthest(candidates.rows["person_id"].to_numpy(), left_at)
    reasons = tuple(reason for reason, _ in steps)
    unknown = {reason for reason, is_unknown in candidates.conditions if is_unknown}
    optional = frozenset(place for place, reason in enumerate(reasons) if reason in unknown)
    return Selection(candidates, index, left_at[index], reasons, optional)


def _furthest(person: IntArray, left_at: IntArray) -> IntArray:
    """Return, for each person, the first of the rows that came furthest; rows are in the order of persons and of sentences."""
    if not len(person):
        return np.empty(0, dtype=np.int64)
    first = np.flatnonzero(np.r_[True, person[1:] != person[:-1]])
    rows = np.diff(np.r_[first, len(person)])
    far = np.flatnonzero(left_at == np.repeat(np.maximum.reduceat(left_at, first), rows))
    return far[np.r_[True, person[far][1:] != person[far][:-1]]]


def _steps(candidates: Candidates, study: Study) -> list[tuple[str, Any]]:
    """Return the reasons for leaving in order, each with the rows of the candidates it fits."""
    rows, at = candidates.rows, candidates.rows["at"].to_numpy()
    zero, both = rows["time_zero"].to_numpy(dtype=np.float64), rows["started_both"].to_numpy(dtype=bool)
    by, population = study.arms.assigned_by, study.eligibility.population
    no_arm, not_yet = (_no_arm(study), rows["arm"].isna().to_numpy()), ("not released or started yet", np.isnan(zero))
    if by == "provision":  # what is on offer is asked on the day of release
        steps = [not_yet, no_arm, ("programmes of two arms on offer there and then", both)]
    elif not study.arms_are_fixed:
        steps = [not_yet]
    elif study.arms.if_both == "exclude":
        steps = [no_arm, (f"{_DID[by]} programmes of both arms", both), not_yet]
    else:
        steps = [no_arm, not_yet]
    last = study.follow_up.data_cut - _proving_period(study)
    steps += [
        ("left observation before time zero", rows["gone"].to_numpy(dtype=np.float64) < zero),
        ("no follow-up before the data cut less the proving period", zero >= last),
    ]
    condition = candidates.frame["condition"].to_numpy(dtype=np.float64)
    for place, (reason, _) in enumerate(candidates.conditions):
        steps.append((reason, _among(condition == place, at)))
    for arm in candidates.treated if population == "both" else ():
        verdict = candidates.frame[f"eligible_{arm}"]
        steps.append((not_eligible(arm), _among((verdict == "no").to_numpy(), at)))
        steps.append((f"eligibility for {arm} unknown", _among((verdict == "unknown").to_numpy(), at)))
    return steps


def _among(fits: Any, at: IntArray) -> Any:
    """Return by row of the candidates what is said by row of their frame; False where there is none."""
    return np.append(fits, False)[at]


def _proving_period(study: Study) -> float:
    if study.headline:
        return study.outcomes[study.headline.outcome].proving_period
    return max(outcome.proving_period for outcome in study.outcomes.values())


def not_eligible(arm: str) -> str:
    """Return the reason of those whom the entry rules of an arm exclude."""
    return f"not eligible for {arm} by its entry rules"


def _no_arm(study: Study) -> str:
    if study.arms.assigned_by == "provision":
        return "no programme of an arm on offer there and then"
    what = "a programme that belongs to no arm" if study.arms.untreated else "no programme of an arm"
    return f"{_DID[study.arms.assigned_by]} {what}"
