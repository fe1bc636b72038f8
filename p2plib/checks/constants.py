"""The check of the best constant: the one picture that is nearest, on average, to many plausible ones.

It is judged by the distance that it reaches: with an even number of outcomes many pictures reach the least L1.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from p2plib.checks.causes import MEDIAN_PAIR, RETURNS_TWO, cause_of, explained
from p2plib.checks.compare import Unlike, describe, number, require_tensor, shape
from p2plib.checks.trial import Mistake, Trial

#: How much farther than the best a picture may lie: the rounding of float32.
SLACK = {"L1": 1e-5, "L2": 1e-9}
Distance = Callable[[Tensor, Tensor], Tensor]


def best_l1(outcomes: Tensor) -> Tensor:
    """The picture (*shape) with the smallest mean |picture − outcome| to float outcomes (N, *shape), N ≥ 1."""
    return outcomes.median(dim=0).values


def best_l2(outcomes: Tensor) -> Tensor:
    """The picture (*shape) with the smallest mean (picture − outcome)² to float outcomes (N, *shape), N ≥ 1."""
    return outcomes.mean(dim=0)


NO_DIM = "This is one number for the whole stack. Along which dimension do the outcomes lie, and what should remain?"
OTHER_DIM = "Pixels of one picture are put together. Which dimension counts the outcomes?"
ONE = "This is one of the outcomes. What have the others to say?"

SHARED = (
    Mistake(
        "This is the middle between the least and the greatest value. Do the outcomes between them matter?",
        lambda x: (x.amin(0) + x.amax(0)) / 2,
    ),
    Mistake(ONE, lambda x: x[0], lambda x: x[-1]),
    Mistake(
        "This is the outcome in the middle of the list, in the order in which they came. Is a sort missing?",
        lambda x: x[len(x) // 2],
        lambda x: x[(len(x) - 1) // 2],
    ),
    Mistake("This is the most frequent value. Is it near to the others as well?", lambda x: x.mode(0).values),
    Mistake("The outcomes are added up. Is a division by their number missing?", lambda x: x.sum(0)),
)

L1_MISTAKES = (
    *SHARED,
    Mistake(NO_DIM, lambda x: x.median(), lambda x: x.mean(), lambda x: x.quantile(0.5)),
    Mistake(OTHER_DIM, lambda x: x.median(1).values, lambda x: x.median(-1).values, lambda x: x.mean(-1)),
    Mistake(OTHER_DIM, lambda x: x.mean(1), lambda x: x.quantile(0.5, 1), lambda x: x.quantile(0.5, -1)),
    Mistake("This is the mean of the outcomes. For which of the two losses is it the best?", best_l2),
)

L2_MISTAKES = (
    *SHARED,
    Mistake(NO_DIM, lambda x: x.mean(), lambda x: x.median(), lambda x: x.quantile(0.5)),
    Mistake(OTHER_DIM, lambda x: x.mean(1), lambda x: x.mean(-1), lambda x: x.median(1).values),
    Mistake(OTHER_DIM, lambda x: x.median(-1).values),
    Mistake(
        "This is the median of the outcomes. For which of the two losses is it the best?",
        best_l1,
        lambda x: x.quantile(0.5, 0),
        lambda x: x.sort(0).values[len(x) // 2],
    ),
    Mistake("The mean is taken of squares. Are the outcomes themselves meant?", lambda x: (x**2).mean(0)),
    Mistake("The mean is taken of squares. Are the outcomes themselves meant?", lambda x: (x**2).mean(0).sqrt()),
)


def check_constants(t: Trial) -> None:
    """Skewed outcomes, odd and even in number, some alike, one far off; then single numbers, and N of 1 and 2."""
    pictures = [_skewed(t, n, *shape) for n, shape in ((7, (3, 5, 6)), (t.integer(4, 5) * 2, (4,)), (9, (2, 3)))]
    pictures.append((_skewed(t, 11, 3, 4) * 4).round() / 4)  # many alike
    pictures[2][t.integer(1, 7)] += 6.0  # an outlier
    pictures.append(_skewed(t, 5, 2, 3, 4).double())
    few = [_skewed(t, n, *shape) for n, shape in ((5, ()), (6, ()), (1, (3, 4)), (2, (5,)), (1, ()))]
    kinds: tuple[tuple[str, Distance, Callable[[Tensor], Tensor], tuple[Mistake, ...]], ...] = (
        ("L1", lambda a, b: (a - b).abs(), best_l1, L1_MISTAKES),
        ("L2", lambda a, b: (a - b) ** 2, best_l2, L2_MISTAKES),
    )
    for of, (name, distance, best, mistakes) in enumerate(kinds):
        for outcomes in (*pictures, *few):
            with explained(MEDIAN_PAIR):
                value = t.call(outcomes.clone(), of=of)
            try:
                _judge(t, value, outcomes, best(outcomes), name, distance)
            except Unlike as unlike:
                t.said += unlike.right
                stacks = [(stack,) for stack in pictures]
                alike = cause_of(t, stacks, mistakes, of=of, tolerance=1e-5)
                t.wrong(unlike.found, RETURNS_TWO if _is_pair(value) or "the medians stood" in unlike.found else alike)
        t.right(f"`{t.exercise.parts[of].name}` is right")


def _skewed(t: Trial, count: int, *shape: int) -> Tensor:
    """float32 outcomes of which most are small and few large, so that the mean lies above the median."""
    return t.uniform(count, *shape, low=0.0, high=1.0, dtype=torch.float32) ** 3 * 2 - 0.9


def _judge(t: Trial, value: Any, outcomes: Tensor, best: Tensor, name: str, distance: Distance) -> None:
    """Raises Unlike unless the value is a picture as near as the best one."""
    if best.dim() == 0 and isinstance(value, float | int) and not isinstance(value, bool):
        value = torch.tensor(float(value))  # one number for one number
    if isinstance(value, Tensor) and value.is_floating_point():
        value = value.to(best.dtype)
    if _is_pair(value):
        raise Unlike([], f"`best_{name.lower()}` returned two tensors; expected was one, of shape {shape(best)}")
    if isinstance(value, Tensor) and not value.is_floating_point():
        places = value.shape == best.shape and torch.equal(value, outcomes.median(0).indices)
        what = "the places where the medians stood" if places else "whole numbers"
        raise Unlike([], f"the result of `best_{name.lower()}` is {describe(value)}, {what}; expected was a picture")
    require_tensor(value, best, f"the result of `best_{name.lower()}`", tolerance=torch.inf)
    reached, least = (distance(picture.double(), outcomes.double()).mean(0) for picture in (value.detach(), best))
    if not bool((reached - least <= SLACK[name]).all()):
        far, near = float(reached.mean()), float(least.mean())
        more = "" if number(far) != number(near) else f" (it is {number(far - near)} more)"
        raise Unlike(
            [f"the shape of the result of `best_{name.lower()}` is right, {shape(best)}"],
            f"its {name} distance to the {len(outcomes)} outcomes is {number(far)} on average; "
            f"{number(near)} can be reached{more}",
        )


def _is_pair(value: Any) -> bool:
    """PyTorch's own pair of values and places, or another pair of them."""
    pair = isinstance(value, tuple | list) and len(value) == 2 and all(isinstance(v, Tensor) for v in value)
    return pair and value[1].dtype == torch.int64 and value[0].shape == value[1].shape
