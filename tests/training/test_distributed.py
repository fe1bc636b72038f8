"""Two processes that train one network: the step of the whole batch, one writer, one end."""

from __future__ import annotations

import csv
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch

from p2plib.data.augment import Augment
from p2plib.data.catalogue import Source
from p2plib.data.pairs import MemoryPairs
from p2plib.data.synthetic import write_pairs
from p2plib.errors import UserError
from p2plib.training import Trainer, checkpoint, configure
from p2plib.training.distributed import World, join

#: Depth 5 in the PyTorch code's placement has no dropout: the same step then draws nothing.
SETTINGS = dict(size=32, load_size=32, base=4, batch=4, epochs=1, device="cpu", reference="pytorch", mirror=False)

ONE_STEP = """
import sys, torch
from p2plib.training.distributed import join
sys.path.insert(0, {tests!r})
from test_distributed import gradients_of_a_step
with join() as world:
    assert world.size == 2
    found = gradients_of_a_step(world, world.share(range(4)))
    torch.save(found, {out!r} + str(world.rank))
"""


def pairs() -> MemoryPairs:
    draw = torch.Generator().manual_seed(3)
    return MemoryPairs(*(torch.randint(0, 256, (4, 3, 32, 32), generator=draw, dtype=torch.uint8) for _ in range(2)))


def trainer(world: World | None = None) -> Trainer:
    source = Source("noise", "AtoB", pairs(), pairs(), "")
    return Trainer(configure("noise", "laptop", **SETTINGS), source=source, world=world)


def gradients_of_a_step(world: World | None, indices: list[int]) -> dict[str, torch.Tensor]:
    """D's and G's gradients in one step on these pairs."""
    made = trainer(world)
    made.train_batch(made.source.train.batch(indices), Augment(32, mirror=False))
    nets = {"g": made.generator, "d": made.discriminator}
    return {f"{kind}.{name}": p.grad.clone() for kind, net in nets.items() for name, p in net.named_parameters()}


def torchrun(*arguments: str, **options) -> subprocess.Popen:
    # Standalone: torchrun binds a free port itself; one that we had found could be taken before it comes to that.
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node=2", *arguments]
    root = str(Path(__file__).parents[2])
    environment = {"OMP_NUM_THREADS": "1", "GLOO_SOCKET_IFNAME": "lo", "PYTHONPATH": root}
    return subprocess.Popen(command, env=os.environ | environment, **options)


def test_two_processes_step_by_the_mean_of_the_halves_gradients(tmp_path):
    script = tmp_path / "one_step.py"
    script.write_text(ONE_STEP.format(tests=os.path.dirname(__file__), out=str(tmp_path / "gradients_")))
    process = torchrun(str(script), stderr=subprocess.PIPE, text=True)
    assert process.wait(120) == 0, process.stderr.read()
    first, second = (torch.load(tmp_path / f"gradients_{rank}", weights_only=True) for rank in (0, 1))
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name  # both processes make the same step

    # One process, by hand: D's gradient is the mean over the halves; it steps; then G's against that D.
    made = trainer()
    halves = [[0, 2], [1, 3]]  # who takes what of a batch of four
    for net, loss in ((made.discriminator, d_loss), (made.generator, g_loss)):
        optimizer = made.optimizer_d if net is made.discriminator else made.optimizer_g
        optimizer.zero_grad()
        for half in halves:
            (loss(made, half) / 2).backward()
        kind = "d" if net is made.discriminator else "g"
        for name, p in net.named_parameters():
            assert torch.allclose(first[f"{kind}.{name}"], p.grad, rtol=1e-4, atol=1e-6 * float(p.grad.abs().max())), (
                name
            )
        optimizer.step()


def scene(made: Trainer, half: list[int]):
    input, target = (p.float() / 127.5 - 1 for p in made.source.train.batch(half))
    return input, target, made.generator(input)


def d_loss(made: Trainer, half: list[int]) -> torch.Tensor:
    input, target, output = scene(made, half)
    return made.objective.discriminator_loss(made.discriminator, input, target, output)


def g_loss(made: Trainer, half: list[int]) -> torch.Tensor:
    input, target, output = scene(made, half)
    made.optimizer_d.zero_grad()
    return made.objective.generator_loss(made.discriminator, input, target, output)["total"]


@pytest.fixture
def command(tmp_path):
    write_pairs("facades", tmp_path / "facades", count=10, size=32)
    return [
        "-m",
        "p2plib",
        "train",
        str(tmp_path / "facades"),
        "--out",
        str(tmp_path / "run"),
        "--preset",
        "laptop",
        "--size",
        "32",
        "--base",
        "4",
        "--batch",
        "2",
        "--device",
        "cpu",
    ]


