"""The gate: an exact result goes in, what a policy lets out comes out. Figures, tables and files are made from that alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from outcomes.disclosure.policy import DisclosurePolicy
from outcomes.disclosure.views import view_of
from outcomes.errors import DisclosureError
from outcomes.results import Note, Result, html_table, significant

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["INTERNAL", "Released", "release", "rounded"]

INTERNAL = DisclosurePolicy("internal", "Exact numbers, for the eyes of the analyst: not for release.")


@dataclass(frozen=True, eq=False, repr=False)
class Released:
    """What a policy let out of one result.

    Attributes
    ----------
    kind : str
        What sort of result it was: curves, predictions, parametric, flow, balance, overlap, effects, imputed, table.
    title : str
    frames : mapping of name to pandas.DataFrame
        Every number that may be drawn, printed or written, to six significant digits. The first is the main one.
    facts : mapping
        What is not a number of a table: arms, causes, unit, outcome, population, horizon.
    sentences : tuple of str
        The result in words; several where it says them apart.
    notes : tuple of Note
    policy : str
    """

    kind: str
    title: str
    frames: Mapping[str, pd.DataFrame]
    facts: Mapping[str, Any]
    sentences: tuple[str, ...]
    notes: tuple[Note, ...]
    policy: str

    @property
    def frame(self) -> pd.DataFrame:
        """The main frame."""
        return next(iter(self.frames.values()))

    @property
    def text(self) -> str:
        """The result in words, as one text."""
        return " ".join(self.sentences)

    def __repr__(self) -> str:
        shapes = ", ".join(f"{name} {len(frame):,} rows" for name, frame in self.frames.items())
        return f"Released under policy {self.policy!r}: {self.title} ({shapes})"

    def _repr_html_(self) -> str:
        return html_table(self.frame, caption=f"{self.title} (released under policy {self.policy})")


def release(
    result: Result, policy: DisclosurePolicy | str, *, horizon: float | None = None, title: str | None = None
) -> Released:
    """Return what a policy lets out of a result.

    Use it before anything is drawn, printed or written for others.

    Parameters
    ----------
    result : Result
        Any result of this library.
    policy : DisclosurePolicy or str
        A policy or the name of a preset.
    horizon : float, optional
        Curves only: where they end. Default: the last time every arm was observed.
    title : str, optional
        Default: the result's own.

    Returns
    -------
    Released

    Raises
    ------
    DisclosureError
        It is no result, or there is no such policy.
    NotSupportedError
        The policy is known but not built yet.

    Examples
    --------
    >>> import outcomes as oc
    >>> from lifelines.datasets import load_rossi
    >>> data = oc.survival_data(load_rossi(), duration="week", event="arrest", arm="fin", reference=0, unit="weeks")
    >>> oc.release(oc.kaplan_meier(data), "none")
    Released under policy 'none': Kaplan–Meier (curve 71 rows, marks 12 rows)
    """
    if not isinstance(result, Result):
        raise DisclosureError(f"release: a result of this library is needed, not {type(result).__name__}.")
    used = policy if policy is INTERNAL else DisclosurePolicy.preset(policy if isinstance(policy, str) else policy.name)
    view = view_of(result, horizon)
    return Released(
        kind=view.kind,
        title=result.heading if title is None else title,
        frames=MappingProxyType({name: rounded(frame) for name, frame in view.frames.items()}),
        facts=MappingProxyType(dict(view.facts)),
        sentences=tuple(getattr(result, "sentences", (result.describe(),))),
        notes=tuple(result.notes),
        policy=used.name,
    )


def rounded(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a frame whose floating numbers have six significant digits: the form in which anything is shown or written."""
    out = frame.reset_index(drop=True).copy()
    for name in out.columns:
        if out[name].dtype.kind == "f":
            out[name] = np.array([significant(v) for v in out[name]], dtype=np.float64)
    return out
