"""Four training graphs of one step each, for finding the one in which D's loss reaches the generator."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from p2plib.checks.trial import Trial


def pair(input: Tensor, picture: Tensor) -> Tensor:
    """What D is shown."""
    return torch.cat([input, picture], dim=1)


def d_loss(real: Tensor, made: Tensor) -> Tensor:
    """D's loss, from its maps for the real pair and the made one."""
    bce = F.binary_cross_entropy_with_logits
    return (bce(real, torch.ones_like(real)) + bce(made, torch.zeros_like(made))) / 2


def g_loss(made: Tensor, output: Tensor, target: Tensor) -> Tensor:
    """G's loss, from D's map for the made pair."""
    return F.binary_cross_entropy_with_logits(made, torch.ones_like(made)) + 100 * (output - target).abs().mean()


def graph_a(generator: nn.Module, discriminator: nn.Module, input: Tensor, target: Tensor) -> None:
    """Gradients of one step."""
    output = generator(input)
    real = discriminator(pair(input, target))
    made = discriminator(pair(input, output.detach()))
    d_loss(real, made).backward()


def graph_b(generator: nn.Module, discriminator: nn.Module, input: Tensor, target: Tensor) -> None:
    """Gradients of one step."""
    with torch.no_grad():
        output = generator(input)
    real = discriminator(pair(input, target))
    made = discriminator(pair(input, output))
    d_loss(real, made).backward()


def graph_c(generator: nn.Module, discriminator: nn.Module, input: Tensor, target: Tensor) -> None:
    """Gradients of one step."""
    output = generator(input)
    real = discriminator(pair(input, target))
    made = discriminator(pair(input, output))
    d_loss(real, made).backward()


def graph_d(generator: nn.Module, discriminator: nn.Module, input: Tensor, target: Tensor) -> None:
    """Gradients of one step."""
    output = generator(input)
    discriminator.requires_grad_(False)
    made = discriminator(pair(input, output))
    g_loss(made, output, target).backward()
    discriminator.requires_grad_(True)


#: In the order of their letters.  Each takes (generator, discriminator, input, target), makes one step's gradients
#: by ``backward()`` and returns nothing.
GRAPHS = (graph_a, graph_b, graph_c, graph_d)


def check_leak(t: Trial) -> None:
    """The choice."""
    t.choice(
        "c",
        {
            "a": "`output.detach()` holds the picture without its history: D's loss ends there, and the generator's "
            "parameters have no gradient. What do D's have?",
            "b": "Under `no_grad()` the picture has no history at all: D's loss reaches D's parameters and nothing of "
            "the generator. What would be lost if this picture served the generator's step, too?",
            "d": "A gradient reaches the generator here, but this is the generator's own loss: it passes through D, "
            "whose parameters get none. In which graph does D's loss reach the generator?",
        },
    )
