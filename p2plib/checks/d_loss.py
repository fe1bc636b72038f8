"""The check of the discriminator's loss: real pairs are real, made pairs are made, and the generator learns nothing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from p2plib.checks import loss_exam
from p2plib.checks.loss_exam import Task, form_cause, why_cut
from p2plib.checks.shown import MADE, REAL
from p2plib.checks.trial import Mistake, Trial
from p2plib.checks.witness import SURE, UNSURE, Scene, Seen, scene, slope_near
from p2plib.losses import Network, Objective


def discriminator_loss(discriminator: Network, input: Tensor, target: Tensor, output: Tensor) -> Tensor:
    """D's loss for pairs (section 3.3): BCE with logits, real → 1, made → 0, halved; the output is cut off.

    Args:
        discriminator: takes [input, picture] stacked along channels, gives logits of any shape.
        input, target, output: (B, C, H, W) in [-1, 1]; input may have other channels.

    Returns:
        0-dim, float32.
    """
    return Objective("cGAN").discriminator_loss(discriminator, input, target, output)


# --- known mistakes ---------------------------------------------------------------------------------

Each = Callable[[Tensor, float], Tensor]


def bce(logits: Tensor, label: float) -> Tensor:
    """Mean binary cross-entropy of logits against one label."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label))


def bce_each(logits: Tensor, label: float) -> Tensor:
    """The same without the mean."""
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, label), reduction="none")


def sigmoid_first(logits: Tensor, label: float) -> Tensor:
    """A sigmoid too many."""
    return bce(torch.sigmoid(logits), label)


AVERAGED = "D's map is averaged before the loss is taken. Is it not the losses of its places that are averaged?"


def averaged_first(logits: Tensor, label: float) -> Tensor:
    """One logit for the whole batch."""
    return bce(logits.mean(), label)


def squares(logits: Tensor, label: float) -> Tensor:
    """Least squares."""
    return ((logits - label) ** 2).mean()


def log_of_logits(logits: Tensor, label: float) -> Tensor:
    """A sigmoid too few."""
    return -(logits if label else 1 - logits).log().mean()


def wasserstein(logits: Tensor, label: float) -> Tensor:
    """The logits themselves."""
    return -logits.mean() if label else logits.mean()


@dataclass(frozen=True)
class Form:
    """A loss for D, and how it may differ from the right one.

    Args:
        each: the loss of one map against a label.
        labels: of the real pair and the made one.
        weights: of their two terms.
        blind: which of the two passes, real 0, made 1, is made under ``no_grad``.
    """

    each: Each = bce
    labels: tuple[float, float] = (1.0, 0.0)
    weights: tuple[float, float] = (0.5, 0.5)
    blind: tuple[int, ...] = ()

    def __call__(self, discriminator: Network, input: Tensor, target: Tensor, output: Tensor) -> Tensor:
        """Like `discriminator_loss`."""
        terms = []
        for i, picture in enumerate((target, output.detach())):
            with torch.set_grad_enabled(i not in self.blind):
                logits = discriminator(torch.cat([input, picture], dim=1))
            terms.append(self.weights[i] * self.each(logits, self.labels[i]))
        return terms[0] + terms[1]


def _both(each: Each = bce, labels: tuple[float, float] = (1.0, 0.0)) -> tuple[Form, Form]:
    """Halved and not."""
    return Form(each, labels), Form(each, labels, (1.0, 1.0))


