"""A training killed again and again at random moments, to see that nothing is lost: ``python -m p2plib endure``."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import random
import tempfile
import threading
import time
from dataclasses import dataclass
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import torch
from tqdm.auto import tqdm

from p2plib.data.synthetic import write_pairs
from p2plib.errors import UserError
from p2plib.training import checkpoint
from p2plib.training.config import Config, configure

STEPS_A_KILL = 12  # of the whole run; one that ends before its last kill is begun anew
LONGEST = 0.15  # seconds between a first save and the kill, at the most
PATIENCE = 120.0  # seconds until a process must have saved once


@dataclass(frozen=True)
class Endured:
    """What came of it.

    Attributes:
        kills: how often a training was killed.
        in_writes: how many of them fell into the writing of a file.
        runs: runs that were brought to their end.
        unreadable: what could not be read after a kill; empty if all is well.
        different: files of a finished run that differ from the uninterrupted one's; empty if all is well.
    """

    kills: int
    in_writes: int
    runs: int
    unreadable: list[str]
    different: list[str]

    def __str__(self) -> str:
        broken = [f"unreadable: {', '.join(self.unreadable)}"] if self.unreadable else []
        broken += [f"not as without kills: {', '.join(self.different)}"] if self.different else []
        verdict = "; ".join(broken) or "every file whole after every kill, every final weight equal bit for bit"
        runs = "1 run" if self.runs == 1 else f"{self.runs} runs"
        return f"{self.kills} kills, {self.in_writes} of them inside a write, {runs} to the end: {verdict}"


def endure(kills: int = 50, seed: int = 0, progress: bool = True) -> Endured:
    """Train once undisturbed; then again, killed so often and gone on with; compare.

    Args:
        kills: SIGKILLs in all.
        seed: of the moments.
        progress: show a bar.

    Raises:
        UserError: for fewer than one kill, or if a process fails by itself.
    """
    if kills < 1:
        raise UserError(f"kills must be 1 or more, not {kills}.")
    draw, unreadable, different, count, in_writes, runs = random.Random(seed), [], [], 0, 0, 0
    with tempfile.TemporaryDirectory() as folder, tqdm(total=kills, unit="kill", disable=not progress) as bar:
        place = Path(folder)
        write_pairs("facades", place / "pairs", count=10, size=40)
        config = configure(
            place / "pairs", "laptop", size=32, base=8, batch=2, images=2 * STEPS_A_KILL * kills, device="cpu"
        )
        _finish(config, place / "whole", save_always=False)
        while count < kills or _is_unfinished(place / f"run{runs}"):
            run = place / f"run{runs}"
            if count == kills:
                _finish(config, run, save_always=True)
            elif _kill_once(config, run, draw):
                count += 1
                bar.update()
                in_writes += bool(list(run.glob(".*.part")))
                unreadable += _unreadable(run, count)
            if not _is_unfinished(run):
                different += [f"{name} of run {runs + 1}" for name in _differences(place / "whole", run)]
                runs += 1
    return Endured(count, in_writes, runs, unreadable, different)


def _start(config: Config, run: Path, save_always: bool) -> BaseProcess:
    method = "forkserver" if os.name == "posix" else "spawn"  # torch is loaded once, and no thread is copied
    context: Any = multiprocessing.get_context(method)
    context.set_forkserver_preload(["p2plib.training.trainer"])
    process = context.Process(target=_train, args=(config, run, save_always, torch.get_num_threads()), daemon=True)
    process.start()
    return process


def _train(config: Config, run: Path, save_always: bool, threads: int) -> None:
    from p2plib.training import Trainer, keeper

    torch.set_num_threads(threads)
    tqdm.set_lock(threading.RLock())  # its own would be a semaphore of the system, left behind by a kill
    if save_always:
        keeper.SAVE_SECONDS, keeper.SAVE_SHARE = 0.0, 1.0  # so that kills fall into saves
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        Trainer(config, run, resume="auto").fit(progress=False)


def _finish(config: Config, run: Path, save_always: bool) -> None:
    process = _start(config, run, save_always)
    process.join()
    if process.exitcode:
        raise UserError(f"A training that nobody killed ended with exit code {process.exitcode}.")


def _kill_once(config: Config, run: Path, draw: random.Random) -> bool:
    """Start or go on, wait for a save and a random moment more, kill; False if it had come to its end."""
    before, process = _written(run), _start(config, run, save_always=True)
    deadline = time.monotonic() + PATIENCE
    while process.is_alive() and _written(run) == before:
        if time.monotonic() > deadline:
            process.kill()
            raise UserError(f"A training saved nothing within {PATIENCE:.0f} s.")
        time.sleep(0.005)
    if draw.random() < 0.5:  # any moment
        time.sleep(draw.uniform(0, LONGEST))
    else:  # or one inside a write
        while process.is_alive() and not any(run.glob(".*.part")) and time.monotonic() < deadline:
            time.sleep(0.0005)
    process.kill()
    process.join()
    if process.exitcode not in (0, -9, -15):  # Windows says -15 of a process that was killed
        raise UserError(f"A training ended by itself, with exit code {process.exitcode}.")
    return process.exitcode != 0


def _written(run: Path) -> int:
    state = run / "state.pt"
    return state.stat().st_mtime_ns if state.exists() else 0


def _is_unfinished(run: Path) -> bool:
    if not (run / "state.pt").exists():
        return False
    state = checkpoint.load_state(run / "state.pt", "cpu")
    return bool(state["step"] < state["steps"])


def _unreadable(run: Path, kill: int) -> list[str]:
    """Read all that a kill has left; what cannot be read, by name."""
    broken = []
    try:
        net = checkpoint.build_generator(checkpoint.read_config(run))
        checkpoint.load_state(run / "state.pt", "cpu")
        if (run / "generator.safetensors").exists():
            checkpoint.load_weights(run / "generator.safetensors", net)
    except UserError as error:
        broken.append(f"{error} (kill {kill})")
    return broken


def _differences(whole: Path, run: Path) -> list[str]:
    names = ("generator.safetensors", "discriminator.safetensors")
    return [name for name in names if (whole / name).read_bytes() != (run / name).read_bytes()]
