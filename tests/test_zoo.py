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
def test_towns_are_drawn_where_the_map_has_them_and_with_the_contrast_of_a_photograph(side):
    net = zoo.load("map2aerial")
    pairs = [draw_city(seed, side) for seed in range(3000, 3008)]
    outputs = [zoo.translate_with(net, x) for x, _ in pairs]
    targets = [y for _, y in pairs]
    right = torch.stack([(o - y).abs().mean() for o, y in zip(outputs, targets, strict=True)])
    wrong = torch.stack([(o - y).abs().mean() for o, y in zip(outputs, targets[1:] + targets[:1], strict=True)])
    assert right.mean() < 0.8 * wrong.mean()  # another town's photograph is farther away
    for output, target in zip(outputs, targets, strict=True):
        assert 0.6 < output.std() / target.std() < 1.4  # no grey mean
    assert torch.equal(outputs[-1], zoo.translate_with(net, pairs[-1][0]))


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
