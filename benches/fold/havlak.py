"""Finds the nested loops of a generated control flow graph by Havlak's algorithm; so many graphs."""
import sys


class Block:
    __slots__ = ("number", "before", "after")

    def __init__(self, number):
        self.number = number
        self.before = []
        self.after = []


class Graph:
    def __init__(self):
        self.blocks = []

    def connect(self, start, to):
        start.after.append(to)
        to.before.append(start)

    def follow(self, start):
        """A new block after another one."""
        block = self.block()
        self.connect(start, block)
        return block

    def block(self):
        block = Block(len(self.blocks))
        self.blocks.append(block)
        return block

    def nest(self, start, depth):
        """A loop after a block: with loops in it, or at depth 0 a branch. Some can be entered beside their header. Gives the block after it."""
        header = self.follow(start)
        tail = header
        if depth > 0:
            for _ in range(2):
                tail = self.nest(tail, depth - 1)
        else:
            left = self.follow(header)
            right = self.follow(header)
            tail = self.follow(left)
            self.connect(right, tail)
            self.connect(left, left)
        if header.number % 7 == 0:
            self.connect(start, tail)
        self.connect(tail, header)
        return self.follow(tail)


def generate():
    graph = Graph()
    first = graph.block()
    for _ in range(5):
        graph.nest(first, 4)
    return graph


class Loop:
    __slots__ = ("reducible", "parent", "blocks")

    def __init__(self, reducible, header):
        self.reducible = reducible
        self.parent = None
        self.blocks = [header]

    def depth(self):
        return 1 if self.parent is None else 1 + self.parent.depth()


class Node:
    """A block in the order of a depth-first walk. Those of an inner loop point to its header."""

    __slots__ = ("number", "block", "last", "parent", "inner", "pool", "back", "other")

    def __init__(self, number, block):
        self.number = number
        self.block = block
        self.last = 0
        self.parent = None
        self.inner = None
        self.pool = -1
        self.back = []
        self.other = set()

    def find(self):
        """The header of the outermost loop found so far in which it is."""
        root = self
        while root.parent is not None:
            root = root.parent
        at = self
        while at.parent is not None:
            parent = at.parent
            if parent is not root:
                at.parent = root
            at = parent
        return root


class Finder:
    def __init__(self, size):
        self.nodes = []
        self.numbers = [-1] * size
        self.loops = []

    def walk(self, block):
        """Numbers the blocks that can be reached from one."""
        number = len(self.nodes)
        self.numbers[block.number] = number
        node = Node(number, block)
        self.nodes.append(node)
        for next in block.after:
            if self.numbers[next.number] < 0:
                self.walk(next)
        node.last = len(self.nodes) - 1

    def is_ancestor(self, above, below):
        return above <= below <= self.nodes[above].last

    def classify(self):
        """Tells edges that go back to a block from those that come in."""
        for node in self.nodes:
            for before in node.block.before:
                start = self.numbers[before.number]
                if start < 0:
                    continue
                if self.is_ancestor(node.number, start):
                    node.back.append(start)
                else:
                    node.other.add(start)

    def find_loop(self, header):
        """The loop whose header a node is, if it is one: what reaches one of its back edges without passing the header."""
        w = header.number
        pool = []
        to_itself, reducible = False, True
        for start in header.back:
            if start == w:
                to_itself = True
            else:
                node = self.nodes[start].find()
                if node.pool != w:
                    node.pool = w
                    pool.append(node)
        for node in pool:  # which grows meanwhile
            for start in node.other:
                outer = self.nodes[start].find()
                if not self.is_ancestor(w, outer.number):
                    reducible = False
                    header.other.add(outer.number)
                elif outer is not header and outer.pool != w:
                    outer.pool = w
                    pool.append(outer)
        if not pool and not to_itself:
            return
        found = Loop(reducible, header.block)
        for node in pool:
            node.parent = header
            if node.inner is not None:
                node.inner.parent = found
            else:
                found.blocks.append(node.block)
        header.inner = found
        self.loops.append(found)


def main(rounds):
    loops = depths = blocks = irreducible = 0
    for _ in range(rounds):
        graph = generate()
        finder = Finder(len(graph.blocks))
        finder.walk(graph.blocks[0])
        finder.classify()
        for node in reversed(finder.nodes):
            finder.find_loop(node)
        loops += len(finder.loops)
        for found in finder.loops:
            depths += found.depth()
            blocks += len(found.blocks)
            if not found.reducible:
                irreducible += 1
    print(f"havlak {loops} {depths} {blocks} {irreducible}")


main(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
