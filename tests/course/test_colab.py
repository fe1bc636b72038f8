"""The first cell of every notebook: where the course is installed it does nothing, elsewhere it fetches the course."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from p2plib import colab, notebooks
from p2plib.errors import UserError

ROOT = Path(__file__).resolve().parents[2]


def first_cell() -> str:
    return notebooks.TEMPLATE.format(repository=notebooks.repository(), clone=notebooks.CLONE)


def test_every_notebook_has_the_cell_and_a_badge_that_leads_to_it():
    paths = notebooks.all_notebooks()
    assert paths
    assert notebooks.stamp(paths, write_back=False) == []
    assert not notebooks.stamp_readme(write_back=False)
    for path in paths:
        notebook = notebooks.read(path)
        assert notebook.cells[1].source == first_cell()
        assert f"{path.parent.name}/{path.name})" in notebook.cells[0].source


def test_the_cell_fetches_the_course_where_it_is_not_installed(tmp_path):
    # Without the site module, the editable installation of p2plib is not found; all else is.
    packages = sysconfig.get_paths()["purelib"]
    code = f"import sys; sys.path.append({packages!r})\n{first_cell()}\n" + (
        "import p2plib.zoo, p2plib.data.catalogue as catalogue\n"
        "assert p2plib.zoo.load('map2aerial')\n"
        "print(p2plib.__file__, catalogue.data_folder(), p2plib.colab.missing_packages())"
    )
    environment = os.environ | {
        # git fetches from this checkout in place of the address in the cell
        "GIT_CONFIG_COUNT": "2",
        "GIT_CONFIG_KEY_0": f"url.file://{ROOT}.insteadOf",
        "GIT_CONFIG_VALUE_0": notebooks.repository(),
        "GIT_CONFIG_KEY_1": "safe.directory",
        "GIT_CONFIG_VALUE_1": "*",
    }
    done = subprocess.run(
        [sys.executable, "-S", "-c", code], cwd=tmp_path, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    clone = tmp_path / notebooks.CLONE
    assert done.stdout.split()[-3:] == [str(clone / "p2plib/__init__.py"), str(clone / "data/sets"), "[]"]


def test_only_what_is_missing_is_installed_and_all_else_is_pinned(monkeypatch):
    commands = []

    def pip(command, **_):
        constraints = Path(command[command.index("-c") + 1]).read_text()
        commands.append((command, constraints))
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(colab, "_installed", lambda name: name not in ("safetensors", "tqdm"))
    monkeypatch.setattr(colab.subprocess, "run", pip)
    monkeypatch.setenv("PYTHONPATH", "")
    assert colab.prepare() == ["tqdm", "safetensors"]
    ((command, constraints),) = commands
    assert command[-2:] == ["tqdm", "safetensors"]
    for name in ("torch", "numpy", "ipywidgets", "ipython"):
        assert any(line.lower().startswith(f"{name}==") for line in constraints.splitlines())


def test_nothing_is_installed_where_nothing_is_missing(monkeypatch):
    monkeypatch.setattr(colab.subprocess, "run", lambda *_, **__: pytest.fail("pip was called"))
    monkeypatch.setenv("PYTHONPATH", "")
    assert colab.prepare() == []


def test_what_is_passed_is_kept_on_a_mounted_drive(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", "")
    monkeypatch.delenv("P2PLIB_MY_WORK", raising=False)
    monkeypatch.setattr(colab, "DRIVE", tmp_path / "absent")
    colab.prepare()
    assert "P2PLIB_MY_WORK" not in os.environ
    monkeypatch.setattr(colab, "DRIVE", tmp_path)
    monkeypatch.setenv("P2PLIB_MY_WORK", "mine")
    colab.prepare()
    assert os.environ["P2PLIB_MY_WORK"] == "mine"
    monkeypatch.delenv("P2PLIB_MY_WORK")
    colab.prepare()
    assert os.environ.pop("P2PLIB_MY_WORK") == str(tmp_path / "pix2pix_my_work")


def test_a_chapter_leads_to_its_exercises_in_colab_too():
    for path in notebooks.all_notebooks():
        has_exercises = path.parent.name == "notebooks" and (ROOT / "exercises" / path.name).exists()
        assert (f"/exercises/{path.name})" in notebooks.read(path).cells[0].source) == has_exercises


def test_the_address_moves_in_one_place(tmp_path, monkeypatch):
    (tmp_path / "notebooks").mkdir()
    for name in ("pyproject.toml", "README.md", "notebooks/00_start_here.ipynb"):
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    monkeypatch.setattr(notebooks, "CHECKOUT", tmp_path)
    with pytest.raises(UserError, match="github"):
        notebooks.move_repository("http://example.com/x")
    notebooks.move_repository("https://github.com/someone/their-course")
    (changed,) = notebooks.stamp(notebooks.all_notebooks())
    text = changed.read_text()
    assert text.count("someone/their-course") == 2
    assert "OWNER" not in text
    assert notebooks.stamp([changed]) == []
    assert notebooks.stamp_readme()
    readme = (tmp_path / "README.md").read_text()
    assert "git clone https://github.com/someone/their-course " in readme
    assert "OWNER" not in readme
    assert not notebooks.stamp_readme()
