"""What is wrong with a training step, and its cause: emptied gradients, `backward`, `step`, and what reaches whom."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from p2plib.checks import loss_exam
from p2plib.checks.loss_exam import CUT, NO_GRAD, Task, what_was_shown
from p2plib.checks.shown import ONE_TENSOR
from p2plib.checks.step_replay import all_near, empty, grads, held, value_and_slopes, without_held
from p2plib.checks.step_witness import Drawing, Slopes, StepScene, StepSeen, prepare
from p2plib.checks.trial import Trial
from p2plib.checks.witness import Call, Scene, Seen, near


@dataclass(frozen=True)
class Expected:
    """What a step should give for one output.

    Args:
        drawing: the output.
        value: the loss.
        slopes: the gradients of the step.
    """

    drawing: Drawing
    value: Tensor
    slopes: Slopes


@dataclass(frozen=True)
class StepTask:
    """One training step that is asked for.

    Args:
        whose: who learns, "D's" or "the generator's".
        learns: "discriminator" or "generator".
        loss: the loss that is stepped on, with its known mistakes.
        kept: ends the trial if the other network is not what it was.
        cut: cause where the gradients are wrong and all was shown as it should be; None where it is not certain.
        split: what is expected where D is given one output and L1 another; None where there is but one.
    """

    whose: str
    learns: str
    loss: Task
    kept: Callable[[Trial, StepSeen], None]
    cut: Callable[[StepSeen, Expected, Slopes], tuple[str, str] | None]
    split: Callable[[StepScene, Drawing, Drawing], Expected] | None = None


LEFTOVER = "What was in `.grad` before is added to this step's gradients. Is there a `zero_grad()` before `backward()`?"
LATE = (
    "The gradients are emptied after the step only, so what was in `.grad` before it counts, too. Is there a "
    "`zero_grad()` before `backward()`?"
)
OTHER_EMPTIED = "The other network's gradients are emptied. Whose does this step add to?"
BETWEEN = (
    "`zero_grad()` comes between `backward()` and `step()`, and throws away what was worked out. Which comes first?"
)
EARLY = "`step()` comes before `backward()`, with whatever `.grad` held by then. Which comes first?"
NO_BACKWARD = "Where is `backward()`?"
NO_STEP = "Where is `optimizer.step()`?"
NEITHER = "Where are `backward()` and `optimizer.step()`?"
BY_HAND = "Is there another optimizer, or an update by hand? The one that comes in keeps Adam's averages."
TWICE = "One step is for the whole loss. Where does the other `step()` come from?"
#: How the cause begins where D learns from one pair only; in a step that has more than one reason.
ONE_PASS = "Nothing comes back to D from the "
ONE_TERM = "{}. Is its map cut off, by `no_grad()` or `detach()`, or does `backward()` begin at the other term only?"
EMPTIED_BETWEEN = (
    "`zero_grad()` comes between two calls of `backward()`, and throws away what the first gave. Does it belong before "
    "both?"
)
TOO_MANY = "The gradients are twice what they should be: is there a `backward()` too many?"
DREW_BLIND = (
    "The generator drew under `torch.no_grad()`, so its output does not know how it was made. Is that left over from "
    "D's step?"
)

CRASHES = {
    **loss_exam.CRASHES,
    "NotedDiscriminator.forward() takes 2 positional arguments but": ONE_TENSOR,
    "SmallGenerator.forward() takes 2 positional arguments but": "The generator takes one tensor, the input.",
    "'float' object has no attribute 'backward'": "`.item()` gives a plain number, which has no way back. Is it taken "
    "before `backward()`?",
    "'NoneType' object has no attribute 'backward'": "The loss is `None`. Does the function that works it out return "
    "it?",
    "'tuple' object has no attribute 'backward'": "The loss is a tuple. Which part of it is the one to step on?",
    "grad can be implicitly created only for scalar outputs": "`backward()` begins at one number. Is a `mean` missing "
    "in the loss?",
    "Inference tensors cannot be saved for backward": "A picture drawn under `inference_mode()` cannot be judged with "
    "a gradient. Is `no_grad()` meant?",
    "backward through the graph a second time": "`backward()` goes through the same graph twice. Where is the other "
    "one?",
}


def as_tensor(value: Any) -> Any:
    """Plain numbers as tensors, and tensors cut off, for comparing."""
    if isinstance(value, Tensor):
        return value.detach()
    plain = (isinstance(value, float | int) and not isinstance(value, bool)) or type(value).__module__ == "numpy"
    return torch.as_tensor(value, dtype=torch.float32) if plain else value


# --- the step ---------------------------------------------------------------------------------------


def judge_step(
    t: Trial, task: StepTask, seen: StepSeen, expected: Expected, value_right: bool, others: Sequence[StepScene]
) -> None:
    """End the trial unless there was one step, with the right gradients."""
    if not seen.steps:
        _no_step(t, task, seen)
    slopes, kinds = seen.steps[0].slopes, seen.kinds()
    at = kinds.index("step")
    if (empty(slopes) or held(slopes)) and "back" not in kinds[:at]:
        late = "back" in kinds
        t.wrong("at the optimizer's step no gradient of this loss was there", EARLY if late else NO_BACKWARD)
    if empty(slopes) and "emptied" in kinds[kinds.index("back") : at]:
        t.wrong("at the optimizer's step there was no gradient any more", BETWEEN)
    if len(seen.steps) > 1:
        t.wrong(f"the optimizer took {len(seen.steps)} steps; expected was one", TWICE)
    if all_near(slopes, expected.slopes):
        return
    if all_near(without_held(slopes), expected.slopes):
        cause = LATE if "emptied" in kinds[at:] else OTHER_EMPTIED if "other emptied" in kinds[:at] else LEFTOVER
        t.wrong("the gradients of the step are not: there is more in them than this loss gives", cause)
    _wrong_slopes(t, task, seen, expected, value_right, others)


def _no_step(t: Trial, task: StepTask, seen: StepSeen) -> None:
    pairs = zip(seen.learner().parameters(), seen.scene.learner().parameters(), strict=True)
    if not all(torch.equal(a, b) for a, b in pairs):
        t.wrong(f"`optimizer` took no step, and {task.whose} weights are others all the same", BY_HAND)
    # D's logits are gone through by the generator's loss as well; L1 alone would pass them by.
    went_back = "back" in seen.kinds() or not (held(grads(seen.learner())) or empty(grads(seen.learner())))
    t.wrong(f"{task.whose} weights are what they were: the optimizer took no step", NO_STEP if went_back else NEITHER)


def _wrong_slopes(
    t: Trial, task: StepTask, seen: StepSeen, expected: Expected, value_right: bool, others: Sequence[StepScene]
) -> None:
    said = "the gradients of the step are not" if value_right else "the step is made on another loss than was asked for"
    other = finding(task, seen, expected)
    if other:
        t.wrong(f"{said}; {other[0]}", other[1])
    slopes = seen.steps[0].slopes
    for came in (slopes, without_held(slopes)):
        cut = task.cut(seen, expected, came) if value_right else None
        if cut:
            t.wrong(f"{said}: {cut[0]}", cut[1])
    cause = TOO_MANY if _gone_twice(seen, expected) else form_cause(t, task, others)
    if cause is None and value_right:
        cause = form_cause(t, task, others, value=False)
    if value_right and cause and cause.startswith(ONE_PASS) and all(call.recorded for call in seen.calls):
        cause = EMPTIED_BETWEEN if _emptied_between(seen) else ONE_TERM.format(cause.split(". ")[0])
    if cause is None and not value_right:
        value, pictures = as_tensor(seen.value), seen.scene.with_output(expected.drawing)
        cause = task.loss.extra(pictures, value) if isinstance(value, Tensor) and not value.dim() else None
    t.wrong(said if value_right else f"{said}{_how_much(seen, expected)}", cause)


def _emptied_between(seen: StepSeen) -> bool:
    """Were the gradients emptied after one way back and before another?"""
    kinds = seen.kinds()
    first, last = kinds.index("back"), len(kinds) - kinds[::-1].index("back")
    return "emptied" in kinds[first:last]


def _gone_twice(seen: StepSeen, expected: Expected) -> bool:
    """Twice the right gradients, and one pass of D that was gone back through twice."""
    back = [event.number for event in seen.events if event.kind == "back"]
    twice = tuple(None if slope is None else 2 * slope for slope in expected.slopes)
    return len(back) > len(set(back)) and all_near(seen.steps[0].slopes, twice)


def _how_much(seen: StepSeen, expected: Expected) -> str:
    value = as_tensor(seen.value)
    if not isinstance(value, Tensor) or value.dim():
        return ""
    return f": {value.item():.4g} is returned; expected was {expected.value.item():.4g}"


def finding(task: StepTask, seen: StepSeen, expected: Expected) -> tuple[str, str | None] | None:
    """Fact and question, where D was not shown what it should be."""
    pictures = seen.scene.with_output(expected.drawing)
    return what_was_shown(task.loss, pictures, _as_seen(task, seen, pictures))


def _as_seen(task: StepTask, seen: StepSeen, pictures: Scene) -> Seen:
    """As the exam of a loss has it, without passes that were made for something else."""
    back = seen.went_back()
    used = [call for i, call in enumerate(seen.calls) if i in back or not call.recorded]
    if used and what_was_shown(task.loss, pictures, _with_calls(pictures, used)) is None:
        return _with_calls(pictures, used)
    return _with_calls(pictures, seen.calls)


def _with_calls(pictures: Scene, calls: Sequence[Call]) -> Seen:
    noted: Any = SimpleNamespace(calls=list(calls))
    return Seen(pictures, noted, pictures.output, pictures.output, ())


def why_cut(seen: StepSeen) -> str:
    """The question where nothing comes back through D."""
    return NO_GRAD if not all(call.recorded for call in seen.calls) else CUT


# --- known mistakes ---------------------------------------------------------------------------------


def form_cause(
    t: Trial, task: StepTask, scenes: Sequence[StepScene], *, value: bool = True, slopes: bool = True
) -> str | None:
    """The cause of the one mistake that gives what the answer gives, loss and step or one of them, in all scenes."""
    came = _seen_in(t, scenes)
    if came is None:
        return None
    causes = {
        mistake.cause
        for mistake in (*task.loss.mistakes, *task.loss.uneven)
        for like in mistake.like
        if all(_alike(seen, like, value, slopes) for seen in came)
    }
    return causes.pop() if len(causes) == 1 else None


def _alike(seen: StepSeen, like: Callable[..., Tensor], value: bool, slopes: bool) -> bool:
    if not seen.drawings:
        return False
    expected, gradients = value_and_slopes(seen.scene, seen.drawings[-1], like)
    if value and not near(as_tensor(seen.value), expected):
        return False
    if not slopes or expected.isnan().any():
        return True
    came = seen.steps[0].slopes if seen.steps else grads(seen.learner())
    return all_near(came, gradients) or all_near(without_held(came), gradients)


def _seen_in(t: Trial, scenes: Sequence[StepScene]) -> list[StepSeen] | None:
    """The answer called in each scene; None if it does not return from one."""
    found = []
    for s in scenes:
        seen = prepare(s)
        ran = t.attempt(t.answers[0], *seen.arguments, names=t.exercise.parts[0].parameters)
        if ran.error is not None or ran.too_slow:
            return None
        seen.value = ran.value
        found.append(seen)
    return found


# --- crashes ----------------------------------------------------------------------------------------


def crash_cause(t: Trial, task: StepTask, seen: StepSeen, message: str, others: Sequence[StepScene]) -> str | None:
    """Why an answer stopped: from the words of the error where they can mean one thing only, or from what was seen."""
    kinds = seen.kinds()
    if "does not require grad" in message:
        return _why_no_way_back(seen)
    if "modified by an inplace operation" in message and "step" in kinds and "back" not in kinds[: kinds.index("step")]:
        return EARLY
    cause = next((cause for words, cause in CRASHES.items() if words in message), None)
    return cause or _elsewhere(t, task, others)


def _why_no_way_back(seen: StepSeen) -> str | None:
    if seen.calls and not any(call.recorded for call in seen.calls):
        return NO_GRAD
    if seen.scene.learns == "generator" and seen.drawings and not any(d.recorded for d in seen.drawings):
        return DREW_BLIND
    return CUT if seen.calls and all(call.logits.requires_grad for call in seen.calls) else None


def _elsewhere(t: Trial, task: StepTask, others: Sequence[StepScene]) -> str | None:
    """The cause that shows where all pictures have the same channels, for an answer that stops where they have not."""
    came = _seen_in(t, others[:1])
    if not came or not came[0].drawings:
        return None
    seen = came[0]
    expected = Expected(seen.drawings[-1], *value_and_slopes(seen.scene, seen.drawings[-1], task.loss.ours))
    if near(as_tensor(seen.value), expected.value):
        return None
    other = finding(task, seen, expected)
    return other[1] if other else form_cause(t, task, others)
