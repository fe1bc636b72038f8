"""Reports of measurements: JSON for programs, the same as Markdown for readers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from p2plib.errors import UserError
from p2plib.files import make_folder, write_atomic


def check_path(path: str | Path) -> Path:
    """Where a report may be written; before anything is measured.

    Raises:
        UserError: if it does not end in .json, or its folder cannot be made.
    """
    path = Path(path)
    if path.suffix != ".json":
        raise UserError(
            f"--report is a file that ends in .json, not {path.name!r}; the same as .md is written beside it."
        )
    make_folder(path.parent)
    return path


def write_report(path: Path, content: dict[str, Any], title: str, parts: Sequence[str]) -> None:
    """Write the JSON, and beside it the Markdown: title, `parts`, then what it was measured on.

    Args:
        path: ends in .json.
        content: with the keys of `p2plib.training.bench.machine.surroundings`.
        parts: paragraphs and tables in Markdown.
    """
    text = "\n\n".join([f"# {title}", *parts, *_surroundings(content)]) + "\n"
    write_atomic(path, json.dumps(content, indent=2, ensure_ascii=False) + "\n")
    write_atomic(path.with_suffix(".md"), text)


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows, the first a heading, as a table with all columns but the first to the right."""
    rule = ["---", *["---:"] * (len(rows[0]) - 1)]
    return "\n".join(f"| {' | '.join(row)} |" for row in [rows[0], rule, *rows[1:]])


def _surroundings(content: dict[str, Any]) -> list[str]:
    machine, versions, gpu = content["machine"], content["versions"], content["gpu"]
    lines = [
        f"- {content['date']}, `{content['command']}`",
        f"- {machine['system']}, {machine['processor']}, {machine['cores']} cores, "
        f"threads used: {machine['threads']}; device {machine['device']}, {content['precision']}",
        f"- {', '.join(f'{name} {version}' for name, version in versions.items())}",
        f"- GPU: {gpu if isinstance(gpu, str) else gpu['name']}",
    ]
    return ["## Measured on", "\n".join(lines)]
