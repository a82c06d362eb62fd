//! How a text table writes its numbers: the delimiter, and what stands for nothing.

/// The quiet NaN that missing values become; `f64::NAN` may have other bits elsewhere.
pub(super) const MISSING: f64 = f64::from_bits(0x7ff8_0000_0000_0000);

/// Lines looked at to find the delimiter.
const SAMPLE_LINES: usize = 20;

/// Finds the delimiter of a table that starts with `head`: of tab, semicolon and comma, the first
/// that occurs equally often on every line, so that decimal commas or a comma in a name do
/// not win over semicolons; else the most frequent one of the first line.
pub(super) fn delimiter(head: &[u8]) -> u8 {
    const CANDIDATES: [u8; 3] = [b'\t', b';', b','];
    let complete = head.iter().rposition(|&b| b == b'\n').map_or(head, |end| &head[..end]);
    let lines: Vec<_> = complete
        .split(|&b| b == b'\n')
        .filter(|line| !line.trim_ascii().is_empty())
        .take(SAMPLE_LINES)
        .map(|line| CANDIDATES.map(|c| count_unquoted(line, c)))
        .collect();
    let Some(first) = lines.first() else { return b',' };
    let regular =
        (0..CANDIDATES.len()).find(|&c| first[c] > 0 && lines.iter().all(|l| l[c] == first[c]));
    let chosen = regular.or_else(|| (0..CANDIDATES.len()).rev().max_by_key(|&c| first[c]));
    chosen.map_or(b',', |c| CANDIDATES[c])
}

fn count_unquoted(line: &[u8], wanted: u8) -> usize {
    let mut quoted = false;
    let mut count = 0;
    for &byte in line {
        quoted ^= byte == b'"';
        count += usize::from(byte == wanted && !quoted);
    }
    count
}

/// Returns the field's number, NaN if it is missing, `None` if it is neither.
pub(super) fn number(field: &[u8]) -> Option<f64> {
    match field.trim_ascii() {
        b"" | b"NA" | b"N/A" | b"NaN" | b"nan" | b"null" | b"None" | b"?" => Some(MISSING),
        text => {
            let number: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
            Some(if number.is_nan() { MISSING } else { number })
        }
    }
}
