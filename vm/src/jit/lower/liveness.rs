//! Which locals a body still reads: at each call only references in those are worth storing.
//!
//! A pass backward over the body carries the set of live locals. A branch to the end of a block takes the set from there, which the pass
//! has seen before. The start of a loop it has not, so there are two: in the first, branches back add nothing. What it finds at a loop's
//! start is live at any branch back to it, and so is what it finds at the starts of the loops around, since a loop of
//! Wasm is entered at its start only (as in Boissinot et al., *Fast liveness checking for SSA-form programs*, 2008). With that, the second pass
//! comes to sets that agree with one another along each edge. They are not always the smallest: a local may count as
//! live in an inner loop that is only so in the one around it.
//!
//! That they agree is what matters: a local that is live after a call was live after each call since it was written, and has
//! been kept.
//!
//! Only locals that the collector traces take part. Sets are shared until they change, and work on whole sets is
//! bounded by the body's size: a body with very many locals and branches is not compiled.

use std::collections::HashMap;
use std::rc::Rc;

use wasmparser::{BinaryReader, Catch, FunctionBody, Operator};

/// Words of sets worked on that are always allowed.
const FEW_WORDS: usize = 1 << 16;
/// Words for each byte of a body beyond those.
const WORDS_PER_BYTE: usize = 4;

/// A set of traced locals, by number among them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Locals(Rc<Vec<u64>>);

impl Locals {
    fn none(words: usize) -> Self {
        Self(Rc::new(vec![0; words]))
    }

    /// Adds all of another set; whether that needed looking at them.
    pub fn extend(&mut self, other: &Self) -> bool {
        if Rc::ptr_eq(&self.0, &other.0) {
            return false;
        }
        if self.0.iter().zip(&*other.0).any(|(own, other)| other & !own != 0) {
            Rc::make_mut(&mut self.0).iter_mut().zip(&*other.0).for_each(|(own, other)| *own |= other);
        }
        true
    }

    /// Changes whether a local is in it; whether that took a copy.
    fn set(&mut self, local: usize, is_in: bool) -> bool {
        let (word, bit) = (local / 64, 1 << (local % 64));
        if (self.0[word] & bit != 0) == is_in {
            return false;
        }
        let shared = Rc::strong_count(&self.0) > 1;
        Rc::make_mut(&mut self.0)[word] ^= bit;
        shared
    }

    /// Those in it, in order.
    pub fn iter(&self) -> impl Iterator<Item = usize> {
        self.0.iter().enumerate().flat_map(|(at, word)| {
            let some = |word: u64| (word != 0).then_some(word);
            let lowest_first = std::iter::successors(some(*word), move |word| some(word & (word - 1)));
            lowest_first.map(move |word| at * 64 + word.trailing_zeros() as usize)
        })
    }
}

/// The live locals of a body, by the offsets of its operators.
#[derive(Debug, Default)]
pub struct Liveness {
    /// After calls and what else may collect.
    places: HashMap<u32, Locals>,
    /// For each end of a `try_table`, where its clauses land.
    landings: HashMap<u32, Vec<Locals>>,
    none: Locals,
}

/// What an operator does to control and locals.
enum Step {
    Read(usize),
    Write(usize),
    /// The start of a block, by its number in the body.
    Open {
        block: usize,
        is_if: bool,
    },
    Else,
    /// The end of a block.
    End(usize),
    /// Branches, or goes on.
    Branch(Vec<u32>),
    /// Branches, and does not go on.
    Jump(Vec<u32>),
    /// May collect, and perhaps throw.
    Safepoint {
        throws: bool,
    },
    /// Throws, and does not go on.
    Throw,
    /// Ends the function.
    Leave,
}

/// A block of a body.
struct Block {
    is_loop: bool,
    /// The labels of its clauses.
    clauses: Vec<u32>,
    /// The innermost loop around it.
    around: Option<usize>,
}

/// A body as the passes want it.
struct Body {
    steps: Vec<(u32, Step)>,
    /// In the order of their starts.
    blocks: Vec<Block>,
}

/// A block that the pass is in.
struct Frame {
    /// What is live where a branch to it goes, as far as is known.
    label: Option<Locals>,
    /// What is live at its end.
    end: Locals,
    /// What is live where an exception thrown inside may land.
    handlers: Option<Locals>,
    /// What is live at its `else`.
    otherwise: Option<Locals>,
}

