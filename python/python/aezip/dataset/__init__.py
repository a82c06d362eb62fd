"""Data sets larger than one machine: a folder of files that is read as one array.

``data/part-*.aez`` hold the rows, each a whole file by itself; ``codec-<hash>.aez`` is what they were made
with, for more of them; ``_manifest.json`` names them all, and is written last. Parts are made by
:func:`write` on one machine, and by :mod:`aezip.dataset.ray`, :mod:`aezip.dataset.dask` and
:mod:`aezip.dataset.spark` on many.

>>> import numpy as np, aezip.dataset, tempfile
>>> x = np.sin(np.arange(40_000, dtype="f4") * 0.01).reshape(1000, 40)
>>> place = tempfile.mkdtemp()
>>> d = aezip.dataset.write([x[:600], x[600:]], place, max_error=0.01, level=1)
>>> d = aezip.dataset.open(place)
>>> d.shape, [part.rows for part in d.parts]
((1000, 40), [600, 400])
>>> bool(abs(d[590:610] - x[590:610]).max() <= 0.01)
True
"""

from .array import Dataset, open
from .manifest import Part
from .writer import Writer, Written, abort, begin, commit, write

__all__ = ["Dataset", "Part", "Writer", "Written", "abort", "begin", "commit", "open", "write"]
