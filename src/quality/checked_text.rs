//! Rows that say how they were written as text, and do so truly.

use super::chunks::{Chunk, chunks};
use super::decimals::{layout, nearest, power, range_exponent};
use crate::codec::fill::is_ordinary;
use crate::error::Result;
use crate::matrix::{Digits, Rows, Schema, TextColumn};

/// Rows, and what is true of the text that they were read from: whoever changed or chose rows may
/// have left the schema as it was.
pub(crate) struct CheckedText<'a> {
    rows: &'a dyn Rows,
    schema: Schema,
}

impl<'a> CheckedText<'a> {
    /// Looks at all rows; `None` where their schema says nothing that could be wrong.
    pub(crate) fn new(rows: &'a dyn Rows) -> Result<Option<Self>> {
        let mut schema = rows.schema().clone();
        let Some(text) = schema.origin.as_mut().and_then(|origin| origin.text.as_mut()) else {
            return Ok(None);
        };
        match layout(rows.schema()) {
            Some(known) => text.columns = columns(rows, &known.columns)?,
            None => text.columns.clear(),
        }
        Ok(Some(Self { rows, schema }))
    }
}

/// Returns a column of rows of which their schema, that of rows before them, says something about text that
/// is not true of them; `given` is what they say themselves.
///
/// # Errors
/// That of reading rows.
pub(crate) fn text_stays_true(rows: &dyn Rows, given: &Schema) -> Result<Option<usize>> {
    let Some(said) = layout(rows.schema()) else { return Ok(None) };
    let seen = columns(rows, &said.columns)?;
    let own = layout(given).map(|own| &own.columns);
    let differs = |&j: &usize| {
        let said = said.columns[j];
        let digits = own.map_or(Digits::Fewest, |own| own[j].digits);
        said.decimals.is_some() && seen[j].decimals.is_none() || said.digits != digits
    };
    Ok((0..seen.len()).find(differs))
}

impl Rows for CheckedText<'_> {
    fn schema(&self) -> &Schema {
        &self.schema
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn read(&self, first: usize, out: &mut [u8]) -> Result<()> {
        self.rows.read(first, out)
    }
}

/// What the numbers of a column are.
#[derive(Clone, Copy)]
struct Seen {
    min: f64,
    max: f64,
    /// All are decimals of as many places as was said.
    decimal: bool,
}

const NOTHING: Seen = Seen { min: f64::INFINITY, max: f64::NEG_INFINITY, decimal: true };

impl Seen {
    fn join(&mut self, other: &Self) {
        self.min = self.min.min(other.min);
        self.max = self.max.max(other.max);
        self.decimal &= other.decimal;
    }

    /// Returns what is true of a column of which `said` was said.
    fn column(self, said: TextColumn) -> TextColumn {
        let (min, max) = (self.min, self.max);
        if min > max {
            return TextColumn { range: 0, ..said };
        }
        match said.decimals.filter(|_| self.decimal).and_then(|places| power(places.into())) {
            Some(power) => {
                let range = (max * power).round() - (min * power).round();
                TextColumn { range: range as u64, ..said }
            }
            None => {
                let (range, digits) = (range_exponent(max - min), said.digits);
                TextColumn { range, digits, ..TextColumn::default() }
            }
        }
    }
}

fn columns(rows: &dyn Rows, said: &[TextColumn]) -> Result<Vec<TextColumn>> {
    let width = said.len();
    let work = |chunk: &Chunk<'_>, _: &Chunk<'_>, part: &mut Vec<Seen>| {
        part.resize(width, NOTHING);
        for row in chunk.cells::<f64>().chunks_exact(width) {
            for ((x, own), said) in row.iter().zip(part.iter_mut()).zip(said) {
                if x.is_nan() {
                    continue;
                }
                let places = said.decimals.map(usize::from);
                own.decimal &= places.and_then(|p| nearest(*x, p, 0.0)) == Some(*x);
                if is_ordinary(*x, chunk.fills) {
                    own.min = own.min.min(*x);
                    own.max = own.max.max(*x);
                }
            }
        }
    };
    let mut all = vec![NOTHING; width];
    chunks(rows, None, work, |part: Vec<Seen>| {
        all.iter_mut().zip(&part).for_each(|(all, own)| all.join(own));
    })?;
    Ok(all.into_iter().zip(said).map(|(seen, said)| seen.column(*said)).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::matrix::{DType, Digits, FillValues, Matrix, Origin, TextLayout};

    #[test]
    fn what_is_no_longer_true_of_rows_is_not_said_of_them() {
        let said = TextColumn { decimals: Some(1), fixed: true, range: 99, digits: Digits::Fewest };
        let columns = |values: &[f64]| {
            let mut schema = Schema::new(DType::F64, &[1]);
            schema.fill_values = FillValues::from_bits(vec![(-999.0_f64).to_bits()]);
            let text = Some(TextLayout { columns: vec![said], ..TextLayout::default() });
            schema.origin = Some(Origin { format: "csv".to_string(), part: None, text });
            let bytes = values.iter().flat_map(|v| v.to_le_bytes()).collect();
            let rows = Matrix::new(schema, bytes).unwrap();
            let checked = CheckedText::new(&rows).unwrap().unwrap();
            checked.schema().origin.clone().unwrap().text.unwrap().columns[0]
        };
        assert_eq!(columns(&[0.5, f64::NAN, 2.5, -999.0]), TextColumn { range: 20, ..said });
        assert_eq!(columns(&[f64::NAN]), TextColumn { range: 0, ..said });
        let unknown = columns(&[0.5, 2.55]);
        assert_eq!((unknown.decimals, unknown.fixed), (None, false));
        assert_eq!(f64::from_bits(unknown.range << 52), 2.0);
        assert_eq!(columns(&[0.5, f64::INFINITY]).decimals, None);
    }
}
