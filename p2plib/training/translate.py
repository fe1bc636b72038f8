"""Using a trained generator: as in the paper, with dropout on and the statistics of the test batch (section 3.3)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn


@contextmanager
def translating(net: nn.Module, dropout: bool = True, batch_statistics: bool = True) -> Iterator[None]:
    """Put the network into test mode, and back afterwards; nothing in it is changed by pictures passing through.

    Args:
        dropout: True as in the paper: the same input gives slightly different outputs.
        batch_statistics: True as in the paper: norms use the statistics of this batch (of the one picture at
            batch 1).  False gives what `net.eval()` gives: the averages met in training.
    """
    modules = [m for m in net.modules() if isinstance(m, nn.modules.batchnorm._BatchNorm | nn.Dropout)]
    before = [(m, m.training, getattr(m, "track_running_stats", None)) for m in modules]
    try:
        for module in modules:
            if isinstance(module, nn.Dropout):
                module.train(dropout)
            else:
                module.train(batch_statistics)
                if batch_statistics:
                    module.track_running_stats = False  # else this pass would move the running averages
        with torch.no_grad():
            yield
    finally:
        for module, training, tracking in before:
            module.train(training)
            if tracking is not None:
                module.track_running_stats = tracking


def translate(
    net: nn.Module, input: Tensor, *, dropout: bool = True, batch_statistics: bool = True, seed: int | None = None
) -> Tensor:
    """Input (B, C, H, W) in [-1, 1] → output (B, C, H, W) in [-1, 1], on the input's device.

    Args:
        seed: makes the dropout noise repeatable, and leaves torch's own random state as it was.
    """
    with translating(net, dropout, batch_statistics), seeded(seed, input.device):
        output: Tensor = net(input)
    return output


@contextmanager
def seeded(seed: int | None, device: torch.device) -> Iterator[None]:
    """Random numbers from this seed inside, and as if nothing had been drawn afterwards; None changes nothing."""
    if seed is None:
        yield
        return
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        before = torch.mps.get_rng_state() if device.type == "mps" else None  # fork_rng knows nothing of it
        torch.manual_seed(seed)
        try:
            yield
        finally:
            if before is not None:
                torch.mps.set_rng_state(before)
