"""A codec for numcodecs, registered as ``"aezip"``.

>>> import numcodecs, numpy as np
>>> codec = numcodecs.get_codec({"id": "aezip", "max_error": 0.01})
>>> x = np.linspace(0, 1, 1000).reshape(100, 10)
>>> bool(abs(codec.decode(codec.encode(x)) - x).max() <= 0.01)
True
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numcodecs.abc import Codec
from numcodecs.compat import ensure_bytes, ensure_ndarray_like, ndarray_copy
from numcodecs.registry import register_codec

from . import _chunks
from ._codec import Codec as Learned
from ._file import open
from ._options import Options
from ._shared import SharedCodec, given, known, missing, whole

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Aezip(Codec):
    """Compress arrays within a promise; without one, bit for bit.

    Each chunk is a file of its own with its own model, so chunks of a megabyte or more are best. Complex
    numbers are stored as their parts; what is no number comes back as its bytes, bit for bit.

    Parameters
    ----------
    codec : Codec, SharedCodec or str, optional
        What chunks of numbers share instead of models of their own, or its hash; the promise is then a bound on
        each value, best the one that the codec was learned with. Whoever reads them needs the codec's
        file: :meth:`aezip.SharedCodec.save` writes it, ``load`` makes it known. Where this object is pickled,
        the codec goes along; its configuration has the hash only.
    **options
        Promise and options of :func:`aezip.compress`; ``level`` is 1 if not given. Bounds relative to a
        range are relative to that of the chunk, and no numbers are taken for missing ones unless
        ``fill_value`` names them.
    """

    codec_id = "aezip"

    def __init__(self, codec: Learned | SharedCodec | str | None = None, **options: Unpack[Options]) -> None:
        self.options = _chunks.checked(dict(options), codec is not None)
        #: The hash of the codec that chunks share, if they do, and the codec, where it is known.
        self.codec: str | None = None
        self.shared: SharedCodec | None = None
        if codec is not None:
            self.codec, self.shared = given(codec)

    def encode(self, buf: Any) -> bytes:
        """Return the bytes of a file that holds the array."""
        array = np.asarray(ensure_ndarray_like(buf))
        if array.flags.f_contiguous and not array.flags.c_contiguous:
            # numcodecs looks at memory in the order in which it lies.
            array = array.T
        return _chunks.encode(array, self.options, self._shared())

    def _shared(self) -> SharedCodec | None:
        if self.codec is not None and self.shared is None:
            self.shared = known(self.codec)
            if self.shared is None:
                raise ValueError(missing(self.codec))
        return self.shared

    def decode(self, buf: Any, out: Any = None) -> Any:
        """Return the array, or fill ``out`` with it."""
        data = ensure_bytes(buf)
        array = open(whole(data, self.shared)).read() if data else np.empty(0, "u1")
        return array if out is None else ndarray_copy(array, out)

    def get_config(self) -> dict[str, Any]:
        """Return what :func:`numcodecs.get_codec` makes the same codec of."""
        shared = {} if self.codec is None else {"codec": self.codec}
        return {"id": self.codec_id, **shared, **self.options}

    def __repr__(self) -> str:
        config = {name: value for name, value in self.get_config().items() if name != "id"}
        return f"Aezip({', '.join(f'{k}={v!r}' for k, v in config.items())})"


register_codec(Aezip)
