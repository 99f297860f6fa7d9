"""The page about what a cohort costs: what is measured, on what machine, the table and the picture."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from machine import described
from outcomes.figures.rendering import as_svg
from outcomes.figures.styling import COLOURS, GREY, LINES, style

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["page", "picture"]

_LIBRARIES = ("duckdb", "narwhals", "numpy", "pandas", "pyarrow")
_AIM_PEOPLE, _AIM_SECONDS, _AIM_BESIDE, _AIM_MB = 1_000_000, 4, 4, 2_000
_MOMENT = 0.01  # seconds; what takes less was done elsewhere, and a logarithmic axis has no place for it
_MARKERS = {"duckdb": "o", "spark": "s"}
_NAMES = {"duckdb": "DuckDB", "spark": "Spark"}
_HEAD = ("people", "rows read", "load", "checks", "two cohorts", "outcomes", "flow", "slim frame", "beside it",
         "processor", "peak", "growth")  # fmt: skip


def picture(rows: list[dict[str, Any]]) -> bytes:
    """Return time and peak memory by people, both axes logarithmic, as SVG."""
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.6), layout="constrained")
        for engine in dict.fromkeys(row["engine"] for row in rows):
            mine = [row for row in rows if row["engine"] == engine]
            name, marker = _NAMES[engine], _MARKERS[engine]
            _line(left, mine, "frame_s", f"{name}: to the slim frame", 0, marker)
            if all(row["beside_s"] >= _MOMENT for row in mine):
                _line(left, mine, "beside_s", f"{name}: checks and flow", 1, marker)
            if all(row["peak_mb"] for row in mine):
                _line(right, mine, "peak_mb", f"{name}: peak memory", 2, marker)
        _guide(left, rows)
        for axes, title in ((left, "Time, in seconds"), (right, "Peak memory, in MB")):
            axes.set(xscale="log", yscale="log", xlabel="People", title=title)
            axes.set_xticks(sorted({row["people"] for row in rows}))
            axes.xaxis.set_minor_locator(NullLocator())
            axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axes.yaxis.set_minor_locator(NullLocator())
            for axis in (axes.xaxis, axes.yaxis):
                axis.set_major_formatter(FuncFormatter(_plain))
            axes.legend(frameon=False, loc="lower right")
        drawn = as_svg(figure, title="What a cohort costs", description=alternative(rows))
        plt.close(figure)
    return drawn


def _line(axes: Axes, rows: list[dict[str, Any]], column: str, label: str, look: int, marker: str) -> None:
    people = [row["people"] for row in rows]
    values = [row[column] for row in rows]
    axes.plot(people, values, color=COLOURS[look], linestyle=LINES[look], marker=marker, label=label)


def _plain(value: float, _: Any) -> str:
    return f"{value:,.0f}" if value >= 1 else f"{value:g}"


def _guide(axes: Axes, rows: list[dict[str, Any]]) -> None:
    """Draw how n log n grows from the largest size downwards."""
    last = max(rows, key=lambda row: (row["engine"] == rows[0]["engine"], row["people"]))
    people = sorted({row["people"] for row in rows})
    cost = last["frame_s"] / (last["people"] * math.log(last["people"]))
    axes.plot(people, [cost * n * math.log(n) for n in people], color=GREY, linewidth=1.2, label="n log n")


def alternative(rows: list[dict[str, Any]]) -> str:
    """Return the picture in words."""
    said = []
    for engine in dict.fromkeys(row["engine"] for row in rows):
        mine = [row for row in rows if row["engine"] == engine]
        steps = "; ".join(f"{row['people']:,} people {_seconds(row['frame_s'])}{_peak(row)}" for row in mine)
        said.append(f"{_NAMES[engine]}, to the slim frame: {steps}.")
    return f"Two charts on logarithmic axes: time and peak memory by number of people. {' '.join(said)}"


def page(rows: list[dict[str, Any]]) -> str:
    """Return the page as Markdown."""
    return "\n".join(
        [
            "# What a cohort costs",
            "",
            *_EXPLAINED,
            "",
            *_elsewhere(rows),
            _machine(rows),
            "",
            *_aim(rows),
            *_table(rows),
            "",
            "Growth is the time of all stages against that of the size before, in times of n log n: 1 or less means that cost",
            "grows no faster than n log n.",
            "",
            f"![{alternative(rows)}](cohort.svg)",
            "",
            "The numbers are in [cohort.csv](cohort.csv), in seconds and MB (a million bytes).",
            "",
            *_AGAIN,
            "",
        ]
    )


_EXPLAINED = (
    "From a folder of Parquet files to one slim row a person, two populations and one outcome.",
    "The extract is invented (`benchmarks/extract.py`): for a million people a million sentences and spells, two million",
    "reoffences, 1.2 million assessments, 0.6 million referrals, 0.55 million starts of six programmes in 30 areas. Ids are",
    "integers and scattered; every rule of severity error holds.",
    "",
    "Each run is a fresh process that first goes the whole way on 1,000 people. Then it times:",
    "",
    "- **load**: `load_tables(folder)`; reading, types, ids, structure",
    "- **checks**: `tables.checks`; every rule between the tables",
    "- **two cohorts**: `build_cohort(tables, study)` for the population `own`, and `cohort.with_population('both')`",
    '- **outcomes**: `cohort.outcome("any")` of both',
    "- **flow**: `cohort.flow` of both, as a table",
    "",
    "*Slim frame* is load, cohorts and outcomes together; *beside it* is checks and flow. What a call does at once is in its",
    "own stage, whatever it is for. *Processor* is the time of all cores together, which other work on the machine changes",
    "least. Times are medians of the runs; the peak is the largest resident memory of any of them.",
)
_AGAIN = (
    "Again: `make bench` measures 10,000 to 1,000,000 people. For ten million, run",
    "`python benchmarks/cohort.py --people 1e4 1e5 1e6 1e7`; `--memory-limit 3GB` is handed to `load_tables` as its",
    "`memory_limit`. Extracts stay in the system's temporary folder, or where `--extracts` says.",
)


def _elsewhere(rows: list[dict[str, Any]]) -> list[str]:
    """Return a word on the checks where they run while loading, and so have no time of their own."""
    if any(row["checks_s"] >= _MOMENT for row in rows):
        return []
    return ["Here `load_tables` runs the checks itself: their time is in load, and so in the slim frame.", ""]


def _machine(rows: list[dict[str, Any]]) -> str:
    libraries = [*_LIBRARIES, *(["pyspark"] if any(row["engine"] == "spark" for row in rows) else [])]
    return f"Runs of each size: {rows[0]['runs']}. {described(libraries)}"


def _aim(rows: list[dict[str, Any]]) -> list[str]:
    """Return how the size there is an aim for stands to it, where it was measured."""
    at = [row for row in rows if row["people"] == _AIM_PEOPLE and row["engine"] == "duckdb"]
    if not at:
        return []
    row = at[0]
    text = (
        f"Aim for a million people on two cores with DuckDB: the slim frame in {_AIM_SECONDS} s and 2 GB, checks and flow in "
        f"{_AIM_BESIDE} s more. Measured: {_seconds(row['frame_s'])} and {row['peak_mb'] / 1000:.2g} GB, "
        f"{_seconds(row['beside_s'])} more. "
    )
    met = row["frame_s"] <= _AIM_SECONDS and row["beside_s"] <= _AIM_BESIDE and row["peak_mb"] <= _AIM_MB
    return [text + ("The aim is met." if met else "The aim is not met."), ""]


def _table(rows: list[dict[str, Any]]) -> list[str]:
    lines = [f"| engine | {' | '.join(_HEAD)} |", f"|---|{'---:|' * len(_HEAD)}"]
    for row in rows:
        seconds = [
            _seconds(row[f"{name}_s"]) for name in ("load", "checks", "cohort", "outcome", "flow", "frame", "beside")
        ]
        cpu = _seconds(row["cpu_s"]) if row["cpu_s"] else "–"
        peak = f"{row['peak_mb']:,} MB" if row["peak_mb"] else "–"
        growth = f"{row['growth']:.2f}" if row["growth"] != "" else "–"
        engine = _NAMES[row["engine"]] + (f", limit {row['memory_limit']}" if row["memory_limit"] else "")
        lines.append(
            f"| {engine} | {row['people']:,} | {row['rows']:,} | {' | '.join(seconds)} | {cpu} | {peak} | {growth} |"
        )
    return lines


def _seconds(value: float) -> str:
    return f"{value:.0f} s" if value >= 100 else f"{value:.3g} s" if value >= _MOMENT else "0.00 s"


def _peak(row: dict[str, Any]) -> str:
    return f" and {row['peak_mb']:,} MB" if row["peak_mb"] else ""
