"""One measurement in a process of its own: from an extract to the slim frame, stage by stage.

Started by cohort.py; prints one line of JSON. The process is warm: it has gone the whole way once on a small extract.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import outcomes as oc
from study import benchmark_study

T = TypeVar("T")
_UNITS = 1 if sys.platform == "darwin" else 1024  # of ru_maxrss, in bytes
_POPULATIONS = ("own", "both")


class Stages:
    """Seconds of each stage, and the largest memory the process had had by its end."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self.peaks: dict[str, float] = {}

    def run(self, name: str, work: Callable[[], T]) -> T:
        """Return what `work` returns, timed under `name`."""
        began = time.perf_counter()
        made = work()
        self.seconds[name] = time.perf_counter() - began
        self.peaks[name] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNITS / 1e6
        return made


def measure(folder: Path, engine: str, options: dict[str, str]) -> dict[str, Any]:
    """Return seconds and peak memory by stage, the rows read and the people compared."""
    source = _source(folder, engine)
    study, others = benchmark_study(_POPULATIONS[0]), _POPULATIONS[1:]
    stages, busy = Stages(), time.process_time()
    tables = stages.run("load", lambda: oc.load_tables(source, **options))
    passed = stages.run("checks", lambda: tables.checks.passed)
    cohorts = stages.run("cohort", lambda: _populations(oc.build_cohort(tables, study), others))
    data = stages.run("outcome", lambda: [cohort.outcome("any") for cohort in cohorts])
    stages.run("flow", lambda: [cohort.flow.to_frame() for cohort in cohorts])
    if not passed:
        raise SystemExit("The extract breaks a rule of severity error: it does not measure what it should.")
    return {
        "seconds": stages.seconds,
        "cpu": time.process_time() - busy,
        "peaks_mb": stages.peaks,
        "rows": sum(tables.counts.values()),
        "compared": dict(zip(_POPULATIONS, (len(one.baseline) for one in data), strict=True)),
    }


def _populations(first: Any, others: Sequence[str]) -> list[Any]:
    """Return a cohort and those of other populations of its study."""
    return [first, *(first.with_population(name) for name in others)]


def _source(folder: Path, engine: str) -> Any:
    """Return what `load_tables` is given: the folder for DuckDB, frames for Spark."""
    if engine == "duckdb":
        return folder
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master("local[*]").config("spark.ui.enabled", False)
    quiet = builder.config("spark.ui.showConsoleProgress", False).config("spark.driver.bindAddress", "127.0.0.1")
    spark = quiet.getOrCreate()
    return {file.stem: spark.read.parquet(str(file)) for file in sorted(folder.iterdir())}


def main() -> None:
    """Measure once what the command line names."""
    parser = argparse.ArgumentParser(description="Measure one extract in this process; see cohort.py.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("warm_up", type=Path, help="a small extract, gone through first")
    parser.add_argument("--engine", default="duckdb")
    parser.add_argument("--memory-limit")
    asked = parser.parse_args()
    options = {"memory_limit": asked.memory_limit} if asked.memory_limit else {}
    measure(asked.warm_up, asked.engine, options)
    print(json.dumps(measure(asked.folder, asked.engine, options)))


if __name__ == "__main__":
    main()
