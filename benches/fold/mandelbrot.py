"""The Mandelbrot set: a picture of as many rows as the argument says, 500 points each, at most 50 turns for a point."""
import sys


def turns(x, y):
    a = b = 0.0
    for turn in range(50):
        a2, b2 = a * a, b * b
        if a2 + b2 > 4.0:
            return turn
        b = 2.0 * a * b + y
        a = a2 - b2 + x
    return 50


def main(rows):
    inside = total = 0
    for row in range(rows):
        y = row / rows * 2.0 - 1.0
        for column in range(500):
            n = turns(column / 500 * 3.0 - 2.0, y)
            if n == 50:
                inside += 1
            total += n
    print(f"mandelbrot {inside} {total}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
