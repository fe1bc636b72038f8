"""What every test and every notebook run as a test starts from, and how two processes share them (pytest -n 2)."""

import os
from typing import Any

import pytest

# Training cells make a few steps and assert mechanics (see p2plib.budget); figures need no screen.
os.environ["P2PLIB_BUDGET"] = "test"
os.environ.setdefault("MPLBACKEND", "agg")
if "PYTEST_XDIST_WORKER" in os.environ:
    # Processes of several threads each hinder one another on few cores.  Kernels and commands inherit this.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

#: These start in this order, the longest first, so that the processes end together; then the other files.
FIRST = ("tests/browser/", "tests/course/test_nbgrader.py", "notebooks/", "tests/course/", "tests/checks/")
#: Of these each test may run anywhere, last of all: they fill up what time is left on one side.
LOOSE = ("tests/course/test_checks.py",)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where processes share the tests, order them; one process alone runs them as they stand."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _turn(item.nodeid))


def _turn(nodeid: str) -> int:
    if nodeid.startswith(LOOSE):
        return len(FIRST) + 1
    return next((turn for turn, start in enumerate(FIRST) if nodeid.startswith(start)), len(FIRST))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Keep in one process what shares a kernel, a JupyterLab or fixtures: a file, or all browser tests."""
    from xdist.scheduler import LoadScopeScheduling

    class Together(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            if nodeid.startswith(LOOSE):
                return nodeid
            return FIRST[0] if nodeid.startswith(FIRST[0]) else nodeid.partition("::")[0]

    config.option.loadscopereorder = False  # by the number of tests, which says little of how long they take
    return Together(config, log)
