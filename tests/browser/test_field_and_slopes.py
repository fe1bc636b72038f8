"""The widgets of chapters 04 and 05 in JupyterLab: moved by keyboard, pointed at by mouse, read in both themes."""

from __future__ import annotations

import re

import nbformat
import pytest
from driving import open_and_run, shows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]

TALL = {"width": 1280, "height": 2100}  # JupyterLab takes cells out of the page that cannot be seen
SHOW = """import torch
from p2plib.models import PatchDiscriminator
from p2plib.widgets import FieldChooser, SlopePlot

SlopePlot().show()"""
MAP = """torch.manual_seed(0)
net = PatchDiscriminator(3, base=8, patch=34).eval()
with torch.no_grad():
    [layer.weight.mul_(8) for layer in net if hasattr(layer, "stride")]
FieldChooser(discriminator=net).show()"""


def write(folder, name, *sources):
    cells = [nbformat.v4.new_code_cell(source) for source in sources]
    metadata = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    nbformat.write(nbformat.v4.new_notebook(cells=cells, metadata=metadata), folder / "notebooks" / name)


def changed(page, panel, act, says=""):
    """Do something, and wait until the picture and the words of a widget are others and say this; then the words."""
    image, words = panel.locator("img"), panel.get_by_role("status")
    before, said = image.get_attribute("src"), words.text_content()
    act()
    page.wait_for_function(
        "([image, src, panel, said]) => image.src !== src && panel.querySelector('[role=status]').textContent !== said",
        arg=[image.element_handle(), before, panel.element_handle(), said],
    )
    words.filter(has_text=says).wait_for()  # two keys or a drag may draw more than once
    return words.text_content()


def keys(page, handle, key, times=2):
    def act():
        handle.focus()
        for _ in range(times):
            page.keyboard.press(key)

    return act


def contrast(element):
    """Between an element's text and what lies behind it, as WCAG counts it: 1 to 21."""
    colours = element.evaluate(
        """element => {
            const text = getComputedStyle(element).color;
            let behind = element;
            while (behind && /rgba\\(0, 0, 0, 0\\)|transparent/.test(getComputedStyle(behind).backgroundColor))
                behind = behind.parentElement;
            return [text, getComputedStyle(behind).backgroundColor];
        }"""
    )
    text, behind = ([float(part) for part in re.findall(r"[\d.]+", colour)] for colour in colours)
    text, alpha, behind = text[:3], (*text, 1.0)[3], behind[:3]  # themes give text an opacity
    over = [alpha * t + (1 - alpha) * b for t, b in zip(text, behind, strict=True)]
    first, second = sorted((_luminance(over), _luminance(behind)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def _luminance(colour):
    parts = [part / 255 for part in colour]
    parts = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_sliders_and_pointer_move_them(lab, browser, screenshots):
    address, folder = lab
    write(folder, "field.ipynb", SHOW, "FieldChooser().show()", MAP)
    page = browser.new_page(viewport=TALL)
    open_and_run(page, address, "field.ipynb")
    panels = page.locator(".jp-OutputArea-output .widget-vbox")

    plot = shows(panels.nth(0))
    changed(page, plot, keys(page, plot.get_by_role("slider"), "ArrowRight"), "33 times as steep")
    plot.screenshot(path=screenshots / "slopes.png")

    chooser = shows(panels.nth(1))
    image, words, sliders = chooser.locator("img"), chooser.get_by_role("status"), chooser.get_by_role("slider")
    assert "the chosen cell judges" in image.get_attribute("alt")
    for number, name in enumerate(("row", "column")):
        before = slider_at(sliders.nth(number))
        changed(page, chooser, keys(page, sliders.nth(number), "ArrowRight"), f"{name} {before + 2}")
    chooser.screenshot(path=screenshots / "field.png")

    box = image.bounding_box()
    at = lambda x, y: (box["x"] + x * box["width"], box["y"] + y * box["height"])
    said = changed(page, chooser, lambda: page.mouse.click(*at(0.6, 0.2)))  # in the map
    row, column = (int(number) for number in re.search(r"row (\d+), column (\d+)", said).groups())
    assert (row, column) == (slider_at(sliders.nth(0)), slider_at(sliders.nth(1)))
    assert row < 10
    assert column < 10

    def drag():  # over the edge: it stays in the map
        page.mouse.move(*at(0.7, 0.5))
        page.mouse.down()
        page.mouse.move(*at(0.8, 0.6), steps=3)
        page.mouse.move(*at(0.99, 0.99), steps=3)
        page.mouse.up()

    changed(page, chooser, drag, "row 29, column 29")
    said = changed(page, chooser, lambda: page.mouse.click(*at(0.25, 0.5)))  # in the picture
    assert "all of them inside" in said
    chooser.screenshot(path=screenshots / "field_pointed.png")
    chooser.get_by_role("combobox").select_option("286")
    words.filter(has_text="of 6 × 6").wait_for()
    chooser.screenshot(path=screenshots / "field_286.png")

    judged = shows(panels.nth(2))
    assert judged.get_by_role("combobox").is_disabled()
    assert "D holds it for real with probability" in judged.get_by_role("status").text_content()
    judged.screenshot(path=screenshots / "field_of_a_discriminator.png")
    for panel in (plot, chooser):
        assert contrast(panel.get_by_role("status")) >= 4.5
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    page.close()


def slider_at(handle):
    return round(float(handle.get_attribute("aria-valuenow")))


def test_a_finger_and_the_dark_theme(lab, browser, screenshots):
    address, folder = lab
    theme = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    theme.mkdir(parents=True, exist_ok=True)
    (theme / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}')
    write(folder, "dark.ipynb", SHOW, "FieldChooser().show()")
    page = browser.new_context(viewport=TALL, has_touch=True).new_page()
    try:
        open_and_run(page, address, "dark.ipynb")
        panels = page.locator(".jp-OutputArea-output .widget-vbox")
        plot = shows(panels.nth(0).get_by_role("status"))
        assert contrast(plot) >= 4.5
        page.screenshot(path=screenshots / "slopes_dark.png")
        chooser = shows(panels.nth(1))
        image, words = chooser.locator("img"), chooser.get_by_role("status")
        box = image.bounding_box()
        tap = lambda: page.touchscreen.tap(box["x"] + 0.9 * box["width"], box["y"] + 0.2 * box["height"])
        said = changed(page, chooser, tap)
        assert int(re.search(r"column (\d+)", said)[1]) > 20
        assert contrast(words) >= 4.5
        page.screenshot(path=screenshots / "field_dark.png")
    finally:
        (theme / "themes.jupyterlab-settings").unlink()
        page.context.close()
