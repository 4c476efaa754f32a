"""Fibonacci numbers by double recursion: the 27th, as often as the argument says."""
import sys


def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


def main(rounds):
    total = 0
    for round in range(rounds):
        total += fib(27) + round
    print(f"fib {total}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
