"""Values said in words, and two of them compared."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor, nn


def describe(value: Any) -> str:
    """What something is, without an address: "a float32 tensor of shape (3, 4, 5)".

    A class of a check says it of itself: the learner does not know it by its name.
    """
    if isinstance(value, Tensor):
        return f"{_a(dtype(value))} tensor of shape {shape(value)}"
    if isinstance(value, np.ndarray):
        return f"a NumPy array of shape {value.shape}, dtype {value.dtype}"
    if value is None or value is Ellipsis or type(value) in (bool, int, float):
        return f"`{'...' if value is Ellipsis else value!r}`"
    if type(value) is str:
        return f'"{value}"' if len(value) < 40 else "a str"
    if type(value) in (tuple, list):
        return f"a {type(value).__name__} of {len(value)}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if isinstance(value, torch.Generator):
        return "a generator of random numbers"
    return getattr(type(value), "described", None) or _a(type(value).__name__)


def _a(name: str) -> str:
    return f"{'an' if name[:1] in 'aeioAEIO' else 'a'} {name}"


def shape(value: Tensor) -> str:
    """(3, 4, 5)."""
    return str(tuple(value.shape))


def dtype(value: Tensor) -> str:
    """float32, without "torch."."""
    return str(value.dtype).removeprefix("torch.")


def number(value: float) -> str:
    """Four digits."""
    return f"{value:.4g}"


def span(value: Tensor) -> str:
    """ "from -1 to 0.98"."""
    if value.numel() == 0:
        return "empty"
    flat = value.detach().double().flatten()
    if torch.isnan(flat).any():
        return "partly NaN"
    return f"from {number(flat.min().item())} to {number(flat.max().item())}"


def same(a: Any, b: Any, tolerance: float = 0.0) -> bool:
    """Equal in kind, shape, dtype, and in value to within `tolerance`; lists and tuples part by part."""
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(same(x, y, tolerance) for x, y in zip(a, b, strict=True))
    if isinstance(a, Tensor) and isinstance(b, Tensor):
        if a.shape != b.shape or a.dtype != b.dtype or (a.device, a.layout) != (b.device, b.layout):
            return False
        return largest_difference(a, b) <= tolerance
    if isinstance(a, nn.Module | Tensor) or isinstance(b, nn.Module | Tensor):
        return a is b
    return type(a) is type(b) and bool(a == b)


def largest_difference(a: Tensor, b: Tensor) -> float:
    """Largest absolute difference of two tensors of one shape; NaN and infinity are equal to themselves only."""
    if a.numel() == 0:
        return 0.0
    x, y = (t.detach().cpu().to(torch.complex128 if t.is_complex() else torch.float64) for t in (a, b))
    alike = (x == y) | (torch.isnan(x) & torch.isnan(y))
    apart = torch.where(alike, torch.zeros_like(x.real), (x - y).abs())
    return float(torch.nan_to_num(apart, nan=torch.inf).max())


class Unlike(Exception):
    """How a tensor differs from what was expected: what is right about it, and what came."""

    def __init__(self, right: list[str], found: str) -> None:
        super().__init__(found)
        self.right, self.found = right, found


def require_tensor(value: Any, expected: Tensor, name: str, tolerance: float = 0.0) -> None:
    """Compare kind, shape, dtype and values, in this order.

    Args:
        value: what came.
        expected: what should have come.
        name: what it is called, such as "the input".
        tolerance: largest difference that is still right; 0 for exact.

    Raises:
        Unlike: at the first that differs.
    """
    if not isinstance(value, Tensor):
        raise Unlike([], f"{name} is {describe(value)}; expected was {describe(expected)}")
    if value.shape != expected.shape:
        raise Unlike([], f"{name} has shape {shape(value)}; expected was {shape(expected)}")
    if (value.device, value.layout) != (expected.device, expected.layout):
        came, wanted = (f"{t.device}, {str(t.layout).removeprefix('torch.')}" for t in (value, expected))
        raise Unlike([], f"{name} is stored otherwise ({came}) than what came in ({wanted})")
    apart = largest_difference(value, expected)
    right = [f"the shape of {name} is right, {shape(value)}"]
    if value.dtype != expected.dtype:
        found = f"{name} is {dtype(value)}; expected was {dtype(expected)}"
        raise Unlike([*right, *(["so are the values"] if apart <= max(tolerance, 1e-6) else [])], found)
    if not apart <= tolerance:
        right = [f"shape and dtype of {name} are right, {shape(value)} {dtype(value)}"]
        raise Unlike(right, _how_far(value, expected, name, apart))


def _how_far(value: Tensor, expected: Tensor, name: str, apart: float) -> str:
    if span(value) == span(expected):
        where = f"its values run {span(value)}, as expected, but not each is where it should be"
    else:
        where = f"its values run {span(value)}; expected was {span(expected)}"
    scale = float(expected.detach().abs().double().max()) if expected.numel() else 0.0
    if apart <= 1e-4 * max(scale, 1e-12) and value.is_floating_point():
        where = f"{name} is close, not exact"
    return f"{where} (largest difference {number(apart)})"
