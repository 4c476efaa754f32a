"""Primes below 100,000 by the sieve of Eratosthenes, as often as the argument says."""
import sys


def primes(end):
    composite = bytearray(end)
    count = 0
    for n in range(2, end):
        if composite[n]:
            continue
        count += 1
        for multiple in range(n * n, end, n):
            composite[multiple] = 1
    return count


def main(rounds):
    print(f"sieve {sum(primes(100_000 - round % 10) for round in range(rounds))}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
