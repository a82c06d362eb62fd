//! Any bytes as a file of any input format; what can be read can be written and read again.
//!
//! The first byte chooses the format, or that it is to be found out, the second a type for raw numbers; the rest is the file.
#![no_main]

use aezip::input::{Format, OpenOptions, RawLayout, open_reader, sink::create_sink};
use aezip::{DType, Rows};
use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(([choice, kind], file)) = bytes.split_first_chunk::<2>() else {
        return Corpus::Reject;
    };
    let format = Format::ALL.get(usize::from(choice % 16)).copied();
    let mut options = OpenOptions { format, ..OpenOptions::default() };
    if format == Some(Format::Raw) {
        options.raw = Some(RawLayout {
            bfloat16: false,
            dtype: DType::ALL[usize::from(kind % 11)],
            rows: (kind & 0x80 != 0).then_some(2),
            row_shape: vec![usize::from(kind >> 5 & 3)],
        });
    }
    let Ok(rows) = open_reader(&mut &*file, "", &options) else { return Corpus::Keep };
    let row_bytes = rows.schema().row_bytes();
    // Beyond the end there is nothing.
    let mut one = vec![0; row_bytes];
    assert!(row_bytes == 0 || rows.read(rows.len(), &mut one).is_err());
    if rows.len().saturating_mul(row_bytes) > 1 << 20 {
        let _ = rows.read(rows.len() - 1, &mut one);
        return Corpus::Keep;
    }
    let mut all = vec![0; rows.len() * row_bytes];
    if rows.read(0, &mut all).is_err() {
        return Corpus::Keep;
    }
    if !rows.is_empty() {
        rows.read(rows.len() - 1, &mut one).expect("the last of rows that can be read");
        assert_eq!(one, all[all.len() - row_bytes..]);
    }
    for format in Format::ALL {
        round_trip(&*rows, &all, format);
    }
    Corpus::Keep
});

fn round_trip(rows: &dyn Rows, all: &[u8], format: Format) {
    let schema = rows.schema();
    // Not every format holds everything.
    let Some(file) = written(rows, all, format) else { return };
    let raw = (format == Format::Raw).then(|| RawLayout {
        bfloat16: false,
        dtype: schema.dtype,
        rows: Some(rows.len() as u64),
        row_shape: schema.row_shape.clone(),
    });
    let options = OpenOptions { format: Some(format), raw, ..OpenOptions::default() };
    let back = open_reader(&mut &file[..], "", &options);
    if rows.is_empty() {
        // Nothing can be told from no rows in most formats.
        return;
    }
    let back = back.unwrap_or_else(|e| panic!("{format} cannot be read back: {e}"));
    assert_eq!(back.len(), rows.len(), "{format}");
    // Text has no types: its numbers are f64.
    if back.schema().dtype != schema.dtype {
        assert_eq!(format, Format::Csv);
        return;
    }
    let mut again = vec![0; all.len()];
    back.read(0, &mut again).unwrap();
    if format == Format::Csv {
        // A NaN's bits are not written.
        for (a, b) in all.as_chunks::<8>().0.iter().zip(again.as_chunks::<8>().0) {
            let (x, y) = (f64::from_le_bytes(*a), f64::from_le_bytes(*b));
            assert!(a == b || x.is_nan() && y.is_nan(), "{x} became {y}");
        }
    } else {
        assert_eq!(all, again, "{format}");
    }
}

fn written(rows: &dyn Rows, all: &[u8], format: Format) -> Option<Vec<u8>> {
    let mut file = Vec::new();
    let out = Box::new(&mut file);
    let mut sink = create_sink(format, rows.schema(), rows.len() as u64, out).ok()?;
    sink.write(all).expect("memory takes all");
    sink.finish().expect("as many rows as announced");
    Some(file)
}
