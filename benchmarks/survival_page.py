"""The page about what estimators of survival cost: what is timed, on what machine, tables, aims and the picture."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

from machine import described
from outcomes.figures.rendering import as_svg
from outcomes.figures.styling import COLOURS, GREY, INK, LINES, style
from survival_works import AIMS, GROWING, WORKS, Aim

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["judged", "page", "picture"]

Row = dict[str, Any]
_OURS = ("outcomes", "outcomes, plain", "our kernel", "the sort alone")
_MARKERS = ("o", "s", "^", "D", "v")
_PEERS = ("R", "lifelines", "statsmodels", "surpyval", "greenwood")
_TITLES = {work.name: f"{work.title}, {work.people:,}" for work in WORKS}
_NAMES = {
    "surpyval": "SurPyval",
    "outcomes": "**outcomes**",
    "outcomes, plain": "outcomes, as the peers below marked ¹",
}


def page(rows: list[Row], speed: float) -> str:
    """Return the page as Markdown; `speed` is that of memory, in bytes a second."""
    peers, growth = [[row for row in rows if row["part"] == part] for part in ("peers", "growth")]
    libraries = ["numpy", "pandas", "scipy", "lifelines", "statsmodels"]
    libraries += [name for name in ("surpyval", "greenwood") if importlib.util.find_spec(name)]
    return "\n".join(
        [
            "# What estimators of survival cost",
            "",
            *_EXPLAINED,
            "",
            f"{described(libraries)} {_by_r(peers)}One core reads {speed / 1e9:.1f} GB a second from memory.",
            "",
            "## Beside others",
            "",
            *_table(peers),
            "",
            *_ABOUT_TABLE,
            "",
            "## What is aimed at",
            "",
            *_aims(peers),
            "",
            "## How far from the least it could be",
            "",
            *_limits(peers),
            "",
            *_ABOUT_LIMITS,
            "",
            "## Growth",
            "",
            *_growth(growth),
            "",
            "In brackets: the time against that of the size before, in times of n log n. 1 or less means that cost grows no faster",
            "than that; fixed costs make it small at first, and caches that no longer hold the data make it large once.",
            "",
            f"![{alternative(rows)}](survival.svg)",
            "",
            "The numbers are in [survival.csv](survival.csv), in seconds.",
            "",
            *_AGAIN,
            "",
        ]
    )


_EXPLAINED = (
    "Each figure is a public call from a pandas frame to a table of results: for ours `survival_data(frame, …)`, then the",
    "estimator, then `.to_frame()`, with nothing kept from the run before. Peers get the frame, or arrays taken from it, in the",
    "same process; R gets a data frame that is there already. Figures are medians of warm runs; a peer that takes more than 15",
    "seconds runs once. *Processor* is the time of all cores together, which other work on the machine changes least.",
    "",
    "The people are invented (`benchmarks/invented_people.py`): 11 covariates, half of them yes or no; followed for half a year to",
    "five years in whole days; about half reoffend and one in seven dies; weights from 0.3 to 3.",
)
_ABOUT_TABLE = (
    "*Times ours* is the peer's wall-clock time over that of our full answer. ¹ The peer cannot do all of the work (SurPyval and",
    "`cmprsk::crr` take no fractional weights, greenwood's weighted Cox model with Efron's ties gives other coefficients), so it is",
    "timed on the plain question while ours is timed on the full one. Before a peer is timed its answer is compared with ours:",
    "*estimates off* is the largest difference in standard errors, *errors off* the largest share by which a standard error",
    "differs (lifelines and greenwood build the robust variance of Efron's fit from Breslow's scores, so theirs differ a little).",
    "A peer whose estimates differ by more than 0.001 standard errors is shown but not counted.",
)
_ABOUT_LIMITS = (
    "The least is what must be read, at the speed of memory, by one core: the covariates 4 times to take, check and order them, 3",
    "times at each value of the coefficients that is tried, and 3 times for robust errors; for weighted curves time, end, arm and",
    "weight twice and 8 columns a cause for the jackknife. For Kaplan–Meier it is the sort of the times alone (`numpy.argsort`,",
    "stable); whole days are counted, not sorted, so that it can be beaten.",
)
_AGAIN = (
    "Again: `make bench`, or `python benchmarks/survival.py` alone. `pip install 'outcomes[bench]'` brings SurPyval and greenwood; R",
    "with `survival` and `cmprsk` (`apt-get install r-base-core r-cran-survival r-cran-cmprsk`) is asked where `Rscript` is found.",
    "With all peers it takes about 15 minutes and 8 GB of memory, and wants the machine to itself.",
)


def _by_r(peers: list[Row]) -> str:
    asked = next((row for row in peers if row["library"] == "R" and row.get("versions")), None)
    return f"{asked['versions']}. " if asked else ""


def _table(peers: list[Row]) -> list[str]:
    lines = [
        "| work | library | wall | processor | runs | times ours | estimates off | errors off |",
        "|---|---|---:|---:|---:|---:|---:|---:|",
    ]
    for work in WORKS:
        mine = [row for row in peers if row["work"] == work.name]
        for row in mine:
            name = _NAMES.get(row["library"], row["library"])
            part = row["library"] not in (*_OURS, *work.whole) and work.same is not None
            first = f"{work.title}, {row['people']:,}" if row is mine[0] else ""
            cells = [
                f"{name} ¹" if part else name, _seconds(row["wall_s"]), _seconds(row["cpu_s"]), str(row["runs"]),
                *(str(row.get(column, "")) for column in ("times_ours", "estimates_off", "errors_off")),
            ]  # fmt: skip
            lines.append(f"| {first} | {' | '.join(cells)} |")
    return lines


def _aims(peers: list[Row]) -> list[str]:
    lines = ["| work | aim | measured | met |", "|---|---|---|---|"]
    for aim in AIMS:
        asked, measured, met = judged(aim, [row for row in peers if row["work"] == aim.work])
        lines.append(f"| {_TITLES[aim.work]} | {asked} | {measured} | {met} |")
    return lines


def judged(aim: Aim, rows: list[Row]) -> tuple[str, str, str]:
    """Return an aim, what was measured and whether it is met, in words."""
    by_library = {row["library"]: row for row in rows if row["wall_s"] != ""}
    ours = by_library["outcomes"]["wall_s"]
    if aim.kind == "sort":
        ratio = ours / by_library["the sort alone"]["wall_s"]
        return "on a par with the sort", f"{ratio:.2f} of its time", _yes(ratio <= aim.value)
    if aim.kind == "seconds":
        taken = by_library[aim.against]["wall_s"] if aim.against in by_library else ours
        what = "the array kernel" if aim.against == "our kernel" else "the public call"
        return f"{what} in {aim.value:g} s", _seconds(taken), _yes(taken <= aim.value)
    others = {name: row["times_ours"] for name, row in by_library.items() if _counted(row)}
    who = min(others, key=lambda name: others[name], default=None) if aim.against == "best" else aim.against
    asked = f"{aim.value:g} times faster than {'the best' if aim.against == 'best' else aim.against}"
    if who not in others:
        return asked, "not measured", "–"
    return asked, f"{others[who]:g} times ({_NAMES.get(who, who)})", _yes(others[who] >= aim.value)


def _counted(row: Row) -> bool:
    return row["library"] in _PEERS and row.get("times_ours", "") != "" and row.get("counted", True)


def _yes(met: bool) -> str:
    return "yes" if met else "**no**"


def _limits(peers: list[Row]) -> list[str]:
    lines = ["| work | wall | the least | times the least |", "|---|---:|---:|---:|"]
    for row in peers:
        if "limit_s" in row:
            ratio = row["wall_s"] / row["limit_s"]
            lines.append(
                f"| {_TITLES[row['work']]} | {_seconds(row['wall_s'])} | {_seconds(row['limit_s'])} | {ratio:.2g} |"
            )
    return lines


def _growth(rows: list[Row]) -> list[str]:
    sizes = sorted({row["people"] for row in rows})
    lines = [f"| work | {' | '.join(f'{size:,}' for size in sizes)} |", f"|---|{'---:|' * len(sizes)}"]
    for name, (title, _) in GROWING.items():
        mine = {row["people"]: row for row in rows if row["work"] == name}
        cells = [
            _seconds(mine[size]["wall_s"]) + (f" ({mine[size]['growth']:.2f})" if mine[size]["growth"] != "" else "")
            for size in sizes
        ]
        lines.append(f"| {title} | {' | '.join(cells)} |")
    return lines


def picture(rows: list[Row]) -> bytes:
    """Return growth, and how many times longer each peer takes, as SVG."""
    with style():
        figure, (left, right) = plt.subplots(1, 2, figsize=(12.5, 5.2), layout="constrained", width_ratios=(1, 1.1))
        _draw_growth(left, [row for row in rows if row["part"] == "growth"])
        _draw_peers(right, [row for row in rows if row["part"] == "peers"])
        drawn = as_svg(figure, title="What estimators of survival cost", description=alternative(rows))
        plt.close(figure)
    return drawn


def _draw_growth(axes: Axes, rows: list[Row]) -> None:
    for look, (name, (title, _)) in enumerate(GROWING.items()):
        mine = [row for row in rows if row["work"] == name]
        colour, line = (*COLOURS, INK)[look], (*LINES, "-")[look]
        axes.plot(
            [row["people"] for row in mine], [row["wall_s"] for row in mine], color=colour, linestyle=line, marker=_MARKERS[look],
            label=title,
        )  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="People", title="Our time, in seconds")
    axes.set_xticks(sorted({row["people"] for row in rows}))
    axes.yaxis.set_major_locator(LogLocator())
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
    axes.legend(frameon=False, loc="upper left")


def _draw_peers(axes: Axes, rows: list[Row]) -> None:
    names = [work.name for work in WORKS]
    for look, peer in enumerate(_PEERS):
        found = [row for row in rows if row["library"] == peer and row.get("times_ours", "") != ""]
        axes.plot(
            [row["times_ours"] for row in found], [names.index(row["work"]) for row in found], linestyle="none", markersize=8,
            marker=_MARKERS[look], color=(*COLOURS, GREY)[look], label=_NAMES.get(peer, peer),
        )  # fmt: skip
    axes.axvline(1, color=INK, linewidth=1)
    axes.set(xscale="log", title="Times as long as ours")
    axes.set_yticks(
        range(len(names)), [f"{work.title.replace(', Efron', '')}\n{work.people:,} people" for work in WORKS]
    )
    axes.invert_yaxis()
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}" if value >= 1 else f"{value:g}"))
    axes.grid(axis="x")
    axes.legend(frameon=False, loc="upper center", bbox_to_anchor=(0.4, -0.07), ncols=len(_PEERS), columnspacing=1.2)


def alternative(rows: list[Row]) -> str:
    """Return the picture in words."""
    growth = []
    for name, (title, _) in GROWING.items():
        mine = [row for row in rows if row["part"] == "growth" and row["work"] == name]
        steps = "; ".join(f"{row['people']:,} people {_seconds(row['wall_s'])}" for row in mine)
        growth.append(f"{title}: {steps}.")
    beside = []
    for work in WORKS:
        found = [
            f"{_NAMES.get(row['library'], row['library'])} {row['times_ours']:g}"
            for row in rows
            if row["part"] == "peers" and row["work"] == work.name and row.get("times_ours", "") != ""
        ]
        if found:
            beside.append(f"{_TITLES[work.name]}: {', '.join(found)}.")
    return (
        f"Two charts on logarithmic axes. Left, our time by number of people. {' '.join(growth)} "
        f"Right, how many times as long as ours each peer takes. {' '.join(beside)}"
    )


def _seconds(value: float | str) -> str:
    if value == "":
        return "–"
    return f"{value:.0f} s" if float(value) >= 100 else f"{value:.3g} s"
