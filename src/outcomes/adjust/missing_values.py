"""What is missing, by arm: the table to look at before anything is imputed or left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.errors import EstimationError, did_you_mean
from outcomes.results import Array, Note, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ANY", "Missingness", "missingness"]

ANY = "any of them"


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Missingness(Result):
    """How many people miss each column, by arm.

    Attributes
    ----------
    frame : pandas.DataFrame
        As `to_frame` gives it.
    people : int
    """

    frame: pd.DataFrame
    people: int
    notes: tuple[Note, ...] = ()
    provenance: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))

    title: ClassVar[str] = "Missing values"
    tabled: ClassVar[bool] = True

    def to_frame(self) -> pd.DataFrame:
        """Return one row a column and arm; the last column, ``any of them``, is of people who miss something.

        Columns: column, arm, n, n_missing, share_missing, event_missing, event_known (share of those who miss it, and of those who have
        it, with an event of the first cause).
        """
        return self.frame.copy()

    def summary(self) -> pd.DataFrame:
        """Return one row a column: n_missing, then the share missing in each arm."""
        found = self.frame.groupby("column", sort=False)["n_missing"].sum().reset_index()
        shares = {
            f"share_missing_{arm}": mine["share_missing"].to_numpy()
            for arm, mine in self.frame.groupby("arm", sort=False)
        }
        return found.assign(**shares)

    def describe(self) -> str:
        """Return what is missing, in sentences."""
        count = self.frame.groupby("column", sort=False)["n_missing"].sum()
        if not count.any():
            return f"Nothing is missing for {self.people:,} people."
        listed = "; ".join(
            f"{name} for {n:,} ({100 * n / self.people:.1f} %)" for name, n in count.items() if n and name != ANY
        )
        some = int(count[ANY])
        return f"Of {self.people:,} people {some:,} ({100 * some / self.people:.1f} %) miss something: {listed}."


def missingness(data: SurvivalData, columns: Sequence[str] | None = None) -> Missingness:
    """Count what is missing at time zero, by arm.

    Use it first: what is missing more often in one arm, or among those with the outcome, decides what leaving people out would do.

    Parameters
    ----------
    data : SurvivalData
    columns : sequence of str, optional
        Columns of ``data.baseline``; default those that are missing for somebody.

    Returns
    -------
    Missingness

    Raises
    ------
    EstimationError
        No such column.

    Notes
    -----
    Row counts (`frequency`) are counted. The shares with an event are of people, whenever it came: they say whether what is missing
    goes with the outcome, not how risks compare.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"week": [5, 8, 9, 12], "arrest": [1, 0, 1, 0], "fin": [0, 0, 1, 1], "age": [20, None, 30, 40]})
    >>> data = oc.survival_data(frame, duration="week", event="arrest", arm="fin", reference=0)
    >>> oc.missingness(data).summary()
            column  n_missing  share_missing_0  share_missing_1
    0          age          1              0.5              0.0
    1  any of them          1              0.5              0.0
    """
    import pandas as pd

    must_be_data(data, "missingness(data)")
    baseline = data.baseline
    names = list(baseline.columns[baseline.isna().any()]) if columns is None else [*dict.fromkeys(columns)]
    for name in names:
        if name not in baseline.columns:
            raise EstimationError(f"missingness: no column {name!r}. {did_you_mean(name, map(str, baseline.columns))}")
    count = np.ones(len(baseline))
    if data.frequency is not None:
        count[data.person] = data.frequency
    had = np.zeros(len(baseline), dtype=bool)
    had[data.person[data.event == 1]] = True
    table = baseline[names].isna().to_numpy(dtype=bool)
    masks = [*zip(names, table.T, strict=True), (ANY, table.any(axis=1))]
    rows = [
        {"column": name, "arm": arm, **_counted(missing & (data.arm == a), ~missing & (data.arm == a), had, count)}
        for name, missing in masks
        for a, arm in enumerate(data.arms)
    ]
    return Missingness(frame=pd.DataFrame(rows), people=data.n, notes=())


def _counted(missing: Any, known: Any, had: Any, count: Array) -> dict[str, Any]:
    n_missing, n_known = count[missing].sum(), count[known].sum()
    return {
        "n": int(n_missing + n_known),
        "n_missing": int(n_missing),
        "share_missing": float(n_missing / (n_missing + n_known)),
        "event_missing": float(count[missing & had].sum() / n_missing) if n_missing else float("nan"),
        "event_known": float(count[known & had].sum() / n_known) if n_known else float("nan"),
    }
