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
from torch import Tensor

from p2plib.checks import layout
from p2plib.checks.agreement import ROUNDING, agrees, complete, joined, named, near, only_in_training
from p2plib.checks.chance import dropped, mask_by_hand, unseen_mask
from p2plib.checks.compare import Unlike, describe, dtype, require_tensor, shape, span
from p2plib.checks.networks import Expected, Made, come_back, forward, make, parameters
from p2plib.checks.outcome import Status
from p2plib.checks.replay import Form
from p2plib.checks.traced import WHOLE_CHANNELS, Layer, Trace, stored_in_lists
from p2plib.checks.trial import Stop, Trial

CUT = "Is there a `detach()`, a `.data` or a `no_grad()` in `forward`?"


def examine(t: Trial, e: Expected) -> None:
    """Make one network and end the trial at the first thing that is wrong with it."""
    try:
        _examine(t, e)
    except Stop as stop:
        if stop.status is Status.WRONG:
            stop.cause = _default(t, e) or stop.cause
        raise


def _examine(t: Trial, e: Expected) -> None:
    net = make(t, e)
    said = list(t.said)
    value, trace = forward(t, e, net, train=True)
    _shape(t, e, value, trace)
    _late(t, e, net)
    _count(t, e, net, trace)
    loose = _values(t, e, net, value, trace)
    _gradients(t, e, net, loose)
    value, in_eval = forward(t, e, net, train=False)
    _values(t, e, net, value, in_eval, before=trace)
    _state(t, e, net)
    t.said[:] = said


def _default(t: Trial, e: Expected) -> str | None:
    """The option whose default is at fault: where it is written out, the network is right."""
    said, advice, details = list(t.said), list(t.advice), t.details
    at_fault = []
    for name, value in e.defaults.items():
        if name not in e.named:
            try:
                _examine(t, replace(e, named={**e.named, name: value}))
                at_fault.append(f"With `{name}={value}` written out it is right. Is the default of `{name}` {value}?")
            except Stop:
                pass
    t.said[:], t.advice[:], t.details = said, advice, details
    return at_fault[0] if len(at_fault) == 1 else None


def _late(t: Trial, e: Expected, net: Made) -> None:
    """Parameters that the first call has made come too late for an optimizer."""
    late = [name for name in parameters(t, e, net.net) if name not in net.own]
    found = (
        f"`{e.call}` has no `{late[0] if late else ''}` before its first call: an optimizer made before it misses it"
    )
    t.require(not late, found, "Layers are made in `forward`. Should `__init__` make them?")


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


def _count(t: Trial, e: Expected, net: Made, trace: Trace) -> None:
    came, right = sum(p.numel() for p in net.own.values()), layout.count(e.pieces)
    if came == right:
        t.right(f"so is the number of parameters, {right:,}")
        return
    finding = layout.otherwise(
        net.own.values(),
        trace,
        e.pieces,
        lists=lambda: t.attempt(stored_in_lists, net.net).value or [],
        anew=lambda: _anew(t, e, net, trace),
    )
    found = f"`{e.call}` has {came:,} parameters; expected were {right:,}"
    if finding is None:
        unused = _unused(net, trace)
        t.wrong(found, f"What is `{unused[0]}` for? No convolution and no norm uses it." if unused else None)
    fact, cause = finding
    t.wrong(f"{found}: {fact}", cause or _other(e, trace))


def _unused(net: Made, trace: Trace) -> list[str]:
    """Parameters that nothing uses, where all that runs was seen."""
    used = {id(x) for op in trace.ops for x in (op.weight, op.bias)}
    if not used & {id(p) for p in net.own.values()}:
        return []
    return [name for name, p in net.own.items() if id(p) not in used]


def _anew(t: Trial, e: Expected, net: Made, trace: Trace) -> bool:
    """Does another call use other weights, all of them?"""
    _, again = forward(t, e, net, train=True, trace=Trace(free=True))
    first, second = ([layer.conv.weight for layer in x.layers()] for x in (trace, again))
    return len(first) == len(second) and all(
        a is not None and b is not None and not torch.equal(a, b) for a, b in zip(first, second, strict=True)
    )


