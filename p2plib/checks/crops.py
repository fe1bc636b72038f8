"""The check of joint random crops: each crop is looked up in its picture, so that its place is known for certain.

Right answers draw their numbers in any order, so there is no one result to compare with.  But the pictures
are made so that the first channel has each value once: where a crop comes from can be read off it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from p2plib.checks.compare import describe, dtype, shape
from p2plib.checks.trial import Trial

#: Calls with one pair.  That a right answer misses a place or half of the mirrors is less likely than 1 in 10**9.
CALLS = 500


@dataclass(frozen=True)
class Place:
    """Where a crop comes from."""

    top: int
    left: int
    mirror: bool


def check_jitter(t: Trial) -> None:
    """A wide and a tall pair, many calls each; the generator decides; no freedom at all."""
    for height, width in ((10, 13), (13, 11)):
        size = 8
        channels = (3, 4) if width > height else (2, 1)
        pair = numbered(t, channels[0], height, width), numbered(t, channels[1], height, width)
        first, second = _places(t, pair, size, CALLS)
        _same_for_both(t, first, second, width - size)
        _moves(t, first, height - size, width - size)
        _mirrors(t, first)
        _evenly(t, first, height - size, width - size)
    t.right("crops and mirrors are right")
    _generator_decides(t)
    t.right("the generator decides")
    pair = numbered(t, 3, 9, 9), numbered(t, 3, 9, 9)
    _places(t, pair, 9, 20)


def numbered(t: Trial, channels: int, height: int, width: int) -> Tensor:
    """A uint8 picture whose first channel has no value twice (at most 256 pixels)."""
    picture = t.bytes(channels, height, width)
    picture[0] = torch.from_numpy(t.random.permutation(256)[: height * width].reshape(height, width)).to(torch.uint8)
    return picture


def _places(t: Trial, pair: tuple[Tensor, Tensor], size: int, calls: int) -> tuple[list[Place], list[Place]]:
    """Call many times, each time with what the generator gives next; where all crops come from."""
    generator = t.generator()
    came = [t.call(*pair, size, generator), *t.call_often(calls - 1, *pair, size, generator)]
    places: tuple[list[Place], list[Place]] = ([], [])
    for value in came:
        both = t.several(value, ("the crop of the input", "the crop of the target"))
        for crop, picture, name, found in zip(both, pair, ("input", "target"), places, strict=True):
            found.append(_place(t, crop, picture, size, name))
    return places


def _place(t: Trial, crop: Any, picture: Tensor, size: int, name: str) -> Place:
    """Where in the picture this crop lies; ends the trial if it is none."""
    expected = (picture.shape[0], size, size)
    if not isinstance(crop, Tensor):
        t.wrong(f"the crop of the {name} is {describe(crop)}; expected was a uint8 tensor of shape {expected}")
    if tuple(crop.shape) != expected:
        t.wrong(f"the crop of the {name} has shape {shape(crop)}; expected was {expected}")
    place = find(crop, picture)
    if crop.dtype != picture.dtype:
        t.said += [f"the shape is right, {expected}", *(["so are the values"] if place else [])]
        t.wrong(f"the crop of the {name} is {dtype(crop)}; expected was uint8, as it came in")
    if place is None:
        t.right(f"shape and dtype are right, {expected} uint8")
        t.wrong(f"the crop of the {name} is no part of it, plain or mirrored left to right", _otherwise(crop, picture))
    return place


def find(crop: Tensor, picture: Tensor) -> Place | None:
    """The place of a crop, if it is one; a crop of a mirrored picture is a mirrored crop of the picture."""
    for mirror in (False, True):
        plain = crop.flip(-1) if mirror else crop
        at = (picture[0] == plain[0, 0, 0]).nonzero()
        for top, left in at.tolist():
            if torch.equal(picture[:, top : top + crop.shape[1], left : left + crop.shape[2]].to(crop.dtype), plain):
                return Place(top, left, mirror)
    return None


def _otherwise(crop: Tensor, picture: Tensor) -> str | None:
    """The cause, if the crop is one after some other turn."""
    if find(crop.flip(-2), picture):
        return "It is mirrored top to bottom. Which dimension of (C, H, W) runs from left to right?"
    if crop.shape[0] > 1 and find(crop.flip(0), picture):
        return "The channels come in reverse order. Is the last dimension meant, -1, in place of the first?"
    if find(crop.transpose(-2, -1), picture):
        return "Rows and columns have changed places. What does `flip(-1)` do in place of it?"
    return None


def _same_for_both(t: Trial, first: Sequence[Place], second: Sequence[Place], right: int) -> None:
    """The crops of input and target come from one place and are mirrored together."""
    t.right("each crop is part of its picture")
    apart = any((a.top, a.left) != (b.top, b.left) for a, b in zip(first, second, strict=True))
    twice = any(len({(p.top, p.left) for p in places}) > 1 for places in (first, second))
    alike = [(a, b) for a, b in zip(first, second, strict=True) if a.mirror == b.mirror]
    both = [(a, b) for a, b in alike if (a.top, a.left) != (b.top, b.left)]
    if both and all(a.mirror and a.top == b.top and a.left + b.left == right for a, b in both):
        t.wrong(
            "input and target are cut at different places where they are mirrored",
            "Is one of them mirrored before it is cut, and the other after?",
        )
    if apart and not both:
        t.wrong("where only one of the two is mirrored, they are also cut at different places")
    t.require(
        not apart,
        "input and target are cut at different places",
        "Are the numbers drawn twice, once for each picture?" if _all_vary(first, second) and twice else None,
    )
    if any(a.mirror != b.mirror for a, b in zip(first, second, strict=True)):
        t.right("both are cut at the same place")
        only = [n for n, places in (("input", first), ("target", second)) if any(p.mirror for p in places)]
        if len(only) == 1:
            found, cause = f"only the {only[0]} is ever mirrored", "Which picture does the `flip` leave out?"
        else:
            found, cause = "one is mirrored where the other is not", "Is the mirror drawn twice, once for each picture?"
        t.wrong(found, cause if len(only) == 1 or _drawn_twice(first, second) else None)


def _all_vary(*several: Sequence[Place]) -> bool:
    return all(len({(p.top, p.left) for p in places}) > 1 for places in several)


def _drawn_twice(first: Sequence[Place], second: Sequence[Place]) -> bool:
    """Do all four combinations of plain and mirrored come up?"""
    return len({(a.mirror, b.mirror) for a, b in zip(first, second, strict=True)}) == 4


def _moves(t: Trial, places: Sequence[Place], down: int, right: int) -> None:
    """Every place from the first to the last row and column is reached."""
    t.right("input and target are treated alike")
    at = {(p.top, p.left) for p in places}
    if len(at) == 1:
        t.wrong("every call cuts at the same place", _why_fixed(t))
    last = max(top for top, _ in at), max(left for _, left in at)
    if last == (down - 1, right - 1) and len(at) == down * right:
        t.wrong(
            f"crops begin at rows 0 to {last[0]} and columns 0 to {last[1]}; {down} and {right} are possible, too",
            "The last row and column are never cut out. `torch.randint` stops below its upper end: is a `+ 1` missing?",
        )
    missed = [w for w, n, m in (("row", 0, down), ("column", 1, right)) if {a[n] for a in at} != set(range(m + 1))]
    if missed:
        low, high = min(a[missed[0] == "column"] for a in at), max(a[missed[0] == "column"] for a in at)
        most = down if missed[0] == "row" else right
        t.wrong(f"crops begin at {missed[0]}s {low} to {high}; expected were all from 0 to {most}")
    if len(at) < (down + 1) * (right + 1):
        together = all(top == left for top, left in at) or len(at) <= max(down, right) + 1
        t.wrong(
            "all rows and all columns come up, but not in all combinations",
            "Is one number drawn for both, in place of one for the row and one for the column?" if together else None,
        )


def _why_fixed(t: Trial) -> str | None:
    """Certain if the answer seeds the generator that it was given: then it is found with another seed."""
    input = target = numbered(t, 1, 9, 9)
    generator = t.generator()
    seed = generator.initial_seed()
    t.attempt(t.answers[0], input, target, 8, generator)
    return "Does it give `generator` a new seed at every call?" if generator.initial_seed() != seed else None


def _mirrors(t: Trial, places: Sequence[Place]) -> None:
    """About half are mirrored: within 7.5 standard deviations."""
    count = sum(p.mirror for p in places)
    t.right("every place is reached")
    t.require(count > 0, "no pair is ever mirrored; expected was one half of them, at random")
    t.require(count < len(places), "every pair is mirrored; expected was one half of them, at random")
    slack = 7.5 * len(places) ** 0.5 / 2
    more = "more" if count > len(places) / 2 else "less"
    t.require(abs(count - len(places) / 2) < slack, f"far {more} than half of the pairs are mirrored")


def _evenly(t: Trial, places: Sequence[Place], down: int, right: int) -> None:
    """First and last rows and columns as often as others, and the mirror whatever the place: within 6 deviations."""
    count = len(places)
    for name, at, last in (("row", [p.top for p in places], down), ("column", [p.left for p in places], right)):
        share = 2 / (last + 1)
        ends = sum(place in (0, last) for place in at)
        t.require(
            ends > count * share - 6 * (count * share * (1 - share)) ** 0.5,
            f"crops begin at the first and the last {name} less often than at those between",
        )
        for some in range(last + 1):
            flips = [p.mirror for p, place in zip(places, at, strict=True) if place == some]
            t.require(
                abs(sum(flips) - len(flips) / 2) <= 3 * len(flips) ** 0.5,  # 6 deviations
                f"whether a pair is mirrored depends on the {name} at which it is cut",
                "Is the mirror drawn by a random number of its own?",
            )


def _generator_decides(t: Trial) -> None:
    """The same seed gives the same crops, whatever the global random numbers are; another seed gives others."""
    pair = numbered(t, 3, 13, 12), numbered(t, 3, 13, 12)
    seeds = [t.integer(0, 2**31) for _ in range(41)]  # odd: a coin that only alternates is found out
    twice = [[_place_of(t, pair, seed) for seed in seeds] for _ in range(2)]
    once, again = twice
    cut = any((a.top, a.left) != (b.top, b.left) for a, b in zip(once, again, strict=True))
    flipped = any(a.mirror != b.mirror for a, b in zip(once, again, strict=True))
    if cut or flipped:
        what = "the crop and the mirror are" if cut and flipped else "the crop is" if cut else "the mirror is"
        t.wrong(
            f"with the generator set to the same seed, {what} not the same again",
            "Is every random number drawn with `generator=generator`?",
        )
    t.require(
        len({(p.top, p.left) for p in once}) > 1,
        "generators with different seeds all give the same crop",
    )


def _place_of(t: Trial, pair: tuple[Tensor, Tensor], seed: int) -> Place:
    crop, _ = t.several(t.call(*pair, 8, t.generator(seed)), ("the crop of the input", "the crop of the target"))
    return _place(t, crop, pair[0], 8, "input")
