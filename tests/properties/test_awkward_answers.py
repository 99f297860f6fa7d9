"""Every question of awkward extracts: an answer whose sentences say nothing they cannot know, or one clear refusal."""

from __future__ import annotations

import dataclasses
import re
import warnings
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from small_study import Reframed, on_an_engine

import outcomes as oc
from outcomes.errors import OutcomesError
from outcomes.synthetic import make_cohort

ROOT = Path(__file__).parents[2]
VERDICTS = re.compile(
    r"(?:Verdict|verdict): (lower|higher|shorter|longer|not determined|no difference larger than [\d.]+ [a-z0-9 ]+)[. ;(]"
)
NO_NUMBER = re.compile(r"\bnan\b|\binf\b|\bNone\b|\d\.0 (people|events|clones)|-0\.0\b|9500 %")


@lru_cache(maxsize=1)
def extract() -> oc.Tables:
    """Return a small invented extract: 900 people in 6 areas."""
    return oc.load_tables(make_cohort(900, n_areas=6, seed=11, replicates=0).tables)


def study(**changed: Any) -> oc.Study:
    written = oc.read_study(ROOT / "notebooks/study.toml")
    return written.replace(figures=(), tables=(), **changed)


def changed(**frames: pd.DataFrame) -> oc.Tables:
    return on_an_engine(Reframed(extract(), **frames))


def as_drawn() -> oc.Tables:
    return extract()


def no_events() -> oc.Tables:
    return changed(reoffences=extract().frame("reoffences").iloc[:0])


def one_event() -> oc.Tables:
    return changed(reoffences=extract().frame("reoffences").iloc[:1])


def tiny_arm() -> oc.Tables:
    part = extract().frame("participation")
    manual = part["programme_id"].isin(_of("core_manual"))
    few = part.index[manual][:3]
    return changed(participation=part[~manual | part.index.isin(few)])


def everybody_excluded() -> oc.Tables:
    assessments = extract().frame("assessments")
    return changed(assessments=assessments.assign(denial="full"))


def no_overlap() -> oc.Tables:
    """Whoever started the manualised programme had 40 sanctions before, and nobody else."""
    part, sentences = extract().frame("participation"), extract().frame("sentences")
    manual = part.loc[part["programme_id"].isin(_of("core_manual")), "person_id"]
    return changed(sentences=sentences.assign(prior_sanctions=np.where(sentences["person_id"].isin(manual), 40, 1)))


def one_area() -> oc.Tables:
    sentences = extract().frame("sentences")
    people = sentences.loc[sentences["area"] == sentences["area"].iloc[0], "person_id"]
    tables = extract()
    frames = {name: tables.frame(name) for name in tables.names}
    kept = {name: frame[frame["person_id"].isin(people)] for name, frame in frames.items() if "person_id" in frame}
    return changed(**kept)


def one_day() -> oc.Tables:
    """Everybody who reoffends does so 200 days after the sentence or the release."""
    sentences = extract().frame("sentences").drop_duplicates("person_id")
    since = sentences.set_index("person_id").eval("release_date.fillna(sentence_date)", engine="python")
    offences = extract().frame("reoffences").drop_duplicates("person_id")
    on = offences["person_id"].map(since).astype("Int64") + 200
    return changed(reoffences=offences.assign(offence_date=on, proven_date=on + 20)[on.notna()])


def _of(family: str) -> pd.Series[Any]:
    programmes = extract().frame("programmes")
    return programmes.loc[programmes["family_id"] == family, "programme_id"]


EXTRACTS: list[Callable[[], oc.Tables]] = [
    as_drawn, no_events, one_event, tiny_arm, everybody_excluded, no_overlap, one_area, one_day,
]  # fmt: skip
QUESTIONS: dict[str, Callable[[Any, oc.Study], Any]] = {
    "populations": oc.populations,
    "populations with nothing": lambda t, s: oc.populations(t, s.with_untreated("6m")),
    "populations, not adjusted": lambda t, s: oc.populations(t, s.replace(adjust=None)),
    "caseload": lambda t, s: oc.caseload(t, s, replicates=10, progress=False),
    "roll-out": oc.replaced_area_by_area,
    "shut out": oc.shut_out,
    "detection": lambda t, s: oc.detection_sensitivity(
        oc.build_cohort(t, s).with_population("own").outcome("any"), less_detected={"learning_disability": True}, at="2y", cause="any"
    ),
    "states": oc.course_states,
    "maintenance": oc.maintenance_effect,
    "attendance": oc.attendance_effect,
    "fidelity": oc.fidelity_effect,
    "sites": oc.site_variation,
    "who benefits": oc.who_benefits,
    "who benefits by area": lambda t, s: oc.who_benefits(t, s, by="area"),
    "completers": oc.starters_and_completers,
    "immortal time": oc.immortal_time,
    "programmes": oc.programmes_against_nothing,
}  # fmt: skip


@cache
def tables_of(made: Callable[[], oc.Tables]) -> oc.Tables:
    return made()


@pytest.mark.slow
@pytest.mark.parametrize("made", EXTRACTS, ids=lambda made: made.__name__)
@pytest.mark.parametrize("question", list(QUESTIONS))
def test_an_awkward_extract_gets_true_words_or_a_clear_refusal(question: str, made: Callable[[], oc.Tables]) -> None:
    asked = study()
    if made is everybody_excluded:
        asked = asked.replace(eligibility=dataclasses.replace(asked.eligibility, population="own"), headline=None)
        asked = asked.replace(outcomes={"any": asked.outcomes["any"]})
    said = _heard(QUESTIONS[question], tables_of(made), asked)
    for text in said:
        assert len(text) > 30
        assert not NO_NUMBER.search(text), text
        for part in re.split(r"[Vv]erdict: ", text)[1:]:
            assert VERDICTS.match(f"Verdict: {part} "), part[:60]


def _heard(question: Callable[[Any, oc.Study], Any], tables: oc.Tables, asked: oc.Study) -> list[str]:
    """Return what was said, and draw it; or the refusal."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = question(tables, asked)
    except OutcomesError as error:
        return [str(error)]
    assert len(found.summary()) > 0
    found.plot()
    plt.close("all")
    return [found.describe(), *(note.text for note in found.notes)]
