"""One check under way: it draws inputs, calls the answers, and stops at the first thing that is wrong."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

import numpy as np
import torch
from torch import Tensor

from p2plib.checks import blame, sandbox
from p2plib.checks.compare import Unlike, describe, require_tensor, same
from p2plib.checks.outcome import Status
from p2plib.checks.registry import Exercise
from p2plib.checks.sandbox import Ran


class Stop(Exception):
    """Ends a trial: the outcome is known."""

    def __init__(
        self, status: Status, message: str = "", cause: str | None = None, line: tuple[int, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.message, self.cause, self.line = status, message, cause, line


class Mistake:
    """A known mistake: what it would give, and the question that leads to it.

    Args:
        cause: the question.
        like: functions of the exercise's arguments, each giving what some form of the mistake gives.
    """

    def __init__(self, cause: str, *like: Callable[..., Any]) -> None:
        self.cause, self.like = cause, like


@dataclass(frozen=True)
class Case:
    """Arguments, and what they should give."""

    arguments: tuple[Any, ...]
    expected: Any


class Trial:
    """What an exercise's check is given.

    Args:
        exercise: the exercise.
        answers: one for each of its parts.
        seed: of everything that is drawn.
    """

    def __init__(self, exercise: Exercise, answers: Sequence[Any], seed: int) -> None:
        self.exercise, self.answers, self.seed = exercise, list(answers), seed
        self.random = np.random.default_rng(seed)
        self.said: list[str] = []
        self.left: list[str] = []
        self.advice: list[str] = []
        self.details = ""
        self.drew = False  # does the seed matter to what came out?
        self._seconds = exercise.limit

    # --- drawing ----------------------------------------------------------------------------

    def integer(self, low: int, high: int) -> int:
        """A whole number from low to high, both included."""
        self.drew = True
        return int(self.random.integers(low, high + 1))

    def bytes(self, *shape: int) -> Tensor:
        """A uint8 picture without any symmetry: each value drawn from 0 … 255."""
        self.drew = True
        return torch.from_numpy(self.random.integers(0, 256, shape, dtype=np.uint8))

    def uniform(self, *shape: int, low: float = -1.0, high: float = 1.0, dtype: torch.dtype = torch.float64) -> Tensor:
        """Values drawn evenly between low and high."""
        self.drew = True
        return torch.from_numpy(self.random.uniform(low, high, shape)).to(dtype)

    def normal(self, *shape: int, dtype: torch.dtype = torch.float64) -> Tensor:
        """Normally distributed values."""
        self.drew = True
        return torch.from_numpy(self.random.standard_normal(shape)).to(dtype)

    def generator(self, seed: int | None = None) -> torch.Generator:
        """A torch generator with a drawn seed, or with this one."""
        return torch.Generator().manual_seed(self.integer(0, 2**31) if seed is None else seed)

    # --- calling ----------------------------------------------------------------------------

    def call(self, *arguments: Any, of: int = 0) -> Any:
        """What the answer of part `of` returns.

        Ends the trial if it raises, takes too long, is not written yet, returns None, or changes its arguments.
        """
        part = self.exercise.parts[of]
        before = _copy(arguments)
        ran = self.attempt(self.answers[of], *arguments, names=part.parameters)
        self.require_return(ran, f"`{part.name}`", arguments)
        self.require_unchanged(before, arguments, part.parameters)
        return ran.value

    def call_often(self, times: int, *arguments: Any, of: int = 0) -> list[Any]:
        """The same arguments many times, in one go: for answers that draw random numbers."""
        part, answer = self.exercise.parts[of], self.answers[of]
        before = _copy(arguments)
        named = _by_name(answer, arguments, part.parameters)

        def often() -> list[Any]:
            came: list[Any] = []
            while len(came) < times and all(map(_unchanged, before, arguments)):
                came.append(answer(*arguments) if named is None else answer(**named))
            return came

        ran = self.attempt(often)
        self.require_return(ran, f"`{part.name}`", arguments)
        self.require_unchanged(before, arguments, part.parameters)
        return list(ran.value)

    def run(self, function: Callable[..., Any], *arguments: Any, what: str = "your code", **named: Any) -> Any:
        """The same for anything else that is the learner's: a network that the answer built, one of its methods."""
        ran = self.attempt(function, *arguments, **named)
        self.require_return(ran, what, arguments)
        return ran.value

    def make(self, *arguments: Any, of: int = 0, **named: Any) -> Any:
        """What a class returns when it is called, or a function that stands in for one: `t.make(3, 5, norm=False)`."""
        return self.run(self.answers[of], *arguments, what=f"`{self.exercise.parts[of].name}`", **named)

    def attempt(self, function: Callable[..., Any], *arguments: Any, names: Sequence[str] = (), **named: Any) -> Ran:
        """Call without judging.  All calls of a trial share its seconds."""
        seed = int(self.random.integers(2**31))
        by_name = _by_name(function, arguments, names)
        if by_name is not None:
            arguments, named = (), by_name
        ran = sandbox.run(_whole, function, *arguments, limit=max(self._seconds, 0.01), seed=seed, **named)
        self._seconds -= ran.seconds
        self.left += [name for name in ran.left if name not in self.left]
        self.details = "\n".join(filter(None, (self.details, ran.printed.rstrip())))[-sandbox.ENOUGH :]
        return ran

    def require_return(self, ran: Ran, what: str, arguments: Sequence[Any] = ()) -> None:
        """End the trial unless the call came back with something."""
        if ran.too_slow:
            raise Stop(Status.TOO_SLOW, self.with_right(_too_slow(ran, what)))
        if ran.error is not None:
            self._crashed(ran.error, arguments)
        if _is_stub(ran.value):
            raise Stop(Status.NOT_ATTEMPTED, self.with_right(f"{what} is still to be written") if self.said else "")
        if ran.value is None:
            self.wrong(f"{what} returned `None`", "Did you forget `return`?")

    def require_unchanged(self, before: Any, after: Sequence[Any], names: Sequence[str]) -> None:
        """End the trial if an argument is no longer what it was."""
        for i, (old, new) in enumerate(zip(before, after, strict=True)):
            if not _unchanged(old, new):
                name = names[i] if i < len(names) else f"argument {i + 1}"
                other = "a new tensor" if isinstance(old, Tensor) else "a copy"
                self.wrong(
                    f"`{name}` was changed in place: whoever called has another `{name}` afterwards",
                    f"Which line writes into `{name}`, in place of making {other}?",
                )

    def _crashed(self, error: BaseException, arguments: Sequence[Any]) -> NoReturn:
        crash = blame.crash_of(error, self.exercise)
        self.details = "\n".join(filter(None, (crash.traceback, self.details)))
        if crash.not_attempted:
            raise Stop(Status.NOT_ATTEMPTED, self.with_right("the rest is still to be written") if self.said else "")
        given = f". It was given {_listed([describe(a) for a in arguments])}" if arguments else ""
        raise Stop(
            Status.CRASHED, self.with_right(f"your code stopped: `{crash.what}`{given}"), crash.cause, crash.line
        )

    # --- judging ----------------------------------------------------------------------------

    def right(self, words: str) -> None:
        """Something is right, and will be said, once, if something else is not."""
        if words not in self.said:
            self.said.append(words)

    def advise(self, words: str) -> None:
        """A sentence that is shown even if all is right."""
        if words not in self.advice:
            self.advice.append(words)

    def wrong(self, found: str, cause: str | None = None) -> NoReturn:
        """End the trial: what was expected and what came; the cause only if it is certain."""
        raise Stop(Status.WRONG, self.with_right(found), cause)

    def with_right(self, found: str) -> str:
        """The sentence: what is right, then what is not."""
        return "; ".join([*self.said, found]) + "."

    def require(self, true: bool, found: str, cause: str | None = None) -> None:
        """End the trial unless this holds."""
        if not true:
            self.wrong(found, cause)

    def require_tensor(
        self, value: Any, expected: Tensor, name: str, *, tolerance: float = 0.0, cause: str | None = None
    ) -> None:
        """End the trial unless `value` is the expected tensor: kind, shape, dtype, values."""
        try:
            require_tensor(value, expected, name, tolerance)
        except Unlike as unlike:
            self.said += unlike.right
            self.wrong(unlike.found, cause)

    def several(self, value: Any, names: Sequence[str]) -> list[Any]:
        """The parts of an answer that returns several things, however they are held together.

        Ends the trial unless there are as many as `names`.
        """
        parts = self._parts(value, len(names) + 1)
        if parts is None or len(parts) != len(names):
            came = describe(value) if parts is None else f"{len(parts)} things"
            more = " or more" if parts is not None and len(parts) > len(names) and isinstance(value, Iterator) else ""
            self.wrong(f"expected were {len(names)} things, {_listed(names)}; {came}{more} came")
        return parts

    def _parts(self, value: Any, most: int) -> list[Any] | None:
        if isinstance(value, Tensor):  # stacked: it unpacks like a tuple
            return list(value) if value.dim() and len(value) == most - 1 else None
        if isinstance(value, list | tuple):
            return list(value)
        if isinstance(value, Iterator) and not inspect.iscoroutine(value):  # lazy: it is the answer that works now
            ran = self.attempt(lambda: list(itertools.islice(value, most)))
            self.require_return(ran, "what was returned")
            return list(ran.value)
        return None

    def compare(
        self,
        cases: Sequence[Case],
        names: Sequence[str],
        *,
        mistakes: Sequence[Mistake] = (),
        of: int = 0,
        tolerance: float = 0.0,
    ) -> None:
        """Call the answer with the arguments of each case and compare; at a difference, look for a known mistake.

        Args:
            names: of what is returned: one for a tensor, several for a tuple of them.
            mistakes: a cause is named if it gives what the answer gave, in every case, and no other does.
        """
        for number, case in enumerate(cases):
            value = self.call(*_copy(case.arguments), of=of)
            try:
                if len(names) == 1:
                    require_tensor(value, case.expected, names[0], tolerance)
                else:
                    value = self.several(value, names)
                    for part, expected, name in zip(value, case.expected, names, strict=True):
                        require_tensor(part, expected, name, tolerance)
            except Unlike as unlike:
                self.said += unlike.right
                self.wrong(unlike.found, self._cause(cases, number, value, mistakes, of, tolerance))

    def _cause(
        self, cases: Sequence[Case], number: int, value: Any, mistakes: Sequence[Mistake], of: int, tolerance: float
    ) -> str | None:
        """The one mistake that gives what the answer gives, everywhere."""
        came = []
        for i, case in enumerate(cases):
            if i == number:
                came.append(value)
            else:
                ran = self.attempt(self.answers[of], *_copy(case.arguments), names=self.exercise.parts[of].parameters)
                if ran.error is not None or ran.too_slow:
                    return None
                parts = self._parts(ran.value, 3) if isinstance(case.expected, tuple) else None
                came.append(ran.value if parts is None else parts)
        causes = {
            mistake.cause
            for mistake in mistakes
            for like in mistake.like
            if all(same(x, like(*_copy(c.arguments)), tolerance) for x, c in zip(came, cases, strict=True))
        }
        return causes.pop() if len(causes) == 1 else None

    def refuses(self, kind: type[Exception], *arguments: Any, of: int = 0, because: str) -> None:
        """End the trial unless the answer raises `kind` for these arguments."""
        part = self.exercise.parts[of]
        ran = self.attempt(self.answers[of], *arguments, names=part.parameters)
        if ran.too_slow:
            raise Stop(Status.TOO_SLOW, self.with_right(_too_slow(ran, f"`{part.name}`")))
        if isinstance(ran.error, kind):
            return
        expected = f"{because}: expected was `{kind.__name__}`"
        if ran.error is None:
            returned = isinstance(ran.value, kind) or ran.value is kind
            self.wrong(
                f"{expected}; {'one was returned' if returned else f'{describe(ran.value)} came back'}",
                f"Is `return` there in place of `raise`, before `{kind.__name__}`?" if returned else None,
            )
        if not isinstance(ran.error, Exception):
            self._crashed(ran.error, arguments)
        crash = blame.crash_of(ran.error, self.exercise)
        self.details = "\n".join(filter(None, (crash.traceback, self.details)))
        stop = Stop(Status.WRONG, self.with_right(f"{expected}; `{crash.what}` came"), line=crash.line)
        if isinstance(ran.error, AssertionError):
            stop.cause = f"`assert` raises AssertionError. Is an `if` with `raise {kind.__name__}(…)` meant?"
        raise stop

    def choice(self, right: Any, remarks: Mapping[Any, str], of: int = 0) -> None:
        """For a question: end the trial unless the answer is the right choice.

        Args:
            right: the right choice.
            remarks: for each other choice, what speaks against it.
            of: the part: a value, or a function without parameters that returns it.
        """
        value = self.answers[of] if self.exercise.parts[of].kind == "value" else self.call(of=of)
        if value is None:
            self.wrong(f"`None` is none of the choices; they are {_listed(sorted(map(str, [right, *remarks])))}")
        if type(value) is type(right) and value == right:
            return
        known = [choice for choice in remarks if type(choice) is type(value) and choice == value]
        if not known:
            choices = _listed(sorted(map(str, [right, *remarks])))
            self.wrong(f"{describe(value)} is none of the choices; they are {choices}")
        self.wrong(f"{describe(value)} is not the right choice", remarks[known[0]])


