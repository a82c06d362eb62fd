//! What the first lines of a text tell about the whole of it.

use super::dialect::{self, Dialect};
use super::encoding::decode;
use super::header::{self, Header};
use super::notation::{Field, Notation};
use super::records::{MAX_RECORD, Records};
use super::sample::{self, Cell};
use crate::error::{Error, Result};
use crate::input::options::TextOptions;
use crate::input::source::Source;

/// Bytes looked at first; more where lines are long.
const SAMPLE: usize = 1 << 16;
/// Lines that should be among them.
const LEAST_LINES: usize = 5;
/// Lines that are looked at, and their bytes; the first few however long.
const MOST_LINES: usize = 200;
const MOST_BYTES: usize = 1 << 20;
/// Bytes read at a time to find the end of a line.
const CHUNK: usize = 1 << 16;

/// How to read a table of text.
#[derive(Debug)]
pub(super) struct Plan {
    /// Where its first line begins that is neither left out nor a comment.
    pub(super) start: u64,
    pub(super) dialect: Dialect,
    pub(super) header: Header,
    /// Names in a comment above.
    pub(super) names_above: bool,
    /// The line of names, or the first row.
    pub(super) first: Vec<Cell>,
    /// The line below the names.
    pub(super) second: Vec<Cell>,
    /// Each line ends in a delimiter.
    pub(super) trailing: bool,
    /// Lines end in CR LF.
    pub(super) crlf: bool,
}

impl Plan {
    /// Looks at the first lines of `source`.
    pub(super) fn new(source: &Source, options: &TextOptions) -> Result<Self> {
        check(options)?;
        let mut start = skip(source, options.skip)?;
        let mut options = *options;
        let (head, complete) = head(source, start)?;
        let mut lines = sample::lines(&head, complete);
        if let Some(delimiter) = separator(&lines) {
            options.delimiter = options.delimiter.or(Some(delimiter));
            lines.remove(0);
        }
        let is_comment = |line: &&[u8]| is_comment(line);
        let comments = lines.iter().take_while(|line| is_comment(line)).count();
        let above = comments.checked_sub(1).map(|last| &lines[last][1..]);
        let mut body = lines.split_off(comments);
        let first = body.first().copied().ok_or_else(empty);
        // Lines of comments only: the last of them may have the names.
        let first = first.or_else(|error| lines.last().copied().ok_or(error))?;
        start += first.as_ptr().addr() as u64 - head.as_ptr().addr() as u64;
        body.retain(|line| !is_comment(line));
        let mut bytes = 0;
        let fits = body.iter().take_while(|line| {
            bytes += line.len();
            bytes <= MOST_BYTES
        });
        let fits = fits.count().clamp(LEAST_LINES, MOST_LINES);
        body.truncate(fits);
        let crlf =
            head.iter().position(|b| *b == b'\n').is_some_and(|n| n > 0 && head[n - 1] == b'\r');
        let dialect = dialect::detect(&body, &options)?;
        let split = |line: &[u8]| sample::split(line, dialect.delimiter);
        let table: Vec<Vec<Cell>> = body.iter().map(|line| split(line)).collect();
        Ok(Self::with(
            table,
            above.map(split),
            &options,
            Self { start, crlf, ..Self::empty(dialect) },
        ))
    }

    fn empty(dialect: Dialect) -> Self {
        Self {
            start: 0,
            dialect,
            header: Header::default(),
            names_above: false,
            first: Vec::new(),
            second: Vec::new(),
            trailing: false,
            crlf: false,
        }
    }

    /// Finds the names: in the first line, or else in a comment `above`.
    fn with(
        mut table: Vec<Vec<Cell>>,
        above: Option<Vec<Cell>>,
        options: &TextOptions,
        mut plan: Self,
    ) -> Self {
        plan.trailing = is_trailing(&table);
        let notation = plan.dialect.notation;
        plan.header = header::find(&table, notation, options.header);
        if !plan.header.names && options.header != Some(false) {
            let width = |line: &[Cell]| line.len();
            let fits = above.filter(|above| match table.first() {
                Some(first) if width(first) > 1 => width(above) == width(first),
                _ => above.len() == 1 && !above[0].text.trim_ascii().contains(&b' '),
            });
            if let Some(above) = fits {
                table.insert(0, above);
                let header = header::find(&table, notation, None);
                if header.names && !header.bare {
                    (plan.header, plan.names_above) = (header, true);
                } else {
                    table.remove(0);
                }
            }
        }
        let mut lines = table.into_iter();
        plan.first = lines.next().unwrap_or_default();
        plan.second = lines.next().unwrap_or_default();
        if plan.trailing {
            plan.first.truncate(plan.first.len().saturating_sub(1));
        }
        plan
    }

