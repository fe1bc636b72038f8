"""Right and wrong answers to the exercises of chapter 05."""

from __future__ import annotations

import functools
import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from p2plib import models
from p2plib.checks.outcome import Status
from p2plib.checks.table import right, wrong

# --- 5.1 receptive field -------------------------------------------------------------------------


@right("5.1")
def forwards(layers):
    field, step = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step *= stride
    return field


@right("5.1")
def backwards(layers):
    field = 1
    for kernel, stride in layers[::-1]:
        field = (field - 1) * stride + kernel
    return field


@right("5.1")
def recursive(layers):
    if not layers:
        return 1
    (kernel, stride), *rest = layers
    return (recursive(rest) - 1) * stride + kernel


@right("5.1")
def reduced(layers):
    return functools.reduce(lambda field, layer: (field - 1) * layer[1] + layer[0], reversed(layers), 1)


@right("5.1")
def with_numpy(layers):
    if not len(layers):
        return 1
    kernels, strides = np.array(layers).T
    return 1 + ((kernels - 1) * np.cumprod([1, *strides[:-1]])).sum()


@right("5.1")
def measured(layers):
    net = nn.Sequential(*(nn.Conv1d(1, 1, k, s, bias=False) for k, s in layers)).double()
    for p in net.parameters():
        nn.init.ones_(p)
    x = torch.zeros(1, 1, 2000, dtype=torch.float64, requires_grad=True)
    net(x)[0, 0, 0].backward()
    return int((x.grad != 0).sum())


@wrong("5.1", status=Status.NOT_ATTEMPTED)
def field_stub(layers):
    raise NotImplementedError


def wrong_field(name, cause=None, found="", status=Status.WRONG):
    return marker("5.1", name, cause, found, status)


def marker(id, name, cause, found, status):
    def mark(answer):
        answer.__name__ = name
        return wrong(id, cause=cause, found=found, status=status)(answer)

    return mark


wrong_field("plainly_added", "adds k − 1 pixels", "gave `10`; expected was 16")(
    lambda layers: 1 + sum(k - 1 for k, _ in layers)
)
wrong_field("kernels_summed", "sum of the kernels", "gave `12`")(lambda layers: sum(k for k, _ in layers))
wrong_field("kernels_multiplied", "The kernels are multiplied")(lambda layers: math.prod(k for k, _ in layers))
wrong_field("strides_multiplied", "product of the strides")(lambda layers: math.prod(s for _, s in layers))
wrong_field("from_zero", "It begins with 0", "gave `15`")(lambda layers: forwards(layers) - 1)
wrong_field("only_kernel_4", "kernels of 4 only", "[(3, 1), (3, 1)]")(
    lambda layers: forwards([(4, s) for _, s in layers])
)
wrong_field("only_stride_2", "strides of 2 only")(lambda layers: forwards([(k, 2) for k, _ in layers]))
wrong_field("without_stride_1", "Layers of stride 1 are left out")(
    lambda layers: forwards([(k, s) for k, s in layers if s != 1])
)
wrong_field("as_float", "a float come in", "the right value, but it came as a float, `16.0`; a number of pixels")(
    lambda layers: float(forwards(layers))
)
wrong_field("always_70", "70 whatever", "gave `70`; expected was 16")(lambda layers: 70)
wrong_field("table_of_stacks", None, "expected was 5")(lambda layers: {3: 16, 5: 70}.get(len(layers), 0))
wrong_field("last_left_out", "The last layer")(lambda layers: forwards(layers[:-1]))
wrong_field("printed", "forget `return`")(lambda layers: print(forwards(layers)))
wrong_field("empty_fails", "an empty list", "IndexError", Status.CRASHED)(
    lambda layers: (forwards(layers[1:]) - 1) * layers[0][1] + layers[0][0]
)
wrong_field("a_pair", None, "a tuple of 2")(lambda layers: (forwards(layers), 1))
wrong_field("text", None, '"16"')(lambda layers: str(forwards(layers)))


@wrong("5.1", cause="counts for the layer itself", found="gave `19`; expected was 16")
def stride_first(layers):
    field, step = 1, 1
    for kernel, stride in layers:
        step *= stride
        field += (kernel - 1) * step
    return field


@wrong("5.1", cause="in reverse order")
def wrong_end(layers):
    field = 1
    for kernel, stride in layers:
        field = (field - 1) * stride + kernel
    return field


@wrong("5.1", cause="in reverse order")
def wrong_end_of_steps(layers):
    return forwards(reversed(layers))


