"""Runs kept as records: what a training came to, small enough to lie beside the course.

A record is a folder in data/recorded with record.json (settings, curves, measurements, versions, the command that made
it) and pictures.png (one row a kind of picture, one column a held-out pair).  Chapters and widgets show them where a
learner would otherwise have to wait for many trainings.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from p2plib.errors import UserError
from p2plib.files import make_folder, write_atomic
from p2plib.plots import as_array

FOLDER = Path(__file__).resolve().parents[1] / "data" / "recorded"
FORMAT = 1
ROWS = 60  # points of a curve that are kept, about


@dataclass(frozen=True)
class Record:
    """What is kept of a run.

    Attributes:
        name: of its folder, such as "patches/70" or "clinic/a".
        command: that made it.
        settings: of the run.
        rows: curves, as `Trainer.rows`.
        measures: what was measured at the end, name → number.
        pictures: kind ("input", "output", …) → uint8 (N, 3, H, W), all of one size.
        environment: versions and seconds.
    """

    name: str
    command: str
    settings: Mapping[str, Any]
    rows: Sequence[Mapping[str, Any]]
    measures: Mapping[str, float]
    pictures: Mapping[str, Tensor]
    environment: Mapping[str, Any] = field(default_factory=dict)


def write(record: Record, folder: Path = FOLDER) -> Path:
    """Write a record into its folder; pictures may be float in [-1, 1] or uint8.

    Returns:
        The folder.
    """
    path = make_folder(folder / record.name)
    arrays = {kind: np.stack([as_array(image) for image in batch]) for kind, batch in record.pictures.items()}
    sheet = np.concatenate([np.concatenate(list(batch), axis=1) for batch in arrays.values()])  # (kinds · H, N · W, 3)
    buffer = io.BytesIO()
    Image.fromarray(sheet).save(buffer, "PNG", optimize=True)
    write_atomic(path / "pictures.png", buffer.getvalue())
    content = {
        "format": FORMAT,
        "command": record.command,
        "settings": dict(record.settings),
        "measures": {name: _short(value) for name, value in record.measures.items()},
        "environment": dict(record.environment),
        "kinds": list(arrays),
        "count": len(next(iter(arrays.values()))),
        "rows": [{name: _short(value) for name, value in row.items()} for row in _thinned(record.rows)],
    }
    write_atomic(path / "record.json", json.dumps(content, indent=1, ensure_ascii=False) + "\n")
    return path


def read(name: str, folder: Path = FOLDER) -> Record:
    """A record by name.

    Raises:
        UserError: if it is not there or is damaged.
    """
    path = folder / name
    if not (path / "record.json").exists():
        raise UserError(f"There is no record {name!r} in {folder}: fetch it again with git checkout.")
    try:
        content = json.loads((path / "record.json").read_text(encoding="utf-8"))
        if content["format"] != FORMAT:
            raise UserError(f"{path} has format {content['format']}; this version reads {FORMAT}: update the course.")
        with Image.open(path / "pictures.png") as image:
            sheet = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)  # (3, kinds · H, N · W)
        high, wide = sheet.shape[1] // len(content["kinds"]), sheet.shape[2] // content["count"]
        tiles = sheet.unfold(1, high, high).unfold(2, wide, wide).permute(1, 2, 0, 3, 4)  # (kinds, N, 3, H, W)
        pictures = {kind: tiles[i].contiguous() for i, kind in enumerate(content["kinds"])}
        rest = {key: content[key] for key in ("command", "settings", "rows", "measures", "environment")}
    except (OSError, KeyError, ValueError, ZeroDivisionError) as error:
        raise UserError(f"{path} is damaged ({error}): fetch it again with git checkout.") from None
    return Record(name=name, pictures=pictures, **rest)


def names(group: str, folder: Path = FOLDER) -> list[str]:
    """The records of a group, such as "patches": their names, sorted."""
    return sorted(f"{group}/{path.parent.name}" for path in (folder / group).glob("*/record.json"))


def _thinned(rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Every n-th row, the last, and those that looked at held-out pairs, so that a curve keeps its ends."""
    every = max(1, -(-len(rows) // ROWS))
    return [row for i, row in enumerate(rows, 1) if i % every == 0 or i in (1, len(rows)) or row.get("held_out_l1")]


def _short(value: Any) -> Any:
    return float(f"{value:.5g}") if isinstance(value, float) else value
