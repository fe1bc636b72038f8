"""Exercise 12.4: two finished runs of opposite directions, and a picture larger than what they were trained on."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path
from typing import Any

from p2plib.checks.compare import describe
from p2plib.checks.large_picture import check_picture
from p2plib.checks.run_answer import NO_FOLDER, enough_pictures, told, train
from p2plib.checks.trial import Trial
from p2plib.training import Trainer, checkpoint
from p2plib.training.config import Config

NAMES = ("there", "back", "picture")
#: What two runs may differ in: their direction, and what decides no more than digits or speed.
MAY_DIFFER = frozenset({"direction", "source", "preset", "device", "precision", "seed"})
#: Sources, and names of folders, whose pairs have the aerial picture as A and the map as B.
MAPS = frozenset({"maps", "synthetic-maps"})

SAME_FOLDER = "Both are the same folder. Where is the run of the other direction?"
SAME_WAY = "Both go the same way. Was one of them trained with `--direction`?"
SWAPPED = (
    "In these pairs A is the aerial picture: `there` goes from aerial picture to map. Have the two changed places?"
)


def check_both_ways(t: Trial) -> None:
    """The folders hold finished runs of one source, one each way; the picture is large, drawn, and not made larger."""
    there, back, picture = (_path(t, of) for of in range(len(NAMES)))
    configs = [_finished(t, name, run) for name, run in (("there", there), ("back", back))]
    t.require(there.resolve() != back.resolve(), f"`there` and `back` are both {there}", SAME_FOLDER)
    _opposite(t, *configs)
    t.right("both runs are finished, of one source, and opposite")
    check_picture(t, picture, configs[0].size, configs[0].source in MAPS)


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
    t.require(run.is_dir(), f'`{name}`: there is no folder "{run}"', NO_FOLDER)
    config = told(t, lambda: checkpoint.read_config(run))
    told(t, lambda: checkpoint.load_generator(run))
    go_on = train(config, run)
    if not (run / "state.pt").exists():
        t.wrong(f"`{name}`: {run} has no state.pt, in which stands how far the run came; train it with: `{go_on}`")
    state = told(t, lambda: checkpoint.load_state(run / "state.pt", "cpu"))
    step, steps = state["step"], max(state["steps"], config.steps(state["pairs"]))
    t.require(step >= steps, f"`{name}`: {run} is at step {step:,} of {steps:,}; go on with: `{go_on}`")
    seen, asked = config.images or config.epochs * state["pairs"], enough_pictures()
    if seen < asked:
        longer = train(config, run, "--images", str(asked))
        t.wrong(f"`{name}`: {run} saw {seen:,} pictures; asked are {asked:,} or more. Train it longer: `{longer}`")
    return config


def _opposite(t: Trial, there: Config, back: Config) -> None:
    """One source, opposite directions, from map to aerial picture `there`, and otherwise the same settings."""
    sources = [_source(config) for config in (there, back)]
    t.require(sources[0] == sources[1], f"`there` was trained on {there.source}, `back` on {back.source}")
    t.require(there.direction != back.direction, f"both runs have direction {there.direction}", SAME_WAY)
    if there.source in MAPS and there.direction == "AtoB":
        t.wrong("`there` has direction AtoB, and `back` has BtoA; expected was the other way round", SWAPPED)
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
