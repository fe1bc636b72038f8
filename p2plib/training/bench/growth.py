"""How the cost of a step grows: with the side, the batch, the number of pairs and the patch."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from p2plib.data.pairs import memory_limit
from p2plib.data.synthetic import write_pairs
from p2plib.errors import UserError
from p2plib.training.bench import machine
from p2plib.training.bench.compare import check_turns, columns, megabytes, spread, threads
from p2plib.training.bench.links import link_pairs
from p2plib.training.bench.process import LoopProcess
from p2plib.training.bench.rules import rules
from p2plib.training.config import Config, configure

#: What varies, and over which values.
SERIES: dict[str, tuple[int, ...]] = {
    "side": (64, 128, 256, 512, 1024),
    "batch": (1, 2, 4, 8, 16),
    "pairs": (400, 2_000, 10_000, 137_000),
    "patch": (1, 16, 34, 70, 142, 286),
}

#: What stays the same meanwhile.  Base 16 in place of the paper's 64 makes a step some 16 times cheaper, so that
#: 1024 px costs about what 256 px cost the paper: all of it ends in minutes on two cores.
FIXED: dict[str, dict[str, int]] = {
    "side": dict(base=16, batch=1, patch=70),
    "batch": dict(base=16, size=64, patch=16),
    "pairs": dict(base=16, size=64, batch=8, patch=16),
    "patch": dict(base=16, size=256, batch=1),
}
DRAWN = 32  # pictures behind the links
FIELDS = {"side": "size", "batch": "batch", "patch": "patch"}  # of Config


@dataclass(frozen=True)
class Point:
    """The cost of one value of one series.

    Attributes:
        seconds: of a step, round by round.
        batch: pictures a step.
        memory: bytes that the process held at the most, all of it; None where the system does not say.
        opening: seconds to find and open the pairs.
        held: are the pairs held in memory?  Otherwise each batch is read from the disk.
    """

    value: int
    seconds: list[float]
    batch: int
    memory: int | None
    opening: float
    held: bool

    @property
    def step(self) -> float:
        """Seconds of a step, the median."""
        return statistics.median(self.seconds)

    @property
    def speed(self) -> float:
        """Images/s."""
        return self.batch / self.step

    def as_json(self) -> dict[str, Any]:
        return {
            "value": self.value, "seconds_per_step": self.seconds, **spread(self.seconds), "batch": self.batch,
            "images_per_second": self.speed, "peak_memory_bytes": self.memory, "seconds_to_open": self.opening,
            "held_in_memory": self.held,
        }  # fmt: skip


@dataclass(frozen=True)
class Growth:
    """All series, and what could not be measured."""

    series: dict[str, list[Point]]
    surroundings: dict[str, Any]
    missing: list[str] = field(default_factory=list)

    @property
    def rules(self) -> list[str]:
        """What to choose, worked out from the numbers."""
        return rules(self.series)

    def rows(self) -> list[list[str]]:
        """The cells of the table, the first row its heading."""
        rows = [["series", "value", "seconds a step", "low to high", "images/s", "peak memory", "to open", "pairs are"]]
        for name, points in self.series.items():
            for p in points:
                rows.append([
                    name, f"{p.value:,}", f"{p.step:.4f}", f"{min(p.seconds):.4f} to {max(p.seconds):.4f}",
                    f"{p.speed:.1f}", megabytes(p.memory), f"{p.opening:.1f} s", "held" if p.held else "streamed",
                ])  # fmt: skip
        return rows

    def notes(self) -> list[str]:
        """What was held fixed, and how the pairs were come by."""
        fixed = [f"{name}: {', '.join(f'{k} {v}' for k, v in FIXED[name].items())}" for name in self.series]
        return [
            f"Fixed meanwhile: {'; '.join(fixed)}. Depth follows the side. Memory is that of the whole process.",
            f"Pairs are held up to {memory_limit() / 2**30:g} GiB. Their large numbers are links to {DRAWN} drawn "
            "JPEGs of 256 px, so the disk's own speed is left out.",
            *self.missing,
        ]

    def table(self) -> str:
        """The result as text."""
        where = self.surroundings["machine"]
        heading = f"{where['device']} ({where['device_name']}), {self.surroundings['precision']}, {threads(where)}"
        return "\n".join([heading, *columns(self.rows()), *self.notes(), *self.rules])

    def as_json(self) -> dict[str, Any]:
        """All of it, for a report."""
        return {
            "report": "grow",
            **self.surroundings,
            "fixed": {name: FIXED[name] for name in self.series},
            "memory_limit_bytes": memory_limit(),
            "pictures_behind_links": DRAWN,
            "series": {name: [point.as_json() for point in points] for name, points in self.series.items()},
            "rules": self.rules,
            "missing": self.missing,
            "gpu": machine.gpu(),
        }


def grow(
    rounds: int = 3,
    seconds: float = 2.0,
    precision: str | None = None,
    *,
    series: Mapping[str, Sequence[int]] = SERIES,
    say: Callable[[str], None] = lambda _: None,
) -> Growth:
    """Measure a step of the trainer along each series, each value in a process of its own.

    Args:
        rounds: measurements of each value.
        seconds: length of one measurement.
        precision: as for `configure`.
        series: what varies; names of `SERIES`.
        say: called with a line for each value as it is done.

    Raises:
        UserError: for settings that do not fit.
    """
    check_turns(rounds, seconds)
    command = f"python -m p2plib bench grow --rounds {rounds} --seconds {seconds:g}"
    command += f" --precision {precision}" if precision else ""
    found: dict[str, list[Point]] = {name: [] for name in series}
    missing: list[str] = []
    for name, value in ((name, value) for name, values in series.items() for value in values):
        config = config_at(name, value, precision)
        try:
            with _pairs(name, value, config) as folder:
                point = measure(config, folder, rounds, seconds, value)
        except (UserError, OSError) as error:
            missing.append(f"Not measured: {name} {value:,}: {error}")
        else:
            found[name].append(point)
            say(f"{name} {value:,}: {point.step:.4f} s a step, {megabytes(point.memory)}")
    return Growth(found, machine.surroundings(config_at("batch", 1, precision), command), missing)


def config_at(name: str, value: int, precision: str | None) -> Config:
    """The settings at one value of a series."""
    settings: dict[str, Any] = {"size": 64, **FIXED[name]}
    if name in FIELDS:
        settings[FIELDS[name]] = value
    return configure("bench", "laptop", direction="BtoA", precision=precision, **settings)


def measure(config: Config, folder: Path, rounds: int, seconds: float, value: int) -> Point:
    """Train on the pairs of a folder in a new process, and see what it takes."""
    with LoopProcess("trainer", config, folder) as loop:
        turns = [loop.ask("run", seconds=seconds) for _ in range(rounds)]
        about = loop.about
    return Point(
        value, [turn["seconds"] / turn["steps"] for turn in turns], config.batch, turns[-1]["memory"],
        about["seconds"], about["held"],
    )  # fmt: skip


@contextlib.contextmanager
def _pairs(name: str, value: int, config: Config) -> Iterator[Path]:
    """A folder of pairs for one point, gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        if name == "pairs":
            link_pairs(Path(folder), value, DRAWN)
        else:
            write_pairs("facades", Path(folder), count=max(4, config.batch), size=min(config.load_size, 256))
        yield Path(folder)
