"""Does a cheaper arithmetic cost quality?  The same trainings in float32 and another precision, over several seeds."""

from __future__ import annotations

import dataclasses
import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from p2plib.errors import UserError
from p2plib.evaluation.report import evaluate_run
from p2plib.files import make_folder, write_atomic
from p2plib.training import Trainer, checkpoint, configure

MEASURES = ("l1", "lab_l", "lab_a", "lab_b", "sharpness")

#: Student's t, 95 %, two-sided, for 2 to 6 seeds of each of two precisions; for more seeds it is smaller.
STUDENT = {2: 4.30, 3: 2.78, 4: 2.45, 5: 2.31, 6: 2.23}


@dataclass(frozen=True)
class Precisions:
    """Measures of runs, by precision and seed.

    Attributes:
        settings: of all runs but for seed and precision.
        values: precision → measure → one number a seed.
        seconds: precision → seconds of training, one a seed; the runs were trained one after the other.
        environment: versions, device, threads.
    """

    settings: dict[str, Any]
    values: dict[str, dict[str, list[float]]]
    seconds: dict[str, list[float]]
    environment: dict[str, Any]

    def noise(self, measure: str) -> float:
        """How far apart two means over as many seeds may lie by chance, in 95 cases of 100.

        From the spread of both precisions over their seeds (Student's t for two samples), not from float32's alone:
        three seeds may happen to lie close together.
        """
        groups = [by[measure] for by in self.values.values()]
        seeds = len(groups[0])
        variance = statistics.mean(statistics.variance(group) for group in groups)
        return STUDENT.get(seeds, STUDENT[6]) * math.sqrt(2 * variance / seeds)

    def within_noise(self, measure: str) -> bool:
        """Is the difference of the two means no more than chance gives?"""
        plain, other = (by[measure] for by in self.values.values())
        return abs(statistics.mean(plain) - statistics.mean(other)) <= self.noise(measure)

    def rows(self) -> list[list[str]]:
        """A table: one line a measure, each seed's number, the difference of the means, its noise, the verdict."""
        plain, other = self.values
        rows = [["measure", *self.values, "difference of means", "noise", "within it"]]
        for measure in MEASURES:
            a, b = self.values[plain][measure], self.values[other][measure]
            rows.append(
                [
                    measure,
                    *(" ".join(f"{value:.3f}" for value in values) for values in (a, b)),
                    f"{statistics.mean(b) - statistics.mean(a):+.4f}",
                    f"{self.noise(measure):.4f}",
                    "yes" if self.within_noise(measure) else "no",
                ]
            )
        return rows

    def table(self) -> str:
        """The same as text in columns."""
        rows = self.rows()
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return "\n".join("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in rows)

    def write(self, path: Path, command: str) -> None:
        """Write it as JSON, and beside it as Markdown."""
        make_folder(path.parent)
        content = {"date": time.strftime("%Y-%m-%d"), "command": command, **dataclasses.asdict(self)}
        write_atomic(path, json.dumps(content, indent=1, ensure_ascii=False) + "\n")
        c, rows, threads = self.settings, self.rows(), self.environment["threads"]
        lines = [f"| {' | '.join(row)} |" for row in (rows[0], ["---"] * len(rows[0]), *rows[1:])]
        text = (
            f"# Precision and quality\n\n{c['source']}, {c['direction']}, {c['size']} px, base {c['base']}, batch "
            f"{c['batch']}, patch {c['patch']}, {c['images']:,} pictures seen; held-out pairs; one number a seed. "
            f"Noise: how far apart two means over so many seeds lie by chance at the most, in 95 cases of 100.\n\n"
            + "\n".join(lines)
            + f"\n\n`{command}`, {content['date']}, torch {self.environment['torch']}, {self.environment['device']}, "
            f"{threads} thread{'s' * (threads != 1)}.\n"
        )
        write_atomic(path.with_suffix(".md"), text)


def compare_precisions(
    source: str,
    other: str = "bf16",
    seeds: Sequence[int] = (0, 1, 2),
    say: Callable[[str], None] = lambda line: None,
    **settings: Any,
) -> Precisions:
    """Train in float32 and in `other`, with each seed, and measure the held-out outputs of all.

    Args:
        source: catalogue name or folder of pairs.
        other: "bf16" or "f16".
        say: called with a line for each run.
        settings: as for `configure`.

    Raises:
        UserError: for fewer than two seeds, or as `configure` and `Trainer` do.
    """
    if len(seeds) < 2:
        raise UserError("Noise shows between seeds: take two or more.")
    values: dict[str, dict[str, list[float]]] = {kind: {m: [] for m in MEASURES} for kind in ("f32", other)}
    seconds: dict[str, list[float]] = {kind: [] for kind in values}
    with tempfile.TemporaryDirectory() as folder:
        for seed in seeds:  # by turns, so that a slow hour falls on both
            for kind in values:
                config = configure(source, seed=seed, precision=kind, **settings)
                run = Path(folder) / f"{kind}-{seed}"
                trainer = Trainer(config, run).fit(progress=False)
                report = evaluate_run(run, source=trainer.source, progress=False)
                for measure in MEASURES:
                    values[kind][measure].append(report.measures[measure].value)
                seconds[kind].append(trainer.rows[-1]["seconds"])
                say(f"{kind}, seed {seed}: {seconds[kind][-1]:.0f} s, l1 {values[kind]['l1'][-1]:.4f}")
    kept = {key: value for key, value in dataclasses.asdict(trainer.config).items() if key not in ("seed", "precision")}
    kept["source"] = Path(source).name
    kept["images"] = trainer.images_seen
    return Precisions(kept, values, seconds, checkpoint.environment(trainer.config))
