"""Folders of pairs: finding them in the layouts people have, and loading them.

A pair is an input and a target, two pictures of the same thing, pixel over pixel.  On disk the two
lie side by side in one file (A left, B right), or in two folders A and B under the same name.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from p2plib.data.pictures import SUFFIXES, list_pictures, picture_size, read_picture
from p2plib.errors import UserError
from p2plib.files import cannot_read

T = TypeVar("T")
R = TypeVar("R")

DIRECTIONS = ("AtoB", "BtoA")
EXPECTED = (
    "expected are pictures (jpg, png, webp) with A left and B right in FOLDER/train and FOLDER/val or in FOLDER "
    "itself, or two folders A and B with files of the same names"
)


class Pairs(Protocol):
    """What the trainer needs of data: so many pairs, of this side, given as batches."""

    side: int

    def __len__(self) -> int: ...

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Inputs and targets, each uint8 (B, 3, side, side)."""
        ...


@dataclass(frozen=True)
class PairFile:
    """Where one pair lies: A and B in two files, or both in ``a`` with ``b`` None."""

    a: Path
    b: Path | None = None


# --- finding ---------------------------------------------------------------------------------


def find_pairs(folder: str | Path) -> dict[str, list[PairFile]]:
    """The pairs of a folder, by split: "train", and "val" or "test" where it has them, else "all".

    Layouts: FOLDER/train/1.jpg (side by side) · FOLDER/1.jpg · FOLDER/A/1.jpg with FOLDER/B/1.jpg ·
    FOLDER/train/A with FOLDER/train/B · FOLDER/A/train with FOLDER/B/train · FOLDER/trainA with FOLDER/trainB.

    Raises:
        UserError: for a missing or empty folder, or a file of A without its partner in B.
    """
    folder = Path(folder)
    try:
        there, is_folder = folder.exists(), folder.is_dir()
    except OSError as error:  # a name too long, a folder above it that is closed
        raise cannot_read(folder, error) from None
    if not there:
        raise UserError(f"{folder}: there is no such folder; give a folder of pairs: {EXPECTED}.")
    if not is_folder:
        raise UserError(f"{folder} is a file; a folder of pairs was asked for: {EXPECTED}.")
    other = {"A": "B", "B": "A"}.get(folder.name)
    if other and (folder.parent / other).is_dir():
        raise UserError(f"{folder} is one half of the pairs whose other half is in {other}: give {folder.parent}.")
    splits = {split: files for split in ("train", "val", "test") if (files := _split_files(folder, split))}
    if "train" in splits:
        return splits
    whole = _two_folders(folder / "A", folder / "B") or [PairFile(p) for p in list_pictures(folder)]
    if whole:
        return {"all": whole}
    if splits:
        raise UserError(f"{folder} has {' and '.join(splits)} but no train: {EXPECTED}.")
    raise UserError(f"{folder} holds no pairs{_what_it_holds(folder)}: {EXPECTED}.")


def split_pairs(folder: str | Path) -> tuple[list[PairFile], list[PairFile], str]:
    """(training pairs, held-out pairs, a phrase that says where the held-out ones come from).

    Held out is "val", else "test", else every tenth pair of the folder, never trained on.
    """
    splits = find_pairs(folder)
    for held in ("val", "test"):
        if "train" in splits and held in splits:
            return splits["train"], splits[held], f"from {held}"
    files = splits.get("train") or splits["all"]
    if len(files) < 2:
        raise UserError(f"{folder} holds one pair; at least two are needed, one to train on and one held out.")
    held_out = files[9::10] or files[-1:]
    kept = set(held_out)
    return [f for f in files if f not in kept], held_out, "every tenth pair"


def _split_files(folder: Path, split: str) -> list[PairFile]:
    for a, b in (
        (folder / split / "A", folder / split / "B"),
        (folder / "A" / split, folder / "B" / split),
        (folder / f"{split}A", folder / f"{split}B"),
    ):
        if files := _two_folders(a, b):
            return files
    inside = folder / split
    return [PairFile(p) for p in list_pictures(inside)] if inside.is_dir() else []


def _two_folders(a: Path, b: Path) -> list[PairFile]:
    """Files of A and B matched by name without suffix; an empty list if there is neither folder."""
    found = [side.is_dir() and bool(list_pictures(side)) for side in (a, b)]
    if not any(found):
        return []
    for has, here, there in ((found[0], a, b), (found[1], b, a)):
        if not has:
            raise UserError(
                f"{there} has pictures and {here} has none: each picture of the one needs its partner "
                f"of the same name in the other."
            )
    names = {side: _by_stem(side) for side in (a, b)}
    for here, there in ((a, b), (b, a)):
        lonely = [path for stem, path in names[here].items() if stem not in names[there]]
        if lonely:
            more = f" (and {len(lonely) - 1} more)" if len(lonely) > 1 else ""
            raise UserError(
                f"{lonely[0]}{more} has no partner in {there}: a file of the same name was expected there; "
                f"add it, or remove this one."
            )
    return [PairFile(path, names[b][stem]) for stem, path in names[a].items()]