impl Liveness {
    /// Of a body. `traced` gives the number of a local that the collector traces, of which there are `count`. `Ok(None)` if it would take more
    /// work than the body's size justifies.
    pub fn of(
        bytes: &[u8],
        start: usize,
        count: usize,
        traced: impl Fn(u32) -> Option<usize>,
    ) -> wasmparser::Result<Option<Self>> {
        if count == 0 {
            return Ok(Some(Self::default()));
        }
        let body = Body::read(bytes, start, traced)?;
        let mut pass = Pass::new(count.div_ceil(64), FEW_WORDS + WORDS_PER_BYTE * bytes.len());
        if body.blocks.iter().any(|block| block.is_loop) {
            pass.run(&body);
            pass.close_loops(&body);
        }
        pass.run(&body);
        Ok(pass.left.is_some().then_some(pass.found))
    }

    /// Those live after an operator that may collect.
    pub fn at(&self, offset: u32) -> &Locals {
        debug_assert!(self.none.0.is_empty() || self.places.contains_key(&offset), "no liveness at {offset}");
        self.places.get(&offset).unwrap_or(&self.none)
    }

    /// Those live where a clause of the `try_table` that ends here lands.
    pub fn landing(&self, end: u32, clause: usize) -> &Locals {
        self.landings.get(&end).and_then(|landings| landings.get(clause)).unwrap_or(&self.none)
    }
}

struct Pass {
    live: Locals,
    frames: Vec<Frame>,
    words: usize,
    /// Words that may still be worked on; none if there were too many.
    left: Option<usize>,
    /// What is live at the starts of loops.
    loops: HashMap<usize, Locals>,
    found: Liveness,
}

impl Pass {
    fn new(words: usize, left: usize) -> Self {
        let none = Locals::none(words);
        let found = Liveness { places: HashMap::new(), landings: HashMap::new(), none: none.clone() };
        Self { live: none, frames: Vec::new(), words, left: Some(left), loops: HashMap::new(), found }
    }

    /// Goes through the body once, as far as it may.
    fn run(&mut self, body: &Body) {
        self.live = self.found.none.clone();
        self.frames.clear();
        for (offset, step) in body.steps.iter().rev() {
            if self.left.is_some() {
                self.step(*offset, step, body);
            }
        }
    }

    /// Adds to what is live at the start of each loop what is so at those of the loops around it.
    fn close_loops(&mut self, body: &Body) {
        for (number, block) in body.blocks.iter().enumerate() {
            let Some(around) = block.around.and_then(|around| self.loops.get(&around)).cloned() else { continue };
            if let Some(start) = self.loops.get_mut(&number) {
                let worked = start.extend(&around);
                self.work(worked);
            }
        }
    }

    /// Counts work on a whole set.
    fn work(&mut self, is_done: bool) {
        if is_done {
            self.left = self.left.and_then(|left| left.checked_sub(self.words));
        }
    }

    fn extend(&mut self, other: &Locals) {
        let worked = self.live.extend(other);
        self.work(worked);
    }

    fn change(&mut self, local: usize, is_in: bool) {
        let copied = self.live.set(local, is_in);
        self.work(copied);
    }

    /// What is live at a label, as far as is known.
    fn label(&self, depth: u32) -> Option<Locals> {
        let at = self.frames.len().checked_sub(1 + depth as usize)?;
        self.frames[at].label.clone()
    }

    fn branch(&mut self, depths: &[u32]) {
        for depth in depths {
            if let Some(label) = self.label(*depth) {
                self.extend(&label);
            }
        }
    }

    fn catch(&mut self) {
        if let Some(handlers) = self.frames.last().and_then(|frame| frame.handlers.clone()) {
            self.extend(&handlers);
        }
    }

