"""The losses of the last steps, kept on the device until a row of metrics is due: a step never waits for them."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor

from p2plib.errors import UserError

NAMES = ("D's loss", "G's adversarial loss", "G's pixel loss")


class PendingLosses:
    """Losses of the steps since the last row.

    Args:
        present: which of NAMES the objective has.

    Attributes:
        steps: a tensor (3,) a step, as `Trainer.step` returns it.
    """

    def __init__(self, present: tuple[bool, bool, bool]) -> None:
        self.present = present
        self.steps: list[Tensor] = []

    def add(self, losses: Tensor) -> None:
        """Keep the losses of one more step."""
        self.steps.append(losses)

    def means(self, over: Callable[[Tensor], Tensor]) -> list[float | None]:
        """Means since the last call, None for what the objective lacks; empties the list.

        Args:
            over: takes the losses (steps, 3) and returns their mean over all processes.
        """
        if not self.steps:
            return [None, None, None]
        means = over(torch.stack(self.steps)).cpu().double().mean(0).tolist()  # the host waits for the device here
        self.steps = []
        return [mean if is_there else None for mean, is_there in zip(means, self.present, strict=True)]

    def first_broken(self) -> tuple[int, str, float] | None:
        """(steps since it, name, value) of the first loss that is NaN or infinite; None if there is none."""
        if not self.steps:
            return None
        losses = torch.stack(self.steps).cpu()
        for row, values in enumerate(losses.tolist()):
            for name, is_there, value in zip(NAMES, self.present, values, strict=True):
                if is_there and not math.isfinite(value):
                    return len(losses) - row - 1, name, value
        return None


class NotFinite(UserError):
    """A loss or a weight is NaN or infinite: nothing of this moment may be saved."""
