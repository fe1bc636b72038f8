"""The check of chapter 07's diagnoses: a wrong name is told which sign of its fault is missing in this run."""

from __future__ import annotations

from collections.abc import Callable

from p2plib.checks.compare import describe
from p2plib.checks.faults import FAULTS, Measures
from p2plib.checks.trial import Trial
from p2plib.clinic.recipes import RUNS
from p2plib.clinic.show import read_run


def check_run(letter: str) -> Callable[[Trial], None]:
    """The check of one run's name: the word itself, or a function without parameters that returns it."""

    def check(t: Trial) -> None:
        value = t.answers[0]
        if callable(value):
            value = t.call()
        name = _as_listed(value)
        if name not in FAULTS:
            t.wrong(f"{describe(value)} is none of the names; they are {', '.join(FAULTS)}")
        if name != RUNS[letter]:
            t.wrong(f"run {letter} is not `{name}`", against(name, read_run(letter).measures))
        t.advise(FAULTS[name].explained)

    return check


def against(name: str, measures: Measures) -> str | None:
    """The first sign of this fault that these measurements do not show, in words; None if all are there."""
    missing = [sign.missing for sign in FAULTS[name].signs if not sign.holds(measures)]
    return f"With `{name}` {missing[0].format(**measures)}" if missing else None


def _as_listed(value: object) -> str:
    """As it stands in the list, however it was written: "D wins", "d_wins"."""
    return "-".join(value.lower().replace("_", " ").replace("-", " ").split()) if isinstance(value, str) else ""
