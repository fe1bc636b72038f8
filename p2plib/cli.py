"""The command line: python -m p2plib {train,translate,data,bench,doctor,zoo,record,clinic,checks,notebooks}.

Exit codes: 0 done, 1 the answer is no (doctor, --check), 2 bad input (one sentence on stderr),
130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from p2plib.errors import UserError


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code."""
    try:
        options = _parser().parse_args(arguments)
        return int(options.command(options) or 0)
    except UserError as error:
        print(f"p2plib: {error}", file=sys.stderr)
        return 2
    except ModuleNotFoundError as error:
        if error.name is None or error.name.startswith("p2plib"):
            raise
        from p2plib.doctor import other_environment

        print(f"p2plib: {error.name} is not installed for {sys.executable}: {other_environment()}.", file=sys.stderr)
        return 2
    except BrokenPipeError:  # "| head" has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except KeyboardInterrupt:
        print("p2plib: stopped.", file=sys.stderr)
        return 130


def _train(options: argparse.Namespace) -> int:
    from p2plib.training import Trainer

    run = Path(options.out)
    trainer = Trainer(_train_config(options, run), run, resume=options.resume)
    config = trainer.config
    passes = trainer.steps / trainer.steps_per_epoch
    side = {"AtoB": "A (left)", "BtoA": "B (right)"}[trainer.source.direction]
    print(
        f"{config.source}: {trainer.source.summary}; input is {side}\n"
        f"preset {config.preset}: {config.objective}, patch {config.patch}, {config.size} px, batch {config.batch}, "
        f"{trainer.steps} steps, {passes:.3g} times through the data, on {config.device} ({config.precision}); "
        f"run folder {run}"
    )
    if passes > 300:
        print(f"Each pair is seen {passes:.0f} times: expect them to be learnt by heart. --images N trains less.")
    trainer.fit()
    if trainer.stopped_by:
        return 143 if trainer.stopped_by == "SIGTERM" else 130
    print(f"Done: held-out L1 {trainer.held_out_l1:.4f}; look at {run / 'samples'}.")
    print(f"Translate with: python -m p2plib translate {run} PICTURE --out FOLDER")
    return 0


def _train_config(options: argparse.Namespace, run: Path):  # type: ignore[no-untyped-def]
    """A new config from the options, or the run's own with the options laid over it."""
    import dataclasses

    from p2plib.training import checkpoint, configure
    from p2plib.training.config import pick_device, pick_precision

    names = (
        "objective", "lambda_l1", "patch", "size", "load_size", "base", "epochs", "images", "limit", "batch",
        "learning_rate", "schedule", "seed", "direction", "device", "precision", "reference", "mirror",
    )  # fmt: skip
    given = {name: value for name in names if (value := getattr(options, name)) is not None}
    if not options.resume:
        return configure(options.source, options.preset or "auto", **given)
    saved = checkpoint.read_config(run)
    if options.preset not in (None, "auto", saved.preset):
        raise UserError(f"{run} holds a run of preset {saved.preset}, not {options.preset}: leave --preset out.")
    if "epochs" in given:
        given["images"] = 0
    device = pick_device(given.pop("device", saved.device))
    precision = pick_precision(given.pop("precision", saved.precision), device, saved.preset)
    return dataclasses.replace(saved, source=options.source, device=device, precision=precision, **given)


def _translate(options: argparse.Namespace) -> None:
    from p2plib.training.config import pick_device
    from p2plib.training.translate_files import size_note, translate_files

    run, pictures = Path(options.run), [Path(p) for p in options.pictures]
    written = translate_files(
        run,
        pictures,
        Path(options.out),
        size=options.size,
        pairs=options.pairs,
        repeatable=options.repeatable,
        seed=options.seed,
        device=pick_device(options.device),
    )
    print(f"{len(written)} picture{'s' if len(written) > 1 else ''} written to {options.out}")
    if note := size_note(run, pictures, options.size, options.pairs):
        print(note, file=sys.stderr)


def _data_list(options: argparse.Namespace) -> None:
    from p2plib.data.catalogue import CATALOGUE, Archive, data_folder

    for name, entry in CATALOGUE.items():
        splits = ", ".join(f"{split} {count}" for split, count in entry.splits.items())
        if isinstance(entry, Archive):
            there = "here" if (data_folder() / name).is_dir() else f"{entry.bytes / 1e6:.0f} MB to download"
        else:
            there = "drawn from a seed"
        print(f"{name:<20}{there:<24}{splits:<32}A: {entry.a}, B: {entry.b}; usual direction {entry.direction}")


def _data_download(options: argparse.Namespace) -> None:
    from p2plib.data.catalogue import CATALOGUE, locate

    if options.name not in CATALOGUE:
        raise UserError(f"{options.name!r} is not a name of the catalogue ({', '.join(CATALOGUE)}).")
    print(f"{options.name} is in {locate(options.name)}")


