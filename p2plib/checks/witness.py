"""A small discriminator that notes what it is shown, and what a loss does with it: value, gradients, side effects.

Everything is float32, as in training: labels such as ``torch.ones(shape)`` are, and must pass.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from p2plib.checks.compare import describe, largest_difference
from p2plib.checks.trial import Trial

#: Channels that the discriminator can take: any number up to this one, so that a wrong stack is seen, not refused.
MOST_CHANNELS = 12
#: What `.grad` of its parameters holds before a call.
HELD = 0.5

#: How far logits reach: so far that a sigmoid shows, not so far that float32 loses digits of 1 − sigmoid.
USUAL = 4.0
#: Here all of them lie between 0 and 1, where `log` of them is not NaN.
UNSURE = 0.2
#: Here sigmoid is 0 or 1 in float32.
SURE = 200.0


@dataclass(frozen=True)
class Call:
    """One pass through the discriminator.

    Args:
        shown: (B, C, H, W), what it was given.
        joined: does the gradient go on to what it was given?
        recorded: was autograd on?
        training: was it in training mode?
        logits: what it gave, still joined.
    """

    shown: Tensor
    joined: bool
    recorded: bool
    training: bool
    logits: Tensor


class SmallDiscriminator(nn.Module):
    """(B, C, H, W) → logits: a map (B, 1, H/2, W/2), or one logit per picture, (B,).

    Args:
        t: draws the weights.
        norm: with a batch norm inside.  It leaves two channels alone, which tell bright from dark.
        whole: one logit per picture.
        reach: how far the logits can be from the bias, which is 0.5 to 0.7.
    """

    def __init__(self, t: Trial, *, norm: bool = True, whole: bool = False, reach: float = USUAL) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.4 * t.normal(5, MOST_CHANNELS, 4, 4, dtype=torch.float32))
        self.norm = nn.BatchNorm2d(3) if norm else nn.Identity()
        self.head = nn.Parameter(0.8 * t.normal(1, 5, 1, 1, dtype=torch.float32))
        self.bias = nn.Parameter(t.uniform(1, low=0.5, high=0.7, dtype=torch.float32))
        self.whole, self.reach = whole, reach
        self.calls: list[Call] = []

    def forward(self, x: Tensor) -> Tensor:
        """Note the call, then judge.

        Raises:
            TypeError, ValueError: for anything that is no batch of pictures.
        """
        if not isinstance(x, Tensor):
            raise TypeError(f"the discriminator takes one tensor (B, C, H, W), not {describe(x)}")
        if x.dim() != 4:
            raise ValueError(f"the discriminator takes a batch (B, C, H, W), not {describe(x)}")
        y = F.conv2d(x, self.weight[:, : x.shape[1]], stride=2, padding=1)
        y = F.leaky_relu(torch.cat([self.norm(y[:, :3]), y[:, 3:]], dim=1), 0.2)
        logits = self.bias + self.reach * torch.tanh(F.conv2d(y, self.head) / USUAL)
        logits = logits.mean((1, 2, 3)) if self.whole else logits
        self.calls.append(Call(x.detach().clone(), x.requires_grad, torch.is_grad_enabled(), self.training, logits))
        return logits


@dataclass(frozen=True)
class Scene:
    """What a loss is called with.

    Args:
        discriminator: never handed out itself; each call is given a copy.
        input, target, output: (B, C, H, W); input may have other channels.
        more: further arguments, such as (lambda_l1,).
    """

    discriminator: SmallDiscriminator
    input: Tensor
    target: Tensor
    output: Tensor
    more: tuple[float, ...] = ()


@dataclass
class Seen:
    """One call of a loss: what it was given and what came of it.

    Args:
        scene: where it was called.
        discriminator: the copy that it was given, with its `calls`.
        output: the picture that it was given, joined to `drawn` like a picture to the generator that drew it.
        drawn: a leaf, the generator's part.
        arguments: all of them, in order.
        value: what came back.
        slopes: the gradients at `drawn` and at D's parameters, once they are taken.
    """

    scene: Scene
    discriminator: SmallDiscriminator
    output: Tensor
    drawn: Tensor
    arguments: tuple[Any, ...]
    value: Any = None
    slopes: tuple[Tensor | None, ...] = ()

    @property
    def calls(self) -> list[Call]:
        """The passes through D, in order."""
        return self.discriminator.calls

    @property
    def at_output(self) -> Tensor | None:
        """The gradient at the output, after `differentiate`; None if there is none, or if it is 0 everywhere."""
        slope = self.slopes[0] if self.slopes else None
        return None if slope is None or not slope.any() else slope

    @property
    def at_parameters(self) -> tuple[Tensor | None, ...]:
        """The gradients at D's parameters, after `differentiate`."""
        return self.slopes[1:]


