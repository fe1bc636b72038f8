"""Reading metrics.csv of a run folder: the rows that `Trainer.rows` had, but for the sixth digit."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from p2plib.errors import UserError
from p2plib.files import cannot_read
from p2plib.training.checkpoint import METRICS

WHOLE = frozenset({"step", "epoch", "images", "session"})  # columns of whole numbers
NEW = frozenset({"session"})  # columns that runs of earlier versions lack


def read_metrics(run: str | Path) -> list[dict[str, Any]]:
    """The rows of a run's metrics.csv, in order, as in `Trainer.rows`.

    Args:
        run: the run folder.

    Returns:
        A dict a row: name of the column → int, float, or None where the cell is empty.  A run from before the column
        "session" has 1 there.

    Raises:
        UserError: if the file is missing or damaged.
    """
    path = Path(run) / "metrics.csv"
    if not path.exists():
        raise UserError(f"{path} is not there: give the folder named by train's --out, and train it first.")
    try:
        with open(path, encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            names = reader.fieldnames or []
            if missing := [name for name in METRICS if name not in names and name not in NEW]:
                raise ValueError(f"it has no column {missing[0]}")
            return [_row(row, reader.line_num) for row in reader]
    except (ValueError, csv.Error) as error:
        raise UserError(f"{path} is damaged ({error}): go on with the run (--resume writes it again).") from None
    except OSError as error:
        raise cannot_read(path, error) from None


def _row(texts: dict[str, Any], line: int) -> dict[str, Any]:
    if None in texts or None in texts.values():  # more cells than columns, or fewer
        raise ValueError(f"line {line} has another number of cells than the first")
    try:
        row = {name: _number(name, text) for name, text in texts.items()}
    except ValueError:
        raise ValueError(f"line {line} holds what is no number") from None
    if row["step"] is None or row["epoch"] is None:
        raise ValueError(f"line {line} has no step or no epoch")
    return {**row, "session": row.get("session") or 1}


def _number(name: str, text: str) -> int | float | None:
    if not text:
        return None
    return int(text) if name in WHOLE else float(text)
