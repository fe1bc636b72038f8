"""Pairs of pictures: found, read, downloaded, drawn from a seed, and made ready for the networks."""
