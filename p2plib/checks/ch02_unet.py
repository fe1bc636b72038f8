"""Exercises of chapter 02: sizes of maps, the two blocks, the U-Net at depth 3 and at any depth, norm on one pixel."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from p2plib.checks import layout, map_sizes, norm_forms, replay
from p2plib.checks.judging import examine
from p2plib.checks.layout import Piece
from p2plib.checks.net_mistakes import ACTIVE_MISTAKES, DOWN_MISTAKES, NET_MISTAKES, UP_MISTAKES, WITHOUT_DROPOUT
from p2plib.checks.networks import Expected, call_form, default_count
from p2plib.checks.registry import Exercise, Part
from p2plib.checks.replay import Form
from p2plib.checks.traced import Layer
from p2plib.checks.trial import Trial
from p2plib.models import DownBlock, UNetGenerator, UpBlock

# --- 2.2 ---------------------------------------------------------------------------------------


def check_down_block(t: Trial) -> None:
    """The default, then without activation, without norm, without both; other channels and sides each time."""
    for named, b in (({}, 2), ({"norm": False}, 3), ({"activate": False}, 2), ({"activate": False, "norm": False}, 1)):
        inside, outside = t.integer(2, 4), t.integer(5, 7)
        height, width = 2 * t.integer(2, 4), 2 * t.integer(5, 7)
        examine(t, down_expected(t, named, inside, outside, (b, height, width)))
        t.said[:] = ["`DownBlock` is right with " + ("`norm=False`" if "norm" in named else "its defaults")]


def down_expected(t: Trial, named: dict[str, Any], inside: int, outside: int, size: tuple[int, int, int]) -> Expected:
    """What `DownBlock(inside, outside, **named)` should be, tried with a picture of this batch, height, width."""
    batch, height, width = size
    activate = named.get("activate", True)

    def again(inputs: Sequence[Tensor], layers: Sequence[Layer], form: Form, training: bool) -> Tensor:
        return replay.down_block(inputs[0], layers[0], form, activate=activate, training=training)

    return Expected(
        call=call_form("DownBlock", (inside, outside), named),
        arguments=(inside, outside),
        named=named,
        pieces=[Piece("the block", False, inside, outside, False, named.get("norm", True))],
        inputs=(t.normal(batch, inside, height, width, dtype=torch.float32),),
        names=("x",),
        outcome=(batch, outside, height // 2, width // 2),
        replay=again,
        mistakes=DOWN_MISTAKES if not activate else ACTIVE_MISTAKES,
        slope=0.2 if activate else 1.0,
        defaults={"activate": True, "norm": True},
    )


# --- 2.3 ---------------------------------------------------------------------------------------


def check_up_block(t: Trial) -> None:
    """With a skip and without, of as many channels as x and of others; without norm; with dropout."""
    cases: tuple[tuple[dict[str, Any], int, int, str], ...] = (
        ({}, 3, 4, "a skip"),
        ({}, 3, 3, "a skip"),
        ({}, 5, 0, "its defaults"),
        ({"norm": False}, 2, 4, "`norm=False`"),
        ({"dropout": True}, 2, 3, "`dropout=True`"),
        ({"norm": False}, 5, 0, "`norm=False`"),
    )
    for named, c, s, words in cases:
        height, width = t.integer(3, 5), t.integer(6, 8)
        examine(t, up_expected(t, named, c, s, t.integer(6, 8), (2, height, width)))
        t.said[:] = [f"`UpBlock` is right with {words}"]


def up_expected(t: Trial, named: dict[str, Any], c: int, s: int, outside: int, size: tuple[int, int, int]) -> Expected:
    """What `UpBlock(c + s, outside, **named)` should be, tried with c channels of x and s of a skip; 0 for none."""
    batch, height, width = size
    drop = named.get("dropout", False)

    def again(inputs: Sequence[Tensor], layers: Sequence[Layer], form: Form, training: bool) -> Tensor:
        skip = inputs[1] if s else None
        drops = drop or form.add_drop
        return replay.up_block(inputs[0], skip, layers[0], form, drop=drops, training=training)

    norm = named.get("norm", True)
    return Expected(
        call=call_form("UpBlock", (c + s, outside), named),
        arguments=(c + s, outside),
        named=named,
        pieces=[Piece("the block", True, c + s, outside, not norm, norm)],
        inputs=tuple(t.normal(batch, n, height, width, dtype=torch.float32) for n in (c, s) if n),
        names=("x", "skip") if s else ("x",),
        outcome=(batch, outside, 2 * height, 2 * width),
        replay=again,
        mistakes=UP_MISTAKES if drop else WITHOUT_DROPOUT,
        drops=drop,
        slope=0.0,
        defaults={"norm": True, "dropout": False},
    )


# --- 2.4, 2.5 ----------------------------------------------------------------------------------


class UNet3(UNetGenerator):
    """The library's U-Net at depth 3: (B, in_channels, H, W) → (B, out_channels, H, W), sides multiples of 8."""

    def __init__(self, in_channels: int = 3, out_channels: int = 3, base: int = 64) -> None:
        super().__init__(in_channels, out_channels, base, depth=3)


