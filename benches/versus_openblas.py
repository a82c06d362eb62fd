#!/usr/bin/env python3
"""Products of f32 matrices by aezip's kernels and by numpy's OpenBLAS.

    python benches/versus_openblas.py [--rounds N] [--threads T]

Needs numpy. The two take turns, so that a change of the machine's speed meets both; medians of
the rounds are shown. Measure on a quiet machine: OpenBLAS with several threads waits in a loop,
and falls far behind when it shares a core.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time
from pathlib import Path

# These two would choose a kernel for another CPU, or for a smaller cache.
MISLEADING = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")


def numpy_rates(shapes):
    """Billions of operations per second, for each shape the median of 41 times."""
    import numpy as np
    rates = []
    for m, k, n in shapes:
        a = np.random.default_rng(1).random((m, k), dtype=np.float32)
        b = np.random.default_rng(2).random((k, n), dtype=np.float32)
        out = np.empty((m, n), dtype=np.float32)
        operations = 2 * m * k * n
        repeats = -(-50_000_000 // operations)
        times = []
        for _ in range(41):
            np.matmul(a, b, out=out)
            start = time.perf_counter()
            for _ in range(repeats):
                np.matmul(a, b, out=out)
            times.append((time.perf_counter() - start) / repeats)
        rates.append(operations / statistics.median(times) / 1e9)
    return rates


def own_program():
    """The bench's program, built if need be."""
    words = ["cargo", "bench", "-p", "aezip-benches", "--bench", "kernels", "--no-run",
             "--message-format", "json"]
    lines = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout
    for line in lines.splitlines():
        message = json.loads(line)
        if message.get("executable") and message["target"]["name"] == "kernels":
            return message["executable"]
    raise SystemExit("cargo built no bench")


def own_rates(program, threads):
    """Shapes, peaks and rates of a·b."""
    environment = dict(os.environ, RAYON_NUM_THREADS=str(threads))
    words = [program, "--bench", "--table"]
    text = subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True, env=environment)
    found = re.findall(r"^(\d+)×(\d+)×(\d+) +([\d.]+) +([\d.]+)", text.stdout, re.M)
    return {tuple(map(int, row[:3])): tuple(map(float, row[3:])) for row in found}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--shapes", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.shapes:
        print(json.dumps(numpy_rates(json.loads(args.shapes))))
        return

    os.chdir(Path(__file__).resolve().parent.parent)
    program = own_program()
    environment = {name: value for name, value in os.environ.items() if name not in MISLEADING}
    environment["OPENBLAS_NUM_THREADS"] = str(args.threads)
    rounds = []
    for _ in range(args.rounds):
        own = own_rates(program, args.threads)
        words = [sys.executable, __file__, "--shapes", json.dumps(list(own))]
        theirs = subprocess.run(words, check=True, stdout=subprocess.PIPE, env=environment)
        rounds.append((own, json.loads(theirs.stdout)))
    print(f"{'rows×inner×columns':20}{'peak':>8}{'aezip':>8}{'OpenBLAS':>10}{'ratio':>7}")
    for i, shape in enumerate(rounds[0][0]):
        peak = statistics.median(own[shape][0] for own, _ in rounds)
        ours = statistics.median(own[shape][1] for own, _ in rounds)
        theirs = statistics.median(rates[i] for _, rates in rounds)
        name = "×".join(map(str, shape))
        print(f"{name:20}{peak:8.1f}{ours:8.1f}{theirs:10.1f}{ours / theirs:7.3f}")


if __name__ == "__main__":
    main()
