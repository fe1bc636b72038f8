"""Exercise 6.4: the learning rate, constant for the first half of a run and then in a line to 0."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from torch import Tensor

from p2plib.checks.compare import describe
from p2plib.checks.outcome import Status
from p2plib.checks.trial import Mistake, Stop, Trial

RATE = 2e-4


def learning_rate_at(step: int, steps: int, rate: float = RATE) -> float:
    """Learning rate of step 0 … steps − 1: `rate` for the first half, then in a line to 0 at `steps`.

    Args:
        step: 0 or more, less than `steps`.
        steps: of the whole run, 1 or more.
        rate: at the start.
    """
    return rate if step < steps / 2 else rate * (steps - step) / (steps - steps / 2)


# --- known mistakes ---------------------------------------------------------------------------------


def _falls(share: Callable[[int, int], float], half: Callable[[int], float] = lambda n: n / 2) -> Callable[..., float]:
    """`rate` before the half, and `share` of it from there on."""
    return lambda step, steps, rate=RATE: rate if step < half(steps) else rate * share(step, steps)


def _always(share: Callable[[int, int], float]) -> Callable[..., float]:
    return lambda step, steps, rate=RATE: rate * share(step, steps)


def _level(share: float) -> Callable[..., float]:
    return _falls(lambda i, n: share)


def _power(factor: float) -> Callable[..., float]:
    return _always(lambda i, n: factor**i)


def _power_after(factor: float) -> Callable[..., float]:
    return _falls(lambda i, n: factor ** (i - n / 2))


def _line(step: float, steps: float) -> float:
    return (steps - step) / (steps / 2)


def _cut(share: float) -> float:
    return min(1.0, max(0.0, share))


MISTAKES = (
    Mistake("The rate never falls. What happens after half of the steps?", _always(lambda i, n: 1.0)),
    Mistake(
        "It falls from the first step on. What should it do in the first half?",
        _always(lambda i, n: (n - i) / n),
        _always(lambda i, n: 1 - i / max(1, n - 1)),
        _always(lambda i, n: (n - i - 1) / n),
    ),
    Mistake(
        "It is at 0 after the first half. In which half is it constant?",
        _always(lambda i, n: _cut(1 - 2 * i / n)),
        _always(lambda i, n: 1 - 2 * i / n if i < n / 2 else 0.0),
    ),
    Mistake(
        "The two halves have changed places. Which one is constant?",
        _always(lambda i, n: 1 - 2 * i / n if i < n / 2 else 1.0),
        _always(lambda i, n: _line(i, n) if i < n / 2 else 1.0),
        _always(lambda i, n: 1 - i / n if i < n / 2 else 1.0),
    ),
    Mistake(
        "It jumps at the half: the line there is that of a rate which has fallen from the first step on. Where should "
        "the line begin?",
        _falls(lambda i, n: (n - i) / n),
        _falls(lambda i, n: 1 - i / n),
    ),
    Mistake(
        "It jumps to another rate at the half and stays there. Where is the line?",
        *map(_level, (0.0, 0.1, 0.5, 0.01)),
    ),
    Mistake(
        "The line is one step early. It would reach 0 at step `steps`, one after the last: is there a `- 1` or a `+ 1` "
        "too many?",
        _falls(lambda i, n: (n - i - 1) / (n - n / 2)),
        _falls(lambda i, n: (n - 1 - i) / (n - 1 - n / 2) if n - 1 - n / 2 else math.nan),
        lambda i, n, rate=RATE: learning_rate_at(i + 1, n, rate),
        _always(lambda i, n: 1.0 if i < n // 2 else (n - 1 - i) / (n - n // 2)),
        _always(lambda i, n: 1.0 if i < n / 2 else (n - 1 - i) / (n / 2)),
    ),
    Mistake(
        "The line is one step late. Steps count from 0: is there a `+ 1` or a `- 1` too many?",
        _falls(lambda i, n: (n - i + 1) / (n - n / 2)),
        lambda i, n, rate=RATE: learning_rate_at(max(0, i - 1), n, rate),
        _falls(lambda i, n: (n - i) / (n - n / 2 - 1) if n - n / 2 - 1 else math.nan),
        _falls(lambda i, n: (n - i) / (n - n / 2 + 1)),
    ),
    Mistake(
        "It is right where `steps` is even. Half of an odd number is no whole one: is `/` meant in place of `//`?",
        _falls(lambda i, n: (n - i) / (n - n // 2), lambda n: n // 2),
        _falls(lambda i, n: (n - i) / (n - n // 2)),
        _falls(lambda i, n: (n - i) / (n // 2) if n // 2 else math.nan, lambda n: n // 2),
        _falls(lambda i, n: (n - i) / (n // 2) if n // 2 else math.nan),
        _falls(lambda i, n: 1 - (i - n // 2) / (n // 2) if n // 2 else math.nan, lambda n: n // 2),
        _falls(lambda i, n: 1 - (i - n // 2) / (n - n // 2), lambda n: n // 2),
        _falls(lambda i, n: _line(i, n), lambda n: n // 2),
        _falls(lambda i, n: 1 - (i - n // 2) / (n / 2), lambda n: n // 2),
        _falls(lambda i, n: _line(i, n), lambda n: -(-n // 2) + 1),
        _falls(lambda i, n: (n - i) / (n - round(n / 2)) if n - round(n / 2) else math.nan, lambda n: round(n / 2)),
    ),
    Mistake(
        "The share of the rate is rounded down to a whole number. Is `/` meant in place of `//`?",
        _falls(lambda i, n: (n - i) // (n - n / 2)),
        _falls(lambda i, n: (n - i) // (n - n // 2), lambda n: n // 2),
    ),
    Mistake(
        "It falls in a cosine. Is a straight line meant?",
        _always(lambda i, n: 0.5 * (1 + math.cos(math.pi * i / n))),
        _always(lambda i, n: 0.5 * (1 + math.cos(math.pi * i / max(1, n - 1)))),
        _falls(lambda i, n: 0.5 * (1 + math.cos(math.pi * (i - n / 2) / (n / 2)))),
        _falls(lambda i, n: math.cos(math.pi / 2 * (i - n / 2) / (n / 2))),
    ),
    Mistake(
        "It falls by the same factor at each step. Is a straight line meant?",
        *map(_power_after, (0.9, 0.95, 0.99)),
        *map(_power, (0.9, 0.95, 0.99, 0.999)),
    ),
    Mistake(
        "It rises. Does it count the steps that are done, or those that are to come?",
        _falls(lambda i, n: i / (n / 2)),
        _falls(lambda i, n: (i - n / 2) / (n / 2)),
        _falls(lambda i, n: 1 + (i - n / 2) / (n / 2)),
        _always(lambda i, n: i / n),
    ),
    Mistake(
        "It falls below 0, and training would go uphill. Where should the line end?",
        _falls(lambda i, n: 1 - (i - n / 2) / (n / 4)),
        _falls(lambda i, n: 1 - i / (n / 2)),
        _always(lambda i, n: 1 - 2 * i / n),
        _falls(lambda i, n: (n / 2 - i) / (n / 2)),
    ),
    Mistake(
        "This is the paper's run: 100 epochs, and 100 more. Where does `steps` come in?",
        _always(lambda i, n: 1.0 if i < 100 else (200 - i) / 100),
        _always(lambda i, n: 1 - max(0, i - 100) / 100),
        _always(lambda i, n: 1 - max(0, i - 100) / 101),
    ),
    Mistake(
        "This is the share of the rate, from 1 to 0. Where does `rate` come in?",
        lambda i, n, rate=RATE: learning_rate_at(i, n, 1.0),
    ),
    Mistake(
        "The rate is always 0.0002. Where does `rate` come in?", lambda i, n, rate=RATE: learning_rate_at(i, n, RATE)
    ),
)


# --- the check --------------------------------------------------------------------------------------


def check_schedule(t: Trial) -> None:
    """Every step of even and odd runs, of one step and of one as long as the paper's; then the default rate."""
    low, high = 1e-3, round(float(t.uniform(1, low=0.2, high=0.9)), 3)
    runs = [(10, low), (7, high), (1, low), (2, high), (2 * t.integer(4, 8) + 1, low)]
    cases = [(step, steps, rate) for steps, rate in runs for step in range(steps)]
    cases += [(step, 400, high) for step in (0, 99, 101, 150, 199, 200, 201, 300, 399)]
    cases.append((399, 400, low))  # a rate that is small, and not 0
    came = _called(t, cases)
    for case, value in zip(cases, came, strict=True):
        if isinstance(value, Stop):
            value.cause = value.cause or _cause(came, cases)
            raise value
        if not _near(value, learning_rate_at(*case)):
            _wrong(t, case, value, _cause(came, cases))
    t.right("with `rate` given it is right")
    _default(t, [(step, 10) for step in range(10)])


