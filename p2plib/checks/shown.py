"""What a discriminator was shown: the name of a stack of pictures, and the question where it is not a right one."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from p2plib.checks.compare import same
from p2plib.checks.witness import Scene, Seen

REAL, MADE = "[input, target]", "[input, output]"

STACKED = "A condition and a picture are stacked along channels, dimension 1."
ORDER = "Which of the two comes first along the channels, the input or the picture?"
ALONE = "D sees the picture without the input. Where is the condition?"
NO_PICTURE = "D sees the input only. Where is the picture that it judges?"
CONDITION = "Is the condition `input`, beside either picture?"
ONE_BATCH = "Real and made share one batch, and with it the statistics of batch norm. Does each have a pass of its own?"
ONE_PICTURE = "D judges one picture in a pass, beside the input. Are real and made stacked along channels?"
ADDED = "A sum mixes the two: D could not tell them apart. Is `torch.cat` meant?"
ONE_TENSOR = "D takes one tensor: input and picture, stacked along channels."

#: Words of an error that can mean one thing only.
CRASHES = {
    **{f"must match except in dimension {dim}": STACKED for dim in (0, 2, 3)},
    "stack expects each tensor to be equal size": "`torch.stack` makes a new dimension. Is `torch.cat` meant?",
    "SmallDiscriminator.forward() takes 2 positional arguments but": ONE_TENSOR,
    "the discriminator takes one tensor": ONE_TENSOR,
}


def names(s: Scene, seen: Seen) -> list[str | None]:
    """What each pass was shown, as "[input, target]"; None where it is nothing of the kind."""
    return [next((name for name, x, _ in _stacks(s) if same(x, call.shown, 1e-6)), None) for call in seen.calls]


def _stacks(s: Scene) -> Iterator[tuple[str, Tensor, str | None]]:
    """Name, picture and question of what can be made of input, target and output."""
    parts = {"input": s.input, "target": s.target, "output": s.output}
    yield REAL, torch.cat([s.input, s.target], 1), None
    yield MADE, torch.cat([s.input, s.output], 1), None
    for name, part in parts.items():
        yield f"`{name}` alone", part, NO_PICTURE if name == "input" else ALONE
    for a, b in itertools.product(parts, parts):
        question = ORDER if b == "input" != a else NO_PICTURE if a == b == "input" else CONDITION
        if a != "input" or b == "input":
            yield f"[{a}, {b}]", torch.cat([parts[a], parts[b]], 1), question
    yield from _mixtures(parts)


def _mixtures(parts: dict[str, Tensor]) -> Iterator[tuple[str, Tensor, str | None]]:
    """Several pictures in one pass, along another dimension, or added."""
    for dim, (a, b) in itertools.product((0, 2, 3), itertools.permutations(parts, 2)):
        if _fit(parts[a], parts[b], dim):
            question = ONE_BATCH if dim == 0 and "input" not in (a, b) else STACKED
            yield f"`{a}` and `{b}` stacked along dimension {dim}", torch.cat([parts[a], parts[b]], dim), question
    for a, b in (("target", "output"), ("output", "target")):
        i, x, y = parts["input"], parts[a], parts[b]
        for name, pairs in (
            (f"[input, {a}] and [input, {b}]", ((i, x), (i, y))),
            (f"[{a}, input] and [{b}, input]", ((x, i), (y, i))),
        ):
            both = [torch.cat(pair, 1) for pair in pairs]
            yield f"{name} in one batch", torch.cat(both, 0), ONE_BATCH
            yield f"{name} stacked along channels", torch.cat(both, 1), ONE_PICTURE
        yield f"[input, {a}, {b}]", torch.cat([i, x, y], 1), ONE_PICTURE
        yield f"[{a}, {b}, input]", torch.cat([x, y, i], 1), ONE_PICTURE
    for name in ("target", "output"):
        if parts[name].shape == parts["input"].shape:
            yield f"input + {name}", parts["input"] + parts[name], ADDED


def _fit(a: Tensor, b: Tensor, dim: int) -> bool:
    return all(d == dim or x == y for d, (x, y) in enumerate(zip(a.shape, b.shape, strict=True)))


def question(s: Scene, name: str) -> str | None:
    """What to ask about a stack of this name."""
    return next((q for known, _, q in _stacks(s) if known == name), None)


def listed(found: Sequence[str | None]) -> str:
    """Each name once: "`target` alone and `output` alone"."""
    return " and ".join(dict.fromkeys(name for name in found if name))
