"""A small generator and its training step, noted: what is drawn, judged, gone back through, emptied and stepped.

The discriminator and the pictures are those of `witness`; everything is float32, as in training.
"""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakValueDictionary

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from p2plib.checks.compare import describe
from p2plib.checks.trial import Trial
from p2plib.checks.witness import HELD, MOST_CHANNELS, Call, Scene, SmallDiscriminator, scene

#: Gradients of each parameter, in order; None where there is none.
Slopes = tuple[Tensor | None, ...]


class Notes(list[Any]):
    """A list that stays itself where a network is copied or pickled: copies write into the same."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Notes:
        return self

    def __reduce__(self) -> tuple[Callable[[int], Notes], tuple[int]]:
        _PICKLED[id(self)] = self
        return _notes, (id(self),)


#: Lists that went into a pickle, while they live.
_PICKLED: WeakValueDictionary[int, Notes] = WeakValueDictionary()


def _notes(number: int) -> Notes:
    return _PICKLED[number]


@dataclass(frozen=True)
class Drawing:
    """One pass through the generator.

    Args:
        shown: what it was given.
        mask: what dropout left, times 2; None in eval mode.
        recorded: was autograd on?
        training: was it in training mode?
        output: what it gave, cut off.
    """

    shown: Tensor
    mask: Tensor | None
    recorded: bool
    training: bool
    output: Tensor


class SmallGenerator(nn.Module):
    """(B, C, H, W) → (B, channels, H, W) in (-1, 1), with batch norm and dropout inside; C may be any number."""

    def __init__(self, t: Trial, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(0.5 * t.normal(5, MOST_CHANNELS, 3, 3, dtype=torch.float32))
        self.norm = nn.BatchNorm2d(5)
        self.head = nn.Parameter(0.6 * t.normal(channels, 5, 1, 1, dtype=torch.float32))
        self.drawings, self.events = Notes(), Notes()

    def forward(self, x: Tensor) -> Tensor:
        """Draw, with dropout in training mode, and note it.

        Raises:
            TypeError, ValueError: for anything that is no batch of pictures.
        """
        if not isinstance(x, Tensor):
            raise TypeError(f"the generator takes one tensor (B, C, H, W), not {describe(x)}")
        if x.dim() != 4:
            raise ValueError(f"the generator takes a batch (B, C, H, W), not {describe(x)}")
        size = (len(x), 5, *x.shape[2:])
        mask = 2 * torch.empty(size).bernoulli_(0.5) if self.training else None
        output = self.drawn(x, mask)
        kept = None if mask is None else mask.clone()
        self.drawings.append(
            Drawing(x.detach().clone(), kept, torch.is_grad_enabled(), self.training, output.detach().clone())
        )
        return output

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Note it."""
        self.events.append(Event("emptied", whose="generator"))
        super().zero_grad(set_to_none)

    def drawn(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """The output for this noise, not noted."""
        y = self.norm(F.conv2d(x, self.weight[:, : x.shape[1]], padding=1))
        y = F.leaky_relu(y, 0.2)
        return torch.tanh(F.conv2d(y if mask is None else y * mask, self.head))


class NotedDiscriminator(SmallDiscriminator):
    """The same discriminator, noting in `events` when it judges, and when a gradient comes back through it."""

    events: Notes

    def forward(self, x: Tensor) -> Tensor:
        """Like `SmallDiscriminator`."""
        logits = super().forward(x)
        events, number = self.events, len(self.calls) - 1
        events.append(Event("judged", number))
        if logits.requires_grad:
            logits.register_hook(lambda slope: events.append(Event("back", number)))
        return logits

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Note it."""
        self.events.append(Event("emptied", whose="discriminator"))
        super().zero_grad(set_to_none)


@dataclass(frozen=True)
class Event:
    """Something that happened.

    Args:
        kind: "judged" or "back" in pass `number` of D, "emptied" of the gradients of `whose` network, or "step" of the
            optimizer with these gradients.
    """

    kind: str
    number: int = -1
    slopes: Slopes = ()
    whose: str = ""


@dataclass(frozen=True)
class StepScene:
    """What a training step is called with.

    Args:
        generator: never handed out itself; each call is given a copy.
        pictures: discriminator, input, target, and further arguments; its output is not used.
        learns: "generator" or "discriminator": whose optimizer it is.
        adam: Adam as in the paper, else plain gradient descent.
    """

    generator: SmallGenerator
    pictures: Scene
    learns: str
    adam: bool = False

    @property
    def more(self) -> tuple[float, ...]:
        """Further arguments, such as (lambda_l1,)."""
        return self.pictures.more

    def learner(self) -> nn.Module:
        """The network that learns, as it was before the step."""
        return self.generator if self.learns == "generator" else self.pictures.discriminator

    def with_output(self, drawing: Drawing) -> Scene:
        """The pictures with what was drawn."""
        return replace(self.pictures, output=drawing.output.clone())


@dataclass
class StepSeen:
    """One call of a step: what it was given and what came of it.

    Args:
        scene: where it was called.
        generator, discriminator: the copies that it was given.
        optimizer: of one of the two.
        arguments: all of them, in order.
        events: what happened, in order.
        value: what came back.
    """

    scene: StepScene
    generator: SmallGenerator
    discriminator: NotedDiscriminator
    optimizer: torch.optim.Optimizer
    arguments: tuple[Any, ...]
    events: Notes
    value: Any = None
    steps: list[Event] = field(default_factory=list)

    @property
    def calls(self) -> list[Call]:
        """The passes through D, in order."""
        return self.discriminator.calls

    @property
    def drawings(self) -> list[Drawing]:
        """The passes through the generator, in order."""
        return self.generator.drawings

    def learner(self) -> nn.Module:
        """The network that was to learn."""
        return self.generator if self.scene.learns == "generator" else self.discriminator

    def kinds(self) -> list[str]:
        """What happened, in words; what was emptied of the other network is "other emptied"."""
        others = {"generator", "discriminator"} - {self.scene.learns}
        return [f"other {e.kind}" if e.whose in others else e.kind for e in self.events]

    def went_back(self) -> set[int]:
        """The passes of D through which a gradient came back."""
        return {event.number for event in self.events if event.kind == "back"}


def step_scene(
    t: Trial, learns: str, channels: tuple[int, int], batch: int, more: tuple[float, ...] = (), **made: Any
) -> StepScene:
    """Networks and pictures of these channels (input, target)."""
    adam = made.pop("adam", False)
    return StepScene(SmallGenerator(t, channels[1]), scene(t, channels, batch, more, **made), learns, adam)


def prepare(s: StepScene) -> StepSeen:
    """A copy of everything, for one call; `.grad` of all parameters holds what an earlier step left there."""
    events = Notes()
    generator = copy.deepcopy(s.generator).train()
    generator.drawings, generator.events = Notes(), events
    discriminator = copy.deepcopy(s.pictures.discriminator).train()
    discriminator.__class__ = NotedDiscriminator  # with the weights that were drawn
    assert isinstance(discriminator, NotedDiscriminator)
    discriminator.calls, discriminator.events = Notes(), events
    for parameter in itertools.chain(generator.parameters(), discriminator.parameters()):
        parameter.grad = torch.full_like(parameter, HELD)
    optimizer = made_optimizer(s, generator if s.learns == "generator" else discriminator)
    arguments = (generator, discriminator, optimizer, s.pictures.input.clone(), s.pictures.target.clone(), *s.more)
    seen = StepSeen(s, generator, discriminator, optimizer, arguments, events)
    _watch(seen)
    return seen


def made_optimizer(s: StepScene, net: nn.Module) -> torch.optim.Optimizer:
    """Adam as in the paper, or gradient descent."""
    if s.adam:
        return torch.optim.Adam(net.parameters(), lr=2e-4, betas=(0.5, 0.999))
    return torch.optim.SGD(net.parameters(), lr=0.1)


def _watch(seen: StepSeen) -> None:
    """Note each step of the optimizer with its gradients, and when it empties them."""
    parameters, events, steps = list(seen.learner().parameters()), seen.events, seen.steps
    empty: Callable[..., None] = seen.optimizer.zero_grad

    def note(*_: Any) -> None:
        slopes = tuple(None if p.grad is None else p.grad.detach().clone() for p in parameters)
        events.append(Event("step", slopes=slopes))
        steps.append(events[-1])

    def noted(*arguments: Any, **named: Any) -> None:
        events.append(Event("emptied", whose=seen.scene.learns))
        empty(*arguments, **named)

    seen.optimizer.register_step_post_hook(note)
    seen.optimizer.zero_grad = noted  # type: ignore[method-assign]
