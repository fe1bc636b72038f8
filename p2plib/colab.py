"""Setting up where no make can run: a hosted notebook that has its own torch, numpy, ipywidgets and IPython."""

from __future__ import annotations

import importlib
import importlib.metadata
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[1]
DRIVE = Path("/content/drive/MyDrive")
NOT_NEEDED = {"jupyterlab"}  # the host has its own front end


def prepare() -> list[str]:
    """Install what the course needs and the host lacks, and change nothing that is there.

    Every package that is installed is pinned to the version it has, so that pip either adds to them or
    fails: a reinstalled torch or numpy would break a notebook that is running.

    Returns:
        The names of the packages installed.
    """
    if DRIVE.is_dir():  # each notebook has a machine of its own there: only a mounted Drive outlives it
        os.environ.setdefault("P2PLIB_MY_WORK", str(DRIVE / "pix2pix_my_work"))
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(CHECKOUT), os.environ.get("PYTHONPATH")]))
    lacking = missing_packages()
    if lacking:
        _install(lacking)
        importlib.invalidate_caches()
    return lacking


def missing_packages() -> list[str]:
    """Requirements of requirements.txt, without their ranges, that are not installed in any version."""
    names = []
    for line in (CHECKOUT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        found = re.match(r"[A-Za-z0-9_.-]+", line)
        if found and found[0] not in NOT_NEEDED and not _installed(found[0]):
            names.append(found[0])
    return names


def _installed(name: str) -> bool:
    try:
        importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True


def _install(names: list[str]) -> None:
    pins = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions() if d.metadata["Name"]}
    with tempfile.TemporaryDirectory() as folder:
        constraints = Path(folder) / "there.txt"
        constraints.write_text("".join(f"{name}=={version}\n" for name, version in sorted(pins.items())))
        command = [sys.executable, "-m", "pip", "install", "--quiet", "-c", str(constraints), *names]
        done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(
            f"The course needs {', '.join(names)}, and pip could not add them beside what this machine has:\n"
            f"{done.stderr.strip()[-1500:]}"
        )
