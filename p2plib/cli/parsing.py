"""What every command's parser has in common."""

from __future__ import annotations

import argparse
from typing import NoReturn

from p2plib.errors import UserError


class Parser(argparse.ArgumentParser):
    """Says what it does not understand as everything else here does: in one sentence."""

    def error(self, message: str) -> NoReturn:
        raise UserError(f"{message}; see {self.prog} --help.")


#: What `add_subparsers` gives: a module of commands adds its own to it.
Commands = argparse._SubParsersAction  # the only name that argparse has for it
