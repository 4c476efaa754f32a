//! Which slots of a frame hold references that the collector traces, while an instruction runs that may collect.
//!
//! Locals are either null or a reference from the function's start on, so they are always looked at. Operands are looked at
//! as far as they were in their own slots when the instruction was translated: a chain of nodes, newest first, of which
//! each instruction knows the first, so that deep stacks with many calls take no more room than the code itself.

/// A node of the chain of operands: the next older one, and the slot. Node 0 is the end.
type Node = (u32, u32);

/// The slots of a function that hold references.
#[derive(Clone, Debug, Default)]
pub struct Maps {
    /// Slots of locals.
    pub locals: Vec<u32>,
    /// The instructions that may collect: first word, and the newest operand's node. Ascending.
    pub points: Vec<(u32, u32)>,
    /// Nodes; the first one is no slot's.
    pub nodes: Vec<Node>,
}

impl Maps {
    /// Adds an operand on top of others; its node.
    pub fn node(&mut self, older: u32, slot: u32) -> u32 {
        if self.nodes.is_empty() {
            self.nodes.push((0, 0));
        }
        self.nodes.push((older, slot));
        self.nodes.len() as u32 - 1
    }

    /// Lets go of what says that there are no references.
    pub fn finish(mut self) -> Self {
        if self.nodes.is_empty() {
            self.points = Vec::new();
        }
        self
    }

    /// The slots that hold references while the instruction with this word runs.
    pub fn slots(&self, word: u32) -> impl Iterator<Item = u32> {
        let after = self.points.partition_point(|(at, _)| *at <= word);
        let mut node = after.checked_sub(1).map_or(0, |at| self.points[at].1);
        let operands = std::iter::from_fn(move || {
            if node == 0 {
                return None;
            }
            let (older, slot) = self.nodes[node as usize];
            node = older;
            Some(slot)
        });
        self.locals.iter().copied().chain(operands)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instruction_sees_locals_and_the_operands_below_it() {
        let mut maps = Maps { locals: vec![1], ..Maps::default() };
        let a = maps.node(0, 7);
        let b = maps.node(a, 9);
        maps.points = vec![(4, 0), (8, b), (12, a)];
        let slots = |word| maps.slots(word).collect::<Vec<_>>();
        assert_eq!([4, 7].map(slots), [vec![1], vec![1]]);
        assert_eq!([8, 11, 12].map(slots), [vec![1, 9, 7], vec![1, 9, 7], vec![1, 7]]);
    }
}
