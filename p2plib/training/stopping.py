"""A wish to stop or to pause after this step, so that no step is left half done: Ctrl-C, SIGTERM, a button."""

from __future__ import annotations

import signal
import threading
import time
from types import FrameType
from typing import Any


class StopRequest:
    """While open, the first SIGINT or SIGTERM sets ``requested``; a second SIGINT interrupts at once.

    A second SIGTERM does not: schedulers and torchrun send several, or one after a Ctrl-C.

    Args:
        patient: True where a second SIGINT is not meant so either (torchrun hands on the one that all have had).

    Attributes:
        requested: "Ctrl-C", "SIGTERM" or "a button" once one came, else "".
        paused: set it from any thread to hold the loop after its step, and take it back to let it go on.
    """

    def __init__(self, patient: bool = False) -> None:
        self.requested = ""
        self.patient = patient
        self.paused = False
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():  # Python allows handlers nowhere else
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def ask(self, by: str = "a button") -> None:
        """Stop after this step, as a button does; from any thread."""
        self.requested = self.requested or by

    def hold(self) -> float:
        """Wait while paused and not stopped; returns the seconds that it took."""
        began = time.monotonic()
        # Asked twenty times a second: a lock that a signal's handler had to open could be held by this very thread.
        while self.paused and not self.requested:
            time.sleep(0.05)
        return time.monotonic() - began

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.requested and number == signal.SIGINT and not self.patient:
            raise KeyboardInterrupt
        self.requested = self.requested or ("Ctrl-C" if number == signal.SIGINT else "SIGTERM")
