"""Exercises 5.1 and 5.2: how many pixels one logit sees, and how many layers that takes."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable

from p2plib.checks.trial import Mistake, Trial
from p2plib.checks.whole import compare_whole
from p2plib.models import receptive_field

Layers = list[tuple[int, int]]
#: The kernel of all layers of a PatchGAN.
KERNEL = 4


def stride_two_layers(field: int) -> int:
    """The smallest n ≥ 1 for which a PatchGAN with n convolutions of stride 2 sees at least `field` ≥ 1 pixels."""
    return _first(lambda n: _field(n) >= field)


# --- 5.1 ---------------------------------------------------------------------------------------


def _grown(layers: Iterable[tuple[int, int]], wider: Callable[[int, int, int, int], int], field: int = 1) -> int:
    """`field` widened, layer by layer, by wider(kernel, stride, steps before, last stride)."""
    step, last = 1, 1
    for kernel, stride in layers:
        field += wider(kernel, stride, step, last)
        step, last = step * stride, stride
    return field


def _back(layers: Layers, before: Callable[[int, int, int], int], field: int = 1) -> int:
    """From the last layer to the first: before(field, kernel, stride) is the field one layer earlier."""
    for kernel, stride in reversed(layers):
        field = before(field, kernel, stride)
    return field


def _steps_added(layers: Layers) -> int:
    field, step = 1, 1
    for kernel, stride in layers:
        field += (kernel - 1) * step
        step += stride
    return field


def _side(layers: Layers, padding: int) -> int:
    side = 256
    for kernel, stride in layers:
        side = (side + 2 * padding - kernel) // stride + 1
    return side


FIELD_MISTAKES = (
    Mistake(
        "Each layer adds k − 1 pixels here. Is one step of a later layer not as long as the strides before it make it?",
        lambda layers: _grown(layers, lambda k, s, step, last: k - 1),
    ),
    Mistake(
        "The stride of a layer counts for the layer itself. Is it not only the layers after it that take longer steps?",
        lambda layers: _grown(layers, lambda k, s, step, last: (k - 1) * step * s),
        lambda layers: _back(layers, lambda field, k, s: (field + k - 1 - 1) * s + 1),
    ),
    Mistake(
        "This is the field of the same layers in reverse order. Which one does the picture meet first, and at which "
        "end does your formula begin?",
        lambda layers: receptive_field(reversed(layers)),
    ),
    Mistake(
        "Only the stride of the layer just before is counted. Do all strides before it not multiply?",
        lambda layers: _grown(layers, lambda k, s, step, last: (k - 1) * last),
    ),
    Mistake(
        "Each layer is stretched by its own stride, and by no other. Is it not the strides before it that count?",
        lambda layers: _grown(layers, lambda k, s, step, last: (k - 1) * s),
    ),
    Mistake("The strides are added up. Do they not multiply?", _steps_added),
    Mistake("This is the sum of the kernels. Where do the strides come in?", lambda layers: sum(k for k, _ in layers)),
    Mistake(
        "The kernels are multiplied. Is it not the strides that are?", lambda layers: math.prod(k for k, _ in layers)
    ),
    Mistake("This is the product of the strides. Where do the kernels come in?", lambda x: math.prod(s for _, s in x)),
    Mistake(
        "It begins with 0. How many pixels does a value see that no layer has touched yet?",
        lambda layers: receptive_field(layers) - 1,
        lambda layers: _back(layers, lambda field, k, s: (field - 1) * s + k, 0),
    ),
    Mistake(
        "A row of k values is k − 1 steps long. Is the `- 1` left out, or in the wrong place?",
        lambda layers: _grown(layers, lambda k, s, step, last: k * step),
        lambda layers: _grown(layers, lambda k, s, step, last: k * step, 0),
        lambda layers: _back(layers, lambda field, k, s: field * s + k),
        lambda layers: _back(layers, lambda field, k, s: field * s + k - 1),
    ),
    Mistake(
        "It is right for kernels of 4 only. Where does `kernel` come in?",
        lambda layers: receptive_field([(KERNEL, s) for _, s in layers]),
    ),
    Mistake(
        "It is right for strides of 2 only. Where does `stride` come in?",
        lambda layers: receptive_field([(k, 2) for k, _ in layers]),
    ),
    Mistake(
        "Layers of stride 1 are left out. Does a kernel not widen the field at any stride?",
        lambda layers: receptive_field([(k, s) for k, s in layers if s > 1]),
    ),
    Mistake("The last layer is left out. Does the loop end too early?", lambda layers: receptive_field(layers[:-1])),
    Mistake("The first layer is left out. Does the loop begin too late?", lambda layers: receptive_field(layers[1:])),
    Mistake(
        "Without any layer a value sees itself. What does your code make of an empty list?",
        lambda layers: receptive_field(layers) if layers else None,
        lambda layers: receptive_field(layers) if layers else 0,
    ),
    Mistake("It is 70 whatever the layers are. Where does `layers` come in?", lambda layers: 70),
    Mistake(
        "Padding is taken away. Does a value in the middle of the map, far from the border, meet any?",
        lambda layers: _back(layers, lambda field, k, s: (field - 1) * s + k - 2),
    ),
    Mistake(
        "This is how large the map of a 256-px picture is. What was asked is how much of it one value of the map sees.",
        lambda layers: _side(layers, 1),
        lambda layers: _side(layers, 0),
    ),
    Mistake("A number of pixels is whole. Where does a float come in?", lambda layers: float(receptive_field(layers))),
)


def check_field(t: Trial) -> None:
    """Two of the paper's stacks, then ones that are not symmetric, have other kernels, or no layer at all."""
    patch_16, patch_70 = ([(4, 2)] * n + [(4, 1)] * 2 for n in (1, 3))
    stacks: list[Layers] = [patch_16, patch_70, [(3, 1), (3, 1)], [(5, 3), (2, 1), (3, 2)], [(1, 1)] * 3, [(7, 2)], []]
    stacks.append([(t.integer(3, 7), t.integer(1, 3)) for _ in range(4)])
    stacks.append([(4, 2)] * 5 + [(4, 1)] * 2)  # more layers than the paper's, and a field above 256
    compare_whole(t, [(stack,) for stack in stacks], receptive_field, FIELD_MISTAKES, unit="a number of pixels")


