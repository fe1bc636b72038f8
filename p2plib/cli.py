"""The command line: python -m p2plib COMMAND; --help lists the commands.

Exit codes: 0 done, 1 the answer is no (doctor, --check), 2 bad input (one sentence on stderr),
130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from p2plib.errors import UserError

if TYPE_CHECKING:
    from p2plib.training.distributed import World


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
    from p2plib.training.distributed import join

    with join() as world:
        try:
            return _train_in(options, world)
        except UserError:
            if world.speaks:
                raise
            return 2  # one sentence is enough


def _train_in(options: argparse.Namespace, world: World) -> int:
    from p2plib.training import Trainer

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
    trainer.fit()
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
    precision = pick_precision(given.pop("precision", saved.precision), device, saved.size)
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
        tile=options.tile,
        overlap=options.overlap,
        repeatable=options.repeatable,
        seed=options.seed,
        device=pick_device(options.device),
    )
    print(f"{len(written)} picture{'s' if len(written) > 1 else ''} written to {options.out}")
    if note := size_note(run, pictures, options.size, options.pairs, options.tile is not None):
        print(note, file=sys.stderr)


def _import_weights(options: argparse.Namespace) -> None:
    from p2plib.training.common_layout import dropout_sides
    from p2plib.training.exchange import import_weights

    config = import_weights(
        options.file,
        options.out,
        discriminator=options.discriminator,
        name=options.name,
        direction=options.direction,
        reference=options.reference,
    )
    print(
        f"{options.file}: a U-Net for {config.size} px, base {config.base}, depth {config.depth}; "
        f"run folder {options.out}"
    )
    if options.reference == "paper":
        print(
            f"Dropout now sits on the outputs of side {dropout_sides(config.depth, 'paper')} in place of "
            f"{dropout_sides(config.depth, 'pytorch')}; with it off (--repeatable) the pictures are the same."
        )
    print(f"Translate with: python -m p2plib translate {options.out} PICTURE --out FOLDER")


def _export_weights(options: argparse.Namespace) -> None:
    from p2plib.training.common_layout import dropout_sides
    from p2plib.training.exchange import export_weights

    net = export_weights(options.run, options.out, discriminator=options.discriminator)
    print(f"Written to {options.out}, for UnetGenerator(3, 3, {net.depth}, ngf={net.base}, use_dropout=True)")
    if net.reference == "paper":
        print(
            f"The run has dropout on the outputs of side {dropout_sides(net.depth, 'paper')}; that code has it on "
            f"{dropout_sides(net.depth, 'pytorch')}. With it off the pictures are the same."
        )


def _evaluate(options: argparse.Namespace) -> None:
    from p2plib.evaluation import evaluate_run, read_report
    from p2plib.evaluation.report_text import beside, markdown, table
    from p2plib.files import write_atomic
    from p2plib.training.checkpoint import read_config

    run = Path(options.run)
    if options.against:
        read_config(Path(options.against))  # says so if it is no run, before anything is measured
    report = evaluate_run(run)
    report.write(run)
    print(table(report))
    print(f"Written: {run / 'report.json'} and {run / 'report.md'}")
    text = markdown(report)
    if options.against:
        other = Path(options.against)
        try:
            second = read_report(other)
        except UserError:  # none yet, or of other weights
            second = evaluate_run(other)
            second.write(other)
        both = beside(report, second, (str(run), str(other)))
        print(f"\n{both}")
        text += f"\n## Beside {other}\n\n```\n{both}\n```\n"
    if options.out:
        write_atomic(options.out, text)


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


def _endure(options: argparse.Namespace) -> int:
    from p2plib.training.endurance import endure

    endured = endure(options.kills, options.seed)
    print(endured)
    return 1 if endured.unreadable or endured.different else 0


def _record(options: argparse.Namespace) -> None:
    from p2plib.recordings import record, record_run

    if options.name:
        print(record_run(options.which, options.name, options.size))
        return
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
    from p2plib.training.bench import command

    given = (options.preset, options.rounds, options.seconds, options.precision, options.report)
    if options.what == "grow":
        print(command.run_grow(*given, say=lambda line: print(line, file=sys.stderr, flush=True)))
    else:
        print(command.run_bench(*given))


def _precision(options: argparse.Namespace) -> None:
    from p2plib.evaluation.precision import compare_precisions
    from p2plib.training.bench.report import check_path

    path = check_path(options.report) if options.report else None
    names = ("preset", "direction", "size", "base", "images", "limit", "device")
    settings = {name: value for name in names if (value := getattr(options, name)) is not None}
    say = lambda line: print(line, file=sys.stderr, flush=True)
    found = compare_precisions(options.source, options.precision, range(options.seeds), say=say, **settings)
    print(found.table())
    if path:
        shown = " ".join(f"--{name} {value}" for name, value in settings.items())
        found.write(path, f"python -m p2plib precision {Path(options.source).name} {shown}")


class _Parser(argparse.ArgumentParser):
    """Says what it does not understand as everything else here does: in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help.")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="python -m p2plib", description="pix2pix, built step by step.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _add_train(commands.add_parser("train", help="train on a folder of pairs or a set of the catalogue"))
    _add_translate(commands.add_parser("translate", help="translate pictures with a trained run"))
    _add_import(commands.add_parser("import-weights", help="make a run of a .pth file of the common PyTorch code"))
    _add_export(commands.add_parser("export-weights", help="write a run's weights as a .pth file for that code"))
    _add_evaluate(commands.add_parser("evaluate", help="measure a run's outputs; write report.json and report.md"))
    _add_data(commands.add_parser("data", help="list, download or draw data"))
    _add_bench(commands.add_parser("bench", help="images per second beside a plain loop, and how cost grows"))
    _add_precision(commands.add_parser("precision", help="train in float32 and in bf16, over seeds: is it as good?"))
    endured = commands.add_parser("endure", help="kill a training at random moments, go on, compare: nothing is lost")
    endured.add_argument("--kills", type=int, default=50, metavar="N")
    endured.add_argument("--seed", type=int, default=0, metavar="N", help="of the moments")
    endured.set_defaults(command=_endure)
    doctor = commands.add_parser("doctor", help="can the course run here? exit code 0: yes, 1: not yet")
    doctor.set_defaults(command=_doctor)
    _add_zoo(commands.add_parser("zoo", help="small trained networks: list them, or make one anew"))
    recordings = commands.add_parser("record", help="train and keep the runs that chapters show side by side: an hour")
    recordings.add_argument("which", metavar="WHICH", help="losses, patches, all, or one, such as losses/L1; or a run")
    recordings.add_argument("--as", dest="name", metavar="NAME", help="keep the run folder WHICH as this record")
    recordings.add_argument("--size", type=int, metavar="N", help="with --as: pixels of the pictures kept")
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
    add("--tile", type=int, metavar="N", help="in tiles of N × N pixels, for pictures that memory does not hold whole")
    add("--overlap", type=int, metavar="N", help="pixels that neighbouring tiles share (default: a quarter of a tile)")
    add("--repeatable", action="store_true", help="dropout off: the same output at every call")
    add("--seed", type=int, default=0, metavar="N", help="of the dropout noise")
    add("--device", default="auto")
    parser.set_defaults(command=_translate)


