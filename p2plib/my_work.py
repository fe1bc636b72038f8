"""What belongs to the learner and stays on their machine: the seed of their city, and the filmstrip.

It lies in my_work/ beside notebooks/ (or where P2PLIB_MY_WORK says), and git does not see it.  In a test
nothing is read or written: the city is then the default one.
"""

from __future__ import annotations

import io
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from p2plib.budget import testing
from p2plib.errors import UserError
from p2plib.files import make_folder, write_atomic

DEFAULT_CITY = 7
SEEDS = 100_000_000  # a birthday written as 17052004 is a seed


def my_work() -> Path:
    """The learner's folder: P2PLIB_MY_WORK, else my_work/ of the checkout, else my_work/ here."""
    if chosen := os.environ.get("P2PLIB_MY_WORK"):
        return Path(chosen)
    checkout = Path(__file__).resolve().parents[1]
    return (checkout if (checkout / "pyproject.toml").exists() else Path.cwd()) / "my_work"


def run_folder(name: str) -> Path:
    """Where a chapter keeps a run: my_work/runs/NAME.  In a test and while grading, a new empty folder elsewhere."""
    if testing() or os.environ.get("NBGRADER_EXECUTION"):
        return Path(tempfile.mkdtemp(prefix="p2plib-")) / name
    return my_work() / "runs" / name


def keep_city(seed: int) -> None:
    """Make this seed *your city* in all chapters.

    Raises:
        UserError: for a seed that is no whole number from 1 to 99,999,999; on the towns of seed 0 the course's
            networks are trained.
    """
    if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or not 1 <= seed < SEEDS:
        raise UserError(f"The seed of a city is a whole number from 1 to 99,999,999, not {seed!r}.")
    if not testing():
        write_atomic(make_folder(my_work()) / "city.json", json.dumps({"version": 1, "seed": int(seed)}) + "\n")


def kept_city() -> int | None:
    """The seed that `keep_city` kept; None where there is none, and in a test."""
    path = my_work() / "city.json"
    if testing() or not path.exists():
        return None
    try:
        seed = int(json.loads(path.read_text(encoding="utf-8"))["seed"])
    except (ValueError, KeyError, TypeError):
        return None  # a spoilt note about a seed is not worth a stop
    return seed if 1 <= seed < SEEDS else None


def your_city() -> int:
    """The seed that `keep_city` kept, or the default city's, which is then said."""
    seed = kept_city()
    if seed is None:
        print(f"No city is chosen yet: this is town {DEFAULT_CITY}. Press “This is my city” in chapter 00.")
        return DEFAULT_CITY
    return seed


def keep_frame(chapter: str, title: str, picture: np.ndarray[Any, Any]) -> list[tuple[str, str, np.ndarray[Any, Any]]]:
    """Put a picture of *your city* into the filmstrip, in place of an earlier one of the same chapter.

    Args:
        chapter: two digits, "00" to "13".
        title: a few words under the frame.
        picture: uint8 (H, W, 3).

    Returns:
        The frames kept so far, in order of chapters: (chapter, title, picture); in a test this one alone.
    """
    if testing():
        return [(chapter, title, picture)]
    folder = make_folder(my_work() / "filmstrip")
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    write_atomic(folder / f"{chapter}.png", buffer.getvalue())
    write_atomic(folder / f"{chapter}.json", json.dumps({"version": 1, "title": title}, ensure_ascii=False) + "\n")
    return frames()


def frames() -> list[tuple[str, str, np.ndarray[Any, Any]]]:
    """The frames of the filmstrip, in order of chapters; a spoilt one is left out."""
    found = []
    for path in sorted((my_work() / "filmstrip").glob("[0-9][0-9].png")):
        try:
            title = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["title"]
            found.append((path.stem, str(title), np.array(Image.open(path).convert("RGB"))))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return found
