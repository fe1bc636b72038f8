"""Exercise 12.3: the difference of two pictures of one place, by the distance to the nearest edge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from p2plib.checks.causes import cause_of
from p2plib.checks.compare import Unlike, require_tensor
from p2plib.checks.trial import Mistake, Trial
from p2plib.training.large import border_profile

#: Of a float32 mean, however it is summed up.
ROUNDING = 1e-5
LIST = "One tensor of them is asked. `torch.stack` makes it of tensors, `torch.tensor` of numbers: where is it?"


def distances(height: int, width: int, nearest: str = "all") -> Tensor:
    """(height, width): pixels to the nearest edge; "rows" are top and bottom, "columns" left and right."""
    y, x = torch.arange(height)[:, None].expand(height, width), torch.arange(width).expand(height, width)
    bottom, right = height - 1 - y, width - 1 - x
    edges = {"all": (y, bottom, x, right), "corner": (y, x), "rows": (y, bottom), "columns": (x, right)}
    edges |= {"top": (y,), "left": (x,), "bottom": (bottom,), "right": (right,)}
    return torch.stack(edges[nearest]).amin(0)


def by_distance(
    part: Tensor,
    whole: Tensor,
    distance: Tensor | None = None,
    each: Callable[[Tensor], Tensor] = torch.abs,
    choose: Callable[[Tensor, int], Tensor] = torch.eq,
    reduce: Callable[[Tensor], Tensor] = torch.mean,
) -> Tensor:
    """The profile, or what a mistake makes of it."""
    height, width = part.shape[2:]
    distance = distances(height, width) if distance is None else distance
    apart = each(part - whole)
    return torch.stack([reduce(apart[..., choose(distance, d)]) for d in range(min(height, width) // 2)])


def _strips(part: Tensor, whole: Tensor) -> Tensor:
    """The mean over the four lines of each frame, in which corners stand twice."""
    apart, means = (part - whole).abs(), []
    for d in range(min(part.shape[2:]) // 2):
        frame = apart[..., d : apart.shape[2] - d, d : apart.shape[3] - d]
        lines = [frame[..., 0, :], frame[..., -1, :], frame[..., :, 0], frame[..., :, -1]]
        means.append(torch.cat([line.flatten() for line in lines]).mean())
    return torch.stack(means)


def _of_lines(part: Tensor, whole: Tensor) -> Tensor:
    """The mean of the means of four lines."""
    apart, means = (part - whole).abs(), []
    for d in range(min(part.shape[2:]) // 2):
        frame = apart[..., d : apart.shape[2] - d, d : apart.shape[3] - d]
        lines = [frame[..., 0, :], frame[..., -1, :], frame[..., :, 0], frame[..., :, -1]]
        means.append(torch.stack([line.mean() for line in lines]).mean())
    return torch.stack(means)


def _one_farther(*edges: str) -> Callable[[Tensor, Tensor], Tensor]:
    """`height - y` in place of `height - 1 - y`: these edges are taken for one pixel farther away than they are."""

    def like(part: Tensor, whole: Tensor) -> Tensor:
        height, width = part.shape[2:]
        each = [distances(height, width, name) + (name in edges) for name in ("top", "bottom", "left", "right")]
        return by_distance(part, whole, torch.stack(each).amin(0))

    return like


def _edge(name: str) -> Callable[[Tensor, Tensor], Tensor]:
    return lambda p, w: by_distance(p, w, distances(p.shape[2], p.shape[3], name))


def _later(part: Tensor, whole: Tensor) -> Tensor:
    """From distance 1 on."""
    distance, count = distances(part.shape[2], part.shape[3]), min(part.shape[2:]) // 2
    return torch.stack([(part - whole).abs()[..., distance == d + 1].mean() for d in range(count)])


MISTAKES = (
    Mistake(
        "Only some of the edges count. Is the distance that to the nearest of all four?",
        *(_edge(name) for name in ("corner", "rows", "columns", "top", "left", "bottom", "right")),
    ),
    Mistake(
        "The last row is 0 pixels from its edge, and so is the last column. Is the side taken without the 1 of "
        "`height - 1 - y`?",
        *(_one_farther(*edges) for edges in (("bottom", "right"), ("bottom",), ("right",))),
    ),
    Mistake("A corner stands in two of the four lines of a frame. Does it count once?", _strips, _of_lines),
    Mistake("Differences above and below 0 cancel. Is `abs` missing?", lambda p, w: by_distance(p, w, each=lambda x: x),
            lambda p, w: by_distance(w, p, each=lambda x: x)),
    Mistake(
        "Differences above and below 0 cancel before `abs` comes. Is it taken of each difference, or of their mean?",
        lambda p, w: by_distance(p, w, each=lambda x: x).abs(),
    ),
    Mistake("The differences are added up. Is `mean` meant in place of `sum`?",
            lambda p, w: by_distance(p, w, reduce=torch.sum)),
    Mistake("The channels, or the pictures, are added up. Is the mean that over all of them?",
            lambda p, w: by_distance(p, w) * p.shape[1], lambda p, w: by_distance(p, w) * p.shape[0],
            lambda p, w: by_distance(p, w) * p.shape[0] * p.shape[1]),
    Mistake("It is divided by the number of all pixels. How many lie at this distance?",
            lambda p, w: by_distance(p, w, reduce=torch.sum) / p.numel(),
            lambda p, w: by_distance(p, w, reduce=torch.sum) / (p.shape[2] * p.shape[3])),
    Mistake("These are squares. Is |part − whole| meant?", lambda p, w: by_distance(p, w, each=torch.square)),
    Mistake("This is the root of the mean square. Is the mean of |part − whole| meant?",
            lambda p, w: by_distance(p, w, each=torch.square).sqrt()),
    Mistake("These are the largest differences. Is their mean meant?",
            lambda p, w: by_distance(p, w, reduce=torch.amax)),
    Mistake("It is one pixel late: the outermost frame is missing. Where does the count begin?", _later),
    Mistake("Each mean is over everything from there inwards. Is it over the pixels at this distance only?",
            lambda p, w: by_distance(p, w, choose=torch.ge)),
    Mistake("Each mean is over everything from the edge to there. Is it over the pixels at this distance only?",
            lambda p, w: by_distance(p, w, choose=torch.le)),
    Mistake("It begins in the middle. Does the first number belong to the edge?",
            lambda p, w: border_profile(p, w).flip(0)),
    Mistake("Only the first picture, or the first channel, is in it. Where are the others?",
            lambda p, w: border_profile(p[:1], w[:1]), lambda p, w: border_profile(p[:, :1], w[:, :1])),
)  # fmt: skip


def check_profile(t: Trial) -> None:
    """Wider than high, higher than wide; several pictures and channels, and one.  All sides are even."""
    shapes = ((2, 3, 8, 12), (3, 2, 12, 6), (1, 1, 10, 14), (2, 4, 4, 8))
    pairs = [_pair(t, *shape) for shape in shapes]
    for part, whole in pairs:
        value = t.call(part.clone(), whole.clone())
        words = f"for pictures of shape {tuple(part.shape)} "
        try:
            require_tensor(_as_floats(value), border_profile(part, whole), "the profile", ROUNDING)
        except Unlike as unlike:
            t.said += unlike.right
            cause = LIST if isinstance(value, list | tuple) else cause_of(t, pairs, MISTAKES, tolerance=ROUNDING)
            t.wrong(words + unlike.found, cause or _one_more(value, part, whole))


def _pair(t: Trial, *shape: int) -> tuple[Tensor, Tensor]:
    """Two pictures whose difference has either sign, and grows from the edge inwards."""
    part, whole = (t.uniform(*shape, dtype=torch.float32) for _ in range(2))
    return part * (0.3 + 0.2 * distances(shape[2], shape[3])), whole


def _as_floats(value: Any) -> Any:
    """Means may come in double precision, and with a gradient."""
    if not isinstance(value, Tensor):
        return value
    return value.detach().float() if value.dtype == torch.float64 else value.detach()


def _one_more(value: Any, part: Tensor, whole: Tensor) -> str | None:
    """Right as far as it goes, and not the right number of means."""
    right = border_profile(part, whole)
    if not isinstance(value, Tensor) or value.dim() != 1 or not value.is_floating_point() or len(value) == len(right):
        return None
    common = min(len(value), len(right))
    if common and torch.allclose(_as_floats(value)[:common], right[:common], atol=ROUNDING, equal_nan=True):
        return f"They are right as far as they go. How many frames has a picture of {min(part.shape[2:])} px?"
    return None
