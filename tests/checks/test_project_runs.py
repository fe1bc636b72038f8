"""Chapter 11: runs as answers, in a test's size and a learner's; curves; claims that reports carry."""

from __future__ import annotations

import json
import math
import re
import shlex

import pytest

from p2plib.checks import curve_mistakes, registry
from p2plib.checks.engine import check, judge
from p2plib.checks.mine import mine
from p2plib.checks.outcome import Status
from p2plib.checks.read_curves import KEYS, alike, read_curves, runs
from p2plib.checks.trial import Trial
from p2plib.evaluation import evaluate_run
from p2plib.evaluation.report import MEASURES
from p2plib.training import Trainer, configure
from p2plib.training.metrics_file import read_metrics

TINY = dict(size=32, base=4, batch=2, epochs=2, device="cpu", schedule="constant")
CLAIMS = [("l1", "<"), ("sharpness", ">"), ("lab_l", ">")]


@pytest.fixture
def run(pair_folder, tmp_path):
    """run(name, stop=1, **settings): six pairs, two epochs, stopped after `stop` of them and gone on with; 0: never."""

    def make(name="run", stop=1, go_on=True, **settings):
        if not (tmp_path / "pairs").exists():
            pair_folder("split")
        config = configure(tmp_path / "pairs", "laptop", **(TINY | settings))
        Trainer(config, tmp_path / name).fit(progress=False, turns=stop or None)
        if stop and go_on:
            Trainer(config, tmp_path / name, resume=True).fit(progress=False)
        return tmp_path / name

    return make


@pytest.fixture
def reported(run):
    """reported(name, **measures): a run with its report, in which some measures are (value, low, high)."""

    def make(name, **measures):
        folder = run(name, stop=0)
        evaluate_run(folder, progress=False).write(folder)
        content = json.loads((folder / "report.json").read_text(encoding="utf-8"))
        for key, values in measures.items():
            content["measures"][key] = dict(zip(("value", "low", "high"), values, strict=True))
        (folder / "report.json").write_text(json.dumps(content), encoding="utf-8")
        return folder

    return make


# --- 11.1 -------------------------------------------------------------------------------------------


def test_a_run_of_a_few_steps_passes_in_a_test_and_is_too_short_for_a_learner(run, monkeypatch):
    folder = run()
    assert judge("11.1", folder).status is Status.PASSED
    monkeypatch.setenv("P2PLIB_BUDGET", "learner")
    outcome = judge("11.1", folder)
    assert outcome.status is Status.WRONG
    assert "the run saw 12 pictures; asked are 1,000 or more" in outcome.message
    assert "it was stopped and gone on with" in outcome.message


@pytest.mark.parametrize(("stop", "go_on", "said"), [(1, False, "at step 3 of 6"), (0, True, "in one session")])
def test_what_a_message_says_to_type_makes_it_pass(run, p2p, stop, go_on, said):
    folder = run(stop=stop, go_on=go_on)
    outcome = judge("11.1", folder)
    assert said in outcome.message
    (command,) = re.findall(r"`python -m p2plib (train [^`]+)`", outcome.message)
    assert p2p(*shlex.split(command))[0] == 0
    assert judge("11.1", str(folder)).status is Status.PASSED


@pytest.mark.parametrize("name", ["metrics.csv", "generator.safetensors"])
def test_a_file_that_is_gone_is_written_again_by_what_the_message_says(run, p2p, name):
    folder = run()
    before = (folder / name).read_bytes()
    (folder / name).unlink()
    outcome = judge("11.1", folder)
    assert outcome.status is Status.WRONG
    (command,) = re.findall(r"`python -m p2plib (train [^`]+)`", outcome.message)
    assert p2p(*shlex.split(command))[0] == 0
    assert (folder / name).read_bytes() == before
    assert judge("11.1", folder).status is Status.PASSED


