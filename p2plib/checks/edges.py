"""The check of reading a blur: the mean of sharp edges holds where the edges were, and what the median would show."""

from __future__ import annotations

import torch
from torch import Tensor

from p2plib.checks.trial import Case, Mistake, Trial

TOLERANCE = 1e-5
#: Pictures behind one profile. Odd: no pixel lies exactly in the middle, where the median is free to choose.
PICTURES = 41


def edge_places(profile: Tensor, left: float, right: float) -> Tensor:
    """The probability that the edge lies between a pixel and the next one: (n,) → (n − 1,).

    Args:
        profile: float (n,): the mean of many lines, each `left` before its one edge and `right` after it.  Edges
            before the first or after the last pixel are in none of the places: the probabilities need not sum to 1.
        left, right: two different values; either may be the larger.
    """
    return profile.diff() / (right - left)


def l1_profile(profile: Tensor, left: float, right: float) -> Tensor:
    """What the median of the same lines shows, (n,) → (n,): `right` where more than half of them are, else `left`."""
    after = (profile - left) / (right - left) > 0.5
    return torch.where(after, torch.full_like(profile, right), torch.full_like(profile, left))


def _share(p: Tensor, left: float, right: float) -> Tensor:
    """Of the pictures, those that have passed their edge: (n,)."""
    return (p - left) / (right - left)


def _two(after: Tensor, p: Tensor, left: float, right: float) -> Tensor:
    return torch.where(after, torch.full_like(p, right), torch.full_like(p, left))


def _most_probable(p: Tensor, left: float, right: float) -> Tensor:
    return _two(torch.arange(len(p)) > edge_places(p, left, right).argmax(), p, left, right)


LENGTH = "There is one value for each pixel. How many places are there *between* n pixels?"
RISING = "It is right for edges that get brighter only. What if `left` is the larger?"

PLACES_MISTAKES = (
    Mistake(
        "These are steps of the picture's values. Which step would an edge make that is there in every picture?",
        lambda p, a, b: p.diff(),
        lambda p, a, b: p.diff().abs(),
    ),
    Mistake(
        "The steps are divided by `right` alone. How large is the whole step from `left` to `right`?",
        lambda p, a, b: p.diff() / b,
    ),
    Mistake(
        "They sum to 1 in every profile. Must the edge lie within the line?",
        lambda p, a, b: p.diff() / p.diff().sum(),
        lambda p, a, b: p.diff().abs() / p.diff().abs().sum(),
        lambda p, a, b: p.diff() / (p.max() - p.min()),
        lambda p, a, b: p.diff().abs() / (p.max() - p.min()),
    ),
    Mistake(
        "Every sign is the other one: probabilities below 0. In which order are the two subtracted, here and there?",
        lambda p, a, b: p.diff() / (a - b),
    ),
    Mistake(RISING, lambda p, a, b: p.diff() / abs(b - a), lambda p, a, b: p.diff().abs() / (b - a)),
    Mistake(
        LENGTH,
        lambda p, a, b: torch.cat([torch.zeros(1), p.diff() / (b - a)]),
        lambda p, a, b: torch.cat([p.diff() / (b - a), torch.zeros(1)]),
        lambda p, a, b: torch.gradient(p)[0] / (b - a),
    ),
    Mistake(LENGTH, lambda p, a, b: (p - p.roll(1)) / (b - a), lambda p, a, b: (p.roll(-1) - p) / (b - a)),
    Mistake(
        "This is the share of pictures that have passed their edge. How much does it grow from one pixel to the next?",
        _share,
        lambda p, a, b: _share(p, a, b)[1:],
        lambda p, a, b: _share(p, a, b)[:-1],
    ),
)

