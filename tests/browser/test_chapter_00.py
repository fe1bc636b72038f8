"""Chapter 00 as a learner meets it: run all, move each slider by keyboard, answer, choose a city."""

from __future__ import annotations

import json
import re

import pytest
from driving import open_and_run, shows

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]


def test_every_widget_moves(lab, browser, screenshots):
    address, folder = lab
    page = browser.new_page(viewport={"width": 1280, "height": 1000})
    open_and_run(page, address, "00_start_here.ipynb")
    explorer = shows(page.locator(".jp-OutputArea-output .widget-vbox", has_text="from the air").first)
    images = explorer.locator("img.widget-image")
    images.nth(1).wait_for(timeout=60_000)
    page.screenshot(path=screenshots / "00_explorer.png")

    handles = explorer.get_by_role("slider")
    assert handles.count() == 5
    for number in range(5):
        before = [images.nth(i).get_attribute("src") for i in range(2)]
        words = explorer.get_by_role("status").text_content()
        handles.nth(number).focus()
        for _ in range(4):
            page.keyboard.press("ArrowRight")
        page.wait_for_function(
            "([panel, old]) => panel.querySelector('[role=status]').textContent !== old",
            arg=[explorer.element_handle(), words],
        )
        page.wait_for_timeout(500)
        after = [images.nth(i).get_attribute("src") for i in range(2)]
        assert after[0] != before[0], f"slider {number} left the map as it was"
        assert after[1] != before[1], f"slider {number} left the aerial picture as it was"
    page.screenshot(path=screenshots / "00_explorer_moved.png")
    drawn = images.nth(1).get_attribute("src")
    explorer.get_by_role("button", name="the target").click()
    page.wait_for_function("([image, old]) => image.src !== old", arg=[images.nth(1).element_handle(), drawn])
    page.screenshot(path=screenshots / "00_explorer_made.png")

    question = shows(page.locator(".jp-OutputArea-output .widget-vbox", has_text="what you expect").first)
    question.get_by_role("button", name="give each roof some colour").click()
    shows(page.get_by_text("You expect: give each roof some colour"))
    page.keyboard.press("Shift+Enter")  # the click made this cell active: running it again must not forget the answer
    page.wait_for_timeout(1500)
    shows(page.get_by_text("You expect: give each roof some colour"))
    page.screenshot(path=screenshots / "00_predict.png")

    chooser = shows(page.locator(".jp-OutputArea-output .widget-vbox", has_text="Try your birthday").first)
    number = chooser.locator("input[type=number]")
    number.fill("42")
    number.press("Enter")
    page.get_by_text("The map of town 42.").wait_for()
    chooser.get_by_role("button", name="This is my city").click()
    page.get_by_text(re.compile("Town 42 is your city now")).wait_for()
    page.screenshot(path=screenshots / "00_city.png")
    assert json.loads((folder / "my_work" / "city.json").read_text())["seed"] == 42
    shows(page.get_by_text("This is the upper half").last)
    page.screenshot(path=screenshots / "00_check.png")
    shows(page.get_by_text("The course can run here").last)
    page.screenshot(path=screenshots / "00_doctor.png")
    assert page.locator(".jp-RenderedText[data-mime-type='application/vnd.jupyter.stderr']").count() == 0
    page.close()
