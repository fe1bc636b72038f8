"""An answer as source that stands by itself: its definition, the helpers it calls, the imports it needs."""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import linecache
import math
import random
import symtable
import sys
import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch

#: Where a function without a home of its own is looked for.
_HOMES = (torch, torch.nn.functional, torch.nn, math, random, np)


class NotKept(Exception):
    """This answer cannot be written down; the message says why."""


@dataclass
class Source:
    """What is written down.

    Args:
        imports: lines.
        code: definitions in the order in which they must stand.
    """

    imports: set[str] = field(default_factory=set)
    code: list[str] = field(default_factory=list)


def write_down(name: str, answer: Any, known: Mapping[int, str] | None = None, made: bool = False) -> Source:
    """The source of an answer, under the name that it has in the library.

    Args:
        name: "split_pair"; an answer of another name gets this one as well.
        answer: a function or a class.
        known: id → name of objects that the file has already.
        made: the answer is a class, and what bears the name is one of it.

    Raises:
        NotKept: for a lambda, a closure, an object, or what uses a value that cannot be written down.
    """
    writer = _Writer(dict(known or {}))
    own = writer.define(answer)
    if own != name or made:
        writer.source.code.append(f"{name} = {own}{'()' if made else ''}")
    return writer.source


class _Writer:
    def __init__(self, known: dict[int, str]) -> None:
        self.known, self.source = known, Source()

    def define(self, thing: Any) -> str:
        """Write down a function or class, after what it uses; returns its name."""
        if isinstance(thing, functools.partial):
            raise NotKept("it is a `partial`, not a `def`")
        thing = inspect.unwrap(thing) if callable(thing) else thing
        if not isinstance(thing, FunctionType | type):
            raise NotKept("it is an object, not a `def` or a `class`")
        if thing.__name__ == "<lambda>":
            raise NotKept("it is a `lambda`, which has no name")
        closed = [n for n in thing.__code__.co_freevars if n != "__class__"] if isinstance(thing, FunctionType) else []
        if closed:
            raise NotKept(f"it stands inside another function and uses its `{closed[0]}`")
        self.known[id(thing)] = thing.__name__
        text, space = _definition(thing)
        for name in _names(text):
            self._need(name, space, thing.__name__)
        for name in _annotations(text):
            self._wish(name, space)
        self.source.code.append(text)
        return str(thing.__name__)

    def _need(self, name: str, space: Mapping[str, Any], own: str) -> None:
        if name == own or name not in space:
            return  # itself, a builtin, or nothing
        value = space[name]
        if getattr(builtins, name, self) is value:
            return
        original = inspect.unwrap(value) if isinstance(value, FunctionType) else value
        if id(original) in self.known:
            if self.known[id(original)] != name:
                self.source.code.append(f"{name} = {self.known[id(original)]}")
        elif line := _import(name, value):
            self.source.imports.add(line)
        elif isinstance(value, FunctionType | type):
            defined = self.define(value)
            if defined != name:
                self.source.code.append(f"{name} = {defined}")
        elif _is_plain(value):
            self.source.code.append(f"{name} = {value!r}")
            if isinstance(value, torch.dtype):
                self.source.imports.add("import torch")
        else:
            raise NotKept(f"it uses `{name}`, which cannot be written down as source")

    def _wish(self, name: str, space: Mapping[str, Any]) -> None:
        """Annotations are never evaluated: what they name is imported for the reader, if it can be."""
        if name in space and not hasattr(builtins, name) and (line := _import(name, space[name])):
            self.source.imports.add(line)


def _definition(thing: Any) -> tuple[str, Mapping[str, Any]]:
    """The text of a definition, and the names around it."""
    if isinstance(thing, type):
        functions = [inspect.unwrap(f) for f in vars(thing).values() if isinstance(f, FunctionType)]
        functions = [f for f in functions if f.__qualname__.startswith(thing.__qualname__)]
        space: Mapping[str, Any] = vars(sys.modules[thing.__module__]) if thing.__module__ in sys.modules else {}
        if not functions:
            raise NotKept("its source was not found")
        space = functions[0].__globals__
        file, line = functions[0].__code__.co_filename, functions[0].__code__.co_firstlineno
    else:
        space = thing.__globals__
        file, line = thing.__code__.co_filename, thing.__code__.co_firstlineno
    lines = linecache.getlines(file, dict(space))
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        raise NotKept("its source was not found") from None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name == thing.__name__:
            first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
            last = node.end_lineno or node.lineno
            inside = first <= line <= last if isinstance(thing, type) else first == line
            if inside and isinstance(node, ast.ClassDef) == isinstance(thing, type):
                return textwrap.dedent("".join(lines[first - 1 : last])).rstrip() + "\n", space
    raise NotKept("its source was not found")


def _names(text: str) -> list[str]:
    """Global names that a definition reads, in a fixed order; annotations left out."""
    tree = _WithoutAnnotations().visit(ast.parse(text))
    top = symtable.symtable(ast.unparse(ast.fix_missing_locations(tree)), "answer", "exec")
    names = {s.get_name() for s in top.get_symbols() if s.is_referenced()}
    stack = list(top.get_children())
    while stack:
        table = stack.pop()
        names |= {s.get_name() for s in table.get_symbols() if s.is_global() and s.is_referenced()}
        stack += table.get_children()
    return sorted(names)


class _WithoutAnnotations(ast.NodeTransformer):
    def visit_arg(self, node: ast.arg) -> ast.arg:
        node.annotation = None
        return node

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        value = node.value or ast.Constant(None)
        return self.generic_visit(ast.copy_location(ast.Assign([node.target], value), node))


def _annotations(text: str) -> list[str]:
    nodes: list[ast.expr | None] = []
    for node in ast.walk(ast.parse(text)):
        nodes += [getattr(node, "annotation", None), getattr(node, "returns", None)]
    return sorted({n.id for a in nodes if a is not None for n in ast.walk(a) if isinstance(n, ast.Name)})


def _import(name: str, value: Any) -> str | None:
    """The line that brings this value in under this name, if there is one."""
    if isinstance(value, ModuleType):
        home, _, last = value.__name__.rpartition(".")
        if value.__name__ == name:
            return f"import {name}"
        return f"from {home} import {name}" if home and last == name else f"import {value.__name__} as {name}"
    for module in (getattr(value, "__module__", None), *_HOMES):
        module = sys.modules.get(module) if isinstance(module, str) else module
        own = getattr(value, "__name__", name)
        if module is None or module.__name__ in ("__main__", "my_pix2pix", "builtins") or not isinstance(own, str):
            continue
        if getattr(module, own, None) is value and _is_installed(module):
            return f"from {module.__name__} import {own}" + ("" if own == name else f" as {name}")
    return None


def _is_installed(module: ModuleType) -> bool:
    """Can a file elsewhere import it?  Not a notebook's neighbour: that one's definitions are copied."""
    from p2plib.checks.blame import is_theirs

    file = getattr(module, "__file__", None)
    return file is None or not is_theirs(file)


def _is_plain(value: Any) -> bool:
    if type(value) is tuple:
        return all(_is_plain(part) for part in value)
    return value is None or type(value) in (bool, int, float, str) or isinstance(value, torch.dtype)


def merge(sources: Iterable[Source]) -> Source:
    """Several in one, nothing twice."""
    whole = Source()
    for source in sources:
        whole.imports |= source.imports
        whole.code += [code for code in source.code if code not in whole.code]
    return whole
