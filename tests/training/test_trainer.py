"""The loop: two steps on one output, a run that goes on bit for bit, and nothing lost on the way."""

from __future__ import annotations

import csv
import json
import os
import shutil
import signal
from pathlib import Path

import pytest
import torch

from p2plib.data.catalogue import open_source
from p2plib.errors import UserError
from p2plib.training import Trainer, checkpoint, config, configure, resuming
from p2plib.training.trainer import epoch_order
from p2plib.training.translate import translate, translating

TINY = dict(preset="laptop", size=32, base=4, batch=2, epochs=3, device="cpu")


def weights(run: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in run.glob("*.safetensors")}


def metrics(run: Path) -> list[dict[str, str]]:
    """The rows of metrics.csv without what depends on the clock."""
    with open(run / "metrics.csv", encoding="utf-8") as file:
        return [{k: v for k, v in row.items() if "second" not in k and k != "session"} for row in csv.DictReader(file)]


def test_a_run_folder_is_complete(folder, tmp_path):
    made = Trainer(configure(folder, **TINY), tmp_path / "run").fit(progress=False)
    assert made.finished
    run = tmp_path / "run"
    assert {p.name for p in run.iterdir()} == {
        "config.json", "metrics.csv", "samples", "state.pt", "generator.safetensors", "discriminator.safetensors",
    }  # fmt: skip
    assert sorted(p.name for p in (run / "samples").iterdir()) == [f"epoch_000{i}.png" for i in (1, 2, 3)]
    kept = json.loads((run / "config.json").read_text())
    assert kept["config"]["epochs"] == 3
    assert {"torch", "threads", "precision", "device", "p2plib"} <= set(kept["environment"])
    rows = metrics(run)
    assert [row["epoch"] for row in rows if row["held_out_l1"]] == ["1", "2", "3"]
    assert rows[-1]["images"] == str(3 * 9)  # nine to train on, one of ten held out
    net = checkpoint.load_generator(run)
    for name, value in net.state_dict().items():
        assert value.is_contiguous()
        assert torch.equal(value, made.generator.state_dict()[name])


@pytest.mark.parametrize("options", [{}, {"precision": "bf16"}, {"objective": "L2"}, {"size": 160, "depth": 5}])
@pytest.mark.parametrize("stop_at", [3, 10])
def test_resuming_ends_bit_for_bit_where_the_uninterrupted_run_ends(folder, tmp_path, options, stop_at):
    config = configure(folder, **(TINY | options), schedule="linear")
    Trainer(config, tmp_path / "whole").fit(progress=False)

    first = Trainer(config, tmp_path / "parts")
    assert first.layout == (torch.channels_last if config.size <= 128 else torch.contiguous_format)
    assert first.optimizer_g.param_groups[0]["fused"]

    def interrupt(made: Trainer) -> None:
        if made.step_number == stop_at:
            os.kill(os.getpid(), signal.SIGINT)

    first.fit(on_report=interrupt, progress=False)
    assert first.step_number == stop_at
    assert not first.finished
    torch.manual_seed(99)  # what happens between must not matter
    second = Trainer(config, tmp_path / "parts", resume=True).fit(progress=False)
    assert second.finished
    assert weights(tmp_path / "whole") == weights(tmp_path / "parts")
    assert metrics(tmp_path / "whole") == metrics(tmp_path / "parts")
    for name in ("optimizer_g", "random"):
        one, two = (checkpoint.load_state(tmp_path / r / "state.pt", "cpu")[name] for r in ("whole", "parts"))
        assert str(one) == str(two)


def other_layout(value):
    """Weights and means as a machine would have saved them that keeps its channels elsewhere."""
    if isinstance(value, dict):
        return {key: other_layout(part) for key, part in value.items()}
    if isinstance(value, torch.Tensor) and value.dim() == 4:
        return value.contiguous() if not value.is_contiguous() else value.to(memory_format=torch.channels_last)
    return value


@pytest.mark.parametrize("size", [32, 160])
def test_a_state_saved_in_another_layout_goes_on_as_it_would_have(folder, tmp_path, size):
    settings = configure(folder, **(TINY | dict(size=size, depth=5)))
    Trainer(settings, tmp_path / "one").fit(progress=False, turns=1)
    shutil.copytree(tmp_path / "one", tmp_path / "two")
    state = checkpoint.load_state(tmp_path / "two/state.pt", "cpu")
    checkpoint.save_state(tmp_path / "two/state.pt", {key: other_layout(value) for key, value in state.items()})
    ends = [Trainer(settings, tmp_path / name, resume=True).fit(progress=False) for name in ("one", "two")]
    for a, b in zip(*(end.generator.parameters() for end in ends), strict=True):
        assert torch.equal(a, b)


