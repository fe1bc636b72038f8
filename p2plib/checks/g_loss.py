"""The check of the generator's loss: log D is maximised, L1 keeps the output near the target, both reach the output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from p2plib.checks import loss_exam
from p2plib.checks.compare import number
from p2plib.checks.d_loss import (
    AVERAGED,
    Each,
    averaged_first,
    bce,
    bce_each,
    log_of_logits,
    sigmoid_first,
    squares,
    wasserstein,
)
from p2plib.checks.loss_exam import Task, form_cause, what_was_shown, why_cut
from p2plib.checks.outcome import Status
from p2plib.checks.pixel import l1_loss, l2_loss
from p2plib.checks.shown import MADE
from p2plib.checks.trial import Mistake, Stop, Trial
from p2plib.checks.witness import SURE, UNSURE, Scene, Seen, look, scene, slope_near
from p2plib.losses import Network, Objective

LAMBDA = 100.0


def generator_loss(
    discriminator: Network, input: Tensor, target: Tensor, output: Tensor, lambda_l1: float = LAMBDA
) -> Tensor:
    """G's loss (section 3.3): BCE with logits of D's map for the made pair against 1, + λ · mean |output − target|.

    Args:
        discriminator: takes [input, picture] stacked along channels, gives logits of any shape.
        input, target, output: (B, C, H, W) in [-1, 1]; input may have other channels.
        lambda_l1: λ, 0 or more.

    Returns:
        0-dim, float32, with a gradient to output through both terms.
    """
    return Objective("L1+cGAN", lambda_l1).generator_loss(discriminator, input, target, output)["total"]


# --- known mistakes ---------------------------------------------------------------------------------

Pixel = Callable[[Tensor, Tensor, Tensor], Tensor]


def _l1(input: Tensor, target: Tensor, output: Tensor) -> Tensor:
    return l1_loss(output, target)


def _weights(lambda_l1: float) -> tuple[float, float]:
    return 1.0, lambda_l1


@dataclass(frozen=True)
class Form:
    """A loss for G, and how it may differ from the right one.

    Args:
        each: the loss of D's map against a label.
        label: that label.
        pixel: of (input, target, output).
        weights: of the two terms, from λ.
    """

    each: Each = bce
    label: float = 1.0
    pixel: Pixel = _l1
    weights: Callable[[float], tuple[float, float]] = _weights

    def __call__(
        self, discriminator: Network, input: Tensor, target: Tensor, output: Tensor, lambda_l1: float = LAMBDA
    ) -> Tensor:
        """Like `generator_loss`."""
        a, b = self.weights(lambda_l1)
        logits = discriminator(torch.cat([input, output], dim=1))
        return a * self.each(logits, self.label) + b * self.pixel(input, target, output)


MISTAKES = (
    Mistake(
        "D's answer to the output is compared with 0: the generator would learn to be found out. Which answer does it "
        "want to hear?",
        Form(label=0.0),
    ),
    Mistake(
        "This minimises log(1 − D), which has hardly a gradient while D is sure of itself. Is −log D meant: label 1?",
        Form(label=0.0, weights=lambda x: (-1.0, x)),
    ),
    Mistake(
        "The sign of D's term is the other one: log D would be minimised. Where does the minus come from?",
        Form(weights=lambda x: (-1.0, x)),
    ),
    Mistake(
        "L1 adds nothing to the loss. Where do output and target come together?", Form(weights=lambda x: (1.0, 0.0))
    ),
    Mistake("D's term adds nothing to the loss. Where does it come in?", Form(weights=lambda x: (0.0, x))),
    Mistake("λ weighs D's term. Which of the two is it meant for?", Form(weights=lambda x: (x, 1.0))),
    Mistake("λ weighs both terms. Which of the two is it meant for?", Form(weights=lambda x: (x, x))),
    Mistake("L1 has no weight. Where does `lambda_l1` come in?", Form(weights=lambda x: (1.0, 1.0))),
    Mistake("λ is always 100. What if another `lambda_l1` comes in?", Form(weights=lambda x: (1.0, LAMBDA))),
    Mistake("The weight is λ². Is it multiplied twice?", Form(weights=lambda x: (1.0, x * x))),
    Mistake("L1 is divided by λ. Is it multiplied by it?", Form(weights=lambda x: (1.0, 1 / x))),
    Mistake("L1 is subtracted: it would be made as large as can be. Is `+` meant?", Form(weights=lambda x: (1.0, -x))),
    Mistake("D's term is halved. Is that left over from D's own loss?", Form(weights=lambda x: (0.5, x))),
    Mistake(
        "All of it is halved. Is that left over from D's own loss?", Form(weights=lambda x: (0.5, x / 2))
    ),
    Mistake(
        "The differences of output and target are squared. Is L1 meant, their size?",
        Form(pixel=lambda i, t, o: l2_loss(o, t)),
    ),
    Mistake(
        "L1 is added up over pixels. Is `mean` meant in place of `sum`?",
        Form(pixel=lambda i, t, o: (o - t).abs().sum()),
        Form(pixel=lambda i, t, o: (o - t).abs().sum() / len(o)),
    ),
    Mistake(
        "Differences of output and target above and below 0 cancel. Is `abs` missing?",
        Form(pixel=lambda i, t, o: (o - t).mean()),
        Form(pixel=lambda i, t, o: (t - o).mean()),
        Form(pixel=lambda i, t, o: (o - t).mean().abs()),
    ),
    Mistake("The loss has one number for each pixel. Is L1 averaged?", Form(pixel=lambda i, t, o: (o - t).abs())),
    Mistake(
        "The logits go through a sigmoid twice: `binary_cross_entropy_with_logits` has one inside. Where is the other?",
        Form(each=sigmoid_first),
    ),
    Mistake(
        "`log` is taken of the logits, which may be any numbers. Where do they become probabilities?",
        Form(each=log_of_logits),
    ),
    Mistake("The label is 0.9. Is label smoothing asked for?", Form(label=0.9)),
    Mistake(AVERAGED, Form(each=averaged_first)),
    Mistake(
        "D's term is made of squares: the least-squares loss. Is binary cross-entropy meant?",
        Form(each=squares),
        Form(each=lambda x, label: squares(torch.sigmoid(x), label)),
    ),
    Mistake("The logits are averaged as they are. Where is the cross-entropy?", Form(each=wasserstein)),
    Mistake(
        "The places of D's map are added up. Is `mean` meant in place of `sum`?",
        Form(each=lambda x, label: bce_each(x, label).sum()),
        Form(each=lambda x, label: bce_each(x, label).sum() / len(x)),
    ),
)  # fmt: skip

#: They ask for an input with as many channels as the picture.
UNEVEN = (
    Mistake(
        "L1 compares the output with the input. Which picture should it come near?",
        Form(pixel=lambda i, t, o: l1_loss(o, i)),
    ),
    Mistake(
        "L1 compares the target with the input, and the generator can change neither. Where is the output?",
        Form(pixel=lambda i, t, o: l1_loss(t, i)),
    ),
)


# --- the check --------------------------------------------------------------------------------------


def _lacking(names: Sequence[str | None]) -> str:
    if MADE in names:
        return "The real pair counts, too. Is it left over from D's own loss?"
    return "Which pair does the generator want D to take for real?"


def _gradient(t: Trial, task: Task, s: Scene, seen: Seen, right: Seen, others: Sequence[Scene]) -> None:
    """It reaches the output through D and through L1."""
    if slope_near(seen.at_output, right.at_output):
        return
    finding = what_was_shown(task, s, seen)
    if finding:
        t.wrong(f"the gradient is not; {finding[0]}", finding[1])
    adversary, pixel = (look(s, Form(weights=w)) for w in (lambda x: (1.0, 0.0), lambda x: (0.0, x)))
    cut = (
        "D judged a picture that is cut off from the generator. Is there a `detach()` or a `no_grad()` left over from "
        "D's step?"
    )
    joined = all(call.joined for call in seen.calls if call.recorded)
    if seen.at_output is None:
        t.wrong(
            "the gradient is not: none reaches `output`, so no parameter of the generator would move",
            why_cut(seen) if joined else "Is `output` cut off at the start, by `detach()` or `.data`?",
        )
    if slope_near(seen.at_output, pixel.at_output):
        through = why_cut(seen) if joined else cut
        t.wrong("the gradient is not: L1's reaches `output`, and none comes through D", through)
    if slope_near(seen.at_output, adversary.at_output):
        question = "Is `output`, or all of L1, cut off by `detach()` or `.item()`?"
        t.wrong("the gradient is not: D's reaches `output`, and none comes from L1", question)
    t.wrong("the gradient at `output` is not", form_cause(t, task, others))


def _other_default(s: Scene, value: Tensor) -> str | None:
    """The λ that is taken where none is given; others are right by then."""
    if s.more:
        return None
    gan, pixel = (float(look(s, Form(weights=w)).value.detach()) for w in (lambda x: (1.0, 0.0), lambda x: (0.0, 1.0)))
    return f"Without `lambda_l1`, λ is {number((float(value) - gan) / pixel)}. Is its default 100?"


TASK = Task(generator_loss, (MADE,), _lacking, MISTAKES, UNEVEN, _gradient, slice(0, 1), _other_default)


@torch.enable_grad()  # whatever was switched off before
def check_generator_loss(t: Trial) -> None:
    """λ as it comes and by default; different channels, then equal ones; maps and single logits."""
    small, large = (round(float(t.uniform(1, low=a, high=b)), 2) for a, b in ((0.3, 0.7), (20.0, 60.0)))
    others = [scene(t, (3, 3), 3, (large,)), scene(t, (2, 2), 2, (small,), norm=False, whole=True)]
    others.append(scene(t, (1, 1), 2, (small,), reach=UNSURE))
    for s in (scene(t, (3, 2), 2, (large,)), *others, scene(t, (1, 4), 1, (0.0,), norm=False)):
        loss_exam.examine(t, TASK, s, others)
    t.right("with `lambda_l1` given it is right")
    try:
        loss_exam.examine(t, TASK, scene(t, (3, 2), 2), others)
    except Stop as stop:
        if stop.status is Status.CRASHED and "'lambda_l1'" in stop.message:
            stop.cause = "Here it is called without `lambda_l1`. Has it a default, 100?"
        raise
    loss_exam.sure(t, TASK, scene(t, (3, 3), 2, (small,), reach=SURE))
