"""What decides a run: every setting by name, and the presets that fill them in."""

from __future__ import annotations

import dataclasses
import math
import os
from dataclasses import dataclass
from typing import Any

import torch

from p2plib.data.augment import JITTER
from p2plib.data.catalogue import CATALOGUE, Archive, Drawn
from p2plib.data.pairs import DIRECTIONS
from p2plib.errors import UserError
from p2plib.losses import Objective
from p2plib.models import PATCHES, smallest_side
from p2plib.training.speed import has_fast_bf16

PRECISIONS = ("auto", "f32", "bf16", "f16")
DEVICES = ("auto", "cpu", "cuda", "mps")
LARGE = 256  # pixels from which on bf16 is worth its while on a CPU

#: A preset fixes size and budget, not data.  `images` is how many pictures are seen in all.
PRESETS: dict[str, dict[str, Any]] = {
    # Found on two cores: batch 8 at 1e-3 does in 60 s what batch 4 at 5e-4 does in 90.
    "laptop": dict(size=64, base=16, batch=8, learning_rate=1e-3, schedule="linear", images=20_000),
    "gpu": dict(size=128, base=64, batch=4, learning_rate=4e-4, schedule="linear", images=40_000),
    # Section 6.2 and the authors' Lua code, whose rate is constant.
    "paper": dict(size=256, base=64, batch=1, learning_rate=2e-4, schedule="constant", epochs=200, patch=70),
}


