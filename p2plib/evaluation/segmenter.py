"""A small network that reads classes back out of pictures: how much an output shows of what its input asked for.

The idea of the paper's FCN-score (section 4.1): if an output is good, a network trained on real pictures finds in it
what the labels say.  This one sees 7 × 7 px around each pixel and no more: it knows the stuff (water, trees, roofs),
and cannot make up for blur by reading outlines, as a wide network would.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from p2plib.data.augment import to_signed
from p2plib.data.catalogue import CATALOGUE, Drawn, DrawnPairs
from p2plib.data.facades import CLASSES, colours_to_classes
from p2plib.data.maps import MAP_CLASSES, map_classes
from p2plib.errors import UserError

TRAINED_ON = 2_000  # pictures
STEPS, BATCH, RATE = 600, 16, 3e-3


class Segmenter(nn.Sequential):
    """Three 3 × 3 convolutions, 3 → 32 → 64 → classes: a field of 7 × 7 px.

    Args:
        classes: how many there are to tell apart.
    """

    def __init__(self, classes: int = 12) -> None:
        super().__init__(
            nn.Conv2d(3, 32, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(32, 64, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(64, classes, 3, padding=1),
        )
        self.classes = classes

    @torch.no_grad()
    def read(self, pictures: Tensor) -> Tensor:
        """Pictures (N, 3, H, W), float in [-1, 1] → the likeliest class of each pixel, int64 (N, H, W), on the CPU."""
        device = next(self.parameters()).device
        return torch.cat([self(part.to(device)).argmax(1).cpu() for part in pictures.detach().split(50)])


@dataclass(frozen=True)
class Scores:
    """What a segmenter finds in pictures.

    Attributes:
        pixel_accuracy: share of the pixels whose class it reads as the labels say.
    """

    pixel_accuracy: float


def labelled_pairs(source: str, split: str, indices: Sequence[int], side: int = 64) -> tuple[Tensor, Tensor, Tensor]:
    """Drawn pairs and the classes that their labels stand for.

    Args:
        source: "synthetic-maps" or "synthetic-facades".
        split: "train", or "val" for the held-out pairs that `Trainer.held_out` gives.
        indices: which pairs.
        side: pixels.

    Returns:
        Inputs (labels) and targets (photographs), each float32 (N, 3, side, side) in [-1, 1], and classes, int64
        (N, side, side).

    Raises:
        UserError: for another source or split.
    """
    drawn = CATALOGUE.get(source)
    if not isinstance(drawn, Drawn) or split not in drawn.splits:
        raise UserError(
            f"Labels are known of synthetic-maps and synthetic-facades, train or val, not of {source!r}, {split!r}."
        )
    pairs = DrawnPairs(drawn, split, side, "BtoA", count=max(indices, default=0) + 1)
    labels, photographs = pairs.batch(list(indices))
    classes = map_classes(labels.numpy()) if drawn.kind == "maps" else colours_to_classes(labels.numpy())
    return to_signed(labels), to_signed(photographs), torch.from_numpy(classes).long()


def class_names(source: str) -> tuple[str, ...]:
    """The classes of a drawn set, by number."""
    return tuple(MAP_CLASSES) if source == "synthetic-maps" else CLASSES


def train_segmenter(source: str = "synthetic-maps", seed: int = 0) -> Segmenter:
    """A segmenter trained on 2,000 real (drawn) photographs at 64 px: up to a minute.

    Args:
        source: "synthetic-maps" or "synthetic-facades".
        seed: of the weights and of the order of the pictures; the same seed gives the same network.

    Raises:
        UserError: for another source.
    """
    _, pictures, classes = labelled_pairs(source, "train", range(TRAINED_ON))
    with torch.random.fork_rng([]):
        torch.manual_seed(seed)
        net = Segmenter(len(class_names(source)))
    order = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(net.parameters(), lr=RATE)
    for step in range(STEPS):
        optimizer.param_groups[0]["lr"] = RATE * (1 - step / STEPS)
        chosen = torch.randint(TRAINED_ON, (BATCH,), generator=order)
        loss = F.cross_entropy(net(pictures[chosen]), classes[chosen])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return net.eval()


def scores(segmenter: Segmenter, pictures: Tensor, classes: Tensor) -> Scores:
    """How much of the classes the segmenter finds in the pictures.

    Args:
        pictures: (N, 3, H, W), float in [-1, 1].
        classes: what the labels say, whole numbers (N, H, W).

    Raises:
        UserError: if the two do not fit each other.
    """
    _check(pictures, classes)
    return Scores(_share(segmenter.read(pictures), classes))


def gap(segmenter: Segmenter, pictures: Tensor, classes: Tensor) -> float:
    """How much the pictures follow *their* labels: accuracy on these, minus accuracy on another picture's.

    Each picture is held against its own labels and against those of the picture before it.  A generator that ignores
    its input fits both equally well, and gets 0; real photographs of the synthetic towns get about .5.

    Args:
        pictures: (N, 3, H, W), float in [-1, 1]; two or more, and the more the steadier.
        classes: what the labels say, whole numbers (N, H, W).

    Raises:
        UserError: if the two do not fit each other, or there is one picture alone.
    """
    _check(pictures, classes)
    if len(pictures) < 2:
        raise UserError("gap() needs two pictures or more: each is held against the labels of another.")
    found = segmenter.read(pictures)
    return _share(found, classes) - _share(found, classes.roll(1, 0))


def _share(found: Tensor, classes: Tensor) -> float:
    return (found == classes.cpu()).double().mean().item()


def _check(pictures: Tensor, classes: Tensor) -> None:
    if pictures.dim() != 4 or classes.shape != (len(pictures), *pictures.shape[2:]) or not len(pictures):
        raise UserError(
            f"Pictures (N, 3, H, W) and classes (N, H, W) were expected; {tuple(pictures.shape)} and "
            f"{tuple(classes.shape)} came."
        )
