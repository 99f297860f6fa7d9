"""Who is meant by conditions on columns at time zero: people whose events are recorded in part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from outcomes.errors import EstimationError, did_you_mean, must_be

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["LessDetected", "less_detected_of"]

_EXAMPLE = '{"learning_disability": True}'


@dataclass(frozen=True)
class LessDetected:
    """People who meet all conditions.

    Attributes
    ----------
    people : ndarray of bool, shape (P,)
    said : str
        Who they are, such as "people with learning disability".
    unknown : int
        How many might meet them, were nothing missing.
    """

    people: npt.NDArray[np.bool_]
    said: str
    unknown: int

    def by_arm(self, data: SurvivalData, used: npt.NDArray[np.bool_]) -> dict[str, int]:
        """Return how many of them count in each arm."""
        return {arm: _people(data, self.people & used & (data.arm == index)) for index, arm in enumerate(data.arms)}


def less_detected_of(data: SurvivalData, conditions: Mapping[str, Any]) -> LessDetected:
    """Return who meets all conditions: a column of the baseline, or ``"arm"``, and its value or values.

    Raises
    ------
    EstimationError
        No condition, no such column or arm, nobody meets them or everybody does.
    """
    what = "detection_sensitivity: less_detected"
    must_be(conditions, Mapping, what=what, expected=f"a mapping of columns to values, such as {_EXAMPLE}")
    if not conditions:
        raise EstimationError(f"{what} must name a column and its value, such as {_EXAMPLE}.")
    met = np.ones(len(data.baseline), dtype=bool)
    possible = met.copy()
    for name, wanted in conditions.items():
        values = list(wanted) if isinstance(wanted, (list, tuple, set, frozenset)) else [wanted]
        found, known = _condition(data, name, values, what)
        met, possible = met & found, possible & (found | ~known)
    if not met.any():
        shut = (
            " These are people whom the rules of every arm admit; a rule may shut out exactly those meant, and "
            "cohort.with_population('own') has them."
            if data.labels.get("population") == "both"
            else ""
        )
        raise EstimationError(
            f"{what}: none of {data.n:,} people meets {' and '.join(map(repr, conditions))} as given.{shut} Else compare the value and "
            "its type with the column's (data.baseline)."
        )
    return LessDetected(met, _said(conditions), _people(data, possible & ~met))


def _condition(
    data: SurvivalData, name: str, values: list[Any], what: str
) -> tuple[npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Return who meets one condition, and of whom it is known."""
    if name == "arm":
        for value in values:
            if value not in data.arms:
                raise EstimationError(f"{what}: there is no arm {value!r}. {did_you_mean(str(value), data.arms)}")
        return np.isin(data.arm, [data.arms.index(value) for value in values]), np.ones(len(data.arm), dtype=bool)
    if name not in data.baseline.columns:
        raise EstimationError(
            f"{what}: no column {name!r}. {did_you_mean(str(name), ['arm', *map(str, data.baseline.columns)])}"
        )
    column: pd.Series = data.baseline[name]
    found = column.astype(object).isin(values).to_numpy(dtype=bool)
    return found, column.notna().to_numpy(dtype=bool)


def _people(data: SurvivalData, who: npt.NDArray[np.bool_]) -> int:
    if data.frequency is None:
        return int(who.sum())
    count = np.zeros(len(who))
    count[data.person] = data.frequency
    return int(count[who].sum())


def _said(conditions: Mapping[str, Any]) -> str:
    """Return who they are in words."""
    arm = f" in {_value(conditions['arm'])}" if "arm" in conditions else ""
    having = [_having(name, value) for name, value in conditions.items() if name != "arm"]
    return f"people{arm}{' with ' + ' and '.join(having) if having else ''}"


def _having(name: str, value: Any) -> str:
    plain = str(name).replace("_", " ")
    if isinstance(value, (bool, np.bool_)):
        return plain if value else f"no {plain}"
    return f"{plain} {_value(value)}"


def _value(value: Any) -> str:
    if isinstance(value, (set, frozenset)):
        return " or ".join(sorted(map(str, value)))
    return " or ".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
