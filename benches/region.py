#!/usr/bin/env python3
"""Time and blocks of a 16 x 16 box of a large field, beside decoding all of it.

    cargo build --release
    python benches/region.py [--size 4096] [--error 0.001] [--levels 1 3] [--box 16] [--boxes 200]

The field is a sum of Gaussian noise, smoothed over 64, 16 and 4 points, and a little that is not smoothed. --error is a
share of its range. Boxes lie anywhere and are read cold, each through a file opened for it alone, opening not counted; beside them stands
what `aezip decompress` takes with and without `--region`, start of the program included. Needs numpy, scipy and the
Python package of this repository.
"""

import argparse
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import aezip
import numpy as np
from scipy.ndimage import gaussian_filter

PROGRAM = Path(__file__).resolve().parent.parent / "target" / "release" / "aezip"


def field(size):
    random = np.random.default_rng(0)
    sum_ = 0.01 * random.standard_normal((size, size))
    for scale, amplitude in ((64, 8), (16, 2), (4, 0.5)):
        sum_ += amplitude * scale * gaussian_filter(random.standard_normal((size, size)), scale, mode="wrap")
    return sum_.astype(np.float32)


def seconds(work, times=5):
    taken = []
    for _ in range(times):
        begin = time.perf_counter()
        work()
        taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def main():
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--size", type=int, default=4096)
    options.add_argument("--error", type=float, default=0.001)
    options.add_argument("--levels", type=int, nargs="*", default=[1, 3])
    options.add_argument("--box", type=int, default=16)
    options.add_argument("--boxes", type=int, default=200)
    asked = options.parse_args()

    values = field(asked.size)
    bound = float(np.ptp(values)) * asked.error
    random = np.random.default_rng(1)
    with tempfile.TemporaryDirectory() as folder:
        source, small, out = Path(folder, "field.npy"), Path(folder, "field.aez"), Path(folder, "out.npy")
        np.save(source, values)
        for level in asked.levels:
            ask = [PROGRAM, "compress", source, "-o", small, f"-{level}", "--max-error", str(bound), "-q", "-f"]
            subprocess.run(ask, check=True)
            whole = seconds(lambda: aezip.open(small)[:])
            taken, touched, read = [], [], []
            for _ in range(asked.boxes):
                row, column = random.integers(0, asked.size - asked.box, 2)
                box = (slice(row, row + asked.box), slice(column, column + asked.box))
                file = aezip.open(small)
                begin = time.perf_counter()
                part = file[box]
                taken.append(time.perf_counter() - begin)
                ranges = file._reader.bytes_of_region([row, column], [row + asked.box, column + asked.box])
                touched.append(len(ranges))
                read.append(sum(stop - start for start, stop in ranges))
                assert np.abs(part.astype(float) - values[box]).max() <= bound
            region = f"{row}..{row + asked.box},{column}..{column + asked.box}"
            given = [PROGRAM, "decompress", small, "-o", out, "-q", "-f"]
            alone = seconds(lambda: subprocess.run([*given, "--region", region], check=True))
            program = seconds(lambda: subprocess.run(given, check=True))
            print(f"level {level}: {small.stat().st_size:,} bytes; whole {whole * 1e3:.1f} ms, a box {statistics.median(taken) * 1e3:.3f} ms "
                  f"(p99 {np.percentile(taken, 99) * 1e3:.3f}), {statistics.median(taken) / whole:.2%} of the whole; "
                  f"{statistics.mean(touched):.2f} blocks, {statistics.mean(read) / small.stat().st_size:.2%} of the bytes; "
                  f"the program {program * 1e3:.0f} ms, with --region {alone * 1e3:.0f} ms")


if __name__ == "__main__":
    main()
