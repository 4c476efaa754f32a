//! Where a guest's time goes: samples of its stack, taken as often as somebody sends `SIGPROF` to the thread that it runs on.
//!
//! ```text
//!            ┌─ in compiled code, or in what it called: the handler walks the frames
//!  SIGPROF ──┤
//!            └─ in the interpreter, or in what it called: LOOK_UP in the word that asks it to stop ─► the next look at
//!                                                         that word, or the end of the host function, walks them
//! ```
//!
//! The interpreter's place is in registers that nobody knows where to find from outside; so a sample waits there until it looks. What
//! a sample counts for is the time since the one before: one that had to wait counts for all of it, and one that is at the end of a
//! host function for the time in there. Small functions return before the interpreter looks; but which one it is in is known at once.
//!
//! Stacks are kept as paths of a tree, whose room, like that for samples, is there from the beginning: a handler allocates nothing.
//! Where it has run out, what is new is counted at the deepest place that is known, and samples are taken half as often.
//!
//! Invariant: the handler touches the sampler of the run that it interrupts, side tables of code that is on the stack, and the
//! stacks. A sampler that is in use is passed over.

use std::cell::{Cell, UnsafeCell};
use std::mem::MaybeUninit;
use std::ops::ControlFlow;
use std::ptr::{null, null_mut};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering, compiler_fence};

use super::activation::{activations, compiled_frames};
use super::context::{Activation, InstanceContext, StoreContext};
use crate::interpreter;
use crate::jit::registry;
use crate::module::Module;

/// Has a sample taken. It ends a process that does not handle it, so that it is sent only to those that have a sampler.
pub const TICK: i32 = libc::SIGPROF;
/// Stands in [`StoreContext::interrupt`] in the place of a trap's kind: nobody asks the guest to stop, but a sample waits.
pub const LOOK_UP: u32 = u32::MAX;

/// Frames of a sample, the newest: what is below those is left out.
pub const FRAMES: usize = 128;
/// Places in stacks that are told apart.
const NODES: usize = 1 << 16;
/// Samples that are kept. Those in a row that are of one place are one.
const SAMPLES: usize = 1 << 18;

/// What stands in the place of a guest's function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum Mark {
    /// The bottom of all stacks.
    Root,
    /// Frames that were left out.
    Deeper,
    /// What the frame above has called, which is not the guest's.
    Outside,
}

/// A frame, before anyone asks for names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The function's module; null where a [`Mark`] is.
    pub module: *const Module,
    /// The function's index, or the mark.
    pub func: u32,
    /// The operator's offset in the module; zero where that is not known.
    pub offset: u32,
}

impl Place {
    const fn mark(mark: Mark) -> Self {
        Self { module: null(), func: mark as u32, offset: 0 }
    }

    /// The mark, if it is one.
    pub fn as_mark(&self) -> Option<Mark> {
        let marks = [Mark::Root, Mark::Deeper, Mark::Outside];
        if self.module.is_null() { marks.into_iter().find(|mark| *mark as u32 == self.func) } else { None }
    }
}

/// A place with those that lead to it.
#[derive(Clone, Copy, Debug)]
pub struct Node {
    /// Who called; itself at the root.
    pub parent: u32,
    /// Where.
    pub place: Place,
}

/// A number of samples in a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sample {
    /// Where they were taken.
    pub node: u32,
    /// For how many microseconds they count.
    pub micros: u32,
}

/// All stacks that were seen.
struct Tree {
    nodes: Vec<Node>,
    /// By parent and place, with open addressing: one more than the node's number, zero where there is none.
    table: Box<[u32]>,
    is_full: bool,
}

impl Tree {
    fn new(most: usize) -> Self {
        let mut nodes = Vec::with_capacity(most.max(1));
        nodes.push(Node { parent: 0, place: Place::mark(Mark::Root) });
        Self { nodes, table: vec![0; most.max(1).next_power_of_two() * 2].into(), is_full: false }
    }