def test_a_trainer_is_asked_for_its_folder(run):
    folder = run()
    trainer = Trainer(configure(folder.parent / "pairs", "laptop", **TINY), folder, resume=True)
    outcome = judge("11.1", trainer)
    assert outcome.status is Status.WRONG
    assert outcome.cause == "Is its folder meant, `trainer.run`?"


def test_checking_changes_nothing_in_the_folder(reported, snapshot):
    one, two = reported("one"), reported("two")
    before = snapshot(one.parent)
    judge("11.1", one)
    judge("11.3", one, two, CLAIMS)
    assert snapshot(one.parent) == before


# --- 11.2 -------------------------------------------------------------------------------------------

LIKES = [(key, m.cause, like) for key, mistakes in curve_mistakes.OF.items() for m in mistakes for like in m.like]


@pytest.mark.parametrize(("key", "cause", "like"), LIKES)
def test_the_runs_tell_the_known_mistakes_apart(key, cause, like):
    def answer(rows):
        return {**read_curves(rows), key: like(rows)}

    for seed in range(4):
        outcome = judge("11.2", answer, seed=seed)
        assert outcome.status is Status.WRONG
        assert outcome.cause == cause


@pytest.mark.parametrize("objective", ["L1", "L1+cGAN"])
def test_rows_of_a_trainer_are_read_and_so_is_metrics_csv(run, objective):
    folder = run(objective=objective)
    rows = read_metrics(folder)
    config = configure(folder.parent / "pairs", "laptop", **(TINY | {"objective": objective}))
    trainer = Trainer(config, folder, resume=True)
    for key, value in read_curves(trainer.rows).items():
        assert value is None or math.isclose(value, read_curves(rows)[key], abs_tol=1e-5), key
    assert (read_curves(rows)["d_accuracy"] is None) == (objective == "L1")
    assert read_curves(rows)["best_l1"] == min(row["held_out_l1"] for row in rows if row["held_out_l1"] is not None)


def test_the_runs_that_are_drawn_are_as_their_names_say():
    for seed in range(20):
        finished, stopped, alone, equal = runs(Trial(registry.find("11.2"), (None,), seed)).values()
        assert finished[-1]["held_out_l1"] is not None
        assert stopped[-1]["held_out_l1"] is None
        assert all(row["loss_d"] is row["loss_gan"] is row["d_accuracy"] is None for row in alone)
        held = sorted(row["held_out_l1"] for row in equal if row["held_out_l1"] is not None)
        assert held[0] == held[1] < held[2]
        assert read_curves(finished)["gap"] > 0 > read_curves(alone)["gap"]
        for rows in (finished, stopped, alone, equal):
            assert set(read_curves(rows)) == set(KEYS)
            steps = [row["step"] for row in rows]
            assert steps == sorted(set(steps))


def test_numbers_are_alike_to_within_rounding():
    assert alike(0.3, 0.3 + 1e-7)
    assert not alike(0.3, 0.3001)
    assert not alike(None, 0.3)
    assert not alike(0.0, None)
    assert not alike(True, 1.0)
    assert alike(None, None)


def test_a_passed_answer_is_given_back(learner, capsys):
    names = {}
    source = (
        "def read_curves(rows):\n"
        "    looks = [r for r in rows if r['held_out_l1'] is not None]\n"
        "    best = min(looks, key=lambda r: r['held_out_l1'])\n"
        "    last = [r for r in rows if r['epoch'] == rows[-1]['epoch']]\n"
        "    right = [r['d_accuracy'] for r in last if r['d_accuracy'] is not None]\n"
        "    l1 = looks[-1]['held_out_l1']\n"
        "    return {'best_epoch': best['epoch'], 'best_l1': best['held_out_l1'], 'last_l1': l1,\n"
        "            'gap': l1 - sum(r['loss_pixel'] for r in last) / len(last),\n"
        "            'd_accuracy': sum(right) / len(right) if right else None}\n"
    )
    exec(source, names)
    check("11.2", names["read_curves"])
    assert "passed" in capsys.readouterr().out
    assert mine("11.2") is names["read_curves"]


