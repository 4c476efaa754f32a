"""What MicroPython does with exceptions, modules and files; every raise crosses frames of C by longjmp.

The collector of this build looks for roots in memory only, not in what WebAssembly keeps in locals, and frees what is in
use (the same on V8); so it is turned off.
"""
import binascii
import collections
import gc
import hashlib
import json
import re

gc.disable()

Point = collections.namedtuple("Point", ("x", "y"))


class Refused(Exception):
    pass


def deep(n):
    return 0 if n == 0 else 1 + deep(n - 1)


def raise_at(depth):
    try:
        if depth == 0:
            raise Refused("at the bottom")
        raise_at(depth - 1)
    finally:
        log.append(depth)


def numbers():
    try:
        for n in range(100):
            yield n
    finally:
        log.append("closed")


log = []
try:
    raise_at(30)
except Refused as error:
    print("refused:", error, sum(log))

generator = numbers()
print(next(generator), next(generator))
generator.close()
print(log[-1])

try:
    deep(1000000)
except RuntimeError as error:
    print("recursion:", error)
print(deep(20))

caught = 0
for n in range(2000):
    try:
        [1, 2, 3][n % 5]
    except IndexError:
        caught += 1
print("caught", caught)

text = json.dumps({"point": list(Point(1, 2.5)), "none": None})
print(text, json.loads(text)["point"])
print(re.match("([a-z]+)-([0-9]+)", "part-042 x").group(2))
print(binascii.hexlify(hashlib.sha256(b"pinfold").digest()))

for name in ("a.txt", "none.txt"):
    try:
        with open("/data/" + name) as file:
            print(name, len(file.read().split()))
    except OSError as error:
        print(name, "OSError", error.errno)
with open("/data/out.txt", "w") as file:
    file.write("écrit par MicroPython\n")
with open("/data/out.txt") as file:
    print(file.read().strip())
