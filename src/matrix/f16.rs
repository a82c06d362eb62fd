//! IEEE 754 binary16, converted exactly to `f64` and from `f64` in one correct rounding.
//!
//! Going through `f32` would round twice; the format promises a single rounding. The crate `half`
//! does not give one: `half::f16::from_f64` (2.7) goes through `f32` where the CPU has F16C and
//! cuts the lower 32 bits of the mantissa where it has not, and is wrong for a third of the values
//! right beside the middle of two halves.

/// A half-precision number, held as its bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default, bytemuck::Pod, bytemuck::Zeroable)]
#[repr(transparent)]
pub struct F16(pub u16);

impl F16 {
    /// Returns the exact value. NaN payloads are not carried over: use the bits where they matter.
    pub fn to_f64(self) -> f64 {
        let sign = if self.0 & 0x8000 != 0 { -1.0 } else { 1.0 };
        let exponent = i32::from(self.0 >> 10 & 31);
        let mantissa = f64::from(self.0 & 0x3ff);
        match exponent {
            0 => sign * mantissa * pow2(-24),
            31 if mantissa == 0.0 => sign * f64::INFINITY,
            31 => f64::NAN,
            e => sign * (1024.0 + mantissa) * pow2(e - 25),
        }
    }

    /// Rounds to the nearest half, ties to even; what is too large becomes infinity.
    pub fn from_f64(x: f64) -> Self {
        let sign = ((x.to_bits() >> 48) & 0x8000) as u16;
        if x.is_nan() {
            return F16(sign | 0x7e00);
        }
        let a = x.abs();
        if a >= FIRST_INFINITE {
            return F16(sign | 0x7c00);
        }
        // The spacing of halves around `a`: 2^(e-10) with e at least -14.
        let e = ((a.to_bits() >> 52) as i32 - 1023).max(-14);
        // Scaling by a power of two is exact, so this is the only rounding.
        let m = (a * pow2(10 - e)).round_ties_even() as u32;
        // A mantissa that rounds up to 2048 carries into the exponent by itself.
        let bits = ((e + 14) as u32) * 1024 + m;
        F16(sign | bits as u16)
    }

    /// Says whether this is neither NaN nor infinite.
    pub fn is_finite(self) -> bool {
        self.0 & 0x7c00 != 0x7c00
    }
}

/// Halfway between the largest half, 65504, and what would come next: rounds to infinity.
const FIRST_INFINITE: f64 = 65520.0;

/// Returns `2^e` for `-1022 <= e <= 1023`, exactly.
fn pow2(e: i32) -> f64 {
    f64::from_bits(((e + 1023) as u64) << 52)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_half_survives_the_round_trip() {
        for bits in 0..=u16::MAX {
            let h = F16(bits);
            let x = h.to_f64();
            if h.is_finite() {
                assert_eq!(F16::from_f64(x).0, bits, "{bits:#06x} = {x}");
            } else {
                assert_eq!(x.is_nan(), bits & 0x3ff != 0);
            }
        }
    }

    #[test]
    fn rounding_is_to_nearest_even_between_all_neighbours() {
        for bits in 0..0x7bff_u16 {
            let (a, b) = (F16(bits).to_f64(), F16(bits + 1).to_f64());
            let mid = (a + b) / 2.0;
            let even = if bits & 1 == 0 { bits } else { bits + 1 };
            assert_eq!(F16::from_f64(mid).0, even);
            assert_eq!(F16::from_f64(mid.next_down()).0, bits);
            assert_eq!(F16::from_f64(mid.next_up()).0, bits + 1);
        }
        assert_eq!(F16::from_f64(65519.999).0, 0x7bff);
        assert_eq!(F16::from_f64(-65520.0).0, 0xfc00);
    }
}
