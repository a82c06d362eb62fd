//! How a text writes a number, and what it writes for none.

/// The quiet NaN that missing values become; `f64::NAN` may have other bits elsewhere.
pub(in crate::input) const MISSING: f64 = f64::from_bits(0x7ff8_0000_0000_0000);

/// Integers below this are `f64`s, all of them.
pub(super) const EXACT: u64 = 1 << 53;

/// The powers of ten that are `f64`s: a quotient of such integers is the nearest `f64` to the decimal.
pub(super) const POWERS: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// What programs write for a missing number, in lower case.
const MISSING_WORDS: [&[u8]; 28] = [
    b"",
    b"na",
    b"n/a",
    b"nan",
    b"-nan",
    b"+nan",
    b"null",
    b"none",
    b"-",
    b"--",
    b"---",
    b"?",
    b".",
    b"#n/a",
    b"#na",
    b"#n/a n/a",
    b"<na>",
    b"nat",
    b"n.a.",
    b"nan(ind)",
    b"-nan(ind)",
    b"1.#qnan",
    b"-1.#ind",
    b"#null!",
    b"#div/0!",
    b"#value!",
    b"#num!",
    b"#ref!",
];
/// The longest of them.
const LONGEST_WORD: usize = 9;

/// How numbers are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::input) struct Notation {
    /// Between whole part and fraction: a point or a comma.
    pub(in crate::input) mark: u8,
    /// Between groups of three digits, if anything stands there.
    pub(in crate::input) grouping: Option<u8>,
}

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::input) enum Field {
    Missing,
    Number(Number),
    Text,
}

/// A number, and how it was written.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in crate::input) struct Number {
    /// The nearest `f64`.
    pub(in crate::input) value: f64,
    pub(in crate::input) form: Form,
}

/// How a number was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::input) enum Form {
    /// So many digits behind the mark, and all digits together less than 2^53.
    Short(u8),
    /// Digits only, and more than that.
    LongInteger,
    /// More digits than that with a mark among them.
    LongDecimal,
    /// With an exponent, or in words.
    Other,
}

impl Number {
    /// Says whether it is written as an integer is.
    pub(super) fn is_integer(&self) -> bool {
        matches!(self.form, Form::Short(0) | Form::LongInteger)
    }
}

impl Notation {
    /// What most programs write.
    pub(in crate::input) const PLAIN: Self = Self { mark: b'.', grouping: None };

    /// Says what `field` holds.
    pub(in crate::input) fn parse(self, field: &[u8]) -> Field {
        let text = field.trim_ascii();
        if let Some(number) = short(text, self.mark) {
            return Field::Number(number);
        }
        if is_missing(text) {
            return Field::Missing;
        }
        if self == Self::PLAIN {
            return long(text);
        }
        self.plain(text).map_or(Field::Text, |plain| match short(&plain, b'.') {
            Some(number) => Field::Number(number),
            None => long(&plain),
        })
    }

    /// Returns the integer that a field of digits stands for. First rows that might be taken for names are marked as
    /// numbers by an exponent of 0.
    pub(super) fn integer(self, field: &[u8]) -> Option<i128> {
        let field = field.trim_ascii();
        let plain = self.plain(field.strip_suffix(b"e0").unwrap_or(field))?;
        std::str::from_utf8(&plain).ok()?.parse().ok()
    }

    /// Returns the same number without groups and with a point; `None` where the groups are not of
    /// three digits, or marks stand where none belong.
    pub(super) fn plain(self, text: &[u8]) -> Option<Vec<u8>> {
        let text = self.without_wide_blanks(text);
        let end = text.iter().position(|b| *b == self.mark || b.eq_ignore_ascii_case(&b'e'));
        let (whole, rest) = text.split_at(end.unwrap_or(text.len()));
        let mut out = match self.grouping {
            Some(grouping) if whole.contains(&grouping) => ungrouped(whole, grouping)?,
            _ => whole.to_vec(),
        };
        for (i, &byte) in rest.iter().enumerate() {
            match byte {
                _ if byte == self.mark && i == 0 => out.push(b'.'),
                b'.' | b',' => return None,
                _ => out.push(byte),
            }
        }
        let mut marks = whole.iter().filter(|b| b".,".contains(b) && self.grouping != Some(**b));
        marks.next().is_none().then_some(out)
    }

    /// Blanks that keep digits together, in UTF-8 or Latin-1, become spaces where spaces group.
    fn without_wide_blanks(self, text: &[u8]) -> Vec<u8> {
        if self.grouping != Some(b' ') || text.is_ascii() {
            return text.to_vec();
        }
        const WIDE: [&[u8]; 3] = ["\u{202f}".as_bytes(), "\u{a0}".as_bytes(), b"\xa0"];
        let mut out = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(&byte) = rest.first() {
            let wide = WIDE.iter().find(|wide| rest.starts_with(wide));
            out.push(if wide.is_some() { b' ' } else { byte });
            rest = &rest[wide.map_or(1, |wide| wide.len())..];
        }
        out
    }
}

