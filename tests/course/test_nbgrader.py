"""The solutions as an assignment of nbgrader: handed out, handed in and graded by its own commands."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from p2plib import exercises, notebooks
from p2plib.checks import check
from p2plib.checks.outcome import CheckFailed

pytest.importorskip("nbgrader")

SOLUTIONS = exercises.solutions()
#: The chapter that students of every kind hand in: its exercises build on one another.
PATH = next(path for path in SOLUTIONS if path.stem.startswith("02_"))


def test_under_nbgrader_a_check_raises_unless_it_passes(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    check("0.1", lambda picture: picture[:, :, : picture.shape[2] // 2])
    for answer in (..., lambda picture: picture):
        with pytest.raises(CheckFailed, match="half a picture"):
            check("0.1", answer)
    assert capsys.readouterr().err == ""


# --- two assignments -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A graded course whose assignment "ps" is every solved notebook, all of them handed in as they are."""
    folder = released_course(tmp_path_factory.mktemp("whole"), SOLUTIONS)
    for path in SOLUTIONS:
        hand_in(folder, "solved", path)
    return autograded(folder)


@pytest.fixture(scope="module")
def chapter(tmp_path_factory):
    """A graded course whose assignment "ps" is one notebook; each student has done something else with it."""
    folder = released_course(tmp_path_factory.mktemp("chapter"), [PATH])
    shutil.copytree(folder / "release" / "ps", folder / "submitted" / "unsolved" / "ps")
    for student, change in CHANGES.items():
        hand_in(folder, student, PATH, change)
    return autograded(folder)


def released_course(folder, paths):
    (folder / "source" / "ps").mkdir(parents=True)
    for path in paths:
        shutil.copy(path, folder / "source" / "ps")
    nbgrader(folder, "generate_assignment", "ps")
    return folder


def hand_in(folder, student, path, change=lambda notebook: None):
    """The solved notebook, changed: a learner's own copy, with stored outputs and all, without checksums."""
    notebook = notebooks.read(path)
    change(notebook)
    to = folder / "submitted" / student / "ps"
    to.mkdir(parents=True, exist_ok=True)
    notebooks.write(to / path.name, notebook)


def autograded(folder):
    nbgrader(folder, "autograde", "ps", "--Execute.timeout=300", "--OverwriteCells.add_missing_cells=True")
    return folder


