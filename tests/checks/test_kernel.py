"""In a real kernel: an interrupt interrupts, `exit()` does not end it, and the next cell finds all as it was."""

from __future__ import annotations

import threading

import pytest

CELLS = {
    "set up": "import torch\nfrom p2plib.checks import check\ndef half(p):\n    return p[:, :, : p.shape[2] // 2]",
    "exit": "def leave(p):\n    exit()\ncheck('0.1', leave)",
    "shows": "def shows(p):\n    display(1)\n    print(2)\n    return half(p)\ncheck('0.1', shows)",
    "interrupt": "def spin(p):\n    while True:\n        p + 1\ncheck('0.1', spin)",
    "after": "check('0.1', half)\nprint(1 + 1)",
}


def run(client, code, interrupt=None):
    """(status, what was shown) of a cell; every text/plain and what was printed."""
    shown = []

    def hear(message):
        content = message["content"]
        shown.append(content.get("text") or content.get("data", {}).get("text/plain") or content.get("ename") or "")

    if interrupt:
        threading.Timer(1.0, interrupt).start()
    reply = client.execute_interactive(code, output_hook=hear, timeout=60)
    return reply["content"]["status"], [s for s in shown if s]


def test_a_kernel_lives_through_it_all():
    manager = pytest.importorskip("jupyter_client.manager")
    kernel, client = manager.start_new_kernel()
    try:
        assert run(client, CELLS["set up"]) == ("ok", [])
        status, (shown,) = run(client, CELLS["exit"])
        assert status == "ok"
        assert "SystemExit" in shown
        assert run(client, CELLS["shows"]) == ("ok", ["✔ passed · 0.1 half a picture"])
        status, shown = run(client, CELLS["interrupt"], kernel.interrupt_kernel)
        assert status == "error"
        assert shown == ["KeyboardInterrupt"]
        assert run(client, CELLS["after"]) == ("ok", ["✔ passed · 0.1 half a picture", "2\n"])
    finally:
        client.stop_channels()
        kernel.shutdown_kernel(now=True)
