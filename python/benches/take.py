"""Rows by number from a data set of 16 parts, against one file of the same rows: run on a quiet machine.

    python benches/take.py [MB]
"""

import os
import sys
import tempfile
import time

import aezip
import aezip.dataset
import numpy as np

PARTS = 16
WIDTH = 64
IDS = 10_000
BOUND = 0.02


def part(number, rows):
    """Return smooth rows with noise."""
    rng = np.random.default_rng(number)
    waves = np.sin(np.outer(np.arange(1, 7), np.arange(WIDTH)) * 0.1)
    return (rng.normal(size=(rows, 6)) @ waves + 0.01 * rng.normal(size=(rows, WIDTH))).astype("f4")


def opened(work, ids):
    """Return the median of seconds, and of seconds of CPU, from opening to the rows."""
    runs = []
    for _ in range(9):
        wall, cpu = time.perf_counter(), time.process_time()
        work().take(ids)
        runs.append((time.perf_counter() - wall, time.process_time() - cpu))
    return np.median(runs, axis=0)


def main():
    rows = (int(sys.argv[1]) if len(sys.argv) > 1 else 100) * 1_000_000 // (4 * WIDTH) // PARTS
    pieces = [part(number, rows) for number in range(PARTS)]
    with tempfile.TemporaryDirectory() as folder:
        one, many = os.path.join(folder, "one.aez"), os.path.join(folder, "many")
        whole = np.concatenate(pieces)
        codec = aezip.train(whole[::16].copy(), max_error=BOUND, level=1)
        report = codec.compress(whole, one, max_error=BOUND, level=1)
        d = aezip.dataset.write(pieces, many, sample=whole[:1000], codec=codec, max_error=BOUND, level=1)
        size = sum(p.bytes for p in d.parts)
        print(f"{whole.nbytes / 1e6:.0f} MB; one file {report.bytes_out} bytes, {PARTS} parts {size}")
        ids = np.random.default_rng(0).integers(0, len(whole), IDS)
        for name, chosen in [("random", ids), ("sorted", np.sort(ids))]:
            a, b = opened(lambda: aezip.open(one), chosen), opened(lambda: aezip.dataset.open(many), chosen)
            print(f"take of {IDS} {name}: one file {1e3 * a[0]:.1f} ms ({1e3 * a[1]:.1f} of CPU), parts {1e3 * b[0]:.1f} ms ({1e3 * b[1]:.1f}): {b[0] / a[0]:.2f} x ({b[1] / a[1]:.2f} x)")


if __name__ == "__main__":
    main()
