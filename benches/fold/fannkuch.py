"""All orders of eight pancakes: how often the pile is turned, by its top one's number, until that is 0. As often as the argument says."""
import sys


def flips(order, pile):
    pile[:] = order
    count = 0
    while pile[0] != 0:
        low, high = 0, pile[0]
        while low < high:
            pile[low], pile[high] = pile[high], pile[low]
            low += 1
            high -= 1
        count += 1
    return count


def advance(order, turns):
    """Makes the next order; false after the last. turns[i] says how often the first i + 1 will still be turned around."""
    for i in range(1, len(order)):
        first = order[0]
        for k in range(i):
            order[k] = order[k + 1]
        order[i] = first
        turns[i] -= 1
        if turns[i] > 0:
            return True
        turns[i] = i + 1
    return False


def fannkuch(size):
    order = list(range(size))
    turns = list(range(1, size + 1))
    pile = [0] * size
    most, total, even = 0, 0, True
    while True:
        count = flips(order, pile)
        if count > most:
            most = count
        total += count if even else -count
        even = not even
        if not advance(order, turns):
            return most, total


def main(rounds):
    most = total = 0
    for _ in range(rounds):
        m, s = fannkuch(8)
        most += m
        total += s
    print(f"fannkuch {most} {total}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