def _add_import(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", help="a generator's file, such as latest_net_G.pth or facades_label2photo.pth")
    add("--out", required=True, metavar="RUN", help="run folder to make")
    add("--name", metavar="NAME", help="what the run's config.json calls it (default: the file's name)")
    add("--direction", choices=("AtoB", "BtoA"), help="of side-by-side pairs (default: known by name, else AtoB)")
    add("--reference", choices=("pytorch", "paper"), default="pytorch", help="paper: dropout where the paper has it")
    add("--discriminator", metavar="FILE", help="its discriminator's file, such as latest_net_D.pth, to be kept too")
    parser.set_defaults(command=_import_weights)


def _add_export(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of a trained run")
    add("--out", required=True, metavar="FILE", help="file to write, such as latest_net_G.pth")
    add("--discriminator", metavar="FILE", help="a file for the discriminator too, such as latest_net_D.pth")
    parser.set_defaults(command=_export_weights)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of a trained run")
    add("--against", metavar="RUN2", help="another run, to be printed beside it")
    add("--out", metavar="FILE", help="write what is found there too, as Markdown")
    parser.set_defaults(command=_evaluate)


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
    add = parser.add_argument
    add("what", nargs="?", choices=("grow",), help="how the cost of a step grows, in place of the two loops")
    add("--preset", choices=("laptop", "gpu", "paper"), help="networks, size and batch (default: laptop)")
    add("--rounds", type=int, metavar="N", help="measurements of each (default: 5; grow: 3)")
    add("--seconds", type=float, metavar="X", help="length of one (default: 8; grow: 2)")
    add("--precision", metavar="P", help="auto, f32, bf16 or f16 (of this trainer; the plain loop has f32)")
    add("--report", metavar="FILE.json", help="write all of it as JSON, and as Markdown beside it")
    parser.set_defaults(command=_bench)


def _add_precision(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("source", metavar="SOURCE", help="a catalogue name or a folder of pairs")
    add("--precision", choices=("bf16", "f16"), default="bf16", help="beside float32 (default: bf16)")
    add("--seeds", type=int, default=3, metavar="N")
    add("--preset", choices=("laptop", "gpu", "paper", "auto"))
    add("--direction", choices=("AtoB", "BtoA"))
    for name in ("size", "base", "images", "limit"):
        add(f"--{name}", type=int, metavar="N", help="as in train")
    add("--device", help="auto, cpu, cuda or mps")
    add("--report", metavar="FILE.json", help="write all of it as JSON, and as Markdown beside it")
    parser.set_defaults(command=_precision)
