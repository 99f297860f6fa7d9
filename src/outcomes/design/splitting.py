"""Follow-up cut into bands of time, so that an effect may differ between them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from outcomes.design.data import SurvivalData, must_be_data
from outcomes.durations import moments_of
from outcomes.errors import DataError
from outcomes.results import Array, read_only

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["split_follow_up"]

_MOST = 20_000_000  # rows
_COLUMNS = ("time_band", "event_time", "source_row")


def split_follow_up(data: SurvivalData, at: float | str | Iterable[float | str]) -> SurvivalData:
    """Return the same time at risk with every row cut at the times `at`.

    Use it where an effect changes over time: fit ``arm * time_band`` (an effect in each band), or cut at every event and fit
    ``arm * log(event_time)`` (an effect that moves along a curve).

    Parameters
    ----------
    data : SurvivalData
    at : time or list of times, or ``"events"``
        Where to cut: 365, ``"2y"``, or several; ``"events"``: at every event time.

    Returns
    -------
    SurvivalData
        With more columns in ``frame``: ``time_band`` (a factor, the first band the reference; not with ``"events"``), ``event_time``
        (the end of the row; with ``"events"`` only) and ``source_row`` (the row of `data`; weights of rows become
        ``weights[split.frame["source_row"]]``). Nothing else changes: a model without these columns gives the same estimates.

    Raises
    ------
    DataError
        No time inside the follow-up, a column of one of these names, more rows than can be held.

    Notes
    -----
    On such data `cox` leaves out the main effect of a band: everybody at risk at one time is in the same band. Several rows a person
    make its variance robust; ``robust=False`` gives the model's, which is right too where each person has at most one event.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> oc.cox(oc.split_follow_up(data, at=26), "arm * time_band + prio").terms
    ('arm[1]', 'prio', 'arm[1]:time_band[over 26 to 52]')
    """
    must_be_data(data, "split_follow_up(data, at)")
    taken = [name for name in _COLUMNS if name in data.frame.columns]
    if taken:
        raise DataError(f"split_follow_up: the data have a column {taken[0]!r} already; rename it, or split once.")
    events = isinstance(at, str) and at == "events"
    cuts = np.unique(data.exit[data.event > 0]) if events else _cuts(data, at)
    first, last = np.searchsorted(cuts, data.entry, side="right"), np.searchsorted(cuts, data.exit, side="left")
    pieces = np.maximum(last - first, 0) + 1
    if int(pieces.sum()) > _MOST:
        raise DataError(
            f"split_follow_up: this would make {int(pieces.sum()):,} rows of {len(pieces):,}. Name fewer times."
        )
    source = np.repeat(np.arange(len(pieces)), pieces)
    which = np.arange(len(source)) - np.repeat(np.cumsum(pieces) - pieces, pieces)
    edges = np.concatenate((cuts, [np.inf]))
    entry = np.where(which == 0, data.entry[source], edges[first[source] + which - 1])
    final = which == pieces[source] - 1
    exit = np.where(final, data.exit[source], edges[np.minimum(first[source] + which, len(cuts))])
    frame = data.frame.iloc[source].reset_index(drop=True).assign(source_row=source)
    named = (
        frame.assign(event_time=exit) if events else frame.assign(time_band=_bands(cuts, entry, float(data.exit.max())))
    )
    return replace(
        data,
        entry=read_only(entry),
        exit=read_only(exit),
        event=read_only(np.where(final, data.event[source], 0), np.int64),
        person=read_only(data.person[source], np.int64),
        frequency=None if data.frequency is None else read_only(data.frequency[source]),
        state=None if data.state is None else read_only(data.state[source], np.int64),
        frame=named,
        time_columns=("event_time" if events else "time_band",),
    )


def _cuts(data: SurvivalData, at: float | str | Iterable[float | str]) -> Array:
    """Return the times inside the follow-up, in order."""
    cuts = np.unique(moments_of(at, data.unit, what="at"))
    cuts = cuts[(cuts > data.entry.min()) & (cuts < data.exit.max())]
    if len(cuts) == 0:
        raise DataError(
            f"split_follow_up: no time lies inside the follow-up, which ends at {data.exit.max():g} {data.unit}."
        )
    return np.asarray(cuts)


def _bands(cuts: Array, entry: Array, end: float) -> pd.Categorical:
    import pandas as pd

    edges = [0.0, *cuts.tolist(), end]
    names = [f"{'' if low == 0 else 'over '}{low:g} to {high:g}" for low, high in itertools.pairwise(edges)]
    codes = np.searchsorted(cuts, entry, side="right")
    return pd.Categorical.from_codes(codes.tolist(), categories=pd.Index(names))