PROFILE_MISTAKES = (
    Mistake(
        "The line is cut at 0.5. Where is half of the way from `left` to `right`?",
        lambda p, a, b: _two(p > 0.5, p, a, b),
        lambda p, a, b: _two((p > 0.5) == (b > a), p, a, b),
    ),
    Mistake(
        "The line is cut at 0. Where is half of the way from `left` to `right`?",
        lambda p, a, b: _two(p > 0, p, a, b),
        lambda p, a, b: _two((p > 0) == (b > a), p, a, b),
    ),
    Mistake(
        "The line is cut at half of the difference. From where is that measured?",
        lambda p, a, b: _two(p > (b - a) / 2, p, a, b),
        lambda p, a, b: _two((p > (b - a) / 2) == (b > a), p, a, b),
    ),
    Mistake(
        "The edge stands at its most probable place. Are as many of the edges before it as after it?",
        _most_probable,
    ),
    Mistake(
        "The line is cut at the mean of the profile. Where is half of the way from `left` to `right`?",
        lambda p, a, b: _two(p > p.mean(), p, a, b),
        lambda p, a, b: _two((p > p.mean()) == (b > a), p, a, b),
    ),
    Mistake(
        "The line is cut half-way between its own two ends. Have all edges begun and ended within it?",
        lambda p, a, b: _two((p > (p.min() + p.max()) / 2) == (b > a), p, a, b),
        lambda p, a, b: _two(p > (p.min() + p.max()) / 2, p, a, b),
    ),
    Mistake(
        "Both sides have changed places. What is shown before the edge?",
        lambda p, a, b: _two(_share(p, a, b) < 0.5, p, a, b),
    ),
    Mistake(RISING, lambda p, a, b: _two(p > (a + b) / 2, p, a, b)),
    Mistake(
        "This is the profile itself, the mean. Is a median ever between the two values?",
        lambda p, a, b: p,
        lambda p, a, b: p.clone(),
    ),
    Mistake(
        "This says where the line is `right`. Which values does the picture show there, and elsewhere?",
        lambda p, a, b: _share(p, a, b) > 0.5,
        lambda p, a, b: (_share(p, a, b) > 0.5).to(p.dtype),
        lambda p, a, b: _share(p, a, b).round(),
    ),
    Mistake("This is the share of pictures that have passed their edge. Which values does the picture show?", _share),
)


def check_edges(t: Trial) -> None:
    """Edges that get brighter and darker, all on the line or some before or after it, never evenly spread."""
    ends = ((-0.8, 0.35), (0.9, 0.15), (0.7, -0.45), (-0.95, -0.3), (0.2, 0.9), (-0.15, -0.85))
    outside = ((0, 0), (3, 9), (8, 2), (10, 0), (0, 12), (4, 6))
    profiles = [
        (_profile(t, *pair, *out, spike), *pair) for pair, out, spike in zip(ends, outside, "abbaba", strict=True)
    ]
    cases = [Case(p, edge_places(*p) + 0.0) for p in profiles]  # no -0 in a message
    t.compare(cases, ("the result of `edge_places`",), mistakes=PLACES_MISTAKES, tolerance=TOLERANCE)
    t.right("`edge_places` is right")
    cases = [Case(p, l1_profile(*p)) for p in profiles]
    t.compare(cases, ("the result of `l1_profile`",), mistakes=PROFILE_MISTAKES, of=1, tolerance=TOLERANCE)


def _profile(t: Trial, left: float, right: float, before: int, after: int, spike: str) -> Tensor:
    """The mean of 41 lines of n pixels; `before` and `after` of their edges lie outside.

    A third of the others are at one place near the beginning ("a") or the end ("b"): the most probable place is not
    the middle one.  Drawn again while two known mistakes would cut it alike, or at a pixel, where rounding decides.
    """
    for _ in range(100):
        n = t.integer(12, 16)
        inside = PICTURES - before - after
        many = inside // 3
        edges = [t.integer(4, n - 3) if spike == "a" else t.integer(2, n - 5) for _ in range(inside - many)]
        edges += [1 if spike == "a" else n - 1] * many + [0] * before + [n] * after  # the first pixel behind the edge
        lines = torch.where(torch.arange(n) < torch.tensor(edges)[:, None], left, right)
        profile = lines.double().mean(0).float()
        cuts = torch.stack([profile.mean(), (profile.min() + profile.max()) / 2])
        apart = profile[:, None] - cuts
        if float(apart.abs().min()) > 1e-4 and not torch.equal(apart[:, 0] > 0, apart[:, 1] > 0):
            break
    return profile
