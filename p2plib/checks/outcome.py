"""What a check comes to: one of five outcomes, and the words that go with it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Status(Enum):
    """An outcome's sign and word; its colour stands in `render`."""

    PASSED = ("✔", "passed")
    WRONG = ("✘", "wrong")
    NOT_ATTEMPTED = ("○", "not attempted")
    CRASHED = ("⚠", "your code raised")
    TOO_SLOW = ("⏱", "too slow")
    UNCHECKED = ("?", "could not be checked")  # a fault of the check, never of the answer

    @property
    def sign(self) -> str:
        """One character."""
        return self.value[0]

    @property
    def word(self) -> str:
        """The same in words."""
        return self.value[1]


class CheckFailed(AssertionError):
    """Raised by `check` where it grades (P2PLIB_STRICT=1, nbgrader), for any outcome but ✔."""


@dataclass(frozen=True)
class Outcome:
    """One check of one answer.

    Nothing in it depends on the time, the machine or an address; numbers come from the seed alone.

    Args:
        status: which of the outcomes.
        exercise, title: "1.1" and "split a pair".
        message: what was expected and what came, what is right first.  Code stands in backticks.
        cause: the likely cause, as a question; None where it is not certain.
        line: number and text of the learner's line that raised; the text is "" where it is not known.
        notes: what else is to be said, a sentence each.
        seed: repeats the numbers of a failure; None where there were none.
        ours: the answer is the library's own.
        details: for ``debug=True``: the whole traceback, and what the answer printed.
    """

    status: Status
    exercise: str
    title: str
    message: str = ""
    cause: str | None = None
    line: tuple[int, str] | None = None
    notes: tuple[str, ...] = ()
    seed: int | None = None
    ours: bool = False
    details: str = ""

    @property
    def counts(self) -> bool:
        """Passed, by the learner's own work."""
        return self.status is Status.PASSED and not self.ours

    def in_short(self) -> str:
        """One line, as the last line of a traceback."""
        said = "that is the library's own" if self.ours else self.message or self.status.word
        return f"{self.exercise} {self.title}: {self.status.word}. {said[:1].upper()}{said[1:]}"
