"""The training monitor in JupyterLab while its cell runs: paused, gone on with and stopped by keyboard."""

from __future__ import annotations

import re

import nbformat
import pytest
from driving import open_and_run, shows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

CELLS = (
    "from p2plib.training import Trainer, configure\n"
    "from p2plib.widgets import Monitor\n\n"
    "config = configure('synthetic-maps', 'laptop', limit=80, images=100_000)\n"
    "trainer = Trainer(config, 'run')\n"
    "await Monitor(trainer).start()",
    "print('then', trainer.step_number, trainer.stopped_by)",
)


def press(page, button):
    button.focus()
    page.keyboard.press("Enter")


def test_a_training_is_paused_and_stopped_while_its_cell_runs(lab, browser, screenshots):
    address, folder = lab
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / "notebooks" / "monitor.ipynb")
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    open_and_run(page, address, "monitor.ipynb")
    panel = shows(page.locator(".jp-OutputArea-output .widget-vbox").first)
    speed = shows(panel.get_by_text(re.compile(r"\d+ of 100000 pictures, [\d.]+ images/s, [\d:]+ left")))
    first = panel.locator("img.widget-image").get_attribute("src")
    page.wait_for_function("([panel, old]) => panel.querySelector('img').src !== old",
                           arg=[panel.element_handle(), first], timeout=30_000)  # fmt: skip
    page.screenshot(path=screenshots / "monitor_running.png")

    press(page, panel.get_by_role("button", name="Pause"))
    shows(panel.get_by_role("status").get_by_text("Paused"), 10_000)
    page.wait_for_timeout(800)
    held = panel.get_by_text("of 100000 pictures, paused").text_content()
    page.wait_for_timeout(1500)
    assert panel.get_by_text("of 100000 pictures").text_content() == held
    page.screenshot(path=screenshots / "monitor_paused.png")

    press(page, panel.get_by_role("button", name="Go on"))
    shows(speed, 10_000)
    press(page, panel.get_by_role("button", name="Stop"))
    output = shows(page.locator(".jp-OutputArea-output", has_text=re.compile(r"^then \d+ a button")), 20_000)
    pictures = 8 * int(output.text_content().split()[1])
    assert pictures >= int(held.split()[0])
    page.get_by_role("status").get_by_text("Stopped by a button after step").wait_for(timeout=20_000)
    assert page.locator(".jp-OutputArea-output .widget-vbox").count() == 1
    page.screenshot(path=screenshots / "monitor_stopped.png")
    page.close()
    assert (folder / "notebooks" / "run" / "state.pt").exists()
