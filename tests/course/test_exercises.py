"""Exercises are made from solutions, and copied to learners without touching what they have."""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

import nbformat
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from p2plib import cli, exercises, notebooks
from p2plib.errors import UserError

SPLIT = '''\
def split_pair(picture, direction):
    """A side-by-side picture → (input, target)."""
    ### BEGIN SOLUTION
    if picture.shape[-1] % 2:
        raise ValueError("odd")
    a, b = picture.chunk(2, dim=-1)
    return (a, b) if direction == "AtoB" else (b, a)
    ### END SOLUTION'''
SIGNED = """\
def to_signed(picture):
    ### BEGIN SOLUTION
    return picture.float() / 127.5 - 1
    ### END SOLUTION


def to_bytes(x):
    ### BEGIN SOLUTION
    return ((x.clamp(-1, 1) + 1) * 127.5).round().byte()
    ### END SOLUTION"""


def solution(source, id="ex-1-1", **more):
    marks = {"grade": False, "grade_id": id, "locked": False, "schema_version": 3, "solution": True, "task": False}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": marks | more}, id=id)


def check(source='check("1.1", split_pair)', id="check-1-1", cell=None, **more):
    marks = {"grade": True, "grade_id": id, "locked": True, "schema_version": 3, "solution": False, "task": False}
    return nbformat.v4.new_code_cell(source, metadata={"nbgrader": marks | {"points": 1} | more}, id=cell or id)


def solved(*cells):
    """A solved notebook of chapter 01, as one writes it."""
    title = nbformat.v4.new_markdown_cell("# Exercises 01 · Pairs\n\nText.", id="m01")
    imports = nbformat.v4.new_code_cell("from p2plib.checks import check, hint, solution", id="c02")
    notebook = nbformat.v4.new_notebook(cells=[title, imports, *cells])
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [nbformat.v4.new_output("stream", text="an old output")]
    return notebook


def both():
    help = nbformat.v4.new_code_cell('# hint("1.1")\n# solution("1.1")', id="c05")
    return solved(
        solution(SPLIT),
        check(),
        help,
        solution(SIGNED, "ex-1-2"),
        check('check("1.2", to_signed, to_bytes)', "check-1-2"),
    )


@pytest.fixture
def course(tmp_path, monkeypatch):
    """A checkout of its own: its folder, with pyproject.toml and one solved notebook."""
    (tmp_path / "solutions").mkdir()
    for name in ("pyproject.toml", "README.md"):
        (tmp_path / name).write_bytes((notebooks.CHECKOUT / name).read_bytes())
    monkeypatch.setattr(notebooks, "CHECKOUT", tmp_path)
    monkeypatch.setenv("P2PLIB_MY_WORK", str(tmp_path / "my_work"))
    notebooks.write(tmp_path / "solutions" / "01_pairs.ipynb", both())
    return tmp_path


def make(course, *cells):
    """The exercise of a solved notebook with these cells."""
    path = course / "solutions" / "01_pairs.ipynb"
    notebooks.write(path, solved(*cells))
    return exercises.exercise(path)


# --- what is generated --------------------------------------------------------------------------


def test_the_exercises_are_what_the_solutions_give():
    pytest.importorskip("nbgrader")
    assert exercises.generate(exercises.solutions(), write_back=False) == []
    assert exercises.strays() == []


def test_the_solution_is_cleared_and_nothing_else(course):
    pytest.importorskip("nbgrader")
    made = exercises.exercise(course / "solutions" / "01_pairs.ipynb")
    by_id = {cell.id: cell for cell in made.cells}
    assert by_id["ex-1-1"].source == SPLIT[: SPLIT.index("###")] + "raise NotImplementedError"
    stub = "(picture):\n    raise NotImplementedError\n\n\ndef to_bytes(x):\n    raise NotImplementedError"
    assert by_id["ex-1-2"].source == "def to_signed" + stub
    given = {cell.id: cell for cell in both().cells}
    for id in ("check-1-1", "c05", "check-1-2"):
        assert by_id[id].source == given[id].source
        assert by_id[id].metadata == given[id].metadata
    assert not [cell for cell in made.cells if cell.get("outputs") or cell.get("execution_count")]
    assert "SOLUTION" not in nbformat.writes(made)
    assert "blob/main/exercises/01_pairs.ipynb)" in made.cells[0].source
    assert "colab" in made.cells[1].metadata["tags"]
    assert len(made.metadata["p2plib"]["edition"]) == 12


