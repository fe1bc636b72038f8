"""A training step judged by what it does: what is drawn and judged, the loss, the one step, and what is left behind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from p2plib.checks import step_faults
from p2plib.checks.compare import describe, number, shape
from p2plib.checks.outcome import Status
from p2plib.checks.step_faults import Expected, StepTask
from p2plib.checks.step_replay import all_near, grads, held, pairings, stepped, value_and_slopes
from p2plib.checks.step_witness import Drawing, StepScene, StepSeen, made_optimizer, prepare
from p2plib.checks.trial import Stop, Trial
from p2plib.checks.witness import near

Others = Sequence[StepScene]

NEVER_DREW = "Where does `generator` come in? The output is made from `input` here."
DREW_FROM = "The generator was given `target`, which is what it should come near. What does it draw from?"
DREW_IN_EVAL = "Is there a `generator.eval()`? The step is made on what the generator draws in training."
GRAPH = (
    "The loss that is returned still holds on to its graph. `loss.detach()`, or `loss.item()`, lets go of it: a list "
    "of such losses would fill the memory."
)


def examine(t: Trial, task: StepTask, s: StepScene, others: Others) -> None:
    """Call the answer in one scene and end the trial at the first thing that is wrong.

    Args:
        others: scenes in which input and picture have equal channels, for looking for a cause.
    """
    said = list(t.said)
    seen = _called(t, task, s, others)
    _drawn(t, seen)
    expected, other = _expected(task, seen)
    value_right = near(step_faults.as_tensor(seen.value), expected.value)
    if value_right:
        t.right("the loss that is returned is right")
    step_faults.judge_step(t, task, seen, expected, value_right, others)
    t.right(f"{task.whose} step is right")
    if not value_right:
        _wrong_value(t, task, seen, expected, others)
    _weights(t, task, seen, expected)
    task.kept(t, seen)
    _kept(t, task, seen)
    _advise(t, seen, other)
    t.said[:] = said


def _called(t: Trial, task: StepTask, s: StepScene, others: Others) -> StepSeen:
    """Call; name the cause of a crash where it is certain."""
    seen = prepare(s)
    part = t.exercise.parts[0]
    ran = t.attempt(t.answers[0], *seen.arguments, names=part.parameters)
    try:
        t.require_return(ran, f"`{part.name}`", seen.arguments[3:])
    except Stop as stop:
        if stop.status is Status.CRASHED and stop.cause is None:
            stop.cause = step_faults.crash_cause(t, task, seen, stop.message, others)
        raise
    seen.value = ran.value
    for i, (mine, came) in enumerate(((s.pictures.input, seen.arguments[3]), (s.pictures.target, seen.arguments[4]))):
        t.require_unchanged((mine,), (came,), (part.parameters[3 + i],))
    return seen


def _drawn(t: Trial, seen: StepSeen) -> None:
    """The generator made its output from the input, as it came."""
    t.require(bool(seen.drawings), "the generator was never asked for an output", NEVER_DREW)
    pictures = seen.scene.pictures
    if not any(_same(drawing.shown, pictures.input) for drawing in seen.drawings):
        of_target = all(_same(drawing.shown, pictures.target) for drawing in seen.drawings)
        came = f"it was given {describe(seen.drawings[-1].shown)}"
        t.wrong(f"the generator did not see `input`: {came}", DREW_FROM if of_target else None)
    t.require(all(d.training for d in seen.drawings), "the generator drew in eval mode", DREW_IN_EVAL)


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and torch.equal(a, b)


def _expected(task: StepTask, seen: StepSeen) -> tuple[Expected, bool]:
    """What this step should give for the output that it drew, and whether L1 and D were given different ones."""
    drawings = [d for d in seen.drawings if _same(d.shown, seen.scene.pictures.input)]
    found = []
    for a, b in pairings(drawings):
        if a is not b and task.split is None:
            continue
        expected = expect(task, seen.scene, a) if a is b or task.split is None else task.split(seen.scene, a, b)
        if len(seen.steps) and all_near(seen.steps[0].slopes, expected.slopes):
            return expected, a is not b
        found.append(expected)
    right = [e for e in found if near(step_faults.as_tensor(seen.value), e.value)]
    return (right or found)[0], False


def expect(task: StepTask, s: StepScene, drawing: Drawing) -> Expected:
    """The loss of this output, and its gradients."""
    return Expected(drawing, *value_and_slopes(s, drawing, task.loss.ours))


# --- the loss that is returned ----------------------------------------------------------------------


def _wrong_value(t: Trial, task: StepTask, seen: StepSeen, expected: Expected, others: Others) -> None:
    value = step_faults.as_tensor(seen.value)
    if not isinstance(value, Tensor):
        t.wrong(f"{describe(value)} is returned; expected was the loss, one number")
    if value.shape != expected.value.shape:
        t.wrong(f"what is returned has shape {shape(value)}; expected was (), one number")
    other = step_faults.finding(task, seen, expected)
    if other:
        t.wrong(f"the loss that is returned is not; {other[0]}", other[1])
    cause = step_faults.form_cause(t, task, others, slopes=False)
    if cause is None and _is_of_after(task, seen, expected, value):
        cause = f"This is the loss after the step. Is it worked out again, with {task.whose} new weights?"
    came, right = number(value.item()), number(expected.value.item())
    t.wrong(f"the loss that is returned is {came}; expected was {right}", cause)


def _is_of_after(task: StepTask, seen: StepSeen, expected: Expected, value: Tensor) -> bool:
    s = seen.scene
    pictures = s.with_output(expected.drawing)
    if s.learns == "generator":
        return False  # another output would have been drawn
    with torch.no_grad():
        after = task.loss.ours(seen.discriminator, pictures.input, pictures.target, pictures.output, *s.more)
    return near(value, after)


# --- what is left behind ----------------------------------------------------------------------------


def _weights(t: Trial, task: StepTask, seen: StepSeen, expected: Expected) -> None:
    """The step's gradients are right: so are the weights, unless something else has a hand in them."""
    before = [p.detach() for p in seen.scene.learner().parameters()]
    wanted, came = stepped(seen.scene, expected.slopes), [p.detach() for p in seen.learner().parameters()]
    moved = sum(float((a - b).norm()) for a, b in zip(wanted, before, strict=True))
    apart = sum(float((a - b).norm()) for a, b in zip(wanted, came, strict=True))
    # Adam divides by the size of a gradient: one that is all but 0 may go either way.
    t.require(
        apart <= (0.05 if seen.scene.adam else 1e-3) * moved,
        f"{task.whose} weights are not what the optimizer's step makes of them",
        "What else changes them?",
    )


