"""Writing: learn a codec once, make parts anywhere, name them in a manifest when all are there.

A part is named after the hash of its bytes, so that a task that runs twice writes the same file twice, and
appears as a whole. The manifest names one part for each piece of work that was done, and is written
last: until then there is no data set, and what no manifest names is removed.
"""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .._aezip import Reader
from .._arrays import DTYPES, NAMES
from .._codec import Codec, load_codec, train
from .._options import count
from .array import Dataset, read_manifest
from .manifest import NAME, Manifest, Part, Stored
from .rows import Sample, is_empty, rows_of, sample_of
from .store import Store, store

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._options import Options

#: Bytes of numbers that a part holds at most: a worker holds them at once, besides what its engine does.
PART_BYTES = 256 << 20
#: Bytes of numbers that a codec is learned from.
SAMPLE_BYTES = 64 << 20
#: Digits of a hash in the name of a file: enough that no two parts of a piece of work share them.
DIGITS = 16
#: What is asked of a model, and not of a file that is made with it.
_TRAINING = (
    "hidden", "latent", "epochs", "batch", "lr", "activation", "time", "loss", "linear", "sparse", "denoise",
    "mask_patches", "transformer", "contractive", "variational",
)  # fmt: skip


@dataclass(frozen=True)
class Written:
    """A part that a task has written."""

    #: Number of the task, which is that of its rows among all.
    task: int
    #: Number of the part among those of the task.
    piece: int
    path: str
    bytes: int
    sha256: str
    rows: int
    #: Kind and value of the promise that it keeps.
    promise: tuple[str, str]


@dataclass(frozen=True)
class Writer:
    """What a task needs to write parts; engines send it to their workers. Made by :func:`begin`."""

    url: str
    storage_options: dict[str, Any]
    codec: bytes = field(repr=False)
    #: The promise and how to keep it, as for :meth:`aezip.Codec.compress`.
    options: dict[str, Any]
    dtype: str
    row_shape: tuple[int, ...]
    columns: tuple[str, ...] | None
    #: Which columns of a batch hold the rows.
    chosen: tuple[str, ...] | None
    rows_per_part: int

    def write(self, task: int, batches: Iterable[Any]) -> list[Written]:
        """Write the rows of some batches as parts.

        Parameters
        ----------
        task : int
            Which piece of work it is: one number for the same rows, however often they are written.
            Parts are in the order of these numbers.
        batches : iterable
            Of arrays, dicts of arrays, Arrow tables or data frames.

        Returns
        -------
        list of Written
            For :func:`commit`. There are none if there are no rows.
        """
        place, codec = store(self.url, self.storage_options), load_codec(self.codec)
        return [
            self._part(place, codec, (task, piece), rows)
            for piece, rows in enumerate(self._pieces(batches))
        ]

    def _part(self, place: Store, codec: Codec, number: tuple[int, int], rows: NDArray[Any]) -> Written:
        data = codec.dumps(rows, **self.options)
        digest = hashlib.sha256(data).hexdigest()
        path = f"data/part-{number[0]:05}-{number[1]:03}-{digest[:DIGITS]}.aez"
        # Engines do not wait for all tasks of a job that failed; what these would write nobody removes.
        if not place.exists(_codec_of(self).path):
            raise ValueError(f"{place.url}: the writing of this data set has ended; begin it again")
        place.write(path, data)
        kind, value = Reader.from_bytes(data).promise or ("none", "")
        promise = (kind.replace("_", "-"), value)
        return Written(*number, path, len(data), digest, len(rows), promise)

    def _pieces(self, batches: Iterable[Any]) -> Iterator[NDArray[Any]]:
        """Put batches together to arrays of as many rows as a part has."""
        held: list[NDArray[Any]] = []
        count = 0
        for batch in batches:
            rows = self._rows(batch)
            while len(rows):
                own = rows[: self.rows_per_part - count]
                rows = rows[len(own) :]
                held.append(own)
                count += len(own)
                if count == self.rows_per_part:
                    yield _joined(held, count)
                    count = 0
        if held:
            yield _joined(held, count)

    def _rows(self, batch: Any) -> NDArray[Any]:
        if is_empty(batch):
            return np.empty((0, *self.row_shape))
        rows = rows_of(batch, self.chosen)
        dtype = DTYPES[self.dtype]
        if rows.shape[1:] != self.row_shape:
            raise ValueError(
                f"rows of shape {rows.shape[1:]} among those of shape {self.row_shape}: all are of one shape"
            )
        if rows.dtype != dtype and not np.can_cast(rows.dtype, dtype, "safe"):
            raise ValueError(f"numbers of type {rows.dtype} among those of type {dtype}: give all one type")
        return rows.astype(dtype, copy=False)


def _joined(held: list[NDArray[Any]], count: int) -> NDArray[Any]:
    """Return arrays as one; each is let go once it is copied, so that there is room for one only."""
    if len(held) == 1:
        return held.pop()
    out = np.empty((count, *held[0].shape[1:]), held[0].dtype)
    at = count
    while held:
        rows = held.pop()
        at -= len(rows)
        out[at : at + len(rows)] = rows
    return out


