"""A learner's network judged by what it does: shape, parameters, values, gradients, state.

The values are compared with those that the library's own arrangement gives with the learner's own weights, which
a `Trace` has seen.  Where a network does not show its convolutions to torch, nothing is said about its values
that is not certain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from p2plib.checks import layout
from p2plib.checks.agreement import ROUNDING, agrees, complete, joined, named, near
from p2plib.checks.compare import Unlike, describe, dtype, require_tensor, shape, span
from p2plib.checks.networks import Expected, build, come_back, forward, redraw
from p2plib.checks.replay import Form
from p2plib.checks.traced import WHOLE_CHANNELS, Layer, Trace
from p2plib.checks.trial import Trial

CUT = "Is there a `detach()`, a `.data` or a `no_grad()` in `forward`?"


def examine(t: Trial, e: Expected) -> None:
    """Make one network and end the trial at the first thing that is wrong with it."""
    net = build(t, e.call, *e.arguments, **e.named)
    redraw(t, net)
    said = list(t.said)
    value, trace = forward(t, e, net, train=True)
    _shape(t, e, value, trace)
    _count(t, e, net, trace)
    loose = _values(t, e, net, value, trace, train=True)
    _gradients(t, e, net, loose)
    value, trace = forward(t, e, net, train=False)
    _values(t, e, net, value, trace, train=False)
    _state(t, e, net, value)
    t.said[:] = said


def _shape(t: Trial, e: Expected, value: Any, trace: Trace) -> None:
    if not isinstance(value, Tensor):
        t.wrong(f"`forward` of `{e.call}` returns {describe(value)}; expected was a tensor")
    if tuple(value.shape) != e.outcome:
        fact, cause = layout.shaped(trace, e.pieces) or (None, None)
        found = f"`{e.call}` turns {shape(e.inputs[0])} into {shape(value)}; expected was {e.outcome}"
        cause = (e.why_shape and e.why_shape(e, value)) or cause or _other(e, trace)
        t.wrong("; ".join(filter(None, (found, fact))), cause)
    t.right(f"the shape of what `{e.call}` returns is right, {e.outcome}")
    if value.dtype != torch.float32:
        t.wrong(f"its dtype is {dtype(value)}; expected was float32, as it came in")


def _other(e: Expected, trace: Trace) -> str | None:
    """The cause of another number of convolutions, if there is one."""
    layers = trace.layers()
    return e.hint if layers and len(layers) != len(e.pieces) else None


def _count(t: Trial, e: Expected, net: nn.Module, trace: Trace) -> None:
    came, right = sum(p.numel() for p in net.parameters()), layout.count(e.pieces)
    if came == right:
        t.right(f"so is the number of parameters, {right:,}")
        return
    finding = layout.otherwise(net, trace, e.pieces, lambda: _anew(t, e, net, trace))
    found = f"`{e.call}` has {came:,} parameters; expected were {right:,}"
    if finding is None:
        unused = _unused(net, trace)
        t.wrong(found, f"What is `{unused[0]}` for? No convolution and no norm uses it." if unused else None)
    fact, cause = finding
    t.wrong(f"{found}: {fact}", cause or _other(e, trace))


def _unused(net: nn.Module, trace: Trace) -> list[str]:
    """Parameters that nothing uses, where all that runs was seen."""
    used = {id(x) for op in trace.ops for x in (op.weight, op.bias)}
    if not used & {id(p) for p in net.parameters()}:
        return []
    return [name for name, p in net.named_parameters() if id(p) not in used]


def _anew(t: Trial, e: Expected, net: nn.Module, trace: Trace) -> bool:
    """Does another call use other weights, all of them?"""
    _, again = forward(t, e, net, train=True)
    first, second = ([layer.conv.weight for layer in x.layers()] for x in (trace, again))
    return len(first) == len(second) and all(
        a is not None and b is not None and not torch.equal(a, b) for a, b in zip(first, second, strict=True)
    )


def _values(t: Trial, e: Expected, net: nn.Module, value: Tensor, trace: Trace, *, train: bool) -> bool:
    """Compare with what the learner's own weights should give.  True where that could not be told."""
    layers = trace.layers()
    if not layout.seen(layers, e.pieces):
        finding = layout.norms(layers, e.pieces) if len(layers) == len(e.pieces) else None
        if finding:
            t.wrong(*finding)
        _unseen(t, e, net, value, train)
        return True
    whole, guessed = complete(net, trace, e.pieces)
    if agrees(t, e, whole, value, train):
        return False
    by_hand = e.drops and not near(forward(t, e, net, train=train)[0], value)  # all that torch drops is the same again
    if by_hand and train and not trace.of(*WHOLE_CHANNELS) and _drops_by_hand(t, e, net, whole):
        return True
    cause = None if by_hand else named(e, whole, value, trace, train)
    if by_hand and not train:
        cause = "It drops out in eval mode, too. Where does `self.training` come in?"
    if train and e.drops and trace.of(*WHOLE_CHANNELS):
        cause = "It does not drop single values. Is `nn.Dropout` meant?"
    dropped = [op for op in trace.of("drop") if op.training and op.p] or trace.of(*WHOLE_CHANNELS)
    if cause is None and train and not e.drops and dropped:
        cause = "A dropout runs. Was one asked for here?"
    if cause is None and guessed:
        _unseen(t, e, net, value, train)
        return True
    finding = layout.norms(layers, e.pieces) if cause is None and not guessed else None
    _differ(t, e, value, e.replay(e.inputs, whole, joined(t, e), train), train, finding[1] if finding else cause)
    return True


