"""What a training step should have given: the output drawn again for the same noise, its loss, gradients, the step."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator

import torch
from torch import Tensor, nn

from p2plib.checks.step_witness import Drawing, Slopes, SmallGenerator, StepScene, made_optimizer
from p2plib.checks.witness import HELD


def replayed(s: StepScene, drawing: Drawing) -> tuple[SmallGenerator, Tensor]:
    """A generator as it was before the step, and its output for the same noise, joined to it."""
    generator = copy.deepcopy(s.generator).train(drawing.training)
    mask = None if drawing.mask is None else drawing.mask.clone()  # it may have been drawn in inference mode
    return generator, generator.drawn(s.pictures.input, mask)


def value_and_slopes(s: StepScene, drawing: Drawing, loss: Callable[..., Tensor]) -> tuple[Tensor, Slopes]:
    """A loss(discriminator, input, target, output, *more) of this output, and its gradients for who learns."""
    generator, output = replayed(s, drawing)
    discriminator = copy.deepcopy(s.pictures.discriminator).train()
    value = loss(discriminator, s.pictures.input, s.pictures.target, output, *s.more)
    net = generator if s.learns == "generator" else discriminator
    if value.dim() or not value.requires_grad:
        return value.detach(), (None,) * len(list(net.parameters()))
    return value.detach(), torch.autograd.grad(value, list(net.parameters()), allow_unused=True)


def stepped(s: StepScene, slopes: Slopes) -> list[Tensor]:
    """The parameters after one step with these gradients."""
    net = copy.deepcopy(s.learner())
    for parameter, slope in zip(net.parameters(), slopes, strict=True):
        parameter.grad = None if slope is None else slope.clone()
    made_optimizer(s, net).step()
    return [p.detach() for p in net.parameters()]


def without_held(slopes: Slopes) -> Slopes:
    """Gradients less what was there before the call."""
    return tuple(None if slope is None else slope - HELD for slope in slopes)


def all_near(came: Slopes, expected: Slopes) -> bool:
    """Equal but for rounding, taken together, where none is the same as 0."""
    apart = whole = 0.0
    for a, b in zip(came, expected, strict=True):
        if a is not None or b is not None:
            apart += float(((0.0 if a is None else a) - (0.0 if b is None else b)).square().sum())  # type: ignore[union-attr]
            whole += float(b.square().sum()) if b is not None else 0.0
    return apart**0.5 <= 1e-3 * whole**0.5 + 1e-9


def empty(slopes: Slopes) -> bool:
    """No gradient at all, or 0 everywhere."""
    return all(slope is None or not slope.any() for slope in slopes)


def held(slopes: Slopes) -> bool:
    """What was there before the call, and nothing else."""
    return all(slope is not None and bool((slope == HELD).all()) for slope in slopes)


def grads(net: nn.Module) -> Slopes:
    """What its parameters hold as `.grad` now."""
    return tuple(p.grad for p in net.parameters())


def pairings(drawings: list[Drawing]) -> Iterator[tuple[Drawing, Drawing]]:
    """One output for D and for L1, the last one first; then each two different ones."""
    few = drawings[-4:]
    yield from ((drawing, drawing) for drawing in reversed(few))
    yield from itertools.permutations(few, 2)
