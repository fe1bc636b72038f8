"""Exercise 12.4: two finished runs of opposite directions, and a picture larger than what they were trained on."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from p2plib.checks.compare import describe, number
from p2plib.checks.run_answer import told, train
from p2plib.checks.trial import Trial
from p2plib.data.pairs import to_tensor
from p2plib.data.pictures import read_picture
from p2plib.training import Trainer, checkpoint
from p2plib.training.config import Config

NAMES = ("there", "back", "picture")
#: What two runs may differ in: their direction, and what decides no more than digits or speed.
MAY_DIFFER = frozenset({"direction", "source", "preset", "device", "precision", "seed"})
#: Below it a picture is taken for a smaller one, resized.  `finest_waves` gave 0.0012 and more for what three networks
#: drew at this size in the course of their training (0.0007 after a JPEG of quality 75).  Made twice as large by
#: bilinear, bicubic or Lanczos it gave 0.0001 in the median and 0.0006 at the most; up to 0.003 for networks of a few
#: steps, whose outputs are checkered.  The bound refuses no picture drawn at its size; some that were made larger pass.
RESIZED = 0.0004
#: Pixels of a picture's middle that are looked at.
MIDDLE = 1024

SAME_FOLDER = "Both are the same folder. Where is the run of the other direction?"
SAME_WAY = "Both go the same way. Was one of them trained with `--direction`?"
SMALL_INPUT = "Was it the input that was made large, and then translated?"


def check_both_ways(t: Trial) -> None:
    """The folders hold finished runs of one source, one each way; the picture is large, and was not made so."""
    there, back, picture = (_path(t, of) for of in range(len(NAMES)))
    configs = [_finished(t, name, run) for name, run in (("there", there), ("back", back))]
    t.require(there.resolve() != back.resolve(), f"`there` and `back` are both {there}", SAME_FOLDER)
    _opposite(t, *configs)
    t.right("both runs are finished, of one source, and opposite")
    _large(t, picture, configs[0].size)


def _path(t: Trial, of: int) -> Path:
    """The path that was given as part `of`, or that a function without parameters returns."""
    value: Any = t.answers[of]
    if callable(value) and not isinstance(value, os.PathLike):
        value = t.call(of=of)
    if isinstance(value, str | os.PathLike) and isinstance(path := os.fspath(value), str) and path:
        return Path(path)
    t.wrong(
        f"`{NAMES[of]}` is {describe(value)}; expected was the path of a {'picture' if of == 2 else 'run folder'}",
        "Is its folder meant, `trainer.run`?" if isinstance(value, Trainer) else None,
    )


# --- the runs ---------------------------------------------------------------------------------------


def _finished(t: Trial, name: str, run: Path) -> Config:
    """The settings of a run whose weights are whole and whose last step is done."""
    config = told(t, lambda: checkpoint.read_config(run))
    told(t, lambda: checkpoint.load_generator(run))
    go_on = train(config, run)
    if not (run / "state.pt").exists():
        t.wrong(f"`{name}`: {run} has no state.pt, in which stands how far the run came; train it with: `{go_on}`")
    state = told(t, lambda: checkpoint.load_state(run / "state.pt", "cpu"))
    step, steps = state["step"], max(state["steps"], config.steps(state["pairs"]))
    t.require(step >= steps, f"`{name}`: {run} is at step {step:,} of {steps:,}; go on with: `{go_on}`")
    return config


def _opposite(t: Trial, there: Config, back: Config) -> None:
    """One source, opposite directions, and otherwise the same settings."""
    sources = [_source(config) for config in (there, back)]
    t.require(sources[0] == sources[1], f"`there` was trained on {there.source}, `back` on {back.source}")
    t.require(there.direction != back.direction, f"both runs have direction {there.direction}", SAME_WAY)
    a, b = dataclasses.asdict(there), dataclasses.asdict(back)
    differ = [
        f"`{key}` is {a[key]} in one and {b[key]} in the other"
        for key in a
        if key not in MAY_DIFFER and a[key] != b[key]
    ]
    t.require(
        not differ,
        f"`there` and `back` differ in more than the direction: {'; '.join(differ)}",
        "Which of two differences would the pictures show? Train one of them again, with the settings of the other.",
    )


def _source(config: Config) -> str:
    """A name of the catalogue, or the folder, however it was written."""
    path = Path(config.source)
    return str(path.resolve()) if path.exists() else config.source


# --- the picture ------------------------------------------------------------------------------------


def _large(t: Trial, path: Path, size: int) -> None:
    """Each side twice what the run was trained at, not one colour, and not a smaller picture resized."""
    picture = told(t, lambda: to_tensor(read_picture(path)))
    height, width = picture.shape[1:]
    t.require(
        min(height, width) >= 2 * size,
        f"`picture` has {width} × {height} px, and the runs were trained at {size}; expected was {2 * size} or more on "
        f"each side",
    )
    spread = picture.amax((1, 2)).int() - picture.amin((1, 2)).int()
    t.require(int(spread.max()) > 1, "`picture` is of one colour")
    top, left = max(0, height - MIDDLE) // 2, max(0, width - MIDDLE) // 2
    middle = picture[:, top : top + MIDDLE, left : left + MIDDLE]
    repeated = repeated_lines(middle)
    found = f"in `picture` {100 * repeated:.0f} % of the lines repeat the one before: a small picture made larger"
    t.require(repeated < 1 / 3, found, SMALL_INPUT)
    waves = finest_waves(middle)
    found = (
        f"`picture` has no finest details: its waves below 3 px have {number(waves)} times the power of the longer "
        f"ones, and a picture drawn at this size has {RESIZED} or more: it is a small one made larger"
    )
    t.require(waves >= RESIZED, found, SMALL_INPUT)


def repeated_lines(picture: Tensor) -> float:
    """(3, H, W) → share of the rows, or columns if that is less, that equal the one before: ½ in pixels doubled."""
    rows = (picture[:, 1:] == picture[:, :-1]).all(2).all(0).float().mean()
    columns = (picture[:, :, 1:] == picture[:, :, :-1]).all(1).all(0).float().mean()
    return min(float(rows), float(columns))


def finest_waves(picture: Tensor) -> float:
    """(3, H, W) → mean power of waves shorter than 2⅔ px, over that of waves of 4 to 50 px; of the mean of channels.

    What was made twice as large has hardly any of the first, however it was smoothed.
    """
    grey = picture.double().mean(0)
    height, width = grey.shape
    down, across = (torch.hann_window(n, dtype=torch.float64) for n in (height, width))
    power = torch.fft.fft2((grey - grey.mean()) * down[:, None] * across).abs().square()
    waves = torch.maximum(torch.fft.fftfreq(height).abs()[:, None], torch.fft.fftfreq(width).abs())
    longer = float(power[(waves >= 1 / 50) & (waves < 1 / 4)].mean())
    return float(power[waves >= 3 / 8].mean()) / max(longer, 1e-12)
