"""What a network does while it runs: its convolutions, norms and dropouts, in the order in which they come.

A network may be written in many ways; the calls that reach torch are the same.  Dropout is replaced by a fixed
mask that depends on the number of values alone, so that a run in training mode can be repeated exactly; random
numbers that the network draws itself come from the same source, so that a mask written by hand is that mask.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

NORMS = ("instance_norm", "group_norm", "layer_norm", "local_response_norm")
WHOLE_CHANNELS = ("dropout1d", "dropout2d", "dropout3d", "feature_dropout", "alpha_dropout", "feature_alpha_dropout")
FILLING = ("normal_", "uniform_", "fill_", "zero_", "kaiming_uniform_", "kaiming_normal_", "trunc_normal_", "copy_")
#: Functions that draw random numbers: evenly, normally, zeros and ones, whole numbers.
EVEN, NORMAL = ("rand", "rand_like", "uniform_"), ("randn", "randn_like", "normal_")
COINS, WHOLE = ("bernoulli", "bernoulli_"), ("randint", "randint_like")
SUMS = ("add", "__add__", "__radd__", "add_", "__iadd__")


@dataclass
class Op:
    """One call that reached torch.

    Args:
        kind: "conv", "up" (transposed), "norm" (batch norm), "drop", "draw" (random numbers), "cat", "add", or the
            function's own name.
        weight, bias: of a convolution; scale and shift of a norm.
        kernel, stride, padding: of a convolution, (rows, columns).
        running: mean and variance that a batch norm keeps, as they were before the call.
        training: does a norm use the batch's statistics, does a dropout drop?
        p: what a dropout drops.
        dim: along which tensors are concatenated.
        twice: is one tensor concatenated with itself?
        name, shape: of the function that draws, and of what it drew.
    """

    kind: str
    weight: Tensor | None = None
    bias: Tensor | None = None
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    padding: tuple[int, ...] = ()
    running: tuple[Tensor, Tensor] | None = None
    training: bool = False
    p: float = 0.0
    dim: int = 0
    twice: bool = False
    name: str = ""
    shape: tuple[int, ...] = ()


@dataclass
class Layer:
    """A convolution, the norm that comes after it and before the next, and the norm that comes just before it."""

    conv: Op
    norms: list[Op] = field(default_factory=list)
    first: list[Op] = field(default_factory=list)

    @property
    def norm(self) -> Op | None:
        """The norm that follows."""
        return self.norms[0] if self.norms else None

    @property
    def up(self) -> bool:
        """Is it a transposed convolution?"""
        return self.conv.kind == "up"

    @property
    def channels(self) -> tuple[int, int]:
        """Before and after, as its weight has them."""
        assert self.conv.weight is not None
        a, b = self.conv.weight.shape[:2]
        return (int(a), int(b)) if self.up else (int(b), int(a))


class Trace(TorchFunctionMode):
    """Notes calls while it is entered; an operation is noted before it runs, so that one that fails is there, too.

    Args:
        free: are random numbers that the network draws other ones each time, in place of fixed ones?
        quiet: are normally distributed ones all 0?
    """

    def __init__(self, *, free: bool = False, quiet: bool = False) -> None:
        super().__init__()
        self.free, self.quiet = free, quiet
        self.ops: list[Op] = []

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        op = _read(func, args, kwargs)
        if op is not None:
            self.ops.append(op)
            if op.kind == "drop":
                return _drop(op, *args, **kwargs)
        out = func(*args, **kwargs)
        name = getattr(func, "__name__", "")
        if name in (*EVEN, *NORMAL, *COINS, *WHOLE) and type(out) is Tensor:
            self.ops.append(Op("draw", name=name, shape=tuple(out.shape)))
            if not self.free:
                fixed = 0 * out if self.quiet and name in NORMAL else _fixed(name, out, args, kwargs)
                with torch.no_grad():
                    out.copy_(fixed)
        return out

    def of(self, *kinds: str) -> list[Op]:
        """The calls of these kinds."""
        return [op for op in self.ops if op.kind in kinds]

    def layers(self) -> list[Layer]:
        """The convolutions with the norms around them."""
        layers: list[Layer] = []
        before: list[Op] = []
        for op in self.ops:
            if op.kind in ("conv", "up"):
                layers.append(Layer(op, first=before if len(layers) == 0 else []))
            elif op.kind in ("norm", *NORMS):
                (layers[-1].norms if layers else before).append(op)
        return layers


class Unfilled(TorchFunctionMode):
    """While it is entered no values are drawn: for networks of which only the shapes matter."""

    def __torch_function__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__name__", "") in FILLING:
            return args[0] if args else kwargs["tensor"]
        return func(*args, **kwargs)


def look(trace: Trace, function: Callable[..., Any], *arguments: Any) -> Any:
    """What function(*arguments) returns, with all that happens on the way noted in `trace`."""
    with trace:
        return function(*arguments)


def even(shape: Sequence[int]) -> Tensor:
    """Numbers between 0 and 1 that are always the same for one number of them."""
    count = math.prod(shape)
    return torch.rand(count, generator=torch.Generator().manual_seed(count)).view(tuple(shape))


def masked(
    x: Tensor, p: float = 0.5, keep: float | None = None, *, flip: bool = False, channels: bool = False
) -> Tensor:
    """Dropout with a mask that is always the same for one number of values.

    Args:
        keep: what is kept is multiplied by this; 1 / (1 - p) if not given.
        flip: is a value dropped where the number drawn for it is large, in place of small?
        channels: are whole channels of (B, C, H, W) dropped?
    """
    drawn = even((*x.shape[:2], 1, 1) if channels else x.shape)
    kept = (1 - drawn if flip else drawn).ge(p).to(x.dtype)
    if keep is None:
        keep = 1 / (1 - p) if p < 1 else 0.0
    return x * kept * keep


def _fixed(name: str, out: Tensor, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor:
    """What a function that draws is made to give: the same numbers as the masks are made of."""
    drawn = even(out.shape)
    try:
        if name in COINS:
            return drawn >= 1 - _pick(args, kwargs, 1 if name == "bernoulli_" else 0, "p", kwargs.get("input", 0.5))
        if name in WHOLE:
            ends = [a for a in args if isinstance(a, int)]
            low, high = kwargs.get("low", ends[-2] if len(ends) > 1 else 0), kwargs.get("high", ends[-1])
            return (low + (high - low) * drawn).floor()
        if name in NORMAL:
            drawn = torch.special.ndtri(drawn.double().clamp(1e-6, 1 - 1e-6))
        first, second = (_pick(args, kwargs, i + 1, n) for i, n in enumerate(_BOUNDS.get(name, ("", ""))))
        if name == "uniform_":
            first, second = first or 0, 1 if second is None else second
            return first + (second - first) * drawn
        return (first or 0) + (1 if second is None else second) * drawn if name == "normal_" else drawn
    except (TypeError, IndexError):  # called in a way that is not known here
        return out.detach().clone()


_BOUNDS = {"uniform_": ("from", "to"), "normal_": ("mean", "std")}


def stored_in_lists(net: nn.Module) -> list[str]:
    """Attributes that hold modules or parameters where `parameters()` does not look: lists, tuples, dicts."""
    found = []
    torchs = vars(nn.Module()).keys()
    for name, value in (item for module in net.modules() for item in vars(module).items()):
        if type(value) in (list, tuple, dict) and name not in torchs:
            held = value.values() if type(value) is dict else value
            flat = [x for h in held for x in (h if type(h) in (list, tuple) else [h])]
            if any(isinstance(x, nn.Module | nn.Parameter) for x in flat):
                found.append(name)
    return list(dict.fromkeys(found))


def _drop(op: Op, x: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    if not op.training:
        return x
    y = masked(x, op.p)
    if kwargs.get("inplace") or (len(args) > 2 and args[2]):
        return x.copy_(y) if not (x.requires_grad and x.is_leaf) else y
    return y


def _read(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Op | None:
    name = getattr(func, "__name__", "")
    reader = _READERS.get(name)
    if reader is None:
        return Op(name) if name in (*NORMS, *WHOLE_CHANNELS, "interpolate", "linear") else None
    try:
        return reader(func, args, kwargs)
    except (TypeError, ValueError, IndexError, AttributeError):  # torch will say what is wrong with the call
        return None


def _pick(args: Sequence[Any], kwargs: Mapping[str, Any], place: int, name: str, default: Any = None) -> Any:
    return args[place] if len(args) > place else kwargs.get(name, default)


def _two(value: Any) -> tuple[int, ...]:
    if isinstance(value, str):  # "same", "valid"
        return ()
    return (int(value),) * 2 if isinstance(value, int) else tuple(int(v) for v in value) * (2 if len(value) == 1 else 1)


def _conv(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Op:
    weight = _pick(args, kwargs, 1, "weight")
    return Op(
        "up" if "transpose" in func.__name__ else "conv",
        weight=weight,
        bias=_pick(args, kwargs, 2, "bias"),
        kernel=tuple(int(s) for s in weight.shape[2:]),
        stride=_two(_pick(args, kwargs, 3, "stride", 1)),
        padding=_two(_pick(args, kwargs, 4, "padding", 0)),
    )


def _norm(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Op:
    places = (3, 4, 1, 2) if func is functional.batch_norm else (1, 2, 3, 4)  # torch.batch_norm has another order
    names = ("weight", "bias", "running_mean", "running_var")
    scale, shift, mean, variance = (_pick(args, kwargs, at, name) for at, name in zip(places, names, strict=True))
    running = None if mean is None or variance is None else (mean.detach().clone(), variance.detach().clone())
    return Op("norm", scale, shift, running=running, training=bool(_pick(args, kwargs, 5, "training", False)))


def _dropout(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Op:
    training = _pick(args, kwargs, 2, "training", kwargs.get("train", True))
    return Op("drop", p=float(_pick(args, kwargs, 1, "p", 0.5)), training=bool(training))


def _cat(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Op:
    dim = _pick(args, kwargs, 1, "dim", kwargs.get("axis", 0))
    tensors = _pick(args, kwargs, 0, "tensors")
    return Op("cat", dim=int(dim), twice=len(tensors) > 1 and len({id(x) for x in tensors}) == 1)


def _add(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Op | None:
    pictures = [a for a in args[:2] if isinstance(a, Tensor) and a.dim() == 4]
    return Op("add") if len(pictures) == 2 else None


_READERS: dict[str, Callable[[Any, Sequence[Any], Mapping[str, Any]], Op | None]] = {
    "conv2d": _conv,
    "conv_transpose2d": _conv,
    "batch_norm": _norm,
    "dropout": _dropout,
    **dict.fromkeys(("cat", "concat", "concatenate"), _cat),
    **dict.fromkeys(SUMS, _add),
}
