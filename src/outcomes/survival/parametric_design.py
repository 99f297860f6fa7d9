"""From formulas to the columns of every parameter of a parametric model, for those fitted and for anybody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.errors import EstimationError, NotSupportedError, did_you_mean
from outcomes.results import Array, IntArray
from outcomes.survival.design_matrix import DesignMatrix, check_columns, columns_of, design_matrix

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData

__all__ = ["INTERCEPT", "ParametricDesign", "parametric_design"]

INTERCEPT = "Intercept"


@dataclass(frozen=True, eq=False, repr=False)
class ParametricDesign:
    """Columns of K parameters; P people, p columns in all.

    Attributes
    ----------
    parameter, term : tuple of str, length p
        Parameter and column of each coefficient; every parameter has ``"Intercept"`` first.
    people : tuple of ndarray, shape (P, p_k) each
        As they are, by row of ``data.baseline``.
    matrices : tuple of DesignMatrix or None
        The formula of each parameter as it was read; None for an intercept alone.
    """

    data: SurvivalData
    parameter: tuple[str, ...]
    term: tuple[str, ...]
    people: tuple[Array, ...]
    matrices: tuple[DesignMatrix | None, ...]

    @property
    def sizes(self) -> list[int]:
        """Number of columns of each parameter."""
        return [block.shape[1] for block in self.people]

    @property
    def needed(self) -> list[str]:
        """Columns the formulas ask for."""
        return sorted({name for matrix in self.matrices if matrix is not None for name in matrix.needed})

    @property
    def names_the_arm(self) -> bool:
        """Whether a formula speaks of the arm."""
        return bool({"arm", self.data.arm_column} & set(self.needed))

    def scaling(self, used: Array) -> tuple[tuple[Array, ...], Array]:
        """Return each person's columns with mean 0 and standard deviation 1 among those used, and the way back.

        The way back is the matrix (p, p) that turns coefficients of these columns into coefficients of the columns as they are.
        """
        blocks, back, at = [], np.eye(sum(self.sizes)), 0
        for block in self.people:
            mean, sd = block[used].mean(axis=0), block[used].std(axis=0)
            mean[0], sd[0] = 0.0, 1.0
            blocks.append((block - mean) / sd)
            here = slice(at, at + len(mean))
            back[here, here] = np.diag(1 / sd)
            back[at, at + 1 : at + len(mean)] = -(mean / sd)[1:]
            at += len(mean)
        return tuple(blocks), back

    def columns_of(self, frame: pd.DataFrame, what: str) -> tuple[Array, ...]:
        """Return the columns of other people, shape (n, p_k) each; `frame` names the arm as ``arm`` or by its column."""
        import pandas as pd

        original = self.data.arm_column
        if original is not None and original in frame.columns and "arm" not in frame.columns:
            frame = frame.assign(arm=frame[original])
        elif original in self.needed and original not in frame.columns and "arm" in frame.columns:
            numbers = pd.api.types.is_numeric_dtype(self.data.frame[original])
            frame = frame if numbers else frame.assign(**{original: frame["arm"]})
        for name in self.needed:
            if name not in frame.columns:
                raise EstimationError(
                    f"{what}: the frame has no column {name!r}. {did_you_mean(name, map(str, frame.columns))}"
                )
        missing = {name: int(frame[name].isna().sum()) for name in self.needed if frame[name].isna().any()}
        if missing:
            listed = ", ".join(f"{name} ({count:,})" for name, count in missing.items())
            raise EstimationError(f"{what}: covariates are missing: {listed} of {len(frame):,} rows.")
        table = self._with_arm(frame, what)
        return tuple(
            np.ones((len(frame), 1))
            if matrix is None
            else _with_intercept(columns_of(matrix, table, arm=None, what=what))
            for matrix in self.matrices
        )

    def in_arm(self, arm: int) -> tuple[Array, ...]:
        """Return everybody's columns as if they were in one arm, shape (P, p_k) each."""
        if not self.names_the_arm:
            return self.people
        data = self.data
        frame = data.baseline.assign(arm=data.arms[arm])
        if data.arm_column is not None:
            value = data.baseline[data.arm_column].iloc[int(np.argmax(data.arm == arm))]
            frame = frame.assign(**{data.arm_column: value})
            if data.arm_column == "arm":
                frame = frame.assign(arm=data.arms[arm])
        return self.columns_of(frame, "parametric")

    def _with_arm(self, frame: pd.DataFrame, what: str) -> pd.DataFrame:
        import pandas as pd

        data, table = self.data, frame
        original = data.arm_column
        for name in ("arm", original):
            if name is None or name not in self.needed:
                continue
            if name != "arm" and pd.api.types.is_numeric_dtype(data.frame[name]):
                continue
            codes = pd.Categorical(frame[name].astype(str), categories=list(data.arms))
            unknown = int((codes.codes < 0).sum())
            if unknown:
                raise EstimationError(
                    f"{what}: column {name!r} names no arm of the data in {unknown:,} of {len(frame):,} rows."
                )
            table = table.assign(**{name: codes})
        return table


def parametric_design(
    data: SurvivalData, formulas: Mapping[str, str], parameters: tuple[str, ...], used: IntArray
) -> ParametricDesign:
    """Return the columns of each parameter by person; `used` are the rows with a weight above 0.

    Raises
    ------
    NotSupportedError
        A covariate that changes within a person.
    EstimationError
        As `design_matrix`.
    """
    arm = (data.arm_column, data.row_arm.astype(np.float64), data.arms)
    first = np.unique(data.person, return_index=True)[1]
    names: list[tuple[str, str]] = []
    people, matrices = [], []
    for parameter in parameters:
        formula = formulas.get(parameter, "1")
        alone = isinstance(formula, str) and formula.strip() == "1"
        matrix = None if alone else design_matrix(formula, data.frame, arm=arm, what="parametric")
        columns: tuple[str, ...] = ()
        block = np.ones((len(first), 1))
        if matrix is not None:
            if len(used) < len(data.exit):
                check_columns(matrix.values[used], matrix.columns, "parametric")
            _fixed_within_people(matrix.values, data.person, first)
            columns, block = matrix.columns, _with_intercept(matrix.values[first])
        names += [(parameter, term) for term in (INTERCEPT, *columns)]
        people.append(block)
        matrices.append(matrix)
    return ParametricDesign(
        data, tuple(p for p, _ in names), tuple(t for _, t in names), tuple(people), tuple(matrices)
    )  # fmt: skip


def _with_intercept(values: Any) -> Array:
    return np.column_stack([np.ones(len(values)), values])


def _fixed_within_people(values: Array, person: IntArray, first: IntArray) -> None:
    changed = (values != values[first][person]).any(axis=1)
    count = len(np.unique(person[changed]))
    if count:
        raise NotSupportedError(
            f"parametric: covariates change over time for {count:,} of {len(first):,} people; a distribution of time has no place for "
            "that. Use cox, or values at time zero."
        )
