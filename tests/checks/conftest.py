"""What tests of the check engine share."""

from __future__ import annotations

import gc
import os
import random
import signal
import sys
import warnings

import matplotlib as mpl
import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from p2plib.checks import mine


def _everything():
    return {
        "python": random.getstate(),
        "numpy": np.random.get_state()[1].tolist(),  # noqa: NPY002
        "torch": torch.get_rng_state().tolist(),
        "dtype": torch.get_default_dtype(),
        "device": torch.empty(0).device,
        "grad": torch.is_grad_enabled(),
        "deterministic": torch.are_deterministic_algorithms_enabled(),
        "warn only": torch.is_deterministic_algorithms_warn_only_enabled(),
        "threads": torch.get_num_threads(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "benchmark": torch.backends.cudnn.benchmark,
        "anomaly": torch.is_anomaly_enabled(),
        "filters": list(warnings.filters),
        "folder": os.getcwd(),
        "environment": dict(os.environ),
        "path": list(sys.path),
        "recursion": sys.getrecursionlimit(),
        "trace": sys.gettrace(),
        "streams": (sys.stdout, sys.stderr, sys.stdin),
        "exit": (os._exit, os.abort),
        "input": __builtins__["input"],
        "style": dict.copy(mpl.rcParams),
        "figures": plt.get_fignums(),
        "errors": np.geterr(),
        "handlers": (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGALRM)),
        "collecting": gc.isenabled(),
    }


@pytest.fixture
def everything():
    """everything(): the global state of this process, to compare before and after."""
    return _everything


@pytest.fixture
def learner(monkeypatch, tmp_path):
    """As if a learner were at work, in a folder of the test's."""
    monkeypatch.setenv("P2PLIB_BUDGET", "learner")
    monkeypatch.setenv("P2PLIB_MY_WORK", str(tmp_path / "mine"))
    for name in ("P2PLIB_STRICT", "NBGRADER_EXECUTION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(mine_module(), "_passed", {})
    return tmp_path / "mine"


def mine_module():
    return sys.modules[mine.__module__]
