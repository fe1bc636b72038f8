"""python -m p2plib doctor: can the course run here, and if not, what mends it?"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

OK, WARN, FAIL = "OK", "WARN", "FAIL"
NEEDED = {"torch": (2, 6), "torchvision": (0, 21), "numpy": (2, 0)}
FREE_GB = 1.0  # for a laptop run and the built-in data; the real maps want 1 GB more


@dataclass(frozen=True)
class Finding:
    """One line of the table: what was looked at, how it is, what was found, what mends it."""

    subject: str
    state: str
    found: str
    mend: str = ""

    def __str__(self) -> str:
        line = f"[{self.state}]".ljust(7) + f"{self.subject:<14}{self.found}"
        return line + (f"\n{'':21}→ {self.mend}" if self.mend else "")


def examine() -> list[Finding]:
    """Look at everything; an examination that breaks is a finding itself."""
    findings = []
    for check in CHECKS:
        try:
            findings.append(check())
        except Exception as error:  # a doctor must not fall ill
            name = check.__name__.strip("_").replace("_", " ")
            findings.append(Finding(name, FAIL, f"{type(error).__name__}: {error}", "see the README's set-up"))
    return findings


def report(findings: list[Finding]) -> str:
    """The table, and a closing sentence."""
    lines = [str(finding) for finding in findings]
    failures = sum(finding.state == FAIL for finding in findings)
    warnings = sum(finding.state == WARN for finding in findings)
    if failures:
        lines.append(f"The course cannot run here yet: mend what is marked [FAIL] ({failures}).")
    elif warnings:
        lines.append(f"The course can run here; what is marked [WARN] ({warnings}) is less than it could be.")
    else:
        lines.append("The course can run here.")
    return "\n".join(lines)


def can_run(findings: list[Finding]) -> bool:
    """Is there no [FAIL]?"""
    return all(finding.state != FAIL for finding in findings)


def other_environment() -> str:
    """What to do for a Python that lacks a package: most often it is not the course's own."""
    own = Path(__file__).resolve().parents[1] / ".venv"
    if (own / "ready").exists() and Path(sys.prefix).resolve() != own.resolve():
        enter = r".venv\Scripts\activate" if os.name == "nt" else ". .venv/bin/activate"
        return f"this is not the course's environment; in its folder, type: {enter}"
    return "make setup"


def _python() -> Finding:
    found = f"{platform.python_version()} in {_short(Path(sys.prefix))}"
    if sys.version_info < (3, 11, 4):
        return Finding("Python", FAIL, found, "install Python 3.11.4 or newer, then: make PYTHON=python3.12 setup")
    return Finding("Python", OK, found)


def _package(name: str) -> Finding:
    needed = ".".join(map(str, NEEDED[name]))
    try:
        found = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return Finding(name, FAIL, "not installed", f"{other_environment()}, or: pip install '{name}>={needed}'")
    if _numbers(found) < NEEDED[name]:
        return Finding(name, FAIL, found, f"the course needs {needed} or newer: pip install --upgrade {name}")
    __import__(name)  # a torchvision that does not fit torch is installed, and breaks here
    return Finding(name, OK, found)


def _torch() -> Finding:
    return _package("torch")


def _torchvision() -> Finding:
    return _package("torchvision")


def _numpy() -> Finding:
    return _package("numpy")


def _accelerator() -> Finding:
    import torch

    cores = os.cpu_count() or 1
    if torch.cuda.is_available():
        memory = torch.cuda.get_device_properties(0).total_memory / 2**30
        native = torch.cuda.is_bf16_supported(including_emulation=False)
        kind = (
            f"{torch.cuda.get_device_name(0)}, {memory:.0f} GiB, bf16 {'native' if native else 'not native: f16 used'}"
        )
        return Finding("accelerator", OK, kind)
    if torch.backends.mps.is_available():
        return Finding("accelerator", OK, "Apple GPU (mps), memory shared with the system, bf16 not used")
    found = f"none; {cores} CPU cores, {torch.get_num_threads()} threads"
    if cores < 2:
        return Finding("accelerator", WARN, found, "the chapters' minutes are for two cores: expect twice as long")
    return Finding("accelerator", OK, f"{found}: every chapter runs, 11 and 12 at a smaller size")


