"""A report of a run: it measures what can be measured by hand, is read again, and fits the weights beside it."""

from __future__ import annotations

import dataclasses
import json

import pytest
import torch

from p2plib.data.augment import centre
from p2plib.errors import UserError
from p2plib.evaluation import evaluate_run, lab_intersection, read_report, report_text, sharpness
from p2plib.evaluation.intervals import Measure
from p2plib.evaluation.report import MEASURES, SAME_PICTURE, paired_l1, unlike_pairs
from p2plib.training import Trainer, checkpoint, configure
from p2plib.training.metrics_file import read_metrics

TINY = dict(size=32, base=4, epochs=2, batch=2, device="cpu", schedule="constant")


@pytest.fixture
def run(pair_folder, tmp_path):
    """run(name, **settings): the folder of a tiny run; six pairs of 40 px are trained on, two are held out."""

    def make(name="run", **settings):
        folder = tmp_path / "pairs"
        if not folder.exists():
            pair_folder("split")
        settings = TINY | dict(source=folder) | settings
        Trainer(configure(preset="laptop", **settings), tmp_path / name).fit(progress=False)
        return tmp_path / name

    return make


@pytest.fixture
def reported(run):
    """reported(name, **settings): the folder and its report, written."""

    def make(name="run", **settings):
        folder = run(name, **settings)
        made = evaluate_run(folder, progress=False)
        made.write(folder)
        return folder, made

    return make


# --- what is measured -------------------------------------------------------------------------------


def test_it_measures_what_can_be_measured_by_hand(run):
    folder = run()
    found = evaluate_run(folder, progress=False)
    trainer = Trainer(checkpoint.read_config(folder), generator=checkpoint.load_generator(folder))
    input, target = trainer.held_out([0, 1])
    output = trainer.translate(input, seed=0)
    assert found.measures["l1"].value == pytest.approx((output - target).abs().mean().item())
    assert found.per_picture["l1"] == pytest.approx((output - target).abs().flatten(1).mean(1).tolist())
    assert found.measures["sharpness"].value == pytest.approx(sharpness(output) / sharpness(target))
    colours = [found.measures[f"lab_{name}"].value for name in "lab"]
    assert colours == pytest.approx(lab_intersection(output, target))
    assert found.pairs == {"held_out": 2, "train": 2}


def test_training_pairs_are_cut_in_the_middle_and_not_mirrored(run, monkeypatch):
    folder, seen = run(), []
    translate = Trainer.translate
    monkeypatch.setattr(Trainer, "translate", lambda self, x, seed: seen.append(x.clone()) or translate(self, x, seed))
    evaluate_run(folder, progress=False)
    source = Trainer(checkpoint.read_config(folder)).source
    assert torch.equal(seen[-1], centre(source.train.batch([0, 3])[0], 32))  # two of six, spread


def test_it_gives_the_same_numbers_again_and_touches_nothing(run, snapshot):
    folder = run()
    before, random = snapshot(folder), torch.get_rng_state()
    assert evaluate_run(folder, progress=False) == evaluate_run(folder, progress=False)
    assert snapshot(folder) == before
    assert torch.equal(torch.get_rng_state(), random)


def test_data_that_is_open_is_taken(run):
    folder = run()
    source = Trainer(checkpoint.read_config(folder)).source
    changed = dataclasses.replace(source, held_out=source.train)
    assert evaluate_run(folder, changed, progress=False).pairs == {"held_out": 6, "train": 6}


def test_what_is_said_of_the_run(reported):
    folder, found = reported()
    rows = read_metrics(folder)
    assert (found.steps, found.images, found.sessions, found.finished) == (6, 12, 1, True)
    assert found.seconds == rows[-1]["seconds"]
    best = min((row for row in rows if row["held_out_l1"] is not None), key=lambda row: row["held_out_l1"])
    assert found.best_epoch == best["epoch"]
    assert found.run["objective"] == "L1+cGAN"
    assert found.environment["training"]["torch"] == found.environment["evaluation"]["torch"]


def test_a_run_that_was_gone_on_with_has_two_sessions(run):
    folder = run()
    path = folder / "metrics.csv"
    rows = read_metrics(folder)
    for row in rows[3:]:
        row["session"] = 2
    names = list(rows[0])
    lines = [",".join("" if row[name] is None else str(row[name]) for name in names) for row in rows]
    path.write_text("\n".join([",".join(names), *lines]) + "\n", encoding="utf-8")
    found = evaluate_run(folder, progress=False)
    assert found.sessions == 2
    assert "2 sessions" in report_text.headline(found)


