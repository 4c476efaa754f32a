//! The stacks a guest runs on: a native one for compiled code and host functions, and the value
//! stack for interpreter frames. One mapping, handed from store to store by a pool.
//!
//! ```text
//! │ guard │ host reserve │ native stack  ◄ grows down │ guard │ value stack, grows up ► │ guard │
//! ```

use std::io;
use std::sync::Mutex;

use super::space;

/// Room below a guest's stack limit that host functions and the runtime itself may use.
pub const HOST_RESERVE: usize = 512 << 10;
const GUARD: usize = 64 << 10;
const POOLED: usize = 16;

/// One guest's stacks.
#[derive(Debug)]
pub struct Stack {
    base: *mut u8,
    size: usize,
}

// SAFETY: a stack is plain memory that has one owner.
unsafe impl Send for Stack {}

impl Stack {
    fn map(size: usize) -> io::Result<Self> {
        let total = Self::total(size);
        let stack = Self { base: space::reserve(total)?, size };
        for (start, len) in [(stack.native_bottom(), HOST_RESERVE + size), (stack.values().cast(), size)] {
            // SAFETY: inside the mapping just made.
            if unsafe { libc::mprotect(start.cast(), len, libc::PROT_READ | libc::PROT_WRITE) } != 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(stack)
    }

    /// Bytes of address space for a stack of this many bytes.
    pub const fn total(size: usize) -> usize {
        3 * GUARD + HOST_RESERVE + 2 * size
    }

    fn native_bottom(&self) -> *mut u8 {
        self.base.wrapping_add(GUARD)
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

    fn clear(&self) {
        // SAFETY: inside the mapping, which nobody uses now; contents are not needed any more.
        unsafe {
            libc::madvise(self.native_bottom().cast(), HOST_RESERVE + self.size, libc::MADV_DONTNEED);
            libc::madvise(self.values().cast(), self.size, libc::MADV_DONTNEED);
        }
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: the whole range, reserved by `map`, used by nobody.
        unsafe { space::release(self.base, Self::total(self.size)) };
    }
}

/// What a stack's size is rounded up to.
pub const fn rounded(size: usize) -> usize {
    let size = if size < 64 << 10 { 64 << 10 } else { size };
    size.next_multiple_of(64 << 10)
}

/// Stacks that stores gave back.
#[derive(Debug, Default)]
pub struct StackPool {
    free: Mutex<Vec<Stack>>,
}

impl StackPool {
    /// A stack of this many bytes, rounded up to pages.
    pub fn take(&self, size: usize) -> io::Result<Stack> {
        let size = rounded(size);
        let mut free = self.free.lock().unwrap_or_else(|e| e.into_inner());
        match free.iter().position(|stack| stack.size == size) {
            Some(at) => Ok(free.swap_remove(at)),
            None => Stack::map(size),
        }
    }

    /// Gives a stack back; what was on it is forgotten.
    pub fn put(&self, stack: Stack) {
        let mut free = self.free.lock().unwrap_or_else(|e| e.into_inner());
        if free.len() < POOLED {
            stack.clear();
            free.push(stack);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pooled_stack_comes_back_empty() {
        let pool = StackPool::default();
        let stack = pool.take(1 << 20).unwrap();
        // SAFETY: inside the value stack.
        unsafe { stack.values().write(7) };
        let base = stack.base;
        pool.put(stack);
        let stack = pool.take(1 << 20).unwrap();
        assert_eq!(stack.base, base);
        // SAFETY: inside the value stack.
        assert_eq!(unsafe { stack.values().read() }, 0);
    }
}
