"""From a frame of any library to an Arrow table: missing as null, categories as their values, instants as wall clock."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from outcomes.loading.engine import Refused, attempt

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["as_arrow", "cells_not_utf8"]


def as_arrow(frame: Any) -> pa.Table:
    """Return a pandas, Polars, pyarrow or DuckDB frame (any that narwhals knows) as an Arrow table.

    Raises whatever the libraries raise where it is none or holds what Arrow cannot; their messages may show rows, so callers
    go through `outcomes.loading.engine.attempt`.
    """
    import narwhals as nw
    import pandas as pd
    import pyarrow as pa

    if isinstance(frame, pd.DataFrame):
        table = _from_pandas(frame)
    elif isinstance(frame, pa.Table):
        table = frame
    else:
        known = nw.from_native(frame)
        table = (known.collect(backend="pyarrow") if isinstance(known, nw.LazyFrame) else known).to_arrow()
    return pa.table([_plain(column) for column in table.columns], names=table.column_names)


def cells_not_utf8(table: pa.Table) -> list[tuple[str, int]]:
    """Return the columns of text with cells that are not UTF-8, and how many: engines stop at them, or never stop.

    Examples
    --------
    >>> import pyarrow as pa
    >>> cells_not_utf8(pa.table({"name": ["café"]}))
    []
    """
    import pyarrow as pa

    found = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if "string" in str(column.type) and isinstance(attempt(partial(column.validate, full=True)), Refused):
            cells = column.cast(pa.large_binary()).to_pylist()
            n = sum(cell is not None and cell.decode(errors="ignore").encode() != cell for cell in cells)
            found.append((str(name), n))
    return found


def _from_pandas(frame: pd.DataFrame) -> pa.Table:
    """Return a pandas frame column by column, so that one column of mixed kinds does not decide over the others."""
    import pyarrow as pa

    arrays = []
    for position in range(frame.shape[1]):
        column = frame.iloc[:, position]
        try:
            arrays.append(pa.array(column, from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError, UnicodeEncodeError):
            arrays.append(None)
        if arrays[-1] is None:  # outside the handler: what follows must not carry Arrow's message
            written = [None if _missing(value) else str(value).encode(errors="surrogatepass") for value in column]
            arrays[-1] = pa.array(written, pa.binary()).view(pa.string())
    return pa.table(arrays, names=[str(name) for name in frame.columns])


def _missing(value: Any) -> bool:
    import pandas as pd

    return value is None or value is pd.NA or bool(value != value)


def _plain(column: pa.ChunkedArray) -> pa.ChunkedArray:
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_timestamp(column.type) and column.type.tz is not None:
        column = pc.local_timestamp(column)
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    return column
