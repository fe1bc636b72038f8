"""What the course is kept up with: small networks, recorded runs, checks, notebooks."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from p2plib.cli.parsing import Commands


def add(commands: Commands) -> None:
    """Add `zoo`, `record`, `clinic`, `checks` and `notebooks`."""
    _add_zoo(commands.add_parser("zoo", help="small trained networks: list them, or make one anew"))
    _add_record(commands.add_parser("record", help="train and keep the runs that chapters show side by side: an hour"))
    _add_clinic(commands.add_parser("clinic", help="chapter 07's recorded runs: list them, or make them anew"))
    checks = commands.add_parser("checks", help="for the makers: what the checks make of known right and wrong answers")
    checks.set_defaults(command=_checks)
    _add_notebooks(
        commands.add_parser("notebooks", help="execute notebooks, stamp them, make exercises, hand them out")
    )


def _add_zoo(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="what there is").set_defaults(command=_zoo_list)
    make = commands.add_parser("make", help="train one anew: some minutes to half an hour")
    make.add_argument("name", metavar="NAME")
    make.set_defaults(command=_zoo_make)


def _zoo_list(options: argparse.Namespace) -> None:
    from p2plib import zoo

    for name, entry in (zoo.manifest() | zoo.manifest("judges")).items():
        metrics = ", ".join(f"{key} {value}" for key, value in entry["metrics"].items())
        print(f"{name:<24}{entry['bytes'] / 1e6:.1f} MB  {entry['about']}\n{'':24}{metrics}\n{'':24}{entry['command']}")


def _zoo_make(options: argparse.Namespace) -> None:
    from p2plib import zoo

    print(f"{zoo.make(options.name)} written, and its line of manifest.json")


def _add_record(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("which", metavar="WHICH", help="losses, patches, all, or one, such as losses/L1; or a run")
    add("--as", dest="name", metavar="NAME", help="keep the run folder WHICH as this record")
    add("--size", type=int, metavar="N", help="with --as: pixels of the pictures kept")
    parser.set_defaults(command=_record)


def _record(options: argparse.Namespace) -> None:
    from p2plib.recordings import record, record_run

    if options.name:
        print(record_run(options.which, options.name, options.size))
        return
    for line in record(options.which):
        print(line, flush=True)


def _add_clinic(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="which runs there are; not what is wrong with them").set_defaults(
        command=_clinic_list
    )
    record = commands.add_parser("record", help="train and measure one anew, some minutes each")
    record.add_argument("run", metavar="LETTER", nargs="?", help='"a" to "h", or "healthy" (default: all)')
    record.set_defaults(command=_clinic_record)


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
