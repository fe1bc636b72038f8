"""The bench: what it reports, that its parts add up, that the plain loop is one, and that no process outlives it."""

from __future__ import annotations

import json
import math
import os
import signal
import time
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from p2plib.data.pairs import FolderPairs, find_pairs
from p2plib.data.synthetic import write_pairs
from p2plib.errors import UserError
from p2plib.models import PatchDiscriminator, UNetGenerator
from p2plib.training import configure
from p2plib.training.bench import bench, compare, growth, machine, shares
from p2plib.training.bench.growth import Growth, Point
from p2plib.training.bench.links import link_pairs
from p2plib.training.bench.plain import PlainLoop
from p2plib.training.bench.process import LoopProcess
from p2plib.training.bench.rules import batch_that_pays, proportional_from, rules

TINY = dict(size=32, base=4, batch=2, device="cpu")


@pytest.fixture(scope="module")
def found():
    """Both loops, measured for real in their processes, as shortly as can be."""
    return bench("laptop", rounds=2, seconds=0.2, largest=128, **TINY)


@pytest.fixture
def folder(tmp_path):
    write_pairs("facades", tmp_path / "pairs", count=4, size=36)
    return tmp_path / "pairs"


@pytest.fixture
def config():
    return configure("bench", "laptop", direction="BtoA", **TINY)


# --- the two loops -----------------------------------------------------------------------------


def test_the_ratio_is_that_of_neighbouring_rounds(found):
    assert len(found.trainer) == len(found.plain) == 2
    assert found.ratios == [found.trainer[0] / found.plain[0], found.trainer[1] / found.plain[1]]
    assert all(math.isfinite(speed) and speed > 0 for speed in found.trainer + found.plain)


def test_the_shares_of_a_step_sum_to_one(found):
    assert tuple(found.shares) == shares.PARTS
    assert sum(found.shares.values()) == pytest.approx(1)
    assert all(share > 0 for share in found.shares.values())  # each part was met


def test_the_table_has_a_row_for_each_loop_and_the_ratio(found):
    heading, loop, trainer, plain, ratio, *notes = found.table().splitlines()
    assert heading.startswith("preset laptop: 32 px, base 4, batch 2, patch 16; cpu (")
    assert loop.split()[0] == "loop"
    assert trainer.startswith("this trainer")
    assert plain.startswith("plain loop")
    assert ratio.split() == ["ratio", *ratio.split()[1:]]
    assert len(ratio.split()) == 5  # the median, and low to high
    assert "reading" in notes[-1]
    assert "optimizer" in notes[-1]


def test_the_report_is_json_and_the_same_as_markdown(found, monkeypatch, p2p, tmp_path):
    asked = {}
    monkeypatch.setattr(compare, "bench", lambda *given, **more: asked.update(given=given, more=more) or found)
    code, out, _ = p2p("bench", "--preset", "gpu", "--rounds", 2, "--report", tmp_path / "new" / "speed.json")
    assert (code, asked["given"]) == (0, ("gpu", 2, 8.0))
    assert out.startswith(found.table())
    kept = json.loads((tmp_path / "new" / "speed.json").read_text(encoding="utf-8"))
    assert {
        "report", "date", "command", "versions", "machine", "precision", "config", "loops", "ratio",
        "shares_of_a_step", "flop_per_step", "gpu",
    } == set(kept)  # fmt: skip
    assert kept["command"].startswith("python -m p2plib bench --preset laptop --rounds 2 --seconds 0.2")
    assert kept["ratio"]["of_neighbours"] == found.ratios
    for name in ("trainer", "plain"):
        loop = kept["loops"][name]
        assert loop["low"] <= loop["median"] <= loop["high"]
        assert loop["peak_memory_bytes"] > 2**20
        per_image = kept["flop_per_step"] / 2
        assert loop["share_of_matrix"] == pytest.approx(loop["median"] * per_image / loop["matrix_flop_per_second"])
    if not torch.cuda.is_available():
        assert kept["gpu"] == "not measured"
    text = (tmp_path / "new" / "speed.md").read_text(encoding="utf-8")
    assert "| this trainer |" in text
    assert kept["gpu"] != "not measured" or "GPU: not measured" in text
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == ["speed.json", "speed.md"]


