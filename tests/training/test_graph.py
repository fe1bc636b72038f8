"""A recorded step: replayed only where it gives what the usual one gives."""

from __future__ import annotations

import pytest
import torch

from p2plib.losses import Objective
from p2plib.training import Trainer, configure
from p2plib.training.graph import WARM_UP, RecordedStep
from p2plib.training.stopping import StopRequest

SETTINGS = dict(preset="laptop", size=32, base=4, batch=2, images=40, limit=10)


def trainer(device: str = "cpu", **settings) -> Trainer:
    return Trainer(configure("synthetic-maps", device=device, **(SETTINGS | settings)))


def weights(made: Trainer) -> list[torch.Tensor]:
    return [p.detach().clone() for p in made.generator.parameters()]


class Recorder:
    """Records by remembering the function; `spoil` changes what a replay gives."""

    def __init__(self, spoil: float = 1.0, error: str = "") -> None:
        self.spoil, self.error, self.replays = spoil, error, 0

    def __call__(self, step):
        if self.error:
            raise RuntimeError(self.error)
        losses = torch.empty(3)

        def replay():
            self.replays += 1
            losses.copy_(step() * self.spoil)

        return replay, losses


@pytest.mark.parametrize(
    ("recorder", "failed"),
    [
        (Recorder(), ""),
        (Recorder(spoil=1.5), "the recorded step gives losses"),
        (Recorder(error="operation not permitted when stream is capturing\nmore"), "operation not permitted"),
    ],
)
def test_replayed_or_not_the_training_is_the_same(recorder, failed):
    usual = trainer().fit(progress=False)
    made = trainer()
    recorded = RecordedStep(made.step, made._changed, recorder)
    made._recorded = recorded
    made.fit(progress=False)
    assert recorded.failed.startswith(failed)
    assert bool(recorded.failed) == bool(failed)
    assert recorder.replays == (0 if recorder.error else 1 if failed else made.steps - WARM_UP)
    for a, b in zip(weights(usual), weights(made), strict=True):
        assert torch.equal(a, b)
    assert [row["loss_d"] for row in usual.rows] == [row["loss_d"] for row in made.rows]


def test_a_short_last_batch_is_made_as_usual():
    usual = trainer(batch=4).fit(progress=False)  # ten pairs: 4, 4, 2
    made, recorder = trainer(batch=4), Recorder()
    made._recorded = RecordedStep(made.step, made._changed, recorder)
    made.fit(progress=False)
    assert 0 < recorder.replays < made.steps - WARM_UP
    for a, b in zip(weights(usual), weights(made), strict=True):
        assert torch.equal(a, b)


def test_recording_that_breaks_off_in_the_middle_of_a_step_changes_nothing(monkeypatch):
    usual = trainer().fit(progress=False)
    made, loss = trainer(), Objective.generator_loss

    def breaks_off(step):
        def not_now(*arguments):
            raise RuntimeError("operation not permitted when stream is capturing")

        monkeypatch.setattr(Objective, "generator_loss", not_now)
        try:
            step()
        finally:
            monkeypatch.setattr(Objective, "generator_loss", loss)

    made._recorded = RecordedStep(made.step, made._changed, breaks_off)
    made.fit(progress=False)
    assert made._recorded.failed == "operation not permitted when stream is capturing"
    assert all(p.requires_grad for p in made.discriminator.parameters())
    for a, b in zip(weights(usual), weights(made), strict=True):
        assert torch.equal(a, b)


def test_the_cause_is_told_and_told_once(capsys):
    def breaks_off(step):
        try:
            raise RuntimeError("the cause")
        except RuntimeError:
            raise RuntimeError("operation failed due to a previous error during capture")  # noqa: B904

    made = trainer()
    made._recorded = RecordedStep(made.step, made._changed, breaks_off)
    made.fit(progress=False)
    said = capsys.readouterr()
    assert (said.out + said.err).count("could not be recorded on this GPU (the cause)") == 1


def test_recording_that_breaks_off_while_losses_are_scaled_goes_on(monkeypatch):
    def breaks_off(step):
        loss = Objective.generator_loss
        monkeypatch.setattr(Objective, "generator_loss", lambda *_: 1 / 0)
        try:
            step()
        finally:
            monkeypatch.setattr(Objective, "generator_loss", loss)

    ends = []
    for recorder in (Recorder(error="not now"), breaks_off):
        made = trainer()
        made.scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
        made._recorded = RecordedStep(made.step, made._changed, recorder, forget=made._forget_half_step)
        ends.append(weights(made.fit(progress=False)))
        assert made._recorded.failed in ("not now", "division by zero")
        assert made.scaler.get_scale() == 8.0
    assert all(torch.equal(a, b) for a, b in zip(*ends, strict=True))


def test_a_failure_without_words_is_told_by_its_name():
    def breaks_off(step):
        raise NotImplementedError

    made = trainer()
    made._recorded = RecordedStep(made.step, made._changed, breaks_off)
    assert made.fit(progress=False).finished
    assert made._recorded.failed == "NotImplementedError"


@pytest.mark.parametrize("before", [0, 1])
@pytest.mark.parametrize("batch", [3, 4, 9])
def test_whole_batches_are_recorded_and_not_the_short_last_one(batch, before):
    made, recorder = trainer(batch=batch, images=120), Recorder()  # ten pairs
    stop = StopRequest()
    if before:
        made.fit(on_step=lambda _: stop.ask(), stop=stop, progress=False)
    made._recorded = RecordedStep(made.step, made._changed, recorder)  # as after a resume inside an epoch
    made.fit(progress=False)
    assert len(made._recorded._static[0]) == batch
    assert recorder.replays == 12 * (10 // batch) - before - WARM_UP


def test_what_was_moved_is_recorded_anew():
    def moved_on_the_way(made):
        made.fit(progress=False, turns=2)
        for parameter in made.generator.parameters():
            parameter.data = parameter.data.clone()  # as `.cpu()` and back would
        return made.fit(progress=False)

    usual = moved_on_the_way(trainer())
    made, recorder = trainer(), Recorder()
    made._recorded = RecordedStep(made.step, made._changed, recorder)
    moved_on_the_way(made)
    assert recorder.replays == made.steps - WARM_UP  # the second recording needs no further warm-up
    for a, b in zip(weights(usual), weights(made), strict=True):
        assert torch.equal(a, b)


def test_without_memory_for_the_copies_steps_go_on_as_usual():
    made = trainer()

    def changed():
        raise torch.OutOfMemoryError("CUDA out of memory")

    made._recorded = RecordedStep(made.step, changed, Recorder())
    assert made.fit(progress=False).finished
    assert "no memory is left" in made._recorded.failed


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
@pytest.mark.parametrize("precision", ["f32", "bf16", "f16"])
def test_a_cuda_graph_trains_as_the_usual_steps_do(precision, monkeypatch):
    made = trainer("cuda", precision=precision)
    made.fit(progress=False)
    assert isinstance(made._recorded, RecordedStep)
    assert made._recorded.failed == ""
    monkeypatch.setenv("P2PLIB_WITHOUT", "graph")
    usual = trainer("cuda", precision=precision).fit(progress=False)
    for a, b in zip(made.rows, usual.rows, strict=True):
        assert a["loss_pixel"] == pytest.approx(b["loss_pixel"], rel=0.05)
