"""Codecs: learned once, used for many files and for more than files."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from . import _aezip
from ._arrays import DTYPES, as_rows, as_table
from ._html import codec_view
from ._options import Options, Progress, listener
from ._options import count as number_of
from ._write import Report, report_of

if TYPE_CHECKING:
    from typing_extensions import Unpack


class Prediction(NamedTuple):
    """What a fine-tuned codec says of rows."""

    #: The most likely label of each row, or the predicted numbers.
    values: NDArray[Any]
    #: How likely each label is, rows × labels; None for numbers.
    probabilities: NDArray[np.float32] | None
    #: The labels that these columns are of; None for numbers.
    labels: NDArray[np.int64] | None


class Codec:
    """What was learned from rows; made by :func:`aezip.train` and :func:`aezip.load_codec`.

    Examples
    --------
    >>> import numpy as np, aezip
    >>> t = np.arange(4000)[:, None]
    >>> x = np.sin(t * 0.01 + np.arange(20)).astype("f4")
    >>> codec = aezip.train(x[:3000], level=1)
    >>> codec.embed(x).shape == (4000, codec.latents)
    True
    >>> bool(abs(codec.decode(codec.embed(x)) - x).max() < 0.05)
    True
    >>> len(codec.dumps(x[3000:], max_error=0.01)) < 20_000
    True
    """

    __slots__ = ("_codec",)

    def __init__(self, codec: _aezip.Codec) -> None:
        self._codec = codec

    @property
    def latents(self) -> int:
        """Number of latents of a row."""
        return self._codec.latents

    @property
    def has_network(self) -> bool:
        """Whether a network was learned; otherwise the codec is linear."""
        return self._codec.has_network

    @property
    def dtype(self) -> np.dtype[Any]:
        """Type of the rows that it was learned from."""
        return DTYPES[self._codec.dtype]

    @property
    def row_shape(self) -> tuple[int, ...]:
        """Shape of one of those rows."""
        return tuple(self._codec.row_shape)

    def compress(
        self,
        x: Any,
        path: str | os.PathLike[str],
        *,
        progress: Progress = None,
        **options: Unpack[Options],
    ) -> Report:
        """Compress rows into a file with what was learned; otherwise as :func:`aezip.compress`."""
        with listener(progress) as told:
            _, facts = self._codec.compress(as_rows(x), os.fspath(path), options, told)
        return report_of(facts, options)

    def dumps(self, x: Any, *, progress: Progress = None, **options: Unpack[Options]) -> bytes:
        """Compress rows into bytes with what was learned; otherwise as :func:`aezip.dumps`."""
        with listener(progress) as told:
            data, facts = self._codec.compress(as_rows(x), None, options, told)
        report_of(facts, options)
        return data

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the codec into a file, which :func:`aezip.load_codec` and the program read."""
        _aezip.write_file(os.fspath(path), self.to_bytes())

    def to_bytes(self) -> bytes:
        """Return the bytes of that file."""
        return self._codec.to_bytes()

    def embed(self, x: Any) -> NDArray[np.float32]:
        """Return the latents of rows, rows × latents; NaN counts as missing."""
        return self._codec.embed(as_table(x))

    def decode(self, latents: Any) -> NDArray[Any]:
        """Return the rows that latents stand for."""
        return self._codec.decode(as_table(latents))

    def reconstruct(self, x: Any) -> NDArray[Any]:
        """Return what the codec makes of rows, in floats: ``decode(embed(x))``."""
        return self._codec.reconstruct(as_table(x))

    def denoise(self, x: Any) -> NDArray[Any]:
        """Return what the codec makes of noisy rows, in their own type."""
        return self._codec.denoise(as_table(x))

    def sample(self, count: int, seed: int = 0) -> NDArray[Any]:
        """Draw new rows like those that the codec was learned from."""
        return self._codec.sample(number_of(count, "count"), number_of(seed, "seed"))

    def finetune(
        self,
        x: Any,
        labels: Any,
        *,
        unlabelled: Any = None,
        threads: int = 0,
        seed: int = 0,
        progress: Progress = None,
        **how: Any,
    ) -> tuple[Codec, dict[str, Any]]:
        """Learn to predict something of rows.

        Parameters
        ----------
        x : array_like
            Rows.
        labels : array_like
            A whole number for each row, or one number or more to predict; NaN where it is not known.
        unlabelled : array_like, optional
            More rows, of which no label is known.
        threads, seed : int
            As for :func:`aezip.compress`.
        progress : bool or callable, optional
            Who is told how far it is.
        **how
            ``task`` (``"classify"`` or ``"regress"``), ``epochs``, ``batch``, ``lr``, ``encoder_rate``, ``frozen``, ``head``,
            ``held_out``, ``from_scratch``; ``aezip finetune --help`` explains each.

        Returns
        -------
        codec : Codec
            One that can :meth:`predict`.
        facts : dict
            ``loss``, ``right`` (the share of labels predicted right, or of variance explained) and more.
        """
        more = None if unlabelled is None else as_table(unlabelled)
        rows = (as_table(x), as_table(labels), more)
        with listener(progress) as told:
            options = {"threads": threads, "seed": seed}
            codec, facts = self._codec.finetune(rows, options, how, told)
        return Codec(codec), facts

    def predict(self, x: Any) -> Prediction:
        """Predict labels or numbers of rows, after :meth:`finetune`."""
        values, likely, names = self._codec.predict(as_table(x))
        labels = None if names is None else np.array([int(name) for name in names])
        return Prediction(values, likely, labels)

    def export_onnx(self, path: str | os.PathLike[str], part: str = "encoder") -> None:
        """Write a network as an ONNX file.

        It is ``"encoder"``, ``"decoder"`` or ``"predictor"``, of a masked transformer ``"encoder"``,
        ``"restorer"`` or ``"predictor"``.
        """
        _aezip.write_file(os.fspath(path), self._codec.onnx(part))

    def __repr__(self) -> str:
        kind = "network" if self.has_network else "linear"
        return f"<aezip.Codec {kind}, {self.latents} latents of {self.dtype} {self.row_shape}>"

    def _repr_html_(self) -> str:
        return codec_view(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _of_bytes, (self.to_bytes(),)


def _of_bytes(data: bytes) -> Codec:
    return Codec(_aezip.Codec.from_bytes(data))


def train(x: Any, *, progress: Progress = None, **options: Unpack[Options]) -> Codec:
    """Learn a codec from rows; arguments are those of :func:`aezip.compress`.

    Parameters
    ----------
    x : array_like
        Rows like those to come.
    progress : bool or callable, optional
        Who is told how far it is.
    **options
        The promise to learn for, and the network.

    Returns
    -------
    Codec
    """
    with listener(progress) as told:
        return Codec(_aezip.Codec.train(as_rows(x), options, False, told))


def load_codec(source: str | os.PathLike[str] | bytes | bytearray | memoryview) -> Codec:
    """Read a codec from its file or its bytes, or take the model out of a compressed file.

    Parameters
    ----------
    source : path or bytes
        What :meth:`Codec.save` wrote.

    Returns
    -------
    Codec
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return _of_bytes(bytes(source))
    with open(os.fspath(source), "rb") as file:
        return _of_bytes(file.read())