def scene(t: Trial, channels: tuple[int, int], batch: int, more: tuple[float, ...] = (), **made: Any) -> Scene:
    """Pictures of these channels (input, target), target and output of different brightness; no side is square."""
    height, width = 2 * t.integer(3, 4), 2 * t.integer(5, 6)
    side = (height, width)
    return Scene(
        SmallDiscriminator(t, **made),
        t.uniform(batch, channels[0], *side, dtype=torch.float32),
        t.uniform(batch, channels[1], *side, low=-0.4, high=1.0, dtype=torch.float32),
        t.uniform(batch, channels[1], *side, low=-1.0, high=0.4, dtype=torch.float32),
        more,
    )


def prepare(s: Scene) -> Seen:
    """A copy of everything, for one call."""
    discriminator = copy.deepcopy(s.discriminator).train()
    discriminator.calls = []
    for parameter in discriminator.parameters():
        parameter.grad = torch.full_like(parameter, HELD)
    drawn = s.output.clone().requires_grad_()
    output = drawn * 1
    return Seen(s, discriminator, output, drawn, (discriminator, s.input.clone(), s.target.clone(), output, *s.more))


def look(s: Scene, loss: Callable[..., Any]) -> Seen:
    """Call one of our own losses and differentiate it."""
    seen = prepare(s)
    seen.value = loss(*seen.arguments)
    seen.slopes = _slopes(seen)
    return seen


def differentiate(t: Trial, seen: Seen) -> None:
    """The gradients of what an answer returned; none where it does not depend on anything."""
    seen.slopes = t.run(_slopes, seen, what="the gradient")


def _slopes(seen: Seen) -> tuple[Tensor | None, ...]:
    of = [seen.drawn, *seen.discriminator.parameters()]
    if not isinstance(seen.value, Tensor) or not seen.value.requires_grad or seen.value.dim():
        return (None,) * len(of)
    return torch.autograd.grad(seen.value, of, allow_unused=True, retain_graph=True)


def matters(seen: Seen, call: Call) -> bool:
    """Does the value depend on what D said in this pass, as far as its graph tells?"""
    value = seen.value
    if not isinstance(value, Tensor) or not value.requires_grad or not call.logits.requires_grad:
        return True
    return torch.autograd.grad(value.sum(), call.logits, allow_unused=True, retain_graph=True)[0] is not None


# --- comparing ------------------------------------------------------------------------------------


def near(came: Any, expected: Tensor) -> bool:
    """Equal but for the rounding of float32, also where sigmoid and log are taken one after the other."""
    if not isinstance(came, Tensor) or came.shape != expected.shape:
        return False
    scale = float(expected.detach().abs().max()) if expected.numel() else 0.0
    return largest_difference(came, expected) <= 2e-5 + (1e-6 * scale if scale < torch.inf else 0.0)


def slope_near(came: Tensor | None, expected: Tensor | None) -> bool:
    """The same for a gradient, where none is the same as 0."""
    a, b = (x if x is not None and x.any() else None for x in (came, expected))
    if a is None or b is None:
        return a is b
    return float((a - b).norm()) <= 1e-3 * float(b.norm())


def alike(a: Seen, b: Seen, slopes: slice = slice(None)) -> bool:
    """Do two calls give the same: the value, and of the gradients at output and at D's parameters those asked for?"""
    if not isinstance(b.value, Tensor) or not near(a.value, b.value):
        return False
    if b.value.isnan().any():
        return True
    return all(slope_near(x, y) for x, y in zip(a.slopes[slopes], b.slopes[slopes], strict=True))
