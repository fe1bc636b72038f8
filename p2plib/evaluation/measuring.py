"""What a report needs of each picture of a run: its distance to the target, its sharpness, its colours."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor
from tqdm.auto import tqdm

from p2plib.data.augment import centre
from p2plib.data.catalogue import Source
from p2plib.evaluation import intervals
from p2plib.evaluation.histogram import lab_counts, overlap
from p2plib.evaluation.intervals import Measure
from p2plib.evaluation.metrics import sharpness
from p2plib.training.checkpoint import load_generator
from p2plib.training.config import Config, pick_device
from p2plib.training.trainer import Trainer

PAIRS = 100  # that are measured, at most, of each kind


@dataclass(frozen=True)
class Measured:
    """What was found of each held-out picture, and of the training pairs.

    Attributes:
        config: the run's, on the device that measured.
        steps: of the whole run.
        l1, sharp, sharp_target, target: one number a held-out pair, (N,); `target` is the target's mean.
        colours, colours_target: counts, (N, 3, BINS).
        l1_train: one number a training pair, (M,).
    """

    config: Config
    steps: int
    l1: Tensor
    sharp: Tensor
    sharp_target: Tensor
    target: Tensor
    colours: Tensor
    colours_target: Tensor
    l1_train: Tensor

    @property
    def trained_on(self) -> int:
        """How many training pairs were measured."""
        return len(self.l1_train)

    def measures(self) -> dict[str, Measure]:
        """Each measure with its interval."""
        colours = {
            f"lab_{name}": _colour(self.colours[:, channel], self.colours_target[:, channel])
            for channel, name in enumerate("lab")
        }
        return {
            "l1": intervals.mean(self.l1),
            "l1_train": intervals.mean(self.l1_train),
            **colours,
            "sharpness": intervals.ratio(self.sharp, self.sharp_target),
        }


def measure_run(run: Path, config: Config, source: Source | None = None, progress: bool = True) -> Measured:
    """Translate held-out pairs and as many training pairs with a run's generator, and measure each.

    Args:
        run: the run folder.
        config: its own.
        source: its data, already open; None opens it again.
        progress: show a bar.

    Raises:
        UserError: if its weights or its data cannot be read.
    """
    here = dataclasses.replace(config, device=pick_device("auto"), precision="f32")
    with torch.random.fork_rng():  # a Trainer draws weights
        trainer = Trainer(here, generator=load_generator(run), source=source)
    train, held = trainer.source.train, min(PAIRS, len(trainer.source.held_out))
    every = max(1, len(train) // held)

    def training_pairs(indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        pair = train.batch([i * every for i in indices])
        input, target = (centre(picture, here.size).to(here.device) for picture in pair)
        return input, target

    with tqdm(total=held + min(held, len(train)), unit="img", disable=not progress, dynamic_ncols=True) as bar:
        found = _each(trainer, trainer.held_out, held, _whole, bar)
        l1_train = _each(trainer, training_pairs, min(held, len(train)), _distance, bar)["l1"]
    return Measured(config=trainer.config, steps=trainer.steps, l1_train=l1_train, **found)


def _each(
    trainer: Trainer,
    pairs: Callable[[Sequence[int]], tuple[Tensor, Tensor]],
    count: int,
    measure: Callable[[Tensor, Tensor], dict[str, Tensor]],
    bar: tqdm,
) -> dict[str, Tensor]:
    """What is measured of pairs 0 … count − 1, one after the other along dimension 0."""
    found = []
    for start in range(0, count, trainer.config.batch):
        input, target = pairs(range(start, min(start + trainer.config.batch, count)))
        output = trainer.translate(input, seed=start)
        found.append(measure(output.cpu().contiguous(), target.cpu().contiguous()))
        bar.update(len(input))
    return {name: torch.cat([part[name] for part in found]) for name in found[0]}


def _distance(output: Tensor, target: Tensor) -> dict[str, Tensor]:
    return {"l1": (output - target).abs().flatten(1).double().mean(1)}


def _whole(output: Tensor, target: Tensor) -> dict[str, Tensor]:
    sharp, sharp_target = (
        torch.tensor([sharpness(one[None]) for one in pictures], dtype=torch.float64) for pictures in (output, target)
    )
    return {
        **_distance(output, target),
        "target": target.flatten(1).double().mean(1),
        "sharp": sharp,
        "sharp_target": sharp_target,
        "colours": lab_counts(output),
        "colours_target": lab_counts(target),
    }


def _colour(outputs: Tensor, targets: Tensor) -> Measure:
    """The intersection for one channel, counts (N, BINS) each; a picture is drawn with its target."""
    ours, theirs = outputs.double(), targets.double()
    return intervals.bootstrap(lambda times: overlap(times @ ours, times @ theirs), len(ours))
