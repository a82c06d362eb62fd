//! How much memory may be taken.

use aezip::Error;
use std::str::FromStr;

/// How much memory may be taken.
#[derive(Debug, Clone, Copy, clap::Args)]
pub(crate) struct MemoryArgs {
    /// Take about so much memory at most: 256M, 2G. What cannot be done within it is refused; learning
    /// looks at no more rows than fit.
    #[arg(long, value_name = "SIZE", default_value = "1G")]
    memory: MemorySize,
}

impl MemoryArgs {
    /// Returns the bytes.
    pub(crate) fn bytes(self) -> u64 {
        self.memory.0
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct MemorySize(u64);

/// What stands for powers of 1024, the first for 1024 itself.
const UNITS: &str = "KMGT";

impl FromStr for MemorySize {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let unknown = || Error::argument("not a size such as 256M or 2G");
        let upper = text.trim().to_uppercase();
        let plain = upper.strip_suffix("IB").or(upper.strip_suffix('B')).unwrap_or(&upper);
        let (number, power) = match plain.char_indices().next_back() {
            Some((at, unit)) if UNITS.contains(unit) => {
                (&plain[..at], 1 + UNITS.find(unit).unwrap_or(0) as u32)
            }
            _ => (plain, 0),
        };
        let number: f64 = number.trim().parse().map_err(|_| unknown())?;
        let bytes = number * f64::from(1024_u32).powi(power as i32);
        match bytes.is_finite() && bytes >= 1.0 {
            true => Ok(Self(bytes as u64)),
            false => Err(unknown()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_units() {
        let size = |text: &str| text.parse::<MemorySize>().map(|s| s.0).ok();
        assert_eq!(size("256M"), Some(256 << 20));
        assert_eq!(size("1g"), Some(1 << 30));
        assert_eq!(size("1.5GiB"), Some(3 << 29));
        assert_eq!(
            (size("4096"), size("64 KB"), size("2T")),
            (Some(4096), Some(1 << 16), Some(2 << 40))
        );
        for text in ["", "G", "-1G", "0", "many", "1Q", "inf", "nanG"] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
