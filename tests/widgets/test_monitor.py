"""A monitored training: paused, stopped, gone on with from other threads; the same numbers as an unwatched one."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

from p2plib.data.catalogue import Source
from p2plib.data.pairs import MemoryPairs
from p2plib.data.synthetic import draw_facades
from p2plib.errors import UserError
from p2plib.training import Trainer, configure, resuming
from p2plib.widgets import Monitor, monitor

pytestmark = pytest.mark.timeout(120)


@pytest.fixture(scope="module")
def source():
    inputs, targets = (torch.from_numpy(both) for both in draw_facades(range(20), size=32))
    return Source("small", "BtoA", MemoryPairs(inputs[:16], targets[:16]), MemoryPairs(inputs[16:], targets[16:]), "")


@pytest.fixture
def shell():
    InteractiveShell.instance()
    yield
    InteractiveShell.clear_instance()


def trainer(source, images=64, objective="L1+cGAN", run=None):
    config = configure("x", "laptop", size=32, base=2, images=images, objective=objective, device="cpu")
    return Trainer(config, run, source=source)


class Slow(Trainer):
    """A hundredth of a second a step at the least, so that there is time to click."""

    def step(self, input, target):
        time.sleep(0.01)
        return super().step(input, target)


def slow(source, run=None):
    config = configure("x", "laptop", size=32, base=2, images=8 * 20_000, objective="L1", device="cpu")
    return Slow(config, run, source=source)


def until(true, seconds=30):
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def state(trained):
    kept = resuming.snapshot(trained).state
    rows = [{name: value for name, value in row.items() if "second" not in name} for row in kept["rows"]]
    nets = {name: net for name, net in kept.items() if name in ("generator", "discriminator")}
    return nets, rows, kept["random"]


@pytest.mark.parametrize("how", ["fit", "start"])
@pytest.mark.parametrize("objective", ["L1", "L1+cGAN"])
def test_the_numbers_are_those_of_an_unwatched_run(source, how, objective, monkeypatch):
    monkeypatch.setattr(monitor, "BAR_EVERY", 0.0)
    alone, watched = (trainer(source, 32, objective) for _ in range(2))
    torch.manual_seed(3)
    alone.fit(progress=False)
    torch.manual_seed(3)
    shown = Monitor(watched, every=0.0)
    shown.live.took = lambda seconds: None  # draws after every step
    shown.fit() if how == "fit" else shown.start().wait()
    (nets, rows, random), (same_nets, same_rows, same_random) = state(alone), state(watched)
    assert rows == same_rows
    assert torch.equal(random, same_random)
    for name, net in nets.items():
        assert all(torch.equal(value, same_nets[name][key]) for key, value in net.items())


def test_a_pause_holds_still_and_goes_on_and_a_stop_ends(source, tmp_path):
    watched = slow(source, tmp_path / "run")
    shown = Monitor(watched).start()
    until(lambda: watched.step_number > 3)
    shown.pause.click()
    assert "Paused" in shown.said.value
    assert shown.pause.description == "Go on"
    time.sleep(0.3)  # the step that was under way
    held, cpu = watched.step_number, time.process_time()
    time.sleep(1.0)
    assert watched.step_number == held
    assert time.process_time() - cpu < 0.3
    shown.pause.click()
    until(lambda: watched.step_number > held + 3)
    shown.stop.click()
    shown.wait()
    assert not watched.finished
    assert watched.stopped_by == "a button"
    assert "Stopped by a button" in shown.said.value
    assert shown.pause.disabled
    assert shown.stop.disabled
    assert (tmp_path / "run" / "state.pt").exists()
    assert watched.clock.seconds < 0.9 + 0.2 * watched.step_number  # the pause does not count


def test_a_stop_ends_a_pause_too_and_a_further_fit_goes_on(source):
    whole = trainer(source).fit(progress=False)
    watched = trainer(source)
    shown = Monitor(watched)
    shown._watch = lambda trained: (shown.pause.click(), shown.stop.click()) if trained.step_number == 3 else None
    shown.fit()
    assert watched.step_number == 3
    assert not watched.finished
    Monitor(watched).fit()
    assert watched.finished
    assert watched.step_number == whole.step_number


@pytest.mark.parametrize("paused", [False, True])
def test_ctrl_c_stops_and_saves(source, tmp_path, paused, capsys):
    watched = slow(source, tmp_path / "run")
    shown = Monitor(watched)

    def interrupt():
        until(lambda: watched.step_number > 3)
        if paused:
            shown.pause.click()
            time.sleep(0.2)
        os.kill(os.getpid(), signal.SIGINT)

    other = threading.Thread(target=interrupt)
    other.start()
    shown.fit()
    other.join()
    assert watched.stopped_by == "Ctrl-C"
    assert f"Stopped by Ctrl-C after step {watched.step_number}" in shown.said.value
    assert (tmp_path / "run" / "state.pt").exists()
    assert capsys.readouterr().out == ""  # said once, in the widget


def test_an_interrupted_wait_stops(source):
    shown = Monitor(slow(source)).start()
    threading.Timer(0.3, os.kill, (os.getpid(), signal.SIGINT)).start()
    shown.wait()
    assert shown.trainer.stopped_by == "Ctrl-C"


def test_awaited_it_leaves_the_loop_free_and_hears_of_an_interrupt(source):
    shown, done = Monitor(slow(source)), trainer(source)

    async def cell():
        waiting = asyncio.ensure_future(shown.start()._until_done())
        await asyncio.sleep(0.3)
        assert shown.running
        waiting.cancel()  # as a notebook's kernel does on an interrupt
        await waiting
        await Monitor(done).start()

    with ThreadPoolExecutor(1) as another:  # the browser's tests leave a loop running in this thread
        another.submit(asyncio.run, cell()).result()
    assert shown.trainer.stopped_by == "Ctrl-C"
    assert done.finished


@pytest.mark.parametrize("how", ["fit", "start"])
def test_an_error_in_drawing_is_raised_after_the_state_is_saved(source, tmp_path, how):
    watched = trainer(source, run=tmp_path / "run")
    shown = Monitor(watched, every=0.0)
    draw = shown.live.draw

    def broken(trained):
        if trained.step_number >= 2:
            raise ZeroDivisionError("no ink")
        return draw(trained)

    shown.live.draw = broken
    shown.live.took = lambda seconds: None
    with pytest.raises(ZeroDivisionError, match="no ink"):
        shown.fit() if how == "fit" else shown.start().wait()
    assert not shown.running
    assert "no ink" in shown.said.value
    again = Trainer(watched.config, tmp_path / "run", resume=True, source=source)
    assert again.step_number == watched.step_number == 2


def test_an_error_in_training_is_raised(source, monkeypatch):
    watched = trainer(source)
    monkeypatch.setattr(watched, "step", lambda input, target: torch.full((3,), torch.nan))
    shown = Monitor(watched)
    with pytest.raises(UserError, match="Training broke at step 1"):
        shown.start().wait()
    assert "Broke off" in shown.said.value


def test_what_it_is_not_made_for(source):
    with pytest.raises(UserError, match="Monitor takes a Trainer"):
        Monitor("trainer")
    shown = Monitor(slow(source)).start()
    with pytest.raises(UserError, match="running already"):
        shown.fit()
    shown.stop.click()
    shown.wait()
    for late in (shown.pause, shown.stop):  # clicks that had to wait for the end of the cell
        late.click()
    assert not shown._stop.paused


def test_the_panel_of_d_is_there_where_a_d_is(source):
    for objective, panels in (("L1", 1), ("L1+cGAN", 3)):
        made = trainer(source, objective=objective)
        figure = Monitor(made).live.draw(made)
        titles = [axis.get_title(loc="left") for axis in figure.subfigs[0].axes]
        assert len(titles) == panels
        assert ("D's accuracy" in titles) == (panels == 3)


def test_the_notebook_keeps_one_output_with_the_last_figure_and_no_state(source, shell):
    with capture_output() as captured:
        shown = Monitor(trainer(source))
        shown.fit(turns=1)
        shown.fit()
    first, last, *more = captured.outputs
    assert [output.update for output in (first, last, *more)] == [False, True, False, True]
    assert last.data["image/png"]
    assert len(more[-1].data["image/png"]) < 200_000
    assert more[-1].metadata["image/png"]["alt"] == more[-1].data["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" in last.data
    assert "Finished. Step 8 of 8: D&#x27;s loss" in shown.said.value
    assert shown.speed.value.count("64 of 64 pictures") == 1
    assert captured.stdout == captured.stderr == ""


def test_what_it_says_of_the_buttons(monkeypatch):
    class Kernel:
        kernel_info = {}

    class Shell:
        kernel = Kernel()

    assert monitor._note("fit") == ""
    monkeypatch.setattr("IPython.get_ipython", Shell)
    assert "After Monitor(trainer).start() in a cell of its own" in monitor._note("await")
    Kernel.kernel_info = {"supported_features": ["kernel subshells"]}
    assert "With await Monitor(trainer).start()" in monitor._note("fit")
    assert monitor._note("await") == ""


def test_time_left_reads_as_a_clock():
    assert [monitor._clock(seconds) for seconds in (5, 65.4, 3 * 3600 + 61)] == ["0:05", "1:05", "3:01:01"]
