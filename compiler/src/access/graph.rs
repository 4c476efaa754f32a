//! Flags, and what follows from what.
//!
//! A flag is set where something may be changed through a value. From each flag go edges to those that have to be set with it;
//! the search is breadth first, so that what it tells is the shortest way from a change to what must not be changed.

use std::collections::VecDeque;

use super::shape::Tree;
use crate::source::Span;
use crate::typed::TraitId;

/// What is done when a flag is set.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    /// Another flag is set.
    Set(u32),
    /// Another flag is set, of a part of what can be changed.
    Fill(u32),
    /// Parts of a container go the other way too: what is put into it there is found here.
    Back {
        /// Where the container came from.
        from: Tree,
        /// Where it went.
        to: Tree,
    },
    /// The value is changed as functions of a trait do that change what they are called on.
    Receive {
        /// The value.
        value: Tree,
        /// The trait.
        of: TraitId,
        /// Whether it is an argument of a call that does so.
        call: bool,
    },
}

#[derive(Clone, Copy, Debug)]
struct Edge {
    action: Action,
    next: u32,
    site: u32,
}

/// Why a flag is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Why {
    /// It is not.
    Clear,
    /// By a cause, by its number.
    Cause(u32),
    /// With another flag, at a place, by its number.
    Flag(u32, u32),
    /// With the flag of a type parameter, by a call at a place.
    Call(u32, u32),
    /// With the flag of what it is a part of.
    Fill(u32, u32),
}

const NONE: u32 = u32::MAX;

/// More flags than this are too many; for tests fewer, since so many take gigabytes.
pub(super) const LIMIT: usize = if cfg!(test) { 1 << 21 } else { 1 << 25 };

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Graph {
    why: Vec<Why>,
    /// By which source a flag must not be set, by its number.
    read: Vec<u32>,
    head: Vec<u32>,
    edges: Vec<Edge>,
    work: VecDeque<u32>,
    sites: Vec<Span>,
    /// Flags that must not be set and are.
    wrong: Vec<u32>,
}

impl Graph {
    /// New flags: the first one.
    pub(super) fn add(&mut self, count: u32) -> u32 {
        let base = self.why.len();
        let end = base + count as usize;
        self.why.resize(end, Why::Clear);
        self.read.resize(end, NONE);
        self.head.resize(end, NONE);
        base as u32
    }

    /// Whether there are too many.
    pub(super) fn is_full(&self) -> bool {
        self.why.len() > LIMIT || self.edges.len() > LIMIT
    }

    /// What follows belongs to this place.
    pub(super) fn at(&mut self, span: Span) {
        if self.sites.last() != Some(&span) {
            self.sites.push(span);
        }
    }

    /// The number of the place of what was said last.
    pub(super) fn site(&self) -> u32 {
        self.sites.len().saturating_sub(1) as u32
    }

    /// The place of what was said last.
    pub(super) fn last_site(&self) -> Span {
        self.sites.last().copied().unwrap_or_default()
    }

    /// What happens when a flag is set. If it is set already, that is told, and the caller does it.
    #[must_use]
    pub(super) fn when(&mut self, flag: u32, action: Action) -> bool {
        if self.why[flag as usize] != Why::Clear {
            return true;
        }
        let site = self.site();
        self.edges.push(Edge { action, next: self.head[flag as usize], site });
        self.head[flag as usize] = self.edges.len() as u32 - 1;
        false
    }

    /// Where `flag` is set, `other` is.
    pub(super) fn implies(&mut self, flag: u32, other: u32) {
        if flag != other && self.when(flag, Action::Set(other)) {
            let site = self.site();
            self.set(other, Why::Flag(flag, site));
        }
    }

    /// Where the flag of a whole is set, that of a part is: what is put into it has to be changeable.
    pub(super) fn fills(&mut self, whole: u32, part: u32) {
        if self.when(whole, Action::Fill(part)) {
            let site = self.site();
            self.set(part, Why::Fill(whole, site));
        }
    }

    /// A flag is set.
    pub(super) fn set(&mut self, flag: u32, why: Why) {
        if self.why[flag as usize] == Why::Clear {
            self.why[flag as usize] = why;
            if self.read[flag as usize] == NONE {
                self.work.push_back(flag);
            } else {
                self.wrong.push(flag);
            }
        }
    }

    /// A flag must not be set: what it is a part of is read-only by this source.
    pub(super) fn forbid(&mut self, flag: u32, source: u32) {
        let known = &mut self.read[flag as usize];
        if *known == NONE {
            *known = source;
            if self.why[flag as usize] != Why::Clear {
                self.wrong.push(flag);
            }
        }
    }

    /// The next flag that was set.
    pub(super) fn next(&mut self) -> Option<u32> {
        self.work.pop_front()
    }

    /// Takes what happens when a flag is set, in the order in which it was said, with the place of each.
    pub(super) fn take_actions(&mut self, flag: u32, into: &mut Vec<(Action, u32)>) {
        let mut at = std::mem::replace(&mut self.head[flag as usize], NONE);
        into.clear();
        while at != NONE {
            let edge = self.edges[at as usize];
            into.push((edge.action, edge.site));
            at = edge.next;
        }
        into.reverse();
    }

    /// What comes of an action belongs to this place again.
    pub(super) fn at_site(&mut self, site: u32) {
        if let Some(&span) = self.sites.get(site as usize) {
            self.at(span);
        }
    }

    /// Flags that are set and must not be, with the numbers of their sources.
    pub(super) fn wrong(&self) -> impl Iterator<Item = (u32, u32)> {
        self.wrong.iter().map(|&flag| (flag, self.read[flag as usize]))
    }

    /// Why a flag is set.
    pub(super) fn root(&self, mut flag: u32) -> Root {
        let mut root = Root { cause: None, first: None, last: None, call: None, filled: false };
        loop {
            let (before, site) = match self.why[flag as usize] {
                Why::Flag(before, site) => (before, site),
                Why::Call(before, site) => {
                    root.call = root.call.or(self.sites.get(site as usize).copied());
                    (before, site)
                }
                Why::Fill(before, site) => {
                    root.filled = true;
                    (before, site)
                }
                Why::Cause(cause) => {
                    root.cause = Some(cause);
                    return root;
                }
                Why::Clear => return root,
            };
            root.first = self.sites.get(site as usize).copied();
            root.last = root.last.or(root.first);
            flag = before;
        }
    }
}

/// See [`Graph::root`].
pub(super) struct Root {
    /// The first cause, by its number.
    pub(super) cause: Option<u32>,
    /// The place of the first step after it.
    pub(super) first: Option<Span>,
    /// The place of the last step.
    pub(super) last: Option<Span>,
    /// Whether it is put into something, and that is changed.
    pub(super) filled: bool,
    /// The call nearest to the end at which a type parameter's value is changed.
    pub(super) call: Option<Span>,
}
