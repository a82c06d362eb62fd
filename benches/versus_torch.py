#!/usr/bin/env python3
"""Speed of training an autoencoder: aezip and PyTorch on the same threads, in turns.

    python benches/versus_torch.py [--widths 784 512 ...] [--threads T] [--windows N] [--steps S]

Both train dense layers with ReLU between them on the mean squared error, with Adam (PyTorch's
fused one) on shuffled batches of 256 rows of random numbers. They take turns (A B A B), so that a
change of the machine's speed meets both, and rest in between, so that no waiting thread of one
disturbs the other. Shown are rows per second, medians of the windows, and the median of the ratios
of neighbouring windows. Measure on a quiet machine: PyTorch suffers more than aezip from
programs beside it. Without PyTorch only aezip is measured.
"""

import argparse
import json
import os
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BATCH, ROWS = 256, 16384


class Aezip:
    """The benchmark `training`, asked for one window after another."""

    name = "aezip"

    def __init__(self, widths, threads):
        build = ["cargo", "bench", "-p", "aezip-benches", "--bench", "training", "--no-run",
                 "--message-format", "json"]
        lines = subprocess.run(build, cwd=ROOT, check=True, capture_output=True).stdout.splitlines()
        programs = [m["executable"] for m in map(json.loads, lines)
                    if m.get("executable") and m["target"]["name"] == "training"]
        self.process = subprocess.Popen(
            [programs[-1], "--serve", *map(str, widths)], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            env=dict(os.environ, RAYON_NUM_THREADS=str(threads)))
        self.window(1)

    def window(self, steps):
        self.process.stdin.write(f"{steps}\n")
        speed, loss = self.process.stdout.readline().split()
        return float(speed), float(loss)


class Torch:
    """The same in PyTorch."""

    name = "PyTorch"

    def __init__(self, widths, threads):
        os.environ.setdefault("OMP_NUM_THREADS", str(threads))
        import torch
        torch.set_num_threads(threads)
        torch.manual_seed(0)
        layers = []
        for inputs, outputs in zip(widths, widths[1:]):
            layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
        self.torch = torch
        self.net = torch.nn.Sequential(*layers[:-1])
        self.adam = torch.optim.Adam(self.net.parameters(), lr=1e-3, fused=True)
        self.error = torch.nn.MSELoss()
        self.rows = torch.rand(ROWS, widths[0])
        self.order = torch.randperm(ROWS)
        self.at = 0
        self.window(20)

    def window(self, steps):
        start = time.perf_counter()
        for _ in range(steps):
            x = self.rows[self.order[self.at:self.at + BATCH]]
            self.at = (self.at + BATCH) % ROWS
            self.adam.zero_grad(set_to_none=True)
            loss = self.error(self.net(x), x)
            loss.backward()
            self.adam.step()
        return steps * BATCH / (time.perf_counter() - start), loss.item()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--widths", type=int, nargs="+", default=[784, 512, 256, 32, 256, 512, 784])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--windows", type=int, default=9)
    parser.add_argument("--steps", type=int, default=60, help="steps of a window")
    args = parser.parse_args()

    sides = [Aezip(args.widths, args.threads)]
    try:
        sides.append(Torch(args.widths, args.threads))
    except ImportError:
        print("PyTorch is not installed: only aezip is measured")
    print(f"{'-'.join(map(str, args.widths))}, {args.threads} threads, load {os.getloadavg()[0]:.2f}")
    speeds = {side.name: [] for side in sides}
    for _ in range(args.windows):
        for side in sides:
            time.sleep(0.3)
            speed, loss = side.window(args.steps)
            speeds[side.name].append(speed)
    for name, found in speeds.items():
        windows = " ".join(f"{s:.0f}" for s in found)
        print(f"{name:>8} {statistics.median(found):7.0f} rows/s   windows {windows}")
    if len(sides) == 2:
        ratios = [a / b for a, b in zip(*speeds.values())]
        print(f"ratio {statistics.median(ratios):.2f}   pairs {' '.join(f'{r:.2f}' for r in ratios)}")


if __name__ == "__main__":
    main()
