"""The greatest singular value of an infinite matrix, cut to 100 × 100, by ten turns of power iteration, as often as the argument says."""
import math
import sys


def cell(i, j):
    return 1.0 / ((i + j) * (i + j + 1) // 2 + i + 1)


def times(vector, to):
    for i in range(len(to)):
        total = 0.0
        for j, value in enumerate(vector):
            total += cell(i, j) * value
        to[i] = total


def times_turned(vector, to):
    for i in range(len(to)):
        total = 0.0
        for j, value in enumerate(vector):
            total += cell(j, i) * value
        to[i] = total


def dot(a, b):
    total = 0.0
    for x, y in zip(a, b):
        total += x * y
    return total


def norm():
    u = [1.0] * 100
    v = [1.0] * 100
    between = [0.0] * 100
    for _ in range(10):
        times(u, between)
        times_turned(between, v)
        times(v, between)
        times_turned(between, u)
    return math.sqrt(dot(u, v) / dot(v, v))


def main(rounds):
    total = 0.0
    for _ in range(rounds):
        total += norm()
    print(f"spectral {total:.9f}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
