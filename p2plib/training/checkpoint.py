"""What a run folder holds, and how it is written and read: atomically, and safely.

config.json                 settings, versions, device, threads, precision
metrics.csv                 losses and held-out L1 by step and epoch
samples/epoch_0001.png      input, output, target of fixed held-out pairs
generator.safetensors       the weights, contiguous, for anybody
discriminator.safetensors
state.pt                    everything that going on needs, strides kept
"""

from __future__ import annotations

import csv
import dataclasses
import hashlib
import io
import json
import platform
import zipfile
from pathlib import Path
from typing import Any

import numpy
import safetensors
import safetensors.torch
import torch
from safetensors import SafetensorError
from torch import nn

import p2plib
from p2plib.errors import UserError
from p2plib.files import write_atomic
from p2plib.models import UNetGenerator
from p2plib.training.config import Config

FORMAT = 1
_STATE = {"generator", "optimizer_g", "scaler", "random", "random_cuda", "step", "steps", "pending", "rows"}
_STATE |= {"held_out_l1", "seconds", "environment", "pairs"}
_MUST_MATCH = ("torch", "device", "precision", "threads")


def environment(config: Config) -> dict[str, Any]:
    """What else decides the bits of a run."""
    return {
        "p2plib": p2plib.__version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "numpy": numpy.__version__,
        "device": torch.cuda.get_device_name() if config.device == "cuda" else config.device,
        "precision": config.precision,
        "threads": torch.get_num_threads(),
    }


