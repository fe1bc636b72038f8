"""Small trained networks by name, so that a chapter can show what training gives before it trains.

Each is a float16 safetensors file in data/zoo, named in manifest.json with its hash, its settings, what
it measured on held-out pairs, and the command that made it.  Loading checks the hash, and that the network
gives the output it gave when it was made.

The manifest has two groups: "models" make pictures, "judges" look at them (a segmenter, and the discriminators of
the runs recorded by `p2plib.recordings`).
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors.torch
import torch
from torch import Tensor, nn

from p2plib.data.augment import to_signed
from p2plib.data.catalogue import CATALOGUE, Drawn, DrawnPairs, Source
from p2plib.data.randomness import purpose, uniform
from p2plib.errors import UserError
from p2plib.evaluation.segmenter import Segmenter, class_names, gap, labelled_pairs, scores, train_segmenter
from p2plib.files import make_folder, write_atomic
from p2plib.models import PatchDiscriminator, UNetGenerator
from p2plib.training import checkpoint
from p2plib.training.config import configure
from p2plib.training.trainer import Trainer
from p2plib.training.translate import translate

FOLDER = Path(__file__).resolve().parents[1] / "data" / "zoo"
TOLERANCE = 0.02  # of outputs in [-1, 1] between machines; another network is off by far more


@dataclasses.dataclass(frozen=True)
class Recipe:
    """How a network of the zoo is made: drawn pairs, and settings for `configure`."""

    about: str
    source: str
    pairs: int
    scale: float | None
    settings: dict[str, Any]


RECIPES = {
    "map2aerial": Recipe(
        about="street map → aerial picture of synthetic towns, trained at 128 px",
        source="synthetic-maps",
        pairs=8_000,
        # 128 px at the grain of 64: the network sees towns wider than one unit, and works on wider ones still.
        scale=1.0,
        settings=dict(
            preset="laptop", size=128, depth=6, patch=34, base=16, batch=4, images=90_000, learning_rate=8e-4, seed=1
        ),
    )
}


#: Segmenters by name: the drawn set that each was trained on.
SEGMENTERS = {"segmenter-maps": "synthetic-maps"}


def load(name: str) -> UNetGenerator:
    """A network of the zoo, float32, on the CPU.

    Args:
        name: a key of data/zoo/manifest.json.

    Raises:
        UserError: for an unknown name, or a file that is missing, damaged or gives other outputs.
    """
    entry = _entry("models", name)
    return _filled(UNetGenerator(**entry["network"]), name, entry)


def load_segmenter(source: str = "synthetic-maps") -> Segmenter:
    """The segmenter trained on a drawn set: what `evaluation.train_segmenter` gives, without the wait.

    Raises:
        UserError: as `load`.
    """
    name = next((name for name, trained_on in SEGMENTERS.items() if trained_on == source), f"segmenter of {source}")
    entry = _entry("judges", name)
    return _filled(Segmenter(**entry["network"]), name, entry).eval()


def load_discriminator(patch: int) -> PatchDiscriminator:
    """The discriminator of the recorded run L1+cGAN at this patch, in eval mode; it takes input and picture stacked.

    Args:
        patch: 1, 16, 34 or 70 px.

    Raises:
        UserError: as `load`.
    """
    name = discriminator_name(patch)
    entry = _entry("judges", name)
    return _filled(PatchDiscriminator(**entry["network"]), name, entry).eval()


def discriminator_name(patch: int) -> str:
    """How the zoo calls the discriminator of this patch."""
    return f"discriminator-patch-{patch}"


def _entry(group: str, name: str) -> dict[str, Any]:
    known = manifest(group)
    if name not in known:
        raise UserError(f"The zoo has no {name!r}; it has {', '.join(known)}.")
    return known[name]


Net = TypeVar("Net", bound=nn.Module)


def _filled(net: Net, name: str, entry: dict[str, Any]) -> Net:
    """The network with the weights of its file, after both were checked."""
    path = FOLDER / entry["file"]
    if not path.exists():
        raise UserError(f"{path} is not there: fetch it again with git checkout, or make it with: {entry['command']}")
    content = path.read_bytes()
    if hashlib.sha256(content).hexdigest() != entry["sha256"]:
        raise UserError(f"{path} is not the file that was published (its sha256 differs): fetch it again.")
    net.load_state_dict(safetensors.torch.load(content))
    difference = float(np.abs(np.array(_probe(net)) - np.array(entry["probe"])).max())
    if not difference <= TOLERANCE:
        raise UserError(
            f"The zoo's {name} gives other outputs here than where it was made (by up to {difference:.3f})."
        )
    return net


def manifest(group: str = "models") -> dict[str, dict[str, Any]]:
    """What the zoo holds of "models" or "judges": name → file, sha256, command, settings, metrics."""
    return _manifest().get(group, {})


def _manifest() -> dict[str, Any]:
    path = FOLDER / "manifest.json"
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"format": 1}
    return content


def translate_with(network: nn.Module, input: Tensor) -> Tensor:
    """Input (B, 3, H, W) in [-1, 1] → output, as the zoo's networks are shown: without noise and with the averages
    of training, so that a slider moves what it says and nothing else."""
    return translate(network, input, dropout=False, batch_statistics=False)


def make(name: str) -> Path:
    """Train a network of the zoo anew and write it into data/zoo: a minute for a segmenter, half an hour for others.

    Raises:
        UserError: for a name without a recipe.
    """
    if name in SEGMENTERS:
        return _make_segmenter(name, SEGMENTERS[name])
    if name not in RECIPES:
        raise UserError(f"There is no recipe for {name!r}; there is one for {', '.join([*RECIPES, *SEGMENTERS])}.")
    recipe = RECIPES[name]
    config = configure(recipe.source, **recipe.settings)
    trainer = Trainer(config, source=_source(recipe, config.size)).fit()
    if not trainer.finished:
        raise UserError(f"The training of {name} was stopped: nothing was written.")
    rounded(trainer.generator)
    return store(
        name,
        trainer.generator,
        about=recipe.about,
        command=f"python -m p2plib zoo make {name}",
        network={"base": config.base, "depth": config.depth},
        settings=dataclasses.asdict(trainer.config) | {"pairs": recipe.pairs, "scale": recipe.scale},
        environment=checkpoint.environment(config),
        metrics=_measure(trainer.generator, recipe, trainer),
    )


def rounded(net: nn.Module) -> None:
    """Round the weights as their file will, so that a network is measured as it will be loaded."""
    net.load_state_dict({key: v.half() if v.is_floating_point() else v for key, v in net.state_dict().items()})


def store(name: str, net: nn.Module, group: str = "models", **entry: Any) -> Path:
    """Write a network (as `rounded` left it) into data/zoo, and its entry into the manifest.

    Args:
        name: of the network.
        net: on the CPU.
        group: "models" or "judges".
        entry: about, command, network (what builds it), settings, environment, metrics.

    Returns:
        The file of the weights.
    """
    path = make_folder(FOLDER) / f"{name}.safetensors"
    tensors = net.state_dict().items()
    halves = {key: value.half().contiguous() if value.is_floating_point() else value for key, value in tensors}
    content = safetensors.torch.save(halves)
    write_atomic(path, content)
    measured = {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(), "probe": _probe(net)}
    everything = _manifest()
    everything[group] = manifest(group) | {name: {"about": entry.pop("about"), "file": path.name} | entry | measured}
    write_atomic(FOLDER / "manifest.json", json.dumps(everything, indent=1, ensure_ascii=False) + "\n")
    return path


def _make_segmenter(name: str, source: str) -> Path:
    net = train_segmenter(source, seed=0)
    rounded(net)
    _, pictures, classes = labelled_pairs(source, "val", range(100))
    found = scores(net, pictures, classes).pixel_accuracy
    return store(
        name,
        net,
        group="judges",
        about=f"the {len(class_names(source))} classes of {source} read back out of pictures, 7 × 7 px at a time",
        command=f"python -m p2plib zoo make {name}",
        network={"classes": net.classes},
        settings={"source": source, "seed": 0},
        environment=checkpoint.environment(configure(source, "laptop")),
        metrics={"pixel_accuracy": round(found, 4), "gap": round(gap(net, pictures, classes), 4)},
    )


def _source(recipe: Recipe, size: int) -> Source:
    drawn = CATALOGUE[recipe.source]
    assert isinstance(drawn, Drawn)
    train = DrawnPairs(drawn, "train", size, count=recipe.pairs, scale=recipe.scale)
    held_out = DrawnPairs(drawn, "val", size, count=32, scale=recipe.scale)
    return Source(recipe.source, train.direction, train, held_out, "")


def _measure(net: nn.Module, recipe: Recipe, trainer: Trainer) -> dict[str, float]:
    """Mean |target − output| on 16 held-out pairs, pictures in [-1, 1], at three sides."""
    found = {"minutes": round(trainer.rows[-1]["seconds"] / 60, 1)}
    for side in (64, 128, 256):
        inputs, targets = (to_signed(batch) for batch in _source(recipe, side).held_out.batch(range(16)))
        distances = [(translate_with(net, x[None]) - y).abs().mean() for x, y in zip(inputs, targets, strict=True)]
        found[f"l1_at_{side}"] = round(float(torch.stack(distances).mean()), 4)
    return found


def _probe(net: nn.Module) -> list[float]:
    """Sixteen numbers of the output on a fixed input: averages over 4 × 4 tiles, which survive rounding."""
    channels = net.in_channels if isinstance(net, PatchDiscriminator) else 3
    noise = uniform(purpose("zoo probe"), np.arange(channels * 8 * 8)).reshape(1, channels, 8, 8)
    input = torch.from_numpy(noise).repeat_interleave(8, -1).repeat_interleave(8, -2) * 2 - 1
    tiles = nn.functional.adaptive_avg_pool2d(translate_with(net, input), 4).mean(1).flatten()
    return [round(float(value), 4) for value in tiles]
