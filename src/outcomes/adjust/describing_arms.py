"""Who is in the arms: characteristics at time zero, before and after weighting, with standardised differences (Table 1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.adjust.balancing import YARDSTICK, balance_row
from outcomes.adjust.covariates import Covariate, columns_of
from outcomes.adjust.scored_weights import ScoredWeights
from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import NotSupportedError
from outcomes.results import Array, IntArray, Note, Result, Weights
from outcomes.survival.formula_text import names_in

if TYPE_CHECKING:
    import pandas as pd


__all__ = ["Characteristics", "characteristics"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Characteristics(Result):
    """People of the arms described side by side.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it.
    people : mapping of arm to number of people
    estimand : str
        Of the weights; ``"none"`` without.
    """

    frame: pd.DataFrame
    people: Mapping[str, int]
    estimand: str
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Characteristics at time zero"
    instead: ClassVar[str] = "Differences before and after weighting are drawn by weights.balance().plot()."
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row a number, or a level of a factor; with several arms one for each that is not the reference.

        Columns: term, level ("" for numbers, "missing" where values are missing), kind (mean, share), arm, reference,
        n_reference, n_arm (people with the level; with a value), reference_value, arm_value (mean, or share), reference_sd, arm_sd
        (missing for shares), reference_weighted, arm_weighted, smd_before, smd_after (missing without weights).
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return term, level, reference_value, arm_value, smd_before, smd_after; with several arms `arm` after level."""
        names = ["term", "level", "reference_value", "arm_value", "smd_before", "smd_after"]
        if len(self.people) > 2:
            names.insert(2, "arm")
        return self.frame[names].copy()

    def describe(self) -> str:
        """Return how many people there are and how many characteristics differ, in a sentence."""
        people = ", ".join(f"{n:,} people in {arm}" for arm, n in self.people.items())
        columns = ["smd_before", "smd_after"]
        sizes = self.frame.assign(**{name: self.frame[name].abs() for name in columns})
        largest = sizes.groupby(["term", "level"], sort=False)[columns].max()
        wide = int((largest["smd_before"] > 0.10).sum())
        text = f"{people}. Of {len(largest)} characteristics and levels {wide} differ by more than 0.10 standard deviations"
        if self.estimand == "none":
            return f"{text}."
        left = int((largest["smd_after"] > 0.10).sum())
        return f"{text} before weighting and {left} after."


def characteristics(
    data: SurvivalData, terms: str | Sequence[str], *, weights: Weights | None = None
) -> Characteristics:
    """Describe the people of the arms at time zero, with standardised differences and no p-values.

    Use it as the first table of a report; with characteristics that are not in the score too, to see what weighting did to them.

    Parameters
    ----------
    data : SurvivalData
        Two arms or more.
    terms : str or sequence of str
        Columns of ``data.baseline``, or a formula that names them.
    weights : Weights, optional
        To show the arms as weighted beside the arms as they are.

    Returns
    -------
    Characteristics

    Raises
    ------
    EstimationError
        No such column.
    NotSupportedError
        One arm.

    Notes
    -----
    Differences are divided by a standard deviation of the unadjusted sample, as `balance` takes it: pooled (the mean of the variances of
    all arms), the arm's for ATT, the reference's for ATC. With several arms each is set beside the reference.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0)
    >>> oc.characteristics(data, ["age", "prio"]).summary()["smd_before"].round(3).tolist()
    [0.123, -0.002]
    """
    import pandas as pd

    must_be_data(data, "characteristics(data, terms)")
    if len(data.arms) < 2:
        raise NotSupportedError(
            f"characteristics: two arms are needed; these data have {len(data.arms)}.{data.instead_of_arms}"
        )
    arm = np.asarray(data.arm)
    used = np.ones(len(arm)) if weights is None else _at_time_zero(weights, data)
    whose = "pooled" if weights is None else YARDSTICK.get(weights.estimand, "pooled")
    found = columns_of(data.baseline, names_in(terms) if isinstance(terms, str) else terms)
    focal = weights.focal if isinstance(weights, ScoredWeights) else None
    if whose == "arm" and focal is None and len(data.arms) > 2:
        whose = "pooled"
    asked = 1 if focal is None else data.arms.index(focal)
    rows = [
        _row(one, arm, data.arms, used, whose, other, asked, weighted=weights is not None)
        for one in found
        for other in range(1, len(data.arms))
    ]
    return Characteristics(
        frame=pd.DataFrame(rows),
        people=MappingProxyType(dict(zip(data.arms, map(int, data.people_by_arm()), strict=True))),
        estimand="none" if weights is None else weights.estimand,
    )


def _at_time_zero(weights: Weights, data: SurvivalData) -> Array:
    """Return what each person weighs in their first row, shape (P,)."""
    values = np.asarray(weights.values)
    if weights.within is None:
        return values
    return np.asarray(values * weights.within[np.unique(data.person, return_index=True)[1]])


def _row(
    covariate: Covariate,
    arm: IntArray,
    arms: tuple[str, ...],
    weights: Array,
    whose: str,
    other: int,
    focal: int,
    *,
    weighted: bool,
) -> dict[str, Any]:
    row = balance_row(covariate, arm, arms, weights, whose, pair=(0, other), focal=focal)
    share = bool(covariate.level) or covariate.binary
    spread = [_sd(covariate.values[covariate.known & (arm == a)]) for a in (0, other)]
    none = float("nan")
    return {
        "term": row["term"],
        "level": row["level"],
        "kind": "share" if share else "mean",
        "arm": row["arm"],
        "reference": row["reference"],
        "n_reference": row["n_reference"],
        "n_arm": row["n_arm"],
        "reference_value": row["mean_reference"],
        "arm_value": row["mean_arm"],
        "reference_sd": none if share else spread[0],
        "arm_sd": none if share else spread[1],
        "reference_weighted": row["mean_reference_weighted"] if weighted else none,
        "arm_weighted": row["mean_arm_weighted"] if weighted else none,
        "smd_before": row["smd_before"],
        "smd_after": row["smd_after"] if weighted else none,
    }


def _sd(values: Array) -> float:
    return float(values.std(ddof=1)) if len(values) > 1 else float("nan")