def test_a_method_keeps_the_line_before_its_solution(course):
    pytest.importorskip("nbgrader")
    source = (
        "class Down(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n        ### BEGIN SOLUTION\n"
        "        self.conv = nn.Conv2d(n, n, 4)\n        ### END SOLUTION\n\n    def forward(self, x):\n"
        "        ### BEGIN SOLUTION\n        return self.conv(x)\n        ### END SOLUTION"
    )
    made = make(course, solution(source), check())
    assert next(c.source for c in made.cells if c.id == "ex-1-1") == (
        "class Down(nn.Module):\n    def __init__(self, n):\n        super().__init__()\n"
        "        raise NotImplementedError\n\n    def forward(self, x):\n        raise NotImplementedError"
    )


def test_an_exercise_runs_unsolved_and_shows_when_it_is_out_of_date(course, capsys):
    pytest.importorskip("nbgrader")
    assert cli.main(["notebooks", "exercises", "--check"]) == 1
    assert not (course / "exercises").exists()
    assert cli.main(["notebooks", "exercises"]) == 0
    path, source = course / "exercises" / "01_pairs.ipynb", course / "solutions" / "01_pairs.ipynb"
    made = notebooks.read(path)
    shown = [out.data["text/plain"] for cell in made.cells for out in cell.get("outputs", [])]
    assert [text[:15] for text in shown] == ["○ not attempted"] * 2
    assert cli.main(["notebooks", "exercises", "--check"]) == 0
    assert notebooks.stamp([path], write_back=False) == []
    assert "written" in capsys.readouterr().out

    def drifts(file, change):
        before = file.read_bytes()
        notebook = notebooks.read(file)
        change(notebook)
        notebooks.write(file, notebook)
        found = exercises.generate(exercises.solutions(), write_back=False)
        file.write_bytes(before)
        return found == [path]

    def forget_outputs(nb):
        nb.cells[-1].outputs = []

    assert drifts(path, lambda nb: nb.cells[0].update(source=nb.cells[0].source + "."))
    assert drifts(path, lambda nb: nb.cells[3].metadata.update(tags=["x"]))
    assert drifts(path, lambda nb: nb.cells.pop())
    assert drifts(path, lambda nb: nb.metadata.p2plib.update(edition="0"))
    assert drifts(source, lambda nb: nb.cells[0].update(source=nb.cells[0].source + " More."))
    assert drifts(source, lambda nb: nb.cells[3].metadata.nbgrader.update(points=2))
    assert not drifts(path, forget_outputs)
    assert not drifts(source, forget_outputs)
    path.write_text("{")
    assert exercises.generate(exercises.solutions(), write_back=False) == [path]
    source.unlink()
    assert exercises.strays() == [path]
    assert cli.main(["notebooks", "exercises", "--check"]) == 1
    assert path.exists()


def test_an_exercise_that_stops_leaves_the_file_as_it_was(course):
    pytest.importorskip("nbgrader")
    from nbclient.exceptions import CellExecutionError

    (course / "exercises").mkdir()
    path = course / "exercises" / "01_pairs.ipynb"
    path.write_text("before")
    notebooks.write(
        course / "solutions" / "01_pairs.ipynb",
        solved(solution(SPLIT), check('from p2plib.checks import check\ncheck("1.1", split_pair)\nsplit_pair(1, 2)')),
    )
    with pytest.raises(CellExecutionError, match="NotImplementedError"):
        exercises.generate(exercises.solutions())
    assert path.read_text() == "before"
    assert [p.name for p in path.parent.iterdir()] == [path.name]


# --- what is refused ----------------------------------------------------------------------------

