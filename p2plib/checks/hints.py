"""Hints, from a nudge to nearly the answer, and the solution on request.  Neither asks what was tried before."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

from p2plib.checks import registry, render
from p2plib.errors import UserError

SOLUTIONS = Path(__file__).resolve().parents[2] / "solutions"


def hint(id: str, n: int = 1) -> None:
    """Show the n-th hint to an exercise; the higher n, the nearer to the answer.

    Raises:
        UserError: for an exercise or a hint that does not exist.
    """
    exercise = registry.find(id)
    count = len(exercise.hints)
    if isinstance(n, bool) or not isinstance(n, int) or not 1 <= n <= count:
        raise UserError(f"{id} has {count} hints; n is a whole number from 1 to {count}, not {n!r}.")
    head = f"Hint {n} of {count} to {id} {exercise.title}"
    body = exercise.hints[n - 1]
    body += f' (The next one: `hint("{id}", n={n + 1})`.)' if n < count else ""
    inside = f"<div><b>{html.escape(head)}</b></div><div>{render.markup(body)}</div>"
    render.show(render.box(_edge(), inside), f"{head}\n{body}")


def solution(id: str) -> None:
    """Show the solution of an exercise, folded: it stands in the solved notebook of the chapter.

    Raises:
        UserError: for an exercise that does not exist.
    """
    exercise = registry.find(id)
    head = f"A solution of {id} {exercise.title}"
    code = find(exercise)
    if code is None:
        said = (
            f"The solution of {id} stands in solutions/{exercise.chapter:02d}_….ipynb of the course, "
            f"and that notebook is not here: fetch the whole course again."
        )
        render.show(render.box(_edge(), render.markup(said)), said)
        return
    pre = f'<pre style="{render.PRE}">{html.escape(code, quote=False)}</pre>'
    folded = f'<details><summary style="cursor:pointer">{html.escape(head)}</summary>{pre}</details>'
    render.show(render.box(_edge(), folded), f"{head}\n{code}")


def find(exercise: registry.Exercise) -> str | None:
    """The solved cells of an exercise, from the one place where the solution stands; None if that is not here.

    The cell is a code cell with a solution region whose nbgrader name or tag ends in the exercise's number:
    "1.1", "ex-1-1", "solution_1_1".
    """
    for path in sorted(SOLUTIONS.glob(f"{exercise.chapter:02d}_*.ipynb")):
        try:
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            found = [_clean(_source(c)) for c in cells if c["cell_type"] == "code" and _is_for(c, exercise.id)]
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
        if found:
            return "\n\n\n".join(found)
    return None


def _is_for(cell: dict[str, Any], id: str) -> bool:
    names = [*cell["metadata"].get("tags", []), cell["metadata"].get("nbgrader", {}).get("grade_id", "")]
    numbers = [re.sub(r"[-_]", ".", re.sub(r"^\D+", "", name)) for name in names]
    return id in numbers and re.search(r"^\s*### BEGIN SOLUTION", _source(cell), re.MULTILINE) is not None


def _source(cell: dict[str, Any]) -> str:
    source = cell["source"]
    return source if isinstance(source, str) else "".join(source)


def _clean(source: str) -> str:
    """Without the marks, and without the lines that check it or offer hints."""
    skipped = re.compile(r"\s*### (BEGIN|END) SOLUTION|(#\s*)?(check|hint|solution)\(")
    return "\n".join(line for line in source.splitlines() if not skipped.match(line)).strip("\n")


def _edge() -> str:
    from p2plib.plots import COLOURS

    return COLOURS[5]
