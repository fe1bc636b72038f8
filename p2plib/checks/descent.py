"""The check of a descent by hand: its way is compared with ours, for losses that are known and one that is not."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from p2plib.checks.causes import cause_of, explained
from p2plib.checks.compare import Unlike, require_tensor
from p2plib.checks.pixel import l1_loss, l2_loss
from p2plib.checks.trial import Case, Mistake, Trial

Loss = Callable[[Tensor, Tensor], Tensor]

TOLERANCE = 1e-5
#: L1 turns where the picture meets an outcome. No step of a drawn problem comes nearer than this.
MARGIN = 1e-4


def descend(loss: Loss, outcomes: Tensor, steps: int, rate: float) -> Tensor:
    """Plain gradient descent from zeros to the picture with the smallest loss to all outcomes.

    Args:
        loss: takes (output, target), both (N, *shape), and gives a 0-dim tensor.
        outcomes: float (N, *shape).
        steps: how many, 0 or more.
        rate: how far to go along the gradient.

    Returns:
        The picture after the last step, (*shape), detached.
    """
    c = torch.zeros_like(outcomes[0])
    for _ in range(steps):
        c.requires_grad_()
        (gradient,) = torch.autograd.grad(loss(c.expand_as(outcomes), outcomes), c)
        c = c.detach() - rate * gradient
    return c


def uneven(output: Tensor, target: Tensor) -> Tensor:
    """A loss that nobody guesses: too bright costs three times as much as too dark."""
    apart = output - target
    return torch.where(apart > 0, 3 * apart**2, apart**2).mean()


def _from(start: Callable[[Tensor], Tensor]) -> Callable[..., Tensor]:
    def like(loss: Loss, outcomes: Tensor, steps: int, rate: float) -> Tensor:
        at = start(outcomes)
        return at + descend(lambda c, o: loss(c + at, o), outcomes, steps, rate)

    return like


def _adding_up(loss: Loss, outcomes: Tensor, steps: int, rate: float) -> Tensor:
    c, sum_ = torch.zeros_like(outcomes[0]), torch.zeros_like(outcomes[0])
    for _ in range(steps):
        c.requires_grad_()
        sum_ = sum_ + torch.autograd.grad(loss(c.expand_as(outcomes), outcomes), c)[0]
        c = c.detach() - rate * sum_
    return c


FIXED = "The steps are the same for every loss. Is `loss` called, or one that you chose yourself?"
NO_DESCENT = "It is the same picture for every loss and number of steps. Where do `loss`, `steps` and `rate` come in?"
START = "The way begins somewhere else. Is the first picture all zeros?"

MISTAKES = (
    Mistake("Each gradient is added to the ones before. Is `.grad` emptied before every step?", _adding_up),
    Mistake(
        "The steps lead uphill. Is the gradient added in place of taken away?",
        lambda loss, x, n, r: descend(loss, x, n, -r),
    ),
    Mistake(
        "One step too many is taken. How often does the loop run?", lambda loss, x, n, r: descend(loss, x, n + 1, r)
    ),
    Mistake("One step is missing. How often does the loop run?", lambda loss, x, n, r: descend(loss, x, n - 1, r)),
    Mistake(
        "Only one step is taken. Does `return`, or the first picture, stand inside the loop?",
        lambda loss, x, n, r: descend(loss, x, min(n, 1), r),
    ),
    Mistake(
        "The gradient is taken away as it is. Where does `rate` come in?",
        lambda loss, x, n, r: descend(loss, x, n, 1.0),
    ),
    Mistake(START, _from(lambda x: torch.ones_like(x[0])), _from(lambda x: x.mean(0)), _from(lambda x: x[0])),
    Mistake(START, _from(lambda x: x.median(0).values)),
    Mistake(FIXED, lambda loss, x, n, r: descend(l1_loss, x, n, r), lambda loss, x, n, r: descend(l2_loss, x, n, r)),
    Mistake(NO_DESCENT, lambda loss, x, n, r: x.mean(0), lambda loss, x, n, r: x.median(0).values),
    Mistake(
        "`loss` was given the outcomes as its output. In which order does it take the two?",
        lambda loss, x, n, r: descend(lambda c, o: loss(o, c), x, n, r),
    ),
    Mistake(
        "The steps are N times too long. Are the losses of the N outcomes added up, in place of averaged?",
        lambda loss, x, n, r: descend(loss, x, n, r * len(x)),
    ),
    Mistake(
        "Only one outcome is looked at. Is the loss taken to all of them?",
        lambda loss, x, n, r: descend(loss, x[:1], n, r),
        lambda loss, x, n, r: descend(loss, x[-1:], n, r),
    ),
    Mistake(
        "The loss is taken to the mean of the outcomes. Is it asked for to each of them?",
        lambda loss, x, n, r: descend(loss, x.mean(0, keepdim=True), n, r),
    ),
)

#: What PyTorch says, and what it means here.
SAID = {
    "a leaf Variable that requires grad is being used in an in-place operation": (
        "The move itself must not be recorded for the gradient. Does it stand inside `with torch.no_grad():`?"
    ),
    "unsupported operand type(s) for *: 'float' and 'NoneType'": (
        "`.grad` is `None`. Was `backward()` called before, and is this still the tensor that has `requires_grad`, not "
        "a new one from `c = c - …`?"
    ),
    "can't multiply sequence by non-int of type 'float'": (
        "`torch.autograd.grad` returns a tuple, one gradient for each thing that is asked for. Is its first one taken?"
    ),
    "does not require grad": (
        "Nothing was recorded for the gradient. Does the picture have `requires_grad`, and is the loss taken "
        "outside of `no_grad()`?"
    ),
}


@torch.enable_grad()  # whatever was switched off before
def check_descent(t: Trial) -> None:
    """No step, one, several; three losses; pictures and a single number."""
    cases = [
        _case(t, l2_loss, 0, 0.3, 5, 2, 3),
        _case(t, l2_loss, t.integer(4, 6), 0.2, 6, 3, 2, 2),
        _case(t, l1_loss, t.integer(9, 12), 0.3, 7, 4),
        _case(t, uneven, t.integer(4, 6), 0.08, 5, 2, 3),
        _case(t, l1_loss, 1, 0.3, 4, 5),
        _case(t, uneven, t.integer(3, 5), 0.11, 6),
    ]
    values = []
    for case in cases:
        loss, outcomes, steps, rate = case.arguments
        with explained(SAID):
            value = t.call(loss, outcomes.clone(), steps, rate)
        try:
            name = f"the picture after {steps} step{'' if steps == 1 else 's'}"
            require_tensor(value, case.expected, name, TOLERANCE)
        except Unlike as unlike:
            t.said += unlike.right
            t.wrong(unlike.found, cause_of(t, [c.arguments for c in cases], MISTAKES, tolerance=TOLERANCE))
        values.append(value)
    t.right("the values are right")
    t.require(
        not any(value.requires_grad for value in values),
        "the picture is not detached: it still requires a gradient",
        "Is a `detach()` missing where it is returned?",
    )


def _case(t: Trial, loss: Loss, steps: int, pull: float, count: int, *shape: int) -> Case:
    """A problem whose rate does not depend on how many pixels share the mean; drawn again if L1 would be in doubt."""
    rate = round(pull * math.prod(shape) + t.integer(1, 9) / 1000, 4)
    for _ in range(200):
        outcomes = t.uniform(count, *shape, low=0.0, high=1.0, dtype=torch.float32) ** 2 * 2 - 0.6
        way = [descend(loss, outcomes, n, rate) for n in range(steps + 1)]
        if min(float((c - outcomes).abs().min()) for c in way) > MARGIN:
            break
    return Case((loss, outcomes, steps, rate), way[-1])