MISTAKES = (
    Mistake("The two terms are added up. Where is the half?", Form(weights=(1.0, 1.0))),
    Mistake("It is halved more than once. Where do the factors come from?", Form(weights=(0.25, 0.25))),
    Mistake(
        "Only the real pair counts. Where does the made one come in?", Form(weights=(0.5, 0)), Form(weights=(1.0, 0))
    ),
    Mistake(
        "Only the made pair counts. Where does the real one come in?", Form(weights=(0, 0.5)), Form(weights=(0, 1.0))
    ),
    Mistake("Real pairs are labelled 0 and made ones 1. Are the labels swapped?", *_both(labels=(0.0, 1.0))),
    Mistake(
        "Both pairs have the same label. Which one should each have?", *_both(labels=(1.0, 1.0)), *_both(labels=(0, 0))
    ),
    Mistake(
        "The logits go through a sigmoid twice: `binary_cross_entropy_with_logits` has one inside. Where is the other?",
        *_both(sigmoid_first),
    ),
    Mistake(
        "`log` is taken of the logits, which may be any numbers. Where do they become probabilities?",
        *_both(log_of_logits),
    ),
    Mistake(
        "The labels are not 1 and 0. Is label smoothing asked for?",
        *(form for labels in ((0.9, 0.0), (0.9, 0.1), (1.0, 0.1)) for form in _both(labels=labels)),
    ),
    Mistake(
        "These are squares: the least-squares loss. Is binary cross-entropy meant?",
        *_both(squares),
        *_both(lambda x, label: squares(torch.sigmoid(x), label)),
    ),
    Mistake("The logits are averaged as they are. Where is the cross-entropy?", *_both(wasserstein)),
    Mistake(
        "This is the hinge loss. Is binary cross-entropy meant?",
        *_both(lambda x, label: F.relu(1 - x if label else 1 + x).mean()),
    ),
    Mistake(
        "The places of the map are added up: a larger map gives a larger loss. Is `mean` meant in place of `sum`?",
        *_both(lambda x, label: bce_each(x, label).sum()),
        *_both(lambda x, label: bce_each(x, label).sum() / len(x)),
    ),
    Mistake("This is the loss of each place of the map. Is a `mean` missing?", *_both(bce_each)),
    Mistake(AVERAGED, *_both(averaged_first)),
    Mistake("The sign is the other one: D would learn to be wrong. Where does the minus come from?",
            Form(weights=(-0.5, -0.5)), Form(weights=(-1.0, -1.0))),
    Mistake(
        "One term is subtracted from the other. Should D get better at both?",
        *(Form(weights=(a, -a)) for a in (0.5, 1.0, -0.5, -1.0)),
    ),
    Mistake(
        "Nothing comes back to D from the made pair. Is D's map cut off, by `no_grad()` or `detach()`, in place of the "
        "output?",
        Form(blind=(1,)),
    ),
    Mistake(
        "Nothing comes back to D from the real pair. Is D's map cut off, by `no_grad()` or `detach()`?",
        Form(blind=(0,)),
    ),
)  # fmt: skip


# --- the check --------------------------------------------------------------------------------------


def _lacking(names: Sequence[str | None]) -> str:
    if len(names) == 1:
        return "D learns from both: real pairs and made ones. Where is the other pass?"
    return f"Both passes see `{'target' if names[0] == REAL else 'output'}`. Which picture belongs to each?"


def _gradient(t: Trial, task: Task, s: Scene, seen: Seen, right: Seen, others: Sequence[Scene]) -> None:
    """It reaches all of D and nothing of the generator."""
    if seen.at_output is not None:
        t.wrong(
            "the gradient is not: D's loss sends one into `output`, and so into the generator",
            "Is the output cut off before D judges it, by `detach()`?",
        )
    if all(slope is None for slope in seen.at_parameters):
        t.wrong("the gradient is not: none reaches D's parameters", why_cut(seen))
    pairs = zip(seen.at_parameters, right.at_parameters, strict=True)
    if not all(slope_near(came, expected) for came, expected in pairs):
        t.wrong("the gradient at D's parameters is not", form_cause(t, task, others))


TASK = Task(discriminator_loss, (REAL, MADE), _lacking, MISTAKES, (), _gradient, slice(1, None))


@torch.enable_grad()  # whatever was switched off before
def check_discriminator_loss(t: Trial) -> None:
    """Input and picture of different channels, then of equal ones; maps and single logits; a D of no opinion."""
    others = [scene(t, (3, 3), 3), scene(t, (2, 2), 2, norm=False, whole=True), scene(t, (1, 1), 2, reach=UNSURE)]
    for s in (scene(t, (3, 2), 2), *others, scene(t, (1, 4), 1, norm=False)):
        loss_exam.examine(t, TASK, s, others)
    loss_exam.sure(t, TASK, scene(t, (3, 3), 2, reach=SURE))
