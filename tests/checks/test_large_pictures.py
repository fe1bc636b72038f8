"""Chapter 12's checks: what they tell apart, what tells a large picture from one made larger, and real runs."""

from __future__ import annotations

import copy
import dataclasses
import functools
import importlib
import io

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image

from p2plib import zoo
from p2plib.checks import border, both_ways, check, large_picture, mine, registry, tiles
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


def test_a_learner_is_told_of_a_unet():
    outcome = judge("12.1", lambda generator, input: generator(input), seed=1)
    assert outcome.status is Status.CRASHED
    assert "given a U-Net and a float32 tensor" in outcome.message
    outcome = judge("12.1", lambda generator, input: generator.size, seed=1)
    assert "'UNetGenerator' object has no attribute 'size'" in outcome.message
    outcome = judge("12.2", lambda generator, input, tile, overlap: 1 / 0, seed=1)
    assert "given a generator, a float32 tensor" in outcome.message


def own(generator, x):
    """Another 6.3: the averages are followed by nobody for a while."""
    mode = generator.training
    generator.train()
    norms = [m for m in generator.modules() if isinstance(m, torch.nn.BatchNorm2d)]
    before = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    with torch.no_grad():
        output = generator(x)
    for norm, momentum in zip(norms, before, strict=True):
        norm.momentum = momentum
    generator.train(mode)
    return output


def test_any_right_6_3_does_for_12_1_and_12_2():
    def by_own(generator, input):
        step, (height, width) = 2**generator.depth, input.shape[2:]
        continued = F.pad(input, (0, -width % step, 0, -height % step), mode="replicate")
        return own(generator, continued)[..., :height, :width]

    def in_tiles(generator, input, tile, overlap):
        total, count = torch.zeros_like(input), torch.zeros_like(input)
        for y in tiles.tile_starts(input.shape[2], tile, overlap):
            for x in tiles.tile_starts(input.shape[3], tile, overlap):
                here = (..., slice(y, y + tile), slice(x, x + tile))
                total[here] += own(generator, input[here])
                count[here] += 1
        return total / count

    assert judge("6.3", own, seed=1).status is Status.WRONG  # its parts come in different modes there
    for seed in range(3):
        assert judge("12.1", by_own, seed=seed).status is Status.PASSED
        assert judge("12.2", in_tiles, seed=seed).status is Status.PASSED


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
    both = torch.rand(2, 3, 8, 8)
    assert torch.allclose(translate(copy.deepcopy(net), both)[1:], translate(net, both[1:]))  # each by itself
    assert torch.allclose(translate(net, both), net.replayed(both), atol=1e-6)
    with torch.no_grad():
        assert torch.allclose(copy.deepcopy(net).eval()(both), net.replayed(both, averages=True), atol=1e-6)
    net.seen[1:] = []
    with pytest.raises(ValueError, match="takes a batch"):
        net(torch.zeros(3, 8, 8))
    assert len(net.seen) == 1


