"""Keyword arguments: promises and options, with the names that the program gives them."""

from __future__ import annotations

import contextlib
import operator
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypedDict

#: Called with the stage, how much of it is done, and how much there is (0 if that is unknown).
Listener = Callable[[str, int, int], Any]
Progress = bool | Listener | None
#: What the library counts with.
MOST_COUNTED = 2**63 - 1


class Options(TypedDict, total=False):
    """Promises, of which a file keeps one, and options; None for what is not given."""

    max_error: float | str | Mapping[str | int, float | str] | None
    max_error_rel: float | str | None
    max_error_range: float | str | None
    max_error_pointwise_rel: float | str | None
    nmse: float | str | None
    psnr: float | str | None
    cosine: float | str | None
    row_nmse: float | str | None
    row_cosine: float | str | None
    row_l2: float | str | None
    ratio: float | str | None
    bytes_per_row: float | str | None
    lossless: bool | None
    level: int
    threads: int
    memory: int
    seed: int
    fill_value: float | Sequence[float] | str | None
    tile: str | Sequence[int] | None
    access: str | int | None
    shape: Sequence[int] | None
    hidden: int | Sequence[int] | str | None
    latent: int | None
    epochs: int | None
    batch: int | None
    lr: float | None
    activation: str | None
    time: float | None
    loss: str | None
    linear: bool | None
    sparse: float | None
    denoise: str | Sequence[str] | None
    mask_patches: str | None
    transformer: bool | Mapping[str, int] | None
    contractive: float | None
    variational: float | None


class FillValueWarning(UserWarning):
    """Numbers were taken for missing values, as they recur and lie far from all others."""


def warn_of_fill_values(found: Sequence[float], options: Mapping[str, Any]) -> None:
    """Say which numbers were taken for missing values, where nobody named any."""
    if found and options.get("fill_value") is None:
        listed = ", ".join(f"{x:g}" for x in found)
        warnings.warn(
            f"values that stand for missing numbers: {listed}; they come back bit for bit and are "
            'part of no figure (fill_value="none": treat them as numbers)',
            FillValueWarning,
            stacklevel=4,
        )


def count(value: Any, name: str, least: int = 0, most: int = MOST_COUNTED) -> int:
    """Return a number of things, as which an argument is given."""
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name}={value!r:.60} is no whole number") from None
    if not least <= number <= most:
        raise ValueError(f"{name}={number} is not between {least} and {most}")
    return number


@contextlib.contextmanager
def listener(progress: Progress) -> Iterator[Listener | None]:
    """Give what is told of progress: a callable as it is, a bar of tqdm or a line for True."""
    if not progress:
        yield None
    elif callable(progress):
        yield progress
    else:
        bar = _Bar()
        try:
            yield bar
        finally:
            bar.close()


class _Bar:
    """A bar of tqdm for each stage; a line on standard error where there is no tqdm."""

    def __init__(self) -> None:
        self.stage: str | None = None
        self.bar: Any = None

    def __call__(self, stage: str, done: int, total: int) -> None:
        try:
            from tqdm.auto import tqdm
        except ImportError:
            import sys

            share = f" {100 * done // total} %" if total else ""
            print(f"\raezip: {stage}{share}    ", end="", file=sys.stderr, flush=True)
            return
        if stage != self.stage:
            self.close()
            self.stage, self.bar = stage, tqdm(desc=f"aezip: {stage}", total=total or None)
        self.bar.n = done
        self.bar.refresh()

    def close(self) -> None:
        if self.bar is not None:
            self.bar.close()
