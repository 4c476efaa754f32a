//! The stacks a guest runs on: a native one for compiled code and host functions, and the value
//! stack for interpreter frames. One [`Space`], which is emptied when its store ends.
//!
//! ```text
//! │ guard │ host reserve │ native stack  ◄ grows down │ guard │ value stack, grows up ► │ guard │
//! ```

use std::io;

use super::space::Space;

/// Room below a guest's stack limit that host functions and the runtime itself may use.
pub const HOST_RESERVE: usize = 512 << 10;
const GUARD: usize = 64 << 10;
/// What most programs use of both stacks.
const WARM: usize = 16 << 10;
const WARM_VALUES: usize = 4 << 10;

/// One guest's stacks.
#[derive(Debug)]
pub struct Stack {
    space: Space,
    size: usize,
}

impl Stack {
    /// Stacks of this many bytes, rounded up to pages.
    ///
    /// # Errors
    /// If there is no address space, or no memory.
    pub fn new(size: usize) -> io::Result<Self> {
        let size = rounded(size);
        let mut stack = Self { space: Space::new(Self::total(size))?, size };
        stack.space.open(stack.native_bottom(), HOST_RESERVE + size)?;
        stack.space.open(stack.values().cast(), size)?;
        stack.space.keep_warm(stack.native_top().wrapping_sub(WARM), WARM);
        stack.space.keep_warm(stack.values().cast(), WARM_VALUES);
        Ok(stack)
    }

    /// Bytes of address space for a stack of this many bytes.
    pub const fn total(size: usize) -> usize {
        3 * GUARD + HOST_RESERVE + 2 * size
    }

    fn native_bottom(&self) -> *mut u8 {
        self.space.base().wrapping_add(GUARD)
    }

    /// End of the native stack, where the first frame goes.
    pub fn native_top(&self) -> *mut u8 {
        self.native_bottom().wrapping_add(HOST_RESERVE + self.size)
    }

    /// Lowest address that guest frames may reach.
    pub fn limit(&self) -> usize {
        self.native_bottom() as usize + HOST_RESERVE
    }

    /// Start of the value stack.
    pub fn values(&self) -> *mut u64 {
        self.native_top().wrapping_add(GUARD).cast()
    }

    /// End of the value stack.
    pub fn values_end(&self) -> *mut u64 {
        self.values().wrapping_byte_add(self.size)
    }
}

/// What a stack's size is rounded up to.
pub const fn rounded(size: usize) -> usize {
    let size = if size < 64 << 10 { 64 << 10 } else { size };
    size.next_multiple_of(64 << 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stack_that_was_used_comes_back_empty() {
        // A size that no other test has.
        const SIZE: usize = 7 << 16;
        let stack = Stack::new(SIZE).expect("there is room");
        let (base, values) = (stack.space.base(), stack.values());
        // SAFETY: inside of both stacks, and of what is below the native one's limit.
        unsafe {
            values.write(7);
            stack.values_end().sub(1).write(7);
            stack.native_top().cast::<u64>().sub(1).write(7);
            (stack.limit() as *mut u64).sub(1).write(7);
        }
        drop(stack);
        let stack = Stack::new(SIZE - 1).expect("there is room");
        assert_eq!((stack.space.base(), stack.values()), (base, values));
        // SAFETY: as above.
        unsafe {
            assert_eq!((values.read(), stack.values_end().sub(1).read()), (0, 0));
            let native = (stack.native_top().cast::<u64>().sub(1), (stack.limit() as *mut u64).sub(1));
            assert_eq!((native.0.read(), native.1.read()), (0, 0));
        }
    }
}
