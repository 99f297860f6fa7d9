"""Weights over time that undo censoring that depends on covariates: who stays in view stands for those like them who were lost."""

from __future__ import annotations

from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError, NotSupportedError, must_be
from outcomes.results import Array, Note, Weights, in_capitals, read_only
from outcomes.survival.cox_baseline import baseline_of, encode, log_relative
from outcomes.survival.cox_model import fit_cox

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData
    from outcomes.survival.cox_result import Cox

__all__ = ["InViewWeights", "weights_in_view"]

_WHAT = "censoring_weights"
_LARGE = 20.0
_LONG = 0.2  # cumulative hazard of censoring within a row: weights change by a fifth there


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class InViewWeights(Weights):
    """Inverse probability of censoring weights; N rows of the data.

    Attributes
    ----------
    within : ndarray, shape (N,)
        One over the chance of still being in view; times what the rows of other weights weighed, where there are some.
    last : ndarray of bool, shape (N,)
        The last row of each person.
    lost : ndarray of int, shape (A,)
        People censored in each arm.
    formula : str
    """

    within: Array
    last: npt.NDArray[np.bool_]
    lost: npt.NDArray[np.int64]
    formula: str

    title: ClassVar[str] = "Censoring weights"

    @property
    def effective_sample_size(self) -> dict[str, float]:
        """Kish's effective sample size by arm of the weights of people when they were last seen."""
        weight = self.values * self.within[self.last]
        each = [weight[self.arm == index] for index in range(len(self.arms))]
        return {name: float(w.sum() ** 2 / (w**2).sum()) for name, w in zip(self.arms, each, strict=True)}

    def summary(self) -> pd.DataFrame:
        """Return one row an arm: arm, estimand, n, n_censored, effective_sample_size (when last seen), largest_weight."""
        import pandas as pd

        weight, sizes = self.values * self.within[self.last], self.effective_sample_size
        rows = [
            {
                "arm": name,
                "estimand": self.estimand,
                "n": int((self.arm == index).sum()),
                "n_censored": int(self.lost[index]),
                "effective_sample_size": sizes[name],
                "largest_weight": float(weight[self.arm == index].max()),
            }
            for index, name in enumerate(self.arms)
        ]
        return pd.DataFrame(rows)

    def describe(self) -> str:
        """Return how many people were censored, and how many those seen count as, in sentences."""
        parts = [
            f"{r['arm']}: {r['n_censored']:,} of {r['n']:,} people were censored; when last seen they count as "
            f"{r['effective_sample_size']:,.0f}"
            for r in self.summary().to_dict("records")
        ]
        beside = "" if self.estimand == "weighted" else f", beside weights for the {in_capitals(self.estimand)}"
        return f"Weights against censoring that depends on {self.formula}{beside}. {'; '.join(parts)}."


def weights_in_view(data: SurvivalData, formula: str, beside: Weights | None, truncate: float | None) -> InViewWeights:
    """Return the weights, as `censoring_weights` says."""
    must_be(formula, str, what=f"{_WHAT}(data, formula): formula", expected="text such as 'arm + age'")
    _check(data, beside)
    last = np.append(data.person[1:] != data.person[:-1], True)
    censored = last & (np.asarray(data.event) == 0)
    if not censored.any():
        raise EstimationError(f"{_WHAT}: nobody was censored; there is nothing to undo.")
    turned = replace(data, event=censored.astype(np.int64), causes=("censoring",))
    model = fit_cox(
        turned, formula, cause="censoring", weights=None, strata=None, cluster=None, ties="efron", robust=None,
        conf_level=0.95, what=_WHAT,
    )  # fmt: skip
    stopped = [note.text for note in model.notes if note.code in ("separation", "not_converged")]
    if stopped:
        raise EstimationError(f"{_WHAT}: {stopped[0].partition(';')[0].rstrip('.')}. Leave out or join what tells it.")
    spent, longest = _hazard_by_row(data, model)
    within, cut = np.exp(spent), 0
    if truncate is not None:
        most = float(np.quantile(within, truncate))
        cut, within = int((within > most).sum()), np.minimum(within, most)
    both = within if beside is None or beside.within is None else within * beside.within
    return InViewWeights(
        values=read_only(np.ones(len(data.baseline)) if beside is None else beside.values),
        estimand="weighted" if beside is None else beside.estimand,
        arm=data.arm,
        arms=data.arms,
        influence=None if beside is None else beside.influence,
        gradient=None if beside is None else beside.gradient,
        within=read_only(both),
        last=read_only(last, bool),
        lost=read_only(np.bincount(data.row_arm[censored], minlength=len(data.arms)), np.int64),
        formula=formula,
        notes=(*(() if beside is None else beside.notes), *_notes(within, longest, cut)),
        provenance=MappingProxyType({"formula": formula, "truncate": truncate}),
    )


