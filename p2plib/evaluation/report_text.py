"""A report in words: the table that `evaluate` prints, two runs side by side, and report.md."""

from __future__ import annotations

from collections.abc import Sequence

from p2plib.errors import UserError
from p2plib.evaluation.intervals import DRAWS, Measure
from p2plib.evaluation.report import MEASURES, Report, paired_l1

FEWEST = 10  # held-out pairs below which no verdict is given
INTERVALS = (
    f"An interval holds 95 of 100 of {DRAWS:,} draws, with repeats, of the pictures that were measured: what may be "
    "due to the choice of pictures. It says nothing of what another seed of the training would give."
)
AT_TEST = (
    "Outputs were made as in the paper, with dropout on and the statistics of the batch, which was as large as in "
    "training."
)


def table(report: Report) -> str:
    """The measures as text, with intervals, and the paper's beside."""
    lines = [headline(report), "", f"{'':15}{'this run':>9}  {'95 % interval':17}" + _heads(report)]
    for name, (short, _) in MEASURES.items():
        measure = report.measures[name]
        line = f"{short:15}{measure.value:>9.3f}  {measure.interval:17}{_papers(report, name)}"
        lines.append(line.rstrip())
    legend = [f"{short}: {what}" for short, what in MEASURES.values()]
    return "\n".join([*lines, "", *legend, *_the_paper(report), measured(report)])


def beside(one: Report, other: Report, names: tuple[str, str]) -> str:
    """Two runs side by side, and how far apart they are, picture by picture.

    Args:
        names: what to call them, such as their folders.
    """
    wide = max(26, *(len(name) + 2 for name in names))
    lines = [f"{'':15}" + "".join(f"{name:>{wide}}" for name in names)]
    for name, (short, _) in MEASURES.items():
        values = "".join(f"{report.measures[name]!s:>{wide}}" for report in (one, other))
        lines.append(f"{short:15}{values}")
    try:
        lines += ["", _apart(paired_l1(one, other), one.pairs["held_out"], *names)]
    except UserError as error:
        lines += ["", str(error)]
    return "\n".join(lines)


def markdown(report: Report) -> str:
    """report.md."""
    papers = [name for name in report.paper if name != "task"]
    rows = [
        (f"{short}: {what}", f"{measure.value:.3f}", measure.interval, *(_paper(report, p, name) for p in papers))
        for name, (short, what) in MEASURES.items()
        for measure in [report.measures[name]]
    ]
    heads = ("measure", "this run", "95 % interval", *(f"paper, {name}" for name in papers))
    best = f"Held-out L1 was lowest in epoch {report.best_epoch}." if report.best_epoch else ""
    made = [(f"{name}, {when}", value) for when, inside in report.environment.items() for name, value in inside.items()]
    parts = (
        "# Report of a run",
        f"{headline(report)} {best}".strip(),
        _grid(heads, rows),
        " ".join([*_the_paper(report), measured(report), AT_TEST, INTERVALS]),
        "## Settings",
        _grid(("setting", "value"), list(report.run.items())),
        "## Made with",
        f"`{report.command}`",
        _grid(("", "version or kind"), made),
        f"generator.safetensors has the sha256 {report.weights_sha256}.",
    )
    return "\n\n".join(parts) + "\n"


def headline(report: Report) -> str:
    """What was trained, how far, and how long."""
    run = report.run
    what = f"{run['objective']} on {run['source']} ({run['direction']}), {run['size']} px"
    if not report.steps:
        return f"{what}; how it was trained is not known here."
    goes = f"{report.sessions} sessions" if report.sessions > 1 else "one session"
    end = "" if report.finished else "; it has not come to its end"
    return f"{what}: {report.steps:,} steps, {report.images:,} pictures seen, {_clock(report.seconds)} in {goes}{end}."


def measured(report: Report) -> str:
    """How many pairs."""
    pairs = report.pairs
    return f"Measured: {pairs['held_out']} held-out and {pairs['train']} training pairs."


def _apart(difference: Measure, count: int, one: str, other: str) -> str:
    said = f"L1 of {one} minus L1 of {other}, picture by picture: {difference.value:+.4f}"
    if difference.low is None or difference.high is None:
        return f"{said} (one picture: no interval)."
    if count < FEWEST:
        return f"{said} ({count} pairs: too few to tell which is nearer)."
    bounds = f"{said} ({difference.low:+.4f} to {difference.high:+.4f})"
    if difference.low <= 0 <= difference.high:
        return f"{bounds}: the interval holds 0, so these pictures do not decide which is nearer."
    return f"{bounds}: {one if difference.value < 0 else other} is nearer to the targets."


def _the_paper(report: Report) -> list[str]:
    """Of which task its figures are, where they stand beside the run's."""
    return [f"The paper: {report.paper['task']}."] if report.paper else []


def _heads(report: Report) -> str:
    return "".join(f"{f'paper {name}':>15}" for name in report.paper if name != "task")


def _papers(report: Report, measure: str) -> str:
    return "".join(f"{_paper(report, name, measure):>15}" for name in report.paper if name != "task")


def _paper(report: Report, name: str, measure: str) -> str:
    value = report.paper[name].get(measure)
    return "" if value is None else f"{value:.2f}"


def _clock(seconds: float) -> str:
    hours, minutes = divmod(round(seconds / 60), 60)
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"


def _grid(heads: tuple[str, ...], rows: Sequence[Sequence[object]]) -> str:
    """A table of Markdown; a bar in a value would end its cell."""
    lines = [heads, ("---",) * len(heads), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)
