"""Files as arrays whose parts are decoded when they are asked for."""

from __future__ import annotations

import math
import operator
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from . import _index
from ._aezip import Reader
from ._arrays import DTYPES
from ._html import file_view

#: Bytes of rows that are decoded together by those who go through all of them.
PIECE = 4 << 20


class File:
    """A compressed array, which is read like an array; made by :func:`aezip.open`.

    Parts are decoded when they are asked for: ``f[7]``, ``f[10:20, ..., 3:5]``, ``f.take(ids)``.
    ``np.asarray(f)`` decodes everything. Several threads may read at the same time, and a file can be
    pickled, by its path or its bytes.

    Examples
    --------
    >>> import numpy as np, aezip
    >>> x = np.outer(np.arange(300.0), np.ones(8))
    >>> f = aezip.open(aezip.dumps(x, max_error=0.25, level=1))
    >>> f.shape, f.dtype, f.promise
    ((300, 8), dtype('float64'), {'max_error': '0.25'})
    >>> bool(abs(f[7] - 7).max() <= 0.25), f[10:20, ..., 3:5].shape, f.take([5, 3]).shape
    (True, (10, 2), (2, 8))
    """

    __slots__ = ("_dtype", "_reader", "_row", "_shape", "_source")

    def __init__(self, source: str | bytes, reader: Reader) -> None:
        self._source = source
        self._reader = reader
        self._row = reader.row
        self._shape = tuple(reader.shape)
        self._dtype = DTYPES[reader.dtype]

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self._shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self._dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self._shape)

    @property
    def size(self) -> int:
        """Number of numbers."""
        return math.prod(self._shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the numbers take when they are decoded."""
        return self.size * self._dtype.itemsize

    @property
    def info(self) -> dict[str, Any]:
        """What the file is made of: its bytes, its model, its blocks."""
        return self._reader.info()

    @property
    def promise(self) -> dict[str, Any]:
        """The promise that the file keeps, as the keyword argument of :func:`aezip.compress`."""
        return promise_of(self._reader.promise)

    @property
    def columns(self) -> list[str] | None:
        """Names of the columns, where the file has them."""
        return self._reader.columns

    def __len__(self) -> int:
        if not self._shape:
            raise TypeError("len() of a number without an axis")
        return self._shape[0]

    def __getitem__(self, key: Any) -> Any:
        if type(key) is int and len(self._shape) > 1:
            try:
                return self._row(key)
            except OverflowError:
                raise IndexError(f"row {key} asked for, there are {len(self)}") from None
        return _index.read(self._reader, key)

    def __iter__(self) -> Iterator[Any]:
        step = self._reader.rows_at_once(PIECE)
        for first in range(0, len(self), step):
            yield from self[first : first + step]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a file has to be decoded, which needs memory: leave out copy=False")
        whole = self._reader.region([0] * self.ndim, list(self._shape))
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def take(
        self, indices: ArrayLike, axis: int = 0, out: NDArray[Any] | None = None
    ) -> NDArray[Any]:
        """Return the parts of the array with these numbers along an axis, as :func:`numpy.take`.

        Parameters
        ----------
        indices : array_like of int
            Which; negative ones are counted from the end. Along the first axis, a block that holds
            several of them is decoded once.
        axis : int, default 0
            Along which axis.
        out : ndarray, optional
            Where to write them, of the right shape and type.

        Returns
        -------
        ndarray
        """
        axis = operator.index(axis)
        axis += self.ndim if axis < 0 else 0
        if not 0 <= axis < self.ndim:
            raise IndexError(f"axis {axis} asked for, the array has {self.ndim}")
        ids = np.asarray(indices)
        if ids.size == 0:
            ids = ids.astype(np.intp)
        if ids.dtype.kind not in "iu":
            raise TypeError(f"numbers of rows are integers, not {ids.dtype}")
        found = self._take_rows(ids) if axis == 0 else self[(slice(None),) * axis + (ids,)]
        if out is None:
            return found
        self._expect_room(out, found.shape)
        out[...] = found
        return out

    def _take_rows(self, ids: NDArray[Any]) -> NDArray[Any]:
        count = self._shape[0]
        low, high = (int(ids.min()), int(ids.max())) if ids.size else (0, -1)
        if low < -count or high >= count:
            raise IndexError(f"row {low if low < -count else high} asked for, there are {count}")
        rows = np.where(ids < 0, ids + count, ids) if low < 0 else ids
        flat = np.ascontiguousarray(rows.reshape(-1), dtype=np.uint64)
        return self._reader.take(flat).reshape(ids.shape + self._shape[1:])

    def read(self, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Decode everything, into ``out`` if it is given.

        Parameters
        ----------
        out : ndarray, optional
            Where to write it: an array of the file's shape and type. If it is contiguous, there is no
            copy in between.

        Returns
        -------
        ndarray
        """
        if out is None:
            return self.__array__()
        self._expect_room(out, self._shape)
        if not out.flags.c_contiguous:
            out[...] = self.__array__()
        elif out.size:
            place = out.reshape(-1).view(np.uint8)
            self._reader.region_into([0] * self.ndim, list(self._shape), place)
        return out

    def _expect_room(self, out: NDArray[Any], shape: tuple[int, ...]) -> None:
        if not isinstance(out, np.ndarray):
            raise TypeError(f"out is {type(out).__name__}, not an array of NumPy")
        if out.shape != shape or out.dtype != self._dtype:
            raise ValueError(
                f"out is {out.dtype} of shape {out.shape}, to be filled with {self._dtype} of {shape}"
            )

    def verify(self) -> None:
        """Decode everything and check every checksum.

        Raises
        ------
        aezip.CorruptError
            With the first fault and its place.
        """
        self._reader.verify()

    def __repr__(self) -> str:
        name = self._source if isinstance(self._source, str) else f"{len(self._source)} bytes"
        kept = ", ".join(f"{k}={v}" for k, v in self.promise.items())
        what = f"{self._dtype} {self._shape}"
        return f"<aezip.File {name}: {what}, {kept}>" if kept else f"<aezip.File {name}: {what}>"

    def _repr_html_(self) -> str:
        return file_view(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (self._source,)


def open(source: str | os.PathLike[str] | bytes | bytearray | memoryview) -> File:
    """Open a compressed file, to be read like an array.

    Parameters
    ----------
    source : path or bytes
        The file, or what is in it.

    Returns
    -------
    File

    Raises
    ------
    OSError
        If it cannot be read.
    aezip.CorruptError
        If it is damaged, or no such file.
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        held = bytes(source)
        return File(held, Reader.from_bytes(held))
    path = os.path.abspath(os.fspath(source))
    return File(path, Reader.open(path))


def loads(data: bytes | bytearray | memoryview) -> NDArray[Any]:
    """Decode the bytes of a compressed file.

    Parameters
    ----------
    data : bytes
        What :func:`aezip.dumps` made, or what is in a file.

    Returns
    -------
    ndarray

    Examples
    --------
    >>> import numpy as np, aezip
    >>> x = np.arange(600, dtype="i2").reshape(100, 6)
    >>> bool((aezip.loads(aezip.dumps(x, lossless=True, level=1)) == x).all())
    True
    """
    return open(data).read()


def promise_of(stored: tuple[str, str] | None) -> dict[str, Any]:
    """Return a promise as a keyword argument."""
    if stored is None:
        return {}
    name, number = stored
    if name == "max_error_columns":
        return {"max_error": dict(part.rsplit("=", 1) for part in _parts(number))}
    return {name: number or True}


def _parts(text: str) -> list[str]:
    """Split at commas that have no backslash before them, and take those backslashes away."""
    parts, at = [""], 0
    while at < len(text):
        if text[at] == "\\" and text[at + 1 : at + 2] in ("\\", ","):
            at += 1
            parts[-1] += text[at]
        elif text[at] == ",":
            parts.append("")
        else:
            parts[-1] += text[at]
        at += 1
    return parts
