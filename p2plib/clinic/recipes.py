"""One healthy run and eight in which one thing is broken: how each is made.

This is the key to the exercises of chapter 07.  Answer them first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from p2plib.data.augment import Augment
from p2plib.losses import Objective
from p2plib.models import PatchDiscriminator
from p2plib.training import Trainer, configure

#: What all runs have in common, unless their recipe says otherwise.
COMMON: dict[str, Any] = dict(source="synthetic-maps", preset="laptop", images=8_000, limit=1000, seed=0)

#: The objective of the paper, with λ = 100.
PIX2PIX = Objective("L1+cGAN", lambda_l1=100.0)


class SlowG(Trainer):
    """G learns at a sixtieth of D's rate."""

    def _set_rate(self, rate: float) -> None:
        super()._set_rate(rate)
        self.optimizer_g.param_groups[0]["lr"] /= 60


class Detached(Objective):
    """G's loss is that of an output which is cut off from G."""

    def generator_loss(self, discriminator: Any, input: Tensor, target: Tensor, output: Tensor) -> dict[str, Tensor]:
        # In many codes D's parameters ask for gradients in G's step, too: backward() runs, and nothing complains.
        discriminator.requires_grad_(True)
        return super().generator_loss(discriminator, input, target, output.detach())


def with_sigmoid() -> nn.Module:
    """A D that ends in a sigmoid, for a loss that takes logits and has a sigmoid of its own."""
    return nn.Sequential(PatchDiscriminator(6, base=16, patch=16), nn.Sigmoid())


class WrongTerm(Objective):
    """λ weighs D's term in place of L1."""

    def generator_loss(self, discriminator: Any, input: Tensor, target: Tensor, output: Tensor) -> dict[str, Tensor]:
        parts = super().generator_loss(discriminator, input, target, output)
        return {**parts, "total": self.lambda_l1 * parts["gan"] + parts["pixel"]}


class InputsMirrored(Trainer):
    """Half of the inputs are mirrored left to right, and their targets are not."""

    def train_batch(self, pair: tuple[Tensor, Tensor], augment: Augment) -> int:
        input, target = pair
        coins = torch.rand(len(input), 1, 1, 1, generator=torch.Generator().manual_seed(self.step_number))
        input = torch.where(coins < 0.5, input.flip(-1), input)
        return super().train_batch((input, target), dataclasses.replace(augment, mirror=False))


class SlowAverages(Trainer):
    """The norms' running averages follow by a thousandth a step, not a tenth: training uses none, eval mode does."""

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        for module in self.generator.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.momentum = 0.001


@dataclass(frozen=True)
class Recipe:
    """What is not as in the healthy run.

    Attributes:
        settings: of `configure`.
        objective, discriminator, trainer: in place of the library's.
        eval_mode: the finished network is shown in eval mode; its training knows nothing of that.
    """

    settings: Mapping[str, Any] = field(default_factory=dict)
    objective: Objective = PIX2PIX
    discriminator: Callable[[], nn.Module] | None = None
    trainer: type[Trainer] = Trainer
    eval_mode: bool = False

    def build(self, **settings: Any) -> Trainer:
        """The trainer before its first step; `settings`, unless None, stand above those of the recipe."""
        given = {name: value for name, value in settings.items() if value is not None}
        config = configure(**{**COMMON, **self.settings, **given})
        torch.manual_seed(config.seed)  # of a discriminator that is built here
        discriminator = self.discriminator() if self.discriminator else None
        return self.trainer(config, objective=self.objective, discriminator=discriminator)


RECIPES = {
    "healthy": Recipe(),
    "d-wins": Recipe(trainer=SlowG),
    "no-gradient": Recipe(objective=Detached()),
    "sigmoid-twice": Recipe(discriminator=with_sigmoid),
    "lambda-on-d": Recipe(objective=WrongTerm()),
    "inputs-mirrored": Recipe(trainer=InputsMirrored),
    "no-condition": Recipe(objective=Objective("L1+GAN", lambda_l1=0.0)),
    "eval-mode": Recipe(trainer=SlowAverages, eval_mode=True),
    "rate-too-high": Recipe(settings={"learning_rate": 50e-3}),
}

#: Which recipe made the run of each letter.
RUNS = {
    "healthy": "healthy",
    "a": "lambda-on-d",
    "b": "no-gradient",
    "c": "eval-mode",
    "d": "sigmoid-twice",
    "e": "inputs-mirrored",
    "f": "rate-too-high",
    "g": "no-condition",
    "h": "d-wins",
}
