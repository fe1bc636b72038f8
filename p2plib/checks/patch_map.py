"""Exercise 5.4: how many logits the 70-px discriminator gives for a picture."""

from __future__ import annotations

import math

from p2plib.checks.trial import Mistake, Stop, Trial
from p2plib.checks.whole import compare_whole


def map_side(side: int) -> int:
    """Side of the map that the 70-px discriminator gives for a picture of this side.

    Raises:
        ValueError: if no logit is left, below 24 px.
    """
    left = _left(side)
    if left < 1:
        raise ValueError(f"no logit is left of a side of {side} px: it takes 24 or more")
    return left


def _left(side: int, padding: int = 1) -> int:
    for stride in (2, 2, 2, 1, 1):
        side = (side + 2 * padding - 4) // stride + 1
    return side


def _up(side: int) -> int:
    for _ in range(3):
        side = (side + 1) // 2
    return side - 2


NEAREST = "It rounds up, or to the nearest. A step of stride 2 that does not fit is left out: is `//` meant?"
OTHER_END = "Each of the two convolutions k4 s1 p1 makes a map smaller by 1. How much is that together?"

MAP_MISTAKES = (
    Mistake("Where do the two convolutions of stride 1 come in?", lambda s: s // 8, lambda s: s / 8),
    Mistake(
        "One convolution of stride 1 is counted. Does the one that gives the logits not make the map smaller, too?",
        lambda s: s // 8 - 1,
        lambda s: s / 8 - 1,
    ),
    Mistake(OTHER_END, *(lambda s, less=less: s // 8 - less for less in (3, 4)), lambda s: s // 8 + 2),
    Mistake(
        "Each layer of stride 1 takes away 3 here. What does a padding of 1 on both ends give back?",
        lambda s: s // 8 - 6,
    ),
    Mistake(NEAREST, _up, lambda s: math.ceil(s / 8) - 2, lambda s: round(s / 8) - 2, lambda s: math.ceil(s / 8 - 2)),
    Mistake(
        "`/` gives a fraction. A step of stride 2 that does not fit is left out: is `//` meant?",
        lambda s: s / 8 - 2,
    ),
    Mistake("A side is whole. Where does a float come in?", lambda s: float(s // 8 - 2), lambda s: s // 8 - 2.0),
    Mistake(
        "Four layers of stride 2 are counted. How many has the 70-px discriminator?",
        lambda s: s // 16 - 2,
        lambda s: s // 16 - 1,
        lambda s: s // 16,
    ),
    Mistake("Two layers of stride 2 are counted. How many has the 70-px discriminator?", lambda s: s // 4 - 2),
    Mistake(
        "All five convolutions halve the side here. Which of them have stride 1?",
        lambda s: s // 32,
    ),
    Mistake(
        "Only the patches that lie wholly inside of the picture are counted. Where does the padding of 1 come in?",
        lambda s: _left(s, padding=0),
        lambda s: (s - 70) // 8,
    ),
    Mistake("It is 30 whatever the side is. Where does `side` come in?", lambda s: 30),
    Mistake(
        "It refuses a picture smaller than the 70-px field. Does padding not fill the rest of the patch?",
        lambda s: s // 8 - 2 if s >= 70 else None,
        lambda s: s // 8 - 2 if s > 70 else None,
    ),
    Mistake(
        "It refuses sides that are no multiple of 8. Is a step that does not fit an error, or just left out?",
        lambda s: s // 8 - 2 if s % 8 == 0 else None,
    ),
    Mistake(
        "It refuses odd sides. Is a step that does not fit an error, or just left out?",
        lambda s: s // 8 - 2 if s % 2 == 0 else None,
    ),
    Mistake(
        "It refuses a side of 24, too. What is left of 24 after three halvings?",
        lambda s: s // 8 - 2 if s > 24 else None,
    ),
    Mistake(
        "It refuses a map of one logit. Is one logit none?",
        lambda s: s // 8 - 2 if s // 8 - 2 > 1 else None,
    ),
)
NOT_REFUSED = "Is there a `raise ValueError(…)` for every side that leaves a map smaller than 1?"


def check_map(t: Trial) -> None:
    """Sides that are multiples of 8 and that are not, the smallest one, and those below it, which are refused."""
    sides = [256, 512, 64, 70, 100, 255, 31, 45, 24, 32, 2 * t.integer(80, 200) + 1]
    compare_whole(t, [(side,) for side in sides], lambda side: _left(side), MAP_MISTAKES)
    t.right("the sides from 24 on are right")
    for side in (23, 16, 12, 8, 1):
        try:
            t.refuses(ValueError, side, because=f"a side of {side} leaves no logit")
        except Stop as stop:
            if stop.cause is None and "came back" in stop.message:
                stop.cause = NOT_REFUSED
            raise
    _sentence(t, 23)


def _sentence(t: Trial, side: int) -> None:
    """Advise if the refusal does not say what came."""
    error = t.attempt(t.answers[0], side, names=t.exercise.parts[0].parameters).error
    if not str(error).strip():
        t.advise("Your `ValueError` comes without a sentence. Which side came, and what does it take?")
    elif str(side) not in str(error):
        t.advise(f"The sentence of your `ValueError` does not name the side that came: for {side} it is “{error}”.")
