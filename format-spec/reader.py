#!/usr/bin/env python3
"""A second reader of .aez files, written from the text in this folder.

    python3 reader.py FILE.aez OUT.npy      decode all rows
    python3 reader.py --check VECTORS_DIR   decode every test vector and compare

Plain rather than fast. Needs NumPy and a zstd decoder, and for columns in chunks of pco the package pcodec.
"""
import math
import re
import struct
import sys
import zlib
from bisect import bisect_right
from fractions import Fraction
from functools import partial
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
BUDGET = 1 << 30  # bytes that a model, a block or the index may take here


class Refused(Exception):
    """The file breaks a rule. `kind` is one of truncated, corrupt, unsupported, limit."""

    def __init__(self, kind, what):
        super().__init__(f"{kind}: {what}")
        self.kind = kind


def need(condition, what, kind="corrupt"):
    if not condition:
        raise Refused(kind, what)


def wrap(x):
    """The integer modulo 2^64, from -2^63 to 2^63 - 1."""
    return ((x + (1 << 63)) & 0xFFFF_FFFF_FFFF_FFFF) - (1 << 63)


# ---------------------------------------------------------------- bytes


class Cursor:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        need(count <= len(self.data) - self.at, "bytes are missing", "truncated")
        self.at += count
        return self.data[self.at - count : self.at]

    def u8(self):
        return self.take(1)[0]

    def varint(self):
        value = 0
        for shift in range(0, 64, 7):
            byte = self.u8()
            if shift == 63 and byte > 1:
                break
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise Refused("corrupt", "a number has more than 64 bits")

    def text(self):
        return utf8(self.take(self.varint()))

    def rest(self):
        return self.data[self.at :]

    def finish(self):
        need(self.at == len(self.data), "bytes follow the last field")


def utf8(data):
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused("corrupt", "a text is not UTF-8") from None


def unseal(data, what, start=b""):
    """Checks and removes the CRC-32 in the last four bytes."""
    need(len(data) >= 4, f"{what} has no room for a checksum", "truncated")
    body, crc = data[:-4], struct.unpack("<I", data[-4:])[0]
    need(zlib.crc32(body, zlib.crc32(start)) == crc, f"{what} does not match its checksum")
    return body


def zstd(frame, length):
    # Exactly one frame, without dictionary and checksum.
    need(frame[:4] == b"\x28\xb5\x2f\xfd", "not a zstd frame")
    need(len(frame) > 4 and frame[4] & 15 == 0, "a zstd frame with a dictionary or a checksum")
    if not frame[4] & 32:
        need(len(frame) > 5, "a zstd frame ends in its header")
        window = (8 + (frame[5] & 7)) << (frame[5] >> 3) + 7
        need(window <= max(2 * length, 1024), "a zstd window longer than what it slides over")
    try:
        import zstandard

        decoder = zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
        error = zstandard.ZstdError
    except ImportError:
        try:
            from compression import zstd as module  # Python 3.14
        except ImportError:
            sys.exit("this file needs a zstd decoder: pip install zstandard")
        decoder, error = module.ZstdDecompressor(), module.ZstdError
    try:
        out = decoder.decompress(frame)
    except error as e:
        raise Refused("corrupt", f"zstd: {e}") from None
    need(decoder.eof and not decoder.unused_data, "not exactly one zstd frame")
    need(len(out) == length, "zstd gives another number of bytes than stated")
    return out


def room_of(length):
    """The bytes that each part of a file of so many bytes may take."""
    return min(BUDGET, (1 << 25) + (max(0, length - 10_240) << 14))


def work_of(length):
    """The multiply-adds that decoding all rows of a file of so many bytes may take."""
    return (1 << 34) + (max(0, length - 10_240) << 22)


def unpack(packed, most):
    cursor = Cursor(packed)
    head = cursor.varint()
    length, body = head >> 1, cursor.rest()
    need(length <= most, "packed bytes claim too many bytes")
    if head & 1:
        return zstd(body, length)
    need(len(body) == length, "stored bytes have the wrong length")
    return body


def unshuffle(data, size):
    return np.frombuffer(data, np.uint8).reshape(size, -1).T.tobytes()


# ---------------------------------------------------------------- integers of the model


SYMBOLS, LEAST, ESCAPE = 32, 3, 31


