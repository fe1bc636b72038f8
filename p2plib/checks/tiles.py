"""Exercise 12.2: a picture translated tile by tile, the mean where tiles overlap."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from p2plib.checks import tile_causes as causes
from p2plib.checks.any_size import by
from p2plib.checks.any_size_causes import EVAL_CAME
from p2plib.checks.at_test import ATTACHED
from p2plib.checks.compare import Unlike, describe, largest_difference, require_tensor
from p2plib.checks.net_left import NOT_BY_6_3, require_as_it_came, state_of
from p2plib.checks.step_witness import Notes
from p2plib.checks.trial import Trial
from p2plib.training.large import tile_starts

#: The overlap of the case in which the generator comes in eval mode: that decides nothing, and is left so.
IN_EVAL = 3
#: What rounding may make of a mean.
TOLERANCE = 1e-5


class PictureNorm(nn.BatchNorm2d):
    """Batch norm of each picture by itself: how many tiles go in together is not what is asked here."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) → the same shape; in train mode the running averages move with each picture."""
        return torch.cat([super(PictureNorm, self).forward(one) for one in x.split(1)])


class MarkingGenerator(nn.Module):
    """(B, 3, H, W) → (B, 3, H, W): the picture after a norm, and a mark of each place: overlapping tiles differ.

    What it is given is noted in `seen`, also in copies.
    """

    described = "a generator"
    depth = 2  # the tiles of the check are multiples of 4, for answers that call that of 12.1

    def __init__(self, t: Trial) -> None:
        super().__init__()
        self.marks = nn.Parameter(t.uniform(64, 64, dtype=torch.float32))
        self.norm = PictureNorm(3, affine=False)
        self.seen = Notes()
        with torch.no_grad():  # averages that are far from any tile's
            self.norm.running_mean.fill_(1.5)  # type: ignore[union-attr]
            self.norm.running_var.fill_(4.0)  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        """Note the tile, and mark it.

        Raises:
            TypeError, ValueError: for anything that is no batch of pictures.
        """
        if not isinstance(x, Tensor):
            raise TypeError(f"the generator takes one tensor (B, C, H, W), not {describe(x)}")
        if x.dim() != 4:
            raise ValueError(f"the generator takes a batch (B, C, H, W), not {describe(x)}")
        self.seen.append(x.detach().clone())
        return self.norm(x) / 2 + self.marks[: x.shape[2], : x.shape[3]]

    @torch.no_grad()
    def replayed(self, x: Tensor, averages: bool = False) -> Tensor:
        """What it gives for x, with the statistics of each picture or with its averages; nothing is noted or moved."""
        mean, var = (self.norm.running_mean, self.norm.running_var) if averages else (None, None)
        normed = [F.batch_norm(one, mean, var, training=not averages, eps=self.norm.eps) for one in x.split(1)]
        return torch.cat(normed) / 2 + self.marks[: x.shape[2], : x.shape[3]]


@torch.enable_grad()  # whatever was switched off before
def check_tiles(t: Trial) -> None:
    """Sides that do not fit evenly, and that do; no overlap, one tile alone, and more than two tiles over one place."""
    for shape, tile, overlap in (
        ((1, 3, 17, 23), 8, 2),
        ((2, 3, 20, 14), 8, 2),
        ((1, 3, 16, 24), 8, 0),
        ((1, 3, 8, 8), 8, 3),
        ((1, 3, 13, 10), 8, 6),
    ):
        net, input = MarkingGenerator(t), t.uniform(*shape, dtype=torch.float32)
        words = f"{by(shape[2:])} px in tiles of {tile} with an overlap of {overlap}"
        net.train(overlap != IN_EVAL)
        before = state_of(net)
        value = t.call(net, input.clone(), tile, overlap)
        _Examined(t, words, net, input, tile, overlap).judge(value)
        t.right(f"{words}: right")
        require_as_it_came(t, net, before, NOT_BY_6_3)


