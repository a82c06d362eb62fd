"""Chunks that leave their model to a codec that many of them share.

``format-spec/chunks.md`` of the repository says what lies where.
"""

from __future__ import annotations

import functools
import hashlib
import math
import os
import re
import struct
import weakref
from typing import Any

from numpy.typing import NDArray

from . import _aezip
from ._arrays import as_rows
from ._codec import Codec, load_codec

#: What such a chunk begins with; then come the codec's hash and where the model's section lies.
SIGNATURE = b"\x89AEZC\r\n\x1a"
_PLACE = struct.Struct("<Q")
#: How long all that is.
HEAD = len(SIGNATURE) + 32 + _PLACE.size
#: The head of a file, and of a section of it: its tag and length.
_FILE_HEAD = 20
_SECTION = struct.Struct("<4sQ")
_CHECKSUM = 4
#: How many codecs are kept that nobody holds: one has some kilobytes, seldom megabytes.
_MOST_KEPT = 64
_HASH = re.compile(r"[0-9a-f]{64}", re.ASCII)


class SharedCodec:
    """A codec whose model many chunks share, known in this process by its :attr:`hash`.

    It can be pickled, with all that it knows.

    Parameters
    ----------
    codec : Codec
        One that was learned with the bound on each value that chunks are to keep.

    Examples
    --------
    >>> import numpy as np, aezip
    >>> x = np.sin(np.arange(4000)[:, None] * 0.01 + np.arange(20)).astype("f4")
    >>> shared = aezip.SharedCodec(aezip.train(x, max_error=0.01, level=1))
    >>> chunk = shared.encode(x[:100], {"max_error": 0.01})
    >>> len(chunk) < len(aezip.dumps(x[:100], max_error=0.01, level=1))
    True
    >>> bool(abs(aezip.loads(shared.whole(chunk)) - x[:100]).max() <= 0.01)
    True
    """

    def __init__(self, codec: Codec) -> None:
        if not isinstance(codec, Codec):
            raise TypeError(f"{codec!r:.60} is no aezip.Codec: learn one with aezip.train, or use SharedCodec.load(path)")
        self.codec = codec
        self._set(codec.to_bytes())

    def _set(self, data: bytes) -> None:
        #: The codec's file.
        self.data = data
        #: SHA-256 of it, 64 digits.
        self.hash = hashlib.sha256(data).hexdigest()
        self._model = _aezip.SharedModel(self.codec._codec)
        first, last = _model_section(data)
        self._section = data[first:last]
        _ALIVE[self.hash] = self
        _kept(self)

    @classmethod
    def from_bytes(cls, data: bytes, hash: str | None = None) -> SharedCodec:
        """Read the codec's file, whose ``hash`` is to be this one, if it is given."""
        data = as_bytes(data)
        found = hashlib.sha256(data).hexdigest()
        if hash is not None and found != hash:
            raise ValueError(f"{file_name(hash)} is another file than that: its SHA-256 is {found}")
        if (there := known(found)) is not None:
            return there
        shared = cls.__new__(cls)
        shared.codec = load_codec(data)
        shared._set(data)
        return shared

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SharedCodec:
        """Read the codec from a file; from then on this process can read chunks that refer to it."""
        with open(os.fspath(path), "rb") as file:
            shared = cls.from_bytes(file.read())
        _LOADED[shared.hash] = shared
        return shared

    def save(self, folder: str | os.PathLike[str]) -> str:
        """Write the codec into a folder, under its :attr:`name`; returns the path."""
        path = os.path.join(os.fspath(folder), self.name)
        _aezip.write_file(path, self.data)
        return path

    @property
    def name(self) -> str:
        """The name of the codec's file: ``codec-<hash>.aez``."""
        return file_name(self.hash)

    def takes(self, stored: NDArray[Any]) -> bool:
        """Say whether an array has rows like those that the codec was learned from."""
        width = math.prod(self.codec.row_shape)
        return stored.ndim > 0 and stored.dtype == self.codec.dtype and math.prod(stored.shape[1:]) == width

    def encode(self, stored: NDArray[Any], options: dict[str, Any]) -> bytes:
        """Return a chunk that refers to this codec; only numbers that ``fill_value`` names stand for missing ones."""
        file = self._model.compress(as_rows(stored), {"fill_value": "none", **options})
        first, last = _model_section(file)
        if file[first:last] != self._section:
            # No file of one codec has another model; if it had, it would go with it.
            return file
        place = SIGNATURE + bytes.fromhex(self.hash) + _PLACE.pack(first)
        return place + file[:first] + file[last:]

    def whole(self, chunk: bytes) -> bytes:
        """Return the file that such a chunk stands for."""
        chunk = as_bytes(chunk)
        hash = reference(chunk)
        if hash is None:
            what = "has a model of its own" if chunk else "is empty"
            raise ValueError(f"the chunk {what}, it refers to no codec")
        if hash != self.hash:
            raise ValueError(f"the chunk refers to {file_name(hash)}, not to {self.name}")
        (first,) = _PLACE.unpack_from(chunk, HEAD - _PLACE.size)
        rest = chunk[HEAD:]
        if first > len(rest):
            raise _aezip.CorruptError(f"the model's section is at byte {first} of {len(rest)}")
        return rest[:first] + self._section + rest[first:]

    def __reduce__(self) -> tuple[Any, ...]:
        return SharedCodec.from_bytes, (self.data, self.hash)

    def __repr__(self) -> str:
        return f"<aezip.SharedCodec {self.hash[:12]}, {len(self.data):,} bytes>"


