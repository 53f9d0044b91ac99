#!/usr/bin/env python3
"""The weight stream, version 1, a second time: written from src/weights/SPEC.md alone.

    stream_v1.py [GOLDEN ...]                                 check the golden vectors
    stream_v1.py weights SEED TENSOR DISTRIBUTION K0:K1 N0:N1  print a slice

Without files it checks all of src/weights/golden. The slice has one row per input K0 ... K1 - 1 and one column per unit N0 ... N1 - 1. The check prints every mismatch and
exits with 1 on any mismatch, on a line that is no vector and on a file without vectors. Standard library only.
"""

import math
import struct
import sys
from pathlib import Path

GOLDEN = [Path(__file__).resolve().parents[2] / "src/weights/golden" / f"{name}-v1.txt" for name in ("stream", "fields", "kernels")]
MASK = 0xFFFFFFFF

# Section 4.1: magnitudes for even k.
NORMAL_EVEN = [int(x) for x in """\
  0   1   1   2   2   2   3   3   3   4   4   5   5   6   6   7
  7   8   8   8   9   9   9  10  11  11  11  12  12  12  13  13
 14  14  15  15  16  16  17  17  18  18  19  19  19  20  20  21
 21  22  22  23  23  24  24  25  25  26  26  27  27  28  28  29
 29  30  30  31  31  32  33  33  34  34  35  35  36  37  37  38
 39  39  40  40  41  42  42  43  44  45  45  46  47  48  48  49
 50  51  51  53  53  54  55  56  57  59  60  60  61  63  64  66
 66  69  69  72  73  74  76  79  82  84  87  91  95 101 109 127""".split()]

# Section 4.1: magnitudes for odd k.
NORMAL_ODD = [int(x) for x in """\
  0   1   1   1   2   2   3   3   4   4   5   5   5   6   6   6
  7   7   8   8   9   9  10  10  10  11  11  12  12  13  13  14
 14  14  15  15  16  16  17  17  17  18  18  19  20  20  20  21
 21  22  22  23  23  24  24  25  25  26  26  27  27  28  28  29
 29  30  30  31  32  32  32  33  34  34  35  36  36  36  37  38
 38  39  40  41  41  42  43  43  44  44  45  46  47  47  48  49
 50  51  52  52  54  55  55  56  57  58  59  61  62  62  64  65
 67  68  70  71  73  75  77  79  81  84  87  91  95 101 109 127""".split()]

# Section 4.6: hats over images.
HAT_IMAGE = [int(x) for x in """\
127 119 112 105  98  91  85  79  74  68  63  59  54  50  46  42
 38  34  31  28  25  22  19  17  14  12  10   8   6   4   2   1
 -1  -2  -3  -5  -6  -7  -8  -9 -10 -11 -11 -12 -13 -13 -14 -14
-15 -15 -16 -16 -16 -17 -17 -17 -17 -17 -17 -18 -18 -18 -18 -18
-18 -18 -18 -18 -18 -17 -17 -17 -17 -17 -17 -17 -17 -17 -16 -16
-16 -16 -16 -16 -15 -15 -15 -15 -15 -14 -14 -14 -14 -14 -13 -13
-13 -13 -13 -12 -12 -12 -12 -12 -11 -11 -11 -11 -11 -10 -10 -10
-10 -10  -9  -9  -9  -9  -9  -9  -8  -8  -8  -8  -8  -8  -7  -7
 -7  -7  -7  -7  -7  -6  -6  -6  -6  -6  -6  -6  -6  -5  -5  -5
 -5  -5  -5  -5  -5  -4  -4  -4  -4  -4  -4  -4  -4  -4  -4  -4
 -3  -3  -3  -3  -3  -3  -3  -3  -3  -3  -3  -3  -3  -3  -2  -2
 -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2
 -2  -2  -2  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1
 -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1
 -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1   0   0
  0   0   0   0   0   0   0   0   0   0   0   0   0   0   0   0""".split()]

# Section 4.6: hats over lines.
HAT_LINE = [int(x) for x in """\
127 115 104  93  83  73  64  56  48  40  33  26  20  14   8   3
 -2  -7 -12 -16 -20 -23 -27 -30 -33 -36 -38 -40 -43 -45 -46 -48
-50 -51 -52 -53 -54 -55 -56 -57 -57 -58 -58 -59 -59 -59 -59 -59
-59 -59 -59 -59 -59 -59 -58 -58 -58 -57 -57 -56 -56 -55 -55 -54
-54 -53 -53 -52 -51 -51 -50 -49 -49 -48 -47 -47 -46 -45 -45 -44
-43 -43 -42 -41 -41 -40 -39 -39 -38 -37 -37 -36 -35 -35 -34 -33
-33 -32 -32 -31 -30 -30 -29 -29 -28 -28 -27 -26 -26 -25 -25 -24
-24 -23 -23 -22 -22 -21 -21 -21 -20 -20 -19 -19 -18 -18 -18 -17
-17 -16 -16 -16 -15 -15 -15 -14 -14 -14 -13 -13 -13 -13 -12 -12
-12 -11 -11 -11 -11 -10 -10 -10 -10  -9  -9  -9  -9  -9  -8  -8
 -8  -8  -8  -7  -7  -7  -7  -7  -7  -6  -6  -6  -6  -6  -6  -6
 -5  -5  -5  -5  -5  -5  -5  -5  -4  -4  -4  -4  -4  -4  -4  -4
 -4  -3  -3  -3  -3  -3  -3  -3  -3  -3  -3  -3  -3  -3  -2  -2
 -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2  -2
 -2  -2  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1
 -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1  -1""".split()]


