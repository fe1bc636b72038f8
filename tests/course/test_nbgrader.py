"""The solutions as an assignment of nbgrader: handed out, handed in and graded by its own commands."""

from __future__ import annotations

import os
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

STUDENTS = ("solved", "unsolved", "wrong")
SOLUTIONS = exercises.solutions()


def test_under_nbgrader_a_check_raises_unless_it_passes(monkeypatch, capsys):
    monkeypatch.setenv("NBGRADER_EXECUTION", "autograde")
    check("0.1", lambda picture: picture[:, :, : picture.shape[2] // 2])
    for answer in (..., lambda picture: picture):
        with pytest.raises(CheckFailed, match="half a picture"):
            check("0.1", answer)
    assert capsys.readouterr().err == ""


# --- one assignment for each solved notebook -----------------------------------------------------


@pytest.fixture(scope="module", params=SOLUTIONS, ids=lambda path: path.stem)
def course(request, tmp_path_factory):
    """A graded course folder whose one assignment "ps" is this solved notebook: (folder, name of the notebook)."""
    changes = {"solved": lambda notebook: None, "wrong": answer_the_last_wrongly}
    return graded_course(tmp_path_factory.mktemp("course"), request.param, changes)


def graded_course(folder, path, changes):
    """The same with one student who handed in what was released, and one for each change of the solved notebook."""
    (folder / "source" / "ps").mkdir(parents=True)
    shutil.copy(path, folder / "source" / "ps")
    nbgrader(folder, "generate_assignment", "ps")
    shutil.copytree(folder / "release" / "ps", folder / "submitted" / "unsolved" / "ps")
    for student, change in changes.items():
        notebook = notebooks.read(path)  # as a learner's own copy: stored outputs and all, no checksums
        change(notebook)
        (folder / "submitted" / student / "ps").mkdir(parents=True)
        notebooks.write(folder / "submitted" / student / "ps" / path.name, notebook)
    nbgrader(folder, "autograde", "ps", "--Execute.timeout=300", "--OverwriteCells.add_missing_cells=True")
    return folder, path.stem


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


def points(course, student):
    """Points by exercise."""
    from nbgrader.api import Gradebook

    folder, name = course
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as book:
        grades = book.find_submission_notebook(name, "ps", student).grades
        assert not any(grade.needs_manual_grade for grade in grades)
        return {grade.name: (grade.score, grade.max_score) for grade in grades}


def graded(course, student):
    folder, name = course
    return notebooks.read(Path(folder) / "autograded" / student / "ps" / f"{name}.ipynb")


def checks_of(course):
    return [f"check-{cell.metadata.nbgrader.grade_id[3:]}" for cell in solution_cells(graded(course, "solved"))]


def test_what_nbgrader_releases_holds_no_solution(course):
    folder, name = course
    released = notebooks.read(folder / "release" / "ps" / f"{name}.ipynb")
    assert "BEGIN SOLUTION" not in nbformat.writes(released)
    assert not [cell for cell in released.cells if cell.get("outputs")]
    assert solution_cells(released)
    assert all("raise NotImplementedError" in cell.source for cell in solution_cells(released))


def test_who_solved_all_has_full_marks(course):
    assert points(course, "solved") == dict.fromkeys(checks_of(course), (1, 1))


def test_who_solved_nothing_has_none(course):
    assert points(course, "unsolved") == dict.fromkeys(checks_of(course), (0, 1))


def test_one_wrong_answer_costs_its_own_point_alone(course):
    ids = checks_of(course)
    assert points(course, "wrong") == {id: (float(id != ids[-1]), 1) for id in ids}


@pytest.mark.parametrize("student", STUDENTS)
def test_nothing_is_written_to_stderr(course, student):
    outputs = [out for cell in graded(course, student).cells for out in cell.get("outputs", [])]
    assert not [out for out in outputs if out.get("name") == "stderr"]


@pytest.mark.parametrize("student", ["solved", "unsolved"])
def test_only_checks_raise(course, student):
    cells = [cell for cell in graded(course, student).cells if cell.cell_type == "code"]
    raised = [cell for cell in cells if any(out.output_type == "error" for out in cell.outputs)]
    ids = [cell.metadata.get("nbgrader", {}).get("grade_id", cell.source) for cell in raised]
    assert ids == ([] if student == "solved" else checks_of(course))
    assert {out.ename for cell in raised for out in cell.outputs if out.output_type == "error"} <= {"CheckFailed"}


def test_grading_keeps_nothing(course):
    folder, _ = course
    assert not list((folder / "my_work").glob("*"))


# --- what a student might try; one notebook is enough for nbgrader's own part ---------------------


def tamper(notebook):
    """Nothing is solved; the first check is taken away, the others only print that all is well."""
    checks = [cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")]
    for cell in solution_cells(notebook):
        cell.source = "pass"
    for cell in checks[1:]:
        cell.source = 'print("✔ passed")'
        cell.metadata.nbgrader.points = 5
    notebook.cells.remove(checks[0])


def forget_a_check(notebook):
    """All is solved, and one check was deleted by accident."""
    notebook.cells.remove(next(cell for cell in notebook.cells if cell.metadata.get("nbgrader", {}).get("grade")))


@pytest.mark.skipif(not SOLUTIONS, reason="nothing is solved yet")
def test_checks_that_were_deleted_or_rewritten_are_put_back(tmp_path):
    course = graded_course(tmp_path, SOLUTIONS[0], {"tampered": tamper, "forgetful": forget_a_check})
    ids = list(points(course, "unsolved"))
    assert points(course, "tampered") == dict.fromkeys(ids, (0, 1))
    assert points(course, "forgetful") == dict.fromkeys(ids, (1, 1))
    texts = [out.get("text", "") for cell in graded(course, "tampered").cells for out in cell.get("outputs", [])]
    assert not [text for text in texts if "✔ passed" in text]