def write_config(run: Path, config: Config) -> None:
    """config.json: the settings and the environment."""
    content = {"format": FORMAT, "config": dataclasses.asdict(config), "environment": environment(config)}
    write_atomic(run / "config.json", json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def read_config(run: Path) -> Config:
    """The settings of a run folder.

    Raises:
        UserError: if the folder is no run, or its config.json cannot be read.
    """
    path = run / "config.json"
    if not path.exists():
        raise UserError(f"{run} is no run folder (it has no config.json): give the folder named by train's --out.")
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise UserError(f"{path} has format {content['format']}; this version of p2plib reads format {FORMAT}.")
        return Config(**content["config"])
    except (ValueError, KeyError, TypeError) as error:
        if isinstance(error, UserError):
            raise
        raise UserError(f"{path} is damaged ({error}): put back a copy of it, or begin a new run.") from None


def check_same_config(run: Path, config: Config) -> None:
    """Refuse to go on with a run under other settings, naming them.

    Device, precision and learning rate may change, and the budget (epochs or images): see `Trainer`.

    Raises:
        UserError: for a difference that would make it another run.
    """
    may_differ = {"device", "precision", "source", "preset", "epochs", "images", "learning_rate"}
    saved, now = dataclasses.asdict(read_config(run)), dataclasses.asdict(config)
    changes = [f"{key} {saved[key]} → {now[key]}" for key in now if key not in may_differ and saved[key] != now[key]]
    if changes:
        raise UserError(
            f"{run} holds a run of another configuration ({', '.join(changes)}): leave these settings out to go on "
            f"with it; to begin anew, choose another folder, or delete this one."
        )


def save_weights(path: Path, net: nn.Module) -> None:
    """A network's weights as safetensors, contiguous: whatever layout they were trained in.

    The file carries the sha256 of its tensors, since safetensors itself would not notice a flipped bit.
    """
    save_tensors(path, net.state_dict())


def save_tensors(path: Path, tensors: dict[str, torch.Tensor]) -> None:
    """What `save_weights` does, of tensors by name."""
    tensors = {name: value.detach().cpu().contiguous() for name, value in tensors.items()}
    write_atomic(path, safetensors.torch.save(tensors, metadata={"sha256": _digest(tensors)}))


def load_weights(path: Path, net: nn.Module) -> None:
    """Load what `save_weights` wrote, or another safetensors file of the same network.

    Raises:
        UserError: if the file is missing, damaged, or of another network.
    """
    if not path.exists():
        raise UserError(f"{path} is not there: the run has saved no weights yet; train it first.")
    try:
        with safetensors.safe_open(path, framework="pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            digest = (file.metadata() or {}).get("sha256")
        if digest is not None and digest != _digest(tensors):
            raise ValueError("its contents do not fit its checksum")
        net.load_state_dict(tensors)
    except (SafetensorError, ValueError, OSError) as error:
        raise UserError(
            f"{path} is damaged ({error}): go on with the run (--resume writes it again), or put back a copy."
        ) from None
    except RuntimeError as error:
        first = str(error).splitlines()[1].strip() if "\n" in str(error) else str(error)
        raise UserError(f"{path} holds the weights of another network: {first}") from None


def _digest(tensors: dict[str, torch.Tensor]) -> str:
    """sha256 over the names and bytes of contiguous tensors, in the order of names."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def load_generator(run: str | Path, device: str = "cpu") -> UNetGenerator:
    """The trained generator of a run folder."""
    config = read_config(Path(run))
    net = build_generator(config)
    load_weights(Path(run) / "generator.safetensors", net)
    return net.to(device)


def build_generator(config: Config) -> UNetGenerator:
    """The generator that a config describes, with fresh weights."""
    return UNetGenerator(base=config.base, depth=config.depth, reference=config.reference)


def save_state(path: Path, state: dict[str, Any]) -> None:
    """Everything that going on needs.  torch.save keeps strides, which fused Adam relies on."""
    write_atomic(path, lambda file: _save(state, file))


def _save(state: dict[str, Any], file: Any) -> None:
    # Through memory: torch's own writer hides a full disk behind an internal error.
    buffer = io.BytesIO()
    torch.save({"format": FORMAT, **state}, buffer)
    file.write(buffer.getbuffer())


def load_state(path: Path, device: str) -> dict[str, Any]:
    """What `save_state` wrote, onto the device, with nothing but tensors and plain values allowed in it.

    Raises:
        UserError: if there is no state yet, or it is damaged.
    """
    if not path.exists():
        raise UserError(f"{path} is not there: the run saved no state to go on from; start it again without --resume.")
    try:
        with zipfile.ZipFile(path) as whole:  # torch.load itself passes over the checksums
            if whole.testzip() is not None:
                raise zipfile.BadZipFile
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        if state["format"] != FORMAT:
            raise UserError(f"{path} has format {state['format']}; this version of p2plib reads format {FORMAT}.")
        if _STATE - state.keys():
            raise KeyError
        return state
    except Exception as error:  # a damaged file raises nearly anything
        if isinstance(error, UserError):
            raise
        raise UserError(
            f"{path} is damaged and cannot be gone on from: put back a copy of it, or begin a new run; "
            f"generator.safetensors beside it still translates if it is whole."
        ) from None


def environment_changes(state: dict[str, Any], config: Config) -> list[str]:
    """What differs from when the state was saved and makes the last bits of a resumed run differ."""
    then, now = state["environment"], environment(config)
    return [f"{name} {then.get(name)} → {now[name]}" for name in _MUST_MATCH if then.get(name) != now[name]]


def write_metrics(run: Path, rows: list[dict[str, Any]]) -> None:
    """metrics.csv, whole, from the rows kept in the state: so it never says more than the state knows."""
    text = io.StringIO()
    writer = csv.DictWriter(text, fieldnames=METRICS, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows({key: _short(value) for key, value in row.items()} for row in rows)
    write_atomic(run / "metrics.csv", text.getvalue())


def last_step(run: Path) -> int:
    """The last step that metrics.csv knows of; 0 if it is not there or cannot be read."""
    try:
        with open(run / "metrics.csv", encoding="utf-8", newline="") as file:
            return max((int(row["step"]) for row in csv.DictReader(file)), default=0)
    except (OSError, ValueError, KeyError, TypeError):
        return 0


METRICS = (
    "session",
    "step",
    "epoch",
    "images",
    "seconds",
    "images_per_second",
    "learning_rate",
    "loss_d",
    "loss_gan",
    "loss_pixel",
    "d_accuracy",
    "held_out_l1",
)


def _short(value: Any) -> Any:
    return f"{value:.6g}" if isinstance(value, float) else value