def philox(counter, key):
    """Section 2: Philox4x32-10."""
    (c0, c1, c2, c3), (k0, k1) = counter, key
    for _ in range(10):
        p = 0xD2511F53 * c0
        q = 0xCD9E8D57 * c2
        c0, c1, c2, c3 = (q >> 32) ^ c1 ^ k0, q & MASK, (p >> 32) ^ c3 ^ k1, p & MASK
        k0 = (k0 + 0x9E3779B9) & MASK
        k1 = (k1 + 0xBB67AE85) & MASK
    return c0, c1, c2, c3


def in_range(name, value, end):
    """Section 1: refuse an address outside 0 ... end - 1."""
    if not 0 <= value < end:
        raise ValueError(f"{name} {value} is not in 0 ... {end - 1}")
    return value


def unit_key(seed, tensor, n):
    """Section 2: (key0, key1) of unit n."""
    in_range("seed", seed, 2**64)
    in_range("tensor", tensor, 2**32)
    in_range("unit", n, 2**32)
    return philox((n, tensor, 0, 1), (seed & MASK, seed >> 32))[:2]


def word(key, j):
    """Section 3: word j of the unit with this key."""
    key0, key1 = key
    h = (key0 + in_range("word", j, 2**32) * 0x9E3779B9) & MASK
    h ^= h >> 16
    h = h * (key1 | 1) & MASK
    h ^= h >> 15
    h = (h + key1) & MASK
    h = h * 0x735A2D97 & MASK
    return h ^ (h >> 15)


def byte_of(h, k):
    """Section 4: the byte of input k in its word h."""
    return h >> 8 * (k % 4) & 255


def normal(h, k):
    """Section 4.1."""
    byte = byte_of(h, k)
    magnitude = (NORMAL_ODD if k % 2 else NORMAL_EVEN)[byte % 128]
    return -magnitude if byte >= 128 else magnitude


def binary(h, k):
    """Section 4.2."""
    return -1 if h >> k % 32 & 1 else 1


def uniform(h, k):
    """Section 4.3."""
    byte = byte_of(h, k) | 1
    return byte - 256 if byte >= 128 else byte


def sparse(h, k):
    """Section 4.4."""
    byte = byte_of(h, k)
    if byte % 128 < 85:
        return 0
    return -1 if byte >= 128 else 1


COSETS = [0x0000, 0x6AC0, 0xC6A0, 0x24E8, 0x7228, 0xB848, 0x1E88, 0x5C60]


