"""What estimators of survival cost, beside R and other libraries of Python: python benchmarks/survival.py.

Public calls from a pandas frame to a table of results, in one process (R in one of its own, data ready). Each peer's first answer
is compared with ours before it is timed. Writes a table, a picture and a page to docs/benchmarks. With every peer there it takes about
15 minutes on two quiet cores, of which 5 are the slow peers' single runs and 4 the largest size, and twice that beside other work.
--quick takes 10 seconds and is for trying out.
"""

from __future__ import annotations

import argparse
import csv
import gc
import importlib.util
import math
import shutil
import statistics
import subprocess
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

import peer_calls
from invented_people import TERMS, people
from machine import memory_speed
from our_calls import numbers
from survival_works import GROWING, WORKS, Work, columns_read, kernel

HERE = Path(__file__).parent
SLOW = 15.0  # seconds from which a first run stays the only one
MANY = 50  # runs at most
SAME = 1e-3  # standard errors by which estimates may differ and still be answers to the same question
PYTHON_PEERS = {
    "lifelines": peer_calls.LIFELINES,
    "statsmodels": peer_calls.STATSMODELS,
    "surpyval": peer_calls.SURPYVAL,
    "greenwood": peer_calls.GREENWOOD,
}
COLUMNS = (
    "part",
    "work",
    "people",
    "library",
    "runs",
    "wall_s",
    "cpu_s",
    "times_ours",
    "estimates_off",
    "errors_off",
    "growth",
    "limit_s",
)

Run = Callable[[], Any]
Row = dict[str, Any]


def main() -> None:
    """Measure the works and the growth that were asked for, and write what was found."""
    asked = _arguments()
    speed = memory_speed()
    rows: list[Row] = []
    for work in WORKS:
        rows += measured(work, people(min(work.people, asked.largest)), asked.runs, speed)
    _write_table(rows, asked.out)  # the largest sizes may not fit a machine
    rows += grown([10**k for k in range(3, 8) if 10**k <= asked.largest], asked.runs)
    _write(rows, speed, asked.out)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure what estimators of survival cost, beside their peers.")
    parser.add_argument(
        "--largest", type=lambda text: int(float(text)), default=10**7, help="people at most, such as 1e6"
    )
    parser.add_argument("--runs", type=int, default=5, help="warm runs; the median is kept")
    parser.add_argument("--quick", action="store_true", help="at most 1,000 people, 2 runs")
    parser.add_argument("--out", type=Path, default=HERE.parent / "docs" / "benchmarks", help="folder for the results")
    asked = parser.parse_args()
    if asked.quick:
        asked.largest, asked.runs = 1_000, 2
    return asked


def measured(work: Work, frame: pd.DataFrame, runs: int, speed: float) -> list[Row]:
    """Return one row a library for one piece of work, ours first."""
    answer = numbers(work.main(frame))
    rows = [_row(work, len(frame), "outcomes", timed(lambda: work.main(frame), runs))]
    rows[0]["limit_s"] = _limit(work, frame, speed, runs)
    answers = {True: answer, False: answer}
    if work.same is not None:
        same = work.same
        answers[False] = numbers(same(frame))
        rows.append(_row(work, len(frame), "outcomes, plain", timed(lambda: same(frame), runs)))
    if work.name == "cox_1k":
        rows.append(_row(work, len(frame), "our kernel", timed(kernel(frame), runs)))
    if work.question == "kaplan_meier":
        rows.append(_row(work, len(frame), "the sort alone", timed(_sort(frame), runs)))
    for row in rows:
        _say(row)
    for peer in work.peers:
        row = _peer(work, peer, frame, answers[peer in work.whole], runs)
        if row is not None:
            row["times_ours"] = "" if row["wall_s"] == "" else round(row["wall_s"] / rows[0]["wall_s"], 2)
            rows.append(row)
            _say(row)
    return rows


def _sort(frame: pd.DataFrame) -> Run:
    days = frame["days"].to_numpy()
    return lambda: np.argsort(days, kind="stable")


def _limit(work: Work, frame: pd.DataFrame, speed: float, runs: int) -> float:
    """Return the seconds the work cannot take less than: what must pass by at the speed of memory, or the sort."""
    columns = columns_read(work.question, frame)
    if columns is None:
        return statistics.median(wall for wall, _ in timed(_sort(frame), runs))
    return columns * 8 * len(frame) / speed


def _peer(work: Work, peer: str, frame: pd.DataFrame, answer: tuple[Any, Any], runs: int) -> Row | None:
    """Return how a peer compares; None where it is not installed. One with another answer is not timed further."""
    versions = ""
    if peer == "R":
        found = _by_r(work.question, frame, runs)
        if found is None:
            return None
        times, theirs, versions = found
    else:
        if importlib.util.find_spec(peer) is None:
            return None
        question = PYTHON_PEERS[peer][work.question]
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            theirs, first = _once(lambda: question(frame))
            same = _off(theirs, answer)[0] <= SAME
            times = [first] if first[0] > SLOW or not same else timed(lambda: question(frame), runs)
    off = _off(theirs, answer)
    row = _row(work, len(frame), peer, times)
    row["counted"], row["versions"] = off[0] <= SAME, versions
    row["estimates_off"], row["errors_off"] = (f"{value:.1e}" if np.isfinite(value) else "" for value in off)
    return row


