"""Frames of this machine as Spark frames."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd
import pyarrow as pa


def on_spark(session: Any, frames: Mapping[str, pd.DataFrame | pa.Table]) -> dict[str, Any]:
    """Return each frame as a Spark frame of two partitions; columns of pandas that hold text only, or nothing, are strings."""
    return {name: session.createDataFrame(_arrow(frame)).repartition(2) for name, frame in frames.items()}


def _arrow(frame: pd.DataFrame | pa.Table) -> pa.Table:
    table = frame if isinstance(frame, pa.Table) else pa.Table.from_pandas(frame, preserve_index=False)
    fields = [pa.field(f.name, pa.string() if pa.types.is_null(f.type) else f.type) for f in table.schema]
    return table.cast(pa.schema(fields))
