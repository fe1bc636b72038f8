"""Pictures that memory does not hold, in tiles that fit together: shared statistics, edges that count for less."""

from __future__ import annotations

import copy

import torch
from torch import Tensor, nn

from p2plib.training.large import check_tiles, continue_edges, memory_for, tile_starts, translate_tiles
from p2plib.training.translate import seeded, translate

PIXELS = 2**21
SAMPLE = 8  # tiles, spread over the picture, whose statistics stand for all of it


def translate_large(
    net: nn.Module, input: Tensor, tile: int, overlap: int, *, seed: int | None = None, dropout: bool = True
) -> Tensor:
    """Input (1, C, H, W) → output (1, C, H, W), tile by tile, nearly as in one piece.

    Tiles that are translated each by itself differ in two ways from the picture in one piece.  Their norms take the
    statistics of what lies in them alone: here all take those of a sample of tiles together.  And their edges do not
    know what lies beyond: here a tile counts for less toward its edge.  Chapter 12 measures both.

    The averages from training would be the same for all tiles, too; but a network that was trained on one picture at a
    time never drew under them.

    Args:
        net: may lie on another device than the input, which gets the output.
        tile: side of a tile in pixels, a multiple of 2**depth.
        overlap: pixels that neighbours share.
        seed: of the dropout noise of all tiles together.
        dropout: as `translate` takes it.

    Raises:
        UserError: for a tile or an overlap that does not fit.
    """
    check_tiles(net, tile, overlap)
    device = next((p.device for p in net.parameters()), input.device)
    with seeded(seed, device):
        shared = share_statistics(net, sample_of(net, input, tile).to(device), dropout)
        return translate_tiles(shared, input, tile, overlap, soft=True, dropout=dropout, batch_statistics=False)


def sample_of(net: nn.Module, input: Tensor, tile: int) -> Tensor:
    """Tiles spread over the picture, (N, C, tile, tile): SAMPLE of them, or as many as there are or memory holds."""
    input = continue_edges(input, 1, least=tile)
    rows, columns = (tile_starts(side, tile, 0) for side in input.shape[2:])
    places = [(y, x) for y in rows for x in columns]
    needed, free = memory_for(net, tile * tile)
    # Half of what is free; where that is not known, no more than a picture of two million pixels takes.
    room = PIXELS // tile**2 if free is None else free // max(1, 2 * needed)
    count = max(1, min(SAMPLE, len(places), room))
    chosen = [places[(2 * i + 1) * len(places) // (2 * count)] for i in range(count)]
    return torch.cat([input[..., y : y + tile, x : x + tile] for y, x in chosen])


def share_statistics(net: nn.Module, pictures: Tensor, dropout: bool = True) -> nn.Module:
    """A copy of the network in whose norms the averages from training give way to the statistics of these pictures.

    Translate with ``batch_statistics=False``: each picture then meets the norms as if it lay in one batch with these.

    Args:
        pictures: (N, C, H, W), on the network's device.
        dropout: on while they are measured?
    """
    own = copy.deepcopy(net)
    norms = [module for module in own.modules() if isinstance(module, nn.modules.batchnorm._BatchNorm)]
    handles = [norm.register_forward_pre_hook(_keep) for norm in norms]
    try:
        translate(own, pictures, dropout=dropout)
    finally:
        for handle in handles:
            handle.remove()
    return own


def _keep(norm: nn.Module, inputs: tuple[Tensor, ...]) -> None:
    """The statistics by which this norm is about to norm: of pictures and places, in each channel."""
    (x,) = inputs
    norm.running_mean, norm.running_var = x.mean((0, 2, 3)), x.var((0, 2, 3), unbiased=False)
