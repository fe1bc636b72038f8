"""The check of the two pixel losses: their values, and the gradient that must come through them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor

from p2plib.checks.causes import cause_of
from p2plib.checks.compare import Unlike, largest_difference, number, require_tensor, shape
from p2plib.checks.trial import Mistake, Trial

#: Of a float32 mean, however it is summed up.
ROUNDING = 1e-5


def l1_loss(output: Tensor, target: Tensor) -> Tensor:
    """The mean of |output − target| over two tensors of one shape, any → 0-dim, with a gradient."""
    return (output - target).abs().mean()


def l2_loss(output: Tensor, target: Tensor) -> Tensor:
    """The mean of (output − target)² over two tensors of one shape, any → 0-dim, with a gradient."""
    return ((output - target) ** 2).mean()


def _signed(o: Tensor, t: Tensor) -> Tensor:
    return (o - t).mean()


SUMMED = "The differences are added up: twice as many pixels give twice the loss. Is `mean` meant in place of `sum`?"
BY_BATCH = "The sum is divided by the length of the first dimension only. How many differences are there in all?"
PARTLY = "Only some of the dimensions are averaged. Does `mean` need a `dim` here?"
EACH = "This is the loss of each pixel. Is a `mean` missing?"
HALVED = "It is half of what it should be. Where does the factor come from?"
LARGEST = "This is the largest difference. Is `mean` meant in place of `max`?"


def _reductions(each: Callable[[Tensor], Tensor]) -> tuple[Mistake, ...]:
    """The mistakes that both losses share: `each` makes a loss of each difference."""
    return (
        Mistake(SUMMED, lambda o, t: each(o - t).sum()),
        Mistake(BY_BATCH, lambda o, t: each(o - t).sum() / len(o)),
        Mistake(
            PARTLY,
            lambda o, t: each(o - t).mean(0),
            lambda o, t: each(o - t).mean(1),
            lambda o, t: each(o - t).mean(-1),
            lambda o, t: each(o - t).mean((-2, -1)),
            lambda o, t: each(o - t).flatten(1).mean(1),
        ),
        Mistake(EACH, lambda o, t: each(o - t)),
        Mistake(HALVED, lambda o, t: each(o - t).mean() / 2),
        Mistake(LARGEST, lambda o, t: each(o - t).max()),
    )


LENGTH = "This is the length of the difference, the root of the sum of squares. Is a mean over the pixels meant?"

L1_MISTAKES = (
    *_reductions(torch.abs),
    Mistake(LENGTH, lambda o, t: (o - t).norm()),
    Mistake(
        "Differences above and below 0 cancel. Is `abs` missing?",
        _signed,
        lambda o, t: -_signed(o, t),
    ),
    Mistake(
        "Differences above and below 0 cancel before `abs` comes. Is it taken of each difference, or of their mean?",
        lambda o, t: _signed(o, t).abs(),
    ),
    Mistake("These are squares: the L2 loss. Have the two changed places?", l2_loss),
    Mistake(
        "This is the root of the mean square. Is the loss of one difference its size, |output − target|?",
        lambda o, t: l2_loss(o, t).sqrt(),
    ),
)

L2_MISTAKES = (
    *_reductions(torch.square),
    Mistake(LENGTH, lambda o, t: (o - t).norm()),
    Mistake("Nothing is squared: this is the L1 loss. Have the two changed places?", l1_loss),
    Mistake("A square root is taken at the end. Is it asked for?", lambda o, t: l2_loss(o, t).sqrt()),
    Mistake(
        "The mean is squared. Is the square taken of each difference, or of their mean?",
        lambda o, t: _signed(o, t) ** 2,
        lambda o, t: l1_loss(o, t) ** 2,
    ),
    Mistake(
        "The differences are doubled. Is `** 2` meant in place of `* 2`?",
        lambda o, t: 2 * _signed(o, t),
        lambda o, t: -2 * _signed(o, t),
        lambda o, t: 2 * l1_loss(o, t),
    ),
    Mistake(
        "Differences above and below 0 cancel. Is the square missing?",
        _signed,
        lambda o, t: -_signed(o, t),
    ),
)


@torch.enable_grad()  # whatever was switched off before
def check_losses(t: Trial) -> None:
    """Shapes of zero to four dimensions; then the gradient, also where output and target are equal."""
    # The mean difference is above 0 in some and below in others: else it could not be told from its size.
    shapes = (((2, 3, 5, 4), 0.8), ((3, t.integer(4, 7), 6), -0.8), ((5, 8), -0.7))
    pairs = [_pair(t, *shape, shift=shift) for shape, shift in shapes]
    few = [_pair(t, *shape, shift=shift) for shape, shift in (((9,), 0.5), ((), -1.0))]
    for of, (ours, mistakes) in enumerate(((l1_loss, L1_MISTAKES), (l2_loss, L2_MISTAKES))):
        for pair in (*pairs, *few):
            fault = _fault(t, t.call(*(tensor.clone() for tensor in pair), of=of), ours(*pair), of)
            if fault:
                alike = cause_of(t, pairs, mistakes, of=of, tolerance=ROUNDING)
                t.wrong(f"for tensors of shape {shape(pair[0])} {fault}", alike)
        said = len(t.said)
        t.right(f"the value of `{t.exercise.parts[of].name}` is right")
        _gradient(t, *_pair(t, 3, 4, t.integer(5, 8), shift=0.3), ours, of)
        t.said[said:] = [f"`{t.exercise.parts[of].name}` is right"]


def _pair(t: Trial, *shape: int, shift: float) -> tuple[Tensor, Tensor]:
    output, target = (t.uniform(*shape, dtype=torch.float32) for _ in range(2))
    return output + shift, target


def _fault(t: Trial, value: Any, expected: Tensor, of: int) -> str | None:
    """What is wrong with a value, in words; None if nothing.  A right number that is no tensor ends the trial here."""
    name = t.exercise.parts[of].name
    if isinstance(value, float | int | np.number) and abs(float(value) - expected.item()) <= ROUNDING:
        t.right(f"the value of `{name}` is right")
        t.wrong(
            f"it is a plain number, {type(value).__name__}; expected was a tensor of shape (), which has a gradient",
            "Is there an `.item()` or a `float(…)`?",
        )
    try:
        require_tensor(value, expected, f"the result of `{name}`", torch.inf)
    except Unlike as unlike:
        return unlike.found
    if largest_difference(value, expected) <= ROUNDING:
        return None
    return f"`{name}` gives {number(value.item())}; expected was {number(expected.item())}"


def _gradient(t: Trial, output: Tensor, target: Tensor, ours: Callable[..., Tensor], of: int) -> None:
    """It reaches the output and is what it should be; where the two are equal, any finite one will do."""
    equal = torch.zeros(output.shape, dtype=torch.bool)
    equal[0, 1] = True
    output = torch.where(equal, target, output).requires_grad_()
    value = t.call(output, target, of=of)
    (expected,) = torch.autograd.grad(ours(output, target), output)
    came = _slope(t, value, output)
    if came is None:
        other = target.clone().requires_grad_()
        through_target = _slope(t, t.call(output.detach(), other, of=of), other) is not None
        t.wrong(
            "the gradient is not: none reaches `output`",
            "It goes to `target` alone. Is `output` detached?"
            if through_target
            else "Is the loss cut off from `output`, by `detach()`, `no_grad()` or `torch.tensor(…)`?",
        )
    if not came.isfinite().all() and came[~equal].isfinite().all():
        t.wrong(
            "the gradient is not: it is NaN or infinite where `output` equals `target`",
            "Is there a square root? At 0 its slope is infinite.",
        )
    apart = float((came - expected)[~equal].abs().max())
    t.require(apart <= ROUNDING, f"the gradient at `output` is not (largest difference {apart:.3g})")


def _slope(t: Trial, value: Any, leaf: Tensor) -> Tensor | None:
    """The gradient of a loss at `leaf`; None if it does not depend on it."""
    if not isinstance(value, Tensor) or not value.requires_grad:
        return None
    (slope,) = t.run(lambda: torch.autograd.grad(value, leaf, allow_unused=True), what="the gradient")
    return slope if isinstance(slope, Tensor) else None