class _Examined:
    """One call of the answer."""

    def __init__(self, t: Trial, words: str, net: MarkingGenerator, input: Tensor, tile: int, overlap: int) -> None:
        self.t, self.words, self.net, self.input, self.tile = t, words, net, input, tile
        self.came_in_train = overlap != IN_EVAL
        rows, columns = (tile_starts(side, tile, overlap) for side in input.shape[2:])
        self.grid = causes.Grid(rows, columns, tile, overlap)

    def judge(self, value: Any) -> None:
        """The tiles' size; then the output; where it is another, where the tiles began, and how they were joined."""
        t = self.t
        t.require(bool(self.net.seen), f"{self.words}: the generator was never asked", causes.NEVER_ASKED)
        for shown in self.net.seen:
            self._size(shown)
        order = [(y, x) for y in self.grid.rows for x in self.grid.columns]
        try:
            require_tensor(value, self._mean(order), "the output", TOLERANCE)
        except Unlike as unlike:
            places = [place for shown in self.net.seen for place in self._places(shown)]
            if Counter(places) != Counter((b, y, x) for b in range(len(self.input)) for y, x in order):
                self._begun(places)
            t.right(f"{self.words}: each tile begins where it should")
            t.said += unlike.right
            t.wrong(unlike.found, self._joined(value, [p[1:] for p in places if p[0] == 0]))
        t.require(not value.requires_grad, f"{self.words}: the output still holds on to its graph", ATTACHED)

    def _size(self, shown: Tensor) -> None:
        """End the trial unless this is one tile, of the right size, of these pictures."""
        came, wanted = tuple(shown.shape), (*self.input.shape[:2], self.tile, self.tile)
        found = f"{self.words}: the generator was given {describe(shown)}; expected was {wanted}"
        if came[2:] == wanted[2:] and came[0] > wanted[0] and came[0] % wanted[0] == 0:
            self.t.wrong(found, causes.STACKED)
        if came[1] != wanted[1] or came[0] not in (1, wanted[0]):
            self.t.wrong(found)
        if came[2:] == wanted[2:]:
            if not self._places(shown):
                cause = causes.FILLED_UP if self._filled_up(shown) else None
                self.t.wrong(f"{self.words}: the generator was given a tile that is no part of the picture", cause)
            return
        cause = None
        if came == tuple(self.input.shape):
            cause = causes.WHOLE
        elif max(came[2:]) <= self.tile and self._at_an_edge(shown):
            cause = causes.EXCHANGED if self._exchanged(shown) else causes.CUT_SHORT
        self.t.wrong(found, cause)

    def _exchanged(self, piece: Tensor) -> bool:
        """Does it begin where a tile of the other side would begin?"""
        rows, columns = set(self.grid.rows), set(self.grid.columns)
        return any(
            (y in columns - rows and piece.shape[2] < self.tile) or (x in rows - columns and piece.shape[3] < self.tile)
            for _, y, x in self._places(piece)
        )

    def _places(self, shown: Tensor) -> list[tuple[int, int, int]]:
        """(picture, row, column) of where a piece was cut out, one for each picture in it; empty if nowhere."""
        height, width = shown.shape[2:]
        if not 0 < height <= self.input.shape[2] or not 0 < width <= self.input.shape[3]:
            return []
        windows = self.input.unfold(2, height, 1).unfold(3, width, 1)  # (B, C, rows, columns, height, width)
        equal = (windows == shown[:, :, None, None]).all(-1).all(-1).all(1)
        return [(b, y, x) for b, y, x in equal.nonzero().tolist()]

    def _at_an_edge(self, piece: Tensor) -> bool:
        """Does the piece end where the picture ends, on each side on which it is smaller than a tile?"""
        ends = [side - part for side, part in zip(self.input.shape[2:], piece.shape[2:], strict=True)]
        small = [part < self.tile for part in piece.shape[2:]]
        return any(
            all(place[1 + i] == ends[i] or not small[i] for i in (0, 1)) and any(small) for place in self._places(piece)
        )

    def _filled_up(self, shown: Tensor) -> bool:
        """Is its upper left part the end of the picture, and the rest something else?"""
        sides = range(self.tile, 0, -1)
        return any(self._at_an_edge(shown[:, :, :height, :width]) for height in sides for width in sides)

    # --- where they begin, and how they are joined ----------------------------------------------

    def _begun(self, places: Sequence[tuple[int, int, int]]) -> NoReturn:
        """Tiles begin elsewhere than they should, or one is there twice: say where, and end the trial."""
        came = {(y, x) for _, y, x in places}
        expected = self.grid.places
        if came == expected:
            pictures = {b for b, _, _ in places}
            if len(pictures) < len(self.input):
                said = f"of {len(self.input)} pictures that came in {len(pictures)} were cut into tiles"
                self.t.wrong(f"{self.words}: {said}", "Does a tile take its part of every picture?")
            of_first = sum(b == 0 for b, _, _ in places)
            self.t.wrong(f"{self.words}: {of_first} tiles came for {len(expected)} places", causes.TWICE)
        found = "tiles are missing, or there are too many"
        for name, i, right in (("columns", 1, self.grid.columns), ("rows", 0, self.grid.rows)):
            begun = sorted({place[i] for place in came})
            if begun != right:
                found = f"tiles begin at {name} {_listed(begun)}; expected were {_listed(right)}"
        self.t.wrong(f"{self.words}: {found}", causes.of_places(came, self.grid))

    def _drawn(self, y: int, x: int, averages: bool = False) -> Tensor:
        return self.net.replayed(self.input[..., y : y + self.tile, x : x + self.tile], averages)

    def _mean(self, order: Sequence[tuple[int, int]]) -> Tensor:
        sums, counts = self._sums(order)
        return sums / counts

    def _sums(self, order: Sequence[tuple[int, int]], averages: bool = False) -> tuple[Tensor, Tensor]:
        """The sum of all tiles, and how many cover each pixel."""
        sums, counts = torch.zeros_like(self.input), torch.zeros(self.input.shape[2:])
        for y, x in order:
            sums[..., y : y + self.tile, x : x + self.tile] += self._drawn(y, x, averages)
            counts[y : y + self.tile, x : x + self.tile] += 1
        return sums, counts

    def _one_by_one(self, order: Sequence[tuple[int, int]], join: Callable[[Tensor, Tensor], Tensor]) -> Tensor:
        """Tiles laid down in this order: `join` makes one of what stands there and what comes."""
        laid = torch.full_like(self.input, torch.nan)
        for y, x in order:
            here = (..., slice(y, y + self.tile), slice(x, x + self.tile))
            new = self._drawn(y, x)
            laid[here] = torch.where(laid[here].isnan(), new, join(laid[here], new))
        return laid

    def _joined(self, value: Any, order: Sequence[tuple[int, int]]) -> str | None:
        """The one known mistake that makes this output of tiles that begin where they should."""
        if not isinstance(value, Tensor) or value.shape != self.input.shape:
            return None
        sums, counts = self._sums(order)
        made = (
            (causes.EVAL if self.came_in_train else EVAL_CAME, self._sums(order, averages=True)[0] / counts),
            (causes.SUMMED, sums),
            (causes.BY_TWO, sums / 2),
            (causes.BY_TWO, sums / counts.clamp(max=2)),
            (causes.BY_ALL, sums / len(order)),
            (causes.LAST_WINS, self._one_by_one(order, lambda old, new: new)),
            (causes.FIRST_WINS, self._one_by_one(order, lambda old, new: old)),
            (causes.HALVES, self._one_by_one(order, lambda old, new: (old + new) / 2)),
            (causes.LARGEST, self._one_by_one(order, torch.maximum)),
        )
        found = {cause for cause, like in made if largest_difference(value, like) <= TOLERANCE}
        return found.pop() if len(found) == 1 else None


def _listed(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
