"""The recorded runs: that they are what the command says, and what chapters may claim of them."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import torch

from p2plib import recorded, recordings, zoo
from p2plib.errors import UserError
from p2plib.evaluation.segmenter import labelled_pairs
from p2plib.models import PatchDiscriminator, parameter_count
from p2plib.plots import as_array

NAMES = [name for run in recordings.RUNS for name in run.names]
ADVERSARIES = ("GAN", "cGAN", "L1+GAN", "L1+cGAN")
PATCHES = (1, 16, 34, 70)


def measures(name):
    return recorded.read(name).measures


@pytest.mark.parametrize("run", recordings.RUNS, ids=lambda run: run.names[0])
def test_each_record_is_of_the_run_it_says(run):
    for name in run.names:
        record = recorded.read(name)
        assert record.command == f"python -m p2plib record {name}"
        for setting, value in {
            "source": "synthetic-maps", "preset": "laptop", "objective": run.objective, "patch": run.patch,
            "images": 16_000, "seed": 0, "size": 64, "base": 16,
        }.items():  # fmt: skip
            assert record.settings[setting] == value
        assert record.rows[-1]["images"] == 16_000
        assert not {"seconds", "images_per_second"} & set(record.rows[0])
        assert record.pictures["output"].shape == (8, 3, 64, 64)
        assert record.environment["threads"] == 1
        assert all(f"gap_seed_{seed}" in record.measures for seed in run.seeds[1:])


def test_nothing_else_is_recorded_and_all_is_small():
    listed = [name for group in recordings.GROUPS for name in recorded.names(group)]
    assert sorted(listed) == sorted(NAMES)
    folders = [recorded.FOLDER / name for name in (*NAMES, recordings.REAL)]
    files = [path for folder in folders for path in folder.iterdir()] + list(zoo.FOLDER.glob("discriminator-*"))
    assert sum(path.stat().st_size for path in files) < 3e6


def test_one_run_stands_in_both_groups():
    one, two = recorded.read("losses/L1+cGAN"), recorded.read("patches/16")
    assert one.measures == two.measures
    assert torch.equal(one.pictures["output"], two.pictures["output"])


def test_the_held_out_pairs_are_drawn_as_they_were():
    record = recorded.read(recordings.REAL)
    inputs, targets, _ = labelled_pairs("synthetic-maps", "val", range(8))
    for kind, drawn, tolerance in (("input", inputs, 0), ("target", targets, 1)):
        kept = record.pictures[kind].permute(0, 2, 3, 1).numpy().astype(int)
        assert np.abs(kept - np.stack([as_array(picture) for picture in drawn])).max() <= tolerance
    assert record.measures["gap"] > 0.5


@pytest.mark.parametrize("patch", PATCHES)
def test_each_patch_has_its_discriminator_in_the_zoo(patch):
    net = zoo.load_discriminator(patch)
    assert (net.patch, net.in_channels, net.base, net.training) == (patch, 6, 16, False)
    assert parameter_count(net) == parameter_count(PatchDiscriminator(6, 16, patch))
    entry = zoo.manifest("judges")[zoo.discriminator_name(patch)]
    assert entry["command"] == recorded.read(f"patches/{patch}").command.replace("losses/L1+cGAN", "patches/16")
    assert entry["settings"] == dict(recorded.read(f"patches/{patch}").settings)
    for name in ("d_accuracy", "d_accuracy_eval"):
        assert entry["metrics"][name] == pytest.approx(measures(f"patches/{patch}")[name], abs=1e-4)


def test_a_patch_that_was_not_recorded_is_told():
    with pytest.raises(UserError, match="The zoo has no 'discriminator-patch-286'"):
        zoo.load_discriminator(286)


# --- what chapters may claim ------------------------------------------------------------------


def share(name, measure):
    """Of a run, as a share of the targets'."""
    return measures(name)[measure] / measures(recordings.REAL)[measure]


def test_a_pixel_loss_alone_blurs_and_every_adversary_sharpens():
    for pixel in ("L1", "L2"):
        assert share(f"losses/{pixel}", "sharpness") < 0.4
        assert share(f"losses/{pixel}", "spread_L") < 0.7  # contrast
    for name in ADVERSARIES:
        assert share(f"losses/{name}", "sharpness") > 0.85
        assert share(f"losses/{name}", "spread_L") > 0.85


def test_the_smallest_error_is_the_blurred_ones():
    error = {name: measures(f"losses/{name}")["held_out_l1"] for name in ("L1", "L2", *ADVERSARIES)}
    assert sorted(error, key=error.__getitem__)[:2] == ["L1", "L2"]
    assert min(error["GAN"], error["cGAN"]) > 1.3 * error["L1+cGAN"]


