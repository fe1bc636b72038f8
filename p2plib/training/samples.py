"""Sheets of samples: pictures in labelled columns, as one PNG."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from p2plib.data.augment import to_bytes
from p2plib.data.pictures import read_picture
from p2plib.errors import UserError
from p2plib.files import write_atomic

INK, PAPER = "#22313f", "#ffffff"
GAP, HEAD = 6, 22  # pixels between pictures, and above them
KINDS = ("input", "output", "target")  # the columns of a trainer's sheets


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
    from torchvision.utils import make_grid  # takes a second to load, and only writing needs it

    times = _times(next(iter(columns.values())).shape[-1])
    stacked = torch.stack(list(columns.values()), dim=1).flatten(0, 1)  # row by row
    stacked = to_bytes(stacked).repeat_interleave(times, -1).repeat_interleave(times, -2)
    grid = make_grid(stacked, nrow=len(columns), padding=GAP, pad_value=255).permute(1, 2, 0).numpy()
    page = Image.new("RGB", (grid.shape[1], grid.shape[0] + HEAD), PAPER)
    page.paste(Image.fromarray(grid), (0, HEAD))
    pen, font = ImageDraw.Draw(page), ImageFont.load_default(13)
    for i, name in enumerate(columns):
        pen.text((GAP + i * (stacked.shape[-1] + GAP), 5), name, INK, font)
    return page


def read_sheet(path: Path, size: int) -> dict[str, Tensor]:
    """The pictures of a trainer's sheet: "input", "output" and "target", each uint8 (N, 3, size, size).

    Args:
        path: samples/epoch_NNNN.png of a run folder.
        size: pixels of a picture of that run.

    Raises:
        UserError: if the file is no such sheet.
    """
    page = torch.from_numpy(np.array(read_picture(path))).permute(2, 0, 1)  # (3, H, W)
    step = size * _times(size) + GAP
    count, rest = divmod(page.shape[1] - HEAD - GAP, step)
    if count < 1 or rest or page.shape[2] != GAP + step * len(KINDS):
        raise UserError(f"{path} is no sheet of three columns with pictures of {size} px: give one of a run's samples.")
    rows = [HEAD + GAP + i * step for i in range(count)]
    columns = {kind: GAP + i * step for i, kind in enumerate(KINDS)}
    side, every = step - GAP, _times(size)
    return {
        kind: torch.stack([page[:, top : top + side : every, left : left + side : every] for top in rows])
        for kind, left in columns.items()
    }


def _times(size: int) -> int:
    """How often each pixel of a small picture is repeated, to be seen."""
    return max(1, 128 // size)