def _by_stem(folder: Path) -> dict[str, Path]:
    names: dict[str, Path] = {}
    for path in list_pictures(folder):
        if path.stem in names:
            raise UserError(f"{names[path.stem]} and {path} have the same name but for the ending: remove one of them.")
        names[path.stem] = path
    return names


def _what_it_holds(folder: Path) -> str:
    who = "it"
    for split in ("train", "val", "test"):  # the layout is right, and the files are of another kind
        inside = folder / split
        if inside.is_dir() and any(p.is_file() for p in inside.iterdir()):
            folder, who = inside, f"{split}/"
            break
    names = sorted(p.name for p in folder.iterdir() if not p.name.startswith("."))
    if not names:
        return " (it is empty)"
    other = sorted({Path(n).suffix for n in names if Path(n).suffix and Path(n).suffix.lower() not in SUFFIXES})
    if other:
        return f" ({who} has files ending in {', '.join(other[:4])})"
    return f" ({who} has {', '.join(names[:4])}{', …' if len(names) > 4 else ''})"


# --- loading ---------------------------------------------------------------------------------


def load_halves(file: PairFile) -> tuple[Image.Image, Image.Image]:
    """A and B of one pair as RGB pictures in their own size.

    Raises:
        UserError: for a side-by-side picture of odd width, or two files of different shape.
    """
    if file.b is None:
        picture = read_picture(file.a)
        _check_halves(file, picture.size)
        half = picture.width // 2
        return picture.crop((0, 0, half, picture.height)), picture.crop((half, 0, picture.width, picture.height))
    a, b = read_picture(file.a), read_picture(file.b)
    _check_halves(file, a.size, b.size)
    return a, b


def _check_halves(file: PairFile, a: tuple[int, int], b: tuple[int, int] | None = None) -> None:
    if b is None:
        if a[0] % 2:
            raise UserError(
                f"{file.a} is {a[0]} px wide: side by side, A and B have the same width, so an even number "
                f"was expected; cut it again, or put A and B into two folders."
            )
    elif abs(a[0] * b[1] - b[0] * a[1]) > 0.03 * a[0] * b[1]:  # the two may differ in size, not in shape
        raise UserError(
            f"{file.a} is {a[0]} × {a[1]} px and its partner {file.b} is {b[0]} × {b[1]} px: a pair shows the "
            f"same thing pixel over pixel, so width : height should be the same; crop them alike."
        )


