"""A data set as an array whose parts are decoded when they are asked for."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from .. import _index
from .._aezip import CorruptError
from .._file import PIECE, promise_of
from .manifest import MOST_BYTES, NAME, Manifest, Part, Stored
from .parts import Parts
from .store import Folder, Store, store


class Dataset:
    """Files of one kind as one array; made by :func:`aezip.dataset.open`.

    It is read like an array: ``d[7]``, ``d[10:20, ..., 3:5]``, ``d.take(ids)``. Parts are opened when something of
    them is asked for, and several are read side by side. ``np.asarray(d)`` decodes everything. Several
    threads may read at the same time, and a data set can be pickled, by its place.

    Examples
    --------
    >>> import numpy as np, aezip.dataset, tempfile
    >>> x = np.outer(np.arange(900.0), np.ones(8))
    >>> d = aezip.dataset.write((x[i : i + 300] for i in (0, 300, 600)), tempfile.mkdtemp(), max_error=0.25, level=1)
    >>> d.shape, d.dtype, d.promise, len(d.parts)
    ((900, 8), dtype('float64'), {'max_error': '0.25'}, 3)
    >>> bool(abs(d[295:305, 0] - np.arange(295, 305)).max() <= 0.25), d.take([899, 3]).shape
    (True, (2, 8))
    """

    __slots__ = ("_parts",)

    def __init__(self, place: Store, manifest: Manifest) -> None:
        self._parts = Parts(place, manifest)

    @property
    def shape(self) -> tuple[int, ...]:
        """Length of each axis."""
        return self._parts.shape

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the numbers."""
        return self._parts.dtype

    @property
    def ndim(self) -> int:
        """Number of axes."""
        return len(self.shape)

    @property
    def size(self) -> int:
        """Number of numbers."""
        return math.prod(self.shape)

    @property
    def nbytes(self) -> int:
        """Bytes that the numbers take when they are decoded."""
        return self.size * self.dtype.itemsize

    @property
    def columns(self) -> list[str] | None:
        """Names of the columns, where the rows come from a table."""
        names = self._parts.manifest.columns
        return None if names is None else list(names)

    @property
    def promise(self) -> dict[str, Any]:
        """The promise that each part keeps, as the keyword argument of :func:`aezip.compress`."""
        kind, value = self._parts.manifest.promise
        return promise_of((kind.replace("-", "_"), value))

    @property
    def parts(self) -> tuple[Part, ...]:
        """The files: ``path``, ``rows``, ``bytes`` and ``sha256`` of each."""
        return self._parts.manifest.parts

    @property
    def chunks(self) -> tuple[tuple[int, ...], ...]:
        """Rows of each part and whole other axes, as Dask takes them."""
        return (tuple(part.rows for part in self.parts), *((n,) for n in self.shape[1:]))

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, key: Any) -> Any:
        return _index.read(self._parts, key)

    def __iter__(self) -> Iterator[Any]:
        step = max(1, PIECE // max(1, self.nbytes // len(self)))
        for first in range(0, len(self), step):
            yield from self[first : first + step]

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        if copy is False:
            raise ValueError("a data set has to be decoded, which needs memory: leave out copy=False")
        whole = self._parts.region([0] * self.ndim, list(self.shape))
        return whole if dtype is None else whole.astype(dtype, copy=False)

    def take(self, indices: ArrayLike, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Return rows by their numbers, in the order in which they are given.

        They are sorted and grouped by part and block, each of which is read once.

        Parameters
        ----------
        indices : array_like of int
            Which; negative ones are counted from the end.
        out : ndarray, optional
            Where to write them, of the right shape and type.

        Returns
        -------
        ndarray
        """
        ids = np.asarray(indices)
        ids = ids.astype(np.intp) if ids.size == 0 else ids
        if ids.dtype.kind not in "iu":
            raise TypeError(f"numbers of rows are integers, not {ids.dtype}")
        count = len(self)
        low, high = (int(ids.min()), int(ids.max())) if ids.size else (0, -1)
        if low < -count or high >= count:
            raise IndexError(f"row {low if low < -count else high} asked for, there are {count}")
        rows = np.where(ids < 0, ids + count, ids) if low < 0 else ids
        found = self._parts.take(rows.reshape(-1).astype(np.uint64)).reshape(ids.shape + self.shape[1:])
        if out is None:
            return found
        self._expect_room(out, found.shape)
        out[...] = found
        return out

    def read(self, out: NDArray[Any] | None = None) -> NDArray[Any]:
        """Decode everything, into ``out`` if it is given."""
        if out is None:
            return self.__array__()
        self._expect_room(out, self.shape)
        if out.flags.c_contiguous:
            self._parts.region_into([0] * self.ndim, list(self.shape), out)
        else:
            out[...] = self.__array__()
        return out

    def _expect_room(self, out: NDArray[Any], shape: tuple[int, ...]) -> None:
        if not isinstance(out, np.ndarray):
            raise TypeError(f"out is {type(out).__name__}, not an array of NumPy")
        if out.shape != shape or out.dtype != self.dtype:
            raise ValueError(
                f"out is {out.dtype} of shape {out.shape}, to be filled with {self.dtype} of {shape}"
            )

    def verify(self) -> None:
        """Read everything: every hash, every checksum, every row.

        Raises
        ------
        aezip.CorruptError
            With the first fault and its place.
        """
        place, manifest = self._parts.store, self._parts.manifest
        for file in (*manifest.parts, *([manifest.codec] if manifest.codec else [])):
            _verify_hash(place, file)
        for number in range(len(manifest.parts)):
            reader, _ = self._parts.part(number)
            reader.verify()

    def __repr__(self) -> str:
        kept = ", ".join(f"{k}={v}" for k, v in self.promise.items())
        place = self._parts.store.url
        return f"<aezip.Dataset {place}: {self.dtype} {self.shape}, {len(self.parts)} parts, {kept}>"

    def __reduce__(self) -> tuple[Any, ...]:
        place = self._parts.store
        return open, (place.url, place.options)


def _verify_hash(place: Store, file: Stored) -> None:
    there, digest = place.size(file.path), hashlib.sha256()
    if there != file.bytes:
        raise CorruptError(f"{place.at(file.path)}: {there} bytes, the manifest says {file.bytes}")
    for piece in place.chunks(file.path):
        digest.update(piece)
    if digest.hexdigest() != file.sha256:
        raise CorruptError(
            f"{place.at(file.path)}: its hash is {digest.hexdigest()}, the manifest says {file.sha256}"
        )


def open(path: str | os.PathLike[str], storage_options: dict[str, Any] | None = None) -> Dataset:
    """Open a data set, to be read like an array.

    Parameters
    ----------
    path : path or str
        Its folder, or a URL that fsspec knows: ``s3://…``, ``https://…``, ``memory://…``. Of parts that are
        far away, only the blocks are fetched that hold what is asked for.
    storage_options : dict, optional
        What fsspec needs to know.

    Returns
    -------
    Dataset

    Raises
    ------
    OSError
        If it cannot be read; FileNotFoundError if there is no manifest, as where its writing did not
        end.
    aezip.CorruptError
        If the manifest says what cannot be.
    """
    place = store(path, storage_options)
    return Dataset(place, read_manifest(place))


def read_manifest(place: Store) -> Manifest:
    """Read and check the manifest of a data set."""
    where = place.at(NAME)
    try:
        text = place.read(NAME, MOST_BYTES + 1)
    except FileNotFoundError:
        what = "a folder" if isinstance(place, Folder) and place.exists("") else "a place"
        raise FileNotFoundError(f"{where}: there is no manifest, so this is {what} without a data set") from None
    if len(text) > MOST_BYTES:
        raise CorruptError(f"{where}: more than {MOST_BYTES} bytes")
    return Manifest.from_json(text, where)
