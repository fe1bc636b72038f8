"""The check of chapter 07's diagnoses: a wrong name is told which sign of its fault is missing in this run."""

from __future__ import annotations

from collections.abc import Callable

from p2plib.checks.causes import explained
from p2plib.checks.compare import describe
from p2plib.checks.faults import FAULTS, Measures
from p2plib.checks.trial import Trial
from p2plib.clinic.recipes import RUNS
from p2plib.clinic.show import number, read_run

#: Python takes d-wins for a difference of d and wins, and stops at the first that it does not know.
_UNQUOTED = {
    f"NameError: name '{word}' is not defined": "A name is a text. Does it stand in quotes?"
    for name in FAULTS
    for word in (*name.split("-"), name.replace("-", "_"))
}


def check_run(letter: str) -> Callable[[Trial], None]:
    """The check of one run's name: the word itself, or a function without parameters that returns it."""

    def check(t: Trial) -> None:
        value = t.answers[0]
        if callable(value):
            with explained(_UNQUOTED):
                value = t.call()
        name = _as_listed(value)
        if name not in FAULTS:
            t.wrong(f"{describe(value)} is none of the names; they are {', '.join(FAULTS)}")
        measures = read_run(letter).measures
        if name != RUNS[letter]:
            t.wrong(f"run {letter} is not `{name}`", against(name, measures))
        t.advise(filled(FAULTS[name].explained, measures))

    return check


def against(name: str, measures: Measures) -> str | None:
    """The first sign of this fault that these measurements do not show, in words; None if all are there."""
    missing = [sign.missing for sign in FAULTS[name].signs if not sign.holds(measures)]
    return f"With `{name}` {filled(missing[0], measures)}" if missing else None


def filled(words: str, measures: Measures) -> str:
    """The words with these measurements, and those of the healthy run, in their digits of the table."""
    here, healthy = ({name: number(m[name]) for name in m} for m in (measures, read_run("healthy").measures))
    return words.format(**here, healthy=healthy)


def _as_listed(value: object) -> str:
    """As it stands in the list, however it was written: "D wins", "d_wins"."""
    return "-".join(value.lower().replace("_", " ").replace("-", " ").split()) if isinstance(value, str) else ""
