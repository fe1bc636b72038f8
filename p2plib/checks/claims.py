"""Exercise 11.3: claims about two runs, each of which their reports must carry."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from p2plib.budget import budget
from p2plib.checks.compare import describe
from p2plib.checks.run_answer import enough_pictures, folder, told
from p2plib.checks.trial import Trial
from p2plib.evaluation.intervals import Measure
from p2plib.evaluation.report import MEASURES, Report, paired_l1, read_report, unlike_pairs

Claim = tuple[str, str]
FEWEST = 3
#: Settings that may differ beside the one thing: they decide no more than digits, or stand in the others.
NO_CLAIM = ("preset", "source", "device", "precision")
CONTRARY = ": the first lies"
FORM = '`[("sharpness", ">"), ("l1", "<"), …]`'


def check_claims(t: Trial) -> None:
    """Two reports of the same held-out pairs, and claims: in each, the intervals lie apart and in that order."""
    claims = _claims(t)
    run, other = folder(t, 0), folder(t, 1)
    if run.resolve() == other.resolve():
        t.wrong(f"both are the same run, {run}", "A claim needs two: which other run is meant?")
    reports = _report(t, run), _report(t, other)
    t.right("both reports fit their weights")
    if why := unlike_pairs(*reports):
        t.wrong(f"they cannot be compared: {why}")
    pairs, fewest = reports[0].pairs["held_out"], budget(10, 2)
    if pairs < fewest:
        t.wrong(f"they were measured with {pairs} held-out pair{'s' * (pairs > 1)}; asked are {fewest} or more")
    _one_thing(t, *reports)
    _judge(t, claims, *reports)


def _report(t: Trial, run: Path) -> Report:
    """The report, of a run that has seen enough; of weights from elsewhere that is not known, and not asked."""
    report, asked = told(t, lambda: read_report(run)), enough_pictures()
    if 0 < report.images < asked:
        t.wrong(f"{run} is a run of {report.images:,} pictures; asked are {asked:,} or more")
    return report


def _claims(t: Trial) -> list[Claim]:
    """At least three different claims about at least two measures."""
    value = t.answers[2]
    if callable(value):
        value = t.call(of=2)
    if isinstance(value, Mapping):
        value = list(value.items())
    if not isinstance(value, list | tuple | set):
        t.wrong(f"claims: {describe(value)} came; expected was a list such as {FORM}")
    claims = list(dict.fromkeys(_claim(t, claim) for claim in value))
    if len(claims) < FEWEST:
        twice = " (one stands there twice)" if len(claims) < len(value) else ""
        t.wrong(f"claims: asked are {FEWEST} or more; {len(claims)} came{twice}")
    for name, sign in claims:
        if (name, "<" if sign == ">" else ">") in claims:
            t.wrong(f"claims: `{name}` is said to be both larger and smaller")
    return claims


def _claim(t: Trial, claim: Any) -> Claim:
    if not isinstance(claim, list | tuple) or len(claim) != 2:
        t.wrong(f"claims: {describe(claim)} stands in the list; expected was a measure and a sign, such as {FORM}")
    name, sign = claim
    if not isinstance(name, str) or name not in MEASURES:
        swapped = isinstance(sign, str) and sign in MEASURES
        t.wrong(
            f"claims: {describe(name)} is none of the measures; they are {', '.join(MEASURES)}",
            "The measure stands first, then the sign. Have they changed places?" if swapped else None,
        )
    if sign not in ("<", ">"):
        t.wrong(f'claims: the sign of `{name}` is {describe(sign)}; expected was "<" or ">"')
    return name, sign


def _one_thing(t: Trial, one: Report, other: Report) -> None:
    """The settings differ in one thing; what follows from it, and what decides no more than digits, is left out."""
    if not one.steps or not other.steps:  # weights from elsewhere: not known
        return
    a, b = one.run, other.run
    left_out = set(NO_CLAIM)
    if a["images"] or b["images"]:
        left_out.add("epochs")  # the same thing by another name, or worked out from the number of pairs
    differ = [f"`{key}` ({a[key]} and {b[key]})" for key in a if key not in left_out and a[key] != b.get(key)]
    if len(differ) > 1:
        t.wrong(
            f"the two runs differ in {', '.join(differ[:-1])} and {differ[-1]}",
            "Of which of them does a claim speak? Train one again, with all but one thing as in the other.",
        )


def _judge(t: Trial, claims: list[Claim], one: Report, other: Report) -> None:
    """Each claim is carried; otherwise all that are not are named together."""
    found = {claim: fault for claim in claims if (fault := _fault(claim, one, other))}
    if not found:
        return
    if carried := [f"`{name}`" for name, sign in claims if (name, sign) not in found]:
        t.right(f"{', '.join(carried)}: carried")
    contrary = [claim for claim, fault in found.items() if CONTRARY in fault]
    undecided = [name for name, sign in found if (name, sign) not in contrary]
    if "l1" in undecided and _leaves_zero_out(difference := paired_l1(one, other)):
        t.advise(
            f"Picture by picture, the first run's L1 minus the second's is {difference.value:+.4f} "
            f"({difference.low:+.4f} to {difference.high:+.4f}): held against each other on the same pictures, they "
            "differ. What is asked here is intervals that lie apart."
        )
    cause = None
    if contrary:
        signs = " and ".join(sorted({f'"{sign}"' for _, sign in contrary}))
        cause = f"The numbers say the contrary of {signs}. Which run is which?"
    t.wrong("; ".join(found.values()), cause)


def _fault(claim: Claim, one: Report, other: Report) -> str:
    """Why the numbers do not carry it; "" if they do."""
    name, sign = claim
    ours, theirs = one.measures[name], other.measures[name]
    said = f"`{name}` is {ours} for the first run and {theirs} for the second"
    low, high = (ours, theirs) if sign == "<" else (theirs, ours)
    if low.below(high):
        return ""
    if high.below(low):
        return f"{said}{CONTRARY} {'above' if sign == '<' else 'below'}"
    return f"{said}: they overlap, so the numbers do not decide it"


def _leaves_zero_out(difference: Measure) -> bool:
    """Does its interval leave 0 out?"""
    zero = Measure(0.0, 0.0, 0.0)
    return difference.below(zero) or zero.below(difference)
