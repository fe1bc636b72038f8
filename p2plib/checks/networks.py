"""Networks of a learner's: made and run, so that what goes wrong on the way is told with its cause."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import torch
from torch import Tensor, nn

from p2plib.checks.compare import describe
from p2plib.checks.layout import Piece
from p2plib.checks.outcome import Status
from p2plib.checks.replay import RIGHT, Form
from p2plib.checks.traced import Layer, Trace, Unfilled, look
from p2plib.checks.trial import Stop, Trial

#: More parameters than any network here has; `parameters()` may have no end.
MOST = 10_000
#: Known mistakes: the question, and the forms that give the same.
Mistakes = Sequence[tuple[str, Sequence[Form]]]
#: (inputs, layers, form, training) → output.
Replay = Callable[[Sequence[Tensor], Sequence[Layer], Form, bool], Tensor]


@dataclass(frozen=True)
class Expected:
    """What one network should be, and what it is tried with.

    Args:
        call: how it is made, `DownBlock(3, 5)`.
        arguments, named: the same, to be handed over.
        pieces: its convolutions.
        inputs: what it is given, and `names` what these are called.
        outcome: the shape of what comes out.
        replay: works out what comes out.
        mistakes: known ones.
        drops: has it dropout?
        slope: of the activation below 0, for a block without norm whose convolution was not seen; 1 for none.
        hint: a cause for another number of convolutions.
        right: the form that is right.
        logits: has a net's output no bounds?  Otherwise it lies in [-1, 1].
        why_shape: a cause for what came in another shape, if it is certain.
        defaults: of the options, where each can be written out.
    """

    call: str
    arguments: tuple[Any, ...]
    named: dict[str, Any]
    pieces: list[Piece]
    inputs: tuple[Tensor, ...]
    names: tuple[str, ...]
    outcome: tuple[int, ...]
    replay: Replay
    mistakes: Mistakes
    drops: bool = False
    slope: float | None = None
    hint: str | None = None
    right: Form = RIGHT
    logits: bool = False
    why_shape: Callable[[Expected, Tensor], str | None] | None = None
    defaults: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Made:
    """A network of the learner's.

    Args:
        net: the network.
        own: its parameters, by name.  Asked for once: `parameters()` may be the learner's own code.
    """

    net: nn.Module
    own: dict[str, nn.Parameter]


def call_form(name: str, arguments: tuple[Any, ...], named: dict[str, Any]) -> str:
    """DownBlock(3, 5, norm=False)."""
    return f"{name}({', '.join([*map(str, arguments), *(f'{k}={v}' for k, v in named.items())])})"


def build(t: Trial, call: str, *arguments: Any, **named: Any) -> nn.Module:
    """A network of the learner's class, or of a function that stands in for it."""
    answer = t.answers[0]
    if isinstance(answer, nn.Module):
        name = t.exercise.parts[0].name
        t.wrong(f"expected was the class `{name}`; an object made from it came", "Are there parentheses after it?")
    ran = t.attempt(answer, *arguments, **named)
    come_back(t, ran, f"`{call}`", (), Trace(), call)
    net = ran.value
    if not isinstance(net, nn.Module):
        t.wrong(f"`{call}` gives {describe(net)}; expected was an `nn.Module`, which knows its parameters")
    if type(net).forward is nn.Module.forward and "forward" not in vars(net):
        t.wrong(
            f"`{type(net).__name__}` has no `forward`",
            "Does `def forward` stand inside of the class, indented as `__init__` is?",
        )
    return net


def default_count(t: Trial, name: str, right: int) -> None:
    """Count at the defaults, without memory for the weights; where that fails there is nothing to say."""

    def made() -> int:
        with torch.device("meta"), Unfilled():
            return sum(p.numel() for p in t.answers[0]().parameters())

    ran = t.attempt(made)
    if isinstance(ran.error, TypeError):
        come_back(t, ran, f"`{name}()`", (), Trace(), f"{name}()")
    if isinstance(ran.value, int):
        t.require(ran.value == right, f"`{name}()` has {ran.value:,} parameters; expected were {right:,}",
                  "Are the defaults those that were asked for?")  # fmt: skip


def make(t: Trial, e: Expected) -> Made:
    """The network that is expected, with large weights, with which a tanh or a slope can be seen in the output."""
    net = build(t, e.call, *e.arguments, **e.named)
    made = Made(net, {})
    if "_parameters" not in vars(net):  # without super().__init__(): its first call says so
        return made
    made.own = parameters(t, e, net)
    if any(isinstance(p, nn.UninitializedParameter) for p in made.own.values()):
        forward(t, e, made, train=True)  # PyTorch's lazy layers take their shapes from the first call
    ran = t.attempt(_fill, [(p, 0.25 * t.normal(*p.shape, dtype=torch.float32)) for p in _weights(made)])
    come_back(t, ran, f"`{e.call}`", (), Trace(), e.call)
    return made


def _weights(made: Made) -> list[nn.Parameter]:
    return [p for p in made.own.values() if not isinstance(p, nn.UninitializedParameter) and p.dim() > 1]


def _fill(pairs: Sequence[tuple[nn.Parameter, Tensor]]) -> bool:
    with torch.no_grad():
        for parameter, values in pairs:
            parameter.copy_(values)
    return True


