"""From Spark frames, classic or Connect, to raw tables in their own session, as they came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from outcomes.errors import DataError
from outcomes.loading.engine import Refused, attempt
from outcomes.loading.faults import Fault
from outcomes.loading.raw_tables import Sources, described
from outcomes.loading.schema import SCHEMA
from outcomes.loading.spark_engine import SparkEngine

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

__all__ = ["is_spark", "read_spark_frames", "session_of"]


def is_spark(frame: Any) -> bool:
    """Return whether something is a Spark frame, without importing Spark where nobody else has."""
    return type(frame).__module__.startswith("pyspark.sql.") and hasattr(type(frame), "createOrReplaceTempView")


def session_of(frames: Sequence[Any]) -> SparkSession:
    """Return the session all the frames are of.

    Raises
    ------
    DataError
        They are of several.
    """
    session: SparkSession = frames[0].sparkSession
    if any(frame.sparkSession is not session for frame in frames):
        raise DataError("load_tables: the Spark frames are of more than one session. Make them in one.")
    return session


def read_spark_frames(engine: SparkEngine, frames: Mapping[Any, Any], found: Sources) -> str:
    """Name every frame on the engine; return what to call the source."""
    engine.must_live()
    for key, frame in frames.items():
        name = str(key)
        if name not in SCHEMA:
            found.ignored.append(name)
            continue
        types = attempt(partial(_types, frame))
        if isinstance(types, Refused):
            engine.must_live()
            found.faults.append(Fault(name, "", f"the Spark frame cannot be planned ({types.kind})."))
            continue
        names = [column for column, _ in types]
        found.keep(described(engine.dialect, name, names, [kind for _, kind in types], name))
        if name in found.tables:
            engine.take(f"raw_{name}", frame.toDF(*(f"c{i}" for i in range(len(names)))))
    return "the mapping"


def _types(frame: Any) -> list[tuple[str, str]]:
    return [(str(name), str(kind)) for name, kind in frame.dtypes]