def split_pair(picture: Tensor, direction: str) -> tuple[Tensor, Tensor]:
    """A (left) and B (right) of a side-by-side picture (C, H, W) → (input, target), each (C, H, W/2).

    Args:
        picture: of any dtype, which stays.
        direction: "AtoB": A is the input; "BtoA": B is.

    Raises:
        ValueError: if the width is odd.
    """
    width = picture.shape[-1]
    if width % 2:
        raise ValueError(f"A side-by-side picture has an even width, not {width}.")
    a, b = picture[..., : width // 2], picture[..., width // 2 :]
    return (a, b) if direction == "AtoB" else (b, a)


def load_pair(file: PairFile, side: int) -> tuple[Tensor, Tensor]:
    """A and B as uint8 (3, side, side).

    A picture that is not square is squeezed into one, both halves alike, as the authors' code does.
    """
    a, b = load_halves(file)
    return to_tensor(a, side), to_tensor(b, side)


def to_tensor(picture: Image.Image, side: int | None = None) -> Tensor:
    """An RGB picture as uint8 (3, H, W), resized to side × side (bicubic, antialiased) where a side is given."""
    if side is not None and picture.size != (side, side):
        picture = picture.resize((side, side), Image.Resampling.BICUBIC)
    return torch.from_numpy(np.array(picture)).permute(2, 0, 1).contiguous()


class FolderPairs:
    """The pairs of a list of files: held in memory as uint8 where they fit, streamed from disk where not.

    The rule: pairs × 2 pictures × 3 channels × side² bytes up to ``memory`` are held (2 GiB unless said:
    1,250 pairs at 286 px).  Above it each batch is decoded by threads while the step before it is
    computed, and all headers are read at the start, so that most bad files are found before training.

    Args:
        files: what to load, as from `split_pairs`.
        side: pixels to which both pictures are resized.
        direction: "AtoB": A is the input; "BtoA": B is.
        memory: bytes that may be held.
        progress: called with (done, all) while loading.

    Raises:
        UserError: for the first file that cannot be used.
    """

    def __init__(
        self,
        files: Sequence[PairFile],
        side: int,
        direction: str = "AtoB",
        memory: int | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> None:
        if direction not in DIRECTIONS:
            raise UserError(f'direction is "AtoB" or "BtoA", not {direction!r}.')
        self.files, self.side, self.direction = list(files), side, direction
        self.bytes = len(self.files) * 2 * 3 * side * side
        self.held = self.bytes <= (memory_limit() if memory is None else memory)
        self._inputs, self._targets = self._load(progress) if self.held else self._check(progress)

    def __len__(self) -> int:
        return len(self.files)

    def move_to(self, device: str) -> None:
        """Keep what is held in this device's memory; what is streamed stays on disk."""
        if self.held:
            self._inputs, self._targets = self._inputs.to(device), self._targets.to(device)

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Inputs and targets, each uint8 (B, 3, side, side), where they are kept."""
        if self.held:
            if self._inputs.is_cuda:  # a tensor of indices would make the host wait for the device
                return torch.stack([self._inputs[i] for i in indices]), torch.stack([self._targets[i] for i in indices])
            chosen = torch.as_tensor(indices)
            return self._inputs[chosen], self._targets[chosen]
        pairs = [self._oriented(i) for i in indices]
        return torch.stack([p[0] for p in pairs]), torch.stack([p[1] for p in pairs])

    def _oriented(self, index: int) -> tuple[Tensor, Tensor]:
        a, b = load_pair(self.files[index], self.side)
        return (a, b) if self.direction == "AtoB" else (b, a)

    def _load(self, progress: Callable[[int, int], None] | None) -> tuple[Tensor, Tensor]:
        shape = (len(self.files), 3, self.side, self.side)
        inputs, targets = torch.empty(shape, dtype=torch.uint8), torch.empty(shape, dtype=torch.uint8)
        for i, (x, y) in enumerate(_in_threads(self._oriented, range(len(self.files)))):
            inputs[i], targets[i] = x, y
            if progress:
                progress(i + 1, len(self.files))
        return inputs, targets

    def _check(self, progress: Callable[[int, int], None] | None) -> tuple[Tensor, Tensor]:
        def check(file: PairFile) -> None:
            _check_halves(file, picture_size(file.a), picture_size(file.b) if file.b else None)

        for i, _ in enumerate(_in_threads(check, self.files)):
            if progress:
                progress(i + 1, len(self.files))
        return torch.empty(0), torch.empty(0)


class MemoryPairs:
    """Pairs that are in memory already, such as pictures that were drawn.

    Args:
        inputs, targets: uint8 (N, 3, side, side), pair i at place i of both.

    Raises:
        UserError: if they do not fit together.
    """

    held = True

    def __init__(self, inputs: Tensor, targets: Tensor) -> None:
        if inputs.shape != targets.shape or inputs.dim() != 4 or inputs.shape[2] != inputs.shape[3]:
            raise UserError(
                f"Inputs and targets must both have shape (N, 3, side, side); "
                f"{tuple(inputs.shape)} and {tuple(targets.shape)} came."
            )
        if inputs.dtype != torch.uint8 or targets.dtype != torch.uint8:
            raise UserError(f"Inputs and targets must be uint8; {inputs.dtype} and {targets.dtype} came.")
        self.inputs, self.targets, self.side = inputs, targets, inputs.shape[-1]

    def __len__(self) -> int:
        return len(self.inputs)

    def batch(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Inputs and targets, each uint8 (B, 3, side, side)."""
        chosen = torch.as_tensor(indices)
        return self.inputs[chosen], self.targets[chosen]


def batches(pairs: Pairs, order: Sequence[Sequence[int]], ahead: int = 3) -> Iterator[tuple[Tensor, Tensor]]:
    """The batches of `order`, one after the other, the next few being read while one is used."""
    if getattr(pairs, "held", False):
        return (pairs.batch(indices) for indices in order)
    return _in_threads(pairs.batch, order, ahead)


def memory_limit() -> int:
    """Bytes of pictures held in memory: 2 GiB, or P2PLIB_MEMORY in GiB.

    Raises:
        UserError: if P2PLIB_MEMORY is no number.
    """
    said = os.environ.get("P2PLIB_MEMORY") or "2"
    try:
        return int(float(said) * 2**30)
    except (ValueError, OverflowError):
        raise UserError(f"P2PLIB_MEMORY is a number of GiB, such as 0.5 or 8, not {said!r}.") from None


def _in_threads(work: Callable[[T], R], items: Sequence[T], ahead: int = 64) -> Iterator[R]:
    """work(item) for each item, in order, several at once; the first error ends it.

    Threads, not processes: Pillow decodes outside Python's lock, and nothing needs to be pickled,
    which is where data workers fail on Windows and in notebooks.
    """
    workers = max(1, min(8, os.cpu_count() or 1))
    pool = ThreadPoolExecutor(workers, thread_name_prefix="pairs")
    try:
        waiting: list[Future[R]] = []
        for item in items:
            waiting.append(pool.submit(work, item))
            if len(waiting) > ahead:
                yield waiting.pop(0).result()
        for future in waiting:
            yield future.result()
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
