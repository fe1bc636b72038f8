"""`check`: run an answer, come to one outcome, show it."""

from __future__ import annotations

import os
import random
import traceback
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from p2plib.budget import testing
from p2plib.checks import registry, render, sandbox, store
from p2plib.checks.compare import describe
from p2plib.checks.mine import keep
from p2plib.checks.outcome import CheckFailed, Outcome, Status
from p2plib.checks.progress import note
from p2plib.checks.registry import Exercise, Part
from p2plib.checks.trial import Stop, Trial
from p2plib.errors import UserError

#: The seed of every check in a test, so that outputs can be compared.
TEST_SEED = 1


def check(id: str, *answers: Any, debug: bool = False, seed: int | None = None) -> None:
    """Check an answer and show what came of it.

    Args:
        id: the exercise, "1.1".
        answers: the function (without parentheses after it); for some exercises several.
        debug: show the whole traceback too, and what the answer printed.
        seed: repeats the numbers of an earlier check; drawn anew if not given.

    Raises:
        CheckFailed: where checks grade (P2PLIB_STRICT=1 or nbgrader), unless passed.
        UserError: for an exercise or a seed that does not exist.
        KeyboardInterrupt: if you interrupt.
    """
    outcome = judge(id, *answers, seed=seed)
    if store.recording():
        outcome = _record(outcome, answers)
    render.show(render.as_html(outcome, debug), render.text(outcome, debug))
    if strict() and not outcome.counts:
        raise CheckFailed(outcome.in_short())


def judge(id: str, *answers: Any, seed: int | None = None) -> Outcome:
    """The outcome of a check, neither shown nor kept."""
    exercise = registry.find(id)
    if seed is None:
        seed = TEST_SEED if testing() else random.SystemRandom().randrange(10_000)
    elif isinstance(seed, bool) or not isinstance(seed, int) or seed < 0:
        raise UserError(f"The seed of a check is a whole number from 0 on, not {seed!r}.")
    trial = Trial(exercise, answers, seed)
    try:
        trial.answers = _ready(exercise, answers)
        exercise.check(trial)
        ours = any(registry.is_ours(answer) for answer in trial.answers)
        stop = Stop(Status.PASSED)
    except Stop as stopped:
        stop, ours = stopped, False
    except Exception as error:
        trial.details = "".join(traceback.format_exception(error))
        stop, ours = Stop(Status.UNCHECKED, _our_fault(error)), False
    repeats = trial.drew and stop.status in (Status.WRONG, Status.CRASHED, Status.TOO_SLOW, Status.UNCHECKED)
    return Outcome(
        stop.status,
        exercise.id,
        exercise.title,
        stop.message,
        stop.cause,
        stop.line,
        notes=(*trial.advice, *_notes(trial.left)),
        seed=seed if repeats else None,
        ours=ours,
        details=trial.details,
    )


def strict() -> bool:
    """Do checks grade?  With P2PLIB_STRICT=1, and always under nbgrader."""
    return os.environ.get("P2PLIB_STRICT", "") not in ("", "0") or bool(os.environ.get("NBGRADER_EXECUTION"))


def _record(outcome: Outcome, answers: Sequence[Any]) -> Outcome:
    """Write down what was tried and passed; a disk that refuses is told, and the outcome stays."""
    if outcome.ours or outcome.status in (Status.NOT_ATTEMPTED, Status.UNCHECKED):
        return outcome
    exercise = registry.find(outcome.exercise)
    answers = _spread(exercise, answers)
    try:
        note(exercise.id, passed=outcome.counts)
        said = keep(exercise, answers, lambda kept: judge(exercise.id, *kept).counts) if outcome.counts else None
    except UserError as error:
        said = f"This is not kept: {error}"
    return replace(outcome, notes=(*outcome.notes, said)) if said else outcome


def _spread(exercise: Exercise, answers: Sequence[Any]) -> Sequence[Any]:
    """The answers, also where they came in one tuple."""
    together = len(answers) == 1 and type(answers[0]) in (tuple, list) and len(exercise.parts) > 1
    return answers[0] if together else answers


def _ready(exercise: Exercise, answers: Sequence[Any]) -> list[Any]:
    """The answers, one for each part and each of the right kind; or the trial's end."""
    answers = _spread(exercise, answers)
    if not answers or all(answer is Ellipsis for answer in answers):
        raise Stop(Status.NOT_ATTEMPTED)
    if len(answers) != len(exercise.parts):
        asked = f"{len(exercise.parts)} answer{'s' if len(exercise.parts) > 1 else ''}"
        raise Stop(Status.WRONG, f"expected was `{exercise.form}`, {asked}; {len(answers)} came.")
    return [_of_kind(part, answer, exercise) for part, answer in zip(exercise.parts, answers, strict=True)]


def _of_kind(part: Part, answer: Any, exercise: Exercise) -> Any:
    if answer is Ellipsis:
        return _stub
    if part.kind == "value":
        return answer
    if part.kind == "class":
        if not isinstance(answer, type) and not callable(answer):
            raise Stop(Status.WRONG, f"expected was the class `{part.name}`; {describe(answer)} came.")
        return answer
    if isinstance(answer, type) and any("__call__" in vars(base) for base in answer.__mro__):
        made = sandbox.run(answer, limit=exercise.limit)  # a class that is called like a function: one of it
        if made.error is None and not made.too_slow and callable(made.value):
            return made.value
    if callable(answer):
        return answer
    raise Stop(
        Status.WRONG,
        f"expected was the function `{part.name}`; {describe(answer)} came.",
        None
        if answer is None
        else f"Are there parentheses after it? It is handed over without them: `{exercise.form}`.",
    )


def _stub(*_: Any, **__: Any) -> Any:
    return Ellipsis


def _notes(left: Sequence[str]) -> tuple[str, ...]:
    if not left:
        return ()
    names = " and ".join(filter(None, (", ".join(left[:-1]), left[-1])))
    return (f"It changed {names} for the whole program; the check has put this back.",)


def _our_fault(error: Exception) -> str:
    return f"the check itself stopped ({type(error).__name__}): a fault of the check, not of your answer."
