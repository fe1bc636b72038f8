"""Exercise 11.1: a run that is finished and whole, stopped at least once and gone on with."""

from __future__ import annotations

import itertools
import math
from pathlib import Path
from typing import Any

import torch

from p2plib.checks.run_answer import enough_pictures, folder, told, train
from p2plib.checks.trial import Trial
from p2plib.training import checkpoint
from p2plib.training.config import Config
from p2plib.training.metrics_file import read_metrics

LOSSES = ("loss_d", "loss_gan", "loss_pixel")


def check_run(t: Trial) -> None:
    """A run folder: trained to its end, all files whole, in two sessions or more."""
    run = folder(t)
    config = told(t, lambda: checkpoint.read_config(run))
    state = _state(t, run, config)
    _finished(t, run, config, state)
    _weights(t, run, config)
    rows = _rows(t, run, train(config, run))
    _whole(t, rows, state, train(config, run))
    _two_sessions(t, run, config, rows)
    seen, asked = rows[-1]["images"], enough_pictures()
    if seen < asked:
        longer = train(config, run, "--images", str(asked))
        t.wrong(f"the run saw {seen:,} pictures; asked are {asked:,} or more. Train it longer: `{longer}`")


def _state(t: Trial, run: Path, config: Config) -> dict[str, Any]:
    if not (run / "state.pt").exists():
        t.wrong(f"nothing of the training is saved in it yet (no state.pt). Train it: `{train(config, run)}`")
    return told(t, lambda: checkpoint.load_state(run / "state.pt", "cpu"))


def _finished(t: Trial, run: Path, config: Config, state: dict[str, Any]) -> None:
    step, steps = state["step"], max(state["steps"], config.steps(state["pairs"]))
    if step < steps:
        t.wrong(f"the run is at step {step:,} of {steps:,}; go on with: `{train(config, run)}`")
    t.right("the run is finished")


def _weights(t: Trial, run: Path, config: Config) -> None:
    if not (run / "generator.safetensors").exists():
        t.wrong(f"generator.safetensors is not there; `{train(config, run)}` writes it again")
    net = told(t, lambda: checkpoint.load_generator(run))
    if not all(bool(torch.isfinite(weight).all()) for weight in net.parameters()):
        t.wrong("a weight of the generator is NaN or infinite; put back a copy, or begin a new run")
    t.right("weights and state load")


def _rows(t: Trial, run: Path, again: str) -> list[dict[str, Any]]:
    if not (run / "metrics.csv").exists():
        t.wrong(f"metrics.csv is not there; `{again}` writes it again")
    return told(t, lambda: read_metrics(run))


def _whole(t: Trial, rows: list[dict[str, Any]], state: dict[str, Any], again: str) -> None:
    """metrics.csv says what the state knows."""
    written_again = f"`{again}` writes metrics.csv again"
    if len(rows) != len(state["rows"]) or not rows:
        t.wrong(f"metrics.csv holds {len(rows)} of {len(state['rows'])} rows; {written_again}")
    steps = [row["step"] for row in rows]
    for before, after in itertools.pairwise(steps):
        if after <= before:
            t.wrong(f"in metrics.csv step {after:,} comes after step {before:,}; {written_again}")
    for row in rows:
        for name in (*LOSSES, "held_out_l1"):
            if row[name] is not None and not math.isfinite(row[name]):
                t.wrong(f"in metrics.csv `{name}` is {row[name]} at step {row['step']:,}; {written_again}")
    if steps[-1] != state["step"] or rows[-1]["held_out_l1"] is None:
        missing = "of its last step" if steps[-1] != state["step"] else "with a held-out L1 at its end"
        t.wrong(f"metrics.csv has no row {missing}; {written_again}")
    t.right("metrics.csv is whole")


def _two_sessions(t: Trial, run: Path, config: Config, rows: list[dict[str, Any]]) -> None:
    if max(row["session"] for row in rows) < 2:
        seen = rows[-1]["images"]
        longer = train(config, run, "--images", str(max(seen + max(1, seen // 10), enough_pictures())))
        t.wrong(
            "it was trained in one session. Stop a run once with Ctrl-C, the monitor's Stop or `fit(turns=…)`, and go "
            "on with it by a new Trainer with `resume=True`. This one is at its end; to go on with it, train it "
            f"longer: `{longer}`"
        )
    t.right("it was stopped and gone on with")
