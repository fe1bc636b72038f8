"""The two networks of pix2pix: a U-Net that draws and a PatchGAN that judges.

Source: Isola, Zhu, Zhou, Efros, "Image-to-Image Translation with Conditional Adversarial Networks"
(CVPR 2017), sections 3.2 and 6.1, and the authors' Lua code.  Where their later PyTorch code differs,
it is one switch: ``reference="pytorch"``.
"""

from __future__ import annotations

import copy
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from p2plib.errors import UserError

#: Receptive fields (pixels) that `PatchDiscriminator` knows, and the stride-2 convolutions of each.
PATCHES = {1: 0, 16: 1, 34: 2, 70: 3, 142: 4, 286: 5}


class DownBlock(nn.Module):
    """LeakyReLU → convolution k4 s2 p1 → batch norm: half the side (section 6.1.1, encoder).

    Args:
        in_channels, out_channels: channels before and after.
        activate: False for the first block, which sees the picture itself.
        norm: False for the first block and for the bottleneck.  On a 1 × 1 map at batch 1 a channel is
            one number: minus its own mean it is 0, whatever the picture, and PyTorch refuses.
    """

    def __init__(self, in_channels: int, out_channels: int, *, activate: bool = True, norm: bool = True) -> None:
        super().__init__()
        self.activation = nn.LeakyReLU(0.2) if activate else nn.Identity()
        self.conv = nn.Conv2d(in_channels, out_channels, kernel_size=4, stride=2, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(out_channels) if norm else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) → (B, out_channels, H/2, W/2)."""
        return self.norm(self.conv(self.activation(x)))


class UpBlock(nn.Module):
    """[x, skip] → ReLU → transposed convolution k4 s2 p1 → batch norm → dropout: twice the side.

    Section 6.1.1, decoder.  The last block has a bias and no norm; `UNetGenerator` puts tanh after it.

    Args:
        in_channels: channels of x and skip together.
        out_channels: channels after.
        norm: False for the last block, which makes the picture.
        dropout: True for dropout 0.5 after the norm, the paper's only noise (section 3.1).
        skip_first: True for the channel order [skip, x] of the PyTorch code.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        *,
        norm: bool = True,
        dropout: bool = False,
        skip_first: bool = False,
    ) -> None:
        super().__init__()
        self.skip_first = skip_first
        self.activation = nn.ReLU()
        self.conv = nn.ConvTranspose2d(in_channels, out_channels, kernel_size=4, stride=2, padding=1, bias=not norm)
        self.norm = nn.BatchNorm2d(out_channels) if norm else nn.Identity()
        self.dropout = nn.Dropout(0.5) if dropout else nn.Identity()

    def forward(self, x: Tensor, skip: Tensor | None = None) -> Tensor:
        """x (B, C, H, W), skip (B, S, H, W) or None, C + S = in_channels → (B, out_channels, 2H, 2W)."""
        if skip is not None:
            x = torch.cat([skip, x] if self.skip_first else [x, skip], dim=1)
        return self.dropout(self.norm(self.conv(self.activation(x))))


