//! Which columns of a table are no numbers, and are kept as text.

use super::columns::{self, Column};
use super::faults::{Fault, is_other_number};
use super::notation::{Field, Notation};
use super::plan::Plan;
use crate::error::Result;
use crate::input::options::Rounding;
use crate::input::source::Source;
use csv::ByteRecord;

/// What the fields of a column turned out to be.
#[derive(Debug, Clone)]
struct Kind {
    numbers: Column,
    is_empty: bool,
    is_text: bool,
}

impl Kind {
    fn take(&mut self, field: &[u8], notation: Notation) {
        match notation.parse(field) {
            Field::Number(number) => {
                self.is_empty = false;
                self.numbers.take(&number, field, notation);
            }
            Field::Missing => self.numbers.take_missing(),
            // What is a number in another notation is not set aside: that notation is to be named.
            Field::Text => self.is_text |= !is_other_number(field, notation),
        }
    }
}

/// The columns that are asked for.
pub(super) struct Asked<'a> {
    pub(super) plan: &'a Plan,
    /// Fields of a record.
    pub(super) fields: usize,
    /// Which of them are asked for, in their order.
    pub(super) columns: &'a [usize],
    pub(super) rounding: Rounding,
}

impl Asked<'_> {
    /// Says of each column whether it is text: those of which some field is no number, and then
    /// those whose numbers no type holds beside the others. `None` where no column of numbers is
    /// left.
    pub(super) fn text(&self, source: &Source) -> Result<Option<Vec<bool>>> {
        let kinds = self.kinds(source)?;
        let mut is_text: Vec<bool> = kinds.iter().map(|kind| kind.is_text).collect();
        let numbers = kinds.iter().filter(|kind| !kind.is_text).map(|kind| kind.numbers.clone());
        let numbers: Vec<Column> = numbers.collect();
        if columns::dtype(&numbers, &|_| String::new()).is_err() {
            is_text = kinds.iter().map(|kind| kind.is_text || kind.numbers.is_changed()).collect();
        }
        let is_left = kinds.iter().zip(&is_text).any(|(kind, is_text)| !kind.is_empty && !is_text);
        Ok(is_left.then_some(is_text))
    }

    /// Looks at every field of every row.
    fn kinds(&self, source: &Source) -> Result<Vec<Kind>> {
        let numbers = Column::new(self.rounding);
        let unknown = Kind { numbers, is_empty: true, is_text: false };
        let mut kinds = vec![unknown; self.columns.len()];
        let mut records = self.plan.records(source);
        let mut record = ByteRecord::new();
        let (mut above, mut row) = (self.plan.lines_above(), 0);
        while records.next(&mut record)? {
            if above > 0 {
                above -= 1;
                continue;
            }
            let is_comment = record.get(0).is_some_and(|field| field.starts_with(b"#"));
            if is_comment {
                continue;
            }
            let fields = record.len();
            if fields < self.fields {
                let fault = Fault::Ragged { fields, expected: self.fields, row };
                return Err(fault.locate(source, records.place(&record)));
            }
            for (kind, &field) in kinds.iter_mut().zip(self.columns) {
                kind.take(&record[field], self.plan.dialect.notation);
            }
            row += 1;
        }
        Ok(kinds)
    }
}

#[cfg(test)]
mod tests {
    use crate::input::table::open;
    use crate::input::{OpenOptions, source::Source};
    use crate::matrix::{DType, KeptText, Rows};
    use std::sync::Arc;

    fn opened(text: &str) -> Result<(Vec<String>, DType, Arc<KeptText>), crate::Error> {
        let source = Source::from_memory(text.as_bytes().to_vec());
        let options = OpenOptions { keep_text: true, ..OpenOptions::default() };
        let opened = open(&source, "t.csv", &options)?;
        let schema = opened.rows.schema();
        let kept = opened.layout.kept.expect("columns of text");
        Ok((schema.columns.clone().unwrap_or_default(), schema.dtype, kept))
    }

    #[test]
    fn columns_that_are_no_numbers_are_set_aside() {
        let text =
            "station,t,date,ok,share\n\"Oslo, N\",1.5,2020-01-01,True,5 %\nBergen,NA,,False,6%\n";
        let (numbers, dtype, kept) = opened(text).unwrap();
        assert_eq!((numbers, dtype), (vec!["t".to_string()], DType::F64));
        assert_eq!(kept.labels(), ["station", "date", "ok", "share"]);
        let places: Vec<usize> = kept.columns().iter().map(|c| c.place).collect();
        assert_eq!((places, kept.rows()), (vec![0, 2, 3, 4], 2));
        let fields = |row| kept.columns().iter().map(|c| c.field(row)).collect::<Vec<_>>();
        assert_eq!(fields(0), [&b"Oslo, N"[..], b"2020-01-01", b"True", b"5 %"]);
        assert_eq!(fields(1), [&b"Bergen"[..], b"", b"False", b"6%"]);
    }

    #[test]
    fn integers_that_no_type_holds_beside_decimals_are_text() {
        let (numbers, dtype, kept) =
            opened("id,x\n9007199254740993,0.5\n9007199254740995,1.5\n").unwrap();
        assert_eq!((numbers, dtype), (vec!["x".to_string()], DType::F64));
        assert_eq!(kept.columns()[0].field(1), b"9007199254740995");
        // Beside words alone they are integers.
        let (numbers, dtype, kept) = opened("id,w\n9007199254740993,a\n1,b\n").unwrap();
        assert_eq!((numbers, dtype), (vec!["id".to_string()], DType::I64));
        assert_eq!((kept.rows(), kept.columns()[0].field(1)), (2, &b"b"[..]));
    }

    #[test]
    fn a_table_without_numbers_is_refused_as_before() {
        for text in ["a,b\nx,y\nz,w\n", "a,b\nx,\nz,NA\n"] {
            let error = opened(text).unwrap_err();
            assert!(error.to_string().contains("is not a number"), "{error}");
        }
        // What the user has to say is how the numbers are written.
        let rows = "x,1\n".repeat(300);
        let error = opened(&format!("name,a\n{rows}x,\"1,234\"\n")).unwrap_err().to_string();
        assert!(error.contains("--thousands"), "{error}");
        assert!(opened("a,b\nx,1\nz\n").unwrap_err().to_string().contains("1 field instead"));
    }
}