def test_the_plain_loop_takes_the_steps_of_a_few_independent_lines(config):
    loop = PlainLoop(config)
    batches = torch.rand(3, 2, 2, 3, 32, 32, generator=torch.Generator().manual_seed(1)) * 2 - 1
    torch.manual_seed(5)
    came = [loop.step(x, y) for x, y in batches]

    torch.manual_seed(config.seed)
    g, d = UNetGenerator(base=4, depth=5), PatchDiscriminator(6, 4, 16)
    adams = [torch.optim.Adam(net.parameters(), config.learning_rate, (0.5, 0.999)) for net in (g, d)]
    torch.manual_seed(5)
    expected = []
    for x, y in batches:
        fake = g(x)
        real, made = d(torch.cat([x, y], 1)), d(torch.cat([x, fake.detach()], 1))
        loss_d = (F.softplus(-real).mean() + F.softplus(made).mean()) / 2
        adams[1].zero_grad()
        loss_d.backward()
        adams[1].step()
        loss_g = F.softplus(-d(torch.cat([x, fake], 1))).mean() + 100 * (fake - y).abs().mean()
        adams[0].zero_grad()
        loss_g.backward()
        adams[0].step()
        expected.append((loss_d.item(), loss_g.item()))
    torch.testing.assert_close(torch.tensor(came), torch.tensor(expected), rtol=1e-4, atol=1e-5)


def test_floating_point_operations_are_exact_for_known_layers():
    conv, up = nn.Conv2d(3, 8, 4, 2, 1), nn.ConvTranspose2d(3, 8, 4, 2, 1)
    x = torch.randn(2, 3, 8, 8)
    forward = 2 * 2 * (4 * 4) * (8 * 3 * 4 * 4)  # multiply-adds as two; batch; output pixels; weights
    assert machine.count_flop(lambda: conv(x)) == forward
    assert machine.count_flop(lambda: conv(x).sum().backward()) == 2 * forward  # the picture needs no gradient
    assert machine.count_flop(lambda: up(x)) == 2 * 2 * (8 * 8) * (8 * 3 * 4 * 4)


def test_matrix_products_are_tried_up_to_the_largest():
    assert list(machine.matrix_rates("f32", "cpu", 128)) == [128]
    assert list(machine.matrix_rates("bf16", "cpu", 64, repeats=1)) == [64]


def test_of_parts_within_parts_the_outermost_counts():
    watch = shares.Stopwatch("cpu")
    with watch.part("forward"), watch.part("optimizer"):
        time.sleep(0.01)
    assert watch.seconds["forward"] >= 0.01
    assert watch.seconds["optimizer"] == 0


# --- processes ---------------------------------------------------------------------------------