def parameters(t: Trial, e: Expected, net: nn.Module) -> dict[str, nn.Parameter]:
    """Those that `parameters()` gives, as an optimizer would get them, with their names where these are known."""

    def listed() -> dict[str, nn.Parameter]:
        names = {id(p): name for name, p in islice(net.named_parameters(), MOST)}
        own = {id(p): p for p in islice(net.parameters(), MOST)}
        return {names.get(i, f"parameter {n}"): p for n, (i, p) in enumerate(own.items())}

    ran = t.attempt(listed)
    come_back(t, ran, f"`parameters()` of `{e.call}`", (), Trace(), e.call)
    found: dict[str, nn.Parameter] = ran.value
    return found


def forward(
    t: Trial, e: Expected, made: Made, *, train: bool, inputs: Any = None, trace: Trace | None = None
) -> tuple[Any, Trace]:
    """What the network gives for its inputs, and what was seen on the way."""
    inputs = e.inputs if inputs is None else inputs
    given = [x.clone() for x in inputs]
    trace = trace or Trace()
    ran = t.attempt(_in_mode, trace, made.net, train, *given)
    come_back(t, ran, f"`forward` of `{e.call}`", given, trace, e.call, e)
    t.require_unchanged(inputs, given, e.names)
    return ran.value, trace


def _in_mode(trace: Trace, net: nn.Module, train: bool, *inputs: Tensor) -> Any:
    if "_parameters" in vars(net):
        net.train(train)
    return look(trace, net, *inputs)


def come_back(
    t: Trial, ran: Any, what: str, given: Sequence[Any], trace: Trace, call: str, e: Expected | None = None
) -> None:
    """End the trial unless it returned; some errors have a cause that is certain here."""
    try:
        t.require_return(ran, what, given)
    except Stop as stop:
        if stop.status is Status.CRASHED:
            stop.cause = _crash_cause(ran.error, trace, e) or stop.cause
            stop.message += f" This was `{call}`."
        raise


def _crash_cause(error: BaseException, trace: Trace, e: Expected | None) -> str | None:
    words = str(error)
    unborn = (".__init__() call", "'_backward_hooks'", "'_forward_hooks'", "'_modules'", "'_parameters'")
    if isinstance(error, AttributeError) and any(u in words for u in unborn):
        return "Does `__init__` begin with `super().__init__()`?"
    if e is None:
        return None
    if isinstance(error, TypeError) and "forward()" in words:
        return f"It is called with {' and '.join(f'`{name}`' for name in e.names)}: does `forward` take that?"
    by_sizes = _why_sizes(trace, e) if isinstance(error, RuntimeError) and trace.ops else None
    return by_sizes or _why_message(words, e)


#: Words of an error that mean one thing only, in a block that takes a skip.
WITH_SKIP = {
    "Boolean value of Tensor with more than one value": "`if skip` asks whether its numbers are true. "
    "Is `if skip is not None` meant?",
    "but got NoneType": "The first up block has no skip. What is concatenated when `skip` is `None`?",
    "input to conv_transpose2d, but got input of size": "`torch.stack` makes a new dimension. Is `torch.cat` meant, "
    "which joins along one that is there?",
}
#: The same in a network of several levels.
IN_NET = {
    "Sizes of tensors must match except in dimension 1": "Two maps of different sides are to be concatenated. "
    "Draw the U and write the side at each block: which skip has the side of what comes up?",
    "Kernel size can't be greater than actual input size": "There is nothing left to halve. Are there as many down "
    "blocks as the depth says?",
}


def _why_message(words: str, e: Expected) -> str | None:
    known = IN_NET if len(e.pieces) > 2 else WITH_SKIP if len(e.names) > 1 else {}
    for part, cause in known.items():
        if part in words:
            return cause
    channels = re.search(r"to have (\d+) channels, but got (\d+) channels", words)
    if channels and len(e.pieces) > 2 and not e.logits:
        return (
            f"A block that is made for {channels[1]} channels is given {channels[2]}. Do its `in_channels` count "
            "what comes up and the skip, where it gets one?"
        )
    return None


def _why_sizes(trace: Trace, e: Expected) -> str | None:
    """Channels that do not fit: what was joined, and what the convolution that failed is made for."""
    along = [op.dim for op in trace.of("cat") if op.dim not in (1, -3)]
    if along:
        return f"It is concatenated along dimension {along[0]}. Which dimension of (B, C, H, W) are the channels?"
    last, layers = trace.ops[-1].kind, trace.layers()
    if last == "linear":
        return "`nn.Linear` is made for one size of picture. Is a convolution meant, which takes any?"
    takes_skips = len(e.names) > 1 or len(e.pieces) > 2
    if takes_skips and trace.of("add") and not trace.of("cat") and last in ("add", "up"):
        return "The skip is added to what comes up. Are the two concatenated here?"
    if len(e.pieces) > 1 and len(layers) == 1 and layers[0].channels[0] != e.pieces[0].inside:
        made = layers[0].channels[0]
        return f"The first convolution is made for {made} channels. Where does `in_channels` come in?"
    if len(e.pieces) > 1 or not layers or last not in ("conv", "up"):
        return None
    (inside, outside), piece = layers[0].channels, e.pieces[0]
    if (inside, outside) == (piece.outside, piece.inside) != (outside, inside):
        return "Have `in_channels` and `out_channels` changed places?"
    if len(e.names) > 1 and inside == 2 * piece.inside:
        return "`in_channels` counts `x` and `skip` together. Is it doubled once more?"
    if len(e.names) > 1 and inside == piece.inside:
        if any(op.twice for op in trace.of("cat")):
            return "A tensor is concatenated with itself. Are `x` and `skip` meant?"
        return (
            None if trace.of("cat") else "The convolution is made for `x` and `skip` together. Are they concatenated?"
        )
    return None
