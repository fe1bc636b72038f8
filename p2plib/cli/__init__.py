"""The command line: python -m p2plib COMMAND; --help lists the commands.

Exit codes: 0 done, 1 the answer is no (doctor, --check), 2 bad input (one sentence on stderr),
130 stopped by Ctrl-C, 143 by SIGTERM.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from p2plib.cli import data, makers, measure, pictures, train
from p2plib.cli.parsing import Parser
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


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="python -m p2plib", description="pix2pix, built step by step.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module in (train, pictures, data, measure, makers):
        module.add(commands)
    return parser