def test_weights_without_curves_are_measured_too(run):
    folder = run()
    (folder / "metrics.csv").unlink()
    found = evaluate_run(folder, progress=False)
    assert (found.steps, found.finished, found.best_epoch) == (0, False, None)
    assert "not known here" in report_text.markdown(found)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda run: (run / "config.json").unlink(), "is no run folder"),
        (lambda run: (run / "generator.safetensors").unlink(), "has saved no weights yet"),
        (lambda run: (run / "generator.safetensors").write_bytes(b"none"), "is damaged"),
    ],
)
def test_a_folder_that_cannot_be_measured_is_told(run, spoil, said):
    folder = run()
    spoil(folder)
    with pytest.raises(UserError, match=said):
        evaluate_run(folder, progress=False)


# --- written and read -------------------------------------------------------------------------------


def test_it_is_read_as_it_was_written(reported):
    folder, made = reported()
    found = read_report(folder)
    assert set(found.measures) == set(MEASURES)
    for name, measure in made.measures.items():
        assert dataclasses.astuple(found.measures[name]) == pytest.approx(dataclasses.astuple(measure), rel=1e-5)
    for name in ("run", "environment", "command", "weights_sha256", "pairs", "sessions", "finished", "paper"):
        assert getattr(found, name) == getattr(made, name)
    content = json.loads((folder / "report.json").read_text(encoding="utf-8"))
    assert content["format"] == 1
    assert set(content["measures"]) == set(MEASURES)


def test_the_page_for_people_has_the_numbers(reported):
    folder, made = reported()
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert f"{made.measures['l1'].value:.3f} | {made.measures['l1'].interval}" in text
    assert f"lowest in epoch {made.best_epoch}" in text
    assert "| lambda_l1 | 100.0 |" in text
    assert f"`{made.command}`" in text
    assert "![" not in text  # no pictures of a data set


def test_a_missing_a_damaged_and_an_old_report_are_told_in_one_sentence(reported):
    folder, _ = reported()
    path = folder / "report.json"
    text = path.read_text(encoding="utf-8")
    for spoilt, said in (
        (text[:200], "is damaged"),
        ("[]", "is damaged"),
        (text.replace('"lab_a": {\n   "value"', '"lab_a": {\n   "worth"'), "is damaged"),
        (text.replace('"format": 1', '"format": 9'), "another version"),
        (text.replace('"held_out": 2', '"held_out": 3'), "a picture is missing"),
    ):
        assert spoilt != text
        path.write_text(spoilt, encoding="utf-8")
        with pytest.raises(UserError, match=f"{said}.*python -m p2plib evaluate"):
            read_report(folder)
    path.write_text(text, encoding="utf-8")
    checkpoint.save_weights(
        folder / "generator.safetensors", checkpoint.build_generator(checkpoint.read_config(folder))
    )
    with pytest.raises(UserError, match="is older than the weights"):
        read_report(folder)
    path.unlink()
    with pytest.raises(UserError, match="has no report yet"):
        read_report(folder)
    with pytest.raises(UserError, match="is no run folder"):
        read_report(folder.parent)


# --- two runs ---------------------------------------------------------------------------------------


def test_two_runs_are_compared_picture_by_picture(reported):
    (_, one), (_, other) = reported("one"), reported("other", objective="L1", seed=1)
    difference = paired_l1(one, other)
    assert difference.value == pytest.approx(one.measures["l1"].value - other.measures["l1"].value)
    assert difference.low <= difference.value <= difference.high
    assert paired_l1(one, one) == Measure(0, 0, 0)
    text = report_text.beside(one, other, ("one", "other"))
    assert "picture by picture" in text
    assert str(one.measures["sharpness"]) in text


def test_a_difference_is_said_only_where_the_interval_is_off_0():
    said = [
        report_text._apart(Measure(*m), 20, "one", "other") for m in ((-0.1, -0.2, -0.05), (0.1, 0.05, 0.2), (0, -1, 1))
    ]
    assert said[0].endswith("one is nearer to the targets.")
    assert said[1].endswith("other is nearer to the targets.")
    assert said[2].endswith("do not decide which is nearer.")
    few = report_text._apart(Measure(-0.1, -0.2, -0.05), 2, "one", "other")
    assert few.endswith("(2 pairs: too few to tell which is nearer).")


