"""Writes a large .npy of f32 to try memory and speed with: `python large.py OUT.npy [ROWS] [COLUMNS]`.

Rows are sums of 32 directions, whose strengths fall as 1/k, and noise of a hundredth of the strongest. They are drawn from a fixed
seed and written in pieces, so that any size needs little memory here: 400,000 × 384 are 614 MB, 8,000,000 × 384 are 12.3 GB.
"""

import sys

import numpy

DIRECTIONS = 32
NOISE = 0.01
ROWS_AT_ONCE = 8192


def main(path, rows=400_000, columns=384):
    """Writes the file at `path`; the rows of a smaller file are the first of a larger one."""
    directions = numpy.random.default_rng(0).normal(size=(DIRECTIONS, columns)).astype("f4")
    strengths = (1.0 / numpy.arange(1, DIRECTIONS + 1)).astype("f4")
    out = numpy.lib.format.open_memmap(path, mode="w+", dtype="<f4", shape=(rows, columns))
    out.flush()
    header = out.offset
    del out
    with open(path, "r+b") as file:
        file.seek(header)
        for piece, first in enumerate(range(0, rows, ROWS_AT_ONCE)):
            random = numpy.random.default_rng([1, piece])
            size = min(ROWS_AT_ONCE, rows - first)
            latents = random.standard_normal((ROWS_AT_ONCE, DIRECTIONS), dtype="f4")[:size] * strengths
            noise = random.standard_normal((ROWS_AT_ONCE, columns), dtype="f4")[:size]
            file.write((latents @ directions + NOISE * noise).astype("<f4").tobytes())


if __name__ == "__main__":
    main(sys.argv[1], *map(int, sys.argv[2:]))
