"""Writing files so that a kill, a full disk or a lost network leaves the old file or the new one, never half."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import IO

from p2plib.errors import UserError


def write_atomic(path: str | Path, content: bytes | str | Callable[[IO[bytes]], None]) -> None:
    """Write beside the file, flush to the disk, then rename over it.

    Args:
        path: where the file shall be; its folder must exist.
        content: bytes, text (written as UTF-8), or a function that writes into an open binary file.

    Raises:
        UserError: if the disk is full or the folder cannot be written; the old file is still there.
    """
    path = Path(path)
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            if callable(content):
                content(file)
            else:
                file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with contextlib.suppress(OSError):  # it is gone already, or its folder is no folder
            part.unlink()


def remove_leftovers(folder: str | Path) -> None:
    """Remove what a kill in the middle of `write_atomic` left in a folder: hidden, never read, but large."""
    for part in Path(folder).glob(".*.part"):
        part.unlink(missing_ok=True)


def make_folder(path: str | Path) -> Path:
    """The folder, made if it is not there.

    Raises:
        UserError: if it cannot be made, or is a file.
    """
    path = Path(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        in_the_way = next((p for p in (path, *path.parents) if p.exists() and not p.is_dir()), path)
        raise UserError(f"{in_the_way} is a file where a folder is to be: choose another folder.") from error
    except OSError as error:
        raise cannot_write(path, error) from error
    return path


def require_room(folder: Path, size: int, what: str) -> None:
    """Find a disk that is too small before the work.

    Args:
        folder: where it is to be written; it exists.
        size: in bytes.
        what: needs them, as the sentence shall say it.

    Raises:
        UserError: if less is free.
    """
    try:
        disk = shutil.disk_usage(folder)
    except OSError:  # a network's folder that does not tell
        return
    if disk.total > 0 and disk.free < size:
        raise UserError(
            f"{folder} has room for {disk.free / 1e6:,.0f} MB, and {what} needs {size / 1e6:,.0f} MB there: make "
            f"room or choose another folder."
        )


def cannot_write(path: Path, error: OSError) -> UserError:
    """Why nothing could be written to path, as a sentence."""
    reason = (error.strerror or str(error)).lower()
    return UserError(f"{path} could not be written ({reason}): make room there or choose another folder.")


def cannot_read(path: str | Path, error: OSError) -> UserError:
    """Why the system would not let path be read, as a sentence."""
    return UserError(f"{path} cannot be read ({(error.strerror or str(error)).lower()}).")


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system lets a folder be flushed."""
    if os.name == "posix":
        with contextlib.suppress(OSError):  # some network disks refuse; the file itself is whole and in place
            descriptor = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
