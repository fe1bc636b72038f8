"""Exercise 2.1: the side of what a convolution gives, and a transposed one."""

from __future__ import annotations

import math

from p2plib.checks.trial import Mistake, Trial
from p2plib.checks.whole import compare_whole


def conv_side(side: int, kernel: int, stride: int, padding: int) -> int:
    """Side of what `nn.Conv2d` gives for a map of this side."""
    return (side + 2 * padding - kernel) // stride + 1


def transposed_side(side: int, kernel: int, stride: int, padding: int) -> int:
    """Side of what `nn.ConvTranspose2d` gives, without output padding."""
    return (side - 1) * stride - 2 * padding + kernel


ONE_LAYER = "It is right for kernel 4, stride 2, padding 1 only. Where do the three come in?"
SWAPPED = "It is the formula of the other one. Which of them makes a map larger?"
CONV_MISTAKES = (
    Mistake(
        "`/` gives a fraction. A step that does not fit is left out: is `//` meant?",
        lambda s, k, t, p: (s + 2 * p - k) / t + 1,
        lambda s, k, t, p: (s + 2 * p - k + t) / t,
    ),
    Mistake("`//` between floats gives a float. Is everything whole?", lambda s, k, t, p: (s + 2.0 * p - k) // t + 1),
    Mistake(
        "It rounds up. A step that does not fit is left out: is `//` meant?",
        lambda s, k, t, p: math.ceil((s + 2 * p - k) / t) + 1,
        lambda s, k, t, p: math.ceil((s + 2 * p - k) / t + 1),
    ),
    Mistake(
        "It rounds to the nearest. A step that does not fit is left out: is `//` meant?",
        lambda s, k, t, p: round((s + 2 * p - k) / t) + 1,
        lambda s, k, t, p: round((s + 2 * p - k) / t + 1),
    ),
    Mistake("The padding is counted once. Does it not come on both ends?", lambda s, k, t, p: (s + p - k) // t + 1),
    Mistake("Where does the padding come in?", lambda s, k, t, p: (s - k) // t + 1),
    Mistake(
        "One is missing: the place where the kernel begins. Is a `+ 1` left out?",
        lambda s, k, t, p: (s + 2 * p - k) // t,
    ),
    Mistake("The `+ 1` is divided, too. Does it come after the division?", lambda s, k, t, p: (s + 2 * p - k + 1) // t),
    Mistake(
        "Where does the kernel come in?", lambda s, k, t, p: (s + 2 * p) // t + 1, lambda s, k, t, p: (s + 2 * p) // t
    ),
    Mistake("Where does the stride come in?", lambda s, k, t, p: s + 2 * p - k + 1),
    Mistake("The padding makes it smaller. Has it the right sign?", lambda s, k, t, p: (s - 2 * p - k) // t + 1),
    Mistake(
        "The division takes only the kernel. Are there parentheses around the sum?",
        lambda s, k, t, p: s + 2 * p - k // t + 1,
    ),
    Mistake(
        "Two divisions are rounded, each for itself. Are there parentheses around the sum?",
        lambda s, k, t, p: (s + 2 * p) // t - k // t + 1,
    ),
    Mistake(SWAPPED, transposed_side),
    Mistake(ONE_LAYER, lambda s, k, t, p: s // 2),
    Mistake("It is the side divided by the stride. Where do kernel and padding come in?", lambda s, k, t, p: s // t),
)
TRANSPOSED_MISTAKES = (
    Mistake("The padding makes it larger. Has it the right sign?", lambda s, k, t, p: (s - 1) * t + 2 * p + k),
    Mistake("The padding is counted once. Is it not cut off on both ends?", lambda s, k, t, p: (s - 1) * t - p + k),
    Mistake("Where does the padding come in?", lambda s, k, t, p: (s - 1) * t + k),
    Mistake(
        "There is one step too many: between n places there are n − 1. Is `side - 1` meant?",
        lambda s, k, t, p: s * t - 2 * p + k,
    ),
    Mistake("Where does the kernel come in?", lambda s, k, t, p: (s - 1) * t - 2 * p),
    Mistake(
        "It is off by one. Is there a `+ 1` from the other formula?",
        lambda s, k, t, p: (s - 1) * t - 2 * p + k + 1,
        lambda s, k, t, p: (s - 1) * t - 2 * p + k - 1,
    ),
    Mistake("Where does the stride come in?", lambda s, k, t, p: s - 1 - 2 * p + k),
    Mistake(
        "The stride multiplies 1 only, or nothing. Are there parentheses around `side - 1`?",
        lambda s, k, t, p: s - 1 * t - 2 * p + k,
    ),
    Mistake(SWAPPED, conv_side),
    Mistake(
        "It is the other formula with a multiplication. Set windows down on paper: where does the last one begin?",
        lambda s, k, t, p: (s + 2 * p - k) * t + 1,
        lambda s, k, t, p: (s - 2 * p - k) * t + 1,
        lambda s, k, t, p: (s + 2 * p - k + 1) * t,
    ),
    Mistake(ONE_LAYER, lambda s, k, t, p: s * 2),
    Mistake("It is the side times the stride. Where do kernel and padding come in?", lambda s, k, t, p: s * t),
    Mistake("A side is a whole number. Where does a float come in?", lambda s, k, t, p: (s - 1) * t - 2.0 * p + k),
)


def check_sizes(t: Trial) -> None:
    """The layer of pix2pix, then kernels, strides and paddings that differ from each other and do not fit evenly."""
    cases = [
        (256, 4, 2, 1),
        (7, 4, 2, 1),
        (31, 4, 1, 1),
        (14, 3, 2, 0),
        (15, 5, 3, 2),
        (13, 2, 5, 0),
        (9, 7, 4, 3),
        (12, 7, 4, 0),
    ]
    cases.append((t.integer(20, 60), t.integer(2, 7), t.integer(2, 5), t.integer(2, 3)))
    for of, (right, mistakes) in enumerate(((conv_side, CONV_MISTAKES), (transposed_side, TRANSPOSED_MISTAKES))):
        compare_whole(t, cases, right, mistakes, of=of)
        t.right(f"`{t.exercise.parts[of].name}` is right")
