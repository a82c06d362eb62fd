#!/usr/bin/env python3
"""aezip beside its peers on the same arrays in the same run: `run.py [--vectors A.npy,...] [ARRAY.npy ...] > RESULTS.md`

    cargo build --release
    python -m venv venv && venv/bin/pip install -r benches/peers/requirements.txt
    venv/bin/python benches/peers/run.py ARRAY.npy ... > benches/RESULTS.md

Prints tables and draws a picture of rate against distortion for each array, beside this file. Arrays get bounds of 1, 0.1 and 0.01 % of the
range of all values; those of --vectors are compared with codecs of FAISS by their normalised squared error, too. Every decoded array is checked:
where a peer misses its bound, the table says by how much. All run on one thread, in turns; medians of --rounds are shown. Measure on a quiet machine.
"""

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path

import programs as peers  # before numpy: it says that libraries may use one thread

import numpy as np
import report

HERE = Path(__file__).resolve().parent
SHARES = [1e-2, 1e-3, 1e-4]
SUMS = [0.3, 0.13, 0.03, 0.003]
# Codecs that take so many seconds run once: they vary less than others anyhow.
SLOW = 20.0


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def measure(codecs, array, rounds):
    """Returns for each codec its bytes, the medians of its times there and back, and what comes back."""
    times = {id(codec): ([], []) for codec in codecs}
    for codec in codecs:
        codec.prepare(array)
    for at in range(rounds):
        for codec in codecs:
            there, back = times[id(codec)]
            if at and there[0] > SLOW:
                continue
            codec.prepare(array)
            there.append(timed(lambda: codec.encode(array)))
            back.append(timed(codec.decode))
    for codec in codecs:
        if len(codecs) > 1:
            # Those of one folder have written over each other's files.
            codec.prepare(array)
            codec.encode(array)
        there, back = (statistics.median(t) for t in times[id(codec)])
        yield codec, codec.size(), there, back, codec.decoded()


def bounded(name, array, args, folder):
    span = float(array.max()) - float(array.min())
    found, lines = [], {}
    for share in SHARES:
        bound = float(f"{span * share:.6g}")
        if array.dtype.kind in "iu" and bound < 1:
            continue
        for codec, size, there, back, decoded in measure(peers.bounded(array, bound, args.levels, folder), array, args.rounds):
            error = float(np.abs(decoded.astype(np.longdouble) - array).max())
            found.append((bound, codec.name, size, there, back, error))
            lines.setdefault(codec.name, []).append((8 * size / array.size, error / span))
            print(name, *found[-1], file=sys.stderr)
    report.picture(HERE / f"{name}.svg", name, lines, "largest error, of the range of values")
    return report.bounded(name, array, found)


def vectors(name, array, args, folder):
    variance = float(((array - array.mean(axis=0)) ** 2).sum())
    found, lines = [], {}
    for codec in peers.of_vectors(args.vector_levels, SUMS, args.faiss.split(), folder):
        rounds = args.rounds if isinstance(codec, peers.Aezip) else 1
        for _, size, there, back, decoded in measure([codec], array, rounds):
            nmse = float(((decoded.astype(np.float64) - array) ** 2).sum()) / variance
            promise = f" {' '.join(codec.promise)}" if isinstance(codec, peers.Aezip) else ""
            found.append((codec.name, promise, size, there, back, nmse))
            lines.setdefault(codec.family, []).append((8 * size / array.size, nmse))
            print(name, *found[-1], file=sys.stderr)
    report.picture(HERE / f"{name}.svg", name, lines, "normalised mean squared error")
    return report.vectors(name, array, found)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("arrays", nargs="*", help=".npy files")
    parser.add_argument("--vectors", default="", help=".npy files of f32 rows, separated by commas")
    parser.add_argument("--faiss", default="PQ24 PQ48 PQ96 OPQ48,PQ48 RQ24x8 SQ4 SQ8", help="codecs of FAISS")
    parser.add_argument("--rounds", type=int, default=5)
    levels = {"type": lambda text: [int(x) for x in text.split(",")], "metavar": "LEVEL,..."}
    parser.add_argument("--levels", **levels, default=[1], help="of aezip, for arrays")
    parser.add_argument("--vector-levels", **levels, default=[1, 3], help="of aezip, for --vectors")
    args = parser.parse_args()
    version = report.program_version(peers.PROGRAM)
    parts = [report.head(version)]
    with tempfile.TemporaryDirectory() as folder:
        for path in args.arrays:
            parts.append(bounded(Path(path).stem, np.load(path), args, folder))
        for path in filter(None, args.vectors.split(",")):
            parts.append(vectors(f"{Path(path).stem}-vectors", np.load(path), args, folder))
    print("\n\n".join(parts))


if __name__ == "__main__":
    main()
