"""Binary trees: in each round many small ones and few large ones are built and counted; one stays for a round."""
import sys


class Tree:
    __slots__ = ("left", "right")

    def __init__(self, left, right):
        self.left = left
        self.right = right


def build(depth):
    if depth == 0:
        return Tree(None, None)
    return Tree(build(depth - 1), build(depth - 1))


def count(tree):
    if tree.left is None:
        return 1
    return 1 + count(tree.left) + count(tree.right)


def main(rounds):
    total = 0
    kept = build(0)
    for round in range(rounds):
        for depth in (4, 6, 8, 10, 12, 14):
            for _ in range(1 << (14 - depth)):
                total += count(build(depth))
        total += count(kept)
        kept = build(12 + round % 3)
    print(f"trees {total}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
