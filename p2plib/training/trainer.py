"""A run of training: epochs over the pairs, rows of metrics, and all that keeps it safe."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from tqdm.auto import tqdm

from p2plib.data.augment import Augment, centre
from p2plib.data.catalogue import Source, open_source
from p2plib.data.pairs import FolderPairs, batches
from p2plib.errors import UserError
from p2plib.files import make_folder, remove_leftovers
from p2plib.losses import Objective
from p2plib.training import checkpoint
from p2plib.training.clock import Clock
from p2plib.training.config import Config
from p2plib.training.distributed import World
from p2plib.training.keeper import Keeper
from p2plib.training.lock import RunLock
from p2plib.training.looking import d_accuracy, look, mixed
from p2plib.training.losses_read import NotFinite, PendingLosses
from p2plib.training.resuming import how_to_go_on, not_finite, restore, saved_state, snapshot, too_large
from p2plib.training.samples import write_sheet
from p2plib.training.step import Players
from p2plib.training.stopping import StopRequest
from p2plib.training.translate import translate

SHEETS = 40  # sample grids a run, at most
ROWS = 200  # rows of metrics a run, about
NO_MEMORY = ("out of memory", "not enough memory", "can't allocate memory", "cannot allocate memory")  # torch's words
AGREE_EVERY = 10  # steps after which several processes ask each other whether to stop


class Trainer(Players):
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
        resume: go on from the state saved in `run`; "auto" goes on if there is a run, and else begins one.
        source: data that is already open; None opens ``config.source``.
        world: this process's place among several that train together.

    Attributes:
        step_number: steps done.
        session: 1, and one more each time the run was gone on with.
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
        resume: bool | str = False,
        source: Source | None = None,
        world: World | None = None,
    ) -> None:
        self.run = Path(run) if run is not None else None
        world = world or World()
        world.check_batch(config.batch)
        if resume == "auto":
            resume = self.run is not None and (self.run / "config.json").exists()
        state = saved_state(self.run, config, bool(resume))
        self.source = source or open_source(
            config.source, config.load_size, held_side(config), config.direction, config.limit
        )
        if config.device == "cuda" and isinstance(self.source.train, FolderPairs) and _fits_gpu(self.source.train):
            self.source.train.move_to(config.device)
        config = dataclasses.replace(config, direction=self.source.direction)
        config = config.with_pairs(len(self.source.train))
        if self.run is not None and resume:
            checkpoint.check_same_config(self.run, config)
        objective = objective or Objective(config.objective, config.lambda_l1)
        super().__init__(config, objective, generator, discriminator, world)
        self.steps_per_epoch = -(-len(self.source.train) // config.batch)
        self.steps = config.steps(len(self.source.train))
        self.log_every = max(1, self.steps // ROWS)

        self.step_number = 0
        self.rows: list[dict[str, Any]] = []
        self.held_out_l1: float | None = None
        self.session = 1
        self.stopped_by = ""
        self.clock = Clock()
        self.pending = PendingLosses(self._present())
        self._told_unrecorded = False
        self._last_batch: tuple[Tensor, Tensor] | None = None  # input and target of the last step
        if state is not None:
            restore(self, state)
        self._keeper: Keeper | None = None
        if self.run is not None and self.world.speaks:
            make_folder(self.run)
            with RunLock(self.run):  # another training may hold it: found now, before the work
                make_folder(self.run / "samples")
                remove_leftovers(self.run)
                checkpoint.write_config(self.run, config)
            self._keeper = Keeper(self.run)

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
        if self.stopped_by:
            self.session, self.stopped_by = self.session + 1, ""
        told = stop is None
        with contextlib.ExitStack() as stack:
            if self._keeper is not None:
                stack.enter_context(RunLock(self._keeper.run))
                self._begin_keeping(self._keeper)
                stack.callback(self._keeper.wait)
            stop = stack.enter_context(stop or StopRequest(patient=not self.world.alone))
            show = progress and self.world.speaks
            bar = stack.enter_context(tqdm(total=total, initial=done, unit="img", disable=not show, dynamic_ncols=True))
            self.clock.start()
            if self._recorded is not None:
                self._recorded.forget_if_moved()
            self._last_row = (self.step_number, self.clock.seconds)
            first = self.step_number // self.steps_per_epoch
            for epoch in range(first, self.config.epochs if turns is None else min(first + turns, self.config.epochs)):
                if self.finished or (self.world.alone and stop.requested):
                    break
                if self._epoch(epoch, stop, bar, on_report, on_step):
                    break
            if self._keeper is not None:
                self._keeper.save_at_last(snapshot(self))
        self.stopped_by = stop.requested
        if stop.requested and told:
            self.say(how_to_go_on(self, stop.requested))
        return self

    def _begin_keeping(self, keeper: Keeper) -> None:
        """Find a full disk now, not after an hour; and another training that went on with this run meanwhile."""
        if (keeper.run / "state.pt").exists():
            written = checkpoint.last_step(keeper.run)
            if written > self.step_number:
                raise UserError(
                    f"{keeper.run} stands at step {written} and this Trainer at {self.step_number}: another one has "
                    f"gone on with it. Make a new Trainer with resume=True."
                )
        else:
            keeper.require_room(self.networks)
            keeper.save_now(snapshot(self))
        keeper.start()

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

    def _epoch(self, epoch: int, stop: StopRequest, bar: Any, on_report: Any, on_step: Any) -> bool:
        """The steps of one epoch that are still to be done; returns whether it was to stop in it."""
        order = epoch_order(len(self.source.train), self.config.batch, self.config.seed, epoch)
        order = order[self.step_number - epoch * self.steps_per_epoch :]
        augment = Augment(self.config.size, self.config.mirror)
        for pair in self._pairs([self.world.share(indices) for indices in order]):
            self.clock.mark()
            self._step_of(pair, augment)
            bar.update(self.images_seen - bar.n)
            ends = self.step_number % self.steps_per_epoch == 0 or self.finished
            if ends or self.step_number % self.log_every == 0:
                self._report(epoch, ends, bar)
                if on_report:
                    on_report(self)
            if on_step:
                on_step(self)
            if stop.paused:
                self.clock.leave_out(stop.hold())
            if self._agree_to_stop(stop):
                return True
            if self.finished:
                break
            if self._keeper is not None and self._keeper.due():
                self._keeper.save(snapshot(self))
        return False

    def _step_of(self, pair: tuple[Tensor, Tensor], augment: Augment) -> None:
        """One step, its troubles put into words."""
        with self._memory_in_words(f"at step {self.step_number + 1}"):
            self.train_batch(pair, augment)
        if slept := self.clock.step():
            tqdm.write(f"Note: the machine stood still for {slept / 60:.0f} min at step {self.step_number}; going on.")

    @contextlib.contextmanager
    def _memory_in_words(self, at: str) -> Iterator[None]:
        try:
            yield
        except (MemoryError, RuntimeError) as error:
            said = str(error).lower()
            if not isinstance(error, MemoryError | torch.OutOfMemoryError) and not any(w in said for w in NO_MEMORY):
                raise
            raise UserError(too_large(self, at)) from error

    def _pairs(self, order: list[list[int]]) -> Iterator[tuple[Tensor, Tensor]]:
        """The batches of an epoch; where one cannot be read, the run is saved as it stands."""
        stream = iter(batches(self.source.train, order))
        while True:
            try:
                pair = next(stream)
            except StopIteration:
                return
            except UserError as error:
                if self._keeper is None:
                    raise
                self._keeper.save_at_last(snapshot(self))
                kept = str(error).replace(", or remove it", "")  # a pair fewer would be another set
                raise UserError(f"{kept} {how_to_go_on(self, '')}") from error
            yield pair

    def _agree_to_stop(self, stop: StopRequest) -> bool:
        """Does this process stop here, or, of several, any?"""
        if not self.world.alone:
            if self.step_number % AGREE_EVERY and self.step_number % self.steps_per_epoch:
                return False
            reasons = ("", "a button", "SIGTERM", "Ctrl-C")
            stop.requested = reasons[self.world.largest(reasons.index(stop.requested))]
        return bool(stop.requested)

    def train_batch(self, pair: tuple[Tensor, Tensor], augment: Augment) -> int:
        """Jitter and mirror a pair of uint8 batches, make one step of them; returns the number of pictures."""
        drawn = torch.Generator().manual_seed(
            mixed(self.config.seed, self.step_number * self.world.size + self.world.rank)
        )
        if not self.world.alone:  # dropout of its own in each process, and nothing to remember
            torch.manual_seed(mixed(self.config.seed + 1, self.step_number * self.world.size + self.world.rank))
        input, target = augment(self.to_device(pair[0]), self.to_device(pair[1]), drawn)
        self._last_batch = self.laid_out(input), self.laid_out(target)
        rate = self.config.learning_rate_at(self.step_number, self.steps)
        self.pending.add(self.step_at(rate, *self._last_batch))
        self.step_number += 1
        return len(input)

    def _report(self, epoch: int, ends: bool, bar: Any) -> None:
        """Read the losses off the device, and after an epoch look at the held-out pairs."""
        self._check_all_losses()
        d, gan, pixel = self.pending.means(self.world.mean)
        self.clock.tick()
        images = self._images(self.step_number) - self._images(self._last_row[0])
        seconds = self.clock.seconds - self._last_row[1]
        if not self.world.speaks:
            return
        if ends:
            with self._memory_in_words(f"to look at the held-out pairs after step {self.step_number}"):
                self._look(epoch + 1)
        self._say_if_unrecorded()
        self.clock.tick()
        self.rows.append(
            {
                "session": self.session,
                "step": self.step_number,
                "epoch": (self.step_number - 1) // self.steps_per_epoch + 1,
                "images": self._images(self.step_number),
                "seconds": self.clock.seconds,
                "images_per_second": images / max(seconds, 1e-9),
                "learning_rate": self.config.learning_rate_at(self.step_number - 1, self.steps),
                "loss_d": d,
                "loss_gan": gan,
                "loss_pixel": pixel,
                "d_accuracy": self.d_accuracy(),
                "held_out_l1": self.held_out_l1 if ends else None,
            }
        )
        self._last_row = (self.step_number, self.clock.seconds)
        names = {"D": d, "G": gan, "pixel": pixel, "held-out L1": self.held_out_l1}
        bar.set_postfix({name: f"{value:.3f}" for name, value in names.items() if value is not None}, refresh=False)

    def d_accuracy(self) -> float | None:
        """Share of the cells of D's maps that are right about the last step's pairs, real and made: ½ is a coin.

        D judges as it does in training, and nothing moves.  None without an adversary, or before the first step.
        """
        return None if self._last_batch is None else d_accuracy(self, *self._last_batch)

    def say(self, sentence: str) -> None:
        """Print it, once, however many processes train together."""
        if self.world.speaks:
            print(sentence)

    def check_losses(self) -> None:
        """Name the first step since the last row at which a loss was NaN or infinite."""
        if broken := self.pending.first_broken():
            ago, name, value = broken
            raise NotFinite(not_finite(self, name, value, self.step_number - ago))

    def _check_all_losses(self) -> None:
        """The same in every process: where one has stopped, the others would wait for it."""
        if self.world.largest(int(self.pending.first_broken() is not None)):
            self.check_losses()
            raise NotFinite("In another process a loss became NaN or infinite; its message says which.")

    def _say_if_unrecorded(self) -> None:
        """Once, why the GPU's steps are launched one by one."""
        if self._recorded is not None and self._recorded.failed and not self._told_unrecorded:
            tqdm.write(
                f"Note: a step could not be recorded on this GPU ({self._recorded.failed}); steps are launched one by "
                f"one, which is slower where a batch is small."
            )
            self._told_unrecorded = True

    def _present(self) -> tuple[bool, bool, bool]:
        """Which of `losses_read.NAMES` the objective has."""
        return self.objective.adversarial, self.objective.adversarial, self.objective.pixel is not None

    def _look(self, epoch: int) -> None:
        """Held-out L1, and now and then a sheet of samples."""
        self.held_out_l1, columns = look(self)
        every = -(-self.config.epochs // SHEETS)
        if self._keeper is not None and (epoch % every == 0 or epoch == self.config.epochs):
            path = self._keeper.run / "samples" / f"epoch_{epoch:04d}.png"
            self._keeper.beside(lambda: write_sheet(path, columns))

    def held_out(self, indices: Sequence[int]) -> tuple[Tensor, Tensor]:
        """Inputs and targets of held-out pairs, float32 (B, 3, size, size) in [-1, 1], on the device."""
        input, target = (self.to_device(picture) for picture in self.source.held_out.batch(list(indices)))
        return self.laid_out(centre(input, self.config.size)), self.laid_out(centre(target, self.config.size))

    def translate(self, input: Tensor, seed: int | None = None) -> Tensor:
        """What the generator makes of input (B, 3, H, W) in [-1, 1]: float32, dropout on, batch statistics."""
        with self.arithmetic():
            return translate(self.generator, input, seed=seed).float()

    # --- saving and going on -----------------------------------------------------------------

    def save(self) -> None:
        """Write state, weights and metrics into the run folder; each file is whole at every moment.

        Raises:
            UserError: if there is no run folder, it cannot be written, or the networks are no longer finite.
        """
        if self.run is None:
            raise UserError("This Trainer was made without a run folder, so there is nowhere to save to.")
        if self._keeper is not None:
            self._keeper.save_now(snapshot(self))

    # --- small things ------------------------------------------------------------------------

    def _images(self, step: int) -> int:
        """Pictures seen after so many steps; the last batch of an epoch may be smaller."""
        epoch, within = divmod(step, self.steps_per_epoch)
        return epoch * len(self.source.train) + within * self.config.batch


def epoch_order(count: int, batch: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch, as lists of indices: decided by seed and epoch alone, so that a resumed run
    needs no memory of it."""
    order = torch.randperm(count, generator=torch.Generator().manual_seed(mixed(seed, -1 - epoch))).tolist()
    return [order[start : start + batch] for start in range(0, count, batch)]


def held_side(config: Config) -> int:
    """Held-out pictures are shrunk whole, or, where training sees only a part of a tile, cut at its scale."""
    return config.load_size if config.load_size > 1.25 * config.size else config.size


def _fits_gpu(pairs: FolderPairs) -> bool:
    """Do the pairs take at most a quarter of what is free on the GPU?"""
    return pairs.held and pairs.bytes <= torch.cuda.mem_get_info()[0] / 4
