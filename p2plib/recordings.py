"""Runs that chapters show without training them: one per objective, one per patch size, recorded by a command.

All are alike but for what is compared: map → aerial pictures of synthetic towns, the laptop preset, 16,000 images.
Patch 286 is missing, since at 64 px it leaves no logit (it needs 96 px), and so is 142, which is larger than the
picture.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from p2plib import recorded, zoo
from p2plib.data.augment import centre
from p2plib.data.catalogue import open_source
from p2plib.errors import UserError
from p2plib.evaluation import evaluate_run
from p2plib.evaluation.metrics import lab_spread, sharpness
from p2plib.evaluation.segmenter import gap, labelled_pairs, scores
from p2plib.recorded import Record
from p2plib.training import Trainer, checkpoint, configure, translate
from p2plib.training.checkpoint import environment
from p2plib.training.metrics_file import read_metrics
from p2plib.training.trainer import held_side
from p2plib.training.translate import translating

SOURCE = "synthetic-maps"
IMAGES = 16_000
MEASURED = 100  # held-out pairs
SHOWN = 8  # of them are kept as pictures
REAL = f"held-out/{SOURCE}"  # the record of the pairs themselves
GROUPS = ("losses", "patches")
_CLOCK = ("seconds", "images_per_second")  # of the machine, and not of the run: left out of the curves


@dataclass(frozen=True)
class Run:
    """One training to be recorded.

    Attributes:
        objective, patch: what it is trained with.
        names: the records that it fills: a run may belong to two groups.
        seeds: the first is shown; of the others the measures are kept.
    """

    objective: str
    patch: int
    names: tuple[str, ...]
    seeds: tuple[int, ...] = (0,)

    def train(self, seed: int, **settings: Any) -> Trainer:
        """The run with this seed, to its end."""
        settings = dict(images=IMAGES, device="cpu") | settings
        config = configure(SOURCE, "laptop", objective=self.objective, patch=self.patch, seed=seed, **settings)
        trainer = Trainer(config, source=open_source(SOURCE, config.size, config.size)).fit()
        if not trainer.finished:
            raise UserError(f"The training of {self.names[0]} was stopped: it was not recorded.")
        return trainer


RUNS = (
    Run("L1", 16, ("losses/L1",)),
    Run("L2", 16, ("losses/L2",)),
    Run("GAN", 16, ("losses/GAN",), seeds=(0, 1, 2)),
    Run("cGAN", 16, ("losses/cGAN",), seeds=(0, 1, 2)),
    Run("L1+GAN", 16, ("losses/L1+GAN",)),
    Run("L1+cGAN", 16, ("losses/L1+cGAN", "patches/16")),
    Run("L1+cGAN", 1, ("patches/1",)),
    Run("L1+cGAN", 34, ("patches/34",)),
    Run("L1+cGAN", 70, ("patches/70",)),
)


def record(which: str = "all", folder: Path = recorded.FOLDER, **settings: Any) -> Iterator[str]:
    """Train runs and write their records; the discriminators of the patches go into the zoo.

    Args:
        which: "losses", "patches", "all", or one record, such as "losses/L1".
        folder: where to.
        settings: for `configure`, in place of what is recorded.

    Yields:
        A line about each file written.

    Raises:
        UserError: for another name.
    """
    chosen = [run for run in RUNS if which == "all" or any(which in (n, n.split("/")[0]) for n in run.names)]
    if not chosen:
        names = ", ".join(dict.fromkeys(name for run in RUNS for name in run.names))
        raise UserError(f"There is no run {which!r} to record; choose {', '.join(GROUPS)}, all, or one of {names}.")
    yield f"{recorded.write(_of_the_pairs(), folder)}: the held-out pairs"
    for run in chosen:
        yield from _record(run, folder, settings)


def _record(run: Run, folder: Path, settings: dict[str, Any]) -> Iterator[str]:
    trainer = run.train(run.seeds[0], **settings)
    outputs = _outputs(trainer)
    measures = measure(outputs)
    for seed in run.seeds[1:]:
        found = measure(_outputs(run.train(seed, **settings)))
        measures |= {f"{name}_seed_{seed}": value for name, value in found.items()}
    patch = next((name.split("/")[1] for name in run.names if name.startswith("patches/")), None)
    if patch is not None:
        zoo.rounded(_discriminator(trainer))
        found = {"d_accuracy": d_accuracy(trainer, outputs), "d_accuracy_eval": d_accuracy(trainer, outputs, False)}
        measures |= found
        yield f"{_store(trainer, run.names[-1], found)}: the discriminator's weights"
    rows = [{name: value for name, value in row.items() if name not in _CLOCK} for row in trainer.rows]
    for name in run.names:
        made = Record(
            name=name,
            command=f"python -m p2plib record {name}",
            settings=dataclasses.asdict(trainer.config),
            rows=rows,
            measures=measures,
            pictures={"output": outputs[:SHOWN]},
            environment=environment(trainer.config),
        )
        said = ", ".join(f"{key} {value:.3f}" for key, value in measures.items())
        yield f"{recorded.write(made, folder)}: {said}"


def record_run(run: str | Path, name: str, size: int | None = None, folder: Path = recorded.FOLDER) -> Path:
    """Keep a run's curves, its report and some of its outputs; no picture of its data set gets into the record.

    Args:
        run: the run folder.
        name: of the record, such as "real/facades".
        size: pixels of the pictures that are translated; None is what the run was trained at.
        folder: where to.

    Raises:
        UserError: if the run or its data cannot be read.
    """
    run = Path(run)
    report = evaluate_run(run, progress=False)
    config = dataclasses.replace(checkpoint.read_config(run), device="cpu", precision="f32")
    net = checkpoint.load_generator(run)
    source = open_source(config.source, size or config.size, size or held_side(config), config.direction)
    shown = SHOWN if (size or config.size) <= 128 else SHOWN // 2  # large pictures are large files
    shown = min(shown, len(source.held_out))
    inputs = centre(source.held_out.batch(range(shown))[0], size or config.size)
    outputs = torch.cat([translate(net, one[None], seed=0) for one in inputs])
    measures: dict[str, float] = {**report.pairs, "sessions": report.sessions}
    measures |= {"seconds": report.seconds, "images": report.images, "best_epoch": report.best_epoch or 0}
    for key, found in report.measures.items():
        bounds = {"": found.value, "_low": found.low, "_high": found.high}
        measures |= {f"{key}{end}": value for end, value in bounds.items() if value is not None}
    made = Record(
        name=name,
        command=f"python -m p2plib record {run.name} --as {name}" + (f" --size {size}" if size else ""),
        settings=dataclasses.asdict(checkpoint.read_config(run)) | {"source": Path(config.source).name},
        rows=[{key: value for key, value in row.items() if key not in _CLOCK} for row in read_metrics(run)],
        measures=measures,
        pictures={"output": outputs},
        environment=dict(report.environment["training"]),
    )
    return recorded.write(made, folder)


def measure(outputs: Tensor) -> dict[str, float]:
    """What is measured of the outputs for the first held-out pairs, (N, 3, 64, 64) in [-1, 1]: name → number."""
    _, targets, classes = _held_out()
    targets, classes, segmenter = targets[: len(outputs)], classes[: len(outputs)], zoo.load_segmenter(SOURCE)
    spread = lab_spread(outputs)
    return {
        "held_out_l1": (outputs - targets).abs().mean().item(),
        "sharpness": sharpness(outputs),
        **{f"spread_{channel}": value for channel, value in zip("Lab", spread, strict=True)},
        "pixel_accuracy": scores(segmenter, outputs, classes).pixel_accuracy,
        "gap": gap(segmenter, outputs, classes),
    }


def d_accuracy(trainer: Trainer, outputs: Tensor, batch_statistics: bool = True) -> float:
    """Share of the cells of D's maps that are right about the held-out pairs, real and made: ½ is a coin.

    Args:
        trainer: has D.
        outputs: of its generator for the first held-out pairs.
        batch_statistics: as in training; False judges each pair by itself, with the averages met in training.
    """
    discriminator = _discriminator(trainer)
    inputs, targets, _ = _held_out()
    right = []
    with translating(discriminator, batch_statistics=batch_statistics):
        for part in torch.arange(len(outputs)).split(trainer.config.batch):
            for shown, real in ((targets, True), (outputs, False)):
                logits = discriminator(trainer.objective.judged(inputs[part], shown[part]))
                right.append(((logits > 0) == real).float().mean() * len(part))
    return float(sum(right)) / (2 * len(outputs))


def _outputs(trainer: Trainer) -> Tensor:
    """Outputs for the held-out pairs, a batch at a time as in training, with the dropout of seed 0."""
    inputs = _held_out()[0].split(trainer.config.batch)
    return torch.cat([trainer.translate(part, seed=0).contiguous() for part in inputs])


@cache
def _held_out() -> tuple[Tensor, Tensor, Tensor]:
    """Inputs, targets and classes of the pairs that are measured."""
    return labelled_pairs(SOURCE, "val", range(MEASURED))


def _of_the_pairs() -> Record:
    """The held-out pairs as a record of their own: what the targets measure is what outputs can be held against."""
    inputs, targets, _ = _held_out()
    shown = {"input": inputs[:SHOWN], "target": targets[:SHOWN]}
    settings = {"source": SOURCE, "split": "val", "size": inputs.shape[-1]}
    return Record(REAL, "python -m p2plib record all", settings, [], measure(targets), shown)


def _discriminator(trainer: Trainer) -> nn.Module:
    assert trainer.discriminator is not None
    return trainer.discriminator


def _store(trainer: Trainer, name: str, metrics: dict[str, float]) -> Path:
    config = trainer.config
    return zoo.store(
        zoo.discriminator_name(config.patch),
        _discriminator(trainer),
        group="judges",
        about=f"the discriminator of the recorded run {config.objective}, patch {config.patch}, on {SOURCE} at 64 px",
        command=f"python -m p2plib record {name}",
        network={"in_channels": 6, "base": config.base, "patch": config.patch},
        settings=dataclasses.asdict(config),
        environment=environment(config),
        metrics={key: round(value, 4) for key, value in metrics.items()},
    )
