"""Exercise 0.1: a warm-up, to learn how checks talk."""

from __future__ import annotations

from torch import Tensor

from p2plib.checks.registry import Exercise, Part
from p2plib.checks.trial import Case, Mistake, Trial


def half(picture: Tensor) -> Tensor:
    """The left half of a picture (C, H, W) whose width is even → (C, H, W/2)."""
    return picture[:, :, : picture.shape[2] // 2]


MISTAKES = (
    Mistake("This is the right half. On which side of the `:` does the middle stand?", lambda p: p[:, :, _w(p) :]),
    Mistake(
        "This is the upper half. The shape is (channels, height, width): which dimension runs from left to right?",
        lambda p: p[:, : p.shape[1] // 2],
    ),
    Mistake(
        "Rows were cut, by half of the width. The width is the last dimension: does the cut stand there too?",
        lambda p: p[:, : _w(p)],
        lambda p: p[:, : _w(p), :],
    ),
    Mistake(
        "The columns were cut at half of the height. Is the width `shape[1]` or `shape[2]`?",
        lambda p: p[:, :, : p.shape[1] // 2],
    ),
    Mistake("The first dimension, the channels, was cut. Which one is the width?", lambda p: p[: _w(p)]),
    Mistake("This is every second column. Is `: n` meant, in place of `:: 2`?", lambda p: p[:, :, ::2]),
    Mistake("The values are halved. Is half of the *picture* meant?", lambda p: p // 2, lambda p: p / 2),
)


def check_half(t: Trial) -> None:
    """Pictures of several channels, taller than wide and wider than tall."""
    shapes = ((3, 7, 10), (5, 12, 6), (1, 5, 8), (4, 5, 2 * t.integer(8, 11)), (3, 2 * t.integer(7, 9), 22))
    cases = [Case((picture,), half(picture)) for picture in (t.bytes(*shape) for shape in shapes)]
    t.compare(cases, ("the half",), mistakes=MISTAKES)


def _w(picture: Tensor) -> int:
    return picture.shape[2] // 2


EXERCISES = (
    Exercise(
        id="0.1",
        title="half a picture",
        parts=(Part("half", ("picture",), half),),
        check=check_half,
        hints=(
            "A picture has the shape (channels, height, width). Which of the three has to become half as long?",
            "`picture.shape[2]` is the width; `//` divides and gives a whole number.",
            "`picture[:, :, :n]` keeps all channels, all rows, and the first `n` columns.",
        ),
    ),
)
