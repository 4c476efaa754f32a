//! What WebAssembly demands of floating-point operators beyond the machine's own.

use crate::runtime::trap::TrapKind;

macro_rules! float {
    ($($ty:ident, $quiet:ident $quiet_bit:literal, $canon:ident $canonical:literal,
        $min:ident, $max:ident, $ceil:ident, $floor:ident, $trunc:ident, $nearest:ident;)*) => {$(
        /// The same number; a signalling NaN becomes quiet.
        #[inline(always)]
        pub fn $quiet(a: $ty) -> $ty {
            if a.is_nan() { $ty::from_bits(a.to_bits() | $quiet_bit) } else { a }
        }

        /// The same number; every NaN becomes the canonical one.
        #[inline(always)]
        pub fn $canon(a: $ty) -> $ty {
            if a.is_nan() { $ty::from_bits($canonical) } else { a }
        }

        /// The smaller number; `-0` is smaller than `0`, and NaN wins.
        #[inline(always)]
        pub fn $min(a: $ty, b: $ty) -> $ty {
            if a < b {
                a
            } else if b < a {
                b
            } else if a == b {
                $ty::from_bits(a.to_bits() | b.to_bits())
            } else {
                a + b
            }
        }

        /// The larger number; `0` is larger than `-0`, and NaN wins.
        #[inline(always)]
        pub fn $max(a: $ty, b: $ty) -> $ty {
            if a > b {
                a
            } else if b > a {
                b
            } else if a == b {
                $ty::from_bits(a.to_bits() & b.to_bits())
            } else {
                a + b
            }
        }

        /// Rounds up.
        #[inline(always)]
        pub fn $ceil(a: $ty) -> $ty {
            $quiet(a.ceil())
        }

        /// Rounds down.
        #[inline(always)]
        pub fn $floor(a: $ty) -> $ty {
            $quiet(a.floor())
        }

        /// Rounds towards zero.
        #[inline(always)]
        pub fn $trunc(a: $ty) -> $ty {
            $quiet(a.trunc())
        }

        /// Rounds to the nearest integer, ties to even.
        #[inline(always)]
        pub fn $nearest(a: $ty) -> $ty {
            $quiet(a.round_ties_even())
        }
    )*};
}

float! {
    f32, quiet_f32 0x0040_0000, canonical_f32 0x7fc0_0000, min_f32, max_f32, ceil_f32, floor_f32, trunc_f32, nearest_f32;
    f64, quiet_f64 0x0008_0000_0000_0000, canonical_f64 0x7ff8_0000_0000_0000,
        min_f64, max_f64, ceil_f64, floor_f64, trunc_f64, nearest_f64;
}

macro_rules! truncate {
    ($($name:ident: $from:ty => $to:ty, $above:tt $low:literal, $high:literal;)*) => {$(
        /// The integer part, if it is one of the type.
        #[inline(always)]
        #[allow(clippy::manual_range_contains)]
        pub fn $name(a: $from) -> Result<$to, TrapKind> {
            if a $above $low && a < $high {
                return Ok(a as $to);
            }
            Err(if a.is_nan() { TrapKind::InvalidConversion } else { TrapKind::IntegerOverflow })
        }
    )*};
}

truncate! {
    i32_from_f32: f32 => i32, >= -2147483648.0, 2147483648.0;
    u32_from_f32: f32 => u32, > -1.0, 4294967296.0;
    i64_from_f32: f32 => i64, >= -9223372036854775808.0, 9223372036854775808.0;
    u64_from_f32: f32 => u64, > -1.0, 18446744073709551616.0;
    i32_from_f64: f64 => i32, > -2147483649.0, 2147483648.0;
    u32_from_f64: f64 => u32, > -1.0, 4294967296.0;
    i64_from_f64: f64 => i64, >= -9223372036854775808.0, 9223372036854775808.0;
    u64_from_f64: f64 => u64, > -1.0, 18446744073709551616.0;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zeros_have_an_order() {
        assert!(min_f64(0.0, -0.0).is_sign_negative());
        assert!(max_f32(-0.0, 0.0).is_sign_positive());
    }

    #[test]
    fn truncation_knows_its_limits() {
        assert_eq!(i32_from_f64(-2147483648.9), Ok(i32::MIN));
        assert_eq!(i32_from_f64(2147483648.0), Err(TrapKind::IntegerOverflow));
        assert_eq!(u32_from_f32(-0.9), Ok(0));
        assert_eq!(u64_from_f64(f64::NAN), Err(TrapKind::InvalidConversion));
    }
}
