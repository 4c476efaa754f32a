# A script of a second or so on precompiled code: sorting, dictionaries, lists, strings. Given to CPython as text.
from collections import Counter

state = 12345
def random():
    global state
    state = (state * 1103515245 + 12345) & 0x7FFFFFFF
    return state

numbers = [random() for _ in range(120_000)]
ordered = sorted(numbers, key=lambda n: (n % 1000, n))
groups = {}
for n in numbers:
    groups.setdefault(n % 997, []).append(n)
sums = {k: sum(v) for k, v in groups.items()}
words = Counter(f"w{n % 5000}" for n in numbers)
primes = [True] * 200_000
for i in range(2, 450):
    if primes[i]:
        for j in range(i * i, len(primes), i):
            primes[j] = False
table = [[(i * j) % 7 for j in range(150)] for i in range(150)]
product = [[sum(a * b for a, b in zip(row, column)) for column in zip(*table)] for row in table[:40]]
print(ordered[1000], len(groups), max(sums.values()), words.most_common(1)[0][1], sum(primes), product[7][9])
