"""How alike the colours of two sets of pictures are: histograms of Lab and their intersection (section 4.2, figure 7).

The paper does not say which bins it took.  Here they are 2 units wide in L, a and b, about the smallest difference that
an eye sees, and their middles lie at 0, ±2, ±4, …: a grey, whose a and b are 0 but for rounding, falls into the middle
of a bin and not to either side of an edge.
"""

from __future__ import annotations

import torch
from torch import Tensor

from p2plib.errors import UserError
from p2plib.evaluation.metrics import lab

WIDTH = 2.0  # of a bin, in units of Lab
SIDE = 55  # bins on each side of 0: a and b of sRGB lie between -108 and 99
BINS = 2 * SIDE + 1


def lab_counts(pictures: Tensor) -> Tensor:
    """Pixels in each bin of each picture's L, a and b.

    Args:
        pictures: (N, 3, H, W), sRGB, float in [-1, 1].

    Returns:
        int64 (N, 3, BINS); the bins of L begin in the middle, since L is never below 0.

    Raises:
        UserError: for another tensor.
    """
    values = lab(pictures).flatten(2)  # (N, 3, H · W)
    bins = (values / WIDTH).round().long().clamp(-SIDE, SIDE) + SIDE
    counts = torch.zeros(*values.shape[:2], BINS, dtype=torch.int64)
    return counts.scatter_add_(2, bins, torch.ones_like(bins))


def overlap(one: Tensor, other: Tensor) -> Tensor:
    """The intersection of histograms: the sum of the smaller share of each bin, 1 if alike, 0 if no bin is shared.

    Args:
        one, other: counts (…, BINS), of any totals above 0.

    Returns:
        float64 (…), exactly 1 for equal histograms.
    """
    one, other = one.double(), other.double()
    totals = one.sum(-1, keepdim=True), other.sum(-1, keepdim=True)
    # Counts are whole numbers, so nothing is rounded before the one division.
    shared = torch.minimum(one * totals[1], other * totals[0]).sum(-1)
    return shared / (totals[0] * totals[1]).squeeze(-1)


def lab_intersection(outputs: Tensor, targets: Tensor) -> tuple[float, float, float]:
    """How alike the colours are, wherever they stand: the marginal histograms of all pixels of all pictures.

    Args:
        outputs, targets: (N, 3, H, W), sRGB, float in [-1, 1]; the two may differ in N, H and W.

    Returns:
        The intersection for L, a and b, each from 0 to 1: 1 if the histograms are alike.

    Raises:
        UserError: for another tensor, or one without pictures.
    """
    if not len(outputs) or not len(targets):
        raise UserError("lab_intersection() needs pictures on both sides: there are none on one of them.")
    lightness, a, b = overlap(lab_counts(outputs).sum(0), lab_counts(targets).sum(0)).tolist()
    return lightness, a, b
