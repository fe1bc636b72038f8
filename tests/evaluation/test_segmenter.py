"""The segmenter: it reads real pictures, and its gap says how much a picture follows its own labels."""

from __future__ import annotations

import json

import pytest
import torch

from p2plib import zoo
from p2plib.errors import UserError
from p2plib.evaluation import segmenter as module
from p2plib.evaluation.segmenter import Segmenter, class_names, gap, labelled_pairs, scores, train_segmenter
from p2plib.models import parameter_count, receptive_field
from p2plib.training import Trainer, configure


@pytest.fixture(scope="module")
def net():
    return zoo.load_segmenter()


@pytest.fixture(scope="module")
def held_out():
    return labelled_pairs("synthetic-maps", "val", range(60))


def test_its_size_and_its_field():
    assert parameter_count(Segmenter()) == (3 * 32 + 32 * 64 + 64 * 12) * 9 + 32 + 64 + 12 == 26_316
    assert receptive_field(Segmenter()) == 7
    assert Segmenter(3)(torch.zeros(2, 3, 9, 11)).shape == (2, 3, 9, 11)


def test_it_reads_real_pictures_and_they_follow_their_labels(net, held_out):
    _, pictures, classes = held_out
    assert scores(net, pictures, classes).pixel_accuracy > 0.6
    assert gap(net, pictures, classes) > 0.4


def test_pictures_that_ignore_their_labels_have_no_gap(net, held_out):
    inputs, pictures, classes = held_out
    assert gap(net, torch.zeros_like(pictures), classes) == 0
    assert gap(net, pictures[:1].expand_as(pictures), classes) == 0
    assert abs(gap(net, pictures.roll(7, 0), classes)) < 0.05
    assert abs(gap(net, inputs, classes)) < 0.1  # a map is no photograph


def test_blur_takes_from_the_gap(net, held_out):
    _, pictures, classes = held_out
    blurred = torch.nn.functional.avg_pool2d(pictures, 5, 1, padding=2)
    assert 0.05 < gap(net, blurred, classes) < gap(net, pictures, classes) - 0.1


@pytest.mark.parametrize("source", ["synthetic-maps", "synthetic-facades"])
def test_the_held_out_pairs_are_those_of_the_trainer(source):
    inputs, targets, classes = labelled_pairs(source, "val", [3, 1])
    trainer = Trainer(configure(source, "laptop", device="cpu", limit=8, objective="L1"))
    for mine, theirs in zip((inputs, targets), trainer.held_out([3, 1]), strict=True):
        assert torch.equal(mine, theirs)
    assert classes.shape == (2, 64, 64)
    assert classes.max() < len(class_names(source)) == 12


@pytest.mark.parametrize("source", ["synthetic-maps", "synthetic-facades"])
def test_the_same_seed_gives_the_same_network(monkeypatch, source):
    monkeypatch.setattr(module, "TRAINED_ON", 12)
    monkeypatch.setattr(module, "STEPS", 3)
    before = torch.get_rng_state()
    one, two, other = (train_segmenter(source, seed).state_dict() for seed in (0, 0, 1))
    assert torch.equal(before, torch.get_rng_state())
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert not torch.equal(one["0.weight"], other["0.weight"])


def test_a_few_steps_teach_it_most(monkeypatch, held_out):
    monkeypatch.setattr(module, "TRAINED_ON", 60)
    monkeypatch.setattr(module, "STEPS", 40)
    monkeypatch.setattr(module, "BATCH", 4)
    assert gap(train_segmenter(), *held_out[1:]) > 0.15


def test_what_does_not_fit_is_told(net, held_out):
    _, pictures, classes = held_out
    with pytest.raises(UserError, match="were expected"):
        scores(net, pictures, classes[:5])
    with pytest.raises(UserError, match="two pictures or more"):
        gap(net, pictures[:1], classes[:1])
    for source, split in (("facades", "val"), ("synthetic-maps", "test")):
        with pytest.raises(UserError, match="synthetic-facades"):
            labelled_pairs(source, split, [0])
    with pytest.raises(UserError, match="The zoo has no"):
        zoo.load_segmenter("synthetic-facades")


def test_the_zoo_keeps_it_as_the_manifest_says(net, held_out):
    entry = zoo.manifest("judges")["segmenter-maps"]
    assert entry["bytes"] == (zoo.FOLDER / entry["file"]).stat().st_size < 60e3
    assert entry["metrics"]["gap"] == pytest.approx(
        gap(net, *labelled_pairs("synthetic-maps", "val", range(100))[1:]), abs=0.002
    )
    assert not net.training


def test_the_zoo_makes_it_anew(monkeypatch, tmp_path):
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    monkeypatch.setattr(module, "TRAINED_ON", 12)
    monkeypatch.setattr(module, "STEPS", 2)
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "models": {"one": {"file": "one"}}}))
    path = zoo.make("segmenter-maps")
    assert list(zoo.manifest()) == ["one"]  # the others stay
    zoo.load_segmenter()
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="sha256"):
        zoo.load_segmenter()