    /// The node of a place that was called at another; none if there is no room for it.
    fn child(&mut self, parent: u32, place: Place) -> Option<u32> {
        let mix = |sum: u64, word: u64| (sum ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
        let words = [place.module as u64, u64::from(place.func) << 32 | u64::from(place.offset), parent.into()];
        let mask = self.table.len() - 1;
        let mut at = words.into_iter().fold(0, mix) as usize & mask;
        loop {
            // There are twice as many entries as nodes: some are empty.
            match self.table[at].checked_sub(1) {
                None if self.nodes.len() == self.nodes.capacity() => {
                    self.is_full = true;
                    return None;
                }
                None => {
                    self.nodes.push(Node { parent, place });
                    self.table[at] = self.nodes.len() as u32;
                    return Some(self.nodes.len() as u32 - 1);
                }
                Some(number) => {
                    let node = &self.nodes[number as usize];
                    if node.parent == parent && node.place == place {
                        return Some(number);
                    }
                }
            }
            at = (at + 1) & mask;
        }
    }
}

/// Samples in the order of time.
struct Samples {
    all: Vec<Sample>,
    most: usize,
    /// One of so many ticks takes a sample.
    every: u32,
    ticks: u32,
    /// For choices that are to be no pattern.
    random: u32,
}

impl Samples {
    fn new(most: usize) -> Self {
        Self { all: Vec::with_capacity(most), most, every: 1, ticks: 0, random: 0x2545_f491 }
    }

    /// Whether this tick takes one.
    fn is_due(&mut self) -> bool {
        self.ticks = self.ticks.wrapping_add(1);
        self.ticks.is_multiple_of(self.every)
    }

    fn add(&mut self, node: u32, micros: u32) {
        if let Some(last) = self.all.last_mut().filter(|last| last.node == node) {
            last.micros = last.micros.saturating_add(micros);
            return;
        }
        if self.all.len() >= self.most {
            self.halve();
        }
        if self.all.len() < self.all.capacity() {
            self.all.push(Sample { node, micros });
        }
    }

    /// Makes one of two each time, which counts for both, and has fewer taken from now on.
    fn halve(&mut self) {
        for at in 0..self.all.len().div_ceil(2) {
            let [first, second] = [self.all[at * 2], *self.all.get(at * 2 + 1).unwrap_or(&self.all[at * 2])];
            let is_pair = at * 2 + 1 < self.all.len();
            let both = if is_pair { first.micros.saturating_add(second.micros) } else { first.micros };
            // As often as it counts for: that way none gains.
            self.random ^= self.random << 13;
            self.random ^= self.random >> 17;
            self.random ^= self.random << 5;
            let node = if self.random % both.max(1) < first.micros { first.node } else { second.node };
            self.all[at] = Sample { node, micros: both };
        }
        self.all.truncate(self.all.len().div_ceil(2));
        self.every = self.every.saturating_mul(2);
    }
}

/// The frames of one sample, newest first.
struct Frames {
    all: Vec<Place>,
    is_cut: bool,
}

impl Frames {
    fn add(&mut self, module: *const Module, func: u32, offset: u32) -> ControlFlow<()> {
        if self.all.len() == self.all.capacity() {
            self.is_cut = true;
            return ControlFlow::Break(());
        }
        self.all.push(Place { module, func, offset });
        ControlFlow::Continue(())
    }
}

struct State {
    tree: Tree,
    samples: Samples,
    frames: Frames,
    /// When the last sample was taken, or the run began: nanoseconds of the monotonic clock.
    last: u64,
    /// Whether one waits for the interpreter to look.
    is_wanted: bool,
    /// The function that the interpreter was in when it was wanted.
    running: Option<Place>,
}

/// What takes the samples of a store.
pub struct Sampler {
    store: *mut StoreContext,
    /// Whether the thread that runs the guest, which alone uses the rest, is using it: a tick may come in the middle.
    is_busy: AtomicBool,
    state: UnsafeCell<State>,
}

/// Where the newest activation is, if it is of compiled code.
#[derive(Clone, Copy)]
enum Newest {
    /// Where it was left.
    Left,
    /// In the code: program counter, frame pointer and stack pointer.
    In(usize, usize, usize),
}

thread_local! {
    /// The sampler of the store whose guest this thread runs.
    static CURRENT: Cell<*const Sampler> = const { Cell::new(null()) };
}

impl Sampler {
    /// For a store, from its next run on.
    pub fn new(store: *mut StoreContext) -> Box<Self> {
        Self::with_room(store, NODES, SAMPLES)
    }

