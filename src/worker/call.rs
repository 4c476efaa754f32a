//! Calling one function of a program in Fold with the arguments that a host gave.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

use pinfold::exchange;
use pinfold::job::{Run, descriptors};
use pinfold_vm::api::{
    AnyRef, ArrayRef, ArrayType, Error, FieldType, Func, Instance, StorageType, Store, Trap, TrapKind, Val, ValType,
};

use crate::run::Host;

/// A function that can be called at once.
pub struct Callee<'a> {
    name: &'a str,
    func: Func,
    /// Of words, and of bytes.
    types: [ArrayType; 2],
    exchange: ManuallyDrop<File>,
}

impl<'a> Callee<'a> {
    /// Finds it.
    pub fn new(name: &'a str, run: &Run, store: &Store<Host>, instance: Instance) -> Result<Self, Error> {
        let number = descriptors::exchange(run).ok_or_else(|| missing(name))?;
        let func = instance.get_func(store, &format!("call {name}")).ok_or_else(|| missing(name))?;
        let array = |storage| ArrayType::new(store.engine(), FieldType::mutable(storage));
        let types = [array(StorageType::from(ValType::I64))?, array(StorageType::I8)?];
        // SAFETY: the supervisor gives it; nobody else uses it. To close it is refused.
        let exchange = ManuallyDrop::new(unsafe { File::from_raw_fd(number) });
        Ok(Self { name, func, types, exchange })
    }

    /// Calls it, and writes what it gives behind its arguments.
    pub fn call(mut self, store: &mut Store<Host>, mut arguments: Vec<Val>) -> Result<(), Error> {
        let (words, bytes) = exchange::read(&mut *self.exchange, u64::MAX).map_err(Error::host)?;
        for (ty, part) in self.types.iter().zip([words, bytes]) {
            arguments.push(ArrayRef::from_bytes(&mut *store, ty, &part)?.into());
        }
        let given = arguments.split_off(arguments.len().saturating_sub(2));
        arguments.extend(given.iter().cloned());
        let mut results = [Val::AnyRef(None), Val::I64(0), Val::AnyRef(None), Val::I64(0)];
        self.func.call(&mut *store, &arguments, &mut results)?;
        let missing = || missing(self.name);
        let used = |buffer: &Val, given: Option<&Val>, count: &Val, size: usize| -> Result<Vec<u8>, Error> {
            let same = given.and_then(Val::as_any).flatten();
            let Some(buffer) = buffer.as_any().flatten().or(same) else { return Err(missing()) };
            let buffer = AnyRef::to_array(&buffer, &*store)?;
            let count =
                count.as_i64().and_then(|count| usize::try_from(count).ok()).and_then(|count| count.checked_mul(size));
            let used = count.and_then(|count| Some(buffer.bytes(&*store).ok()?.get(..count)?.to_vec()));
            used.ok_or_else(missing)
        };
        let words = used(&results[0], given.first(), &results[1], 8)?;
        let bytes = used(&results[2], given.get(1), &results[3], 1)?;
        let too_much = |_| Error::from(Trap::new(TrapKind::OutputLimit));
        exchange::write(&mut *self.exchange, &words, &bytes).map_err(too_much)
    }
}

fn missing(name: &str) -> Error {
    Error::NoExport { name: name.to_owned(), kind: "function" }
}