def test_other_pairs_are_not_compared(reported):
    _, one = reported()
    shifted = [value + 2 * SAME_PICTURE for value in one.per_picture["target"]]
    for change, said in (
        ({"run": {**one.run, "size": 64}}, "another size: 32 px and 64 px"),
        ({"pairs": {"held_out": 3, "train": 3}}, "others: 2 and 3"),
        ({"per_picture": {**one.per_picture, "target": shifted}}, "2 of 2 targets differ"),
    ):
        other = dataclasses.replace(one, **change)
        assert said in unlike_pairs(one, other)
        with pytest.raises(UserError, match="cannot be compared"):
            paired_l1(one, other)
        assert said in report_text.beside(one, other, ("a", "b"))


# --- the command ------------------------------------------------------------------------------------


def test_evaluate_prints_the_table_and_writes_the_report(run, p2p, tmp_path):
    one, other = run("one"), run("other", objective="L1")
    code, out, _ = p2p("evaluate", one, "--against", other, "--out", tmp_path / "both.md")
    assert code == 0
    assert "95 % interval" in out
    assert "picture by picture" in out
    assert all((folder / name).exists() for folder in (one, other) for name in ("report.json", "report.md"))
    assert "picture by picture" in (tmp_path / "both.md").read_text(encoding="utf-8")
    read_report(one)
    before = (other / "report.json").stat().st_mtime_ns
    p2p("evaluate", one, "--against", other)
    assert (other / "report.json").stat().st_mtime_ns == before  # it fits the weights: there was no need


def test_evaluate_says_what_is_wrong_in_one_sentence(p2p, tmp_path):
    code, out, err = p2p("evaluate", tmp_path / "nowhere")
    assert (code, out) == (2, "")
    assert "is no run folder" in err


# --- metrics.csv ------------------------------------------------------------------------------------


def test_metrics_are_the_trainers_rows_but_for_the_sixth_digit(tiny_run):
    rows = read_metrics(tiny_run)
    kept = checkpoint.load_state(tiny_run / "state.pt", "cpu")["rows"]
    assert len(rows) == len(kept)
    for row, expected in zip(rows, kept, strict=True):
        assert set(row) == {"session", *checkpoint.METRICS}
        for name, value in expected.items():
            assert row[name] == (value if value is None else pytest.approx(value, rel=1e-5)), name
            assert type(row[name]) is type(value)


def test_metrics_of_an_earlier_version_have_one_session(tiny_run):
    path = tiny_run / "metrics.csv"
    lines = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
    if "session" in lines[0]:
        at = lines[0].index("session")
        lines = [line[:at] + line[at + 1 :] for line in lines]
    path.write_text("\n".join(map(",".join, lines)) + "\n", encoding="utf-8")
    assert {row["session"] for row in read_metrics(tiny_run)} == {1}


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: "", "has no column"),
        (lambda text: text.replace("held_out_l1", "something"), "has no column held_out_l1"),
        (lambda text: text[: text.rindex(",") - 3], "another number of cells"),
        (lambda text: text.replace("\n", "\nx", 1), "holds what is no number"),
    ],
)
def test_damaged_metrics_are_told(tiny_run, spoil, said):
    path = tiny_run / "metrics.csv"
    path.write_text(spoil(path.read_text(encoding="utf-8")), encoding="utf-8")
    with pytest.raises(UserError, match=f"is damaged.*{said}"):
        read_metrics(tiny_run)
    path.unlink()
    with pytest.raises(UserError, match="is not there"):
        read_metrics(tiny_run)


def test_the_papers_figures_stand_beside_sets_of_the_catalogue_alone(reported):
    own, (folder, drawn) = reported()[1], reported("drawn", source="synthetic-facades", limit=6)
    assert own.paper == {}
    assert "this run  95 % interval" in report_text.table(own)
    for text in (report_text.table(own), report_text.markdown(own)):
        assert "Cityscapes" not in text
        assert "0.86" not in [part.strip() for part in text.replace("|", " ").split()]
    assert drawn.paper["L1+cGAN"] == {"lab_l": 0.86, "lab_a": 0.84, "lab_b": 0.82}  # paper.md, Figure 7
    assert drawn.paper["L1"] == {"lab_l": 0.81, "lab_a": 0.69, "lab_b": 0.70}
    assert "paper L1+cGAN" in report_text.table(drawn)
    assert "| 0.81 | 0.86 |" in (folder / "report.md").read_text(encoding="utf-8")
    assert "Cityscapes" in report_text.table(drawn)
