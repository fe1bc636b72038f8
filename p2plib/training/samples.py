"""Sheets of samples: pictures in labelled columns, as one PNG."""

from __future__ import annotations

import io
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor
from torchvision.utils import make_grid

from p2plib.data.augment import to_bytes
from p2plib.files import write_atomic

INK, PAPER = "#22313f", "#ffffff"


def write_sheet(path: Path, columns: dict[str, Tensor]) -> None:
    """Write pictures as a PNG with one row a picture and one labelled column a kind.

    Args:
        path: the file.
        columns: name → float (N, 3, H, W) in [-1, 1].  Pictures under 128 px are doubled, pixel for pixel.
    """
    picture = sheet(columns)
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    write_atomic(path, buffer.getvalue())


def sheet(columns: dict[str, Tensor]) -> Image.Image:
    """The picture that `write_sheet` writes."""
    times = max(1, 128 // next(iter(columns.values())).shape[-1])
    stacked = torch.stack(list(columns.values()), dim=1).flatten(0, 1)  # row by row
    stacked = to_bytes(stacked).repeat_interleave(times, -1).repeat_interleave(times, -2)
    gap, head = 6, 22
    grid = make_grid(stacked, nrow=len(columns), padding=gap, pad_value=255).permute(1, 2, 0).numpy()
    page = Image.new("RGB", (grid.shape[1], grid.shape[0] + head), PAPER)
    page.paste(Image.fromarray(grid), (0, head))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    for i, name in enumerate(columns):
        pen.text((gap + i * (stacked.shape[-1] + gap), 5), name, INK, font)
    return page
