"""The blocks and the U-Net once more, as functions of weights that a learner's network has used.

With them the right result can be worked out for any weights, and so can the results of known mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from p2plib.checks.traced import Layer, masked
from p2plib.models import dropout_blocks

Activation = Callable[[Tensor], Tensor]
leaky = partial(functional.leaky_relu, negative_slope=0.2)


def _same(x: Tensor) -> Tensor:
    return x


@dataclass(frozen=True)
class Form:
    """How blocks and a net are put together; as it stands, the right way.

    Args:
        down, up: the activations of encoder and decoder.
        down_steps, up_steps: the order within a block.
        first: does the activation come in a block that should have none?
        join: "x skip", "skip x", "x x", "skip skip".
        twice: what is concatenated with itself ("x" or "skip") in the decoder block `at`, and in no other.
        p: what dropout drops.
        keep: what the kept values are multiplied by; None for 1 / (1 - p).
        channels: does it drop whole channels?
        flips: decoder blocks whose dropout drops where a drawn number is large.
        where: decoder blocks with dropout in a net of this depth.
        always: does dropout drop in eval mode, too?
        batch: do the norms use the batch's statistics in eval mode, too?
        raw: do the skips leave the encoder before the norm?
        only: is the decoder's activation applied to one of "x" and "skip" only, before they are joined?
        add_drop: does a block drop out that was not asked to?
        cut: is the skip, or what goes up, cut off from the gradient ("skip", "x")?
        end: what comes after the last block of a net.
    """

    down: Activation = leaky
    up: Activation = functional.relu
    down_steps: tuple[str, ...] = ("act", "conv", "norm")
    up_steps: tuple[str, ...] = ("act", "conv", "norm", "drop")
    first: bool = False
    join: str = "x skip"
    twice: str = ""
    at: int = 0
    p: float = 0.5
    keep: float | None = None
    channels: bool = False
    flips: tuple[int, ...] = ()
    where: Callable[[int], Sequence[int]] = dropout_blocks
    always: bool = False
    batch: bool = False
    raw: bool = False
    only: str = ""
    add_drop: bool = False
    cut: str = ""
    end: Activation = torch.tanh


RIGHT = Form()


def down_block(x: Tensor, layer: Layer, form: Form, *, activate: bool, training: bool) -> Tensor:
    """(B, C, H, W) → (B, out, H/2, W/2)."""
    act = form.down if activate or form.first else _same
    return _steps(x, layer, form.down_steps, act, _same, form.batch or training)


def chain_block(x: Tensor, layer: Layer, form: Form, *, stride: int, training: bool) -> Tensor:
    """(B, C, H, W) → (B, out, h, w): a block of a plain chain of layers."""
    return _steps(x, layer, form.down_steps, form.down, _same, form.batch or training, stride)


def up_block(
    x: Tensor, skip: Tensor | None, layer: Layer, form: Form, *, drop: bool, training: bool, block: int = 0
) -> Tensor:
    """(B, C, H, W) and a skip or None → (B, out, 2H, 2W); `block` of the decoder."""
    if skip is not None:
        named = {"x": x, "skip": skip.detach() if form.cut == "skip" else skip}
        if form.only:
            named[form.only] = form.up(named[form.only])
        joined = [form.twice] * 2 if form.twice and block == form.at else form.join.split()
        x = torch.cat([named[name] for name in joined], dim=1)
    act = _same if form.only and skip is not None else form.up
    mask = partial(masked, p=form.p, keep=form.keep, flip=block in form.flips, channels=form.channels)
    fall = mask if drop and (training or form.always) else _same
    return _steps(x, layer, form.up_steps, act, fall, form.batch or training)


def unet(x: Tensor, layers: Sequence[Layer], form: Form, *, training: bool) -> Tensor:
    """The U-Net whose 2 · depth convolutions these are: (B, in, H, W) → (B, out, H, W)."""
    depth = len(layers) // 2
    seen = []
    for i, layer in enumerate(layers[:depth]):
        if form.raw and layer.norm is not None:
            seen.append(down_block(x, Layer(layer.conv), form, activate=i > 0, training=training))
            x = _normalise(seen[-1], layer, form.batch or training)
        else:
            x = down_block(x, layer, form, activate=i > 0, training=training)
            seen.append(x)
    x = x.detach() if form.cut == "x" else x
    for j, layer in enumerate(layers[depth:]):
        skip = seen[depth - 1 - j] if j > 0 else None
        x = up_block(x, skip, layer, form, drop=j in form.where(depth), training=training, block=j)
    return form.end(x)


def _steps(
    x: Tensor,
    layer: Layer,
    steps: Sequence[str],
    act: Activation,
    fall: Activation,
    training: bool,
    stride: int = 2,
) -> Tensor:
    for step in steps:
        if step == "act":
            x = act(x)
        elif step == "conv":
            x = _convolve(x, layer, stride)
        elif step == "norm" and layer.norm is not None:
            x = _normalise(x, layer, training)
        elif step == "drop":
            x = fall(x)
    return x


def _convolve(x: Tensor, layer: Layer, stride: int) -> Tensor:
    assert layer.conv.weight is not None
    convolve = functional.conv_transpose2d if layer.up else functional.conv2d
    return convolve(x, layer.conv.weight, layer.conv.bias, stride=stride, padding=1)


def _normalise(x: Tensor, layer: Layer, training: bool) -> Tensor:
    norm = layer.norm
    assert norm is not None
    mean, variance = (None, None) if norm.running is None else (v.clone() for v in norm.running)
    return functional.batch_norm(x, mean, variance, norm.weight, norm.bias, training=training or mean is None)
