"""Translating picture files, and exchanging weights with the common PyTorch code."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from p2plib.cli.parsing import Commands


def add(commands: Commands) -> None:
    """Add `translate`, `import-weights` and `export-weights`."""
    _add_translate(commands.add_parser("translate", help="translate pictures with a trained run"))
    _add_import(commands.add_parser("import-weights", help="make a run of a .pth file of the common PyTorch code"))
    _add_export(commands.add_parser("export-weights", help="write a run's weights as a .pth file for that code"))


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
    if note := size_note(run, pictures, options.size, options.pairs, options.tile):
        print(note, file=sys.stderr)


def _add_import(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", metavar="FILE", help="a generator's file, such as latest_net_G.pth or facades_label2photo.pth")
    add("--out", required=True, metavar="RUN", help="run folder to make")
    add("--name", metavar="NAME", help="what the run's config.json calls it (default: the file's name)")
    add("--direction", choices=("AtoB", "BtoA"), help="of side-by-side pairs (default: known by name, else AtoB)")
    add("--reference", choices=("pytorch", "paper"), default="pytorch", help="paper: dropout where the paper has it")
    add("--discriminator", metavar="FILE", help="its discriminator's file, such as latest_net_D.pth, to be kept too")
    parser.set_defaults(command=_import_weights)


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


def _add_export(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("run", metavar="RUN", help="folder of a trained run")
    add("--out", required=True, metavar="FILE", help="file to write, such as latest_net_G.pth")
    add("--discriminator", metavar="FILE", help="a file for the discriminator too, such as latest_net_D.pth")
    parser.set_defaults(command=_export_weights)


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