@wrong("5.1", cause="k − 1 steps long")
def kernel_steps(layers):
    field, step = 1, 1
    for kernel, stride in layers:
        field += kernel * step
        step *= stride
    return field


@wrong("5.1", cause="k − 1 steps long")
def backwards_times_field(layers):
    field = 1
    for kernel, stride in layers[::-1]:
        field = field * stride + kernel
    return field


@wrong("5.1", cause="It begins with 0")
def backwards_from_zero(layers):
    field = 0
    for kernel, stride in layers[::-1]:
        field = (field - 1) * stride + kernel
    return field


@wrong("5.1", cause="stride of the layer just before")
def only_one_stride(layers):
    field, step = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step = stride
    return field


@wrong("5.1", cause="The strides are added up")
def steps_added(layers):
    field, step = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step += stride
    return field


@wrong("5.1", cause="how large the map of a 256-px picture is")
def map_of_256(layers):
    side = 256
    for kernel, stride in layers:
        side = (side + 2 - kernel) // stride + 1
    return side


@wrong("5.1", cause="Padding is taken away")
def padding_taken(layers):
    side = 1
    for kernel, stride in layers[::-1]:
        side = (side - 1) * stride - 2 + kernel
    return side


@wrong("5.1", cause="changes the list that it was given", found="`layers` was changed in place")
def turned_around(layers):
    layers.reverse()
    field = 1
    for kernel, stride in layers:
        field = (field - 1) * stride + kernel
    return field


@wrong("5.1", cause="changes the list that it was given")
def emptied(layers):
    field = 1
    while layers:
        kernel, stride = layers.pop()
        field = (field - 1) * stride + kernel
    return field


@wrong("5.1", cause="by its own stride")
def own_stride(layers):
    field = 1
    for kernel, stride in layers:
        field += (kernel - 1) * stride
    return field


# --- 5.2 the depth for a field -------------------------------------------------------------------


def field_of(n):
    return forwards([(4, 2)] * n + [(4, 1)] * 2)


@right("5.2")
def counted_up(field):
    n = 1
    while field_of(n) < field:
        n += 1
    return n


@right("5.2")
def rule_of_doubling(field):
    n, reached = 1, 16
    while reached < field:
        n, reached = n + 1, 2 * reached + 2
    return n


@right("5.2")
def by_logarithm(field):
    return max(1, math.ceil(math.log2((field + 2) / 9)))


