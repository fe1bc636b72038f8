"""From a chapter to an exercise and back, as a learner goes: a link, a gap, an answer, a pass that is kept."""

from __future__ import annotations

import json

import pytest
from driving import open_and_run, shows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

ANSWER = """def split_pair(picture, direction):
    width = picture.shape[-1]
    if width % 2:
        raise ValueError(width)
    left, right = picture[..., : width // 2], picture[..., width // 2 :]
    return (left, right) if direction == "AtoB" else (right, left)"""


def test_an_exercise_is_found_done_and_kept(lab, browser, screenshots):
    address, folder = lab
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    page.goto(f"{address}/lab/tree/notebooks/01_pairs.ipynb?reset", wait_until="domcontentloaded")
    link = page.locator(".jp-RenderedMarkdown a", has_text="1.1").first
    link.wait_for(timeout=60_000)
    link.scroll_into_view_if_needed()
    link.click()
    page.locator("li.lm-TabBar-tab[title*='my_work/01_pairs.ipynb']").wait_for(timeout=60_000)

    open_and_run(page, address, "01_pairs.ipynb", "my_work")
    shows(page.locator(".jp-OutputArea-output", has_text="not attempted · 1.1 split a pair").first)
    cell = page.locator(".jp-CodeCell", has_text="def split_pair").first
    cell.locator(".cm-content").click()
    page.keyboard.press("Control+a")
    page.keyboard.insert_text(ANSWER)
    page.keyboard.press("Shift+Enter")
    page.keyboard.press("Shift+Enter")
    shows(page.locator(".jp-OutputArea-output", has_text="passed · 1.1 split a pair").first)
    page.screenshot(path=screenshots / "exercise_passed.png")
    page.close()
    assert json.loads((folder / "my_work" / "progress.json").read_text())["exercises"]["1.1"] == "passed"
    assert "def split_pair(picture, direction):" in (folder / "my_work" / "my_pix2pix.py").read_text()
