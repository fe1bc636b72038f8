"""Progress, passed answers, hints and solutions: kept, given back, never lost, and not touched in a test."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys

import pytest
import torch

from p2plib.checks import check, hint, mine, progress, registry, solution, table
from p2plib.errors import UserError

progress_file = importlib.import_module("p2plib.checks.progress")
mine_file = importlib.import_module("p2plib.checks.mine")
hints_file = importlib.import_module("p2plib.checks.hints")

CELL = """
import torch
import torch.nn.functional as F
from torch import Tensor, nn

TWO = 2
junk = torch.zeros(3)


def middle(width):
    return width // TWO


def half(picture: Tensor) -> Tensor:
    junk = F.relu(torch.ones(1))
    return picture[:, :, : middle(picture.shape[2])]


def my_half(picture):
    return picture[:, :, : middle(picture.shape[2])]


class Half(nn.Module):
    def __call__(self, p):
        return my_half(p)


def around():
    n = 2
    return lambda p: p, (lambda: n), def_inside(n)


def def_inside(n):
    def half(p):
        return p[..., : p.shape[-1] // n]

    return half


closure = def_inside(2)
name_less = lambda p: half(p)


def uses_junk(p):
    return p[:, :, : p.shape[2] // 2 + int(junk[0])]


@torch.no_grad()
def decorated(p):
    return my_half(p)
"""


@pytest.fixture
def cell():
    """The names of a notebook cell."""
    shell_module = pytest.importorskip("IPython.core.interactiveshell")
    shell = shell_module.InteractiveShell()
    assert shell.run_cell(CELL).success
    return shell.user_ns


def answers():
    """The module of known answers of chapter 01."""
    spec = importlib.util.spec_from_file_location("answers_of_01", table.ANSWERS / "ch01.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules["answers_of_01"] = module
    spec.loader.exec_module(module)
    return module


def forget():
    mine_file._passed.clear()


# --- progress -----------------------------------------------------------------------------------


def test_progress_is_written_and_a_pass_stays(learner, cell, capsys):
    check("0.1", lambda p: p)
    assert json.loads((learner / "progress.json").read_text()) == {"version": 1, "exercises": {"0.1": "tried"}}
    check("0.1", cell["half"])
    check("0.1", lambda p: p)
    check("1.1", ...)
    assert progress_file.read() == {"0.1": "passed"}
    capsys.readouterr()
    progress()
    shown = capsys.readouterr().out
    assert "✔ 0.1 half a picture: passed" in shown
    assert "○ 1.1 split a pair: to do" in shown


@pytest.mark.parametrize("spoilt", ["", "{", "[]", '{"version": 2, "exercises": {}}', '{"version": 1}', "\x00\xff"])
def test_a_spoilt_file_is_kept_aside(learner, spoilt):
    learner.mkdir()
    (learner / "progress.json").write_bytes(spoilt.encode("latin-1"))
    assert progress_file.read() == {}
    progress_file.note("1.1", passed=True)
    assert progress_file.read() == {"1.1": "passed"}
    assert (learner / "progress.kept-aside-1.json").read_bytes() == spoilt.encode("latin-1")


def test_two_notebooks_at_once_lose_nothing(learner):
    code = "import sys; from p2plib.checks.progress import note\nfor i in range(40): note(f'{sys.argv[1]}.{i}', True)"
    both = [subprocess.Popen([sys.executable, "-c", code, number]) for number in ("1", "2")]
    assert [p.wait(120) for p in both] == [0, 0]
    assert progress_file.read() == {f"{n}.{i}": "passed" for n in (1, 2) for i in range(40)}
    assert sorted(p.name for p in learner.iterdir()) == [".lock", "progress.json"]


def test_in_a_test_and_under_a_grader_nothing_is_kept(learner, monkeypatch, cell, capsys):
    for name, value in (("P2PLIB_BUDGET", "test"), ("NBGRADER_EXECUTION", "autograde")):
        with monkeypatch.context() as here:
            here.setenv(name, value)
            check("0.1", cell["half"])
            progress()
            assert mine("0.1") is registry.find("0.1").parts[0].ours
    assert not learner.exists()
    assert "this is the library's `half`" in capsys.readouterr().out


def test_a_disk_that_refuses_is_told_and_no_reason_to_stop(learner, cell, capsys):
    learner.write_text("a file")
    check("0.1", cell["half"])
    shown = capsys.readouterr().out
    assert shown.startswith("✔ passed")
    assert "This is not kept:" in shown


# --- mine -----------------------------------------------------------------------------------------


def test_a_passed_answer_comes_back_in_another_session(learner, cell, capsys):
    check("0.1", cell["half"])
    assert mine("0.1") is cell["half"]
    forget()
    again = mine("0.1")
    assert again is not cell["half"]
    assert torch.equal(again(torch.ones(3, 4, 6)), torch.ones(3, 4, 3))
    assert "library" not in capsys.readouterr().out
    text = (learner / "my_pix2pix.py").read_text()
    for line in ("TWO = 2", "def middle(width):", "import torch", "import torch.nn.functional as F"):
        assert line in text
    assert "junk = torch.zeros" not in text
    done = subprocess.run([sys.executable, learner / "my_pix2pix.py"], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["my_half", "Half", "decorated"])
def test_other_names_classes_and_decorators_are_kept(learner, cell, name):
    check("0.1", cell[name])
    assert mine("0.1")(torch.ones(3, 4, 6)).shape == (3, 4, 3)
    forget()
    assert "half" in (learner / "my_pix2pix.py").read_text()
    assert mine("0.1")(torch.ones(3, 4, 6)).shape == (3, 4, 3)


@pytest.mark.parametrize("name", ["closure", "name_less", "uses_junk"])
def test_what_cannot_be_written_down_is_said(learner, cell, name, capsys):
    check("0.1", cell[name])
    shown = capsys.readouterr().out
    assert shown.startswith("✔ passed")
    assert "It is not written into my_work/my_pix2pix.py" in shown
    assert not (learner / "my_pix2pix.py").exists()
    assert mine("0.1") is cell[name]


def test_what_is_written_by_hand_stays(learner, cell):
    check("0.1", cell["half"])
    path = learner / "my_pix2pix.py"
    text = path.read_text()
    by_hand = text.replace("# --- 0.1 half", "MINE = 1\n# --- 0.1 half") + "\n# my last line, no newline"
    path.write_text(by_hand)
    check("0.1", cell["half"])
    assert path.read_text().rstrip("\n") == by_hand
    check("0.1", cell["my_half"])
    changed = path.read_text()
    assert "MINE = 1" in changed
    assert "# my last line" in changed
    assert changed.count("begin ---") == 2  # imports, 0.1


def test_several_exercises_stand_in_order(learner, cell):
    ch01 = answers()
    check("1.2", ch01.signed, ch01.back)
    check("1.1", ch01.plain)
    check("0.1", cell["half"])
    text = (learner / "my_pix2pix.py").read_text()
    assert text.index("0.1 half") < text.index("1.1 split") < text.index("1.2 to")
    forget()
    signed, back = mine("1.2")
    every = torch.arange(256, dtype=torch.uint8)
    assert torch.equal(back(signed(every)), every)
    left, _ = mine("1.1")(torch.ones(3, 2, 4), "AtoB")
    assert left.shape == (3, 2, 2)


def test_a_file_that_does_not_run(learner, cell, capsys):
    check("0.1", cell["half"])
    path = learner / "my_pix2pix.py"
    path.write_text(path.read_text() + "1 / 0\n")
    forget()
    capsys.readouterr()
    assert mine("0.1") is registry.find("0.1").parts[0].ours
    assert "could not be run (ZeroDivisionError)" in capsys.readouterr().out


def test_a_spoilt_file_is_kept_aside_and_what_is_whole_is_saved(learner, cell):
    check("0.1", cell["half"])
    path = learner / "my_pix2pix.py"
    spoilt = path.read_text() + "def broken(:\n"
    path.write_text(spoilt)
    ch01 = answers()
    check("1.1", ch01.plain)
    assert (learner / "my_pix2pix.kept-aside-1.py").read_text() == spoilt
    forget()
    assert mine("0.1")(torch.ones(3, 4, 6)).shape == (3, 4, 3)
    assert mine("1.1")(torch.ones(3, 4, 6), "AtoB")[0].shape == (3, 4, 3)


# --- hints and solutions ------------------------------------------------------------------------------


def test_hints(capsys):
    hint("1.1")
    hint("1.1", n=2)
    shown = capsys.readouterr().out
    assert "Hint 1 of 3 to 1.1 split a pair" in shown
    assert "Hint 2 of 3" in shown
    for n in (0, 4, True, "1"):
        with pytest.raises(UserError, match="1 to 3"):
            hint("1.1", n)


def notebook(*cells):
    made = [
        {"cell_type": "code", "metadata": {"nbgrader": {"grade_id": id, "solution": True}}, "source": source}
        for id, source in cells
    ]
    return json.dumps({"cells": made, "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


@pytest.mark.parametrize("id", ["1.1", "ex-1-1", "exercise_1_1"])
def test_the_solution_stands_in_the_solved_notebook(id, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(hints_file, "SOLUTIONS", tmp_path)
    solved = "def split_pair(p, d):\n    ### BEGIN SOLUTION\n    return 1 < 2\n    ### END SOLUTION\n# hint('1.1')"
    (tmp_path / "01_pairs.ipynb").write_text(notebook(("ex-1-10", "no"), (id, solved), ("ex-1-1-test", "check()")))
    solution("1.1")
    shown = capsys.readouterr().out
    assert shown == "A solution of 1.1 split a pair\ndef split_pair(p, d):\n    return 1 < 2\n"


def test_no_solved_notebook(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(hints_file, "SOLUTIONS", tmp_path)
    (tmp_path / "01_pairs.ipynb").write_text("spoilt")
    solution("1.1")
    assert "is not here" in capsys.readouterr().out


def test_progress_lists_the_chapters_that_are_handed_out():
    chapters = {exercise.chapter for exercise in progress_file.handed_out()}
    folder = table.ANSWERS.parents[2] / "exercises"
    assert chapters == {0, *(int(path.name[:2]) for path in folder.glob("*.ipynb"))}


NORM = """
def batch_norm(x, eps=1e-5):
    mean = x.mean(dim=(0, 2, 3), keepdim=True)
    return (x - mean) / (((x - mean) ** 2).mean(dim=(0, 2, 3), keepdim=True) + eps) ** 0.5


def why_refused():
    return "b"
"""


def test_of_an_exercise_with_a_question_the_function_is_kept(learner, cell):
    shell = pytest.importorskip("IPython.core.interactiveshell").InteractiveShell()
    assert shell.run_cell(NORM).success
    check("2.6", shell.user_ns["batch_norm"], shell.user_ns["why_refused"])
    assert progress_file.read() == {"2.6": "passed"}
    text = (learner / "my_pix2pix.py").read_text()
    assert "def batch_norm" in text
    assert "why_refused" not in text
    assert mine("2.6") is shell.user_ns["batch_norm"]
    forget()
    assert mine("2.6")(torch.ones(1, 2, 1, 1)).abs().max() == 0
