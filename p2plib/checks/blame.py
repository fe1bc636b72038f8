"""What an answer raised, and at which line of the learner's own."""

from __future__ import annotations

import linecache
import re
import sysconfig
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from p2plib.checks import registry, sandbox
from p2plib.checks.registry import Exercise

_OURS = str(Path(__file__).resolve().parents[1])
_CHECKS = str(Path(__file__).resolve().parent)
_INSTALLED = tuple(
    {
        str(Path(p).resolve())
        for p in map(sysconfig.get_paths().get, ("stdlib", "platstdlib", "purelib", "platlib"))
        if p
    }
)
LONGEST = 300


@dataclass(frozen=True)
class Crash:
    """An exception of an answer's.

    Args:
        what: its type and message, on one line.
        line: the learner's line under which it was raised: number and text ("" if it is not known).
        cause: a question, where it is certain.
        not_attempted: it is the NotImplementedError of a stub.
        traceback: all of it.
    """

    what: str
    line: tuple[int, str] | None
    cause: str | None
    not_attempted: bool
    traceback: str


def crash_of(error: BaseException, exercise: Exercise) -> Crash:
    """Look at an exception; its message is made within a second or not at all."""
    theirs, last_is_theirs = _their_line(error.__traceback__, _earlier(exercise))
    written = sandbox.run(lambda: str(error), limit=1.0)
    message = written.value if isinstance(written.value, str) else ""
    name = type(error).__name__
    return Crash(
        what=_one_line(f"{name}: {message}" if message.strip() else name),
        line=theirs,
        cause=_cause(error, exercise, theirs is None),
        not_attempted=isinstance(error, NotImplementedError) and last_is_theirs,
        traceback=_whole(error),
    )


def _their_line(trace: TracebackType | None, earlier: set[str]) -> tuple[tuple[int, str] | None, bool]:
    """The deepest line that is neither ours nor a library's, and whether it is the deepest of all.

    A network is made of blocks that have passed before: a line of it is shown rather than a deeper one of theirs.
    """
    theirs, last, only_earlier = None, False, True
    while trace is not None:
        code = trace.tb_frame.f_code
        last = is_theirs(code.co_filename)
        of_earlier = code.co_qualname.split(".")[0] in earlier
        if last and (only_earlier or not of_earlier):
            text = linecache.getline(code.co_filename, trace.tb_lineno, trace.tb_frame.f_globals).strip()
            theirs, only_earlier = (trace.tb_lineno, text), of_earlier
        trace = trace.tb_next
    return theirs, last


def _earlier(exercise: Exercise) -> set[str]:
    """What the parts of other exercises are called."""
    parts = {part.name for other in registry.all_exercises() if other.id != exercise.id for part in other.parts}
    return parts - {part.name for part in exercise.parts}


def is_theirs(file: str) -> bool:
    """Was this code written by the learner?  Notebook cells, their own files, exec; not the course, not libraries."""
    if file.startswith("<"):
        return not file.startswith(("<frozen", "<__array_function__", "<eval_with_key>"))
    path = str(Path(file).resolve())
    return not path.startswith((_OURS, *_INSTALLED))


def _cause(error: BaseException, exercise: Exercise, no_line: bool) -> str | None:
    if isinstance(error, RecursionError):
        return "What makes it stop calling itself?"
    if isinstance(error, SystemExit):
        return "Is `return` meant? `exit` leaves the whole program."
    if isinstance(error, TypeError) and no_line and "argument" in str(error):
        return f"The check calls {' and '.join(f'`{part.form}`' for part in exercise.parts)}."
    return None


def _one_line(words: str) -> str:
    """Without addresses, which change from run to run; the beginning of a long message."""
    words = re.sub(r"\b0x[0-9a-fA-F]+", "0x…", " ".join(words.split())).replace("`", "'")
    return words if len(words) <= LONGEST else words[:LONGEST].rstrip() + " …"


def _whole(error: BaseException) -> str:
    """The traceback without our own frames, for debug=True."""
    ran = sandbox.run(lambda: "".join(traceback.format_exception(error)), limit=2.0)
    return ran.value if isinstance(ran.value, str) else f"{type(error).__name__} (it cannot be printed)"
