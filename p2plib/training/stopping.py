"""Ctrl-C and a scheduler's SIGTERM as a wish to stop after this step, so that no step is left half done."""

from __future__ import annotations

import signal
import threading
from types import FrameType
from typing import Any


class StopRequest:
    """While open, the first SIGINT or SIGTERM sets ``requested``; a second one interrupts at once.

    Attributes:
        requested: "Ctrl-C" or "SIGTERM" once one came, else "".
    """

    def __init__(self) -> None:
        self.requested = ""
        self._before: dict[int, Any] = {}

    def __enter__(self) -> StopRequest:
        if threading.current_thread() is threading.main_thread():  # Python allows handlers nowhere else
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._ask)
        return self

    def __exit__(self, *exception: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    def ask(self) -> None:
        """Stop after this step, as a button does."""
        self.requested = self.requested or "a button"

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.requested:
            raise KeyboardInterrupt
        self.requested = "Ctrl-C" if number == signal.SIGINT else "SIGTERM"
