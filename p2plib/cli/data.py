"""python -m p2plib data: list, download, draw."""

from __future__ import annotations

import argparse
from pathlib import Path

from p2plib.cli.parsing import Commands
from p2plib.errors import UserError


def add(commands: Commands) -> None:
    """Add `data`."""
    _add_data(commands.add_parser("data", help="list, download or draw data"))


def _add_data(parser: argparse.ArgumentParser) -> None:
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    commands.add_parser("list", help="what there is").set_defaults(command=_data_list)
    download = commands.add_parser("download", help="fetch and unpack a set")
    download.add_argument("name", metavar="NAME")
    download.set_defaults(command=_data_download)
    draw = commands.add_parser("draw", help="write pairs made from a seed as files")
    _add_drawing(draw, out="DIR", count=10, size=256)
    draw.set_defaults(command=_data_draw)
    picture = commands.add_parser("sheet", help="draw many small pairs on one sheet, to look at")
    _add_drawing(picture, out="FILE.png", count=50, size=64)
    picture.set_defaults(command=_data_sheet)


def _add_drawing(parser: argparse.ArgumentParser, out: str, count: int, size: int) -> None:
    """What is drawn, and where to."""
    add = parser.add_argument
    add("name", metavar="NAME", help="facades or maps")
    add("--out", required=True, metavar=out)
    add("--count", type=int, default=count, metavar="N")
    add("--size", type=int, default=size, metavar="N")
    add("--seed", type=int, default=0, metavar="N")


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
