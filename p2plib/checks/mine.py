"""The learner's own parts: passed answers, kept as source in my_work/my_pix2pix.py, and given back by `mine`."""

from __future__ import annotations

import itertools
import re
import sys
from collections.abc import Callable, Sequence
from types import ModuleType
from typing import Any

from p2plib.checks import registry, render, sandbox, source, store, trophy
from p2plib.checks.regions import FILE, VERSION, ids, put, salvage
from p2plib.checks.registry import Exercise, Part
from p2plib.errors import UserError
from p2plib.files import write_atomic
from p2plib.my_work import my_work

_passed: dict[str, tuple[Any, ...]] = {}
#: What `mine` gave from the file: id → the object, its exercise, its name.
_given: dict[int, tuple[Any, str, str]] = {}


def mine(id: str) -> Any:
    """Your own answer to an exercise, if it is passed; else the library's.  A line says which.

    Returns:
        The function or class; a tuple where the exercise asks for several.

    Raises:
        UserError: for an exercise that does not exist, or a question, which has nothing to run.
    """
    exercise = registry.find(id)
    parts = _runnable(exercise)
    if not parts:
        raise UserError(f"{id} is a question: there is nothing of it to run.")
    found = _passed.get(id) if store.recording() else None
    trouble = ""
    if found is None and store.recording():
        found, trouble = _from_file(exercise)
        _remember(exercise, found or ())
    names = " and ".join(f"`{part.name}`" for part in parts)
    said = f"{id} {exercise.title}: your own {names}."
    if found is None:
        found = tuple(part.ours for part in parts)
        said = f"{id} {exercise.title}: {trouble}this is the library's {names}, until yours is passed."
    render.show(f'<div style="{render.FAINT}">{render.markup(said)}</div>', said)
    return found[0] if len(found) == 1 else found


def keep(exercise: Exercise, answers: Sequence[Any], passes: Callable[[Sequence[Any]], bool]) -> str | None:
    """Remember a passed answer, and write its source into my_pix2pix.py.

    Args:
        passes: does the check pass what came back from the file?

    Returns:
        A sentence if it could not be written down, or if the file is complete by now.

    Raises:
        UserError: if nothing can be written there.
    """
    names = _names_in_file(exercise)
    kept = [(part, a) for part, a in zip(exercise.parts, answers, strict=True) if part in _runnable(exercise)]
    if not kept:
        return None
    made = [_is_made(part, answer) for part, answer in kept]
    _passed[exercise.id] = tuple(a() if call else a for (_, a), call in zip(kept, made, strict=True))
    try:
        parts = zip(kept, made, strict=True)
        written = source.merge(source.write_down(part.name, a, names, call) for (part, a), call in parts)

        def passes_again(found: Sequence[Any]) -> bool:
            """With what the file holds in the place of what was handed in; a question's answer stays."""
            again = dict(zip((part.name for part, _ in kept), found, strict=True))
            return passes([again.get(part.name, a) for part, a in zip(exercise.parts, answers, strict=True)])

        _try(put(_read(), exercise, written), exercise, passes_again)
    except source.NotKept as why:
        return f"It is not written into my_work/{FILE}: {why}. `mine` knows it until this notebook is closed."
    with store.locked(my_work()):
        path, old = my_work() / FILE, _read()
        if old == "" and path.exists() and path.stat().st_size:
            old = salvage(path)
            store.keep_aside(path)
        new, complete = trophy.finished(put(old, exercise, written))
        if new != old:
            write_atomic(path, new)
    return trophy.COMPLETE if complete else None


def _remember(exercise: Exercise, found: Sequence[Any]) -> None:
    """These come from the file, where a later answer can call them by their names."""
    parts = zip(_runnable(exercise), found, strict=False)
    _given.update({id(known): (known, exercise.id, part.name) for part, known in parts})


def _names_in_file(exercise: Exercise) -> dict[int, str]:
    """id → name of what other exercises have put into the file: it is called there, not written down again."""
    there = ids(_read()) - {exercise.id}
    given = {key: name for key, (_, of, name) in _given.items() if of in there}
    passed = {id(known): part.name for e in registry.all_exercises() if e.id in _passed and e.id in there
              for part, known in zip(_runnable(e), _passed[e.id], strict=True)}  # fmt: skip
    return given | passed


def _runnable(exercise: Exercise) -> list[Part]:
    """The parts that are no questions."""
    return [part for part in exercise.parts if part.kind != "value" and part.ours is not None]


def _is_made(part: Part, answer: Any) -> bool:
    """Is this a class of which one is made, to be called like the function that was asked for?"""
    return part.kind == "function" and isinstance(answer, type)


def _read() -> str:
    """The file's text; "" where there is none, or none that this version can use."""
    try:
        text = (my_work() / FILE).read_text(encoding="utf-8")
        compile(text, FILE, "exec", dont_inherit=True)
    except (OSError, ValueError, SyntaxError):
        return ""
    version = re.search(r"^# version (\d+)$", text, re.MULTILINE)
    return "" if version and int(version[1]) > VERSION else text


def _try(text: str, exercise: Exercise, passes: Callable[[Sequence[Any]], bool]) -> None:
    """Does the answer pass from the file, too, with nothing of the notebook around it?"""
    ran = sandbox.run(_execute, text, limit=exercise.limit)
    if ran.error is not None or ran.too_slow:
        raise source.NotKept("the file would not run any more")
    if not passes([getattr(ran.value, part.name, None) for part in _runnable(exercise)]):
        raise source.NotKept("outside of this notebook it does not pass")


def _execute(text: str) -> ModuleType:
    """The text as a module of its own, in which `inspect` and tracebacks find their lines."""
    import linecache

    number = next(_numbers)
    file = f"<{FILE} {number}>"
    linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
    module = ModuleType("my_pix2pix")
    module.__file__ = file
    sys.modules["my_pix2pix"] = module
    exec(compile(text, file, "exec", dont_inherit=True), vars(module))
    return module


_numbers = itertools.count(1)


def _from_file(exercise: Exercise) -> tuple[tuple[Any, ...] | None, str]:
    """The answer from my_pix2pix.py, or None and a phrase that says what is wrong with the file."""
    path = my_work() / FILE
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None, ""
    ran = sandbox.run(_execute, text, limit=exercise.limit)
    if ran.too_slow or ran.error is not None:
        why = type(ran.error).__name__ if ran.error is not None and not ran.too_slow else "it does not come to an end"
        return None, f"my_work/{FILE} could not be run ({why}); "
    found = [getattr(ran.value, part.name, None) for part in _runnable(exercise)]
    return (None, "") if any(f is None for f in found) else (tuple(found), "")
