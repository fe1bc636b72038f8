"""Reading one picture file, and saying in one sentence what is wrong with it."""

from __future__ import annotations

import re
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from PIL import Image, UnidentifiedImageError

from p2plib.errors import UserError
from p2plib.files import cannot_read

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 80_000_000  # about 8,900 × 8,900: beyond it one picture takes a quarter of a GiB

_EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")
_SIGNATURES = {"JPEG": b"\xff\xd8\xff", "PNG": b"\x89PNG\r\n\x1a\n", "WebP": b"WEBP"}

_ORIENTATION = 0x0112  # the EXIF note that says how the camera was held
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_warnings_lock = threading.Lock()  # Python's list of warning filters is one for all threads


def read_picture(path: Path) -> Image.Image:
    """One picture as 8-bit RGB, turned as its EXIF note says, transparency laid on white.

    Args:
        path: a JPEG, PNG or WebP file; RGB, grey or palette, 8 bits a channel.

    Raises:
        UserError: for anything else, naming the file, what was found and how to mend it.
    """
    try:
        with _open(path) as picture:
            _check_header(path, picture)
            picture.load()
            turn = _TURNS.get(_orientation(path, picture))
            flat = _on_white(picture)
            return flat if turn is None else flat.transpose(turn)
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file.") from None
    except Image.DecompressionBombError as error:
        found = re.search(r"\d+", str(error))
        raise _too_large(path, int(found[0]) if found else 2 * MAX_PIXELS) from None
    except UnidentifiedImageError:
        raise _not_a_picture(path) from None
    except IsADirectoryError:
        raise UserError(f"{path} is a folder, not a picture: rename or remove it.") from None
    except MemoryError:
        raise UserError(f"{path} did not fit into memory: close other programs, or make the picture smaller.") from None
    except Exception as error:  # Pillow raises all kinds for damaged files, struct.error among them
        if isinstance(error, OSError) and error.errno is not None:
            raise cannot_read(path, error) from None
        raise _damaged(path, str(error)) from None


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels as `read_picture` would give them, read from the file's header alone.

    Raises:
        UserError: as `read_picture`, for what the header shows.
    """
    try:
        with _open(path) as picture:
            _check_header(path, picture)
            width, height = picture.size
            return (height, width) if _orientation(path, picture) in (5, 6, 7, 8) else (width, height)
    except UserError:
        raise
    except Exception:
        return read_picture(path).size  # says in its own words what is wrong


def list_pictures(folder: Path) -> list[Path]:
    """The pictures of a folder in the order people count: 2.jpg before 10.jpg; hidden files left out.

    Raises:
        UserError: if the folder may not be read.
    """
    try:
        found = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".")]
        return sorted((p for p in found if p.is_file()), key=natural_key)
    except OSError as error:
        raise cannot_read(folder, error) from None


def natural_key(path: Path) -> tuple[list[tuple[int, int | str]], str]:
    """Sort key in which numbers inside names compare as numbers; 01 and 1 keep one order on every disk."""
    parts = re.split(r"([0-9]+)", path.name)
    return [(0, int(part)) if i % 2 else (1, part) for i, part in enumerate(parts)], path.name


def _open(path: Path) -> Image.Image:
    with _without_warnings():  # about its size: `_check_header` judges that
        return Image.open(path, formats=FORMATS)


def _orientation(path: Path, picture: Image.Image) -> Any:
    if picture.format == "PNG" and "exif" not in picture.info:
        if not _must_be_read(path):
            return None
        picture.load()  # in PNGs the note may come after the pixels
    try:
        with _without_warnings():
            return picture.getexif().get(_ORIENTATION)
    except Exception:  # a broken note: the pixels can be whole for all that
        return None


def _must_be_read(path: Path) -> bool:
    """Has this PNG an EXIF note, before or after its pixels, or does it break off?

    Reads the heads of its chunks and skips what they hold.
    """
    with open(path, "rb") as file:
        file.seek(8)
        while len(head := file.read(8)) == 8:
            if head[4:] in (b"eXIf", b"IEND"):
                return head[4:] == b"eXIf"
            file.seek(int.from_bytes(head[:4], "big") + 4, 1)  # the chunk, and its checksum
    return True


@contextmanager
def _without_warnings() -> Iterator[None]:
    with _warnings_lock, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _check_header(path: Path, picture: Image.Image) -> None:
    if picture.width * picture.height > MAX_PIXELS:
        raise _too_large(path, picture.width * picture.height)
    if picture.mode in ("CMYK", "YCCK"):
        raise UserError(f"{path} holds printing colours (CMYK); RGB or grey was expected: save it again as RGB.")
    if picture.mode not in _EIGHT_BITS or _is_deep_png(path):
        raise UserError(
            f"{path} has 16 or more bits a channel; 8 bits were expected: save it again with 8 bits a channel."
        )


def _is_deep_png(path: Path) -> bool:
    """Pillow reads 16-bit RGB PNGs as 8-bit RGB without a word; the header knows better."""
    with open(path, "rb") as file:
        header = file.read(25)
    return header[:8] == b"\x89PNG\r\n\x1a\n" and len(header) == 25 and header[24] == 16


def _on_white(picture: Image.Image) -> Image.Image:
    if picture.mode in ("LA", "PA", "RGBA") or "transparency" in picture.info:
        picture = picture.convert("RGBA")
        white = Image.new("RGBA", picture.size, "white")
        return Image.alpha_composite(white, picture).convert("RGB")
    return picture.convert("RGB")


def _too_large(path: Path, pixels: int) -> UserError:
    return UserError(
        f"{path} has {pixels / 1e6:.0f} million pixels; at most {MAX_PIXELS / 1e6:.0f} million are read: "
        f"make it smaller, or cut it into tiles."
    )


def _damaged(path: Path, reason: str) -> UserError:
    return UserError(
        f"{path} is damaged ({reason.rstrip('.')}): a whole JPEG, PNG or WebP was expected; "
        f"copy or download it again, or remove it."
    )


def _not_a_picture(path: Path) -> UserError:
    if path.stat().st_size == 0:
        return UserError(f"{path} is empty (0 bytes): copy or download it again, or remove it.")
    with open(path, "rb") as file:
        start = file.read(12)
    for form, signature in _SIGNATURES.items():
        if start.startswith(signature) or (start[:4], start[8:]) == (b"RIFF", signature):
            return _damaged(path, f"it begins as a {form} and cannot be read as one")
    return UserError(
        f"{path} is not a JPEG, PNG or WebP picture, whatever its name says (it begins with {start!r}): "
        f"save it in one of these forms, or remove it."
    )
