"""What an SQL engine does for the tables, whichever it is, and asking it in a way that lets none of its messages out.

Engines print row values in their exceptions. Whatever may meet a row runs inside `attempt`, which keeps the kind of a
failure and forgets its text; the caller raises our own error outside any handler, so that nothing stays as a cause.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar

from outcomes.errors import OutcomesError
from outcomes.loading.dialect import Dialect

if TYPE_CHECKING:
    import narwhals as nw
    import pyarrow as pa

__all__ = ["PLAIN", "Engine", "Keys", "Refused", "attempt"]

T = TypeVar("T")
PLAIN = "0|[1-9][0-9]{0,17}"
"""A whole number as one writes it who means a number: 7, not 007."""


@dataclass(frozen=True)
class Refused:
    """What an engine would not do: the kind of its exception, never its message."""

    kind: str


def attempt(action: Callable[[], T]) -> T | Refused:
    """Return what `action` returns, or the kind of exception it ended with; our own errors pass.

    Examples
    --------
    >>> attempt(lambda: int("12"))
    12
    >>> attempt(lambda: int("a value of a row"))
    Refused(kind='ValueError')
    """
    try:
        return action()
    except OutcomesError:
        raise
    except Exception as error:  # whatever a third party raises may show a row
        return Refused(type(error).__name__)


@dataclass(frozen=True)
class Keys:
    """The distinct keys of things of one kind, to be numbered.

    Attributes
    ----------
    name : str
        The table to make, with the columns key and id.
    query : str
        SQL of the distinct keys, in a column called key: BIGINT where all of them are numbers, else text.
    numbers : str
        Which keys are plainly written whole numbers (see `PLAIN`): ``all``, ``some`` or ``none``.
    """

    name: str
    query: str
    numbers: Literal["all", "some", "none"]


class Engine(Protocol):
    """Tables under names, and SQL asked of them.

    Names are those of the schema and of steps on the way; `place` gives what a name is called in SQL. Every method may raise
    what the engine raises, with rows in its message: callers go through `attempt`, and say `why`.
    """

    @property
    def name(self) -> str:
        """What a reader calls the engine."""

    @property
    def dialect(self) -> Dialect:
        """How the engine writes what engines write differently."""

    @property
    def keeps_order(self) -> bool:
        """Whether the row number of a table is its order in the extract; where not, it is only a number."""

    def place(self, name: str) -> str:
        """Return what a table of this name is called in SQL."""

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """Return the few rows of a query."""

    def ask_each(self, queries: Sequence[str]) -> list[tuple[int, ...]]:
        """Return the one row of whole numbers of each query, asked together where that is cheaper."""

    def fetch(self, query: str) -> pa.Table:
        """Return all rows of a query in its order."""

    def make(self, name: str, query: str) -> None:
        """Keep the rows of a query under a name."""

    def view(self, name: str, query: str) -> None:
        """Give a query a name."""

    def drop(self, name: str) -> None:
        """Forget what is kept or seen under a name."""

    def columns(self, name: str) -> list[tuple[str, str]]:
        """Return the names and types of a table's columns."""

    def tally(self, queries: Sequence[str]) -> list[tuple[int, int, int, int]]:
        """Return of the whole numbers of each query how many there are, how many different, the least and the greatest.

        A query has one column, called key, without nulls; of no numbers the least and the greatest are 0.
        """

    def absent(self, keys: str, references: Sequence[str]) -> list[int]:
        """Return how many of the whole numbers of each query of references are none of those of the query of keys.

        Every query has one column, called key, without nulls.
        """

    def changed(self) -> list[str]:
        """Return the names of files that have changed though tables are views of them: what tables say holds no more."""

    def number(self, keys: Sequence[Keys]) -> None:
        """Make the table (key, id) of each: 1, 2, … in the order of the numbers, then of the other text."""

    def lazy(self, name: str) -> nw.LazyFrame[Any]:
        """Return a table as a narwhals frame that runs on the engine."""

    def keep(self, frame: nw.LazyFrame[Any]) -> nw.LazyFrame[Any]:
        """Return the frame with its rows kept, so that what is built on it does not compute them again."""

    def put(self, table: pa.Table) -> nw.LazyFrame[Any]:
        """Return a frame with the rows of an Arrow table, kept on the engine."""

    def keeping(self) -> AbstractContextManager[None]:
        """Forget at the end what is kept inside."""

    def collect(self, frame: nw.LazyFrame[Any]) -> pa.Table:
        """Return the rows of a frame; text may come as dictionaries."""

    def branch(self) -> Engine:
        """Return the engine with no names: what is made there leaves the tables here as they are."""

    def must_live(self) -> None:
        """Raise DataError where the engine the tables are on has ended."""

    def why(self, refused: Refused) -> str:
        """Return in words why the engine may have refused, and what to do."""

    def release(self) -> None:
        """Free all that was made."""
