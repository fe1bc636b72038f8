"""The settings of this process that an answer might leave changed: noted before it runs, put back after it."""

from __future__ import annotations

import builtins
import contextlib
import gc
import operator
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from types import FunctionType, ModuleType
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules import module as hooked

#: Of so many names a note tells; of the rest, how many there are.
MOST_NAMES = 4
_LAYERS = (
    *(nn.Conv2d, nn.ConvTranspose2d, nn.BatchNorm2d, nn.InstanceNorm2d, nn.Linear, nn.LeakyReLU, nn.ReLU, nn.Tanh),
    *(nn.Sigmoid, nn.Identity, nn.Dropout, nn.Sequential, nn.ModuleList, nn.BCEWithLogitsLoss, nn.L1Loss),
)
#: Hooks that run in every module.
_HOOKS: list[dict[Any, Any]] = [
    value for name, value in vars(hooked).items() if name.startswith("_global_") and isinstance(value, dict)
]
#: Python writes these into modules and classes for itself.
_PYTHONS = ("__annotations__", "__annotations_cache__", "__annotate__", "__annotate_func__", "__slotnames__", "_")
#: A class attribute of this name covers what a layer finds in its `_parameters` and `_buffers`.
_HELD = ("weight", "bias", "running_mean", "running_var")


@dataclass(frozen=True)
class Setting:
    """Something global: how it is read and set, and its name where the learner is told of a change."""

    name: str | None
    get: Callable[[], Any]
    set: Callable[[Any], object]


@contextlib.contextmanager
def kept(seed: int) -> Iterator[list[str]]:
    """Run with the global random numbers seeded; afterwards everything is as it was before.

    Yields:
        A list that names, once the block has ended, what was found changed and worth a word.
    """
    settings = _settings()
    before = [setting.get() for setting in settings]
    drawn = _random_states()
    environment, path = dict(os.environ), list(sys.path)
    left: list[str] = []
    try:
        with warnings.catch_warnings(), _figures():
            _seed(seed)
            yield left
    finally:
        for setting, value in zip(settings, before, strict=True):
            if setting.get() != value:
                setting.set(value)
                if setting.name:
                    left.append(setting.name)
        for put_back, state in drawn:
            put_back(state)
        if dict(os.environ) != environment:
            os.environ.clear()
            os.environ.update(environment)
        if sys.path != path:
            sys.path[:] = path


class Names:
    """What the names of Python, of torch and of its common layers stand for, and the hooks of all modules.

    An answer that puts something else in their place changes what the check itself runs on.
    """

    def __init__(self) -> None:
        self.left: list[str] = []
        self._python = builtins.__dict__.copy()
        self._before = [(home, called, home.__dict__.copy()) for home, called in _HOMES]
        self._hooks = [(hooks, hooks.copy()) for hooks in _HOOKS]
        self._full = hooked._global_is_full_backward_hook

    def put_back(self) -> None:
        """Make the names that were there what they were; `left` says which were not.

        New names stay, since torch adds some when a part of it is first used; but not those that cover what a class
        inherits.
        """
        now, before = builtins.__dict__, self._python
        for name in before:  # first of all, and with nothing that is a name of Python's
            if name != "_" and (name not in now or now[name] is not before[name]):
                self.left += ["`builtins." + name + "`"]
                now[name] = before[name]
        for home, called, known in self._before:
            if not _alike(home.__dict__, known):
                self._restore(home, called, known)
        for hooks, old in self._hooks:
            if not _alike(hooks, old):
                self._note("the hooks of all modules")
                hooks.clear()
                hooks.update(old)
        hooked._global_is_full_backward_hook = self._full

    def _restore(self, home: Any, called: str, known: Mapping[str, Any]) -> None:
        now = home.__dict__.copy()
        for name, value in known.items():
            if (name not in now or now[name] is not value) and not _may_change(home, name, value, now.get(name)):
                self._note(f"`{called}.{name}`")
                if isinstance(home, type):
                    type.__setattr__(home, name, value)
                else:
                    vars(home)[name] = value
        for name in now.keys() - known.keys():
            if isinstance(home, type) and _covers(home, name):
                self._note(f"`{called}.{name}`")
                type.__delattr__(home, name)

    def _note(self, name: str) -> None:
        if name not in self.left:
            self.left.append(name)

    def told(self) -> list[str]:
        """`left`, if they are many not by name."""
        more = len(self.left) - MOST_NAMES
        return self.left if more <= 1 else [*self.left[:MOST_NAMES], f"{more} other names"]


def _alike(now: Mapping[Any, Any], before: Mapping[Any, Any]) -> bool:
    """The same objects, by identity: nothing of theirs is called."""
    return len(now) == len(before) and all(map(operator.is_, now.values(), before.values()))