def _widgets() -> Finding:
    try:
        found = importlib.metadata.version("ipywidgets")
    except importlib.metadata.PackageNotFoundError:
        return Finding("widgets", FAIL, "ipywidgets is not installed", "make setup, or: pip install ipywidgets")
    if "google.colab" in sys.modules:
        return Finding("widgets", OK, f"ipywidgets {found}, shown by Colab")
    front_end = "jupyterlab-widgets" if _numbers(found) >= (7,) else "ipywidgets"
    try:
        shown_by = importlib.metadata.version(front_end)
        lab = importlib.metadata.version("jupyterlab")
    except importlib.metadata.PackageNotFoundError as error:
        return Finding("widgets", WARN, f"ipywidgets {found}, but no {error.name}", f"pip install {error.name}")
    # ipywidgets 7 goes with jupyterlab-widgets 1, ipywidgets 8 with 3; a mixed pair shows text in place of sliders.
    if (_numbers(found) >= (8,)) != (_numbers(shown_by) >= (3,)):
        mend = "pip install --upgrade ipywidgets jupyterlab_widgets, then restart JupyterLab"
        return Finding("widgets", WARN, f"ipywidgets {found} with jupyterlab_widgets {shown_by}", mend)
    return Finding("widgets", OK, f"ipywidgets {found}, jupyterlab_widgets {shown_by}, JupyterLab {lab}")


def _disk() -> Finding:
    from p2plib.my_work import my_work

    folder = my_work()
    there = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(there).free / 1e9
    if not os.access(there, os.W_OK):
        return Finding("disk", FAIL, f"{_short(there)} cannot be written", "set P2PLIB_MY_WORK to a folder that can")
    if free < FREE_GB:
        return Finding("disk", FAIL, f"{free:.1f} GB free where my_work lies", f"make room: {FREE_GB:.0f} GB is needed")
    return Finding("disk", OK, f"{free:.0f} GB free where my_work lies")


def _data() -> Finding:
    from p2plib.data.catalogue import CATALOGUE, Archive, data_folder
    from p2plib.data.maps import draw_maps

    draw_maps([0], size=32)
    home: Path = data_folder()
    sets = [name for name, entry in CATALOGUE.items() if isinstance(entry, Archive)]
    here = [name for name in sets if (home / name).is_dir()]
    missing = [name for name in sets if name not in here]
    found = f"built-in sets; {', '.join(here) if here else 'no downloads'} in {_short(home)}"
    if missing:
        return Finding("data", OK, f"{found} ({', '.join(missing)} when a chapter asks)")
    return Finding("data", OK, found)


def _zoo() -> Finding:
    from p2plib import zoo
    from p2plib.errors import UserError

    try:
        names = [name for name in zoo.manifest() if zoo.load(name)]
    except UserError as error:
        return Finding("zoo", FAIL, str(error), "git checkout data/zoo")
    if not names:
        return Finding("zoo", FAIL, f"no networks in {_short(zoo.FOLDER)}", "git checkout data/zoo")
    return Finding("zoo", OK, f"{', '.join(names)}: hash and output as published")


CHECKS: tuple[Callable[[], Finding], ...] = (
    _python,
    _torch,
    _torchvision,
    _numpy,
    _accelerator,
    _widgets,
    _disk,
    _data,
    _zoo,
)


def _short(path: Path) -> str:
    """A path as a person would say it: from the course's folder or from home, where it lies there."""
    for root, name in ((Path(__file__).resolve().parents[1], ""), (Path.home(), "~/")):
        if path.is_relative_to(root):
            return name + str(path.relative_to(root))
    return str(path)


def _numbers(version: str) -> tuple[int, ...]:
    """ "2.14.1+cu130" → (2, 14, 1)."""
    numbers = []
    for part in version.split("+")[0].split("."):
        digits = "".join(c for c in part if c.isdigit())
        if not digits:
            break
        numbers.append(int(digits))
    return tuple(numbers)
