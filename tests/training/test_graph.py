"""A recorded step: replayed only where it gives what the usual one gives."""

from __future__ import annotations

import pytest
import torch

from p2plib.training import Trainer, configure
from p2plib.training.graph import WARM_UP, RecordedStep

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
