//! A function's code that is entered at the headers of its loops.

use crate::jit::LoopCode;

/// Loops of a function that get code of their own. More than one are for functions with several long loops one after another.
const MOST: usize = 4;
/// Turns until the interpreter looks again for code that is being made.
pub const AGAIN: i32 = 200;
/// Looks without any code to be found until it is asked for: for the loop that was come to most often, since the first may be one that is seldom
/// come to.
const FEW_LOOKS: u32 = 9;
/// Turns between those: a prime, so that they do not keep step with a loop.
const APART: i32 = 61;
/// Looks in a row that find code for other loops only until another one gets code: those may be around it or in it, and be come to next.
const MANY_LOOKS: u32 = 500;

/// The loops of a function that have code of their own, or are to have.
#[derive(Debug, Default)]
pub struct Loops {
    /// By number; none as long as it is being made, and if there can be none. Boxed, since who has seen one keeps a pointer to it.
    all: Vec<(u32, Option<Box<LoopCode>>)>,
    /// Whether one is being made.
    is_pending: bool,
    /// Loops without code that were come to since then, and since code was last found, and how often.
    missed: Vec<(u32, u32)>,
    /// Whether the function as a whole has been asked for.
    pub is_function_asked: bool,
}

/// What there is at a loop's header.
#[derive(Debug, PartialEq, Eq)]
pub enum Look {
    /// Code to go on in.
    Code(*const LoopCode),
    /// Nothing; it is time to look again after so many turns.
    Wait(i32),
    /// Nothing, and code of the loop with this number may be asked for.
    Missing(u32),
}

impl Loops {
    /// Looks for the code of a loop.
    pub fn look(&mut self, number: u32) -> Look {
        match self.known(number) {
            Some(code) if !code.is_null() => {
                self.missed.clear();
                return Look::Code(code);
            }
            _ if self.is_pending => return Look::Wait(AGAIN),
            Some(_) => return Look::Wait(i32::MAX),
            None if self.all.len() == MOST => return Look::Wait(i32::MAX),
            None => {}
        }
        match self.missed.iter_mut().find(|(missed, _)| *missed == number) {
            Some((_, times)) => *times += 1,
            None => self.missed.push((number, 1)),
        }
        let looks: u32 = self.missed.iter().map(|(_, times)| times).sum();
        let (limit, apart) = if self.all.is_empty() { (FEW_LOOKS, APART) } else { (MANY_LOOKS, 1) };
        match self.missed.iter().max_by_key(|(_, times)| times) {
            Some((most, _)) if looks >= limit => Look::Missing(*most),
            _ => Look::Wait(apart),
        }
    }

    /// The code of a loop, null if it is not there yet or there can be none; `None` if it was never asked for.
    pub fn known(&self, number: u32) -> Option<*const LoopCode> {
        let (_, code) = self.all.iter().find(|(known, _)| *known == number)?;
        Some(code.as_deref().map_or(std::ptr::null(), std::ptr::from_ref))
    }

    /// Those whose code has been made.
    pub fn made(&self) -> impl Iterator<Item = (u32, LoopCode)> {
        self.all.iter().filter_map(|(number, code)| Some((*number, **code.as_ref()?)))
    }

    /// The code of a loop is going to be made.
    pub fn begin(&mut self, number: u32) {
        self.all.push((number, None));
        self.is_pending = true;
        self.missed.clear();
    }

    /// The code of a loop has been made, if it can be.
    pub fn set(&mut self, number: u32, code: Option<LoopCode>) {
        self.is_pending = false;
        // What is there may be running.
        if let Some((_, place @ None)) = self.all.iter_mut().find(|(known, _)| *known == number) {
            *place = code.map(Box::new);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code() -> Option<LoopCode> {
        Some(LoopCode { code: std::ptr::null(), trampoline: std::ptr::null() })
    }

    /// What the last of so many looks for a loop finds.
    fn looks(loops: &mut Loops, number: u32, count: u32) -> Look {
        (1..count).for_each(|_| assert!(matches!(loops.look(number), Look::Wait(1 | APART))));
        loops.look(number)
    }

    #[test]
    fn the_loop_that_is_come_to_most_is_asked_for() {
        let mut loops = Loops::default();
        assert_eq!(loops.look(7), Look::Wait(APART));
        assert_eq!(looks(&mut loops, 3, FEW_LOOKS - 2), Look::Wait(APART));
        assert_eq!(loops.look(7), Look::Missing(3));
    }

    #[test]
    fn one_is_made_at_a_time_and_another_after_patience() {
        let mut loops = Loops::default();
        assert_eq!(looks(&mut loops, 3, FEW_LOOKS), Look::Missing(3));
        loops.begin(3);
        assert_eq!([loops.look(3), loops.look(4)], [Look::Wait(AGAIN), Look::Wait(AGAIN)]);
        loops.set(3, code());
        assert_eq!(looks(&mut loops, 4, MANY_LOOKS - 1), Look::Wait(1));
        assert!(matches!(loops.look(3), Look::Code(_)));
        assert_eq!(looks(&mut loops, 4, MANY_LOOKS), Look::Missing(4));
    }

    #[test]
    fn there_are_only_so_many_and_none_is_asked_for_twice() {
        let mut loops = Loops::default();
        for number in 0..MOST as u32 {
            loops.begin(number);
            loops.set(number, if number == 0 { None } else { code() });
        }
        assert_eq!([loops.look(99), loops.look(0)], [Look::Wait(i32::MAX), Look::Wait(i32::MAX)]);
    }
}