def test_a_run_goes_on_in_a_precision_that_scales_its_losses(folder, tmp_path):
    settings = configure(folder, **TINY)
    made = Trainer(settings, tmp_path / "run").fit(progress=False, turns=1)
    state = checkpoint.load_state(tmp_path / "run/state.pt", "cpu")
    assert state["scaler"] == {}
    other = Trainer(settings)
    other.scaler = torch.amp.GradScaler("cpu", init_scale=8.0)
    resuming.restore(other, state)
    assert other.scaler.get_scale() == 8.0
    assert other.step_number == made.step_number
    other.scaler.scale(torch.ones(1))
    assert other.scaler._scale is not None
    assert any(tensor is other.scaler._scale for tensor in other._changed())


def test_a_finished_run_stays_as_it_is(folder, tmp_path):
    config = configure(folder, **(TINY | {"epochs": None, "images": 14}))  # the last epoch is cut short
    made = Trainer(config, tmp_path / "run").fit(progress=False)
    before = weights(tmp_path / "run")
    made.fit(progress=False)
    again = Trainer(config, tmp_path / "run", resume=True).fit(progress=False)
    assert again.step_number == made.step_number == made.steps == 8
    assert weights(tmp_path / "run") == before


def test_another_configuration_is_refused_by_name(folder, tmp_path):
    Trainer(configure(folder, **TINY), tmp_path / "run").fit(progress=False)
    before = (tmp_path / "run/state.pt").read_bytes()
    with pytest.raises(UserError, match=r'already holds a run: go on .* resume="auto"\), or choose'):
        Trainer(configure(folder, **TINY), tmp_path / "run")
    with pytest.raises(UserError, match=r"lambda_l1 100\.0 → 7"):
        Trainer(configure(folder, **(TINY | {"lambda_l1": 7})), tmp_path / "run", resume=True)
    assert (tmp_path / "run/state.pt").read_bytes() == before


def test_a_run_at_a_constant_rate_can_be_made_longer(folder, tmp_path):
    short = configure(folder, **(TINY | {"epochs": 1}), schedule="constant")
    Trainer(short, tmp_path / "run").fit(progress=False)
    longer = configure(folder, **(TINY | {"epochs": 2}), schedule="constant")
    Trainer(longer, tmp_path / "run", resume=True).fit(progress=False)
    Trainer(longer, tmp_path / "whole").fit(progress=False)
    assert weights(tmp_path / "run") == weights(tmp_path / "whole")


def test_a_change_of_threads_is_told(folder, tmp_path, capsys):
    config = configure(folder, **TINY)
    Trainer(config, tmp_path / "run").fit(progress=False)
    threads = torch.get_num_threads()
    try:
        torch.set_num_threads(threads + 1)
        Trainer(config, tmp_path / "run", resume=True)
    finally:
        torch.set_num_threads(threads)
    assert f"threads {threads} → {threads + 1}" in capsys.readouterr().out


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_step(folder, tmp_path):
    made = Trainer(configure(folder, **TINY, objective="L1"), tmp_path / "run")
    made.save()
    before = (tmp_path / "run/state.pt").read_bytes()
    with torch.no_grad():
        made.generator.up[-1].conv.bias.fill_(float("nan"))
    with pytest.raises(UserError, match="weight became nan"):
        made.save()
    with pytest.raises(UserError, match=r"step 1 \(epoch 1\): G's pixel loss became nan.*is whole"):
        made.fit(progress=False)
    assert (tmp_path / "run/state.pt").read_bytes() == before


def test_one_step_moves_each_network_once_and_by_its_own_loss(folder):
    config = configure(folder, **TINY)
    made = Trainer(config)
    input, target = made.held_out([0])
    before = {name: p.clone() for name, p in made.discriminator.named_parameters()}
    calls = {"g": 0, "d": 0}
    made.generator.register_forward_hook(lambda *_: calls.update(g=calls["g"] + 1))
    made.discriminator.register_forward_hook(lambda *_: calls.update(d=calls["d"] + 1))
    losses = made.step(input, target)
    assert calls == {"g": 1, "d": 3}  # G's output is shared; real, fake and G's own question pass D apart
    assert torch.isfinite(losses).all()
    assert all(p.requires_grad for p in made.discriminator.parameters())
    # D's gradients are those of its own step alone: G's step must leave no trace in them.
    moved = {n: p for n, p in made.discriminator.named_parameters() if not torch.equal(p, before[n])}
    assert moved
    state = made.optimizer_d.state_dict()["state"]
    assert all(entry["step"].item() == 1 for entry in state.values())


def test_looking_at_held_out_pictures_changes_nothing(folder):
    made = Trainer(configure(folder, **TINY))
    before = {name: value.clone() for name, value in made.generator.state_dict().items()}
    random_state = torch.get_rng_state()
    made._look(1)
    assert torch.equal(random_state, torch.get_rng_state())
    assert all(torch.equal(value, before[name]) for name, value in made.generator.state_dict().items())
    assert made.generator.training


