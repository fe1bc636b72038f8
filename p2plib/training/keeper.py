"""Keeping a run: saved beside the training, tried again where a disk fails, brought elsewhere where it stays so."""

from __future__ import annotations

import contextlib
import copy
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from p2plib.errors import UserError
from p2plib.files import make_folder, require_room
from p2plib.training import checkpoint
from p2plib.training.config import Config

SAVE_SECONDS = 30.0  # between two saves, at least
SAVE_SHARE = 0.05  # of the time may go into saving
STATE = 3  # times the weights: themselves, and the two means that Adam keeps of each


@dataclass(frozen=True)
class Snapshot:
    """A run at one moment, in memory of its own: training goes on while it is written.

    Attributes:
        config: of the run.
        state: everything that going on needs.
        weights: name of the network → its tensors.
        rows: of metrics.csv.
    """

    config: Config
    state: dict[str, Any]
    weights: dict[str, dict[str, Tensor]]
    rows: list[dict[str, Any]] = field(default_factory=list)

    @property
    def step(self) -> int:
        """Steps done."""
        return int(self.state["step"])

    def write(self, run: Path) -> None:
        """Write it, each file atomically, the state first: whatever is older is written again after a resume."""
        checkpoint.save_state(run / "state.pt", self.state)
        for name, tensors in self.weights.items():
            checkpoint.save_tensors(run / f"{name}.safetensors", tensors)
        checkpoint.write_metrics(run, self.rows)


def copied(value: Any) -> Any:
    """The same with every tensor copied into the CPU's memory, strides kept: fused Adam relies on them."""
    if isinstance(value, Tensor):
        return value.detach().to("cpu", copy=True, memory_format=torch.preserve_format)
    if isinstance(value, dict):
        return {key: copied(part) for key, part in value.items()}
    if isinstance(value, list):
        return [copied(part) for part in value]
    return copy.copy(value)


class Keeper:
    """Writes snapshots of a run into its folder, in a thread of its own.

    A write that fails on the way stops nothing: it is told once and tried again.  Only the first one must succeed, so
    that a full disk is found before the work, and the last one: where that fails the run is put elsewhere.

    Args:
        run: the folder.
    """

    def __init__(self, run: Path) -> None:
        self.run = run
        self._pool = ThreadPoolExecutor(1, thread_name_prefix="saving")
        self._writing: Future[None] | None = None
        self._beside = False  # is it something else than the run's state?
        self._cost = 0.0
        self._last = time.monotonic()
        self._kept_step: int | None = None  # of the last state that was written whole
        self._told = self._told_beside = False

    def require_room(self, networks: Sequence[nn.Module]) -> None:
        """Find a disk that is too small before the work: the first state lacks Adam's means, later ones do not.

        Raises:
            UserError: if there is not enough for the weights, a state, and the next state beside it.
        """
        weights = sum(p.numel() * p.element_size() for net in networks for p in net.parameters())
        require_room(self.run, weights * (1 + 2 * STATE), "a run of these networks")

    def start(self) -> None:
        """The clock that says when the next save is due begins here."""
        self._last = time.monotonic()

    def due(self) -> bool:
        """Often enough to lose little, seldom enough to cost little."""
        return time.monotonic() - self._last > max(SAVE_SECONDS, self._cost / SAVE_SHARE)

    def save(self, snapshot: Snapshot) -> None:
        """Write it while training goes on; a failure is told, and the next save tries again."""
        self.wait()
        self._writing, self._beside = self._pool.submit(self._write, snapshot), False
        self._last = time.monotonic()

    def beside(self, write: Callable[[], None]) -> None:
        """Write something else while training goes on; a failure is told, and it is not tried again."""
        self.wait()
        self._writing, self._beside = self._pool.submit(write), True

    def save_now(self, snapshot: Snapshot) -> None:
        """Write it and wait.

        Raises:
            UserError: if it could not be written; the files from before are whole.
        """
        with contextlib.suppress(Exception):  # this one is newer
            self._settle()
        self._write(snapshot)
        self._last = time.monotonic()

    def save_at_last(self, snapshot: Snapshot) -> None:
        """Write it and wait; where the folder cannot be written, put the run elsewhere.

        Raises:
            UserError: that says where it is now.
        """
        try:
            self.save_now(snapshot)
        except UserError as error:
            raise self._rescue(snapshot, error) from error

    def wait(self) -> None:
        """Let a write under way end; what it failed at is left to the next."""
        try:
            self._settle()
        except Exception as error:  # whatever a thread failed at, training goes on
            self._tell(error)

    def _settle(self) -> None:
        writing, self._writing = self._writing, None
        if writing is not None:
            writing.result()

    def _write(self, snapshot: Snapshot) -> None:
        began = time.monotonic()
        snapshot.write(self.run)
        self._cost = time.monotonic() - began
        self._kept_step, self._told = snapshot.step, False

    def _tell(self, error: Exception) -> None:
        what = str(error) if isinstance(error, UserError) else f"A save failed ({type(error).__name__}: {error})."
        if self._beside:
            if not self._told_beside:  # one of many, such as the sheets of the epochs
                tqdm.write(f"Note: {what} Training goes on without it.", file=sys.stderr)
            self._told_beside = True
            return
        if not self._told:
            kept = (
                "nothing is saved yet" if self._kept_step is None else f"the state of step {self._kept_step} is whole"
            )
            tqdm.write(
                f"Note: {what} Training goes on, {kept}, and saving is tried again every {SAVE_SECONDS:.0f} s.",
                file=sys.stderr,
            )
        self._told = True

    def _rescue(self, snapshot: Snapshot, error: UserError) -> UserError:
        for place in (Path.cwd(), Path(tempfile.gettempdir())):
            folder = place / f"{self.run.name}-rescued"
            if folder.exists():
                continue  # another run's
            try:
                checkpoint.write_config(make_folder(folder), snapshot.config)
                snapshot.write(folder)
            except UserError:
                shutil.rmtree(folder, ignore_errors=True)  # made above, and half a run is none
                continue
            return UserError(
                f"{error} So the run, up to step {snapshot.step}, was saved in {folder} instead: go on with it there "
                f"(--out {folder} --resume), or copy its files back."
            )
        kept = "" if self._kept_step is None else f"; the state of step {self._kept_step} in {self.run} is whole"
        return UserError(f"{error} Nor was there room in {Path.cwd()} or {tempfile.gettempdir()}{kept}.")
