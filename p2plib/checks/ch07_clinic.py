"""Exercises of chapter 07: eight runs that went wrong, each to be named."""

from __future__ import annotations

from p2plib.checks.diagnosis import check_run
from p2plib.checks.registry import Exercise, Part
from p2plib.clinic.show import LETTERS

#: Where to look in each run, first and then; never what to conclude.
HINTS = {
    "a": (
        "Are the outputs too sharp or too soft, beside their targets? Then look at the curve of the distance.",
        "Look at D's say. Which two of the names leave D nearly alone with G?",
        "Those two differ in whether D sees the input. Does the output follow it: compare the distance to the own "
        "target with that to another's.",
    ),
    "b": (
        "Look at the curve of the distance first: from its first point to its last.",
        "What would have to be true for a curve to stay there? The first line of the numbers says it.",
    ),
    "c": (
        "Lay the curves over those of the healthy run. Where do they part?",
        "If the curves are good and the pictures are not: what lies between the training and the pictures? Compare "
        "*L1, held out* with *L1, shown*.",
    ),
    "d": (
        "Look at D's accuracy: how does it differ from the healthy one, and from what you have seen in other runs?",
        "D's loss comes down and then stays. At which value? What is the lowest that your loss of 4.1 can give?",
    ),
    "e": (
        "Look at the water in the outputs, beside their inputs. What is in it that the map does not have?",
        "In the healthy run L1 is alike in training and held out. How is it here? What may have been done to training "
        "pairs alone?",
    ),
    "f": (
        "How does the distance begin, and how does it end? Compare with the healthy run.",
        "The first line of the numbers is far from that of the healthy run. What sends weights so far?",
    ),
    "g": (
        "Lay the outputs beside each other, and then beside their inputs. What do they have in common?",
        "Compare the distance to the own target with that to another pair's: how much do the outputs follow the map?",
        "Which part of pix2pix makes G care for its input when L1 is silent?",
    ),
    "h": (
        "Look at D's accuracy and at both curves of the game.",
        "Two names have a D that knows all. In one of them G stands still. Does it here? See *G has moved*, and the "
        "distance.",
    ),
}

EXERCISES = tuple(
    Exercise(
        id=f"7.{number}",
        title=f"run {letter}",
        parts=(Part(f"run_{letter}", kind="value"),),
        check=check_run(letter),
        hints=HINTS[letter],
    )
    for number, letter in enumerate(LETTERS, 1)
)
