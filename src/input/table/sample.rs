//! The first lines of a text, to find out from how it is written.

/// Lines over which a quoted field may go on.
const MOST_JOINED: usize = 20;

/// A field of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cell {
    /// Without its quotes.
    pub(super) text: Vec<u8>,
    pub(super) quoted: bool,
}

/// Returns the lines of `head` without their ends, joined where a quoted field goes on, and without
/// empty ones; the last is left out unless it is `complete` or the only one.
pub(super) fn lines(head: &[u8], complete: bool) -> Vec<&[u8]> {
    let head = head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(head);
    let mut ends: Vec<usize> =
        head.iter().enumerate().filter(|e| *e.1 == b'\n').map(|e| e.0).collect();
    if complete || ends.is_empty() {
        ends.push(head.len());
    }
    let mut out = Vec::new();
    let mut start = 0;
    let mut i = 0;
    while i < ends.len() {
        let joined = (i..ends.len().min(i + MOST_JOINED))
            .find(|&j| quotes(&head[start..ends[j]]).is_multiple_of(2))
            .unwrap_or(i);
        let line = &head[start..ends[joined]];
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if !line.trim_ascii().is_empty() {
            out.push(line);
        }
        start = (ends[joined] + 1).min(head.len());
        i = joined + 1;
    }
    out
}

fn quotes(line: &[u8]) -> usize {
    line.iter().filter(|b| **b == b'"').count()
}

/// Splits a line at `delimiter`, as far as it has no quotes around it; a space stands for any run
/// of blanks.
pub(super) fn split(line: &[u8], delimiter: u8) -> Vec<Cell> {
    let blanks = delimiter == b' ';
    let is_end = |b: u8| b == delimiter || (blanks && b == b'\t');
    let mut rest = if blanks { line.trim_ascii() } else { line };
    let mut out = Vec::new();
    loop {
        let mut text = Vec::new();
        let quoted = rest.first() == Some(&b'"');
        if quoted {
            rest = unquote(&rest[1..], &mut text);
        }
        let end = rest.iter().position(|b| is_end(*b));
        text.extend(&rest[..end.unwrap_or(rest.len())]);
        out.push(Cell { text, quoted });
        let Some(end) = end else { return out };
        rest = &rest[end + 1..];
        if blanks {
            rest = rest.trim_ascii_start();
        }
    }
}

/// Takes what stands before the closing quote, and returns what stands behind it.
fn unquote<'a>(mut rest: &'a [u8], text: &mut Vec<u8>) -> &'a [u8] {
    while let Some(quote) = rest.iter().position(|b| *b == b'"') {
        text.extend(&rest[..quote]);
        rest = &rest[quote + 1..];
        if rest.first() != Some(&b'"') {
            return rest;
        }
        text.push(b'"');
        rest = &rest[1..];
    }
    text.extend(rest);
    &[]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_joined_within_quotes() {
        let text = b"\xef\xbb\xbf\"Temp\r\n(C)\",b\r\n\r\n1,2\r\n3";
        assert_eq!(lines(text, true), [&b"\"Temp\r\n(C)\",b"[..], b"1,2", b"3"]);
        assert_eq!(lines(text, false).len(), 2);
        // A quote that is never closed joins nothing.
        assert_eq!(lines(b"5\" pipe,1\n2,3\n", false).len(), 2);
    }

    #[test]
    fn quotes_keep_delimiters() {
        let texts = |line: &[u8], delimiter| -> Vec<String> {
            let cells = split(line, delimiter);
            cells.into_iter().map(|c| String::from_utf8(c.text).unwrap()).collect()
        };
        assert_eq!(texts(b"a,\"b,\"\"c\"\"\",,", b','), ["a", "b,\"c\"", "", ""]);
        assert_eq!(texts(b"  1.0 \t 2.0  \"x y\" ", b' '), ["1.0", "2.0", "x y"]);
        assert!(split(b"\"\",1", b',')[0].quoted);
    }
}