def codeword(h, k):
    """Section 4.8."""
    byte = h >> 8 * (k // 16 % 4) & 255
    i = k % 16
    shared = byte // 2 % 16 & i
    odd = COSETS[byte // 32] // 2**i + bin(shared).count("1") + byte
    return -1 if odd % 2 else 1


# Section 4: name -> (w of word and input, W, numerator of V, denominator of V).
DISTRIBUTIONS = {
    "normal": (normal, 4, 236797, 128),
    "binary": (binary, 32, 1, 1),
    "uniform": (uniform, 4, 5461, 1),
    "sparse": (sparse, 4, 43, 128),
    "codeword": (codeword, 64, 1, 1),
}


def hadamard(v):
    """Section 4.5: H times v, by H(2P) = [[H, H], [H, -H]]."""
    if len(v) == 1:
        return v
    half = len(v) // 2
    top, bottom = hadamard(v[:half]), hadamard(v[half:])
    return [a + b for a, b in zip(top, bottom)] + [a - b for a, b in zip(top, bottom)]


def block_bits(fan_in):
    """Section 4.5: p."""
    in_range("fan-in", fan_in - 1, 65536)
    return max(7, (fan_in - 1).bit_length())


def diagonal(key, d, p):
    """Section 4.5: the P signs of Dd."""
    c = -(-p // 6)
    a = 0 if d == 1 else -(-p // c)
    signs = []
    for t in range(2**p):
        rotated = (t << a) % 2**p + (t << a) // 2**p
        signs.append(-1 if word(key, 2048 * d + rotated // 32) >> rotated % 32 & 1 else 1)
    return signs


def orthogonal(seed, tensor, n, fan_in, k0, k1):
    """Section 4.5: the integer weights of unit n for the inputs k0 ... k1 - 1; H is symmetric, so row times H is H times it."""
    p = block_bits(fan_in)
    in_range("input", k1 - 1, fan_in)
    key = unit_key(seed, tensor, n // 2**p)
    row = [0] * 2**p
    row[n % 2**p] = 1
    for d in (2, 1, 0):
        row = [x * sign for x, sign in zip(hadamard(row), diagonal(key, d, p))]
    return row[k0:k1]


def weights(distribution, seed, tensor, n, k0, k1):
    """Sections 3 and 4: the integer weights of unit n for the inputs k0 ... k1 - 1."""
    weight, per_word, _, _ = DISTRIBUTIONS[distribution]
    key = unit_key(seed, tensor, n)
    return [weight(word(key, k // per_word), k) for k in range(k0, k1)]


def scale_bits(distribution, fan_in):
    """Section 5: the bits of the single-precision scale."""
    if distribution == "orthogonal":
        scale = 1.0 / (2 ** block_bits(fan_in) * math.sqrt(fan_in))
        return struct.unpack("<I", struct.pack("<f", scale))[0]
    _, _, numerator, denominator = DISTRIBUTIONS[distribution]
    scale = 1.0 / math.sqrt(float(numerator) * float(fan_in) / float(denominator))
    return struct.unpack("<I", struct.pack("<f", scale))[0]


def geometry(seed, tensor, n):
    """Section 4.6: G0 ... G3 of unit n."""
    in_range("seed", seed, 2**64)
    in_range("tensor", tensor, 2**32)
    in_range("unit", n, 2**32)
    return philox((n, tensor, 4, 1), (seed & MASK, seed >> 32))


def below(g, m):
    """Section 4.6."""
    return g * m >> 32


def patch_window(g, height, width):
    """Section 4.6: (top, left, tall, wide)."""
    least_tall, least_wide = -(-height // 4), -(-width // 4)
    tall = least_tall + below(g[0], height - least_tall + 1)
    wide = least_wide + below(g[2], width - least_wide + 1)
    return below(g[1], height - tall + 1), below(g[3], width - wide + 1), tall, wide


def hat_window(g, height, width):
    """Section 4.6: (cy, cx, a)."""
    side = max(height, width) if 1 in (height, width) else min(height, width)
    most = max(64, min(2**17, 8 * side))
    return below(g[0], height), below(g[1], width), 64 + below(g[2], most - 64 + 1)


def window(name, height, width, seed, tensor, n):
    """Section 4.6: what a golden line says of the window of unit n."""
    for side in (height, width):
        in_range("side", side - 1, 65535)
    return (hat_window if name == "mexican-hat" else patch_window)(geometry(seed, tensor, n), height, width)


def field(name, height, width, channels, seed, tensor, n):
    """Section 4.6: the bits of the scale of unit n, then its integers."""
    at = window(name, height, width, seed, tensor, n)
    key = unit_key(seed, tensor, n)
    inputs = [(y, x, c) for y in range(height) for x in range(width) for c in range(channels)]
    if name == "mexican-hat":
        cy, cx, a = at
        table = HAT_LINE if 1 in (height, width) else HAT_IMAGE
        q = 2**39 // a**2
        signs = [binary(word(key, c // 32), c) for c in range(channels)]
        indices = [((y - cy) ** 2 + (x - cx) ** 2) * q // 2**23 for y, x, _ in inputs]
        integers = [table[i] * signs[c] if i < 256 else 0 for i, (_, _, c) in zip(indices, inputs)]
        scale = 1.0 / math.sqrt(sum(w * w for w in integers))
        return [struct.unpack("<I", struct.pack("<f", scale))[0], *integers]
    top, left, tall, wide = at
    inside = {"patch": "normal", "binary-patch": "binary"}[name]
    weight, per_word, _, _ = DISTRIBUTIONS[inside]
    integers = [
        weight(word(key, k // per_word), k) if top <= y < top + tall and left <= x < left + wide else 0
        for k, (y, x, _) in enumerate(inputs)
    ]
    return [scale_bits(inside, tall * wide * channels), *integers]


# Section 4.7: the steps of an octave.
OCTAVE = [65536, 68437, 71467, 74631, 77935, 81386, 84989, 88752, 92681, 96785, 101070, 105545, 110217, 115097, 120193, 125514]


def logarithmic(m, g):
    """Section 4.7."""

    def step(t):
        return OCTAVE[t % 16] * 2 ** (t // 16) // 65536

    s = 0
    while step(s) <= m:
        s += 1
    return step(below(g, s))


def place(taps, length, channels, seed, tensor, n):
    """Section 4.7: dilation, left, positions and the channels that the kernel sees."""
    in_range("taps", taps - 2, 14)
    in_range("length", length - 1, 2**20)
    in_range("channels", channels - 1, 2**20)
    in_range("seed", seed, 2**64)
    key = philox((in_range("unit", n, 2**32), in_range("tensor", tensor, 2**32), 5, 1), (seed & MASK, seed >> 32))[:2]
    dilation = logarithmic(max(1, (length - 1) // (taps - 1)), word(key, 0))
    span = (taps - 1) * dilation
    padded = n % 2 == 0 or span >= length
    seen = logarithmic(min(channels, 9), word(key, 1))
    chosen = []
    for i in range(seen):
        last = channels - seen + i
        drawn = below(word(key, 2 + i), last + 1)
        chosen.append(last if drawn in chosen else drawn)
    return [dilation, span // 2 if padded else 0, length if padded else length - span, *chosen]


def kernel(distribution, taps, length, channels, seed, tensor, n):
    """Section 4.7: the bits of the scale, then the integers, channel by channel."""
    seen = len(place(taps, length, channels, seed, tensor, n)) - 3
    drawn = weights(distribution, seed, tensor, n, 0, seen * taps)
    integers = []
    for i in range(seen):
        own = drawn[i * taps : (i + 1) * taps]
        integers += [taps * w - sum(own) for w in own]
    return [scale_bits(distribution, taps * taps * (taps - 1) * seen), *integers]


def expected_and_got(line):
    """Section 6: what a golden line states and what this program computes, both as lists of integers."""
    left, _, right = line.partition("=")
    kind, *args = left.split()
    stated = right.split()
    if kind == "key":
        seed, tensor, n = map(int, args)
        return [int(x, 16) for x in stated], list(unit_key(seed, tensor, n))
    if kind == "word":
        seed, tensor, n, j = map(int, args)
        return [int(x, 16) for x in stated], [word(unit_key(seed, tensor, n), j)]
    if kind == "weight":
        seed, tensor, n, k0, count = map(int, args[1:])
        return [int(x) for x in stated], weights(args[0], seed, tensor, n, k0, k0 + count)
    if kind == "orthogonal":
        seed, tensor, n, fan_in, k0, count = map(int, args)
        return [int(x) for x in stated], orthogonal(seed, tensor, n, fan_in, k0, k0 + count)
    if kind == "scale":
        distribution, fan_in = args
        return [int(x, 16) for x in stated], [scale_bits(distribution, int(fan_in))]
    if kind == "geometry":
        return [int(x, 16) for x in stated], list(geometry(*map(int, args)))
    if kind in ("window", "field"):
        height, width, channels, *owner = map(int, args[1:])
        if kind == "window":
            return [int(x) for x in stated], list(window(args[0], height, width, *owner))
        return [int(stated[0], 16), *map(int, stated[1:])], field(args[0], height, width, channels, *owner)
    if kind == "place":
        return [int(x) for x in stated], place(*map(int, args))
    if kind == "kernel":
        return [int(stated[0], 16), *map(int, stated[1:])], kernel(args[0], *map(int, args[1:]))
    raise ValueError("unknown kind of line")


def check(path):
    """Check every vector of a golden file; return the exit code."""
    vectors = mismatches = 0
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            line = line.strip()
            if not line or line.startswith("#"):
                continue
            vectors += 1
            try:
                expected, got = expected_and_got(line)
            except (KeyError, ValueError) as error:
                mismatches += 1
                print(f"line {number}: {line}\n  not a vector: {error!r}")
                continue
            if got != expected:
                mismatches += 1
                style = "{:08x}" if line.split()[0] in ("key", "word", "scale", "geometry") else "{}"
                print(f"line {number}: {line.partition('=')[0].strip()}")
                print("  expected", *map(style.format, expected))
                print("  got     ", *map(style.format, got))
    print(f"{Path(path).name}: {vectors} vectors, {mismatches} mismatches")
    return 1 if mismatches or not vectors else 0


def print_slice(seed, tensor, distribution, inputs, units):
    """Print the weights of inputs K0:K1 (rows) and units N0:N1 (columns)."""
    (k0, k1), (n0, n1) = (map(int, r.split(":")) for r in (inputs, units))
    columns = [weights(distribution, int(seed), int(tensor), n, k0, k1) for n in range(n0, n1)]
    for row in zip(*columns):
        print(*row)


def main(args):
    """Run the program described at the top of this file."""
    if len(args) == 6 and args[0] == "weights":
        return print_slice(*args[1:])
    if args[:1] == ["weights"]:
        print(__doc__, file=sys.stderr)
        return 2
    return max([check(path) for path in args or GOLDEN])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