    /// With room for so many places and samples.
    pub fn with_room(store: *mut StoreContext, nodes: usize, samples: usize) -> Box<Self> {
        install();
        let state = State {
            tree: Tree::new(nodes),
            samples: Samples::new(samples.max(2)),
            frames: Frames { all: Vec::with_capacity(FRAMES), is_cut: false },
            last: 0,
            is_wanted: false,
            running: None,
        };
        Box::new(Self { store, is_busy: AtomicBool::new(false), state: UnsafeCell::new(state) })
    }

    /// What was seen so far: places, of which the first is the root and each other one comes after its parent; samples; and whether all
    /// places had room.
    pub fn seen(&mut self) -> (&[Node], &[Sample], bool) {
        let state = self.state.get_mut();
        (&state.tree.nodes, &state.samples.all, !state.tree.is_full)
    }

    /// Does something with the state, unless that is being used.
    fn with<R>(&self, run: impl FnOnce(&mut State) -> R) -> Option<R> {
        if self.is_busy.swap(true, Ordering::Relaxed) {
            return None;
        }
        compiler_fence(Ordering::SeqCst);
        // SAFETY: one thread uses it, the one that runs the guest, and it was not in the middle of it.
        let done = run(unsafe { &mut *self.state.get() });
        compiler_fence(Ordering::SeqCst);
        self.is_busy.store(false, Ordering::Relaxed);
        Some(done)
    }

    /// What the signal does.
    ///
    /// # Safety
    /// The guest's thread was interrupted with these registers.
    unsafe fn tick(&self, pc: usize, fp: usize, sp: usize) {
        self.with(|state| {
            if !state.samples.is_due() {
                return;
            }
            // SAFETY: the store is running.
            unsafe {
                let newest = (*self.store).activation;
                if newest.is_null() || (*newest).kind != Activation::COMPILED {
                    return self.want(state);
                }
                if registry::is_code(pc) {
                    return self.take(state, Newest::In(pc, fp, sp), None);
                }
                // What was called last may have returned, and its frame be none any more. The host's functions may run on another stack.
                let left = (*self.store).exit_fp;
                if left < sp && sp < (*newest).fp {
                    return self.want(state);
                }
                self.take(state, Newest::Left, Some(Mark::Outside));
            }
        });
    }

    /// Has a sample taken when the interpreter looks.
    fn want(&self, state: &mut State) {
        if !std::mem::replace(&mut state.is_wanted, true) {
            // SAFETY: the store is running; the context of an activation of the interpreter is a live instance's.
            state.running = unsafe {
                let newest = (*self.store).activation.as_ref().filter(|newest| newest.kind == Activation::INTERPRETER);
                newest.and_then(|newest| interpreter::running(newest)).filter(|(context, _)| !context.is_null()).map(
                    |(context, func)| {
                        let module = &raw const (*(*context).code).module;
                        Place { module, func: func.0, offset: 0 }
                    },
                )
            };
        }
        // SAFETY: the store is running. A request to stop is looked at anyway.
        let interrupt = unsafe { &(*self.store).interrupt };
        let _ = interrupt.compare_exchange(0, LOOK_UP, Ordering::Relaxed, Ordering::Relaxed);
    }

    /// Takes the sample that waits.
    ///
    /// # Safety
    /// The activations reflect where execution is.
    unsafe fn take_wanted(&self, mark: Option<Mark>) {
        self.with(|state| {
            if state.is_wanted {
                // SAFETY: by contract.
                unsafe { self.take(state, Newest::Left, mark) };
            }
        });
    }

