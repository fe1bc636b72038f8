"""Chapter 12's checks: what they tell apart, what tells a large picture from one made larger, and real runs."""

from __future__ import annotations

import functools
import importlib
import io

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from p2plib import zoo
from p2plib.checks import border, both_ways, check, mine, registry, tiles
from p2plib.checks.any_size import WatchedUNet
from p2plib.checks.engine import judge
from p2plib.checks.outcome import Status
from p2plib.checks.trial import Trial
from p2plib.data.augment import to_bytes
from p2plib.data.pairs import to_tensor
from p2plib.data.synthetic import draw_city
from p2plib.training import Trainer, configure
from p2plib.training.large import translate_any, translate_tiles
from p2plib.training.translate import translate
from p2plib.training.translate_files import translate_files


@pytest.fixture
def trial():
    return Trial(registry.find("12.1"), (None,), seed=3)


# --- 12.1 and 12.2 ----------------------------------------------------------------------------------


def test_the_watched_unet_is_a_unet_without_noise(trial):
    net, x = WatchedUNet(trial, 3), torch.rand(1, 3, 16, 24)
    assert net.depth == 3
    assert not [m for m in net.modules() if isinstance(m, torch.nn.Dropout)]
    came = translate_any(net, x)
    assert torch.equal(net.seen[-1], x)  # from a copy or not: the notes are the same
    assert torch.allclose(came, net.replayed(x), atol=1e-6)
    assert (net.replayed(x) - net.replayed(x, train=False)).abs().max() > 0.05
    with pytest.raises(Exception, match="does not fit"):
        net(x[..., :-1])
    assert net.seen[-1].shape == (1, 3, 16, 23)  # what is refused is noted, too


