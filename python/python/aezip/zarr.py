"""A codec for zarr's format 3, registered as ``"aezip"``.

>>> import numpy as np, zarr
>>> from aezip.zarr import AezipCodec
>>> x = np.sin(np.arange(6000.0)).reshape(60, 100)
>>> store = zarr.storage.MemoryStore()
>>> z = zarr.create_array(store, data=x, chunks=(30, 50), serializer=AezipCodec(max_error=0.01), compressors=None)
>>> bool(abs(z[10:20, 3] - x[10:20, 3]).max() <= 0.01)
True
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from zarr.abc.codec import (
    ArrayBytesCodec,
    ArrayBytesCodecPartialDecodeMixin,
    ArrayBytesCodecPartialEncodeMixin,
)
from zarr.registry import register_codec
from zarr.storage import StorePath

from . import _chunks
from ._codec import Codec, train
from ._options import Options, Progress
from ._shared import HEAD, SharedCodec, file_name, given, known, missing, reference

if TYPE_CHECKING:
    from typing_extensions import Unpack

#: The name in the metadata of arrays.
NAME = "aezip"


@dataclass(frozen=True, init=False, eq=True)
class AezipCodec(ArrayBytesCodec, ArrayBytesCodecPartialDecodeMixin):
    """Compress chunks within a promise; without one, bit for bit.

    Give it as ``serializer``, with ``compressors=None``. Then reading a part of a chunk decodes that part
    only. Each chunk is a file of its own with its own model, so chunks of a megabyte or more are best.

    Parameters
    ----------
    **options
        Promise and options of :func:`aezip.compress`; ``level`` is 1 if not given. Bounds relative to a
        range are relative to that of the chunk, and no numbers are taken for missing ones unless
        ``fill_value`` names them.
    """

    options: tuple[tuple[str, Any], ...]
    is_fixed_size = False

    def __init__(self, **options: Unpack[Options]) -> None:
        object.__setattr__(self, "options", _sorted(_chunks.checked(dict(options))))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AezipCodec:
        """Make the codec that is described in metadata."""
        configuration = dict(data.get("configuration", {}))
        if "codec" in configuration:
            return SharedAezipCodec(configuration.pop("codec"), **configuration)
        return AezipCodec(**configuration)

    def __hash__(self) -> int:
        return hash(json.dumps(self.to_dict(), sort_keys=True))

    def to_dict(self) -> dict[str, Any]:
        """Describe it there."""
        return {"name": NAME, "configuration": dict(self.options)}

    async def _encode_single(self, chunk_array: Any, chunk_spec: Any) -> Any:
        options = dict(self.options)
        data = await asyncio.to_thread(_chunks.encode, chunk_array.as_numpy_array(), options)
        return chunk_spec.prototype.buffer.from_bytes(data)

    async def _decode_single(self, chunk_bytes: Any, chunk_spec: Any) -> Any:
        return await self._part(chunk_bytes, chunk_spec, ...)

    async def _decode_partial_single(self, byte_getter: Any, selection: Any, chunk_spec: Any) -> Any:
        chunk = await byte_getter.get(prototype=chunk_spec.prototype)
        if chunk is None:
            return None
        hash = reference(chunk.as_numpy_array()[:HEAD].tobytes())
        shared = None if hash is None else await self._codec(hash, byte_getter, chunk_spec.prototype)
        return await self._part(chunk, chunk_spec, selection, shared)

    async def _codec(self, hash: str, place: Any, prototype: Any) -> SharedCodec | None:
        """Return the codec of this hash, if it is known or lies beside the array that ``place`` is in."""
        return known(hash) or await _find_codec(hash, place, prototype)

    async def _part(self, chunk: Any, spec: Any, key: Any, shared: SharedCodec | None = None) -> Any:
        dtype = spec.dtype.to_native_dtype()
        part: NDArray[Any] = await asyncio.to_thread(
            _chunks.decode, chunk.to_bytes(), dtype, spec.shape, key, shared
        )
        return spec.prototype.nd_buffer.from_ndarray_like(np.asarray(part))

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: Any) -> int:
        """Fail: how long a chunk becomes is not known beforehand."""
        raise NotImplementedError


@dataclass(frozen=True, init=False, eq=True)
class SharedAezipCodec(AezipCodec, ArrayBytesCodecPartialEncodeMixin):
    """The same with one model for all chunks, which lies beside the array as ``codec-<hash>.aez``.

    It pays where chunks are small and like each other. Give it as ``serializer``, with
    ``compressors=None`` and without shards: the codec's file is written with the first chunk, and found
    by whoever opens the array. The array that was made with it can be pickled and be written elsewhere. Chunks
    whose numbers are of no such type have models of their own.

    Parameters
    ----------
    codec : Codec, SharedCodec or str
        What was learned from rows of chunks, as by :meth:`train`, or the hash of it.
    **options
        A bound on each value, best the one that the codec was learned with.

    Examples
    --------
    >>> import numpy as np, zarr
    >>> x = np.sin(np.arange(60000.0) * 0.01).reshape(600, 100)
    >>> codec = SharedAezipCodec.train(x, chunks=(60, 50), max_error=0.01)
    >>> store = zarr.storage.MemoryStore()
    >>> z = zarr.create_array(store, data=x, chunks=(60, 50), serializer=codec, compressors=None)
    >>> bool(abs(zarr.open_array(store)[10:20, 3] - x[10:20, 3]).max() <= 0.01)
    True
    """

    #: The hash of the codec, and the codec where it is known; metadata has the hash only.
    codec: str
    shared: SharedCodec | None = field(compare=False, repr=False)
    __hash__ = AezipCodec.__hash__

    def __init__(self, codec: Codec | SharedCodec | str, **options: Unpack[Options]) -> None:
        object.__setattr__(self, "options", _sorted(_chunks.checked(dict(options), is_shared=True)))
        hash, shared = given(codec)
        object.__setattr__(self, "codec", hash)
        object.__setattr__(self, "shared", shared)

    @classmethod
    def train(
        cls, x: Any, chunks: tuple[int, ...], *, level: int = 5, progress: Progress = None, **options: Any
    ) -> SharedAezipCodec:
        """Learn from some of the chunks that an array is to have, and return the codec for it.

        Parameters
        ----------
        x : array_like
            The array, or one like it; only some chunks are read.
        chunks : tuple of int
            The shape of a chunk.
        level : int, default 5
            How much effort learning takes; writing chunks takes the same at each level.
        progress : bool or callable, optional
            Who is told how far it is.
        **options
            A bound on each value, and how to learn.
        """
        x = x if hasattr(x, "dtype") else np.asarray(x)
        if np.dtype(x.dtype).kind not in "iufc":
            raise ValueError(f"a shared codec is for numbers, not for {x.dtype}: use AezipCodec()")
        kept = {name: value for name, value in options.items() if name not in _chunks.LEARNING}
        # Without a promise, chunks are lossless.
        asked = {**options, **_chunks.checked(kept, is_shared=True), "level": level}
        rows = _chunks.rows_of_some(x, chunks)
        return cls(train(rows, progress=progress, **{"fill_value": "none", **asked}), **kept)

    def to_dict(self) -> dict[str, Any]:
        """Describe it in metadata."""
        return {"name": NAME, "configuration": {"codec": self.codec, **dict(self.options)}}

    async def _encode_single(self, chunk_array: Any, chunk_spec: Any) -> Any:
        raise ValueError("a shared codec is stored beside the array: give compressors=None and no shards")

    async def _encode_partial_single(
        self, byte_setter: Any, chunk_array: Any, selection: Any, chunk_spec: Any
    ) -> None:
        if not hasattr(byte_setter, "store"):
            await self._encode_single(chunk_array, chunk_spec)
        chunk = await self._merged(byte_setter, chunk_array, selection, chunk_spec)
        if not chunk_spec.config.write_empty_chunks and chunk.all_equal(chunk_spec.fill_value):
            await byte_setter.delete()
            return
        buffer = chunk_spec.prototype.buffer
        shared = await self._codec(self.codec, byte_setter, chunk_spec.prototype)
        if shared is None:
            raise ValueError(missing(self.codec))
        place = await _root(byte_setter)
        await (place / shared.name).set_if_not_exists(buffer.from_bytes(shared.data))
        options = dict(self.options)
        data = await asyncio.to_thread(_chunks.encode, chunk.as_numpy_array(), options, shared)
        await byte_setter.set(buffer.from_bytes(data))

    async def _codec(self, hash: str, place: Any, prototype: Any) -> SharedCodec | None:
        if hash != self.codec or self.shared is None:
            found = await super()._codec(hash, place, prototype)
            if hash != self.codec:
                return found
            # No other codecs that come meanwhile make this one be forgotten.
            object.__setattr__(self, "shared", found)
        return self.shared

    async def _merged(self, byte_getter: Any, part: Any, selection: Any, spec: Any) -> Any:
        """Return the whole chunk, of which a part is new."""
        dtype = spec.dtype.to_native_dtype()
        there = None
        if not _is_whole(selection, spec.shape):
            there = await self._decode_partial_single(byte_getter, ..., spec)
        if there is None:
            chunk = spec.prototype.nd_buffer.create(
                shape=spec.shape, dtype=dtype, order=spec.order, fill_value=spec.fill_value
            )
        else:
            chunk = there.copy()
        chunk[selection] = part
        return chunk


def _sorted(options: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(options.items()))


def _is_whole(selection: Any, shape: tuple[int, ...]) -> bool:
    """Say whether a selection is all of a chunk, in order."""
    keys = selection if isinstance(selection, tuple) else (selection,)
    return len(keys) == len(shape) and all(
        isinstance(key, slice) and key.indices(size) == (0, size, 1) for key, size in zip(keys, shape)
    )


async def _find_codec(hash: str, byte_getter: Any, prototype: Any) -> SharedCodec | None:
    """Read a codec that lies beside the array; None if it does not."""
    if not hasattr(byte_getter, "store"):
        return None
    data = await ((await _root(byte_getter)) / file_name(hash)).get(prototype=prototype)
    return None if data is None else await asyncio.to_thread(SharedCodec.from_bytes, data.to_bytes(), hash)


async def _root(chunk: StorePath) -> StorePath:
    """Return where the array lies that a chunk belongs to: the nearest place with metadata."""
    parts = chunk.path.split("/")
    for end in range(len(parts) - 1, -1, -1):
        place = StorePath(chunk.store, "/".join(parts[:end]))
        if await (place / "zarr.json").exists():
            return place
    raise ValueError(f"there is no zarr.json above {chunk}: a shared codec is for arrays of format 3")


register_codec(NAME, AezipCodec)