    /// # Safety
    /// The activations reflect where execution is, but for what is said of the newest.
    unsafe fn take(&self, state: &mut State, newest: Newest, mark: Option<Mark>) {
        state.is_wanted = false;
        // SAFETY: the store is running.
        clear(unsafe { &*self.store });
        state.frames.all.clear();
        state.frames.is_cut = false;
        // SAFETY: by contract.
        unsafe { walk(self.store, newest, &mut state.frames) };
        let below = state.frames.is_cut.then_some(Place::mark(Mark::Deeper));
        let is_newest = |place: &Place| {
            state.frames.all.first().is_some_and(|newest| (newest.module, newest.func) == (place.module, place.func))
        };
        let returned = state.running.take().filter(|place| mark.is_none() && !is_newest(place));
        let above = mark.map(Place::mark).or(returned);
        let path = below.into_iter().chain(state.frames.all.iter().rev().copied()).chain(above);
        let mut node = 0;
        for place in path {
            match state.tree.child(node, place) {
                Some(child) => node = child,
                None => break,
            }
        }
        let now = now();
        let micros = now.saturating_sub(state.last) / 1000;
        state.samples.add(node, u32::try_from(micros).unwrap_or(u32::MAX));
        // What is left of a microsecond counts next time.
        state.last += micros * 1000;
    }
}

/// Withdraws the wish for a look.
fn clear(store: &StoreContext) {
    let _ = store.interrupt.compare_exchange(LOOK_UP, 0, Ordering::Relaxed, Ordering::Relaxed);
}

fn now() -> u64 {
    let mut time = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: a valid place; the kernel's page of code answers, without a system call, also in a handler.
    unsafe { libc::clock_gettime(libc::CLOCK_MONOTONIC, &mut time) };
    time.tv_sec as u64 * 1_000_000_000 + time.tv_nsec as u64
}

/// # Safety
/// As for [`Sampler::take`].
unsafe fn walk(store: *mut StoreContext, newest: Newest, frames: &mut Frames) {
    // SAFETY: by contract; activations of either tier are walked by their own.
    unsafe {
        let mut inside = Some(newest);
        for (activation, mut exit) in activations(store) {
            let activation = &*activation;
            let mut compiled = |pc: usize| {
                let mut flow = ControlFlow::Continue(());
                registry::lookup_frame(pc - 1, &mut |module, func, offset| flow = frames.add(module, func.0, offset));
                flow
            };
            if let Some(Newest::In(pc, fp, sp)) = inside.take() {
                // One further, as a return address would be.
                exit = (pc + 1, fp);
                if let Some(above) = registry::frameless(pc) {
                    if compiled(pc + 1).is_break() {
                        return;
                    }
                    exit.0 = ((sp + above) as *const usize).read();
                }
            }
            match activation.kind {
                Activation::HOST => {}
                Activation::COMPILED => compiled_frames(activation, exit, &mut |pc, _| compiled(pc)),
                _ => interpreter::frames(activation, &mut |context: *mut InstanceContext, func, offset| {
                    frames.add(&raw const (*(*context).code).module, func.0, offset)
                }),
            }
            if frames.is_cut {
                return;
            }
        }
    }
}

/// A guest begins to run on this thread, perhaps one whose samples are taken; what was there before comes back.
pub fn enter(sampler: Option<&Sampler>) -> *const Sampler {
    if let Some(sampler) = sampler {
        sampler.with(|state| (state.last, state.is_wanted) = (now(), false));
    }
    CURRENT.replace(sampler.map_or(null(), std::ptr::from_ref))
}

/// It runs no longer; what was there before is what [`enter`] gave.
pub fn leave(store: &StoreContext, before: *const Sampler) {
    if !CURRENT.replace(before).is_null() {
        clear(store);
    }
}

/// Called by the interpreter where it looks for a request to stop, and found the word set: takes the sample that waits, if one does.
///
/// # Safety
/// The store is running, and its activations reflect where execution is.
#[cold]
pub unsafe fn look_up(store: *mut StoreContext) {
    // SAFETY: by contract.
    unsafe { settle(store, None) };
}

/// Called at the end of a host function: takes the sample that waits, if one does, as one of that function.
///
/// # Safety
/// As for [`look_up`].
#[cold]
pub unsafe fn host_ended(store: *mut StoreContext) {
    // SAFETY: by contract.
    unsafe { settle(store, Some(Mark::Outside)) };
}

/// # Safety
/// As for [`look_up`].
unsafe fn settle(store: *mut StoreContext, mark: Option<Mark>) {
    // SAFETY: by contract; a current sampler lives as long as its store runs.
    unsafe {
        clear(&*store);
        if let Some(sampler) = CURRENT.get().as_ref().filter(|sampler| sampler.store == store) {
            sampler.take_wanted(mark);
        }
    }
}

/// Installs the handler, once a process.
pub fn install() {
    static DONE: OnceLock<()> = OnceLock::new();
    DONE.get_or_init(|| {
        // SAFETY: all-zero is a valid sigaction; valid pointers; the handler keeps to async-signal-safe work.
        unsafe {
            let mut action: libc::sigaction = MaybeUninit::zeroed().assume_init();
            action.sa_sigaction = handle as *const () as usize;
            // What blocks goes on afterwards: nobody is asked to stop.
            action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_RESTART;
            libc::sigaddset(&mut action.sa_mask, super::signals::INTERRUPT);
            libc::sigaction(TICK, &action, null_mut());
        }
    });
}

extern "C" fn handle(_: i32, _: *mut libc::siginfo_t, ucontext: *mut libc::c_void) {
    // SAFETY: a current sampler lives as long as its store runs; the kernel passes valid pointers to a SA_SIGINFO handler.
    unsafe {
        let Some(sampler) = CURRENT.get().as_ref() else { return };
        let registers = &(*ucontext.cast::<libc::ucontext_t>()).uc_mcontext.gregs;
        let [pc, fp, sp] = [libc::REG_RIP, libc::REG_RBP, libc::REG_RSP].map(|at| registers[at as usize] as usize);
        sampler.tick(pc, fp, sp);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(func: u32) -> Place {
        Place { module: std::ptr::dangling(), func, offset: 0 }
    }

    #[test]
    fn a_stack_is_found_again_and_one_without_room_is_not() {
        let mut tree = Tree::new(4);
        let a = tree.child(0, place(7)).unwrap();
        let b = tree.child(a, place(7)).unwrap();
        let c = tree.child(0, place(8)).unwrap();
        assert_eq!([a, b, c], [1, 2, 3]);
        assert_eq!((tree.child(0, place(7)), tree.child(a, place(7)), tree.is_full), (Some(a), Some(b), false));
        assert_eq!((tree.child(b, place(7)), tree.child(0, place(8)), tree.is_full), (None, Some(c), true));
    }

    #[test]
    fn samples_of_one_place_are_one_and_many_are_thinned_out() {
        let mut samples = Samples::new(64);
        (0..10).for_each(|_| samples.add(3, 1000));
        assert_eq!(samples.all, [Sample { node: 3, micros: 10_000 }]);
        let mut time = 10_000;
        for at in 0..4000 {
            if samples.is_due() {
                let micros = 1000 * samples.every;
                samples.add(if at % 3 == 0 { 5 } else { 6 + at % 5 }, micros);
                time += u64::from(micros);
            }
        }
        assert!(samples.all.len() <= 64 && samples.every > 1);
        let total = |node: Option<u32>| -> u64 {
            let all = samples.all.iter().filter(|sample| node.is_none_or(|node| sample.node == node));
            all.map(|sample| u64::from(sample.micros)).sum()
        };
        assert_eq!(total(None), time, "no time is lost");
        assert!((1..time).contains(&total(Some(5))), "{}", total(Some(5)));
        let due = (0..samples.every * 5).filter(|_| samples.is_due()).count();
        assert_eq!(due, 5, "fewer are taken");
    }
}
