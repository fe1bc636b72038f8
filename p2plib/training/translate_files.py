"""Translating picture files with the generator of a run folder."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from PIL import Image
from torch import Tensor, nn
from tqdm.auto import tqdm

from p2plib.data.augment import to_bytes, to_signed
from p2plib.data.pairs import PairFile, load_halves, to_tensor
from p2plib.data.pictures import SUFFIXES, list_pictures, picture_size, read_picture
from p2plib.errors import UserError
from p2plib.files import cannot_read, make_folder, write_atomic
from p2plib.training.checkpoint import load_generator, read_config
from p2plib.training.large import check_tiles, require_memory, translate_any
from p2plib.training.samples import write_sheet
from p2plib.training.tiling import translate_large


def translate_files(
    run: Path,
    pictures: Sequence[Path],
    out: Path,
    *,
    size: int | None = None,
    pairs: bool = False,
    tile: int | None = None,
    overlap: int | None = None,
    repeatable: bool = False,
    seed: int = 0,
    device: str = "cpu",
) -> list[Path]:
    """Translate pictures one by one and write each as a PNG of the same name.

    Args:
        run: folder of a trained run.
        pictures: files, or folders of files.
        out: folder to write to; made if it is not there.
        size: resize to size × size first; None takes each picture as large as it is.  A side that the U-Net
            cannot halve often enough is continued at its edge, and the output cut back.
        pairs: the pictures are side-by-side pairs: take the run's input half, and write input, output and
            target beside each other.
        tile: translate in tiles of tile × tile pixels, for pictures that memory does not hold in one piece.
        overlap: of neighbouring tiles, in pixels; None is a quarter of a tile.
        repeatable: dropout off, so that every call gives the same picture; batch statistics stay.
        seed: of the dropout noise.

    Returns:
        The files written.

    Raises:
        UserError: for a picture that cannot be read or does not fit into memory; nothing is written then.
    """
    if size is not None and size < 1:
        raise UserError(f"--size must be 1 px or more, not {size}.")
    if not 0 <= seed < 2**63:
        raise UserError(f"--seed must be a whole number from 0 to 2**63 - 1, not {seed}.")
    config, net = read_config(run), load_generator(run, device)
    cut = _tiling(net, tile, overlap)
    files = list(_collect(pictures))
    names = _output_names(files, out)
    input_is_a = config.direction != "BtoA"
    for file in files:  # all of them are read before anything is written; beside translating, that costs little
        input, _ = _load(file, size, pairs, input_is_a)
        if cut is None:
            require_memory(net, input)
    make_folder(out)
    for file, name in zip(tqdm(files, unit="img", disable=len(files) < 2), names, strict=True):
        input, target = _load(file, size, pairs, input_is_a)
        if cut is None:
            output = translate_any(net, input.to(device), dropout=not repeatable, seed=seed).cpu()
        else:
            output = translate_large(net, input, *cut, dropout=not repeatable, seed=seed)
        if target is None:
            _write(name, output)
        else:
            write_sheet(name, {"input": input, "output": output, "target": target})
    return names


def _tiling(net: nn.Module, tile: int | None, overlap: int | None) -> tuple[int, int] | None:
    """Tile and overlap in pixels; None for pictures in one piece."""
    if tile is None:
        if overlap is not None:
            raise UserError("--overlap is that of tiles: give --tile N, too.")
        return None
    overlap = tile // 4 if overlap is None else overlap
    check_tiles(net, tile, overlap)
    return tile, overlap


def size_note(
    run: Path, pictures: Sequence[Path], size: int | None, pairs: bool, tile: int | None = None
) -> str | None:
    """A sentence for someone about to translate pictures of another scale or kind than the run was trained on."""
    file = next(iter(_collect(pictures)))
    config, (width, height) = read_config(run), picture_size(file)
    if not pairs and width == 2 * height:
        return f"Note: {file.name} is twice as wide as high; if it is a side-by-side pair, add --pairs."
    side = min(width // 2 if pairs else width, height)
    if size is None and not 0.5 < side / config.size < 2.01:
        more, larger = ("more", "larger") if side > config.size else ("less", "smaller")
        return (
            f"Note: the run was trained at {config.size} px and {file.name} has {side} px. If it shows {more} than the "
            f"training pictures, leave it; if it shows the same {larger}, --size {config.size} makes it alike."
        )
    if size is None and tile is None and (side % 2**config.depth or height % 2**config.depth):
        return (
            f"Note: {file.name} was continued at its edges to sides that are multiples of {2**config.depth}, and the "
            f"output cut back to its size."
        )
    return None


def _collect(pictures: Iterable[Path]) -> Iterable[Path]:
    for path in pictures:
        try:
            is_folder, there = path.is_dir(), path.exists()
        except OSError as error:  # a name too long, a folder above it that is closed
            raise cannot_read(path, error) from None
        if is_folder:
            inside = list_pictures(path)
            if not inside:
                raise UserError(f"{path} holds no pictures ({', '.join(SUFFIXES)} were expected).")
            yield from inside
        elif there:
            yield path
        else:
            raise UserError(f"{path}: there is no such file or folder.")


def _output_names(files: Sequence[Path], out: Path) -> list[Path]:
    names: dict[Path, Path] = {}
    for file in files:
        name = out / f"{file.stem}.png"
        if name in names:
            raise UserError(f"{names[name]} and {file} would both become {name}: translate them into two folders.")
        if name.resolve() == file.resolve():
            raise UserError(f"{file} would be overwritten by its own translation: choose another --out.")
        names[name] = file
    return list(names)


def _load(file: Path, size: int | None, pairs: bool, input_is_a: bool) -> tuple[Tensor, Tensor | None]:
    if not pairs:
        return _signed(read_picture(file), size), None
    a, b = (_signed(half, size) for half in load_halves(PairFile(file)))
    return (a, b) if input_is_a else (b, a)


def _signed(picture: Image.Image, size: int | None) -> Tensor:
    return to_signed(to_tensor(picture, size))[None]


def _write(path: Path, output: Tensor) -> None:
    buffer = io.BytesIO()
    Image.fromarray(to_bytes(output[0]).permute(1, 2, 0).numpy()).save(buffer, "PNG")
    write_atomic(path, buffer.getvalue())
