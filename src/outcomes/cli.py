"""The command line: check, report, diff, synth."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from outcomes.errors import OutcomesError

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 done, 1 checks failed or reports differ, 2 refused."""
    options = _parser().parse_args(argv)
    try:
        return int(options.run(options))
    except OutcomesError as error:
        print(f"outcomes {options.command}: {error}", file=sys.stderr)
    return 2


def _parser() -> argparse.ArgumentParser:
    import outcomes

    parser = argparse.ArgumentParser(
        prog="outcomes", description="Did a programme for people who offended make a difference?"
    )
    parser.add_argument("--version", action="version", version=f"outcomes {outcomes.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    check = commands.add_parser("check", help="say what is wrong with a folder of tables, in counts")
    check.add_argument("data", help="folder of CSV or Parquet files, or a DuckDB file")
    check.add_argument(
        "--study", help="a study file: its [codes], [columns], [checks] declared, and what its report asks"
    )
    check.set_defaults(run=_check)

    report = commands.add_parser("report", help="build every figure and table of a study file")
    report.add_argument("study", help="the study file (TOML)")
    report.add_argument("--out", default="report", help="folder to make (default: report)")
    report.add_argument("--overwrite", action="store_true", help="replace a report that this command wrote before")
    report.add_argument("--quiet", action="store_true", help="say nothing on the way")
    report.set_defaults(run=_report)

    diff = commands.add_parser("diff", help="say what changed between two reports")
    diff.add_argument("first")
    diff.add_argument("second")
    diff.set_defaults(run=_diff)

    synth = commands.add_parser("synth", help="write an invented cohort, with its truth")
    synth.add_argument("--out", required=True, help="folder to make")
    synth.add_argument("--seed", type=int, default=2010)
    synth.add_argument("--people", type=int, default=3000, help="number of people (default: 3000)")
    synth.add_argument("--areas", type=int, default=12, help="number of areas (default: 12)")
    synth.add_argument("--overwrite", action="store_true", help="replace a cohort that this command wrote before")
    synth.set_defaults(run=_synth)
    return parser


def _check(options: argparse.Namespace) -> int:
    from outcomes.loading.tables import load_tables

    codes = columns = None
    declared: tuple[str, ...] = ()
    study = None
    if options.study:
        from outcomes.design.study_file import read_study
        from outcomes.report.contents import check_answerable, check_contents

        study = read_study(options.study)
        check_contents(study)
        codes, columns, declared = study.codes, study.columns, study.checks.declared
    tables = load_tables(options.data, codes=codes, columns=columns, declared=declared)
    checks = tables.checks
    print(checks.describe())
    for row in checks.summary().to_dict("records"):
        column = f".{row['column']}" if row["column"] else ""
        print(
            f"  {row['severity']}: {row['rule']} ({row['table']}{column}): {row['n']:,} of {row['of']:,} rows: {row['text']}."
        )
    for note in checks.notes:
        print(f"  note: {note.text}")
    if study is not None:
        check_answerable(study, tables)
    return 0 if checks.passed else 1


def _report(options: argparse.Namespace) -> int:
    from outcomes.report.building import build_report

    def say(text: str) -> None:
        if not options.quiet:
            print(f"… {text}", file=sys.stderr, flush=True)

    made = build_report(options.study, options.out, overwrite=options.overwrite, say=say)
    if not made.fresh:
        print(f"Up to date: {made.folder / 'index.html'} is the report of exactly this study, data and code.")
        return 0
    for sentence in made.sentences:
        print(sentence)
    print(f"\nReport: {made.folder / 'index.html'}")
    return 0


def _diff(options: argparse.Namespace) -> int:
    from outcomes.report.differences import differences

    lines = differences(options.first, options.second)
    print("\n".join(lines) if lines else "The two reports are the same.")
    return 1 if lines else 0


def _synth(options: argparse.Namespace) -> int:
    from outcomes.disclosure.writing import check_target, write_folder
    from outcomes.loading.truth_file import TRUTH
    from outcomes.synthetic import make_cohort

    out = Path(options.out)
    check_target(out, overwrite=options.overwrite, ours=TRUTH)
    cohort = make_cohort(options.people, n_areas=options.areas, seed=options.seed)
    files = {name: text.encode() for name, text in cohort.files().items()}
    write_folder(out, files, overwrite=options.overwrite, ours=TRUTH)
    print(f"{cohort!r}\nWritten: {out}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
