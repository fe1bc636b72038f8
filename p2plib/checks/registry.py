"""What an exercise is, and where it is found.

Each chapter with exercises has a module chNN_name.py in this folder with a tuple EXERCISES.
"""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from p2plib.errors import UserError

if TYPE_CHECKING:
    from p2plib.checks.trial import Trial

#: Seconds for all calls of one check together.
LIMIT = 10.0


@dataclass(frozen=True)
class Part:
    """One thing that an exercise asks for.

    Args:
        name: what it is called in the library and in my_pix2pix.py.
        parameters: of the call, in order: answers are called by position, or by these names.
        ours: the library's own; None for a question.
        kind: "function" (anything that can be called like one passes), "class", or "value" (a number, a word).
    """

    name: str
    parameters: tuple[str, ...] = ()
    ours: Any = None
    kind: str = "function"

    @property
    def form(self) -> str:
        """How it is called: "half(picture)"."""
        return self.name if self.kind == "value" else f"{self.name}({', '.join(self.parameters)})"


@dataclass(frozen=True)
class Exercise:
    """An exercise and its check.

    Args:
        id: "1.1": chapter and number.
        title: a few words.
        parts: what is asked for, in the order in which `check` takes it.
        check: calls the answers by means of a `Trial`, which ends it at the first thing that is wrong.
        hints: from a nudge to nearly the answer.
        limit: seconds for all calls together.
    """

    id: str
    title: str
    parts: tuple[Part, ...]
    check: Callable[[Trial], None]
    hints: tuple[str, ...]
    limit: float = LIMIT

    @property
    def chapter(self) -> int:
        """The chapter's number."""
        return int(self.id.split(".")[0])

    @property
    def form(self) -> str:
        """How it is checked: check("1.1", split_pair)."""
        return f'check("{self.id}", {", ".join(part.name for part in self.parts)})'


def find(id: str) -> Exercise:
    """The exercise of that number.

    Raises:
        UserError: if there is none; the sentence names those there are.
    """
    known = {exercise.id: exercise for exercise in all_exercises()}
    if not isinstance(id, str) or id not in known:
        raise UserError(f"There is no exercise {id!r}; there are {', '.join(known)}.")
    return known[id]


def all_exercises() -> list[Exercise]:
    """Every exercise, in order of chapters."""
    package = importlib.import_module("p2plib.checks")
    names = sorted(m.name for m in pkgutil.iter_modules(package.__path__) if re.match(r"ch\d\d_", m.name))
    modules = [importlib.import_module(f"p2plib.checks.{name}") for name in names]
    return [exercise for module in modules for exercise in module.EXERCISES]


def is_ours(answer: Any) -> bool:
    """Is this the library's own, as it is or as a partial, an instance or a subclass of it?"""
    answer = getattr(answer, "func", answer)  # functools.partial
    kind = answer if isinstance(answer, type) else type(answer)
    homes = [getattr(answer, "__module__", None), *(base.__module__ for base in kind.__mro__)]
    return any(isinstance(home, str) and home.split(".")[0] == "p2plib" for home in homes)
