"""Which layers a network should have, and in which of them one that was seen running is otherwise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial

from torch import Tensor, nn

from p2plib.checks.traced import Layer, Trace

#: What is found, and the question about it where the cause is certain.
Finding = tuple[str, str | None]


@dataclass(frozen=True)
class Piece:
    """A convolution that is expected, with the norm after it.

    Args:
        name: of the block that it is in: "the bottleneck".
        up: is it a transposed one?
        inside, outside: its channels.
        bias, norm: has it one?
        stride: its stride.
    """

    name: str
    up: bool
    inside: int
    outside: int
    bias: bool
    norm: bool
    stride: int = 2

    @property
    def count(self) -> int:
        """How many numbers it learns."""
        return self.inside * self.outside * 16 + self.outside * (self.bias + 2 * self.norm)


def unet(in_channels: int, out_channels: int, base: int, depth: int) -> list[Piece]:
    """The U-Net's, in the order in which they run."""
    width = [in_channels, *(base * min(2**i, 8) for i in range(depth))]
    down, up = [], []
    for i in range(depth):
        name = "the first block" if i == 0 else "the bottleneck" if i == depth - 1 else f"block {i + 1} of the encoder"
        down.append(Piece(name, False, width[i], width[i + 1], False, 0 < i < depth - 1))
    for j in range(depth):
        last = j == depth - 1
        name = "the last block" if last else f"block {j + 1} of the decoder"
        inside = width[depth - j] * (2 if j else 1)
        up.append(Piece(name, True, inside, out_channels if last else width[depth - j - 1], last, not last))
    return down + up


def count(pieces: Sequence[Piece]) -> int:
    """How many numbers they learn."""
    return sum(piece.count for piece in pieces)


def seen(layers: Sequence[Layer], pieces: Sequence[Piece]) -> bool:
    """Are these the convolutions that are expected, so that the result can be worked out from their weights?"""
    alike = [
        layer.conv.weight is not None
        and (layer.up, layer.conv.kernel, layer.channels) == (piece.up, (4, 4), (piece.inside, piece.outside))
        and len(layer.norms) <= piece.norm
        and (layer.conv.bias is None or piece.bias)
        for layer, piece in zip(layers, pieces, strict=False)
    ]
    return len(layers) == len(pieces) and all(alike)


def otherwise(
    own: Iterable[nn.Parameter],
    trace: Trace,
    pieces: Sequence[Piece],
    lists: Callable[[], list[str]],
    anew: Callable[[], bool],
) -> Finding | None:
    """The first thing that is otherwise about a network whose parameters are not as many as they should be.

    Args:
        own: its parameters.
        lists: names of Python lists that hold layers.
        anew: does another call of the network use other weights?
    """
    layers = trace.layers()
    if not layers:
        return None
    hidden = partial(_unregistered, own, layers, lists, anew)
    for look in (hidden, partial(_shared, layers), partial(geometry, trace, pieces)):
        finding = look()
        if finding:
            return finding
    if len(layers) != len(pieces):
        return _number(layers, pieces)
    return _channels(trace, layers, pieces) or norms(layers, pieces) or _biases(layers, pieces)


def _unregistered(
    own: Iterable[nn.Parameter], layers: Sequence[Layer], lists: Callable[[], list[str]], anew: Callable[[], bool]
) -> Finding | None:
    known = {id(p) for p in own}
    weights = [op.weight for layer in layers for op in (layer.conv, *layer.norms) if isinstance(op.weight, Tensor)]
    hidden = [w for w in weights if w.is_leaf and id(w) not in known]
    if not hidden:
        return None
    fact = f"{len(hidden)} of the {len(weights)} weights that it uses are not among its `parameters()`"
    if in_lists := lists():
        names = " and ".join(f"`{name}`" for name in in_lists)
        are = "is a Python list" if len(in_lists) == 1 else "are Python lists"
        return fact, f"{names} {are} (or a tuple, or a dict), in which PyTorch does not look. Is `nn.ModuleList` meant?"
    if anew():
        return fact, "Layers are made in `forward`, new ones at every call. Should `__init__` make them?"
    plain = not any(isinstance(w, nn.Parameter) for w in hidden)
    return fact, "Is a weight a plain tensor, where `nn.Parameter` is meant?" if plain else None


def _shared(layers: Sequence[Layer]) -> Finding | None:
    convs = [id(layer.conv.weight) for layer in layers]
    if len(set(convs)) < len(convs):
        most = max(convs.count(c) for c in convs)
        return (
            f"one convolution runs {most} times in one pass",
            "Is a block used again where a new one should be made?",
        )
    scales = [id(op.weight) for layer in layers for op in layer.norms if op.weight is not None]
    if len(set(scales)) < len(scales):
        return "one norm runs after several convolutions", "Does each block make a `BatchNorm2d` of its own?"
    return None


def geometry(trace: Trace, pieces: Sequence[Piece], padding: bool = False) -> Finding | None:
    """What is otherwise about kernels and strides; about padding only where a shape shows that it is wrong."""
    layers = trace.layers()
    if any(p.up for p in pieces) and not any(layer.up for layer in layers) and trace.of("interpolate"):
        return (
            "it is made larger first and convolved then",
            "Is `nn.ConvTranspose2d` meant, which does both?",
        )
    for layer, piece in zip(layers, pieces, strict=False):
        op = layer.conv
        asked = "ConvTranspose2d" if piece.up else "Conv2d"
        if layer.up != piece.up:
            fact = f"{piece.name} has {'a transposed' if layer.up else 'an ordinary'} convolution"
            return (fact, f"Is `nn.{asked}` meant?") if len(layers) == len(pieces) else None
        facts = [("kernel_size", op.kernel, 4), ("stride", op.stride, piece.stride)]
        for name, came, right in facts + [("padding", op.padding, 1)] * padding:
            if came != (right, right) and len(came) == 2:
                word = name.removesuffix("_size") + f" of {piece.name}" * (len(pieces) > 1)
                return f"the {word} is {_side(came)}", f"Is `{name}={right}` meant in `nn.{asked}`?"
    return None


