//! Which instructions of a function are inside of which `try_table`.

/// What is caught, and where.
#[derive(Clone, Copy, Debug)]
pub struct Clause {
    /// Where the context keeps the tag that it takes; none: any.
    pub tag: Option<u32>,
    /// Whether it wants a reference after the payload.
    pub reference: bool,
    /// The frame's slot for the payload.
    pub slot: u32,
    /// The instruction to go on with: its first word.
    pub target: u32,
}

/// A `try_table`.
#[derive(Clone, Copy, Debug)]
struct Region {
    /// The one around it.
    outer: Option<u32>,
    /// Its clauses: the first, and one past the last.
    clauses: (u32, u32),
}

/// The `try_table`s of a function.
#[derive(Clone, Debug, Default)]
pub struct Regions {
    /// From this word on, instructions are in this region. Ascending.
    starts: Vec<(u32, Option<u32>)>,
    regions: Vec<Region>,
    clauses: Vec<Clause>,
}

impl Regions {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.regions.is_empty()
    }

    /// The clauses that see an exception thrown by the instruction with this word, innermost first.
    pub fn clauses(&self, word: u32) -> impl Iterator<Item = &Clause> {
        let after = self.starts.partition_point(|(at, _)| *at <= word);
        let mut next = after.checked_sub(1).and_then(|at| self.starts[at].1);
        std::iter::from_fn(move || {
            let region = self.regions[next? as usize];
            next = region.outer;
            Some(&self.clauses[region.clauses.0 as usize..region.clauses.1 as usize])
        })
        .flatten()
    }

    /// Opens a region at a word, with these clauses; the index of the first.
    pub fn open(&mut self, word: u32, clauses: Vec<Clause>) -> usize {
        let first = self.clauses.len();
        self.clauses.extend(clauses);
        let outer = self.innermost();
        self.starts.push((word, Some(self.regions.len() as u32)));
        self.regions.push(Region { outer, clauses: (first as u32, self.clauses.len() as u32) });
        first
    }

    /// Closes the innermost region before a word.
    pub fn close(&mut self, word: u32) {
        let outer = self.innermost().and_then(|region| self.regions[region as usize].outer);
        self.starts.push((word, outer));
    }

    /// Sets where a clause goes on.
    pub fn lead(&mut self, clause: usize, target: u32) {
        self.clauses[clause].target = target;
    }

    fn innermost(&self) -> Option<u32> {
        self.starts.last().and_then(|(_, region)| *region)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clause(target: u32) -> Clause {
        Clause { tag: None, reference: false, slot: 0, target }
    }

    #[test]
    fn an_instruction_sees_the_clauses_of_the_regions_around_it_innermost_first() {
        let mut regions = Regions::default();
        regions.open(4, vec![clause(1)]);
        regions.open(8, vec![clause(2), clause(3)]);
        regions.close(12);
        // Nothing stands between the end of one and the start of the next.
        regions.open(12, vec![clause(4)]);
        regions.close(16);
        regions.close(20);
        let seen = |word| regions.clauses(word).map(|clause| clause.target).collect::<Vec<_>>();
        assert_eq!([3, 4, 7].map(seen), [vec![], vec![1], vec![1]]);
        assert_eq!([8, 11].map(seen), [vec![2, 3, 1], vec![2, 3, 1]]);
        assert_eq!([12, 15].map(seen), [vec![4, 1], vec![4, 1]]);
        assert_eq!([16, 19, 20, 99].map(seen), [vec![1], vec![1], vec![], vec![]]);
    }
}
