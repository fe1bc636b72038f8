"""A loop in a process of its own, asked from here.

The trainer changes settings of its whole process, from which the plain loop must not profit; and the most memory that
a process held is known only for the whole of it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any

import torch

import p2plib
from p2plib.errors import UserError
from p2plib.training.config import Config

NAMES = {"trainer": "this trainer", "plain": "the plain loop"}
GRACE, GRACE_AFTER_ERROR = 10.0, 3.0  # seconds to leave in order


class LoopProcess:
    """One loop of `p2plib.training.bench.loops.LOOPS`, in a new process; use it in a `with`, which ends it.

    It is a new Python, not a fork, with a session of its own: Ctrl-C comes here alone, and from here the process and
    all that it has started are ended.

    Args:
        loop: "trainer" or "plain".
        config: its settings.
        folder: pairs side by side.
    """

    def __init__(self, loop: str, config: Config, folder: Path) -> None:
        self.name = NAMES[loop]
        root = str(Path(p2plib.__file__).resolve().parents[1])  # also where p2plib is not installed
        paths = os.pathsep.join(filter(None, [root, os.environ.get("PYTHONPATH")]))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "p2plib.training.bench.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": paths},
            start_new_session=True,  # and on Windows:
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
            encoding="utf-8",
        )
        self._ask("open", loop=loop, config=dataclasses.asdict(config), folder=str(folder),
                  threads=torch.get_num_threads())  # fmt: skip
        self._about: dict[str, Any] | None = None

    @property
    def about(self) -> dict[str, Any]:
        """What the loop says of itself, once it is ready."""
        if self._about is None:
            self._about = self._answer()
        return self._about

    def ask(self, request: str, **arguments: Any) -> Any:
        """What the method of the loop gives.

        Raises:
            UserError: if the loop says so, or its process is gone.
            RuntimeError: if it broke, with its traceback.
        """
        _ = self.about
        self._ask(request, **arguments)
        return self._answer()

    def _ask(self, request: str, **arguments: Any) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):  # the answer, or its lack, says why
            self._process.stdin.write(json.dumps({"do": request, **arguments}) + "\n")
            self._process.stdin.flush()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            why = ", as when memory runs out" if code in (-9, 137) else ""
            raise UserError(
                f"The process of {self.name} ended by itself (exit code {code}{why}): take a smaller preset."
            )
        reply = json.loads(line)
        if "refused" in reply:
            raise UserError(reply["refused"])
        if "broke" in reply:
            raise RuntimeError(f"{self.name} broke:\n{reply['broke']}")
        return reply["value"]

    def __enter__(self) -> LoopProcess:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        """End it: in order where all is well, and within seconds where it is not."""
        process = self._process
        if kind is not None:
            process.terminate()
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
            process.wait(GRACE if kind is None else GRACE_AFTER_ERROR)
        except subprocess.TimeoutExpired:
            self._kill()
        except BaseException:  # a second Ctrl-C
            self._kill()
            raise
        finally:
            process.stdout.close()

    def _kill(self) -> None:
        """It and all that it has started."""
        if self._process.returncode is not None:
            return  # it was waited for: its number may be another's by now
        if os.name == "posix":
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
        else:
            self._process.kill()
        self._process.wait()
