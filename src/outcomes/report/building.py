"""From a study file to a folder: everything is estimated, released and drawn in memory, then written at once or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from outcomes.design.study import FigureSpec, TableSpec
from outcomes.design.study_file import read_study
from outcomes.disclosure.policy import DisclosurePolicy
from outcomes.disclosure.releasing import Released
from outcomes.disclosure.writing import check_target, write_folder
from outcomes.figures.drawing import FIGURES as DRAWINGS
from outcomes.figures.drawing import figure_of
from outcomes.figures.rendering import as_png, as_svg
from outcomes.loading.truth_file import truth_hash
from outcomes.report.analysis import Analysis, Say, analyse, load
from outcomes.report.answering import HEADLINE, answers
from outcomes.report.contents import FIGURES, TABLES, check_answerable, check_contents, figures_of, tables_of
from outcomes.report.display import as_csv, as_html, display
from outcomes.report.manifest import as_bytes, inputs_of, still_true
from outcomes.report.page import Drawn, Page, Tabulated, as_page
from outcomes.results import Note

__all__ = ["Report", "build_report"]


@dataclass(frozen=True)
class Report:
    """A report that is there.

    Attributes
    ----------
    folder : Path
    sentences : tuple of str
        The headline in words (none where the report was up to date already).
    fresh : bool
        Whether it was built now.
    """

    folder: Path
    sentences: tuple[str, ...]
    fresh: bool


def build_report(study: str | Path, out: str | Path, *, overwrite: bool = False, say: Say | None = None) -> Report:
    """Build the report of a study file in the folder `out`.

    Use it for figures and tables that others can build again: two runs on the same study, data and versions give the same bytes.

    Parameters
    ----------
    study : path
        A study file.
    out : path
        A folder that does not exist or is empty; with `overwrite`, a report that this library wrote before.
    overwrite : bool
    say : callable, optional
        Is told what is being done.

    Returns
    -------
    Report

    Raises
    ------
    OutcomesError
        The study, the data or the place are not as they must be; nothing is then written or changed.

    Notes
    -----
    Written are ``index.html`` (one file, no network), ``figures/<name>.png, .svg, .csv, .txt`` (the text alternative),
    ``tables/<name>.csv`` and ``manifest.json``. Where the folder already holds the report of exactly this study, data, code and
    versions, nothing is done.
    """
    tell = say or (lambda _: None)
    folder = Path(out)
    check_target(folder, overwrite=overwrite)
    spec = read_study(study)
    check_contents(spec)
    policy = DisclosurePolicy.preset(spec.disclosure.policy)
    tell("loading and checking the tables")
    tables = load(spec)
    check_answerable(spec, tables)
    truth = truth_hash(spec.data_path) if spec.synthetic else {}
    inputs = inputs_of(spec, {**tables.hashes, **truth})
    if still_true(folder, inputs):
        return Report(folder, (), fresh=False)
    analysis = analyse(spec, tables, tell)
    files, sentences = _files(analysis, policy, tell)
    files["manifest.json"] = as_bytes(inputs, files)
    write_folder(folder, files, overwrite=overwrite)
    return Report(folder, sentences, fresh=True)


def _files(analysis: Analysis, policy: DisclosurePolicy, say: Say) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Return every file of a report but the manifest, and the headline in sentences."""
    released = answers(analysis, policy, say)
    say("drawing figures and tables")
    study, files = analysis.study, dict[str, bytes]()
    figures, tables = [], []
    for figure in figures_of(study):
        drawn = _figure(figure, released[figure.name], figure.outcome or analysis.headline.outcome)
        figures.append(drawn)
        files |= drawn.files()
    for table in tables_of(study):
        tabulated = _table(table, released[table.name], table.outcome or analysis.headline.outcome)
        tables.append(tabulated)
        files |= tabulated.files()
    headline = released[HEADLINE]
    page = Page(analysis, policy, headline.sentences, tuple(figures), tuple(tables), _notes(analysis, released))
    files["index.html"] = as_page(page).encode()
    return files, headline.sentences


def _notes(analysis: Analysis, released: Mapping[str, Released]) -> dict[str, tuple[Note, ...]]:
    """Return what there was to note, by where it came up first: the study as a whole, then whatever is shown, by its title."""
    said = dict.fromkeys([*analysis.notes, *released[HEADLINE].notes])
    found = {"The study as a whole": tuple(said)}
    for shown in released.values():
        new = tuple(note for note in dict.fromkeys(shown.notes) if note not in said)
        said |= dict.fromkeys(new)
        found[shown.title] = (*found.get(shown.title, ()), *new)
    return {title: notes for title, notes in found.items() if notes}


def _figure(spec: FigureSpec, released: Released, outcome: str) -> Drawn:
    name = FIGURES[spec.draws].drawing or spec.draws
    drawing = DRAWINGS[name]
    alternative = drawing.alternative(released) if spec.alt == "auto" else spec.alt
    figure = figure_of(name, released)
    return Drawn(
        name=spec.name,
        item=FIGURES[spec.draws],
        draws=spec.draws,
        outcome=outcome,
        title=released.title,
        alternative=alternative,
        png=as_png(figure, description=alternative),
        svg=as_svg(figure, title=released.title, description=alternative),
        csv=as_csv(drawing.data(released)),
        said=released.sentences if FIGURES[spec.draws].explained else (),
    )


def _table(spec: TableSpec, released: Released, outcome: str) -> Tabulated:
    return Tabulated(
        name=spec.name,
        item=TABLES[spec.draws],
        draws=spec.draws,
        outcome=outcome,
        title=released.title,
        html=as_html(display(spec.draws, released), caption=released.title, identifier=f"table-{spec.name}"),
        csv=as_csv(released.frames.get(TABLES[spec.draws].numbers, released.frame)),
        said=released.sentences if TABLES[spec.draws].explained else (),
    )
