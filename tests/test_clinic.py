"""The clinic: recipes that break one thing, records that give nothing away, and signs that tell the runs apart."""

from __future__ import annotations

import io
import json
import string
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from PIL import Image

from p2plib import clinic, recorded
from p2plib.checks.diagnosis import FAULTS, against, filled
from p2plib.checks.engine import judge
from p2plib.checks.outcome import Status
from p2plib.clinic import recipes
from p2plib.clinic.record import record
from p2plib.clinic.show import FARTHEST, draw_run, number
from p2plib.plots.output import png

ALL = ["healthy", *clinic.LETTERS]
MEASURES = {letter: clinic.read_run(letter).measures for letter in ALL}


# --- the records ------------------------------------------------------------------------------------


def test_there_is_a_record_of_each_run_and_no_other():
    assert recorded.names("clinic") == sorted(f"clinic/{letter}" for letter in recipes.RUNS)
    assert sorted(recipes.RUNS.values()) == sorted(recipes.RECIPES)
    assert set(recipes.RECIPES) - {"healthy"} == set(FAULTS)


@pytest.mark.parametrize("letter", ALL)
def test_a_record_is_small_and_says_nothing_of_what_is_wrong(letter):
    folder = recorded.FOLDER / "clinic" / letter
    assert sum(path.stat().st_size for path in folder.iterdir()) < 150_000
    content = json.loads((folder / "record.json").read_text(encoding="utf-8"))
    assert content["settings"] == recipes.COMMON
    assert content["command"] == f"python -m p2plib clinic record {letter}"
    assert not any(name in json.dumps(content) for name in FAULTS)
    assert set(content["measures"]) == {*clinic.MEASURES, "light"}
    healthy = json.loads((recorded.FOLDER / "clinic" / "healthy" / "record.json").read_text(encoding="utf-8"))
    assert content["environment"] == healthy["environment"]
    assert [row["images"] for row in content["rows"]] == [row["images"] for row in healthy["rows"]]


def test_the_letters_are_not_in_the_order_of_the_names():
    order = [recipes.RUNS[letter] for letter in clinic.LETTERS]
    assert tuple(clinic.LETTERS) == tuple(string.ascii_lowercase[:8])
    assert order not in (list(FAULTS), sorted(FAULTS))
    assert not any(a == b for a, b in zip(order, FAULTS, strict=True))


@pytest.mark.parametrize(("one", "other"), list(combinations(ALL, 2)))
def test_any_two_runs_differ_plainly_in_a_number_that_is_shown(one, other):
    """Half as much again, and by more than is drawn by chance."""

    def plain(name):
        a, b = sorted((MEASURES[one][name], MEASURES[other][name]))
        return b > 1.5 * a and b - a > 0.05

    assert any(plain(name) for name in clinic.MEASURES), (one, other)


# --- the signs --------------------------------------------------------------------------------------


@pytest.mark.parametrize("letter", clinic.LETTERS)
def test_a_run_has_the_signs_of_its_fault_and_of_no_other(letter):
    there = [name for name in FAULTS if against(name, MEASURES[letter]) is None]
    assert there == [recipes.RUNS[letter]]


def test_the_healthy_run_has_the_signs_of_none():
    assert all(against(name, MEASURES["healthy"]) for name in FAULTS)


@pytest.mark.parametrize("letter", clinic.LETTERS)
def test_a_wrong_name_is_told_by_a_number_of_the_run_and_the_right_one_is_explained(letter):
    number = f"7.{1 + clinic.LETTERS.index(letter)}"
    for name, fault in FAULTS.items():
        outcome = judge(number, name)
        if name == recipes.RUNS[letter]:
            assert outcome.status is Status.PASSED
            assert outcome.notes == (filled(fault.explained, MEASURES[letter]),)
        else:
            assert outcome.status is Status.WRONG
            assert recipes.RUNS[letter] not in f"{outcome.message} {outcome.cause}"
            assert any(character.isdigit() for character in outcome.cause)