class UNetGenerator(nn.Module):
    """The paper's generator: an encoder, a decoder, and skips between blocks i and depth − i (3.2.1).

    At the defaults it has 54,413,955 parameters, and 39,075,459 without skips.

    Args:
        in_channels, out_channels: channels of the input and of the output picture.
        base: channels of the first block; they double with each block up to 8 × base.
        depth: encoder blocks, 2 to 8.  A 256-px picture and depth 8 meet in a 1 × 1 bottleneck.
        skips: False gives the encoder–decoder of Table 2.
        reference: "paper" (the Lua code) drops out on the first three decoder blocks, outputs of side
            2, 4 and 8 at 256 px, and concatenates [decoder, skip]; "pytorch" (the later code) on
            sides 4, 8 and 16 (none of them at depth 5 or less), and concatenates [skip, decoder].

    Raises:
        UserError: for a depth outside 2 to 8, an unknown reference, or channels below 1.
    """

    def __init__(
        self,
        in_channels: int = 3,
        out_channels: int = 3,
        base: int = 64,
        depth: int = 8,
        skips: bool = True,
        reference: str = "paper",
    ) -> None:
        super().__init__()
        _check_generator(in_channels, out_channels, base, depth, reference)
        self.in_channels, self.out_channels = in_channels, out_channels
        self.base, self.depth, self.skips, self.reference = base, depth, skips, reference
        width = [in_channels, *(base * min(2**i, 8) for i in range(depth))]  # 3, 64, 128, 256, 512, 512, …

        self.down = nn.ModuleList(
            DownBlock(width[i], width[i + 1], activate=i > 0, norm=0 < i < depth - 1) for i in range(depth)
        )
        # Decoder block j undoes encoder block depth − 1 − j; from the second on a skip doubles what comes in.
        self.up = nn.ModuleList(
            UpBlock(
                width[depth - j] * (2 if skips and j > 0 else 1),
                width[depth - j - 1] if j < depth - 1 else out_channels,
                norm=j < depth - 1,
                dropout=j in dropout_blocks(depth, reference),
                skip_first=reference == "pytorch",
            )
            for j in range(depth)
        )
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """Input (B, in_channels, H, W) in [-1, 1] → output (B, out_channels, H, W) in (-1, 1).

        Raises:
            UserError: if H or W is no multiple of 2**depth; the sentence names the nearest sides that are.
        """
        self.check_size(x)
        seen = []  # what the encoder saw, from fine to coarse
        for block in self.down:
            x = block(x)
            seen.append(x)
        x = self.up[0](seen.pop())
        for block in self.up[1:]:
            x = block(x, seen.pop()) if self.skips else block(x)
        return torch.tanh(x)

    def check_size(self, x: Tensor) -> None:
        """Say in one sentence what is wrong with the shape of x, if anything is."""
        if x.dim() != 4 or x.shape[1] != self.in_channels:
            raise UserError(
                f"The generator takes pictures of shape (batch, {self.in_channels}, height, width) "
                f"and was given {tuple(x.shape)}."
            )
        step = 2**self.depth
        height, width = x.shape[2:]
        if height % step or width % step:
            sides = " and ".join(_nearest_sides(s, step) for s in dict.fromkeys((height, width)) if s % step)
            raise UserError(
                f"A picture of {height} × {width} px does not fit a U-Net of depth {self.depth}: it halves "
                f"{self.depth} times, so height and width must be multiples of {step}; {sides}."
            )


class PatchDiscriminator(nn.Sequential):
    """The paper's discriminator: a map of logits, each judging one patch of its input (sections 3.2.2, 6.1.2).

    Args:
        in_channels: 6 for the pair (input and picture, concatenated); 3 if D does not see the input.
        base: channels of the first convolution.
        patch: side in pixels of what one logit sees: 1 (PixelGAN), 16, 34, 70 (the paper's choice),
            142 or 286 (ImageGAN).

    Raises:
        UserError: for another patch.
    """

    def __init__(self, in_channels: int = 6, base: int = 64, patch: int = 70) -> None:
        if patch not in PATCHES:
            raise UserError(f"A patch of {patch!r} px is not known; choose one of {', '.join(map(str, PATCHES))}.")
        if in_channels < 1 or base < 1:
            raise UserError(f"in_channels and base must be at least 1, not {in_channels} and {base}.")
        super().__init__(*(_pixel_layers(in_channels, base) if patch == 1 else _patch_layers(in_channels, base, patch)))
        self.in_channels, self.base, self.patch = in_channels, base, patch
        init_weights(self)

    def forward(self, x: Tensor) -> Tensor:
        """(B, in_channels, H, W) → logits (B, 1, h, w): real if positive; 30 × 30 of them at 256 px, patch 70.

        Raises:
            UserError: for other channels, or a picture too small to leave one logit.
        """
        if x.dim() != 4 or x.shape[1] != self.in_channels:
            raise UserError(
                f"The discriminator takes shape (batch, {self.in_channels}, height, width) and was given "
                f"{tuple(x.shape)}: 6 channels are input and picture joined, 3 the picture alone."
            )
        if min(x.shape[2:]) < smallest_side(self.patch):
            raise UserError(
                f"A picture of {x.shape[2]} × {x.shape[3]} px is too small for a patch of {self.patch}: it needs "
                f"{smallest_side(self.patch)} px or more; take a larger picture or a smaller patch."
            )
        return super().forward(x)


