//! The little of Python's literal syntax that npy headers use.

use crate::error::{Error, Result};

/// Axes of an array: NumPy allows 64.
const MAX_AXES: usize = 64;

/// A value in a dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Bool(bool),
    /// A whole number that is not negative.
    Number(u64),
    /// A tuple of such numbers.
    Tuple(Vec<u64>),
    /// A list, or a tuple of something else: the fields of a record, and each of them.
    Items(Vec<Value>),
}

/// How deep lists may lie in each other: records of records are seldom more than two deep.
const MAX_DEPTH: usize = 16;

/// Parses `{'key': value, …}` and checks that only white space follows.
pub(super) fn parse_dictionary(text: &[u8]) -> Result<Vec<(String, Value)>> {
    let mut parser = Parser { text, position: 0 };
    let mut entries = Vec::new();
    parser.expect(b'{')?;
    while !parser.take(b'}') {
        let key = parser.text()?;
        parser.expect(b':')?;
        let value = parser.value(0)?;
        entries.push((key, value));
        if !parser.take(b',') {
            parser.expect(b'}')?;
            break;
        }
    }
    match parser.peek() {
        None => Ok(entries),
        Some(_) => Err(parser.bad("white space")),
    }
}

struct Parser<'a> {
    text: &'a [u8],
    position: usize,
}

impl Parser<'_> {
    fn bad(&self, wanted: &str) -> Error {
        let found = match self.text.get(self.position) {
            Some(&byte) => format!("{:?}", char::from(byte)),
            None => "the end".to_string(),
        };
        Error::corrupt(format!(
            "the npy header should have {wanted} at its character {}, but has {found}",
            self.position
        ))
    }

    /// Finds the next byte that is not white space.
    fn peek(&mut self) -> Option<u8> {
        let rest = &self.text[self.position..];
        self.position += rest.iter().take_while(|b| b.is_ascii_whitespace()).count();
        self.text.get(self.position).copied()
    }

    fn take(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        self.position += usize::from(found);
        found
    }

    fn expect(&mut self, byte: u8) -> Result<()> {
        if self.take(byte) { Ok(()) } else { Err(self.bad(&format!("{:?}", char::from(byte)))) }
    }

    /// Reads a value that lies in `depth` lists.
    fn value(&mut self, depth: usize) -> Result<Value> {
        match self.peek() {
            _ if depth > MAX_DEPTH => Err(Error::limit(format!(
                "the npy header has lists in more than {MAX_DEPTH} lists"
            ))),
            Some(b'\'' | b'"') => Ok(Value::Text(self.text()?)),
            Some(b'(') => {
                let items = self.items(b')', depth)?;
                let number = |item: &Value| match item {
                    Value::Number(n) => Some(*n),
                    _ => None,
                };
                let Some(axes) = items.iter().map(number).collect::<Option<Vec<u64>>>() else {
                    return Ok(Value::Items(items));
                };
                if axes.len() > MAX_AXES {
                    let what = format!("the npy array has more than {MAX_AXES} axes");
                    return Err(Error::limit(what));
                }
                Ok(Value::Tuple(axes))
            }
            Some(b'[') => Ok(Value::Items(self.items(b']', depth)?)),
            Some(b'0'..=b'9') => Ok(Value::Number(self.number()?)),
            Some(b'T' | b'F') => {
                let word = self.run(|b| b.is_ascii_alphabetic());
                match word {
                    b"True" => Ok(Value::Bool(true)),
                    b"False" => Ok(Value::Bool(false)),
                    _ => Err(self.bad("True or False")),
                }
            }
            _ => Err(self.bad("a string, True, False, a number or a tuple")),
        }
    }

    /// Reads a quoted string without escapes.
    fn text(&mut self) -> Result<String> {
        let quote = match self.peek() {
            Some(quote @ (b'\'' | b'"')) => quote,
            _ => return Err(self.bad("a quoted string")),
        };
        self.position += 1;
        let inside = self.run(|b| b != quote && b != b'\\' && b != b'\n');
        // Version 3 headers are UTF-8, the others Latin-1; all known names are ASCII.
        let text = String::from_utf8_lossy(inside).into_owned();
        self.expect(quote)?;
        Ok(text)
    }

    /// Reads what lies between two brackets: `()`, `(3,)`, `(3, 4)`, also `(3L, 4L)` as Python 2
    /// wrote it.
    fn items(&mut self, end: u8, depth: usize) -> Result<Vec<Value>> {
        let mut items = Vec::new();
        self.position += 1;
        while !self.take(end) {
            items.push(self.value(depth + 1)?);
            if !self.take(b',') {
                self.expect(end)?;
                break;
            }
        }
        Ok(items)
    }

    fn number(&mut self) -> Result<u64> {
        if !self.peek().is_some_and(|b| b.is_ascii_digit()) {
            return Err(self.bad("a whole number, 0 or more"));
        }
        let digits = self.run(|b| b.is_ascii_digit());
        let number = digits
            .iter()
            .try_fold(0_u64, |n, &d| n.checked_mul(10)?.checked_add(u64::from(d - b'0')));
        let number = number.ok_or_else(|| {
            let digits = String::from_utf8_lossy(&digits[..digits.len().min(40)]);
            Error::limit(format!("the npy header has an axis of {digits}, more than 2^64"))
        })?;
        self.take(b'L');
        Ok(number)
    }

    /// Takes the bytes up to the first that does not satisfy `inside`.
    fn run(&mut self, inside: impl Fn(u8) -> bool) -> &[u8] {
        let rest = &self.text[self.position..];
        let count = rest.iter().take_while(|&&b| inside(b)).count();
        self.position += count;
        &rest[..count]
    }
}
