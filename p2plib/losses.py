"""What the networks are asked to do: the objectives of section 3.1, by the paper's names."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from p2plib.errors import UserError

Network = Callable[[Tensor], Tensor]


class GANLoss(nn.Module):
    """Binary cross-entropy of D's logits against one answer for the whole map: all real or all fake.

    It takes logits, not probabilities: log(sigmoid(·)) in one step neither overflows nor loses its gradient.
    Computed in float32, whatever the precision of the networks.
    """

    def forward(self, logits: Tensor, real: bool) -> Tensor:
        """Logits of any shape → scalar; ``real`` is the answer that would be right."""
        logits = logits.float()
        return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, float(real)))


@dataclass(frozen=True)
class Objective:
    """One of the paper's objectives: a pixel loss, an adversary, or both (section 3.1 and Table 1).

    ``Objective("L1+cGAN")`` is pix2pix: the adversary sees the input beside the picture, and
    λ = 100 weighs L1 against it.  Names are read without regard to case or blanks.

    Args:
        name: "L1", "L2", "GAN", "cGAN", "L1+GAN" or "L1+cGAN".
        lambda_l1: λ, the weight of the pixel loss; of no matter to the pure GAN objectives.

    Raises:
        UserError: for another name, or λ below 0 or not finite.
    """

    name: str = "L1+cGAN"
    lambda_l1: float = 100.0

    NAMES: ClassVar[tuple[str, ...]] = ("L1", "L2", "GAN", "cGAN", "L1+GAN", "L1+cGAN")

    def __post_init__(self) -> None:
        known = {name.lower(): name for name in self.NAMES} | {"gan+l1": "L1+GAN", "cgan+l1": "L1+cGAN"}
        key = str(self.name).lower().replace(" ", "")
        if key not in known:
            raise UserError(f"The objective {self.name!r} is not known; choose one of {', '.join(self.NAMES)}.")
        object.__setattr__(self, "name", known[key])
        if not 0 <= self.lambda_l1 < float("inf"):
            raise UserError(f"λ (lambda_l1) must be a finite number, 0 or more, not {self.lambda_l1}.")

    @property
    def adversarial(self) -> bool:
        """Is there a discriminator?"""
        return "GAN" in self.name

    @property
    def conditional(self) -> bool:
        """Does the discriminator see the input as well?"""
        return "cGAN" in self.name

    @property
    def pixel(self) -> str | None:
        """The pixel loss, "L1", "L2" or None."""
        return self.name[:2] if self.name.startswith("L") else None

    def discriminator_channels(self, input_channels: int = 3, target_channels: int = 3) -> int:
        """Channels that D takes: the picture's, and the input's if it sees the input."""
        return target_channels + (input_channels if self.conditional else 0)

    def judged(self, input: Tensor, picture: Tensor) -> Tensor:
        """What D looks at: [input, picture] joined along channels, or the picture alone."""
        return torch.cat([input, picture], dim=1) if self.conditional else picture

    def discriminator_loss(self, discriminator: Network, input: Tensor, target: Tensor, output: Tensor) -> Tensor:
        """D's loss: real pairs are real, fakes are fake, halved "to slow down the rate at which D learns" (3.3).

        Two passes: in one batch, real and fake would share the statistics of batch norm.  The output is
        cut off from the generator here (``detach``), which has nothing to learn from this step.

        Args:
            discriminator: D, giving logits.
            input, target, output: (B, C, H, W) in [-1, 1]; output is what the generator made of input.

        Returns:
            Scalar, float32.
        """
        real = GANLoss()(discriminator(self.judged(input, target)), real=True)
        fake = GANLoss()(discriminator(self.judged(input, output.detach())), real=False)
        return (real + fake) / 2

    def generator_loss(
        self, discriminator: Network | None, input: Tensor, target: Tensor, output: Tensor
    ) -> dict[str, Tensor]:
        """G's loss and its parts: log D(x, G(x)) is maximised, "rather than minimizing log(1 − D)" (3.3).

        Args:
            discriminator: D, through which the gradient passes; None where there is no adversary.
            input, target, output: (B, C, H, W) in [-1, 1]; output still joined to the generator.

        Returns:
            Scalars in float32: "total" = "gan" + λ · "pixel", a part that the objective lacks left out.
        """
        parts: dict[str, Tensor] = {}
        total = torch.zeros((), device=output.device)
        if self.adversarial:
            if discriminator is None:
                raise UserError(f"The objective {self.name} needs a discriminator.")
            parts["gan"] = GANLoss()(discriminator(self.judged(input, output)), real=True)
            total = total + parts["gan"]
        if self.pixel:
            distance = F.l1_loss if self.pixel == "L1" else F.mse_loss
            parts["pixel"] = distance(output.float(), target.float())
            total = total + self.lambda_l1 * parts["pixel"]
        return {"total": total, **parts}


class OwnObjective(Objective):
    """L1 + cGAN with loss functions of one's own: those of exercises 4.1 and 4.2, for the library's `Trainer`.

    Args:
        discriminator_loss: (discriminator, input, target, output) → D's loss, a scalar.
        generator_loss: (discriminator, input, target, output, lambda_l1) → G's loss, a scalar.
        lambda_l1: λ, handed on to `generator_loss`.

    Raises:
        UserError: for λ below 0 or not finite.
    """

    own: tuple[Callable[..., Tensor], Callable[..., Tensor]]

    def __init__(
        self,
        discriminator_loss: Callable[..., Tensor],
        generator_loss: Callable[..., Tensor],
        lambda_l1: float = 100.0,
    ) -> None:
        super().__init__("L1+cGAN", lambda_l1)
        object.__setattr__(self, "own", (discriminator_loss, generator_loss))

    def discriminator_loss(self, discriminator: Network, input: Tensor, target: Tensor, output: Tensor) -> Tensor:
        """What the function of one's own makes of the same."""
        return self.own[0](discriminator, input, target, output)

    def generator_loss(
        self, discriminator: Network | None, input: Tensor, target: Tensor, output: Tensor
    ) -> dict[str, Tensor]:
        """ "total" as the function of one's own has it; "pixel" is measured beside it, "gan" is what is left."""
        total = self.own[1](discriminator, input, target, output, self.lambda_l1)
        with torch.no_grad():
            pixel = F.l1_loss(output.float(), target.float())
            gan = total - self.lambda_l1 * pixel
        return {"total": total, "gan": gan, "pixel": pixel}
