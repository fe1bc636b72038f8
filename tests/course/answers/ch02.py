"""Right and wrong answers to the exercises of chapter 02."""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from p2plib import models
from p2plib.checks.outcome import Status
from p2plib.checks.table import right, wrong

# --- 2.1 output sizes ----------------------------------------------------------------------------


def down(side, kernel, stride, padding):
    return (side + 2 * padding - kernel) // stride + 1


def up(side, kernel, stride, padding):
    return (side - 1) * stride - 2 * padding + kernel


@right("2.1", up)
def floored(side, kernel, stride, padding):
    return math.floor((side + 2 * padding - kernel) / stride + 1)


@right("2.1", up)
def counted(n, k, s, p):
    return len(range(-p, n + p - k + 1, s))


@right("2.1", up)
def measured(side, kernel, stride, padding):
    return nn.Conv2d(1, 1, kernel, stride, padding)(torch.zeros(1, 1, side, side)).shape[-1]


@right("2.1", up)
def numpys(side, kernel, stride, padding):
    return np.int64(side + 2 * padding - kernel) // stride + np.int64(1)


@right("2.1", down, ...)
def measured_up(side, kernel, stride, padding):
    return nn.ConvTranspose2d(1, 1, kernel, stride, padding)(torch.zeros(1, 1, side, side)).size(3)


@right("2.1", down, ...)
def solved(side, kernel, stride, padding):
    size = kernel
    for _ in range(side - 1):
        size += stride
    return size - padding - padding


@wrong("2.1", up, status=Status.NOT_ATTEMPTED)
def stub_down(side, kernel, stride, padding):
    raise NotImplementedError


@wrong("2.1", down, ..., status=Status.NOT_ATTEMPTED)
def stub_up(side, kernel, stride, padding):
    raise NotImplementedError


@wrong("2.1", up, cause="is `//` meant", found="as a float")
def divided(side, kernel, stride, padding):
    return (side + 2 * padding - kernel) / stride + 1


@wrong("2.1", up, cause="between floats", found="`128.0`")
def floor_of_floats(side, kernel, stride, padding):
    return np.floor((side + 2 * padding - kernel) / stride) + 1


@wrong("2.1", up, cause="rounds up")
def rounded_up(side, kernel, stride, padding):
    return math.ceil((side + 2 * padding - kernel) / stride) + 1


@wrong("2.1", up, cause="to the nearest")
def rounded(side, kernel, stride, padding):
    return round((side + 2 * padding - kernel) / stride) + 1


@wrong("2.1", up, cause="both ends", found="gave `127`; expected was 128")
def padded_once(side, kernel, stride, padding):
    return (side + padding - kernel) // stride + 1


@wrong("2.1", up, cause="`+ 1` left out", found="gave `127`; expected was 128")
def no_plus_one(side, kernel, stride, padding):
    return (side + 2 * padding - kernel) // stride


@wrong("2.1", up, cause="Where does the kernel come in")
def no_kernel(side, kernel, stride, padding):
    return (side + 2 * padding) // stride + 1


@wrong("2.1", up, cause="Where does the stride come in")
def no_stride(side, kernel, stride, padding):
    return side + 2 * padding - kernel + 1


@wrong("2.1", up, cause="Where does the padding come in")
def no_padding(side, kernel, stride, padding):
    return (side - kernel) // stride + 1


@wrong("2.1", up, cause="only", found="gave `15`; expected was 30")
def halved(side, kernel, stride, padding):
    return side // 2


@wrong("2.1", down, cause="formula of the other one")
def swapped(side, kernel, stride, padding):
    return up(side, kernel, stride, padding)


@wrong("2.1", up, found="returned `None`", cause="forget `return`")
def printed(side, kernel, stride, padding):
    print(down(side, kernel, stride, padding))


@wrong("2.1", up, found="a tuple of 2")
def both_sides(side, kernel, stride, padding):
    return (down(side, kernel, stride, padding),) * 2


@wrong("2.1", down, ..., cause="right sign", found="`conv_side` is right; ")
def adds_padding(side, kernel, stride, padding):
    return (side - 1) * stride + 2 * padding + kernel


@wrong("2.1", down, ..., cause="both ends")
def takes_padding_once(side, kernel, stride, padding):
    return (side - 1) * stride - padding + kernel


@wrong("2.1", down, ..., cause="`side - 1` meant")
def times_side(side, kernel, stride, padding):
    return side * stride - 2 * padding + kernel


@wrong("2.1", down, ..., cause="Where does the kernel come in")
def up_without_kernel(side, kernel, stride, padding):
    return (side - 1) * stride - 2 * padding


@wrong("2.1", down, ..., cause="from the other formula")
def up_plus_one(side, kernel, stride, padding):
    return (side - 1) * stride - 2 * padding + kernel + 1


@wrong("2.1", down, ..., cause="only")
def doubled(side, kernel, stride, padding):
    return side * 2


@wrong("2.1", down, ..., cause="formula of the other one")
def the_same(side, kernel, stride, padding):
    return down(side, kernel, stride, padding)


# --- 2.2 down block ------------------------------------------------------------------------------


@right("2.2")
class Modules(nn.Module):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__()
        self.norm = nn.BatchNorm2d(out_channels) if norm else None
        self.act = nn.LeakyReLU(0.2) if activate else None
        self.conv = nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=False)

    def forward(self, x):
        if self.act is not None:
            x = self.act(x)
        x = self.conv(x)
        return x if self.norm is None else self.norm(x)


@right("2.2")
class Chain(nn.Sequential):
    def __init__(self, a, b, activate=True, norm=True):
        layers = [nn.LeakyReLU(negative_slope=0.2)] if activate else []
        layers.append(nn.Conv2d(a, b, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1), bias=None))
        if norm:
            layers.append(nn.BatchNorm2d(b))
        super().__init__(*layers)


@right("2.2")
def factory(in_channels, out_channels, activate=True, norm=True):
    act = nn.LeakyReLU(0.2) if activate else nn.Identity()
    after = nn.BatchNorm2d(out_channels) if norm else nn.Identity()
    block = nn.Sequential(act, nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=False), after)
    return models.init_weights(block)


@right("2.2")
class Functional(nn.Module):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__()
        self.activate, self.normed = activate, norm
        self.weight = nn.Parameter(torch.randn(out_channels, in_channels, 4, 4) * 0.02)
        if norm:
            self.scale, self.shift = nn.Parameter(torch.ones(out_channels)), nn.Parameter(torch.zeros(out_channels))
            self.register_buffer("mean", torch.zeros(out_channels))
            self.register_buffer("variance", torch.ones(out_channels))

    def forward(self, x):
        x = torch.where(x > 0, x, 0.2 * x) if self.activate else x
        x = torch.conv2d(F.pad(x, (1, 1, 1, 1)), self.weight, stride=2)
        if not self.normed:
            return x
        return torch.batch_norm(x, self.scale, self.shift, self.mean, self.variance, self.training, 0.1, 1e-5, False)