#: The five questions of the chapter, in its order and with its limits: when it is a yes, and whose fault it finds.
QUESTIONS = (
    (lambda m: 0.5 < m["moved"] / MEASURES["healthy"]["moved"] < 3, {"no-gradient", "d-wins", "rate-too-high"}),
    (lambda m: m["l1"] < 1.05 * m["held_out_end"] and m["modes"] < 0.1, {"eval-mode"}),
    (lambda m: min(m["l1_other"], m["l1_mirrored"]) > 1.2 * m["l1"], {"no-condition"}),
    (lambda m: 0.1 < m["share"] < 0.5 and 0.05 < m["loss_d_end"] < 0.65, {"lambda-on-d", "sigmoid-twice"}),
    (lambda m: abs(m["loss_pixel_end"] - m["held_out_end"]) <= 0.02, {"inputs-mirrored"}),
)


@pytest.mark.parametrize("letter", clinic.LETTERS)
def test_the_first_no_of_a_run_is_the_question_of_its_own_fault(letter):
    first = next(faults for yes, faults in QUESTIONS if not yes(MEASURES[letter]))
    assert recipes.RUNS[letter] in first


def test_the_healthy_run_answers_every_question_with_yes_and_each_fault_has_one():
    assert all(yes(MEASURES["healthy"]) for yes, _ in QUESTIONS)
    assert sorted(name for _, faults in QUESTIONS for name in faults) == sorted(FAULTS)


def test_a_message_and_the_table_write_the_same_digits():
    assert "Here its say is 0.0043." in against("no-condition", MEASURES["d"])
    assert "moved 0.047 of its length, beside 0.47" in filled(FAULTS["d-wins"].explained, MEASURES["h"])
    assert "no farther apart than in the healthy run (0.18 and 0.17)" in against("inputs-mirrored", MEASURES["c"])
    for letter, value in (("d", "0.0043"), ("h", "0.047"), ("f", "5.92")):
        assert value in clinic.table([letter])


def test_where_a_message_says_no_farther_apart_it_is_so():
    healthy = MEASURES["healthy"]["loss_pixel_end"] - MEASURES["healthy"]["held_out_end"]
    for letter in clinic.LETTERS:
        if "no farther apart" in (against("inputs-mirrored", MEASURES[letter]) or ""):
            assert MEASURES[letter]["loss_pixel_end"] - MEASURES[letter]["held_out_end"] < healthy + 0.002


def test_only_the_run_with_two_sigmoids_has_a_level_accuracy():
    """What a message of `sigmoid-twice` says of the others."""
    for letter in clinic.LETTERS:
        values = [row["d_accuracy"] for row in clinic.read_run(letter).rows]
        assert (max(values) - min(values) < 0.01) == (recipes.RUNS[letter] == "sigmoid-twice")


def test_a_name_without_quotes_is_told_so():
    names = {}
    exec("def run_a():\n    return d-wins", names)
    outcome = judge("7.1", names["run_a"])
    assert outcome.status is Status.CRASHED
    assert outcome.cause == "A name is a text. Does it stand in quotes?"


# --- the recipes ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def short(tmp_path_factory):
    """Each run, 48 pictures of it: name → its measurements."""
    folder = tmp_path_factory.mktemp("clinic")
    for letter in recipes.RUNS:
        record(letter, folder, images=48, progress=False)
    return {recipes.RUNS[letter]: recorded.read(f"clinic/{letter}", folder).measures for letter in recipes.RUNS}


def test_each_recipe_breaks_what_it_says(short):
    assert short["no-gradient"]["moved"] == short["no-gradient"]["gradient"] == short["no-gradient"]["share"] == 0
    assert min(m["moved"] for name, m in short.items() if name != "no-gradient") > 0
    assert short["sigmoid-twice"]["d_accuracy_end"] == pytest.approx(0.5, abs=0.01)
    assert 0.5 < short["sigmoid-twice"]["loss_d_end"] < 0.72
    assert short["rate-too-high"]["moved"] > 5 * short["healthy"]["moved"]
    assert short["lambda-on-d"]["share"] > 0.99
    assert short["no-condition"]["share"] == 1
    assert 0 < short["d-wins"]["moved"] < 0.2 * short["healthy"]["moved"]
    assert short["eval-mode"]["l1"] != short["eval-mode"]["held_out_end"]
    trained = ("loss_d_end", "loss_gan_end", "loss_pixel_end", "held_out_end", "moved", "modes")
    assert {short["eval-mode"][name] for name in trained[:5]} == {short["healthy"][name] for name in trained[:5]}


