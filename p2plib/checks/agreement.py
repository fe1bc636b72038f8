"""Does what a network gave agree with what the library's arrangement gives, or a known mistake's?"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import combinations
from typing import Any

from torch import Tensor, nn

from p2plib.checks.compare import largest_difference
from p2plib.checks.layout import Piece
from p2plib.checks.net_mistakes import RATE, hand_mistakes
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
    if not isinstance(a, Tensor) or a.shape != b.shape:
        return False
    return largest_difference(a, b) <= ROUNDING * max(1.0, float(b.detach().abs().max()) / 10)  # logits may be large


def agrees(t: Trial, e: Expected, layers: Sequence[Layer], value: Tensor, trace: Trace, *, train: bool) -> Form | None:
    """The right form that gives what came, in one order of the channels or the other; None if none does."""
    norms = [op for layer in layers for op in layer.norms]
    if any(op.kind != "norm" for op in norms):
        return None
    forms = [replace(e.right, join=j, flips=f) for j in ("x skip", "skip x") for f in _flips(e, trace, train)]
    if not train:
        forms.append(replace(joined(t, e), batch=True))
    for form in forms:
        if not near(value, e.replay(e.inputs, layers, form, train)):
            continue
        if form.join == "skip x":
            t.advise(SKIP_FIRST)
        if not train and any(form.batch or op.training or op.running is None for op in norms):
            t.advise(BATCH_IN_EVAL)
        return form
    return None


def _flips(e: Expected, trace: Trace, train: bool) -> Iterable[tuple[int, ...]]:
    """Which masks may be the other way round: a mask by hand keeps either the small numbers or the large ones."""
    if not (train and e.drops and trace.of("draw")):
        return [()]
    blocks = [i for i in range(3) if i < sum(piece.up for piece in e.pieces)]
    return [chosen for n in range(len(blocks) + 1) for chosen in combinations(blocks, n)]


def joined(t: Trial, e: Expected) -> Form:
    """The right form, with the order of channels that this learner has."""
    return replace(e.right, join="skip x") if SKIP_FIRST in t.advice else e.right


def complete(own: Iterable[nn.Parameter], trace: Trace, pieces: Sequence[Piece]) -> tuple[list[Layer], bool]:
    """The layers with what was not seen: a bias that is added by hand, a norm written by hand.

    Args:
        own: the network's parameters.

    Returns:
        The layers, and whether a norm was taken to have scale 1 and shift 0 because it was not seen.
    """
    used = {id(x) for op in trace.ops for x in (op.weight, op.bias)}
    free = [p for p in own if id(p) not in used]
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


def only_in_training(e: Expected, layers: Sequence[Layer], value: Tensor, before: Trace, trace: Trace) -> Piece | None:
    """The first block whose norm was seen in training, where what came in eval mode is what comes without it."""
    bare = [Layer(layer.conv, seen.norms) for layer, seen in zip(layers, trace.layers(), strict=True)]
    gone = [
        piece
        for piece, then, now in zip(e.pieces, before.layers(), bare, strict=True)
        if piece.norm and then.norms and not now.norms
    ]
    for join in ("x skip", "skip x"):
        if gone and near(value, e.replay(e.inputs, bare, replace(e.right, join=join), False)):
            return gone[0]
    return None


def named(e: Expected, layers: Sequence[Layer], value: Tensor, trace: Trace, train: bool) -> str | None:
    """The one known mistake that gives what came, to the last digit."""
    found = set()
    mistakes = [*e.mistakes, *((RATE.format(p), (Form(p=p),)) for p in {op.p for op in trace.of("drop")} - {0.5})]
    flips: list[tuple[int, ...]] = [()]
    if trace.of("draw"):
        mistakes += hand_mistakes() if e.drops and train else ()
        flips.append(tuple(range(len(e.pieces))))
    for cause, forms in mistakes:
        for form in (replace(form, flips=f) for form in forms for f in flips):
            joins = (form.join,) if form.join != RIGHT.join else ("x skip", "skip x")
            for join in joins:
                try:
                    like = e.replay(e.inputs, layers, replace(form, join=join), train)
                except RuntimeError:  # "x x" where x and skip have other channels
                    continue
                if near(value, like):
                    found.add(cause)
    return found.pop() if len(found) == 1 else None
