"""What is done, from a small file in my_work/: ``{"version": 1, "exercises": {"1.1": "passed"}}``."""

from __future__ import annotations

import html
import json
from itertools import groupby
from pathlib import Path

from p2plib.checks import registry, render, store
from p2plib.checks.outcome import Status
from p2plib.files import write_atomic
from p2plib.my_work import my_work

VERSION = 1
BAR = "height:0.5em;width:14em;border-radius:3px;background:rgba(128,128,128,0.3);margin:2px 0 4px"


def progress() -> None:
    """Show which exercises are passed, tried, and still to do.  Nothing leaves your machine."""
    done = read() if store.recording() else {}
    render.show(_html(done), _text(done))


def handed_out() -> list[registry.Exercise]:
    """The exercises of chapters that are there: a check may be ready before its notebook is."""
    folder = Path(__file__).resolve().parents[2] / "exercises"
    return [e for e in registry.all_exercises() if e.chapter == 0 or any(folder.glob(f"{e.chapter:02d}_*.ipynb"))]


def read() -> dict[str, str]:
    """Exercise → "passed" or "tried"; empty where there is no file, or none that can be read."""
    return _parse(_file()) or {}


def note(id: str, passed: bool) -> None:
    """Write down that an exercise was tried or passed; once passed it stays so.

    A file that is spoilt, or of a later version of the course, is kept aside and a new one begun.

    Raises:
        UserError: if nothing can be written there.
    """
    with store.locked(my_work()):
        path = _file()
        done = _parse(path)
        if done is None:
            if path.exists():
                store.keep_aside(path)
            done = {}
        state = "passed" if passed or done.get(id) == "passed" else "tried"
        if done.get(id) != state:
            content = {"version": VERSION, "exercises": dict(sorted({**done, id: state}.items()))}
            write_atomic(path, json.dumps(content, indent=1) + "\n")


def _file() -> Path:
    return my_work() / "progress.json"


def _parse(path: Path) -> dict[str, str] | None:
    """What the file says; None where there is none or it cannot be used."""
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        exercises = content["exercises"]
        if content["version"] != VERSION or not isinstance(exercises, dict):
            return None
        return exercises if all(state in ("passed", "tried") for state in exercises.values()) else None
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _status(state: str | None) -> tuple[Status, str]:
    if state == "passed":
        return Status.PASSED, "passed"
    return (Status.WRONG, "tried") if state == "tried" else (Status.NOT_ATTEMPTED, "to do")


def _text(done: dict[str, str]) -> str:
    lines = []
    for chapter, exercises in groupby(handed_out(), lambda e: e.chapter):
        lines.append(f"Chapter {chapter:02d}")
        for exercise in exercises:
            status, word = _status(done.get(exercise.id))
            lines.append(f"  {status.sign} {exercise.id} {exercise.title}: {word}")
    return "\n".join(lines)


def _html(done: dict[str, str]) -> str:
    parts = []
    for chapter, group in groupby(handed_out(), lambda e: e.chapter):
        exercises = list(group)
        share = sum(done.get(e.id) == "passed" for e in exercises) / len(exercises)
        rows = "".join(_row(e, done.get(e.id)) for e in exercises)
        parts.append(f"<div><b>Chapter {chapter:02d}</b>{_bar(share)}{rows}</div>")
    return f'<div style="display:flex;flex-wrap:wrap;gap:1em 3em">{"".join(parts)}</div>'


def _bar(share: float) -> str:
    full = f"height:100%;width:{share:.0%};border-radius:3px;background:{render.colour_of(Status.PASSED)}"
    return f'<div style="{BAR}"><div style="{full}"></div></div>'


def _row(exercise: registry.Exercise, state: str | None) -> str:
    status, word = _status(state)
    title = html.escape(f"{exercise.id} {exercise.title}")
    return f'<div style="line-height:1.7">{render.sign(status)}{title}: {word}</div>'
