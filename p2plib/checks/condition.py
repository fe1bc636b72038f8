"""The check of what D looks at: input and picture stacked along channels, or the picture alone."""

from __future__ import annotations

import torch
from torch import Tensor

from p2plib.checks import shown
from p2plib.checks.causes import explained
from p2plib.checks.trial import Case, Mistake, Trial
from p2plib.losses import Objective


def judged(input: Tensor, picture: Tensor, conditional: bool) -> Tensor:
    """What D looks at: [input, picture] stacked along channels if conditional, else the picture alone.

    Args:
        input, picture: (B, C, H, W), (B, D, H, W).

    Returns:
        (B, C + D, H, W) or (B, D, H, W), with the gradient's way back to picture.
    """
    return Objective("cGAN" if conditional else "GAN").judged(input, picture)


CRASHES = {
    **shown.CRASHES,
    "must match the size of tensor b": "Pixel by pixel the channels would have to be the same. Is `torch.cat` meant?",
}
MISTAKES = (
    Mistake(shown.ORDER, lambda i, p, c: judged(p, i, True) if c else p),
    Mistake("`conditional` changes nothing: D always sees both. Where does it come in?",
            lambda i, p, c: judged(i, p, True)),
    Mistake("`conditional` changes nothing: D never sees the input. Where does it come in?", lambda i, p, c: p),
    Mistake(
        "It is conditional where it should not be, and not where it should. Is there a `not` too many?",
        lambda i, p, c: judged(i, p, not c),
    ),
    Mistake("Without the condition the input is left. Which of the two does D judge?",
            lambda i, p, c: judged(i, p, True) if c else i),
    Mistake("With the condition the picture is missing. Which two are stacked?",
            lambda i, p, c: i if c else p,
            lambda i, p, c: torch.cat([i, i], 1) if c else p),
    Mistake("The picture is missing. Which of the two does D judge?", lambda i, p, c: i),
    Mistake("With the condition the picture stands there twice. Where is the input?",
            lambda i, p, c: torch.cat([p, p], 1) if c else p),
    Mistake(
        "Without the condition D sees zeros in the input's place. It takes the picture's channels only: what is left?",
        lambda i, p, c: judged(i if c else torch.zeros_like(i), p, True),
    ),
)  # fmt: skip


@torch.enable_grad()  # whatever was switched off before
def check_judged(t: Trial) -> None:
    """With and without the condition, more channels on one side and on the other; then the gradient."""
    cases = []
    for batch, channels, conditional in (
        (2, (3, 2), True),
        (2, (1, 4), False),
        (3, (1, 3), True),
        (1, (3, 3), False),
        (1, (2, 3), True),
    ):
        size = t.integer(3, 5), t.integer(6, 8)
        i, p = (t.uniform(batch, c, *size, dtype=torch.float32) for c in channels)
        cases.append(Case((i, p, conditional), judged(i, p, conditional)))
    with explained(CRASHES):
        t.compare(cases, ("what D looks at",), mistakes=MISTAKES)
    t.right("what D looks at is right")
    for case in cases[:2]:
        i, p, conditional = case.arguments
        drawn = p.clone().requires_grad_()
        value = t.call(i, drawn, conditional)
        weights = t.normal(*value.shape, dtype=torch.float32)
        (slope,) = t.run(_slope, (value * weights).sum(), drawn, what="the gradient")
        reaches = isinstance(slope, Tensor) and torch.allclose(slope, weights[:, -p.shape[1] :])
        t.require(
            reaches,
            f"the gradient is not, with `conditional={conditional}`: it does not go through to `picture`",
            "Is there a `detach()` or a `.data`? The generator learns through this picture.",
        )


def _slope(value: Tensor, leaf: Tensor) -> tuple[Tensor | None, ...]:
    return torch.autograd.grad(value, leaf, allow_unused=True) if value.requires_grad else (None,)
