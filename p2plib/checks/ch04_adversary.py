"""Exercises of chapter 04: the losses of D and of G, the condition, and a leak between the two.

Each has its check in a module of its own; the graphs of 4.4 are in `GRAPHS`.
"""

from __future__ import annotations

from p2plib.checks import condition, d_loss, g_loss, leaks
from p2plib.checks.registry import Exercise, Part

#: graph(generator, discriminator, input, target): what 4.4 asks about, in the order of its letters a to d.
GRAPHS = leaks.GRAPHS

EXERCISES = (
    Exercise(
        id="4.1",
        title="the discriminator's loss",
        parts=(Part("discriminator_loss", ("discriminator", "input", "target", "output"), d_loss.discriminator_loss),),
        check=d_loss.check_discriminator_loss,
        hints=(
            "D is asked twice: about the input with its target, and about the input with what was made of it.",
            "`F.binary_cross_entropy_with_logits(logits, labels)` is a mean already; `torch.ones_like(logits)` has the "
            "labels' shape.",
            "D learns from the made picture, its maker does not: what does `output.detach()` give?",
            "Pairs: `torch.cat([input, picture], dim=1)`. Labels: 1 for target, 0 for output. Then (real + made) / 2.",
        ),
    ),
    Exercise(
        id="4.2",
        title="the generator's loss",
        parts=(
            Part("generator_loss", ("discriminator", "input", "target", "output", "lambda_l1"), g_loss.generator_loss),
        ),
        check=g_loss.check_generator_loss,
        hints=(
            "Two wishes: that D takes the output for real, and that the output lies near the target.",
            "The generator wants to hear 1. Minimising the cross-entropy against 1 maximises log D.",
            "Its gradient comes back through D, so nothing on the way from `output` to the loss may be cut off.",
            "D judges `torch.cat([input, output], dim=1)`, once. To that loss, `lambda_l1` times the mean size of "
            "output − target is added; neither is halved.",
        ),
    ),
    Exercise(
        id="4.3",
        title="the conditional pair",
        parts=(Part("judged", ("input", "picture", "conditional"), condition.judged),),
        check=condition.check_judged,
        hints=(
            "A batch has the shape (B, C, H, W). Along which of the four do input and picture differ?",
            "`torch.cat([a, b], dim=…)` concatenates. Without the condition the picture goes as it is.",
        ),
    ),
    Exercise(
        id="4.4",
        title="find the leak",
        parts=(Part("leak"),),
        check=leaks.check_leak,
        hints=(
            "Run each graph on networks without gradients and look at `p.grad` of the parameters of both.",
            "Two things cut the way back to the generator: `detach()` on a picture, `no_grad()` around its making.",
            "A gradient in the generator is right where the loss is the generator's. Whose loss is it in each graph?",
        ),
    ),
)
