"""Known mistakes in the blocks and the U-Net: a question, and the forms that give what the mistake gives."""

from __future__ import annotations

from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from p2plib.checks.networks import Mistakes
from p2plib.checks.replay import Form, leaky

small_slope = partial(functional.leaky_relu, negative_slope=0.01)


def no_activation(x: Tensor) -> Tensor:
    """Nothing."""
    return x


AFTER = tuple(
    Form(down=act, down_steps=steps)
    for act in (leaky, small_slope, functional.relu)
    for steps in (("conv", "norm", "act"), ("conv", "act", "norm"))
)
UP_AFTER = tuple(
    Form(up=act, up_steps=steps)
    for act in (functional.relu, leaky)
    for steps in (("conv", "norm", "act", "drop"), ("conv", "act", "norm", "drop"))
)
BLOCK_ORDER = "Your activation comes after the convolution. Which of the two comes first in this block?"


def encoder_mistakes(place: str, order: str) -> Mistakes:
    """Those in the activation of a block that halves; `place` is " in the encoder" or nothing."""
    return (
        (f"There is a ReLU{place}. Is `LeakyReLU(0.2)` meant?", (Form(down=functional.relu),)),
        (
            "The slope below 0 is 0.01, which `LeakyReLU()` has if none is given. Is 0.2 meant?",
            (Form(down=small_slope),),
        ),
        (f"There is no activation{place}. Where is the `LeakyReLU`?", (Form(down=no_activation),)),
        (order, AFTER),
    )


def decoder_mistakes(place: str, order: str) -> Mistakes:
    """Those in the activation of a block that doubles; `place` is " in the decoder" or nothing."""
    return (
        (f"There is a LeakyReLU{place}. Is `ReLU` meant?", (Form(up=leaky), Form(up=small_slope))),
        (f"There is no activation{place}. Where is the `ReLU`?", (Form(up=no_activation),)),
        (order, UP_AFTER),
    )


#: Of a single block, with its activation.
ACTIVE_MISTAKES = encoder_mistakes("", BLOCK_ORDER)
DOWN_MISTAKES: Mistakes = (
    *ACTIVE_MISTAKES,
    (
        "There is an activation where `activate=False` was asked for. Where does `activate` come in?",
        (Form(first=True), Form(first=True, down=functional.relu), Form(first=True, down=small_slope)),
    ),
)

BEFORE_NORM = ("act", "conv", "drop", "norm")
DROPOUT_MISTAKES: Mistakes = (
    ("The dropout comes before the norm. Does it come after it?", (Form(up_steps=BEFORE_NORM),)),
    (
        "The dropout comes before the convolution. Does it come last?",
        (Form(up_steps=("act", "drop", "conv", "norm")),),
    ),
    (
        "It drops out in eval mode, too. Is it told `self.training`, or is it an `nn.Dropout`?",
        (Form(always=True),),
    ),
)
UP_MISTAKES: Mistakes = (
    *decoder_mistakes("", BLOCK_ORDER),
    *DROPOUT_MISTAKES,
    ("Nothing is dropped in training. Where is the dropout?", (Form(p=0.0),)),
    ("`x` is concatenated with itself. Where does `skip` come in?", (Form(join="x x"),)),
    ("`skip` is concatenated with itself. Where does `x` come in?", (Form(join="skip skip"),)),
    ("The ReLU is applied to `skip` only. Does it come after the concatenation?", (Form(only="skip"),)),
    ("The ReLU is applied to `x` only. Does it come after the concatenation?", (Form(only="x"),)),
)
WITHOUT_DROPOUT: Mistakes = (
    *(m for m in UP_MISTAKES if m not in DROPOUT_MISTAKES and "Nothing is dropped" not in m[0]),
    ("There is a dropout where none was asked for. Where does `dropout` come in?", (Form(add_drop=True),)),
)

RATE = "The dropout drops {:g} of the values. Is 0.5 meant?"
RATES = (0.1, 0.2, 0.25, 0.3, 0.4, 0.6, 0.7, 0.75, 0.8, 0.9)


def hand_mistakes() -> Mistakes:
    """Those in a dropout with a random mask of the learner's own."""
    return (
        (
            "Half of the values are dropped, and those that stay are as they were. What does dropout multiply them by, "
            "so that the mean stays?",
            (Form(keep=1.0),),
        ),
        (
            "It drops whole channels. Is a number drawn for each single value?",
            (Form(channels=True), Form(channels=True, keep=1.0)),
        ),
        *((RATE.format(p), (Form(p=p), Form(p=p, keep=1.0), Form(p=p, keep=2.0))) for p in RATES),
    )


NET_MISTAKES: Mistakes = (
    *encoder_mistakes(
        " in the encoder",
        "In the encoder your activation comes after the convolution. Which of the two comes first in its blocks?",
    ),
    *decoder_mistakes(
        " in the decoder",
        "In the decoder your activation comes after the convolution. Which of the two comes first in its blocks?",
    ),
    *DROPOUT_MISTAKES,
    ("The first block has an activation. It sees the picture itself: is `activate=False` meant?", (Form(first=True),)),
    ("No block drops out in training. Which of the decoder's should?", (Form(p=0.0),)),
    (
        "Dropout comes in the last block, too, which makes the picture. Should it?",
        (Form(where=lambda depth: range(min(3, depth))), Form(where=lambda depth: range(depth))),
    ),
    ("Only the first block of the decoder drops out. Which others should?", (Form(where=lambda depth: (0,)),)),
    ("Only the first two blocks drop out. Is it three where the net is deeper?", (Form(where=lambda depth: (0, 1)),)),
    (
        "Every block but the last drops out. Is it the first three of the decoder only?",
        (Form(where=lambda depth: range(depth - 1)),),
    ),
    (
        "The first block of the decoder does not drop out. Is dropout counted from the bottleneck on?",
        (
            Form(where=lambda depth: range(1, max(1, min(4, depth - 1)))),
            Form(where=lambda depth: range(1, max(1, min(3, depth - 1)))),
        ),
    ),
    ("What came up is concatenated with itself. Where do the skips come in?", (Form(join="x x"),)),
    ("The skip is concatenated with itself. Where does what came up come in?", (Form(join="skip skip"),)),
    *(
        (
            f"Block {at + 1} of the decoder gets what came up twice. Which block of the encoder gives its skip?",
            (Form(twice="x", at=at),),
        )
        for at in (1, 2)
    ),
    ("Block 2 of the decoder gets its skip twice. Where does what came up come in?", (Form(twice="skip", at=1),)),
    ("The skips leave the encoder before the norm. Is it the blocks' output that is handed over?", (Form(raw=True),)),
    ("There is no tanh at the end. What keeps the picture in [-1, 1]?", (Form(end=no_activation),)),
    ("There is a sigmoid at the end: [0, 1]. Which function goes from -1 to 1?", (Form(end=torch.sigmoid),)),
    ("The end is cut off at -1 and 1. Is `tanh` meant?", (Form(end=lambda x: x.clamp(-1, 1)),)),
    ("There is a ReLU at the end. Is `tanh` meant?", (Form(end=functional.relu),)),
)
