"""What results pooled over imputed sets share: Rubin's numbers beside each estimate, and a clear no to what needs one set."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from outcomes.adjust.rubin import RubinRows
from outcomes.errors import EstimationError, NotSupportedError
from outcomes.results import Note, Result

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.design.data import SurvivalData
    from outcomes.survival.inputs import Asked

__all__ = ["OfEachSet", "Pooled", "about_pooling", "asked_of", "notes_of_all", "same_in_all"]


@dataclass(frozen=True, eq=False, repr=False, kw_only=True)
class Pooled(Result):
    """A result pooled over m imputed sets by Rubin's rules; it is of the estimator's own type too.

    Attributes
    ----------
    rubin : RubinRows
        Estimates, variances within and between sets, degrees of freedom and fractions of missing information, row by row of
        `to_frame` (on the scale they were pooled on).
    """

    rubin: RubinRows | None = None

    def missing_information(self) -> pd.DataFrame:
        """Return what was pooled, on the scale it was pooled on: one row a row that was pooled.

        Columns: what names the row, then estimate, within, between, total (variances), relative_increase, share_between, df, fmi.
        """
        import pandas as pd

        found, frame = self._rubin, self._rows_pooled()
        named = [name for name in _NAMES if name in frame.columns]
        numbers = ("estimate", "within", "between", "total", "relative_increase", "share_between", "df", "fmi")
        return pd.DataFrame(
            {**{name: frame[name] for name in named}, **{name: getattr(found, name) for name in numbers}}
        )

    def _rows_pooled(self) -> pd.DataFrame:
        """Return the table whose rows were pooled."""
        return self.to_frame()

    @property
    def _rubin(self) -> RubinRows:
        if self.rubin is None:
            raise NotSupportedError("missing_information: nothing was pooled here.")
        return self.rubin

    @property
    def m(self) -> int:
        """Number of imputed sets."""
        return self._rubin.m

    def pooled_in_words(self) -> str:
        """Return the sentence that goes with a pooled result."""
        return (
            f"Pooled over {self.m} imputed sets by Rubin's rules; the largest fraction of missing information is "
            f"{100 * _largest(self._rubin):.0f} %."
        )


_NAMES = ("outcome", "cause", "parameter", "term", "arm", "reference", "time", "measure")


class OfEachSet:
    """Stands in a pooled result where its siblings hold something of one data set: it differs from set to set, and says so.

    Parameters
    ----------
    hint : str
        How to get, by pooling, what was asked for.
    facts
        Attributes that are the same in every set.
    """

    def __init__(self, hint: str, **facts: Any) -> None:
        self.__dict__.update(facts)
        self.__dict__["_hint"] = hint

    def _refuse(self) -> NoReturn:
        raise NotSupportedError(
            f"This is a result pooled over imputed sets: what it is asked needs the people of one set. {self.__dict__['_hint']}"
        )

    def __getattr__(self, name: str) -> NoReturn:
        if name.startswith("__"):
            raise AttributeError(name)
        self._refuse()

    def _any(self, *_: Any, **__: Any) -> NoReturn:
        self._refuse()

    __iter__ = __len__ = __getitem__ = __array__ = __call__ = _any
    __add__ = __radd__ = __mul__ = __rmul__ = __matmul__ = __rmatmul__ = __sub__ = __rsub__ = _any


def asked_of(asked: Asked, data: SurvivalData, hint: str) -> Any:
    """Return what stands in place of what an estimate was asked with: its estimand, and how many people."""
    people = asked.people_by_arm(data)
    facts = {"estimand": asked.estimand, "weighted": asked.weighted, "n_clusters": None}
    return OfEachSet(hint, people_by_arm=lambda _: people, **facts)


def same_in_all(found: Sequence[Any], key: Callable[[Any], Any], what: str) -> None:
    """Raise where the sets' results differ in what must be the same to be pooled."""
    first = key(found[0])
    differ = sum(key(one) != first for one in found)
    if differ:
        raise EstimationError(
            f"pool: {what} of {differ:,} of the {len(found):,} sets differ from those of the first; a level that only some sets hold, "
            "or an estimate that depends on the set, cannot be pooled."
        )


def notes_of_all(notes: Sequence[tuple[Note, ...]]) -> tuple[Note, ...]:
    """Return what the results of all sets had to say: once where they say the same, else with how many say something like it."""
    m, found = len(notes), dict[str, list[tuple[int, str]]]()
    for index, own in enumerate(notes):
        for note in own:
            found.setdefault(note.code, []).append((index, note.text))
    every = []
    for code, said in found.items():
        texts = list(dict.fromkeys(text for _, text in said))
        by_all = [text for text in texts if len({i for i, t in said if t == text}) == m]
        every += [Note(code, text) for text in by_all]
        others = [text for text in texts if text not in by_all]
        if others:
            sets = len({i for i, t in said if t in others})
            where = "Set by set; in the first" if sets == m else f"In {sets} of {m} imputed sets; in the first of them"
            every.append(Note(code, f"{where}: {others[0]}"))
    return tuple(every)


def _largest(rubin: RubinRows) -> float:
    """Return the largest fraction of information that is missing because values are: few clusters are another matter."""
    increase = np.asarray(rubin.relative_increase, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        df = (rubin.m - 1) * (1 + 1 / increase) ** 2
        fraction = (increase + 2 / (df + 3)) / (increase + 1)
    return float(np.nanmax(np.where(increase > 0, fraction, 0.0), initial=0.0))


def about_pooling(rubin: RubinRows) -> tuple[Note, ...]:
    """Return what must be said of the number of sets."""
    largest = _largest(rubin)
    if rubin.m >= 100 * largest:
        return ()
    text = (
        f"{100 * largest:.0f} % of the information on an estimate is missing, and {rubin.m} sets were imputed: another seed could change "
        f"it visibly. Impute {int(np.ceil(100 * largest))} or more (m=)."
    )
    return (Note("few_sets", text),)