def _check(data: SurvivalData, beside: Weights | None) -> None:
    if data.repeated or data.states or data.frequency is not None:
        raise NotSupportedError(
            f"{_WHAT}: not for data that hold every event of a person, moves between states or row counts."
        )
    if not data.multi_row:
        raise EstimationError(
            f"{_WHAT}: these weights change over time, and here everybody has one row. Cut the follow-up first: "
            "split_follow_up(data, 'events'), or at the months where many events are."
        )
    if beside is None:
        return
    must_be(beside, Weights, what=f"{_WHAT}(data, formula): weights", expected="what weight(…) or match(…) gives")
    if beside.values.shape != (len(data.baseline),) or not (beside.arm == data.arm).all() or beside.sets is not None:
        raise EstimationError(f"{_WHAT}: weights must be of the same people, one a person, and not of matched sets.")


def _hazard_by_row(data: SurvivalData, model: Cox) -> tuple[Array, float]:
    """Return the cumulative hazard of censoring that counts for each row, and the most that any row adds.

    It is the mean of those just before each event time in the row (of anybody), to which alone a row's weight matters; where there is none,
    that at the row's start.
    """
    x = encode(model, data.frame, data.row_arm, what=_WHAT)
    relative = np.exp(log_relative(model, data.frame, x, what=_WHAT))
    baseline = baseline_of(model)
    entry, exit = np.asarray(data.entry), np.asarray(data.exit)

    def until(times: Array, side: str) -> Array:
        return np.asarray(baseline.hazard[np.searchsorted(baseline.time, times, side=side)])  # type: ignore[call-overload]

    start, added = until(entry, "right"), relative * (until(exit, "right") - until(entry, "right"))
    so_far = np.cumsum(added) - added
    first = np.append(True, data.person[1:] != data.person[:-1])
    so_far -= np.repeat(so_far[first], np.diff(np.append(np.flatnonzero(first), len(first))))
    times = np.unique(exit[np.asarray(data.event) > 0])
    summed = np.append(0.0, np.cumsum(until(times, "left")))
    low, high = np.searchsorted(times, entry, side="right"), np.searchsorted(times, exit, side="right")
    mean = np.divide(summed[high] - summed[low], high - low, out=start.copy(), where=high > low)
    inside = relative * (until(exit, "left") - start)
    return so_far + relative * (mean - start), float(np.where(high - low > 1, inside, 0.0).max())


def _notes(within: Array, longest: float, cut: int) -> tuple[Note, ...]:
    notes = []
    if longest > _LONG:
        text = (
            "Within a row of several event times the chance of being in view falls by "
            f"{100 * -np.expm1(-longest):.0f} %: cut the follow-up finer (split_follow_up(data, 'events'))."
        )
        notes.append(Note("rows_too_long", text))
    if float(within.max()) > _LARGE:
        text = (
            f"A row weighs up to {float(within.max()):.0f}: few like that person stayed in view. Read curves only as far as people are "
            "seen, or consider truncate=."
        )
        notes.append(Note("large_weight", text))
    if cut:
        notes.append(Note("truncated", f"{cut:,} of {len(within):,} rows had their weight cut down."))
    return tuple(notes)
