"""Weights of the common PyTorch code as run folders, and run folders as files for that code.

See `p2plib.training.common_layout` for what is moved where.
"""

from __future__ import annotations

import contextlib
import dataclasses
import io
import re
import warnings
import zipfile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from p2plib.errors import UserError
from p2plib.files import cannot_read, make_folder, write_atomic
from p2plib.losses import Objective
from p2plib.models import PatchDiscriminator, UNetGenerator
from p2plib.training import checkpoint
from p2plib.training.common_layout import (
    discriminator_from,
    discriminator_state,
    generator_from,
    generator_state,
)
from p2plib.training.config import Config, configure

#: Stands where other runs have the name of their preset.
IMPORTED = "imported"

#: The files at http://efrosgans.eecs.berkeley.edu/pix2pix/models-pytorch/NAME.pth, and which half of a
#: side-by-side pair each takes as its input.
PUBLISHED = {
    "edges2shoes": "AtoB",
    "sat2map": "AtoB",
    "map2sat": "BtoA",
    "facades_label2photo": "BtoA",
    "day2night": "AtoB",
}

#: In the first bytes of a file of torch 1.5 and before, which is a chain of pickles; later files are zip archives.
_MAGIC = (0x1950A86A20F9469CFC6C).to_bytes(10, "little")
_TYPES = (torch.float32, torch.float16, torch.bfloat16, torch.float64, torch.int64)
_WRITTEN = ("generator.safetensors", "discriminator.safetensors", "config.json")


def import_weights(
    path: str | Path,
    run: str | Path,
    *,
    discriminator: str | Path | None = None,
    name: str | None = None,
    direction: str | None = None,
    reference: str = "pytorch",
) -> Config:
    """Make a run folder from a generator's file: it translates, and has no state that training could go on from.

    Args:
        path: latest_net_G.pth, or one of `PUBLISHED`.
        run: folder to make; it must hold no run yet.
        discriminator: latest_net_D.pth, to be kept beside the generator.
        name: what config.json says the weights are; None takes the file's name.
        direction: which half of a pair is the input; None is as `PUBLISHED` has it, else "AtoB".
        reference: see `p2plib.training.common_layout.generator_from`.

    Returns:
        What config.json says.  What a file cannot tell (loss, rate, jitter) stands there as that code has it.

    Raises:
        UserError: for a file that cannot be read or does not fit; nothing is written then.
    """
    path, run = Path(path), Path(run)
    if taken := [file for file in (*_WRITTEN, "state.pt") if (run / file).exists()]:
        raise UserError(f"{run} already holds a run ({taken[0]}): choose another folder for the imported weights.")
    net = generator_from(read_state(path), path, reference)
    if (net.in_channels, net.out_channels) != (3, 3):
        raise UserError(
            f"{path} takes {net.in_channels} and makes {net.out_channels} channels, and a run folder translates "
            f"pictures of 3 into 3; in Python, generator_from(read_state(file), file) reads it."
        )
    judge = _read_judge(Path(discriminator), net) if discriminator is not None else None
    config = _config(net, judge, name or path.name, direction or _usual_direction(path))
    _write_run(run, config, net, judge)
    return config


def export_weights(run: str | Path, path: str | Path, *, discriminator: str | Path | None = None) -> UNetGenerator:
    """Write the generator of any run as a file that the common code loads (``torch.load``, ``load_state_dict``).

    Args:
        run: folder of a trained run.
        path: file to write, such as latest_net_G.pth.
        discriminator: a second file to write, such as latest_net_D.pth.

    Returns:
        The generator.

    Raises:
        UserError: if the run has no such weights, or that code cannot build the network; nothing is written then.
    """
    config, net = checkpoint.read_config(Path(run)), checkpoint.load_generator(run)
    files = {Path(path): generator_state(net)}
    if discriminator is not None:
        files[Path(discriminator)] = discriminator_state(_load_judge(Path(run), config))
        if len(files) < 2:
            raise UserError(f"{path} is named for both networks: give the discriminator a file of its own.")
    for file in files:
        if file.is_dir():
            raise UserError(f"{file} is a folder: name a file in it, such as {file / 'latest_net_G.pth'}.")
        make_folder(file.parent)
    for file, state in files.items():
        write_atomic(file, _as_bytes(state))
    return net


def refuse_imported(run: Path | None) -> None:
    """Say that a run folder holds imported weights, where training is about to begin in it.

    Raises:
        UserError: if it does.
    """
    try:
        config = checkpoint.read_config(run) if run is not None else None
    except (UserError, OSError):  # no run, or a damaged one: said elsewhere, or overwritten
        return
    if config is not None and config.preset == IMPORTED:
        raise UserError(
            f"{run} holds imported weights, and a file of weights has no training state to go on from: it can "
            f"translate; train into another folder."
        )


def read_state(path: str | Path) -> dict[str, Tensor]:
    """The tensors of a .pth file by name, on the CPU.  No code in the file is run (``weights_only=True``).

    Raises:
        UserError: if the file is missing, damaged, no torch file, or holds anything but named tensors.
    """
    path = Path(path)
    _check_beginning(path)
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as whole:  # torch.load itself passes over the checksums
                if whole.testzip() is not None:
                    raise zipfile.BadZipFile("a checksum does not fit")
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about the storages of old files
            content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # a damaged file raises nearly anything
        raise _cannot_load(path, error) from None
    return _tensors(path, content)


