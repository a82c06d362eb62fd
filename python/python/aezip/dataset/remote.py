"""A part that is far away: what is needed of it is fetched at once, not one piece after another."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

from .._aezip import Reader
from .manifest import Part
from .store import Remote

#: Bytes of the beginning and of the end of a part that are fetched to open it: a small model is in the
#: one, the index in the other.
ENDS = 64 << 10
#: Ranges so near each other are fetched as one: a request takes as long as so many bytes.
GAP = 64 << 10
#: Requests of more bytes are split, and run side by side.
MOST = 8 << 20

Range = tuple[int, int]


class Bytes:
    """The bytes of a part, of which some are held because they will be asked for."""

    def __init__(self, store: Remote, part: Part) -> None:
        self._store, self._part = store, part
        self._lock = threading.Lock()
        self._held: tuple[tuple[int, bytes], ...] = ()
        #: Whether sections are read, one after another, so that more is held than is asked for.
        self.is_opening = True

    def __call__(self, offset: int, length: int) -> bytes:
        stop = offset + length
        for start, data in self._held:
            if start <= offset and stop <= start + len(data):
                return data[offset - start : stop - start]
        if not self.is_opening:
            return self._store.ranges(self._part.path, [(offset, stop)])[0]
        ahead = min(self._part.bytes, max(stop, offset + ENDS))
        data = self._store.ranges(self._part.path, [(offset, ahead)])[0]
        self._held += ((offset, data),)
        return data[:length]

    def opened(self) -> None:
        """Let go of what opening needed."""
        self._held, self.is_opening = (), False

    @contextlib.contextmanager
    def fetched(self, ranges: list[Range]) -> Iterator[None]:
        """Hold some ranges while something is read from them."""
        wanted = coalesced(ranges)
        data = self._store.ranges(self._part.path, wanted) if wanted else []
        own = tuple((start, piece) for (start, _), piece in zip(wanted, data))
        with self._lock:
            self._held += own
        try:
            yield
        finally:
            with self._lock:
                mine = {id(piece) for _, piece in own}
                self._held = tuple(span for span in self._held if id(span[1]) not in mine)


def coalesced(ranges: list[Range]) -> list[Range]:
    """Return fewer ranges that hold these, none much longer than a request should be."""
    out: list[Range] = []
    for start, stop in sorted(ranges):
        if out and start - out[-1][1] <= GAP and stop - out[-1][0] <= MOST:
            out[-1] = (out[-1][0], max(stop, out[-1][1]))
        else:
            out.append((start, stop))
    return out


def open_part(store: Remote, part: Part, cache_bytes: int) -> tuple[Reader, Bytes]:
    """Open a part, in one round of requests where its model is small."""
    data = Bytes(store, part)
    ends = [(0, min(ENDS, part.bytes)), (max(0, part.bytes - ENDS), part.bytes)]
    with data.fetched(ends):
        reader = Reader.fetching(part.bytes, data, cache_bytes)
    data.opened()
    return reader, data
