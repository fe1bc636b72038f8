"""What can be measured of a picture without knowing what it shows."""

from __future__ import annotations

import torch
from torch import Tensor

from p2plib.errors import UserError


def sharpness(pictures: Tensor) -> float:
    """Mean absolute step from one pixel to the next, to the right and downward.

    Args:
        pictures: (N, 3, H, W), float in [-1, 1], H and W at least 2.

    Returns:
        0 for a flat picture; 2 if every pixel jumps from black to white.  Compare pictures of one size only: an
        edge is one step, however many pixels lie between edges.
    """
    _check(pictures)
    right, down = pictures.diff(dim=-1).abs().mean(), pictures.diff(dim=-2).abs().mean()
    return float(right + down) / 2


def lab(pictures: Tensor) -> Tensor:
    """Pictures in CIE Lab under D65: how light, how far from green to red, how far from blue to yellow.

    Args:
        pictures: (N, 3, H, W), sRGB, float in [-1, 1]; what lies outside is cut off.

    Returns:
        float32 (N, 3, H, W): L from 0 to 100, a and b about -100 to 100, 0 being grey.
    """
    _check(pictures)
    from skimage.color import rgb2lab  # loaded when it is used: it takes a second

    rgb = (pictures.detach().float().cpu().clamp(-1, 1) + 1) / 2
    return torch.from_numpy(rgb2lab(rgb.permute(0, 2, 3, 1).double().numpy())).permute(0, 3, 1, 2).float()


def lab_spread(pictures: Tensor) -> tuple[float, float, float]:
    """Standard deviation of L, a and b over all pixels of all pictures (N, 3, H, W), float in [-1, 1].

    Small numbers in a and b say: it is all nearly one colour.
    """
    spread = lab(pictures).transpose(0, 1).flatten(1).std(dim=1, correction=0)
    return float(spread[0]), float(spread[1]), float(spread[2])


def _check(pictures: Tensor) -> None:
    if pictures.dim() != 4 or pictures.shape[1] != 3 or not pictures.is_floating_point():
        raise UserError(
            f"Expected were pictures of shape (N, 3, H, W), float in [-1, 1]; {tuple(pictures.shape)} "
            f"{str(pictures.dtype).removeprefix('torch.')} came."
        )
