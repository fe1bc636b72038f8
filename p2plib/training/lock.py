"""One training at a time in a run folder."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from pathlib import Path
from typing import IO, Any

from p2plib.errors import UserError
from p2plib.files import cannot_write

NAME = ".lock"


class RunLock:
    """Holds a run folder while open; the system lets go of it when the process dies, however it dies.

    Some network folders know no locks: there it does nothing.

    Args:
        run: the folder, which must exist.

    Raises:
        UserError: on opening, if another training holds it; the sentence says which.
    """

    def __init__(self, run: Path) -> None:
        self.run, self.path = run, run / NAME
        self._file: IO[bytes] | None = None

    def __enter__(self) -> RunLock:
        while self._file is None:
            try:
                file = open(self.path, "a+b")
            except OSError as error:
                raise cannot_write(self.path, error) from error
            if not self._try(file):
                said = _said(file)
                file.close()
                raise UserError(
                    f"{self.run} is being trained by another process{said}: wait for it, stop it, or choose another "
                    f"folder."
                )
            # The holder before may have removed the file between our opening and locking it.
            if self.path.exists() and os.path.samestat(os.fstat(file.fileno()), self.path.stat()):
                self._file = file
            else:
                file.close()
        self._say()
        return self

    def __exit__(self, *exception: object) -> None:
        if self._file is not None:
            with contextlib.suppress(OSError):
                self.path.unlink()  # while it is still held; on Windows an open file stays, empty and free
            with contextlib.suppress(OSError):
                self._file.close()
            self._file = None

    @staticmethod
    def _try(file: IO[bytes]) -> bool:
        """Lock the open file; False if another holds it.  True too where there are no locks."""
        if sys.platform == "win32":
            import msvcrt

            file.seek(2**20)  # a byte far behind what is written, which others must be able to read
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                return False
            return True
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        except OSError:  # a network folder without locks
            pass
        return True

    def _say(self) -> None:
        """Who holds it, for the one who comes second."""
        assert self._file is not None
        who = {"pid": os.getpid(), "host": socket.gethostname(), "since": time.strftime("%Y-%m-%d %H:%M:%S")}
        with contextlib.suppress(OSError):  # a full disk is told by what is saved next
            self._file.truncate(0)
            self._file.write(json.dumps(who).encode())
            self._file.flush()


def _said(file: IO[bytes]) -> str:
    try:
        file.seek(0)
        who: dict[str, Any] = json.loads(file.read())
        return f" (number {who['pid']} on {who['host']}, since {who['since']})"
    except (OSError, ValueError, KeyError, TypeError):
        return ""
