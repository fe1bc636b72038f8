"""Running an answer so that whatever it does comes back as one result, and the kernel lives on.

It may raise, recurse, loop, print, exit or change settings.  Python code is stopped when its time is
up: by the alarm signal where there is one, by an exception sent from a second thread elsewhere (on
Windows, outside the main thread).  Native code cannot be stopped; it is reported when it returns.
"""

from __future__ import annotations

import builtins
import contextlib
import ctypes
import io
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import FrameType
from typing import Any, NoReturn

from p2plib.checks import state

#: Characters of an answer's printing that are kept.
ENOUGH = 10_000


class TimeUp(BaseException):
    """Stops an answer.  No `except Exception` of the answer's holds it up."""


@dataclass(frozen=True)
class Ran:
    """What came of a call.

    Args:
        value: what it returned.
        error: what it raised instead, if it did.
        too_slow: it took longer than allowed.
        stopped: and it was stopped, in place of ending late by itself.
        seconds: how long it took.
        printed: what it printed, and warned of.
        left: settings that it left changed; they are put back.
    """

    value: Any = None
    error: BaseException | None = None
    too_slow: bool = False
    stopped: bool = False
    seconds: float = 0.0
    printed: str = ""
    left: tuple[str, ...] = ()


def run(function: Callable[..., Any], *arguments: Any, limit: float, seed: int = 0, **named: Any) -> Ran:
    """Call function(*arguments, **named), for at most `limit` seconds, and say what came of it.

    Args:
        limit: seconds; when they are over, Python code is stopped.
        seed: of the global random numbers (random, numpy, torch) while it runs.

    Raises:
        KeyboardInterrupt: if the person at the keyboard interrupts; nothing else, whatever it does.
    """
    value, error, printed = None, None, _Sink()
    with _interrupts(), state.kept(seed) as left, _quiet(printed), _no_way_out():
        watch = _Alarm(limit) if _has_alarm() else _Messenger(limit)
        watch.start()
        began = time.perf_counter()
        try:
            value = _answer(function, arguments, named)
        except BaseException as raised:
            error = raised
        finally:
            watch.stop()
        seconds = time.perf_counter() - began
    stopped = isinstance(error, TimeUp) or watch.fired
    return Ran(value, error, stopped or seconds > limit, stopped, seconds, printed.getvalue(), tuple(left))


def _answer(function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]) -> Any:
    """The one frame under which an alarm or an interrupt may raise: see `_inside`."""
    return function(*arguments, **named)


def _inside(frame: FrameType | None) -> bool:
    """Does an answer run at this moment?  If not, nothing may be raised: it would escape into our own code."""
    while frame is not None:
        if frame.f_code is _answer.__code__:
            return True
        frame = frame.f_back
    return False


def _main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _has_alarm() -> bool:
    return hasattr(signal, "setitimer") and hasattr(signal, "SIGALRM") and _main_thread()


class _Alarm:
    """The alarm signal.  It rings again and again, for an answer that catches everything, and faster in the end.

    A timer that somebody else had set goes on afterwards.
    """

    def __init__(self, limit: float) -> None:
        self.limit, self.fired, self._rings, self._ringing = limit, False, 0, False
        self._began = time.monotonic()
        self._handler: Any = None
        self._timer = (0.0, 0.0)

    def start(self) -> None:
        self._handler = signal.signal(signal.SIGALRM, self._ring)
        self._timer = signal.setitimer(signal.ITIMER_REAL, max(self.limit, 1e-3))

    def _ring(self, number: int, frame: FrameType | None) -> None:
        if not _inside(frame):
            return
        self.fired = True
        self._rings += 1
        # In the end so soon after the ring before that it meets the answer while that is still being caught.
        soon = 0.02 if self._rings < 10 else (1 + self._rings % 60) * 1e-6
        nested, self._ringing = self._ringing, True
        signal.setitimer(signal.ITIMER_REAL, soon)
        if nested:  # it came while this was being set: the outer one raises
            return
        self._ringing = False
        raise TimeUp

    def stop(self) -> None:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, self._handler if self._handler is not None else signal.SIG_DFL)
        left, interval = self._timer
        if left:
            signal.setitimer(signal.ITIMER_REAL, max(left - (time.monotonic() - self._began), 1e-3), interval)


class _Messenger:
    """A second thread that raises TimeUp in this one: for where there is no alarm."""

    def __init__(self, limit: float) -> None:
        self.limit, self.fired = limit, False
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._wait, daemon=True)
        self._ident = ctypes.c_ulong(threading.get_ident())

    def start(self) -> None:
        self._thread.start()

    def _wait(self) -> None:
        pause = self.limit
        while not self._done.wait(pause):
            self.fired = True
            self._send()
            pause = 0.05

    def stop(self) -> None:
        while True:
            with contextlib.suppress(TimeUp):
                self._done.set()
                self._thread.join()
                break
        if self.fired:  # one may be on its way still: send another in its place, and wait for that
            with contextlib.suppress(TimeUp):
                self._send()
                while True:
                    time.sleep(0)

    def _send(self) -> None:
        ctypes.pythonapi.PyThreadState_SetAsyncExc(self._ident, ctypes.py_object(TimeUp))


@contextlib.contextmanager
def _interrupts() -> Iterator[None]:
    """Tell a real Ctrl-C from an answer that raises KeyboardInterrupt, and let it through when all is put back."""
    if not _main_thread():
        yield
        return
    pressed = False

    def press(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        if _inside(frame):
            raise KeyboardInterrupt

    before = signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before if before is not None else signal.default_int_handler)
    if pressed:
        raise KeyboardInterrupt


class _Sink(io.StringIO):
    """Keeps the beginning of what is printed, however much it is."""

    def write(self, words: str) -> int:
        room = ENOUGH - self.tell()
        if room > 0:
            super().write(words[:room])
        return len(words)

    def close(self) -> None:
        """Not for an answer to close."""


@contextlib.contextmanager
def _quiet(sink: _Sink) -> Iterator[None]:
    """Nothing that is printed, warned of or displayed comes out; nothing can be asked."""
    before = sys.stdout, sys.stderr, sys.stdin
    ask, shell = builtins.input, _shell()
    publisher = shell.display_pub if shell else None
    sys.stdout, sys.stderr, sys.stdin = sink, sink, io.StringIO()
    builtins.input = _no_input
    if shell:
        from IPython.core.displaypub import CapturingDisplayPublisher

        shell.display_pub = CapturingDisplayPublisher()
    try:
        yield
    finally:
        sys.stdout, sys.stderr, sys.stdin = before
        builtins.input = ask
        if shell:
            shell.display_pub = publisher


@contextlib.contextmanager
def _no_way_out() -> Iterator[None]:
    """Leaving the process becomes SystemExit; in a notebook `exit()` would end the kernel."""
    leave, abort, shell = os._exit, os.abort, _shell()
    os._exit = os.abort = _leave  # type: ignore[assignment]
    if shell:
        shell.ask_exit = _leave
    try:
        yield
    finally:
        os._exit, os.abort = leave, abort  # type: ignore[assignment]
        if shell:
            vars(shell).pop("ask_exit", None)


def _shell() -> Any:
    """IPython, if it runs."""
    if "IPython" not in sys.modules:
        return None
    from IPython import get_ipython

    return get_ipython()  # type: ignore[no-untyped-call]


def _no_input(prompt: object = "") -> NoReturn:
    raise EOFError("an answer cannot ask; what it needs comes in as arguments")


def _leave(*status: object) -> NoReturn:
    raise SystemExit(*status)
