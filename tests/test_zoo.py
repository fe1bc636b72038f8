"""The zoo: small files with a known hash that draw towns at three sizes."""

from __future__ import annotations

import json

import pytest
import torch

from p2plib import zoo
from p2plib.data.synthetic import draw_city
from p2plib.errors import UserError


def test_what_the_manifest_says():
    entries = zoo.manifest()
    assert set(entries) == set(zoo.RECIPES)
    for name, entry in entries.items():
        assert entry["bytes"] == (zoo.FOLDER / entry["file"]).stat().st_size < 8e6
        assert entry["command"] == f"python -m p2plib zoo make {name}"
        recipe = zoo.RECIPES[name]
        assert {key: entry["settings"][key] for key in recipe.settings} == recipe.settings
        assert {"l1_at_64", "l1_at_128", "l1_at_256", "minutes"} <= set(entry["metrics"])


@pytest.mark.parametrize("side", [64, 128, 256])
def test_a_town_is_drawn_nearer_to_the_truth_than_the_average_colour_is(side):
    net = zoo.load("map2aerial")
    differences, plain = [], []
    for seed in range(3000, 3006):
        x, y = draw_city(seed, side)
        output = zoo.translate_with(net, x)
        differences.append((output - y).abs().mean())
        plain.append((y - y.mean((2, 3), keepdim=True)).abs().mean())
        assert 0.6 < output.std() / y.std() < 1.3  # as much contrast as a photograph, not a grey mean
    assert torch.stack(differences).mean() < 0.85 * torch.stack(plain).mean()
    assert torch.equal(output, zoo.translate_with(net, x))


def test_an_unknown_name_and_another_network_are_refused(monkeypatch, tmp_path):
    with pytest.raises(UserError, match="map2aerial"):
        zoo.load("aerial2map")
    with pytest.raises(UserError, match="recipe"):
        zoo.make("aerial2map")
    entry = zoo.manifest()["map2aerial"]
    (tmp_path / entry["file"]).write_bytes((zoo.FOLDER / entry["file"]).read_bytes())
    changed = entry | {"probe": [value + 0.1 for value in entry["probe"]]}
    (tmp_path / "manifest.json").write_text(json.dumps({"format": 1, "models": {"map2aerial": changed}}))
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    with pytest.raises(UserError, match="other outputs"):
        zoo.load("map2aerial")
