"""Does what a network gave agree with what the library's arrangement gives, or a known mistake's?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from torch import Tensor, nn

from p2plib.checks.compare import largest_difference
from p2plib.checks.layout import Piece
from p2plib.checks.networks import Expected
from p2plib.checks.replay import RIGHT, Form
from p2plib.checks.traced import Layer, Op, Trace
from p2plib.checks.trial import Trial

#: float32 results of the same formula, written in another way.
ROUNDING = 3e-5
SKIP_FIRST = (
    "You concatenate [skip, x], as the authors' PyTorch code does; the library has [x, skip]. Both are right, but the "
    "weights of one do not fit the other."
)
BATCH_IN_EVAL = (
    "In eval mode your norm still uses the statistics of the batch, as the paper does at test time; "
    "`nn.BatchNorm2d` would use its running ones."
)


def near(a: Any, b: Tensor) -> bool:
    """Alike but for rounding?"""
    return isinstance(a, Tensor) and a.shape == b.shape and largest_difference(a, b) <= ROUNDING


def agrees(t: Trial, e: Expected, layers: Sequence[Layer], value: Tensor, train: bool) -> bool:
    """Is it what the library's arrangement gives, in one order of the channels or the other?"""
    if any(op.kind != "norm" for layer in layers for op in layer.norms):
        return False
    for join in ("x skip", "skip x"):
        if near(value, e.replay(e.inputs, layers, replace(e.right, join=join), train)):
            if join == "skip x":
                t.advise(SKIP_FIRST)
            return True
    batch = not train and near(value, e.replay(e.inputs, layers, replace(joined(t, e), batch=True), train))
    if batch:
        t.advise(BATCH_IN_EVAL)
    return batch


def joined(t: Trial, e: Expected) -> Form:
    """The right form, with the order of channels that this learner has."""
    return replace(e.right, join="skip x") if SKIP_FIRST in t.advice else e.right


def complete(net: nn.Module, trace: Trace, pieces: Sequence[Piece]) -> tuple[list[Layer], bool]:
    """The layers with what was not seen: a bias that is added by hand, a norm written by hand.

    Returns:
        The layers, and whether a norm was taken to have scale 1 and shift 0 because it was not seen.
    """
    used = {id(x) for op in trace.ops for x in (op.weight, op.bias)}
    free = [p for p in net.parameters() if id(p) not in used]
    whole, guessed = [], False
    for layer, piece in zip(trace.layers(), pieces, strict=True):
        conv, norms = layer.conv, layer.norms
        added = [p for p in free if p.numel() == piece.outside]
        if piece.bias and conv.bias is None and len(added) == 1:
            conv = replace(conv, bias=added[0].view(-1))
        if piece.norm and not norms:
            norms, guessed = [Op("norm")], True
        whole.append(Layer(conv, norms))
    return whole, guessed


def named(e: Expected, layers: Sequence[Layer], value: Tensor, trace: Trace, train: bool) -> str | None:
    """The one known mistake that gives what came, to the last digit."""
    found = set()
    mistakes = list(e.mistakes)
    rates = {op.p for op in trace.of("drop")} - {0.5}
    for p in rates:
        mistakes.append((f"The dropout drops {p:g} of the values. Is 0.5 meant?", (Form(p=p),)))
    for cause, forms in mistakes:
        for form in forms:
            joins = (form.join,) if form.join != RIGHT.join else ("x skip", "skip x")
            for join in joins:
                try:
                    like = e.replay(e.inputs, layers, replace(form, join=join), train)
                except RuntimeError:  # "x x" where x and skip have other channels
                    continue
                if near(value, like):
                    found.add(cause)
    return found.pop() if len(found) == 1 else None
