"""Pictures made from a seed, as files: the built-in sets in the layout of the authors' archives.

The pictures themselves are drawn in `p2plib.data.facades` and `p2plib.data.maps`.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from p2plib.data.augment import to_signed
from p2plib.data.facades import FacadeParameters, draw_facades
from p2plib.data.maps import MapParameters, draw_maps
from p2plib.errors import UserError
from p2plib.files import make_folder, write_atomic

DRAW: dict[str, Callable[..., tuple[Any, Any]]] = {"facades": draw_facades, "maps": draw_maps}

__all__ = [
    "DRAW",
    "FacadeParameters",
    "MapParameters",
    "draw_city",
    "draw_facades",
    "draw_maps",
    "sheet",
    "write_pairs",
]


def draw_city(seed: int, side: int = 128, parameters: MapParameters | None = None) -> tuple[Tensor, Tensor]:
    """Map and aerial picture of one town, at the grain of the 64-px pictures: a larger side shows more town.

    Args:
        seed: which town; 0 is the seed of the training sets, so take another one.
        side: pixels.
        parameters: what a person decides about it.

    Returns:
        Map and aerial picture, each float32 (1, 3, side, side) in [-1, 1].
    """
    maps, aerials = draw_maps([0], size=side, seed=seed, parameters=parameters, scale=1.0)
    return to_signed(torch.from_numpy(maps)), to_signed(torch.from_numpy(aerials))


def sheet(kind: str, count: int, size: int = 64, seed: int = 0) -> bytes:
    """Pairs on one sheet, labels left and photograph right, ten to a row at the most: PNG bytes.

    Args:
        kind: "facades" or "maps".
        count: how many pairs.
        size: side of a picture in pixels; pictures under 128 px are doubled.
        seed: which pictures.
    """
    labels, photos = _draw(kind, range(count), size, seed)
    pairs = np.concatenate([labels, photos], axis=3)
    columns = min(10, max(1, round(1280 / (2 * size * (2 if size < 128 else 1)))), count)
    blank = np.full((-count % columns, *pairs.shape[1:]), 255, np.uint8)
    rows = np.concatenate([pairs, blank]).reshape(-1, columns, 3, size, 2 * size).transpose(0, 3, 1, 4, 2)
    page = Image.fromarray(np.ascontiguousarray(rows.reshape(len(rows) * size, columns * 2 * size, 3)))
    if size < 128:
        page = page.resize((page.width * 2, page.height * 2), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    page.save(buffer, "PNG")
    return buffer.getvalue()


def _draw(kind: str, indices: Iterable[int], size: int, seed: int) -> tuple[Any, Any]:
    if kind not in DRAW:
        raise UserError(f"{kind!r} cannot be drawn; choose {' or '.join(DRAW)}.")
    try:
        return DRAW[kind](list(indices), size=size, seed=seed)
    except ValueError as error:  # a size outside what can be drawn
        raise UserError(f"--size or --count does not fit: {error}") from None


def write_pairs(kind: str, folder: Path, count: int, size: int = 256, seed: int = 0) -> list[Path]:
    """Write pairs as PNG files, photograph left, labels right.

    Args:
        kind: "facades" or "maps".
        folder: where to; made if it is not there.
        count: how many, named 1.png, 2.png, …
        size: side of each half in pixels.
        seed: which pictures.

    Raises:
        UserError: for another kind, or a folder that cannot be written.
    """
    if count < 1:
        raise UserError(f"--count must be 1 or more, not {count}.")
    _draw(kind, [], size, seed)  # says what does not fit before the folder is made
    make_folder(folder)
    paths = []
    for index in range(count):
        labels, photos = _draw(kind, [index], size, seed)
        both = np.concatenate([photos[0], labels[0]], axis=2).transpose(1, 2, 0)
        path = folder / f"{index + 1}.png"
        buffer = io.BytesIO()
        Image.fromarray(np.ascontiguousarray(both)).save(buffer, "PNG")
        write_atomic(path, buffer.getvalue())
        paths.append(path)
    return paths
