"""Random numbers in a learner's network: masks of its own, and what is no mask."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from p2plib.checks.agreement import ROUNDING, agrees, near
from p2plib.checks.networks import Expected, Made, forward
from p2plib.checks.replay import Form
from p2plib.checks.traced import NORMAL, WHOLE_CHANNELS, Layer, Trace
from p2plib.checks.trial import Trial


def dropped(trace: Trace) -> bool:
    """Did one of torch's dropouts run?"""
    return bool([op for op in trace.of("drop") if op.training and op.p] or trace.of(*WHOLE_CHANNELS))


def unseen_mask(
    t: Trial, e: Expected, net: Made, value: Tensor, layers: Sequence[Layer], trace: Trace, *, train: bool
) -> bool:
    """End the trial if random numbers come in that are no mask; True for a mask of which torch saw nothing."""
    mode = "" if train else " in eval mode"
    found = f"`{e.call}`{mode}: the same input gives another output each time" + ", not by dropout" * train
    normal = [op.name for op in trace.of("draw") if op.name in NORMAL]
    if normal:
        quiet, again = forward(t, e, net, train=train, trace=Trace(quiet=True))
        if agrees(t, e, layers, quiet, again, train=train):
            t.wrong(found, f"Without the numbers that `{normal[0]}` draws it is right. What are they there for?")
    if (e.drops or not train) and not near(forward(t, e, net, train=train)[0], value):
        t.require(train, found, "Is something drawn at random there?")  # all that torch draws is the same again
        return len(e.pieces) > 1 or _drops_by_hand(t, e, net, layers)  # zeros inside of a net cannot be told
    return False


def mask_by_hand(t: Trial, e: Expected, net: Made, layers: Sequence[Layer], trace: Trace) -> bool:
    """Is it a mask that was drawn in another way, which cannot be worked out or is right as far as can be seen?"""
    drawn = trace.of("draw")
    if not e.drops or not drawn:
        return False
    if len(e.pieces) == 1:
        return _drops_by_hand(t, e, net, layers)
    widths = {piece.outside for piece in e.pieces if piece.up}
    return any(len(op.shape) != 4 or op.shape[1] not in widths for op in drawn)


def _drops_by_hand(t: Trial, e: Expected, net: Made, layers: Sequence[Layer]) -> bool:
    """Random zeros that torch's dropout did not make: are they where they should be, and all else doubled?"""
    values = [forward(t, e, net, train=True, trace=Trace(free=True))[0] for _ in range(2)]
    for join in ("x skip", "skip x"):
        plain = e.replay(e.inputs, layers, Form(p=0.0, join=join), True)
        kept = [(v - 2 * plain).abs() <= ROUNDING for v in values]
        if all(_half_at_random(k) and bool((k | (v == 0)).all()) for k, v in zip(kept, values, strict=True)):
            return True
    return False


def _half_at_random(kept: Tensor) -> bool:
    """About half of the values, and neither all nor none of each channel."""
    share = kept.float().mean((2, 3))
    return 0.3 < float(share.mean()) < 0.7 and bool(((share > 0) & (share < 1)).any())
