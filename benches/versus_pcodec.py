#!/usr/bin/env python3
"""Sizes without loss: aezip beside pcodec column by column, for each array of a folder.

    cargo build --release
    python benches/versus_pcodec.py FOLDER [--level L] [--pco-level P] [--rows N]

Needs numpy and pcodec; pandas for .csv, of which columns of numbers are taken. Files are read as tables: the
first dimension counts rows, all others make columns. pcodec packs each column by itself, in chunks
of 2^18 numbers as is its default; nothing is counted for what would join them. Ends with 1 if aezip takes over 1 % more
for any of them.
"""

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from pcodec import ChunkConfig, standalone

PROGRAM = Path(__file__).resolve().parent.parent / "target" / "release" / "aezip"
# What aezip may take more; a file's head, index and footer come on top.
MARGIN, FRAME = 1.01, 300


def table(path):
    """Rows and columns of a file; None for what is no numbers."""
    if path.suffix == ".csv":
        import pandas

        numbers = pandas.read_csv(path).select_dtypes("number")
        return numbers.to_numpy(np.float64) if numbers.shape[1] else None
    array = np.load(path)
    return array.reshape(len(array), -1) if array.dtype.kind in "iuf" and array.size else None


def by_column(rows, level):
    """Bytes of all columns, each packed by pcodec."""
    config = ChunkConfig(compression_level=level)
    total = 0
    for column in rows.T:
        column = np.ascontiguousarray(column)
        if column.dtype.itemsize == 1:  # the package takes 16 bits and more
            column = column.astype(f"{column.dtype.kind}2")
        total += len(standalone.simple_compress(column, config))
    return total


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path, help="searched for .npy and .csv files")
    parser.add_argument("--level", type=int, default=5, help="aezip's")
    parser.add_argument("--pco-level", type=int, default=8, help="pcodec's; 8 is its default")
    parser.add_argument("--rows", type=int, help="take no more than so many rows of each")
    parser.add_argument("--program", default=str(PROGRAM), help="aezip to run")
    args = parser.parse_args()

    worse = 0
    print(f"{'file':32} {'raw':>11} {'pcodec':>11} {'aezip':>11}  aezip / pcodec")
    for path in sorted([*args.folder.glob("**/*.npy"), *args.folder.glob("**/*.csv")]):
        try:
            rows = table(path)
        except ValueError as e:
            print(f"{path.name:32} skipped: {e}")
            continue
        if rows is None:
            continue
        rows = np.ascontiguousarray(rows[: args.rows])
        with tempfile.TemporaryDirectory() as folder:
            npy, aez = Path(folder) / "a.npy", Path(folder) / "a.aez"
            np.save(npy, rows)
            command = [args.program, "compress", npy, "-o", aez, f"-{args.level}", "--lossless"]
            subprocess.run(command, check=True, capture_output=True)
            own = aez.stat().st_size
        peer = by_column(rows, args.pco_level)
        is_worse = own > MARGIN * peer + FRAME
        worse += is_worse
        print(f"{path.name:32} {rows.nbytes:11,} {peer:11,} {own:11,}  {own / peer:.3f}"
              + (" LARGER" if is_worse else ""), flush=True)
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main()
