"""One step of pix2pix: a gradient step on D, then one on G (section 3.3), and the arithmetic it is done in."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from p2plib.losses import Objective
from p2plib.models import PatchDiscriminator
from p2plib.training import checkpoint
from p2plib.training.config import Config
from p2plib.training.distributed import World
from p2plib.training.graph import RecordedStep
from p2plib.training.speed import SmallMapsAsProducts, keep_freed_memory, wanted


class Players:
    """G and D with their optimizers, and the step that they make together.

    Args:
        config: from `configure`; its seed draws the weights.
        objective: what they play for.
        generator, discriminator: networks of one's own; None builds the library's.
        world: this process's place among several that train together.

    Attributes:
        generator, discriminator: on the device, in training mode; D is None where the objective has no adversary.
        optimizer_g, optimizer_d: Adam, section 3.3.
        scaler: of the losses, in float16.
    """

    def __init__(
        self,
        config: Config,
        objective: Objective,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        world: World | None = None,
    ) -> None:
        self.config, self.objective, self.world = config, objective, world or World()
        torch.manual_seed(config.seed)  # the weights, and then the dropout of every step
        self.generator = generator or checkpoint.build_generator(config)
        self.discriminator = self._adversary(discriminator)
        # Channels last pays for small pictures and for tensor cores; at 256 px on a CPU it costs.
        small_or_gpu = config.size <= 128 or config.device == "cuda"
        self.layout = torch.channels_last if small_or_gpu else torch.contiguous_format
        for net in self.networks:
            net.to(device=config.device, memory_format=self.layout).train()  # type: ignore[call-overload]
        self._generate = self.world.wrap(self.generator)
        self._judge = self.world.wrap(self.discriminator) if self.discriminator is not None else None
        self.optimizer_g = self._adam(self.generator)
        self.optimizer_d = self._adam(self.discriminator) if self.discriminator is not None else None
        self.scaler = torch.amp.GradScaler(config.device, enabled=config.precision == "f16")
        if config.device == "cpu" and wanted("memory"):
            keep_freed_memory()
        self._products = config.device == "cpu" and config.precision == "bf16" and wanted("products")
        # Own parts may decide something in Python at each step, which a recording would freeze.
        own = generator is not None or discriminator is not None or type(objective) is not Objective
        self._recorded: RecordedStep | None = None
        if config.device == "cuda" and self.world.alone and not own and wanted("graph"):
            self._recorded = RecordedStep(self.step, self._changed, forget=self._forget_half_step)

    @property
    def networks(self) -> list[nn.Module]:
        """G, and D where there is one."""
        return [net for net in (self.generator, self.discriminator) if net is not None]

    def _adversary(self, discriminator: nn.Module | None) -> nn.Module | None:
        if not self.objective.adversarial:
            return None
        channels = self.objective.discriminator_channels()
        return discriminator or PatchDiscriminator(channels, self.config.base, self.config.patch)

    def _adam(self, net: nn.Module) -> torch.optim.Adam:
        config = self.config
        return torch.optim.Adam(
            net.parameters(),
            lr=config.learning_rate,
            betas=(config.beta1, config.beta2),
            fused=config.device in ("cpu", "cuda"),
            capturable=config.device == "cuda",
        )

    def step(self, input: Tensor, target: Tensor) -> Tensor:
        """One gradient step on D, then one on G, both about the same output.

        Args:
            input, target: float32 (B, 3, size, size) in [-1, 1], on the device.

        Returns:
            Losses (D's, G's adversarial part, G's pixel part), shape (3,), on the device; NaN where the
            objective lacks one.
        """
        losses = torch.full((3,), torch.nan, device=input.device)
        with self.arithmetic():
            output = self._generate(input)
        if self.discriminator is not None and self._judge is not None and self.optimizer_d is not None:
            with self.arithmetic():
                loss_d = self.objective.discriminator_loss(self._judge, input, target, output)
            self._update(self.optimizer_d, loss_d)
            losses[0] = loss_d.detach()
        with self._d_left_alone():
            with self.arithmetic():
                parts = self.objective.generator_loss(self.discriminator, input, target, output)
            self._update(self.optimizer_g, parts["total"])
        self.scaler.update()
        for place, name in ((1, "gan"), (2, "pixel")):
            if name in parts:
                losses[place] = parts[name].detach()
        return losses

    def step_at(self, rate: float, input: Tensor, target: Tensor) -> Tensor:
        """The same with this learning rate; on a GPU replayed from a recording, once there is one."""
        self._set_rate(rate)
        return (self._recorded or self.step)(input, target)

    @contextlib.contextmanager
    def _d_left_alone(self) -> Iterator[None]:
        """G's gradient passes through D; D gets none, and is itself again afterwards, whatever happens."""
        if self.discriminator is not None:
            self.discriminator.requires_grad_(False)
        try:
            yield
        finally:
            if self.discriminator is not None:
                self.discriminator.requires_grad_(True)

    def _update(self, optimizer: torch.optim.Adam, loss: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(optimizer)

    @contextlib.contextmanager
    def arithmetic(self) -> Iterator[None]:
        """Precision of what is computed inside: a context for forward passes."""
        kind = {"f32": None, "bf16": torch.bfloat16, "f16": torch.float16}[self.config.precision]
        products = SmallMapsAsProducts() if self._products else contextlib.nullcontext()
        cached = self.config.device != "cuda"  # a recorded step must not find weights cast by an earlier one
        with torch.autocast(self.config.device, kind, enabled=kind is not None, cache_enabled=cached), products:
            yield

    def to_device(self, picture: Tensor) -> Tensor:
        """The same on the device."""
        # On mps a copy still under way would read memory that is free already.
        return picture.to(self.config.device, non_blocking=self.config.device == "cuda")

    def laid_out(self, picture: Tensor) -> Tensor:
        """The same with its channels where the networks have them."""
        return picture.contiguous(memory_format=self.layout)

    def _changed(self) -> list[Tensor]:
        """Every tensor that a step changes in place."""
        found = [tensor for net in self.networks for tensor in (*net.parameters(), *net.buffers())]
        for optimizer in (self.optimizer_g, self.optimizer_d):
            for state in optimizer.state.values() if optimizer is not None else ():
                found += [value for value in state.values() if isinstance(value, Tensor)]
        scale = (vars(self.scaler).get(name) for name in ("_scale", "_growth_tracker"))  # of float16's losses
        return found + [value for value in scale if isinstance(value, Tensor)]

    def _forget_half_step(self) -> None:
        """A scaler that was left between its two halves of a step would refuse the next one."""
        if self.scaler.is_enabled():
            self.scaler._per_optimizer_states.clear()  # a new scaler would lack the tensors that are put back

    def _set_rate(self, rate: float) -> None:
        for optimizer in (self.optimizer_g, self.optimizer_d):
            for group in optimizer.param_groups if optimizer is not None else ():
                if self.config.device != "cuda":
                    group["lr"] = rate
                elif isinstance(group["lr"], Tensor):
                    group["lr"].fill_(rate)  # in its place, where a recorded step reads it
                else:
                    group["lr"] = torch.tensor(rate, device="cuda")
