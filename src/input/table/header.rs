//! Whether the first line of a table names its columns.
//!
//! Words above numbers are names. Numbers above numbers are names where something tells them from
//! the rows below: quotes, no fraction above columns of fractions, or a rising run (wavelengths,
//! years, 0 to n − 1) where no row rises.

use super::notation::{Field, Form, Notation, Number};
use super::sample::{self, Cell};

/// Rows that a run of numbers is compared with: fewer tell nothing.
const LEAST_ROWS: usize = 3;
/// Names of a run: two numbers rise in half of all rows, three in a sixth.
const LEAST_RUN: usize = 3;
/// Share of rows that may be evenly spaced by chance, where small integers are.
const MOST_EVEN: f64 = 0.1;
/// Names of a run that data may be, too: five rise in one of 120 rows by chance.
const LONG_RUN: usize = 5;
/// Names at equal distances that data hardly ever are: four of a range of ten are in one of 400 rows.
const EVEN_RUN: usize = 4;
/// Rows below integers that have fractions everywhere, however they are written: among fewer, those of
/// a program that leaves out zeros may have them by chance.
const MANY_ROWS: usize = 8;

/// What the first line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Header {
    /// It has names.
    pub(super) names: bool,
    /// They are numbers, and nothing but what is below tells that they are names.
    pub(super) bare: bool,
    /// It has numbers that might be names.
    pub(super) doubtful: bool,
    /// The line below has the units of the columns.
    pub(super) units: bool,
}

/// Looks at the first `lines` of a table.
pub(super) fn find(lines: &[Vec<Cell>], notation: Notation, told: Option<bool>) -> Header {
    let Some((first, body)) = lines.split_first() else { return Header::default() };
    let first: Vec<Entry> = first.iter().map(|cell| Entry::new(cell, notation)).collect();
    let body: Vec<Vec<Entry>> = body
        .iter()
        .map(|line| line.iter().map(|cell| Entry::new(cell, notation)).collect())
        .collect();
    let kind = Kind::of(&first, &body);
    let names = told.unwrap_or(matches!(kind, Kind::Words | Kind::Quoted | Kind::Numbers));
    Header {
        names,
        bare: names && !matches!(kind, Kind::Words | Kind::Quoted),
        doubtful: told.is_none() && kind == Kind::Doubtful,
        units: names && has_units(&body, first.len()),
    }
}

/// What a field of the sample is.
#[derive(Debug, Clone, Copy)]
struct Entry {
    field: Field,
    quoted: bool,
    /// Nothing stands there but blanks.
    is_blank: bool,
}

impl Entry {
    fn new(cell: &Cell, notation: Notation) -> Self {
        // Blanks are written around missing numbers, but not within quotes.
        let is_blank = cell.text.trim_ascii().is_empty();
        let is_word = cell.quoted && is_blank && !cell.text.is_empty();
        let field = if is_word { Field::Text } else { notation.parse(&cell.text) };
        Self { field, quoted: cell.quoted, is_blank }
    }

    fn number(&self) -> Option<Number> {
        match self.field {
            Field::Number(number) => Some(number),
            _ => None,
        }
    }

    fn is_text(&self) -> bool {
        self.field == Field::Text
    }

    /// Says whether something that may be a number or missing has quotes around it.
    fn is_quoted_word(&self) -> bool {
        self.quoted && !self.is_blank && !self.is_text()
    }
}

/// What tells the first line from the others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Words above numbers, or words alone.
    Words,
    /// Numbers in quotes above numbers without.
    Quoted,
    /// Numbers that are names.
    Numbers,
    /// Numbers that may be names.
    Doubtful,
    /// Numbers as those below.
    Row,
}