#: All codecs that someone holds, by their hashes.
_ALIVE: weakref.WeakValueDictionary[str, SharedCodec] = weakref.WeakValueDictionary()
#: Those that someone asked to be known.
_LOADED: dict[str, SharedCodec] = {}


@functools.lru_cache(_MOST_KEPT)
def _kept(shared: SharedCodec) -> SharedCodec:
    """Hold a codec while it is one of those that were used last, such as were found beside arrays."""
    return shared


def forget() -> None:
    """Let go of all codecs, as in a process that has just begun."""
    _kept.cache_clear()
    _LOADED.clear()
    _ALIVE.clear()


def given(codec: Any) -> tuple[str, SharedCodec | None]:
    """Return the hash of a codec, and the codec if it was given or is known.

    Raises
    ------
    TypeError
        If it is no codec and no text.
    ValueError
        If it is text but no hash.
    """
    if isinstance(codec, Codec):
        codec = SharedCodec(codec)
    if isinstance(codec, SharedCodec):
        return codec.hash, codec
    if not isinstance(codec, str):
        raise TypeError(f"codec={codec!r:.60} is neither a Codec, a SharedCodec nor the hash of one")
    hash = codec.lower()
    if not _HASH.fullmatch(hash):
        raise ValueError(f"codec={codec!r:.60} is no hash of a codec, which has 64 digits 0-9 a-f")
    return hash, known(hash)


def as_bytes(data: Any) -> bytes:
    """Return bytes as such, whatever they lie in."""
    return data if isinstance(data, bytes) else memoryview(data).tobytes()


def file_name(hash: str) -> str:
    """Return how the file of a codec is called."""
    return f"codec-{hash}.aez"


def known(hash: str) -> SharedCodec | None:
    """Return a codec that this process has made or read, unless nobody holds it and many came since."""
    shared = _ALIVE.get(hash)
    return None if shared is None else _kept(shared)


def reference(chunk: bytes) -> str | None:
    """Return the hash of the codec that a chunk refers to; None if it has a model of its own."""
    chunk = as_bytes(chunk)
    start = len(SIGNATURE)
    if chunk[:start] != SIGNATURE:
        return None
    if len(chunk) < HEAD:
        raise _aezip.CorruptError("the chunk ends within its head")
    return chunk[start : start + 32].hex()


def whole(chunk: bytes, shared: SharedCodec | None = None) -> bytes:
    """Return the file that a chunk is, or stands for: with this codec, or with one that is known."""
    chunk = as_bytes(chunk)
    hash = reference(chunk)
    if hash is None:
        return chunk
    if shared is None or shared.hash != hash:
        shared = known(hash)
    if shared is None:
        raise ValueError(missing(hash))
    return shared.whole(chunk)


def missing(hash: str) -> str:
    """Say that a codec is not there, and where it may be."""
    return (
        f"the chunk refers to {file_name(hash)}, which is neither beside the array nor known: "
        "aezip.SharedCodec.load(path) makes it known"
    )


def _model_section(file: bytes) -> tuple[int, int]:
    """Return from where to where the section with the model reaches; nowhere if there is none."""
    at = _FILE_HEAD
    while at + _SECTION.size <= len(file):
        tag, length = _SECTION.unpack_from(file, at)
        end = at + _SECTION.size + length + _CHECKSUM
        if tag == b"MODL":
            return at, end
        if tag == b"DATA":
            break
        at = end
    return at, at
