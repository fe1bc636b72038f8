"""The report of a run: what its outputs measure, with intervals, beside its settings and what the paper measured.

report.json in the run folder is for programs, report.md for people.  `evaluate_run` measures, `Report.write` writes,
`read_report` reads and refuses a report of other weights than those in the folder.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2plib.data.catalogue import CATALOGUE, Source
from p2plib.errors import UserError
from p2plib.evaluation import intervals
from p2plib.evaluation.intervals import Measure
from p2plib.evaluation.measuring import measure_run
from p2plib.files import cannot_read, write_atomic
from p2plib.training import checkpoint
from p2plib.training.metrics_file import read_metrics

FORMAT = 1

#: What is measured: name → (short name, what it is).
MEASURES = {
    "l1": ("L1, held out", "mean |output − target| of pictures from -1 to 1; 0: each pixel is right"),
    "l1_train": ("L1, training", "the same for training pairs"),
    "lab_l": ("L alike", "intersection of the histograms of L, outputs with targets; 1: alike"),
    "lab_a": ("a alike", "the same for a, from green to red"),
    "lab_b": ("b alike", "the same for b, from blue to yellow"),
    "sharpness": ("sharpness", "step from one pixel to the next, outputs' over targets'; 1: as sharp"),
}

#: Figure 7 of the paper: intersection of L, a and b with the real photographs.
PAPER = {
    "task": "Cityscapes, labels → photographs, 256 px: not the task of this run",
    "L1": {"lab_l": 0.81, "lab_a": 0.69, "lab_b": 0.70},
    "L1+cGAN": {"lab_l": 0.86, "lab_a": 0.84, "lab_b": 0.82},
}

#: How far the mean of a target may lie from that of the same one elsewhere: two of 255 levels of grey.
SAME_PICTURE = 4 / 255


@dataclass(frozen=True)
class Report:
    """What report.json holds.

    Attributes:
        run: the settings of the run, as in config.json.
        environment: "training" and "evaluation": versions and device of each.
        command: that made the report.
        images, steps, seconds, sessions: how far the run is, and how long and in how many goes it trained.
        finished: did it come to its end?
        best_epoch: whose held-out L1 is the lowest, by metrics.csv; None before the first epoch's end.
        weights_sha256: of generator.safetensors.
        pairs: "held_out" and "train": how many were measured.
        measures: one `Measure` for each name of `MEASURES`.
        per_picture: "l1" of each held-out pair, and "target", its target's mean, by which pairs are known again.
        paper: the paper's figures, and of which task; empty for pairs of one's own.
    """

    run: Mapping[str, Any]
    environment: Mapping[str, Any]
    command: str
    images: int
    steps: int
    seconds: float
    sessions: int
    finished: bool
    best_epoch: int | None
    weights_sha256: str
    pairs: Mapping[str, int]
    measures: Mapping[str, Measure]
    per_picture: Mapping[str, Sequence[float]]
    paper: Mapping[str, Any] = dataclasses.field(default_factory=lambda: PAPER)

    def write(self, run: str | Path) -> None:
        """Write report.json and report.md into the run folder.

        Raises:
            UserError: if they cannot be written.
        """
        from p2plib.evaluation.report_text import markdown

        content = {"format": FORMAT, **dataclasses.asdict(self)}
        write_atomic(Path(run) / "report.md", markdown(self))
        write_atomic(Path(run) / "report.json", json.dumps(_short(content), indent=1, ensure_ascii=False) + "\n")


def evaluate_run(run: str | Path, source: Source | None = None, progress: bool = True) -> Report:
    """Measure the outputs of a run for held-out pairs, and for as many training pairs.

    Pictures are translated as in the paper, dropout on, with the statistics of the batch, in batches as large as in
    training; held-out pairs are cut as the Trainer cuts them, training pairs in the middle and unmirrored.

    Args:
        run: the run folder.
        source: its data, already open; None opens it again.
        progress: show a bar.

    Returns:
        The report; `Report.write` keeps it.

    Raises:
        UserError: if the folder is no run, has no weights, or its data cannot be opened.
    """
    run = Path(run)
    config = checkpoint.read_config(run)
    rows = read_metrics(run) if (run / "metrics.csv").exists() else []  # weights from elsewhere have none
    sha256 = weights_sha256(run)
    found = measure_run(run, config, source, progress)
    environment = {"training": _environment(run), "evaluation": checkpoint.environment(found.config)}
    return Report(
        run=dataclasses.asdict(config),
        environment=environment,
        command=f"python -m p2plib evaluate {shlex.quote(str(run))}",
        **_how_far(rows, found.steps),
        weights_sha256=sha256,
        pairs={"held_out": len(found.l1), "train": found.trained_on},
        measures=found.measures(),
        per_picture={"l1": found.l1.tolist(), "target": found.target.tolist()},
        paper=PAPER if config.source in CATALOGUE else {},
    )


def read_report(run: str | Path) -> Report:
    """The report of a run folder.

    Raises:
        UserError: if there is none, it is damaged, or the weights have changed since.
    """
    run = Path(run)
    checkpoint.read_config(run)  # says so if this is no run
    path, again = run / "report.json", f"python -m p2plib evaluate {shlex.quote(str(run))}"
    if not path.exists():
        raise UserError(f"{run} has no report yet: make one with {again}.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content.pop("format") != FORMAT:
            raise UserError(f"{path} is of another version of p2plib: make it again with {again}.")
        content["measures"] = {name: Measure(**content["measures"][name]) for name in MEASURES}
        report = Report(**content)
        if len(report.per_picture["l1"]) != report.pairs["held_out"]:
            raise ValueError("a picture is missing")
    except OSError as error:
        raise cannot_read(path, error) from None
    except UserError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged ({error}): make it again with {again}.") from None
    if report.weights_sha256 != weights_sha256(run):
        raise UserError(f"{path} is older than the weights beside it: make it again with {again}.")
    return report


def weights_sha256(run: Path) -> str:
    """Of generator.safetensors.

    Raises:
        UserError: if it is not there.
    """
    path = run / "generator.safetensors"
    try:
        with open(path, "rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except FileNotFoundError:
        raise UserError(f"{path} is not there: the run has saved no weights yet; train it first.") from None
    except OSError as error:
        raise cannot_read(path, error) from None


def unlike_pairs(one: Report, other: Report) -> str | None:
    """Why two reports cannot be compared picture by picture, as half a sentence; None if they can."""
    sizes = one.run["size"], other.run["size"]
    if sizes[0] != sizes[1]:
        return f"the pictures have another size: {sizes[0]} px and {sizes[1]} px"
    counts = one.pairs["held_out"], other.pairs["held_out"]
    if counts[0] != counts[1]:
        return f"the held-out pairs are others: {counts[0]} and {counts[1]}"
    targets = zip(one.per_picture["target"], other.per_picture["target"], strict=True)
    if different := sum(abs(a - b) > SAME_PICTURE for a, b in targets):
        return f"the held-out pairs are others: {different} of {counts[0]} targets differ"
    return None


def paired_l1(one: Report, other: Report) -> Measure:
    """The mean over held-out pairs of (one's L1 − other's L1), with its interval: below 0, one is nearer.

    Raises:
        UserError: if the two were not measured with the same pairs.
    """
    import torch

    if why := unlike_pairs(one, other):
        raise UserError(f"The two runs cannot be compared picture by picture: {why}.")
    ours, theirs = (torch.tensor(report.per_picture["l1"], dtype=torch.float64) for report in (one, other))
    return intervals.mean(ours - theirs)


def _how_far(rows: Sequence[Mapping[str, Any]], steps: int) -> dict[str, Any]:
    """What the rows of a run of so many steps say of its length."""
    last: Mapping[str, Any] = rows[-1] if rows else {"images": 0, "step": 0, "seconds": 0.0}
    looks = [(row["held_out_l1"], row["epoch"]) for row in rows if row["held_out_l1"] is not None]
    return {
        "images": last["images"],
        "steps": last["step"],
        "seconds": last["seconds"],
        "sessions": max((row["session"] for row in rows), default=1),
        "finished": last["step"] >= steps,
        "best_epoch": min(looks)[1] if looks else None,
    }


def _environment(run: Path) -> Any:
    return json.loads((run / "config.json").read_text(encoding="utf-8")).get("environment", {})


def _short(value: Any) -> Any:
    """Six digits of every number that is not whole."""
    if isinstance(value, dict):
        return {name: _short(inside) for name, inside in value.items()}
    if isinstance(value, list | tuple):
        return [_short(inside) for inside in value]
    return float(f"{value:.6g}") if isinstance(value, float) else value
