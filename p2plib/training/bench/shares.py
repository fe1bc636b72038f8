"""Where a training step spends its time."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch.nn.modules.module import register_module_forward_hook, register_module_forward_pre_hook
from torch.optim.optimizer import register_optimizer_step_post_hook, register_optimizer_step_pre_hook

from p2plib.training.bench.machine import synchronize

#: reading: pairs from memory or disk · jitter: crop, mirror, to [-1, 1] · forward: the passes through the networks ·
#: backward: all gradients · optimizer: both updates · rest: losses, copies to the device, and what lies between.
PARTS = ("reading", "jitter", "forward", "backward", "optimizer", "rest")


class Stopwatch:
    """Adds up the seconds of parts.  Of parts within parts only the outermost counts.

    Args:
        device: waited for where a part begins and ends, so that its work is counted where it was given.
    """

    def __init__(self, device: str) -> None:
        self.device = device
        self.seconds = dict.fromkeys(PARTS, 0.0)
        self._open: list[tuple[str, float]] = []

    def begin(self, part: str) -> None:
        """From here on time belongs to this part."""
        if not self._open:
            synchronize(self.device)
        self._open.append((part, time.perf_counter()))

    def end(self) -> None:
        """The part that was begun last is over."""
        part, began = self._open.pop()
        if not self._open:
            synchronize(self.device)
            self.seconds[part] += time.perf_counter() - began

    @contextlib.contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Begin, and end."""
        self.begin(name)
        try:
            yield
        finally:
            self.end()


@contextlib.contextmanager
def watching(watch: Stopwatch) -> Iterator[None]:
    """Forward, backward and optimizer are timed while this is open, whoever calls them: for a process of its own."""
    handles = [
        register_module_forward_pre_hook(lambda *_: watch.begin("forward")),
        register_module_forward_hook(lambda *_: watch.end(), always_call=True),
        register_optimizer_step_pre_hook(lambda *_: watch.begin("optimizer")),
        register_optimizer_step_post_hook(lambda *_: watch.end()),
    ]
    backward = torch.autograd.backward

    def timed(*args: Any, **kwargs: Any) -> None:
        with watch.part("backward"):
            backward(*args, **kwargs)

    torch.autograd.backward = timed  # Tensor.backward() ends here
    try:
        yield
    finally:
        torch.autograd.backward = backward
        for handle in handles:
            handle.remove()


def time_shares(step: Callable[[Stopwatch], object], steps: int, device: str) -> dict[str, float]:
    """Shares of the time of so many steps, by part; their sum is 1.

    Args:
        step: makes one step; times "reading" and "jitter" itself with the stopwatch that it is given.
    """
    watch = Stopwatch(device)
    with watching(watch):
        synchronize(device)
        began = time.perf_counter()
        for _ in range(steps):
            step(watch)
        synchronize(device)
        whole = time.perf_counter() - began
    watch.seconds["rest"] = max(0.0, whole - sum(watch.seconds.values()))
    whole = sum(watch.seconds.values())
    return {part: seconds / whole for part, seconds in watch.seconds.items()}
