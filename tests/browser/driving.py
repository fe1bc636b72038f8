"""What browser tests do in JupyterLab: open a notebook and run it, find an output."""

from __future__ import annotations


def open_and_run(page, address, name, folder="notebooks"):
    page.goto(f"{address}/lab/tree/{folder}/{name}?reset", wait_until="domcontentloaded")
    page.locator(".jp-Notebook .jp-CodeCell").first.wait_for(timeout=60_000)
    page.locator(".jp-NotebookPanel-toolbar").get_by_text("Python 3").wait_for(timeout=60_000)
    page.get_by_text("| Idle").first.wait_for(timeout=60_000)  # JupyterLab drops what is run before the kernel listens
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).click()


def shows(locator, timeout=60_000):
    locator.scroll_into_view_if_needed(timeout=timeout)
    locator.wait_for(timeout=timeout)
    return locator
