#!/usr/bin/env python3
"""Whether a looser bound, a higher level or plain coding ever gives a smaller file than it should: `monotone.py AEZIP ARRAY.npy ...`

For each array, bounds of 0 and of 1e-5 to 1e-1 of the range of all values in half decades, and levels 1 and 3 (or those of
LEVELS=1,3,5): bytes of the whole file, beside the entropy of each column's values quantised to the bound and a byte for each of its
different values, which a table must hold. A line ends in what it breaks by more than 1 %: `floor` (larger than that), `bound` (larger than with the tighter bound before), `level`
(larger than at the level before)."""
import os
import subprocess
import sys
import tempfile

import numpy as np


def entropy(values):
    """Bytes of numbers by their frequencies, and of a table of these."""
    _, counts = np.unique(values, return_counts=True)
    return float(-(counts * np.log2(counts / counts.sum())).sum()) / 8 + len(counts)


def floor(array, bound):
    """Bytes of all columns, each quantised to the bound and coded with a table of its own."""
    rows = array.reshape(len(array), -1)
    if bound == 0:
        return sum(entropy(c) for c in rows.T)
    if rows.dtype.kind == "f":
        return sum(entropy(np.round(c.astype(float) / (2 * bound))) for c in rows.T)
    return sum(entropy(np.round(c.astype(float) / (2 * int(bound) + 1))) for c in rows.T)


def main():
    program, *arrays = sys.argv[1:]
    levels = os.environ.get("LEVELS", "1,3").split(",")
    broken = 0
    for name in arrays:
        array = np.load(name)
        span = float(array.max()) - float(array.min())
        bounds = [0.0] + [span * 10 ** (k / 2) for k in range(-10, -1)]
        if array.dtype.kind in "iu":
            bounds = sorted({float(int(b)) for b in bounds})
        before = {}
        for bound in bounds:
            sizes, faults = [], []
            for level in levels:
                with tempfile.TemporaryDirectory() as folder:
                    out = f"{folder}/x.aez"
                    bounded = ["--max-error", f"{bound:.6g}"]
                    subprocess.run([program, "compress", name, "-o", out, "-q", f"-{level}", *bounded], check=True)
                    sizes.append(os.path.getsize(out))
                if sizes[-1] > before.get(level, np.inf) * 1.01:
                    faults.append(f"bound(-{level})")
                if len(sizes) > 1 and sizes[-1] > sizes[-2] * 1.01:
                    faults.append(f"level(-{level})")
                before[level] = sizes[-1]
            least = floor(array, float(f"{bound:.6g}"))
            if sizes[0] > least * 1.01 + 500:
                faults.append("floor")
            broken += len(faults)
            print(os.path.basename(name), f"±{bound:.6g}", *sizes, f"columns {least:.0f}", *faults, flush=True)
    print("broken:", broken)


main()