def test_only_inputs_are_mirrored_and_only_in_that_run(monkeypatch):
    seen = {}
    for name in ("healthy", "inputs-mirrored"):
        trainer = recipes.RECIPES[name].build(images=8, limit=8)
        monkeypatch.setattr(trainer, "step", lambda x, y, name=name: seen.update({name: (x, y)}) or torch.zeros(3))
        trainer.fit(progress=False)
        x, y = seen[name]
        pairs = [trainer.source.train.batch([i]) for i in range(8)]
        of = [(_which(x[i], [p[0] for p in pairs]), _which(y[i], [p[1] for p in pairs])) for i in range(8)]
        assert [a[0] for a, _ in of] == [b[0] for _, b in of]
        together = [a[1] == b[1] for a, b in of]
        assert all(together) == (name == "healthy")
        assert any(together)
    assert all(not flipped for _, flipped in [b for _, b in of])


def _which(picture, stored):
    """(index, was it mirrored?) of a picture among the stored ones."""
    from p2plib.data.augment import to_signed

    found = [
        (i, flipped)
        for i, one in enumerate(stored)
        for flipped in (False, True)
        if torch.equal(to_signed(one[0].flip(-1) if flipped else one[0]), picture)
    ]
    return found[0]


# --- what is shown ----------------------------------------------------------------------------------


def test_the_table_has_a_line_a_measurement_and_a_column_a_run():
    lines = clinic.table(ALL).split("\n")
    assert lines[0].split() == ALL
    assert [line.split("  ")[0] for line in lines[1:]] == [short for short, _ in clinic.MEASURES.values()]
    assert "mean |output − target|" in clinic.table(["a", "healthy"])


def test_a_run_is_shown_with_its_numbers_in_words(capsys):
    pytest.importorskip("IPython")
    clinic.show_run("a")
    out = capsys.readouterr().out
    assert "Curves and three held-out pairs of run a. D's loss: from " in out
    end = number(MEASURES["a"]["d_accuracy_end"])
    assert f"D is right: from 0.66 to {end}" in out


@pytest.mark.parametrize("letter", ALL)
def test_the_distance_is_drawn_on_one_scale_and_what_lies_above_is_written(letter):
    figure = draw_run(clinic.read_run(letter))
    axis = next(axis for part in figure.subfigs for axis in part.axes if axis.get_title(loc="left") == "Distance (L1)")
    assert axis.get_ylim() == (0, FARTHEST)
    assert [text.get_text() for text in axis.texts] == (["begins at 0.55"] if letter == "f" else [])
    assert clinic.read_run("f").rows[0]["loss_pixel"] == max(row["loss_pixel"] for row in clinic.read_run("f").rows)
    plt.close(figure)


def test_a_figure_takes_a_third_of_the_bytes_in_256_colours_and_looks_the_same():
    full, few = (png(draw_run(clinic.read_run("a")), colours) for colours in (None, 256))
    assert len(few) < 0.45 * len(full)
    one, other = (np.asarray(Image.open(io.BytesIO(data)).convert("RGB"), dtype=float) for data in (full, few))
    assert one.shape == other.shape
    assert np.abs(one - other).mean() < 2  # of 255


def test_the_list_gives_nothing_away(p2p):
    code, out, _ = p2p("clinic", "list")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()] == ALL
    assert not any(name in out for name in FAULTS)


def test_an_unknown_letter_is_one_sentence(p2p):
    code, _, err = p2p("clinic", "record", "z")
    assert code == 2
    assert err == ("p2plib: There is no run 'z' in the clinic; there are healthy, a, b, c, d, e, f, g, h.\n")
