"""Exercises of chapter 11: a run of one's own, its curves, and what its numbers carry.

Each has its check in a module of its own; 11.1 and 11.3 take run folders.
"""

from __future__ import annotations

from p2plib.checks import claims, read_curves, whole_run
from p2plib.checks.registry import Exercise, Part

EXERCISES = (
    Exercise(
        id="11.1",
        title="a run, stopped and gone on with",
        parts=(Part("run", kind="value"),),
        check=whole_run.check_run,
        hints=(
            "`run` is the folder that `--out` named, as a text: it holds config.json, metrics.csv and the weights.",
            "Ctrl-C, or the monitor's Stop, ends a training after its step, saves, and prints how to go on.",
            "Going on takes the same command with `--resume`; in Python `Trainer(config, run, resume=True)`.",
            "A run that has come to its end goes on with `--resume` and more `--images` or `--epochs`.",
        ),
        limit=60.0,
    ),
    Exercise(
        id="11.2",
        title="reading the curves",
        parts=(Part("read_curves", ("rows",), read_curves.read_curves),),
        check=read_curves.check_read_curves,
        hints=(
            "Most rows have no held-out L1. Make the list of those that have one first: `is not None`.",
            "`min(looks, key=…)` gives the whole row with the lowest value, the first of equals; it holds its epoch.",
            'The last epoch is `rows[-1]["epoch"]`. Which rows have the same?',
            "A run without an adversary has no d_accuracy in any row: then the mean is asked of an empty list.",
        ),
    ),
    Exercise(
        id="11.3",
        title="claims that the numbers carry",
        parts=(Part("run", kind="value"), Part("other", kind="value"), Part("claims", kind="value")),
        check=claims.check_claims,
        hints=(
            "`python -m p2plib evaluate RUN --against RUN2` measures both and prints them side by side.",
            "A claim is carried where the two intervals have nothing in common. In which lines is it so?",
            'Each claim is a measure and a sign: `("sharpness", ">")` says that the first run is sharper.',
            "If too few lines lie apart, choose runs that differ more: another objective, or fewer pictures seen.",
        ),
        limit=60.0,
    ),
)
