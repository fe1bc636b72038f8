"""python -m p2plib.training.bench.worker: a process that holds one loop and does what it is asked, a line of JSON each.

Asked {"do": name, …} it answers {"value": …}, {"refused": sentence} or {"broke": traceback}.  The first request is
"open".  It ends when its input does, in the middle of its work too: so it never outlives who asks, however that ended.
"""

from __future__ import annotations

import json
import os
import queue
import signal
import threading
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import torch

from p2plib.errors import UserError
from p2plib.training.bench.loops import LOOPS, Loop
from p2plib.training.config import Config

GRACE = 20.0  # seconds


def main() -> None:
    """Answer until there is nothing more to answer."""
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever else prints shall not stand between the answers
    signal.signal(signal.SIGTERM, _leave)
    loop: Loop | None = None
    for request in _requests():
        name = request.pop("do")
        try:
            if name == "open":
                loop = _open(**request)
                value = loop.about()
            else:
                value = getattr(loop, name)(**request)
            reply: dict[str, Any] = {"value": value}
        except UserError as error:
            reply = {"refused": str(error)}
        except Exception:
            reply = {"broke": traceback.format_exc()}
        print(json.dumps(reply), file=replies, flush=True)


def _requests() -> Iterator[dict[str, Any]]:
    """The lines that come in, read by a thread, which ends the process where there are no more."""
    lines: queue.Queue[str] = queue.Queue()
    given = os.fdopen(os.dup(0), encoding="utf-8")  # not sys.stdin: a forked child would wait for its lock
    with open(os.devnull) as nothing:
        os.dup2(nothing.fileno(), 0)

    def read() -> None:
        for line in given:
            lines.put(line)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(GRACE)  # to leave in order; something hangs
        if os.name == "posix" and os.getpgid(0) == os.getpid():
            os.killpg(0, signal.SIGKILL)
        os._exit(1)

    threading.Thread(target=read, daemon=True).start()
    while True:
        yield json.loads(lines.get())


def _open(loop: str, config: dict[str, Any], folder: str, threads: int) -> Loop:
    if threads != torch.get_num_threads():
        torch.set_num_threads(threads)
    return LOOPS[loop](Config(**config), Path(folder))


def _leave(*_: Any) -> NoReturn:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # once: the end of the input says it again
    raise SystemExit(143)  # so that the workers of a DataLoader are taken along


if __name__ == "__main__":
    main()