impl Kind {
    fn of(first: &[Entry], body: &[Vec<Entry>]) -> Self {
        let numeric: Vec<usize> = (0..first.len()).filter(|&k| is_numeric(body, k)).collect();
        let words = |k: &usize| first[*k].is_text();
        if numeric.iter().any(words) || (numeric.is_empty() && (0..first.len()).any(|k| words(&k)))
        {
            return Kind::Words;
        }
        let quoted = |k: &usize| first[*k].is_quoted_word();
        let bare = |k: &usize| !column(body, *k).any(Entry::is_quoted_word);
        if !body.is_empty() && numeric.iter().any(|k| quoted(k) && bare(k)) {
            return Kind::Quoted;
        }
        Self::of_numbers(first, body, &numeric)
    }

    fn of_numbers(first: &[Entry], body: &[Vec<Entry>], numeric: &[usize]) -> Self {
        // Above row labels the corner is empty.
        let corner = first.first().is_some_and(|e| e.is_blank && !e.quoted) && counts_up(body);
        let columns = &numeric[usize::from(corner && numeric.first() == Some(&0))..];
        let Some(names) = numbers(first, columns) else { return Kind::Row };
        if !is_distinct(&names) || names.iter().any(|n| n.form == Form::Other) {
            return Kind::Row;
        }
        if corner {
            return Kind::Numbers;
        }
        let whole = names.iter().all(Number::is_integer);
        let fractions = columns.iter().filter(|&&k| has_fractions(body, k)).count();
        let fractional = columns.iter().all(|&k| is_fractional(body, k));
        let many = body.len() >= MANY_ROWS || columns.iter().all(|&k| is_fixed(body, k));
        let surely = many || is_run(&names);
        // A row of two is no more likely than the names of one.
        let alone = body.len() < 2 && !(names.len() >= LONG_RUN && is_even(&names));
        if whole && fractional && surely && names.len() > 1 && !alone {
            return Kind::Numbers;
        }
        if names.len() < LEAST_RUN || !is_run(&names) {
            return Kind::Row;
        }
        let rows: Vec<Vec<Number>> = body.iter().filter_map(|row| numbers(row, columns)).collect();
        let few = |kind: fn(&[Number]) -> bool, most: f64| {
            let found = rows.iter().filter(|row| kind(row)).count();
            rows.len() >= LEAST_ROWS && found as f64 <= most * rows.len() as f64
        };
        let others = few(is_run, most_runs(names.len()));
        let outside = columns.iter().zip(&names).filter(|(k, n)| is_outside(body, **k, n)).count();
        let outside = 2 * outside >= names.len();
        let even = whole && is_even(&names) && few(is_even, MOST_EVEN);
        let long = names.len() >= LONG_RUN;
        let good = match whole {
            true if even && (outside || is_count(&names)) => true,
            // Years, say, among values that may be as large: rows hardly ever are evenly spaced.
            true if even && others && names.len() >= EVEN_RUN => true,
            true if long => others && (outside || 2 * fractions >= columns.len()),
            true => others && fractions == columns.len(),
            false => others && outside && long,
        };
        match good {
            true => Kind::Numbers,
            false if others => Kind::Doubtful,
            false => Kind::Row,
        }
    }
}

/// Returns the share of rows that may rise or fall by chance, with a margin.
fn most_runs(names: usize) -> f64 {
    match names {
        ..=3 => 0.5,
        4 => 0.25,
        _ => 0.1,
    }
}

fn column(body: &[Vec<Entry>], k: usize) -> impl Iterator<Item = &Entry> {
    body.iter().filter_map(move |row| row.get(k))
}

/// Says whether a column has more numbers than texts; so many, since units or a title may be above.
fn is_numeric(body: &[Vec<Entry>], k: usize) -> bool {
    let numbers = column(body, k).filter(|e| e.number().is_some()).count();
    let texts = column(body, k).filter(|e| e.is_text()).count();
    numbers > texts || (texts == 0 && !body.is_empty())
}

/// Returns the numbers of `row` in `columns`; `None` if one is none.
fn numbers(row: &[Entry], columns: &[usize]) -> Option<Vec<Number>> {
    if columns.is_empty() {
        return None;
    }
    columns.iter().map(|&k| row.get(k).and_then(Entry::number)).collect()
}

