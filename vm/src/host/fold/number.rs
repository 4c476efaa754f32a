//! Floats as text and back, and functions of them.

use super::call::Answer;
use super::{Call, Text, rows};
use crate::host::wasi::Errno;

rows! {
    float_text(value: float) -> text, Process, "The shortest text that is read as the same number.";
    float_fixed(value: float, digits: int) -> text, Process, "A number with so many digits after the point.";
    float_exponent(value: float, digits: int) -> text, Process, "A number with an exponent, and so many digits after the point; negative: as many as it needs.";
    float_parse(text: text) -> float, Process, "Reads a number; not a number, and an error number, if it is none.";
    math_sin(x: float) -> float, Process, "Sine.";
    math_cos(x: float) -> float, Process, "Cosine.";
    math_tan(x: float) -> float, Process, "Tangent.";
    math_asin(x: float) -> float, Process, "Arc sine.";
    math_acos(x: float) -> float, Process, "Arc cosine.";
    math_atan(x: float) -> float, Process, "Arc tangent.";
    math_atan2(y: float, x: float) -> float, Process, "The angle of a point.";
    math_sinh(x: float) -> float, Process, "Hyperbolic sine.";
    math_cosh(x: float) -> float, Process, "Hyperbolic cosine.";
    math_tanh(x: float) -> float, Process, "Hyperbolic tangent.";
    math_exp(x: float) -> float, Process, "e to the power.";
    math_ln(x: float) -> float, Process, "The natural logarithm.";
    math_log2(x: float) -> float, Process, "The logarithm to base 2.";
    math_log10(x: float) -> float, Process, "The logarithm to base 10.";
    math_pow(x: float, y: float) -> float, Process, "The power.";
    math_cbrt(x: float) -> float, Process, "The cube root.";
}

/// Most digits after the point: no double has more that are not zero.
const DIGITS: i64 = 1100;

fn float_text(_: &mut Call<'_>, value: f64) -> Answer<Vec<u8>> {
    Ok(format!("{value:?}").into_bytes())
}

fn float_fixed(_: &mut Call<'_>, value: f64, digits: i64) -> Answer<Vec<u8>> {
    Ok(format!("{value:.*}", digits.clamp(0, DIGITS) as usize).into_bytes())
}

fn float_exponent(_: &mut Call<'_>, value: f64, digits: i64) -> Answer<Vec<u8>> {
    let text = if digits < 0 { format!("{value:e}") } else { format!("{value:.*e}", digits.min(DIGITS) as usize) };
    Ok(text.into_bytes())
}

fn float_parse(call: &mut Call<'_>, text: Text) -> Answer<f64> {
    let value = call.text(text)?.parse().map_err(|_| Errno::Inval)?;
    call.host.fold.error = 0;
    Ok(value)
}

/// Functions of one number.
macro_rules! functions {
    ($($name:ident $method:ident)*) => {$(
        fn $name(_: &mut Call<'_>, x: f64) -> Answer<f64> {
            Ok(x.$method())
        }
    )*};
}

functions! {
    math_sin sin
    math_cos cos
    math_tan tan
    math_asin asin
    math_acos acos
    math_atan atan
    math_sinh sinh
    math_cosh cosh
    math_tanh tanh
    math_exp exp
    math_ln ln
    math_log2 log2
    math_log10 log10
    math_cbrt cbrt
}

fn math_atan2(_: &mut Call<'_>, y: f64, x: f64) -> Answer<f64> {
    Ok(y.atan2(x))
}

fn math_pow(_: &mut Call<'_>, x: f64, y: f64) -> Answer<f64> {
    Ok(x.powf(y))
}