@dataclass(frozen=True)
class Config:
    """All settings of a run.  `configure` fills them in; config.json in the run folder keeps them.

    Attributes:
        source: catalogue name or folder of pairs.
        direction: "AtoB", "BtoA", or None for the set's own.
        objective, lambda_l1: see `p2plib.losses.Objective`.
        patch: receptive field of D in pixels.
        size, load_size: pixels of a training crop, and of the picture that it is cut from.
        base, depth, reference: see `p2plib.models.UNetGenerator`; D has the same base.
        batch: pairs a step.
        epochs: times through the data; worked out when the data is opened, where `images` is the budget.
        images: pictures seen in all, the last time through cut short; 0 where `epochs` is the budget.
        learning_rate, beta1, beta2: of Adam, for both networks.
        schedule: "constant", or "linear": constant for half of the run, then in a line to 0.
        mirror: flip half of the pairs.
        limit: training pairs used; None for all.
        seed, device, precision: as they say; never "auto" here.
    """

    source: str
    preset: str
    direction: str | None
    objective: str
    lambda_l1: float
    patch: int
    size: int
    load_size: int
    base: int
    depth: int
    reference: str
    batch: int
    epochs: int
    images: int
    learning_rate: float
    beta1: float
    beta2: float
    schedule: str
    mirror: bool
    limit: int | None
    seed: int
    device: str
    precision: str

    def with_pairs(self, count: int) -> Config:
        """The same with `epochs` worked out from the number of training pairs."""
        return dataclasses.replace(self, epochs=-(-self.images // count)) if self.images else self

    def steps(self, count: int) -> int:
        """Gradient steps of the whole run, with so many training pairs."""
        if self.images:
            whole, rest = divmod(self.images, count)  # the last batch of an epoch may be smaller
            return whole * -(-count // self.batch) + -(-rest // self.batch)
        return self.epochs * -(-count // self.batch)

    def learning_rate_at(self, step: int, steps: int) -> float:
        """Learning rate of step 0 … steps − 1."""
        if self.schedule == "constant" or step < steps / 2:
            return self.learning_rate
        return self.learning_rate * (steps - step) / (steps - steps / 2)


def configure(source: str | os.PathLike[str], preset: str = "auto", **settings: Any) -> Config:
    """A preset with some settings of one's own.

    Args:
        source: catalogue name ("facades", "synthetic-maps", …) or a folder of pairs.
        preset: "laptop", "gpu", "paper", or "auto": gpu where there is one, else laptop.
        settings: any field of `Config`; None means "as the preset has it".

    Raises:
        UserError: for a setting that is unknown or does not fit the others.
    """
    given = {key: value for key, value in settings.items() if value is not None}
    fields = {field.name for field in dataclasses.fields(Config)}
    if unknown := sorted(set(given) - fields):
        raise UserError(f"{unknown[0]!r} is no setting of a run; settings are {', '.join(sorted(fields))}.")
    source = os.fspath(source)
    device = pick_device(given.pop("device", "auto"))
    if preset == "auto":
        preset = "laptop" if device == "cpu" else "gpu"
    if preset not in PRESETS:
        raise UserError(f"The preset {preset!r} is not known; choose auto, {', '.join(PRESETS)}.")
    values: dict[str, Any] = dict(
        source=source, preset=preset, direction=None, objective="L1+cGAN", lambda_l1=100.0, reference="paper",
        epochs=0, images=0, beta1=0.5, beta2=0.999, mirror=True, limit=None, seed=0, precision="auto",
    )  # fmt: skip
    values |= PRESETS[preset] | given
    if "epochs" in given:
        values["images"] = 0
    elif "images" in given:
        values["epochs"] = 0
    values["objective"] = Objective(values["objective"], values["lambda_l1"]).name
    _check_numbers(values)
    values.setdefault("depth", depth_for(values["size"]))
    values.setdefault("patch", patch_for(values["size"]))
    values.setdefault("load_size", load_size_for(source, values["size"]))
    values |= dict(device=device, precision=pick_precision(values["precision"], device, values["size"]))
    config = Config(**values)
    _check_fit(config)
    return config


def check_numbers(config: Config) -> Config:
    """The same, if each number is possible by itself: of a saved run with some settings laid over it.

    Raises:
        UserError: that names the one that is not.
    """
    _check_numbers(dataclasses.asdict(config))
    return config


def depth_for(size: int) -> int:
    """How often a picture of this side can be halved, up to 8 times: the deepest U-Net that fits."""
    if size < 32 or size % 32:
        below, above = max(0, size // 32 * 32), max(32, -(-size // 32) * 32)
        near = f"{below} or {above}" if below else f"{above}"
        raise UserError(f"--size must be a multiple of 32 px, so that a U-Net can halve it, not {size}: take {near}.")
    return min(8, (size & -size).bit_length() - 1)


def patch_for(size: int) -> int:
    """The patch that covers as much of the picture as the paper's 70 of 256: 16 at 64 px, 34 at 128 px."""
    return min((p for p in PATCHES if p > 1), key=lambda p: abs(p - size * 70 / 256))


def load_size_for(source: str, size: int) -> int:
    """Side from which crops are cut: 286/256 of the size, or more where a tile shrunk whole would lose its streets."""
    entry = CATALOGUE.get(source)
    if isinstance(entry, Drawn):
        return size  # every picture is new already
    zoom = entry.zoom if isinstance(entry, Archive) and size < 256 else 1.0
    return round(size * max(zoom, JITTER))


def pick_device(device: str) -> str:
    """ "cuda", "mps" or "cpu": what was asked for if it is there, the best that is there for "auto"."""
    there = {"cpu": True, "cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available()}
    if device == "auto":
        return next(name for name in ("cuda", "mps", "cpu") if there[name])
    if device not in DEVICES:
        raise UserError(f"The device {device!r} is not known; choose one of {', '.join(DEVICES)}.")
    if not there[device]:
        found = ", ".join(name for name, is_there in there.items() if is_there)
        raise UserError(
            f"The device {device!r} is not there (found: {found}): leave --device out, or choose one found."
        )
    return device


def pick_precision(precision: str, device: str, size: int) -> str:
    """What "auto" comes to: on a GPU bf16 where it is native, else f16; on the CPU bf16 for large pictures, else f32.

    Losses and weights stay float32 in all of them.  Small pictures gain little on the CPU, and in float32 what a
    laptop shows is nearer to what another one shows.  MPS takes f32.
    """
    if precision not in PRECISIONS:
        raise UserError(f"The precision {precision!r} is not known; choose one of {', '.join(PRECISIONS)}.")
    if precision == "f16" and device != "cuda":
        raise UserError("Precision f16 needs a CUDA GPU: choose f32 or bf16 here.")
    if precision != "auto":
        return precision
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "f16"
    return "bf16" if device == "cpu" and size >= LARGE and has_fast_bf16() else "f32"


def _check_numbers(values: dict[str, Any]) -> None:
    for name, lowest in (("batch", 1), ("base", 1), ("epochs", 0), ("images", 0), ("limit", 1), ("seed", 0)):
        value = values[name]
        if value is not None and (not isinstance(value, int) or value < lowest):
            raise UserError(f"{name} must be a whole number, {lowest} or more, not {value!r}.")
    if values["seed"] >= 2**63:
        raise UserError(f"seed must be below 2**63, not {values['seed']}.")
    if not (0 < values["learning_rate"] < math.inf):
        raise UserError(f"learning_rate must be above 0, not {values['learning_rate']}.")
    if not values["epochs"] and not values["images"]:
        raise UserError("epochs must be 1 or more.")
    if values["schedule"] not in ("constant", "linear"):
        raise UserError(f'schedule is "constant" or "linear", not {values["schedule"]!r}.')
    if values["direction"] not in (None, *DIRECTIONS):
        raise UserError(f'direction is "AtoB" or "BtoA", not {values["direction"]!r}.')


def _check_fit(config: Config) -> None:
    if config.patch not in PATCHES:
        raise UserError(f"A patch of {config.patch} px is not known; choose one of {', '.join(map(str, PATCHES))}.")
    if config.size % 2**config.depth:
        raise UserError(f"A depth of {config.depth} needs a size that is a multiple of {2**config.depth}.")
    if Objective(config.objective).adversarial and config.size < smallest_side(config.patch):
        raise UserError(
            f"A patch of {config.patch} px needs pictures of {smallest_side(config.patch)} px or more, and size is "
            f"{config.size}: take a smaller patch or a larger size."
        )
    if config.load_size < config.size:
        raise UserError(f"load_size ({config.load_size}) must be at least size ({config.size}): crops are cut from it.")