def shaped(trace: Trace, pieces: Sequence[Piece]) -> Finding | None:
    """What is otherwise about a network that gives another shape than it should."""
    layers = trace.layers()
    ups = any(layer.up for layer in layers) or any(piece.up for piece in pieces)
    if layers and len(pieces) > 1 and len(layers) != len(pieces) and not ups:
        return _number(layers, pieces)  # in a plain chain one more or less says all
    return geometry(trace, pieces, padding=True)


def _side(two: tuple[int, ...]) -> str:
    return str(two[0]) if two[0] == two[1] else f"{two[0]} × {two[1]}"


def _number(layers: Sequence[Layer], pieces: Sequence[Piece]) -> Finding:
    came, right = ([sum(p.up == up for p in of) for up in (False, True)] for of in (layers, pieces))
    if came[1] == right[1] == 0:
        return f"{came[0]} convolutions run; expected were {right[0]}", None
    fact = f"{came[0]} convolutions and {came[1]} transposed ones run; expected were {right[0]} and {right[1]}"
    return fact, None


def _channels(trace: Trace, layers: Sequence[Layer], pieces: Sequence[Piece]) -> Finding | None:
    for layer, piece in zip(layers, pieces, strict=True):
        if layer.channels == (piece.inside, piece.outside):
            continue
        fact = f"{piece.name} goes from {_arrow(layer.channels)} channels; expected was "
        return fact + _arrow((piece.inside, piece.outside)), _why_channels(trace, layer, piece, pieces)
    return None


def _why_channels(trace: Trace, layer: Layer, piece: Piece, pieces: Sequence[Piece]) -> str | None:
    inside, outside = layer.channels
    widest = max(p.outside for p in pieces)
    if piece == pieces[0] and len(pieces) > 1 and inside == piece.inside and outside == 64:
        return "It has 64 channels whatever `base` is. Where does `base` come in?"
    if not piece.up and inside == piece.inside == piece.outside == widest and outside == 2 * inside:
        return "The channels go on doubling. Where do they stop, at 8 · base?"
    if piece.up and 2 * inside == piece.inside and not trace.of("cat"):
        if trace.of("add"):
            return "The skips are added. Are they concatenated in a U-Net?"
        return "Nothing is concatenated. Where do the skips come in?"
    joined = sum(p.up for p in pieces) - 2  # skips of all but the outermost level
    if piece.name == "the last block" and 2 * inside == piece.inside and len(trace.of("cat")) == joined:
        return "The last block takes no skip. Which one is left, of the size that it works at?"
    return None


def _arrow(channels: tuple[int, int]) -> str:
    return f"{channels[0]} to {channels[1]}"


def _biases(layers: Sequence[Layer], pieces: Sequence[Piece]) -> Finding | None:
    for layer, piece in zip(layers, pieces, strict=True):
        has = layer.conv.bias is not None
        if has and not piece.bias:
            why = "The norm takes away the mean, and a bias with it: is" if piece.norm else "Is"
            return (
                f"the convolution of {piece.name} has a bias of {piece.outside} numbers",
                f"{why} `bias=False` meant?",
            )
        if piece.bias and not has:
            return (
                f"the convolution of {piece.name} has no bias",
                "No norm follows there to shift the result: is `bias=True` meant?",
            )
    return None


def norms(layers: Sequence[Layer], pieces: Sequence[Piece]) -> Finding | None:
    """Which convolution has a norm that should have none, or none that should have one."""
    single = len(pieces) == 1
    came = {i for i, layer in enumerate(layers) if layer.norms}
    right = {i for i, piece in enumerate(pieces) if piece.norm}
    if single and right and layers[0].first and not came:
        return "a norm comes before the convolution", "Does the norm come after the convolution here?"
    if not single and came == {i - 1 for i in right}:
        return "each norm comes one convolution early", "Does the norm come after the convolution of its block?"
    for layer, piece in zip(layers, pieces, strict=True):
        kinds = [op.kind for op in (*layer.norms, *layer.first)]
        if piece.norm and [k for k in kinds if k != "norm"]:
            other = {"instance_norm": "InstanceNorm2d", "group_norm": "GroupNorm", "layer_norm": "LayerNorm"}
            return f"{piece.name} has another norm", f"It is {other.get(kinds[0], kinds[0])}: is `BatchNorm2d` meant?"
        if not piece.norm and kinds:
            asked = "`norm=False` was asked for. Where does `norm` come in?"
            return f"{piece.name} has a norm", asked if single else f"Does a norm belong into {piece.name}?"
        if piece.norm and not kinds:
            return f"{piece.name} has no norm", f"Where is {'the' if single else 'its'} `BatchNorm2d`?"
        if piece.norm and layer.norms[0].weight is None:
            return f"the norm of {piece.name} has no scale and no shift", "Is it made with `affine=False`?"
        if len(kinds) > 1:
            return f"{piece.name} has {len(kinds)} norms", "Is one enough?"
    return None
