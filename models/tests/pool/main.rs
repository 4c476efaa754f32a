//! The pool of workers that are kept ready, as the library has it, with all interleavings of a few calls. See the README beside it.

#[cfg(not(loom))]
compile_error!("built with RUSTFLAGS='--cfg loom' only");

#[path = "../../../src/embed/pool.rs"]
mod pool;
mod workshop;

use std::sync::Arc;

use loom::thread;
use pool::Pool;
use workshop::{FAILS, Recipe, Workshop, explore};

/// What a call does: it takes a worker if one waits, otherwise makes one that is no concern of the pool, and orders others.
fn call(pool: &Pool<Recipe>, workshop: &Arc<Workshop>, key: char) {
    let remains = pool.take(&key).map(|worker| worker.serve(key));
    pool.order(workshop.recipe(key), remains);
}

/// A pool that workers wait in. How it came to that is tried in one way only.
fn filled(workshop: &Arc<Workshop>, size: usize) -> Arc<Pool<Recipe>> {
    loom::stop_exploring();
    let pool = Arc::new(Pool::new(size));
    call(&pool, workshop, 'a');
    workshop.until_full();
    // Until the makers wait too.
    thread::yield_now();
    loom::explore();
    pool
}

/// Another caller, who has a share of the pool.
fn caller(pool: &Arc<Pool<Recipe>>, workshop: &Arc<Workshop>, key: char) -> thread::JoinHandle<()> {
    let (pool, workshop) = (Arc::clone(pool), Arc::clone(workshop));
    thread::spawn(move || call(&pool, &workshop, key))
}

#[test]
fn first_calls_have_the_pool_filled() {
    explore("first calls", 2, |workshop| {
        let pool = Arc::new(Pool::new(2));
        let other = caller(&pool, workshop, 'a');
        call(&pool, workshop, 'a');
        other.join().unwrap();
        workshop.until_full();
    });
}

#[test]
fn a_worker_serves_one_call_and_another_is_made_for_it() {
    explore("calls at a time", 2, |workshop| {
        let pool = filled(workshop, 2);
        let other = caller(&pool, workshop, 'a');
        call(&pool, workshop, 'a');
        other.join().unwrap();
        workshop.until_full();
    });
}

#[test]
fn one_call_after_another_leaves_the_pool_full() {
    explore("calls in a row", 2, |workshop| {
        let pool = Pool::new(2);
        for _ in 0..3 {
            call(&pool, workshop, 'a');
        }
        workshop.until_full();
    });
}

#[test]
fn what_fails_takes_no_place() {
    for size in [1, 2] {
        explore("makers that fail", size, move |workshop| {
            let pool = Pool::new(size);
            call(&pool, workshop, FAILS);
            // What a maker cannot make it lets go of some time; then there is room for others.
            while workshop.ready('b') == 0 {
                call(&pool, workshop, 'b');
                thread::yield_now();
            }
        });
    }
}

#[test]
fn one_that_fails_leaves_what_others_ordered() {
    explore("one that fails before another", 3, |workshop| {
        let pool = filled(workshop, 3);
        call(&pool, workshop, FAILS);
        call(&pool, workshop, 'b');
        workshop.until_ready('b');
    });
    explore("one that fails beside another", 2, |workshop| {
        let pool = Arc::new(Pool::new(2));
        let other = caller(&pool, workshop, FAILS);
        call(&pool, workshop, 'a');
        other.join().unwrap();
    });
}

#[test]
fn no_call_waits_for_a_maker() {
    explore("makers that take their time", 2, |workshop| {
        let pool = Pool::new(2);
        workshop.hold(true);
        call(&pool, workshop, 'a');
        call(&pool, workshop, 'a');
        workshop.hold(false);
        workshop.until_full();
    });
}

#[test]
fn one_that_died_while_it_waited_serves_nobody() {
    explore("one that dies", 2, |workshop| {
        let pool = filled(workshop, 2);
        let killer = thread::spawn({
            let workshop = Arc::clone(workshop);
            move || workshop.kill(0)
        });
        call(&pool, workshop, 'a');
        call(&pool, workshop, 'a');
        killer.join().unwrap();
    });
}

#[test]
fn makers_end_when_the_pool_does() {
    explore("closing", 2, |workshop| {
        call(&Pool::new(2), workshop, 'a');
    });
    explore("closing while one fails", 2, |workshop| {
        call(&Pool::new(2), workshop, FAILS);
    });
    explore("the last of two callers closes", 2, |workshop| {
        let pool = Arc::new(Pool::new(2));
        let other = caller(&pool, workshop, 'a');
        drop(pool);
        other.join().unwrap();
    });
}

#[test]
fn workers_of_one_kind_give_way_to_those_of_another() {
    for size in [1, 2] {
        explore("kinds that give way", size, move |workshop| {
            let pool = filled(workshop, size);
            call(&pool, workshop, 'b');
            workshop.until_full();
            assert_eq!(workshop.ready('b'), 1);
        });
        explore("two kinds at a time", size, move |workshop| {
            let pool = Arc::new(Pool::new(size));
            let other = caller(&pool, workshop, 'b');
            call(&pool, workshop, 'a');
            other.join().unwrap();
            workshop.until_full();
        });
    }
}
