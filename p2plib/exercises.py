"""From solved notebooks to exercises, and from exercises to the learner's own copies.

solutions/NN_name.ipynb is the source. exercises/NN_name.ipynb is generated from it by nbgrader's own
preprocessors, and executed. my_work/NN_name.ipynb is the learner's copy, which nothing here writes twice.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from p2plib import notebooks
from p2plib.errors import UserError
from p2plib.files import cannot_write, make_folder, write_atomic
from p2plib.my_work import my_work

STUB = "raise NotImplementedError"
BEGIN, END = "BEGIN SOLUTION", "END SOLUTION"


def solutions() -> list[Path]:
    """The solved notebooks, in order of chapters."""
    return sorted((notebooks.CHECKOUT / "solutions").glob("*.ipynb"))


def exercises() -> list[Path]:
    """The notebooks that were generated from them."""
    return sorted((notebooks.CHECKOUT / notebooks.GENERATED).glob("*.ipynb"))


def strays() -> list[Path]:
    """Exercises without a solved notebook: nothing could have generated them."""
    known = {path.name for path in solutions()}
    return [path for path in exercises() if path.name not in known]


def generate(paths: Iterable[Path], write_back: bool = True) -> list[Path]:
    """Make the exercises of these solved notebooks, executed; returns those that were not (or are not) up to date.

    An exercise is up to date if its sources and metadata are what its solution gives; outputs are not compared.

    Args:
        paths: of solved notebooks; the exercises lie in exercises/ beside their folder.
        write_back: if not, nothing is executed or written.

    Raises:
        UserError: for a solved notebook of which no exercise can be made, or without nbgrader.
        nbclient.exceptions.CellExecutionError: where a cell of an exercise fails; its file is then as it was.
    """
    changed = []
    for path in paths:
        target = _target(path)
        notebook = exercise(path)
        if _content_at(target) != _content(notebook):
            changed.append(target)
        if write_back:
            make_folder(target.parent)
            notebooks.run(notebook, target.parent)
            notebooks.write(target, notebook)
    return changed


def exercise(path: Path) -> Any:
    """The exercise of one solved notebook, not yet executed.

    Raises:
        UserError: if none can be made of it; the sentence names the cell.
    """
    notebook = notebooks.read(path)
    _examine(notebook, path)
    _clear(notebook, path)
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("solution"):
            _parse(
                cell, path, "once its solution is cleared: does BEGIN SOLUTION stand as far in as the code after it?"
            )
    notebooks.mark(notebook, _target(path))
    notebook.metadata["p2plib"] = {"edition": _edition(notebook)}
    notebooks.clean(notebook)
    return notebook


def hand_out() -> tuple[list[Path], list[Path]]:
    """Copy each exercise into my_work/, unless something of that name is there.

    Returns:
        (what was copied, the learner's copies that come from an earlier edition of their exercise)

    Raises:
        UserError: if my_work/ cannot be written.
    """
    copied, earlier = [], []
    for path in exercises():
        target = make_folder(my_work()) / path.name
        if _copy_new(path, target):
            copied.append(target)
        elif edition(target) not in (None, edition(path)):
            earlier.append(target)
    return copied, earlier


def edition(path: Path) -> str | None:
    """The edition that a notebook's metadata names; None where they name none."""
    try:
        return str(json.loads(path.read_text(encoding="utf-8"))["metadata"]["p2plib"]["edition"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


def _target(path: Path) -> Path:
    return path.parent.parent / notebooks.GENERATED / path.name


def _copy_new(source: Path, target: Path) -> bool:
    """Copy, whole or not at all, and only where nothing is; returns whether it did."""
    if os.path.lexists(target):
        return False
    part = target.with_name(f".{target.name}.{os.getpid()}.copy.part")
    try:
        write_atomic(part, source.read_bytes())
        try:
            os.link(part, target)  # unlike a rename, this never replaces what has come there meanwhile
        except FileExistsError:
            return False
        except OSError:  # a disk that knows no links
            if os.path.lexists(target):
                return False
            os.replace(part, target)
        return True
    except OSError as error:
        raise cannot_write(target, error) from error
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


# --- comparing ----------------------------------------------------------------------------------


def _content(notebook: Any) -> tuple[Any, ...]:
    """What is compared: everything but outputs and counts."""
    cells = [(cell.cell_type, cell.id, cell.source, dict(cell.metadata)) for cell in notebook.cells]
    return dict(notebook.metadata), cells


def _content_at(path: Path) -> tuple[Any, ...] | None:
    try:
        return _content(notebooks.read(path))
    except (OSError, ValueError, AttributeError):  # not there, or spoilt
        return None


def _edition(notebook: Any) -> str:
    """Of stubs and checks alone: a comma in the text is no reason to tell a learner of a newer exercise."""
    digest = hashlib.sha256()
    for cell in notebook.cells:
        if "nbgrader" in cell.metadata:
            digest.update(f"{cell.metadata.nbgrader.get('grade_id')}\n{cell.source}\n".encode())
    return digest.hexdigest()[:12]


# --- clearing -----------------------------------------------------------------------------------


def _clear(notebook: Any, path: Path) -> None:
    """Clear solutions and outputs, as `nbgrader generate_assignment` does.

    Cells are not locked: a learner repeats a check with `seed=…` in place; nbgrader puts the checks back when it
    grades.
    """
    try:
        from nbgrader import preprocessors as nbgrader
    except ModuleNotFoundError as error:
        raise UserError(
            f"Exercises are made from solutions with nbgrader, and {error.name} is not installed: "
            f"`make setup-dev` installs it."
        ) from error
    steps = (
        nbgrader.ClearSolutions(code_stub={"python": STUB}),
        nbgrader.ClearHiddenTests(),
        nbgrader.ClearMarkScheme(),
        nbgrader.ClearOutput(),
        nbgrader.CheckCellMetadata(),
    )
    with _quiet():
        for step in steps:
            try:
                step.preprocess(notebook, {})
            except Exception as error:
                raise UserError(f"{path.name}: nbgrader refuses it ({error.__context__ or error}).") from error


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Nothing is logged: what nbgrader has to say is said as a sentence."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


# --- examining ----------------------------------------------------------------------------------


def _examine(notebook: Any, path: Path) -> None:
    """Raise UserError for what would give an exercise that stops, that holds its solution, or that is not graded."""
    ids: list[str] = []
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("solution"):
            _examine_solution(cell, path)
        elif BEGIN in cell.source or END in cell.source:
            raise UserError(f"{_where(cell, path)}: a solution region stands in a cell that is not a solution cell.")
        elif marks.get("grade"):
            _examine_check(cell, path)
        ids += [marks["grade_id"]] if marks.get("grade_id") else []
    if again := [id for id, count in Counter(ids).items() if count > 1]:
        raise UserError(f"{path.name}: the name {again[0]} stands at more than one cell.")
    for id in ids:
        kind, _, number = id.partition("-")
        other = f"{'check' if kind == 'ex' else 'ex'}-{number}"
        if kind in ("ex", "check") and other not in ids:
            raise UserError(f"{path.name}: there is {id} but no {other}: a solution and its check come in pairs.")


def _examine_solution(cell: Any, path: Path) -> None:
    where = _where(cell, path)
    if cell.cell_type != "code" or cell.metadata.nbgrader.get("grade"):
        raise UserError(f"{where}: a solution cell is a code cell that is not graded itself.")
    _number(cell, path, "ex")
    regions = _regions(cell, path)
    if not regions:
        raise UserError(f"{where}: a solution cell without ### {BEGIN}: clearing it would take all of it away.")
    nodes = list(ast.walk(_parse(cell, path)))
    functions = [node for node in nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    for begin, end in regions:
        inside = [node for node in nodes if isinstance(node, ast.stmt) and begin < node.lineno < end]
        last = max((node.end_lineno or node.lineno for node in inside), default=0)
        if not inside:
            raise UserError(f"{where}: there is no code between the marks in line {begin} and {end}.")
        if not any(f.lineno < begin and last <= (f.end_lineno or 0) for f in functions):
            raise UserError(
                f"{where}: the solution region in line {begin} is not inside a function: "
                f"unsolved, the notebook would stop there."
            )


def _examine_check(cell: Any, path: Path) -> None:
    number = _number(cell, path, "check")
    called = re.findall(r"""^check\(\s*["']([^"']*)["']""", cell.source, re.MULTILINE)
    if called != [number]:
        found = f"it checks {' and '.join(called)}" if called else "it calls no check"
        raise UserError(f'{_where(cell, path)}: expected was one line check("{number}", …); {found}.')


def _number(cell: Any, path: Path, kind: str) -> str:
    """ "1.2" of a cell named ex-1-2 or check-1-2, of the notebook's own chapter."""
    chapter = path.name[:2].lstrip("0") or "0"
    match = re.fullmatch(rf"{kind}-({chapter})-(\d+)", cell.metadata.nbgrader.get("grade_id") or "")
    if match is None:
        raise UserError(f"{_where(cell, path)}: in this notebook the name is to be {kind}-{chapter}-N.")
    return f"{match[1]}.{match[2]}"


def _regions(cell: Any, path: Path) -> list[tuple[int, int]]:
    """The lines of each BEGIN and its END, from 1."""
    regions, begin = [], 0
    for number, line in enumerate(cell.source.split("\n"), 1):
        if (BEGIN in line and begin) or (END in line and not begin):
            raise UserError(f"{_where(cell, path)}: the mark in line {number} has no partner.")
        if BEGIN in line:
            begin = number
        elif END in line:
            regions.append((begin, number))
            begin = 0
    if begin:
        raise UserError(f"{_where(cell, path)}: the mark in line {begin} has no partner.")
    return regions


def _parse(cell: Any, path: Path, when: str = "as it is.") -> ast.Module:
    try:
        return ast.parse(cell.source)
    except SyntaxError as error:
        raise UserError(f"{_where(cell, path)}: line {error.lineno} is not Python {when}") from error


def _where(cell: Any, path: Path) -> str:
    return f"{path.name}, cell {cell.metadata.get('nbgrader', {}).get('grade_id') or cell.id}"