def test_translating_as_in_the_paper_and_otherwise(folder):
    made = Trainer(configure(folder, **TINY)).fit(progress=False)
    x, _ = made.held_out([0])
    a, b = (translate(made.generator, x, seed=seed) for seed in (1, 2))
    assert not torch.equal(a, b)  # dropout is on
    assert torch.equal(a, translate(made.generator, x, seed=1))
    still = [translate(made.generator, x, dropout=False) for _ in range(2)]
    assert torch.equal(*still)
    averages = translate(made.generator, x, dropout=False, batch_statistics=False)
    assert not torch.allclose(averages, still[0])
    made.generator.eval()
    assert torch.equal(averages, made.generator(x))
    with translating(made.generator):
        pass
    assert not made.generator.up[0].norm.training  # as it was found


def test_the_schedule(folder):
    config = configure(folder, **TINY, schedule="linear", learning_rate=1.0)
    rates = [config.learning_rate_at(step, 10) for step in range(10)]
    assert rates == pytest.approx([1, 1, 1, 1, 1, 1, 0.8, 0.6, 0.4, 0.2])
    assert configure(folder, "paper", device="cpu").learning_rate_at(79_999, 80_000) == 2e-4


def test_the_order_of_an_epoch_is_decided_by_seed_and_epoch():
    orders = {(seed, epoch): epoch_order(50, 8, seed, epoch) for seed in (0, 1) for epoch in (0, 1)}
    assert len({str(order) for order in orders.values()}) == 4
    for order in orders.values():
        assert sorted(i for batch in order for i in batch) == list(range(50))
        assert [len(batch) for batch in order] == [8] * 6 + [2]
    assert epoch_order(50, 8, 0, 1) == orders[0, 1]


def test_a_network_of_ones_own_takes_the_librarys_place(folder):
    own = torch.nn.Conv2d(3, 3, 1)
    made = Trainer(configure(folder, **(TINY | {"epochs": 1}), objective="L1"), generator=own)
    before = own.weight.clone()
    made.fit(progress=False)
    assert made.generator is own
    assert not torch.equal(before, own.weight)


def test_drawn_pairs_train_and_never_mix_with_the_held_out_ones():
    source = open_source("synthetic-facades", 32, 32)
    train, held = source.train.batch(range(100)), source.held_out.batch(range(100))
    seen = {picture.numpy().tobytes() for picture in train[1]}
    assert len(seen) == 100
    assert not seen & {picture.numpy().tobytes() for picture in held[1]}
    again = open_source("synthetic-facades", 32, 32).train.batch([5, 3])
    assert torch.equal(again[0], train[0][[5, 3]])


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"size": 65}, "multiple of 32"),
        ({"size": 16}, "take 32"),
        ({"patch": 71}, "71"),
        ({"patch": 286}, "96 px"),
        ({"objective": "LSGAN"}, "LSGAN"),
        ({"epochs": -1}, "epochs"),
        ({"batch": 0}, "batch"),
        ({"device": "tpu"}, "tpu"),
        ({"precision": "f16", "device": "cpu"}, "f16"),
        ({"colour": 3}, "colour"),
        ({"preset": "huge"}, "huge"),
        ({"learning_rate": -1.0}, "learning_rate"),
        ({"load_size": 32}, "load_size"),
    ],
)
def test_settings_that_do_not_fit(settings, sentence):
    with pytest.raises(UserError, match=sentence) as caught:
        configure("synthetic-maps", **({"preset": "laptop"} | settings))
    assert "\n" not in str(caught.value)


def test_the_paper_preset_is_the_papers():
    c = configure("facades", "paper", device="cpu")
    assert (c.size, c.load_size, c.base, c.depth, c.patch, c.batch, c.epochs) == (256, 286, 64, 8, 70, 1, 200)
    assert (c.learning_rate, c.beta1, c.beta2, c.lambda_l1, c.schedule) == (2e-4, 0.5, 0.999, 100, "constant")
    assert (c.objective, c.reference, c.mirror) == ("L1+cGAN", "paper", True)


@pytest.mark.parametrize(("fast", "size", "precision"), [(True, 256, "bf16"), (False, 256, "f32"), (True, 128, "f32")])
def test_the_cpu_computes_in_bf16_where_that_pays(fast, size, precision, monkeypatch):
    monkeypatch.setattr(config, "has_fast_bf16", lambda: fast)
    assert configure("facades", "laptop", device="cpu", size=size).precision == precision
    assert configure("facades", "laptop", device="cpu", size=size, precision="f32").precision == "f32"


def test_the_patch_keeps_the_papers_share_of_the_picture():
    patches = {size: configure("facades", "laptop", size=size).patch for size in (64, 128, 256, 512)}
    assert patches == {64: 16, 128: 34, 256: 70, 512: 142}


def test_a_flipped_bit_in_the_weights_is_noticed(folder, tmp_path):
    Trainer(configure(folder, **(TINY | {"epochs": 1})), tmp_path / "run").fit(progress=False)
    path = tmp_path / "run" / "generator.safetensors"
    content = bytearray(path.read_bytes())
    content[-100] ^= 4
    path.write_bytes(content)
    with pytest.raises(UserError, match="damaged"):
        checkpoint.load_generator(tmp_path / "run")