def begin(
    path: str | os.PathLike[str],
    sample: Any,
    *,
    codec: Codec | None = None,
    columns: Sequence[str] | None = None,
    rows_per_part: int | None = None,
    overwrite: bool = False,
    storage_options: dict[str, Any] | None = None,
    **options: Unpack[Options],
) -> Writer:
    """Begin a data set: learn a codec, unless one is given, and store it.

    Parameters
    ----------
    path : path or str
        The folder, or a URL of fsspec.
    sample : array_like
        Rows like those to come. Their type and shape are those of the data set.
    codec : Codec, optional
        What parts are made with.
    columns : sequence of str, optional
        Which columns of a batch hold the rows.
    rows_per_part : int, optional
        A task that has more rows writes several parts. By default, a part has 256 MiB of numbers.
    overwrite : bool, default False
        Whether a data set that is there is replaced, once the new one is complete.
    storage_options : dict, optional
        What fsspec needs to know.
    **options
        A promise, which each part keeps, and how: see :func:`aezip.compress`.

    Returns
    -------
    Writer
    """
    place = store(path, storage_options)
    if not overwrite and place.exists(NAME):
        raise FileExistsError(f"{place.at(NAME)}: there is a data set; overwrite=True replaces it")
    rows, names = sample if isinstance(sample, Sample) else sample_of([sample], columns)
    most = max(1, PART_BYTES // max(1, rows[:1].nbytes)) if rows_per_part is None else count(rows_per_part, "rows_per_part", 1)
    if codec is None:
        codec = train(rows, **options)
    if not isinstance(codec, Codec):
        raise TypeError(f"codec={codec!r:.60} is no aezip.Codec: aezip.train and aezip.load_codec make one")
    data = codec.to_bytes()
    kept: dict[str, Any] = {"threads": 1, **options}
    for name in _TRAINING:
        kept.pop(name, None)
    writer = Writer(
        place.url,
        place.options,
        data,
        kept,
        NAMES[rows.dtype],
        rows.shape[1:],
        names,
        None if columns is None else tuple(columns),
        most,
    )
    place.write(_codec_of(writer).path, data)
    return writer


def _codec_of(writer: Writer) -> Stored:
    digest = hashlib.sha256(writer.codec).hexdigest()
    return Stored(f"codec-{digest[:DIGITS]}.aez", len(writer.codec), digest)


def commit(writer: Writer, written: Iterable[Written]) -> Dataset:
    """End a data set: write its manifest, and remove what it does not name.

    Parameters
    ----------
    writer : Writer
        With which it was begun.
    written : iterable of Written
        What the tasks returned. Of a piece of work that was done twice, one part is taken.

    Returns
    -------
    Dataset
    """
    place = store(writer.url, writer.storage_options)
    pieces = {(part.task, part.piece): part for part in written}
    if not pieces:
        abort(writer)
        raise ValueError("there are no rows, so there is nothing to store")
    ordered = [part for _, part in sorted(pieces.items())]
    manifest = Manifest(
        writer.dtype,
        writer.row_shape,
        writer.columns,
        ordered[0].promise,
        _codec_of(writer),
        tuple(Part(part.path, part.bytes, part.sha256, part.rows) for part in ordered),
    )
    place.write(NAME, manifest.to_json().encode())
    sweep(place, manifest)
    return Dataset(place, manifest)


def abort(writer: Writer) -> None:
    """End what failed: remove its files. A data set that was there before stays."""
    place = store(writer.url, writer.storage_options)
    sweep(place, read_manifest(place) if place.exists(NAME) else None)
    place.remove_empty()


def sweep(place: Store, manifest: Manifest | None) -> None:
    """Remove files that are named like parts and codecs, and that the manifest does not name."""
    named = set() if manifest is None else {part.path for part in manifest.parts}
    if manifest is not None and manifest.codec is not None:
        named.add(manifest.codec.path)
    for folder, prefixes in (("", ("codec-",)), ("data", ("part-", ".aezip-"))):
        for name in place.names(folder):
            path = f"{folder}/{name}" if folder else name
            if name.startswith(prefixes) and name.endswith((".aez", ".tmp")) and path not in named:
                place.remove(path)


def write(
    batches: Iterable[Any],
    path: str | os.PathLike[str],
    *,
    sample: Any = None,
    codec: Codec | None = None,
    columns: Sequence[str] | None = None,
    rows_per_part: int | None = None,
    overwrite: bool = False,
    storage_options: dict[str, Any] | None = None,
    **options: Unpack[Options],
) -> Dataset:
    """Write batches of rows, each as a part, on this machine.

    Parameters
    ----------
    batches : iterable
        Of arrays, dicts of arrays, Arrow tables or data frames; each becomes a part, or several. One of these
        by itself is one batch.
    path, codec, columns, rows_per_part, overwrite, storage_options, **options
        As for :func:`begin`.
    sample : array_like, optional
        What to learn from; by default the first batch.

    Returns
    -------
    Dataset
    """
    if isinstance(batches, Mapping) or hasattr(batches, "__array__"):
        batches = [batches]
    left = iter(batches)
    first: list[Any] = []
    if sample is None:
        first = [next(left, np.empty(0))]
        sample = first[0]
    # Nobody else is at work here: all threads are for one part after another.
    options.setdefault("threads", 0)
    writer = begin(
        path,
        sample,
        codec=codec,
        columns=columns,
        rows_per_part=rows_per_part,
        overwrite=overwrite,
        storage_options=storage_options,
        **options,
    )
    done: list[Written] = []
    try:
        for task, batch in enumerate(itertools.chain(first, left)):
            done += writer.write(task, [batch])
    except BaseException:
        abort(writer)
        raise
    return commit(writer, done)

