"""What can befall a training: kills, a full disk, another training, bad pictures, numbers that are none, sleep."""

from __future__ import annotations

import contextlib
import errno
import multiprocessing
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import torch
from PIL import Image

from p2plib import files
from p2plib.errors import UserError
from p2plib.training import Trainer, checkpoint, clock, configure, keeper
from p2plib.training import trainer as trainer_module
from p2plib.training.endurance import endure
from p2plib.training.lock import RunLock
from p2plib.training.stopping import StopRequest

TINY = dict(preset="laptop", size=32, base=4, batch=2, epochs=3, device="cpu")


@pytest.fixture
def broken_disk(monkeypatch):
    """broken_disk(folder, error number): writing below that folder fails until .mended is set."""

    class Disk:
        mended = False

        def __call__(self, below, number=errno.ENOSPC):
            def replace(part, path):
                if str(path).startswith(str(below)) and not self.mended:
                    raise OSError(number, os.strerror(number))
                os.rename(part, path)

            monkeypatch.setattr(files.os, "replace", replace)

    return Disk()


def test_five_kills_lose_nothing():
    endured = endure(kills=5, seed=1, progress=False)
    assert endured.kills == 5
    assert endured.in_writes >= 1
    assert not endured.unreadable
    assert not endured.different
    assert "every final weight equal" in str(endured)


def test_a_disk_that_fills_up_on_the_way_stops_nothing(folder, tmp_path, broken_disk, monkeypatch, capsys):
    monkeypatch.setattr(keeper, "SAVE_SECONDS", 0.0)
    run = tmp_path / "run"

    def fill_up_and_make_room(trainer):
        if trainer.step_number == 3:
            trainer._keeper.wait()
            broken_disk(run)
        broken_disk.mended = trainer.step_number >= 9

    made = Trainer(configure(folder, **TINY), run).fit(on_step=fill_up_and_make_room, progress=False)
    assert made.finished
    told = capsys.readouterr().err
    assert told.count("Training goes on") == 1
    assert "no space left on device" in told
    whole = Trainer(configure(folder, **TINY), tmp_path / "whole").fit(progress=False)
    for a, b in zip(made.generator.parameters(), whole.generator.parameters(), strict=True):
        assert torch.equal(a, b)
    assert checkpoint.load_state(run / "state.pt", "cpu")["step"] == made.steps


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.ENOTCONN])
def test_a_disk_that_stays_lost_sends_the_run_elsewhere(folder, tmp_path, broken_disk, monkeypatch, number):
    run, here = tmp_path / "run", tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    made = Trainer(configure(folder, **TINY), run)
    with pytest.raises(UserError, match=r"was saved in .*here/run-rescued instead") as told:
        made.fit(on_step=lambda trainer: trainer.step_number == 3 and broken_disk(run, number), progress=False)
    assert os.strerror(number).lower() in str(told.value)
    rescued = Trainer(configure(folder, **TINY), here / "run-rescued", resume=True)
    assert rescued.finished
    assert checkpoint.load_state(run / "state.pt", "cpu")["step"] == 0  # what was there is whole


def test_a_full_disk_is_found_before_the_work(folder, tmp_path, broken_disk):
    made = Trainer(configure(folder, **TINY), tmp_path / "run")
    broken_disk(tmp_path / "run/state.pt")
    with pytest.raises(UserError, match="no space left"):
        made.fit(progress=False)
    assert made.step_number == 0


def test_a_disk_too_small_for_the_later_states_is_found_before_the_work(folder, tmp_path, monkeypatch):
    made = Trainer(configure(folder, **TINY), tmp_path / "run")
    weights = sum(p.numel() for net in made.networks for p in net.parameters()) * 4
    disk = shutil.disk_usage(tmp_path)
    monkeypatch.setattr(files.shutil, "disk_usage", lambda folder: disk._replace(free=5 * weights))
    with pytest.raises(UserError, match=r"run has room for \d+ MB, and a run of these networks needs \d+ MB there"):
        made.fit(progress=False)
    assert made.step_number == 0
    assert not (tmp_path / "run/state.pt").exists()
    monkeypatch.setattr(files.shutil, "disk_usage", lambda folder: disk._replace(total=0, free=0))  # it does not tell
    assert made.fit(progress=False).finished