def test_gan_ignores_its_input_more_than_cgan_at_every_seed():
    gan, cgan = (
        [measures(f"losses/{name}")[f"gap{seed}"] for seed in ("", "_seed_1", "_seed_2")] for name in ADVERSARIES[:2]
    )
    assert min(cgan) > max(gan) + 0.1
    assert measures("losses/L1+cGAN")["gap"] > max(cgan) + 0.1


def test_without_a_pixel_loss_pictures_are_noisier_than_real_ones():
    for name in ("GAN", "cGAN"):
        assert share(f"losses/{name}", "sharpness") > 1.3
    for name in ("L1+GAN", "L1+cGAN"):
        assert 0.85 < share(f"losses/{name}", "sharpness") < 1


def test_beside_l1_the_condition_makes_no_difference_that_is_seen_here():
    assert abs(measures("losses/L1+cGAN")["gap"] - measures("losses/L1+GAN")["gap"]) < 0.03


def test_patch_1_gives_contrast_and_little_sharpness():
    assert share("patches/1", "spread_L") > 0.85
    assert measures("losses/L1")["sharpness"] * 1.3 < measures("patches/1")["sharpness"]
    assert measures("patches/1")["sharpness"] < 0.65 * min(measures(f"patches/{p}")["sharpness"] for p in PATCHES[1:])


def test_patch_16_follows_the_map_best_and_larger_ones_are_no_sharper():
    for measure in ("gap", "pixel_accuracy"):
        found = {patch: measures(f"patches/{patch}")[measure] for patch in PATCHES}
        assert max(found, key=found.__getitem__) == 16
        assert found[16] > found[34] > found[70]
    sharp = [measures(f"patches/{patch}")["sharpness"] for patch in PATCHES[1:]]
    assert max(sharp) < 1.05 * min(sharp)


def test_discriminators_tell_real_from_made_better_in_batches_than_alone():
    for patch in PATCHES:
        assert measures(f"patches/{patch}")["d_accuracy"] > 0.75
        assert 0.55 < measures(f"patches/{patch}")["d_accuracy_eval"] < measures(f"patches/{patch}")["d_accuracy"]


# --- the command ------------------------------------------------------------------------------


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A zoo of the test's own, and few pairs to measure."""
    shutil.copytree(zoo.FOLDER, tmp_path / "zoo")
    monkeypatch.setattr(zoo, "FOLDER", tmp_path / "zoo")
    monkeypatch.setattr(recordings, "MEASURED", 16)
    recordings._held_out.cache_clear()
    yield
    recordings._held_out.cache_clear()


@pytest.mark.usefixtures("small")
def test_a_run_is_trained_and_written(monkeypatch, tmp_path):
    run = recordings.Run("L1+cGAN", 16, ("losses/L1+cGAN", "patches/16"), seeds=(0, 1))
    monkeypatch.setattr(recordings, "RUNS", (run,))
    before = zoo.manifest("judges")
    lines = list(recordings.record("losses", tmp_path, images=8))
    assert [line.split(":")[1] for line in lines[:2]] == [" the held-out pairs", " the discriminator's weights"]
    made = recorded.read("patches/16", tmp_path)
    assert made.measures == recorded.read("losses/L1+cGAN", tmp_path).measures
    assert set(measures("patches/16")) < set(made.measures)
    assert made.settings["seed"] == 0
    assert made.measures["sharpness"] != made.measures["sharpness_seed_1"]
    after = zoo.manifest("judges")
    assert {name for name in after if after[name] != before.get(name)} == {"discriminator-patch-16"}
    assert not zoo.load_discriminator(16).training


def test_an_unknown_run_is_told(p2p):
    code, out, error = p2p("record", "lambdas")
    assert (code, out) == (2, "")
    assert "no run 'lambdas' to record; choose losses, patches, all, or one of losses/L1," in error


def test_a_run_is_kept_without_a_picture_of_its_data(tiny_run, tmp_path):
    folder = recordings.record_run(tiny_run, "real/tiny", folder=tmp_path / "records")
    kept = recorded.read("real/tiny", tmp_path / "records")
    assert folder == tmp_path / "records/real/tiny"
    assert list(kept.pictures) == ["output"]
    assert kept.settings["source"] == "pairs"
    assert kept.measures["held_out"] == len(kept.pictures["output"]) == 1
    assert kept.measures["sessions"] == 1
    assert 0 < kept.measures["l1"] < 2
    assert str(tmp_path) not in (folder / "record.json").read_text()
    larger = recordings.record_run(tiny_run, "real/large", size=64, folder=tmp_path / "records")
    assert recorded.read("real/large", larger.parents[1]).pictures["output"].shape[-1] == 64
