//! The host of a run: a console that is written down, and functions that need no capability.
//!
//! Clocks stand still, and random numbers are always the same ones.

use std::rc::Rc;

use super::PanicKind;
use super::machine::{Eval, Machine};
use super::value::Value;

/// What the host has of a run.
pub(super) struct Host {
    pub(super) output: Vec<u8>,
    pub(super) errors: Vec<u8>,
    input: Vec<u8>,
    read: usize,
    error: i64,
    random: u64,
}

impl Host {
    pub(super) fn new(input: &[u8]) -> Self {
        Self { output: Vec::new(), errors: Vec::new(), input: input.to_vec(), read: 0, error: 0, random: 1 }
    }

    /// The next line of input, without what ends it.
    fn line(&mut self) -> Option<Vec<u8>> {
        let rest = &self.input[self.read..];
        if rest.is_empty() {
            return None;
        }
        let end = rest.iter().position(|&byte| byte == b'\n');
        let line = &rest[..end.unwrap_or(rest.len())];
        self.read += end.map_or(rest.len(), |end| end + 1);
        Some(line.strip_suffix(b"\r").unwrap_or(line).to_vec())
    }

    fn random(&mut self) -> i64 {
        // splitmix64
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.random ^ (self.random >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) as i64
    }
}

/// A Float as text: the shortest that gives it again; exponents from 1e16 on and below 1e-5.
fn float_text(x: f64) -> String {
    if x.is_finite() { format!("{x:?}") } else { format!("{x}") }
}

impl<'p> Machine<'p> {
    /// Calls a function of the host, if it has it here.
    pub(super) fn call_host(&mut self, name: &str, args: &[Value<'p>]) -> Eval<'p, Option<Value<'p>>> {
        if let Some(what) = name.strip_prefix("math_") {
            return Ok(math(what, args).map(Value::Float));
        }
        let optional = |this: &Self, bytes: Option<Vec<u8>>| -> Value<'p> {
            let Some(id) = this.program.lang.option else { unreachable!("no Option") };
            match bytes {
                Some(bytes) => Value::Variant(id, 1, Rc::from([Value::bytes(&bytes)])),
                None => Value::Variant(id, 0, Rc::from([])),
            }
        };
        Ok(Some(match name {
            "panic_with" | "panic" => return self.panic(PanicKind::Called, args[0].to_text()),
            "fail_with" => {
                self.host.errors.extend(args[0].to_vec());
                self.host.errors.push(b'\n');
                Value::unit()
            }
            "error" => Value::Int(self.host.error),
            "console_write" => {
                self.host.output.extend(args[1].to_vec());
                Value::Int(0)
            }
            "console_error" => {
                self.host.errors.extend(args[1].to_vec());
                Value::Int(0)
            }
            "console_read_line" => {
                self.host.error = 0;
                let line = self.host.line();
                optional(self, line)
            }
            "clock_now" | "clock_monotonic" => Value::Int(0),
            "clock_sleep" => Value::unit(),
            "random_int" => Value::Int(self.host.random()),
            "random_bytes" => {
                let count = args[1].int().clamp(0, 1 << 20);
                Value::bytes(&(0..count).map(|_| self.host.random() as u8).collect::<Vec<_>>())
            }
            "env_get" => optional(self, None),
            "env_keys" | "args_all" => Value::text(""),
            "float_text" => Value::text(&float_text(args[0].float())),
            "float_fixed" => Value::text(&format!("{:.*}", digits(&args[1]), args[0].float())),
            "float_exponent" if args[1].int() < 0 => Value::text(&format!("{:e}", args[0].float())),
            "float_exponent" => Value::text(&format!("{:.*e}", digits(&args[1]), args[0].float())),
            "float_parse" => {
                let parsed = args[0].to_text().parse::<f64>();
                self.host.error = if parsed.is_ok() { 0 } else { 28 };
                Value::Float(parsed.unwrap_or(f64::NAN))
            }
            _ => return Ok(None),
        }))
    }
}

fn digits(value: &Value<'_>) -> usize {
    value.int().clamp(0, 1_000) as usize
}

fn math(what: &str, args: &[Value<'_>]) -> Option<f64> {
    let x = args[0].float();
    let y = args.get(1).map_or(0.0, Value::float);
    Some(match what {
        "sin" => x.sin(),
        "cos" => x.cos(),
        "tan" => x.tan(),
        "asin" => x.asin(),
        "acos" => x.acos(),
        "atan" => x.atan(),
        "atan2" => x.atan2(y),
        "sinh" => x.sinh(),
        "cosh" => x.cosh(),
        "tanh" => x.tanh(),
        "exp" => x.exp(),
        "ln" => x.ln(),
        "log2" => x.log2(),
        "log10" => x.log10(),
        "pow" => x.powf(y),
        "cbrt" => x.cbrt(),
        _ => return None,
    })
}
