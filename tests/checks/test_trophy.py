"""my_pix2pix.py, once it is complete, trains by itself."""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import subprocess
import sys
import time

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from p2plib.checks import check, mine, table, trophy
from p2plib.checks.regions import ids
from p2plib.data.synthetic import write_pairs

mine_file = importlib.import_module("p2plib.checks.mine")
SOLUTIONS = table.ANSWERS.parents[2] / "solutions"

#: What a learner writes in the notebooks of chapters 04, 05 and 06.
LOSSES = """
import torch
import torch.nn.functional as F


def against(logits, answer):
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, answer))


def discriminator_loss(discriminator, input, target, output):
    real = discriminator(torch.cat([input, target], dim=1))
    made = discriminator(torch.cat([input, output.detach()], dim=1))
    return (against(real, 1.0) + against(made, 0.0)) / 2


def l1_loss(output, target):
    return (output - target).abs().mean()


def generator_loss(discriminator, input, target, output, lambda_l1=100.0):
    made = discriminator(torch.cat([input, output], dim=1))
    return against(made, 1.0) + lambda_l1 * l1_loss(output, target)
"""
PATCH = """
from torch import nn


class PatchDiscriminator(nn.Module):
    def __init__(self, in_channels=6, base=64):
        super().__init__()
        layers = [nn.Conv2d(in_channels, base, 4, 2, 1), nn.LeakyReLU(0.2)]
        for i, stride in enumerate((2, 2, 1)):
            wide = base * 2**i
            layers += [nn.Conv2d(wide, 2 * wide, 4, stride, 1, bias=False), nn.BatchNorm2d(2 * wide), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Conv2d(8 * base, 1, 4, 1, 1))

    def forward(self, x):
        return self.layers(x)
"""
TRAINING = """
import copy

import torch

from p2plib.checks import mine

discriminator_loss, generator_loss = mine("4.1"), mine("4.2")


def discriminator_step(generator, discriminator, optimizer, input, target):
    with torch.no_grad():
        output = generator(input)
    loss = discriminator_loss(discriminator, input, target, output)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def generator_step(generator, discriminator, optimizer, input, target, lambda_l1=100.0):
    loss = generator_loss(discriminator, input, target, generator(input), lambda_l1)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


def translate(generator, input):
    with torch.no_grad():
        return copy.deepcopy(generator).train()(input)


def learning_rate_at(step, steps, rate=2e-4):
    return rate * min(1, 2 * (steps - step) / steps)
"""


def notebook(*cells):
    """A session of its own: the names that its cells define."""
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    mine_file._passed.clear()
    mine_file._given.clear()
    for cell in cells:
        assert shell.run_cell(cell).success
    return shell.user_ns


def unet_cells():
    """The solved cells of chapter 02, up to the net."""
    cells = json.loads((SOLUTIONS / "02_unet.ipynb").read_text(encoding="utf-8"))["cells"]
    sources = {cell.get("id"): "".join(cell["source"]) for cell in cells}
    return ["import torch\nfrom torch import nn", *(sources[f"ex-2-{i}"] for i in (2, 3, 5))]


def solve_all(capsys):
    """Every exercise that is needed, in four sessions; returns what the last check said."""
    names = notebook(*unet_cells())
    check("2.2", names["DownBlock"])
    check("2.3", names["UpBlock"])
    check("2.5", names["UNetGenerator"])
    names = notebook(LOSSES)
    check("4.1", names["discriminator_loss"])
    check("4.2", names["generator_loss"])
    check("5.3", notebook(PATCH)["PatchDiscriminator"])
    names = notebook(TRAINING)
    for id, name in (("6.1", "discriminator_step"), ("6.2", "generator_step"), ("6.3", "translate")):
        check(id, names[name])
    before = capsys.readouterr().out
    assert "✔" in before
    assert not re.search("[✘⚠⏱○?] ", before), before
    assert "trains by itself" not in before
    check("6.4", names["learning_rate_at"])
    return capsys.readouterr().out


@pytest.fixture
def complete(learner, capsys):
    """The path of a complete my_pix2pix.py."""
    said = solve_all(capsys)
    assert "my_work/my_pix2pix.py is complete: it now trains by itself" in said
    return learner / "my_pix2pix.py"


