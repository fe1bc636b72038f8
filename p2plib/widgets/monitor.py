"""A training to watch, to pause and to stop: curves, D's accuracy, held-out pictures, images a second."""

from __future__ import annotations

import asyncio
import threading
import time
from collections import deque
from collections.abc import Generator
from typing import Any

from p2plib.errors import UserError
from p2plib.plots import LiveFigure
from p2plib.training import Trainer
from p2plib.training.stopping import StopRequest
from p2plib.widgets.base import plain, put, untrimmed, words

SHOWN = 4  # held-out pairs
BAR_EVERY = 0.5  # seconds between two moves of the bar
SAY_EVERY = 15.0  # seconds between two lines that a screen reader speaks
SPEED_OVER = 10.0  # seconds over which images/s are counted
ALT = (
    "Curves of a training (the losses of the game, D's accuracy, the distance to the target) beside inputs, outputs "
    "and targets of held-out pairs; a bar says how far it is, buttons pause and stop it."
)


class Monitor:
    """A training under one's eyes.  In a notebook:

    ```python
    await Monitor(trainer).start()  # the cell runs until the training ends, and the buttons answer
    Monitor(trainer).fit()          # the same, but most notebooks hand on a click only when the cell has ended
    ```

    A stopped training goes on with `fit` or `start` of this or of another monitor.  `start` trains in another thread:
    without ``await`` the cell ends at once, and code run meanwhile that draws from torch's random numbers changes
    those of the training; `wait` waits for it.

    Args:
        trainer: may have trained before.
        every: seconds between two drawings at the least.

    Attributes:
        running: does it train, or pause, just now?

    Raises:
        UserError: if this is no Trainer.
    """

    def __init__(self, trainer: Trainer, every: float = 3.0) -> None:
        if not isinstance(trainer, Trainer):
            raise UserError(f"Monitor takes a Trainer, such as Monitor(trainer), and got a {type(trainer).__name__}.")
        self.trainer, self.running = trainer, False
        self.live = LiveFigure(min(SHOWN, len(trainer.source.held_out)), every)
        self._stop = StopRequest()
        self._error: BaseException | None = None
        self._marks: deque[tuple[float, int]] = deque()  # (time, pictures seen) of the last seconds
        self._next_bar = self._next_words = 0.0
        self._lay_out()

    def _lay_out(self) -> None:
        import ipywidgets

        size = {"width": "946px", "max_width": "100%", "object_fit": "contain"}
        self.image = ipywidgets.Image(format="png", layout=size)
        self.bar = ipywidgets.FloatProgress(min=0, max=1, layout={"width": "15em"})
        self.speed, self.said, self.note = (ipywidgets.HTML() for _ in range(3))
        button: dict[str, Any] = {"disabled": True, "layout": {"width": "7em"}}
        self.pause = ipywidgets.Button(description="Pause", icon="pause", **button)
        self.stop = ipywidgets.Button(description="Stop", icon="stop", **button)
        self.pause.on_click(lambda button: self._pause_or_go_on())
        self.stop.on_click(lambda button: self._ask_to_stop())
        controls = ipywidgets.HBox([self.pause, self.stop, self.bar, self.speed], layout={"flex_flow": "row wrap"})
        self.widget = ipywidgets.VBox([self.image, controls, self.said, self.note])

    # --- training ----------------------------------------------------------------------------

    def fit(self, turns: int | None = None) -> None:
        """Show it and train, as `Trainer.fit` does; Ctrl-C or a notebook's stop button stops it, and saves.

        Args:
            turns: as in `Trainer.fit`.

        Raises:
            UserError: if it is running already, and as `Trainer.fit` does.
        """
        self._begin(_note("fit"))
        self._train(turns)
        self._raise()

    def start(self, turns: int | None = None) -> Monitor:
        """Show it and train in another thread; ``await`` the result, or `wait`, to come to its end.

        Raises:
            UserError: if it is running already.
        """
        self._begin(_note("start"))
        threading.Thread(target=self._train, args=(turns,), daemon=True).start()
        return self

    def wait(self) -> None:
        """Wait until a started training has ended; Ctrl-C stops it, and saves.

        Raises:
            What went wrong in it.
        """
        while self.running:
            try:
                time.sleep(0.1)
            except KeyboardInterrupt:
                if self._stop.requested:
                    raise
                self._stop.ask("Ctrl-C")
        self._raise()

    def __repr__(self) -> str:
        return f"Monitor({self.trainer})"

    def __await__(self) -> Generator[Any, None, None]:
        """As `wait`, while clicks are heard."""
        return self._until_done().__await__()

    async def _until_done(self) -> None:
        self.note.value = _note("await")
        while self.running:
            try:
                await asyncio.sleep(0.1)
            except asyncio.CancelledError:  # what an interrupt makes of a cell that awaits
                self._stop.ask("Ctrl-C")
        self._raise()

    def _raise(self) -> None:
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _begin(self, note: str) -> None:
        if self.running:
            raise UserError("This training is running already: wait for it, or stop it first.")
        self._stop, self._error, self._marks = StopRequest(), None, deque()
        self.running = True
        try:
            self._draw()
            self.live.took(0.0)  # the first drawing of all loads fonts, which takes long, and nothing waits for it
            self._move_bar()
            self._say("Training.")
            self.note.value = note
            self._show_buttons()
            self._place = put(self.widget, alt=ALT) if _in_ipython() else None
        except BaseException:
            self.running = False
            raise

    def _train(self, turns: int | None) -> None:
        """All of it, in whatever thread; what goes wrong is kept for the one that waits."""
        try:
            self.trainer.fit(progress=False, turns=turns, on_step=self._watch, stop=self._stop)
        except BaseException as error:
            self._error = self._error or error
        try:
            self._end()
        except Exception as error:
            self._error = self._error or error
        finally:
            self.running = False

    def _watch(self, trainer: Trainer) -> None:
        """After every step: move what is due.  An error stops the training, which saves, and is raised then."""
        now = time.monotonic()
        try:
            if now >= self._next_bar:
                self._move_bar()
            if self.live.is_due():
                self._draw()
            if now >= self._next_words and trainer.rows:
                self._say(self.live.text(trainer))
        except Exception as error:
            self._error = error
            self._stop.ask("an error")

    def _end(self) -> None:
        """Say how it ended, and leave the last figure for readers without a kernel."""
        self._stop.paused = False
        self._show_buttons()
        self.pause.disabled = self.stop.disabled = True
        self._say(self._how_it_ended())
        self.note.value, self._marks = "", deque()
        self._move_bar()
        if self._error is None:
            self._draw()
        if self._place is not None:
            put(self.widget, alt=ALT, picture=self.image.value, place=self._place)

    def _how_it_ended(self) -> str:
        trainer = self.trainer
        if self._error is not None:
            return f"Broke off after step {trainer.step_number} of {trainer.steps}: {self._error}"
        if trainer.finished:
            return f"Finished. {self.live.text(trainer)}"
        by = f"Stopped by {self._stop.requested}" if self._stop.requested else "Stopped"
        kept = f"; everything is saved in {trainer.run}" if trainer.run is not None else ""
        return (
            f"{by} after step {trainer.step_number} of {trainer.steps}{kept}. A new Monitor(trainer) goes on from here."
        )

    # --- what is seen ------------------------------------------------------------------------

    def _draw(self) -> None:
        began = time.monotonic()
        self.image.value = untrimmed(self.live.draw(self.trainer))
        self.live.took(time.monotonic() - began)

    def _move_bar(self) -> None:
        now, seen, to_go, marks = time.monotonic(), self.trainer.images_seen, self.trainer.images_to_go, self._marks
        self._next_bar = now + BAR_EVERY
        marks.append((now, seen))
        while len(marks) > 2 and now - marks[0][0] > SPEED_OVER:
            marks.popleft()
        seconds, images = now - marks[0][0], seen - marks[0][1]
        text = f"{seen} of {seen + to_go} pictures"
        if self._stop.paused:
            text += ", paused"
        elif images and to_go:
            text += f", {images / seconds:.{0 if images >= 10 * seconds else 1}f} images/s"
            text += f", {_clock(to_go * seconds / images)} left"
        self.bar.value = seen / max(1, seen + to_go)
        self.speed.value = plain(text)

    def _say(self, text: str) -> None:
        self.said.value = words(text)
        self._next_words = time.monotonic() + SAY_EVERY

    def _show_buttons(self) -> None:
        paused = self._stop.paused
        self.pause.disabled = self.stop.disabled = bool(self._stop.requested)
        self.pause.description, self.pause.icon = ("Go on", "play") if paused else ("Pause", "pause")

    # --- the buttons, in whatever thread the kernel hears them ---------------------------------

    def _pause_or_go_on(self) -> None:
        if not self.running:  # a click that had to wait for the end of the cell
            return
        self._marks = deque()  # a pause does not count
        self._stop.paused = not self._stop.paused
        self._show_buttons()
        self._move_bar()
        self._say("Paused: it holds after this step until you go on, or stop." if self._stop.paused else "It goes on.")

    def _ask_to_stop(self) -> None:
        if not self.running:
            return
        self._stop.ask()
        self._show_buttons()
        self._say("Stopping after this step.")


def _in_ipython() -> bool:
    from IPython.core.interactiveshell import InteractiveShell

    return bool(InteractiveShell.initialized())


def _note(how: str) -> str:
    """What to know of the buttons here, as HTML; "" where they simply answer, or no kernel runs.

    While a cell blocks the kernel, clicks wait for its end (ipykernel up to 6, and from 7.4); while a cell awaits,
    they are heard from ipykernel 7 on, which takes them beside the cell; while no cell runs, always.
    """
    from IPython import get_ipython

    kernel = getattr(get_ipython(), "kernel", None)
    if kernel is None:
        return ""
    if how == "start":
        return plain("It goes on while you read; wait() waits for it.")
    beside = "kernel subshells" in (kernel.kernel_info.get("supported_features") or ())
    if how == "await" and beside:
        return ""
    way = "With await Monitor(trainer).start()" if beside else "After Monitor(trainer).start() in a cell of its own"
    return plain(
        f"Here the buttons {'may ' * beside}answer only when the cell has ended; the notebook's own stop button stops "
        f"after this step, and nothing is lost. {way} they answer at once."
    )


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