def test_a_finished_run_takes_no_more_room_than_was_asked_for(folder, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(keeper, "require_room", lambda folder, size, what: asked.append(size))
    settings = TINY | dict(base=16, epochs=1)
    run = Trainer(configure(folder, **settings), tmp_path / "run").fit(progress=False).run
    written = {path.name: path.stat().st_size for path in run.iterdir() if path.is_file()}
    peak = sum(written.values()) + written["state.pt"]  # the next state beside the last
    assert 0.8 * asked[0] < peak < 1.1 * asked[0]


def test_a_second_training_in_the_same_folder_is_refused(folder, tmp_path, p2p):
    options = (folder, "--out", tmp_path / "run", "--preset", "laptop", "--size", 32, "--base", 4, "--device", "cpu")
    refused = []

    def try_another(trainer):
        if trainer.step_number == 2:
            refused.append(p2p("train", *options, "--resume"))

    Trainer(configure(folder, **TINY), tmp_path / "run").fit(on_step=try_another, progress=False)
    ((code, _, error),) = refused
    assert code == 2
    assert "is being trained by another process" in error
    assert f"number {os.getpid()}" in error
    assert not (tmp_path / "run/.lock").exists()


def test_a_killed_training_holds_no_lock(tmp_path):
    def hold(there):
        held = RunLock(tmp_path)
        held.__enter__()
        there.set()
        time.sleep(60)

    context = multiprocessing.get_context("fork")
    there = context.Event()
    process = context.Process(target=hold, args=(there,), daemon=True)
    process.start()
    assert there.wait(10)
    with pytest.raises(UserError, match=f"number {process.pid} on"), RunLock(tmp_path):
        pass
    process.kill()
    process.join()
    with RunLock(tmp_path):
        pass


def test_a_trainer_that_was_overtaken_does_not_undo_the_other_ones_work(folder, tmp_path):
    config = configure(folder, **TINY)
    first = Trainer(config, tmp_path / "run")
    first.fit(turns=1, progress=False)
    Trainer(config, tmp_path / "run", resume=True).fit(progress=False)
    with pytest.raises(UserError, match=r"stands at step 15 and this Trainer at 5.*resume=True"):
        first.fit(progress=False)


def test_a_picture_that_becomes_unreadable_keeps_the_run(folder, tmp_path, monkeypatch):
    monkeypatch.setenv("P2PLIB_MEMORY", "0")  # streamed
    data = tmp_path / "pairs"
    data.mkdir()
    for path in folder.glob("*.png"):
        (data / path.name).write_bytes(path.read_bytes())
    victim = sorted(data.glob("*.png"))[2]

    def spoil(trainer):
        if trainer.step_number == 6:
            victim.write_bytes(b"no picture")

    made = Trainer(configure(data, **TINY), tmp_path / "run")
    with pytest.raises(UserError, match=rf"{victim.name} is not a JPEG.*saved in .*Go on with: python -m p2plib"):
        made.fit(on_step=spoil, progress=False)
    assert checkpoint.load_state(tmp_path / "run/state.pt", "cpu")["step"] == made.step_number > 5
    victim.write_bytes((folder / victim.name).read_bytes())  # mended
    again = Trainer(configure(data, **TINY), tmp_path / "run", resume=True).fit(progress=False)
    whole = Trainer(configure(data, **TINY), tmp_path / "whole").fit(progress=False)
    for a, b in zip(again.generator.parameters(), whole.generator.parameters(), strict=True):
        assert torch.equal(a, b)


def test_other_pairs_are_refused_by_name(folder, tmp_path):
    data = tmp_path / "pairs"
    data.mkdir()
    for path in folder.glob("*.png"):
        (data / path.name).write_bytes(path.read_bytes())
    config = configure(data, **TINY)
    Trainer(config, tmp_path / "run").fit(turns=1, progress=False)
    names = sorted(path.name for path in data.iterdir())
    (data / names[3]).rename(data / "another.png")  # as many as before
    with pytest.raises(
        UserError, match=rf"not hold the pairs .*was begun with \({Path(names[3]).stem} was (trained on|held out)"
    ):
        Trainer(config, tmp_path / "run", resume=True)
    (data / "another.png").rename(data / names[3])
    data.rename(tmp_path / "moved")  # a folder may move
    moved = configure(tmp_path / "moved", **TINY)
    assert Trainer(moved, tmp_path / "run", resume=True).fit(progress=False).finished


def test_a_nan_is_gone_on_from_with_a_lower_rate(folder, tmp_path, p2p):
    made = Trainer(configure(folder, **TINY, schedule="constant"), tmp_path / "run")

    def break_it(trainer):
        if trainer.step_number == 7:
            with torch.no_grad():
                trainer.generator.up[-1].conv.bias.fill_(float("nan"))

    with pytest.raises(UserError, match=r"step 8 .*became nan.*go on from there.*--learning-rate 0.0005"):
        made.fit(on_step=break_it, progress=False)
    code, _, error = p2p("train", folder, "--out", tmp_path / "run", "--resume", "--learning-rate", 0.0005)
    assert code == 0, error
    config = checkpoint.read_config(tmp_path / "run")
    assert config.learning_rate == 0.0005
    state = checkpoint.load_state(tmp_path / "run/state.pt", "cpu")
    assert state["step"] == state["steps"]
    assert state["optimizer_g"]["param_groups"][0]["lr"] == 0.0005


def test_memory_that_is_not_enough_is_put_into_words(folder, monkeypatch):
    made = Trainer(configure(folder, **TINY))

    def too_large(*_):
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] . DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(made, "step", too_large)
    with pytest.raises(UserError, match=r"memory of cpu.*batch of 2 at 32 px.*smaller --batch"):
        made.fit(progress=False)

    def unlike(*_):
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    monkeypatch.setattr(made, "step", unlike)
    with pytest.raises(RuntimeError, match="illegal memory access"):
        made.fit(progress=False)
    monkeypatch.setattr(made, "step", lambda *_: torch.zeros(2) + torch.zeros(3))
    with pytest.raises(RuntimeError, match="must match"):
        made.fit(progress=False)


