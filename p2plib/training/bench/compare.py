"""This trainer beside the plain loop: by turns, on the same networks, pictures and batch."""

from __future__ import annotations

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tqdm.auto import tqdm

from p2plib.data.synthetic import write_pairs
from p2plib.errors import UserError
from p2plib.training.bench import machine
from p2plib.training.bench.process import LoopProcess
from p2plib.training.config import Config, configure

PAUSE = 0.4  # seconds between two measurements: threads spin for a while after their work
PAIRS = 32
LOOPS = {"trainer": "this trainer", "plain": "plain loop"}


@dataclass(frozen=True)
class Measured:
    """One loop: images per second round by round, and what it needed.

    Attributes:
        speeds: images/s.
        precision: that it computed in.
        memory: bytes at the most, before anything but training was done; None where the system does not say.
        matrix: FLOP/s of the fastest square matrix product in that precision, in the same process.
        flop_per_image: of the networks, so that both loops are credited with the same work.
    """

    speeds: list[float]
    precision: str
    memory: int | None
    matrix: float
    flop_per_image: float

    @property
    def flop_per_second(self) -> float:
        """What the networks' passes come to, at the median speed."""
        return statistics.median(self.speeds) * self.flop_per_image

    @property
    def share_of_matrix(self) -> float:
        """The same as a share of what a matrix product reaches."""
        return self.flop_per_second / self.matrix

    def as_json(self) -> dict[str, Any]:
        return {
            "images_per_second": self.speeds,
            **spread(self.speeds),
            "precision": self.precision,
            "peak_memory_bytes": self.memory,
            "flop_per_second": self.flop_per_second,
            "matrix_flop_per_second": self.matrix,
            "share_of_matrix": self.share_of_matrix,
        }


@dataclass(frozen=True)
class Comparison:
    """Both loops, and where a step of the trainer spends its time (`p2plib.training.bench.shares.PARTS`)."""

    config: Config
    loops: dict[str, Measured]
    shares: dict[str, float]
    flop: int
    surroundings: dict[str, Any]

    @property
    def trainer(self) -> list[float]:
        """Images/s of this trainer, round by round."""
        return self.loops["trainer"].speeds

    @property
    def plain(self) -> list[float]:
        """Images/s of the plain loop, round by round."""
        return self.loops["plain"].speeds

    @property
    def ratios(self) -> list[float]:
        """This trainer's speed over the plain loop's, of neighbouring rounds."""
        return [fast / plain for fast, plain in zip(self.trainer, self.plain, strict=True)]

    def heading(self) -> str:
        """The settings, in a line."""
        c, where = self.config, self.surroundings["machine"]
        return (
            f"preset {c.preset}: {c.size} px, base {c.base}, batch {c.batch}, patch {c.patch}; {where['device']} "
            f"({where['device_name']}), {threads(where)}, torch {self.surroundings['versions']['torch']}"
        )

    def rows(self) -> list[list[str]]:
        """The cells of the table: a heading, a row for each loop, and the ratio."""
        rows = [["loop", "precision", "images/s", "low to high", "peak memory", "GFLOP/s", "of a matrix product"]]
        for name, m in self.loops.items():
            share = f"{m.share_of_matrix:.0%} of {m.matrix / 1e9:.0f}"
            work = [megabytes(m.memory), f"{m.flop_per_second / 1e9:.1f}", share]
            rows.append([LOOPS[name], m.precision, *_median_and_range(m.speeds), *work])
        rows.append(["ratio", "", *_median_and_range(self.ratios), "", "", ""])
        return rows

    def notes(self) -> list[str]:
        """What the table does not say by itself."""
        shares = ", ".join(f"{part} {share:.0%}" for part, share in self.shares.items())
        return [
            f"Rounds by turns: {len(self.ratios)}, each loop in a process of its own; the ratio is that of "
            "neighbours. Memory is the most that a loop's process held, without those that decode for the plain loop.",
            f"A step of {_pictures(self.config.batch)} is {self.flop / 1e9:.2f} GFLOP in convolutions; a matrix "
            "product is the largest of this machine, measured in the same process and precision.",
            f"A step of this trainer: {shares}.",
        ]

    def table(self) -> str:
        """The result as text."""
        return "\n".join([self.heading(), *columns(self.rows()), *self.notes()])

    def as_json(self) -> dict[str, Any]:
        """All of it, for a report."""
        return {
            "report": "bench",
            **self.surroundings,
            "config": dataclasses.asdict(self.config),
            "loops": {name: measured.as_json() for name, measured in self.loops.items()},
            "ratio": {"of_neighbours": self.ratios, **spread(self.ratios)},
            "shares_of_a_step": self.shares,
            "flop_per_step": self.flop,
            "gpu": machine.gpu(),
        }