def _off(theirs: tuple[Any, Any], ours: tuple[Any, Any]) -> tuple[float, float]:
    """Return by how many standard errors estimates differ at most, and by what share the errors do."""
    errors = np.abs(theirs[1] / ours[1] - 1)
    return float(np.max(np.abs(theirs[0] - ours[0]) / ours[1])), float(np.max(errors))


def _by_r(
    question: str, frame: pd.DataFrame, runs: int
) -> tuple[list[tuple[float, float]], tuple[Any, Any], str] | None:
    """Return R's times, its answer and its versions; None where R or its packages are not there."""
    if shutil.which("Rscript") is None:
        return None
    columns = [*TERMS, "days", "event", "end", "arm", "weight"]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "people"
        frame[columns].to_numpy(dtype=np.float64).T.tofile(file)
        command = ["Rscript", HERE / "survival.R", file, len(frame), ",".join(columns), question, runs, MANY, SLOW]
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if done.returncode:
        print(f"R, {question}: no result\n{done.stderr}")
        return None
    said = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines() if line.strip()}
    read = {
        name: np.array([float(value) for value in said[name]])
        for name in ("wall", "processor", "estimate", "std_error")
    }
    times = list(zip(read["wall"], read["processor"], strict=True))
    return times, (read["estimate"], read["std_error"]), " ".join(said["versions"])


def timed(run: Run, runs: int) -> list[tuple[float, float]]:
    """Return the seconds of warm runs, by the wall clock and by the processor; of the first alone where that is slow.

    Where a run is short there are more of them, for half a second.
    """
    gc.collect()
    first = _once(run)[1]
    if first[0] > SLOW:
        return [first]
    return [_once(run)[1] for _ in range(max(runs, min(int(0.5 / first[0]), MANY)))]


def _once(run: Run) -> tuple[Any, tuple[float, float]]:
    """Return what a run gives, and its seconds by the wall clock and by the processor."""
    began, busy = time.perf_counter(), time.process_time()
    given = run()
    return given, (time.perf_counter() - began, time.process_time() - busy)


def grown(sizes: list[int], runs: int) -> list[Row]:
    """Return what our calls cost at every size, and how that grows from size to size in times of n log n."""
    rows, before = [], dict[str, float]()
    for size in sizes:
        frame = people(size)
        for name, (_, run) in GROWING.items():
            times = timed(lambda run=run, frame=frame: run(frame), runs if size <= 10**6 else 2)
            row = {"part": "growth", "work": name, "people": size, "library": "outcomes", **_seconds(times)}
            cost = row["wall_s"] / (size * math.log(size))
            row["growth"] = round(cost / before[name], 3) if name in before else ""
            before[name] = cost
            rows.append(row)
            _say(row)
    return rows


def _row(work: Work, size: int, library: str, times: list[tuple[float, float]]) -> Row:
    return {"part": "peers", "work": work.name, "people": size, "library": library, **_seconds(times)}


def _seconds(times: list[tuple[float, float]]) -> Row:
    if not times:
        return {"runs": 0, "wall_s": "", "cpu_s": ""}
    wall, cpu = (statistics.median(values) for values in zip(*times, strict=True))
    return {"runs": len(times), "wall_s": float(f"{wall:.4g}"), "cpu_s": float(f"{cpu:.4g}")}


def _say(row: Row) -> None:
    parts = [f"{row['work']:20} {row['people']:>11,}  {row['library']:16} {row['wall_s']!s:>8} s ({row['runs']} runs)"]
    parts += [
        f"{name} {row[name]}"
        for name in ("times_ours", "estimates_off", "errors_off", "growth")
        if row.get(name, "") != ""
    ]
    print("  ".join(parts), flush=True)


def _write(rows: list[Row], speed: float, out: Path) -> None:
    """Write the table, the picture and the page."""
    from survival_page import page, picture  # draws: not before all is measured

    _write_table(rows, out)
    (out / "survival.svg").write_bytes(picture(rows))
    (out / "survival.md").write_text(page(rows, speed), encoding="utf-8")


def _write_table(rows: list[Row], out: Path) -> None:
    out.mkdir(parents=True, exist_ok=True)
    with (out / "survival.csv").open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, COLUMNS, restval="", extrasaction="ignore", lineterminator="\n")
        table.writeheader()
        table.writerows({**row, "limit_s": f"{row['limit_s']:.4g}" if "limit_s" in row else ""} for row in rows)


if __name__ == "__main__":
    main()
