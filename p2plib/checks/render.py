"""Outcomes as HTML for notebooks and as plain text for everywhere else."""

from __future__ import annotations

import html
import re
import sys

from p2plib.checks import registry
from p2plib.checks.outcome import Outcome, Status

BOX = "border-left:4px solid {};padding:4px 12px;margin:0.3em 0;max-width:56em;line-height:1.5"
SIGN = "background:{};color:{};padding:0 0.45em;border-radius:3px;font-weight:bold;margin-right:0.5em"
FAINT = "opacity:0.8;font-size:0.93em"
PRE = "margin:0.3em 0;white-space:pre-wrap"


def show(as_html: str, as_text: str) -> None:
    """Display both forms where IPython runs, print the text elsewhere."""
    if "IPython" in sys.modules:
        from IPython import get_ipython
        from IPython.display import display

        if get_ipython() is not None:  # type: ignore[no-untyped-call]
            display({"text/html": as_html, "text/plain": as_text}, raw=True)
            return
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    print(as_text.encode(encoding, "replace").decode(encoding))  # a terminal that knows no ✔ is no reason to stop


def text(outcome: Outcome, debug: bool = False) -> str:
    """The outcome in words, without colour."""
    return "\n".join([_first(outcome), *_further(outcome), *([outcome.details] if debug and outcome.details else [])])


def as_html(outcome: Outcome, debug: bool = False) -> str:
    """The outcome as one box: its text takes the theme's colour, only edge and sign have their own."""
    colour = colour_of(outcome.status)
    status = outcome.status
    head = f"<b>{status.word}</b> · <b>{markup(f'{outcome.exercise} {outcome.title}')}</b>"
    first = sign(status) + head + (f" — {markup(_said(outcome))}" if _said(outcome) else "")
    parts = [f"<div>{first}</div>"]
    if outcome.line:
        number, code = outcome.line
        parts.append(f"<div>at your line {number}{':' if code else '.'} {_code(code)}</div>")
    if outcome.cause:
        parts.append(f"<div>{markup(outcome.cause)}</div>")
    parts += [f'<div style="{FAINT}">{markup(note)}</div>' for note in _last(outcome)]
    if debug and outcome.details:
        parts.append(f'<pre style="{PRE}">{html.escape(outcome.details)}</pre>')
    return box(colour, "".join(parts))


def box(colour: str, inside: str) -> str:
    """HTML with a coloured edge at its left."""
    return f'<div style="{BOX.format(colour)}">{inside}</div>'


def sign(status: Status) -> str:
    """The sign of a status on its colour; light or dark, whichever is easier to read on it."""
    from p2plib.plots import INK

    ink = INK if status is Status.CRASHED else "#ffffff"
    return f'<span style="{SIGN.format(colour_of(status), ink)}">{status.sign}</span>'


def colour_of(status: Status) -> str:
    """From the palette of the figures, told apart by colour-blind eyes."""
    from p2plib.plots import COLOURS, SOFT  # matplotlib is loaded when something is shown

    return {
        Status.PASSED: COLOURS[2],
        Status.WRONG: COLOURS[1],
        Status.NOT_ATTEMPTED: SOFT,
        Status.CRASHED: COLOURS[4],
        Status.TOO_SLOW: COLOURS[0],
        Status.UNCHECKED: COLOURS[3],
    }[status]


def markup(words: str) -> str:
    """Escaped, and what stands in backticks set as code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", html.escape(words, quote=False))


def _code(code: str) -> str:
    return f"<code>{html.escape(code, quote=False)}</code>" if code else ""


def _first(outcome: Outcome) -> str:
    said = f" — {_said(outcome)}" if _said(outcome) else ""
    return f"{outcome.status.sign} {outcome.status.word} · {outcome.exercise} {outcome.title}{said}"


def _said(outcome: Outcome) -> str:
    return "but that is ours: the library's own is not counted as your work." if outcome.ours else outcome.message


def _further(outcome: Outcome) -> list[str]:
    lines = []
    if outcome.line:
        number, code = outcome.line
        lines.append(f"at your line {number}: {code}" if code else f"at your line {number}.")
    return [*lines, *([outcome.cause] if outcome.cause else []), *_last(outcome)]


def _last(outcome: Outcome) -> list[str]:
    form = registry.find(outcome.exercise).form
    again = f"The same numbers again: `{form[:-1]}, seed={outcome.seed})`"
    return [*outcome.notes, *([again] if outcome.seed is not None else [])]
