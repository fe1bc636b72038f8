"""Pictures made from a seed, as files: the built-in sets in the layout of the authors' archives.

The pictures themselves are drawn in `p2plib.data.facades` and `p2plib.data.maps`.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

from p2plib.data.facades import FacadeParameters, draw_facades
from p2plib.data.maps import MapParameters, draw_maps
from p2plib.errors import UserError
from p2plib.files import make_folder

DRAW = {"facades": draw_facades, "maps": draw_maps}

__all__ = ["DRAW", "FacadeParameters", "MapParameters", "draw_facades", "draw_maps", "write_pairs"]


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
    if kind not in DRAW:
        raise UserError(f"{kind!r} cannot be drawn; choose {' or '.join(DRAW)}.")
    make_folder(folder)
    paths = []
    for index in range(count):
        labels, photos = DRAW[kind]([index], size=size, seed=seed)  # type: ignore[operator]
        both = np.concatenate([photos[0], labels[0]], axis=2).transpose(1, 2, 0)
        path = folder / f"{index + 1}.png"
        Image.fromarray(np.ascontiguousarray(both)).save(path)
        paths.append(path)
    return paths
