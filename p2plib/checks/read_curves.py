"""Exercise 11.2: what the rows of a run say, in five numbers."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

import numpy as np
from torch import Tensor

from p2plib.checks import curve_mistakes
from p2plib.checks.causes import explained
from p2plib.checks.compare import describe
from p2plib.checks.curve_mistakes import Rows, looks, mean, of_last_epoch
from p2plib.checks.outcome import Status
from p2plib.checks.trial import Stop, Trial

KEYS = ("best_epoch", "best_l1", "last_l1", "gap", "d_accuracy")
ROUNDING = 2e-6


def read_curves(rows: Rows) -> dict[str, Any]:
    """Where a run was best, where it ended, and how its last epoch looked.

    Args:
        rows: as `Trainer.rows`, in the order of steps; only the last row of an epoch has a held_out_l1, the others
            None; loss_d, loss_gan and d_accuracy are None throughout in a run without an adversary.  One row at least
            has a held_out_l1, and each a loss_pixel.

    Returns:
        "best_epoch": whose held_out_l1 is the lowest, the first of equals; "best_l1": that L1; "last_l1": the last
        held_out_l1 that there is; "gap": last_l1 minus the mean of loss_pixel over the last epoch, that of the last
        row; "d_accuracy": its mean over the rows of that epoch that have one, None if there is none.
    """
    best, last = min(looks(rows), key=lambda row: row["held_out_l1"]), of_last_epoch(rows)
    last_l1 = looks(rows)[-1]["held_out_l1"]
    return {
        "best_epoch": best["epoch"],
        "best_l1": best["held_out_l1"],
        "last_l1": last_l1,
        "gap": last_l1 - mean(row["loss_pixel"] for row in last),
        "d_accuracy": mean((row["d_accuracy"] for row in last), skip=True),
    }


# --- the runs -----------------------------------------------------------------------------------------


def runs(t: Trial) -> dict[str, list[dict[str, Any]]]:
    """What each run is → its rows."""
    finished = _rows(t, (3, 2, 4, 3), best=3, worst=4, pixel=2)
    stopped = _rows(t, (2, 3, 2, 3), best=2, worst=1, pixel=3)[:-1]
    alone = _rows(t, (3, 4, 2), best=2, worst=3, pixel=1)
    for row in alone:
        row |= {"loss_d": None, "loss_gan": None, "d_accuracy": None, "loss_pixel": row["loss_pixel"] + 0.4}
    equal = _rows(t, (2, 3, 3, 2, 4), best=2, worst=3, pixel=5)
    looked = looks(equal)
    looked[3]["held_out_l1"] = looked[1]["held_out_l1"]
    of_last_epoch(equal)[1]["d_accuracy"] = None
    of_last_epoch(equal)[2]["d_accuracy"] = 0.0  # a D that is wrong throughout: no None
    return {
        "a finished run": finished,
        "a run that was stopped within an epoch": stopped,
        ALONE: alone,
        "a run in which two epochs are equally good": equal,
    }


def _rows(t: Trial, counts: Sequence[int], best: int, worst: int, pixel: int) -> list[dict[str, Any]]:
    """So many rows for each epoch; no two numbers are alike.

    Which epochs have the lowest and the highest held-out L1 and the lowest loss_pixel is chosen, not drawn: by chance a
    mistake could give what another gives.
    """
    many = sum(counts)
    names = {"loss_d": (0.2, 0.7), "loss_gan": (0.8, 2.0), "loss_pixel": (0.03, 0.15), "d_accuracy": (0.5, 0.95)}
    drawn = {name: t.uniform(many, low=low, high=high).tolist() for name, (low, high) in names.items()}
    held = t.uniform(len(counts), low=0.2, high=0.35).tolist()
    held[best - 1], held[worst - 1] = 0.19 - held[best - 1] / 20, 0.36 + held[worst - 1] / 20
    drawn["loss_pixel"][sum(counts[: pixel - 1])] /= 10
    rows: list[dict[str, Any]] = []
    for epoch, count in enumerate(counts, 1):
        for i in range(count):
            step = 5 * (len(rows) + 1)
            row: dict[str, Any] = {"session": 1 + (epoch > 2), "step": step, "epoch": epoch, "images": 8 * step}
            row |= {"seconds": 0.1 * step, "images_per_second": 80.0, "learning_rate": 1e-3}
            row |= {name: round(values[len(rows)], 6) for name, values in drawn.items()}
            row["held_out_l1"] = round(held[epoch - 1], 6) if i == count - 1 else None
            rows.append(row)
    return rows


# --- the check ----------------------------------------------------------------------------------------

_OF_NONE = "A `None` is compared or reckoned with. Are the rows that have none left out first?"
EXPLAINED = dict.fromkeys(
    ("'NoneType' and", "and 'NoneType'", "not 'NoneType'", "not NoneType", "type 'NoneType' to", "dtype of NoneType"),
    _OF_NONE,
)
ALONE = "a run without an adversary"
_OF_NO_ROW = "In this run no row has a `d_accuracy`. What is the mean of no number?"
NO_ROW = {"ZeroDivisionError": _OF_NO_ROW, "at least one data point": _OF_NO_ROW}


def check_read_curves(t: Trial) -> None:
    """Runs that were finished, stopped, without an adversary, with equals: run by run, number by number."""
    given = runs(t)
    came = [_called(t, name, rows) for name, rows in given.items()]
    done: list[str] = []
    for (name, rows), found in zip(given.items(), came, strict=True):
        if isinstance(found, Stop):
            found.message = "; ".join([*t.said, f"{name}: {found.message}"])
            raise found
        expected = read_curves(rows)
        apart = [key for key in KEYS if not alike(found[key], expected[key])]
        if apart:
            right = [f"`{key}`" for key in KEYS if key not in apart]
            here = [f"{', '.join(right)} {'are' if len(right) > 1 else 'is'} right"] if right else []
            t.said = [*t.said, *here]
            cause = _cause(apart[0], list(given.values()), came)
            _wrong(t, apart[0], name, (found[apart[0]], expected[apart[0]]), cause)
        done.append(name)
        t.said = [f"{' and '.join(done)}: all is right"]


def _called(t: Trial, name: str, rows: Rows) -> Any:
    """The dict that came, numbers made plain; or how a call that raised ended the trial."""
    try:
        with explained({**EXPLAINED, **(NO_ROW if name == ALONE else {})}):
            value = t.call([dict(row) for row in rows])
    except Stop as stop:
        if stop.status is not Status.CRASHED:
            raise
        return stop
    if not isinstance(value, Mapping):
        t.wrong(f"{describe(value)} came; expected was a dict with {', '.join(f'`{key}`' for key in KEYS)}")
    for key in KEYS:
        if key not in value:
            t.wrong(f"the dict has no `{key}`; it has {', '.join(f'`{k}`' for k in value) or 'nothing'}")
    return {key: _plain(value[key]) for key in KEYS}


def _plain(value: Any) -> Any:
    """A float for whatever is one number, else what it is."""
    if isinstance(value, Tensor | np.ndarray | np.generic):
        with suppress(ValueError, RuntimeError):
            value = value.item()
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def alike(value: Any, expected: Any) -> bool:
    """The same number to within rounding, or None for None."""
    if expected is None or not isinstance(value, float):
        return value is expected
    return math.isclose(value, expected, rel_tol=ROUNDING, abs_tol=ROUNDING)


def _cause(key: str, given: Sequence[Rows], came: Sequence[Any]) -> str | None:
    """The one mistake that gives what came for this key, for every run; a run at which it raised says nothing."""
    found = [(rows, of_run[key]) for rows, of_run in zip(given, came, strict=True) if isinstance(of_run, dict)]
    causes = {
        mistake.cause
        for mistake in curve_mistakes.OF[key]
        for like in mistake.like
        if all(_gives(like, rows, value) for rows, value in found)
    }
    return causes.pop() if len(found) > 1 and len(causes) == 1 else None


def _gives(like: Callable[[Rows], Any], rows: Rows, value: Any) -> bool:
    try:
        expected = _plain(like(rows))
    except (TypeError, ZeroDivisionError):
        return False
    if isinstance(expected, float) and math.isnan(expected):
        return isinstance(value, float) and math.isnan(value)
    return alike(value, expected)


def _wrong(t: Trial, key: str, name: str, values: tuple[Any, Any], cause: str | None) -> None:
    came, expected = (f"{v:.6g}" if isinstance(v, int | float) and v is not True else describe(v) for v in values)
    t.wrong(f"{name}: `{key}` is {came}; expected was {expected}", cause)