def unmoved(t: Trial, seen: StepSeen, learns: str, who: str, whose: str) -> None:
    """End the trial unless the other network has the weights that it came with."""
    now, before = (
        (seen.generator, seen.scene.generator)
        if learns == "generator"
        else (seen.discriminator, seen.scene.pictures.discriminator)
    )
    same = all(torch.equal(a, b) for a, b in zip(now.parameters(), before.parameters(), strict=True))
    question = f"In this step only {whose} weights move. What else is stepped?"
    t.require(same, f"{who} has other weights after the call", question)


def _kept(t: Trial, task: StepTask, seen: StepSeen) -> None:
    """Modes and `requires_grad` are what they were."""
    for net, who, name in ((seen.discriminator, "D", "discriminator"), (seen.generator, "the generator", "generator")):
        modes = [module.training for module in net.modules()]
        t.require(all(modes), f"{who} is left in eval mode", f"Is there a `{name}.eval()`?")
        t.require(
            all(p.requires_grad for p in net.parameters()),
            f"`requires_grad` of {who}'s parameters is off after the call: nothing would learn there from then on",
            "Where is it switched on again?",
        )
    fresh, came = made_optimizer(seen.scene, seen.scene.learner()).param_groups[0], seen.optimizer.param_groups[0]
    t.require(
        came["lr"] == fresh["lr"],
        f"the optimizer's learning rate is {came['lr']:g} after the call; it came with {fresh['lr']:g}",
        "A schedule is for the loop around the steps. What changes `lr` here?",
    )


def untouched_grads(t: Trial, seen: StepSeen) -> None:
    """End the trial unless the generator's `.grad` is what it was before D's step."""
    left = grads(seen.generator)
    if held(left):
        return
    if all(slope is None or not slope.any() for slope in left):
        t.wrong(
            "what the generator's parameters held as `.grad` is gone after the call",
            "Emptying them is for the generator's own step. Is there a `generator.zero_grad()`?",
        )
    t.wrong(
        "a gradient is not where it should be: D's loss sends one into the generator's parameters",
        "Is the output cut off from the generator before D judges it, by `detach()`, or drawn under `no_grad()`?",
    )


def _advise(t: Trial, seen: StepSeen, other: bool) -> None:
    if isinstance(seen.value, Tensor) and seen.value.requires_grad:
        t.advise(GRAPH)
    if other:
        t.advise(
            "The generator draws twice, and D judges another output than L1 compares: the noise is another one. It is "
            "right on average, at twice the work. One output can serve both."
        )
    elif len(seen.drawings) > 1:
        t.advise(f"The generator draws {len(seen.drawings)} times where once would do: each pass costs time.")
    passes = len(seen.calls)
    most = 2 if seen.scene.learns == "discriminator" else 1
    if passes > most:
        t.advise(
            f"D makes {passes} passes where {most} would do: each one costs time, and moves the running statistics of "
            "batch norm."
        )


def sure(t: Trial, task: StepTask, s: StepScene) -> None:
    """Advise against a loss that overflows where D is very sure; as mathematics it is right."""
    seen = prepare(s)
    ran = t.attempt(t.answers[0], *seen.arguments, names=t.exercise.parts[0].parameters)
    value: Any = step_faults.as_tensor(ran.value)
    if not isinstance(value, Tensor) or value.dim() or not seen.drawings:
        return
    right = expect(task, s, seen.drawings[-1]).value
    if len(seen.drawings) == 1 and not abs(float(value) - float(right)) <= 1e-3 * abs(float(right)):
        t.advise(
            f"Where D is very sure, with logits far from 0, the loss comes to {number(value.item())}; exact is "
            f"{number(right.item())}. `binary_cross_entropy_with_logits` takes sigmoid and log in one step."
        )
