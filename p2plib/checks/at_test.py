"""Exercise 6.3: the generator at test time, with dropout and the statistics of the batch, and left as it came."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from p2plib.checks.causes import explained
from p2plib.checks.compare import Unlike, largest_difference, require_tensor
from p2plib.checks.net_left import require_as_it_came, state_of
from p2plib.checks.step_witness import Notes
from p2plib.checks.trial import Trial

#: What rounding may make of it.
TOLERANCE = 2e-6


class WatchedGenerator(nn.Module):
    """(B, C, H, W) → (B, D, H, W) in (-1, 1): two norms, whose averages are far from any picture's, and a dropout.

    Each pass through the dropout is noted in `masks`, also in copies: what it left, times 2; None where it was off.
    """

    def __init__(self, t: Trial, channels: tuple[int, int]) -> None:
        super().__init__()
        self.down = nn.Conv2d(channels[0], 4, 4, 2, 1)
        self.outer_norm = nn.BatchNorm2d(4)
        self.dropout = nn.Dropout(0.5)
        self.inner_norm = nn.BatchNorm2d(4)
        self.up = nn.ConvTranspose2d(4, channels[1], 4, 2, 1)
        self.masks, self.sizes = Notes(), Notes()
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(0.2 * t.normal(*parameter.shape, dtype=torch.float32) + (parameter.dim() == 1))
            for norm in (self.outer_norm, self.inner_norm):
                norm.running_mean.copy_(t.uniform(4, low=0.5, high=1.5, dtype=torch.float32))  # type: ignore[union-attr]
                norm.running_var.copy_(t.uniform(4, low=2.0, high=4.0, dtype=torch.float32))  # type: ignore[union-attr]

    def forward(self, x: Tensor) -> Tensor:
        """Draw."""
        y = self.outer_norm(self.down(x))
        dropped = self.dropout(torch.ones_like(y))
        self.masks.append(dropped.detach().clone() if self.dropout.training else None)
        self.sizes.append(len(x))
        return self.drawn(self.inner_norm(y * dropped))

    def drawn(self, y: Tensor) -> Tensor:
        """The last layer."""
        return torch.tanh(self.up(torch.relu(y)))

    @torch.no_grad()
    def replayed(self, x: Tensor, mask: Tensor | None, averages: bool) -> Tensor:
        """The output for this noise, with the averages of training or the statistics of this batch."""
        net = copy.deepcopy(self)
        y = net.outer_norm.train(not averages)(net.down(x))
        return net.drawn(net.inner_norm.train(not averages)(y if mask is None else y * mask))


# --- known mistakes ---------------------------------------------------------------------------------

EVAL = (
    "This is what eval mode gives: no dropout, and the averages met in training. At test time the paper keeps both as "
    "in training. Is there an `eval()`, or is it left in the mode in which it came?"
)
NO_DROPOUT = "The statistics are those of the batch, but dropout is off. Is it not the paper's only noise?"
AVERAGES = (
    "Dropout is on, but the norms take the averages met in training. Are they in train mode, so that they take the "
    "statistics of this batch?"
)
SCALES: tuple[tuple[str, tuple[Callable[[Tensor], Tensor], ...]], ...] = (
    (
        "The output is moved to 0 … 1. Its range is that of the tanh, -1 to 1: does showing it belong here?",
        (lambda x: (x + 1) / 2, lambda x: ((x + 1) / 2).clamp(0, 1)),
    ),
    (
        "The output is moved to 0 … 255. Its range is that of the tanh, -1 to 1: does storing it belong here?",
        (lambda x: (x + 1) * 127.5, lambda x: ((x + 1) * 127.5).round(), lambda x: ((x + 1) * 127.5).floor()),
    ),
    ("The output is cut off at 0. Its range is that of the tanh, -1 to 1: is there a `clamp`?",
     (lambda x: x.clamp(0, 1), lambda x: x.clamp(min=0))),
    ("There is a `tanh` on the output. Does the generator not end with one?", (torch.tanh,)),
    ("There is a sigmoid on the output. Does it belong here?", (torch.sigmoid,)),
)  # fmt: skip
ONE_BY_ONE = "Each picture is drawn by itself. Are the statistics not those of the batch that came in?"
ATTACHED = "Is it drawn under `torch.no_grad()`? Nothing is learned here, and the graph takes memory."
CRASHES = {
    "Only Tensors created explicitly by the user": "A copy of a tensor that knows how it was made is not possible. Is "
    "it the generator that should be copied?",
}


# --- the check --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Arrival:
    """How the generator comes in: which of its parts are in train mode."""

    words: str
    training: Callable[[str], bool]


ARRIVALS = (
    Arrival("in train mode", lambda name: True),
    Arrival("in eval mode", lambda name: False),
    Arrival("in train mode, a norm of it in eval mode", lambda name: name != "inner_norm"),
    Arrival("in eval mode, its dropout in train mode", lambda name: name == "dropout"),
)


@torch.enable_grad()  # whatever was switched off before
def check_translate(t: Trial) -> None:
    """It comes in train mode, in eval mode, and in both; a batch of pictures, and one."""
    shapes = ((2, 3, 8, 12), (3, 2, 6, 10), (1, 3, 12, 8), (2, 1, 8, 8))
    for arrival, shape in zip(ARRIVALS, shapes, strict=True):
        t.said.clear()
        net = WatchedGenerator(t, (shape[1], 2 + t.integer(0, 1)))
        _examine(t, arrival, net, t.uniform(*shape, dtype=torch.float32))


def _examine(t: Trial, arrival: Arrival, net: WatchedGenerator, input: Tensor) -> None:
    for name, module in net.named_modules():
        module.training = arrival.training(name)
    for number, parameter in enumerate(net.parameters()):
        parameter.requires_grad_(number != 1)  # a part that was frozen stays frozen
    given = copy.deepcopy(net)
    given.masks, given.sizes = Notes(), Notes()
    before = state_of(given)
    with explained(CRASHES):
        value = t.call(given, input.clone())
    _output(t, arrival, net, given, input, value)
    t.right(f"the output of a generator that comes {arrival.words} is right")
    t.require(not value.requires_grad, "the output still holds on to its graph", ATTACHED)
    require_as_it_came(t, given, before)


def _output(
    t: Trial, arrival: Arrival, net: WatchedGenerator, given: WatchedGenerator, input: Tensor, value: Any
) -> None:
    when = f"where the generator comes {arrival.words}, "
    t.require(bool(given.masks), "the generator was never asked", "Where does `generator` come in?")
    mask = given.masks[-1]
    if given.sizes[-1] != len(input):
        t.require(given.sizes[-1] != 1, f"the generator was given one picture of {len(input)} at a time", ONE_BY_ONE)
        t.wrong(f"the generator was given a batch of {given.sizes[-1]}; {len(input)} pictures came in")
    right = net.replayed(input, mask, averages=False)
    if mask is not None and isinstance(value, Tensor) and _same(value, right):
        return
    cause = _cause(net, input, mask, value)
    try:
        require_tensor(value, right, "the output", TOLERANCE)
    except Unlike as unlike:
        t.said += unlike.right
        t.wrong(f"{when}{unlike.found}", cause)
    t.wrong(f"{when}dropout is off when it draws", cause)


def _same(a: Tensor, b: Tensor) -> bool:
    return a.shape == b.shape and a.dtype == b.dtype and largest_difference(a, b) <= TOLERANCE


def _cause(net: WatchedGenerator, input: Tensor, mask: Tensor | None, value: Any) -> str | None:
    """The one known mistake that gives this output."""
    if not isinstance(value, Tensor):
        return None
    by_mode = {True: EVAL, False: NO_DROPOUT} if mask is None else {True: AVERAGES}
    for averages, cause in by_mode.items():
        if _same(value, net.replayed(input, mask, averages)):
            return cause
    right = net.replayed(input, mask, averages=False)
    for cause, changes in SCALES:
        for change in changes:
            made = change(right).to(value.dtype)
            if value.shape == made.shape and largest_difference(value, made) <= (1e-3 if made.max() > 2 else TOLERANCE):
                return cause
    return None
