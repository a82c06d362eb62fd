//! From where to where numbers reach.

use std::ops::Range;

/// Magnitudes that are written out; numbers beyond them are counted in a power of ten.
const USUAL: Range<f64> = 1e-4..1e7;
/// Numbers that differ by less than this share of the larger count as one.
const ALIKE: f64 = 1e-8;
/// Room on either side of an axis, as a share of its length.
const ROOM: f64 = 0.05;

/// Where the finite numbers of an axis lie, from the least to the largest.
///
/// They are counted in a unit that keeps them far from the largest and least floats, where
/// differences overflow: 1 where numbers are of a usual size, else a power of ten.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Extent {
    exponent: i32,
    low: f64,
    high: f64,
}

impl Extent {
    /// Measures numbers; the extent of one value alone goes some way to either side of it.
    pub(super) fn of(values: impl Iterator<Item = f64>) -> Self {
        let finite = values.filter(|x| x.is_finite());
        let ends = finite.fold(None, |ends: Option<(f64, f64)>, x| match ends {
            Some((low, high)) => Some((low.min(x), high.max(x))),
            None => Some((x, x)),
        });
        let (low, high) = ends.unwrap_or((0.0, 1.0));
        let largest = low.abs().max(high.abs());
        let usual = largest == 0.0 || USUAL.contains(&largest);
        let exponent = if usual { 0 } else { largest.log10().floor().clamp(-300.0, 300.0) as i32 };
        let new = Self { exponent, low, high };
        let (low, high) = (new.scaled(low), new.scaled(high));
        // One value, or as good as one.
        let is_alone = high - low <= ALIKE * low.abs().max(high.abs());
        let room = if is_alone { (0.1 * low.abs()).max(0.5) } else { 0.0 };
        Self { low: low - room, high: high + room, ..new }
    }

    /// The same with a little room on both sides.
    pub(super) fn roomy(self) -> Self {
        let room = ROOM * (self.high - self.low);
        Self { low: self.low - room, high: self.high + room, ..self }
    }

    /// A number in the unit.
    pub(super) fn scaled(&self, x: f64) -> f64 {
        x / 10_f64.powi(self.exponent)
    }

    /// The ends, in the unit.
    pub(super) fn range(&self) -> Range<f64> {
        self.low..self.high
    }

    /// How far along the axis a number lies, from 0 to 1.
    pub(super) fn share(&self, x: f64) -> f64 {
        (self.scaled(x) - self.low) / (self.high - self.low)
    }

    /// An axis' name with the unit, where that is not 1.
    pub(super) fn named(&self, name: &str) -> String {
        match self.exponent {
            0 => name.to_string(),
            e if name.is_empty() => format!("× 1e{e}"),
            e => format!("{name} (× 1e{e})"),
        }
    }
}

/// Writes the number of a tick, without the noise of rounding in its last digits.
pub(super) fn tick(x: &f64) -> String {
    let rounded = (x * 1e7).round() / 1e7;
    if rounded == 0.0 { "0".to_string() } else { format!("{rounded}") }
}

/// Writes a number in a few digits.
pub(super) fn short(x: f64) -> String {
    if x == 0.0 || (1e-3..1e6).contains(&x.abs()) { format!("{x:.4}") } else { format!("{x:.4e}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ends_have_room_and_a_unit() {
        let e = Extent::of([3.0, f64::NAN, 5.0, f64::INFINITY].into_iter());
        assert_eq!((e.range(), e.named("x").as_str()), (3.0..5.0, "x"));
        assert_eq!(e.roomy().range(), 2.9..5.1);
        for scale in [1e-300, 1e-9, 1e300] {
            let e = Extent::of([-2.0 * scale, 6.0 * scale].into_iter());
            assert!((e.share(2.0 * scale) - 0.5).abs() < 1e-12, "{scale}");
            assert!(e.named("x").starts_with("x (× 1e"));
            assert!((1.0..20.0).contains(&(e.range().end - e.range().start)));
        }
        let e = Extent::of([f64::MAX, -f64::MAX].into_iter());
        assert!(e.share(0.0) == 0.5 && e.roomy().range().end.is_finite());
        for x in [0.0, 7.0, 1e200, -1e-200] {
            let e = Extent::of([x, x].into_iter());
            assert!(e.range().start < e.range().end && (e.share(x) - 0.5).abs() < 1e-9, "{x}");
        }
    }

    #[test]
    fn numbers_are_short() {
        assert_eq!([0.1 + 0.2, -0.0, 1e-20, 250.0].map(|x| tick(&x)), ["0.3", "0", "0", "250"]);
        assert_eq!(short(1234.56789), "1234.5679");
        assert_eq!(short(-1.5e9), "-1.5000e9");
    }
}