AT_TOP = "width = 3\n### BEGIN SOLUTION\nhalf = 2\n### END SOLUTION"
IN_CLASS = "class A:\n    ### BEGIN SOLUTION\n    def f(self):\n        return 1\n    ### END SOLUTION"
AROUND = "### BEGIN SOLUTION\ndef split_pair(p):\n    return p\n### END SOLUTION"
BEYOND = "def f():\n    ### BEGIN SOLUTION\n    a = 1\nb = 2\n    ### END SOLUTION"
SHALLOW = "def f():\n    a = 1\n  ### BEGIN SOLUTION\n    return a\n  ### END SOLUTION"
REFUSED = {
    "at top level": ([solution(AT_TOP), check()], "line 2 is not inside a function"),
    "in a class": ([solution(IN_CLASS), check()], "not inside a function"),
    "around a function": ([solution(AROUND), check()], "not inside a function"),
    "beyond a function": ([solution(BEYOND), check()], "not inside a function"),
    "no region": ([solution("def f():\n    return 1"), check()], "ex-1-1: a solution cell without ### BEGIN"),
    "an empty region": (
        [solution("def f():\n    ### BEGIN SOLUTION\n    ### END SOLUTION\n    a = 1"), check()],
        "no code",
    ),
    "no end": ([solution(SPLIT.replace("### END SOLUTION", "")), check()], "line 3 has no partner"),
    "no begin": ([solution(SPLIT.replace("### BEGIN SOLUTION", "")), check()], "line 8 has no partner"),
    "two begins": ([solution(SPLIT.replace("a, b =", "### BEGIN SOLUTION\n    a, b =")), check()], "no partner"),
    "not Python": ([solution(SPLIT + "\n%time 1"), check()], "line 9 is not Python as it is"),
    "shallow marks": ([solution(SHALLOW), check()], "is not Python once its solution is cleared"),
    "in an ordinary cell": ([nbformat.v4.new_code_cell(SPLIT, id="c9")], "cell c9: a solution region stands in a cell"),
    "in a text": ([nbformat.v4.new_markdown_cell("### BEGIN SOLUTION", id="m9")], "not a solution cell"),
    "graded itself": ([solution(SPLIT, grade=True, points=1), check()], "not graded itself"),
    "another name": ([solution(SPLIT, "split-1-1"), check()], "the name is to be ex-1-N"),
    "another chapter": ([solution(SPLIT, "ex-2-1"), check()], "the name is to be ex-1-N"),
    "a check's name": ([solution(SPLIT), check(id="test-1-1")], "the name is to be check-1-N"),
    "another check": ([solution(SPLIT), check('check("1.2", split_pair)')], r'check\("1.1", …\); it checks 1.2'),
    "two checks": ([solution(SPLIT), check('check("1.1", a)\ncheck("1.2", b)')], "it checks 1.1 and 1.2"),
    "no check": ([solution(SPLIT), check("# check('1.1', split_pair)")], "it calls no check"),
    "twice the name": ([solution(SPLIT), check(), check(cell="c9")], "check-1-1 stands at more than one cell"),
    "no solution": ([check()], "there is check-1-1 but no ex-1-1"),
    "a solution unchecked": ([solution(SPLIT)], "there is ex-1-1 but no check-1-1"),
    "no points": ([solution(SPLIT), check(points=None)], "nbgrader refuses it"),
}


@pytest.mark.parametrize(("cells", "said"), REFUSED.values(), ids=REFUSED)
def test_a_solution_is_refused_that_makes_no_exercise(cells, said, course, capfd, caplog):
    if said.startswith(("nbgrader", "is not Python once")):
        pytest.importorskip("nbgrader")
    if said.startswith("nbgrader"):
        del cells[1].metadata.nbgrader["points"]
    with pytest.raises(UserError, match=said) as raised:
        make(course, *cells)
    assert "\n" not in str(raised.value)
    assert str(raised.value).startswith("01_pairs.ipynb")
    assert caplog.text == ""
    assert "".join(capfd.readouterr()) == ""