@right("5.2")
def by_bits(field):
    return max(1, (-(-(field + 2) // 9) - 1).bit_length())


@right("5.2")
def searched(field):
    return next(n for n in range(1, 1000) if field_of(n) >= field)


@right("5.2")
def deeper(field, n=1):
    return n if models.receptive_field([(4, 2)] * n + [(4, 1), (4, 1)]) >= field else deeper(field, n + 1)


@wrong("5.2", status=Status.NOT_ATTEMPTED)
def depth_stub(field):
    raise NotImplementedError


def wrong_depth(name, cause=None, found="", status=Status.WRONG):
    return marker("5.2", name, cause, found, status)


FIELDS = {16: 1, 34: 2, 70: 3, 142: 4, 286: 5}
wrong_depth("one_too_few", "one too few", "gave `2`; expected was 3")(lambda field: counted_up(field) - 1)
wrong_depth("one_too_many", "one too many", "gave `4`; expected was 3")(lambda field: counted_up(field) + 1)
wrong_depth("all_layers", "All convolutions are counted", "gave `5`")(lambda field: counted_up(field) + 2)
wrong_depth("only_exact", "only fields that a depth has exactly", "(100)` returned `None`; expected was 4")(
    lambda field: FIELDS.get(field)
)
wrong_depth("only_exact_keys", "only fields that a depth has exactly", "KeyError", Status.CRASHED)(
    lambda field: FIELDS[field]
)
wrong_depth("library_table", "only fields that a depth has exactly", "KeyError", Status.CRASHED)(
    lambda field: models.PATCHES[field]
)
wrong_depth("strictly_more", "Is it not enough", "gave `4`; expected was 3")(lambda field: counted_up(field + 1))
wrong_depth("log_of_16", "how does it grow", "gave `4`")(lambda field: max(1, math.ceil(math.log2(field / 16)) + 1))
wrong_depth("log_floor", "how does it grow")(lambda field: int(math.log2(field)) - 3 if field >= 16 else 1)
wrong_depth("log_of_8", "how does it grow")(lambda field: max(1, math.ceil(math.log2(field / 8))))
wrong_depth("log_rounded", "rounded to the nearest")(lambda field: max(1, round(math.log2((field + 2) / 9))))
wrong_depth("log_rounded_down", "largest n whose field fits")(lambda field: max(1, int(math.log2((field + 2) / 9))))
wrong_depth("below_one", "goes below 1", "(1)`")(lambda field: math.ceil(math.log2((field + 2) / 9)))
wrong_depth("as_numpy_float", "a float come in", "a number of layers is an int")(
    lambda field: np.maximum(1, np.ceil(np.log2((field + 2) / 9)))
)
wrong_depth("ends_at_286", "ends with 286", "(300)` returned `None`; expected was 6")(
    lambda field: next((n for f, n in FIELDS.items() if f >= field), None)
)
wrong_depth("ends_at_286_next", "ends with 286", "StopIteration", Status.CRASHED)(
    lambda field: next(n for f, n in FIELDS.items() if f >= field)
)
wrong_depth("ends_at_five", "ends with 286", "gave `5`; expected was 6")(lambda field: min(5, counted_up(field)))
wrong_depth("nearest", "whose field is nearest")(
    lambda field: min(range(1, 20), key=lambda n: abs(field_of(n) - field))
)
wrong_depth("the_field", "It is the field, in pixels", "gave `70`; expected was 3")(
    lambda field: field_of(counted_up(field))
)
wrong_depth("always_3", "3 whatever")(lambda field: 3)
wrong_depth("half_a_field", "largest n whose field fits")(lambda field: counted_up(field // 2))
wrong_depth("printed_depth", "forget `return`")(lambda field: print(counted_up(field)))


@wrong("5.2", cause="largest n whose field fits")
def largest_within(field):
    n = 1
    while field_of(n + 1) <= field:
        n += 1
    return n


@wrong("5.2", cause="only fields that a depth has exactly", found="returned `None`")
def fell_out_of_the_loop(field):
    for n in range(1, 50):
        if field_of(n) == field:
            return n
    return None


@wrong("5.2", cause="stride 2 alone")
def without_the_ends(field):
    n = 1
    while forwards([(4, 2)] * n) < field:
        n += 1
    return n


@wrong("5.2", cause="One convolution of stride 1 is counted")
def one_end(field):
    n = 1
    while forwards([(4, 2)] * n + [(4, 1)]) < field:
        n += 1
    return n


# --- 5.3 the 70-px discriminator -----------------------------------------------------------------


@right("5.3")
class Written(nn.Module):
    def __init__(self, in_channels=6, base=64):
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, base, 4, 2, 1)
        self.conv2 = nn.Conv2d(base, 2 * base, 4, 2, 1, bias=False)
        self.conv3 = nn.Conv2d(2 * base, 4 * base, 4, 2, 1, bias=False)
        self.conv4 = nn.Conv2d(4 * base, 8 * base, 4, 1, 1, bias=False)
        self.conv5 = nn.Conv2d(8 * base, 1, 4, 1, 1)
        self.norm2, self.norm3, self.norm4 = (nn.BatchNorm2d(n * base) for n in (2, 4, 8))

    def forward(self, x):
        x = F.leaky_relu(self.conv1(x), 0.2)
        x = F.leaky_relu(self.norm2(self.conv2(x)), 0.2)
        x = F.leaky_relu(self.norm3(self.conv3(x)), 0.2)
        x = F.leaky_relu(self.norm4(self.conv4(x)), 0.2)
        return self.conv5(x)


@right("5.3")
class Looped(nn.Sequential):
    def __init__(self, in_channels=6, base=64):
        layers, width = [], in_channels
        for i, stride in enumerate((2, 2, 2, 1)):
            layers.append(nn.Conv2d(width, base << i, kernel_size=4, stride=stride, padding=1, bias=i == 0))
            width = base << i
            layers += [nn.BatchNorm2d(width)] * (i > 0) + [nn.LeakyReLU(0.2, inplace=True)]
        super().__init__(*layers, nn.Conv2d(width, 1, 4, padding=1))
        models.init_weights(self)


@right("5.3")
def made(in_channels=6, base=64):
    return models.init_weights(Looped(in_channels, base).double().float())


@right("5.3")
class ActivationFirst(nn.Module):
    """The order of chapter 02, which comes to the same: the activation stands before the next convolution."""

    def __init__(self, in_channels=6, base=64):
        super().__init__()
        w = [in_channels, base, 2 * base, 4 * base, 8 * base, 1]
        self.convs = nn.ModuleList(
            nn.Conv2d(w[i], w[i + 1], 4, 2 if i < 3 else 1, 1, bias=i in (0, 4)) for i in range(5)
        )
        self.norms = nn.ModuleDict({str(i): nn.BatchNorm2d(w[i + 1]) for i in (1, 2, 3)})

    def forward(self, x):
        for i, conv in enumerate(self.convs):
            x = conv(x if i == 0 else torch.where(x > 0, x, 0.2 * x))
            x = self.norms[str(i)](x) if str(i) in self.norms else x
        return x


@right("5.3")
class Functions(nn.Module):
    def __init__(self, in_channels=6, base=64):
        super().__init__()
        w = [in_channels, base, 2 * base, 4 * base, 8 * base, 1]
        self.weights = nn.ParameterList(torch.randn(w[i + 1], w[i], 4, 4) * 0.02 for i in range(5))
        self.first, self.last = nn.Parameter(torch.zeros(base)), nn.Parameter(torch.zeros(1))
        self.norms = nn.ModuleList(nn.BatchNorm2d(n) for n in w[2:5])

    def forward(self, x):
        x = F.leaky_relu(F.conv2d(x, self.weights[0], self.first, 2, 1), 0.2)
        for i, norm in enumerate(self.norms):
            x = F.leaky_relu(norm(F.conv2d(x, self.weights[i + 1], stride=(2, 2, 1)[i], padding=1)), 0.2)
        return F.conv2d(x, self.weights[4], padding=1) + self.last


class Unfolding(nn.Module):
    def __init__(self, inside, outside, stride, bias=False):
        super().__init__()
        self.matrix, self.stride = nn.Parameter(torch.randn(outside, inside * 16) * 0.02), stride
        self.bias = nn.Parameter(torch.zeros(outside, 1)) if bias else 0

    def forward(self, x):
        h, w = ((side - 2) // self.stride + 1 for side in x.shape[2:])
        return (self.matrix @ F.unfold(x, 4, padding=1, stride=self.stride) + self.bias).view(len(x), -1, h, w)


@right("5.3")
class Unfolded(nn.Sequential):
    def __init__(self, in_channels=6, base=64):
        super().__init__(Unfolding(in_channels, base, 2, True), nn.LeakyReLU(0.2))
        for i, stride in enumerate((2, 2, 1)):
            self.extend([Unfolding(base << i, base << i + 1, stride), nn.BatchNorm2d(base << i + 1), nn.LeakyReLU(0.2)])
        self.append(Unfolding(8 * base, 1, 1, True))


@right("5.3")
class OfTheLibrary(nn.Module):
    def __init__(self, in_channels=6, base=64):
        super().__init__()
        self.net = models.PatchDiscriminator(in_channels, base)

    def forward(self, pair):
        return self.net(pair)


@right("5.3")
class BatchStatistics(Looped):
    def __init__(self, in_channels=6, base=64):
        super().__init__(in_channels, base)
        for i in (3, 6, 9):
            self[i] = nn.BatchNorm2d(self[i].num_features, track_running_stats=False)


@wrong("5.3", status=Status.NOT_ATTEMPTED)
class NetStub(nn.Module):
    def __init__(self, in_channels=6, base=64):
        super().__init__()
        raise NotImplementedError

    def forward(self, x):
        raise NotImplementedError


@wrong("5.3", status=Status.NOT_ATTEMPTED)
class NetStubInForward(Written):
    def forward(self, x):
        raise NotImplementedError


def net_class(
    widths=(1, 2, 4, 8), strides=(2, 2, 2, 1, 1), act=lambda: nn.LeakyReLU(0.2), norm=nn.BatchNorm2d, normed=(1, 2, 3),
    biased=None, kernel=4, padding=1, mode="zeros", order="norm act", acted=(0, 1, 2, 3), start=(), end=(), out=1,
    before=lambda x: x, after=lambda x: x, more=lambda i: (), base_of=lambda base: base, inside=lambda c: c,
    hold=lambda layers: nn.Sequential(*layers),
):  # fmt: skip
    """The discriminator with one thing exchanged."""
    last = len(strides) - 1
    biased = (0, last) if biased is None else biased

    class PatchDiscriminator(nn.Module):
        def __init__(self, in_channels=6, base=64):
            super().__init__()
            w = [inside(in_channels), *(base_of(base) * n for n in widths), out]
            layers = list(start)
            for i, stride in enumerate(strides):
                layers.append(nn.Conv2d(w[i], w[i + 1], kernel, stride, padding, bias=i in biased, padding_mode=mode))
                for step in order.split():
                    if step == "norm" and i in normed:
                        layers.append(norm(w[i + 1]))
                    if step == "act" and i in acted:
                        layers.append(act())
                layers += more(i)
            self.layers = hold([*layers, *end])

        def forward(self, x):
            x = before(x)
            for layer in self.layers:
                x = layer(x)
            return after(x)

    return PatchDiscriminator


right("5.3")(net_class())


def wrong_net(name, cause=None, found="", status=Status.WRONG, **parts):
    answer = net_class(**parts)
    answer.__name__ = name
    wrong("5.3", cause=cause, found=found, status=status)(answer)


wrong_net("sigmoid", "There is a sigmoid at the end", "its values run from", end=[nn.Sigmoid()])
wrong_net("relu_head", "There is a ReLU at the end", "its values run from 0", end=[nn.ReLU()])
wrong_net("leaky_head", "There is a LeakyReLU at the end", end=[nn.LeakyReLU(0.2)])
wrong_net("leaky_head_001", "There is a LeakyReLU at the end", end=[nn.LeakyReLU()])
wrong_net("tanh_head", "There is a tanh at the end", end=[nn.Tanh()])
wrong_net("softmax_head", "There is a softmax", end=[nn.Softmax(1)])
wrong_net("logsigmoid_head", "log of a sigmoid", end=[nn.LogSigmoid()])
wrong_net("relu_and_sigmoid", "There is a sigmoid at the end", act=nn.ReLU, end=[nn.Sigmoid()])
wrong_net("norm_on_first", "Does a norm belong into the first layer", "the first layer has a norm", normed=(0, 1, 2, 3))
wrong_net(
    "norm_on_first_no_bias", "Does a norm belong into the first layer", "parameters", normed=(0, 1, 2, 3), biased=(4,)
)
wrong_net("norm_on_last", "Does a norm belong into the last layer", normed=(1, 2, 3, 4))
wrong_net("bare_norms", "affine=False", norm=lambda n: nn.BatchNorm2d(n, affine=False))
wrong_net("norm_missing_on_4", "Where is its `BatchNorm2d`", "layer 4 has no norm", normed=(1, 2))
wrong_net("no_norm", "Where is its `BatchNorm2d`", "layer 2 has no norm", normed=())
wrong_net("bias_under_norm", "`bias=False` meant", "the convolution of layer 2 has a bias", biased=range(5))
wrong_net("no_bias_first", "`bias=True` meant", "the convolution of the first layer has no bias", biased=(4,))
wrong_net("no_bias_last", "`bias=True` meant", "the convolution of the last layer has no bias", biased=(0,))
wrong_net("field_142", "too many or missing", "6 convolutions run; expected were 5", widths=(1, 2, 4, 8, 8), strides=(
    2, 2, 2, 2, 1, 1), normed=(1, 2, 3, 4), acted=range(5))  # fmt: skip
wrong_net(
    "field_34", "too many or missing", "4 convolutions run", widths=(1, 2, 4), strides=(2, 2, 1, 1), normed=(1, 2)
)
wrong_net("last_stride_2", "`stride=1`", "the stride of the last layer is 2", strides=(2, 2, 2, 1, 2))
wrong_net("fourth_stride_2", "`stride=1`", "the stride of layer 4 is 2", strides=(2, 2, 2, 2, 1))
wrong_net("all_stride_2", "`stride=1`", "the stride of layer 4 is 2", strides=(2,) * 5)
wrong_net("all_stride_1", "`stride=2`", "the stride of the first layer is 1", strides=(1,) * 5)
wrong_net("no_padding", "`padding=1`", "the padding of the first layer is 0", padding=0)
wrong_net("kernel_3", "`kernel_size=4`", "the kernel of the first layer is 3", kernel=3)
wrong_net("reflected", None, "its values", mode="reflect")
wrong_net("relu", "Is `LeakyReLU(0.2)` meant", act=nn.ReLU)
wrong_net("default_slope", "The slope below 0 is 0.01", act=nn.LeakyReLU)
wrong_net("no_activation", "No activation comes between", act=nn.Identity)
wrong_net("elu", None, "its values", act=nn.ELU)
wrong_net("no_first_activation", "after the first layer", acted=(1, 2, 3))
wrong_net("no_fourth_activation", "after layer 4", acted=(0, 1, 2))
wrong_net("no_second_activation", "after layer 2", acted=(0, 2, 3))
wrong_net("bare_norm_on_first", "Does a norm belong into the first layer", normed=(0, 1, 2, 3), norm=lambda n: (
    nn.BatchNorm2d(n, affine=n > 5)))  # fmt: skip
wrong_net("activation_on_pair", "before the first layer", start=[nn.LeakyReLU(0.2)])
wrong_net("activation_before_norm", "comes before the norm", order="act norm")
wrong_net("averaged", "One number came for each picture", "into (2, 1, 1, 1)", end=[nn.AdaptiveAvgPool2d(1)])
wrong_net("averaged_flat", "One number came for each picture", end=[nn.AdaptiveAvgPool2d(1), nn.Flatten()])
wrong_net("mean", "One number came for each picture", after=lambda x: x.mean((1, 2, 3)))
wrong_net("mean_of_sigmoids", "One number came for each picture", after=lambda x: x.sigmoid().mean((2, 3)))
wrong_net("flattened", "in another shape", end=[nn.Flatten()])
wrong_net("squeezed", "in another shape", after=lambda x: x.squeeze(1))
wrong_net("two_classes", "2 maps came", out=2)
wrong_net("always_six", "made for 6 channels", "4 channels", Status.CRASHED, inside=lambda c: 6)
wrong_net("always_three", "made for 3 channels", "", Status.CRASHED, inside=lambda c: 3)
wrong_net("base_ignored", "Where does `base` come in", "goes from 6 to 64", base_of=lambda base: 64)
wrong_net("not_doubled", None, "layer 2 goes from 4 to 4 channels", widths=(1, 1, 1, 1))
wrong_net("capped_at_4", None, "layer 4 goes from 16 to 16 channels; expected was 16 to 32", widths=(1, 2, 4, 4))
wrong_net("in_a_list", "a Python list", "not among its `parameters()`", hold=list)
wrong_net("dropout", "A dropout runs", "its values", more=lambda i: [nn.Dropout(0.5)] if i in (1, 2, 3) else [])
wrong_net("dropout_of_channels", "A dropout runs", more=lambda i: [nn.Dropout2d(0.3)] if i == 3 else [])
wrong_net("instance_norm", "InstanceNorm2d", norm=lambda n: nn.InstanceNorm2d(n, affine=True))
wrong_net("plain_instance_norm", "InstanceNorm2d", "parameters", norm=nn.InstanceNorm2d)
wrong_net("group_norm", "GroupNorm", norm=lambda n: nn.GroupNorm(1, n))
wrong_net("detached", "`detach()`", "no gradient", after=lambda x: x.detach())
wrong_net("pair_detached", "`detach()`", "no gradient reaches `x`", before=lambda x: x.detach())
wrong_net("condition_zeroed", "hand on all of its channels", "ignores channels 0, 1 and 2", before=lambda x: torch.cat(
    [torch.zeros_like(x[:, :3]), x[:, 3:]], 1))  # fmt: skip
wrong_net("picture_twice", "hand on all of its channels", "ignores channels 0, 1 and 2", before=lambda x: torch.cat(
    [x[:, -(x.shape[1] // 2) :], x[:, x.shape[1] // 2 :]], 1))  # fmt: skip
wrong_net(
    "condition_cut",
    "hand on all of its channels",
    "ignores channels 0, 1 and 2",
    before=lambda x: x[:, 3:],
    inside=lambda c: c - 3,
)
wrong_net("picture_cut", "hand on all of its channels", "4 and 5", before=lambda x: x[:, :3], inside=lambda c: 3)
wrong_net("condition_cut_sigmoid", "hand on all of its channels", "ignores channels", before=lambda x: x[:, 3:], end=[
    nn.Sigmoid()], inside=lambda c: c - 3)  # fmt: skip


@wrong("5.3", cause="`nn.Linear` is made for one size", status=Status.CRASHED)
class WithLinear(nn.Module):
    def __init__(self, in_channels=6, base=64):
        super().__init__()
        self.body = nn.Sequential(*list(Looped(in_channels, base))[:-1])
        self.head = nn.Linear(8 * base * 31 * 31, 1)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


@wrong("5.3", cause="Is a block used again", found="parameters")
class SharedBlocks(nn.Module):
    def __init__(self, in_channels=6, base=64):
        super().__init__()
        self.first = nn.Conv2d(in_channels, base, 4, 2, 1)
        self.block = nn.Sequential(nn.Conv2d(base, base, 4, 2, 1, bias=False), nn.BatchNorm2d(base), nn.LeakyReLU(0.2))
        self.fourth = nn.Conv2d(base, 8 * base, 4, 1, 1, bias=False)
        self.last = nn.Conv2d(8 * base, 1, 4, 1, 1)

    def forward(self, x):
        x = F.leaky_relu(self.first(x), 0.2)
        return self.last(F.leaky_relu(self.fourth(self.block(self.block(x))), 0.2))


@wrong("5.3", found="expected were logits")
class UnfoldedSigmoid(Unfolded):
    def forward(self, x):
        return super().forward(x).sigmoid()


@wrong("5.3", cause="Are the defaults", found="2,765,633 parameters; expected were 2,768,705")
def three_channels(in_channels=3, base=64):
    return Looped(in_channels, base)


@wrong("5.3", cause="super().__init__()", status=Status.CRASHED)
class NoSuper(Written):
    def __init__(self, in_channels=6, base=64):
        self.conv1 = nn.Conv2d(in_channels, base, 4, 2, 1)


@wrong("5.3", cause="forget `return`", found="returned `None`")
class NoReturn(Written):
    def forward(self, x):
        super().forward(x)


@wrong("5.3", cause="does `forward` take that", status=Status.CRASHED)
class TwoArguments(Written):
    def forward(self, x, y):
        return super().forward(torch.cat([x, y], 1))


@wrong("5.3", cause="indented", found="has no `forward`")
class NoForward(nn.Module):
    def __init__(self, in_channels=6, base=64):
        super().__init__()
        self.net = Looped(in_channels, base)


@wrong("5.3", found="requires_grad=False")
def frozen(in_channels=6, base=64):
    return Looped(in_channels, base).requires_grad_(False)


@wrong("5.3", cause="What is `spare.weight` for")
class Spare(Written):
    def __init__(self, in_channels=6, base=64):
        super().__init__(in_channels, base)
        self.spare = nn.Conv2d(base, base, 4)


wrong("5.3", cause="parentheses", found="an object made from it")(Looped())


# --- 5.4 its map ---------------------------------------------------------------------------------


@right("5.4")
def by_formula(side):
    for stride in (2, 2, 2, 1, 1):
        side = (side + 2 - 4) // stride + 1
    if side < 1:
        raise ValueError("no logit is left")
    return side


@right("5.4")
def in_one_go(side):
    if side < 24:
        raise ValueError(f"{side} px is too small")
    return side // 8 - 2


@right("5.4")
def rounded_once(side):
    left = math.floor(side / 8 - 2)
    if left <= 0:
        raise ValueError(left)
    return left


@right("5.4")
def shifted(side):
    left = (side >> 3) + ~1
    if not left > 0:
        raise ValueError("too small")
    return left


@right("5.4")
def tried(side):
    try:
        return models.PatchDiscriminator(1, 1).eval()(torch.zeros(1, 1, side, side)).shape[-1]
    except models.UserError as error:
        raise ValueError(str(error)) from error


@right("5.4")
def with_numpy_ints(side):
    left = np.int64(side) // 2 // 2 // 2 - 1 - 1
    if left < 1:
        raise ValueError
    return left


@wrong("5.4", status=Status.NOT_ATTEMPTED)
def map_stub(side):
    raise NotImplementedError


def wrong_map(name, cause=None, found="", status=Status.WRONG, least=24):
    def mark(rule):
        def answer(side):
            if side < least:
                raise ValueError(f"{side} px is too small")
            return rule(side)

        return marker("5.4", name, cause, found, status)(answer)

    return mark


wrong_map("without_the_ends", "Where do the two convolutions of stride 1", "gave `32`; expected was 30")(
    lambda side: side // 8
)
wrong_map("minus_1", "One convolution of stride 1 is counted", "gave `31`")(lambda side: side // 8 - 1)
wrong_map("minus_3", "makes a map smaller by 1", "gave `29`")(lambda side: side // 8 - 3)
wrong_map("minus_4", "makes a map smaller by 1", "gave `28`")(lambda side: side // 8 - 4)
wrong_map("minus_6", "takes away 3 here")(lambda side: side // 8 - 6)
wrong_map("divided", "is `//` meant", "`30.0`")(lambda side: side / 8 - 2)
wrong_map("floor_of_floats", "a float come in", "a side is an int")(lambda side: np.floor(side / 8) - 2)
wrong_map("rounded_up", "It rounds up", "expected was")(lambda side: math.ceil(side / 8) - 2)
wrong_map("rounded_up_each", "It rounds up")(lambda side: math.ceil(math.ceil(math.ceil(side / 2) / 2) / 2) - 2)
wrong_map("rounded_nearest", "It rounds up")(lambda side: round(side / 8) - 2)
wrong_map("four_halvings", "Four layers of stride 2")(lambda side: side // 16 - 2)
wrong_map("two_halvings", "Two layers of stride 2")(lambda side: side // 4 - 2)
wrong_map("five_halvings", "All five convolutions halve")(lambda side: side // 32)
wrong_map("inside_only", "wholly inside", "gave `24`; expected was 30")(lambda side: (side - 70) // 8 + 1)
wrong_map("always_30", "30 whatever", "(512)` gave `30`; expected was 62")(lambda side: 30)
wrong_map("both_sides", None, "a tuple of 2")(lambda side: (side // 8 - 2,) * 2)
wrong_map("number_of_logits", None, "gave `900`; expected was 30")(lambda side: (side // 8 - 2) ** 2)
wrong_map("refuses_below_70", "smaller than the 70-px field", "ValueError", Status.CRASHED, least=70)(in_one_go)
wrong_map("refuses_24", "a side of 24, too", "ValueError", Status.CRASHED, least=25)(in_one_go)
wrong_map("refuses_up_to_31", "Is one logit none", "ValueError", Status.CRASHED, least=32)(in_one_go)
wrong_map("never_refuses", "`raise ValueError(…)`", "the sides from 24 on are right; a side of 23 leaves", least=-99)(
    lambda side: side // 8 - 2
)
wrong_map("refuses_below_16", "`raise ValueError(…)`", "`0` came back", least=16)(lambda side: side // 8 - 2)
wrong_map("at_least_0", "`raise ValueError(…)`", "`0` came back", least=-99)(lambda side: max(0, side // 8 - 2))
wrong_map("none_for_small", "`raise ValueError(…)`", "`None`", least=-99)(
    lambda side: side // 8 - 2 if side >= 24 else None
)


@wrong("5.4", cause="refuses sides that are no multiple of 8", status=Status.CRASHED)
def only_multiples(side):
    if side % 8 or side < 24:
        raise ValueError(f"{side} is no multiple of 8")
    return side // 8 - 2


@wrong("5.4", cause="wholly inside")
def without_padding(side):
    for stride in (2, 2, 2, 1, 1):
        side = (side - 4) // stride + 1
    return side


@wrong("5.4", cause="`assert` raises AssertionError")
def asserted(side):
    assert side >= 24
    return side // 8 - 2


@wrong("5.4", cause="in place of `raise`")
def returned(side):
    return side // 8 - 2 if side >= 24 else ValueError("too small")


@wrong("5.4", found="`RuntimeError")
def torchs_error(side):
    if side < 24:
        raise RuntimeError("Kernel size can't be greater than actual input size")
    return side // 8 - 2


@right("5.3")
class LazyLayers(nn.Module):
    def __init__(self, in_channels=6, base=64):
        super().__init__()
        layers = []
        for i, (width, stride) in enumerate(((base, 2), (2 * base, 2), (4 * base, 2), (8 * base, 1))):
            layers.append(nn.LazyConv2d(width, 4, stride, 1, bias=i == 0))
            layers += [nn.LazyBatchNorm2d()] * (i > 0) + [nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.LazyConv2d(1, 4, 1, 1))

    def forward(self, x):
        return self.layers(x)


class TrainingNorm(nn.BatchNorm2d):
    def forward(self, x):
        return super().forward(x) if self.training else x


@wrong("5.3", cause="under `if self.training`", found="is left out")
def norm_in_training_only(in_channels=6, base=64):
    net = LazyLayers(in_channels, base)
    places = [i for i, layer in enumerate(net.layers) if isinstance(layer, nn.LazyBatchNorm2d)]
    for place, width in zip(places, (2 * base, 4 * base, 8 * base), strict=True):
        net.layers[place] = TrainingNorm(width)
    return net


@wrong("5.3", cause="`randn_like` draws", found="another output each time")
class Noisy(LazyLayers):
    def forward(self, x):
        x = super().forward(x)
        return x + 0.1 * torch.randn_like(x) if self.training else x


# --- what a shorter examination lets through -----------------------------------------------------


@wrong("5.1", found="expected was 286")
def five_layers_at_most(layers):
    return backwards(layers[:5])


@wrong("5.1", found="expected was 286")
def no_more_than_the_picture(layers):
    return min(backwards(layers), 256)


@wrong("5.4", found="expected was 6")
def half_of_the_padding_too_late(side):
    if side < 24:
        raise ValueError(f"{side} px came; it takes 24")
    return (side - 6) // 8 - 1


@right("5.4")
def refuses_without_a_word(side):
    if side < 24:
        raise ValueError
    return side // 8 - 2
