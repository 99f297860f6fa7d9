"""An analysis done many times over: in any number of processes, with the same numbers, a bar, and a count of those that fail."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np

from outcomes.design.data import SurvivalData
from outcomes.design.resampling import data_from, parts_of
from outcomes.errors import NotSupportedError, OutcomesError
from outcomes.results import Array

__all__ = ["Plan", "repeated"]

_CHUNK = 50  # repeats a process takes at once, at most


class Plan(Protocol):
    """What is done each time; it decides from the number of the repeat alone, so that who does it makes no difference."""

    @property
    def size(self) -> int:
        """How many numbers come back each time."""
        ...

    def once(self, data: SurvivalData, held: dict[str, Any] | None, repeat: int) -> Array:
        """Return the numbers of one repeat, shape (K,)."""
        ...


def repeated(
    plan: Plan,
    data: SurvivalData,
    held: dict[str, Any] | None,
    repeats: int,
    *,
    n_jobs: int | None,
    progress: bool | None,
    what: str,
) -> tuple[Array, Counter[str]]:
    """Return the numbers of every repeat, shape (R, K), missing where it gave none; and what those said, with how many did.

    Parameters
    ----------
    held : dict, optional
        What the plan is told beside the data.
    n_jobs : int, optional
        As joblib counts processes; None: one, or what ``joblib.parallel_config`` says.
    progress : bool, optional
        Whether to show a bar; None: where somebody looks.
    what : str
        What the bar says.
    """
    from joblib import Parallel, delayed, effective_n_jobs

    tqdm = _bar()
    parallel = Parallel(
        n_jobs=n_jobs, return_as="generator", max_nbytes=None
    )  # rows about people are not written to a file
    parts, chunks = parts_of(data), _chunks(repeats, effective_n_jobs(parallel.n_jobs))
    numbers, failures = [], Counter[str]()
    hidden = None if progress is None else not progress
    with tqdm(total=repeats, desc=what, unit="replicate", disable=hidden, leave=False) as bar:
        for found, said in parallel(delayed(_chunk)(plan, parts, held, chunk) for chunk in chunks):
            numbers.append(found)
            failures.update(said)
            bar.update(len(found))
    return np.concatenate(numbers), failures


def _bar() -> Any:
    """Return the bar of a notebook or a terminal; in a notebook without widgets the terminal's, of which tqdm would warn."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from tqdm.auto import tqdm
    return tqdm


def _chunks(repeats: int, jobs: int) -> Iterator[range]:
    """Yield repeats in pieces: small enough that processes end together and a bar moves, the same numbers whatever their size."""
    size = max(1, min(_CHUNK, repeats // (4 * jobs)))
    for first in range(0, repeats, size):
        yield range(first, min(first + size, repeats))


def _chunk(plan: Plan, parts: dict[str, Any], held: dict[str, Any] | None, chunk: range) -> tuple[Array, list[str]]:
    """Return the numbers of some repeats, shape (len(chunk), K), and what those said that gave none."""
    data = data_from(parts)
    out, said = np.full((len(chunk), plan.size), np.nan), []
    for place, repeat in enumerate(chunk):
        try:
            out[place] = plan.once(data, held, repeat)
        except NotSupportedError:
            raise
        except OutcomesError as error:
            said.append(str(error))
    return out, said
