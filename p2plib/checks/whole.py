"""Functions that give one whole number, such as a side or a count: compared, and known mistakes named."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from p2plib.checks.compare import describe
from p2plib.checks.outcome import Status
from p2plib.checks.trial import Mistake, Stop, Trial

IN_A_LIST = "Which line changes the list that it was given? A copy, or `reversed(…)`, leaves it as it is."
Cases = Sequence[tuple[Any, ...]]


def compare_whole(
    t: Trial,
    cases: Cases,
    right: Callable[..., int],
    mistakes: Sequence[Mistake],
    *,
    of: int = 0,
    unit: str = "a side",
) -> None:
    """Call the answer of part `of` with each case, and end the trial at the first that is not `right(*case)`.

    Args:
        mistakes: a cause is named if it gives what the answer gives in every case, and no other does.  Where an
            answer raises or returns None, a mistake that returns None gives the same.
        unit: what the number is, for the sentence on a float.
    """
    for number, case in enumerate(cases):
        call, expected = f"`{t.exercise.parts[of].name}({', '.join(map(str, case))})`", right(*case)
        try:
            value = whole(t.call(*_copied(case), of=of))
        except Stop as stop:
            if number > 0 or "changed in place" in stop.message:
                _explain(t, stop, f"{call} returned `None`; expected was {expected}", cases, mistakes, of)
            raise
        if type(value) is int and value == expected:
            continue
        cause = _cause(t, cases, mistakes, of)
        if isinstance(value, float) and value == expected:
            t.wrong(f"{call} has the right value, but it came as a float, {describe(value)}; {unit} is an int", cause)
        t.wrong(f"{call} gave {describe(value)}; expected was {expected}", cause)


def whole(value: Any) -> Any:
    """An int for whatever is a whole number by its type (NumPy's, a tensor of one), else what it is."""
    if isinstance(value, bool):
        return value
    try:
        return operator.index(value)
    except (TypeError, ValueError, RuntimeError):
        return float(value) if isinstance(value, float) else value  # np.float64 is a float


def _explain(t: Trial, stop: Stop, none: str, cases: Cases, mistakes: Sequence[Mistake], of: int) -> NoReturn:
    """The same end of the trial, with the cause of a known mistake: the answer has come to an end for other cases."""
    if "changed in place" in stop.message:
        stop.cause = IN_A_LIST
    elif stop.status is Status.WRONG:
        t.wrong(none, _cause(t, cases, mistakes, of))
    elif stop.status is Status.CRASHED:
        stop.cause = _cause(t, cases, mistakes, of) or stop.cause
    raise stop


def _cause(t: Trial, cases: Cases, mistakes: Sequence[Mistake], of: int) -> str | None:
    """The one mistake that gives what the answer gives in every case."""
    came = []
    for case in cases:
        ran = t.attempt(t.answers[of], *_copied(case), names=t.exercise.parts[of].parameters)
        if ran.too_slow:
            return None
        came.append(None if ran.error is not None else whole(ran.value))
    causes = {
        mistake.cause
        for mistake in mistakes
        for like in mistake.like
        if all(_alike(x, like(*_copied(case))) for x, case in zip(came, cases, strict=True))
    }
    return causes.pop() if len(causes) == 1 else None


def _alike(a: Any, b: Any) -> bool:
    return type(a) is type(b) and isinstance(a, int | float | None) and a == b


def _copied(case: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(list(value) if isinstance(value, list) else value for value in case)
