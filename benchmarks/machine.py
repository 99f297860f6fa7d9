"""The machine a benchmark ran on: in words, and how fast one of its cores moves memory."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterable
from importlib.metadata import version

import numpy as np

__all__ = ["described", "memory_speed"]

_CELLS = 50_000_000  # 400 MB: more than any cache holds


def described(libraries: Iterable[str]) -> str:
    """Return the machine, and the versions of Python, of these libraries and of this one."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9
    versions = ", ".join(f"{name} {version(name)}" for name in libraries)
    return (
        f"Machine: {cores} cores, {memory:.0f} GB of memory, {platform.system()} on {platform.machine()}; "
        f"Python {platform.python_version()}, {versions}; outcomes {version('outcomes')}."
    )


def memory_speed() -> float:
    """Return how many bytes a second one core reads from memory, the best of five goes."""
    values = np.ones(_CELLS)
    best = float("inf")
    for _ in range(5):
        began = time.perf_counter()
        values.max()
        best = min(best, time.perf_counter() - began)
    return values.nbytes / best
