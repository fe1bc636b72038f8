"""How fast this trainer is beside a plain loop of the textbook form: same networks, pictures and batch, one run."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from p2plib.data.augment import Augment, to_signed
from p2plib.data.catalogue import Source
from p2plib.data.pairs import FolderPairs, PairFile, load_pair
from p2plib.data.synthetic import write_pairs
from p2plib.models import PatchDiscriminator, UNetGenerator
from p2plib.training.config import Config, configure
from p2plib.training.trainer import Trainer, epoch_order


@dataclass(frozen=True)
class Comparison:
    """Images per second of both loops, round by round, and the settings they ran at."""

    config: Config
    trainer: list[float]
    plain: list[float]

    @property
    def ratios(self) -> list[float]:
        """This trainer's speed over the plain loop's, of neighbouring rounds."""
        return [fast / plain for fast, plain in zip(self.trainer, self.plain, strict=True)]

    def table(self) -> str:
        """The result as a small table."""
        c = self.config
        lines = [
            f"preset {c.preset}: {c.size} px, base {c.base}, batch {c.batch}, patch {c.patch}; "
            f"{c.device}, {c.precision}, {torch.get_num_threads()} threads, torch {torch.__version__}",
            f"{'loop':<14}{'images/s':>10}   over {len(self.ratios)} interleaved rounds",
        ]
        for name, speeds in (("this trainer", self.trainer), ("plain loop", self.plain)):
            low, high = min(speeds), max(speeds)
            lines.append(f"{name:<14}{statistics.median(speeds):>10.2f}   ({low:.2f} to {high:.2f})")
        r = self.ratios
        lines.append(f"{'ratio':<14}{statistics.median(r):>10.2f}   ({min(r):.2f} to {max(r):.2f}, pair by pair)")
        return "\n".join(lines)


def bench(preset: str = "laptop", rounds: int = 5, seconds: float = 8.0, **settings: object) -> Comparison:
    """Run both loops by turns, `seconds` each, and compare them round by round.

    Args:
        preset: whose networks, size and batch.
        rounds: how many pairs of measurements, after a warm-up of each.
        seconds: length of one measurement.
        settings: as for `configure`.
    """
    config = configure("bench", preset, direction="BtoA", **settings)
    with tempfile.TemporaryDirectory() as folder:
        files = [PairFile(path) for path in write_pairs("facades", Path(folder), count=32, size=config.load_size)]
        ours, plain = _trainer_loop(config, files), _plain_loop(config, files)
        next(ours), next(plain)
        pairs = [(_speed(ours, seconds), _speed(plain, seconds)) for _ in range(rounds)]
        ours.close()  # type: ignore[attr-defined]
        plain.close()  # type: ignore[attr-defined]
    return Comparison(config, [a for a, _ in pairs], [b for _, b in pairs])


def _speed(loop: Iterator[int], seconds: float) -> float:
    """Images/s of a loop that yields how many images each step took, its work on the device finished."""
    began, images = time.perf_counter(), 0
    while images == 0 or time.perf_counter() - began < seconds:
        images += next(loop)
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return images / (time.perf_counter() - began)


def _trainer_loop(config: Config, files: list[PairFile]) -> Iterator[int]:
    pairs = FolderPairs(files, config.load_size, config.direction or "AtoB")
    trainer = Trainer(config, source=Source("bench", pairs.direction, pairs, pairs, ""))
    augment, epoch = Augment(config.size, config.mirror), 0
    while True:
        for indices in epoch_order(len(pairs), config.batch, config.seed, epoch):
            yield trainer.train_batch(pairs.batch(indices), augment)
        epoch += 1


class PlainPairs(Dataset[tuple[Tensor, Tensor]]):
    """The textbook data set: one picture decoded, resized, cropped and mirrored at a time."""

    def __init__(self, files: list[PairFile], config: Config) -> None:
        self.files, self.config = files, config

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        a, b = load_pair(self.files[index], self.config.load_size)
        size, free = self.config.size, self.config.load_size - self.config.size + 1
        top, left = torch.randint(free, (2,)).tolist()
        cut = [to_signed(p[:, top : top + size, left : left + size]) for p in (b, a)]
        return tuple(p.flip(-1) for p in cut) if torch.rand(()) < 0.5 else tuple(cut)  # type: ignore[return-value]


def _plain_loop(config: Config, files: list[PairFile]) -> Iterator[int]:
    """Eager, float32, channels first, unfused Adam, pictures decoded by DataLoader workers."""
    torch.manual_seed(config.seed)
    generator = UNetGenerator(base=config.base, depth=config.depth).to(config.device)
    discriminator = PatchDiscriminator(6, config.base, config.patch).to(config.device)
    adam: Callable[[nn.Module], torch.optim.Adam] = lambda net: torch.optim.Adam(
        net.parameters(), config.learning_rate, (config.beta1, config.beta2), fused=False, foreach=False
    )
    optimizer_g, optimizer_d = adam(generator), adam(discriminator)
    loader = DataLoader(PlainPairs(files, config), config.batch, shuffle=True, num_workers=2, persistent_workers=True)
    bce = F.binary_cross_entropy_with_logits
    while True:
        for x, y in loader:
            x, y = x.to(config.device), y.to(config.device)
            fake = generator(x)

            discriminator.requires_grad_(True)
            optimizer_d.zero_grad()
            logits_real = discriminator(torch.cat([x, y], 1))
            logits_fake = discriminator(torch.cat([x, fake.detach()], 1))
            loss_d = bce(logits_real, torch.ones_like(logits_real)) + bce(logits_fake, torch.zeros_like(logits_fake))
            (loss_d / 2).backward()
            optimizer_d.step()

            discriminator.requires_grad_(False)
            optimizer_g.zero_grad()
            logits = discriminator(torch.cat([x, fake], 1))
            loss_g = bce(logits, torch.ones_like(logits)) + config.lambda_l1 * F.l1_loss(fake, y)
            loss_g.backward()
            optimizer_g.step()
            loss_d.item(), loss_g.item()  # the textbook loop prints its losses
            yield len(x)