    fn step(&mut self, offset: u32, step: &Step, body: &Body) {
        match step {
            Step::Read(local) => self.change(*local, true),
            Step::Write(local) => self.change(*local, false),
            Step::End(block) => self.end(offset, *block, &body.blocks[*block]),
            Step::Else => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.otherwise = Some(std::mem::replace(&mut self.live, frame.end.clone()));
                }
            }
            Step::Open { block, is_if } => {
                let Some(frame) = self.frames.pop() else { return };
                if *is_if {
                    self.extend(frame.otherwise.as_ref().unwrap_or(&frame.end));
                }
                if body.blocks[*block].is_loop {
                    self.loops.entry(*block).or_insert(self.live.clone());
                }
            }
            Step::Branch(depths) => self.branch(depths),
            Step::Jump(depths) => {
                self.live = self.found.none.clone();
                self.branch(depths);
            }
            Step::Safepoint { throws } => {
                if *throws {
                    self.catch();
                }
                self.found.places.insert(offset, self.live.clone());
            }
            Step::Throw => {
                self.live = self.found.none.clone();
                self.catch();
                self.found.places.insert(offset, self.live.clone());
            }
            Step::Leave => self.live = self.found.none.clone(),
        }
    }

    /// Comes to a block from its end.
    fn end(&mut self, offset: u32, number: usize, block: &Block) {
        let mut handlers = self.frames.last().and_then(|frame| frame.handlers.clone());
        if !block.clauses.is_empty() {
            let landings: Vec<Locals> =
                block.clauses.iter().map(|label| self.label(*label).unwrap_or(self.found.none.clone())).collect();
            let mut all = handlers.take().unwrap_or(self.found.none.clone());
            for landing in &landings {
                let worked = all.extend(landing);
                self.work(worked);
            }
            handlers = Some(all);
            self.found.landings.insert(offset, landings);
        }
        let label = if block.is_loop { self.loops.get(&number).cloned() } else { Some(self.live.clone()) };
        self.frames.push(Frame { label, end: self.live.clone(), handlers, otherwise: None });
    }
}

impl Body {
    fn read(bytes: &[u8], start: usize, traced: impl Fn(u32) -> Option<usize>) -> wasmparser::Result<Self> {
        let mut operators = FunctionBody::new(BinaryReader::new(bytes, start as u64)).get_operators_reader()?;
        // The body itself is a block, which nothing opens.
        let whole = Block { is_loop: false, clauses: Vec::new(), around: None };
        let mut body = Self { steps: Vec::new(), blocks: vec![whole] };
        let mut open = vec![0];
        while !operators.eof() {
            let (op, offset) = operators.read_with_offset()?;
            let step = match &op {
                Operator::LocalGet { local_index } => traced(*local_index).map(Step::Read),
                Operator::LocalSet { local_index } | Operator::LocalTee { local_index } => {
                    traced(*local_index).map(Step::Write)
                }
                Operator::End => open.pop().map(Step::End),
                _ => match opened(&op) {
                    Some(clauses) => {
                        let outer = open.last().copied();
                        let around = outer.filter(|outer| body.blocks[*outer].is_loop);
                        let around = around.or_else(|| body.blocks[outer?].around);
                        let block = body.blocks.len();
                        open.push(block);
                        body.blocks.push(Block { is_loop: matches!(op, Operator::Loop { .. }), clauses, around });
                        Some(Step::Open { block, is_if: matches!(op, Operator::If { .. }) })
                    }
                    None => step(&op),
                },
            };
            body.steps.extend(step.map(|step| (offset as u32, step)));
        }
        Ok(body)
    }
}

/// The labels of the clauses of a block that an operator opens, if it does.
fn opened(op: &Operator<'_>) -> Option<Vec<u32>> {
    match op {
        Operator::Block { .. } | Operator::Loop { .. } | Operator::If { .. } => Some(Vec::new()),
        Operator::TryTable { try_table } => {
            let label = |catch: &Catch| match *catch {
                Catch::One { label, .. }
                | Catch::OneRef { label, .. }
                | Catch::All { label }
                | Catch::AllRef { label } => label,
            };
            Some(try_table.catches.iter().map(label).collect())
        }
        _ => None,
    }
}

