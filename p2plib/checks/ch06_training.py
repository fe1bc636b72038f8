"""Exercises of chapter 06: one step of D, one of the generator, the generator at test time, the learning rate."""

from __future__ import annotations

from p2plib.checks import at_test, d_step, g_step, schedule
from p2plib.checks.registry import Exercise, Part
from p2plib.training.translate import translate

STEP = ("generator", "discriminator", "optimizer", "input", "target")

EXERCISES = (
    Exercise(
        id="6.1",
        title="one step of the discriminator",
        parts=(Part("discriminator_step", STEP, d_step.discriminator_step),),
        check=d_step.check_discriminator_step,
        hints=(
            "What does D have to see that is not there yet? Who makes it, and does that one learn in this step?",
            "Every step of an optimizer has three lines: empty the gradients, go back from the loss, step.",
            "`with torch.no_grad():` around the generator's pass, or `detach()` on its output, keeps the step D's own.",
            "The loss is your 4.1. It is returned as a number without its graph: `loss.detach()` or `loss.item()`.",
        ),
    ),
    Exercise(
        id="6.2",
        title="one step of the generator",
        parts=(Part("generator_step", (*STEP, "lambda_l1"), g_step.generator_step),),
        check=g_step.check_generator_step,
        hints=(
            "It is like D's step, but for whose output keeps its way back, and which loss is worked out.",
            "The generator draws once, with a gradient. D judges this output, and L1 compares the same one.",
            "D's gradients fill up on the way; only the step of D's own optimizer would move its weights.",
            "The loss is your 4.2, with `lambda_l1` handed on; then `zero_grad()`, `backward()`, `step()`.",
        ),
    ),
    Exercise(
        id="6.3",
        title="the generator at test time",
        parts=(Part("translate", ("generator", "input"), translate),),
        check=at_test.check_translate,
        hints=(
            "Dropout on and the statistics of the batch: which of a network's two modes is that?",
            "In that mode each pass also moves the running averages of batch norm, and nothing should be moved here.",
            "A copy may do what it likes: `copy.deepcopy(generator)`. Then there is nothing to put back.",
            "No gradient is asked for: `with torch.no_grad():` around the pass.",
        ),
    ),
    Exercise(
        id="6.4",
        title="the learning rate",
        parts=(Part("learning_rate_at", ("step", "steps", "rate"), schedule.learning_rate_at),),
        check=schedule.check_schedule,
        hints=(
            "Draw it: a level line over the first half of the steps, then a straight one that would be 0 at `steps`.",
            "In the second half the rate is in proportion to what is left: `steps - step`.",
            "At `step = steps / 2` both halves agree. What must `steps - step` be divided by?",
        ),
    ),
)