@right("2.2")
class NormByHand(Modules):
    def forward(self, x):
        x = self.conv(torch.maximum(x, 0.2 * x) if self.act else x)
        if self.norm is None:
            return x
        if self.training:
            mean, variance = x.mean((0, 2, 3)), x.var((0, 2, 3), correction=0)
        else:
            mean, variance = self.norm.running_mean, self.norm.running_var
        x = (x - mean[:, None, None]) / (variance[:, None, None] + 1e-5).sqrt()
        return x * self.norm.weight[:, None, None] + self.norm.bias[:, None, None]


@right("2.2")
class Unfolded(nn.Module):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__()
        self.slope = 0.2 if activate else 1.0
        self.matrix = nn.Parameter(torch.randn(out_channels, in_channels * 16) * 0.02)
        self.norm = nn.BatchNorm2d(out_channels) if norm else nn.Identity()

    def forward(self, x):
        columns = F.unfold(F.leaky_relu(x, self.slope), 4, padding=1, stride=2)
        return self.norm((self.matrix @ columns).view(len(x), -1, x.shape[2] // 2, x.shape[3] // 2))


@right("2.2")
class BatchStatistics(Modules):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__(in_channels, out_channels, activate, norm)
        if norm:
            self.norm = nn.BatchNorm2d(out_channels, track_running_stats=False)


@wrong("2.2", status=Status.NOT_ATTEMPTED)
class DownStub(nn.Module):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__()
        raise NotImplementedError

    def forward(self, x):
        raise NotImplementedError


@wrong("2.2", status=Status.NOT_ATTEMPTED)
class DownStubInForward(nn.Module):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__()

    def forward(self, x):
        raise NotImplementedError


@wrong("2.2", status=Status.NOT_ATTEMPTED)
class DownStubWithoutSuper(nn.Module):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        raise NotImplementedError


@wrong("2.2", status=Status.NOT_ATTEMPTED)
class DownStubOfDots(Modules):
    def forward(self, x):
        return ...


def down_class(act=None, conv=None, norm=None, order="act conv norm"):
    """A down block with one part exchanged."""
    act = act or (lambda: nn.LeakyReLU(0.2))
    conv = conv or (lambda a, b: nn.Conv2d(a, b, 4, 2, 1, bias=False))
    make_norm = norm or nn.BatchNorm2d

    class DownBlock(nn.Module):
        def __init__(self, in_channels, out_channels, activate=True, norm=True):
            super().__init__()
            self.act = act() if activate else nn.Identity()
            self.conv = conv(in_channels, out_channels)
            width = in_channels if order.index("norm") < order.index("conv") else out_channels
            self.norm = make_norm(width) if norm else nn.Identity()

        def forward(self, x):
            for step in order.split():
                x = getattr(self, step)(x)
            return x

    return DownBlock


def wrong_down(name, cause=None, found="", status=Status.WRONG, **parts):
    answer = down_class(**parts)
    answer.__name__ = name
    wrong("2.2", cause=cause, found=found, status=status)(answer)


wrong_down("relu", "Is `LeakyReLU(0.2)` meant", act=nn.ReLU)
wrong_down("default_slope", "The slope below 0 is 0.01", act=nn.LeakyReLU)
wrong_down("no_activation", "There is no activation", act=nn.Identity)
wrong_down("elu", None, "its values run", act=nn.ELU)
wrong_down("usual_order", "comes after the convolution", order="conv norm act")
wrong_down("activation_before_norm", "comes after the convolution", order="conv act norm")
wrong_down("usual_order_relu", "comes after the convolution", act=nn.ReLU, order="conv norm act")
wrong_down("norm_first", "Does the norm come after the convolution", "parameters", order="norm act conv")
wrong_down("norm_second", "Does the norm come after the convolution", "parameters", order="act norm conv")
wrong_down("with_bias", "`bias=False` meant", "parameters", conv=lambda a, b: nn.Conv2d(a, b, 4, 2, 1))
wrong_down("kernel_3", "`kernel_size=4`", "parameters", conv=lambda a, b: nn.Conv2d(a, b, 3, 2, 1, bias=False))
wrong_down("no_padding", "`padding=1`", "turns", conv=lambda a, b: nn.Conv2d(a, b, 4, 2, bias=False))
wrong_down("no_stride", "`stride=2`", "turns", conv=lambda a, b: nn.Conv2d(a, b, 4, padding=1, bias=False))
wrong_down(
    "pooled", "`kernel_size=4`", conv=lambda a, b: nn.Sequential(nn.Conv2d(a, b, 3, 1, 1, bias=False), nn.MaxPool2d(2))
)
wrong_down("transposed", "Is `nn.Conv2d` meant", conv=lambda a, b: nn.ConvTranspose2d(a, b, 4, 2, 1, bias=False))
wrong_down("instance_norm", "InstanceNorm2d", norm=lambda n: nn.InstanceNorm2d(n, affine=True))
wrong_down("plain_instance_norm", "InstanceNorm2d", "parameters", norm=nn.InstanceNorm2d)
wrong_down("no_norm", "Where is the `BatchNorm2d`", "parameters", norm=lambda n: nn.Identity())
wrong_down("bare_norm", "affine=False", "parameters", norm=lambda n: nn.BatchNorm2d(n, affine=False))
wrong_down("reflected", None, "its values", conv=lambda a, b: nn.Conv2d(
    a, b, 4, 2, 1, bias=False, padding_mode="reflect"))  # fmt: skip
wrong_down("in_place", "writes into `x`", "changed in place", act=lambda: nn.LeakyReLU(0.2, inplace=True))
wrong_down(
    "channels_swapped", "changed places", "", Status.CRASHED, conv=lambda a, b: nn.Conv2d(b, a, 4, 2, 1, bias=False)
)


@wrong("2.2", cause="Where does `activate` come in")
class IgnoresActivate(down_class()):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__(in_channels, out_channels, True, norm)


@wrong("2.2", cause="Where does `norm` come in", found="parameters")
class IgnoresNorm(down_class()):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__(in_channels, out_channels, activate)


@wrong("2.2", cause="is `norm.weight` used", found="`norm.weight` gets no gradient")
class NormNotUsed(down_class()):
    def forward(self, x):
        return self.conv(self.act(x))


@wrong("2.2", cause="super().__init__()", status=Status.CRASHED)
class NoSuper(nn.Module):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        self.conv = nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=False)


@wrong("2.2", cause="indented", found="has no `forward`")
class NoForward(nn.Module):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__()
        self.conv = nn.Conv2d(in_channels, out_channels, 4, 2, 1, bias=False)


@wrong("2.2", cause="forget `return`", found="returned `None`")
class NoReturn(Modules):
    def forward(self, x):
        super().forward(x)


@wrong("2.2", cause="a Python list", found="not among its `parameters()`")
class InList(nn.Module):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__()
        self.layers = [*Chain(in_channels, out_channels, activate, norm)]

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return x


@wrong("2.2", cause="Layers are made in `forward`", found="has 0 parameters")
class MadeInForward(nn.Module):
    def __init__(self, *arguments, **named):
        super().__init__()
        self.arguments, self.named = arguments, named

    def forward(self, x):
        return Chain(*self.arguments, **self.named)(x)


@wrong("2.2", cause="`nn.Parameter` is meant")
class PlainTensor(nn.Module):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__()
        self.weight = torch.randn(out_channels, in_channels, 4, 4)
        self.norm = nn.BatchNorm2d(out_channels) if norm else nn.Identity()
        self.activate = activate

    def forward(self, x):
        return self.norm(F.conv2d(F.leaky_relu(x, 0.2) if self.activate else x, self.weight, None, 2, 1))


@wrong("2.2", cause="`detach()`", found="no gradient reaches `x`")
class Detached(Modules):
    def forward(self, x):
        return super().forward(x.detach())


@wrong("2.2", cause="`no_grad()`", found="nothing would be trained")
class NoGrad(Modules):
    @torch.no_grad()
    def forward(self, x):
        return super().forward(x)


@wrong("2.2", cause="`no_grad()`", found="`conv.weight` gets no gradient")
class WeightDetached(Modules):
    def forward(self, x):
        x = F.conv2d(x if self.act is None else self.act(x), self.conv.weight.detach(), None, 2, 1)
        return x if self.norm is None else self.norm(x)


@wrong("2.2", found="requires_grad=False")
class Frozen(Modules):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.conv.requires_grad_(False)


@wrong("2.2", found="float64")
class Doubles(Modules):
    def forward(self, x):
        return super().forward(x).double()


@wrong("2.2", status=Status.CRASHED, cause="DownBlock(in_channels, out_channels, activate, norm)")
class NoFlags(nn.Module):
    def __init__(self, in_channels, out_channels):
        super().__init__()
        self.chain = factory(in_channels, out_channels)

    def forward(self, x):
        return self.chain(x)


@wrong("2.2", found="expected was an `nn.Module`")
def only_a_function(in_channels, out_channels, activate=True, norm=True):
    return lambda x: x


wrong("2.2", cause="parentheses", found="an object made from it")(Modules(3, 5))


# --- 2.3 up block with skip ----------------------------------------------------------------------


def layers_of(a, b, norm, dropout):
    layers = [nn.ReLU(), nn.ConvTranspose2d(a, b, 4, 2, 1, bias=not norm)]
    return layers + [nn.BatchNorm2d(b)] * norm + [nn.Dropout(0.5)] * dropout


@right("2.3")
class Joined(nn.Module):
    def __init__(self, in_channels, out_channels, norm=True, dropout=False):
        super().__init__()
        self.body = nn.Sequential(*layers_of(in_channels, out_channels, norm, dropout))

    def forward(self, x, skip=None):
        return self.body(x if skip is None else torch.cat([x, skip], 1))


@right("2.3")
class SkipFirst(Joined):
    def forward(self, x, skip=None):
        return self.body(x if skip is None else torch.concat((skip, x), axis=1))


@right("2.3")
class Separate(nn.Module):
    def __init__(self, a, b, norm=True, dropout=False):
        super().__init__()
        self.drop = dropout
        self.norm = nn.BatchNorm2d(b) if norm else nn.Identity()
        self.deconv = nn.ConvTranspose2d(a, b, kernel_size=4, stride=2, padding=1, bias=False)
        self.bias = None if norm else nn.Parameter(torch.zeros(b))

    def forward(self, x, skip=None):
        parts = [x] if skip is None else [x, skip]
        x = self.norm(self.deconv(torch.hstack([part.clamp(min=0) for part in parts])))
        x = x if self.bias is None else x + self.bias[:, None, None]
        return F.dropout(x, 0.5, self.training) if self.drop else x


@right("2.3")
class Functions(nn.Module):
    def __init__(self, in_channels, out_channels, norm=True, dropout=False):
        super().__init__()
        self.weight = nn.Parameter(torch.empty(in_channels, out_channels, 4, 4).normal_(0, 0.02))
        self.bias = None if norm else nn.Parameter(torch.randn(out_channels))
        self.norm, self.p = norm and nn.BatchNorm2d(out_channels), 0.5 * dropout

    def forward(self, x, skip=None):
        if skip is not None:
            both = x.new_empty(len(x), x.shape[1] + skip.shape[1], *x.shape[2:])
            both[:, : x.shape[1]], both[:, x.shape[1] :] = x, skip
            x = both
        x = F.conv_transpose2d(x.relu(), self.weight, bias=self.bias, stride=2, padding=1)
        x = self.norm(x) if self.norm else x
        return F.dropout(x, p=self.p, training=self.training)


@right("2.3")
class MaskByHand(Joined):
    def __init__(self, in_channels, out_channels, norm=True, dropout=False):
        super().__init__(in_channels, out_channels, norm)
        self.drop = dropout

    def forward(self, x, skip=None):
        x = super().forward(x, skip)
        return x * torch.bernoulli(torch.full_like(x, 0.5)) * 2 if self.drop and self.training else x


@right("2.3")
def subclassed(in_channels, out_channels, norm=True, dropout=False):
    class Block(nn.Sequential):
        def forward(self, x, skip=None):
            return super().forward(torch.cat([x] if skip is None else [x, skip], dim=-3))

    return Block(*layers_of(in_channels, out_channels, norm, dropout))


@wrong("2.3", status=Status.NOT_ATTEMPTED)
class UpStub(nn.Module):
    def __init__(self, in_channels, out_channels, norm=True, dropout=False):
        super().__init__()
        raise NotImplementedError

    def forward(self, x, skip=None):
        raise NotImplementedError


@wrong("2.3", status=Status.NOT_ATTEMPTED)
class UpStubInForward(Joined):
    def forward(self, x, skip=None):
        raise NotImplementedError


def up_class(act=nn.ReLU, conv=None, norm=nn.BatchNorm2d, drop=None, order="act conv norm drop", join=None, flags=None):
    """An up block with one part exchanged."""
    conv = conv or (lambda a, b, bias: nn.ConvTranspose2d(a, b, 4, 2, 1, bias=bias))
    drop, join = drop or (lambda: nn.Dropout(0.5)), join or (lambda x, s: torch.cat([x, s], 1))
    make_norm, flags = norm, flags or (lambda norm, dropout: (norm, dropout))

    class UpBlock(nn.Module):
        def __init__(self, in_channels, out_channels, norm=True, dropout=False):
            super().__init__()
            norm, dropout = flags(norm, dropout)
            self.act, self.conv = act(), conv(in_channels, out_channels, not norm)
            width = in_channels if order.index("norm") < order.index("conv") else out_channels
            self.norm = make_norm(width) if norm else nn.Identity()
            self.drop = drop() if dropout else nn.Identity()

        def forward(self, x, skip=None):
            x = x if skip is None else join(x, skip)
            for step in order.split():
                x = getattr(self, step)(x)
            return x

    return UpBlock


def wrong_up(name, cause=None, found="", status=Status.WRONG, **parts):
    answer = up_class(**parts)
    answer.__name__ = name
    wrong("2.3", cause=cause, found=found, status=status)(answer)


def deconv(k=4, s=2, p=1, bias=None, wider=1):
    return lambda a, b, has: nn.ConvTranspose2d(a * wider, b, k, s, p, bias=has if bias is None else bias)


class Always(nn.Module):
    def forward(self, x):
        return F.dropout(x)


class AlwaysByHand(nn.Module):
    def forward(self, x):
        return x * (torch.rand_like(x) > 0.5) * 2


def upsampled(a, b, bias):
    return nn.Sequential(nn.Upsample(scale_factor=2), nn.Conv2d(a, b, 3, 1, 1, bias=bias))


wrong_up("leaky", "There is a LeakyReLU. Is", act=lambda: nn.LeakyReLU(0.2))
wrong_up("leaky_default", "There is a LeakyReLU. Is", act=nn.LeakyReLU)
wrong_up("no_activation", "There is no activation. Where", act=nn.Identity)
wrong_up("usual_order", "comes after the convolution", order="conv norm act drop")
wrong_up("usual_order_drop", "comes after the convolution", order="conv norm drop act")
wrong_up("norm_first", "norm come after the convolution", "parameters", order="act norm conv drop")
wrong_up("kernel_3", "`kernel_size=4`", "expected was", conv=deconv(3))
wrong_up("kernel_2", "`kernel_size=4`", "parameters", conv=deconv(2, 2, 0))
wrong_up("no_padding", "`padding=1`", "turns", conv=deconv(4, 2, 0))
wrong_up("no_stride", "`stride=2`", "turns", conv=deconv(4, 1, 1))
wrong_up("always_bias", "`bias=False` meant", "parameters", conv=deconv(bias=True))
wrong_up("never_bias", "`bias=True` meant", "parameters", conv=deconv(bias=False))
wrong_up("upsampled", "`nn.ConvTranspose2d` meant", "parameters", conv=upsampled)
wrong_up("skip_ignored", "Are they concatenated", "", Status.CRASHED, join=lambda x, s: x)
wrong_up("skip_added", "concatenated here", "", Status.CRASHED, join=lambda x, s: x + s)
wrong_up("along_batch", "dimension 0", "", Status.CRASHED, join=lambda x, s: torch.cat([x, s]))
wrong_up("along_height", "dimension 2", "", Status.CRASHED, join=lambda x, s: torch.cat([x, s], 2))
wrong_up("x_twice", "concatenated with itself", "", Status.CRASHED, join=lambda x, s: torch.cat([x, x], 1))
wrong_up("x_twice_cut", None, "its values", join=lambda x, s: torch.cat([x, x, x], 1)[:, : x.shape[1] + s.shape[1]])
wrong_up("skip_detached", "`detach()`", "no gradient reaches `skip`", join=lambda x, s: torch.cat([x, s.detach()], 1))
wrong_up("skip_mirrored", None, "its values", join=lambda x, s: torch.cat([x, s.flip(3)], 1))
wrong_up("too_wide", "doubled once more", "", Status.CRASHED, conv=deconv(wider=2))
wrong_up("drop_before_norm", "Does it come after it", "dropout=True", order="act conv drop norm")
wrong_up("drop_first", "before the convolution", "dropout=True", order="act drop conv norm")
wrong_up("drop_fifth", "drops 0.2 of the values", drop=lambda: nn.Dropout(0.2))
wrong_up("drop_channels", "single values", "its values", drop=lambda: nn.Dropout2d(0.5))
wrong_up("drop_in_eval", "in eval mode, too", "in eval mode", drop=Always)
wrong_up("drop_by_hand_in_eval", "in eval mode, too", "in eval mode", drop=AlwaysByHand)
wrong_up("never_drops", "Where is the dropout", drop=nn.Identity)
wrong_up("always_drops", "where none was asked for", flags=lambda norm, dropout: (norm, True))
wrong_up("always_normed", "Where does `norm` come in", "parameters", flags=lambda norm, dropout: (True, dropout))
wrong_up("instance_norm", "InstanceNorm2d", norm=lambda n: nn.InstanceNorm2d(n, affine=True))
wrong_up("in_place", "writes into `x`", "changed in place", act=lambda: nn.ReLU(inplace=True))


@wrong("2.3", cause="does `forward` take that", status=Status.CRASHED)
class NoSkipParameter(Joined):
    def forward(self, x):
        return self.body(x)


@wrong("2.3", cause="does `forward` take that", status=Status.CRASHED)
class SkipNeeded(Joined):
    def forward(self, x, skip):
        return self.body(torch.cat([x, skip], 1))


@wrong("2.3", cause="super().__init__()", status=Status.CRASHED)
class UpWithoutSuper(nn.Module):
    def __init__(self, in_channels, out_channels, norm=True, dropout=False):
        self.width = out_channels

    def forward(self, x, skip=None):
        return x


@wrong("2.3", cause="applied to `x` only")
class ReluOnX(up_class(act=nn.Identity)):
    def forward(self, x, skip=None):
        return super().forward(x.relu(), skip)


@wrong("2.3", status=Status.CRASHED, cause="`if skip is not None`", found="Boolean value")
class TruthOfSkip(Joined):
    def forward(self, x, skip=None):
        return self.body(torch.cat([x, skip], 1) if skip else x)


# --- 2.4 a U-Net of depth 3 ----------------------------------------------------------------------


@right("2.4")
class FromTheLibrarysBlocks(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, base=64):
        super().__init__()
        b = base
        self.d1 = models.DownBlock(in_channels, b, activate=False, norm=False)
        self.d2 = models.DownBlock(b, 2 * b)
        self.d3 = models.DownBlock(2 * b, 4 * b, norm=False)
        self.u1 = models.UpBlock(4 * b, 2 * b, dropout=True)
        self.u2 = models.UpBlock(4 * b, b, dropout=True)
        self.u3 = models.UpBlock(2 * b, out_channels, norm=False)

    def forward(self, x):
        a = self.d1(x)
        b = self.d2(a)
        return torch.tanh(self.u3(self.u2(self.u1(self.d3(b)), b), a))


def conv(a, b):
    return nn.Conv2d(a, b, 4, 2, 1, bias=False)


@right("2.4")
class WrittenOut(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, base=64):
        super().__init__()
        self.out = nn.ConvTranspose2d(2 * base, out_channels, 4, 2, 1)
        self.up = nn.ModuleDict(
            {
                "1": nn.ConvTranspose2d(4 * base, 2 * base, 4, 2, 1, bias=False),
                "2": nn.ConvTranspose2d(4 * base, base, 4, 2, 1, bias=False),
            }
        )
        self.norms = nn.ModuleList(nn.BatchNorm2d(n * base) for n in (2, 2, 1))
        self.convs = nn.ModuleList(
            conv(*pair) for pair in ((in_channels, base), (base, 2 * base), (2 * base, 4 * base))
        )
        models.init_weights(self)

    def forward(self, x):
        e1 = self.convs[0](x)
        e2 = self.norms[0](self.convs[1](F.leaky_relu(e1, 0.2)))
        e3 = self.convs[2](F.leaky_relu(e2, 0.2))
        d1 = F.dropout(self.norms[1](self.up["1"](F.relu(e3))), training=self.training)
        d2 = F.dropout(self.norms[2](self.up["2"](F.relu(torch.cat([d1, e2], 1)))), training=self.training)
        return self.out(F.relu(torch.cat([d2, e1], 1))).tanh()


@right("2.4")
def assembled(in_channels=3, out_channels=3, base=64):
    class Nested(nn.Module):
        def __init__(self, outside, width, inner, out, last=False):
            super().__init__()
            first = [] if last else [nn.LeakyReLU(0.2, True)]
            norm = [] if last or inner is None else [nn.BatchNorm2d(width)]
            self.down = nn.Sequential(*first, conv(outside, width), *norm)
            self.inner, self.last = inner, last
            inside = width if inner is None else 2 * width
            after = [nn.Tanh()] if last else [nn.BatchNorm2d(out), nn.Dropout()]
            self.up = nn.Sequential(nn.ReLU(True), nn.ConvTranspose2d(inside, out, 4, 2, 1, bias=last), *after)

        def forward(self, x):
            y = self.down(x)
            y = self.up(y if self.inner is None else self.inner(y))
            return y if self.last else torch.cat([x, y], 1)

    innermost = Nested(2 * base, 4 * base, None, 2 * base)
    middle = Nested(base, 2 * base, innermost, base)
    return Nested(in_channels, base, middle, out_channels, last=True)


@right("2.4")
class FromOwnBlocks(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, base=64):
        super().__init__()
        self.encoder = nn.ModuleList(
            [
                Modules(in_channels, base, False, False),
                factory(base, 2 * base),
                Functional(2 * base, 4 * base, norm=False),
            ]
        )
        self.decoder = nn.ModuleList(
            [MaskByHand(4 * base, 2 * base, dropout=True), Functions(4 * base, base, dropout=True)]
        )
        self.last = Separate(2 * base, out_channels, norm=False)

    def forward(self, x):
        skips = []
        for block in self.encoder:
            x = block(x)
            skips.insert(0, x)
        x = skips.pop(0)
        for block in (*self.decoder, self.last):
            x = block(x, skips.pop(0) if x.shape[-1] == skips[0].shape[-1] and block is not self.decoder[0] else None)
        return 2 * torch.sigmoid(2 * x) - 1


@right("2.4")
class UnfoldedNet(FromTheLibrarysBlocks):
    def __init__(self, in_channels=3, out_channels=3, base=64):
        super().__init__(in_channels, out_channels, base)
        self.d2 = Unfolded(base, 2 * base)


@wrong("2.4", status=Status.NOT_ATTEMPTED)
class NetStub(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, base=64):
        super().__init__()
        raise NotImplementedError

    def forward(self, x):
        raise NotImplementedError


# --- 2.4 and 2.5: nets with one thing exchanged --------------------------------------------------


def net_class(
    down_block=None, up_block=None, widths=None, drop=None, end=torch.tanh, first=None, deepest=None,
    last=None, hold=nn.ModuleList, join=lambda x, s: torch.cat([x, s], 1), keep=lambda x: x, wide=None, fixed=None,
    default=3,
):  # fmt: skip
    """A U-Net with one thing exchanged."""
    make_down, make_up = down_block or down_class(), up_block or up_class(join=join)
    widths = widths or (lambda base, depth: [base * min(2**i, 8) for i in range(depth)])
    drop = drop or (lambda j, depth: j < 3 and j < depth - 1)
    wide = wide or (lambda j, depth: 2 if j else 1)
    first, deepest = {"activate": False, "norm": False, **(first or {})}, {"norm": False, **(deepest or {})}
    last = {"norm": False, **(last or {})}

    class UNetGenerator(nn.Module):
        def __init__(self, in_channels=3, out_channels=3, base=64, depth=default):
            super().__init__()
            depth = fixed or depth
            w = [in_channels, *widths(base, depth)]
            kinds = [first, *[{}] * (depth - 2), deepest]
            self.down = hold([make_down(w[i], w[i + 1], **kinds[i]) for i in range(depth)])
            ends = [*w[depth - 1 : 0 : -1], out_channels]
            self.up = hold(
                [
                    make_up(
                        w[depth - j] * wide(j, depth),
                        ends[j],
                        dropout=drop(j, depth),
                        **(last if j == depth - 1 else {}),
                    )
                    for j in range(depth)
                ]
            )

        def forward(self, x):
            skips = []
            for block in self.down:
                x = block(x)
                skips.append(keep(x))
            skips.pop()
            for j, block in enumerate(self.up):
                alone = j == 0 or wide(j, len(self.up)) == 1
                x = block(x) if alone else block(x, skips[len(self.up) - 1 - j])
            return end(x)

    return UNetGenerator


def wrong_net(name, cause=None, found="", status=Status.WRONG, ids=("2.4", "2.5"), **parts):
    answer = net_class(**parts)
    answer.__name__ = name
    for id in ids:
        wrong(id, cause=cause, found=found, status=status)(answer)


right("2.5")(net_class(default=8))
NET = net_class()
wrong_net("relu_encoder", "There is a ReLU in the encoder", down_block=down_class(act=nn.ReLU))
wrong_net("default_slope", "The slope below 0 is 0.01", down_block=down_class(act=nn.LeakyReLU))
wrong_net("usual_encoder", "In the encoder your activation comes after", down_block=down_class(order="conv norm act"))
wrong_net("leaky_decoder", "There is a LeakyReLU in the decoder", up_block=up_class(act=lambda: nn.LeakyReLU(0.2)))
wrong_net("usual_decoder", "In the decoder your activation comes after", up_block=up_class(order="conv norm act drop"))
wrong_net("first_active", "The first block has an activation", first={"activate": True})
wrong_net("first_normed", "Does a norm belong into the first block", "parameters", first={"norm": True})
wrong_net("bottleneck_normed", "norm belong into the bottleneck", "parameters", deepest={"norm": True})
wrong_net("last_normed", "norm belong into the last block", "parameters", last={"norm": True})
wrong_net(
    "biases", "`bias=False` meant", "parameters", down_block=down_class(conv=lambda a, b: nn.Conv2d(a, b, 4, 2, 1))
)
wrong_net("last_without_bias", "is `bias=True` meant", "parameters", up_block=up_class(conv=deconv(bias=False)))
wrong_net("kernel_3", "`kernel_size=4`", "parameters", down_block=down_class(
    conv=lambda a, b: nn.Conv2d(a, b, 3, 2, 1, bias=False)))  # fmt: skip
wrong_net("upsampled", "`nn.ConvTranspose2d` meant", "parameters", up_block=up_class(conv=upsampled))
wrong_net("no_tanh", "There is no tanh", end=lambda x: x)
wrong_net("sigmoid", "There is a sigmoid", end=torch.sigmoid)
wrong_net("clamped", "cut off at -1 and 1", end=lambda x: x.clamp(-1, 1))
wrong_net("no_dropout", "No block drops out", drop=lambda j, depth: False)
wrong_net("dropout_in_last", "Dropout comes in the last block", drop=lambda j, depth: j < 3 or j == depth - 1)
wrong_net("dropout_first_only", "Only the first block", drop=lambda j, depth: j == 0)
wrong_net("dropout_in_eval", "It drops out in eval mode", "in eval mode", up_block=up_class(drop=Always))
wrong_net("dropout_third", "drops 0.3 of the values", up_block=up_class(drop=lambda: nn.Dropout(0.3)))
wrong_net("dropout_before_norm", "comes before the norm", up_block=up_class(order="act conv drop norm"))
wrong_net("plain_list", "Is `nn.ModuleList` meant", "has 0 parameters", hold=list)
wrong_net("no_skips", "Where do the skips come in", "parameters", wide=lambda j, depth: 1)
wrong_net("no_outermost_skip", "The last block takes no skip", "parameters", wide=lambda j, d: 1 + (0 < j < d - 1))
wrong_net("x_twice", "concatenated with itself", join=lambda x, s: torch.cat([x, x], 1))
wrong_net("skip_twice", "The skip is concatenated with itself", join=lambda x, s: torch.cat([s, s], 1))
wrong_net("skips_detached", "Are the skips cut off", "gradient", keep=lambda x: x.detach())
wrong_net("skips_mirrored", None, "its values", keep=lambda x: x.flip(3))
wrong_net("along_batch", "dimension 0", "", Status.CRASHED, join=lambda x, s: torch.cat([x, s]))
wrong_net("instance_norm", "InstanceNorm2d", down_block=down_class(norm=lambda n: nn.InstanceNorm2d(n, affine=True)))
wrong_net("always_base", None, "from", widths=lambda base, depth: [base] * depth)
wrong_net("not_capped", "Where do they stop", "expected", ids=("2.5",), widths=lambda base, depth: [
    base * 2**i for i in range(depth)])  # fmt: skip
wrong_net("capped_late", "Where do they stop", "expected", ids=("2.5",), widths=lambda base, depth: [
    base * min(2**i, 16) for i in range(depth)])  # fmt: skip
wrong_net("only_depth_3", "Does `depth` decide", "3 convolutions", ids=("2.5",), fixed=3)
wrong_net("only_two_drop", "Is it three where", "depth 3", ids=("2.5",), drop=lambda j, depth: j < 2 and j < depth - 1)
wrong_net("all_drop", "Every block but the last", "depth 3", ids=("2.5",), drop=lambda j, depth: j < depth - 1)
wrong_net(
    "drops_as_pytorch", "counted from the bottleneck", ids=("2.5",), drop=lambda j, depth: 0 < j < 4 and j < depth - 1
)


@wrong("2.4", cause="before the norm. Is it the blocks' output")
@wrong("2.5", cause="before the norm. Is it the blocks' output")
class RawSkips(NET):
    def forward(self, x):
        raw = []
        for block in self.down:
            raw.append(block.conv(block.act(x)))
            x = block.norm(raw[-1])
        for j, block in enumerate(self.up):
            x = block(x, raw[-1 - j] if j else None)
        return x.tanh()


@wrong("2.4", cause="The skips are added", found="parameters")
@wrong("2.5", cause="The skips are added", found="parameters")
class Added(net_class(wide=lambda j, depth: 1)):
    def forward(self, x):
        skips = []
        for block in self.down:
            x = block(x)
            skips.append(x)
        x = self.up[0](skips.pop())
        for block in self.up[1:]:
            x = block(x + skips.pop())
        return x.tanh()


@wrong("2.4", cause="`self.skips` grows", found="a second call")
@wrong("2.5", cause="`self.skips` grows", found="a second call")
class KeepsSkips(NET):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.skips = []

    def forward(self, x):
        for block in self.down:
            x = block(x)
            self.skips.append(x)
        for j, block in enumerate(self.up):
            x = block(x, self.skips[len(self.up) - 1 - j] if j else None)
        return x.tanh()


@wrong("2.4", cause="block used again", found="parameters")
class SharedBlocks(NET):
    def __init__(self, in_channels=3, out_channels=3, base=64):
        super().__init__(in_channels, out_channels, base)
        self.up[1] = up_class()(4 * base, 2 * base, dropout=True)
        self.fit = nn.ModuleList([up_class()(4 * base, 2 * base, dropout=True)])

    def forward(self, x):
        a = self.down[0](x)
        b = self.down[1](a)
        c = self.up[0](self.down[2](b))
        _ = self.up[0](self.down[2](b))
        return self.up[2](self.up[1](c, b)[:, : a.shape[1]], a).tanh()


@wrong("2.5", cause="`BatchNorm2d` of its own", found="parameters")
class SharedNorm(NET):
    def __init__(self, in_channels=3, out_channels=3, base=64, depth=8):
        super().__init__(in_channels, out_channels, base, depth)
        for j in range(1, depth - 1):
            same = [k for k in range(j) if self.up[k].conv.out_channels == self.up[j].conv.out_channels]
            if same:
                self.up[j].norm = self.up[same[0]].norm


@wrong("2.4", found="expected was (2, 2, 16, 24)")
class OneShort(NET):
    def forward(self, x):
        return super().forward(x)[..., :-1]


@wrong("2.4", cause="forget `return`")
class NetWithoutReturn(NET):
    def forward(self, x):
        super().forward(x)


@wrong("2.4", cause="Are the defaults", found="`UNet3()` has")
def other_default(in_channels=3, out_channels=3, base=32):
    return NET(in_channels, out_channels, base)


@wrong("2.5", cause="Are the defaults", found="`UNetGenerator()` has")
def shallow_default(in_channels=3, out_channels=3, base=64, depth=7):
    return NET(in_channels, out_channels, base, depth)


@wrong("2.4", cause="What is `spare.weight` for")
class Spare(NET):
    def __init__(self, *arguments, **named):
        super().__init__(*arguments, **named)
        self.spare = nn.Linear(3, 4)


# --- 2.5 a U-Net of any depth --------------------------------------------------------------------


@right("2.5")
class Recursive(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, base=64, depth=8, level=0):
        super().__init__()
        width = base * min(2**level, 8)
        inner = base * min(2 ** (level + 1), 8)
        deepest = level == depth - 1
        self.level = level
        self.down = models.DownBlock(in_channels, width, activate=level > 0, norm=0 < level < depth - 1)
        self.inner = None if deepest else Recursive(width, width, base, depth, level + 1)
        drops = level > 0 and depth - 1 - level < 3
        inside = width if deepest else 2 * width
        self.up = models.UpBlock(inside, out_channels, norm=level > 0, dropout=drops)
        assert inner >= width

    def forward(self, x):
        y = self.down(x)
        y = self.up(y) if self.inner is None else self.up(self.inner(y), y)
        return y if self.level else torch.tanh(y)


@right("2.5")
class Numbered(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, base=64, depth=8):
        super().__init__()
        self.depth, self.base = depth, base
        w = self.width = lambda i: in_channels if i == 0 else base * min(2 ** (i - 1), 8)
        for i in range(depth, 0, -1):
            inside = w(i) if i == depth else 2 * w(i)
            up = SkipFirst(inside, w(i - 1) if i > 1 else out_channels, norm=i > 1, dropout=1 < i > depth - 3)
            setattr(self, f"up{i}", up)
            setattr(self, f"down{i}", Functional(w(i - 1), w(i), activate=i != 1, norm=i not in (1, depth)))

    def forward(self, x):
        kept = {0: x}
        for i in range(1, self.depth + 1):
            kept[i] = self.get_submodule(f"down{i}")(kept[i - 1])
        x = self.get_submodule(f"up{self.depth}")(kept[self.depth])
        for i in range(self.depth - 1, 0, -1):
            x = self.get_submodule(f"up{i}")(x, kept[i])
        return F.tanh(x)


@right("2.5")
class InPlace(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, base=64, depth=8):
        super().__init__()
        Down = down_class(act=lambda: nn.LeakyReLU(0.2, inplace=True))
        Up = up_class(act=lambda: nn.ReLU(inplace=True))
        self.net = net_class(down_block=Down, up_block=Up)(in_channels, out_channels, base, depth)

    def forward(self, x):
        return self.net(x)


@wrong("2.5", status=Status.NOT_ATTEMPTED)
class AnyDepthStub(nn.Module):
    def __init__(self, in_channels=3, out_channels=3, base=64, depth=8):
        super().__init__()
        raise NotImplementedError


# --- 2.6 norm on a 1 × 1 map ---------------------------------------------------------------------


def normed(x, eps=1e-5):
    mean = x.mean((0, 2, 3), keepdim=True)
    return (x - mean) / (x.var((0, 2, 3), unbiased=False, keepdim=True) + eps).sqrt()


def b():
    return "b"


@right("2.6", b)
def means_of_squares(x, eps=1e-5):
    mean = x.mean(dim=[0, 2, 3], keepdim=True)
    return (x - mean) * torch.rsqrt(((x - mean) ** 2).mean(dim=[0, 2, 3], keepdim=True) + eps)


@right("2.6", b)
def by_channel(x, eps=1e-5):
    out = torch.empty_like(x)
    for c in range(x.shape[1]):
        out[:, c] = (x[:, c] - x[:, c].mean()) / math.sqrt(x[:, c].var(correction=0).item() + eps)
    return out


@right("2.6", b)
def transposed_first(x, eps=1e-5):
    flat = x.transpose(0, 1).flatten(1)
    flat = flat - flat.mean(1, keepdim=True)
    flat = flat / (flat.square().mean(1, keepdim=True) + eps) ** 0.5
    return flat.view(x.shape[1], x.shape[0], *x.shape[2:]).transpose(0, 1)


@right("2.6", b)
def torchs(x, eps=1e-5):
    if x[:, 0].numel() == 1:
        return torch.zeros_like(x)
    return F.batch_norm(x, None, None, training=True, eps=eps)


def wrong_norm(name, cause=None, found="", status=Status.WRONG):
    def mark(answer):
        answer.__name__ = name
        return wrong("2.6", b, cause=cause, found=found, status=status)(answer)

    return mark


@wrong("2.6", b, status=Status.NOT_ATTEMPTED)
def norm_stub(x, eps=1e-5):
    raise NotImplementedError


@wrong("2.6", normed, ..., status=Status.NOT_ATTEMPTED)
def why_stub():
    raise NotImplementedError


@wrong("2.6", normed, ..., cause="has a mean: itself", found="`batch_norm` is right; ")
def why_a():
    return "a"


@wrong("2.6", normed, ..., cause="above zero")
def why_c():
    return "c"


@wrong("2.6", normed, ..., found="none of the choices")
def why_d():
    return "d"


ALL, EACH = (0, 2, 3), dict(keepdim=True)
wrong_norm("unbiased", "`correction=0`")(
    lambda x, eps=1e-5: (x - x.mean(ALL, **EACH)) / (x.var(ALL, **EACH) + eps).sqrt()
)
wrong_norm("std", "`correction=0`")(lambda x, eps=1e-5: (x - x.mean(ALL, **EACH)) / (x.std(ALL, **EACH) + eps))
wrong_norm("instance_norm", "instance norm")(
    lambda x, eps=1e-5: F.instance_norm(x, eps=eps) if x[0, 0].numel() > 1 else x * 0
)
wrong_norm("over_all", "One mean")(lambda x, eps=1e-5: (x - x.mean()) / (x.var(correction=0) + eps).sqrt())
wrong_norm("layer_norm", "over the channels")(lambda x, eps=1e-5: F.layer_norm(x, x.shape[1:], eps=eps))
wrong_norm("mean_stays", "not subtracted")(lambda x, eps=1e-5: x / (x.var(ALL, correction=0, **EACH) + eps).sqrt())
wrong_norm("only_mean", "Only the mean")(lambda x, eps=1e-5: x - x.mean(ALL, **EACH))
wrong_norm("by_variance", "divided by the variance")(
    lambda x, eps=1e-5: (x - x.mean(ALL, **EACH)) / (x.var(ALL, correction=0, **EACH) + eps)
)
wrong_norm("eps_outside", "under it")(
    lambda x, eps=1e-5: (x - x.mean(ALL, **EACH)) / (x.std(ALL, correction=0, **EACH) + eps)
)
wrong_norm("no_eps", "Where does `eps` come in")(
    lambda x, eps=1e-5: (x - x.mean(ALL, **EACH)) / x.std(ALL, correction=0, **EACH)
)
wrong_norm("eps_fixed", "What if another")(lambda x, eps=1e-5: normed(x))
wrong_norm("no_keepdim", "What does `keepdim=True` keep", "RuntimeError", Status.CRASHED)(
    lambda x, eps=1e-5: (x - x.mean(ALL)) / x.var(ALL).sqrt()
)
wrong_norm("torch_on_one_pixel", "refuses one pixel, too", "ValueError", Status.CRASHED)(
    lambda x, eps=1e-5: F.batch_norm(x, None, None, training=True, eps=eps)
)
wrong_norm("in_place", "writes into `x`", "changed in place")(lambda x, eps=1e-5: x.sub_(x.mean(ALL, **EACH)))
wrong_norm("single", None, "float32")(lambda x, eps=1e-5: normed(x.float(), eps))
wrong_norm("first_channel", None, "its values")(lambda x, eps=1e-5: (x - x[:, :1].mean()) / x[:, :1].std())


# --- found by people who tried ------------------------------------------------------------------


@wrong("2.1", down, ..., cause="the other formula with a multiplication")
def formula_turned_round(side, kernel, stride, padding):
    return (side + 2 * padding - kernel) * stride + 1


@right("2.2")
class LazyDown(nn.Module):
    def __init__(self, in_channels, out_channels, activate=True, norm=True):
        super().__init__()
        self.act = nn.LeakyReLU(0.2) if activate else nn.Identity()
        self.conv = nn.LazyConv2d(out_channels, 4, 2, 1, bias=False)
        self.norm = nn.LazyBatchNorm2d() if norm else nn.Identity()

    def forward(self, x):
        return self.norm(self.conv(self.act(x)))


@right("2.3")
class LazyUp(Joined):
    def __init__(self, in_channels, out_channels, norm=True, dropout=False):
        super().__init__(in_channels, out_channels, norm, dropout)
        self.body[1] = nn.LazyConvTranspose2d(out_channels, 4, 2, 1, bias=not norm)
        if norm:
            self.body[2] = nn.LazyBatchNorm2d()


@wrong("2.2", cause="Should `__init__` make them", found="before its first call")
class MadeAtFirstCall(MadeInForward):
    def forward(self, x):
        if not hasattr(self, "chain"):
            self.chain = Chain(*self.arguments, **self.named)
        return self.chain(x)


@wrong("2.2", cause="under `if self.training`", found="the norm of the block is left out")
class NormInTrainingOnly(Modules):
    def forward(self, x):
        x = self.conv(x if self.act is None else self.act(x))
        return self.norm(x) if self.norm is not None and self.training else x


wrong("2.5", cause="under `if self.training`", found="is left out")(net_class(down_block=NormInTrainingOnly))


@right("2.2")
class RunningByHand(Modules):
    def forward(self, x):
        x = self.conv(x if self.act is None else self.act(x))
        if self.norm is None or self.training:
            return x if self.norm is None else self.norm(x)
        mean, variance, scale, shift = (
            v.view(1, -1, 1, 1)
            for v in (self.norm.running_mean, self.norm.running_var, self.norm.weight, self.norm.bias)
        )
        return (x - mean) / torch.sqrt(variance + self.norm.eps) * scale + shift


class ByHand(nn.Module):
    """A dropout with a random mask."""

    mask = staticmethod(lambda x: (torch.rand_like(x) > 0.5) * 2)

    def forward(self, x):
        return x * self.mask(x) if self.training else x


def by_hand(mask):
    return type("ByHand", (ByHand,), {"mask": staticmethod(mask)})


for number, mask in enumerate((
    ByHand.mask,
    lambda x: (torch.rand(x.shape) < 0.5).float() / 0.5,
    lambda x: torch.empty_like(x).bernoulli_(0.5).mul(2),
    lambda x: torch.rand(x.shape).round() * 2,
    lambda x: torch.from_numpy(np.random.binomial(1, 0.5, x.shape)).float() * 2,  # noqa: NPY002
)):  # fmt: skip
    for id, answer in (
        ("2.3", up_class(drop=by_hand(mask))),
        ("2.5", net_class(up_block=up_class(drop=by_hand(mask)), default=8)),
    ):
        answer.__name__ = f"mask_by_hand_{number}"
        right(id)(answer)

for name, cause, mask in (
    ("mask_not_doubled", "What does dropout multiply them by", lambda x: torch.rand_like(x) > 0.5),
    ("mask_not_doubled_bernoulli", "What does dropout multiply them by", lambda x: torch.bernoulli(0.5 + 0 * x)),
    ("mask_of_a_third", "drops 0.3 of the values", lambda x: (torch.rand_like(x) > 0.3) / 0.7),
    ("mask_keeps_a_quarter", "drops 0.75 of the values", lambda x: (torch.rand_like(x) < 0.25) * 4),
    ("mask_of_channels", "drops whole channels", lambda x: (torch.rand(*x.shape[:2], 1, 1) > 0.5) * 2),
):
    wrong_up(name, cause, drop=by_hand(mask))
    wrong_net(name, cause, up_block=up_class(drop=by_hand(mask)))


wrong_net("mask_in_last", "Dropout comes in the last block", drop=lambda j, depth: j < 3 or j == depth - 1,
          up_block=up_class(drop=ByHand))  # fmt: skip
wrong_net("mask_in_eval", "It drops out in eval mode", "in eval mode", up_block=up_class(drop=AlwaysByHand))
wrong_net("noise_in_eval", "`randn_like` draws", "another output each time",
          end=lambda x: x.tanh() + 0.01 * torch.randn_like(x))  # fmt: skip


@wrong("2.4", cause="`randn_like` draws", found="another output each time")
@wrong("2.5", cause="`randn_like` draws", found="another output each time")
class NoiseInTraining(NET):
    def forward(self, x):
        x = super().forward(x)
        return x + 0.1 * torch.randn_like(x) if self.training else x


@wrong("2.2", cause="Is the default of `norm` True", found="has no norm")
def norm_off_by_default(in_channels, out_channels, activate=True, norm=False):
    return Modules(in_channels, out_channels, activate, norm)


@wrong("2.2", cause="Is the default of `activate` True")
def activate_off_by_default(in_channels, out_channels, activate=False, norm=True):
    return Modules(in_channels, out_channels, activate, norm)


@wrong("2.3", cause="Is the default of `dropout` False")
def dropout_by_default(in_channels, out_channels, norm=True, dropout=True):
    return Joined(in_channels, out_channels, norm, dropout)


@wrong("2.3", cause="Is the default of `norm` True")
def up_norm_off_by_default(in_channels, out_channels, norm=False, dropout=False):
    return Joined(in_channels, out_channels, norm, dropout)


@wrong("2.5", status=Status.CRASHED, found="This was `UNetGenerator(3, 1, base=4, depth=2)`")
class OnlyDeep(NET):
    def __init__(self, in_channels=3, out_channels=3, base=64, depth=8):
        super().__init__(in_channels, out_channels, base, depth)
        assert depth > 2


@wrong("2.4", cause="Block 2 of the decoder gets what came up twice")
class UpTwice(NET):
    def forward(self, x):
        a = self.down[0](x)
        x = self.up[0](self.down[2](self.down[1](a)))
        return self.up[2](self.up[1](x, x), a).tanh()


@wrong("2.6", b, cause="refuses one pixel, too", status=Status.CRASHED)
def layer_inside(x, eps=1e-5):
    return nn.BatchNorm2d(x.shape[1], eps=eps, dtype=x.dtype)(x)


@wrong("2.6", b, cause="What does `keepdim=True` keep", status=Status.CRASHED)
def keepdim_of_variance_only(x, eps=1e-5):
    return (x - x.mean(dim=(0, 2, 3))) / (x.var(dim=(0, 2, 3), correction=0, keepdim=True) + eps).sqrt()
