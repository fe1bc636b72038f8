"""The known mistakes of exercise 12.1, and how each is recognised in what the generator was given."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import torch
import torch.nn.functional as F
from torch import Tensor

from p2plib.checks.compare import largest_difference

if TYPE_CHECKING:
    from p2plib.checks.any_size import Given

AS_IT_CAME = "The picture is handed on as it came. Where is it continued to multiples of `2 ** generator.depth`?"
ONE_SIDE = "Only one of the two sides is continued. Do not both have to fit?"
EXCHANGED = "`F.pad` begins with the last dimension: left, right, top, bottom. Have height and width changed places?"
OTHER_STEP = "Each level halves: the sides must be multiples of `2 ** generator.depth`. Is something else taken here?"
MIRRORED_TOO_FAR = (
    "A mirror needs a picture larger than what is added. This one is smaller: does repeating its last line need that?"
)
ONE_BY_ONE = "Each picture is translated by itself. Are the statistics not those of the batch that came in, as in 6.3?"
RESIZED = "The picture is resized: everything in it gets another size than in training. Is it continued instead?"
CROPPED = "The picture is cut down to the multiple below. Who draws what was cut away?"
FITS = "A side that fits gets a whole step more. What is `step - side % step` where `side % step` is 0?"
FIXED = "The sides are multiples of {other}. Is the step worked out from `generator.depth`?"
POWER = "The sides are powers of two. Is the next multiple of `2 ** generator.depth` not enough?"
SQUARE = "The picture is made square. Does each side not get only what it lacks?"
AROUND = "It comes from the opposite edge. Is the last line repeated, or mirrored, instead?"
ZEROS = (
    "0 is a grey that the picture does not have there: the network draws that, too, and a border shows in the output. "
    "What would continue the picture?"
)
COLOUR = (
    "That is {name}, an edge which the picture does not have there: the network draws that, too, and a border shows in "
    "the output. What would continue the picture?"
)
NOT_CUT = "The output is as large as what the generator was given. Where is it cut back?"
EMPTY = "Nothing is added to a side that fits, and `:-0` is empty. Is the cut written with the side itself, `:height`?"
SHRUNK = "The output is resized. Is it cut back to the rows and columns in which the picture stands?"
CUT_ELSEWHERE = (
    "It is cut out of another place than the one in which the picture stands. Do the cut, and the side on which it was "
    "continued, fit each other?"
)
EVAL = (
    "This is what eval mode gives: the averages met in training. At test time the paper takes the statistics of the "
    "picture itself, as your 6.3 does. Is there an `eval()`?"
)
EVAL_CAME = (
    "This is what eval mode gives: the averages met in training. The generator came in eval mode this time. Is it "
    "translated with your 6.3?"
)
FIXED_STEPS = (4, 8, 16, 32, 64, 128, 256, 512)


def of_crash(message: str, given: Given) -> str | None:
    """Why the generator refused a picture, or the padding failed; None where it is not certain."""
    if "Padding size should be less than" in message:
        return MIRRORED_TOO_FAR
    if "does not fit a U-Net" not in message or not given.net.seen:
        return None
    came, (height, width) = tuple(given.net.seen[-1].shape[2:]), given.size
    lacks_h, lacks_w = -height % given.step, -width % given.step
    if came == given.size:
        return AS_IT_CAME
    if came in ((height + lacks_h, width), (height, width + lacks_w)):
        return ONE_SIDE
    if came == (height + lacks_w, width + lacks_h):
        return EXCHANGED
    fixed = _fixed(given, came)
    if fixed:
        return fixed
    others = (given.net.depth, 2 * given.net.depth, given.net.depth**2)
    return OTHER_STEP if any(came == _multiples(given.size, other) for other in others) else None


def of_size(given: Given, came: tuple[int, int]) -> str | None:
    """Why the sides are larger than they need to be; None where it is not certain."""
    if came == tuple((side // given.step + 1) * given.step for side in given.size):
        return FITS
    whole = -(-max(given.size) // given.step) * given.step
    found = {
        SQUARE: came == (whole, whole),
        POWER: came == tuple(1 << (side - 1).bit_length() for side in given.size),
    }
    certain = [cause for cause, holds in found.items() if holds]
    certain += filter(None, [_fixed(given, came)])
    return certain[0] if len(certain) == 1 else None


def of_filling(value: float) -> str | None:
    """What is wrong with one colour beyond the edge."""
    if value == 0:
        return ZEROS
    return COLOUR.format(name={-1.0: "black", 1.0: "white"}.get(value, "one colour"))


def of_other_pixels(shown: Tensor, input: Tensor) -> str | None:
    """Why the picture does not stand in what the generator was given."""
    if shown.shape[2] <= input.shape[2] and shown.shape[3] <= input.shape[3]:
        height, width = shown.shape[2:]
        for top in range(input.shape[2] - height + 1):
            for left in range(input.shape[3] - width + 1):
                if torch.equal(input[..., top : top + height, left : left + width], shown):
                    return CROPPED
    size = (shown.shape[2], shown.shape[3])
    return RESIZED if any(largest_difference(shown, made) <= 1e-4 for made in resized(input, size)) else None


def resized(picture: Tensor, size: tuple[int, int]) -> Iterator[Tensor]:
    """The picture at another size, in the ways that torch offers."""
    for mode in ("nearest", "nearest-exact", "area"):
        yield F.interpolate(picture, size, mode=mode)
    for mode in ("bilinear", "bicubic"):
        for antialias in (False, True):
            yield F.interpolate(picture, size, mode=mode, antialias=antialias)
        yield F.interpolate(picture, size, mode=mode, align_corners=True)


def _multiples(size: tuple[int, int], step: int) -> tuple[int, ...]:
    return tuple(-(-side // step) * step for side in size)


def _fixed(given: Given, came: tuple[int, ...]) -> str | None:
    """The one fixed step that gives these sides."""
    steps = [step for step in FIXED_STEPS if step != given.step and came == _multiples(given.size, step)]
    return FIXED.format(other=steps[0]) if len(steps) == 1 else None
