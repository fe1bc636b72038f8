"""The check of telling the losses apart: outputs near the mean or the median of skewed outcomes.

Any measurement that finds the nearer one is right: distances, votes of pixels, signs of what remains.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from p2plib.checks.causes import MEDIAN_PAIR, cause_of, explained
from p2plib.checks.compare import describe
from p2plib.checks.pixel import l1_loss, l2_loss
from p2plib.checks.trial import Mistake, Trial

COUNTS = (7, 9, 12)


def which_loss(output: Tensor, outcomes: Tensor) -> str:
    """The loss with which a network was trained, "L1" or "L2": whose best picture the output is nearer to.

    Args:
        output: float (C, H, W): what it drew for one input.
        outcomes: float (N, C, H, W): true targets of this input.
    """
    to_l1 = (output - outcomes.median(dim=0).values).abs().mean()
    to_l2 = (output - outcomes.mean(dim=0)).abs().mean()
    return "L1" if to_l1 < to_l2 else "L2"


def _other(name: str) -> str:
    return "L2" if name == "L1" else "L1"


def _smaller(output: Tensor, target: Tensor) -> str:
    return "L1" if l1_loss(output, target) < l2_loss(output, target) else "L2"


def _stack(like: Callable[[Tensor, Tensor], str]) -> Callable[[Tensor, Tensor], str]:
    return lambda output, outcomes: like(output.expand_as(outcomes), outcomes)


MISTAKES = (
    Mistake(
        "Each answer is the other one. Which loss draws the mean, and which the median?",
        lambda o, x: _other(which_loss(o, x)),
    ),
    Mistake("What would have to be measured for the other answer to come?", lambda o, x: "L1", lambda o, x: "L2"),
    Mistake(
        "Is an L1 loss compared with an L2 loss? They are numbers of different units: which one is smaller says how "
        "large the differences are.",
        _stack(_smaller),
        _stack(lambda o, x: _other(_smaller(o, x))),
    ),
    Mistake(
        "Is one distance an L1 and the other an L2? They are numbers of different units: can both be measured alike?",
        lambda o, x: "L1" if l1_loss(o, x.median(0).values) < l2_loss(o, x.mean(0)) else "L2",
        lambda o, x: "L1" if l2_loss(o, x.median(0).values) < l1_loss(o, x.mean(0)) else "L2",
    ),
    Mistake(
        "Are L1 and L2 losses to the first outcome compared? They are numbers of different units, and what do all the "
        "outcomes together say?",
        lambda o, x: _smaller(o, x[0]),
        lambda o, x: _other(_smaller(o, x[0])),
    ),
)


def check_which_loss(t: Trial) -> None:
    """A dozen outputs, half of them of each loss; outcomes that differ little and much."""
    kinds = (
        ("little", "any"),
        ("little", "any"),
        ("little", "any"),
        ("much", "usual"),
        ("much", "far"),
        ("much", "far"),
    )
    drawn = [(_problem(t, loss, *kind), loss) for kind in kinds for loss in ("L1", "L2")]
    drawn = [drawn[i] for i in t.random.permutation(len(drawn))]
    came = []
    for problem, _ in drawn:
        with explained(MEDIAN_PAIR):
            value = t.call(*problem)
        t.require(
            isinstance(value, str) and value in ("L1", "L2"), f'expected was "L1" or "L2"; {describe(value)} came'
        )
        came.append(str(value))
    good = sum(value == loss for value, (_, loss) in zip(came, drawn, strict=True))
    if good < len(drawn):
        constant = f', since it is always "{came[0]}"' if len(set(came)) == 1 else ""
        t.wrong(
            f"{good} of {len(drawn)} outputs were told right{constant}",
            cause_of(t, [problem for problem, _ in drawn], MISTAKES),
        )


def _problem(t: Trial, loss: str, spread: str, first: str) -> tuple[Tensor, Tensor]:
    """An output (C, H, W) and outcomes (7, 9 or 12, C, H, W), at each pixel two of them far off to one side.

    Args:
        loss: of which one the output is the best picture, but for noise, and for a seventh of its pixels, which are
            those of the other: no single pixel tells the two apart, nor is the distance to the right one near 0.
        spread: "little", so that L2 is smaller than L1, or "much", so that it is greater.
        first: is the first outcome far off at "any" pixel, at none ("usual"), or at all ("far")?
    """
    size = 3, t.integer(5, 7), t.integer(8, 10)
    count = COUNTS[t.integer(0, len(COUNTS) - 1)]
    order = t.uniform(count, *size, low=0.0, high=1.0)
    if first != "any":
        order[0] = 2.0 if first == "usual" else -1.0
    is_far = order.argsort(0).argsort(0) < 2
    far = t.uniform(1, low=0.5, high=0.7) if spread == "little" else t.uniform(1, low=2.8, high=3.2)
    side = 1 if t.integer(0, 1) else -1
    usual = t.uniform(*size, low=-0.5, high=0.5) + 0.18 * far * t.uniform(count, *size)
    outcomes = usual + side * far * is_far
    median, mean = outcomes.median(0).values, outcomes.mean(0)
    noise = t.uniform(*size, low=-0.15, high=0.15) * (median - mean).abs() + 0.005 * t.normal(*size)
    strays = t.uniform(*size, low=0.0, high=1.0) < 0.15
    output = torch.where(strays == (loss == "L1"), mean, median)
    return (output + noise).float(), outcomes.float()
