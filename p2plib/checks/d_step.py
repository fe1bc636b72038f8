"""Exercise 6.1: one step of the discriminator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from p2plib.checks import d_loss, step_exam
from p2plib.checks.step_faults import Expected, StepTask, why_cut
from p2plib.checks.step_replay import empty, held
from p2plib.checks.step_witness import Slopes, StepSeen, step_scene
from p2plib.checks.trial import Trial
from p2plib.checks.witness import SURE, UNSURE


def discriminator_step(
    generator: nn.Module,
    discriminator: nn.Module,
    optimizer: torch.optim.Optimizer,
    input: Tensor,
    target: Tensor,
) -> Tensor:
    """One step of D (section 3.3) on pairs and on what the generator makes of the input, which learns nothing.

    Args:
        generator: input → output.
        discriminator: takes [input, picture] stacked along channels, gives logits.
        optimizer: D's.
        input, target: (B, C, H, W) in [-1, 1].

    Returns:
        D's loss, 0-dim, without its graph.
    """
    with torch.no_grad():
        output = generator(input)
    loss = d_loss.discriminator_loss(discriminator, input, target, output)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def _kept(t: Trial, seen: StepSeen) -> None:
    """The generator's weights and what they hold as `.grad`."""
    step_exam.unmoved(t, seen, "generator", "the generator", "D's")
    step_exam.untouched_grads(t, seen)


def _cut(seen: StepSeen, expected: Expected, slopes: Slopes) -> tuple[str, str] | None:
    if empty(slopes) or held(slopes):
        return "none reaches D's parameters", why_cut(seen)
    return None


TASK = StepTask("D's", "discriminator", d_loss.TASK, _kept, _cut)


@torch.enable_grad()  # whatever was switched off before
def check_discriminator_step(t: Trial) -> None:
    """Gradient descent and Adam; different channels, then equal ones; maps and single logits; a D of no opinion."""
    learns = "discriminator"
    others = [
        step_scene(t, learns, (3, 3), 3),
        step_scene(t, learns, (2, 2), 2, norm=False, whole=True),
        step_scene(t, learns, (1, 1), 2, reach=UNSURE),
    ]
    first, last = step_scene(t, learns, (3, 2), 2), step_scene(t, learns, (1, 4), 1, adam=True)
    for s in (first, *others, last):
        step_exam.examine(t, TASK, s, others)
    step_exam.sure(t, TASK, step_scene(t, learns, (3, 3), 2, reach=SURE))
