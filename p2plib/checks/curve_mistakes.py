"""What goes wrong when the rows of a run are read: for each number of exercise 11.2, what a mistake would give."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from p2plib.checks.trial import Mistake

Rows = Sequence[Mapping[str, Any]]
Row = Mapping[str, Any]


def looks(rows: Rows) -> list[Any]:
    """The rows with a held-out L1."""
    return [row for row in rows if row["held_out_l1"] is not None]


def of_last_epoch(rows: Rows) -> list[Any]:
    """The rows of the epoch to which the last row belongs."""
    return [row for row in rows if row["epoch"] == rows[-1]["epoch"]]


def mean(values: Iterable[Any], skip: bool = False) -> Any:
    """The mean; with `skip` of those that are not None, and None if there are none."""
    kept = [value for value in values if value is not None or not skip]
    return None if skip and not kept else sum(kept) / len(kept)


def _l1(row: Row) -> Any:
    return row["held_out_l1"]


def _best(rows: Rows) -> Any:
    return min(looks(rows), key=_l1)


def _worst(rows: Rows) -> Any:
    return max(looks(rows), key=_l1)


def _last(rows: Rows) -> Any:
    return looks(rows)[-1]


def _of_last_look(rows: Rows) -> list[Any]:
    """The last epoch that came to its end."""
    return [row for row in rows if row["epoch"] == _last(rows)["epoch"]]


def _place(rows: Rows, row: Row) -> int:
    return next(i for i, other in enumerate(rows) if other is row)


def _none_as(number: float) -> Callable[[Rows], Any]:
    """The row that is lowest if None is taken for a number."""
    return lambda rows: min(rows, key=lambda row: number if _l1(row) is None else _l1(row))


LARGEST = "This is where the L1 is largest. Is a small distance good, or a large one?"
LAST = "This is where the run ended. Was it at its best there?"
ZERO = "A row without a held-out L1 is taken for one with 0. Are those rows left out?"
OF_PIXEL = "This is the lowest `loss_pixel`, on pictures that it trains on. Which column is about pictures never seen?"
FIRST_LOOK = "This is the first held-out L1 of the run. Which one is asked for?"

BEST_EPOCH = (
    Mistake(
        "This is a place in a list, or a step. Which column of the row says its epoch?",
        lambda rows: _place(rows, _best(rows)),
        lambda rows: _place(rows, _best(rows)) + 1,
        lambda rows: _place(looks(rows), _best(rows)),
        lambda rows: _best(rows)["step"],
        lambda rows: _best(rows)["images"],
    ),
    Mistake(
        "Of two epochs that are equally good this is the later one. Is the first asked for?",
        lambda rows: min(reversed(looks(rows)), key=_l1)["epoch"],
    ),
    Mistake(LARGEST, lambda rows: _worst(rows)["epoch"], lambda rows: max(reversed(looks(rows)), key=_l1)["epoch"]),
    Mistake(LAST, lambda rows: rows[-1]["epoch"], lambda rows: _last(rows)["epoch"]),
    Mistake(ZERO, lambda rows: _none_as(0.0)(rows)["epoch"]),
    Mistake(OF_PIXEL, lambda rows: min(rows, key=lambda row: row["loss_pixel"])["epoch"]),
    Mistake(
        "This is the L1 itself. Which epoch had it?",
        lambda rows: _l1(_best(rows)),
    ),
)

BEST_L1 = (
    Mistake(LARGEST, lambda rows: _l1(_worst(rows))),
    Mistake(LAST, lambda rows: _l1(_last(rows))),
    Mistake(ZERO, lambda rows: _l1(_none_as(0.0)(rows)), lambda rows: 0.0),
    Mistake(OF_PIXEL, lambda rows: min(row["loss_pixel"] for row in rows)),
    Mistake(FIRST_LOOK, lambda rows: _l1(looks(rows)[0])),
    Mistake("This is the epoch. What was the L1 there?", lambda rows: _best(rows)["epoch"]),
)

LAST_L1 = (
    Mistake(
        "This is taken from the last row, which has none where a run was stopped within an epoch. Which is the last "
        "row that has one?",
        lambda rows: _l1(rows[-1]),
        lambda rows: _l1(rows[-1]) or 0.0,
    ),
    Mistake(
        "It is the lowest held-out L1 of the run. Is that of its end asked for?",
        lambda rows: _l1(_best(rows)),
    ),
    Mistake(FIRST_LOOK, lambda rows: _l1(looks(rows)[0])),
    Mistake(
        "This is the `loss_pixel` of the last row. Which column is about pictures never seen?",
        lambda rows: rows[-1]["loss_pixel"],
    ),
)

WHOLE_RUN = "The mean goes over the whole run. Over which rows is it asked for?"
ENDED = (
    "The mean goes over the last epoch that came to its end. The last epoch is that of the last row, also where the "
    "run was stopped within it: is `rows[-1]` asked?"
)
ONE_ROW = "This is taken from the last row alone. Over which rows is a mean asked for?"


def _gap(
    pixel: Callable[[Rows], Any], l1: Callable[[Rows], Any] = lambda rows: _l1(_last(rows))
) -> Callable[[Rows], Any]:
    return lambda rows: l1(rows) - pixel(rows)


def _over(rows: Callable[[Rows], Rows], name: str = "loss_pixel", skip: bool = False) -> Callable[[Rows], Any]:
    return lambda all_rows: mean((row[name] for row in rows(all_rows)), skip)


def _all(rows: Rows) -> Rows:
    return rows


def _of_column(name: str) -> Mistake:
    """A run without an adversary has None there: this mistake raises at it."""
    cause = f"`{name}` stands in the place of `loss_pixel`. Which of the two is an L1?"
    return Mistake(cause, _gap(_over(of_last_epoch, name)), _gap(lambda rows: rows[-1][name]), _gap(_over(_all, name)))


_right_gap = _gap(_over(of_last_epoch))

GAP = (
    _of_column("loss_gan"),
    _of_column("loss_d"),
    Mistake("It has the other sign. Which of the two is taken from which?", lambda rows: -_right_gap(rows)),
    Mistake("Its sign is lost. Where does an `abs` stand?", lambda rows: abs(_right_gap(rows))),
    Mistake(WHOLE_RUN, _gap(_over(_all)), _gap(_over(looks))),
    Mistake(ENDED, _gap(_over(_of_last_look))),
    Mistake(ONE_ROW, _gap(lambda rows: rows[-1]["loss_pixel"]), _gap(lambda rows: _last(rows)["loss_pixel"])),
    Mistake(
        "It begins from the lowest held-out L1. Which one is asked for?",
        _gap(_over(of_last_epoch), lambda rows: _l1(_best(rows))),
    ),
    Mistake("The rows are added up. Is a division by their number missing?",
            _gap(lambda rows: sum(row["loss_pixel"] for row in of_last_epoch(rows)))),
    Mistake("This is a ratio. Is a difference asked for?", lambda rows: _l1(_last(rows)) / _over(of_last_epoch)(rows)),
    Mistake("This is the mean of `loss_pixel` alone. From what is it taken?", _over(of_last_epoch)),
)  # fmt: skip

D_ACCURACY = (
    Mistake(WHOLE_RUN, _over(_all, "d_accuracy", True)),
    Mistake(ENDED, _over(_of_last_look, "d_accuracy", True)),
    Mistake(
        ONE_ROW,
        lambda rows: rows[-1]["d_accuracy"],
        lambda rows: ([None, *(row["d_accuracy"] for row in rows if row["d_accuracy"] is not None)])[-1],
    ),
    Mistake(
        "A row without a `d_accuracy` is taken for one with 0. Is it left out of the mean?",
        lambda rows: mean(row["d_accuracy"] or 0.0 for row in of_last_epoch(rows)),
        lambda rows: None if rows[-1]["d_accuracy"] is None else
        mean(row["d_accuracy"] or 0.0 for row in of_last_epoch(rows)),
    ),
    Mistake(
        "A row with 0 is left out: D was wrong throughout, and that is a number. Is `is not None` asked?",
        lambda rows: mean((row["d_accuracy"] or None for row in of_last_epoch(rows)), skip=True),
    ),
    Mistake(
        "Where no row has one, a number came. Is that case asked about first?",
        lambda rows: _over(of_last_epoch, "d_accuracy", True)(rows) or 0.0,
        lambda rows: _over(of_last_epoch, "d_accuracy", True)(rows) or float("nan"),
        lambda rows: _over(of_last_epoch, "d_accuracy", True)(rows) or 0.5,
    ),
)  # fmt: skip

OF = {"best_epoch": BEST_EPOCH, "best_l1": BEST_L1, "last_l1": LAST_L1, "gap": GAP, "d_accuracy": D_ACCURACY}