def test_passed_answers_are_kept(learner, tmp_path, capsys):
    path = tmp_path / "answers12.py"
    path.write_text(
        "import copy\n\nimport torch\nimport torch.nn.functional as F\n\n\n"
        "def my_any(generator, input):\n"
        "    step, (height, width) = 2**generator.depth, input.shape[2:]\n"
        '    input = F.pad(input, (0, -width % step, 0, -height % step), mode="replicate")\n'
        "    with torch.no_grad():\n"
        "        return copy.deepcopy(generator).train()(input)[..., :height, :width]\n"
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
    return large_picture.made_larger(to_tensor(picture)) is not None


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


FILTERS = ("NEAREST", "BOX", "BILINEAR", "BICUBIC", "LANCZOS")


@pytest.mark.parametrize("name", ["zoo", "fresh", "map", "aerial"])
def test_what_was_drawn_large_is_told_from_what_was_made_larger(drawn, name):
    large = drawn[name]
    assert not is_made_larger(large)
    assert not is_made_larger(as_jpeg(large))
    for side in (64, 128):
        small = large.crop((0, 0, side, side))
        for how in FILTERS:
            for factor in (2, 2.5, 3, 4, 8):
                assert is_made_larger(made_larger(small, factor, Image.Resampling[how])), (side, how, factor)


def test_rectangles_drawn_large_are_not_taken_for_a_smaller_picture():
    """Of few different lines, and their edges sharp: what a network draws that goes from facades to labels."""
    labels = torch.zeros(3, 128, 128)
    for y in range(5, 120, 23):
        for x in range(3, 110, 19):
            labels[:, y : y + 9, x : x + 7] = torch.tensor([30.0, 120.0, 220.0])[:, None, None]
    picture = (labels + 10 + 0.3 * torch.randn(3, 128, 128, generator=torch.Generator().manual_seed(0))).round().byte()
    assert large_picture.finest_lines(picture) < large_picture.NO_LINES
    assert large_picture.made_larger(picture) is None


def test_what_was_made_larger_is_told_in_its_middle_too(drawn):
    """A picture of more than 1024 px is looked at in its middle, where a filter reaches beyond what is seen."""
    for how in FILTERS:
        picture = to_tensor(made_larger(drawn["zoo"].crop((0, 0, 160, 160)), 2, Image.Resampling[how]))
        assert large_picture.made_larger(picture[:, 11:-12, 7:-18]), how


@pytest.mark.parametrize("side", [128, 256, 512])
def test_a_map_is_told_from_what_is_drawn_of_it(side):
    net = zoo.load("map2aerial")
    for seed in (1, 5):
        town, aerial = draw_city(seed, side)
        shares = [
            large_picture.of_map_colours(to_tensor(pictures(picture)))
            for picture in (town, aerial, translate(net, town, seed=0))
        ]
        assert shares[0] > 0.6
        assert max(shares[1:]) < 0.05


def test_two_runs_and_a_city(tmp_path, monkeypatch):
    """As a learner does it: train both ways, translate a town of twice the side, hand in three paths."""
    settings = dict(size=32, base=4, images=16, limit=8, device="cpu")
    for name, direction in (("there", "BtoA"), ("back", "AtoB")):
        config = configure("synthetic-maps", "laptop", direction=direction, **settings)
        Trainer(config, tmp_path / name).fit(progress=False)
    town = pictures(draw_city(2, 80)[0]).crop((0, 0, 80, 70))
    town.save(tmp_path / "town.png")
    (city,) = translate_files(tmp_path / "there", [tmp_path / "town.png"], tmp_path / "out")
    outcome = judge("12.4", tmp_path / "there", tmp_path / "back", city)
    assert outcome.status is Status.PASSED, outcome
    assert outcome.counts
    monkeypatch.chdir(tmp_path)
    assert judge("12.4", "there", "./back", "out/town.png").counts
    resumed = Trainer(configure("synthetic-maps", "laptop", direction="AtoB", **settings), "back", resume=True)
    assert judge("12.4", "there", resumed, "out/town.png").cause == "Is its folder meant, `trainer.run`?"
    assert judge("12.4", "there", resumed.run, "out/town.png").counts
    small = Image.open(city).crop((0, 0, 40, 35))
    small.resize((80, 70), Image.Resampling.BICUBIC).save("resized.png")
    outcome = judge("12.4", "there", "back", "resized.png")
    assert outcome.cause == large_picture.SMALL_INPUT
    assert judge("12.4", "there", "back", "town.png").cause == large_picture.NOT_TRANSLATED
    assert judge("12.4", "back", "there", city).cause == both_ways.SWAPPED
    monkeypatch.setenv("P2PLIB_BUDGET", "learner")
    outcome = judge("12.4", "there", "back", city)
    assert "`there`: there saw 16 pictures; asked are 1,000 or more" in outcome.message
    assert outcome.message.endswith("--out there --resume --images 1000`.")


def test_the_chapters_city_is_not_ones_own(tmp_path, monkeypatch):
    config = configure("synthetic-facades", "laptop", size=32, base=2, images=8, device="cpu", direction="AtoB")
    for name, direction in (("there", "AtoB"), ("back", "BtoA")):
        Trainer(dataclasses.replace(config, direction=direction), tmp_path / name).fit(progress=False)
    monkeypatch.setenv("P2PLIB_MY_WORK", str(tmp_path))
    for folder, passes in ((tmp_path / "own", True), (tmp_path, False)):
        folder.mkdir(exist_ok=True)
        pictures(draw_city(2, 80)[1]).save(folder / "my_city.png")
        monkeypatch.chdir(folder)
        outcome = judge("12.4", tmp_path / "there", tmp_path / "back", "my_city.png")
        assert (outcome.status is Status.PASSED) is passes
    assert "into which the chapter writes what *its* network draws" in outcome.message
    assert outcome.cause == large_picture.OTHER_NETWORK
    pictures(draw_city(2, 80)[0]).save(tmp_path / "map.png")  # of facades, the colours of a map are colours
    assert judge("12.4", tmp_path / "there", tmp_path / "back", tmp_path / "map.png").status is Status.PASSED


def test_a_white_margin_is_no_small_picture_made_larger():
    drawn = to_bytes(draw_city(2, 96)[1])[0]
    framed = torch.full((3, 160, 160), 255, dtype=torch.uint8)
    framed[:, 32:128, 32:128] = drawn
    assert large_picture.repeated_lines(framed) == large_picture.repeated_lines(drawn) == 0
    assert large_picture.repeated_lines(framed.repeat_interleave(2, 1).repeat_interleave(2, 2)) > 1 / 3


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
