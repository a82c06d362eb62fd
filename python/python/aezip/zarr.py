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
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from zarr.abc.codec import ArrayBytesCodec, ArrayBytesCodecPartialDecodeMixin
from zarr.registry import register_codec

from . import _chunks
from ._options import Options

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
        object.__setattr__(self, "options", tuple(sorted(_chunks.checked(dict(options)).items())))

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> AezipCodec:
        """Make the codec that is described in metadata."""
        return cls(**data.get("configuration", {}))

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
        return None if chunk is None else await self._part(chunk, chunk_spec, selection)

    async def _part(self, chunk: Any, spec: Any, key: Any) -> Any:
        dtype = spec.dtype.to_native_dtype()
        part: NDArray[Any] = await asyncio.to_thread(
            _chunks.decode, chunk.to_bytes(), dtype, spec.shape, key
        )
        return spec.prototype.nd_buffer.from_ndarray_like(np.asarray(part))

    def compute_encoded_size(self, input_byte_length: int, chunk_spec: Any) -> int:
        """Fail: how long a chunk becomes is not known beforehand."""
        raise NotImplementedError


register_codec(NAME, AezipCodec)