# --- 5.2 ---------------------------------------------------------------------------------------


def _field(n: int, ends: int = 2) -> int:
    """What one logit sees after n convolutions of stride 2 and `ends` of stride 1."""
    return receptive_field([(KERNEL, 2)] * n + [(KERNEL, 1)] * ends)


def _first(enough: Callable[[int], bool], n: int = 1) -> int:
    while not enough(n):
        n += 1
    return n


def _largest_within(field: int) -> int:
    return _first(lambda n: _field(n + 1) > field, 0)


def _log(field: int, unit: float = 1.0) -> float:
    return math.log2(field / unit)


EXACT = {_field(n): n for n in range(1, 6)}
NOT_DOUBLED = "It takes a field that doubles with each layer. From 16 to 34, 70, 142, how does it grow?"

DEPTH_MISTAKES = (
    Mistake("It is one too few for every field. At which n does the count begin?", lambda f: stride_two_layers(f) - 1),
    Mistake(
        "It is one too many for every field. Is one of the convolutions of stride 1 counted, or is the loop left late?",
        lambda f: stride_two_layers(f) + 1,
    ),
    Mistake(
        "All convolutions are counted. How many of them have stride 2?",
        lambda f: stride_two_layers(f) + 2,
    ),
    Mistake(
        "It knows only fields that a depth has exactly. Which is the smallest n that sees at least as much?",
        EXACT.get,
        {1: 0, **EXACT}.get,
        lambda f: next((n for n in range(1, 20) if _field(n) == f), None),
        lambda f: EXACT.get(f, 0),
        lambda f: EXACT.get(f, -1),
    ),
    Mistake(
        "It is the largest n whose field fits into `field`. Should the n see at least `field` pixels?",
        _largest_within,
        lambda f: max(1, _largest_within(f)),
        lambda f: _largest_within(f) or None,
        lambda f: min(5, _largest_within(f)),
        lambda f: min(5, max(1, _largest_within(f))),
    ),
    Mistake(
        "A field of exactly `field` pixels is taken to be too small. Is it not enough?",
        lambda f: _first(lambda n: _field(n) > f),
    ),
    Mistake(
        NOT_DOUBLED,
        *(
            lambda f, up=up, low=low: max(low, up(_log(f, 16)) + 1)
            for up in (math.ceil, math.floor, round)
            for low in (1, -9)
        ),
        *(lambda f, up=up, low=low: max(low, up(_log(f)) - 3) for up in (math.ceil, round) for low in (1, -9)),
        *(lambda f, low=low: max(low, math.ceil(_log(f)) - 4) for low in (1, -9)),
        *(lambda f, up=up, low=low: max(low, up(_log(f))) for up in (math.ceil, math.floor, round) for low in (1, -9)),
    ),
    Mistake(
        "The logarithm is rounded to the nearest. Which way does n have to go for a field in between?",
        lambda f: max(1, round(_log(f + 2, 9))),
        lambda f: round(_log(f + 2, 9)),
    ),
    Mistake(
        "It goes below 1 for small fields. What is the smallest n that was asked for?",
        lambda f: math.ceil(_log(f + 2, 9)),
        lambda f: _first(lambda n: _field(n) >= f, 0),
    ),
    Mistake(
        "It ends with 286. Does another convolution of stride 2 not see more than that?",
        *(lambda f, after=after: stride_two_layers(f) if f <= 286 else after for after in (None, 0, -1, 1, 5, 6)),
    ),
    Mistake(
        "It is the n whose field is nearest. What if the nearest is smaller than `field`?",
        *(lambda f, last=last: min(range(1, last), key=lambda n: abs(_field(n) - f)) for last in (6, 20)),
    ),
    Mistake(
        "It is the field of n convolutions of stride 2 alone. Do the two of stride 1 not widen it?",
        lambda f: _first(lambda n: _field(n, 0) >= f),
    ),
    Mistake(
        "One convolution of stride 1 is counted. Are there not two, with the one that gives the logits?",
        lambda f: _first(lambda n: _field(n, 1) >= f),
    ),
    Mistake(
        "It is the field, in pixels. How many convolutions of stride 2 does it take?",
        lambda f: _field(stride_two_layers(f)),
    ),
    Mistake("It is 3 whatever the field is. Where does `field` come in?", lambda f: 3),
    Mistake("A number of layers is whole. Where does a float come in?", lambda f: float(stride_two_layers(f))),
)


def check_depth(t: Trial) -> None:
    """The paper's fields, then those between them, below the smallest and above the largest."""
    fields = [70, 16, 34, 142, 286, 100, 33, 47, 50, 60, 65, 95, 130, 35, 71, 20, 1, 7, 300, 600, t.integer(1200, 2200)]
    compare_whole(t, [(f,) for f in fields], stride_two_layers, DEPTH_MISTAKES, unit="a number of layers")
