"""What makes a step cheaper on the CPU without changing what it computes; each was kept because `bench` shows it."""

from __future__ import annotations

import ctypes
import os
import sys
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.overrides import TorchFunctionMode

#: Pixels of a map (all pictures of the batch together) up to which a matrix product beats the convolution in bf16.
SMALL = 64

_NO_MMAP, _NO_TRIM = (-4, 0), (-1, 2**31 - 1)  # M_MMAP_MAX and M_TRIM_THRESHOLD of glibc's mallopt


class SmallMapsAsProducts(TorchFunctionMode):
    """While open, convolutions k4 s2 p1 of small maps are done as matrix products.

    At batch 1 the inner blocks of a U-Net hold most of its weights and hardly any pixels.  A convolution spends its
    time there on turning weights into the order it likes; a product takes them as they lie.  In bf16 only: in float32
    the product is the slower one.
    """

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        own = OWN.get(func)
        if own is not None and not kwargs and _is_small(func, *args):
            return own(*args[:3])
        return func(*args, **(kwargs or {}))


def _is_small(func: Any, x: Any, weight: Any, bias: Any = None, *rest: Any) -> bool:
    wanted: tuple[Any, ...] = (2, 1, 1, 1) if func is torch.conv2d else (2, 1, 0, 1, 1)  # stride, padding, …
    if x.dim() != 4 or weight.shape[2:] != (4, 4) or not weight.is_contiguous() or len(rest) != len(wanted):
        return False
    if any(value not in (want, (want, want), [want, want]) for value, want in zip(rest, wanted, strict=True)):
        return False
    height, width = x.shape[2:]
    if func is torch.conv2d:
        height, width = (height // 2, width // 2) if height % 2 == 0 == width % 2 else (SMALL + 1, 1)
    return bool(0 < x.shape[0] * height * width <= SMALL)


def down_as_product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(B, C, H, W) → (B, O, H/2, W/2), as `F.conv2d` with weight (O, C, 4, 4), stride 2, padding 1; H, W even."""
    batch, channels, height, width = x.shape
    columns = F.unfold(x, 4, padding=1, stride=2)  # (B, 16 C, H/2 · W/2)
    columns = columns.transpose(0, 1).reshape(16 * channels, -1)
    out = torch.mm(weight.flatten(1), columns)  # (O, B · H/2 · W/2)
    out = out.view(-1, batch, height // 2, width // 2).transpose(0, 1)
    return out if bias is None else out + bias[:, None, None]


def up_as_product(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """(B, C, H, W) → (B, O, 2H, 2W), as `F.conv_transpose2d` with weight (C, O, 4, 4), stride 2, padding 1."""
    batch, channels, height, width = x.shape
    columns = torch.mm(weight.flatten(1).t(), x.transpose(0, 1).reshape(channels, -1))  # (16 O, B · H · W)
    columns = columns.view(-1, batch, height * width).transpose(0, 1)
    out = F.fold(columns, (2 * height, 2 * width), 4, padding=1, stride=2)
    return out if bias is None else out + bias[:, None, None]


OWN: dict[Any, Callable[[Tensor, Tensor, Tensor | None], Tensor]] = {
    torch.conv2d: down_as_product,
    torch.conv_transpose2d: up_as_product,
}


def wanted(means: str) -> bool:
    """Is this means of speed to be used?  P2PLIB_WITHOUT=products,memory,graph leaves out those named, to compare."""
    return means not in os.environ.get("P2PLIB_WITHOUT", "").split(",")


def keep_freed_memory() -> bool:
    """Let this process reuse large blocks of memory in place of handing them back after every use.

    A gradient of more than 32 MiB would otherwise be new memory at every step, and the system clears each page of it
    first: 10 ms for each of the U-Net's three largest weights.  For good, until the process ends.

    Returns:
        Whether it could be done: on Linux with glibc.
    """
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # another C library
        return False
    return bool(mallopt(*_NO_MMAP)) and bool(mallopt(*_NO_TRIM))


def has_fast_bf16() -> bool:
    """Does this CPU multiply bf16 in hardware?  Without, bf16 is slower than float32."""
    return any(
        getattr(torch.cpu, name, lambda: False)() for name in ("_is_avx512_bf16_supported", "_is_amx_tile_supported")
    )
