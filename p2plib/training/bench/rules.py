"""What to choose, worked out from how the cost of a step grew."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from p2plib.training.bench.growth import Point

AS_PIXELS = (0.8, 1.25)  # growth of the cost over growth of the pixels that still counts as "in proportion"
NEARLY = 0.9  # of the best speed


def rules(series: Mapping[str, Sequence[Point]]) -> list[str]:
    """One or two sentences for each series that has two values or more."""
    makers = {"side": _side, "batch": _batch, "pairs": _pairs, "patch": _patch}
    return [sentence for name, points in series.items() if len(points) > 1 and (sentence := makers[name](points))]


def proportional_from(points: Sequence[Point]) -> int | None:
    """The smallest side from which on seconds grow as pixels do; None if they do not at the end either."""
    start = None
    for a, b in reversed(list(pairwise(points))):
        growth = (b.step / a.step) / (b.value / a.value) ** 2
        if not AS_PIXELS[0] <= growth <= AS_PIXELS[1]:
            break
        start = a.value
    return start


def batch_that_pays(points: Sequence[Point]) -> int:
    """The smallest batch with nearly the best images/s."""
    best = max(p.speed for p in points)
    return next(p.value for p in points if p.speed >= NEARLY * best)


def _side(points: Sequence[Point]) -> str:
    start, (first, last) = proportional_from(points), (points[0], points[-1])
    whole = f"{last.value} px costs {last.step / first.step:.3g} times {first.value} px"
    pixels = (last.value / first.value) ** 2
    if start is None:
        return f"Side: {whole}, for {pixels:.3g} times the pixels; cost is not in proportion to pixels at these sides."
    below = " Below, a smaller picture saves less than its pixels." if start > first.value else ""
    return (
        f"Side: cost is in proportion to pixels from {start} px on ({whole}, for {pixels:.3g} times the pixels).{below}"
    )


def _batch(points: Sequence[Point]) -> str:
    pays, one = batch_that_pays(points), points[0]
    if pays == one.value:
        return f"Batch: a batch above {pays} brings less than a tenth more images/s."
    gain = next(p.speed for p in points if p.value == pays) / one.speed
    beyond = "the largest measured" if pays == points[-1].value else "beyond, less than a tenth"
    return f"Batch: it pays up to {pays} ({gain:.2f} times the images/s of batch {one.value}); {beyond}."


def _pairs(points: Sequence[Point]) -> str:
    held, streamed = [p for p in points if p.held], [p for p in points if not p.held]
    if not held or not streamed:
        return ""
    costs = streamed[-1].step / held[-1].step
    said = (
        f"Pairs: up to {held[-1].value:,} are held; a step that streams takes {costs:.2f} times as long, and opening "
        f"{streamed[-1].value:,} takes {streamed[-1].opening:.0f} s"
    )
    if costs < 1 / NEARLY:
        return f"{said}. More pairs cost opening time and, while held, memory; no time in a step."
    return f"{said}: raise P2PLIB_MEMORY where there is room."


def _patch(points: Sequence[Point]) -> str:
    cheap, dear = min(points, key=lambda p: p.step), max(points, key=lambda p: p.step)
    return (
        f"Patch: the dearest, {dear.value}, takes {dear.step / cheap.step:.2f} times as long as the cheapest, "
        f"{cheap.value}: choose it by what it shows."
    )
