"""Rows that are alike, counted where they lie: a table of any size on DuckDB or Spark becomes one small enough to hold.

Curves, hazards and tests of arms need only how many people entered, left and had an event when. Rows alike in arm, times and
event are one row that stands for several.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from outcomes.errors import DataError, did_you_mean, must_be
from outcomes.loading.engine import Refused, attempt

if TYPE_CHECKING:
    import narwhals as nw
    import pandas as pd
    from narwhals.typing import IntoFrame

__all__ = ["count_rows"]

_COUNT = "people"
_WRONG = "_wrong"


def count_rows(frame: IntoFrame, by: Sequence[str], *, frequency: str | None = None) -> pd.DataFrame:
    """Count the rows of a frame that are alike in some columns, on the engine that holds it.

    Use it before `survival_data` where there are more rows than this machine should hold: the counts of the distinct rows,
    handed on with ``frequency="people"``, give the same estimates, model-based variances and tests as the rows themselves, and
    the same jackknife variances where every row is a person.

    Parameters
    ----------
    frame : pandas.DataFrame or any frame narwhals knows
        One row a person, or start-stop rows: pandas, Polars, pyarrow, a DuckDB relation, a Spark frame. Not changed; a lazy one
        is computed by one GROUP BY on its engine.
    by : sequence of str
        Columns that rows must share to be counted together: arm, duration (or entry and exit), event, and strata or whole
        numbers to weight by, where there are any. Times in days or weeks; finer times leave few rows alike.
    frequency : str, optional
        Column of row counts, where rows already stand for several: whole numbers of 1 or more.

    Returns
    -------
    pandas.DataFrame
        One row a combination, ordered by it, with the columns of `by` and ``people``, the number of rows.

    Raises
    ------
    DataError
        No frame, a column that is not there, a column named ``people`` or ``_wrong`` among `by`, frequencies that are missing or
        no whole numbers of 1 or more (counted), an engine that fails.

    Notes
    -----
    Rows of one person that are counted with others no longer belong together: clusters, weights of people and robust variances
    of people with several rows need the rows themselves.

    Examples
    --------
    >>> import pandas as pd, outcomes as oc
    >>> frame = pd.DataFrame({"week": [5, 8, 8, 8], "arrest": [1, 0, 1, 0]})
    >>> counted = oc.count_rows(frame, ["week", "arrest"])
    >>> counted["people"].tolist()
    [1, 2, 1]
    >>> oc.kaplan_meier(oc.survival_data(counted, duration="week", event="arrest", frequency="people")).at(8)["estimate"].tolist()
    [0.5]
    """
    import narwhals as nw

    keys = [by] if isinstance(by, str) else list(by)
    known: Any = nw.from_native(frame, pass_through=True)
    must_be(
        known,
        (nw.DataFrame, nw.LazyFrame),
        what="count_rows: frame",
        expected="a frame narwhals knows",
        error=DataError,
    )
    schema = known.collect_schema()
    names = [str(name) for name in schema.names()]
    for name in [*keys, *([] if frequency is None else [frequency])]:
        if name not in names:
            raise DataError(f"count_rows: the frame has no column {name!r}. {did_you_mean(name, names)}")
    if not keys or {_COUNT, _WRONG} & set(keys):
        raise DataError(f"count_rows: by must name one column or more, and none of them {_COUNT!r}.")
    if frequency is not None and not schema[frequency].is_numeric():
        raise DataError(f"count_rows: column {frequency!r} (frequency) must hold numbers.")
    counted = known.group_by(*keys).agg(nw.len().alias(_COUNT)) if frequency is None else _added(known, keys, frequency)
    found = attempt(lambda: _collected(counted.with_columns(nw.col(_COUNT).cast(nw.Int64))))
    if isinstance(found, Refused):
        raise DataError(f"count_rows: the engine that holds the frame could not count its rows ({found.kind}).")
    if frequency is not None and (wrong := int(found[_WRONG].sum())):
        raise DataError(
            f"count_rows: column {frequency!r} (frequency) must hold whole numbers of 1 or more; {wrong:,} rows do not."
        )
    return found.sort_values(keys, ignore_index=True)[[*keys, _COUNT]]


def _added(known: Any, keys: list[str], frequency: str) -> Any:
    """Return the sum of frequencies of each combination, and how many of its rows hold no whole number of 1 or more."""
    import narwhals as nw

    number = nw.col(frequency).cast(nw.Float64)
    right = ~number.is_null() & number.is_finite() & (number >= 1) & (number == number.round())
    told = known.select(
        *keys,
        nw.when(right).then(number).otherwise(nw.lit(0.0)).alias(_COUNT),
        nw.when(right).then(nw.lit(0)).otherwise(nw.lit(1)).alias(_WRONG),
    )
    return told.group_by(*keys).agg(nw.col(_COUNT).sum(), nw.col(_WRONG).sum())


def _collected(frame: nw.DataFrame[Any] | nw.LazyFrame[Any]) -> pd.DataFrame:
    import narwhals as nw

    table = frame.collect(backend="pyarrow") if isinstance(frame, nw.LazyFrame) else frame
    found: pd.DataFrame = table.to_pandas()
    return found
