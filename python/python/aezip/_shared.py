"""Chunks that leave their model to a codec that many of them share.

``format-spec/chunks.md`` of the repository says what lies where.
"""

from __future__ import annotations

import hashlib
import os
import struct
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
#: The most codecs of other files that are kept: one has some kilobytes, seldom megabytes.
_MOST_KNOWN = 64


class SharedCodec:
    """A codec whose model many chunks share, known in this process by its :attr:`hash`.

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
        while len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.pop(next(iter(_KNOWN)))
        _KNOWN[self.hash] = self

    @classmethod
    def from_bytes(cls, data: bytes, hash: str | None = None) -> SharedCodec:
        """Read the codec's file, whose ``hash`` is to be this one, if it is given."""
        found = hashlib.sha256(data).hexdigest()
        if hash is not None and found != hash:
            raise ValueError(f"{file_name(hash)} is another file than that: its SHA-256 is {found}")
        shared = cls.__new__(cls)
        shared.codec = load_codec(data)
        shared._set(data)
        return shared

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> SharedCodec:
        """Read the codec from a file; from then on chunks that refer to it can be read."""
        with open(path, "rb") as file:
            return cls.from_bytes(file.read())

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
        width = 1
        for size in self.codec.row_shape:
            width *= size
        return stored.ndim > 0 and stored.dtype == self.codec.dtype and stored[0].size == width

    def encode(self, stored: NDArray[Any], options: dict[str, Any]) -> bytes:
        """Return a chunk that refers to this codec."""
        file = self._model.compress(as_rows(stored), options)
        first, last = _model_section(file)
        if file[first:last] != self._section:
            # No file of one codec has another model; if it had, it would go with it.
            return file
        place = SIGNATURE + bytes.fromhex(self.hash) + _PLACE.pack(first)
        return place + file[:first] + file[last:]

    def whole(self, chunk: bytes) -> bytes:
        """Return the file that such a chunk stands for."""
        if reference(chunk) != self.hash:
            raise ValueError(f"the chunk refers to {file_name(str(reference(chunk)))}, not to {self.name}")
        (first,) = _PLACE.unpack_from(chunk, HEAD - _PLACE.size)
        rest = chunk[HEAD:]
        if first > len(rest):
            raise _aezip.CorruptError(f"the model's section is at byte {first} of {len(rest)}")
        return rest[:first] + self._section + rest[first:]

    def __repr__(self) -> str:
        return f"<aezip.SharedCodec {self.hash[:12]}, {len(self.data):,} bytes>"


#: Codecs of this process by their hashes.
_KNOWN: dict[str, SharedCodec] = {}


def file_name(hash: str) -> str:
    """Return how the file of a codec is called."""
    return f"codec-{hash}.aez"


def known(hash: str) -> SharedCodec | None:
    """Return a codec that this process has made or read."""
    return _KNOWN.get(hash)


def reference(chunk: bytes) -> str | None:
    """Return the hash of the codec that a chunk refers to; None if it has a model of its own."""
    start = len(SIGNATURE)
    if chunk[:start] != SIGNATURE:
        return None
    if len(chunk) < HEAD:
        raise _aezip.CorruptError("the chunk ends within its head")
    return chunk[start : start + 32].hex()


def whole(chunk: bytes) -> bytes:
    """Return the file that a chunk is, or stands for."""
    hash = reference(chunk)
    if hash is None:
        return chunk
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
