"""The explorer of outputs in JupyterLab: every control moved by keyboard, in the light and in the dark theme."""

from __future__ import annotations

import nbformat
import pytest
from driving import open_and_run, shows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

SOURCE = "from p2plib.widgets import OutputExplorer\n\nOutputExplorer({!r}).show()"


def press(panel, control, key, *, says=True):
    """Press a key on a control, and wait until the picture has followed, and the words if they are to."""
    page, image, words = panel.page, panel.locator("img.widget-image"), panel.get_by_role("status")
    before, said = image.get_attribute("src"), words.text_content()
    # JupyterLab may take the focus away when a cell has run.
    page.wait_for_function("e => (e.focus(), document.activeElement === e)", arg=control.element_handle())
    page.keyboard.press(key)
    page.wait_for_function("([e, old]) => e.src !== old", arg=[image.element_handle(), before])
    page.wait_for_timeout(400)
    assert (words.text_content() != said) is says


@pytest.fixture
def dark(lab):
    """JupyterLab's dark theme, for pages opened from now on."""
    path = lab[1] / "config/lab/user-settings/@jupyterlab/apputils-extension/themes.jupyterlab-settings"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text('{"theme": "JupyterLab Dark"}')
    yield
    path.unlink()


def write(folder, name, *groups):
    cells = [nbformat.v4.new_code_cell(SOURCE.format(group)) for group in groups]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / "notebooks" / name)


def test_the_explorer_follows_every_control(lab, browser, screenshots):
    address, folder = lab
    write(folder, "explorer.ipynb", "losses", "patches")
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    open_and_run(page, address, "explorer.ipynb")
    panels = page.locator(".jp-OutputArea-output .widget-vbox")
    panels.nth(1).wait_for(timeout=60_000)
    for number, group in enumerate(("losses", "patches")):
        panel = shows(panels.nth(number))
        image = panel.locator("img.widget-image")
        image.wait_for(timeout=60_000)
        assert image.evaluate("e => e.naturalWidth === e.clientWidth")  # one pixel a pixel
        page.wait_for_timeout(1000)
        page.screenshot(path=screenshots / f"explorer_{group}_all.png")
        handles = panel.get_by_role("slider")
        assert handles.count() == 5
        for which, says in ((0, True), (1, False), (2, False)):
            press(panel, handles.nth(which), "ArrowRight", says=says)
        press(panel, panel.get_by_role("button", name="two beside each other"), "Space")
        press(panel, handles.nth(3), "ArrowRight")
        page.screenshot(path=screenshots / f"explorer_{group}_two.png")
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    page.close()


@pytest.mark.usefixtures("dark")
def test_the_explorer_in_the_dark_theme(lab, browser, screenshots):
    address, folder = lab
    write(folder, "dark_explorer.ipynb", "losses")
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    open_and_run(page, address, "dark_explorer.ipynb")
    shows(page.locator(".jp-OutputArea-output img.widget-image").first)
    page.wait_for_timeout(300)
    page.screenshot(path=screenshots / "explorer_dark.png")
    page.close()
