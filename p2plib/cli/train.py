"""python -m p2plib train."""

from __future__ import annotations

import argparse
import contextlib
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from p2plib.cli.parsing import Commands
from p2plib.errors import UserError

if TYPE_CHECKING:
    from p2plib.training.distributed import World


def add(commands: Commands) -> None:
    """Add `train`."""
    _add_train(commands.add_parser("train", help="train on a folder of pairs or a set of the catalogue"))


def _add_train(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", help="a catalogue name (see: data list) or a folder of pairs")
    add("--out", required=True, metavar="RUN", help="run folder")
    add("--preset", choices=("laptop", "gpu", "paper", "auto"), help="size and budget (default: auto)")
    add("--objective", metavar="NAME", help="L1, L2, GAN, cGAN, L1+GAN or L1+cGAN (default)")
    add("--patch", type=int, metavar="N", help="receptive field of the discriminator in pixels")
    add("--lambda", type=float, dest="lambda_l1", metavar="X", help="weight of the pixel loss (default: 100)")
    add("--size", type=int, metavar="N", help="pixels of a training picture, a multiple of 32")
    add("--load-size", type=int, metavar="N", help="pixels from which it is cut (default: size × 286/256)")
    add("--base", type=int, metavar="N", help="channels of the first layer")
    add("--epochs", type=int, metavar="N", help="times through the data")
    add("--images", type=int, metavar="N", help="pictures seen in all, in place of --epochs")
    add("--limit", type=int, metavar="N", help="use only the first N training pairs")
    add("--batch", type=int, metavar="N", help="pairs a step")
    add("--learning-rate", type=float, metavar="X")
    add("--schedule", choices=("constant", "linear"), help="linear: falls to 0 over the second half")
    add("--seed", type=int, metavar="N")
    add("--direction", choices=("AtoB", "BtoA"), help="AtoB: the left half is the input (default for folders)")
    add("--reference", choices=("paper", "pytorch"), help="whose dropout placement and skip order")
    add("--device", help="auto, cpu, cuda or mps")
    add("--precision", help="auto, f32, bf16 or f16")
    add("--no-mirror", dest="mirror", action="store_false", default=None, help="never flip pairs left to right")
    add("--resume", action="store_true", help="go on with the run in --out; more --epochs or --images train it longer")
    parser.set_defaults(command=_train)


def _train(options: argparse.Namespace) -> int:
    from p2plib.training.distributed import join

    with join(_device(options)) as world:
        try:
            return _train_in(options, world)
        except UserError:
            if world.speaks:
                raise
            return 2  # of what all of them find, one sentence is enough


def _device(options: argparse.Namespace) -> str:
    """What will be trained on, before the run is opened: "auto" where it is not known, or the run is none."""
    from p2plib.training import checkpoint

    if options.device is None and options.resume:
        with contextlib.suppress(UserError):  # said when the run is opened
            return checkpoint.read_config(Path(options.out)).device
    return options.device or "auto"


def _train_in(options: argparse.Namespace, world: World) -> int:
    from p2plib.training import Trainer
    from p2plib.training.resuming import cut_short

    run = Path(options.out)
    trainer = Trainer(_train_config(options, run), run, resume=options.resume, world=world)
    config = trainer.config
    passes = trainer.steps / trainer.steps_per_epoch
    side = {"AtoB": "A (left)", "BtoA": "B (right)"}[trainer.source.direction]
    together = "" if world.alone else f", {world.size} processes"
    trainer.say(
        f"{config.source}: {trainer.source.summary}; input is {side}\n"
        f"preset {config.preset}: {config.objective}, patch {config.patch}, {config.size} px, batch {config.batch}, "
        f"{trainer.steps} steps, {passes:.3g} times through the data, on {config.device} ({config.precision}"
        f"{together}); run folder {run}"
    )
    if passes > 300:
        trainer.say(f"Each pair is seen {passes:.0f} times: expect them to be learnt by heart. --images N trains less.")
    try:
        trainer.fit()
    except UserError as error:  # found by this process, perhaps by this one alone
        if not world.speaks:
            print(f"p2plib (process {world.rank}): {error}", file=sys.stderr)
        raise
    except KeyboardInterrupt:  # a second one
        trainer.say(cut_short(trainer))
        return 130
    if trainer.stopped_by:
        return 143 if trainer.stopped_by == "SIGTERM" else 130
    if trainer.held_out_l1 is not None:
        trainer.say(f"Done: held-out L1 {trainer.held_out_l1:.4f}; look at {run / 'samples'}.")
        trainer.say(f"Translate with: python -m p2plib translate {run} PICTURE --out FOLDER")
    return 0


def _train_config(options: argparse.Namespace, run: Path):  # type: ignore[no-untyped-def]
    """A new config from the options, or the run's own with the options laid over it."""
    import dataclasses

    from p2plib.training import checkpoint, configure
    from p2plib.training.config import check_numbers, pick_device, pick_precision
    from p2plib.training.exchange import refuse_imported

    names = (
        "objective", "lambda_l1", "patch", "size", "load_size", "base", "epochs", "images", "limit", "batch",
        "learning_rate", "schedule", "seed", "direction", "device", "precision", "reference", "mirror",
    )  # fmt: skip
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    if not options.resume:
        return configure(options.source, options.preset or "auto", **given)
    refuse_imported(run)
    saved = checkpoint.read_config(run)
    if options.preset not in (None, "auto", saved.preset):
        raise UserError(f"{run} holds a run of preset {saved.preset}, not {options.preset}: leave --preset out.")
    if "epochs" in given:
        given["images"] = 0
    device = pick_device(given.pop("device", saved.device))
    precision = pick_precision(given.pop("precision", saved.precision), device, saved.size)
    return check_numbers(dataclasses.replace(saved, source=options.source, device=device, precision=precision, **given))
