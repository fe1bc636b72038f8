"""evaluate, bench, precision, endure, doctor: what a run, or this machine, is worth."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from p2plib.cli.parsing import Commands
from p2plib.errors import UserError


def add(commands: Commands) -> None:
    """Add `evaluate`, `bench`, `precision`, `endure` and `doctor`."""
    _add_evaluate(commands.add_parser("evaluate", help="measure a run's outputs; write report.json and report.md"))
    _add_bench(commands.add_parser("bench", help="images per second beside a plain loop, and how cost grows"))
    _add_precision(commands.add_parser("precision", help="train in float32 and in bf16, over seeds: is it as good?"))
    _add_endure(commands.add_parser("endure", help="kill a training at random moments, go on: is nothing lost?"))
    doctor = commands.add_parser("doctor", help="can the course run here? exit code 0: yes, 1: not yet")
    doctor.set_defaults(command=_doctor)


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of a trained run")
    add("--against", metavar="RUN2", help="another run, to be printed beside it")
    add("--out", metavar="FILE", help="write what is found there too, as Markdown")
    parser.set_defaults(command=_evaluate)


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


def _add_bench(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("what", nargs="?", choices=("grow",), help="how the cost of a step grows, in place of the two loops")
    add("--preset", choices=("laptop", "gpu", "paper"), help="networks, size and batch (default: laptop)")
    add("--rounds", type=int, metavar="N", help="measurements of each (default: 5; grow: 3)")
    add("--seconds", type=float, metavar="X", help="length of one (default: 8; grow: 2)")
    add("--precision", metavar="P", help="auto, f32, bf16 or f16 (of this trainer; the plain loop has f32)")
    add("--report", metavar="FILE.json", help="write all of it as JSON, and as Markdown beside it")
    parser.set_defaults(command=_bench)


def _bench(options: argparse.Namespace) -> None:
    from p2plib.training.bench import command

    given = (options.preset, options.rounds, options.seconds, options.precision, options.report)
    if options.what == "grow":
        print(command.run_grow(*given, say=lambda line: print(line, file=sys.stderr, flush=True)))
    else:
        print(command.run_bench(*given))


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


def _add_endure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--kills", type=int, default=50, metavar="N")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="of the moments")
    parser.set_defaults(command=_endure)


def _endure(options: argparse.Namespace) -> int:
    from p2plib.training.endurance import endure

    endured = endure(options.kills, options.seed)
    print(endured)
    return 1 if endured.unreadable or endured.different else 0


def _doctor(options: argparse.Namespace) -> int:
    from p2plib import doctor

    findings = doctor.examine()
    print(doctor.report(findings))
    return 0 if doctor.can_run(findings) else 1
