"""Files in my_work/ that two notebooks may write at once, and that may be found spoilt."""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from p2plib.budget import testing
from p2plib.files import make_folder


def recording() -> bool:
    """Is what was passed kept and looked up?  Not in a test, nor where a grader runs."""
    under_pytest = "PYTEST_CURRENT_TEST" in os.environ and "P2PLIB_MY_WORK" not in os.environ
    return not (testing() or under_pytest or os.environ.get("NBGRADER_EXECUTION"))


@contextlib.contextmanager
def locked(folder: Path, patience: float = 10.0) -> Iterator[None]:
    """Only one process at a time, for reading a file of `folder` and writing it again.

    A disk that knows no locks, or a process that holds one for longer than `patience` seconds, is no reason to
    stop: files are written whole in any case.
    """
    with open(make_folder(folder) / ".lock", "a+b") as file:
        until = time.monotonic() + patience
        held = _take(file)
        while held is False and time.monotonic() < until:
            time.sleep(0.01)
            held = _take(file)
        try:
            yield
        finally:
            if held:
                _give_back(file)


def keep_aside(path: Path) -> Path:
    """Rename a file that cannot be used; nothing of it is lost.  Returns its new path."""
    number = 1
    while (aside := path.with_name(f"{path.stem}.kept-aside-{number}{path.suffix}")).exists():
        number += 1
    os.replace(path, aside)
    return aside


if sys.platform == "win32":
    import msvcrt

    def _take(file: IO[bytes]) -> bool | None:
        try:
            file.seek(0)
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            return True
        except OSError:
            return False

    def _give_back(file: IO[bytes]) -> None:
        file.seek(0)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)
else:
    import fcntl

    def _take(file: IO[bytes]) -> bool | None:
        """True: locked; False: somebody else has it; None: this disk knows no locks."""
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            return False
        except OSError:
            return None

    def _give_back(file: IO[bytes]) -> None:
        fcntl.flock(file, fcntl.LOCK_UN)