def _data_draw(options: argparse.Namespace) -> None:
    from p2plib.data.synthetic import write_pairs

    kind = options.name.removeprefix("synthetic-")
    paths = write_pairs(kind, Path(options.out), options.count, options.size, options.seed)
    print(f"{len(paths)} pairs written to {options.out}: photograph left (A), labels right (B)")


def _data_sheet(options: argparse.Namespace) -> None:
    from p2plib.data.synthetic import sheet
    from p2plib.files import write_atomic

    kind = options.name.removeprefix("synthetic-")
    write_atomic(options.out, sheet(kind, options.count, options.size, options.seed))
    print(f"{options.count} pairs drawn on {options.out}")


def _doctor(options: argparse.Namespace) -> int:
    from p2plib import doctor

    findings = doctor.examine()
    print(doctor.report(findings))
    return 0 if doctor.can_run(findings) else 1


def _zoo_list(options: argparse.Namespace) -> None:
    from p2plib import zoo

    for name, entry in (zoo.manifest() | zoo.manifest("judges")).items():
        metrics = ", ".join(f"{key} {value}" for key, value in entry["metrics"].items())
        print(f"{name:<24}{entry['bytes'] / 1e6:.1f} MB  {entry['about']}\n{'':24}{metrics}\n{'':24}{entry['command']}")


def _zoo_make(options: argparse.Namespace) -> None:
    from p2plib import zoo

    print(f"{zoo.make(options.name)} written, and its line of manifest.json")


def _record(options: argparse.Namespace) -> None:
    from p2plib.recordings import record

    for line in record(options.which):
        print(line, flush=True)


def _clinic_list(options: argparse.Namespace) -> None:
    from p2plib import clinic

    for letter in ("healthy", *clinic.LETTERS):
        run = clinic.read_run(letter)
        print(f"{letter:<9}held-out L1 {run.measures['l1']:.3f}   {run.command}")


def _clinic_record(options: argparse.Namespace) -> None:
    from p2plib import clinic
    from p2plib.clinic.record import record

    for letter in [options.run] if options.run else ["healthy", *clinic.LETTERS]:
        print(f"{record(letter)} written", flush=True)


def _checks(options: argparse.Namespace) -> int:
    from p2plib.checks import table

    rows = table.rows()
    print(table.table(rows))
    return 1 if any(row.faults for row in rows) else 0


def _notebooks_execute(options: argparse.Namespace) -> int:
    from nbclient.exceptions import CellExecutionError

    from p2plib import notebooks

    failed = False
    for path in [Path(p) for p in options.notebooks] or notebooks.all_notebooks():
        try:
            seconds = notebooks.execute(path, store=options.store)
            print(f"{path.name}: {seconds:.0f} s, {path.stat().st_size / 1e6:.2f} MB", flush=True)
        except CellExecutionError as error:
            print(f"{path.name}: a cell failed.\n{error}", file=sys.stderr)
            failed = True
    return 1 if failed else 0


def _notebooks_exercises(options: argparse.Namespace) -> int:
    from p2plib import exercises

    paths = exercises.solutions()
    changed = exercises.generate(paths, write_back=not options.check)
    for path in changed if options.check else paths:
        said = f"is not what solutions/{path.name} gives: make exercises writes it anew" if options.check else "written"
        print(f"exercises/{path.name} {said}")
    strays = exercises.strays()
    for path in strays:
        print(f"exercises/{path.name} has no solutions/{path.name}: nothing can have generated it")
    return 1 if strays or (options.check and changed) else 0


def _notebooks_hand_out(options: argparse.Namespace) -> None:
    from p2plib import exercises

    copied, earlier = exercises.hand_out()
    names = ", ".join(path.name for path in copied)
    print(f"Copied to {copied[0].parent}: {names}." if copied else "There are no new exercises to copy.")
    for path in earlier:
        print(
            f"{path} comes from an earlier edition of the exercise. The newer one is exercises/{path.name}; "
            f"yours was left as it is."
        )


def _notebooks_stamp(options: argparse.Namespace) -> int:
    from p2plib import notebooks

    if options.repository:
        notebooks.move_repository(options.repository)
    changed = notebooks.stamp(notebooks.all_stored(), write_back=not options.check)
    if notebooks.stamp_readme(write_back=not options.check):
        changed.append(Path("README.md"))
    for path in changed:
        print(f"{path.name}: first cell, badge or address {'is not as it should be' if options.check else 'written'}")
    return 1 if options.check and changed else 0


def _bench(options: argparse.Namespace) -> None:
    from p2plib.training.bench import bench

    print(bench(options.preset, options.rounds, options.seconds, precision=options.precision).table())