def _called(t: Trial, cases: Sequence[tuple[Any, ...]]) -> list[Any]:
    """What came of each call; of one that raised, how that ended the trial."""
    came: list[Any] = []
    for case in cases:
        try:
            came.append(_plain(t.call(*case)))
        except Stop as stop:
            if stop.status is not Status.CRASHED:
                raise
            came.append(stop)
    return came


def _plain(value: Any) -> Any:
    """A float for whatever is one number, else what it is."""
    if isinstance(value, bool):
        return value
    if isinstance(value, Tensor):
        return float(value) if value.dim() == 0 else value
    return float(value) if isinstance(value, int | float) or type(value).__module__ == "numpy" else value


def _near(value: Any, expected: float) -> bool:
    return isinstance(value, float) and math.isclose(value, expected, rel_tol=1e-6, abs_tol=1e-12)


def _cause(came: list[Any], cases: list[tuple[Any, ...]]) -> str | None:
    """The one mistake that gives what the answer gives everywhere; a crash is as good as no number."""
    causes = {
        mistake.cause
        for mistake in MISTAKES
        for like in mistake.like
        if all(_as(value, like(*case)) for value, case in zip(came, cases, strict=True))
    }
    return causes.pop() if len(causes) == 1 else None


def _as(value: Any, expected: float) -> bool:
    if math.isnan(expected):
        return isinstance(value, Stop) or (isinstance(value, float) and math.isnan(value))
    return _near(value, expected)


def _wrong(t: Trial, case: tuple[Any, ...], value: Any, cause: str | None) -> None:
    call = f"`learning_rate_at({', '.join(map(str, case))})`"
    said = f"{value:.6g}" if isinstance(value, float) else describe(value)
    t.wrong(f"{call} gave {said}; expected was {learning_rate_at(*case):.6g}", cause)


def _default(t: Trial, cases: list[tuple[Any, ...]]) -> None:
    """Without a rate."""
    for case in cases:
        try:
            value = _plain(t.call(*case))
        except Stop as stop:
            if stop.status is Status.CRASHED and "'rate'" in stop.message:
                stop.cause = "Here it is called without `rate`. Has it a default, 2e-4?"
            raise
        if not _near(value, learning_rate_at(*case)):
            ratio = value / learning_rate_at(*case) if isinstance(value, float) else math.nan
            taken = f"{ratio * RATE:.6g}" if math.isfinite(ratio) else "another one"
            _wrong(t, case, value, f"Without `rate`, the rate is {taken}. Is its default 0.0002?")