def init_weights(net: nn.Module) -> nn.Module:
    """Draw the weights as the paper does: convolutions N(0, 0.02), norm scale N(1, 0.02), the rest 0 (section 6.2)."""
    for module in net.modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            nn.init.normal_(module.weight, 0.0, 0.02)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.weight, 1.0, 0.02)
        else:
            continue
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    return net


def dropout_blocks(depth: int, reference: str = "paper") -> range:
    """Which decoder blocks drop out, counted from the bottleneck; never the last, which makes the picture."""
    return range(0, min(3, depth - 1)) if reference == "paper" else range(1, max(1, depth - 4))


def receptive_field(net: nn.Module | Iterable[tuple[int, int]]) -> int:
    """Side in pixels of what one output value sees, worked out from the layers.

    Each layer widens the field by (kernel − 1) steps of the layer below; a stride makes later steps longer.

    Args:
        net: a chain of convolutions and poolings (as `PatchDiscriminator` is), or pairs (kernel, stride)
            in the order in which the picture meets them.

    Raises:
        UserError: if the network goes up as well as down, so that this sum does not apply.
    """
    field, step = 1, 1
    for kernel, stride in (layer[:2] for layer in _layers(net)) if isinstance(net, nn.Module) else net:
        field += (kernel - 1) * step
        step *= stride
    return field


def field_of_cell(net: nn.Module, cell: int) -> range:
    """Rows of the picture that row `cell` of the map sees, padding included: below 0 or from the side on it is padding.

    Columns likewise.  Each layer's padding begins the field that many of its steps earlier.

    Args:
        net: a chain of convolutions and poolings, as `receptive_field` takes.
        cell: row of the map, from 0.
    """
    start, step = 0, 1
    for _, stride, padding in _layers(net):
        start -= _square(padding) * step
        step *= stride
    return range(cell * step + start, cell * step + start + receptive_field(net))


def map_side(net: nn.Module, side: int) -> int:
    """Rows of the map (or columns) that such a chain makes of a picture with `side` rows; below 1: too small."""
    for kernel, stride, padding in _layers(net):
        side = (side + 2 * _square(padding) - kernel) // stride + 1
    return side


def copy_weights(source: nn.Module, target: nn.Module, x: Tensor) -> None:
    """Give `target` the weights of `source`: the same layers under other names, paired as the picture meets them.

    Args:
        x: what both take, for finding the order; neither network is changed by it.

    Raises:
        UserError: if the layers that hold weights are not the same, or the outputs still differ.
    """
    ours, theirs = (_layers_met(net, x) for net in (source, target))
    sizes = [[tuple(p.shape for p in layer.parameters()) for layer in layers] for layers in (ours, theirs)]
    if sizes[0] != sizes[1]:
        raise UserError(
            f"The weights cannot be copied: a picture meets {len(ours)} layers with weights in one network and "
            f"{len(theirs)} in the other, or their sizes differ. Both need Conv2d, ConvTranspose2d and BatchNorm2d."
        )
    for swapped in (False, True):  # of the two ways to join a skip: [x, skip] and [skip, x]
        for i, (a, b) in enumerate(zip(ours, theirs, strict=True)):
            b.load_state_dict(a.state_dict())
            if swapped and isinstance(b, nn.ConvTranspose2d) and isinstance(ours[i - 1], nn.BatchNorm2d):
                b.weight.data = torch.cat(b.weight.data.chunk(2)[::-1])
        if _give_the_same(source, target, x.shape):
            return
    raise UserError("The weights were copied, and the two networks still give different outputs: are they built alike?")


def _give_the_same(a: nn.Module, b: nn.Module, shape: torch.Size) -> bool:
    """On noise of this shape, in eval mode, without moving either."""
    noise = torch.rand(shape, generator=torch.Generator().manual_seed(0)) * 2 - 1
    with torch.no_grad():
        first, second = (copy.deepcopy(net).eval()(noise) for net in (a, b))
    return bool((first - second).abs().max() <= 1e-3 * first.abs().max())


