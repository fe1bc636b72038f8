"""The two loops behind one face: what a measuring process can be asked for."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from p2plib.data.augment import Augment
from p2plib.data.catalogue import Source
from p2plib.data.pairs import FolderPairs, batches, find_pairs
from p2plib.training.bench import machine, shares
from p2plib.training.bench.plain import PlainLoop
from p2plib.training.config import Config
from p2plib.training.graph import WARM_UP
from p2plib.training.trainer import Trainer, epoch_order


class Loop:
    """A loop on a folder of pairs, which trains for as long as it is asked to.

    Args:
        config: settings; ``direction`` must be "BtoA".
        folder: pairs side by side.
    """

    precision = "f32"

    def __init__(self, config: Config, folder: Path) -> None:
        self.config = config
        began = time.perf_counter()
        self.files = find_pairs(folder)["all"]
        self.steps = self._start()
        self.opened: dict[str, Any] = {"seconds": time.perf_counter() - began, "pairs": len(self.files)}

    def _start(self) -> Iterator[int]:
        raise NotImplementedError

    def about(self) -> dict[str, Any]:
        """Threads, pairs, and the seconds that it took to find and open them."""
        return {"threads": torch.get_num_threads(), **self.opened}

    def run(self, seconds: float) -> dict[str, Any]:
        """Train for so many seconds, one step at least, after some that are not counted: one wakes threads and caches,
        and on a GPU the first few end in a recording.
        """
        for _ in range(1 if self.config.device == "cpu" else WARM_UP + 2):
            next(self.steps)
        machine.synchronize(self.config.device)
        began, images, steps = time.perf_counter(), 0, 0
        while steps == 0 or time.perf_counter() - began < seconds:
            images += next(self.steps)
            steps += 1
        machine.synchronize(self.config.device)
        took = time.perf_counter() - began
        return {"images": images, "steps": steps, "seconds": took, "memory": machine.peak_memory(self.config.device)}

    def matrix(self, largest: int) -> dict[str, float]:
        """FLOP/s of square matrix products in this loop's precision, by side."""
        rates = machine.matrix_rates(self.precision, self.config.device, largest)
        return {str(side): rate for side, rate in rates.items()}


class OfTrainer(Loop):
    """This library's trainer, fed as `Trainer.fit` feeds it, without its looks at held-out pairs."""

    def _start(self) -> Iterator[int]:
        config = self.config
        self.precision = config.precision
        self.pairs = FolderPairs(self.files, config.load_size, config.direction or "AtoB")
        few = FolderPairs(self.files[:1], config.load_size, self.pairs.direction)
        self.trainer = Trainer(config, source=Source("bench", self.pairs.direction, self.pairs, few, ""))
        self.augment = Augment(config.size, config.mirror)
        return self._steps()

    def about(self) -> dict[str, Any]:
        return {**super().about(), "held": self.pairs.held}

    def _batches(self) -> Iterator[Any]:
        epoch = 0
        while True:
            yield from batches(self.pairs, epoch_order(len(self.pairs), self.config.batch, self.config.seed, epoch))
            epoch += 1

    def _steps(self) -> Iterator[int]:
        for pair in self._batches():
            yield self.trainer.train_batch(pair, self.augment)

    def shares(self, steps: int) -> dict[str, float]:
        """Shares of a step's time by part, over so many steps; none of them replayed, for a replay has no parts."""
        self.trainer._recorded = None
        given = self._batches()

        def step(watch: shares.Stopwatch) -> None:
            with watch.part("reading"):
                pair = next(given)
            self.trainer.train_batch(pair, _Timed(watch, **dataclasses.asdict(self.augment)))

        return shares.time_shares(step, steps, self.config.device)


class _Timed(Augment):
    """An `Augment` that a stopwatch watches."""

    def __init__(self, watch: shares.Stopwatch, **settings: Any) -> None:
        super().__init__(**settings)
        object.__setattr__(self, "watch", watch)

    def __call__(self, *args: Any) -> Any:
        with self.watch.part("jitter"):  # type: ignore[attr-defined]
            return super().__call__(*args)


class OfPlain(Loop):
    """The textbook loop."""

    def _start(self) -> Iterator[int]:
        self.loop = PlainLoop(self.config)
        return self.loop.steps(self.files)

    def flop(self) -> int:
        """Floating-point operations of one step of a whole batch; the loop's own, all of which the counter sees."""
        noise = torch.rand(2, self.config.batch, 3, self.config.size, self.config.size) * 2 - 1
        return machine.count_flop(lambda: self.loop.step(noise[0], noise[1]))


LOOPS: dict[str, type[Loop]] = {"trainer": OfTrainer, "plain": OfPlain}
