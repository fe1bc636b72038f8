"""Exercise 6.2: one step of the generator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from p2plib.checks import g_loss, step_exam
from p2plib.checks.g_loss import LAMBDA, Form
from p2plib.checks.outcome import Status
from p2plib.checks.step_faults import DREW_BLIND, Expected, StepTask, why_cut
from p2plib.checks.step_replay import all_near, empty, held, value_and_slopes
from p2plib.checks.step_witness import Drawing, Slopes, StepScene, StepSeen, step_scene
from p2plib.checks.trial import Stop, Trial
from p2plib.checks.witness import SURE, UNSURE


def generator_step(
    generator: nn.Module,
    discriminator: nn.Module,
    optimizer: torch.optim.Optimizer,
    input: Tensor,
    target: Tensor,
    lambda_l1: float = LAMBDA,
) -> Tensor:
    """One step of the generator (section 3.3): log D of its output is maximised, L1 keeps it near the target.

    Args:
        generator: input → output.
        discriminator: takes [input, picture] stacked along channels, gives logits; its weights stay.
        optimizer: the generator's.
        input, target: (B, C, H, W) in [-1, 1].
        lambda_l1: λ, 0 or more.

    Returns:
        The generator's loss, 0-dim, without its graph.
    """
    output = generator(input)
    loss = g_loss.generator_loss(discriminator, input, target, output, lambda_l1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


ADVERSARY, PIXEL = Form(weights=lambda x: (1.0, 0.0)), Form(weights=lambda x: (0.0, x))
D_CUT = (
    "D judged a picture that is cut off from the generator. Is there a `detach()` or a `no_grad()` left over from D's "
    "step?"
)


def _split(s: StepScene, judged: Drawing, compared: Drawing) -> Expected:
    """D is given one output, L1 another."""
    gan, through_d = value_and_slopes(s, judged, ADVERSARY)
    pixel, through_l1 = value_and_slopes(s, compared, PIXEL)
    slopes = tuple(_sum(a, b) for a, b in zip(through_d, through_l1, strict=True))
    return Expected(judged, gan + pixel, slopes)


def _sum(a: Tensor | None, b: Tensor | None) -> Tensor | None:
    return b if a is None else a if b is None else a + b


def _cut(seen: StepSeen, expected: Expected, slopes: Slopes) -> tuple[str, str] | None:
    """What reaches the generator: nothing, or one of the two terms."""
    blind = not any(drawing.recorded for drawing in seen.drawings)
    joined = all(call.joined for call in seen.calls if call.recorded)
    if empty(slopes) or held(slopes):
        return "none reaches the generator", DREW_BLIND if blind else why_cut(seen) if joined else D_CUT
    _, adversary = value_and_slopes(seen.scene, expected.drawing, ADVERSARY)
    _, pixel = value_and_slopes(seen.scene, expected.drawing, PIXEL)
    if all_near(slopes, pixel):
        return "L1's reach the generator, and none come through D", why_cut(seen) if joined else D_CUT
    if all_near(slopes, adversary):
        question = "Is the output, or all of L1, cut off by `detach()` or `.item()`?"
        return "D's reach the generator, and none come from L1", question
    return None


def _kept(t: Trial, seen: StepSeen) -> None:
    """D's weights."""
    step_exam.unmoved(t, seen, "discriminator", "D", "the generator's")


TASK = StepTask("the generator's", "generator", g_loss.TASK, _kept, _cut, _split)


@torch.enable_grad()  # whatever was switched off before
def check_generator_step(t: Trial) -> None:
    """λ as it comes and by default; gradient descent and Adam; different channels, then equal ones."""
    learns = "generator"
    small, large = (round(float(t.uniform(1, low=a, high=b)), 2) for a, b in ((0.3, 0.7), (20.0, 60.0)))
    others = [
        step_scene(t, learns, (3, 3), 3, (large,)),
        step_scene(t, learns, (2, 2), 2, (small,), norm=False, whole=True),
        step_scene(t, learns, (1, 1), 2, (small,), reach=UNSURE),
    ]
    first = step_scene(t, learns, (3, 2), 2, (large,))
    last = step_scene(t, learns, (1, 4), 1, (small,), norm=False, adam=True)
    for s in (first, *others, last):
        step_exam.examine(t, TASK, s, others)
    t.right("with `lambda_l1` given it is right")
    try:
        step_exam.examine(t, TASK, step_scene(t, learns, (3, 2), 2), others)
    except Stop as stop:
        if stop.status is Status.CRASHED and "'lambda_l1'" in stop.message:
            stop.cause = "Here it is called without `lambda_l1`. Has it a default, 100?"
        raise
    step_exam.sure(t, TASK, step_scene(t, learns, (3, 3), 2, (small,), reach=SURE))