def _differ(t: Trial, e: Expected, value: Tensor, expected: Tensor, train: bool, cause: str | None) -> None:
    try:
        require_tensor(value, expected, "the output", ROUNDING)
    except Unlike as unlike:
        mode = "" if train else " in eval mode"
        t.wrong(f"`{e.call}`{mode}: {unlike.found}", cause)


def _drops_by_hand(t: Trial, e: Expected, net: nn.Module, layers: Sequence[Layer]) -> bool:
    """Random zeros that torch's dropout did not make: are they where they should be, and all else doubled?"""
    if len(e.pieces) > 1:
        return True  # zeros inside of a net cannot be told from outside
    values = [forward(t, e, net, train=True)[0] for _ in range(2)]
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


def _unseen(t: Trial, e: Expected, net: nn.Module, value: Tensor, train: bool) -> None:
    """What must hold whatever the convolutions are."""
    inside = bool((value.abs() <= 1).all())
    if e.logits:  # with large weights they are far from 0 on both sides; none is 0 exactly
        found = f"the output of `{e.call}` runs {span(value)}; expected were logits, of either sign and of any size"
        t.require(not inside and bool((value != 0).all()), found)
    elif len(e.pieces) > 1:
        t.require(inside, f"the output of `{e.call}` runs {span(value)}; expected was between -1 and 1")
    elif len(e.inputs) == 2:
        x, skip = e.inputs
        both = [forward(t, e, net, train=False, inputs=(x, y))[0] for y in (skip, skip.flip(2))]
        t.require(not near(*both), "the output does not change when the skip changes", "Where does `skip` come in?")
    elif e.slope is not None and not e.pieces[0].norm and not (train and e.drops):
        x = e.inputs[0]
        down, size, none = (forward(t, e, net, train=train, inputs=(y,))[0] for y in (-x, x.abs(), 0 * x))
        t.require(  # without norm a block is linear on either side of 0
            near(value + down - 2 * none, (1 - e.slope) * (size - none)),
            f"`{e.call}`: what comes out for x, for -x and for |x| do not belong together as the activation has it",
        )


