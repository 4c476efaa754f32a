//! A function's code that is entered at the headers of its loops.

use crate::jit::LoopCode;

/// Loops of a function that get code of their own. More than one are for functions with several long loops one after another.
const MOST: usize = 4;
/// Turns until the interpreter looks again for code that is being made.
const AGAIN: i32 = 200;
/// Looks that find code for other loops only before this one gets code too: those may be around it or in it, and be come to next.
const PATIENCE: u32 = 500;

/// The loops of a function that have code of their own, or are to have.
#[derive(Debug, Default)]
pub struct Loops {
    /// By number; none as long as it is being made, and if there can be none. Boxed, since who has seen one keeps a pointer to it.
    all: Vec<(u32, Option<Box<LoopCode>>)>,
    /// Whether one is being made.
    is_pending: bool,
    /// Looks since then that found code for other loops only.
    missed: u32,
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
    /// Nothing, and it may be asked for.
    Missing,
}

impl Loops {
    /// Looks for the code of a loop.
    pub fn look(&mut self, number: u32) -> Look {
        match self.all.iter().find(|(known, _)| *known == number) {
            Some((_, Some(code))) => Look::Code(&raw const **code),
            _ if self.is_pending => Look::Wait(AGAIN),
            Some((_, None)) => Look::Wait(i32::MAX),
            None if self.all.is_empty() => Look::Missing,
            None if self.missed < PATIENCE => {
                self.missed += 1;
                Look::Wait(1)
            }
            None if self.all.len() < MOST => Look::Missing,
            None => Look::Wait(i32::MAX),
        }
    }

    /// The code of a loop, null if there can be none; `None` if nobody knows.
    pub fn known(&self, number: u32) -> Option<*const LoopCode> {
        let (_, code) = self.all.iter().find(|(known, _)| *known == number)?;
        Some(code.as_deref().map_or(std::ptr::null(), std::ptr::from_ref))
    }

    /// The code of a loop is going to be made.
    pub fn expect(&mut self, number: u32) {
        self.all.push((number, None));
        self.is_pending = true;
        self.missed = 0;
    }

    /// The code of a loop has been made, if it can be.
    pub fn set(&mut self, number: u32, code: Option<LoopCode>) {
        self.is_pending = false;
        if let Some((_, place)) = self.all.iter_mut().find(|(known, _)| *known == number) {
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

    #[test]
    fn one_is_made_at_a_time_and_another_after_patience() {
        let mut loops = Loops::default();
        assert_eq!(loops.look(3), Look::Missing);
        loops.expect(3);
        assert_eq!([loops.look(3), loops.look(4)], [Look::Wait(AGAIN), Look::Wait(AGAIN)]);
        loops.set(3, code());
        for _ in 0..PATIENCE {
            assert_eq!(loops.look(4), Look::Wait(1));
        }
        assert_eq!(loops.look(4), Look::Missing);
        assert!(matches!(loops.look(3), Look::Code(_)));
    }

    #[test]
    fn there_are_only_so_many_and_none_is_asked_for_twice() {
        let mut loops = Loops::default();
        for number in 0..MOST as u32 {
            loops.expect(number);
            loops.set(number, if number == 0 { None } else { code() });
        }
        (0..PATIENCE).for_each(|_| drop(loops.look(99)));
        assert_eq!([loops.look(99), loops.look(0)], [Look::Wait(i32::MAX), Look::Wait(i32::MAX)]);
    }
}
