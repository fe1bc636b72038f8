"""Reading one picture file, and saying in one sentence what is wrong with it."""

from __future__ import annotations

import re
import warnings
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from p2plib.errors import UserError

SUFFIXES = (".jpg", ".jpeg", ".png", ".webp")
FORMATS = ("JPEG", "PNG", "WEBP")
MAX_PIXELS = 80_000_000  # about 8,900 × 8,900: beyond it one picture takes a quarter of a GiB

_EIGHT_BITS = ("1", "L", "LA", "P", "PA", "RGB", "RGBA")


def read_picture(path: Path) -> Image.Image:
    """One picture as 8-bit RGB, turned as its EXIF note says, transparency laid on white.

    Args:
        path: a JPEG, PNG or WebP file; RGB, grey or palette, 8 bits a channel.

    Raises:
        UserError: for anything else, naming the file, what was found and how to mend it.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # judged below, by MAX_PIXELS
            with Image.open(path, formats=FORMATS) as picture:
                _check_header(path, picture)
                upright = ImageOps.exif_transpose(picture)
                return _on_white(upright)
    except UserError:
        raise
    except FileNotFoundError:
        raise UserError(f"{path}: there is no such file.") from None
    except Image.DecompressionBombError as error:
        found = re.search(r"\d+", str(error))
        raise _too_large(path, int(found[0]) if found else 2 * MAX_PIXELS) from None
    except UnidentifiedImageError:
        raise UserError(_not_a_picture(path)) from None
    except (OSError, SyntaxError, ValueError, EOFError) as error:  # what Pillow raises for damaged files
        if isinstance(error, PermissionError | IsADirectoryError):
            raise UserError(f"{path} cannot be read: {error.strerror}.") from None
        raise UserError(
            f"{path} is damaged ({str(error).rstrip('.')}): a whole JPEG, PNG or WebP was expected; "
            f"copy or download it again, or remove it."
        ) from None


def picture_size(path: Path) -> tuple[int, int]:
    """(width, height) in pixels as `read_picture` would give them, read from the file's header alone.

    Raises:
        UserError: as `read_picture`, for what the header shows.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(path, formats=FORMATS) as picture:
                _check_header(path, picture)
                width, height = picture.size
                turned = picture.getexif().get(0x0112, 1) in (5, 6, 7, 8)
                return (height, width) if turned else (width, height)
    except UserError:
        raise
    except Exception:
        read_picture(path)  # says what is wrong in its own words
        raise


def list_pictures(folder: Path) -> list[Path]:
    """The pictures of a folder in the order people count: 2.jpg before 10.jpg; hidden files left out."""
    found = [p for p in folder.iterdir() if p.suffix.lower() in SUFFIXES and not p.name.startswith(".") and p.is_file()]
    return sorted(found, key=natural_key)


def natural_key(path: Path) -> list[tuple[int, int | str]]:
    """Sort key in which numbers inside names compare as numbers."""
    parts = re.split(r"([0-9]+)", path.name)
    return [(0, int(part)) if part.isdigit() else (1, part) for part in parts]


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


def _not_a_picture(path: Path) -> str:
    if path.stat().st_size == 0:
        return f"{path} is empty (0 bytes): copy or download it again, or remove it."
    with open(path, "rb") as file:
        start = file.read(12)
    return (
        f"{path} is not a JPEG, PNG or WebP picture, whatever its name says (it begins with {start!r}): "
        f"save it in one of these forms, or remove it."
    )
