"""Right and wrong answers of known kinds, and what the checks make of them: ``python -m p2plib checks``.

The answers stand in tests/course/answers/chNN.py of a checkout, each marked with `right` or `wrong`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from p2plib.checks import registry
from p2plib.checks.engine import judge
from p2plib.checks.outcome import Outcome, Status
from p2plib.errors import UserError

ANSWERS = Path(__file__).resolve().parents[2] / "tests" / "course" / "answers"
F = TypeVar("F")


@dataclass(frozen=True)
class Known:
    """An answer whose outcome is known.

    Args:
        exercise: "1.1".
        name: what is special about it.
        answers: as `check` takes them.
        status: what it must come to.
        cause: words that must stand in the cause; None if no cause may be named.
        found: words that must stand in the message.
    """

    exercise: str
    name: str
    answers: tuple[Any, ...]
    status: Status
    cause: str | None = None
    found: str = ""

    def fault(self, outcome: Outcome) -> str | None:
        """What is not as it must be about this outcome; None if nothing."""
        if outcome.status is not self.status:
            return f"{outcome.status.word}, not {self.status.word}: {outcome.message} {outcome.cause or ''}"
        if self.status is Status.PASSED and not outcome.counts:
            return "it is not counted"
        if (self.cause is None) != (outcome.cause is None) or (self.cause or "") not in (outcome.cause or ""):
            return f"cause {outcome.cause!r}, not {self.cause!r}: {outcome.message}"
        return None if self.found in outcome.message else f"message {outcome.message!r}, not {self.found!r}"


_collected: list[Known] = []


def right(exercise: str, *others: Any) -> Callable[[F], F]:
    """Mark a right answer; `others` are the further parts of an exercise that asks for several."""
    return _known(exercise, others, Status.PASSED, None, "")


def wrong(
    exercise: str, *others: Any, cause: str | None = None, found: str = "", status: Status = Status.WRONG
) -> Callable[[F], F]:
    """Mark a wrong answer, with words of the cause that must be named, and of what must be found.

    One `...` among `others` is the place of the marked one; without it, it is the first.
    """
    return _known(exercise, others, status, cause, found)


def _known(exercise: str, others: tuple[Any, ...], status: Status, cause: str | None, found: str) -> Callable[[F], F]:
    def mark(answer: F) -> F:
        answers = tuple(answer if o is ... else o for o in others) if ... in others else (answer, *others)
        name = getattr(answer, "__name__", type(answer).__name__).strip("_").replace("_", " ")
        _collected.append(Known(exercise, name, answers, status, cause, found))
        return answer

    return mark


def known_answers(folder: Path | None = None) -> list[Known]:
    """Every known answer of the checkout.

    Raises:
        UserError: where there is no checkout.
    """
    paths = sorted((folder or ANSWERS).glob("ch*.py"))
    if not paths:
        raise UserError(
            "The known answers stand in tests/course/answers/ of the course's repository; they are not here."
        )
    found = []
    for path in paths:
        _collected.clear()
        spec = importlib.util.spec_from_file_location(f"answers_{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
        found += _collected
    _collected.clear()
    return found


@dataclass(frozen=True)
class Row:
    """One exercise: right answers passed of all, wrong ones caught of all, causes named, and what is amiss."""

    exercise: str
    title: str
    right: tuple[int, int]
    wrong: tuple[int, int]
    named: int
    faults: tuple[str, ...]


def rows(folder: Path | None = None, seed: int | None = None) -> list[Row]:
    """Check every known answer of every exercise."""
    known = known_answers(folder)
    return [
        _row(exercise, [k for k in known if k.exercise == exercise.id], seed) for exercise in registry.all_exercises()
    ]


def _row(exercise: registry.Exercise, known: list[Known], seed: int | None) -> Row:
    came = [(k, judge(exercise.id, *k.answers, seed=seed)) for k in known]
    good = [outcome.counts for k, outcome in came if k.status is Status.PASSED]
    bad = [outcome for k, outcome in came if k.status is not Status.PASSED]
    caught = [o for o in bad if o.status not in (Status.PASSED, Status.UNCHECKED)]
    faults = tuple(f"{exercise.id} {k.name}: {fault}" for k, o in came if (fault := k.fault(o)))
    named = sum(o.cause is not None for o in caught)
    return Row(exercise.id, exercise.title, (sum(good), len(good)), (len(caught), len(bad)), named, faults)


def table(found: list[Row]) -> str:
    """The rows as text, and under them what is amiss."""
    lines = [f"{'exercise':<32} {'right passed':>13} {'wrong caught':>13} {'cause named':>12}"]
    for row in found:
        right_, wrong_ = (f"{n} of {m}" for n, m in (row.right, row.wrong))
        lines.append(f"{f'{row.exercise} {row.title}':<32} {right_:>13} {wrong_:>13} {row.named:>12}")
    return "\n".join([*lines, *(f"amiss: {fault}" for row in found for fault in row.faults)])