def _may_change(home: Any, name: str, old: Any, new: Any) -> bool:
    """Is this a change that Python or torch makes: a value kept for later, or what `torch.compile` exchanges?"""
    if name in _PYTHONS or (not isinstance(home, type) and name.startswith("_") and not callable(old)):
        return True
    made_in = new.__globals__.get("__name__") if type(new) is FunctionType else None
    return made_in in ("torch._compile", "torch._dynamo.mutation_guard")


def _covers(home: type, name: str) -> bool:
    """Does a new name in a class change what was found there before, or what Python does with it?"""
    special = name in _HELD or (name.startswith("__") and name.endswith("__"))
    return name not in _PYTHONS and (special or any(name in vars(base) for base in home.__mro__[1:]))


def _homes() -> list[tuple[Any, str]]:
    """Where names are watched, and what each place is called."""
    modules: tuple[ModuleType, ...] = (torch, nn, nn.functional, nn.init, torch.autograd)
    bases = {base: None for layer in (nn.Parameter, *_LAYERS) for base in layer.__mro__}
    classes = [base for base in bases if base.__module__ == "torch" or base.__module__.startswith("torch.nn.")]
    public = {id(value): f"torch.nn.{name}" for name, value in vars(nn).items() if isinstance(value, type)}
    public[id(torch.Tensor)] = "torch.Tensor"
    return [
        *((module, module.__name__) for module in modules),
        *((base, public.get(id(base), f"{base.__module__}.{base.__qualname__}")) for base in classes),
    ]


_HOMES = _homes()


def _settings() -> list[Setting]:
    backends: Any = torch.backends
    return [
        Setting("the default dtype", torch.get_default_dtype, torch.set_default_dtype),
        Setting("the default device", _device, _set_device),
        Setting("whether gradients are recorded", torch.is_grad_enabled, torch.set_grad_enabled),
        Setting("deterministic algorithms", _deterministic, lambda old: torch.use_deterministic_algorithms(**old)),
        Setting("the number of threads", torch.get_num_threads, torch.set_num_threads),
        Setting("autocast", lambda: torch.is_autocast_enabled("cpu"), lambda on: torch.set_autocast_enabled("cpu", on)),
        Setting("anomaly detection", torch.is_anomaly_enabled, torch.autograd.set_detect_anomaly),
        *(
            Setting(f"cudnn.{name}", partial(getattr, backends.cudnn, name), partial(setattr, backends.cudnn, name))
            for name in ("deterministic", "benchmark")
        ),
        Setting("the working folder", _folder, _go_to),
        Setting("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
        Setting(None, sys.gettrace, sys.settrace),
        Setting(None, gc.isenabled, lambda on: gc.enable() if on else gc.disable()),
        Setting(None, np.geterr, lambda old: np.seterr(**old)),
        Setting(None, np.get_printoptions, lambda old: np.set_printoptions(**old)),
    ]


def _deterministic() -> dict[str, bool]:
    return {
        "mode": torch.are_deterministic_algorithms_enabled(),
        "warn_only": torch.is_deterministic_algorithms_warn_only_enabled(),
    }


def _device() -> torch.device:
    # torch.get_default_device() of torch 2.6 raises once a default was taken back with None.
    return torch.empty(0).device


def _set_device(device: torch.device) -> None:
    torch.set_default_device(None if device.type == "cpu" else device)


def _folder() -> str | None:
    try:
        return os.getcwd()
    except OSError:  # it has been removed
        return None


def _go_to(folder: str | None) -> None:
    if folder is not None:
        with contextlib.suppress(OSError):
            os.chdir(folder)


def _random_states() -> list[tuple[Callable[[Any], object], Any]]:
    states: list[tuple[Callable[[Any], object], Any]] = [
        (random.setstate, random.getstate()),
        (np.random.set_state, np.random.get_state()),  # noqa: NPY002
        (torch.default_generator.set_state, torch.default_generator.get_state()),
    ]
    if torch.cuda.is_initialized():
        states.append((torch.cuda.set_rng_state_all, torch.cuda.get_rng_state_all()))
    return states


def _seed(seed: int) -> None:
    """Seed what can be seeded without waking a GPU."""
    random.seed(seed)
    np.random.seed(seed % 2**32)  # noqa: NPY002
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():
        torch.cuda.manual_seed_all(seed)


@contextlib.contextmanager
def _figures() -> Iterator[None]:
    """Figures that were opened are closed, and matplotlib's style is put back."""
    matplotlib: Any = sys.modules.get("matplotlib")
    style = dict.copy(matplotlib.rcParams) if matplotlib else None
    pyplot: Any = sys.modules.get("matplotlib.pyplot")
    there = set(pyplot.get_fignums()) if pyplot else set()
    try:
        yield
    finally:
        matplotlib, pyplot = sys.modules.get("matplotlib"), sys.modules.get("matplotlib.pyplot")
        if pyplot is not None:
            for number in set(pyplot.get_fignums()) - there:
                pyplot.close(number)
        if matplotlib is not None:
            dict.update(matplotlib.rcParams, matplotlib.rcParamsOrig if style is None else style)
