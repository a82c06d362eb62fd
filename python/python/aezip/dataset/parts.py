"""The parts of a data set as one array: which of them hold what is asked for, several at a time."""

from __future__ import annotations

import contextlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .._aezip import CorruptError, Reader
from .._arrays import DTYPES
from .manifest import Manifest, Part
from .remote import Bytes, open_part
from .store import Remote, Store

#: Parts that stay open: each takes a file descriptor, its model and its index.
MOST_OPEN = 128
#: Bytes of decoded blocks that all open parts keep together.
CACHE_BYTES = 128 << 20
#: The most of that for a part, as for a file by itself.
PART_CACHE_BYTES = 16 << 20
#: Parts that are asked for side by side where they are far away: most of their time is waiting.
REMOTE_THREADS = 16


class Parts:
    """Decodes boxes and rows of all parts as one array."""

    def __init__(self, store: Store, manifest: Manifest) -> None:
        self.store, self.manifest = store, manifest
        self.shape = (manifest.rows, *manifest.row_shape)
        self.dtype = DTYPES[manifest.dtype]
        #: The first row of each part, and the number of all rows.
        self.starts = np.cumsum([0, *(part.rows for part in manifest.parts)], dtype=np.int64)
        self._open: OrderedDict[int, tuple[Reader, Bytes | None]] = OrderedDict()
        self._lock = threading.Lock()
        there = min(MOST_OPEN, max(1, len(manifest.parts)))
        self._cache_bytes = min(PART_CACHE_BYTES, CACHE_BYTES // there)

    def region(self, start: list[int], stop: list[int]) -> NDArray[Any]:
        """Return a box of the array."""
        out = np.empty([b - a for a, b in zip(start, stop)], self.dtype)
        self.region_into(start, stop, out)
        return out

    def region_into(self, start: list[int], stop: list[int], out: NDArray[Any]) -> None:
        """Decode a box of the array into a contiguous array of its shape."""
        if out.size == 0:
            return
        first, end = start[0], stop[0]

        def job(number: int) -> None:
            base = int(self.starts[number])
            own = max(first, base), min(end, int(self.starts[number + 1]))
            low, high = [own[0] - base, *start[1:]], [own[1] - base, *stop[1:]]
            place = out[own[0] - first : own[1] - first].reshape(-1).view(np.uint8)
            reader, data = self.part(number)
            with held(data, lambda: reader.bytes_of_region(low, high)):
                reader.region_into(low, high, place)

        low = int(np.searchsorted(self.starts, first, "right")) - 1
        self._each(range(low, int(np.searchsorted(self.starts, end, "left"))), job)

    def take(self, rows: NDArray[np.uint64]) -> NDArray[Any]:
        """Return rows, which must be there, in the order in which they are given."""
        out = np.empty((len(rows), *self.shape[1:]), self.dtype)
        numbers = np.searchsorted(self.starts[1:], rows.astype(np.int64), "right")
        if len(self.starts) <= 1 << 16:
            # NumPy sorts such in one pass; readers put the rows of each part in order themselves.
            numbers = numbers.astype(np.uint16)
        order = np.argsort(numbers, kind="stable")
        ordered = rows[order]
        cuts = np.concatenate([[0], np.cumsum(np.bincount(numbers, minlength=len(self.starts) - 1))])

        def job(number: int) -> None:
            own = slice(cuts[number], cuts[number + 1])
            local = ordered[own] - np.uint64(self.starts[number])
            reader, data = self.part(number)
            with held(data, lambda: reader.bytes_of_rows(local)):
                out[order[own]] = reader.take(local)

        self._each(np.flatnonzero(np.diff(cuts)).tolist(), job)
        return out

    def part(self, number: int) -> tuple[Reader, Bytes | None]:
        """Return a part, opened if it is not open."""
        with self._lock:
            if number in self._open:
                self._open.move_to_end(number)
                return self._open[number]
        part = self.manifest.parts[number]
        found: tuple[Reader, Bytes | None]
        if isinstance(self.store, Remote):
            found = open_part(self.store, part, self._cache_bytes)
        else:
            found = Reader.open(self.store.at(part.path), self._cache_bytes), None
        self._expect(part, found[0])
        with self._lock:
            self._open[number] = found
            if len(self._open) > MOST_OPEN:
                self._open.popitem(last=False)
        return found

    def _expect(self, part: Part, reader: Reader) -> None:
        """Check that a part is what the manifest says."""
        kind, value = reader.promise or ("none", "")
        said = (self.manifest.dtype, [part.rows, *self.manifest.row_shape], self.manifest.promise)
        found = (reader.dtype, list(reader.shape), (kind.replace("_", "-"), value))
        for what, ours, theirs in zip(("type", "shape", "promise"), said, found):
            if ours != theirs:
                raise CorruptError(
                    f"{self.store.at(part.path)}: its {what} is {theirs}, the manifest says {ours}"
                )

    def _each(self, numbers: Iterable[int], job: Callable[[int], None]) -> None:
        """Do a job for some parts, side by side; an error of the first that has one is raised."""
        wanted = list(numbers)
        most = REMOTE_THREADS if isinstance(self.store, Remote) else os.cpu_count() or 1
        if min(len(wanted), most) < 2:
            for number in wanted:
                job(number)
            return
        with ThreadPoolExecutor(min(len(wanted), most), "aezip-parts") as pool:
            for _ in pool.map(job, wanted):
                pass


def held(
    data: Bytes | None, ranges: Callable[[], list[tuple[int, int]]]
) -> contextlib.AbstractContextManager[None]:
    """Fetch and hold ranges of a part that is far away; nothing for one that is here."""
    return contextlib.nullcontext() if data is None else data.fetched(ranges())
