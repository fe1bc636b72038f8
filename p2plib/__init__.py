"""pix2pix, built step by step: the library behind the course.

Pictures are float in [-1, 1], shape (B, C, H, W); on disk and in memory sets they are uint8.
"""

__version__ = "0.1.0"
