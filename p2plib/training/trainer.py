"""The training loop of pix2pix: one step on D, then one on G (section 3.3), and all that keeps a run safe."""

from __future__ import annotations

import dataclasses
import math
import shlex
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from p2plib.data.augment import Augment, centre
from p2plib.data.catalogue import Source, open_source
from p2plib.data.pairs import batches
from p2plib.errors import UserError
from p2plib.files import make_folder, remove_leftovers
from p2plib.losses import Objective
from p2plib.models import PatchDiscriminator
from p2plib.training import checkpoint
from p2plib.training.config import Config
from p2plib.training.samples import write_sheet
from p2plib.training.stopping import StopRequest
from p2plib.training.translate import translate, translating

SHOWN = 8  # held-out pairs in a sample grid
SHEETS = 40  # sample grids a run, at most
ROWS = 200  # rows of metrics a run, about
SAVE_SECONDS = 30.0  # between two saves, at least
SAVE_SHARE = 0.05  # of the time may go into saving


class Trainer:
    """Trains a generator against a discriminator on pairs.

    ```python
    trainer = Trainer(configure("synthetic-maps", objective="L1+cGAN"), run="my_work/first")
    trainer.fit()
    trainer.translate(input)
    ```

    Args:
        config: from `configure`.
        run: folder to keep the run in; None keeps nothing (a short experiment in a notebook).
        generator, discriminator: networks of one's own in place of the library's.
        objective: one of one's own, with the attributes and methods of `p2plib.losses.Objective`.
        resume: go on from the state saved in `run`.
        source: data that is already open; None opens ``config.source``.

    Attributes:
        step_number: steps done.
        rows: what metrics.csv holds, a dict a row.
        held_out_l1: the last mean |target − output| on held-out pairs, pictures in [-1, 1]; None before.

    Raises:
        UserError: for bad data, a folder that holds another run, or a damaged state.
    """

    def __init__(
        self,
        config: Config,
        run: str | Path | None = None,
        *,
        generator: nn.Module | None = None,
        discriminator: nn.Module | None = None,
        objective: Objective | None = None,
        resume: bool = False,
        source: Source | None = None,
    ) -> None:
        self.run = Path(run) if run is not None else None
        state = _state_to_resume(self.run, config, resume)
        self.source = source or open_source(
            config.source, config.load_size, _held_side(config), config.direction, config.limit
        )
        config = dataclasses.replace(config, direction=self.source.direction)
        self.config = config = config.with_pairs(len(self.source.train))
        if self.run is not None and resume:
            checkpoint.check_same_config(self.run, config)
        self.objective = objective or Objective(config.objective, config.lambda_l1)
        self._build(generator, discriminator)
        self.steps_per_epoch = -(-len(self.source.train) // config.batch)
        self.steps = config.steps(len(self.source.train))
        self.log_every = max(1, self.steps // ROWS)

        self.step_number = 0
        self.rows: list[dict[str, Any]] = []
        self.held_out_l1: float | None = None
        self._seconds = 0.0
        self._pending: list[Tensor] = []  # losses of the steps since the last row, still on the device
        self._last_batch: tuple[Tensor, Tensor] | None = None  # input and target of the last step
        if state is not None:
            self._restore(state)
        if self.run is not None:
            make_folder(self.run / "samples")
            remove_leftovers(self.run)
            checkpoint.write_config(self.run, config)

    def _build(self, generator: nn.Module | None, discriminator: nn.Module | None) -> None:
        config = self.config
        torch.manual_seed(config.seed)  # the weights, and then the dropout of every step
        self.generator = generator or checkpoint.build_generator(config)
        if not self.objective.adversarial:
            discriminator = None
        elif discriminator is None:
            channels = self.objective.discriminator_channels()
            discriminator = PatchDiscriminator(channels, config.base, config.patch)
        self.discriminator = discriminator
        # Channels last pays for small pictures and for tensor cores; at 256 px on a CPU it costs.
        small_or_gpu = config.size <= 128 or config.device == "cuda"
        self.layout = torch.channels_last if small_or_gpu else torch.contiguous_format
        for net in (self.generator, self.discriminator):
            if net is not None:
                net.to(device=config.device, memory_format=self.layout).train()  # type: ignore[call-overload]
        self.optimizer_g = self._adam(self.generator)
        self.optimizer_d = self._adam(self.discriminator) if self.discriminator is not None else None
        self.scaler = torch.amp.GradScaler(config.device, enabled=config.precision == "f16")

    def _adam(self, net: nn.Module) -> torch.optim.Adam:
        config = self.config
        return torch.optim.Adam(
            net.parameters(),
            lr=config.learning_rate,
            betas=(config.beta1, config.beta2),
            fused=config.device in ("cpu", "cuda"),
        )

    # --- one step ----------------------------------------------------------------------------

    def step(self, input: Tensor, target: Tensor) -> Tensor:
        """One gradient step on D, then one on G, both about the same output.

        Args:
            input, target: float32 (B, 3, size, size) in [-1, 1], on the device.

        Returns:
            Losses (D's, G's adversarial part, G's pixel part), shape (3,), on the device; NaN where the
            objective lacks one.
        """
        losses = torch.full((3,), torch.nan, device=input.device)
        with self._autocast():
            output = self.generator(input)
        if self.discriminator is not None and self.optimizer_d is not None:
            with self._autocast():
                loss_d = self.objective.discriminator_loss(self.discriminator, input, target, output)
            self._update(self.optimizer_d, loss_d)
            losses[0] = loss_d.detach()
            self.discriminator.requires_grad_(False)  # G's gradient passes through D and leaves it alone
        with self._autocast():
            parts = self.objective.generator_loss(self.discriminator, input, target, output)
        self._update(self.optimizer_g, parts["total"])
        self.scaler.update()
        if self.discriminator is not None:
            self.discriminator.requires_grad_(True)
        for place, name in ((1, "gan"), (2, "pixel")):
            if name in parts:
                losses[place] = parts[name].detach()
        return losses

    def _update(self, optimizer: torch.optim.Adam, loss: Tensor) -> None:
        optimizer.zero_grad(set_to_none=True)
        self.scaler.scale(loss).backward()
        self.scaler.step(optimizer)

    def _autocast(self) -> torch.autocast:
        kind = {"f32": None, "bf16": torch.bfloat16, "f16": torch.float16}[self.config.precision]
        return torch.autocast(self.config.device, kind, enabled=kind is not None)

    # --- the run -----------------------------------------------------------------------------

    def fit(
        self,
        on_report: Callable[[Trainer], None] | None = None,
        progress: bool = True,
        turns: int | None = None,
        on_step: Callable[[Trainer], None] | None = None,
        stop: StopRequest | None = None,
    ) -> Trainer:
        """Train to the end, or until Ctrl-C, which saves and says how to go on.

        Args:
            on_report: called at every new row of `rows`, for live figures.
            progress: show a bar with images/s.
            turns: go so many times through the data at the most; a further `fit` goes on from there.
            on_step: called after every step: keep it short.
            stop: asked after every step whether to stop or to pause; who hands it in also says what became of it.

        Returns:
            Itself; ``finished`` says whether the end was reached.

        Raises:
            UserError: when a loss is no longer finite, a picture cannot be read, or a file cannot be written;
                the last saved state is whole.
        """
        total, done = self._images(self.steps), self._images(self.step_number)
        self._clock, self._last_save, self._save_cost = time.monotonic(), time.monotonic(), 0.0
        self._last_row = (self.step_number, self._clock)
        if self.run is not None and not (self.run / "state.pt").exists():
            self.save()  # a full disk is found now, not after an hour
        told = stop is None
        with (
            stop or StopRequest() as stop,
            tqdm(total=total, initial=done, unit="img", disable=not progress, dynamic_ncols=True) as bar,
        ):
            first = self.step_number // self.steps_per_epoch
            for epoch in range(first, self.config.epochs if turns is None else min(first + turns, self.config.epochs)):
                self._epoch(epoch, stop, bar, on_report, on_step)
                if stop.requested:
                    break
        if self.run is not None:
            self.save()
        if stop.requested and told:
            print(self._how_to_go_on(stop.requested))
        self.stopped_by = stop.requested
        return self

    def __repr__(self) -> str:
        c = self.config
        where = f", run folder {self.run}" if self.run else ""
        return f"Trainer({c.source}, {c.objective}, {c.size} px: step {self.step_number} of {self.steps}{where})"

    @property
    def finished(self) -> bool:
        """Was the last step done?"""
        return self.step_number >= self.steps

    @property
    def images_seen(self) -> int:
        """Pictures seen so far, each as often as it was."""
        return self._images(self.step_number)

    @property
    def images_to_go(self) -> int:
        """Pictures still to be seen."""
        return self._images(self.steps) - self._images(self.step_number)

    def _epoch(self, epoch: int, stop: StopRequest, bar: Any, on_report: Any, on_step: Any) -> None:
        order = epoch_order(len(self.source.train), self.config.batch, self.config.seed, epoch)
        order = order[self.step_number - epoch * self.steps_per_epoch :]
        augment = Augment(self.config.size, self.config.mirror)
        for pair in batches(self.source.train, order):
            bar.update(self.train_batch(pair, augment))
            ends = self.step_number % self.steps_per_epoch == 0 or self.finished
            if ends or self.step_number % self.log_every == 0:
                self._report(epoch, ends, bar)
                if on_report:
                    on_report(self)
            if on_step:
                on_step(self)
            if stop.paused:
                self._pass_over(stop.hold())
            if stop.requested or self.finished:
                return
            if self.run is not None and self._save_is_due():
                self.save()

    def train_batch(self, pair: tuple[Tensor, Tensor], augment: Augment) -> int:
        """Jitter and mirror a pair of uint8 batches, make one step of them; returns the number of pictures."""
        drawn = torch.Generator().manual_seed(_mix(self.config.seed, self.step_number))
        input, target = augment(self._to_device(pair[0]), self._to_device(pair[1]), drawn)
        self._set_rate()
        self._last_batch = self._laid_out(input), self._laid_out(target)
        self._pending.append(self.step(*self._last_batch))
        self.step_number += 1
        return len(input)

    def _report(self, epoch: int, ends: bool, bar: Any) -> None:
        """Read the losses off the device, and after an epoch look at the held-out pairs."""
        d, gan, pixel = self._mean_losses()
        now = time.monotonic()
        images, seconds = self._images(self.step_number) - self._images(self._last_row[0]), now - self._last_row[1]
        if ends:
            self._look(epoch + 1)
        self._tick()
        self.rows.append(
            {
                "step": self.step_number,
                "epoch": (self.step_number - 1) // self.steps_per_epoch + 1,
                "images": self._images(self.step_number),
                "seconds": self._seconds,
                "images_per_second": images / max(seconds, 1e-9),
                "learning_rate": self.config.learning_rate_at(self.step_number - 1, self.steps),
                "loss_d": d,
                "loss_gan": gan,
                "loss_pixel": pixel,
                "d_accuracy": self.d_accuracy(),
                "held_out_l1": self.held_out_l1 if ends else None,
            }
        )
        self._last_row = (self.step_number, time.monotonic())
        names = {"D": d, "G": gan, "pixel": pixel, "held-out L1": self.held_out_l1}
        bar.set_postfix({name: f"{value:.3f}" for name, value in names.items() if value is not None}, refresh=False)

    def d_accuracy(self) -> float | None:
        """Share of the cells of D's maps that are right about the last step's pairs, real and made: ½ is a coin.

        D judges as it does in training, and nothing moves.  None without an adversary, or before the first step.
        """
        if self.discriminator is None or self._last_batch is None:
            return None
        input, target = self._last_batch
        output = self.translate(input, seed=self.config.seed)
        with translating(self.discriminator), self._autocast():
            real, made = (self.discriminator(self.objective.judged(input, shown)) for shown in (target, output))
        return ((real > 0).float().mean() + (made <= 0).float().mean()).item() / 2

    def _mean_losses(self) -> list[float | None]:
        """Means of the losses since the last row; the only place where the host waits for the device."""
        if not self._pending:
            return [None, None, None]
        losses = torch.stack(self._pending).cpu()
        self._check_losses(losses)
        self._pending = []
        means = losses.double().mean(0).tolist()
        return [mean if is_there else None for mean, is_there in zip(means, self._present(), strict=True)]

    def _check_losses(self, losses: Tensor) -> None:
        """Name the first step of the last ``len(losses)`` at which a loss was NaN or infinite."""
        for row, values in enumerate(losses.tolist()):
            for name, is_there, value in zip(LOSS_NAMES, self._present(), values, strict=True):
                if is_there and not math.isfinite(value):
                    raise UserError(self._not_finite(name, value, self.step_number - len(losses) + row + 1))

    def _present(self) -> tuple[bool, bool, bool]:
        """Which of LOSS_NAMES the objective has."""
        return self.objective.adversarial, self.objective.adversarial, self.objective.pixel is not None

    def _look(self, epoch: int) -> None:
        """Held-out L1, and a sheet of samples; with a seed of its own, so that looking changes nothing."""
        held, distance, outputs = self.source.held_out, 0.0, []
        for start in range(0, len(held), self.config.batch):
            input, target = self.held_out(range(start, min(start + self.config.batch, len(held))))
            output = self.translate(input, seed=_mix(self.config.seed, start))
            distance += (output - target).abs().mean().item() * len(input)
            outputs.append(output.cpu())
        self.held_out_l1 = distance / len(held)
        every = -(-self.config.epochs // SHEETS)
        if self.run is not None and (epoch % every == 0 or epoch == self.config.epochs):
            shown = range(min(SHOWN, len(held)))
            input, target = (picture.cpu() for picture in self.held_out(shown))
            make_folder(self.run / "samples")
            write_sheet(
                self.run / "samples" / f"epoch_{epoch:04d}.png",
                {"input": input, "output": torch.cat(outputs)[: len(shown)], "target": target},
            )

    def held_out(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Inputs and targets of held-out pairs, float32 (B, 3, size, size) in [-1, 1], on the device."""
        input, target = (self._to_device(picture) for picture in self.source.held_out.batch(list(indices)))
        return self._laid_out(centre(input, self.config.size)), self._laid_out(centre(target, self.config.size))

    def translate(self, input: Tensor, seed: int | None = None) -> Tensor:
        """What the generator makes of input (B, 3, H, W) in [-1, 1]: float32, dropout on, batch statistics."""
        with self._autocast():
            return translate(self.generator, input, seed=seed).float()

    # --- saving and going on -----------------------------------------------------------------

    def save(self) -> None:
        """Write state, weights and metrics into the run folder; each file is whole at every moment."""
        if self.run is None:
            raise UserError("This Trainer was made without a run folder, so there is nowhere to save to.")
        began = time.monotonic()
        self._check_finite()
        self._tick()
        checkpoint.save_state(self.run / "state.pt", self._state())
        checkpoint.save_weights(self.run / "generator.safetensors", self.generator)
        if self.discriminator is not None:
            checkpoint.save_weights(self.run / "discriminator.safetensors", self.discriminator)
        checkpoint.write_metrics(self.run, self.rows)
        self._last_save = time.monotonic()
        self._save_cost = self._last_save - began

    def _save_is_due(self) -> bool:
        """Often enough to lose little, seldom enough to cost little."""
        wait = max(SAVE_SECONDS, self._save_cost / SAVE_SHARE)
        return time.monotonic() - self._last_save > wait

    def _state(self) -> dict[str, Any]:
        parts: dict[str, Any] = {"generator": self.generator, "optimizer_g": self.optimizer_g, "scaler": self.scaler}
        if self.discriminator is not None and self.optimizer_d is not None:
            parts |= {"discriminator": self.discriminator, "optimizer_d": self.optimizer_d}
        return {
            **{name: part.state_dict() for name, part in parts.items()},
            "random": torch.get_rng_state(),
            "random_cuda": torch.cuda.get_rng_state() if self.config.device == "cuda" else None,
            "step": self.step_number,
            "steps": self.steps,
            "pairs": len(self.source.train),
            "pending": self._pending,
            "rows": self.rows,
            "held_out_l1": self.held_out_l1,
            "seconds": self._seconds,
            "environment": checkpoint.environment(self.config),
        }

    def _restore(self, state: dict[str, Any]) -> None:
        if changes := checkpoint.environment_changes(state, self.config):
            print(
                f"Note: not as when the state was saved ({'; '.join(changes)}): results will differ in the last bits."
            )
        if state["pairs"] != len(self.source.train):
            raise UserError(
                f"{self.run} was trained on {state['pairs']} pairs and there are {len(self.source.train)} now: put the "
                f"data back as it was, or begin a new run."
            )
        if self.steps < state["steps"]:
            raise UserError(
                f"{self.run} is a run of {state['steps']} steps and cannot be cut to {self.steps}: leave --epochs and "
                f"--images out, or give more of them to train longer."
            )
        if self.steps > state["steps"]:
            back = ", and the learning rate is that of the longer run" if self.config.schedule != "constant" else ""
            print(f"Note: {self.steps} steps in place of {state['steps']}{back}.")
        self.generator.load_state_dict(state["generator"])
        self.optimizer_g.load_state_dict(state["optimizer_g"])
        if self.discriminator is not None and self.optimizer_d is not None:
            self.discriminator.load_state_dict(state["discriminator"])
            self.optimizer_d.load_state_dict(state["optimizer_d"])
        self.scaler.load_state_dict(state["scaler"])
        torch.set_rng_state(state["random"].cpu())
        if self.config.device == "cuda" and state["random_cuda"] is not None:
            torch.cuda.set_rng_state(state["random_cuda"].cpu())
        self.step_number, self.rows, self._pending = state["step"], state["rows"], state["pending"]
        self.held_out_l1, self._seconds = state["held_out_l1"], state["seconds"]

    def _check_finite(self) -> None:
        """Never save a broken network over a good one."""
        if self._pending:
            self._check_losses(torch.stack(self._pending).cpu())
        for net in (self.generator, self.discriminator):
            if net is not None and not all(bool(torch.isfinite(p).all()) for p in net.parameters()):
                raise UserError(self._not_finite("a weight", math.nan, self.step_number))

    def _not_finite(self, name: str, value: float, step: int) -> str:
        epoch = (step - 1) // self.steps_per_epoch + 1
        kept = ""
        if self.run is not None and (self.run / "state.pt").exists():
            kept = f" The state in {self.run} is from before it and is whole."
        return (
            f"Training broke at step {step} (epoch {epoch}): {name} became {value}.{kept} "
            f"Begin again with a lower learning rate{', or --precision f32' if self.config.precision != 'f32' else ''}."
        )

    def _how_to_go_on(self, signal: str) -> str:
        at = f"Stopped by {signal} after step {self.step_number} of {self.steps}"
        if self.run is None:
            return f"{at}; nothing was to be saved (no run folder was given)."
        return (
            f"{at}; everything is saved in {self.run}. "
            f"Go on with: python -m p2plib train {shlex.quote(self.config.source)} "
            f"--out {shlex.quote(str(self.run))} --resume"
        )

    # --- small things ------------------------------------------------------------------------

    def _set_rate(self) -> None:
        rate = self.config.learning_rate_at(self.step_number, self.steps)
        for optimizer in (self.optimizer_g, self.optimizer_d):
            if optimizer is not None:
                optimizer.param_groups[0]["lr"] = rate

    def _to_device(self, picture: Tensor) -> Tensor:
        return picture.to(self.config.device, non_blocking=True)

    def _laid_out(self, picture: Tensor) -> Tensor:
        return picture.contiguous(memory_format=self.layout)

    def _images(self, step: int) -> int:
        """Pictures seen after so many steps; the last batch of an epoch may be smaller."""
        epoch, within = divmod(step, self.steps_per_epoch)
        return epoch * len(self.source.train) + within * self.config.batch

    def _pass_over(self, seconds: float) -> None:
        """A pause counts neither as time spent nor in the images a second."""
        self._clock += seconds
        self._last_row = self._last_row[0], self._last_row[1] + seconds

    def _tick(self) -> None:
        now = time.monotonic()
        self._seconds += now - getattr(self, "_clock", now)
        self._clock = now


LOSS_NAMES = ("D's loss", "G's adversarial loss", "G's pixel loss")


def epoch_order(count: int, batch: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch, as lists of indices: decided by seed and epoch alone, so that a resumed run
    needs no memory of it."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(_mix(seed, -1 - epoch))).tolist()
    return [order[start : start + batch] for start in range(0, count, batch)]


def _mix(seed: int, number: int) -> int:
    """One seed from two numbers, far from those of the neighbours."""
    return ((seed + 1) * 0x9E3779B97F4A7C15 + (number + 2**40) * 0xBF58476D1CE4E5B9) % 2**63


def _held_side(config: Config) -> int:
    """Held-out pictures are shrunk whole, or, where training sees only a part of a tile, cut at its scale."""
    return config.load_size if config.load_size > 1.25 * config.size else config.size


def _state_to_resume(run: Path | None, config: Config, resume: bool) -> dict[str, Any] | None:
    """The saved state, if the run is to go on; a run that never came to save begins again."""
    saved = run is not None and (run / "state.pt").exists()
    if run is None or not resume:
        if saved:
            raise UserError(f"{run} already holds a run: add --resume to go on with it, or choose another folder.")
        return None
    checkpoint.read_config(run)  # says so if this is no run
    if not saved:
        print(f"{run} has no saved state yet: beginning at the start.")
        return None
    return checkpoint.load_state(run / "state.pt", config.device)
