"""What tests of training share."""

import pytest

from p2plib.data.synthetic import write_pairs


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    """Ten made facades, side by side; nobody changes them."""
    path = tmp_path_factory.mktemp("facades")
    write_pairs("facades", path, count=10, size=40)
    return path
