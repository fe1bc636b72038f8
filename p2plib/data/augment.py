"""From stored bytes to what the networks see: [-1, 1], random jitter and mirror (section 6.2)."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

#: The paper resizes to 286 px and crops to 256: a ninth of freedom.
JITTER = 286 / 256


def to_signed(picture: Tensor) -> Tensor:
    """uint8 0 … 255 → float32 [-1, 1], the range of the generator's tanh."""
    return picture.float() / 127.5 - 1


def to_bytes(picture: Tensor) -> Tensor:
    """Float [-1, 1] → uint8 0 … 255, values outside cut off; undoes `to_signed` exactly."""
    return ((picture.float().clamp(-1, 1) + 1) * 127.5).round().to(torch.uint8)


def jitter(input: Tensor, target: Tensor, size: int, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """One random crop, and in half of the calls a mirror, the same for both pictures of a pair.

    Args:
        input, target: (C, H, W), of one height and width; their channels may differ.
        size: side of the crop, at most H and W.  Every place is as likely as any other.
        generator: decides: all random numbers are drawn with it.

    Returns:
        Two pictures (C, size, size) of the dtype that came in.
    """
    height, width = input.shape[-2:]
    top = int(torch.randint(0, height - size + 1, (), generator=generator))
    left = int(torch.randint(0, width - size + 1, (), generator=generator))
    mirror = bool(torch.rand((), generator=generator) < 0.5)
    both = []
    for picture in (input, target):
        crop = picture[..., top : top + size, left : left + size]
        both.append(crop.flip(-1) if mirror else crop)
    return both[0], both[1]


@dataclass(frozen=True)
class Augment:
    """Random crop and mirror, the same for both pictures of a pair.

    Args:
        size: side of the crop in pixels; the stored pictures are as large or larger.
        mirror: flip half of the pairs left to right.
    """

    size: int
    mirror: bool = True

    def __call__(self, input: Tensor, target: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Two uint8 batches (B, 3, S, S) → two float32 batches (B, 3, size, size) in [-1, 1].

        The numbers are drawn on the CPU, so that a seed gives the same crops on every device; the
        pictures are cut where they are.
        """
        count, side = input.shape[0], input.shape[-1]
        corners = torch.randint(0, side - self.size + 1, (count, 2), generator=generator).tolist()
        flips = (torch.rand(count, generator=generator) < 0.5).tolist()
        both = []
        for picture in (input, target):
            crops = [
                self._cut(one, top, left, flip) for one, (top, left), flip in zip(picture, corners, flips, strict=True)
            ]
            both.append(to_signed(torch.stack(crops)))
        return both[0], both[1]

    def _cut(self, picture: Tensor, top: int, left: int, flip: bool) -> Tensor:
        crop = picture[:, top : top + self.size, left : left + self.size]
        return crop.flip(-1) if flip and self.mirror else crop


def centre(picture: Tensor, size: int) -> Tensor:
    """The middle of a uint8 batch (B, C, S, S) as float32 (B, C, size, size) in [-1, 1]: held-out pairs."""
    start = (picture.shape[-1] - size) // 2
    return to_signed(picture[..., start : start + size, start : start + size])
