"""Looking at a training without touching it: held-out pairs, and how often D is right."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from p2plib.training.translate import translating

if TYPE_CHECKING:
    from p2plib.training.trainer import Trainer

SHOWN = 8  # held-out pairs in a sample grid


def look(trainer: Trainer) -> tuple[float, dict[str, Tensor]]:
    """Held-out L1, and the columns of a sheet of samples; with a seed of its own, so that looking changes nothing."""
    held, distance, outputs = trainer.source.held_out, 0.0, []
    for start in range(0, len(held), trainer.config.batch):
        input, target = trainer.held_out(range(start, min(start + trainer.config.batch, len(held))))
        output = trainer.translate(input, seed=mixed(trainer.config.seed, start))
        distance += (output - target).abs().mean().item() * len(input)
        outputs.append(output.cpu())
    shown = range(min(SHOWN, len(held)))
    input, target = (picture.cpu() for picture in trainer.held_out(shown))
    return distance / len(held), {"input": input, "output": torch.cat(outputs)[: len(shown)], "target": target}


def d_accuracy(trainer: Trainer, input: Tensor, target: Tensor) -> float | None:
    """Share of the cells of D's maps that are right about these pairs, real and made; None without an adversary."""
    if trainer.discriminator is None:
        return None
    output = trainer.translate(input, seed=trainer.config.seed)
    with translating(trainer.discriminator), trainer.arithmetic():
        real, made = (trainer.discriminator(trainer.objective.judged(input, shown)) for shown in (target, output))
    return ((real > 0).float().mean() + (made <= 0).float().mean()).item() / 2


def mixed(seed: int, number: int) -> int:
    """One seed from two numbers, far from those of the neighbours."""
    return ((seed + 1) * 0x9E3779B97F4A7C15 + (number + 2**40) * 0xBF58476D1CE4E5B9) % 2**63
