"""One answer for each population, for those shut out, and for each programme against nothing: all asked of the same people."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
from drawn_clients import AT, drawn_clients, study_of_clients, truths_of_clients
from scenario import Estimate, Found, Key, Scenario, Truth, interval

import outcomes as oc

__all__ = ["OF_WHOM"]

PEOPLE = 2_000
_RAW = "as it was"


def _of_populations(frame: pd.DataFrame) -> Iterator[tuple[Key, Found]]:
    for row in frame.to_dict("records"):
        against = "nothing" if row["reference"] == "untreated" else row["reference"]
        if row["whom"] == "own clients of bespoke" and against == "manualised":
            if row["adjustment"] == "adjusted":
                quantity = "own clients of bespoke: against manualised, at"
                yield ("populations, limits", f"{quantity} least"), Estimate(row["bound_low"])
                yield ("populations, limits", f"{quantity} most"), Estimate(row["bound_high"])
            continue
        if row["whom"] == "own clients of manualised" and against == "manualised":
            quantity = "own clients of manualised: against bespoke"
        elif row["whom"] == "eligible for both":
            quantity = f"eligible for both: {row['arm']} against {against}"
        else:
            quantity = f"{row['whom']}: against {against}"
        yield (_RAW if row["adjustment"] == "raw" else "populations", quantity), interval(row)


def _of_programmes(frame: pd.DataFrame) -> Iterator[tuple[Key, Found]]:
    names = {"core_manual": "manualised", "south_project": "bespoke"}
    for row in frame[frame["adjustment"] == "adjusted"].to_dict("records"):
        yield (
            ("programmes_against_nothing", f"own clients of {names[row['programme']]}: against nothing"),
            interval(row),
        )


def _asked(rng: np.random.Generator) -> dict[Key, Found]:
    tables, study = drawn_clients(PEOPLE, rng), study_of_clients()
    found = dict(_of_populations(oc.populations(tables, study.with_untreated("6m")).to_frame()))
    frame = oc.shut_out(tables, study).to_frame()
    for row in frame[frame["reason"] == "all"].to_dict("records"):
        found[_RAW if row["adjustment"] == "raw" else "shut_out", "shut out: against nothing"] = interval(row)
    return found | dict(_of_programmes(oc.programmes_against_nothing(tables, study).to_frame()))


OF_WHOM = (
    Scenario(
        name="own clients, eligible for both, shut out",
        said=(
            "everybody sentenced goes to nothing, the bespoke or the manualised programme by prior sanctions and denial; the manual "
            "admits nobody in full denial; sanctions and denial raise the rate, programmes lower it, the bespoke one less in denial; "
            f"death competes; risks by {AT} days from half a year after the sentence. True: sums over sanctions and denial"
        ),
        people=PEOPLE,
        replicate=_asked,
        truths={name: Truth(value) for name, value in truths_of_clients().items()},
        reported={_RAW: "the groups differ in who is in them: this is what adjustment is for"},
    ),
)
