"""From arrays to Arrow columns as an extract has them: dates, codes, flags, scattered ids, cells left empty."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa

from outcomes.results import Array, IntArray

__all__ = ["NEVER", "Flags", "codes", "day", "days", "emptied", "numbered_within", "pseudonyms"]

Flags = np.typing.NDArray[np.bool_]
NEVER = 2**30  # a day that does not come; its cell is empty
_PRIME = 2**31 - 1
_STEPS = {
    "person": 1_103_515_245,
    "sentence": 1_664_525_911,
    "referral": 1_597_334_677,
    "participation": 1_812_433_253,
    "reoffence": 1_181_783_497,
}


def day(iso: str) -> int:
    """Return days since 1970-01-01."""
    return int(np.datetime64(iso, "D").astype(np.int64))


def days(values: IntArray) -> pa.Array:
    """Return days since 1970-01-01 as dates; `NEVER` is an empty cell."""
    return pa.array(values.astype("datetime64[D]"), mask=values >= NEVER)


def codes(index: IntArray, words: Sequence[str]) -> pa.Array:
    """Return words by their index; a negative index is an empty cell."""
    return pa.DictionaryArray.from_arrays(pa.array(index.astype(np.int32), mask=index < 0), list(words))


def emptied(values: Array | IntArray | Flags, empty: Flags) -> pa.Array:
    """Return values with the cells marked in `empty` left empty."""
    return pa.array(values, mask=empty)


def pseudonyms(numbers: IntArray, of: str) -> IntArray:
    """Return ids for running numbers: no two are the same, and their order says nothing of the order of the numbers."""
    return np.asarray((numbers + 1) * _STEPS[of] % _PRIME)


def numbered_within(counts: IntArray) -> tuple[IntArray, IntArray]:
    """Return, for `counts` rows an owner, each row's owner and its number among the owner's rows, from 0.

    Examples
    --------
    >>> numbered_within(np.array([2, 0, 1]))
    (array([0, 0, 2]), array([0, 1, 0]))
    """
    owner = np.repeat(np.arange(len(counts)), counts)
    first = np.cumsum(counts) - counts
    return owner, np.arange(len(owner)) - first[owner]