def running(session: int) -> list[int]:
    """Processes of a session that are not yet over."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:  # it has just ended
            continue
        if int(fields[3]) == session and fields[0] != "Z":
            found.append(int(stat.parent.name))
    return found


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_no_process_is_left_after_an_exception_in_the_middle_of_a_round(folder, config):
    with pytest.raises(KeyboardInterrupt), LoopProcess("plain", config, folder) as plain:  # noqa: PT012
        plain.ask("run", seconds=0.01)
        session = plain._process.pid
        assert len(running(session)) >= 2  # itself, and what decodes for it
        plain._ask("run", seconds=600)
        raise KeyboardInterrupt
    until = time.monotonic() + 10  # what was killed is gone a moment later
    while running(session) and time.monotonic() < until:
        time.sleep(0.05)
    assert running(session) == []


@pytest.mark.skipif(os.name != "posix", reason="kills with a signal")
def test_what_goes_wrong_in_a_process_is_said_here(folder, config, tmp_path):
    with LoopProcess("trainer", config, folder) as trainer:
        assert trainer.about["pairs"] == 4
        trainer._ask("open", loop="trainer", config=asdict(config), folder=str(tmp_path / "nowhere"), threads=1)
        with pytest.raises(UserError, match="there is no such folder"):
            trainer._answer()
        with pytest.raises(RuntimeError, match=r"this trainer broke:(?s:.*)TypeError"):
            trainer.ask("run", minutes=1)
        os.kill(trainer._process.pid, signal.SIGKILL)
        with pytest.raises(UserError, match="ended by itself"):
            trainer.ask("run", seconds=1)


# --- growth ------------------------------------------------------------------------------------


def point(value: int, seconds: float, batch: int = 1, held: bool = True) -> Point:
    return Point(value, [seconds, 1.5 * seconds, seconds], batch, value * 2**20, 0.5, held)


def test_the_rule_finds_where_cost_follows_pixels():
    side = [point(v, s) for v, s in ((64, 1.0), (128, 1.5), (256, 6.5), (512, 24.0))]
    assert proportional_from(side) == 128
    assert proportional_from(side[:2]) is None
    assert "from 128 px on" in rules({"side": side})[0]
    assert "not in proportion" in rules({"side": side[:2]})[0]


def test_the_rule_finds_the_batch_that_pays():
    batch = [point(v, s, v) for v, s in ((1, 1.0), (2, 1.1), (4, 2.0), (8, 3.8))]
    assert batch_that_pays(batch) == 4
    assert "up to 4 (2.00 times" in rules({"batch": batch})[0]
    assert "the largest measured" in rules({"batch": batch[:2]})[0]


def test_the_rule_compares_pairs_held_and_streamed():
    few, many = point(400, 1.0), point(137_000, 1.02, held=False)
    assert "no time in a step" in rules({"pairs": [few, many]})[0]
    assert "P2PLIB_MEMORY" in rules({"pairs": [few, point(137_000, 2.0, held=False)]})[0]
    assert rules({"pairs": [few, few], "patch": [point(1, 1.0)]}) == []


def test_links_are_as_many_pairs_as_asked_for(tmp_path):
    link_pairs(tmp_path, 50, drawn=4, size=32)
    pairs = FolderPairs(find_pairs(tmp_path)["all"], 32)
    assert len(pairs) == 50
    assert torch.equal(pairs.batch([0])[0], pairs.batch([48])[0])
    assert len({path.stat().st_ino for path in tmp_path.iterdir()}) <= 4


def test_growth_is_reported_with_a_figure(monkeypatch, p2p, tmp_path):
    def measured(config, folder, rounds, seconds, value):
        assert find_pairs(folder)["all"]
        if value == 286:
            raise UserError("no memory.")
        return point(value, config.batch * config.size**2 / 1e4, config.batch, held=value != 10_000)

    monkeypatch.setattr(growth, "measure", measured)
    short = {"side": (64, 128), "batch": (1, 2), "pairs": (40,), "patch": (1, 286)}
    grow = growth.grow
    monkeypatch.setattr(growth, "grow", lambda *given, **more: grow(*given, **more, series=short))
    code, out, err = p2p("bench", "grow", "--report", tmp_path / "cost.json")
    assert code == 0
    assert len(err.splitlines()) == 6  # a line for each value that was measured
    kept = json.loads((tmp_path / "cost.json").read_text(encoding="utf-8"))
    assert {name: [p["value"] for p in points] for name, points in kept["series"].items()} == {
        "side": [64, 128], "batch": [1, 2], "pairs": [40], "patch": [1],
    }  # fmt: skip
    assert kept["missing"] == ["Not measured: patch 286: no memory."]
    assert kept["series"]["batch"][1]["images_per_second"] == pytest.approx(2 / kept["series"]["batch"][1]["median"])
    assert kept["rules"][0].startswith("Side: cost is in proportion to pixels from 64 px on")
    assert (tmp_path / kept["figure"]).read_bytes().startswith(b"\x89PNG")
    text = (tmp_path / "cost.md").read_text(encoding="utf-8")
    assert "](cost.png)" in text
    assert kept["rules"][0] in text
    assert kept["rules"][0] in out


def test_every_value_of_the_series_has_settings_that_fit():
    for name, values in growth.SERIES.items():
        for value in values:
            config = growth.config_at(name, value, "f32")
            assert name not in growth.FIELDS or getattr(config, growth.FIELDS[name]) == value
    assert isinstance(Growth({}, {}), Growth)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--rounds", 0), "--rounds is 1 or more"),
        (("--seconds", -1), "--seconds above 0"),
        (("--report", "speed.txt"), "ends in .json"),
        (("grow", "--preset", "gpu"), "leave --preset out"),
        (("--precision", "f17"), "f17"),
    ],
)
def test_bad_input_is_one_sentence(p2p, given, said):
    code, out, err = p2p("bench", *given)
    assert (code, out) == (2, "")
    assert said in err
    assert len(err.splitlines()) == 1