    /// Reads the records from the first line on that is not left out.
    pub(super) fn records<'a>(&self, source: &'a Source) -> Records<'a> {
        Records::new(source, self.start, self.dialect.delimiter)
    }

    /// Returns how many of them are no rows: names, and units.
    pub(super) fn lines_above(&self) -> usize {
        usize::from(self.header.names && !self.names_above) + usize::from(self.header.units)
    }

    /// Returns what a reader of the table may want to know of what was decided.
    pub(super) fn notes(&self, fields: usize) -> Vec<String> {
        let mut out = Vec::new();
        if self.header.bare {
            out.push(format!(
                "the first line, {}, was taken for the names of the columns; --header no reads it as \
                 numbers",
                shown(&self.first)
            ));
        } else if self.header.doubtful && fields > 1 {
            out.push(format!(
                "the first line, {}, was read as numbers; --header yes takes it for names",
                shown(&self.first)
            ));
        }
        if self.header.units {
            out.push(format!("the line of units, {}, was left out", shown(&self.second)));
        }
        let Notation { mark, grouping } = self.dialect.notation;
        if mark == b',' {
            let what =
                "numbers were read with a decimal comma (--thousands , for one between thousands)";
            out.push(what.to_string());
        }
        if let Some(grouping) = grouping {
            let grouping = char::from(grouping);
            out.push(format!("numbers were read with {grouping:?} between thousands"));
        }
        out
    }
}

/// Returns the beginning of a line, for a message.
fn shown(line: &[Cell]) -> String {
    const SHOWN: usize = 4;
    let texts: Vec<String> = line.iter().take(SHOWN).map(|cell| decode(&cell.text)).collect();
    let more = if line.len() > SHOWN { ", …" } else { "" };
    texts.join(", ") + more
}

/// Checks that characters can be what they are to be.
fn check(options: &TextOptions) -> Result<()> {
    let wrong = |what: &str, c: u8| {
        Err(Error::argument(format!("{:?} cannot be {what} of a table", char::from(c))))
    };
    match *options {
        TextOptions { delimiter: Some(d), .. }
            if !(d == b'\t' || (b' '..=b'~').contains(&d))
                || d.is_ascii_alphanumeric()
                || b"\"+-.".contains(&d) =>
        {
            wrong("the delimiter", d)
        }
        TextOptions { decimal_mark: Some(m), .. } if !b".,".contains(&m) => {
            wrong("the decimal mark", m)
        }
        TextOptions { thousands: Some(g), .. } if !b".,' _".contains(&g) => {
            wrong("what stands between the thousands", g)
        }
        _ => Ok(()),
    }
}

/// Finds where the line behind the first `count` begins.
fn skip(source: &Source, count: u64) -> Result<u64> {
    let (mut at, mut left) = (0, count);
    let mut buffer = vec![0; CHUNK];
    while left > 0 {
        let read = source.read_up_to(at, &mut buffer)?;
        if read == 0 {
            let lines = count - left;
            return Err(Error::argument(format!(
                "{count} lines are to be skipped, but there are {lines}"
            )));
        }
        for &byte in &buffer[..read] {
            at += 1;
            left -= u64::from(byte == b'\n');
            if left == 0 {
                break;
            }
        }
    }
    Ok(at)
}

/// Reads some lines, and says whether they are all.
fn head(source: &Source, start: u64) -> Result<(Vec<u8>, bool)> {
    let mut size = SAMPLE;
    loop {
        let (head, complete) = read(source, start, size)?;
        let enough = sample::lines(&head, false).len() >= LEAST_LINES && head.contains(&b'\n');
        if complete || enough || size as u64 > MAX_RECORD {
            return Ok((head, complete));
        }
        size *= 8;
    }
}

/// Reads `size` bytes, or all there are, and says whether that is all.
fn read(source: &Source, start: u64, size: usize) -> Result<(Vec<u8>, bool)> {
    let left = source.len().saturating_sub(start);
    let mut head = vec![0; size.min(usize::try_from(left).unwrap_or(usize::MAX))];
    let count = source.read_up_to(start, &mut head)?;
    head.truncate(count);
    Ok((head, count as u64 >= left))
}

/// Returns the delimiter that a spreadsheet's first line names, as in `sep=;`; in quotes it may be a
/// column's name, unless the next line has such delimiters.
fn separator(lines: &[&[u8]]) -> Option<u8> {
    let line = lines.first()?.trim_ascii_end();
    let unquoted = line.strip_prefix(b"\"").and_then(|l| l.strip_suffix(b"\""));
    let delimiter = match unquoted.unwrap_or(line) {
        [name @ .., b'=', delimiter] if name.eq_ignore_ascii_case(b"sep") => *delimiter,
        // A tab at the end was trimmed.
        [name @ .., b'='] if name.eq_ignore_ascii_case(b"sep") => b'\t',
        _ => return None,
    };
    let used = || lines.get(1).is_some_and(|next| next.contains(&delimiter));
    (unquoted.is_none() || used()).then_some(delimiter)
}

/// Says whether a line is a comment: `#N/A` and the like are not.
fn is_comment(line: &[u8]) -> bool {
    let end = line.iter().position(|b| b",;|\t ".contains(b)).unwrap_or(line.len());
    line.first() == Some(&b'#') && Notation::PLAIN.parse(&line[..end]) == Field::Text
        || line == b"#"
}

fn empty() -> Error {
    Error::truncated("the table is empty: it has neither names nor numbers").at(0)
}

/// Says whether every line ends in a delimiter, so that nothing follows it.
fn is_trailing(table: &[Vec<Cell>]) -> bool {
    let Some((first, body)) = table.split_first() else { return false };
    let ends = |line: &Vec<Cell>| line.last().is_some_and(|c| c.text.is_empty() && !c.quoted);
    let width = first.len();
    width > 1
        && ends(first)
        && !body.is_empty()
        && body.iter().all(|line| (line.len() == width && ends(line)) || line.len() + 1 == width)
}
