"""What every stored notebook keeps to: small cells, alt text, no state of widgets, nothing of the maker's machine."""

from __future__ import annotations

import re
import statistics

import pytest

from p2plib import notebooks

PATHS = notebooks.all_stored()
CHECKED = {"solutions": "✔ passed", "exercises": "○ not attempted"}


def name_of(path):
    return f"{path.parent.name}/{path.stem}"


@pytest.fixture(params=PATHS, ids=name_of)
def path(request):
    return request.param


def outputs(path):
    return [out for cell in notebooks.read(path).cells for out in cell.get("outputs", [])]


def test_it_was_executed_once_from_top_to_bottom(path):
    code = [cell for cell in notebooks.read(path).cells if cell.cell_type == "code"]
    assert [cell.execution_count for cell in code] == list(range(1, len(code) + 1))
    assert not [out for out in outputs(path) if out.output_type == "error"]
    assert not [out for out in outputs(path) if out.get("name") == "stderr"]


def test_it_is_small(path):
    assert path.stat().st_size < 2_000_000
    sizes = [cell.source.count("\n") + 1 for cell in notebooks.read(path).cells if cell.cell_type == "code"]
    assert max(sizes) <= 30
    assert statistics.median(sizes) <= 10


@pytest.mark.parametrize("path", [p for p in PATHS if p.parent.name in CHECKED], ids=name_of)
def test_its_checks_came_to_what_they_must(path):
    checks = [c for c in notebooks.read(path).cells if c.metadata.get("nbgrader", {}).get("grade")]
    assert checks
    for cell in checks:
        (shown,) = cell.outputs
        assert shown.data["text/plain"].startswith(CHECKED[path.parent.name])


def test_it_stores_no_widgets(path):
    assert "widgets" not in notebooks.read(path).metadata
    assert not [out for out in outputs(path) if "application/vnd.jupyter.widget-view+json" in out.get("data", {})]


def test_every_picture_has_alt_text(path):
    pictures = [out for out in outputs(path) if "image/png" in out.get("data", {})]
    assert pictures or path.parent.name in CHECKED
    for out in pictures:
        assert len(out.metadata["image/png"]["alt"]) > 20


def test_it_names_no_path_of_a_machine(path):
    texts = [out.get("text", "") + str(out.get("data", {}).get("text/plain", "")) for out in outputs(path)]
    assert not re.search(r"(^|[\s(\"'])/(tmp|home|root|Users|usr|opt|work)/", "\n".join(texts))
