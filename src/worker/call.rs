//! Calling one function of a program in Fold with the arguments that a host gave.

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::fd::FromRawFd;

use pinfold::exchange;
use pinfold::job::{Call, descriptors};
use pinfold_vm::api::{
    AnyRef, ArrayRef, ArrayType, Error, FieldType, Instance, StorageType, Store, Trap, TrapKind, Val, ValType,
};

use crate::run::Host;

/// Calls it, and writes what it gives behind its arguments.
pub fn call(call: &Call, store: &mut Store<Host>, instance: Instance, mut arguments: Vec<Val>) -> Result<(), Error> {
    let missing = || Error::NoExport { name: call.function.clone(), kind: "function" };
    let number = descriptors::exchange(&call.run).ok_or_else(missing)?;
    // SAFETY: the supervisor gives it; nobody else uses it. To close it is refused.
    let mut file = ManuallyDrop::new(unsafe { File::from_raw_fd(number) });
    let (words, bytes) = exchange::read(&mut *file, u64::MAX).map_err(Error::host)?;
    let func = instance.get_func(&*store, &format!("call {}", call.function)).ok_or_else(missing)?;
    for (storage, part) in [(StorageType::from(ValType::I64), words), (StorageType::I8, bytes)] {
        let ty = ArrayType::new(store.engine(), FieldType::mutable(storage))?;
        arguments.push(ArrayRef::from_bytes(&mut *store, &ty, &part)?.into());
    }
    let given = arguments.split_off(arguments.len().saturating_sub(2));
    arguments.extend(given.iter().cloned());
    let mut results = [Val::AnyRef(None), Val::I64(0), Val::AnyRef(None), Val::I64(0)];
    func.call(&mut *store, &arguments, &mut results)?;
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
    exchange::write(&mut *file, &words, &bytes).map_err(too_much)
}
