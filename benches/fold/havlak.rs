//! Finds the nested loops of a generated control flow graph by Havlak's algorithm; so many graphs.

use std::collections::HashSet;

/// Blocks are known by their places in the graph.
#[derive(Default)]
struct Block {
    before: Vec<usize>,
    after: Vec<usize>,
}

#[derive(Default)]
struct Graph {
    blocks: Vec<Block>,
}

impl Graph {
    fn connect(&mut self, from: usize, to: usize) {
        self.blocks[from].after.push(to);
        self.blocks[to].before.push(from);
    }

    /// A new block after another one.
    fn follow(&mut self, from: usize) -> usize {
        let block = self.block();
        self.connect(from, block);
        block
    }

    fn block(&mut self) -> usize {
        self.blocks.push(Block::default());
        self.blocks.len() - 1
    }

    /// A loop after a block: with loops in it, or at depth 0 a branch. Some can be entered beside their header. Gives the block after it.
    fn nest(&mut self, from: usize, depth: usize) -> usize {
        let header = self.follow(from);
        let mut tail = header;
        if depth > 0 {
            for _ in 0..2 {
                tail = self.nest(tail, depth - 1);
            }
        } else {
            let left = self.follow(header);
            let right = self.follow(header);
            tail = self.follow(left);
            self.connect(right, tail);
            self.connect(left, left);
        }
        if header % 7 == 0 {
            self.connect(from, tail);
        }
        self.connect(tail, header);
        self.follow(tail)
    }

    fn generate() -> Graph {
        let mut graph = Graph::default();
        let first = graph.block();
        for _ in 0..5 {
            graph.nest(first, 4);
        }
        graph
    }
}

/// Loops are known by their places in the finder.
struct Loop {
    reducible: bool,
    parent: Option<usize>,
    blocks: Vec<usize>,
}

/// A block in the order of a depth-first walk. Those of an inner loop point to its header.
struct Node {
    block: usize,
    last: usize,
    parent: Option<usize>,
    inner: Option<usize>,
    pool: Option<usize>,
    back: Vec<usize>,
    other: HashSet<usize>,
}

struct Finder {
    nodes: Vec<Node>,
    numbers: Vec<Option<usize>>,
    loops: Vec<Loop>,
}

impl Finder {
    fn new(size: usize) -> Finder {
        Finder { nodes: Vec::new(), numbers: vec![None; size], loops: Vec::new() }
    }

    /// Numbers the blocks that can be reached from one.
    fn walk(&mut self, graph: &Graph, block: usize) {
        let number = self.nodes.len();
        self.numbers[block] = Some(number);
        self.nodes.push(Node {
            block,
            last: 0,
            parent: None,
            inner: None,
            pool: None,
            back: Vec::new(),
            other: HashSet::new(),
        });
        for &next in &graph.blocks[block].after {
            if self.numbers[next].is_none() {
                self.walk(graph, next);
            }
        }
        self.nodes[number].last = self.nodes.len() - 1;
    }

    fn is_ancestor(&self, above: usize, below: usize) -> bool {
        above <= below && below <= self.nodes[above].last
    }

    /// Tells edges that go back to a block from those that come in.
    fn classify(&mut self, graph: &Graph) {
        for number in 0..self.nodes.len() {
            for &before in &graph.blocks[self.nodes[number].block].before {
                let Some(from) = self.numbers[before] else { continue };
                if self.is_ancestor(number, from) {
                    self.nodes[number].back.push(from);
                } else {
                    self.nodes[number].other.insert(from);
                }
            }
        }
    }

    /// The header of the outermost loop found so far in which a node is.
    fn find(&mut self, node: usize) -> usize {
        let mut root = node;
        while let Some(parent) = self.nodes[root].parent {
            root = parent;
        }
        let mut at = node;
        while let Some(parent) = self.nodes[at].parent {
            if parent != root {
                self.nodes[at].parent = Some(root);
            }
            at = parent;
        }
        root
    }

    /// The loop whose header a node is, if it is one: what reaches one of its back edges without passing the header.
    fn find_loop(&mut self, w: usize) {
        let mut pool = Vec::new();
        let (mut to_itself, mut reducible) = (false, true);
        for i in 0..self.nodes[w].back.len() {
            let from = self.nodes[w].back[i];
            if from == w {
                to_itself = true;
            } else {
                let node = self.find(from);
                if self.nodes[node].pool != Some(w) {
                    self.nodes[node].pool = Some(w);
                    pool.push(node);
                }
            }
        }
        let mut at = 0;
        while at < pool.len() {
            let node = pool[at];
            at += 1;
            let other = std::mem::take(&mut self.nodes[node].other);
            for &from in &other {
                let outer = self.find(from);
                if !self.is_ancestor(w, outer) {
                    reducible = false;
                    self.nodes[w].other.insert(outer);
                } else if outer != w && self.nodes[outer].pool != Some(w) {
                    self.nodes[outer].pool = Some(w);
                    pool.push(outer);
                }
            }
            self.nodes[node].other = other;
        }
        if pool.is_empty() && !to_itself {
            return;
        }
        let number = self.loops.len();
        let mut blocks = vec![self.nodes[w].block];
        for node in pool {
            self.nodes[node].parent = Some(w);
            match self.nodes[node].inner {
                Some(inner) => self.loops[inner].parent = Some(number),
                None => blocks.push(self.nodes[node].block),
            }
        }
        self.nodes[w].inner = Some(number);
        self.loops.push(Loop { reducible, parent: None, blocks });
    }

    fn depth(&self, number: usize) -> usize {
        self.loops[number].parent.map_or(1, |parent| 1 + self.depth(parent))
    }
}

fn main() {
    let rounds: usize = std::env::args().nth(1).map_or(0, |n| n.parse().expect("a number"));
    let (mut loops, mut depths, mut blocks, mut irreducible) = (0, 0, 0, 0);
    for _ in 0..rounds {
        let graph = Graph::generate();
        let mut finder = Finder::new(graph.blocks.len());
        finder.walk(&graph, 0);
        finder.classify(&graph);
        for w in (0..finder.nodes.len()).rev() {
            finder.find_loop(w);
        }
        loops += finder.loops.len();
        for (number, found) in finder.loops.iter().enumerate() {
            depths += finder.depth(number);
            blocks += found.blocks.len();
            if !found.reducible {
                irreducible += 1;
            }
        }
    }
    println!("havlak {loops} {depths} {blocks} {irreducible}");
}
