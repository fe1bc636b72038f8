"""Right and wrong answers to the exercises of chapter 07: one of eight names a run.

What is said to each wrong name, and that each run has the signs of one fault alone, is tested in tests/test_clinic.py.
"""

from __future__ import annotations

from p2plib.checks.diagnosis import FAULTS
from p2plib.checks.outcome import Status
from p2plib.checks.table import right, wrong
from p2plib.clinic.recipes import RUNS


def named(function, name):
    function.__name__ = name.replace("-", "_")
    return function


for number, letter in enumerate("abcdefgh", 1):
    exercise, truth = f"7.{number}", RUNS[letter]
    right(exercise)(named(lambda truth=truth: truth, "a function"))
    right(exercise)(truth)
    right(exercise)(truth.replace("-", " ").capitalize())
    right(exercise)(named(lambda truth=truth: f" {truth.upper().replace('-', '_')}\n", "in capitals"))
    for name in FAULTS:
        if name != truth:
            wrong(exercise, cause=f"With `{name}`", found=f"{letter} is not `{name}`")(
                named(lambda name=name: name, name)
            )
    wrong(exercise, found="is none of the names; they are d-wins")("overfitting")
    wrong(exercise, found="is none of the names")(named(lambda: 3, "a number"))
    wrong(exercise, found="is none of the names")(named(lambda truth=truth: [truth], "a list"))
    wrong(exercise, cause="forget `return`", found="returned `None`")(named(lambda: None, "says nothing"))
    wrong(exercise, status=Status.NOT_ATTEMPTED)(...)


@wrong("7.1", status=Status.CRASHED, cause="in quotes")
def without_quotes():
    return d - wins  # noqa: F821


@wrong("7.5", status=Status.CRASHED, cause="in quotes")
def with_underscores():
    return inputs_mirrored  # noqa: F821


@wrong("7.2", status=Status.CRASHED)
def of_another_cause():
    return name_of_the_fault  # noqa: F821


@wrong("7.1", status=Status.NOT_ATTEMPTED)
def stub():
    raise NotImplementedError
