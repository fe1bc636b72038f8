"""Several trainings in turns, to be watched side by side."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from tqdm.auto import tqdm

from p2plib.training.trainer import Trainer


def race(
    trainers: Mapping[str, Trainer],
    on_turn: Callable[[Mapping[str, Trainer]], None] | None = None,
    progress: bool = True,
) -> None:
    """Train several to the end, each in turn once through its data.

    Args:
        trainers: by name; they should see the same held-out pairs.
        on_turn: called when each has had its turn, for live figures (`p2plib.plots.LiveRace`).
        progress: show one bar for all, with images/s.

    Raises:
        UserError: as `Trainer.fit` does.
    """
    total = sum(trainer.images_to_go for trainer in trainers.values())
    with tqdm(total=total, unit="img", disable=not progress, dynamic_ncols=True) as bar:
        while unfinished := [trainer for trainer in trainers.values() if not trainer.finished]:
            for trainer in unfinished:
                _turn(trainer, bar)
                if trainer.stopped_by:
                    return
            if on_turn:
                on_turn(trainers)


def _turn(trainer: Trainer, bar: Any) -> None:
    """One time through the data; the bar follows."""
    left = trainer.images_to_go

    def moved(trainer: Trainer) -> None:
        nonlocal left
        bar.update(left - trainer.images_to_go)
        left = trainer.images_to_go

    trainer.fit(on_report=moved, progress=False, turns=1)
