"""Data by name: where it lies, what it holds, on what terms, and the pictures made from a seed.

A further set of the authors' archives is one `Archive` more in `CATALOGUE`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from p2plib.data.download import fetch_archive
from p2plib.data.pairs import DIRECTIONS, FolderPairs, Pairs, memory_limit, split_pairs
from p2plib.errors import UserError

ADDRESS = "http://efrosgans.eecs.berkeley.edu/pix2pix/datasets"


@dataclass(frozen=True)
class Archive:
    """A set that is downloaded: a tar.gz with one folder of side-by-side pictures, A left and B right."""

    name: str
    bytes: int
    splits: dict[str, int]
    a: str
    b: str
    direction: str  # the paper's
    zoom: float  # how many times its size a tile is loaded at laptop scale, so that a crop shows detail
    terms: str

    @property
    def address(self) -> str:
        """P2PLIB_MIRROR in place of the authors' server, where that is set."""
        return f"{os.environ.get('P2PLIB_MIRROR', ADDRESS).rstrip('/')}/{self.name}.tar.gz"


@dataclass(frozen=True)
class Drawn:
    """A set that is made from a seed, endless: "train" and "val" never share a picture."""

    name: str
    a: str
    b: str
    direction: str
    kind: str  # of p2plib.data.synthetic.DRAW
    splits: dict[str, int]


CATALOGUE: dict[str, Archive | Drawn] = {
    "facades": Archive(
        name="facades",
        bytes=30_168_306,
        splits={"train": 400, "val": 100, "test": 106},
        a="photograph",
        b="labels",
        direction="BtoA",
        zoom=1.0,
        terms="CMP Facades (Tylecek & Sara, GCPR 2013), offered for research. No licence allows passing it on: "
        "use it, do not publish copies; cite the paper.",
    ),
    "maps": Archive(
        name="maps",
        bytes=250_242_400,
        splits={"train": 1096, "val": 1098},
        a="aerial photograph",
        b="map",
        direction="BtoA",
        zoom=3.0,
        terms="Tiles of Google Maps around New York, collected by the authors of pix2pix. Google's terms apply; "
        "no licence allows passing them on: use them to learn, do not publish copies.",
    ),
    "synthetic-facades": Drawn(
        "synthetic-facades", "photograph", "labels", "BtoA", "facades", {"train": 2000, "val": 100}
    ),
    "synthetic-maps": Drawn("synthetic-maps", "aerial photograph", "map", "BtoA", "maps", {"train": 2000, "val": 100}),
}