# --- 11.3 -------------------------------------------------------------------------------------------


def test_reports_of_a_few_steps_do_in_a_test_and_not_for_a_learner(reported, monkeypatch):
    one = reported("one", l1=(0.2, 0.1, 0.3), sharpness=(0.9, 0.8, 1.0), lab_l=(0.9, 0.8, 1.0))
    two = reported("two", l1=(0.5, 0.4, 0.6), sharpness=(0.5, 0.4, 0.6), lab_l=(0.5, 0.4, 0.6))
    assert judge("11.3", one, two, CLAIMS).status is Status.PASSED
    monkeypatch.setenv("P2PLIB_BUDGET", "learner")
    assert "is a run of 12 pictures; asked are 1,000 or more" in judge("11.3", one, two, CLAIMS).message


def test_every_measure_of_a_report_can_be_claimed(reported):
    one = reported("one", **dict.fromkeys(MEASURES, (0.2, 0.1, 0.3)))
    two = reported("two", **dict.fromkeys(MEASURES, (0.5, 0.4, 0.6)))
    assert judge("11.3", one, two, [(name, "<") for name in MEASURES]).status is Status.PASSED


def test_epochs_and_pictures_are_one_thing(reported):
    apart = dict(l1=(0.2, 0.1, 0.3), sharpness=(0.9, 0.8, 1.0), lab_l=(0.9, 0.8, 1.0))
    one = reported("one", **apart)
    two = reported("two", **{name: (value / 4, low / 4, high / 4) for name, (value, low, high) in apart.items()})
    path = two / "report.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["run"] |= {"epochs": 1, "images": 5}
    path.write_text(json.dumps(content), encoding="utf-8")
    claims = [("l1", ">"), ("sharpness", ">"), ("lab_l", ">")]
    assert "differ" not in judge("11.3", one, two, claims).message
    content["run"] |= {"limit": 3}
    path.write_text(json.dumps(content), encoding="utf-8")
    assert "the two runs differ in `" in judge("11.3", one, two, claims).message


def test_intervals_that_touch_overlap(reported):
    one = reported("one", **dict.fromkeys(MEASURES, (0.2, 0.1, 0.3)))
    two = reported("two", **dict.fromkeys(MEASURES, (0.4, 0.3, 0.5)))
    outcome = judge("11.3", one, two, [("l1", "<"), ("lab_l", "<"), ("lab_a", "<")])
    assert outcome.message.endswith("they overlap, so the numbers do not decide it.")
    assert "`l1` is 0.200 (0.100 to 0.300) for the first run and 0.400 (0.300 to 0.500)" in outcome.message


def test_where_l1_differs_picture_by_picture_that_is_said_too(reported):
    wide = dict.fromkeys(MEASURES, (0.3, 0.1, 0.5))
    one, two = reported("one", **wide), reported("two", **wide)
    path = two / "report.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["per_picture"]["l1"] = [value + 0.01 for value in content["per_picture"]["l1"]]
    path.write_text(json.dumps(content), encoding="utf-8")
    claims = [("l1", "<"), ("lab_l", "<"), ("lab_a", "<")]
    (note,) = judge("11.3", one, two, claims).notes
    assert "is -0.0100 (-0.0100 to -0.0100)" in note
    assert judge("11.3", one, two, claims[1:] + claims[:1]).notes == (note,)
    assert judge("11.3", one, two, [("sharpness", "<"), *claims[1:]]).notes == ()  # l1 is not claimed


def test_few_held_out_pairs_are_told(reported, monkeypatch):
    one, two = reported("one"), reported("two")
    for folder in (one, two):
        path = folder / "report.json"
        content = json.loads(path.read_text(encoding="utf-8")) | {"images": 5000}
        path.write_text(json.dumps(content), encoding="utf-8")
    monkeypatch.setenv("P2PLIB_BUDGET", "learner")
    assert "measured with 2 held-out pairs; asked are 10 or more" in judge("11.3", one, two, CLAIMS).message