class IntModel:
    def __init__(self, likely=(0,) * 16):
        """Of one likely symbol for each context."""
        self.first, self.seen, self.last = [], [0] * 16, (0, 0)
        for likeliest in likely:
            sums = [0]
            for i in range(SYMBOLS):
                sums.append(sums[i] + 1600 // (16 + (i - likeliest) ** 2) + 1)
            shared = SCALE - LEAST * SYMBOLS
            self.first.append([sums[i] * shared // sums[-1] + LEAST * i for i in range(SYMBOLS)])

    def saw(self, context, symbol):
        """Learns from the integer before this one."""
        (c, s), self.last = self.last, (context, symbol)
        first, n = self.first[c], self.seen[c]
        step = 65536 // (2 * n + 5) if n < 126 else 256
        self.seen[c] = min(n + 1, 126)
        for i in range(1, SYMBOLS):
            towards = LEAST * i if i <= s else SCALE - LEAST * (SYMBOLS - i)
            first[i] += ((towards - first[i]) * step + (1 << 14)) >> 15


class IntDecoder:
    def __init__(self, data):
        need(len(data) >= 8 - len(data) % 2, "the model ends within its states", "truncated")
        self.rans = ModelRans(data[4:])
        self.next = int.from_bytes(data[:4], "little")
        need(self.next >= Rans.LOW, "an impossible state")

    def int(self, model, context):
        return self.number(model, context, True)[0]

    def number(self, model, context, signed):
        """An integer and its symbol."""
        rans, first = self.rans, model.first[context]
        self.expect_words()
        symbol = bisect_right(first, rans.states[0] % SCALE) - 1
        end = first[symbol + 1] if symbol + 1 < SYMBOLS else SCALE
        rans.take(first[symbol], end - first[symbol])
        model.saw(context, symbol)
        if symbol < 4:
            top, raw = symbol, 0
        elif symbol < ESCAPE:
            top, raw = 2 | symbol & 1, symbol // 2 - 1
        else:
            top, raw = 1, rans.raw(6)
        bits = rans.raw(raw + (signed and symbol > 0))
        magnitude = top << raw | bits & ((1 << raw) - 1)
        rans.states[0], self.next = self.next, rans.states[0]
        return wrap(-magnitude if bits >> raw else magnitude), symbol

    def expect_words(self):
        need(not self.rans.ended, "the model ends before its description does", "truncated")

    def finish(self):
        self.expect_words()
        self.rans.finish()
        need(self.next == Rans.LOW, "the model's description ends before its section does")


def predict(kind, v, i, line):
    def back(n):
        return v[i - n] if i >= n else 0

    if kind == 0:
        return 0
    if kind == 1:
        return back(1)
    if kind == 2:
        return 2 * back(1) - back(2) if i >= 2 else back(1)
    if kind == 3:
        return back(line) if i >= line else back(1)
    if i % line == 0:
        return back(line)
    return back(1) if i < line else back(1) + back(line) - back(line + 1)


class ArrayModel:
    def __init__(self):
        self.head, self.body = IntModel(), IntModel(range(0, SYMBOLS, 2))

    def decode(self, coder, count, line):
        line = min(max(line, 1), max(count, 1))
        shift, kind = coder.int(self.head, 0), coder.int(self.head, 1)
        need(0 <= shift < 64 and 0 <= kind < 10, "an array has an undefined shift or predictor")
        a = b = 0
        values = []
        for i in range(count):
            r, symbol = coder.number(self.body, max(a, b) // 2, kind < 5)
            values.append(wrap(predict(kind % 5, values, i, line) + r))
            a, b = symbol, a
        return [wrap(v << shift) for v in values]


# ---------------------------------------------------------------- tables and rANS

SCALE = 1 << 15
ANY, UP, DOWN = "any", "up", "down"


class Table:
    """Entries: first slot, number, raw bits or kind of escape."""

    def __init__(self, frequencies, base, raw, zero=False):
        self.zero = zero
        need(sum(frequencies) == SCALE, "a table's frequencies do not add up")
        self.starts = [0]
        for f in frequencies:
            self.starts.append(self.starts[-1] + f)
        self.base, self.raw = base, raw

    def decode(self, coder):
        return self.complete(coder, self.symbol(coder))

    def symbol(self, coder):
        """Which entry holds the coder's slot."""
        slot = coder.states[coder.lane] % SCALE
        i = bisect_right(self.starts, slot) - 1
        coder.take(self.starts[i], self.starts[i + 1] - self.starts[i])
        return i

    def complete(self, coder, i):
        """The number that entry i begins."""
        base, raw = self.base[i], self.raw[i]
        if raw == ANY:
            return wrap(coder.raw(64))
        if raw in (UP, DOWN):
            length = coder.raw(6)
            distance = (1 << length | coder.raw(length)) - 1
            return wrap(base + distance if raw == UP else base - distance)
        return wrap(base + coder.raw(raw))


def zero_table():
    return Table([SCALE], [0], [0], True)


def ladder(shape, scale):
    need(0 <= shape < 4 and 0 <= scale < 240, "a ladder that is not defined")
    cdf = struct.unpack_from("<513I", (HERE / "shapes.bin").read_bytes(), shape * 513 * 4)
    octave, j = (scale >> 2) - 4, scale & 3
    raw = max(octave - 2, 0)
    inverse = [1_048_576, 881_744, 741_455, 623_487][j] << (2 - min(octave, 2))
    reach = ([6, 12, 12, 16][shape] << 22) // inverse + 1
    entries = 2 * reach + 3
    half = 8 if raw == 0 else 16 - (8 >> min(raw, 4))

    def distribution(edge):
        x = abs(edge) * 2 * inverse
        i = x >> 22
        upper = 1 << 30
        if i < 512:
            upper = cdf[i] + ((cdf[i + 1] - cdf[i]) * (x >> 6 & 0xFFFF) >> 16)
        return (1 << 30) - upper if edge < 0 else upper

    ends = [
        i + 1 + (distribution((i - reach - 1) * 16 + half) * (SCALE - entries) >> 30)
        for i in range(entries - 1)
    ] + [SCALE]
    frequencies = [b - a for a, b in zip([0] + ends, ends)]
    base = [-(reach << raw) - 1] + [s << raw for s in range(-reach, reach + 1)]
    base.append((reach + 1) << raw)
    return Table(frequencies, base, [DOWN] + [raw] * (entries - 2) + [UP])


def histogram(raw, numbers, frequencies, escape):
    ascending = all(a < b for a, b in zip(numbers, numbers[1:]))
    need(0 <= raw <= 63 and ascending, "a histogram is not ascending")
    base = [n << raw for n in numbers]
    need(all(b == wrap(b) for b in base), "a histogram's numbers do not fit")
    frequencies, raws = list(frequencies), [raw] * len(base)
    if escape > 0:
        frequencies.append(escape)
        base.append(0)
        raws.append(ANY)
    return Table(frequencies, base, raws)


def tokens(lead, frequencies):
    group = 1 << lead
    half = group * (64 - lead)
    base, raws = [], []
    for t in range(-(half - 1), half):
        m = abs(t)
        bits = 0 if m < 2 * group else m // group - 1
        low = m if bits == 0 else (m % group + group) << bits
        base.append(-(low + (1 << bits) - 1) if t < 0 else low)
        raws.append(bits)
    return Table(frequencies, base, raws)


class Rans:
    """The coder of a part's rows: one state."""

    LOW = 1 << 16

    def __init__(self, stream):
        state = 4 - len(stream) % 2
        need(len(stream) >= state, "a stream ends within its state", "truncated")
        self.begin([int.from_bytes(stream[:state], "little")], stream[state:])

    def begin(self, states, words):
        need(all(x >= self.LOW for x in states), "an impossible state")
        self.states, self.lane = states, 0
        self.words = iter(struct.unpack(f"<{len(words) // 2}H", words))

    def refill(self, x):
        if x < self.LOW:
            word = next(self.words, None)
            need(word is not None, "a stream ends before its rows do")
            x = x << 16 | word
        self.states[self.lane] = x

    def take(self, start, frequency):
        if frequency < SCALE:
            x = self.states[self.lane]
            self.refill(frequency * (x >> 15) + (x % SCALE) - start)

    def raw(self, count):
        bits = have = 0
        while have < count:
            n = min(count - have, 16)
            x = self.states[self.lane]
            bits |= (x & ((1 << n) - 1)) << have
            self.refill(x >> n)
            have += n
        return bits

    def finish(self):
        done = next(self.words, None) is None and all(x == self.LOW for x in self.states)
        need(done, "a stream goes on after its rows")


class ModelRans(Rans):
    """The coder of a model: 0 where words are missing, which is noticed by whoever goes on."""

    ended = False

    def refill(self, x):
        if x < self.LOW:
            word = next(self.words, None)
            self.ended |= word is None
            x = x << 16 | (word or 0)
        self.states[self.lane] = x


LANES = 16


class LaneRans(Rans):
    """The coder of rows that look at their neighbours: a state for each lane."""

    def __init__(self, stream, rows):
        count = min(rows, LANES)
        need(len(stream) >= 4 * count, "a stream ends within its states", "truncated")
        need(len(stream) % 2 == 0, "a stream is not a whole number of words")
        self.begin(list(struct.unpack_from(f"<{count}I", stream)), stream[4 * count :])

    def together(self, tables):
        """Symbols of a step, from the table of each lane that has one."""
        found = {}
        for self.lane, table in tables.items():
            found[self.lane] = table.symbol(self)
        for self.lane, table in tables.items():
            found[self.lane] = table.complete(self, found[self.lane])
        return found


# ---------------------------------------------------------------- the model

INTEGER, LINEAR, RATIO, ORDERED = range(4)


class Grid:
    def __init__(self, kind, fraction, step, a, b):
        self.kind, self.fraction, self.step, self.a, self.b = kind, fraction, step, a, b
        need(0 <= kind <= 3, "a grid of undefined kind")
        if kind in (LINEAR, ORDERED):
            self.offset, self.unit = struct.unpack("<2d", struct.pack("<2Q", a, b))
            need(np.isfinite([self.offset, self.unit]).all(), "a grid is not finite")
        need(kind != INTEGER or a == 0, "a grid of integers has an offset")
        need(kind != RATIO or b != 0, "a grid divides by zero")

    def whole_step(self):
        return 1 if self.kind == ORDERED else 1 << self.fraction

    def nearest_sum(self, k, base):
        """The sum that gives the integer k or comes nearest."""
        d = wrap(k - base)
        if self.kind == ORDERED:
            return d
        step = max(self.step, 1)
        nearest = (2 * (d << self.fraction) + step) // (2 * step)
        return min(max(nearest, -(1 << 63)), (1 << 63) - 1)


class Model:
    def __init__(self, payload, width, line, room):
        self.coder, self.head = IntDecoder(payload), IntModel()
        self.width, self.line, self.left = width, line, room
        self.read_columns()
        self.read_network()
        self.tables, shared = [], ArrayModel()
        tables = self.number()
        need(1 <= abs(tables) <= 1 << 20, f"there cannot be {tables} tables")
        for _ in range(abs(tables)):
            self.tables.append(self.table(shared))
        self.read_classes()
        self.neighbours = Neighbours(self) if tables < 0 else None
        self.coder.finish()

    def spend(self, count):
        self.left -= count * 8
        need(self.left >= 0, "the model is too large", "limit")

    def number(self, context=0):
        return self.coder.int(self.head, context)

    def within(self, least, most):
        value = self.number()
        need(least <= value <= most, f"{value} is not between {least} and {most}")
        return value

    def array(self, model, count):
        self.spend(count)
        return model.decode(self.coder, count, self.line)

    def flat(self, count):
        self.spend(count)
        return ArrayModel().decode(self.coder, count, 1)

    def lines(self, model, rows, count, line=1):
        self.spend(rows * count)
        decoded = [model.decode(self.coder, count, line) for _ in range(rows)]
        return np.array(decoded, np.int64).reshape(rows, count)

    def indices(self, values, end):
        need(all(0 <= v < end for v in values), "the model refers to something undefined")
        return values

    def temporal(self, values):
        need(all(abs(a) <= 256 for a in values), "a temporal coefficient is above 1")
        return values

    def grid(self):
        kind, fraction = self.number(), self.within(0, 32)
        fields = []
        for c in range(3):
            zeros = self.number(1 + c)
            need(0 <= zeros < 64, "a grid's number has an undefined shift")
            fields.append((self.number(4 + c) << zeros) & 0xFFFF_FFFF_FFFF_FFFF)
        return Grid(kind, fraction, *fields)

    def read_columns(self):
        grids = self.within(1, self.width)
        self.spend(4 * grids)
        self.grids = [self.grid() for _ in range(grids)]
        self.grid_of = [0] * self.width
        if grids > 1:
            self.grid_of = self.indices(self.array(ArrayModel(), self.width), grids)
        self.base = self.array(ArrayModel(), self.width)
        self.column_temporal = self.temporal(self.array(ArrayModel(), self.width))

    def read_network(self):
        self.latents = self.within(0, 1 << 16)
        self.trellis, self.layers, self.bias, self.latent_clamp = 0, [], [0] * self.width, []
        if self.latents == 0:
            return
        self.latent_clamp = self.flat(self.latents)
        need(all(0 <= c < 1 << 30 for c in self.latent_clamp), "a latent's range")
        self.latent_temporal = self.temporal(self.flat(self.latents))
        self.trellis = self.within(0, 8)
        need(self.trellis in (0, 4, 8), "a trellis has 4 or 8 states")
        self.gain = self.within(0, 62)
        self.skip = self.lines(ArrayModel(), self.latents, self.width, self.line)
        if self.within(0, 1):
            self.bias = self.array(ArrayModel(), self.width)
        layers = self.within(0, 16)
        if layers:
            self.read_hidden(layers)

    def read_hidden(self, layers):
        self.input_shift = self.flat(self.latents)
        need(all(0 <= s < 32 for s in self.input_shift), "a latent's shift is not below 32")
        inputs, shared = self.latents, ArrayModel()
        for _ in range(layers):
            units = self.within(1, 1 << 16)
            weights = self.lines(shared, inputs, units)
            bias, multiplier = self.flat(units), self.number()
            shift, leak, clamp = self.within(0, 62), self.within(0, 62), self.within(0, 32767)
            self.layers.append((weights, bias, multiplier, shift, leak, clamp))
            inputs = units
        self.output = self.lines(ArrayModel(), inputs, self.width, self.line)
        self.multiplier = self.number()

    def table(self, shared):
        kind = self.number()
        need(0 <= kind <= 3, "a table of undefined kind")
        self.spend(256)
        if kind == 0:
            return zero_table
        if kind == 1:
            shape, scale = self.number(7), self.number(8)
            return partial(ladder, shape, scale)
        if kind == 2:
            raw, count, escape = self.number(12), self.number(9), self.number(10)
            need(0 <= count <= 4096, "a histogram is too long")
            numbers = shared.decode(self.coder, count, 1)
            frequencies = shared.decode(self.coder, count, 1)
            check = all(0 <= f <= SCALE for f in frequencies + [escape])
            return lambda: (
                need(check, "a frequency is out of range"),
                histogram(raw, numbers, frequencies, escape),
            )[1]
        lead = self.number(11)
        need(0 <= lead <= 4, "a token table keeps 0 to 4 bits")
        frequencies = shared.decode(self.coder, 2 * (64 - lead << lead) - 1, 1)
        check = all(0 <= f <= SCALE for f in frequencies)
        return lambda: (
            need(check, "a frequency is out of range"),
            tokens(lead, frequencies),
        )[1]

    def read_classes(self):
        tables, count = len(self.tables), self.within(1, 256)
        self.classes = count
        if count > 1:
            self.next = self.indices(self.array(ArrayModel(), count), tables)
        self.quantum = self.flat(count)
        need(all(-1 <= q < 1 << 40 for q in self.quantum), "a class's step is out of range")
        per_class = self.latents * (2 if self.trellis else 1)
        self.spend(count * (self.latents + per_class + self.width))
        means, own, residuals = ArrayModel(), ArrayModel(), ArrayModel()
        self.means, self.latent_tables, self.residual_tables = [], [], []
        for q in self.quantum:
            if self.latents:
                self.means.append(means.decode(self.coder, self.latents, 1))
                row = own.decode(self.coder, per_class, 1)
                self.latent_tables.append(self.indices(row, tables))
            if q >= 0:
                row = residuals.decode(self.coder, self.width, self.line)
                self.residual_tables.append(self.indices(row, tables))
            else:
                self.residual_tables.append(None)

    def check(self, dtype):
        """What is left to prove before any row may be decoded."""
        for grid in self.grids:
            need((grid.kind == INTEGER) != (dtype.kind == "f"), "a grid does not fit the type")
        made, self.tables = self.tables, [make() for make in self.tables]
        if self.neighbours:
            self.neighbours.move_scales(made, self.tables)
        hidden = 0
        if self.layers:
            small = [layer[2] for layer in self.layers] + [self.multiplier]
            need(all(abs(m) < 1 << 31 for m in small), "a hidden scale could overflow")
            shifted = zip(self.latent_clamp, self.input_shift)
            largest = [min((c >> s) + 1, 32767) for c, s in shifted]
            for weights, bias, _, _, _, clamp in self.layers:
                self.prove_dense(weights, bias, largest)
                largest = [clamp] * len(bias)
            self.prove_dense(self.output, [0] * self.width, largest)
            hidden = abs(self.multiplier) << 31
        for j in range(self.width):
            bound = abs(self.bias[j]) + hidden
            bound += sum(abs(int(self.skip[k, j])) * c for k, c in enumerate(self.latent_clamp))
            gain = self.gain if self.latents else 0
            bound += 1 << gain
            fits = bound < 1 << 62 and bound >> gain < (1 << 31) - 1
            need(fits, f"the prediction of column {j} could overflow")

    def row_work(self):
        """About how many multiply-adds a row takes."""
        rows = [t for q, t in zip(self.quantum, self.residual_tables) if q >= 0]
        silent = all(self.tables[i].zero for row in rows for i in row)
        if self.latents == 0 and silent and not self.neighbours:
            return 0
        wide = 0
        for k, clamp in enumerate(self.latent_clamp):
            weight = max(abs(int(w)) for w in self.skip[k])
            wide += weight > 32767 or clamp > 32767 or weight * clamp >= 1 << 29
        units = [len(layer[1]) for layer in self.layers]
        values = self.width * (4 if self.neighbours else 1)
        work = 256 * (4 + values + self.latents + sum(units)) + 32 * wide * self.width
        sizes = [(self.latents - wide, self.width)]
        if units:
            sizes += zip([self.latents] + units, units + [self.width])
        for inputs, outputs in sizes:
            work += -(-inputs // 2) * 2 * -(-outputs // 16) * 16
        return work

    @staticmethod
    def prove_dense(weights, bias, largest):
        # Weights lie input by input; a sum takes one from each.
        for row, b in zip(weights.T.tolist(), bias):
            wide = any(not -32768 <= w <= 32767 for w in row)
            bound = abs(b) + sum(abs(w) * a for w, a in zip(row, largest))
            need(not wide and bound < 1 << 31, "a hidden layer could overflow")

    def predict(self, latents):
        """Latents, rows x latents, to predictions, rows x columns."""
        if self.latents == 0:
            return np.zeros((len(latents), self.width), np.int64)
        total = latents @ self.skip + np.array(self.bias, np.int64)
        if self.layers:
            x = np.clip(latents >> np.array(self.input_shift), -32767, 32767)
            for weights, bias, multiplier, shift, leak, clamp in self.layers:
                z = (x @ weights + np.array(bias, np.int64)) * multiplier
                z = (z + ((1 << shift) >> 1)) >> shift
                z = np.where(z < 0, z >> leak, z)
                x = np.clip(z, -clamp, clamp)
            total += x @ self.output * self.multiplier
        return (total + ((1 << self.gain) >> 1)) >> self.gain


# ---------------------------------------------------------------- neighbours

# In the order of their coefficients; other terms of predictions follow.
(LEFT, LEFT2, LEFT3, ABOVE, ABOVE2, ABOVE_LEFT, ABOVE_RIGHT, THIRD, THIRD2, THIRD3, THIRD_LEFT,
 THIRD_RIGHT, THIRD_ABOVE, THIRD_BELOW, THIRD_ABOVE_LEFT, THIRD_ABOVE_RIGHT) = range(16)


class Tree:
    """Decisions and leaves; a leaf is a table's number, or None and a shift."""

    def __init__(self, model):
        count = model.within(1, 8191)
        kinds = model.flat(count)
        decisions = sum(kind != 0 for kind in kinds)
        thresholds = iter(model.flat(decisions))
        tables = model.flat(count - decisions)
        shifts = iter(model.flat(tables.count(0)))
        need(all(0 <= kind <= 32 for kind in kinds), "a tree decides by an undefined property")
        model.indices(tables, len(model.tables) + 1)
        tables = iter(tables)
        # Each node's property and threshold, then the numbers of its branches; or a leaf.
        self.nodes, waiting = [], [(None, 0)]
        for i, kind in enumerate(kinds):
            need(waiting, "a tree goes on after its last branch")
            parent, depth = waiting.pop()
            if parent is not None:
                self.nodes[parent].append(i)
            if kind == 0:
                table = next(tables)
                shift = next(shifts) if table == 0 else 0
                need(abs(shift) < 240, "a scale is moved too far")
                self.nodes.append((table - 1 if table else None, shift))
                continue
            need(depth < 32, "a tree is too deep")
            self.nodes.append([kind - 1, next(thresholds)])
            waiting += [(i, depth + 1)] * 2
        need(not waiting, "a tree lacks a branch")
        self.leaves = [node for node in self.nodes if isinstance(node, tuple)]
        self.trivial = count == 1

    def leaf(self, properties):
        node = self.nodes[0]
        while isinstance(node, list):
            name, threshold, below, above = node
            node = self.nodes[below if properties[name] <= threshold else above]
        return node


def clamp(x, most):
    return min(max(x, -most), most)


def one_less(c):
    """Coefficients for one value fewer."""
    *c, k = c
    if abs(k) >= 4096:
        c[-1] += k
    else:
        d = (1 << 24) - k * k
        c = [(8192 * (4096 * a + k * b) + d) // (2 * d) for a, b in zip(c, reversed(c))]
    return [clamp(a, 65535) for a in c]


class Neighbours:
    """What a model says of neighbours, and how rows are decoded by it."""

    def __init__(self, model):
        width = self.width = model.width
        self.a, self.b, self.c = model.within(1, width), model.within(0, width), model.within(0, width)
        flags = model.within(0, 31)
        self.median, self.aligned = flags & 1, flags & 2
        self.rows_of_line, self.latents_above = 0, None
        if flags & 4:
            self.rows_of_line = model.within(2, max(min(4096, (1 << 20) // width), 2))
        if flags & 8:
            need(flags & 4 and model.latents, "latents above without lines of rows, or latents")
            self.latents_above = [model.flat(model.latents) for _ in range(3)]
            need(all(abs(a) <= 1024 for own in self.latents_above for a in own), "latents above")
        self.predictors = None
        if flags & 16:
            need(not self.median, "a median by row")
            self.predictors = self.read_predictors(model)
        used = model.within(0, (1 << 27) - 1) if not self.predictors else 0
        groups = model.within(1, width) if used else 1
        self.group_of = range(width) if groups > 1 else [0] * width
        if 1 < groups < width:
            self.group_of = model.indices(model.array(ArrayModel(), width), groups)
        shared = ArrayModel()
        self.coefficients = {}
        for n in range(27):
            if used >> n & 1:
                own = self.coefficients[n] = model.array(shared, groups)
                need(all(abs(a) < 1 << 12 for a in own), "a coefficient is not below 16")
        groups = zip(*self.coefficients.values())
        need(all(sum(map(abs, own)) <= 65520 for own in groups), "coefficients add up to too much")
        self.atoms = []
        atoms = model.within(0, 7)
        if atoms:
            self.atoms = model.flat(atoms)
            self.atom_tree = Tree(model)
            need(all(t is not None for t, _ in self.atom_tree.leaves), "atoms without a table")
        self.tree = Tree(model)
        shifts = {shift for table, shift in self.tree.leaves if table is None}
        model.spend(len(shifts) * len(model.tables))
        need(not (self.aligned and model.latents), "whole steps with latents")
        need(not any(model.column_temporal), "neighbours and temporal coefficients")
        self.line = self.b or width
        self.looks_back = self.b == 0 or self.c == 0 and any(THIRD <= n < 16 for n in self.coefficients)
        below = self.b if THIRD_BELOW in self.coefficients else 0
        self.delay = 1 + max(self.a, below) if self.looks_back else 0
        self.decides = not self.tree.trivial or bool(self.atoms) and not self.atom_tree.trivial

    def read_predictors(self, model):
        """Coefficients of each predictor for 0, 1, 2, … values."""
        order = model.within(1, 32)
        count = model.within(1, 256)
        self.named = model.within(0, len(model.tables) - 1) if count > 1 else None
        shared, predictors = ArrayModel(), []
        model.spend(count * (order + 1) * order)
        for _ in range(count):
            c = shared.decode(model.coder, order, 1)
            need(all(abs(a) < 1 << 16 for a in c), "a predictor's coefficient is not below 16")
            orders = [c]
            while len(orders[0]) > 1:
                orders.insert(0, one_less(orders[0]))
            predictors.append([[4096]] + orders)
        return predictors

    def move_scales(self, made, tables):
        """Finds the table of each shift and table: ladders have their scale moved."""
        ladders, self.moved = {}, {}
        for shift in {shift for table, shift in self.tree.leaves if table is None}:
            for t, make in enumerate(made):
                table = tables[t]
                if isinstance(make, partial):
                    shape, scale = make.args
                    key = shape, min(max(scale + shift, 0), 239)
                    if key not in ladders:
                        ladders[key] = ladder(*key)
                    table = ladders[key]
                self.moved[shift, t] = table

    def places(self, row, j):
        """Where the neighbours are: rows back and column, or None."""
        a, b, c, line = self.a, self.b, self.c, self.line
        x, y = j % line, j // line

        def there(back, column):
            """A place, if it lies in a row and has been decoded."""
            inside = 0 <= column < (self.width if back else j)
            return (back, column) if inside and back <= row else None

        at = [None] * 16
        for i, n in enumerate((LEFT, LEFT2, LEFT3), 1):
            at[n] = (0, j - i * a) if x >= i * a else None
        for i, n in enumerate((ABOVE, ABOVE2), 1):
            at[n] = there(i, j) if b == 0 else (0, j - i * b) if y >= i else None
        for i, n in enumerate((THIRD, THIRD2, THIRD3), 1):
            apart = i * (self.rows_of_line or 1)
            at[n] = there(apart, j) if c == 0 else there(0, j - i * c)
        left, right = x >= a, x + a < line
        lined = c == 0 and self.rows_of_line > 0
        lines = b > 0 or lined
        up = 1 if b == 0 and lined else 0
        if at[ABOVE]:
            back, k = at[ABOVE]
            at[ABOVE_LEFT] = (back, k - a) if left else None
            at[ABOVE_RIGHT] = (back, k + a) if right else None
        if at[THIRD]:
            back, k = at[THIRD]
            at[THIRD_LEFT] = there(back, k - a) if left else None
            at[THIRD_RIGHT] = there(back, k + a) if right else None
            at[THIRD_ABOVE] = there(back + up, k - b) if lines else None
            # Only where it is weighed: else it may be decoded later.
            below = lines and THIRD_BELOW in self.coefficients
            at[THIRD_BELOW] = there(back - up, k + b) if below else None
            at[THIRD_ABOVE_LEFT] = there(back + up, k - b - a) if lines and left else None
            at[THIRD_ABOVE_RIGHT] = there(back + up, k - b + a) if lines and right else None
        return at

    def sums(self, at, known):
        """The neighbours' sums; others stand for those that are not there."""
        own = [known(place)[0] if place else None for place in at]

        def fill(n, other):
            if own[n] is None:
                own[n] = other

        fill(ABOVE, own[LEFT] if at[LEFT] else 0)
        fill(LEFT, own[ABOVE])
        fill(ABOVE_LEFT, own[LEFT] if at[LEFT] else own[ABOVE])
        fill(ABOVE_RIGHT, own[ABOVE])
        fill(LEFT2, own[LEFT])
        fill(LEFT3, own[LEFT2])
        fill(ABOVE2, own[ABOVE])
        fill(THIRD, own[ABOVE] if self.rows_of_line else 0)
        fill(THIRD2, own[THIRD])
        fill(THIRD3, own[THIRD2])
        for n in range(THIRD_LEFT, 16):
            fill(n, own[THIRD])
        return own

    def terms(self, at, s, j, fraction, known):
        """The neighbours' sums, and what else predictions weigh."""
        near = LEFT, ABOVE, ABOVE_LEFT, ABOVE_RIGHT, LEFT2, THIRD
        r = [clamp(known(at[n])[1], (1 << 26) - 1) if at[n] else 0 for n in near]
        farther, last = [], s[LEFT3]
        for i in range(4, 9):
            if j % self.line >= i * self.a:
                last = known((0, j - i * self.a))[0]
            farther.append(last)
        return s + [n << fraction for n in r] + farther

    def predict(self, at, s, j, fraction, known, predictor):
        if self.predictors:
            order = min(len(self.predictors[0]) - 1, j % self.line // self.a)
            left = [s[LEFT]] + [known((0, j - i * self.a))[0] for i in range(2, order + 1)]
            terms = zip(self.predictors[predictor][order], left)
            p = (2048 + sum(c * clamp(e, 1 << 41) for c, e in terms)) >> 12
        elif self.median:
            most, least = max(s[LEFT], s[ABOVE]), min(s[LEFT], s[ABOVE])
            p = min(max(wrap(s[LEFT] + s[ABOVE] - s[ABOVE_LEFT]), least), most)
        else:
            g = self.group_of[j]
            terms = self.terms(at, s, j, fraction, known)
            p = sum(a[g] * clamp(terms[n], 1 << 47) for n, a in self.coefficients.items())
            p = (p + 128) >> 8
        if self.aligned:
            p = wrap(p + ((1 << fraction) >> 1)) >> fraction << fraction
        return p

    def properties(self, j, at, s, p, fraction, known):
        most = (1 << 26) - 1
        q = [clamp(n >> max(fraction - 2, 0), most) for n in s]
        l, u, ul, ur = q[LEFT], q[ABOVE], q[ABOVE_LEFT], q[ABOVE_RIGHT]
        ll, uu, t, tt = q[LEFT2], q[ABOVE2], q[THIRD], q[THIRD2]
        near = LEFT, ABOVE, ABOVE_LEFT, ABOVE_RIGHT, LEFT2, THIRD
        r = [clamp(known(at[n])[1], most) if at[n] else 0 for n in near]
        rl, ru, rul, rur, rll, rt = r
        near = LEFT, ABOVE, ABOVE_LEFT, ABOVE_RIGHT, THIRD
        atoms = [known(at[n])[2] if at[n] else 0 for n in near]
        activity = abs(l - ul) + abs(u - ul) + abs(ur - u) + abs(l - ll)
        both = abs(rl) + abs(ru)
        joined = activity + 4 * (both << min(fraction, 2))
        return [
            j % self.line, j // self.line, j % self.line % self.a,
            l, u, ul, ur, ll, uu, t,
            l - ul, u - ul, ur - u, l - ll, u - uu, l - u, t - tt,
            clamp(p >> max(fraction - 2, 0), most),
            min(l, u, ul, ur), max(l, u, ul, ur),
            activity, rl, ru, both, min(joined, (1 << 31) - 1), rt,
            2 * both + abs(rul) + abs(rur) + abs(rll) + 2 * abs(rt),
            sum(atom > 0 for atom in atoms), atoms[0], atoms[1], atoms[4],
            abs(rl) + abs(rll),
        ]

    def decode(self, model, rows, count):
        """Heads of a block's rows, and of each value its sum, residual and atom."""
        period = max(self.width, LANES * self.delay)
        heads, cells = [], [[] for _ in range(count)]
        last = max(count - 1, 0)
        steps = last // LANES * period + last % LANES * self.delay + self.width if count else 0
        for step in range(steps):
            if step % period == 0:
                first = step // period * LANES
                for row in range(first, min(first + LANES, count)):
                    rows.coder.lane = row % LANES
                    heads.append(rows.head())
            present = []
            for lane in range(LANES):
                own = step - lane * self.delay
                row, j = own // period * LANES + lane, own % period
                if own >= 0 and row < count and j < self.width:
                    present.append((row, j))
            self.decode_step(model, rows.coder, present, heads, cells)
        return heads, cells

    def decode_step(self, model, coder, present, heads, cells):
        """Values that are decoded together: their rows and columns are `present`."""
        seen = []
        for row, j in present:
            grid = model.grids[model.grid_of[j]]
            fraction = grid.whole_step().bit_length() - 1

            def known(place, row=row):
                back, column = place
                return cells[row - back][column]

            at = self.places(row if self.looks_back else 0, j)
            s = self.sums(at, known)
            p = self.predict(at, s, j, fraction, known, heads[row][2])
            decides = self.properties(j, at, s, p, fraction, known) if self.decides else None
            seen.append((p, decides))
        quanta = [model.quantum[heads[row][0]] for row, _ in present]
        atoms = [0] * len(present)
        lanes = [row % LANES for row, _ in present]
        if self.atoms:
            tables = {}
            for i, (_, decides) in enumerate(seen):
                if quanta[i] >= 0:
                    table, _ = self.atom_tree.leaf(decides)
                    tables[lanes[i]] = model.tables[table]
            found = coder.together(tables)
            atoms = [found.get(lane, 0) for lane in lanes]
            need(all(0 <= a <= len(self.atoms) for a in atoms), "an atom that is not there")
        tables = {}
        for i, (_, decides) in enumerate(seen):
            if atoms[i] == 0 and quanta[i] >= 0:
                row, j = present[i]
                table, shift = self.tree.leaf(decides)
                if table is None:
                    tables[lanes[i]] = self.moved[shift, model.residual_tables[heads[row][0]][j]]
                else:
                    tables[lanes[i]] = model.tables[table]
        found = coder.together(tables)
        for i, (p, _) in enumerate(seen):
            row, j = present[i]
            grid = model.grids[model.grid_of[j]]
            sum_, r = p, found.get(lanes[i], 0)
            if atoms[i] > 0:
                if model.latents == 0:
                    sum_ = grid.nearest_sum(self.atoms[atoms[i] - 1], model.base[j])
            elif quanta[i] >= 0:
                sum_ = wrap(p + r * (quanta[i] or grid.whole_step()))
            cells[row].append((sum_, r, atoms[i]))


# ---------------------------------------------------------------- the encoder


def read_layers(cursor):
    """Width and function of each."""
    count = cursor.varint()
    need(1 <= count <= 17, "a network of 1 to 17 layers")
    layers = []
    for _ in range(count):
        units, function = cursor.varint(), cursor.u8()
        need(1 <= units <= 1 << 16, "a layer is too wide")
        need(function <= 4, "a layer's function is not defined")
        layers.append((units, function))
    return layers


class Encoder:
    """Section enco: read and checked, though rows are decoded without it."""

    def __init__(self, payload, width, latents, room):
        cursor = Cursor(payload)
        # What comes first depends on a flag behind the layers.
        self.layers = read_layers(cursor)
        last = self.layers[-1][0]
        need(last == latents, "the encoder gives other latents than the model has")
        flags = cursor.u8()
        need(flags <= 15, "an encoder's flags")
        skip, self.masked, self.variational, mixed = (bool(flags & bit) for bit in (1, 2, 4, 8))
        mixed = cursor.varint() if mixed else None
        need(mixed is None or 1 <= mixed <= 256, "a mixture of 1 to 256 distributions")
        mixture = (mixed or 0) * (1 + latents + latents * (latents + 1) // 2)
        first = width * 2 if self.masked else width
        inputs, count = first, skip * first * latents
        for units, _ in self.layers:
            count += (inputs + 1) * units
            inputs = units
        wide, narrow = 16 * width, 4 * (width + latents + count + mixture)
        need(wide + narrow <= room, "the encoder is too large", "limit")
        floats = unpack(cursor.rest(), wide + narrow)
        need(len(floats) == wide + narrow, "the encoder's floats take another number of bytes")
        wide = np.frombuffer(unshuffle(floats[:wide], 8), "<f8")
        narrow = np.frombuffer(unshuffle(floats[len(floats) - narrow :], 4), "<f4")
        need(np.isfinite(wide).all() and np.isfinite(narrow).all(), "the encoder is not finite")
        self.centre, self.scale = wide[:width], wide[width:]
        self.clip, self.latent = narrow[:width], narrow[width : width + latents]
        need((self.scale >= 0).all() and (self.clip >= 0).all(), "a negative scale or clip")
        at = width + latents
        self.weights, inputs = [], first
        for units, _ in self.layers:
            weights = narrow[at : at + inputs * units].reshape(inputs, units)
            at += inputs * units
            self.weights.append((weights, narrow[at : at + units]))
            at, inputs = at + units, units
        end = len(narrow) - mixture
        self.skip = narrow[at:end].reshape(first, latents) if skip else None
        self.mixture = narrow[end:]
        need((self.mixture[:mixed] > 0).all(), "a weight of a mixture is not above 0")


class Task:
    """Section task: read and checked likewise."""

    def __init__(self, payload, width, latents, transformer, room):
        cursor = Cursor(payload)
        kind, outputs = cursor.u8(), cursor.varint()
        need(1 <= outputs <= 1 << 16, "a task of too few or too many outputs")
        need(kind <= 1, "a task of a kind that is not defined")
        if kind == 0:
            self.labels = struct.unpack(f"<{outputs}q", cursor.take(8 * outputs))
            need(list(self.labels) == sorted(set(self.labels)), "labels do not ascend")
        else:
            numbers = np.frombuffer(cursor.take(16 * outputs), "<f8")
            need(np.isfinite(numbers).all(), "a number of the task is not finite")
            self.centre, self.scale = numbers[:outputs], numbers[outputs:]
        layers = read_layers(cursor)
        need(layers[-1][0] == outputs, "the head has another number of outputs")
        encoder, self.encoder = cursor.take(cursor.varint()), None
        if encoder:
            self.encoder = Encoder(encoder, width, latents, room)
        else:
            need(transformer, "a task without an encoder, nor a transformer")
            latents = transformer.stacks[0][0]
        count, inputs = 2 * latents, latents
        for units, _ in layers:
            count += (inputs + 1) * units
            inputs = units
        need(4 * count <= room, "the head is too large", "limit")
        floats = unpack(cursor.rest(), 4 * count)
        need(len(floats) == 4 * count, "the head's floats take another number of bytes")
        floats = np.frombuffer(unshuffle(floats, 4), "<f4")
        need(np.isfinite(floats).all(), "the head is not finite")
        self.shift, self.spread = floats[:latents], floats[latents : 2 * latents]
        need((self.spread > 0).all(), "a scale of the head is not above 0")
        self.layers, self.params = layers, floats[2 * latents :]


class Transformer:
    """Section tran: read and checked likewise."""

    def __init__(self, payload, width, room):
        cursor = Cursor(payload)
        lines = cursor.varint()
        need(lines >= 1 and width % lines == 0, "values in lines of other lengths")
        line = width // lines
        height, across = cursor.varint(), cursor.varint()
        need(1 <= height <= lines and 1 <= across <= line, "patches larger than a row")
        patches, patch = -(-lines // height) * -(-line // across), height * across
        self.patch, self.seen = (height, across), cursor.varint()
        need(1 <= self.seen < patches, "all patches are seen, or none")
        self.stacks = [self.stack(cursor, patches), self.stack(cursor, patches)]
        (e, *_), (d, *_) = self.stacks
        count = (patch + 1) * e + (e + 1) * d + (d + 1) * patch
        count += patches * (e + d) + d + 2 * (e + d)
        count += sum(depth * (12 * dim * dim + 13 * dim) for dim, _, depth in self.stacks)
        wide = 8 * (width + 1)
        need(wide + 4 * count + 8 * patches * patch <= room, "the transformer is too large", "limit")
        floats = unpack(cursor.rest(), wide + 4 * count)
        need(len(floats) == wide + 4 * count, "its floats take another number of bytes")
        *centre, scale = np.frombuffer(unshuffle(floats[:wide], 8), "<f8")
        self.params = np.frombuffer(unshuffle(floats[wide:], 4), "<f4")
        need(np.isfinite(centre).all() and np.isfinite(self.params).all(), "it is not finite")
        need(0 < scale < np.inf, "its scale is not above 0")
        self.lines, self.centre, self.scale = lines, centre, scale

    def stack(self, cursor, patches):
        dim, heads, depth = cursor.varint(), cursor.varint(), cursor.varint()
        need(1 <= dim <= 1 << 13 and 1 <= heads <= dim and dim % heads == 0, "tokens or heads")
        need(1 <= depth <= 64, "too few or too many blocks")
        numbers = depth * patches * (heads * patches + 16 * dim)
        need(numbers <= 1 << 26, "it makes too many numbers of a row", "limit")
        return dim, heads, depth


# ---------------------------------------------------------------- rows

NEXT = {
    4: [[0, 2], [2, 0], [1, 3], [3, 1]],
    8: [[0, 2], [5, 7], [1, 3], [6, 4], [2, 0], [4, 6], [3, 1], [7, 5]],
}


def carry(a, e):
    if a in (0, 256):
        return e if a else 0
    return (min(max(e, -(1 << 47)), 1 << 47) * a + 128) >> 8


class Rows:
    """What a block's rows are decoded with, one after another."""

    def __init__(self, model, stream, count):
        lanes = model.neighbours is not None
        self.model, self.coder = model, LaneRans(stream, count) if lanes else Rans(stream)
        self.c, self.y, self.e = 0, [0] * model.latents, [0] * model.width
        self.before = []
        self.steps = [model.grids[g].whole_step() for g in model.grid_of]

    def head(self):
        """Class, latents and predictor of the next row."""
        model, coder = self.model, self.coder
        if model.classes > 1:
            self.c = model.tables[model.next[self.c]].decode(coder)
            need(0 <= self.c < model.classes, "a row of a class that is not there")
        predictor, looks = 0, model.neighbours
        if looks and looks.predictors and looks.named is not None:
            predictor = model.tables[looks.named].decode(coder)
            need(0 <= predictor < len(looks.predictors), "a predictor that is not there")
        state, c = 0, self.c
        carried = self.carried()
        for k in range(model.latents):
            second = model.trellis > 0 and state >= model.trellis // 2
            at = 2 * k + second if model.trellis else k
            s = model.tables[model.latent_tables[c][at]].decode(coder)
            v = s
            if model.trellis:
                state = NEXT[model.trellis][state][s & 1]
                v = 2 * s - (((s > 0) - (s < 0)) if second else 0)
            v = wrap(carried[k] + v + model.means[c][k])
            self.y[k] = clamp(v, model.latent_clamp[k])
        self.before.append(list(self.y))
        return c, list(self.y), predictor

    def carried(self):
        """What rows before foretell of the next row's latents."""
        if not self.model.latents:
            return []
        temporal, looks = self.model.latent_temporal, self.model.neighbours
        if not looks or not looks.latents_above:
            return [carry(a, y) for a, y in zip(temporal, self.y)]

        def back(rows, other):
            return self.before[-rows] if rows <= len(self.before) else other

        line = looks.rows_of_line
        left = self.y
        above = back(line, left)
        terms = zip((temporal, *looks.latents_above),
                    (left, above, back(line + 1, above), back(line - 1, above)))
        products = [[a * y for a, y in zip(own, row)] for own, row in terms]
        return [(sum(own) + 128) >> 8 for own in zip(*products)]

    def residuals(self):
        """Residuals of a row that does not look at neighbours."""
        model, e, quantum = self.model, self.e, self.model.quantum[self.c]
        for j in range(model.width):
            r = 0
            if quantum >= 0:
                table = model.tables[model.residual_tables[self.c][j]]
                r = 0 if table.zero else table.decode(self.coder)
            e[j] = wrap(carry(model.column_temporal[j], e[j]) + r * (quantum or self.steps[j]))
        return list(e)


def parts(stream, count):
    """The parts of a stream, each with the number of its rows."""
    cursor = Cursor(stream)
    own = cursor.varint()
    if own == 0 or own >= count:
        return [(cursor.rest(), count)]
    least, width = cursor.varint(), cursor.u8()
    need(width <= 4, "lengths of more than 4 bytes")
    others = -(-count // own) - 1
    lengths = cursor.take(others * width)
    lengths = [least + int.from_bytes(lengths[i * width :][:width], "little") for i in range(others)]
    out = [(cursor.take(length), own) for length in lengths]
    return [*out, (cursor.rest(), count - own * others)]


def read_rows(model, stream, count):
    """Latents and residuals of a block's rows, and which atoms their values are."""
    latents, residuals = [], []
    looks = model.neighbours
    atoms = np.zeros((count, model.width), np.int64)
    if looks:
        rows = Rows(model, stream, count)
        heads, decoded = looks.decode(model, rows, count)
        latents = [y for _, y, _ in heads]
        residuals = [[cell[0] for cell in row] for row in decoded]
        atoms[:] = [[cell[2] for cell in row] for row in decoded]
        rows.coder.finish()
    for part, own in () if looks else parts(stream, count):
        rows = Rows(model, part, own)
        for _ in range(own):
            latents.append(rows.head()[1])
            residuals.append(rows.residuals())
        rows.coder.finish()
    latents = np.array(latents, np.int64).reshape(count, model.latents)
    return latents, np.array(residuals, np.int64), atoms


def from_float(x, dtype):
    """Rounded to nearest even; what is too large becomes the largest finite number."""
    y, largest = x.astype(dtype), np.finfo(dtype).max
    return np.where(np.isfinite(y), y, np.where(x < 0, -largest, largest)).astype(dtype)


def to_order(y):
    bits = y.view(f"u{y.itemsize}").astype(np.uint64)
    sign = np.uint64(1 << (8 * y.itemsize - 1))
    low = (bits & (sign - np.uint64(1))).astype(np.int64)
    return np.where(bits & sign != 0, ~low, low)


def from_order(k, dtype):
    sign = 1 << (8 * dtype.itemsize - 1)
    magnitude = np.where(k < 0, ~k, k).view(np.uint64)
    bits = np.where(k < 0, magnitude | np.uint64(sign), magnitude)
    return bits.astype(f"u{dtype.itemsize}").view(dtype)


def values(grid, base, m, e, dtype):
    """Columns that share a grid; all of int64, wrapping."""
    if grid.kind == ORDERED:
        predicted = from_float(grid.offset + m.astype(np.float64) * grid.unit, dtype)
        return from_order(base + to_order(predicted) + e, dtype)
    t = m + e
    if grid.step != 1 << grid.fraction:
        half = np.int64((1 << grid.fraction) >> 1)
        t = (t * np.int64(wrap(grid.step)) + half) >> np.int64(grid.fraction)
    return integer_value(grid, base + t, dtype)


def integer_value(grid, k, dtype):
    """The values of integers, as int64."""
    if grid.kind == ORDERED:
        return from_order(k, dtype)
    if grid.kind == LINEAR:
        return from_float(grid.offset + k.astype(np.float64) * grid.unit, dtype)
    if grid.kind == RATIO:
        k = k * np.int64(wrap(grid.a))
        return from_float(k.astype(np.float64) / float(grid.b), dtype)
    k = k * np.int64(wrap(grid.b))
    if dtype.itemsize < 8:
        k = np.clip(k, np.iinfo(dtype).min, np.iinfo(dtype).max)
    return k.astype(dtype)


class Curve:
    """A scale: segments of magnitudes whose places lie evenly, as (start, base, length, places)."""

    def __init__(self, bits, is_float, most, cells, share):
        self.bits, self.is_float, self.most = bits, is_float, most
        self.segments, base = [(0, 0, 0, cells)], cells
        for octave in range(bits + 1 if is_float else bits):
            self.last = len(self.segments)
            length = max(octave - 6, 0)
            for i in range(1 << min(octave, 6)):
                start = (1 << octave) + (i << length)
                room = max(2 * share * start - ((2 if is_float else 1) << 48), 1 << 48)
                places = -(-(cells << length + 48) // room)
                self.segments.append((start, base, length, places))
                base += places
        self.octave = base - self.segments[self.last][1]
        end = base + (most >> bits) * self.octave if is_float else base
        need(end <= 1 << 50, "a scale of too many places")
        self.bases = [base for _, base, _, _ in self.segments]
        self.end = self.place(most)

    def place(self, u):
        octaves = max((u >> self.bits) - 1, 0) if self.is_float else 0
        u -= octaves << self.bits
        at = bisect_right(self.segments, u, key=lambda s: s[0]) - 1
        start, base, length, places = self.segments[at]
        return base + ((u - start) * places + (1 << length >> 1) >> length) + octaves * self.octave

    def magnitude(self, place):
        place, octaves = min(place, self.end), 0
        first = self.bases[self.last]
        if self.is_float and place >= first:
            octaves, rest = divmod(place - first, self.octave)
            place = first + rest
        start, base, length, places = self.segments[bisect_right(self.bases, place) - 1]
        u = start + ((place - base << length) + places // 2) // places
        return u + (octaves << self.bits) if self.is_float else u


INTEGERS = Grid(INTEGER, 0, 1, 0, 1)


class Compander:
    """Section COMP: the scales that the model's numbers are on."""

    def __init__(self, payload, width, dtype):
        cursor = Cursor(payload)
        self.cells, share = cursor.varint(), cursor.varint()
        need(self.cells <= 1023 and self.cells % 2 == 1, "an undefined number of places")
        need(1 <= share < 1 << 48, "a share is not between 0 and 1")
        count = cursor.varint()
        need(1 <= count <= 256, "no scales, or too many")
        listed = [(cursor.varint(), cursor.varint(), cursor.varint()) for _ in range(count)]
        self.scale_of = cursor.take(width) if count > 1 else bytes(width)
        cursor.finish()
        need(max(self.scale_of) < count, "a column of a scale that is not there")
        self.dtype, self.is_float = dtype, dtype.kind == "f"
        if self.is_float:
            bits = np.finfo(dtype).nmant
            top = int(np.array(np.finfo(dtype).max, dtype).view(f"u{dtype.itemsize}"))
            self.most = top, top
        else:
            bits = 8 * dtype.itemsize
            self.most = int(np.iinfo(dtype).max), -int(np.iinfo(dtype).min)
        plain = Curve(bits, self.is_float, max(self.most), self.cells, share)
        counts = None
        self.scales = []
        for least, a, b in listed:
            need(least >= 1, "a scale whose least magnitude is 0")
            need(a == b == 0 or 1 <= a <= 1 << 53 and 1 <= b <= 1 << 53, "undefined multiples")
            if a:
                counts = counts or Curve(53, False, (1 << 53) - 1, self.cells, share)
            curve = counts if a else plain
            need(least <= curve.most, "a scale that begins beyond its end")
            self.scales.append((curve, curve.place(least) - self.cells, a, b))
        self.unit = float(share) / float(1 << 47) / float(self.cells)

    def expand(self, rows):
        with np.errstate(over="ignore"):
            places = np.clip(rows / self.unit, -float(1 << 50), float(1 << 50))
        out = [
            [self.number(int(place), *self.scales[s]) for place, s in zip(row, self.scale_of)] for row in np.rint(places)
        ]
        return np.array(out, self.dtype).reshape(rows.shape)

    def number(self, place, curve, shift, a, b):
        half = self.cells // 2
        negative = place < (-half if self.is_float else 0)
        m = -place - (self.cells if self.is_float else 0) if negative else place
        u = 0 if m <= half else curve.magnitude(m + shift)
        u = min(u, (1 << 53) - 1 if a else self.most[negative])
        if not self.is_float:
            k = wrap(u * (a or 1))
            k = wrap(-k) if negative else k
            return integer_value(INTEGERS, np.array([k], np.int64), self.dtype)[0]
        if a:
            y = float(u * a % (1 << 64)) / float(b)
            return from_float(np.array([-y if negative else y]), self.dtype)[0]
        return from_order(np.array([~u if negative else u], np.int64), self.dtype)[0]


def read_columns(cursor, width, dtype):
    """Columns beside the stream: column, way, terms of a fraction, and bytes of each."""
    entries, column, last = [], 0, None
    for _ in range(cursor.varint()):
        distance = cursor.varint()
        column += distance
        need(column < width, "a column outside the row")
        way = cursor.u8()
        need(way <= 4, "a column kept in an undefined way")
        need(way < 2 or dtype.kind == "f", "integers kept as floats are")
        terms = [cursor.varint() for _ in range({2: 2, 4: 1}.get(way, 0))]
        need(all(1 <= t <= 1 << 53 for t in terms), "a fraction is out of range")
        again = last is not None and distance == 0
        need(not again or last < 3 <= way, "a column is kept twice")
        entries.append((column, way, terms, cursor.take(cursor.varint())))
        last = way
    cursor.finish()
    return entries


def pco(data, count, dtype):
    """The numbers of one chunk with one page of pco's wrapped format 4.1, without its header."""
    try:
        from pcodec.wrapped import FileDecompressor
    except ImportError:
        sys.exit("this file needs pcodec: pip install pcodec")
    listed = int.from_bytes(data[:4], "little")
    need(listed & 15 != 4 or listed >> 4 & (1 << 25) - 1 <= count, "pco: a list longer than rows")
    out = np.zeros(count, dtype)
    try:
        file, _ = FileDecompressor.new(b"\4\1")
        name = dtype.kind + str(8 * dtype.itemsize)
        chunk, used = file.chunk_decompressor(data, name)
        progress, page = chunk.read_page_into(data[used:], count, out)
    except Exception as e:  # pcodec has errors of several kinds
        raise Refused("corrupt", f"pco: {e}") from None
    need(progress.n_processed == count and used + page == len(data), "pco: not one chunk")
    return out


def restore_column(decoded, way, terms, data):
    """A column's values, given what the stream says of them."""
    dtype, count = decoded.dtype, len(decoded)
    if way == 0:
        data = unpack(data, count * dtype.itemsize)
        need(len(data) == count * dtype.itemsize, "a column has the wrong number of bytes")
        return np.frombuffer(unshuffle(data, dtype.itemsize), dtype)
    if way == 1:
        return pco(data, count, dtype)
    integers = pco(data, count, np.dtype("<i8"))
    if way == 2:
        numerator, denominator = terms
        products = [float(wrap(int(k) * numerator)) / denominator for k in integers]
        return from_float(np.array(products), dtype)
    out = decoded.copy()
    changed = integers != 0
    integers = integers[changed]
    if way == 3:
        with np.errstate(over="ignore"):
            out[changed] = from_order(to_order(out[changed]) + integers, dtype)
        return out
    with np.errstate(all="ignore"):
        units = np.rint(out[changed].astype(np.float64) * float(terms[0]))
    units = [int(u) if abs(u) <= 1 << 53 else 0 for u in units]
    values = [float(wrap(u + int(c))) / terms[0] for u, c in zip(units, integers)]
    out[changed] = from_float(np.array(values, np.float64), dtype)
    return out


def decode_block(data, first_row, count, width, dtype, model, room):
    """One block's rows as little-endian bytes."""
    size, cells = dtype.itemsize, count * width
    need(cells * size <= BUDGET, "a block is too large", "limit")
    cursor = Cursor(unseal(data, "a block", struct.pack("<Q", first_row)))
    kind = cursor.u8()
    need(kind <= 2, "a block of undefined kind")
    if kind == 1:
        need(cells * size <= room, "a block's exact rows are too large", "limit")
        shuffled = unpack(cursor.rest(), cells * size)
        need(len(shuffled) == cells * size, "an exact block has the wrong number of bytes")
        return unshuffle(shuffled, size)
    if kind == 0:
        return decode_stream(cursor, count, width, dtype, model, room)
    entries = read_columns(Cursor(cursor.take(cursor.varint())), width, dtype)
    claimed = sum(count * (size if way < 2 else 8) for _, way, _, _ in entries)
    need(claimed <= room, "a block's columns are too large", "limit")
    if cursor.rest():
        out = decode_stream(cursor, count, width, dtype, model, room)
    else:
        wholes = sum(way < 3 for _, way, _, _ in entries)
        need(wholes == width, "a block without a stream lacks columns")
        out = bytes(cells * size)
    out = np.frombuffer(bytearray(out), dtype).reshape(count, width)
    for column, way, terms, data in entries:
        out[:, column] = restore_column(out[:, column], way, terms, data)
    return out.tobytes()


def decode_stream(cursor, count, width, dtype, model, room):
    """Stream and escapes of a block as little-endian bytes."""
    size, cells = dtype.itemsize, count * width
    length = cursor.varint()
    rest = cursor.rest()
    need(length <= len(rest), "exact values are longer than their block")
    stream, packed = rest[: len(rest) - length], rest[len(rest) - length :]
    need(stream, "a block's stream is empty", "truncated")
    need(model is not None, "a coded block in a file without a model")
    latents, e, atoms = read_rows(model, stream, count)
    m = model.predict(latents)
    file_dtype, dtype = dtype, np.dtype("<f8") if model.compander else dtype
    out = np.zeros((count, width), dtype)
    base = np.array(model.base, np.int64)
    for g, grid in enumerate(model.grids):
        j = np.array(model.grid_of) == g
        with np.errstate(over="ignore"):
            out[:, j] = values(grid, base[j], m[:, j], e[:, j], dtype)
            if model.latents and model.neighbours:
                for atom, k in enumerate(model.neighbours.atoms, 1):
                    value = integer_value(grid, np.array([k], np.int64), dtype)
                    out[:, j] = np.where(atoms[:, j] == atom, value, out[:, j])
    if model.compander:
        out = model.compander.expand(out).astype(file_dtype)
    out = bytearray(out.tobytes())
    if packed:
        claimed = Cursor(packed).varint() >> 1
        need(claimed <= room, "a block's exact values are too large", "limit")
        cursor = Cursor(unpack(packed, cells * (size + 10) + 10))
        number, place, places = cursor.varint(), 0, []
        need(number <= cells, "too many exact values")
        for _ in range(number):
            place += cursor.varint()
            need(place < cells, "an exact value lies outside its block")
            places.append(place)
            place += 1
        exact = unshuffle(cursor.take(number * size), size)
        cursor.finish()
        for i, place in enumerate(places):
            out[place * size : (place + 1) * size] = exact[i * size : (i + 1) * size]
    return bytes(out)


# ---------------------------------------------------------------- the file

SIGNATURE, END = b"\x89AEZ\r\n\x1a\n", b"\nAEZend\n"
KNOWN = b"HEAD", b"TILE", b"cols", b"from", b"text", b"fill", b"COMP", b"MODL", b"enco", b"task", b"tran", b"DATA", b"INDX", b"MORE"
TYPES = "<f2 <f4 <f8 |u1 |i1 <u2 <i2 <u4 <i4 <u8 <i8".split()
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def check_promise(kind, text):
    """Only the kinds below are defined, each with numbers in a range."""
    texts = [text]
    if kind == "max-error-columns":
        # Commas within names have a backslash before them, and so have backslashes.
        parts = text.replace("\\\\", "\0").replace("\\,", "\1").split(",")
        need(all("=" in part for part in parts), "the promise")
        texts = [part.rpartition("=")[2] for part in parts]
        names = [part.rpartition("=")[0].replace("\0", "\\").replace("\1", ",") for part in parts]
        need(len(set(names)) == len(names), "a column has two bounds")
    if kind == "lossless":
        return
    for number in texts:
        need(NUMBER.fullmatch(number) and np.isfinite(float(number)), "the promise's number")
        exponent = int((re.split("[eE]", number) + ["0"])[1])
        need(exponent == wrap(exponent), "the promise's exponent has more than 64 bits")
        near = float(number)
        exact = Fraction(number) if abs(exponent) < 2000 else Fraction(near)
        tiny = Fraction(1, 1 << 1074)
        allowed = {
            "max-error": exact >= 0,
            "max-error-rel": exact >= 0,
            "max-error-pointwise-rel": 0 <= exact <= 1 - Fraction(1, 1 << 53),
            "max-error-columns": exact >= 0,
            "nmse": tiny <= exact <= 1,
            "row-nmse": tiny <= exact <= 1,
            "psnr": 0 <= near <= 300,
            "cosine": tiny <= exact <= 1 - Fraction(1, 1 << 53),
            "row-cosine": tiny <= exact <= 1 - Fraction(1, 1 << 53),
            "row-l2": exact >= tiny,
            "ratio": exact >= tiny,
            "bytes-per-row": exact >= tiny,
        }
        need(allowed.get(kind, False), "the promise is not defined or out of range")


class Origin:
    """Section from: what the rows were read from. Read and checked, though rows need it not."""

    def __init__(self, payload, width):
        cursor = Cursor(payload)
        self.format, self.columns, self.part = self.short(cursor), None, None
        need(re.fullmatch("[0-9A-Za-z]+", self.format, re.ASCII), "the name of a file format")
        if not cursor.rest():
            return
        if cursor.rest()[0] == 0:
            packed = cursor.rest()[1:]
            claimed = Cursor(packed).varint() >> 1
            need(1 <= claimed <= 1 << 24, "the part of a file is empty or too large")
            self.part = utf8(unpack(packed, 1 << 24))
            return
        delimiter, mark, flags = cursor.take(3)
        self.delimiter, self.mark, self.crlf, self.bare = delimiter, mark, flags & 1, flags & 2
        usual = delimiter == 9 or 32 <= delimiter <= 126 and not chr(delimiter).isalnum()
        need(usual and delimiter != ord('"') and delimiter != mark, "no delimiter of a table")
        need(mark in b".,", "no decimal mark of a table")
        need(flags <= 15 and flags & 12 != 8, "flags of a table that are not defined")
        need(flags & 4 == 0 or width <= 1 << 16, "too many columns of text")
        self.missing = self.short(cursor)
        if flags & 4 == 0:
            return cursor.finish()
        claimed = Cursor(cursor.rest()).varint() >> 1
        need(claimed + 16 * width <= BUDGET, "the columns of a table are too large", "limit")
        cursor = Cursor(unpack(cursor.rest(), 11 * width))
        codes = cursor.take(width)
        need(max(codes) <= 96, "a column that is written in no defined way")
        ranges = [cursor.varint() for _ in codes] if flags & 8 else [0] * width
        cursor.finish()
        self.columns = [(*self.digits(c), r) for c, r in zip(codes, ranges)]

    @staticmethod
    def digits(code):
        """Decimals, or None; whether all have as many; digits that are printed beyond the fewest."""
        if 1 <= code <= 46:
            return (code - 1) >> 1, (code - 1) & 1, None
        ways = {0: None} | {47 + i: f".{15 + i}e" for i in range(25)} | {72 + i: f".{16 + i}f" for i in range(25)}
        return None, 0, ways[code]

    @staticmethod
    def short(cursor):
        length = cursor.varint()
        need(length <= 16, "a text of more than 16 bytes")
        return Cursor(bytes([length]) + cursor.take(length)).text()


class Text:
    """Section text: columns of text, by their places. Read and checked, though rows need it not."""

    def __init__(self, payload, width, rows, room):
        cursor = Cursor(payload)
        count = cursor.varint()
        need(1 <= count <= 1 << 16, "no columns of text, or too many")
        self.names, packed = {}, []
        for _ in range(count):
            place = cursor.varint()
            need(place < width + count, "a column of text beyond the last")
            need(all(place > other for other in self.names), "places that do not ascend")
            self.names[place] = cursor.text()
        for _ in range(count):
            packed.append(cursor.take(cursor.varint()))
        claimed = [Cursor(column).varint() >> 1 for column in packed]
        need(min(claimed) >= rows, "too few bytes for so many fields")
        cursor.finish()
        taken = 2 * sum(claimed) + 4 * rows * count + 80 * count
        need(taken <= room, "the columns of text are too large", "limit")
        self.columns = {}
        for place, column, most in zip(self.names, packed, claimed):
            fields = Cursor(unpack(column, most))
            self.columns[place] = [fields.take(fields.varint()) for _ in range(rows)]
            fields.finish()


class Tiles:
    """Section TILE: an array in tiles, which are the rows."""

    def __init__(self, payload, row_shape):
        cursor = Cursor(payload)
        self.array = self.shape(cursor, self.axes(cursor))
        axes = self.axes(cursor)
        self.view = self.shape(cursor, axes) if axes else self.array
        need(self.view, "no axes to cut tiles along")
        need(self.values(self.array) == self.values(self.view), "a view of another size")
        self.tile = self.shape(cursor, len(self.view))
        self.patch = self.shape(cursor, len(self.view))
        cursor.finish()
        need(all(t <= n for t, n in zip(self.tile, self.view)), "a tile larger than the array")
        self.grid = [-(-n // t) for t, n in zip(self.tile, self.view)]
        need(all(p <= g for p, g in zip(self.patch, self.grid)), "a patch larger than the grid")
        first = next((k for k, t in enumerate(self.tile) if t > 1), len(self.tile))
        need(self.tile[first:] == row_shape, "tiles of another shape than the rows")

    def grow(self, length):
        """Makes the array's first axis longer, with all tiles what they were."""
        need(self.array and length > self.array[0], "an array that did not grow")
        row, behind = self.values(self.array[1:]), self.values(self.view[1:])
        patch = 1 if self.patch[1:] == self.grid[1:] else self.patch[0]
        step = math.lcm(row, self.tile[0] * patch * behind) // row
        need(self.array[0] % step == 0, "an array that cannot grow")
        need(length * row % behind == 0, "an array whose view cannot grow")
        self.array = [length] + self.array[1:]
        self.view = [length * row // behind] + self.view[1:]
        self.grid = [-(-n // t) for t, n in zip(self.tile, self.view)]

    @staticmethod
    def axes(cursor):
        axes = cursor.varint()
        need(axes <= 32, "too many axes")
        return axes

    @staticmethod
    def values(shape):
        count = 1
        for n in shape:
            count *= n
        return count

    def shape(self, cursor, axes):
        shape = [cursor.varint() for _ in range(axes)]
        need(1 <= self.values(shape) < 1 << 60, "too many values, or none")
        return shape

    def places(self):
        """The places of all tiles in the grid, in the order of the rows."""
        for corner in np.ndindex(*(-(-g // p) for g, p in zip(self.grid, self.patch))):
            first = [c * p for c, p in zip(corner, self.patch)]
            extent = (min(p, g - f) for f, p, g in zip(first, self.patch, self.grid))
            for within in np.ndindex(*extent):
                yield [f + w for f, w in zip(first, within)]

    def join(self, rows):
        out = np.empty(self.view, rows.dtype)
        for row, place in zip(rows, self.places()):
            start = [i * t for i, t in zip(place, self.tile)]
            there = [min(t, n - s) for s, t, n in zip(start, self.tile, self.view)]
            cells = row.reshape(self.tile)[tuple(slice(n) for n in there)]
            out[tuple(slice(s, s + n) for s, n in zip(start, there))] = cells
        return out.reshape(self.array)


class File:
    def __init__(self, data):
        self.data = data
        need(data[:8] == SIGNATURE[: len(data)], "not an .aez file")
        need(len(data) >= 20, "shorter than the header", "truncated")
        unseal(data[:20], "the header")
        _, needed, flags = struct.unpack_from("<HHI", data, 8)
        need(needed == 0, f"needs a reader of version {needed}", "unsupported")
        need(flags & ~1 == 0, "reserved flags are set")
        self.codec = flags == 1
        need(len(data) >= 56, "shorter than header and footer", "truncated")
        if data[-12:-4] != END:
            data = self.data = data[: self.last_end()]
        index_at, self.rows = self.footer(len(data))
        self.model = self.names = None
        at, seen, tag = 20, {}, b""
        while tag != b"DATA":
            need(at + 12 <= len(data), "a section reaches beyond the end", "truncated")
            tag = data[at : at + 4]
            need(seen or tag == b"HEAD", "the first section is not HEAD")
            _, payload, end = self.section(at)
            known = tag in KNOWN
            optional = 0x61 <= tag[0] <= 0x7A
            need(known or tag[:1].isalpha(), "a section's tag does not begin with a letter")
            need(known or optional, f"unknown section {tag!r}", "unsupported")
            need(tag not in (b"INDX", b"MORE"), "there is no section DATA")
            need(tag not in seen or not known, "a section occurs twice")
            seen[tag], at = payload, end
        need(not seen[b"DATA"], "DATA has a payload")
        self.read_head(seen[b"HEAD"])
        self.room = room = room_of(len(data))
        first_axis = self.read_index(at, index_at)
        self.tiles, row_values = None, self.width
        if b"TILE" in seen:
            need(not self.codec, "a codec with an array's tiles")
            need(b"cols" not in seen and b"text" not in seen, "tiles with columns of rows")
            self.tiles = Tiles(seen[b"TILE"], self.shape)
            if first_axis:
                self.tiles.grow(first_axis)
            need(Tiles.values(self.tiles.grid) == self.rows, "another number of tiles than of rows")
            row_values = Tiles.values(self.tiles.array[1:])
        need(self.tiles or not first_axis, "an axis of an array grew that is none")
        if b"cols" in seen:
            claimed = Cursor(seen[b"cols"]).varint() >> 1
            need(claimed <= 1 << 28, "the names are too large")
            need(2 * (claimed + 24 * self.width) <= room, "the names are too large", "limit")
            cursor = Cursor(unpack(seen[b"cols"], 1 << 28))
            self.names = [cursor.text() for _ in range(self.width)]
            cursor.finish()
        self.origin = Origin(seen[b"from"], row_values) if b"from" in seen else None
        self.text = None
        if b"text" in seen:
            self.text = Text(seen[b"text"], self.width, self.rows, room)
        self.fills = np.empty(0)
        if b"fill" in seen:
            size = np.dtype(self.dtype).itemsize
            count, rest = divmod(len(seen[b"fill"]), size)
            need(rest == 0 and 1 <= count <= 16, "not 1 to 16 fill values")
            bits = np.frombuffer(seen[b"fill"], f"<u{size}")
            need(all(bits[:-1] < bits[1:]), "fill values are not in ascending order")
            self.fills = bits.view(self.dtype)
        compander = None
        if b"COMP" in seen:
            need(b"MODL" in seen, "scales of a model that is not there")
            compander = Compander(seen[b"COMP"], self.width, self.dtype)
        if b"MODL" in seen:
            line = self.shape[-1] if self.shape else 1
            self.model = Model(seen[b"MODL"], self.width, line, room)
            self.model.compander = compander
            self.model.check(np.dtype("<f8") if compander else self.dtype)
        latents = self.model.latents if self.model else 0
        self.encoder = self.task = self.transformer = None
        if b"enco" in seen:
            self.encoder = Encoder(seen[b"enco"], self.width, latents, room)
        if b"tran" in seen:
            self.transformer = Transformer(seen[b"tran"], self.width, room)
        if b"task" in seen:
            self.task = Task(seen[b"task"], self.width, latents, self.transformer, room)
        need(self.rows == 0 or not self.codec, "a codec with rows")
        need(self.model or not self.codec, "a codec without a model")
        need(self.promised != self.codec, "rows without a promise, or a codec with one")
        work = self.rows * self.model.row_work() if self.model else 0
        need(work <= work_of(len(data)), "decoding all rows takes too long", "limit")

    def section(self, at):
        room = len(self.data) - at - 16
        need(room >= 0, "a section reaches beyond the end", "truncated")
        tag, length = struct.unpack_from("<4sQ", self.data, at)
        need(length <= room, "a section reaches beyond the end", "truncated")
        need(tag != b"HEAD" or length <= 1 << 20, "HEAD is too large", "limit")
        end = at + 16 + length
        return tag, unseal(self.data[at:end], f"section {tag!r}")[12:], end

    def read_head(self, payload):
        cursor = Cursor(payload)
        code = cursor.u8()
        need(code < len(TYPES), "a type that is not defined")
        self.dtype = np.dtype(TYPES[code])
        dimensions = cursor.u8()
        need(dimensions <= 32, "too many dimensions")
        self.shape = [cursor.varint() for _ in range(dimensions)]
        self.width = 1
        for n in self.shape:
            self.width *= n
        need(1 <= self.width <= 1 << 24, "a row's width is out of range")
        kind, number, self.name = cursor.text(), cursor.text(), cursor.text()
        cursor.finish()
        self.promised = kind != ""
        if self.promised:
            check_promise(kind, number)

    def footer(self, end):
        """Offset of the index and rows, by the footer that ends at a byte."""
        index_at, rows, length = struct.unpack("<3Q", unseal(self.data[end - 36 : end], "the footer")[:24])
        need(length == end, "the footer states another length")
        return index_at, rows

    def last_end(self):
        """The byte behind the last footer of a file that does not end with one."""
        mark = self.data.rfind(END)
        while mark >= 0:
            end = mark + 12
            try:
                at, _ = self.footer(end)
                if 20 <= at <= end - 52:
                    tag, length = struct.unpack_from("<4sQ", self.data, at)
                    if tag in (b"INDX", b"MORE") and at + length + 16 == end - 36:
                        return end
            except (Refused, struct.error):
                pass
            mark = self.data.rfind(END, 0, mark + 7)
        raise Refused("truncated", "the last bytes are not a footer")

    def read_index(self, start, at):
        """Lists the blocks, the first of which begins at `start`; returns the array's first axis if it grew."""
        end, rows, first_axis, parts = len(self.data), self.rows, 0, []
        while True:
            need(start <= at <= end - 52, "the index does not lie behind the blocks")
            tag, payload, index_end = self.section(at)
            need(tag in (b"INDX", b"MORE") and index_end == end - 36, "no index where the footer says")
            base = 0
            if tag == b"MORE":
                need(len(payload) >= 16, "an index without a base", "truncated")
                base, axis = struct.unpack_from("<2Q", payload)
                first_axis = first_axis if parts else axis
            parts.append((tag, payload, base, at, rows))
            if base == 0:
                break
            need(len(parts) < 64, "too many footers to follow")
            need(start + 36 <= base <= at, "an index that goes on from no file")
            need(self.data[base - 12 : base - 4] == END, "an index that goes on from no footer")
            end, (at, rows) = base, self.footer(base)
        self.blocks, self.start, row, place = [], start, 0, start
        for tag, payload, base, at, rows in reversed(parts):
            before, place = len(self.blocks), max(place, base)
            if tag == b"INDX":
                need(len(payload) % 6 == 0, "the index is not a whole number of entries")
                runs = [(start, payload)]
            else:
                runs, cursor = [], Cursor(payload[16:])
                while cursor.rest():
                    first, count = struct.unpack("<QI", cursor.take(12))
                    need(count > 0, "a run without blocks")
                    runs.append((first, cursor.take(6 * count)))
            need((before + sum(len(run[1]) // 6 for run in runs)) * 16 <= self.room, "the index is too large", "limit")
            for first, entries in runs:
                need(place <= first <= at, "blocks where none can be")
                place = first
                for length, more in struct.iter_unpack("<IH", entries):
                    self.blocks.append((place, length, row, more + 1))
                    place, row = place + length, row + more + 1
            need(place <= at and row == rows, "the index does not agree with the file")
            need(tag == b"INDX" or len(self.blocks) > before, "nothing was appended")
            self.expect_room(place, at)
        self.expect_ends()
        return first_axis

    def expect_room(self, start, at):
        if start < at:
            need(at - start >= 16, "neither a block nor a section before the index")
            tag, _, end = self.section(start)
            need(tag == b"room" and end == at, "neither a block nor room before the index")

    def expect_ends(self):
        """Between blocks that do not follow each other lies the end of the file before."""
        last = self.start
        for place, length, _, _ in self.blocks:
            if place != last:
                need(place - last >= 52 and self.data[place - 12 : place - 4] == END, "no footer between blocks")
                at, _ = self.footer(place)
                need(last <= at <= place - 52, "no index between blocks")
                tag, _, end = self.section(at)
                need(tag in (b"INDX", b"MORE") and end == place - 36, "no index between blocks")
                self.expect_room(last, at)
            last = place + length

    def decode(self):
        rows = [
            decode_block(self.data[at : at + n], row, count, self.width, self.dtype, self.model, self.room)
            for at, n, row, count in self.blocks
        ]
        rows = np.frombuffer(b"".join(rows), self.dtype).reshape(self.rows, *self.shape)
        return self.tiles.join(rows) if self.tiles else rows


# ---------------------------------------------------------------- command line


def npy(array):
    """The bytes of a version 1.0 .npy file."""
    head = f"{{'descr': '{array.dtype.str}', 'fortran_order': False, 'shape': {array.shape}, }}"
    head += " " * (-(len(head) + 11) % 64) + "\n"
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(head)) + head.encode() + array.tobytes()


def check(folder):
    failures = count = 0
    for path in sorted(folder.glob("*/*.aez")):
        count += 1
        expected = path.with_suffix(".npy" if path.parent.name != "invalid" else ".txt")
        try:
            got = npy(File(path.read_bytes()).decode())
        except Refused as e:
            got, said = e.kind.encode(), str(e)
        else:
            said = "decoded"
        if path.parent.name == "invalid":
            good = expected.read_text().split()[0].encode() == got
        else:
            good = expected.read_bytes() == got
        if not good:
            failures += 1
            print(f"{path}: {said}, which differs from {expected.name}")
    print(f"{count - failures} of {count} vectors agree")
    return failures == 0 and count > 0


def main(arguments):
    if len(arguments) != 2:
        sys.exit(__doc__)
    if arguments[0] == "--check":
        sys.exit(0 if check(Path(arguments[1])) else 1)
    try:
        file = File(Path(arguments[0]).read_bytes())
        Path(arguments[1]).write_bytes(npy(file.decode()))
    except Refused as e:
        sys.exit(f"{arguments[0]}: {e}")


if __name__ == "__main__":
    main(sys.argv[1:])
