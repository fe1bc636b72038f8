"""The settings of this process that an answer might leave changed: noted before it runs, put back after it."""

from __future__ import annotations

import contextlib
import gc
import os
import random
import sys
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch


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
