"""What is measured over pictures, with the interval in which it lies: the bootstrap."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

DRAWS = 1_000
SHARE = 0.95


@dataclass(frozen=True)
class Measure:
    """A number, and the bounds of its interval.

    Attributes:
        value: of all pictures.
        low, high: of the 95 % interval; None where it comes from one picture, which says nothing of others.
    """

    value: float
    low: float | None
    high: float | None

    def __str__(self) -> str:
        return f"{self.value:.3f}" if self.low is None else f"{self.value:.3f} ({self.interval})"

    @property
    def interval(self) -> str:
        """ "0.171 to 0.199"; "no interval" where there is none."""
        return "no interval" if self.low is None else f"{self.low:.3f} to {self.high:.3f}"

    def below(self, other: Measure) -> bool:
        """Does the whole interval lie below the other's?  False where one has none."""
        return self.high is not None and other.low is not None and self.high < other.low


def resamples(count: int, draws: int = DRAWS, seed: int = 0) -> Tensor:
    """How often each of `count` pictures comes up when as many are drawn, with repeats: float64 (draws, count)."""
    chosen = torch.randint(count, (draws, count), generator=torch.Generator().manual_seed(seed))
    return torch.zeros(draws, count, dtype=torch.float64).scatter_add_(
        1, chosen, torch.ones(draws, count, dtype=torch.float64)
    )


def bootstrap(statistic: Callable[[Tensor], Tensor], count: int) -> Measure:
    """A statistic of pictures and its 95 % interval, from 1,000 draws of the pictures with repeats.

    Args:
        statistic: how often each picture counts, float64 (D, count), each row with the sum `count` → values (D,).
        count: of pictures, 1 or more.
    """
    value = float(statistic(torch.ones(1, count, dtype=torch.float64)))
    if count < 2:
        return Measure(value, None, None)
    ends = torch.tensor([(1 - SHARE) / 2, (1 + SHARE) / 2], dtype=torch.float64)
    low, high = statistic(resamples(count)).quantile(ends).tolist()
    return Measure(value, low, high)


def mean(values: Tensor) -> Measure:
    """The mean of one value a picture, (N,)."""
    return bootstrap(lambda times: times @ values.double() / len(values), len(values))


def ratio(above: Tensor, below: Tensor) -> Measure:
    """The sum of one value a picture over the sum of another, (N,) each; drawn together."""
    return bootstrap(lambda times: times @ above.double() / (times @ below.double()).clamp(min=1e-12), len(above))
