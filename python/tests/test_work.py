"""Long work: other threads go on, Ctrl-C ends it, forks are safe."""

import multiprocessing
import os
import signal
import threading
import time

import aezip
import numpy as np
import pytest


def test_other_threads_go_on(slow):
    counted, stop = [0], threading.Event()

    def count():
        while not stop.is_set():
            counted[0] += 1
            time.sleep(0.001)

    thread = threading.Thread(target=count)
    thread.start()
    started = time.perf_counter()
    data = aezip.dumps(slow, max_error=0.5, level=1)
    aezip.loads(data)
    seconds = time.perf_counter() - started
    stop.set()
    thread.join()
    assert counted[0] > 50 * seconds


def test_progress_is_told_and_may_end_it(waves, slow, tmp_path):
    told = []
    aezip.compress(waves, tmp_path / "a.aez", level=2, epochs=3, progress=lambda *p: told.append(p))
    assert told and all(isinstance(stage, str) and done <= max(total, done) for stage, done, total in told)
    aezip.dumps(waves, level=1, progress=True)

    def enough(*_):
        raise RuntimeError("enough")

    with pytest.raises(RuntimeError, match="enough"):
        aezip.compress(slow, tmp_path / "b.aez", max_error=0.1, level=3, progress=enough)
    assert [p.name for p in tmp_path.iterdir()] == ["a.aez"]


PROMISES = [
    {"nmse": 0.2, "level": 9},
    {"max_error": 0.5, "level": 9},
    {"loss": "mse"},
    {"lossless": True, "level": 9},
]


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="no signals here")
@pytest.mark.parametrize("options", PROMISES)
def test_ctrl_c_ends_the_work_and_leaves_nothing(slow, tmp_path, options):
    main = threading.main_thread().ident
    pressed = []

    def press():
        pressed.append(time.perf_counter())
        signal.pthread_kill(main, signal.SIGINT)

    threading.Timer(1, press).start()
    with pytest.raises(KeyboardInterrupt):
        aezip.compress(slow, tmp_path / "a.aez", **options)
    assert time.perf_counter() - pressed[0] < 10
    assert list(tmp_path.iterdir()) == []


def _first(queue, f):
    queue.put(np.asarray(f).sum())


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks here")
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_process_decodes(slow):
    f = aezip.open(aezip.dumps(slow, max_error=0.5, level=1))
    expected = np.asarray(f).sum()
    context = multiprocessing.get_context("fork")
    queue = context.Queue()
    child = context.Process(target=_first, args=(queue, f))
    child.start()
    assert queue.get(timeout=60) == expected
    child.join()


def test_many_threads_read_the_same_file(waves):
    f = aezip.open(aezip.dumps(waves, max_error=0.01, level=1))
    whole, wrong = np.asarray(f), []

    def read(seed):
        rng = np.random.default_rng(seed)
        for _ in range(200):
            i = int(rng.integers(len(f)))
            if not (f[i] == whole[i]).all() or not (f[i : i + 3] == whole[i : i + 3]).all():
                wrong.append(i)

    threads = [threading.Thread(target=read, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
