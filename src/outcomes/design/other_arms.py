"""The same people with their arms given out anew, as a randomisation test does."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from outcomes.design.data import SurvivalData
from outcomes.results import IntArray, sealed

__all__ = ["with_arms"]


def with_arms(data: SurvivalData, arm: IntArray) -> SurvivalData:
    """Return the data of the same people in other arms; the column of the arm says so too.

    Parameters
    ----------
    arm : ndarray of int, shape (P,)
        Index into ``data.arms`` for each row of ``data.baseline``; every arm that had people has some.
    """
    given = sealed(np.array(arm, dtype=np.int64))
    if data.arm_column is None:
        return replace(data, arm=given)
    first = np.unique(data.arm, return_index=True)[1]
    of_arm = np.zeros(len(data.arms), dtype=np.int64)
    of_arm[data.arm[first]] = first
    written = data.baseline[data.arm_column].take(of_arm).reset_index(drop=True)  # one cell an arm
    baseline = data.baseline.assign(**{data.arm_column: written.take(given).to_numpy()})
    baseline[data.arm_column] = baseline[data.arm_column].astype(written.dtype)
    if data.row_a_person:
        return replace(data, arm=given, baseline=baseline, frame=baseline)
    column = baseline[data.arm_column].take(data.person).reset_index(drop=True)
    return replace(data, arm=given, baseline=baseline, frame=data.frame.assign(**{data.arm_column: column}))