/// Takes groups apart: one to three digits, not only zeros, and then three each time.
fn ungrouped(whole: &[u8], grouping: u8) -> Option<Vec<u8>> {
    let digits = whole.strip_prefix(b"-").or(whole.strip_prefix(b"+")).unwrap_or(whole);
    let mut groups = digits.split(|&b| b == grouping);
    let first = groups.next()?;
    let mut good = (1..=3).contains(&first.len()) && first[0] != b'0';
    let mut out = whole[..whole.len() - digits.len()].to_vec();
    out.extend(first);
    for group in groups {
        good &= group.len() == 3;
        out.extend(group);
    }
    (good && out.iter().skip(whole.len() - digits.len()).all(u8::is_ascii_digit)).then_some(out)
}

/// Says whether `text` stands for a missing number.
fn is_missing(text: &[u8]) -> bool {
    if text.len() > LONGEST_WORD {
        return false;
    }
    let lower = text.to_ascii_lowercase();
    MISSING_WORDS.contains(&&lower[..])
}

/// Parses a number of few digits, without an exponent.
fn short(text: &[u8], mark: u8) -> Option<Number> {
    let (negative, digits) = match text.split_first() {
        Some((b'-', rest)) => (true, rest),
        Some((b'+', rest)) => (false, rest),
        _ => (false, text),
    };
    let mut units = 0_u64;
    let mut places = None;
    for (i, &byte) in digits.iter().enumerate() {
        if byte.is_ascii_digit() {
            units = units * 10 + u64::from(byte - b'0');
            if units >= EXACT {
                return None;
            }
        } else if byte == mark && places.is_none() {
            places = Some(digits.len() - 1 - i);
        } else {
            return None;
        }
    }
    let marks = usize::from(places.is_some());
    let places = places.unwrap_or(0);
    if digits.len() == marks || places >= POWERS.len() {
        return None;
    }
    let size = units as f64 / POWERS[places];
    let value = if negative { -size } else { size };
    Some(Number { value, form: Form::Short(places as u8) })
}

/// Parses any number that is written with a point.
fn long(text: &[u8]) -> Field {
    let Some(value) = std::str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok())
    else {
        return Field::Text;
    };
    if value.is_nan() {
        return Field::Missing;
    }
    let digits = text.iter().all(|b| b.is_ascii_digit() || b"+-.".contains(b));
    let form = match (digits, text.contains(&b'.')) {
        (true, false) => Form::LongInteger,
        (true, true) => Form::LongDecimal,
        _ => Form::Other,
    };
    Field::Number(Number { value, form })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(notation: Notation, text: &str) -> Option<f64> {
        match notation.parse(text.as_bytes()) {
            Field::Number(number) => Some(number.value),
            _ => None,
        }
    }

    #[test]
    fn short_numbers_are_the_nearest_ones() {
        for text in [
            "0.1",
            "-0",
            "+7",
            "5.",
            ".5",
            "0.30000000000000004",
            "123456789.012345",
            "0.000000000000000000001",
            "-9007199254740991",
            "9007199254740993",
            "1e5",
            "1e-400",
        ] {
            let expected: f64 = text.parse().unwrap();
            let got = value(Notation::PLAIN, text).unwrap();
            assert_eq!(got.to_bits(), expected.to_bits(), "{text}");
        }
        for text in [".", "-", "+", "1.2.3", "1,5", "--1", "1 2", "0x10", "1_000", "abc"] {
            assert_eq!(value(Notation::PLAIN, text), None, "{text}");
        }
    }

    #[test]
    fn groups_are_of_three_digits() {
        let english = Notation { mark: b'.', grouping: Some(b',') };
        let german = Notation { mark: b',', grouping: Some(b'.') };
        let french = Notation { mark: b',', grouping: Some(b' ') };
        assert_eq!(value(english, "-1,234,567.5"), Some(-1_234_567.5));
        assert_eq!(value(german, "1.234,5"), Some(1234.5));
        assert_eq!(value(french, "1\u{202f}234,5"), Some(1234.5));
        assert_eq!(value(german, "12,5"), Some(12.5));
        assert_eq!(value(german, "1,5e3"), Some(1500.0));
        for text in ["12,34", "0,143", "1,2345", ",123", "1,234,", "1.5,234", "12,345.6.7"] {
            assert_eq!(value(english, text), None, "{text}");
        }
        assert_eq!(value(german, "1.5"), None);
    }

    #[test]
    fn what_is_missing_is_known_in_many_spellings() {
        for text in [
            "", " ", "NA", "N/A", "NULL", "null", "-", "?", "#N/A", "NaN", "nan", "None", "<NA>",
            "-nan", "#DIV/0!",
        ] {
            assert_eq!(Notation::PLAIN.parse(text.as_bytes()), Field::Missing, "{text}");
        }
        for text in ["N A", "no", "missing value", "--5"] {
            assert_eq!(Notation::PLAIN.parse(text.as_bytes()), Field::Text, "{text}");
        }
    }
}
