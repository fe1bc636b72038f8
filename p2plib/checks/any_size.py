"""Exercise 12.1: a picture of any size is continued at its edge, translated, and cut back."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from p2plib.checks import any_size_causes as causes
from p2plib.checks.at_test import ATTACHED, SCALES
from p2plib.checks.compare import Unlike, describe, largest_difference, number, require_tensor
from p2plib.checks.net_left import NOT_BY_6_3, require_as_it_came, state_of
from p2plib.checks.outcome import Status
from p2plib.checks.step_witness import Notes
from p2plib.checks.trial import Stop, Trial
from p2plib.models import UNetGenerator

#: What rounding may make of an output.
TOLERANCE = 1e-5


class WatchedUNet(UNetGenerator):
    """A U-Net without dropout, its averages far from any picture's; what it is given is noted, also in copies."""

    described = "a U-Net"

    def __init__(self, t: Trial, depth: int) -> None:
        super().__init__(base=4, depth=depth, reference="pytorch")
        self.seen = Notes()
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(0.2 * t.normal(*parameter.shape, dtype=torch.float32) + (parameter.dim() == 1))
            for norm in self.modules():
                if isinstance(norm, nn.BatchNorm2d):
                    norm.running_mean.fill_(1.5)  # type: ignore[union-attr]
                    norm.running_var.fill_(4.0)  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        """Note the picture, also one that is refused, and draw."""
        if isinstance(x, Tensor):
            self.seen.append(x.detach().clone())
        return super().forward(x)

    @torch.no_grad()
    def replayed(self, x: Tensor, *, train: bool = True) -> Tensor:
        """What it gives for x, with the statistics of x or with its averages."""
        net = copy.deepcopy(self).train(train)
        return UNetGenerator.forward(net, x)


WatchedUNet.__name__ = "UNetGenerator"  # torch's messages name the class; a learner knows this one


@torch.enable_grad()  # whatever was switched off before
def check_any_size(t: Trial) -> None:
    """Neither side fits, both fit, one fits, both are tiny; at three depths, so that 8 is not always the step.

    The generator comes in train mode, and at last in eval mode: either is left as it was, and decides nothing.
    """
    for depth, (batch, height, width) in ((3, (2, 13, 35)), (3, (1, 16, 24)), (4, (1, 16, 20)), (2, (1, 1, 6))):
        net = WatchedUNet(t, depth).train(depth != 2)
        input = t.uniform(batch, 3, height, width, dtype=torch.float32)
        before = state_of(net)
        _examine(t, Given(net, input, 2**depth))
        t.right(f"{height} × {width} px at depth {depth} is right")
        require_as_it_came(t, net, before, NOT_BY_6_3)


@dataclass(frozen=True)
class Given:
    """What an answer was called with, and the number that sides must be multiples of."""

    net: WatchedUNet
    input: Tensor
    step: int

    @property
    def size(self) -> tuple[int, int]:
        """Height and width."""
        return self.input.shape[2], self.input.shape[3]

    @property
    def words(self) -> str:
        """ "a picture of 13 × 35 px at depth 3"."""
        return f"a picture of {by(self.size)} px at depth {self.net.depth}"


@dataclass(frozen=True)
class Handed:
    """What the generator was given, and where in it the picture stands: of one row repeated, in several places."""

    shown: Tensor
    places: tuple[tuple[int, int], ...]


def by(size: tuple[int, ...]) -> str:
    """ "13 × 35"."""
    return " × ".join(map(str, size))


def _examine(t: Trial, given: Given) -> None:
    try:
        value = t.call(given.net, given.input.clone())
    except Stop as stop:
        if stop.status is Status.CRASHED:
            stop.cause = causes.of_crash(stop.message, given) or stop.cause
        raise
    handed = _handed(t, given)
    _output(t, given, handed, value)
    t.require(not value.requires_grad, f"{given.words}: the output still holds on to its graph", ATTACHED)


# --- what the generator was given -------------------------------------------------------------------


def _handed(t: Trial, given: Given) -> Handed:
    """The picture that the generator was given: the right one, continued, or the end of the trial."""
    seen, input = given.net.seen, given.input
    t.require(bool(seen), "the generator was never asked", "Where does `generator` come in?")
    last: Tensor = seen[-1]
    if last.shape[:2] != input.shape[:2]:
        one_by_one = last.shape[1:2] == input.shape[1:2] and len(last) == 1 and len(seen) == len(input)
        found = f"{len(input)} pictures came in; the generator was given {describe(last)}"
        t.wrong(found, causes.ONE_BY_ONE if one_by_one else None)
    for shown in reversed(seen):
        if places := _places(shown, input):
            _size(t, given, shown)
            places = tuple(place for place in places if _goes_on(given, shown, *place)) or places[:1]
            _beyond(t, given, shown, *places[0])
            return Handed(shown, places)
    t.wrong(
        f"{given.words}: the generator was given {by(tuple(last.shape[2:]))} px, in which the picture does not stand "
        f"pixel for pixel",
        causes.of_other_pixels(last, input),
    )


