"""Training a run of the clinic and measuring it, once, for all learners."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from p2plib import recorded
from p2plib.clinic.recipes import COMMON, RECIPES, RUNS, Recipe
from p2plib.errors import UserError
from p2plib.evaluation import lab_spread, sharpness
from p2plib.training import Trainer, checkpoint, translate

SHOWN = (0, 1, 2, 5, 7)  # held-out pairs in the grid
KEPT = ("images", "loss_d", "loss_gan", "loss_pixel", "d_accuracy", "held_out_l1")  # the rate would tell too much
LAST = 20  # rows whose mean is the end of a curve: a tenth of the run


def record(letter: str, folder: Path = recorded.FOLDER, images: int | None = None, progress: bool = True) -> Path:
    """Train the run of a letter (some minutes), measure it and write it down; returns its folder.

    Args:
        letter: "a" to "h", or "healthy".
        folder: of all records.
        images: pictures seen, for a short trial; None for all.
        progress: show a bar.

    Raises:
        UserError: for another letter.
    """
    if letter not in RUNS:
        raise UserError(f"There is no run {letter!r} in the clinic; there are {', '.join(RUNS)}.")
    recipe = RECIPES[RUNS[letter]]
    trainer = recipe.build(images=images)
    start = [weight.detach().clone() for weight in trainer.generator.parameters()]
    trainer.fit(progress=progress)
    input, target = trainer.held_out(range(len(trainer.source.held_out)))
    shown = _drawn(trainer, input, recipe.eval_mode)
    chosen = list(SHOWN)
    return recorded.write(
        recorded.Record(
            name=f"clinic/{letter}",
            command=f"python -m p2plib clinic record {letter}",
            settings=COMMON,
            rows=[{name: row[name] for name in KEPT} for row in trainer.rows],
            measures=_measures(trainer, recipe, start, (input, target, shown)),
            pictures={"input": input[chosen], "output": shown[chosen], "target": target[chosen]},
            environment=checkpoint.environment(trainer.config),
        ),
        folder,
    )


def _drawn(trainer: Trainer, input: Tensor, eval_mode: bool) -> Tensor:
    """Outputs (N, 3, H, W), as the paper draws them or in eval mode, in batches as large as in training."""
    parts = input.split(trainer.config.batch)
    on = not eval_mode
    return torch.cat([translate(trainer.generator, x, dropout=on, batch_statistics=on, seed=0) for x in parts])


def _measures(
    trainer: Trainer, recipe: Recipe, start: list[Tensor], pictures: tuple[Tensor, Tensor, Tensor]
) -> dict[str, float]:
    """What `p2plib.clinic.MEASURES` explains, of all held-out pairs."""
    input, target, shown = pictures
    other_mode = _drawn(trainer, input, not recipe.eval_mode)
    (light, a, b), (true_light, true_a, true_b) = lab_spread(shown), lab_spread(target)
    return {
        "l1": _distance(shown, target),
        "l1_mirrored": _distance(shown, target.flip(-1)),
        "l1_other": _distance(shown, target.roll(1, 0)),
        "exchanged": _distance(shown, shown.roll(1, 0)) / _distance(target, target.roll(1, 0)),
        "sharpness": sharpness(shown) / sharpness(target),
        "light": light / true_light,
        "colour": (a + b) / (true_a + true_b),
        "modes": _distance(shown, other_mode),
        "moved": _moved(trainer, start),
        **_ends(trainer),
        **_gradients(trainer),
    }


def _distance(one: Tensor, other: Tensor) -> float:
    return (one - other).abs().mean().item()


def _ends(trainer: Trainer) -> dict[str, float]:
    """Where the curves end."""
    last = trainer.rows[-LAST:]
    names = ("loss_d", "loss_gan", "loss_pixel", "d_accuracy")
    ends = {f"{name}_end": sum(row[name] for row in last) / len(last) for name in names}
    return {**ends, "held_out_end": trainer.rows[-1]["held_out_l1"]}


def _moved(trainer: Trainer, start: list[Tensor]) -> float:
    """Length of the way that G's weights went, as a share of their own length at the start."""
    now = trainer.generator.parameters()
    way = sum(float((weight - was).detach().square().sum()) for weight, was in zip(now, start, strict=True))
    return float((way / sum(float(was.square().sum()) for was in start)) ** 0.5)


def _gradients(trainer: Trainer) -> dict[str, float]:
    """What D's term sends to G's first layer: the length of its gradient, and its share of what moves that layer."""
    first = next(trainer.generator.parameters())
    input, target = trainer.held_out(range(8))
    parts = trainer.objective.generator_loss(trainer.discriminator, input, target, trainer.generator(input))
    length, weighted = {}, {}
    for name in ("gan", "pixel"):
        (along,) = _grad(parts[name], first)
        (weight,) = _grad(parts["total"], parts[name])
        length[name] = 0.0 if along is None else float(along.norm())
        weighted[name] = 0.0 if weight is None else float(weight) * length[name]
    together = sum(weighted.values())
    return {"gradient": length["gan"], "share": weighted["gan"] / together if together else 0.0}


def _grad(of: Tensor, by: Tensor) -> tuple[Tensor | None, ...]:
    if not (of.requires_grad and by.requires_grad):
        return (None,)
    return torch.autograd.grad(of, by, retain_graph=True, allow_unused=True)