def bench(
    preset: str = "laptop", rounds: int = 5, seconds: float = 8.0, *, largest: int = 4096, progress: bool = False,
    **settings: object,
) -> Comparison:  # fmt: skip
    """Measure both loops by turns and compare them round by round.

    Args:
        preset: whose networks, size and batch.
        rounds: how many pairs of measurements, after a warm-up of each.
        seconds: length of one measurement.
        largest: side of the largest matrix product that is tried.
        progress: show a bar.
        settings: as for `configure`; the precision is the trainer's, the plain loop has float32.

    Raises:
        UserError: for settings that do not fit, or a loop that does not find enough memory.
    """
    check_turns(rounds, seconds)
    config = configure("bench", preset, direction="BtoA", **settings)
    command = f"python -m p2plib bench --preset {preset} --rounds {rounds} --seconds {seconds:g}"
    if settings.get("precision"):
        command += f" --precision {settings['precision']}"
    with tempfile.TemporaryDirectory() as folder:
        draw(Path(folder), config)
        with LoopProcess("trainer", config, Path(folder)) as ours, LoopProcess("plain", config, Path(folder)) as plain:
            loops = {"trainer": ours, "plain": plain}
            turns = _take_turns(loops, rounds, seconds, progress)
            flop, shares = plain.ask("flop"), ours.ask("shares", steps=_steps_for_shares(turns["trainer"]))
            matrix = {name: max(loop.ask("matrix", largest=largest).values()) for name, loop in loops.items()}
    measured = {
        name: Measured(
            [turn["images"] / turn["seconds"] for turn in turns[name]],
            config.precision if name == "trainer" else "f32",
            turns[name][-1]["memory"],
            matrix[name],
            flop / config.batch,
        )
        for name in loops
    }
    return Comparison(config, measured, shares, flop, machine.surroundings(config, command))


def check_turns(rounds: int, seconds: float) -> None:
    """Raises UserError for what cannot be measured."""
    if rounds < 1 or not 0 < seconds < 3600:
        raise UserError(f"--rounds is 1 or more and --seconds above 0, not {rounds} and {seconds:g}.")


def draw(folder: Path, config: Config) -> None:
    """Facades from a seed, of the side that is loaded (256 px at the most), whole batches of them."""
    count = config.batch * -(-PAIRS // config.batch)
    write_pairs("facades", folder, count=count, size=min(config.load_size, 256))


def _take_turns(
    loops: dict[str, LoopProcess], rounds: int, seconds: float, progress: bool
) -> dict[str, list[dict[str, Any]]]:
    """Each loop's rounds.  Who begins changes from round to round, so that a machine that warms up favours nobody."""
    for loop in loops.values():
        _ = loop.about  # both are ready before one begins
    for loop in loops.values():
        loop.ask("run", seconds=min(1.0, seconds))
    turns: dict[str, list[dict[str, Any]]] = {name: [] for name in loops}
    for number in tqdm(range(rounds), unit="round", disable=not progress):
        for name in list(loops)[:: 1 if number % 2 == 0 else -1]:
            time.sleep(PAUSE)
            turns[name].append(loops[name].ask("run", seconds=seconds))
    return turns


def _steps_for_shares(turns: Sequence[dict[str, Any]]) -> int:
    """About as many as a round had."""
    return max(2, min(200, int(statistics.median(turn["steps"] for turn in turns))))


def spread(values: Sequence[float]) -> dict[str, float]:
    """Median, lowest and highest."""
    return {"median": statistics.median(values), "low": min(values), "high": max(values)}


def _pictures(batch: int) -> str:
    return f"{batch} pictures" if batch > 1 else "one picture"


def _median_and_range(values: Sequence[float]) -> tuple[str, str]:
    s = spread(values)
    return f"{s['median']:.2f}", f"{s['low']:.2f} to {s['high']:.2f}"


def threads(machine: dict[str, Any]) -> str:
    """How many threads, in words."""
    return f"{machine['threads']} thread{'s' if machine['threads'] > 1 else ''}"


def megabytes(count: int | None) -> str:
    """Bytes as people read them."""
    return "not known" if count is None else f"{count / 2**20:,.0f} MiB"


def columns(rows: Sequence[Sequence[str]]) -> list[str]:
    """Rows as lines of text with aligned columns, the first to the left."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    lines = []
    for first, *rest in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines
