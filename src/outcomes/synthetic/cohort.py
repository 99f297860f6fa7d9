"""The public face: one call makes an invented cohort, its truth, and the text of the files it is kept in."""

from __future__ import annotations

import hashlib
import json
import operator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from outcomes.errors import DesignError, one_of
from outcomes.loading.schema import SCHEMA, dictionary_markdown
from outcomes.synthetic.assignment import BESPOKE, MANUALISED
from outcomes.synthetic.biases import Biases
from outcomes.synthetic.draws import generators
from outcomes.synthetic.records_events import event_tables
from outcomes.synthetic.records_people import people_tables
from outcomes.synthetic.records_programmes import group_tables, programme_tables
from outcomes.synthetic.records_takeup import takeup_tables
from outcomes.synthetic.replication import replicate
from outcomes.synthetic.shelf import as_csv
from outcomes.synthetic.story import Story, tell
from outcomes.synthetic.truths import add_at_risk, potential_frame, truth
from outcomes.synthetic.worlds import World

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SyntheticCohort", "make_cohort"]

_README = """# An invented cohort

**Everything here is invented.** No person, sentence, programme, site or offence in these tables exists or existed; they were
drawn from a seed by `outcomes.synthetic`. Rates are plausible, not estimates of anything, and the effects of the programmes
were chosen so that methods can be judged against a known answer. Draw no conclusion about real programmes from them.

- `*.csv`: the tables; `dictionary.md` says what each column holds.
- `truth.json`: the seed ({seed}), the strength of every bias, and the true risks, event-free times and differences of each
  population, horizon, scale, outcome and version.

{n_people:,} people in {n_areas} areas; time zero from 2004 to 2012; the extract ends on {data_cut}. A bespoke project is
replaced, area by area, by a manualised programme that refuses full denial and learning disability. People differ in who is
referred where, how long they wait, how often they drop out, are recalled, and how long convictions take; each of these biases
is a switch (`outcomes.synthetic.Biases`).

Written again, byte for byte, by `make data`.
"""


@dataclass(frozen=True, eq=False, repr=False)
class SyntheticCohort:
    """An invented cohort with known truth.

    Attributes
    ----------
    tables : dict of str to pandas.DataFrame
        Every table of the schema, columns and order as there; dates as datetime64.
    truth : dict
        Plain data: seed, strengths, and under ``results`` one entry for each population, outcome, version, horizon and scale
        (``results_by_risk_band``: the same within bands). Without replicates both are empty.
    potential : pandas.DataFrame
        One row a person: arm, populations, true propensity, and columns
        ``{arm}_{outcome}_{version}_{risk|rmst|at_risk|at_risk_rmst}_{horizon}`` and ``{arm}_recall_risk_{horizon}``, where drawn.
    """

    tables: dict[str, pd.DataFrame]
    truth: dict[str, Any]
    potential: pd.DataFrame

    def files(self) -> dict[str, str]:
        """Return the folder's files as text, by name: a CSV a table, dictionary.md, README.md, and truth.json, which has
        under ``outputs`` the sha256 of each of the others, so that a truth is told from tables it does not belong to.
        """
        written = {f"{name}.csv": as_csv(self.tables[name]) for name in SCHEMA}
        written["dictionary.md"] = dictionary_markdown()
        written["README.md"] = _README.format(**self.truth)
        outputs = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in sorted(written.items())}
        written["truth.json"] = json.dumps({**self.truth, "outputs": outputs}, indent=1, allow_nan=False) + "\n"
        return written

    def __repr__(self) -> str:
        arms = self.potential["arm"].value_counts()
        counts = ", ".join(f"{name} {int(arms.get(name, 0)):,}" for name in ("bespoke", "manualised", "other", "none"))
        return f"SyntheticCohort: {len(self.potential):,} invented people (seed {self.truth['seed']}): {counts}"


def make_cohort(
    n_people: int = 3000,
    *,
    n_areas: int = 12,
    seed: int = 2010,
    biases: Biases | None = None,
    world: World | None = None,
    replicates: int = 400,
    scope: Literal["all", "headline"] = "all",
) -> SyntheticCohort:
    """Return an invented cohort whose true answers are known.

    For examples, and for showing that a method finds the truth where a naive one does not.

    Parameters
    ----------
    n_people : int
        People in the tables.
    n_areas : int
        Probation areas, each with a roll-out date of its own.
    seed : int
        The same seed gives the same bytes.
    biases : Biases, optional
        Strength of every bias; default `Biases()`: all moderate, no unmeasured confounder, nothing missing.
    world : World, optional
        What the programmes do, and where they are on offer; default `World()`: the bespoke one does more, and is replaced area by area.
    replicates : int
        Lives drawn for each person under each programme to find the truth; 0 draws none.
    scope : {"all", "headline"}
        ``"all"``: everyone, three arms, two and five years. ``"headline"``: starters eligible for both, bespoke and
        manualised, two years; quicker, and ``truth["results"]`` stays empty.

    Returns
    -------
    SyntheticCohort
        ``.tables``, ``.truth``, ``.potential``, ``.files()``.

    Raises
    ------
    DesignError
        If a size is too small, the scope unknown, or a strength negative.

    Notes
    -----
    Lives run on time since sentence or release. Hazards are a person's rate times a shared falling step function; nothing
    happens while someone is away; a programme multiplies the hazards of sexual, violent, acquisitive, drugs and other
    offences from its start on (breaches and motoring offences not at all). The record and the truth are drawn by the same
    function. The truth of a programme holds time zero, wait, area and site fixed. Other programmes (circles, partners,
    residential, counselling, youth) have no effect of their own.

    Examples
    --------
    >>> from outcomes.synthetic import Biases, make_cohort
    >>> cohort = make_cohort(300, n_areas=4, seed=1, replicates=0)
    >>> len(cohort.tables["people"]), sorted(cohort.tables)[:3]
    (300, ['assessments', 'delivery', 'eligibility'])
    """
    _check(n_people, n_areas, replicates)
    one_of(scope, ("all", "headline"), what="make_cohort: scope", error=DesignError)
    streams = generators(seed)
    story = tell(n_people, n_areas, biases or Biases(), world or World(), streams)
    potential, found = _truths(story, streams["truth"], seed=seed, replicates=replicates, scope=scope)
    return SyntheticCohort(tables=_tables(story, streams["records"]), truth=found, potential=potential)


def _check(n_people: int, n_areas: int, replicates: int) -> None:
    for name, value, least in (("n_people", n_people, 50), ("n_areas", n_areas, 2), ("replicates", replicates, 0)):
        if operator.index(value) < least:
            raise DesignError(f"make_cohort: {name} must be at least {least}; got {value}.")


def _tables(story: Story, rng: np.random.Generator) -> dict[str, pd.DataFrame]:
    """Return every table of the schema, in its order."""
    made = people_tables(story, rng) | programme_tables(story.provision)
    taken, groups = takeup_tables(story, rng)
    made |= taken | group_tables(story.provision, groups, rng) | event_tables(story, rng)
    return {name: made[name] for name in SCHEMA}


def _truths(
    story: Story, rng: np.random.Generator, *, seed: int, replicates: int, scope: str
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return the frame of per-person truths and the truth as plain data."""
    bare = potential_frame(story, None)
    if replicates == 0:
        return bare, truth(story, None, seed=seed, replicates=0)
    rows = np.arange(story.people.n) if scope == "all" else np.flatnonzero(bare["in_both"].to_numpy())
    lag = story.biases.conviction_lag
    if scope == "headline":
        drawn = replicate(
            story.rates, story.wait, rows, rng, replicates=replicates, lag_strength=lag,
            arms=(BESPOKE, MANUALISED), horizons=("2y",),
        )  # fmt: skip
        return potential_frame(story, drawn), truth(story, None, seed=seed, replicates=replicates)
    drawn = replicate(story.rates, story.wait, rows, rng, replicates=replicates, lag_strength=lag)
    potential = add_at_risk(potential_frame(story, drawn), story)
    return potential, truth(story, potential, seed=seed, replicates=replicates)