fn step(op: &Operator<'_>) -> Option<Step> {
    Some(match op {
        Operator::Else => Step::Else,
        Operator::Br { relative_depth } => Step::Jump(vec![*relative_depth]),
        Operator::BrTable { targets } => {
            // The verifier has read the table before.
            let mut depths: Vec<u32> = targets.targets().filter_map(Result::ok).chain([targets.default()]).collect();
            depths.sort_unstable();
            depths.dedup();
            Step::Jump(depths)
        }
        Operator::BrIf { relative_depth }
        | Operator::BrOnNull { relative_depth }
        | Operator::BrOnNonNull { relative_depth }
        | Operator::BrOnCast { relative_depth, .. }
        | Operator::BrOnCastFail { relative_depth, .. } => Step::Branch(vec![*relative_depth]),
        Operator::Throw { .. } | Operator::ThrowRef => Step::Throw,
        Operator::Return
        | Operator::Unreachable
        | Operator::ReturnCall { .. }
        | Operator::ReturnCallIndirect { .. }
        | Operator::ReturnCallRef { .. } => Step::Leave,
        Operator::Call { .. } | Operator::CallIndirect { .. } | Operator::CallRef { .. } => {
            Step::Safepoint { throws: true }
        }
        Operator::StructNew { .. }
        | Operator::StructNewDefault { .. }
        | Operator::ArrayNew { .. }
        | Operator::ArrayNewDefault { .. }
        | Operator::ArrayNewFixed { .. }
        | Operator::ArrayNewData { .. }
        | Operator::ArrayNewElem { .. } => Step::Safepoint { throws: false },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The live locals at each call of a body with five of them, all traced, in the order of the calls.
    fn live(body: &str) -> Vec<Vec<usize>> {
        let text = format!("(module (tag $e) (func $f) (func $g (local anyref anyref anyref anyref anyref) {body}))",);
        let bytes = wat::parse_str(text).unwrap();
        let bodies = wasmparser::Parser::new(0).parse_all(&bytes).filter_map(|payload| match payload.unwrap() {
            wasmparser::Payload::CodeSectionEntry(body) => Some(body.range()),
            _ => None,
        });
        let range = bodies.last().unwrap();
        let body = &bytes[range.start as usize..range.end as usize];
        let found = Liveness::of(body, 0, 5, |local| Some(local as usize)).unwrap().unwrap();
        let mut places: Vec<_> = found.places.into_iter().collect();
        places.sort_by_key(|(offset, _)| *offset);
        places.into_iter().map(|(_, locals)| locals.iter().collect()).collect()
    }

    const READ: [&str; 5] = [
        "(drop (local.get 0))",
        "(drop (local.get 1))",
        "(drop (local.get 2))",
        "(drop (local.get 3))",
        "(drop (local.get 4))",
    ];

    #[test]
    fn what_is_read_before_it_is_written_is_live() {
        let [a, b, ..] = READ;
        let write = "(local.set 1 (ref.null any))";
        assert_eq!(live(&format!("{b} (call $f) {write} {a} {b} (call $f)")), [vec![0], vec![]]);
    }

    #[test]
    fn what_either_way_reads_is_live() {
        let [a, b, c, d, e] = READ;
        let text = format!(
            "(call $f) (if (i32.const 0) (then {a} (call $f)) (else {b} (call $f) {c})) (call $f) {d}
            (block $out (block (br_table 0 $out (i32.const 0))) (call $f) (return)) {e}"
        );
        assert_eq!(live(&text), [vec![0, 1, 2, 3, 4], vec![3, 4], vec![2, 3, 4], vec![3, 4], vec![]]);
    }

    #[test]
    fn what_the_next_turn_reads_is_live() {
        let [a, b, c, d, _] = READ;
        let text = format!(
            "(call $f) (loop $outer {a} (call $f)
                (loop $inner {b} (call $f) (local.set 2 (ref.null any)) {c} (br_if $inner (i32.const 0)))
                (call $f) (br_if $outer (i32.const 0)) (call $f)) {d}"
        );
        let around = vec![0, 1, 3];
        assert_eq!(live(&text), [around.clone(), around.clone(), around.clone(), around, vec![3]]);
    }

    #[test]
    fn what_a_turn_writes_before_it_reads_it_is_not_live_at_its_end() {
        let [a, ..] = READ;
        let text = format!("(loop (local.set 0 (ref.null any)) (call $f) {a} (call $f) (br_if 0 (i32.const 0)))");
        assert_eq!(live(&text), [vec![0], vec![]]);
    }

    #[test]
    fn what_a_handler_reads_is_live_at_calls_inside() {
        let [a, b, c, ..] = READ;
        let text = format!(
            "(block $h (try_table (catch $e $h) (call $f) {b} (call $f) (throw $e)) {c} (return)) {a} (call $f)"
        );
        assert_eq!(live(&text), [vec![0, 1], vec![0], vec![0], vec![]]);
    }

    #[test]
    fn work_that_is_out_of_proportion_is_refused() {
        let traced = |local: u32| Some(local as usize);
        // Blocks with a branch out of each before a local is written and read, so that what is live changes every time.
        let body = |turns: usize| {
            let mut bytes = vec![0];
            for turn in 0..turns {
                let local = 0x80 | (turn & 0x7f) as u8;
                bytes.extend([0x02, 0x40, 0x41, 0, 0x0d, 0, 0xd0, 0x6e, 0x21, local, 1, 0x20, local, 1, 0x1a, 0x0b]);
            }
            bytes.push(0x0b);
            bytes
        };
        assert!(Liveness::of(&body(10_000), 0, 256, traced).unwrap().is_some());
        assert!(Liveness::of(&body(10_000), 0, 50_000, traced).unwrap().is_none());
    }
}