fn is_distinct(numbers: &[Number]) -> bool {
    let mut bits: Vec<u64> = numbers.iter().map(|n| (n.value + 0.0).to_bits()).collect();
    bits.sort_unstable();
    bits.windows(2).all(|pair| pair[0] != pair[1])
}

/// Says whether the first column counts 0, 1, 2, … or 1, 2, 3, …, as labels of rows do.
fn counts_up(body: &[Vec<Entry>]) -> bool {
    let labels: Option<Vec<Number>> =
        body.iter().map(|row| row.first().and_then(Entry::number)).collect();
    labels.is_some_and(|labels| {
        !labels.is_empty()
            && (labels.len() == 1 || is_even(&labels))
            && labels[0].value.abs() <= 1.0
    })
}

/// Says whether some number of a column has a fraction.
fn has_fractions(body: &[Vec<Entry>], k: usize) -> bool {
    column(body, k).filter_map(Entry::number).any(|n| !n.is_integer())
}

/// Says whether all numbers of a column are written with a fraction.
fn is_fractional(body: &[Vec<Entry>], k: usize) -> bool {
    has_fractions(body, k) && column(body, k).filter_map(Entry::number).all(|n| !n.is_integer())
}

/// Says whether all numbers of a column have as many digits behind the mark.
fn is_fixed(body: &[Vec<Entry>], k: usize) -> bool {
    let mut forms = column(body, k).filter_map(Entry::number).map(|n| n.form);
    let first = forms.next();
    first.is_some_and(|first| forms.all(|form| form == first))
}

/// Says whether the numbers rise, or fall, from each to the next.
fn is_run(numbers: &[Number]) -> bool {
    let mut pairs = numbers.windows(2);
    let rising = pairs.clone().all(|p| p[0].value < p[1].value);
    numbers.len() > 1 && (rising || pairs.all(|p| p[0].value > p[1].value))
}

/// Says whether each number is as far from the next, and not the same.
fn is_even(numbers: &[Number]) -> bool {
    let step = |p: &[Number]| p[1].value - p[0].value;
    let steps: Vec<f64> = numbers.windows(2).map(step).collect();
    steps.first().is_some_and(|first| *first != 0.0 && steps.iter().all(|s| s == first))
}

/// Says whether the numbers are 0, 1, 2, … or 1, 2, 3, ….
fn is_count(numbers: &[Number]) -> bool {
    is_even(numbers) && numbers[1].value - numbers[0].value == 1.0 && numbers[0].value.abs() <= 1.0
}

/// Says whether a number lies outside of all in its column.
fn is_outside(body: &[Vec<Entry>], k: usize, number: &Number) -> bool {
    let values = || column(body, k).filter_map(Entry::number).map(|n| n.value);
    let (least, most) = (values().fold(f64::INFINITY, f64::min), values().fold(f64::MIN, f64::max));
    !(least..=most).contains(&number.value)
}

/// Says whether the first row, below so many names, has words where all others have numbers: their
/// units.
fn has_units(body: &[Vec<Entry>], names: usize) -> bool {
    let Some((units, rest)) = body.split_first() else { return false };
    if units.len() != names {
        return false;
    }
    let numeric: Vec<usize> = (0..units.len()).filter(|&k| is_numeric(rest, k)).collect();
    let texts = numeric.iter().filter(|&&k| units[k].is_text()).count();
    let numbers = numeric.iter().filter(|&&k| units[k].number().is_some()).count();
    !rest.is_empty() && texts > 0 && numbers == 0
}

/// Says whether rows that begin with `values`, in text and without names, might be taken for rows
/// below names, so that they are written in another way. `whole` says that they are written as
/// integers, `fractions` that all that follows may be fractions.
pub(in crate::input) fn looks_like_names(values: &[f64], whole: bool, fractions: bool) -> bool {
    let numbers: Vec<Number> =
        values.iter().map(|&value| Number { value, form: Form::Other }).collect();
    let least = if whole { LEAST_RUN } else { LONG_RUN };
    let run = values.len() >= least && is_run(&numbers);
    let all = values.len() > 1 && values.iter().all(|v| v.is_finite()) && is_distinct(&numbers);
    all && (run || (whole && fractions))
}

