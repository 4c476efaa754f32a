//! What is no capability. It is compiled by `errors.rs`, and all that is said of it is in `snapshots`.

use pinfold_derive::capability;

#[capability]
trait Generic<T> {
    fn get(&self) -> T;
}

#[capability]
trait Bound
where
    Self: Sized,
{
}

#[capability]
unsafe trait Unsafe {}

#[capability(name = "Other")]
trait WithArguments {}

#[capability]
struct NoTrait;

#[capability]
trait Members {
    const SIZE: usize;
    type Item;
}

#[capability]
trait Receivers {
    fn none() -> i64;
    fn other(count: i64) -> i64;
    fn changed(&mut self);
    fn taken(self);
    fn boxed(self: Box<Self>);
    fn lent(&'static self);
}

#[capability]
trait Kinds {
    async fn waits(&self) -> i64;
    unsafe fn trusts(&self);
    extern "C" fn foreign(&self);
    fn any<T>(&self, value: T);
    fn bound(&self)
    where
        Self: Sized;
}

#[capability]
trait Types {
    fn changes(&self, list: &mut Vec<i64>);
    fn nameless(&self, (a, b): (i64, i64)) {}
    fn borrowed(&self, name: &'a str) -> i64;
    fn any(&self, names: impl Iterator<Item = i64>);
    fn some(&self) -> Option<impl Sized>;
    fn same(&self, other: &Self) -> bool;
    fn fine(&self, text: &str, numbers: &[i64], pair: &(i64, i64)) -> Result<&str, String>;
}

#[capability]
trait Names {
    #[fold(title = "x")]
    fn titled(&self);
    fn renamed(&self, #[fold(name = 1)] other: i64);
}

fn main() {}
