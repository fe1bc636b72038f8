"""The outcomes of a check, and the widgets of chapters 02 and 03, in JupyterLab: seen, and moved by keyboard."""

from __future__ import annotations

import nbformat
import pytest
from driving import open_and_run, shows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

HALF = "def half(picture):\n    {}\n\n\ncheck('0.1', half, seed=1)"
ANSWERS = {
    "passed": "return picture[:, :, : picture.shape[2] // 2]",
    "wrong": "return picture[:, :, picture.shape[2] // 2 :]",
    "not attempted": "raise NotImplementedError",
    "your code raised": "return picture[:, :, : picture.shape[3] // 2]",
}


def write(folder, name, *sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / "notebooks" / name)


def test_each_outcome_is_told_by_sign_and_word(lab, browser, screenshots):
    address, folder = lab
    first = "from p2plib.checks import check, hint, progress, solution"
    write(folder, "outcomes.ipynb", first, *(HALF.format(code) for code in ANSWERS.values()), "hint('0.1')\nprogress()")
    page = browser.new_page(viewport={"width": 1100, "height": 1300})
    open_and_run(page, address, "outcomes.ipynb")
    outputs = page.locator(".jp-OutputArea-output")
    for sign, word in zip("✔✘○⚠", ANSWERS, strict=True):
        box = shows(outputs.filter(has_text=f"{sign}{word} · 0.1 half a picture").first)
        assert box.locator("span").first.evaluate("e => getComputedStyle(e).backgroundColor") != "rgba(0, 0, 0, 0)"
    shows(outputs.filter(has_text="at your line 2: return picture").first)
    shows(outputs.filter(has_text="Hint 1 of").first)
    page.screenshot(path=screenshots / "outcomes.png")
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    page.close()


@pytest.mark.parametrize("name", ["ShapeTracer", "MixExplorer"])
def test_a_widget_follows_each_slider(lab, browser, screenshots, name):
    address, folder = lab
    write(folder, f"{name}.ipynb", f"from p2plib.widgets import {name}\n\n{name}().show()")
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    open_and_run(page, address, f"{name}.ipynb")
    panel = shows(page.locator(".jp-OutputArea-output .widget-vbox").first)
    image, words = panel.locator("img.widget-image").first, panel.get_by_role("status").last
    image.wait_for(timeout=60_000)
    handles = panel.get_by_role("slider")
    assert handles.count() >= 2
    for number in range(handles.count()):
        before, said = image.get_attribute("src"), words.text_content()
        handles.nth(number).focus()
        for _ in range(2):
            page.keyboard.press("ArrowRight")
        page.wait_for_function("([e, old]) => e.src !== old", arg=[image.element_handle(), before])
        page.wait_for_timeout(700)
        assert words.text_content() != said, f"slider {number} of {name} changes no words"
        page.screenshot(path=screenshots / f"{name}_{number}.png")
    page.close()
