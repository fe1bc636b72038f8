"""An adversarial loss judged by what it does: what D is shown, the value, the gradients, and what is left behind."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from p2plib.checks import shown
from p2plib.checks.compare import describe, number, shape
from p2plib.checks.outcome import Status
from p2plib.checks.trial import Mistake, Stop, Trial
from p2plib.checks.witness import HELD, Scene, Seen, alike, differentiate, look, matters, near, prepare

NO_GRAD = "D judged under `torch.no_grad()`. Does that belong there?"
CUT = "Is the loss cut off on its way out, by `detach()`, `.data` or `torch.tensor(…)`?"
EVAL = "D was in eval mode when it judged. Is there a `discriminator.eval()`?"
BACKWARD = "The function returns the loss; `backward()` is for the training step that calls it. Is there one in it?"
STEP = "The function only measures. Is there an optimiser's `step()` in it?"
EMPTIED = "Emptying gradients is for the training step that calls the function. Is there a `zero_grad()` in it?"
IN_PLACE = "`detach_()` cuts off the tensor of whoever called. Is `detach()` meant?"
PROBABILITIES = "It takes probabilities, and D gives logits. Is `binary_cross_entropy_with_logits` meant?"
LABELS = "Each place of D's map needs a label: `torch.ones_like(…)` of the map has its shape."

CRASHES = {
    **shown.CRASHES,
    "all elements of input should be between 0 and 1": PROBABILITIES,
    "must be the same as input size": LABELS,
    "different to the input size": LABELS,
}


@dataclass(frozen=True)
class Task:
    """One loss that is asked for.

    Args:
        ours: the right one.
        passes: the stacks that D should be shown.
        lacking: the question, from the names of what D was shown, where all are among `passes` but not all came.
        mistakes: known ones; `uneven` are those that need an input with as many channels as the picture.
        gradient: ends the trial if the gradients are wrong; is given what came and what is right.
        slopes: the gradients that a known mistake has to share, of the one at the output and those at D's parameters.
            The others may be wrong, or lacking, for reasons of their own.
        extra: looks for a cause where a value is wrong and none was found.
    """

    ours: Callable[..., Tensor]
    passes: tuple[str, ...]
    lacking: Callable[[Sequence[str | None]], str]
    mistakes: tuple[Mistake, ...]
    uneven: tuple[Mistake, ...]
    gradient: Callable[[Trial, Task, Scene, Seen, Seen, Sequence[Scene]], None]
    slopes: slice
    extra: Callable[[Scene, Tensor], str | None] = lambda s, value: None


def examine(t: Trial, task: Task, s: Scene, others: Sequence[Scene]) -> None:
    """Call the answer in one scene and end the trial at the first thing that is wrong.

    Args:
        others: scenes in which input and picture have equal channels, for looking for a cause.
    """
    said = list(t.said)
    seen, right = _called(t, task, s, others), look(s, task.ours)
    value_right = near(_as_tensor(seen.value), right.value)
    if value_right:
        t.right("the value is right")
    _kept(t, seen)
    if not value_right:
        _wrong_value(t, task, s, seen, right, others)
    if not isinstance(seen.value, Tensor):
        t.wrong(
            f"it is a plain number, {type(seen.value).__name__}; expected was a tensor of shape (), with a gradient",
            "Is there an `.item()` or a `float(…)`?",
        )
    differentiate(t, seen)
    task.gradient(t, task, s, seen, right, others)
    if len(seen.calls) > len(task.passes):
        t.advise(
            f"D made {len(seen.calls)} passes where {len(task.passes)} would do: each one costs time, and moves the "
            "running statistics of batch norm."
        )
    t.said[:] = said


def _called(t: Trial, task: Task, s: Scene, others: Sequence[Scene]) -> Seen:
    """Call; name the cause of a crash where it is certain."""
    seen = prepare(s)
    try:
        seen.value = t.call(*seen.arguments)
    except Stop as stop:
        if stop.status is Status.CRASHED and stop.cause is None:
            cause = next((cause for words, cause in CRASHES.items() if words in stop.message), None)
            stop.cause = cause or _elsewhere(t, task, others)
        raise
    return seen


def _elsewhere(t: Trial, task: Task, others: Sequence[Scene]) -> str | None:
    """The cause that shows where all pictures have the same channels, for an answer that stops where they have not."""
    again = _seen_in(t, others)
    if again is None or near(again[0].value, look(others[0], task.ours).value):
        return None
    finding = what_was_shown(task, others[0], again[0])
    return finding[1] if finding else form_cause(t, task, others)


def _as_tensor(value: Any) -> Any:
    """Plain numbers as tensors, for comparing."""
    plain = isinstance(value, float | int) or type(value).__module__ == "numpy"
    return torch.as_tensor(value, dtype=torch.float32) if plain else value


def _kept(t: Trial, seen: Seen) -> None:
    """D and the output are what they were before the call, but for running statistics."""
    d = seen.discriminator
    pairs = list(zip(d.parameters(), seen.scene.discriminator.parameters(), strict=True))
    t.require(all(torch.equal(a, b) for a, b in pairs), "D's parameters are others after the call", STEP)
    grads = [p.grad for p in d.parameters()]
    emptied = all(g is None or not g.any() for g in grads)
    kept = all(g is not None and bool((g == HELD).all()) for g in grads)
    found = "what D's parameters held as `.grad` is gone" if emptied else "D's parameters have another `.grad`"
    t.require(kept, f"{found} after the call", EMPTIED if emptied else BACKWARD)
    t.require(seen.drawn.grad is None, "the output has a `.grad` after the call", BACKWARD)
    t.require(d.training, "D is left in eval mode", "Is there a `discriminator.eval()`?")
    t.require(
        all(p.requires_grad for p in d.parameters()),
        "`requires_grad` of D's parameters is off after the call: D would learn nothing from then on",
        "Where is it switched on again?",
    )
    t.require(seen.output.requires_grad, "the output is cut off from the generator after the call", IN_PLACE)


# --- the value --------------------------------------------------------------------------------------


def _wrong_value(t: Trial, task: Task, s: Scene, seen: Seen, right: Seen, others: Sequence[Scene]) -> None:
    finding = what_was_shown(task, s, seen)
    if finding:
        t.wrong(f"{_how_much(s, seen.value, right.value)}; {finding[0]}", finding[1])
    cause = form_cause(t, task, others)
    if cause is None and isinstance(seen.value, Tensor) and not seen.value.dim():
        cause = task.extra(s, seen.value.detach())
    t.wrong(_how_much(s, seen.value, right.value), cause)


def _how_much(s: Scene, value: Any, right: Tensor) -> str:
    where = f"for an input of shape {shape(s.input)} and pictures of {shape(s.target)}"
    plain = _as_tensor(value)
    if not isinstance(plain, Tensor):
        return f"{describe(value)} came; expected was one tensor of shape ()"
    if plain.shape != right.shape:
        return f"the loss has shape {shape(plain)}; expected was (), one number"
    return f"{where} the loss is {number(plain.item())}; expected was {number(right.item())}"


def what_was_shown(task: Task, s: Scene, seen: Seen) -> tuple[str, str | None] | None:
    """Fact and question, where D was not shown what it should be."""
    if not seen.calls:
        return "D was never asked", "Where does `discriminator` come in?"
    if not all(call.training for call in seen.calls):
        return "D judged in eval mode", EVAL
    names = shown.names(s, seen)
    if None in names:
        return None
    whole = set(task.passes) <= set(names)
    # Where all is there that should be, another pass matters only if the loss is seen to depend on it.
    counting = [name for name, call in zip(names, seen.calls, strict=True)
                if not whole or (call.recorded and matters(seen, call))]  # fmt: skip
    other = [name for name in counting if name not in task.passes]
    if whole and not other:
        return None
    fact = f"D was shown {shown.listed(names)}; expected was {' and '.join(task.passes)}"
    asked = {shown.question(s, str(name)) for name in other} - {None}
    return fact, (asked.pop() if len(asked) == 1 else None) if asked else task.lacking(names)


def form_cause(t: Trial, task: Task, scenes: Sequence[Scene]) -> str | None:
    """The cause of the one mistake that gives what the answer gives, value and gradient, in all these scenes."""
    came = _seen_in(t, scenes)
    if came is None:
        return None
    causes = {
        mistake.cause
        for mistake in (*task.mistakes, *task.uneven)
        for like in mistake.like
        if all(alike(seen, look(s, like), task.slopes) for s, seen in zip(scenes, came, strict=True))
    }
    return causes.pop() if len(causes) == 1 else None


def _seen_in(t: Trial, scenes: Sequence[Scene]) -> list[Seen] | None:
    """The answer called in each scene; None if it does not return from one."""
    found = []
    for s in scenes:
        seen = prepare(s)
        ran = t.attempt(t.answers[0], *seen.arguments, names=t.exercise.parts[0].parameters)
        if ran.error is not None or ran.too_slow:
            return None
        seen.value = _as_tensor(ran.value)
        differentiate(t, seen)
        found.append(seen)
    return found


# --- the rest ---------------------------------------------------------------------------------------


def why_cut(seen: Seen) -> str | None:
    """The question where nothing comes back through D."""
    return NO_GRAD if not all(call.recorded for call in seen.calls) else CUT


def sure(t: Trial, task: Task, s: Scene) -> None:
    """Advise against a loss that overflows where D is very sure; as mathematics it is right."""
    seen = prepare(s)
    ran = t.attempt(t.answers[0], *seen.arguments, names=t.exercise.parts[0].parameters)
    right = look(s, task.ours).value.detach()
    if not isinstance(ran.value, Tensor) or ran.value.shape != right.shape:
        return
    if not abs(float(ran.value.detach()) - float(right)) <= 1e-3 * abs(float(right)):
        t.advise(
            f"Where D is very sure, with logits far from 0, this gives {number(ran.value.item())}; exact is "
            f"{number(right.item())}. `binary_cross_entropy_with_logits` takes sigmoid and log in one step."
        )
