"""What every test and every notebook run as a test starts from."""

import os

# Training cells make a few steps and assert mechanics (see p2plib.budget); figures need no screen.
os.environ["P2PLIB_BUDGET"] = "test"
os.environ.setdefault("MPLBACKEND", "agg")
