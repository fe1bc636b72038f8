"""The plain loop: pix2pix as textbooks write it, to be measured beside the trainer.

Eager, float32, channels first, unfused Adam, pictures decoded by the workers of a DataLoader.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.data import DataLoader, Dataset

from p2plib.data.augment import to_signed
from p2plib.data.pairs import PairFile, load_pair
from p2plib.models import PatchDiscriminator, UNetGenerator
from p2plib.training.config import Config


class PlainPairs(Dataset[tuple[Tensor, Tensor]]):
    """The textbook data set: one pair decoded, resized, cropped and mirrored at a time; B is the input."""

    def __init__(self, files: Sequence[PairFile], config: Config) -> None:
        self.files, self.config = list(files), config

    def __len__(self) -> int:
        return len(self.files)

    def __getitem__(self, index: int) -> tuple[Tensor, Tensor]:
        a, b = load_pair(self.files[index], self.config.load_size)
        size, free = self.config.size, self.config.load_size - self.config.size + 1
        top, left = torch.randint(free, (2,)).tolist()
        cut = [to_signed(p[:, top : top + size, left : left + size]) for p in (b, a)]
        mirrored = bool(torch.rand(()) < 0.5)
        return (cut[0].flip(-1), cut[1].flip(-1)) if mirrored else (cut[0], cut[1])


class PlainLoop:
    """Both networks, their optimizers, and one step after the other; the weights are drawn from the config's seed.

    Args:
        config: gives networks, batch, rate and device.  The objective is L1+cGAN and the precision float32, whatever
            it says.
    """

    def __init__(self, config: Config) -> None:
        self.config = config
        torch.manual_seed(config.seed)
        self.generator = UNetGenerator(base=config.base, depth=config.depth, reference=config.reference)
        self.discriminator = PatchDiscriminator(6, config.base, config.patch)
        for net in (self.generator, self.discriminator):
            net.to(config.device)
        self.optimizer_g, self.optimizer_d = self._adam(self.generator), self._adam(self.discriminator)

    def _adam(self, net: nn.Module) -> torch.optim.Adam:
        c = self.config
        return torch.optim.Adam(net.parameters(), c.learning_rate, (c.beta1, c.beta2), fused=False, foreach=False)

    def step(self, x: Tensor, y: Tensor) -> tuple[float, float]:
        """One step on D, then one on G, of input and target (B, 3, size, size) in [-1, 1]: (D's loss, G's loss)."""
        generator, discriminator, bce = self.generator, self.discriminator, F.binary_cross_entropy_with_logits
        x, y = x.to(self.config.device), y.to(self.config.device)
        fake = generator(x)

        discriminator.requires_grad_(True)
        self.optimizer_d.zero_grad()
        logits_real = discriminator(torch.cat([x, y], 1))
        logits_fake = discriminator(torch.cat([x, fake.detach()], 1))
        loss_d = bce(logits_real, torch.ones_like(logits_real)) + bce(logits_fake, torch.zeros_like(logits_fake))
        loss_d = loss_d / 2
        loss_d.backward()
        self.optimizer_d.step()

        discriminator.requires_grad_(False)
        self.optimizer_g.zero_grad()
        logits = discriminator(torch.cat([x, fake], 1))
        loss_g = bce(logits, torch.ones_like(logits)) + self.config.lambda_l1 * F.l1_loss(fake, y)
        loss_g.backward()
        self.optimizer_g.step()
        return loss_d.item(), loss_g.item()  # the textbook loop prints its losses

    def steps(self, files: Sequence[PairFile]) -> Iterator[int]:
        """Steps without end; gives how many pictures each took."""
        workers = min(2, os.cpu_count() or 1)
        pairs = PlainPairs(files, self.config)
        loader = DataLoader(pairs, self.config.batch, shuffle=True, num_workers=workers, persistent_workers=True)
        while True:
            for x, y in loader:
                self.step(x, y)
                yield len(x)
