"""Causes for checks that judge by themselves, because several results are right or numbers have to be said."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from torch import Tensor

from p2plib.checks.compare import same
from p2plib.checks.outcome import Status
from p2plib.checks.trial import Mistake, Stop, Trial


def cause_of(
    t: Trial,
    arguments: Sequence[tuple[Any, ...]],
    mistakes: Sequence[Mistake],
    *,
    of: int = 0,
    tolerance: float = 0.0,
) -> str | None:
    """The cause of the one mistake that gives what the answer gives, for all these arguments; None if there is none.

    Args:
        arguments: of each call; every function of every mistake must take them without raising.
        of: the part whose answer is called.
        tolerance: largest difference of values that are taken to be the same.
    """
    came = []
    for case in arguments:
        copies = [value.clone() if isinstance(value, Tensor) else value for value in case]
        ran = t.attempt(t.answers[of], *copies, names=t.exercise.parts[of].parameters)
        if ran.error is not None or ran.too_slow:
            return None
        came.append(ran.value)
    causes = {
        mistake.cause
        for mistake in mistakes
        for like in mistake.like
        if all(same(value, like(*case), tolerance) for value, case in zip(came, arguments, strict=True))
    }
    return causes.pop() if len(causes) == 1 else None


@contextmanager
def explained(said: Mapping[str, str]) -> Iterator[None]:
    """Name a cause where an answer raises an error that can mean one thing only: words of its message → the cause."""
    try:
        yield
    except Stop as stop:
        if stop.status is Status.CRASHED and stop.cause is None:
            stop.cause = next((cause for words, cause in said.items() if words in stop.message), None)
        raise


#: For answers that take the median.
RETURNS_TWO = "`median(dim=…)` returns two things: the values, and where they stood. Which one is the picture?"
MEDIAN_PAIR = {"torch.return_types.median": RETURNS_TWO}
