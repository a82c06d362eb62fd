"""Data sets from Spark: each partition becomes parts, the driver names them in the manifest."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import fields
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from .._codec import Codec
from .array import Dataset
from .rows import Sample, sample_of
from .writer import SAMPLE_BYTES, Writer, Written, abort, begin, commit

if TYPE_CHECKING:
    from typing_extensions import Unpack

    from .._options import Options

#: What a task tells the driver of each of its parts.
SCHEMA = "task int, piece int, path string, bytes long, sha256 string, rows long, promise array<string>"


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
    """Write a :class:`pyspark.sql.DataFrame`; its rows stay in the order of its partitions.

    Parameters
    ----------
    data : pyspark.sql.DataFrame
        A column of vectors or of arrays of one length, or columns of numbers. Each partition becomes a part:
        ``repartition`` what is small. Without a sample it is run three times: ``cache()`` what is dear.
    path, codec, columns, overwrite, storage_options, **options
        As for :func:`aezip.dataset.begin`. All workers have to reach the path.
    sample : array_like, optional
        What to learn from; by default 64 MiB of rows drawn from all.
    rows_per_part : int, optional
        Partitions of more rows become several parts.

    Returns
    -------
    aezip.dataset.Dataset
    """
    rows = _plain(data if columns is None else data.select(*columns))
    drawn = _sample(rows) if sample is None else sample
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
    try:
        told = rows.mapInArrow(_task(writer), SCHEMA).collect()
    except BaseException:
        abort(writer)
        raise
    return commit(writer, [_written(row.asDict()) for row in told])


def _plain(data: Any) -> Any:
    """Turn vectors of Spark's library for learning into arrays."""
    from pyspark.ml.functions import vector_to_array

    for column in data.schema.fields:
        if column.dataType.typeName() == "vectorudt":
            data = data.withColumn(column.name, vector_to_array(column.name))
    return data


def _sample(rows: Any) -> Sample:
    first = rows.limit(1).toArrow()
    if first.num_rows == 0:
        raise ValueError("there are no rows, so there is nothing to store")
    share = SAMPLE_BYTES / sample_of([first], None).rows.nbytes / rows.count()
    drawn = (rows if share >= 1 else rows.sample(share, seed=0)).toArrow()
    return sample_of([drawn if drawn.num_rows else first], None)


def _task(writer: Writer) -> Callable[[Iterator[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    """Return what writes a partition and tells what it wrote."""

    def task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        from pyspark import TaskContext

        number = TaskContext.get().partitionId()
        for part in writer.write(number, batches):
            facts = {field.name: getattr(part, field.name) for field in fields(part)}
            yield pa.RecordBatch.from_pylist([facts], schema=_ARROW)

    return task


_ARROW = pa.schema(
    [
        ("task", pa.int32()),
        ("piece", pa.int32()),
        ("path", pa.string()),
        ("bytes", pa.int64()),
        ("sha256", pa.string()),
        ("rows", pa.int64()),
        ("promise", pa.list_(pa.string())),
    ]
)


def _written(facts: dict[str, Any]) -> Written:
    kind, value = facts.pop("promise")
    return Written(**facts, promise=(kind, value))
