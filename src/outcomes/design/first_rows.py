"""The first row of each group, without ordering groups that have one row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import narwhals as nw

    from outcomes.loading.tables import Tables

__all__ = ["first_rows"]


def first_rows(
    rows: nw.LazyFrame[Any],
    tables: Tables,
    several: nw.LazyFrame[Any],
    *,
    by: Sequence[str],
    key: str,
    order_by: Sequence[str],
) -> nw.LazyFrame[Any]:
    """Return the first row of each group.

    Most people have one sentence, and most sentences one start: only the few groups with more are put in order, and what is not
    first in them is taken away.

    Parameters
    ----------
    rows : LazyFrame
        Kept on the engine: it is asked several times.
    several : LazyFrame
        The groups that have more than one row: the columns `by`, and any.
    key : str
        Column with another value in every row.
    order_by : sequence of str
        Columns that order a group; the last must be without ties in it.
    """
    import narwhals as nw

    few = rows.select(*dict.fromkeys([*by, key, *order_by])).join(several, on=list(by), how="semi")
    nth = few.with_columns(_nth=nw.col(key).cum_count().over(*by, order_by=list(order_by)))
    later = tables.keep(nth.filter(nw.col("_nth") > 1).select(key))
    return rows.join(later, on=key, how="anti")