def check_unet3(t: Trial) -> None:
    """Several channels and sizes, and the count at the defaults."""
    for inside, outside, base, size in ((3, 2, 4, (2, 16, 24)), (1, 3, 3, (3, 24, 8)), (2, 3, 5, (1, 16, 32))):
        e = net_expected(t, "UNet3", inside, outside, base, 3, size)
        examine(t, e)
        t.said[:] = [f"`{e.call}` is right"]
    default_count(t, "UNet3", layout.count(layout.unet(3, 3, 64, 3)))


def check_unet(t: Trial) -> None:
    """Depths 2 to 8, most of them run, and the count at the defaults: 54,413,955."""
    cases = (
        (3, 3, 2, 4, (2, 16, 24)),
        (5, 2, 3, 3, (2, 32, 64)),
        (2, 3, 1, 4, (3, 8, 12)),
        (6, 1, 3, 2, (1, 128, 64)),
        (4, 3, 3, 3, (2, 32, 16)),
        (8, 3, 3, 2, (1, 256, 256)),
    )
    for depth, inside, outside, base, size in cases:
        examine(t, net_expected(t, "UNetGenerator", inside, outside, base, depth, size, named={"depth": depth}))
        t.said[:] = [f"it is right at depth {depth}"]
    default_count(t, "UNetGenerator", 54_413_955)


def net_expected(
    t: Trial,
    name: str,
    inside: int,
    outside: int,
    base: int,
    depth: int,
    size: tuple[int, int, int],
    named: dict[str, Any] | None = None,
) -> Expected:
    """What a U-Net should be, tried with pictures of this batch, height, width."""
    batch, height, width = size

    def again(inputs: Sequence[Tensor], layers: Sequence[Layer], form: Form, training: bool) -> Tensor:
        return replay.unet(inputs[0], layers, form, training=training)

    named = {"base": base, **(named or {})}
    return Expected(
        call=call_form(name, (inside, outside), named),
        arguments=(inside, outside),
        named=named,
        pieces=layout.unet(inside, outside, base, depth),
        inputs=(t.uniform(batch, inside, height, width, dtype=torch.float32),),
        names=("x",),
        outcome=(batch, outside, height, width),
        replay=again,
        mistakes=NET_MISTAKES,
        drops=True,
        hint="Does `depth` decide how many blocks are made?" if "depth" in named and depth != 3 else None,
    )


