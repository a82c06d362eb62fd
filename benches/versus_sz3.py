#!/usr/bin/env python3
"""Sizes and times of aezip and SZ3 on the same array with the same bound, file to file.

    cargo build --release
    python benches/versus_sz3.py ARRAY.npy BOUND [--rounds N] [--level L] [--threads T]

Needs numpy, h5py and hdf5plugin. The two take turns, so that a change of the machine's speed
meets both; medians are shown. Both sides start from a .npy file and end with a file: aezip as a
new process, SZ3 within this one, whose start is not counted. Where the Python package of this
repository is there, too, both read their files into memory once more, within this process.
Measure on a quiet machine. The SZ3 of hdf5plugin runs on one thread and is built for SSE2 only.
"""

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

import h5py
import hdf5plugin
import numpy as np

WRITING_SECONDS = 20
PROGRAM = Path(__file__).resolve().parent.parent / "target" / "release" / "aezip"


def timed(work):
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def stored(path):
    """Bytes of the compressed array, without what HDF5 puts around it."""
    with h5py.File(path, "r") as file:
        return file["x"].id.get_storage_size()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("array", help=".npy file")
    parser.add_argument("bound", help="largest error of a value")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--level", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--program", default=str(PROGRAM), help="aezip to run")
    args = parser.parse_args()

    # Read when the first array is decoded.
    os.environ["RAYON_NUM_THREADS"] = str(args.threads)
    try:
        import aezip
    except ImportError:
        aezip = None

    original = np.load(args.array)
    # SZ3 takes floats and wide integers; narrow ones are widened, and that is not counted.
    wide = original.astype(np.float32) if original.dtype.itemsize <= 2 else original
    bound = float(args.bound)
    with tempfile.TemporaryDirectory() as folder:
        wide_npy = os.path.join(folder, "wide.npy")
        np.save(wide_npy, wide)
        archive = os.path.join(folder, "a.aez")
        decoded = os.path.join(folder, "a.npy")
        hdf5 = os.path.join(folder, "b.h5")

        def run(*words):
            threads = dict(os.environ, RAYON_NUM_THREADS=str(args.threads))
            subprocess.run([args.program, *words], check=True, env=threads)

        def a_in():
            run("compress", "-q", "-f", f"-{args.level}", "--threads", str(args.threads),
                "--max-error", args.bound, args.array, "-o", archive)

        def a_out():
            run("decompress", "-q", "-f", archive, "-o", decoded)

        def b_in():
            rows = np.load(wide_npy)
            with h5py.File(hdf5, "w") as file:
                file.create_dataset("x", data=rows, chunks=rows.shape,
                                    **hdf5plugin.SZ3(absolute=bound))

        def b_out():
            with h5py.File(hdf5, "r") as file:
                np.save(decoded, file["x"][...])

        def a_read():
            aezip.open(archive).read()

        def b_read():
            with h5py.File(hdf5, "r") as file:
                file["x"][...]

        times = {f"{name} {way}": [] for name in ("aezip", "SZ3") for way in ("in", "out", "read")}
        for _ in range(args.rounds):
            # Files that take long to write are written less often than they are read.
            if sum(times["aezip in"]) < WRITING_SECONDS:
                times["aezip in"].append(timed(a_in))
                times["SZ3 in"].append(timed(b_in))
            times["aezip out"].append(timed(a_out))
            times["SZ3 out"].append(timed(b_out))
            if aezip:
                times["aezip read"].append(timed(a_read))
                times["SZ3 read"].append(timed(b_read))
        a_out()
        # Differences in long double, so that the subtraction does not blur the bound.
        error = np.abs(np.load(decoded).astype(np.longdouble) - original).max()
        sizes = {"aezip": os.path.getsize(archive), "SZ3": stored(hdf5)}

    print(f"{args.array}: {original.shape} {original.dtype}, {original.nbytes} bytes, bound {args.bound}")
    for name in ("aezip", "SZ3"):
        there, back = (statistics.median(times[f"{name} {way}"]) for way in ("in", "out"))
        mb = original.nbytes / 1e6
        print(f"{name:>6} {sizes[name]:>12} bytes   compress {there:.3f} s, {mb / there:.0f} MB/s"
              f"   decompress {back:.4f} s, {mb / back:.0f} MB/s")
        if aezip:
            read = statistics.median(times[f"{name} read"])
            print(f"{'':>6} read into memory {read:.4f} s, {mb / read:.0f} MB/s")
    print(f"largest error of aezip {error}")
    if error > bound:
        raise SystemExit("the bound is broken")


if __name__ == "__main__":
    main()