def _layers_met(net: nn.Module, x: Tensor) -> list[nn.Module]:
    """The layers that hold weights, in the order in which x meets them."""
    twin, names = copy.deepcopy(net).eval(), list[str]()
    for name, module in twin.named_modules():
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.BatchNorm2d):
            module.register_forward_hook(lambda *_, name=name: names.append(name))
    with torch.no_grad():
        twin(x)
    return [net.get_submodule(name) for name in names]


def parameter_count(net: nn.Module) -> int:
    """How many numbers the network learns."""
    return sum(p.numel() for p in net.parameters())


def smallest_side(patch: int) -> int:
    """Smallest picture side (px) for which `PatchDiscriminator(patch=patch)` gives a logit.

    After n halvings (rounded down) two convolutions of stride 1 each take away one pixel.
    """
    return 1 if patch == 1 else 3 * 2 ** PATCHES[patch]


def _patch_layers(in_channels: int, base: int, patch: int) -> list[nn.Module]:
    """C64-C128-…: n convolutions of stride 2, one of stride 1, then one channel of logits."""
    n = PATCHES[patch]
    layers: list[nn.Module] = [nn.Conv2d(in_channels, base, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
    width = base
    for i in range(1, n + 1):
        wider = base * min(2**i, 8)
        stride = 2 if i < n else 1
        # A bias before a norm would be subtracted again with the mean.
        layers += [nn.Conv2d(width, wider, 4, stride, padding=1, bias=False), nn.BatchNorm2d(wider), nn.LeakyReLU(0.2)]
        width = wider
    return [*layers, nn.Conv2d(width, 1, 4, stride=1, padding=1)]


def _pixel_layers(in_channels: int, base: int) -> list[nn.Module]:
    """The PixelGAN: 1 × 1 convolutions, so that each logit judges the colour of one pixel."""
    return [
        nn.Conv2d(in_channels, base, 1),
        nn.LeakyReLU(0.2),
        nn.Conv2d(base, 2 * base, 1, bias=False),
        nn.BatchNorm2d(2 * base),
        nn.LeakyReLU(0.2),
        nn.Conv2d(2 * base, 1, 1),
    ]


def _layers(net: nn.Module) -> Iterable[tuple[int, int, Any]]:
    """(pixels that the kernel spans, stride, padding as the layer has it) of each layer that moves or mixes pixels."""
    for module in net.modules():
        if isinstance(module, nn.ConvTranspose2d | nn.Upsample) or getattr(module, "ceil_mode", False):
            raise UserError("receptive_field() adds up layers that go down; this network also goes up again.")
        if isinstance(module, nn.Conv2d | nn.MaxPool2d | nn.AvgPool2d):
            dilation = 1 if isinstance(module, nn.AvgPool2d) else _square(module.dilation)
            yield dilation * (_square(module.kernel_size) - 1) + 1, _square(module.stride), module.padding


def _square(value: int | tuple[int, ...]) -> int:
    sides = {value} if isinstance(value, int) else set(value)
    if len(sides) != 1:
        raise UserError(f"receptive_field() knows square kernels and strides only, not {value}.")
    return int(sides.pop())


def _nearest_sides(side: int, step: int) -> str:
    below, above = side // step * step, (side // step + 1) * step
    return f"the nearest to {side} {'are ' + str(below) + ' and ' if below else 'is '}{above}"


def _check_generator(in_channels: int, out_channels: int, base: int, depth: int, reference: str) -> None:
    if not 2 <= depth <= 8:
        raise UserError(f"A U-Net here has a depth of 2 to 8, not {depth}: each level halves the picture once.")
    if reference not in ("paper", "pytorch"):
        raise UserError(f'reference is "paper" or "pytorch", not {reference!r}.')
    if min(in_channels, out_channels, base) < 1:
        raise UserError(f"Channels must be at least 1, not {in_channels} in, {out_channels} out, base {base}.")
