"""Pictures of other sizes than the network was trained on: in one piece, in tiles, and how the two differ.

A convolution takes any size (the paper trains at 256 px and runs at 512, section 6.1); a U-Net wants sides that it can
halve often enough, and memory grows with the picture.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from p2plib.errors import UserError
from p2plib.training.translate import seeded, translate

#: Bytes that a U-Net takes for each pixel and each channel of its first layer, measured on a CPU at 1 to 4 million px.
BYTES = 10


def translate_any(net: nn.Module, input: Tensor, **how: Any) -> Tensor:
    """Input (B, C, H, W) in [-1, 1], H and W ≥ 1 → output (B, C, H, W): continued, translated, cut back.

    The right and the lower edge are continued to the next multiple of 2**depth, by repeating the last column and row.
    That works for any size (mirroring needs a picture larger than what is added) and comes closest to what the network
    gives for a larger picture: mean difference on the last line 0.12, mirrored 0.14, zeros 0.36 (map2aerial of the
    zoo, 18 cuts out of drawn towns).  A picture that fits is not continued at all.

    Args:
        net: a U-Net with the attribute `depth`.
        how: as `translate` takes it.

    Raises:
        UserError: if the network has no `depth`, or if the memory that is free would not hold it.
    """
    height, width = input.shape[2:]
    require_memory(net, input)
    return translate(net, continue_edges(input, _step(net)), **how)[..., :height, :width]


def continue_edges(input: Tensor, step: int, least: int = 0) -> Tensor:
    """(B, C, H, W) → sides that are multiples of step and not below `least`: last row and column are repeated."""
    height, width = (max(side, least) + -max(side, least) % step for side in input.shape[2:])
    if (height, width) == tuple(input.shape[2:]):
        return input
    return F.pad(input, (0, width - input.shape[3], 0, height - input.shape[2]), mode="replicate")


def translate_tiles(
    net: nn.Module,
    input: Tensor,
    tile: int,
    overlap: int = 0,
    *,
    seed: int | None = None,
    soft: bool = False,
    **how: Any,
) -> Tensor:
    """Input (B, C, H, W) → output (B, C, H, W): tile by tile, the mean where tiles overlap.

    Beside input and output, memory is that of one tile.  Norms take the statistics of each tile, so that tiles may
    differ in colour where the picture in one piece does not (`tiling.translate_large` mends that).  A side shorter
    than a tile is continued at its edge.

    Args:
        net: may lie on another device than the input, which gets the output.
        tile: side of a tile in pixels, a multiple of 2**depth.
        overlap: pixels that neighbours share; the last tile of a row or column may share more, being as large as all.
        seed: of the dropout noise of all tiles together.
        soft: where tiles overlap, the middle of each counts for more than its edge, which it draws worst.
        how: as `translate` takes it.

    Raises:
        UserError: for a tile or an overlap that does not fit.
    """
    check_tiles(net, tile, overlap)
    height, width = input.shape[2:]
    input = continue_edges(input, 1, least=tile)
    device = next((p.device for p in net.parameters()), input.device)
    rows, columns = (tile_starts(side, tile, overlap) for side in input.shape[2:])
    weights = torch.ones(tile)  # of a tile's lines
    if soft:
        weights = torch.hann_window(tile + 2, periodic=False)[1:-1]  # none is 0
    output: Tensor | None = None
    with seeded(seed, device):
        for y in rows:
            for x in columns:
                here = (..., slice(y, y + tile), slice(x, x + tile))
                drawn = translate(net, input[here].to(device), **how).to(input.device)
                if output is None:  # in float32, as weights are: half precision knows none so small
                    output = drawn.new_zeros(*drawn.shape[:2], *input.shape[2:], dtype=torch.float32)
                output[here] += drawn * (weights[:, None] * weights).to(output)
    assert output is not None
    output /= _covered(input.shape[2], rows, weights).to(output)[:, None]
    output /= _covered(input.shape[3], columns, weights).to(output)
    return output[..., :height, :width].to(drawn.dtype)


def tile_starts(side: int, tile: int, overlap: int) -> list[int]:
    """Where tiles begin along one side: every tile − overlap pixels, the last one moved back so that it ends there."""
    return [*range(0, side - tile, tile - overlap), side - tile]


def _covered(side: int, starts: list[int], weights: Tensor) -> Tensor:
    """(side,): what the tiles over each row, or column, weigh together."""
    total = torch.zeros(side)
    for start in starts:
        total[start : start + len(weights)] += weights
    return total


def border_profile(part: Tensor, whole: Tensor) -> Tensor:
    """How two pictures of one place differ, from the border inwards.

    Args:
        part, whole: (N, C, H, W), such as the translation of a cut-out, and the same place of a larger translation.

    Returns:
        (min(H, W) // 2,): the mean of |part − whole| over pictures, channels and all pixels at distance 0, 1, 2, … from
        the nearest edge; corners count once.  Of an odd side the middle line, one farther in, counts in the last.

    Raises:
        UserError: for pictures of different shapes, or with a side below 2 px.
    """
    if part.dim() != 4 or part.shape != whole.shape or min(part.shape[2:]) < 2:
        raise UserError(
            f"Two pictures of one shape (N, C, H, W) are compared, H and W 2 px or more, not {tuple(part.shape)} and "
            f"{tuple(whole.shape)}."
        )
    height, width = part.shape[2:]
    y, x = (torch.minimum(torch.arange(n), torch.arange(n).flip(0)) for n in (height, width))
    count = min(height, width) // 2
    distance = torch.minimum(y[:, None], x).clamp(max=count - 1).flatten().to(part.device)
    apart = (part - whole).abs().mean((0, 1)).flatten()
    sums = apart.new_zeros(count).index_add(0, distance, apart)
    return sums / distance.bincount(minlength=count)


def _step(net: nn.Module) -> int:
    depth = getattr(net, "depth", None)
    if not isinstance(depth, int):
        raise UserError("How often the network halves a picture is not known: set its attribute `depth`.")
    return int(2**depth)


def check_tiles(net: nn.Module, tile: int, overlap: int) -> None:
    """Do they fit the network and each other?

    Raises:
        UserError: if not; the sentence names what would.
    """
    step = _step(net) if hasattr(net, "depth") else 1
    if tile < 1 or tile % step:
        below, above = max(step, tile // step * step), max(step, -(-tile // step) * step)
        near = f"{below} or {above}" if below < above else f"{above}"
        raise UserError(f"A tile's side must be a multiple of {step} px for this network, not {tile}: take {near}.")
    if not 0 <= overlap < tile:
        raise UserError(f"The overlap must be 0 or more and below the tile's {tile} px, not {overlap}.")


def require_memory(net: nn.Module, input: Tensor) -> None:
    """Say before it happens that a picture is too large: the system would end the process without a word.

    Raises:
        UserError: if BYTES for each pixel and channel of the first layer are not free.
    """
    needed, free = memory_for(net, input.shape[0] * input.shape[2] * input.shape[3], input.device)
    if free is not None and needed > free:
        raise UserError(
            f"A picture of {input.shape[3]} × {input.shape[2]} px takes about {needed / 2**30:.0f} GiB in one piece, "
            f"and {free / 2**30:.0f} are free: translate it in tiles (in a terminal: --tile 256), or make it smaller."
        )


def memory_for(net: nn.Module, pixels: int, device: torch.device | str = "cpu") -> tuple[int, int | None]:
    """(bytes that so many pixels take, bytes that are free where the network lies; None if the system does not say)."""
    device = next((p.device for p in net.parameters()), torch.device(device))
    return pixels * BYTES * getattr(net, "base", 0), _free_memory(device)


def _free_memory(device: torch.device) -> int | None:
    """Bytes that are free, or can be made free; None where the system does not say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        try:  # elsewhere: all there is
            return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
        except (AttributeError, ValueError, OSError):
            return None