EXERCISES = (
    Exercise(
        id="2.1",
        title="output sizes",
        parts=(
            Part("conv_side", ("side", "kernel", "stride", "padding"), map_sizes.conv_side),
            Part("transposed_side", ("side", "kernel", "stride", "padding"), map_sizes.transposed_side),
        ),
        check=map_sizes.check_sizes,
        hints=(
            "At how many places can a kernel of 4 begin on a row of 8, stride 1, no padding? And of n, with stride 2?",
            "Padding comes on both ends. A step that does not fit any more is not made: `//` leaves it out.",
            "The transposed one goes the other way: solve the first formula for the side that it began with.",
            "Down: (side + 2 · padding − kernel) // stride + 1. Up: (side − 1) · stride − 2 · padding + kernel.",
        ),
    ),
    Exercise(
        id="2.2",
        title="down block",
        parts=(Part("DownBlock", ("in_channels", "out_channels", "activate", "norm"), DownBlock, "class"),),
        check=check_down_block,
        hints=(
            "Make the layers in `__init__`, after `super().__init__()`; `forward` calls them, one after the other.",
            "The order is activation, convolution, norm. `nn.Identity()` can stand where there is none.",
            "`nn.Conv2d(in_channels, out_channels, 4, stride=2, padding=1, bias=False)`; `nn.LeakyReLU(0.2)` before "
            "it, `nn.BatchNorm2d(out_channels)` after it.",
        ),
    ),
    Exercise(
        id="2.3",
        title="up block with skip",
        parts=(Part("UpBlock", ("in_channels", "out_channels", "norm", "dropout"), UpBlock, "class"),),
        check=check_up_block,
        hints=(
            "Begin `forward` with the skip: if there is one, x and skip become one tensor with the channels of both.",
            "`torch.cat([x, skip], dim=1)` joins channels. After it the chain is the same, with a skip and without.",
            "Chain: ReLU, `nn.ConvTranspose2d(in_channels, out_channels, 4, 2, 1, bias=not norm)`, norm, dropout.",
        ),
    ),
    Exercise(
        id="2.4",
        title="a U-Net of depth 3",
        parts=(Part("UNet3", ("in_channels", "out_channels", "base"), UNet3, "class"),),
        check=check_unet3,
        hints=(
            "Write the channels down first, block by block: what each one takes in, the skip included, and gives out.",
            "In `forward`, keep what each block of the encoder gives under a name of its own.",
            "The second up block takes what the first one gave and the second down block's output, the third the "
            "first's.",
            "Down: in to b, b to 2b, 2b to 4b. Up: 4b to 2b, 4b to b, 2b to out. `torch.tanh` at the end.",
        ),
    ),
    Exercise(
        id="2.5",
        title="a U-Net of any depth",
        parts=(Part("UNetGenerator", ("in_channels", "out_channels", "base", "depth"), UNetGenerator, "class"),),
        check=check_unet,
        hints=(
            "One list of widths says it all: the channels before the first block and after each; `min(…, 8 * base)`.",
            "`nn.ModuleList` holds blocks that a loop makes; in a Python list their parameters are not found.",
            "In `forward`, append each encoder output to a list. The bottleneck's goes up; the others come out of the "
            "list in reverse order, `pop()`.",
            "Up block j takes width[depth − j], twice that from j = 1 on, and gives width[depth − j − 1]; the last "
            "gives out_channels. Dropout for j < 3, but never in the last.",
        ),
    ),
    Exercise(
        id="2.6",
        title="norm on a 1 × 1 map",
        parts=(Part("batch_norm", ("x", "eps"), norm_forms.batch_norm), Part("why_refused")),
        check=norm_forms.check_norm,
        hints=(
            "Each channel has one mean. Over which of the dimensions of (B, C, H, W) is it taken, and which stays?",
            "`x.mean(dim=(0, 2, 3), keepdim=True)` keeps a shape that can be subtracted from x. The variance is a mean "
            "of squares, too: divided by n, not by n − 1.",
            "(x − mean) / sqrt(variance + eps). For the question: put a map of one pixel into this formula.",
        ),
    ),
)
