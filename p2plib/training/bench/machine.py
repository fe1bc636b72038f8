"""What was measured on: versions, processor, GPU, memory; and how fast its largest matrix product is."""

from __future__ import annotations

import datetime
import functools
import os
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy
import torch
from torch.utils.flop_counter import FlopCounterMode

import p2plib
from p2plib.training.config import Config

NOT_MEASURED = "not measured"
KINDS = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}
PATIENCE = 4.0  # seconds that one matrix product may take to be tried


def surroundings(config: Config, command: str) -> dict[str, Any]:
    """Date, command, versions and machine, as every report holds them; names no folder and no person."""
    return {
        "date": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command,
        "versions": {
            "p2plib": p2plib.__version__,
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "numpy": numpy.__version__,
        },
        "machine": {
            "system": f"{platform.system()} {platform.machine()}",
            "processor": processor(),
            "cores": os.cpu_count(),
            "threads": torch.get_num_threads(),
            "device": config.device,
            "device_name": device_name(config.device),
        },
        "precision": config.precision,
    }


def device_name(device: str) -> str:
    """What the device calls itself."""
    if device == "cuda":
        return torch.cuda.get_device_name()
    return "Apple GPU" if device == "mps" else processor()


def processor() -> str:
    """The processor's name, as far as the system tells it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def gpu() -> dict[str, Any] | str:
    """What is known of the GPU, or that nothing was measured on one."""
    if not torch.cuda.is_available():
        return NOT_MEASURED
    properties = torch.cuda.get_device_properties(0)
    return {
        "name": properties.name,
        "memory_bytes": properties.total_memory,
        "capability": f"{properties.major}.{properties.minor}",
        "cuda": torch.version.cuda,
    }


def synchronize(device: str) -> None:
    """Wait until the device has done what it was given."""
    if device == "cuda":
        torch.cuda.synchronize()
    elif device == "mps":
        torch.mps.synchronize()


def peak_memory(device: str) -> int | None:
    """Bytes that this process held at the most: on a CUDA GPU those of its tensors, else its resident memory.

    Linux is asked through /proc: `ru_maxrss` begins there with what the parent process held before exec.
    None where the system does not say.
    """
    if device == "cuda":
        return torch.cuda.max_memory_allocated()
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii", errors="replace")
        return next(int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        pass
    try:
        import resource
    except ModuleNotFoundError:  # Windows
        return None
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def count_flop(call: Callable[[], object]) -> int:
    """Floating-point operations of the convolutions and matrix products in call(), a multiply-add counted as two.

    Only what passes through PyTorch's dispatcher is seen; norms, activations and the optimizer are not counted.
    """
    with FlopCounterMode(display=False) as counter:
        call()
    return int(counter.get_total_flops())


def matrix_rates(precision: str, device: str, largest: int = 4096, repeats: int = 5) -> dict[int, float]:
    """FLOP/s of a product of two square matrices, by side: 512, 1024, … up to `largest`, the median of several.

    Stops before a side at which one product would take longer than some seconds.
    """
    rates: dict[int, float] = {}
    side = min(512, largest)
    while side <= largest:
        expected = 2 * side**3 / max(rates.values()) if rates else 0.0
        if expected > PATIENCE:
            break
        product = functools.partial(torch.mm, *_two_matrices(side, precision, device))
        times = [_seconds(product, device) for _ in range(repeats if expected < 1 else 3)]
        rates[side] = 2 * side**3 / statistics.median(times)
        side *= 2
    return rates


def _two_matrices(side: int, precision: str, device: str) -> list[torch.Tensor]:
    return [torch.randn(side, side, device=device).to(KINDS[precision]) for _ in range(2)]


def _seconds(call: Callable[[], object], device: str) -> float:
    synchronize(device)
    began = time.perf_counter()
    call()
    synchronize(device)
    return time.perf_counter() - began
