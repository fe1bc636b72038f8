"""Exercise 5.3: the 70-px discriminator, judged by what it does with weights of its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from p2plib.checks import layout
from p2plib.checks.judging import examine
from p2plib.checks.layout import Piece
from p2plib.checks.net_mistakes import no_activation, small_slope
from p2plib.checks.networks import Expected, Mistakes, call_form, default_count, make
from p2plib.checks.patch_map import map_side
from p2plib.checks.replay import Activation, Form, chain_block, leaky
from p2plib.checks.traced import Layer
from p2plib.checks.trial import Trial

NAME = "PatchDiscriminator"
#: Width of each layer in units of `base`, and its stride.
WIDTHS, STRIDES = (1, 2, 4, 8), (2, 2, 2, 1, 1)


@dataclass(frozen=True)
class PatchForm(Form):
    """How the discriminator is put together; as it stands, the right way.

    Args:
        without: layers after which no activation comes.
    """

    down_steps: tuple[str, ...] = ("conv", "norm", "act")
    end: Activation = no_activation
    without: tuple[int, ...] = ()


def patch_net(inputs: Sequence[Tensor], layers: Sequence[Layer], form: Form, training: bool) -> Tensor:
    """The discriminator whose five convolutions these are: (B, in, H, W) → logits (B, 1, h, w)."""
    assert isinstance(form, PatchForm)
    x = form.down(inputs[0]) if form.first else inputs[0]
    for i, (layer, stride) in enumerate(zip(layers, STRIDES, strict=True)):
        act = no_activation if i in form.without or i == len(layers) - 1 else form.down
        x = chain_block(x, layer, replace(form, down=act), stride=stride, training=training)
    return form.end(x)


HEADS: dict[str, Sequence[Activation]] = {
    "There is a sigmoid at the end. The loss takes logits and has a sigmoid of its own: does it belong here?": (
        torch.sigmoid,
    ),
    "There is a ReLU at the end: no logit is below 0, which would mean fake. Does it belong here?": (functional.relu,),
    "There is a LeakyReLU at the end. Does an activation come after the last layer?": (leaky, small_slope),
    "There is a tanh at the end. A logit has no bounds: does it belong here?": (torch.tanh,),
    "There is a softmax at the end. Is each patch not judged by itself?": (
        partial(torch.softmax, dim=1),
        lambda x: x.flatten(1).softmax(1).view_as(x),
    ),
    "There is a log of a sigmoid at the end. Is the loss not what takes the log?": (functional.logsigmoid,),
    "The end is cut off. A logit has no bounds: is the last convolution not all?": (
        lambda x: x.clamp(0, 1),
        lambda x: x.clamp(-1, 1),
    ),
}
ACTS: tuple[Activation, ...] = (leaky, small_slope, functional.relu)
PATCH_MISTAKES: Mistakes = (
    *((cause, tuple(PatchForm(end=end, down=act) for end in ends for act in ACTS)) for cause, ends in HEADS.items()),
    ("There is a ReLU between the layers. Is `LeakyReLU(0.2)` meant?", (PatchForm(down=functional.relu),)),
    (
        "The slope below 0 is 0.01, which `LeakyReLU()` has if none is given. Is 0.2 meant?",
        (PatchForm(down=small_slope),),
    ),
    ("No activation comes between the layers. Where is the `LeakyReLU`?", (PatchForm(down=no_activation),)),
    (
        "The activation comes before the norm. Does it come after it in this network?",
        tuple(PatchForm(down=act, down_steps=("conv", "act", "norm")) for act in ACTS),
    ),
    ("No activation comes after the first layer. Is only its norm left out?", (PatchForm(without=(0,)),)),
    *(
        (f"No activation comes after layer {i + 1}. Is it not like the others?", (PatchForm(without=(i,)),))
        for i in (1, 2, 3)
    ),
    (
        "An activation comes before the first layer, which sees the picture itself. Does it belong there?",
        tuple(PatchForm(first=True, down=act) for act in ACTS),
    ),
)


def pieces(in_channels: int, base: int) -> list[Piece]:
    """The convolutions, in the order in which they run."""
    width = [in_channels, *(base * times for times in WIDTHS), 1]
    last = len(STRIDES) - 1
    names = ["the first layer", *(f"layer {i + 1}" for i in range(1, last)), "the last layer"]
    return [
        Piece(names[i], False, width[i], width[i + 1], i in (0, last), 0 < i < last, stride)
        for i, stride in enumerate(STRIDES)
    ]


def expected(t: Trial, in_channels: int, base: int, size: tuple[int, int, int]) -> Expected:
    """What the discriminator should be, tried with a pair of this batch, height, width."""
    batch, height, width = size
    named = {"base": base}
    return Expected(
        call=call_form(NAME, (in_channels,), named),
        arguments=(in_channels,),
        named=named,
        pieces=pieces(in_channels, base),
        inputs=(t.uniform(batch, in_channels, height, width, dtype=torch.float32),),
        names=("x",),
        outcome=(batch, 1, map_side(height), map_side(width)),
        replay=patch_net,
        mistakes=PATCH_MISTAKES,
        hint="Three convolutions of stride 2, one of stride 1, one for the logits: which is too many or missing?",
        right=PatchForm(),
        logits=True,
        why_shape=_why_shape,
    )


def _why_shape(e: Expected, value: Tensor) -> str | None:
    """A map that has become something else at the end."""
    batch, _, height, width = e.outcome
    if value.numel() == batch:
        return "One number came for each picture. Is it a map that was asked for, with a logit for each patch?"
    if value.numel() == batch * height * width:
        return "The logits are all there, in another shape. Is the map squeezed, flattened or viewed at the end?"
    if value.dim() == 4 and value.shape[::2] == (batch, height) and value.shape[3] == width:
        return f"{value.shape[1]} maps came. Is one logit for each patch not one channel?"
    return None


def check_net(t: Trial) -> None:
    """The pair of two RGB pictures, then other channels, widths and odd sides, and the count at the defaults."""
    cases = ((6, 4, (2, 72, 88)), (4, 3, (3, 41, 55)), (3, 5, (1, 64, 34)), (7, 2, (2, 29, 72)))
    for in_channels, base, size in cases:
        e = expected(t, in_channels, base, size)
        _sees_all(t, e)
        examine(t, e)
        t.said[:] = [f"`{e.call}` is right"]
    default_count(t, NAME, layout.count(pieces(6, 64)))


def _sees_all(t: Trial, e: Expected) -> None:
    """End the trial if the output changes with some channels of what comes in, and with others not."""
    net = make(t, e).net
    x, values = e.inputs[0], []
    for channel in (None, *range(x.shape[1])):
        changed = x.clone()
        if channel is not None:
            changed[:, channel] = changed[:, channel].flip(1)
        ran = t.attempt(_evaluate, net, changed)
        if not isinstance(ran.value, Tensor):  # what that means is said where it is examined
            return
        values.append(ran.value)
    blind = [i for i, value in enumerate(values[1:]) if torch.equal(value, values[0])]
    if not blind or len(blind) == len(values) - 1:
        return
    which = f"channel {blind[0]}" if len(blind) == 1 else f"channels {', '.join(map(str, blind[:-1]))} and {blind[-1]}"
    t.wrong(
        f"`{e.call}` ignores {which} of its input: what comes out is the same, whatever stands there",
        "The pair is the input and, after it, the picture that is judged. Does `forward` hand on all of its channels?",
    )


def _evaluate(net: nn.Module, x: Tensor) -> Tensor:
    out: Tensor = net.eval()(x)
    return out
