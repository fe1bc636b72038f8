"""Folders of very many pairs that take no room: links to few pictures."""

from __future__ import annotations

import os
from pathlib import Path

from PIL import Image

from p2plib.data.synthetic import write_pairs


def link_pairs(folder: Path, count: int, drawn: int = 32, size: int = 256) -> None:
    """Fill a folder with `count` pairs side by side, the first `drawn` of them pictures, the rest links to these.

    Args:
        folder: empty.
        size: side of each half in pixels.

    Raises:
        OSError: where the file system has no links, or no room for so many names.
    """
    paths = [_as_jpeg(path) for path in write_pairs("facades", folder, count=min(drawn, count), size=size)]
    for number in range(len(paths), count):
        there, new = paths[number % len(paths)], folder / f"{number + 1}.jpg"
        try:
            os.link(there, new)
        except OSError:  # some file systems have only the other kind
            os.symlink(there.name, new)


def _as_jpeg(path: Path) -> Path:
    """The large sets are JPEGs, and opening reads no more than the header of these."""
    new = path.with_suffix(".jpg")
    with Image.open(path) as picture:
        picture.save(new, quality=90)
    path.unlink()
    return new
