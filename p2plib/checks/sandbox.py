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

import numpy as np
import torch
from torch import nn

from p2plib.checks import state
from p2plib.checks.compare import same

#: Characters of an answer's printing that are kept.
ENOUGH = 10_000
# Held here, where an answer that gives these names to something else does not reach them.
_ANYTHING, _process = BaseException, os.getpid


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
    with _interrupts(), state.kept(seed) as left, _quiet(printed), _no_way_out() as end_a_child:
        watch = _Alarm(limit) if _has_alarm() else _Messenger(limit)
        names = state.Names()
        watch.start()
        began = time.perf_counter()
        try:
            value = _answer(function, arguments, named, names)
        except _ANYTHING as raised:
            error = raised
        finally:
            _put_back(names)
            end_a_child(error)
            watch.stop()
        seconds = time.perf_counter() - began
    stopped = isinstance(error, TimeUp) or watch.fired
    left += names.told()
    return Ran(value, error, stopped or seconds > limit, stopped, seconds, printed.getvalue(), tuple(left))


def _answer(function: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any], names: state.Names) -> Any:
    """The one frame under which an alarm or an interrupt may raise: see `_inside`."""
    value = function(*arguments, **named)
    names.put_back()
    for part in value if type(value) in (tuple, list) else (value,):
        _touch(part)
    return value


def _touch(value: Any) -> None:
    """Do here what a check will do with a value, where the value's class has a say in it: it may raise, or loop."""
    kinds = (torch.Tensor, np.ndarray, nn.Module, list, tuple)
    if any(isinstance(value, kind) and not issubclass(type(value), kind) for kind in kinds):
        raise TypeError(f"a {type(value).__name__} came back, which says that it is a {value.__class__.__name__}")
    if isinstance(value, torch.Tensor) and type(value) not in (torch.Tensor, nn.Parameter):
        same(value, value)


def _put_back(names: state.Names) -> None:
    """Before anything else runs; a second thread's TimeUp may come in between."""
    while True:
        try:
            return names.put_back()
        except TimeUp:
            pass


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
            # The other thread does not go on between these lines: it waits for this one to let go of the interpreter.
            if _inside(sys._current_frames().get(self._ident.value)):
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
def _no_way_out() -> Iterator[Callable[[BaseException | None], None]]:
    """Leaving the process becomes SystemExit; in a notebook `exit()` would end the kernel.

    A process that the answer forked may leave, and has to: what comes after the answer is not its to run.

    Yields:
        What ends such a process, given what the answer raised; it does nothing in our own.
    """
    leave, abort, shell, ours = os._exit, os.abort, _shell(), _process()

    def leave_or_raise(*status: Any) -> NoReturn:
        if _process() != ours:
            leave(*status or (1,))
        raise SystemExit(*status)

    def end_a_child(error: BaseException | None) -> None:
        if _process() != ours:
            code = error.code if isinstance(error, SystemExit) else error
            leave(code if isinstance(code, int) else int(code is not None))

    os._exit = os.abort = leave_or_raise  # type: ignore[assignment]
    if shell:
        shell.ask_exit = leave_or_raise
    try:
        yield end_a_child
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