def _gradients(t: Trial, e: Expected, net: nn.Module, loose: bool) -> None:
    """A second call, with other inputs: every one of them and every parameter gets a gradient, and the right one."""
    frozen = [name for name, p in net.named_parameters() if not p.requires_grad]
    t.require(not frozen, f"`{frozen[0] if frozen else ''}` has `requires_grad=False`: it would not be trained")
    inputs = [x.flip(0, 2).requires_grad_() for x in e.inputs]
    e = replace(e, inputs=tuple(inputs))
    before = _lengths(net)
    out, trace = forward(t, e, net, train=True)
    if not loose:
        layers, _ = complete(net, trace, e.pieces)
        with torch.no_grad():
            again = agrees(t, e, layers, out, train=True)
        t.require(again, "a second call, with another input, does not give what it should", _grown(net, before))
        t.right(f"what `{e.call}` gives is right")
    t.require(out.requires_grad, "its output has no gradient: nothing would be trained", CUT)
    weights = t.normal(*out.shape, dtype=torch.float32)
    parameters = dict(net.named_parameters())
    of = [*inputs, *parameters.values()]
    ran = t.attempt(torch.autograd.grad, (out * weights).sum(), of, allow_unused=True)
    come_back(t, ran, "the gradient", (), trace)
    for name, gradient in zip(e.names, ran.value, strict=False):
        t.require(gradient is not None, f"no gradient reaches `{name}`", None if loose else CUT)
    for (name, parameter), gradient in zip(parameters.items(), ran.value[len(inputs) :], strict=True):
        if gradient is None:
            unused = f"Nothing that it gives reaches the output: is `{name}` used in `forward`?"
            t.wrong(f"`{name}` gets no gradient", CUT if _matters(t, e, net, parameter) else unused)
    if not loose:
        _input_gradients(t, e, weights, ran.value[: len(inputs)], layers)


def _matters(t: Trial, e: Expected, net: nn.Module, parameter: Tensor) -> bool:
    """Is the output another when this parameter is?"""
    values = []
    for _ in range(2):
        values.append(forward(t, e, net, train=False)[0])
        with torch.no_grad():
            parameter += 1
    return not near(*values)


def _input_gradients(t: Trial, e: Expected, weights: Tensor, came: Sequence[Tensor], layers: Sequence[Layer]) -> None:
    """The gradient at the inputs is the right one: nothing was cut off on one way of several."""

    def alike(form: Form) -> bool:
        inputs = [x.clone().requires_grad_() for x in e.inputs]
        out = e.replay(inputs, layers, form, True)
        right = torch.autograd.grad((out * weights).sum(), inputs)
        # Where an activation is all but 0, rounding decides which slope it has: a few values may differ.
        return all(float((a - b).norm()) <= 0.02 * float(b.norm()) for a, b in zip(came, right, strict=True))

    if alike(joined(t, e)):
        return
    where = {"skip": "the skips", "x": "what comes up from the bottleneck"}
    cuts = [words for cut, words in where.items() if len(e.pieces) > 2 and alike(replace(joined(t, e), cut=cut))]
    cause = f"Are {cuts[0]} cut off, by a `detach()` or a `no_grad()`?" if len(cuts) == 1 else None
    t.wrong("the gradient that reaches the input is another than it should be", cause)


def _grown(net: nn.Module, before: dict[str, int]) -> str | None:
    """A list of the network's that a call has made longer."""
    grown = [name for name, length in _lengths(net).items() if length > before.get(name, 0)]
    return f"`self.{grown[0]}` grows with every call. Is it emptied when `forward` begins?" if grown else None


def _lengths(net: nn.Module) -> dict[str, int]:
    """How long the lists are that a network keeps."""
    named = (item for module in net.modules() for item in vars(module).items())
    return {name: len(value) for name, value in named if isinstance(value, list | dict) and name[:1] != "_"}


def _state(t: Trial, e: Expected, net: nn.Module, value: Tensor) -> None:
    """The same again in eval mode, where nothing is random and nothing may be kept."""
    before = _lengths(net)
    again, _ = forward(t, e, net, train=False)
    found = "a second call with the same input in eval mode gives something else"
    t.require(near(again, value), found, _grown(net, before))