@pytest.mark.parametrize("how", ["edge", "reflect", "symmetric"])
@pytest.mark.parametrize("where", ["below", "above", "around"])
def test_every_way_to_go_on_beyond_the_edge_is_right(how, where):
    def answer(generator, input):
        lacks = [-side % 2**generator.depth for side in input.shape[2:]]
        before = [{"below": 0, "above": n, "around": n // 2}[where] for n in lacks]
        margins = [(0, 0), (0, 0), *((b, n - b) for b, n in zip(before, lacks, strict=True))]
        whole = translate(generator, torch.from_numpy(np.pad(input.numpy(), margins, mode=how)))
        height, width = input.shape[2:]
        return whole[..., before[0] : before[0] + height, before[1] : before[1] + width]

    for seed in range(4):
        outcome = judge("12.1", answer, seed=seed)
        assert outcome.status is Status.PASSED, outcome


@pytest.mark.parametrize("values", [(0.0, "0 is a grey"), (-1.0, "black"), (1.0, "white"), (0.3, "one colour")])
def test_a_filling_is_named_by_its_colour(values):
    value, word = values

    def answer(generator, input):
        height, width = input.shape[2:]
        step = 2**generator.depth
        return translate(generator, F.pad(input, (0, -width % step, 0, -height % step), value=value))[
            ..., :height, :width
        ]

    outcome = judge("12.1", answer, seed=1)
    assert outcome.status is Status.WRONG
    assert word in outcome.cause


def test_zeros_beyond_the_edge_show_in_the_output_and_a_repeated_line_hardly():
    """Why the one is wrong and the other right: the same place of a larger translation is the measure."""
    net, (town, _) = zoo.load("map2aerial"), draw_city(3, 192)
    whole = translate(net, town, dropout=False)[..., :100, :100]
    apart = {}
    for name, how in (("repeated", {"mode": "replicate"}), ("zeros", {"value": 0.0})):
        output = translate(net, F.pad(town[..., :100, :100], (0, 28, 0, 28), **how), dropout=False)
        apart[name] = (output[..., :100, :100] - whole).abs()[..., -1, :].mean()
    assert apart["zeros"] > 1.5 * apart["repeated"]


def test_tiles_that_are_more_than_they_need_to_be_are_no_fault():
    """An answer may draw a tile again, as long as the picture is right."""

    def answer(generator, input, tile, overlap):
        translate(generator, input[..., :tile, :tile])
        return translate_tiles(generator, input, tile, overlap).clone()

    assert judge("12.2", answer, seed=1).status is Status.PASSED


def test_ours_are_asked_for():
    for id, ours in (("12.1", translate_any), ("12.2", translate_tiles), ("12.3", border.border_profile)):
        (part,) = registry.find(id).parts
        assert part.ours is ours
    assert not any(part.ours for part in registry.find("12.4").parts)


@pytest.mark.parametrize("mistake", border.MISTAKES, ids=lambda m: m.cause[:30])
def test_the_pictures_tell_the_known_mistakes_apart(mistake):
    for like in mistake.like:
        for seed in range(4):
            outcome = judge("12.3", functools.partial(lambda like, part, whole: like(part, whole), like), seed=seed)
            assert outcome.status is Status.WRONG
            assert outcome.cause == mistake.cause


def test_the_marking_generator_notes_through_copies(trial):
    net = tiles.MarkingGenerator(trial)
    assert torch.allclose(translate(net, torch.zeros(1, 3, 8, 8)), net.marks[:8, :8].detach().expand(1, 3, 8, 8))
    with pytest.raises(ValueError, match="takes a batch"):
        net(torch.zeros(3, 8, 8))
    assert len(net.seen) == 1


def test_passed_answers_are_kept(learner, tmp_path, capsys):
    path = tmp_path / "answers12.py"
    path.write_text(
        "import torch\nimport torch.nn.functional as F\n\n\n"
        "def my_any(generator, input):\n"
        "    step, (height, width) = 2**generator.depth, input.shape[2:]\n"
        '    input = F.pad(input, (0, -width % step, 0, -height % step), mode="replicate")\n'
        "    with torch.no_grad():\n"
        "        return generator(input)[..., :height, :width]\n"
    )
    spec = importlib.util.spec_from_file_location("answers12", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    check("12.1", module.my_any)
    assert "translate_any" in (learner / "my_pix2pix.py").read_text()
    importlib.import_module("p2plib.checks.mine")._passed.clear()
    assert mine("12.1")(lambda_net(), torch.zeros(1, 3, 5, 7)).shape == (1, 3, 5, 7)
    assert "your own" in capsys.readouterr().out


def lambda_net():
    net = torch.nn.Identity()
    net.depth = 2
    return net


# --- 12.4 -------------------------------------------------------------------------------------------


def pictures(output):
    return Image.fromarray(to_bytes(output[0]).permute(1, 2, 0).numpy())


def made_larger(picture, factor, how):
    return picture.resize((round(picture.width * factor), round(picture.height * factor)), how)


def is_made_larger(picture):
    bytes = to_tensor(picture)
    return both_ways.repeated_lines(bytes) >= 1 / 3 or both_ways.finest_waves(bytes) < both_ways.RESIZED


def as_jpeg(picture):
    held = io.BytesIO()
    picture.save(held, "JPEG", quality=75)
    return Image.open(held).convert("RGB")


@pytest.fixture(scope="module")
def drawn():
    """What networks drew at full size: of the zoo, and after hardly any training; and drawn towns themselves."""
    town, aerial = draw_city(3, 256)
    fresh = Trainer(configure("synthetic-maps", "laptop", size=32, base=4, images=16, limit=8, device="cpu"))
    return {
        "zoo": pictures(translate(zoo.load("map2aerial"), town, seed=0)),
        "fresh": pictures(translate(fresh.fit(progress=False).generator, town, seed=0)),
        "map": pictures(town),
        "aerial": pictures(aerial),
    }


@pytest.mark.parametrize("name", ["zoo", "fresh", "map", "aerial"])
def test_what_was_drawn_large_is_told_from_what_was_made_larger(drawn, name):
    large = drawn[name]
    assert not is_made_larger(large)
    assert not is_made_larger(as_jpeg(large))
    if name == "fresh":  # checkered to the last pixel: resized smoothly, enough of that is left to pass
        return
    for side in (64, 128):
        small = large.crop((0, 0, side, side))
        for how in ("NEAREST", "BOX", "BILINEAR", "BICUBIC", "LANCZOS"):
            for factor in (2, 2.5, 3, 4) if how in ("NEAREST", "BOX") else (2,):
                assert is_made_larger(made_larger(small, factor, Image.Resampling[how])), (side, how, factor)


def test_two_runs_and_a_city(tmp_path, monkeypatch):
    """As a learner does it: train both ways, translate a town of twice the side, hand in three paths."""
    settings = dict(size=32, base=4, images=16, limit=8, device="cpu")
    for name, direction in (("there", "BtoA"), ("back", "AtoB")):
        config = configure("synthetic-maps", "laptop", direction=direction, **settings)
        Trainer(config, tmp_path / name).fit(progress=False)
    pictures(draw_city(2, 80)[0]).crop((0, 0, 80, 70)).save(tmp_path / "town.png")
    (city,) = translate_files(tmp_path / "there", [tmp_path / "town.png"], tmp_path / "out")
    outcome = judge("12.4", tmp_path / "there", tmp_path / "back", city)
    assert outcome.status is Status.PASSED, outcome
    assert outcome.counts
    monkeypatch.chdir(tmp_path)
    assert judge("12.4", "there", "./back", "out/town.png").counts
    resumed = Trainer(configure("synthetic-maps", "laptop", direction="AtoB", **settings), "back", resume=True)
    assert judge("12.4", "there", resumed, "out/town.png").cause == "Is its folder meant, `trainer.run`?"
    assert judge("12.4", "there", resumed.run, "out/town.png").counts
    small = Image.open("town.png").crop((0, 0, 40, 35))
    small.resize((80, 70), Image.Resampling.BICUBIC).save("resized.png")
    outcome = judge("12.4", "there", "back", "resized.png")
    assert outcome.cause == both_ways.SMALL_INPUT


def test_a_picture_larger_than_is_read_is_a_sentence(tmp_path, bad_pictures, tiny_run):
    other = tmp_path / "other"
    other.mkdir()
    for file in tiny_run.iterdir():
        if file.is_file():
            (other / file.name).write_bytes(file.read_bytes())
    config = other / "config.json"
    config.write_text(config.read_text().replace('"AtoB"', '"BtoA"'))
    outcome = judge("12.4", tiny_run, other, bad_pictures["too large"])
    assert outcome.status is Status.WRONG
    assert "million pixels" in outcome.message
