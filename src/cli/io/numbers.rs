//! Numbers for people: grouped integers and short decimals.

/// Writes `1234567` as `1,234,567`.
pub(crate) fn grouped(n: u64) -> String {
    let digits = n.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// Writes about six significant digits, without trailing zeros.
pub(crate) fn figure(x: f64) -> String {
    if x == 0.0 || !x.is_finite() {
        return x.to_string();
    }
    let magnitude = x.abs().log10().floor();
    if !(-4.0..9.0).contains(&magnitude) {
        return format!("{x:.5e}");
    }
    // In the range just checked, so the cast keeps the value.
    decimals(x, (5 - magnitude as i32).max(0) as usize)
}

/// Writes a cosine; those near 1 differ only far behind the point.
pub(crate) fn cosine(x: f64) -> String {
    decimals(x, 9)
}

/// Divides `over` by `under`; 0 where that makes no sense.
pub(crate) fn quotient(over: u64, under: u64) -> f64 {
    if under == 0 { 0.0 } else { over as f64 / under as f64 }
}

/// Writes the units of layers in order: `128, 64`.
pub(crate) fn layers(units: &[usize]) -> String {
    units.iter().map(usize::to_string).collect::<Vec<_>>().join(", ")
}

fn decimals(x: f64, places: usize) -> String {
    let text = format!("{x:.places$}");
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.').to_string()
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_grouped_by_three() {
        assert_eq!(
            [0, 12, 999, 1000, 1_234_567].map(grouped).join(" "),
            "0 12 999 1,000 1,234,567"
        );
        assert_eq!(grouped(u64::MAX), "18,446,744,073,709,551,615");
    }

    #[test]
    fn figures_are_short() {
        let numbers = [0.0, 0.1, 1.0 / 3.0, 1234.5678, 100_000.0, 1e-7, 2.5e12, f64::INFINITY];
        let texts = numbers.map(figure).join(" ");
        assert_eq!(texts, "0 0.1 0.333333 1234.57 100000 1.00000e-7 2.50000e12 inf");
        assert_eq!(figure(f64::MIN_POSITIVE / 4.0), "5.56268e-309");
        assert_eq!(cosine(0.999_999_9), "0.9999999");
        assert_eq!(quotient(1, 0), 0.0);
    }
}
