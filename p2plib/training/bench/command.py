"""What `python -m p2plib bench` does: measure, write the report where one is asked for, and say the result."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from p2plib.errors import UserError
from p2plib.files import write_atomic
from p2plib.training.bench import compare, growth
from p2plib.training.bench.report import check_path, markdown_table, write_report


def run_bench(
    preset: str | None, rounds: int | None, seconds: float | None, precision: str | None, report: str | None
) -> str:
    """Both loops beside each other; the table as text.  None is the usual value of each.

    Raises:
        UserError: for settings that do not fit, or a report that cannot be written.
    """
    path = check_path(report) if report else None
    found = compare.bench(
        preset or "laptop",
        5 if rounds is None else rounds,
        8.0 if seconds is None else seconds,
        progress=True,
        precision=precision,
    )
    if path:
        parts = [found.heading(), markdown_table(found.rows()), *found.notes()]
        write_report(path, found.as_json(), "This trainer beside a plain loop", parts)
    return "\n".join([found.table(), *_written(path)])


def run_grow(
    preset: str | None,
    rounds: int | None,
    seconds: float | None,
    precision: str | None,
    report: str | None,
    say: Callable[[str], None],
) -> str:
    """How cost grows; the table as text.  `say` is called with a line for each value.

    Raises:
        UserError: as `run_bench`, and for a preset, which this does not take.
    """
    if preset:
        raise UserError("bench grow has settings of its own: leave --preset out.")
    path = check_path(report) if report else None
    found = growth.grow(3 if rounds is None else rounds, 2.0 if seconds is None else seconds, precision, say=say)
    if path:
        _write_growth(path, found)
    return "\n".join([found.table(), *_written(path)])


def _write_growth(path: Path, found: growth.Growth) -> None:
    from p2plib.training.bench.figure import alt_text, draw_growth  # matplotlib, only where a figure is drawn

    figure = path.with_suffix(".png")
    write_atomic(figure, draw_growth(found.series))
    parts = [f"![{alt_text(found.series)}]({figure.name})", markdown_table(found.rows()), *found.rules, *found.notes()]
    write_report(path, {**found.as_json(), "figure": figure.name}, "How the cost of a step grows", parts)


def _written(path: Path | None) -> list[str]:
    return [f"Written: {path} and {path.with_suffix('.md').name}"] if path else []