def _values(t: Trial, e: Expected, net: Made, value: Tensor, trace: Trace, before: Trace | None = None) -> bool:
    """Compare with what the learner's own weights should give.  True where that could not be told.

    Args:
        before: what was seen in training, for eval mode.
    """
    layers, train = trace.layers(), before is None
    if not layout.seen(layers, e.pieces):
        finding = layout.norms(layers, e.pieces) if len(layers) == len(e.pieces) else None
        if finding:
            t.wrong(*finding)
        _unseen(t, e, net, value, train)
        return True
    whole, guessed = complete(net.own.values(), trace, e.pieces)
    if before:
        _norms_stay(t, e, whole, value, before, trace)
    if agrees(t, e, whole, value, trace, train=train):
        return False
    cause = None
    if trace.of(*WHOLE_CHANNELS):
        cause = "It does not drop single values. Is `nn.Dropout` meant?" if train and e.drops else None
    elif unseen_mask(t, e, net, value, whole, trace, train=train):
        return True
    cause = cause or named(e, whole, value, trace, train)
    if cause is None and train and not e.drops and dropped(trace):
        cause = "A dropout runs. Was one asked for here?"
    if cause is None and not train and trace.of(*WHOLE_CHANNELS):
        cause = "It drops out in eval mode, too. Where does `self.training` come in?"
    if cause is None and train and mask_by_hand(t, e, net, whole, trace):
        return True
    if cause is None and guessed:
        _unseen(t, e, net, value, train)
        return True
    finding = layout.norms(layers, e.pieces) if cause is None and not guessed else None
    _differ(t, e, value, e.replay(e.inputs, whole, joined(t, e), train), train, finding[1] if finding else cause)
    return True


def _norms_stay(t: Trial, e: Expected, layers: Sequence[Layer], value: Tensor, before: Trace, trace: Trace) -> None:
    """End the trial if a norm was seen in training and what came in eval mode is what comes without it."""
    gone = only_in_training(e, layers, value, before, trace) if layout.seen(before.layers(), e.pieces) else None
    if gone:
        found = f"`{e.call}` in eval mode: the norm of {gone.name} is left out; in training it runs"
        t.wrong(found, "A norm belongs into both modes. Is it called under `if self.training`?")


def _differ(t: Trial, e: Expected, value: Tensor, expected: Tensor, train: bool, cause: str | None) -> None:
    try:
        require_tensor(value, expected, "the output", ROUNDING)
    except Unlike as unlike:
        mode = "" if train else " in eval mode"
        t.wrong(f"`{e.call}`{mode}: {unlike.found}", cause)


def _unseen(t: Trial, e: Expected, net: Made, value: Tensor, train: bool) -> None:
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
        x, act = e.inputs[0], {0.2: "LeakyReLU(0.2)", 0.0: "ReLU"}.get(e.slope, "no activation")
        down, size, none = (forward(t, e, net, train=train, inputs=(y,))[0] for y in (-x, x.abs(), 0 * x))
        t.require(  # without norm a block is linear on either side of 0
            near(value + down - 2 * none, (1 - e.slope) * (size - none)),
            f"`{e.call}`: with -x in place of x the output should change as {act} has it, and does not",
            "What happens to numbers below 0, and when?",
        )


