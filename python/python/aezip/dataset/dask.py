"""Data sets from Dask: each block or partition becomes a part, with any scheduler."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dask

from .._codec import Codec
from .array import Dataset
from .rows import Sample, is_empty, sample_of
from .writer import SAMPLE_BYTES, Writer, Written, abort, begin, commit

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._options import Options

#: Blocks, evenly spread, from which the sample is taken.
SAMPLED = 16


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
    """Write a collection of Dask; its rows stay in their order.

    Parameters
    ----------
    data : dask.array.Array, dask.bag.Bag or dask.dataframe.DataFrame
        Each block along the first axis, or each partition, becomes a part: ``rechunk`` or ``repartition`` what
        is small. The elements of a bag are rows.
    path, codec, columns, overwrite, storage_options, **options
        As for :func:`aezip.dataset.begin`. All workers have to reach the path.
    sample : array_like, optional
        What to learn from; by default 64 MiB of rows of 16 blocks.
    rows_per_part : int, optional
        Blocks of more rows become several parts.

    Returns
    -------
    aezip.dataset.Dataset
    """
    blocks = _blocks(data)
    drawn = _sample(blocks, columns) if sample is None else sample
    writer = begin(
        path,
        drawn,
        codec=codec,
        columns=columns,
        rows_per_part=rows_per_part,
        overwrite=overwrite,
        storage_options=storage_options,
        **options,
    )
    shared = dask.delayed(writer, traverse=False)
    task = dask.delayed(_write, pure=False)
    try:
        done = dask.compute(*(task(shared, number, block) for number, block in enumerate(blocks)))
    except BaseException:
        abort(writer)
        raise
    return commit(writer, [part for parts in done for part in parts])


def _blocks(data: Any) -> list[Any]:
    """Return the blocks, each with whole rows, as delayed objects."""
    if hasattr(data, "rechunk"):
        data = data.rechunk(dict.fromkeys(range(1, data.ndim), -1))
        return list(data.to_delayed().reshape(-1))
    if hasattr(data, "to_delayed"):
        return list(data.to_delayed())
    raise ValueError(f"a dask array, bag or data frame is needed, not {type(data).__name__}")


def _sample(blocks: list[Any], columns: Sequence[str] | None) -> Sample:
    step = max(1, len(blocks) // SAMPLED)
    chosen = blocks[step // 2 :: step]
    few = dask.delayed(_few, pure=False)
    found = [s for s in dask.compute(*(few(b, columns, SAMPLE_BYTES // len(chosen)) for b in chosen)) if s]
    if not found:
        raise ValueError("there are no rows to learn from: name a sample")
    return Sample(sample_of([s.rows for s in found], None).rows, found[0].names)


def _few(block: Any, columns: Sequence[str] | None, most: int) -> Sample | None:
    return None if is_empty(block) else sample_of([block], columns, most)


def _write(writer: Writer, number: int, block: Any) -> list[Written]:
    return writer.write(number, [block])
