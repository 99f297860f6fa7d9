"""From the engine to pandas: numbers, flags and categories; never text row by row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from outcomes.design.baseline import RISK_BANDS
from outcomes.loading.schema import SCHEMA
from outcomes.results import IntArray

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

__all__ = ["slim"]

_ORDERED = {
    **{
        column.name: column.codes
        for table in ("people", "sentences", "assessments")
        for column in SCHEMA[table].columns
        if column.codes
    },
    "risk_band": RISK_BANDS,
}


def slim(table: pa.Table, *, by: tuple[str, ...] = ()) -> pd.DataFrame:
    """Return an Arrow table as a pandas frame in the order of the whole numbers in `by`; without them, in the order they came.

    Text becomes categories: in the order of the schema where it knows the codes (risk bands: from low to high), else of the text;
    a level nobody has is none. Whole numbers with gaps become float64 with NaN; flags with gaps object with None.
    """
    import pandas as pd

    order = _in_order([table[name].to_numpy() for name in by]) if by else None
    columns: dict[str, Any] = {}
    for name in table.column_names:
        column = _column(table[name], _ORDERED.get(name, ()))
        columns[name] = column if order is None else column.take(order)
        table = table.drop_columns([name])  # its memory goes before the next is made
    return pd.DataFrame(columns, copy=False)


def _in_order(keys: Sequence[IntArray]) -> IntArray:
    """Return the rows in the order of several keys: sorted by the first, then those alike in it by the others."""
    import numpy as np

    order = np.argsort(keys[0])
    first = keys[0][order]
    alike = np.zeros(len(order) + 1, dtype=bool)  # as the one before
    alike[1:-1] = first[1:] == first[:-1]
    several = np.flatnonzero(alike[1:] | alike[:-1])
    tied = order[several]
    order[several] = tied[np.lexsort([key[tied] for key in reversed(keys)])]
    return order


def _column(column: pa.ChunkedArray, order: tuple[str, ...]) -> Any:
    import numpy as np
    import pandas as pd
    import pyarrow as pa

    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = column.dictionary_encode()
    if not pa.types.is_dictionary(column.type):
        return column.to_numpy()
    whole = column.unify_dictionaries().combine_chunks()
    levels = whole.dictionary.to_pylist() if len(whole) else []
    placed = [code for code in order if code in levels] if set(levels) <= set(order) else sorted(levels)
    at = np.array([*map(placed.index, levels), -1], dtype=np.int32)  # the last is for what is missing
    codes = whole.indices.fill_null(-1).to_numpy(zero_copy_only=False) if len(whole) else np.empty(0, dtype=np.int32)
    return pd.Categorical.from_codes(at[codes], dtype=pd.CategoricalDtype(placed))