/// Says whether the first line of `text`, the beginning of a table, is taken for names.
pub(in crate::input) fn reads_as_names(text: &[u8], delimiter: u8, mark: u8) -> bool {
    let lines = sample::lines(text, true);
    let lines: Vec<_> = lines.into_iter().map(|line| sample::split(line, delimiter)).collect();
    find(&lines, Notation { mark, grouping: None }, None).names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::table::sample::split;

    fn header(text: &str) -> Header {
        let lines: Vec<_> = text.lines().map(|line| split(line.as_bytes(), b',')).collect();
        find(&lines, Notation::PLAIN, None)
    }

    #[test]
    fn numbers_above_numbers_are_names_where_something_tells_them_apart() {
        for names in [
            "400,410,420\n0.1,0.3,0.2\n0.2,0.1,0.3\n0.3,0.2,0.2",
            "101,205,150\n0.25,0.50,0.75\n0.50,0.25,0.12",
            "400,412,431,440,470\n1,5,3,9,1\n7,5,2,6,0\n3,9,1,4,4",
            "2019,2020\n1.5,2.5\n3.5,0.5",
            "0,1,2,3\n5,3,200,0\n9,3,1,0\n7,7,7,8",
            "1990,1991,1992\n5,3,200\n9,30,1\n7,7,8",
            "399.8,402.1,404.4,406.7,409\n0.1,0.2,0.1,0.3,0.1\n0.2,0.2,0.1,0,0.4\n0.1,0,0.1,0.2,0",
            "4000,3998,3996\n0.1,0.2,0\n0.2,0,0.1\n0.2,0.1,0.1",
            "2015,2016,2017,2018\n90,5000,77,3100\n9000,41,2500,8\n12,3500,66,1900",
            "400,410,420,430,440\n0.1234,0.3,0.25,0.11,0.5",
            ",0,1\n0,5,3\n1,9,3\n2,7,7",
            ",0\n0,1.5\n1,2.5",
            "\"400\",\"410\"\n1,2\n3,4",
        ] {
            let found = header(names);
            assert!(found.names, "{names}");
            assert_eq!(found.bare, !names.starts_with('"'), "{names}");
        }
        for data in [
            "1,2\n3,4",
            "1,2,3\n4,5,6\n7,8,9",
            "0,0,0\n0.1,0.5,0.3\n0.2,0.1,0.4",
            "0.1,0.2,0.3,0.4,0.5\n0.3,0.2,0.1,0.4,0.5\n0.9,0.1,0.2,0.5,0.3\n0.1,0.9,0.2,0.3,0.1",
            "1\n2.5\n3.5",
            "0,100,50\n0.1,99.5,50.25\n0.2,99.25,50.5",
            "1e0,2,3\n0.5,0.1,0.3\n0.1,0.5,0.3",
            "1,2,3,4\n1.5,2.5,3.5,4.5\n2,3,4,5\n7,8,9,11",
            "NA,2\n3,4",
            "\"1\",\"2\"\n\"3\",\"4\"",
            "5.1,3.5,setosa\n4.9,3,setosa\n4.7,3.2,virginica",
        ] {
            assert!(!header(data).names, "{data}");
        }
        assert!(header("3,5,9\n4,2,7\n1,6,2\n8,3,5").doubtful);
    }

    #[test]
    fn words_are_names_and_blanks_within_quotes_are_words() {
        for names in ["x,y\n1,2", "x,\n1,2\n3,4", "\" \"\n1\n2", "a,b\nx,y", "x,1\n2,3", "x,y"] {
            let found = header(names);
            assert!(found.names && !found.bare && !found.units, "{names}");
        }
        assert!(header("a,b\nm,s\n1,2\n3,4").units);
        assert!(header("a,b\n(C),\n1,2\n3,4").units);
        assert!(!header("a,b\nx,y\nz,w").units);
        assert!(!header("a,b\nNA,NA\n1,2").units);
    }
}