class _Parser(argparse.ArgumentParser):
    """Says what it does not understand as everything else here does: in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m p2plib", description="pix2pix, built step by step.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands.add_parser("train", help="train on a folder of pairs or a set of the catalogue"))
    _add_translate(commands.add_parser("translate", help="translate pictures with a trained run"))
    _add_data(commands.add_parser("data", help="list, download or draw data"))
    _add_bench(commands.add_parser("bench", help="images per second, beside a plain loop"))
    doctor = commands.add_parser("doctor", help="can the course run here? exit code 0: yes, 1: not yet")
    doctor.set_defaults(command=_doctor)
    _add_zoo(commands.add_parser("zoo", help="small trained networks: list them, or make one anew"))
    recordings = commands.add_parser("record", help="train and keep the runs that chapters show side by side: an hour")
    recordings.add_argument("which", metavar="WHICH", help="losses, patches, all, or one, such as losses/L1")
    recordings.set_defaults(command=_record)
    _add_clinic(commands.add_parser("clinic", help="chapter 07's recorded runs: list them, or make them anew"))
    checks = commands.add_parser("checks", help="for the makers: what the checks make of known right and wrong answers")
    checks.set_defaults(command=_checks)
    _add_notebooks(
        commands.add_parser("notebooks", help="execute notebooks, stamp them, make exercises, hand them out")
    )
    return parser


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


def _add_translate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of a trained run")
    add("pictures", metavar="PICTURE", nargs="+", help="picture files, or folders of them")
    add("--out", required=True, metavar="DIR", help="folder for the translations")
    add("--size", type=int, metavar="N", help="resize each picture to N × N first (default: as large as it is)")
    add("--pairs", action="store_true", help="the pictures are side-by-side pairs: write input, output, target")
    add("--repeatable", action="store_true", help="dropout off: the same output at every call")
    add("--seed", type=int, default=0, metavar="N", help="of the dropout noise")
    add("--device", default="auto")
    parser.set_defaults(command=_translate)


def _add_data(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="what there is").set_defaults(command=_data_list)
    download = commands.add_parser("download", help="fetch and unpack a set")
    download.add_argument("name", metavar="NAME")
    download.set_defaults(command=_data_download)
    draw = commands.add_parser("draw", help="write pairs made from a seed as files")
    draw.add_argument("name", metavar="NAME", help="facades or maps")
    draw.add_argument("--out", required=True, metavar="DIR")
    draw.add_argument("--count", type=int, default=10, metavar="N")
    draw.add_argument("--size", type=int, default=256, metavar="N")
    draw.add_argument("--seed", type=int, default=0, metavar="N")
    draw.set_defaults(command=_data_draw)

    picture = commands.add_parser("sheet", help="draw many small pairs on one sheet, to look at")
    picture.add_argument("name", metavar="NAME", help="facades or maps")
    picture.add_argument("--out", required=True, metavar="FILE.png")
    picture.add_argument("--count", type=int, default=50, metavar="N")
    picture.add_argument("--size", type=int, default=64, metavar="N")
    picture.add_argument("--seed", type=int, default=0, metavar="N")
    picture.set_defaults(command=_data_sheet)


def _add_zoo(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="what there is").set_defaults(command=_zoo_list)
    make = commands.add_parser("make", help="train one anew: some minutes to half an hour")
    make.add_argument("name", metavar="NAME")
    make.set_defaults(command=_zoo_make)


def _add_clinic(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="which runs there are; not what is wrong with them").set_defaults(
        command=_clinic_list
    )
    record = commands.add_parser("record", help="train and measure one anew, some minutes each")
    record.add_argument("run", metavar="LETTER", nargs="?", help='"a" to "h", or "healthy" (default: all)')
    record.set_defaults(command=_clinic_record)


def _add_notebooks(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    execute = commands.add_parser("execute", help="run notebooks and store their outputs")
    execute.add_argument("notebooks", metavar="NOTEBOOK", nargs="*", help="default: all")
    execute.add_argument("--no-store", dest="store", action="store_false", help="only run them: no file is written")
    execute.set_defaults(command=_notebooks_execute)
    generated = commands.add_parser("exercises", help="make exercises/ from solutions/, and execute it")
    generated.add_argument("--check", action="store_true", help="change nothing; exit 1 if something would change")
    generated.set_defaults(command=_notebooks_exercises)
    handed = commands.add_parser("hand-out", help="for learners: copy new exercises into my_work/, over nothing")
    handed.set_defaults(command=_notebooks_hand_out)
    stamped = commands.add_parser("stamp", help="write the Colab cell and badge into every notebook")
    stamped.add_argument("--repository", metavar="URL", help="first make this the repository's address")
    stamped.add_argument("--check", action="store_true", help="change nothing; exit 1 if something would change")
    stamped.set_defaults(command=_notebooks_stamp)


def _add_bench(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--preset", choices=("laptop", "gpu", "paper"), default="laptop")
    parser.add_argument("--rounds", type=int, default=5, metavar="N")
    parser.add_argument("--seconds", type=float, default=8.0, metavar="X", help="length of one measurement")
    parser.add_argument("--precision", help="auto, f32, bf16 or f16 (of this trainer)")
    parser.set_defaults(command=_bench)
