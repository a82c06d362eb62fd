"""aezip as a compressor of the benchmark ClimateBenchPress.

Import this where the benchmark looks for compressors: the class registers itself by its name. The benchmark asks it for a
numcodecs codec, under an absolute bound or one that is a share of each number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from aezip.numcodecs import Aezip

try:
    from climatebenchpress.compressor.compressors.abc import Compressor
except ImportError:
    # The class is of use without the benchmark, too.
    Compressor = object

LEVEL = 5


class AezipCompressor(Compressor):
    """Learned compression within a bound on each number."""

    name = "aezip"
    description = "aezip"

    @staticmethod
    def abs_bound_codec(dtype: np.dtype[Any], error_bound: float, **_: Any) -> Aezip:
        """Return a codec whose numbers are off by ``error_bound`` at most."""
        return Aezip(max_error=float(error_bound), level=LEVEL)

    @staticmethod
    def rel_bound_codec(dtype: np.dtype[Any], error_bound: float, **_: Any) -> Aezip:
        """Return a codec whose numbers are off by ``error_bound`` times their own size at most."""
        return Aezip(max_error_pointwise_rel=float(error_bound), level=LEVEL)