def run(path, *arguments):
    environment = {**os.environ, "PYTHONPATH": str(SOLUTIONS.parent)}
    return subprocess.run(
        [sys.executable, path, *map(str, arguments)], capture_output=True, text=True, timeout=200, env=environment
    )


def test_it_is_short_and_stands_on_its_own(complete, capsys):
    text = complete.read_text(encoding="utf-8")
    assert trophy.NEEDED | {"main", "imports", "2.2", "2.3"} == ids(text)
    assert 150 <= len(text.splitlines()) <= 270
    ours = set(re.findall(r"(?:from|import) (p2plib\S*)", text))
    assert ours == {"p2plib.data.augment", "p2plib.data.catalogue"}
    for name in ("discriminator_loss", "generator_loss", "against", "l1_loss", "UpBlock"):
        assert len(re.findall(rf"^(?:def|class) {name}\b", text, re.MULTILINE)) == (2 if name == "against" else 1)
    notebook()
    capsys.readouterr()
    for id in sorted(trophy.NEEDED):
        mine(id)
    assert "library" not in capsys.readouterr().out


def test_it_trains_and_writes_weights_and_a_sheet(complete, tmp_path):
    done = run(complete, "--steps", 3)
    assert done.returncode == 0, done.stderr
    weights = load_file(complete.with_suffix(".safetensors"))
    assert all(torch.isfinite(value).all() for value in weights.values())
    assert sum(value.numel() for value in weights.values() if value.dim() == 4) > 1e6
    assert Image.open(complete.with_suffix(".png")).size == (3 * 192 + 4, 6 * 194 + 2)
    write_pairs("facades", tmp_path / "pairs", count=10, size=70)
    done = run(complete, tmp_path / "pairs", "--direction", "BtoA", "--steps", 2)
    assert done.returncode == 0, done.stderr
    done = run(complete, tmp_path / "nowhere")
    assert done.returncode == 2
    assert "nowhere" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="a signal as Ctrl-C sends it")
def test_ctrl_c_keeps_what_there_is(complete):
    environment = {**os.environ, "PYTHONPATH": str(SOLUTIONS.parent)}
    log = complete.with_suffix(".log")
    with open(log, "w") as file:
        going = subprocess.Popen(
            [sys.executable, complete, "--steps", "100000"], stdout=file, stderr=subprocess.STDOUT, env=environment
        )
        try:
            until = time.monotonic() + 120
            while "D=" not in log.read_text() and time.monotonic() < until:
                time.sleep(0.1)
            going.send_signal(signal.SIGINT)
            assert going.wait(60) == 0, log.read_text()
        finally:
            going.kill()
    assert "What there is by now is kept" in log.read_text()
    assert complete.with_suffix(".safetensors").exists()
    assert complete.with_suffix(".png").exists()


def test_what_is_written_by_hand_stays_and_an_older_main_is_replaced(complete, capsys):
    text = complete.read_text(encoding="utf-8")
    begin = text.index("# --- main version 1")
    old = text[:begin].replace("# --- 6.1", "MINE = 1\n# --- 6.1", 1) + (
        "# --- main version 0, begin ---\ndef main():\n    print('old')\n# --- main, end ---\n# my last line\n"
    )
    complete.write_text(old, encoding="utf-8")
    capsys.readouterr()
    check("6.4", notebook(TRAINING)["learning_rate_at"])
    assert "trains by itself" not in capsys.readouterr().out
    new = complete.read_text(encoding="utf-8")
    assert new == old[: old.index("# --- main version 0")] + text[begin:] + "# my last line\n"
    mended = new.replace("default=2000", "default=4000")
    complete.write_text(mended, encoding="utf-8")
    check("6.4", notebook(TRAINING)["learning_rate_at"])
    assert complete.read_text(encoding="utf-8") == mended


def test_a_stand_in_of_the_library_goes_when_the_own_part_comes(learner):
    names = notebook(TRAINING)
    check("6.1", names["discriminator_step"])
    path = learner / "my_pix2pix.py"
    assert "from p2plib.checks.d_loss import discriminator_loss\n" in path.read_text()
    check("4.1", notebook(LOSSES)["discriminator_loss"])
    text = path.read_text()
    assert "p2plib" not in text
    assert text.index("def discriminator_loss") < text.index("def discriminator_step")
    again = notebook(TRAINING)
    check("6.1", again["discriminator_step"])
    assert path.read_text().count("def discriminator_loss") == 1
