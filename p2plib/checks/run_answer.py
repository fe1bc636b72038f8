"""A run folder as an answer: its path, found, and what it lacks said with what to type."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from p2plib.budget import budget
from p2plib.checks.compare import describe
from p2plib.checks.trial import Trial
from p2plib.errors import UserError
from p2plib.training import Trainer
from p2plib.training.config import Config

T = TypeVar("T")
NO_FOLDER = "Is it the folder that `--out` named, as seen from this notebook?"


def enough_pictures() -> int:
    """How many a run must have seen; in a test, any number."""
    return budget(1_000, 0)


def folder(t: Trial, of: int = 0) -> Path:
    """The path that was handed in, or that a function without parameters returns; a folder that exists."""
    value = t.answers[of]
    if callable(value) and not isinstance(value, os.PathLike):
        value = t.call(of=of)
    if not isinstance(value, str | os.PathLike):
        t.wrong(
            f"expected was the path of a run folder; {describe(value)} came",
            "Is its folder meant, `trainer.run`?" if isinstance(value, Trainer) else None,
        )
    path = Path(os.fsdecode(value))
    if not path.is_dir():
        t.wrong(f"there is no folder {path}", NO_FOLDER)
    return path


def told(t: Trial, function: Callable[[], T]) -> T:
    """What the function returns; a UserError ends the trial with its sentence."""
    try:
        return function()
    except UserError as error:
        t.wrong(str(error).rstrip("."))


def train(config: Config, run: Path, *more: str) -> str:
    """The command that goes on with a run."""
    words = ("python -m p2plib train", shlex.quote(config.source), "--out", shlex.quote(str(run)), "--resume", *more)
    return " ".join(words)