class DrawnPairs:
    """Pairs of a `Drawn` set, drawn when first asked for and then kept as uint8 where they fit in memory.

    Args:
        drawn: which set.
        split: "train" or "val".
        side: pixels.
        direction: "AtoB" or "BtoA".
        count: how many pairs; at most 2**30.
        seed: of the pictures; another seed gives another town.
        scale: for maps, pixels per unit of the 64-px picture; None draws the same scene finer on more pixels.
    """

    def __init__(
        self,
        drawn: Drawn,
        split: str,
        side: int,
        direction: str | None = None,
        count: int | None = None,
        seed: int = 0,
        scale: float | None = None,
    ) -> None:
        if direction not in (None, *DIRECTIONS):
            raise UserError(f'direction is "AtoB" or "BtoA", not {direction!r}.')
        self.drawn, self.side, self.seed = drawn, side, seed
        self.extra = {} if scale is None else {"scale": scale}
        self.direction = direction or drawn.direction
        self.count = drawn.splits[split] if count is None else count
        self.offset = 0 if split == "train" else 2**30
        self.kept = self.count * 2 * 3 * side * side <= memory_limit()
        shape = (self.count if self.kept else 0, 3, side, side)
        self._inputs, self._targets = torch.empty(shape, dtype=torch.uint8), torch.empty(shape, dtype=torch.uint8)
        self._done = torch.zeros(shape[0], dtype=torch.bool)

    def __len__(self) -> int:
        return self.count

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Inputs and targets, each uint8 (B, 3, side, side)."""
        if not self.kept:
            return self._draw(indices)
        chosen = torch.as_tensor(indices)
        missing = chosen[~self._done[chosen]]
        if len(missing):
            self._inputs[missing], self._targets[missing] = self._draw(missing.tolist())
            self._done[missing] = True
        return self._inputs[chosen], self._targets[chosen]

    def _draw(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        from p2plib.data.synthetic import DRAW  # costs time to load, and most runs draw nothing

        draw = DRAW[self.drawn.kind]
        labels, photos = draw([i + self.offset for i in indices], size=self.side, seed=self.seed, **self.extra)
        a, b = torch.from_numpy(photos), torch.from_numpy(labels)  # the photograph is A, as in the archives
        return (a, b) if self.direction == "AtoB" else (b, a)


@dataclass(frozen=True)
class Source:
    """Training and held-out pairs, opened: what `open_source` gives."""

    name: str
    direction: str
    train: Pairs
    held_out: Pairs
    summary: str


def open_source(
    source: str,
    side: int,
    held_side: int,
    direction: str | None = None,
    limit: int | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Source:
    """Open a catalogue name or a folder of pairs for training.

    Args:
        source: a name of `CATALOGUE` (downloaded at first use) or a folder.
        side: pixels at which training pairs are kept (larger than what is trained on, for jitter).
        held_side: pixels at which held-out pairs are kept.
        direction: None for the set's own; a folder needs one said, or takes "AtoB".
        limit: use only so many training pairs.
        progress: called with (done, all) while loading.

    Raises:
        UserError: for an unknown name, a folder without pairs, or a file that cannot be used.
    """
    if limit is not None and limit < 1:
        raise UserError(f"--limit must be at least 1, not {limit}.")
    entry = CATALOGUE.get(source)
    if isinstance(entry, Drawn):
        train_count = min(limit or entry.splits["train"], 2**30)
        train = DrawnPairs(entry, "train", held_side, direction, train_count)
        held = DrawnPairs(entry, "val", held_side, direction)
        return Source(
            source, train.direction, train, held, f"{len(train)} pairs drawn from a seed, {len(held)} held out"
        )
    folder = locate(source)
    direction = direction or (entry.direction if entry else "AtoB")
    files, held_files, where = split_pairs(folder)
    loaded = FolderPairs(files[:limit], side, direction, progress=progress)
    held_out = FolderPairs(held_files[:HELD_OUT], held_side, direction)
    layout = "side by side" if files[0].b is None else "in two folders"
    summary = (
        f"{len(loaded)} pairs {layout}, {'held in memory' if loaded.held else 'streamed from disk'}, "
        f"resized to {side} × {side} px; {len(held_out)} held out ({where})"
    )
    return Source(source, direction, loaded, held_out, summary)


HELD_OUT = 100  # held-out pairs that are looked at; more would only take longer


def locate(source: str) -> Path:
    """The folder of a source: itself, or where the catalogue's archive is unpacked (after a download)."""
    entry = CATALOGUE.get(source)
    if entry is None:
        if os.sep not in source and not os.path.exists(source):
            raise UserError(
                f"{source!r} is neither a folder nor a name of the catalogue ({', '.join(CATALOGUE)}): "
                f"give one of these or the path of a folder of pairs."
            )
        return Path(source)
    if isinstance(entry, Drawn):
        raise UserError(f"{source} is drawn from a seed and has no folder.")
    if not (folder := data_folder() / entry.name).is_dir():
        print(f"{entry.name}: {entry.bytes / 1e6:.0f} MB from {entry.address}\nTerms: {entry.terms}", file=sys.stderr)
        fetch_archive(entry.address, folder, expected_bytes=entry.bytes)
    return folder


def data_folder() -> Path:
    """Where downloads go: P2PLIB_DATA, else data/sets of the checkout, else the user's cache."""
    if chosen := os.environ.get("P2PLIB_DATA"):
        return Path(chosen)
    checkout = Path(__file__).resolve().parents[2]
    if (checkout / "pyproject.toml").exists():
        return checkout / "data" / "sets"
    return Path.home() / ".cache" / "p2plib"
