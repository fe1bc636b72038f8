"""The doctor: a table that is true, and an exit code that says whether the course can run."""

from __future__ import annotations

import importlib.metadata

import pytest

from p2plib import doctor
from p2plib.cli import main


def states(findings):
    return {finding.subject: finding.state for finding in findings}


def test_here_the_course_can_run(capsys):
    assert main(["doctor"]) == 0
    table = capsys.readouterr().out
    for subject in ("Python", "torch", "torchvision", "numpy", "accelerator", "widgets", "disk", "data", "zoo"):
        assert f"{subject} " in table
    assert "[FAIL]" not in table


@pytest.mark.parametrize(
    ("package", "version", "subject", "state", "mend"),
    [
        ("torch", "2.5.1", "torch", "FAIL", "2.6"),
        ("torch", None, "torch", "FAIL", "make setup"),
        ("torchvision", None, "torchvision", "FAIL", "make setup"),
        ("ipywidgets", None, "widgets", "FAIL", "make setup"),
        ("ipywidgets", "7.7.1", "widgets", "WARN", "jupyterlab_widgets"),
        ("numpy", "1.21.0", "numpy", "FAIL", "upgrade"),
    ],
)
def test_what_is_missing_or_old_is_named_with_its_mend(monkeypatch, package, version, subject, state, mend):
    real = importlib.metadata.version

    def pretend(name):
        if name != package:
            return real(name)
        if version is None:
            raise importlib.metadata.PackageNotFoundError(name)
        return version

    monkeypatch.setattr(importlib.metadata, "version", pretend)
    findings = doctor.examine()
    assert states(findings)[subject] == state
    (finding,) = [f for f in findings if f.subject == subject]
    assert mend in finding.mend
    assert doctor.can_run(findings) is (state != "FAIL")
    assert f"→ {finding.mend}" in doctor.report(findings)


def test_a_spoilt_zoo_is_noticed(monkeypatch, tmp_path):
    from p2plib import zoo

    for path in zoo.FOLDER.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    file = tmp_path / "map2aerial.safetensors"
    content = bytearray(file.read_bytes())
    content[-1] ^= 1
    file.write_bytes(content)
    monkeypatch.setattr(zoo, "FOLDER", tmp_path)
    assert states(doctor.examine())["zoo"] == "FAIL"
    assert main(["doctor"]) == 1
    file.unlink()
    assert states(doctor.examine())["zoo"] == "FAIL"


def test_an_examination_that_breaks_is_a_finding(monkeypatch):
    def _falls_ill():
        raise OSError("no luck")

    monkeypatch.setattr(doctor, "CHECKS", (_falls_ill,))
    (finding,) = doctor.examine()
    assert (finding.state, finding.subject) == ("FAIL", "falls ill")