def _whole(function: Callable[..., Any], /, *arguments: Any, **named: Any) -> Any:
    """Call, and wait if the answer is `async`."""
    value = function(*arguments, **named)
    if inspect.iscoroutine(value):
        value.close()
    return value


def _by_name(function: Any, arguments: Sequence[Any], names: Sequence[str]) -> dict[str, Any] | None:
    """Arguments by name, for an answer that takes them in no other way."""
    if len(names) < len(arguments):
        return None
    named = dict(zip(names, arguments, strict=False))
    try:
        signature = inspect.signature(function)
        signature.bind(*arguments)
    except TypeError:
        try:
            inspect.signature(function).bind(**named)
            return named
        except (TypeError, ValueError):
            return None
    except Exception:  # what has no signature is called by position
        return None
    return None


def _too_slow(ran: Ran, what: str) -> str:
    if ran.stopped:
        return f"{what} had not come to an end when the time of this check was over, and was stopped"
    return f"{what} came to an end, but took longer than this check allows"


def _is_stub(value: Any) -> bool:
    return value is Ellipsis or (type(value) in (tuple, list) and len(value) > 0 and all(v is Ellipsis for v in value))


def _copy(value: Any) -> Any:
    """A copy in which nothing is shared, of tensors and of what holds them; random generators stay themselves."""
    if isinstance(value, Tensor):
        return value.detach().clone().requires_grad_(value.requires_grad)
    if type(value) in (list, tuple):
        return type(value)(_copy(v) for v in value)
    if type(value) is dict:
        return {key: _copy(v) for key, v in value.items()}
    return value


def _unchanged(old: Any, new: Any) -> bool:
    if isinstance(old, Tensor | list | tuple):
        return same(old, new)
    if isinstance(old, dict):
        return old.keys() == new.keys() and all(_unchanged(old[key], new[key]) for key in old)
    return True


def _listed(words: Sequence[str]) -> str:
    """a, b and c."""
    words = list(words)
    return " and ".join(filter(None, (", ".join(words[:-1]), words[-1])))
