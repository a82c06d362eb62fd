from collections.abc import Callable
from os import PathLike
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

_Rows = tuple[NDArray[np.uint8], str, tuple[int, ...]]
_Path = str | PathLike[str]
_Listener = Callable[[str, int, int], Any] | None
_Options = Any

__all__ = [
    "Codec",
    "Comparison",
    "CorruptError",
    "Reader",
    "SharedModel",
    "anomalies",
    "append",
    "append_file",
    "check_options",
    "compare",
    "compress",
    "compress_file",
    "decompress",
    "denoise",
    "embed",
    "impute",
    "scatter",
    "write_file",
]

class CorruptError(ValueError): ...

@final
class Reader:
    @staticmethod
    def open(path: _Path, cache_bytes: int | None = None) -> Reader: ...
    @staticmethod
    def fetching(
        length: int, fetch: Callable[[int, int], bytes], cache_bytes: int | None = None
    ) -> Reader: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> Reader: ...
    @property
    def shape(self) -> list[int]: ...
    @property
    def dtype(self) -> str: ...
    @property
    def promise(self) -> tuple[str, str] | None: ...
    @property
    def columns(self) -> list[str] | None: ...
    @property
    def origin(self) -> tuple[str, str | None, str | None]: ...
    def row(self, index: int) -> NDArray[Any]: ...
    def region(self, start: list[int], stop: list[int]) -> NDArray[Any]: ...
    def region_into(self, start: list[int], stop: list[int], out: NDArray[np.uint8]) -> None: ...
    def take(self, rows: NDArray[np.uint64]) -> NDArray[Any]: ...
    def bytes_of_rows(self, rows: NDArray[np.uint64]) -> list[tuple[int, int]]: ...
    def bytes_of_region(self, start: list[int], stop: list[int]) -> list[tuple[int, int]]: ...
    def verify(self) -> None: ...
    def rows_at_once(self, bytes: int) -> int: ...
    def info(self) -> dict[str, Any]: ...

@final
class Codec:
    @staticmethod
    def train(
        rows: _Rows, options: _Options, for_uses: bool = False, progress: _Listener = None
    ) -> Codec: ...
    @staticmethod
    def from_bytes(bytes: bytes) -> Codec: ...
    def to_bytes(self) -> bytes: ...
    @property
    def latents(self) -> int: ...
    @property
    def has_network(self) -> bool: ...
    @property
    def dtype(self) -> str: ...
    @property
    def row_shape(self) -> list[int]: ...
    def compress(
        self, rows: _Rows, path: _Path | None, options: _Options, progress: _Listener = None
    ) -> tuple[bytes, dict[str, Any]]: ...
    def embed(self, rows: _Rows) -> NDArray[np.float32]: ...
    def decode(self, latents: _Rows) -> NDArray[Any]: ...
    def reconstruct(self, rows: _Rows) -> NDArray[Any]: ...
    def denoise(self, rows: _Rows) -> NDArray[Any]: ...
    def sample(self, count: int, seed: int) -> NDArray[Any]: ...
    def finetune(
        self,
        examples: tuple[_Rows, _Rows, _Rows | None],
        options: _Options,
        how: dict[str, Any],
        progress: _Listener = None,
    ) -> tuple[Codec, dict[str, Any]]: ...
    def predict(
        self, rows: _Rows
    ) -> tuple[NDArray[Any], NDArray[np.float32] | None, list[str] | None]: ...
    def onnx(self, part: str) -> bytes: ...

@final
class SharedModel:
    def __new__(cls, codec: Codec) -> SharedModel: ...
    def compress(self, rows: _Rows, options: _Options) -> bytes: ...

@final
class Comparison:
    def facts(self) -> tuple[int, int, str]: ...
    def trials(self) -> list[Any]: ...
    def draw(self, title: str, to: str) -> bytes: ...

def compare(
    rows: _Rows,
    options: _Options,
    how: tuple[str, list[str], list[int] | None, int | None],
    progress: _Listener = None,
) -> Comparison: ...
def check_options(options: _Options) -> None: ...
def append(
    path: _Path,
    rows: _Rows,
    threads: int = 0,
    progress: _Listener = None,
    about: tuple[list[str] | None, tuple[str, str | None] | None, str] | None = None,
) -> dict[str, Any]: ...
def append_file(
    path: _Path,
    input: _Path,
    how: tuple[str | None, list[str] | None, str | None],
    threads: int = 0,
    progress: _Listener = None,
) -> dict[str, Any]: ...
def compress(
    rows: _Rows,
    path: _Path | None,
    options: _Options,
    progress: _Listener = None,
    about: tuple[list[str] | None, tuple[str, str | None] | None, str] | None = None,
) -> tuple[bytes, dict[str, Any]]: ...
def compress_file(
    input: _Path,
    path: _Path | None,
    options: _Options,
    how: tuple[str | None, list[str] | None, str | None],
    progress: _Listener = None,
) -> tuple[bytes, dict[str, Any]]: ...
def decompress(
    input: _Path, output: _Path, format: str | None = None, rows: tuple[int, int] | None = None
) -> None: ...
def write_file(path: _Path, bytes: bytes) -> None: ...
def anomalies(
    rows: _Rows,
    codec: Codec | None,
    like: _Rows | None,
    options: _Options,
    how: tuple[str, float | None, int | None],
    progress: _Listener = None,
) -> dict[str, Any]: ...
def impute(
    rows: _Rows,
    codec: Codec | None,
    options: _Options,
    codes: list[float],
    draws: int | None = None,
    progress: _Listener = None,
) -> list[NDArray[Any]]: ...
def denoise(
    rows: _Rows, noise: float | None, options: _Options, progress: _Listener = None
) -> tuple[NDArray[Any], float | None, int]: ...
def embed(rows: _Rows, options: _Options, progress: _Listener = None) -> NDArray[np.float32]: ...
def scatter(
    points: _Rows,
    dim: int,
    labels: list[int] | None,
    numbers: list[float] | None,
    drawn: tuple[str, str, int],
) -> bytes: ...
