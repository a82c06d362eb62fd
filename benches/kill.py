#!/usr/bin/env python3
"""Kills `aezip append` and `aezip compress -f` at random moments and looks at what they leave.

    python3 benches/kill.py AEZIP ROWS.npy [TIMES]

A file must be the old or the new one, byte for byte, or the old one with bytes behind its end that readers
leave out; the next run must succeed on it. Needs NumPy.
"""
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np


def run(*arguments):
    return subprocess.run([str(a) for a in arguments], capture_output=True, text=True)


def killed(arguments, after):
    """Runs a program and kills it; says whether it had ended before."""
    process = subprocess.Popen([str(a) for a in arguments], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(after)
        return True
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return False


class Trial:
    def __init__(self, aezip, rows, folder, promise):
        self.aezip, self.promise = aezip, promise
        self.file, self.old_rows, self.all_rows = (folder / n for n in ("rows.aez", "old.npy", "all.npy"))
        self.more_rows, self.back = folder / "more.npy", folder / "back.npy"
        split = len(rows) * 3 // 4
        np.save(self.old_rows, rows[:split])
        np.save(self.more_rows, rows[split:])
        np.save(self.all_rows, rows)
        self.must(*self.compress(self.old_rows))
        self.old = self.file.read_bytes()

    def compress(self, source):
        return self.aezip, "compress", source, "-1", "-f", "-q", *self.promise, "-o", self.file

    def append(self):
        return self.aezip, "append", self.file, self.more_rows, "-q"

    def decoded(self):
        """Returns the rows of the file as they are now."""
        self.must(self.aezip, "decompress", self.file, "-f", "-q", "-o", self.back)
        return self.back.read_bytes()

    def must(self, *arguments):
        ran = run(*arguments)
        if ran.returncode:
            sys.exit(f"{arguments}: {ran.stderr}")
        return ran

    def times(self, name, arguments, times, seed):
        """Kills a command at random moments of its run and counts what is left."""
        moments = random.Random(seed)
        self.file.write_bytes(self.old)
        old_rows = self.decoded()
        started = time.time()
        self.must(*arguments)
        whole = time.time() - started
        new = self.file.read_bytes()
        counts = {"old": 0, "old with bytes behind": 0, "new": 0, "killed": 0}
        for i in range(times):
            self.file.write_bytes(self.old)
            # Half of them near the end, where files are written.
            moment = moments.uniform(0.8 * (i % 2), 1.1) * whole
            counts["killed"] += not killed(arguments, moment)
            left = self.file.read_bytes()
            if left == new:
                counts["new"] += 1
            elif left == self.old:
                counts["old"] += 1
            elif left.startswith(self.old):
                counts["old with bytes behind"] += 1
            else:
                sys.exit(f"{name}: a file that is neither old nor new")
            original = self.all_rows if left == new else self.old_rows
            if left in (self.old, new):
                self.must(self.aezip, "verify", self.file, "--against", original, "-q")
            elif self.decoded() != old_rows:
                # `verify` tells of the bytes behind.
                sys.exit(f"{name}: rows were lost")
            if left != new:
                self.must(*arguments)
                if self.file.read_bytes() != new:
                    sys.exit(f"{name}: the next run made another file")
        print(name, counts, flush=True)


def main(aezip, rows, times="200"):
    with tempfile.TemporaryDirectory() as folder:
        trial = Trial(aezip, np.load(rows), Path(folder), ["--nmse", "0.13"])
        trial.times("append", trial.append(), int(times), 1)
        trial.times("compress -f", trial.compress(trial.all_rows), int(times), 2)


if __name__ == "__main__":
    if not 3 <= len(sys.argv) <= 4:
        sys.exit(__doc__)
    main(*sys.argv[1:])
