//! State of running programs, shared by both tiers: what instances, memories, tables and globals
//! look like in memory, how tiers call each other, and how a run ends in a trap.

pub mod context;
pub mod trap;
