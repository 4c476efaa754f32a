//! Queues between threads. Those of the standard library yield the processor while they are contended for, which is a system call that a process
//! that was locked down does not have; these wait on futexes only.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};

/// Makes a queue: where things go in, and where they come out in the same order.
pub fn queue<T>() -> (Sender<T>, Receiver<T>) {
    let state = State { items: VecDeque::new(), senders: 1, is_received: true };
    let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new() });
    (Sender(shared.clone()), Receiver(shared))
}

struct Shared<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
}

struct State<T> {
    items: VecDeque<T>,
    senders: usize,
    is_received: bool,
}

impl<T> Shared<T> {
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(|e| e.into_inner())
    }
}

/// Where things go in.
pub struct Sender<T>(Arc<Shared<T>>);

impl<T> Sender<T> {
    /// Puts something in; gives it back if nobody is there to take it.
    ///
    /// # Errors
    /// What was to be sent.
    pub fn send(&self, item: T) -> Result<(), T> {
        let mut state = self.0.lock();
        if !state.is_received {
            return Err(item);
        }
        state.items.push_back(item);
        drop(state);
        self.0.changed.notify_one();
        Ok(())
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Self(self.0.clone())
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.0.lock().senders -= 1;
        self.0.changed.notify_one();
    }
}

/// Where they come out.
pub struct Receiver<T>(Arc<Shared<T>>);

impl<T> Receiver<T> {
    /// Waits for the next; nothing once all that could send are gone.
    pub fn recv(&self) -> Option<T> {
        let mut state = self.0.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                return Some(item);
            }
            if state.senders == 0 {
                return None;
            }
            state = self.0.changed.wait(state).unwrap_or_else(|e| e.into_inner());
        }
    }

    /// The next, if there is one by now.
    pub fn try_recv(&self) -> Option<T> {
        self.0.lock().items.pop_front()
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.is_received = false;
        let items = std::mem::take(&mut state.items);
        // What they hold may be another end of this queue.
        drop(state);
        drop(items);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_comes_out_in_order_and_then_the_end() {
        let (sender, receiver) = queue();
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                let sender = sender.clone();
                std::thread::spawn(move || (0..1000).for_each(|item| sender.send((thread, item)).unwrap()))
            })
            .collect();
        drop(sender);
        let mut next = [0; 4];
        while let Some((thread, item)) = receiver.recv() {
            assert_eq!(item, next[thread]);
            next[thread] += 1;
        }
        assert_eq!(next, [1000; 4]);
        threads.into_iter().for_each(|thread| thread.join().unwrap());
        assert!(receiver.try_recv().is_none());
    }

    #[test]
    fn where_nobody_receives_nothing_is_sent() {
        let (sender, receiver) = queue();
        sender.send(1).unwrap();
        assert_eq!(receiver.try_recv(), Some(1));
        drop(receiver);
        assert_eq!(sender.send(2), Err(2));
    }
}