def _gradients(t: Trial, e: Expected, net: Made, loose: bool) -> None:
    """A second call, with other inputs: every one of them and every parameter gets a gradient, and the right one."""
    frozen = [name for name, p in net.own.items() if not p.requires_grad]
    t.require(not frozen, f"`{frozen[0] if frozen else ''}` has `requires_grad=False`: it would not be trained")
    inputs = [x.flip(0, 2).requires_grad_() for x in e.inputs]
    e = replace(e, inputs=tuple(inputs))
    before = _lengths(t, net)
    out, trace = forward(t, e, net, train=True)
    form: Form | None = None
    layers: list[Layer] = []
    if not loose:
        layers, _ = complete(net.own.values(), trace, e.pieces)
        with torch.no_grad():
            form = agrees(t, e, layers, out, trace, train=True)
        t.require(
            form is not None, "a second call, with another input, does not give what it should", _grown(t, net, before)
        )
        t.right(f"what `{e.call}` gives is right")
    t.require(out.requires_grad, "its output has no gradient: nothing would be trained", CUT)
    weights = t.normal(*out.shape, dtype=torch.float32)
    of = [*inputs, *net.own.values()]
    ran = t.attempt(torch.autograd.grad, (out * weights).sum(), of, allow_unused=True)
    come_back(t, ran, "the gradient", (), trace, e.call)
    for name, gradient in zip(e.names, ran.value, strict=False):
        t.require(gradient is not None, f"no gradient reaches `{name}`", None if loose else CUT)
    for (name, parameter), gradient in zip(net.own.items(), ran.value[len(inputs) :], strict=True):
        if gradient is None:
            unused = f"Nothing that it gives reaches the output: is `{name}` used in `forward`?"
            t.wrong(f"`{name}` gets no gradient", CUT if _matters(t, e, net, parameter) else unused)
    if form is not None:
        _input_gradients(t, e, weights, ran.value[: len(inputs)], layers, form)


def _matters(t: Trial, e: Expected, net: Made, parameter: Tensor) -> bool:
    """Is the output another when this parameter is?"""
    values = []
    for _ in range(2):
        values.append(forward(t, e, net, train=False)[0])
        with torch.no_grad():
            parameter += 1
    return not near(*values)


def _input_gradients(
    t: Trial, e: Expected, weights: Tensor, came: Sequence[Tensor], layers: Sequence[Layer], right: Form
) -> None:
    """The gradient at the inputs is the right one: nothing was cut off on one way of several."""

    def alike(form: Form) -> bool:
        inputs = [x.clone().requires_grad_() for x in e.inputs]
        out = e.replay(inputs, layers, form, True)
        expected = torch.autograd.grad((out * weights).sum(), inputs)
        # Where an activation is all but 0, rounding decides which slope it has: a few values may differ.
        return all(float((a - b).norm()) <= 0.02 * float(b.norm()) for a, b in zip(came, expected, strict=True))

    if alike(right):
        return
    where = {"skip": "the skips", "x": "what comes up from the bottleneck"}
    cuts = [words for cut, words in where.items() if len(e.pieces) > 2 and alike(replace(right, cut=cut))]
    cause = f"Are {cuts[0]} cut off, by a `detach()` or a `no_grad()`?" if len(cuts) == 1 else None
    t.wrong("the gradient that reaches the input is another than it should be", cause)


def _grown(t: Trial, net: Made, before: dict[str, int]) -> str | None:
    """A list of the network's that a call has made longer."""
    grown = [name for name, length in _lengths(t, net).items() if length > before.get(name, 0)]
    return f"`self.{grown[0]}` grows with every call. Is it emptied when `forward` begins?" if grown else None


def _lengths(t: Trial, net: Made) -> dict[str, int]:
    """How long the lists are that a network keeps."""

    def measured() -> dict[str, int]:
        named = (item for module in net.net.modules() for item in vars(module).items())
        return {name: len(value) for name, value in named if isinstance(value, list | dict) and name[:1] != "_"}

    return t.attempt(measured).value or {}


def _state(t: Trial, e: Expected, net: Made) -> None:
    """The same again in eval mode, where nothing is random and nothing may be kept."""
    before = _lengths(t, net)
    first, second = (forward(t, e, net, train=False, trace=Trace(free=True))[0] for _ in range(2))
    found = "a second call with the same input in eval mode gives something else"
    t.require(near(first, second), found, _grown(t, net, before))
