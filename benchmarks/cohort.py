"""What a cohort costs, by the number of people: python benchmarks/cohort.py --people 1e4 1e5 1e6.

Every measurement is a fresh process (measuring.py) on an extract that is kept between runs; this one only starts them, so that
its own memory is in none of them. Writes a table, a picture and a page.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
WARM_UP = 1_000
STAGES = ("load", "checks", "cohort", "outcome", "flow")


def main() -> None:
    """Measure every size and engine that was asked for, and write what was found."""
    asked = _arguments()
    rows: list[dict[str, Any]] = []
    failed = False
    for engine in asked.engine:
        for people in asked.people:
            runs = [_run(people, engine, asked) for _ in range(asked.repeat)]
            done = [run for run in runs if run is not None]
            failed |= len(done) < len(runs)
            if done:
                rows.append(_row(engine, people, asked.memory_limit, done))
                print(_line(rows[-1]), flush=True)
    with_growth(rows)
    if rows:
        _write(rows, asked.out)
    sys.exit(failed)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what a cohort costs, by the number of people.")
    parser.add_argument(
        "--people", nargs="+", type=lambda text: int(float(text)), default=[10**4, 10**5, 10**6], help="such as 1e4 1e6"
    )
    parser.add_argument("--engine", nargs="+", default=["duckdb"], choices=["duckdb", "spark"])
    parser.add_argument("--memory-limit", help="handed to load_tables as memory_limit, such as 3GB")
    parser.add_argument("--repeat", type=int, default=3, help="processes a size; the median time is kept")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "benchmarks", help="folder for the results")
    parser.add_argument("--extracts", type=Path, default=Path(tempfile.gettempdir()) / "outcomes-benchmark-extracts")
    asked = parser.parse_args()
    asked.people = sorted(set(asked.people))
    return asked


def _run(people: int, engine: str, asked: argparse.Namespace) -> dict[str, Any] | None:
    """Return one measurement, or None where the process failed; what it had to say is passed on."""
    files = (HERE / "measuring.py", _extract(people, asked), _extract(WARM_UP, asked))
    limit = ["--memory-limit", asked.memory_limit] if asked.memory_limit else []
    command = [sys.executable, *map(str, files), "--engine", engine, *limit]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"{engine}, {people:,} people: no result (status {done.returncode})", file=sys.stderr)
        return None
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def _extract(people: int, asked: argparse.Namespace) -> Path:
    """Return the extract of this size, written by the generator as it is now; made where it is not there."""
    sources = sorted([HERE / "extract.py", *(HERE / "invented").glob("*.py")])
    version = hashlib.sha256(b"".join(file.read_bytes() for file in sources)).hexdigest()[:12]
    folder: Path = asked.extracts / f"{version}-{people}"
    if not folder.is_dir():
        asked.extracts.mkdir(parents=True, exist_ok=True)
        part = Path(tempfile.mkdtemp(prefix="part-", dir=asked.extracts))
        subprocess.run([sys.executable, HERE / "extract.py", str(people), part], check=True)
        os.replace(part, folder)
    return folder


def _row(engine: str, people: int, limit: str | None, runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is kept of the runs of one size: median seconds a stage, and the largest memory of any."""
    seconds = {stage: statistics.median(run["seconds"][stage] for run in runs) for stage in STAGES}
    frame = statistics.median(sum(run["seconds"][stage] for stage in ("load", "cohort", "outcome")) for run in runs)
    beside = statistics.median(sum(run["seconds"][stage] for stage in ("checks", "flow")) for run in runs)
    return {
        "engine": engine,
        "people": people,
        "rows": runs[0]["rows"],
        "compared_own": runs[0]["compared"]["own"],
        "compared_both": runs[0]["compared"]["both"],
        "memory_limit": limit or "",
        "runs": len(runs),
        **{f"{stage}_s": round(value, 3) for stage, value in seconds.items()},
        "frame_s": round(frame, 3),
        "beside_s": round(beside, 3),
        "cpu_s": round(statistics.median(run["cpu"] for run in runs), 3) if engine == "duckdb" else "",
        # the JVM of Spark is another process; its time and memory are not seen from here
        "peak_mb": round(max(max(run["peaks_mb"].values()) for run in runs)) if engine == "duckdb" else "",
    }


def with_growth(rows: list[dict[str, Any]]) -> None:
    """Add to each row how its time grew from the size before, in times of n log n: at most 1 is no faster than that.

    Examples
    --------
    >>> rows = [{"engine": "duckdb", "people": n, "frame_s": n * s, "beside_s": 0} for n, s in ((10, 1.0), (100, 2.0))]
    >>> with_growth(rows)
    >>> [row["growth"] for row in rows]
    ['', 1.0]
    """
    before: dict[str, dict[str, Any]] = {}
    for row in rows:
        last = before.get(row["engine"])
        row["growth"] = "" if last is None else round(_cost(row) / _cost(last), 3)
        before[row["engine"]] = row


def _cost(row: dict[str, Any]) -> float:
    """Return seconds for one unit of n log n."""
    return float((row["frame_s"] + row["beside_s"]) / (row["people"] * math.log(row["people"])))


def _line(row: dict[str, Any]) -> str:
    stages = ", ".join(f"{stage} {row[f'{stage}_s']:.2f}" for stage in STAGES)
    peak = f", peak {row['peak_mb']:,} MB" if row["peak_mb"] else ""
    return f"{row['engine']} {row['people']:>12,}: frame {row['frame_s']:.2f} s, beside {row['beside_s']:.2f} s ({stages}){peak}"


def _write(rows: list[dict[str, Any]], out: Path) -> None:
    """Write the table, the picture and the page."""
    from cohort_page import page, picture  # draws: not before all is measured

    out.mkdir(parents=True, exist_ok=True)
    with (out / "cohort.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        table.writeheader()
        table.writerows(rows)
    (out / "cohort.svg").write_bytes(picture(rows))
    (out / "cohort.md").write_text(page(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
