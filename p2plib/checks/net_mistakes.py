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


ENCODER_MISTAKES: Mistakes = (
    ("There is a ReLU in the encoder. Is `LeakyReLU(0.2)` meant?", (Form(down=functional.relu),)),
    ("The slope below 0 is 0.01, which `LeakyReLU()` has if none is given. Is 0.2 meant?", (Form(down=small_slope),)),
    ("There is no activation in the encoder. Where is the `LeakyReLU`?", (Form(down=no_activation),)),
    (
        "In the encoder the activation comes after the convolution. Does it come before it here?",
        tuple(
            Form(down=act, down_steps=steps)
            for act in (leaky, small_slope, functional.relu)
            for steps in (("conv", "norm", "act"), ("conv", "act", "norm"))
        ),
    ),
)
DOWN_MISTAKES: Mistakes = (
    *ENCODER_MISTAKES,
    (
        "There is an activation where `activate=False` was asked for. Where does `activate` come in?",
        (Form(first=True), Form(first=True, down=functional.relu), Form(first=True, down=small_slope)),
    ),
)

BEFORE_NORM = ("act", "conv", "drop", "norm")
DECODER_MISTAKES: Mistakes = (
    ("There is a LeakyReLU in the decoder. Is `ReLU` meant?", (Form(up=leaky), Form(up=small_slope))),
    ("There is no activation in the decoder. Where is the `ReLU`?", (Form(up=no_activation),)),
    (
        "In the decoder the activation comes after the convolution. Does it come before it here?",
        tuple(
            Form(up=act, up_steps=steps)
            for act in (functional.relu, leaky)
            for steps in (("conv", "norm", "act", "drop"), ("conv", "act", "norm", "drop"))
        ),
    ),
)
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
    *DECODER_MISTAKES,
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

NET_MISTAKES: Mistakes = (
    *ENCODER_MISTAKES,
    *DECODER_MISTAKES,
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
    ("The skips leave the encoder before the norm. Is it the blocks' output that is handed over?", (Form(raw=True),)),
    ("There is no tanh at the end. What keeps the picture in [-1, 1]?", (Form(end=no_activation),)),
    ("There is a sigmoid at the end: [0, 1]. Which function goes from -1 to 1?", (Form(end=torch.sigmoid),)),
    ("The end is cut off at -1 and 1. Is `tanh` meant?", (Form(end=lambda x: x.clamp(-1, 1)),)),
    ("There is a ReLU at the end. Is `tanh` meant?", (Form(end=functional.relu),)),
)
