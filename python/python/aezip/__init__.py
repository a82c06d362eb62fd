"""Learned lossy compression for arrays and tables of numbers, with bounds that are never broken.

>>> import numpy as np, aezip
>>> x = np.random.default_rng(0).normal(size=(500, 3)) @ np.ones((3, 40))
>>> data = aezip.dumps(x, max_error=0.01, level=1)
>>> bool(abs(aezip.loads(data) - x).max() <= 0.01)
True
"""

from ._aezip import CorruptError
from ._append import Appended, append
from ._codec import Codec, Prediction, load_codec, train
from ._compare import Comparison, compare
from ._file import File, loads, open
from ._options import FillValueWarning, Options
from ._restore import decompress
from ._shared import SharedCodec
from ._tables import LeftOutWarning, TypeWarning
from ._uses import Anomalies, Denoised, Plot, anomalies, denoise, embed, impute, plot
from ._write import Report, compress, dumps

__version__ = "0.1.0"

__all__ = [
    "Anomalies",
    "Appended",
    "Codec",
    "Comparison",
    "CorruptError",
    "Denoised",
    "File",
    "FillValueWarning",
    "LeftOutWarning",
    "Options",
    "Plot",
    "Prediction",
    "Report",
    "SharedCodec",
    "TypeWarning",
    "anomalies",
    "append",
    "compare",
    "compress",
    "decompress",
    "denoise",
    "dumps",
    "embed",
    "impute",
    "load_codec",
    "loads",
    "open",
    "plot",
    "train",
]