def _check_beginning(path: Path) -> None:
    """What is often found in a file's place: a web page, the note that Git LFS keeps instead of it, a pickle."""
    if not path.exists():
        raise UserError(f"{path}: there is no such file.")
    if path.is_dir():
        raise UserError(f"{path} is a folder: give the .pth file in it.")
    try:
        with open(path, "rb") as file:
            begins = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError as error:
        raise cannot_read(path, error) from None
    if not begins:
        raise UserError(f"{path} is empty: download it again.")
    if begins.startswith(b"<"):
        raise UserError(f"{path} is a web page, no file of weights: the download met an error page; download it again.")
    if begins.startswith(b"\x80") and _MAGIC not in begins:
        raise UserError(
            f"{path} is a pickle of Python objects: it may hold code, which is not run; only a plain state dict can be "
            f"imported, as torch.save(net.state_dict(), file) writes it."
        )
    if begins.startswith(b"version https://git-lfs"):
        raise UserError(f"{path} is only Git LFS's note about a file: fetch the file itself with git lfs pull.")


def _cannot_load(path: Path, error: Exception) -> UserError:
    """Why torch would not load the file, as a sentence."""
    if isinstance(error, OSError) and error.errno is not None:
        return cannot_read(path, error)
    if forbidden := re.search(r"GLOBAL:? ([\w.]+)", str(error)):
        return UserError(
            f"{path} holds code ({forbidden[1]}), which is not run: only a plain state dict can be imported, as "
            f"torch.save(net.state_dict(), file) writes it."
        )
    if "TorchScript" in str(error):
        return UserError(f"{path} is a TorchScript program: only a plain state dict can be imported.")
    return UserError(f"{path} is no torch file, or is cut short or damaged: download or save it again.")


def _tensors(path: Path, content: Any) -> dict[str, Tensor]:
    """The content, if it is a state dict."""
    if isinstance(content, Tensor) or not isinstance(content, dict):
        raise UserError(f"{path} holds a {type(content).__name__}, no state dict: give a generator's latest_net_G.pth.")
    if not content:
        raise UserError(f"{path} holds a state dict without weights.")
    for key, value in content.items():
        if not isinstance(key, str) or not isinstance(value, Tensor) or value.layout != torch.strided:
            raise UserError(
                f"{path} is no plain state dict: its entry {str(key)!r} is no tensor; save the generator's "
                f"state_dict() alone."
            )
        if value.dtype not in _TYPES:
            raise UserError(f"{path}: {key} is of type {value.dtype}; weights in floating point were expected.")
    return dict(content)


def _read_judge(path: Path, net: UNetGenerator) -> PatchDiscriminator:
    judge = discriminator_from(read_state(path), path)
    if judge.in_channels not in (3, 6) or judge.base != net.base:
        raise UserError(
            f"{path} takes {judge.in_channels} channels and has base {judge.base}: beside this generator a "
            f"discriminator takes 6 (or 3) and has base {net.base}."
        )
    return judge


def _load_judge(run: Path, config: Config) -> PatchDiscriminator:
    objective = Objective(config.objective)
    path = run / "discriminator.safetensors"
    if not objective.adversarial or not path.exists():
        raise UserError(f"{run} has no discriminator (objective {config.objective}): leave --discriminator out.")
    judge = PatchDiscriminator(objective.discriminator_channels(), config.base, config.patch)
    checkpoint.load_weights(path, judge)
    return judge


def _usual_direction(path: Path) -> str:
    """By the name of the file, or of its folder: that code's script puts sat2map into sat2map_pretrained/."""
    names = (path.stem, path.absolute().parent.name.removesuffix("_pretrained"))
    return next((PUBLISHED[name] for name in names if name in PUBLISHED), "AtoB")


def _config(net: UNetGenerator, judge: PatchDiscriminator | None, name: str, direction: str) -> Config:
    """Size, depth, base and reference are the file's; no epoch was trained here."""
    config = configure(
        name,
        "paper",
        direction=direction,
        size=2**net.depth,
        base=net.base,
        depth=net.depth,
        reference=net.reference,
        patch=judge.patch if judge is not None else None,
        objective="L1+GAN" if judge is not None and judge.in_channels == 3 else None,
        schedule="linear",
        device="cpu",
        precision="f32",
    )
    return dataclasses.replace(config, preset=IMPORTED, epochs=0)


def _write_run(run: Path, config: Config, net: UNetGenerator, judge: PatchDiscriminator | None) -> None:
    """All files or none; config.json, without which a folder is no run, last."""
    fresh = not run.exists()
    make_folder(run)
    try:
        checkpoint.save_weights(run / _WRITTEN[0], net)
        if judge is not None:
            checkpoint.save_weights(run / _WRITTEN[1], judge)
        checkpoint.write_config(run, config)
    except BaseException:
        for name in _WRITTEN:
            (run / name).unlink(missing_ok=True)
        if fresh:
            with contextlib.suppress(OSError):
                run.rmdir()
        raise


def _as_bytes(state: dict[str, Tensor]) -> bytes:
    # Through memory: torch's own writer hides a full disk behind an internal error.
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()
