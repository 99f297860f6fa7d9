"""Residuals of a Cox model by row, person or event (Therneau & Grambsch 2000, chapter 4)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from outcomes.errors import NotSupportedError, one_of
from outcomes.results import Array
from outcomes.survival.cox_kernel import exposure_of, score_residuals
from outcomes.survival.estimates import by_person

if TYPE_CHECKING:
    import pandas as pd

    from outcomes.survival.cox_result import Cox

__all__ = ["RESIDUALS", "residual_frame"]

_AT_EVENTS = ("schoenfeld", "scaled_schoenfeld")
RESIDUALS = ("martingale", "deviance", "score", "dfbeta", "dfbetas", *_AT_EVENTS)


def residual_frame(model: Cox, kind: str, by: str) -> pd.DataFrame:
    """Return the residuals of one kind as `Cox.residuals` says."""
    import pandas as pd

    one_of(kind, RESIDUALS, what="residuals: kind")
    one_of(by, ("row", "person"), what="residuals: by")
    model.refuse("residuals", exact=True)
    if kind in _AT_EVENTS:
        if by == "person":
            raise NotSupportedError(f"residuals: {kind} are of events, not of people; leave by= out.")
        return _at_events(model, scaled=kind == "scaled_schoenfeld")
    data, rows = model.data, model.rows
    if kind in ("martingale", "deviance"):
        columns: tuple[str, ...] = (kind,)
        each = _martingale(model)[:, None]
    else:
        columns = model.terms
        each = _by_term(model, kind)
    died = np.zeros((len(rows.order), 1))
    died[rows.event] = 1.0
    index = rows.order if by == "row" else data.person[rows.order]
    size = len(data.frame) if by == "row" else len(data.baseline)
    each, died = by_person(each, index, size), by_person(died, index, size)
    if kind == "deviance":
        each = _symmetric(each, died)
    known = model.asked.by_row(data) > 0
    if by == "person":
        known = np.bincount(data.person, weights=known, minlength=size) > 0
    return pd.DataFrame(np.where(known[:, None], each, np.nan), columns=list(columns))


def _martingale(model: Cox) -> Array:
    rows = model.rows
    found = -model.sums.relative * exposure_of(rows, model.sums)
    found[rows.event] += 1.0
    return found


def _symmetric(martingale: Array, events: Array) -> Array:
    expected = events - martingale
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = martingale + np.where(events > 0, events * np.log(expected), 0.0)
    return np.sign(martingale) * np.sqrt(np.maximum(-2 * inside, 0.0))


def _by_term(model: Cox, kind: str) -> Array:
    """Return score, dfbeta or dfbetas of the sorted rows, shape (R, p)."""
    rows = model.rows
    residual = score_residuals(rows, model.sums).T
    if kind == "score":
        return residual * model.scale
    weight = model.asked.by_row(model.data, rows.order)
    moved: Array = (residual @ (model.model_covariance * model.scale[:, None])) * weight[:, None]
    return moved if kind == "dfbeta" else moved / np.sqrt(np.diag(model.model_covariance))


def _at_events(model: Cox, *, scaled: bool) -> pd.DataFrame:
    import pandas as pd

    rows, sums = model.rows, model.sums
    mean = sums.expected / (rows.mean_weight * rows.deaths)
    values = (rows.x_event - mean[:, rows.own]).T * model.scale
    if scaled:
        values = values @ model.model_covariance * model.n_events + model.coefficients
    frame = pd.DataFrame(values, columns=list(model.terms), index=rows.order[rows.event])
    frame.insert(0, "time", rows.time[rows.own])
    if model.strata_levels is not None:
        for position, name in enumerate(model.strata):
            frame.insert(position, name, model.strata_levels[name].to_numpy()[rows.stratum[rows.own]])
    return frame
