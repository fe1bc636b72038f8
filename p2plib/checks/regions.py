"""The text of my_pix2pix.py: regions between marks, each put in, replaced or saved; what else stands there stays."""

from __future__ import annotations

import re
from pathlib import Path

from p2plib.checks import registry, source
from p2plib.checks.registry import Exercise

FILE = "my_pix2pix.py"
VERSION = 1
HEADER = f'''\
"""My pix2pix: the parts that I built.

Each passed answer stands between its two marks and is replaced when it is passed again.  What I write
outside of the marks is mine alone.
"""
# version {VERSION}

from __future__ import annotations
'''
REGION = re.compile(
    r"^# --- (?P<id>imports|main|\d+\.\d+)(?: (?P<title>[^\n]*))?, begin ---\n"
    r"(?P<body>(?:(?!# --- )[^\n]*\n)*?)"
    r"# --- (?P=id), end ---\n",
    re.MULTILINE,
)
_MARKS = re.compile(r"^[ \t]*### (?:BEGIN|END) SOLUTION\n?", re.MULTILINE)  # of a solved notebook


def ids(text: str) -> set[str]:
    """Which regions are there: "imports", "main", and numbers of exercises."""
    return {match["id"] for match in REGION.finditer(text)}


def put(text: str, exercise: Exercise, written: source.Source) -> str:
    """The file's text with this exercise's region, new or replaced, and what it imports; all else stays."""
    body = "\n\n\n".join(_MARKS.sub("", code).strip("\n") for code in written.code)
    text = put_region(text, exercise.id, exercise.title, body, written.imports)
    return _without_ours(text)


def put_region(text: str, id: str, title: str, body: str, imports: set[str]) -> str:
    """The file's text with a region, new or replaced."""
    text = text or HEADER
    if not text.endswith("\n"):
        text += "\n"
    text = _with_imports(text, imports)
    region = f"# --- {id} {title}, begin ---\n{body}\n# --- {id}, end ---\n"
    before = 0
    for match in REGION.finditer(text):
        if match["id"] == id:
            return text[: match.start()] + region + text[match.end() :]
        if _order(match["id"]) < _order(id):
            before = match.end()
    return f"{text[:before]}\n\n{region}{text[before:]}"


def _with_imports(text: str, imports: set[str]) -> str:
    """Imports are added, not removed: what was written by hand may need them."""
    for match in REGION.finditer(text):
        if match["id"] == "imports":
            lines = sorted({*match["body"].splitlines(), *imports} - {""})
            return text[: match.start()] + _import_region(lines) + text[match.end() :]
    start = text.find("from __future__ import annotations\n")
    start = start + len("from __future__ import annotations\n") if start >= 0 else 0
    return f"{text[:start]}\n{_import_region(sorted(imports))}{text[start:]}"


def _import_region(lines: list[str]) -> str:
    return "# --- imports, begin ---\n" + "".join(f"{line}\n" for line in lines) + "# --- imports, end ---\n"


def _without_ours(text: str) -> str:
    """The one exception: the library's stand-in for a part that is there by now, under the same name."""
    there = ids(text)
    names = {part.name for e in registry.all_exercises() if e.id in there for part in e.parts}
    stand_in = re.compile(r"from p2plib\.\S+ import (\w+)$")
    for match in REGION.finditer(text):
        if match["id"] == "imports":
            kept = [x for x in match["body"].splitlines() if not ((m := stand_in.match(x)) and m[1] in names)]
            return text[: match.start()] + _import_region(kept) + text[match.end() :]
    return text


def _order(id: str) -> tuple[int, ...]:
    """Imports first, `main` last."""
    return {"imports": (-1,), "main": (1000,)}.get(id) or tuple(int(part) for part in id.split("."))


def salvage(path: Path) -> str:
    """A new file with those regions of a spoilt one that are whole."""
    text, new = path.read_bytes().decode("utf-8", "replace"), HEADER
    for match in REGION.finditer(text):
        try:
            compile(match["body"], FILE, "exec")
        except (SyntaxError, ValueError):
            continue
        new += f"\n{'' if match['id'] == 'imports' else chr(10)}{match[0]}"
    return new
