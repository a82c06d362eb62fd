"""Examples in the documentation are run, and the stub says what the module has."""

import doctest
import importlib
import pathlib
import subprocess
import sys

import pytest

FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE
MODULES = ["aezip", "_write", "_restore", "_file", "_codec", "_uses", "sklearn", "numcodecs", "zarr", "dataset", "dataset.array"]


@pytest.mark.parametrize("name", MODULES)
def test_examples_of_modules(name):
    module = importlib.import_module("aezip" if name == "aezip" else f"aezip.{name}")
    result = doctest.testmod(module, optionflags=FLAGS)
    assert result.attempted > 0 or name == "_options"
    assert result.failed == 0


def test_examples_of_the_readme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    readme = pathlib.Path(__file__).parent.parent / "README.md"
    assert doctest.testfile(str(readme), module_relative=False, optionflags=FLAGS).failed == 0


def test_the_stub_is_that_of_the_module(tmp_path):
    pytest.importorskip("mypy")
    command = [sys.executable, "-m", "mypy.stubtest", "aezip._aezip", "--ignore-disjoint-bases"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
