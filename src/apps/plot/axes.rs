//! A frame with numbers at its sides.

use super::canvas::{Anchor, BLACK, Canvas, GREY, LIGHT, WHITE};

/// Where numbers lie on a side of a picture.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    low: f64,
    high: f64,
    logarithmic: bool,
}

impl Range {
    /// Of all finite numbers, with a little room on both sides.
    pub(super) fn of(values: impl Iterator<Item = f64>, logarithmic: bool) -> Self {
        let value = |x: f64| if logarithmic { x.log10() } else { x };
        let (low, high) = values
            .map(value)
            .filter(|x| x.is_finite())
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(l, h), x| (l.min(x), h.max(x)));
        let (low, high) = if low > high { (0.0, 1.0) } else { (low, high) };
        // Halves, as the difference may be beyond all numbers.
        let room = (high / 2.0 - low / 2.0) * 0.06;
        let room = if room > 0.0 { room } else { (low.abs() * 0.1).max(0.5) };
        let clamp = |x: f64| x.clamp(-f64::MAX, f64::MAX);
        Self { low: clamp(low - room), high: clamp(high + room), logarithmic }
    }

    /// From 0 to 1.
    pub(super) fn share(&self, x: f64) -> f64 {
        let x = if self.logarithmic { x.log10() } else { x };
        (x / 2.0 - self.low / 2.0) / (self.high / 2.0 - self.low / 2.0)
    }

    /// Round numbers in it, with their names.
    fn ticks(&self) -> Vec<(f64, String)> {
        let rough = (self.high / 6.0 - self.low / 6.0).max(f64::MIN_POSITIVE);
        let power = 10_f64.powf(rough.log10().floor());
        let step = [1.0, 2.0, 2.5, 5.0, 10.0].into_iter().map(|m| m * power);
        let mut step = step.into_iter().find(|s| *s >= rough).unwrap_or(10.0 * power);
        if self.logarithmic {
            step = step.max(1.0).round();
        }
        let first = (self.low / step).ceil() as i64;
        let last = (self.high / step).floor() as i64;
        (first..=last.min(first + 20))
            .map(|i| {
                let x = i as f64 * step;
                (
                    if self.logarithmic { 10_f64.powf(x) } else { x },
                    named(x, step, self.logarithmic),
                )
            })
            .collect()
    }
}

/// A number in a few digits.
pub(super) fn short(x: f64) -> String {
    if x == 0.0 || (1e-3..1e6).contains(&x.abs()) { format!("{x:.4}") } else { format!("{x:.4e}") }
}

fn named(x: f64, step: f64, logarithmic: bool) -> String {
    if logarithmic {
        let value = 10_f64.powf(x);
        return if (-4.0..6.0).contains(&x) { format!("{value}") } else { format!("1e{x}") };
    }
    if x != 0.0 && !(1e-3..1e6).contains(&x.abs()) {
        return format!("{x:.1e}");
    }
    let digits = (-step.log10()).ceil().clamp(0.0, 6.0) as usize;
    let digits =
        if (step * 10_f64.powi(digits as i32)).fract() > 1e-6 { digits + 1 } else { digits };
    format!("{x:.digits$}")
}

/// The part of a picture that numbers are drawn in.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) width: f64,
    pub(super) height: f64,
    pub(super) x: Range,
    pub(super) y: Range,
}

impl Frame {
    /// Where a point lies.
    pub(super) fn place(&self, x: f64, y: f64) -> (f64, f64) {
        let (x, y) = (self.x.share(x), self.y.share(y));
        (self.left + x * self.width, self.top + (1.0 - y) * self.height)
    }

    /// The frame, its numbers and names.
    pub(super) fn draw(&self, canvas: &mut dyn Canvas, title: &str, (across, up): (&str, &str)) {
        let Self { left, top, width, height, .. } = *self;
        canvas.rectangle(left, top, width, height, WHITE);
        let bottom = top + height;
        for (x, name) in self.x.ticks() {
            let at = left + self.x.share(x) * width;
            canvas.line(&[(at, top), (at, bottom)], 1.0, LIGHT);
            canvas.line(&[(at, bottom), (at, bottom + 4.0)], 1.0, GREY);
            canvas.text(at, bottom + 14.0, &name, 12.0, Anchor::Middle, false);
        }
        for (y, name) in self.y.ticks() {
            let at = top + (1.0 - self.y.share(y)) * height;
            canvas.line(&[(left, at), (left + width, at)], 1.0, LIGHT);
            canvas.line(&[(left - 4.0, at), (left, at)], 1.0, GREY);
            canvas.text(left - 8.0, at, &name, 12.0, Anchor::End, false);
        }
        let corners =
            [(left, top), (left + width, top), (left + width, bottom), (left, bottom), (left, top)];
        canvas.line(&corners, 1.0, BLACK);
        canvas.text(left + width / 2.0, top - 16.0, title, 15.0, Anchor::Middle, false);
        canvas.text(left + width / 2.0, bottom + 34.0, across, 13.0, Anchor::Middle, false);
        canvas.text(left - 56.0, top + height / 2.0, up, 13.0, Anchor::Middle, true);
    }
}