def _places(shown: Tensor, input: Tensor) -> tuple[tuple[int, int], ...]:
    """Where `input` stands in `shown`: top row and left column, of each place."""
    height, width = input.shape[2:]
    if shown.shape[:2] != input.shape[:2] or shown.shape[2] < height or shown.shape[3] < width:
        return ()
    corner = shown[:, :, : shown.shape[2] - height + 1, : shown.shape[3] - width + 1]
    corners = (corner == input[:, :, :1, :1]).all(0).all(0).nonzero().tolist()
    return tuple((y, x) for y, x in corners if torch.equal(shown[..., y : y + height, x : x + width], input))


def _size(t: Trial, given: Given, shown: Tensor) -> None:
    """The sides are the next multiples, and no more."""
    came = (shown.shape[2], shown.shape[3])
    expected = tuple(-(-side // given.step) * given.step for side in given.size)
    if came == expected:
        return
    if expected == given.size:
        found = f"{given.words} fits as it is; the generator was given {by(came)} px"
    else:
        found = f"{given.words}: the generator was given {by(came)} px; expected was {by(expected)}"
    t.wrong(found, causes.of_size(given, came))


def _goes_on(given: Given, shown: Tensor, top: int, left: int) -> bool:
    """Is everything beyond the edge lines of the picture, neighbours beside neighbours: repeated or mirrored?"""
    rows, columns = _indices(given, shown, top, left)
    if rows is None or columns is None or not torch.equal(given.input[:, :, rows][..., columns], shown):
        return False
    steps = torch.cat([rows.diff(), columns.diff()]).abs()
    return not steps.numel() or int(steps.max()) <= 1


def _beyond(t: Trial, given: Given, shown: Tensor, top: int, left: int) -> None:
    """End the trial unless the picture goes on beyond its edge."""
    if _goes_on(given, shown, top, left):
        return
    height, width = given.size
    outside = torch.ones(shown.shape[2:], dtype=torch.bool)
    outside[top : top + height, left : left + width] = False
    values = shown[..., outside]
    if bool((values == values[:1, :1, :1]).all()):
        value = float(values.flatten()[0])
        t.wrong(f"{given.words}: beyond its edge everything is {number(value)}", causes.of_filling(value))
    turned = given.input.roll((top, left), (2, 3)).repeat(
        1, 1, 1 + shown.shape[2] // height, 1 + shown.shape[3] // width
    )
    if torch.equal(turned[..., : shown.shape[2], : shown.shape[3]], shown):
        t.wrong(f"{given.words}: what stands beyond the edge does not go on from it", causes.AROUND)
    t.wrong(
        f"{given.words}: beyond its edge stand lines that are not those next to it; expected was the last line again, "
        f"or the picture mirrored"
    )


def _indices(given: Given, shown: Tensor, top: int, left: int) -> tuple[Tensor | None, Tensor | None]:
    """Which row, and which column, of the picture stands in each of `shown`, the picture being at (top, left)."""
    height, width = given.size
    rows = _lines(shown[..., left : left + width], given.input)
    return rows, _lines(shown[..., top : top + height, :].mT, given.input.mT)


def _lines(shown: Tensor, input: Tensor) -> Tensor | None:
    """For each row of `shown` the row of `input` that is equal; None if one has none."""
    equal = (shown[:, :, :, None] == input[:, :, None]).all(-1).all(0).all(0)  # (rows of shown, rows of input)
    return equal.int().argmax(1) if bool(equal.any(1).all()) else None


# --- what came back ---------------------------------------------------------------------------------


def _output(t: Trial, given: Given, handed: Handed, value: Any) -> None:
    whole = given.net.replayed(handed.shown)
    for place in handed.places:
        try:
            return require_tensor(value, _cut(whole, given, *place), "the output", TOLERANCE)
        except Unlike as unlike:
            fault = unlike
    t.right(f"{given.words}: what the generator is given is right")
    t.said += fault.right
    t.wrong(fault.found, _cause(given, handed, value))


def _cut(whole: Tensor, given: Given, top: int, left: int) -> Tensor:
    height, width = given.size
    return whole[..., top : top + height, left : left + width]


def _cause(given: Given, handed: Handed, value: Any) -> str | None:
    """The one known mistake that gives this output."""
    if not isinstance(value, Tensor):
        return None
    sides = zip(value.shape[2:], given.size, strict=False)
    if any(came == 0 and side % given.step == 0 for came, side in sides):
        return causes.EMPTY
    found = {cause for cause, made in _mistaken(given, handed) if _same(value, made)}
    return found.pop() if len(found) == 1 else None


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and largest_difference(a, b) <= (1e-3 if float(b.max()) > 2 else TOLERANCE)


def _mistaken(given: Given, handed: Handed) -> Iterator[tuple[str, Tensor]]:
    """What known mistakes make of the right picture."""
    whole, (height, width) = given.net.replayed(handed.shown), given.size
    if whole.shape[2:] != given.input.shape[2:]:
        yield causes.NOT_CUT, whole
        yield from ((causes.SHRUNK, made) for made in causes.resized(whole, given.size))
        for top in range(whole.shape[2] - height + 1):
            for left in range(whole.shape[3] - width + 1):
                if (top, left) not in handed.places:
                    yield causes.CUT_ELSEWHERE, _cut(whole, given, top, left)
    place = handed.places[0]
    came_so = causes.EVAL_CAME if given.step == 4 else causes.EVAL
    yield came_so, _cut(given.net.replayed(handed.shown, train=False), given, *place)
    for cause, changes in SCALES:
        yield from ((cause, change(_cut(whole, given, *place))) for change in changes)
