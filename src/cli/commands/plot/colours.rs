//! What points are coloured by.

use crate::cli::io::failure::Failure;
use crate::cli::io::rows;
use crate::cli::io::source::label;
use aezip::apps::plot::Colours;
use aezip::{Matrix, Rows, Schema};
use std::path::Path;

/// Whole numbers of so many kinds are labels: more colours could not be told apart.
const MOST_LABELS: usize = 64;
/// Columns named in an error.
const NAMED: usize = 10;
/// Whole numbers below this are exact in an `f64`.
const EXACT: f64 = 9e15;

/// Where the numbers come from that points are coloured by.
#[derive(Debug, Clone, Copy)]
pub(super) enum ColumnOrFile<'a> {
    /// A column of the input.
    Column(usize),
    /// A file with a number for each row.
    File(&'a Path),
}

impl<'a> ColumnOrFile<'a> {
    /// Finds what is called `name`: a column of `rows`, or else `file`, which is that path if it is
    /// there.
    pub(super) fn find(
        rows: &dyn Rows,
        name: &Path,
        file: Option<&'a Path>,
    ) -> Result<Self, Failure> {
        let names = rows.schema().columns.as_deref().unwrap_or_default();
        if let Some(column) = names.iter().position(|own| Path::new(own) == name) {
            return Ok(Self::Column(column));
        }
        file.map(Self::File).ok_or_else(|| {
            let some: Vec<&str> = names.iter().take(NAMED).map(String::as_str).collect();
            let known = if some.is_empty() {
                "the input's columns have no names".to_string()
            } else {
                format!("the input's columns are {}", some.join(", "))
            };
            Failure::error(format!(
                "{}: there is neither such a file nor such a column; {known}",
                label(name)
            ))
        })
    }

    /// Reads the numbers, and says whether they are labels.
    pub(super) fn colours(self, rows: &dyn Rows) -> Result<Colours, Failure> {
        let numbers: Vec<f64> = match self {
            Self::Column(column) => {
                let all = aezip::apps::to_doubles(rows)?;
                all.into_iter().skip(column).step_by(rows.schema().width()).collect()
            }
            Self::File(path) => rows::numbers(&*rows::column(path, rows.len())?, &label(path))?,
        };
        let is_whole = |x: &&f64| x.fract() == 0.0 && x.abs() < EXACT;
        let mut kinds: Vec<i64> = numbers.iter().filter(is_whole).map(|x| *x as i64).collect();
        let are_whole = kinds.len() == numbers.len();
        kinds.sort_unstable();
        kinds.dedup();
        Ok(if are_whole && kinds.len() <= MOST_LABELS {
            Colours::Labels(numbers.iter().map(|x| *x as i64).collect())
        } else {
            Colours::Numbers(numbers)
        })
    }
}

/// Copies the rows without a column.
pub(super) fn without(rows: &dyn Rows, place: usize) -> Result<Matrix, Failure> {
    let schema = rows.schema();
    let (width, size) = (schema.width(), schema.dtype.size());
    if width == 1 {
        return Err(Failure::error("the only column colours the points, so none is left"));
    }
    let mut all = vec![0; rows.len() * schema.row_bytes()];
    rows.read(0, &mut all)?;
    let cells = all.chunks_exact(size).enumerate().filter(|(at, _)| at % width != place);
    let bytes: Vec<u8> = cells.flat_map(|(_, cell)| cell).copied().collect();
    let mut names = schema.columns.clone();
    if let Some(names) = &mut names {
        names.remove(place);
    }
    let row_shape = vec![width - 1];
    Ok(Matrix::new(Schema { columns: names, row_shape, ..schema.clone() }, bytes)?)
}
