"""Keeping the notebooks in order: executed, with the same first cell, leading to the right address."""

from __future__ import annotations

import os
import re
import tempfile
import time
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat

from p2plib.errors import UserError
from p2plib.files import write_atomic

CHECKOUT = Path(__file__).resolve().parents[1]
FOLDERS = ("notebooks", "solutions")
GENERATED = "exercises"
COLAB_TAG = "colab"
CLONE = "pix2pix-course"

# Nothing here names a version, and nothing is reinstalled: see p2plib.colab.
TEMPLATE = """\
# On Colab this fetches the course (about a minute). Anywhere else it does nothing.
import importlib.util
import os
import sys

if importlib.util.find_spec("p2plib") is None:
    if not os.path.isdir("{clone}"):
        os.system("git clone -q --depth 1 {repository} {clone}")
    sys.path.insert(0, os.path.abspath("{clone}"))
    import p2plib.colab

    p2plib.colab.prepare()"""

_BADGE = re.compile(r"\[!\[[^\]]*\]\([^)]*colab-badge\.svg\)\]\([^)]*\)( · \[its exercises in Colab\]\([^)]*\))?")


def all_notebooks() -> list[Path]:
    """Every notebook that is written by hand."""
    return [path for folder in FOLDERS for path in sorted((CHECKOUT / folder).glob("*.ipynb"))]


def all_stored() -> list[Path]:
    """Those, and the exercises that are generated from the solutions (see p2plib.exercises)."""
    return [*all_notebooks(), *sorted((CHECKOUT / GENERATED).glob("*.ipynb"))]


def repository() -> str:
    """The repository's address, from the one place where it stands: pyproject.toml."""
    content = tomllib.loads((CHECKOUT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(content["project"]["urls"]["Repository"]).rstrip("/")


def move_repository(address: str) -> None:
    """Write another address into pyproject.toml.

    Raises:
        UserError: unless it is https://github.com/OWNER/NAME, from where Colab opens notebooks.
    """
    if not re.fullmatch(r"https://github\.com/[\w.-]+/[\w.-]+", address):
        raise UserError(f"The address must be https://github.com/OWNER/NAME, so that Colab can open it, not {address}.")
    path = CHECKOUT / "pyproject.toml"
    text = path.read_text(encoding="utf-8")
    write_atomic(path, re.sub(r'(?m)^Repository = ".*"$', f'Repository = "{address}"', text))


def stamp(paths: Iterable[Path], write_back: bool = True) -> list[Path]:
    """Write the first cell and the badge into notebooks; returns those that changed (or would)."""
    changed = []
    for path in paths:
        notebook = read(path)
        before = nbformat.writes(notebook)
        mark(notebook, path)
        if nbformat.writes(notebook) != before:
            if write_back:
                write(path, notebook)
            changed.append(path)
    return changed


def mark(notebook: Any, path: Path) -> None:
    """Put what every notebook has into this one, which lies at `path` or is to lie there."""
    _stamp_cell(notebook)
    _stamp_badge(notebook, path)
    _hide_answers(notebook)


def stamp_readme(write_back: bool = True) -> bool:
    """Write the repository's address into the README's git clone; returns whether that changed (or would)."""
    path = CHECKOUT / "README.md"
    before = path.read_text(encoding="utf-8")
    after = re.sub(r"(?m)^git clone \S+ .*$", f"git clone {repository()} {CLONE} && cd {CLONE}", before)
    if write_back and after != before:
        write_atomic(path, after)
    return after != before


def _stamp_cell(notebook: Any) -> None:
    source = TEMPLATE.format(repository=repository(), clone=CLONE)
    for cell in notebook.cells:
        if COLAB_TAG in cell.metadata.get("tags", []):
            cell.source = source
            return
    cell = nbformat.v4.new_code_cell(source, metadata={"tags": [COLAB_TAG]}, id="colab")
    notebook.cells.insert(1, cell)


def _stamp_badge(notebook: Any, path: Path) -> None:
    image = "https://colab.research.google.com/assets/colab-badge.svg"
    badge = f"[![Open in Colab]({image})]({_in_colab(path.parent.name, path.name)})"
    if path.parent.name == "notebooks" and (CHECKOUT / "solutions" / path.name).exists():
        # links into my_work/ lead nowhere there
        badge += f" · [its exercises in Colab]({_in_colab(GENERATED, path.name)})"
    first = notebook.cells[0]
    if _BADGE.search(first.source):
        first.source = _BADGE.sub(lambda _: badge, first.source)
    else:
        title, _, rest = first.source.partition("\n")
        first.source = f"{title}\n\n{badge}\n\n{rest.lstrip()}".rstrip()


def _in_colab(folder: str, name: str) -> str:
    owner_and_name = repository().removeprefix("https://github.com/")
    return f"https://colab.research.google.com/github/{owner_and_name}/blob/main/{folder}/{name}"


def _hide_answers(notebook: Any) -> None:
    """Fold away the stored outputs from a prediction to the next text: JupyterLab unfolds them when they are run."""
    hide = False
    for cell in notebook.cells:
        if cell.cell_type != "code":
            hide = False
            continue
        if hide:
            cell.metadata["jupyter"] = {"outputs_hidden": True}
        hide = hide or "predict(" in cell.source


def execute(path: Path, timeout: int = 1800, store: bool = True) -> float:
    """Run a notebook from top to bottom and store its outputs in it, unless told not to; returns the seconds.

    Raises:
        nbclient.exceptions.CellExecutionError: where a cell fails; the file is then as it was.
    """
    notebook = read(path)
    began = time.monotonic()
    run(notebook, path.parent, timeout)
    if store:
        write(path, notebook)
    return time.monotonic() - began


def run(notebook: Any, folder: Path, timeout: int = 1800) -> None:
    """Run a notebook as if it lay in `folder`, and put the outputs into it.

    Widgets are stored as the still picture that stands in for them: their state would be large, and a
    widget without its kernel shows an error.

    Raises:
        nbclient.exceptions.CellExecutionError: where a cell fails.
    """
    from nbclient import NotebookClient

    client = NotebookClient(
        notebook,
        timeout=timeout,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,
        record_timing=False,
    )
    with tempfile.TemporaryDirectory() as empty, _environment("P2PLIB_MY_WORK", empty):
        client.execute()  # as on a new learner's machine, whatever the maker has in my_work
    clean(notebook)


@contextmanager
def _environment(name: str, value: str) -> Iterator[None]:
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        os.environ.pop(name)
        if before is not None:
            os.environ[name] = before


def clean(notebook: Any) -> None:
    """Leave nothing of this machine or this moment: widget views, versions of Python, times."""
    ours = {key: value for key, value in notebook.metadata.items() if key == "p2plib"}
    notebook.metadata = ours | {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    for cell in notebook.cells:
        for output in cell.get("outputs", []):
            output.get("data", {}).pop("application/vnd.jupyter.widget-view+json", None)
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if not _is_bar(output)]


def _is_bar(output: Any) -> bool:
    """Is this what is left of a progress bar without its kernel: "0%|          | 0/4000"?"""
    return re.match(r"[^|\n]*%\|", output.get("data", {}).get("text/plain", "")) is not None


def read(path: Path) -> Any:
    """A notebook, as nbformat 4."""
    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def write(path: Path, notebook: Any) -> None:
    """Write a notebook, whole or not at all."""
    nbformat.validate(notebook)
    write_atomic(path, nbformat.writes(notebook).rstrip("\n") + "\n")
