#!/usr/bin/env python3
"""Predictions of a weightless model file, without weightless: standard library only, float64.

    predict.py MODEL IMAGES [--count N] [--logits]
    predict.py MODEL ROWS.csv [--count N] [--logits]

MODEL is a safetensors file as weightless writes it; its random weights are regenerated from the seed, as SPEC.md of the weight
stream (version 1) says. IMAGES is an IDX file of unsigned bytes (N, ...), gzipped or not, scaled to 0 ... 1. Prints one line an
input: its class, with --logits also the numbers of the last layer.

A model of a table takes ROWS.csv in UTF-8, whose header has the columns of the model in any order, and prints a line of JSON a
row: the probability of each class or label, or the value of each target. In a program: Model(path).predict_row(row), a dict.
"""

import argparse
import csv
import datetime
import gzip
import json
import math
import re
import struct
import sys
from operator import itemgetter, mul

MASK = 0xFFFFFFFF
NORMAL = [  # magnitudes of even and odd inputs, as differences
    "0101001001010101010010011001001010101010101001010101010101010101010101101010110110101101110111011102011112101212030311233234468i",
    "0100101010100100101010100101010100101010010110010101010101010101010110011011001101110110101110111110210111121021212122222334468i",
]


def philox(counter, key):
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        p, q = 0xD2511F53 * c0, 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (q >> 32) ^ c1 ^ k0, q & MASK, (p >> 32) ^ c3 ^ k1, p & MASK
        k0, k1 = (k0 + 0x9E3779B9) & MASK, (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def word(key, j):
    key0, key1 = key
    h = (key0 + j * 0x9E3779B9) & MASK
    h = (h ^ (h >> 16)) * (key1 | 1) & MASK
    h = ((h ^ (h >> 15)) + key1) * 0x735A2D97 & MASK
    return h ^ (h >> 15)


def normal_table(differences):
    table, magnitude = [], 0
    for digit in differences:
        magnitude += int(digit, 36)
        table.append(magnitude)
    return table + [-magnitude for magnitude in table]


# What a byte means, for even and odd inputs, and the second moment.
BYTES = {
    "normal": ([normal_table(text) for text in NORMAL], 236797, 128),
    "uniform": ([[(b | 1) - 256 * (b > 127) for b in range(256)]] * 2, 5461, 1),
    "sparse": ([[0 if b % 128 < 85 else 1 - 2 * (b > 127) for b in range(256)]] * 2, 43, 128),
}


COSETS = [0x0000, 0x6AC0, 0xC6A0, 0x24E8, 0x7228, 0xB848, 0x1E88, 0x5C60]


def code_signs(byte):
    """The 16 signs of a code word."""
    bits = [COSETS[byte >> 5] >> i ^ 0x6996 >> (byte >> 1 & i) ^ byte for i in range(16)]
    return [1 - 2 * (bit & 1) for bit in bits]


def f32(value):
    return struct.unpack("<f", struct.pack("<f", value))[0]


def hadamard(v):
    half = 1
    while half < len(v):
        for start in range(0, len(v), 2 * half):
            for i in range(start, start + half):
                v[i], v[i + half] = v[i] + v[i + half], v[i] - v[i + half]
        half *= 2
    return v


def diagonal(key, d, p):
    passes = -(-p // 6)
    a = 0 if d == 1 else -(-p // passes)
    words = [word(key, 2048 * d + j) for j in range(2**p // 32)]
    turned = ((t << a) % 2**p + (t << a >> p) for t in range(2**p))
    return [1 - 2 * (words[t >> 5] >> (t & 31) & 1) for t in turned]


def random_rows(distribution, seed, tensor, units, fan_in):
    """The weights of each unit, scale included."""

    def key(n):
        return philox((n, tensor, 0, 1), (seed & MASK, seed >> 32))[:2]

    if distribution == "orthogonal":
        p = max(7, (fan_in - 1).bit_length())
        scale = f32(1 / (2**p * math.sqrt(fan_in)))
        for n in range(units):
            if n % 2**p == 0:
                signs = [diagonal(key(n >> p), d, p) for d in range(3)]
            row = [0] * 2**p
            row[n % 2**p] = 1
            for d in (2, 1, 0):
                row = list(map(mul, hadamard(row), signs[d]))
            yield [scale * w for w in row[:fan_in]]
        return
    signs = distribution == "binary" or distribution == "codeword"
    code = [code_signs(byte) for byte in range(256)] if distribution == "codeword" else []
    tables, numerator, denominator = (None, 1, 1) if signs else known(BYTES, "a distribution", distribution)
    scale = f32(1 / math.sqrt(numerator * fan_in / denominator))
    for n in range(units):
        k = key(n)
        if distribution == "binary":
            words = [word(k, j) for j in range(-(-fan_in // 32))]
            yield [scale * (1 - 2 * (words[i >> 5] >> (i & 31) & 1)) for i in range(fan_in)]
        elif distribution == "codeword":
            data = b"".join(word(k, j).to_bytes(4, "little") for j in range(-(-fan_in // 64)))
            yield [scale * code[data[i >> 4]][i & 15] for i in range(fan_in)]
        else:
            data = b"".join(word(k, j).to_bytes(4, "little") for j in range(-(-fan_in // 4)))
            yield [scale * tables[i & 1][data[i]] for i in range(fan_in)]


def sigmoid(a):
    return 1 / (1 + math.exp(-a)) if a > -700 else 0.0


def field_rows(name, seed, tensor, units, height, width, channels):
    """The weights of each unit of receptive fields, scale included."""

    def below(g, m):
        return g * m >> 32

    def place(side, g_size, g_from):
        least = -(-side // 4)
        size = least + below(g_size, side - least + 1)
        first = below(g_from, side - size + 1)
        return range(first, first + size)

    line = 1 in (height, width)
    steps = [(i + 0.5) / 32 for i in range(256)]
    table = [round(133 * (1 - 2 * s) * math.exp(-s) if line else 131 * (1 - s) * math.exp(-s)) for s in steps]
    full = random_rows("normal" if name == "patch" else "binary", seed, tensor, units, height * width * channels)
    for n, row in enumerate(full):
        g = philox((n, tensor, 4, 1), (seed & MASK, seed >> 32))
        if name == "mexican-hat":
            cy, cx = below(g[0], height), below(g[1], width)
            most = max(64, min(2**17, 8 * (max(height, width) if line else min(height, width))))
            q = 2**39 // (64 + below(g[2], most - 63)) ** 2
            at = [((y - cy) ** 2 + (x - cx) ** 2) * q >> 23 for y in range(height) for x in range(width)]
            hat = [table[i] if i < 256 else 0 for i in at]
            scale = f32(1 / math.sqrt(channels * sum(w * w for w in hat)))
            yield [scale * math.copysign(1, row[c]) * w for w in hat for c in range(channels)]
        else:
            rows, columns = place(height, g[0], g[1]), place(width, g[2], g[3])
            numerator, denominator = (236797, 128) if name == "patch" else (1, 1)
            scales = [f32(1 / math.sqrt(numerator * k / denominator)) for k in (len(rows) * len(columns) * channels, len(row))]
            inside = [y in rows and x in columns for y in range(height) for x in range(width) for _ in range(channels)]
            yield [w / scales[1] * scales[0] if used else 0 for w, used in zip(row, inside)]


def logarithmic(most, g):
    """A number from 1 to most, evenly on a logarithmic scale."""

    def step(t):
        return OCTAVE[t % 16] * 2 ** (t // 16) >> 16

    count = next(t for t in range(400) if step(t) > most)
    return step(g * count >> 32)


OCTAVE = [65536, 68437, 71467, 74631, 77935, 81386, 84989, 88752, 92681, 96785, 101070, 105545, 110217, 115097, 120193, 125514]


def signal_kernels(distribution, seed, tensor, units, taps, length, channels):
    """Of each unit: dilation, zeros before the signal, positions, channels, scale, and for each channel its integers."""
    for n in range(units):
        place = philox((n, tensor, 5, 1), (seed & MASK, seed >> 32))[:2]
        dilation = logarithmic(max(1, (length - 1) // (taps - 1)), word(place, 0))
        span = (taps - 1) * dilation
        padded = n % 2 == 0 or span >= length
        count = logarithmic(min(channels, 9), word(place, 1))
        chosen = []
        for i in range(count):
            last = channels - count + i
            drawn = word(place, 2 + i) * (last + 1) >> 32
            chosen.append(last if drawn in chosen else drawn)
        key = philox((n, tensor, 0, 1), (seed & MASK, seed >> 32))[:2]
        if distribution == "codeword":
            data = [word(key, k >> 6) >> (k >> 1 & 24) & 255 for k in range(count * taps)]
            moment, integers = 1, [code_signs(byte)[k & 15] for k, byte in enumerate(data)]
        elif distribution == "binary":
            moment, integers = 1, [1 - 2 * (word(key, k >> 5) >> (k & 31) & 1) for k in range(count * taps)]
        else:
            tables, numerator, denominator = known(BYTES, "a distribution", distribution)
            moment = numerator / denominator
            integers = [tables[k & 1][word(key, k >> 2) >> 8 * (k & 3) & 255] for k in range(count * taps)]
        rows = [integers[c * taps : (c + 1) * taps] for c in range(count)]
        scale = f32(1 / math.sqrt(moment * taps * taps * (taps - 1) * count))
        zero_mean = [[taps * w - sum(row) for w in row] for row in rows]
        yield dilation, span // 2 if padded else 0, length if padded else length - span, chosen, scale, zero_mean


def longest(flags):
    run = most = 0
    for flag in flags:
        run = run + 1 if flag else 0
        most = max(most, run)
    return most


POOLS = {  # of the results z with their bias
    "ppv": lambda z: sum(value > 0 for value in z) / len(z),
    "max": max,
    "mean": lambda z: sum(value for value in z if value > 0) / max(1, sum(value > 0 for value in z)),
    "stretch": lambda z: longest(value > 0 for value in z) / len(z),
}


ACTIVATIONS = {
    "identity": lambda a: a,
    "relu": lambda a: max(a, 0.0),
    "leakyRelu": lambda a: a if a > 0 else 0.01 * a,
    "sigmoid": sigmoid,
    "tanh": math.tanh,
    "gelu": lambda a: 0.5 * a * (1 + math.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a**3))),
    "cos": math.cos,
    "step": lambda a: 1.0 if a > 0 else 0.0,
    "elu": lambda a: a if a > 0 else math.expm1(a),
    "silu": lambda a: a * sigmoid(a),
}


def known(table, what, name):
    if name not in table:
        sys.exit(f"expected {what} that this program knows ({', '.join(table)}), got {name}")
    return table[name]


def product(rows):
    """x -> its product with each row; zeros of x are passed over."""

    def compute(x):
        used = [i for i, value in enumerate(x) if value]
        if len(used) < 2:
            return [sum(row[i] * x[i] for i in used) for row in rows]
        pick = itemgetter(*used)
        picked = pick(x)
        return [sum(map(mul, pick(row), picked)) for row in rows]

    return compute


def windows(shape, kernel, stride, padding, dilation):
    """The shape of the positions, and for each the indices of its numbers (None: a zero of the border)."""
    if len(shape) == len(kernel):
        shape = [*shape, 1]
    *sizes, channels = shape
    if len(kernel) == 1:
        sizes, kernel, stride, padding, dilation = [1, *sizes], [1, *kernel], [1, *stride], [0, *padding], [1, *dilation]
    counts = [
        (size + 2 * p - d * (k - 1) - 1) // s + 1 for size, k, s, p, d in zip(sizes, kernel, stride, padding, dilation)
    ]
    found = []
    for oy in range(counts[0]):
        for ox in range(counts[1]):
            window = []
            for ky in range(kernel[0]):
                for kx in range(kernel[1]):
                    y = oy * stride[0] - padding[0] + ky * dilation[0]
                    x = ox * stride[1] - padding[1] + kx * dilation[1]
                    inside = 0 <= y < sizes[0] and 0 <= x < sizes[1]
                    first = (y * sizes[1] + x) * channels
                    window += range(first, first + channels) if inside else [None] * channels
            found.append(window)
    return counts[2 - len(shape) + 1 :], channels, found


class Model:
    def __init__(self, path):
        with open(path, "rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            header = json.loads(file.read(length))
            self.data = file.read()
        self.header = header
        meta = header["__metadata__"]
        if meta.get("format") != "weightless" or meta.get("stream_version") != "1":
            sys.exit(f"{path}: expected a weightless model of stream version 1, got {meta}")
        self.seed = int(meta["seed"])
        self.input = json.loads(meta["input"])
        self.preparation = json.loads(meta.get("preparation", "null"))
        if self.preparation and self.preparation["version"] != 1:
            sys.exit(f"{path}: expected preparation of version 1, got {self.preparation['version']}")
        self.index = 0
        self.shape = self.input
        self.layers = [self.layer(spec) for spec in json.loads(meta["layers"])]

    def tensor(self, name):
        """The numbers of a tensor, and its columns."""
        entry = self.header[f"layers.{self.number}.{name}"]
        first, last = entry["data_offsets"]
        code = {"F32": "f", "F16": "e", "I8": "b"}[entry["dtype"]]
        numbers = struct.unpack(f"<{(last - first) // struct.calcsize(code)}{code}", self.data[first:last])
        columns = entry["shape"][-1]
        if code == "b":
            scale, _ = self.tensor(f"{name}.scale")
            numbers = tuple(f32(number * scale[i % columns]) for i, number in enumerate(numbers))
        return numbers, columns

    def columns(self, name):
        numbers, columns = self.tensor(name)
        return [numbers[n::columns] for n in range(columns)]

    def layer(self, spec):
        """What a layer computes; counts layers as they stand, those within another right behind it."""
        self.number, self.index = self.index, self.index + 1
        return getattr(self, f"make_{spec['kind']}", self.unknown)(spec)

    def unknown(self, spec):
        sys.exit(f"expected a kind of layer that this program knows, got {spec['kind']}")

    def epilogue(self, spec, scaled):
        b, _ = self.tensor("b")
        u = self.tensor("u")[0] if scaled else [1.0] * len(b)
        g = known(ACTIVATIONS, "an activation", spec["activation"])
        return lambda z: [g(u * z + b) for u, z, b in zip(u, z, b)]

    def make_half(self, spec):
        fan_in, units = math.prod(self.shape), spec["units"]
        self.shape = [units]
        project = product(self.columns("factor")) if "rank" in spec else lambda x: x
        rows = random_rows(spec["weights"], self.seed, self.number, units, spec.get("rank", fan_in))
        z, g = product(list(rows)), self.epilogue(spec, True)
        return lambda x: g(z(project(x)))

    def make_halfFields(self, spec):
        sizes = self.shape[: spec["directions"]]
        channels = self.shape[len(sizes)] if len(self.shape) > len(sizes) else 1
        height, width = [1, *sizes][-2:]
        self.shape = [spec["units"]]
        rows = field_rows(spec["weights"], self.seed, self.number, spec["units"], height, width, channels)
        z, g = product(list(rows)), self.epilogue(spec, True)
        return lambda x: g(z(x))

    def make_dense(self, spec):
        self.shape = [spec["units"]]
        z, g = product(self.columns("weight")), self.epilogue(spec, False)
        return lambda x: g(z(x))

    def make_randomKernels(self, spec):
        length, channels = [*self.shape, 1][:2]
        units, taps = spec["units"], spec["taps"]
        kernels = list(signal_kernels(spec["weights"], self.seed, self.number, units, taps, length, channels))
        pools = [known(POOLS, "a pool", name) for name in spec["pools"]]
        self.shape = [units * len(pools)]
        biases, _ = self.tensor("b")

        def run(x):
            features = []
            for (dilation, left, positions, chosen, scale, rows), bias in zip(kernels, biases):
                z = [0.0] * positions
                for channel, row in zip(chosen, rows):
                    padded = [0.0] * left + list(x[channel::channels]) + [0.0] * (taps * dilation)
                    for t, w in enumerate(row):
                        z = [a + w * v for a, v in zip(z, padded[t * dilation :])]
                z = [scale * value + bias for value in z]
                features.append([pool(z) for pool in pools])
            return [feature for pool in zip(*features) for feature in pool]

        return run

    def make_vera(self, spec):
        fan_in, units, rank = math.prod(self.shape), spec["units"], spec["rank"]
        self.shape = [units]
        own = "" if spec["base"] == "trained" else "frozen."
        base = product(self.columns(own + "weight"))
        low = product(list(random_rows(spec["weights"], self.seed, 0xE0000000, rank, fan_in)))
        high = product(list(random_rows(spec["weights"], self.seed, 0xE0000001, units, rank)))
        (bias, _), (d, _), (b, _) = (self.tensor(name) for name in (own + "bias", "d", "b"))
        g = known(ACTIVATIONS, "an activation", spec["activation"])

        def run(x):
            adapted = high([d * z for d, z in zip(d, low(x))])
            return [g(y + c + b * z) for y, c, b, z in zip(base(x), bias, b, adapted)]

        return run

    def over(self, spec, kernel, compute, channels):
        zero = [0] * len(kernel)
        counts, depth, found = windows(
            self.shape, kernel, spec["stride"], spec.get("padding", zero), spec.get("dilation", [1] * len(kernel))
        )
        self.shape = [*counts, channels or depth]

        def run(x):
            padded = [*x, 0.0]
            return [y for window in found for y in compute([padded[-1 if i is None else i] for i in window], depth)]

        return run

    def make_halfConv(self, spec):
        depth = self.shape[len(spec["kernel"])] if len(self.shape) > len(spec["kernel"]) else 1
        fan_in = math.prod(spec["kernel"]) * depth
        rows = list(random_rows(spec["weights"], self.seed, self.number, spec["channels"], fan_in))
        z, g = product(rows), self.epilogue(spec, True)
        return self.over(spec, spec["kernel"], lambda window, _: g(z(window)), spec["channels"])

    def make_conv(self, spec):
        z, g = product(self.columns("weight")), self.epilogue(spec, False)
        return self.over(spec, spec["kernel"], lambda window, _: g(z(window)), spec["channels"])

    def make_pool(self, spec):
        pick = max if spec["pool"] == "max" else lambda values: sum(values) / len(values)
        return self.over(spec, spec["size"], lambda window, depth: [pick(window[c::depth]) for c in range(depth)], None)

    def make_globalPool(self, spec):
        *sizes, depth = self.shape
        self.shape = [depth]
        return lambda x: [sum(x[c::depth]) / math.prod(sizes) for c in range(depth)]

    def make_flatten(self, spec):
        self.shape = [math.prod(self.shape)]
        return lambda x: x

    def make_dropout(self, spec):
        return lambda x: x

    def block(self, spec, combine):
        layers = [self.layer(inner) for inner in spec["layers"]]

        def run(x):
            y = x
            for layer in layers:
                y = layer(y)
            return list(map(combine, x, y))

        return run

    def make_residual(self, spec):
        return self.block(spec, lambda x, y: x + y)

    def make_gated(self, spec):
        return self.block(spec, lambda x, y: x * y)

    def predict(self, x):
        for layer in self.layers:
            x = layer(x)
        return x

    def outputs_of(self, row):
        """The numbers of the last layer for a row of a table: a dict by column; None is a gap."""
        inputs = self.preparation["inputs"]
        x = [n for c in inputs["columns"] for n in encoded(c, row[c["name"]], inputs.get("decimal", "."))]
        return self.predict(x)

    def predict_row(self, row):
        """Probabilities by class or label, or values by target."""
        return answers(self.preparation["outputs"], self.outputs_of(row))


# Missing in every column, and in columns of numbers and dates besides; in lower case.
GAPS = set("|?|na|nan|n/a|null|(null)|\\n|#n/a|#n/a n/a|#na|<na>|-nan|n.a.".split("|"))
NUMERIC_GAPS = GAPS | set(
    "none|-|--|\u2013|\u2014|.|inf|+inf|-inf|infinity|+infinity|-infinity|\u221e|+\u221e|-\u221e|\u2212\u221e|#div/0!|#value!|#ref!|"
    "#name?|#num!|#null!|1.#inf|-1.#inf|1.#ind|-1.#ind|1.#qnan|-1.#qnan".split("|")
)
CURRENCIES = "$\u20ac\u00a3\u00a5\u20b9"


def read_number(cell, decimal):
    """Value and unit (a currency, '%' or '') of a cell, or None."""
    sign = unit = ""
    start, end = 0, len(cell)
    while start < end:
        mark = cell[start]
        if not sign and mark in "+-\u2212":
            sign = "+" if mark == "+" else "-"
        elif not unit and mark in CURRENCIES:
            unit = mark
        elif mark not in " \u00a0":
            break
        start += 1
    if not unit and end > start and cell[end - 1] in "%" + CURRENCIES:
        unit = cell[end - 1]
        end = len(cell[start : end - 1].rstrip(" \u00a0\u202f")) + start
    text, point = cell[start:end], re.escape(decimal)
    other = "." if decimal == "," else ","
    if not re.fullmatch(rf"(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+)(?:e[+-]?[0-9]+)?", text, re.I):
        group = rf"[0-9]{{1,3}}([{other}'\u2019 \u00a0\u2009\u202f])[0-9]{{3}}(?:\1[0-9]{{3}})*(?:{point}[0-9]*)?"
        found = re.fullmatch(group, text)
        if not found:
            return None
        text = text.replace(found[1], "")
    return float(sign + text.replace(decimal, ".")), unit


def read_date(text, order):
    """Days since 1970-01-01 in UTC, or None."""
    date = r"(\d{4})([-/.])(\d{1,2})\2(\d{1,2})" if order == "ymd" else r"(\d{1,2})([-/.])(\d{1,2})\2(\d{4})"
    time = r"(?:[T ](\d{1,2}):(\d{2})(?::(\d{2})(\.\d{1,9})?)?(Z| ?[+-]\d{2}:?\d{2})?)?"
    found = re.fullmatch(date + time, text, re.A) if len(text) <= 40 else None
    if not found:
        return None
    numbers = [int(found[1]), int(found[3]), int(found[4])]
    year, month, day = (numbers[i] for i in {"ymd": (0, 1, 2), "dmy": (2, 1, 0), "mdy": (2, 0, 1)}[order])
    hours, minutes, seconds = (int(found[i] or 0) for i in (5, 6, 7))
    try:
        days = datetime.date(year, month, day).toordinal() - datetime.date(1970, 1, 1).toordinal()
    except ValueError:
        return None
    if hours > 23 or minutes > 59 or seconds > 59:
        return None
    zone = re.search(r"([+-])(\d{2}):?(\d{2})", found[9] or "")
    offset = int(zone[1] + "1") * (60 * int(zone[2]) + int(zone[3])) if zone else 0
    return days + (60 * (60 * hours + minutes - offset) + seconds + float(found[8] or 0)) / 86400


def standardised(column, value):
    if value is None or math.isnan(value) or column["deviation"] == 0:
        return [0.0]
    return [f32((value - column["mean"]) / column["deviation"])]


def number_of(column, cell, decimal):
    if cell is None or isinstance(cell, (int, float)) and not isinstance(cell, bool):
        return cell
    if cell.lower() in NUMERIC_GAPS:
        return None
    value, unit = read_number(cell, decimal) or (None, None)
    if value is None or unit != column.get("unit", ""):
        sys.exit(f"expected a number {column.get('unit', '')} in column {column['name']!r}, got {cell!r}")
    return value


def date_of(column, cell):
    if cell is None or cell.lower() in NUMERIC_GAPS:
        return None
    for order in (column["order"], "ymd"):
        value = read_date(cell, order)
        if value is not None:
            return value
    sys.exit(f"expected a date in column {column['name']!r}, got {cell!r}")


def encoded(column, cell, decimal):
    """The inputs that a cell of a column becomes."""
    if column["kind"] == "category":
        return [1.0 if cell == name else 0.0 for name in column["categories"]]
    return standardised(column, number_of(column, cell, decimal) if column["kind"] == "number" else date_of(column, cell))


def answers(outputs, y):
    """By name: probabilities of classes or labels, or values of targets."""
    if outputs["task"] == "regression":
        return {t["name"]: value * t["deviation"] + t["mean"] for t, value in zip(outputs["targets"], y)}
    if outputs["task"] == "multilabel":
        return {name: sigmoid(value) for name, value in zip(outputs["labels"], y)}
    powers = [math.exp(value - max(y)) for value in y]
    names = outputs["classes"] + [str(i) for i in range(len(outputs["classes"]), len(y))]
    return {name: power / sum(powers) for name, power in zip(names, powers)}


def read_rows(path, columns):
    with open(path, encoding="utf-8-sig", newline="") as file:
        text = file.read()
    for delimiter in ",;\t|":
        header, *rows = ([cell.strip() for cell in row] for row in csv.reader(text.splitlines(True), delimiter=delimiter) if row)
        if all(name in header for name in columns):
            return [dict(zip(header, row)) for row in rows]
    sys.exit(f"{path}: expected a header with the columns {', '.join(columns)}")


def read_idx(path):
    with open(path, "rb") as file:
        data = file.read()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    zero, kind, rank = struct.unpack(">HBB", data[:4])
    shape = struct.unpack(f">{rank}I", data[4 : 4 + 4 * rank])
    if zero or kind != 8 or len(data) != 4 + 4 * rank + math.prod(shape):
        sys.exit(f"{path}: expected an IDX file of unsigned bytes")
    return shape, data[4 + 4 * rank :]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("images")
    parser.add_argument("--count", type=int)
    parser.add_argument("--logits", action="store_true")
    args = parser.parse_args()
    model = Model(args.model)
    if model.preparation and model.preparation["inputs"]["kind"] == "table":
        columns = [column["name"] for column in model.preparation["inputs"]["columns"]]
        for row in read_rows(args.images, columns)[: args.count]:
            y = model.outputs_of(row)
            print(json.dumps(answers(model.preparation["outputs"], y)), *y if args.logits else [])
        return
    shape, data = read_idx(args.images)
    size = math.prod(model.input)
    if math.prod(shape[1:]) != size:
        sys.exit(f"{args.images}: expected inputs of {size} numbers, got {math.prod(shape[1:])}")
    scale = [byte / 255 for byte in range(256)]
    for row in range(min(args.count or shape[0], shape[0])):
        y = model.predict([scale[byte] for byte in data[row * size : (row + 1) * size]])
        print(y.index(max(y)), *y if args.logits else [])


if __name__ == "__main__":
    main()
