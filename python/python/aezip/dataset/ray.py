"""Data sets from Ray Data: each write task makes parts, the driver names them in the manifest."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from ray.data import Datasink
from ray.data.block import BlockAccessor

from .._codec import Codec
from .._options import count
from .array import Dataset
from .rows import Sample, sample_of
from .writer import SAMPLE_BYTES, Writer, Written, abort, begin, commit

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._options import Options


class AezipDatasink(Datasink[list[Written]]):
    """Where :meth:`ray.data.Dataset.write_datasink` writes; :func:`write` makes one.

    Parameters
    ----------
    writer : aezip.dataset.Writer
        With which the data set was begun.
    min_rows_per_write : int, optional
        Blocks are put together until a task has so many rows.
    """

    def __init__(self, writer: Writer, min_rows_per_write: int | None = None) -> None:
        self.writer = writer
        #: The data set, once it is complete.
        self.written: Dataset | None = None
        self._least = min_rows_per_write

    def write(self, blocks: Iterable[Any], ctx: Any) -> list[Written]:
        """Write the blocks of a task as parts."""
        return self.writer.write(ctx.task_idx, map(_arrays, blocks))

    def on_write_complete(self, write_result: Any) -> None:
        """Write the manifest."""
        self.written = commit(self.writer, [part for parts in write_result.write_returns for part in parts])

    def on_write_failed(self, error: Exception) -> None:
        """Remove what has been written."""
        abort(self.writer)

    @property
    def min_rows_per_write(self) -> int | None:
        """The number of rows for which blocks are put together."""
        return self._least


def write(
    data: Any,
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
    """Write a :class:`ray.data.Dataset`; its rows stay in their order.

    Parameters
    ----------
    data : ray.data.Dataset
        A column of tensors or of lists of one length, or columns of numbers. Without a sample it is run
        up to three times: ``data.materialize()`` what is dear.
    path, codec, columns, overwrite, storage_options, **options
        As for :func:`aezip.dataset.begin`. All workers have to reach the path.
    sample : array_like, optional
        What to learn from; by default 64 MiB of rows drawn from all.
    rows_per_part : int, optional
        About how many rows a part has; by default those of a block of Ray.

    Returns
    -------
    aezip.dataset.Dataset
    """
    drawn = _sample(data, columns) if sample is None else sample
    writer = begin(
        path,
        drawn,
        codec=codec,
        columns=columns,
        # Blocks are put together until there are enough rows, and seldom fit.
        rows_per_part=None if rows_per_part is None else 2 * count(rows_per_part, "rows_per_part", 1),
        overwrite=overwrite,
        storage_options=storage_options,
        **options,
    )
    sink = AezipDatasink(writer, rows_per_part)
    with _in_order(data):
        try:
            data.write_datasink(sink)
        except BaseException:
            abort(writer)
            raise
    if sink.written is None:
        abort(writer)
        raise ValueError("there are no rows, so there is nothing to store")
    return sink.written


def _arrays(block: Any) -> Any:
    return BlockAccessor.for_block(block).to_batch_format("numpy")


def _sample(data: Any, columns: Sequence[str] | None) -> Sample:
    first = sample_of([data.take_batch(1, batch_format="numpy")], columns)
    share = SAMPLE_BYTES / first.rows.nbytes / max(1, data.count())
    drawn = data if share >= 1 else data.random_sample(share, seed=0)
    batches = list(drawn.iter_batches(batch_format="numpy", batch_size=None))
    return sample_of(batches, columns) if batches else first


@contextlib.contextmanager
def _in_order(data: Any) -> Iterator[None]:
    """Let the blocks of a data set come in order."""
    options = data.context.execution_options
    before, options.preserve_order = options.preserve_order, True
    try:
        yield
    finally:
        options.preserve_order = before