def test_without_nbgrader_it_says_what_to_install(course, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    assert cli.main(["notebooks", "exercises"]) == 2
    assert "nbgrader is not installed: `make setup-dev`" in capsys.readouterr().err


# --- what is handed out -------------------------------------------------------------------------


@pytest.fixture
def ready(course, monkeypatch):
    """The same, with an exercise of edition "new" and without nbgrader: (exercise, where its copy is to lie)."""
    monkeypatch.setitem(sys.modules, "nbgrader", None)
    (course / "exercises").mkdir()
    path = course / "exercises" / "01_pairs.ipynb"
    write_edition(path, "new")
    return path, course / "my_work" / "01_pairs.ipynb"


def write_edition(path, edition):
    notebook = both()
    notebook.metadata["p2plib"] = {"edition": edition}
    path.parent.mkdir(exist_ok=True)
    notebooks.write(path, notebook)


def test_an_exercise_is_copied_once(ready, capsys):
    path, copy = ready
    assert cli.main(["notebooks", "hand-out"]) == 0
    assert capsys.readouterr().out == f"Copied to {copy.parent}: 01_pairs.ipynb.\n"
    assert copy.read_bytes() == path.read_bytes()
    assert [p.name for p in copy.parent.iterdir()] == [copy.name]
    assert cli.main(["notebooks", "hand-out"]) == 0
    assert capsys.readouterr().out == "There are no new exercises to copy.\n"


def test_without_exercises_there_is_nothing_to_do(course, capsys):
    assert cli.main(["notebooks", "hand-out"]) == 0
    assert capsys.readouterr().out == "There are no new exercises to copy.\n"


@settings(max_examples=30, deadline=None)
@given(content=st.binary(max_size=200) | st.sampled_from([b"", b"{}", b'{"metadata": {"p2plib": 3}}', b"[1]", b"\xff"]))
def test_what_a_learner_has_is_never_touched(content):
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory() as folder:
        patch.setattr(notebooks, "CHECKOUT", Path(folder))
        patch.setenv("P2PLIB_MY_WORK", str(Path(folder) / "my_work"))
        write_edition(Path(folder) / "exercises" / "01_pairs.ipynb", "new")
        mine = Path(folder) / "my_work" / "01_pairs.ipynb"
        mine.parent.mkdir()
        mine.write_bytes(content)
        before = mine.stat()
        assert exercises.hand_out() == ([], [])
        assert mine.read_bytes() == content
        assert (mine.stat().st_mtime_ns, mine.stat().st_ino) == (before.st_mtime_ns, before.st_ino)
        assert [p.name for p in mine.parent.iterdir()] == [mine.name]


def test_a_copy_of_an_earlier_edition_is_told_and_left_alone(ready, capsys):
    _, copy = ready
    write_edition(copy, "old")
    before = copy.read_bytes()
    assert cli.main(["notebooks", "hand-out"]) == 0
    said = capsys.readouterr().out
    assert f"{copy} comes from an earlier edition" in said
    assert "exercises/01_pairs.ipynb; yours was left as it is." in said
    assert copy.read_bytes() == before
    write_edition(copy, "new")
    assert exercises.hand_out() == ([], [])


def test_an_edition_is_of_stubs_and_checks_alone(course):
    pytest.importorskip("nbgrader")
    text = nbformat.v4.new_markdown_cell("A text.", id="m9")
    first = make(course, solution(SPLIT), check()).metadata
    assert make(course, solution(SPLIT.replace("odd", "uneven")), check(), text).metadata == first
    assert make(course, solution(SPLIT.replace("side-by-side", "double")), check()).metadata != first


@pytest.mark.parametrize("links", [True, False])
def test_a_copy_that_appears_meanwhile_is_not_replaced(ready, monkeypatch, links):
    _, copy = ready
    write = exercises.write_atomic

    def slowly(path, content):
        write(path, content)
        copy.write_text("theirs")

    monkeypatch.setattr(exercises, "write_atomic", slowly)
    if not links:
        monkeypatch.setattr(os, "link", no_links)
    assert exercises.hand_out() == ([], [])
    assert copy.read_text() == "theirs"
    assert [p.name for p in copy.parent.iterdir()] == [copy.name]


def no_links(*_, **__):
    raise OSError("this disk knows no links")


def test_a_disk_without_links_will_do(ready, monkeypatch):
    path, copy = ready
    monkeypatch.setattr(os, "link", no_links)
    assert exercises.hand_out() == ([copy], [])
    assert copy.read_bytes() == path.read_bytes()
    assert [p.name for p in copy.parent.iterdir()] == [copy.name]


def test_half_a_copy_is_never_seen(ready, monkeypatch):
    path, copy = ready

    def stopped(_):
        assert not copy.exists()
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", stopped)
        with pytest.raises(KeyboardInterrupt):
            exercises.hand_out()
    assert list(copy.parent.iterdir()) == []
    assert exercises.hand_out() == ([copy], [])
    assert copy.read_bytes() == path.read_bytes()


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
def test_a_link_that_leads_nowhere_stays(ready):
    _, copy = ready
    copy.parent.mkdir()
    copy.symlink_to("nowhere")
    assert exercises.hand_out() == ([], [])
    assert os.readlink(copy) == "nowhere"


def test_a_folder_that_cannot_be_written_is_one_sentence(ready, capsys):
    _, copy = ready
    copy.parent.write_text("a file")
    assert cli.main(["notebooks", "hand-out"]) == 2
    assert "is a file where a folder is to be" in capsys.readouterr().err


# --- running without storing --------------------------------------------------------------------


def test_notebooks_run_without_being_stored_and_a_false_claim_is_told(tmp_path, capsys):
    paths = []
    for name, source in (("false", "assert 1 > 2, 'the claim'"), ("true", "assert 2 > 1")):
        paths.append(tmp_path / f"{name}.ipynb")
        notebooks.write(paths[-1], nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source, id="c1")]))
    before = [path.read_bytes() for path in paths]
    assert cli.main(["notebooks", "execute", "--no-store", *map(str, paths)]) == 1
    said = capsys.readouterr()
    assert "false.ipynb: a cell failed" in said.err
    assert "the claim" in said.err
    assert "true.ipynb: " in said.out
    assert [path.read_bytes() for path in paths] == before
    assert cli.main(["notebooks", "execute", str(paths[1])]) == 0
    assert paths[1].read_bytes() != before[1]