def nbgrader(folder, *arguments):
    """Run one command of nbgrader, as an instructor does who has no settings of their own."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST_", "NBGRADER"))}
    environment |= {"P2PLIB_MY_WORK": str(folder / "my_work"), "JUPYTER_CONFIG_DIR": str(folder / "config")}
    # nbgrader calls alembic by its name: an activated environment has it on the path.
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment.get("PATH", "")])
    command = [sys.executable, "-m", "nbgrader", *arguments, f"--CourseDirectory.root={folder}"]
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=550)
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert "Traceback" not in ran.stderr


def solution_cells(notebook):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("solution")]


def check_cells(notebook):
    return [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]


# --- what students do with a solved notebook --------------------------------------------------------------


def answer_the_last_wrongly(notebook):
    """`return None` in place of each region of the last solution: no later exercise builds on that one."""
    cell = solution_cells(notebook)[-1]
    lines, inside = [], False
    for line in cell.source.split("\n"):
        if "BEGIN SOLUTION" in line:
            lines.append(line.split("#")[0] + "return None")
            inside = True
        if not inside:
            lines.append(line)
        inside = inside and "END SOLUTION" not in line
    cell.source = "\n".join(lines)


def tamper(notebook):
    """Nothing is solved; the first check is taken away, the others only print that all is well."""
    first, *others = check_cells(notebook)
    for cell in solution_cells(notebook):
        cell.source = "pass"
    for cell in others:
        cell.source = 'print("✔ passed")'
        cell.metadata.nbgrader.points = 5
    notebook.cells.remove(first)


def forget_a_check(notebook):
    """All is solved, and one check was deleted by accident."""
    notebook.cells.remove(check_cells(notebook)[0])


CHANGES = {"wrong": answer_the_last_wrongly, "tampered": tamper, "forgetful": forget_a_check}


# --- what is released and graded --------------------------------------------------------------------------


def points(folder, student, name=PATH.stem):
    """Points by exercise."""
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        grades = book.find_submission_notebook(name, "ps", student).grades
        assert not any(grade.needs_manual_grade for grade in grades)
        return {grade.name: (grade.score, grade.max_score) for grade in grades}


def graded(folder, student, name=PATH.stem):
    return notebooks.read(Path(folder) / "autograded" / student / "ps" / f"{name}.ipynb")


def checks_of(path):
    return [f"check-{cell.metadata.nbgrader.grade_id[3:]}" for cell in solution_cells(notebooks.read(path))]


def outputs(notebook):
    return [out for cell in notebook.cells for out in cell.get("outputs", [])]


@pytest.fixture(params=SOLUTIONS, ids=lambda path: path.stem)
def path(request):
    return request.param


def test_what_nbgrader_releases_holds_no_solution(whole, path):
    released = notebooks.read(whole / "release" / "ps" / path.name)
    assert "BEGIN SOLUTION" not in nbformat.writes(released)
    assert not outputs(released)
    assert solution_cells(released)
    assert all("raise NotImplementedError" in cell.source for cell in solution_cells(released))


def test_what_nbgrader_releases_is_the_exercise(whole, path):
    """Code cell by code cell, but for the stub: what is shown by running exercises/ is shown of this, too."""

    def code(path):
        cells = [cell for cell in notebooks.read(path).cells if cell.cell_type == "code"]
        sources = [re.sub(r" *# YOUR CODE HERE\n", "", cell.source) for cell in cells]
        return [source.replace("raise NotImplementedError()", "raise NotImplementedError") for source in sources]

    assert code(whole / "release" / "ps" / path.name) == code(path.parents[1] / "exercises" / path.name)


def test_who_solved_all_has_full_marks(whole, path):
    assert points(whole, "solved", path.stem) == dict.fromkeys(checks_of(path), (1, 1))


def test_of_a_solved_notebook_nothing_raises_or_writes_to_stderr(whole, path):
    found = outputs(graded(whole, "solved", path.stem))
    assert found
    assert not [out for out in found if out.output_type == "error" or out.get("name") == "stderr"]


def test_who_solved_nothing_has_none(chapter):
    assert points(chapter, "unsolved") == dict.fromkeys(checks_of(PATH), (0, 1))


def test_one_wrong_answer_costs_its_own_point_alone(chapter):
    ids = checks_of(PATH)
    assert points(chapter, "wrong") == {id: (float(id != ids[-1]), 1) for id in ids}


@pytest.mark.parametrize("student", ["unsolved", "wrong"])
def test_only_checks_raise_and_nothing_is_written_to_stderr(chapter, student):
    notebook = graded(chapter, student)
    raised = [cell for cell in notebook.cells if any(out.output_type == "error" for out in cell.get("outputs", []))]
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id", cell.source) for cell in raised]
    assert ids == (checks_of(PATH) if student == "unsolved" else checks_of(PATH)[-1:])
    assert {out.ename for out in outputs(notebook) if out.output_type == "error"} == {"CheckFailed"}
    assert not [out for out in outputs(notebook) if out.get("name") == "stderr"]


def test_checks_that_were_deleted_or_rewritten_are_put_back(chapter):
    assert points(chapter, "tampered") == dict.fromkeys(checks_of(PATH), (0, 1))
    assert points(chapter, "forgetful") == dict.fromkeys(checks_of(PATH), (1, 1))
    assert not [out for out in outputs(graded(chapter, "tampered")) if "✔ passed" in out.get("text", "")]


def test_grading_keeps_nothing(whole, chapter):
    assert not [*(whole / "my_work").glob("*"), *(chapter / "my_work").glob("*")]