def test_one_process_writes_and_speaks_and_the_run_goes_on_alone(command, tmp_path, p2p):
    process = torchrun(*command, "--epochs", "2", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 0, err
    assert out.count("Done: held-out L1") == 1
    assert "2 processes" in out
    run = tmp_path / "run"
    state = checkpoint.load_state(run / "state.pt", "cpu")
    assert state["step"] == state["steps"] == 10
    with open(run / "metrics.csv", encoding="utf-8") as file:
        assert [int(row["step"]) for row in csv.DictReader(file)] == list(range(1, 11))
    code, out, err = p2p("train", tmp_path / "facades", "--out", run, "--resume", "--epochs", 3)
    assert code == 0, err
    assert checkpoint.load_state(run / "state.pt", "cpu")["step"] == 15


def test_sigterm_stops_both_and_keeps_the_run(command, tmp_path):
    process = torchrun(*command, "--epochs", "10000", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while not (tmp_path / "run/state.pt").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    out, err = process.communicate(timeout=60)
    assert "everything is saved" in out, err
    state = checkpoint.load_state(tmp_path / "run/state.pt", "cpu")
    assert state["step"] > 0
    assert f"after step {state['step']} of" in out


def test_a_batch_that_cannot_be_shared_out():
    with pytest.raises(UserError, match=r"batch of 1 .*2 processes.*--batch 2"):
        World(0, 2).check_batch(1)
    World(0, 2).check_batch(4)


def test_shares_are_even_and_complete():
    for size in (1, 2, 3):
        shares = [World(rank, size).share(range(10, 17)) for rank in range(size)]
        assert len({len(share) for share in shares}) == 1
        assert set(range(10, 17)) == {index for share in shares for index in share}
    assert [World(rank, 4).share([5]) for rank in range(4)] == [[5]] * 4


NAN_IN_ONE = """
import sys, torch
from p2plib.cli import main
from p2plib.training import Trainer
usual = Trainer.step
def step(trainer, input, target):
    losses = usual(trainer, input, target)
    return losses * float("nan") if trainer.world.rank == 1 and trainer.step_number == 3 else losses
Trainer.step = step
sys.exit(main(sys.argv[1:]))
"""


def test_a_loss_gone_nan_in_one_process_ends_both_and_is_told_by_the_one(command, tmp_path):
    script = tmp_path / "train.py"
    script.write_text(NAN_IN_ONE)
    process = torchrun(
        str(script), *command[2:], "--epochs", "10000", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    _, err = process.communicate(timeout=120)
    assert process.returncode != 0
    assert "p2plib: In another process a loss became NaN or infinite" in err
    assert "p2plib (process 1): Training broke at step 4" in err
    assert checkpoint.load_state(tmp_path / "run/state.pt", "cpu")["step"] <= 3


@pytest.mark.parametrize(("rank", "size"), [("1", None), ("1", "2")])
def test_one_process_too_many_or_alone_in_a_scheduler_says_why(p2p, tmp_path, monkeypatch, rank, size):
    monkeypatch.setenv("RANK", rank)
    monkeypatch.setenv("LOCAL_RANK", rank)
    if size:
        monkeypatch.setenv("WORLD_SIZE", size)
        monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    code, _, err = p2p("train", tmp_path / "nowhere", "--out", tmp_path / "run")
    assert code == 2
    assert ("1 GPUs and more processes" if size else "there is no such folder") in err


def test_what_all_processes_find_is_said_once(command, tmp_path):
    process = torchrun(*command[:3], str(tmp_path / "nowhere"), *command[4:], stderr=subprocess.PIPE, text=True)
    _, err = process.communicate(timeout=120)
    assert err.count("there is no such folder") == 1


def test_processes_on_the_cpu_of_a_machine_with_gpus_talk_as_cpus_do(monkeypatch):
    for key, value in {"RANK": "0", "WORLD_SIZE": "1", "LOCAL_RANK": "0", "MASTER_ADDR": "127.0.0.1"}.items():
        monkeypatch.setenv(key, value)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        monkeypatch.setenv("MASTER_PORT", str(free.getsockname()[1]))
    monkeypatch.setenv("GLOO_SOCKET_IFNAME", "lo")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    with join("cpu") as world:
        assert torch.distributed.get_backend() == "gloo"
        assert world.largest(3) == 3
