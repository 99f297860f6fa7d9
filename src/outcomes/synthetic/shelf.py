"""From columns of arrays to a table's frame, and from frames to the text of the files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.loading.schema import SCHEMA
from outcomes.results import IntArray
from outcomes.synthetic.story import NEVER

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MISSING", "as_csv", "codes", "emptied", "frame"]

MISSING = -1  # a whole number that stands for an empty cell, in nullable id and int columns


def codes(index: IntArray, names: tuple[str | None, ...]) -> np.typing.NDArray[Any]:
    """Return the names at these places."""
    return np.array(names, dtype=object)[index]


def emptied(values: np.typing.NDArray[Any], where: np.typing.NDArray[np.bool_]) -> np.typing.NDArray[Any]:
    """Return codes with some of them taken out."""
    out = np.array(values, dtype=object)
    out[where] = None
    return out


def frame(table: str, columns: Mapping[str, Any]) -> pd.DataFrame:
    """Return a table's columns in the schema's order with the types of the schema.

    Days come as whole numbers and leave as dates; `NEVER` becomes an empty date. In columns that may be empty, `MISSING`
    becomes an empty number.
    """
    import pandas as pd

    made: dict[str, Any] = {}
    for column in SCHEMA[table].columns:
        values = np.asarray(columns[column.name])
        if column.kind == "date":
            days = np.where(values >= NEVER, np.datetime64("NaT", "D"), values.astype("datetime64[D]"))
            made[column.name] = pd.Series(days.astype("datetime64[ns]"))
        elif column.kind in ("id", "int") and column.nullable:
            whole = values.astype(np.int64)
            made[column.name] = pd.Series(pd.array(whole, dtype="Int64")).mask(whole == MISSING)
        else:
            made[column.name] = pd.Series(values)
    return pd.DataFrame(made)


def as_csv(table: pd.DataFrame) -> str:
    """Return a frame as CSV: ISO dates, lower-case booleans, six significant digits, one line end everywhere."""
    import pandas as pd

    written = {}
    for name in table.columns:
        column = table[name]
        if pd.api.types.is_datetime64_any_dtype(column):
            written[name] = column.dt.strftime("%Y-%m-%d")
        elif pd.api.types.is_bool_dtype(column):
            written[name] = column.map({True: "true", False: "false"})
        else:
            written[name] = column
    return pd.DataFrame(written).to_csv(index=False, lineterminator="\n", float_format="%.6g")
