"""How long a training has trained: pauses and hours of sleep are not counted."""

from __future__ import annotations

import time

ASLEEP = 60.0  # seconds between two steps beyond which …
MUCH_LONGER = 20.0  # … and times the longest step so far: the machine stood still


class Clock:
    """Counts seconds from `start` on, `tick` by tick.

    Attributes:
        seconds: counted so far.
    """

    def __init__(self) -> None:
        self.seconds = 0.0
        self.start()

    def start(self) -> None:
        """Count from now on: what passed since the last tick is left out."""
        self._last = time.monotonic()
        self._mark = _both()
        self._longest = 0.0

    def tick(self) -> None:
        """Bring ``seconds`` up to date."""
        now = time.monotonic()
        self.seconds += now - self._last
        self._last = now

    def leave_out(self, seconds: float) -> None:
        """Do not count so many seconds that have just passed: a pause."""
        self._last += seconds
        self._mark = _both()

    def mark(self) -> None:
        """A step begins here: what came before it took the time that it took (held-out pictures, a save)."""
        self._mark = _both()

    def step(self) -> float:
        """Call after each step: the seconds that the machine stood still in it, 0 if it did not.

        Some systems stop their clock in sleep and some do not, so both clocks are asked.
        """
        before, self._mark = self._mark, _both()
        counted, passed = (
            self._mark[0] - before[0],
            max(now - then for now, then in zip(self._mark, before, strict=True)),
        )
        if passed > ASLEEP and self._longest and passed > MUCH_LONGER * self._longest:
            self._last += min(counted, passed)  # what the counting clock saw of it
            return passed
        self._longest = max(self._longest, passed)
        return 0.0


def _both() -> tuple[float, float]:
    return time.monotonic(), time.time()
