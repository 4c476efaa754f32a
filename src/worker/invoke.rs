//! `--invoke`: one export, its arguments read from the command line by the function's type.

use pinfold_vm::api::{Error, Instance, Store, Val, ValType};

use crate::run::Host;

/// Calls an export and prints its results, one on each line.
pub fn invoke(store: &mut Store<Host>, instance: Instance, name: &str, args: &[String]) -> Result<(), Error> {
    let missing = || Error::NoExport { name: name.to_owned(), kind: "function" };
    let func = instance.get_func(&*store, name).ok_or_else(missing)?;
    let ty = func.ty(&*store)?;
    if args.len() != ty.params().len() {
        return Err(Error::Type(format!("{name:?} has type {ty}; {} arguments were given", args.len())));
    }
    let params: Vec<Val> = ty.params().iter().zip(args).map(|(ty, arg)| parse(*ty, arg)).collect::<Result<_, _>>()?;
    let mut results: Vec<Val> = ty.results().iter().map(|ty| Val::zero(*ty)).collect();
    func.call(&mut *store, &params, &mut results)?;
    for value in &results {
        println!("{}", show(value));
    }
    Ok(())
}

/// A value as it is written.
pub fn parse(ty: ValType, text: &str) -> Result<Val, Error> {
    let value = match ty {
        ValType::I32 => integer(text)
            .and_then(|v| i32::try_from(v).or_else(|_| u32::try_from(v).map(|v| v as i32)).ok())
            .map(Val::I32),
        ValType::I64 => integer(text)
            .and_then(|v| i64::try_from(v).or_else(|_| u64::try_from(v).map(|v| v as i64)).ok())
            .map(Val::I64),
        ValType::F32 => text.parse::<f32>().ok().map(Val::from),
        ValType::F64 => text.parse::<f64>().ok().map(Val::from),
        ValType::V128 => integer(text).map(|v| Val::V128(v as u128)),
        ValType::Ref(ty) => (text == "null" && ty.nullable).then(|| Val::zero(ValType::Ref(ty))),
    };
    value.ok_or_else(|| Error::Type(format!("the argument {text:?} is no {ty}")))
}

/// A decimal or `0x` integer, maybe negative.
fn integer(text: &str) -> Option<i128> {
    let (negative, digits) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
    let value = match digits.strip_prefix("0x") {
        Some(hex) => i128::from_str_radix(hex, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some(if negative { -value } else { value })
}

/// A value, for people.
pub fn show(value: &Val) -> String {
    match value {
        Val::I32(v) => v.to_string(),
        Val::I64(v) => v.to_string(),
        Val::F32(v) => f32::from_bits(*v).to_string(),
        Val::F64(v) => f64::from_bits(*v).to_string(),
        Val::V128(v) => format!("{v:#034x}"),
        Val::FuncRef(None) | Val::ExternRef(None) | Val::ExnRef(None) | Val::AnyRef(None) => "null".into(),
        Val::FuncRef(Some(_)) => "a function".into(),
        Val::ExternRef(Some(_)) => "a host value".into(),
        Val::ExnRef(Some(_)) => "an exception".into(),
        Val::AnyRef(Some(any)) => any.as_i31().map_or_else(|| "an object".into(), |value| value.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arguments_are_read_by_type() {
        let show = |ty, text| parse(ty, text).map(|v| super::show(&v)).map_err(|e| e.to_string());
        assert_eq!(show(ValType::I32, "0xffffffff").unwrap(), "-1");
        assert_eq!(show(ValType::I64, "-5").unwrap(), "-5");
        assert_eq!(show(ValType::F64, "0.1").unwrap(), "0.1");
        assert!(show(ValType::I32, "4294967296").unwrap_err().contains("no i32"));
    }
}