@pytest.mark.parametrize(("number", "code", "name"), [(signal.SIGTERM, 143, "SIGTERM"), (signal.SIGINT, 130, "Ctrl-C")])
def test_signals_keep_the_run_and_say_how_to_go_on(folder, tmp_path, number, code, name):
    command = [sys.executable, "-m", "p2plib", "train", str(folder), "--out", str(tmp_path / "run")]
    command += ["--preset", "laptop", "--size", "32", "--base", "4", "--images", "1000000", "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    deadline = time.monotonic() + 90
    while not (tmp_path / "run/state.pt").exists() and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    process.send_signal(number)
    out, error = process.communicate(timeout=60)
    assert process.returncode == code, error
    assert f"Stopped by {name} after step" in out
    assert "Go on with: python -m p2plib train" in out
    step = checkpoint.load_state(tmp_path / "run/state.pt", "cpu")["step"]
    assert f"after step {step} of" in out


def test_a_second_sigterm_is_patient_and_a_second_ctrl_c_is_not():
    with StopRequest() as stop:
        os.kill(os.getpid(), signal.SIGTERM)
        os.kill(os.getpid(), signal.SIGTERM)
        assert stop.requested == "SIGTERM"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    with StopRequest(patient=True) as stop:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.requested == "Ctrl-C"


def test_ctrl_c_twice_says_what_is_whole(folder, tmp_path, monkeypatch, p2p):
    run, before = tmp_path / "run", Trainer.train_batch

    def interrupted(trainer, pair, augment):
        if trainer.step_number == 5:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return before(trainer, pair, augment)

    monkeypatch.setattr(Trainer, "train_batch", interrupted)
    options = ("--out", run, "--preset", "laptop", "--size", 32, "--base", 4, "--batch", 2, "--device", "cpu")
    code, out, _ = p2p("train", folder, *options, "--epochs", 3)
    assert code == 130
    assert "Stopped at once after step 5 of" in out
    assert f"Go on with: python -m p2plib train {folder} --out {run} --resume" in out
    monkeypatch.setattr(Trainer, "train_batch", before)
    code, out, _ = p2p("train", folder, "--out", run, "--resume")
    assert code == 0
    assert "Done: held-out L1" in out


class Time:
    """Both clocks of a machine, turned by hand."""

    def __init__(self, monkeypatch):
        self.counted, self.wall = 1000.0, 5000.0
        monkeypatch.setattr(clock.time, "monotonic", lambda: self.counted)
        monkeypatch.setattr(clock.time, "time", lambda: self.wall)

    def pass_by(self, seconds, counted=True):
        self.wall += seconds
        self.counted += seconds if counted else 0.0


@pytest.mark.parametrize("counted", [True, False])  # some systems' clocks run on in sleep
def test_hours_of_sleep_are_told_and_not_counted(monkeypatch, counted):
    hands = Time(monkeypatch)
    made = clock.Clock()
    for _ in range(5):
        made.mark()
        hands.pass_by(0.5)
        assert made.step() == 0
    made.mark()
    hands.pass_by(3600, counted)
    hands.pass_by(0.5)
    assert made.step() == 3600.5
    made.tick()
    assert made.seconds == 2.5  # the step that slept is left out


def test_a_slow_step_is_no_sleep(monkeypatch):
    hands = Time(monkeypatch)
    made = clock.Clock()
    for seconds in (30, 70, 300):  # a machine this slow sleeps in no step
        made.mark()
        hands.pass_by(seconds)
        assert made.step() == 0
    made.leave_out(100)
    made.tick()
    assert made.seconds == 300


def test_a_run_is_taken_up_or_begun_as_it_stands(folder, tmp_path):
    config = configure(folder, **TINY)
    first = Trainer(config, tmp_path / "run", resume="auto")
    assert (first.step_number, first.session) == (0, 1)
    stop = StopRequest()
    first.fit(on_step=lambda trainer: trainer.step_number == 4 and stop.ask(), stop=stop, progress=False)
    second = Trainer(config, tmp_path / "run", resume="auto").fit(progress=False)
    assert second.finished
    assert [row["session"] for row in second.rows] == [1] * 4 + [2] * 11


def test_going_on_with_the_same_trainer_is_a_session_too(folder):
    made, stop = Trainer(configure(folder, **TINY)), StopRequest()
    made.fit(on_step=lambda trainer: trainer.step_number == 4 and stop.ask(), stop=stop, progress=False)
    made.fit(progress=False)
    assert made.rows[-1]["session"] == 2


def test_a_write_beside_the_run_that_fails_somehow_stops_nothing(folder, tmp_path, monkeypatch, capsys):
    def out_of_memory(*_):
        raise MemoryError("no room for the sheet")

    monkeypatch.setattr(trainer_module, "write_sheet", out_of_memory)
    assert Trainer(configure(folder, **TINY), tmp_path / "run").fit(progress=False).finished
    said = capsys.readouterr().err
    assert "A save failed (MemoryError: no room for the sheet). Training goes on without it." in said
    assert "tried again" not in said
    assert checkpoint.load_state(tmp_path / "run/state.pt", "cpu")["step"] == 15


def test_a_picture_sheet_that_cannot_be_written_stops_nothing(folder, tmp_path, broken_disk, capsys):
    broken_disk(tmp_path / "run/samples")
    assert Trainer(configure(folder, **TINY), tmp_path / "run").fit(progress=False).finished
    said = capsys.readouterr().err
    assert "epoch_0001.png could not be written" in said
    assert said.count("Training goes on without it") == 1  # of three sheets
    assert not list((tmp_path / "run/samples").glob("*.png"))
    with contextlib.suppress(OSError):
        Image.open(tmp_path / "run/samples/epoch_0001.png")
