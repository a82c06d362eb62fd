//! The same row, read in different ways, is the same row.
//!
//! The input is 32 bytes that choose what to read, then a file, repaired.
#![no_main]

use aezip::{DType, Element, F16, Reader, Source};
use libfuzzer_sys::{Corpus, fuzz_target};
use std::collections::HashMap;

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some((wishes, file)) = bytes.split_first_chunk::<32>() else { return Corpus::Reject };
    let Some(file) = aezip_fuzz::repair(file) else { return Corpus::Reject };
    let Ok(reader) = Reader::new_with(&file, aezip_fuzz::options()) else { return Corpus::Keep };
    if reader.rows() == 0 || reader.schema().row_bytes() > 1 << 12 {
        return Corpus::Keep;
    }
    match reader.dtype() {
        DType::F16 => read::<F16>(&reader, wishes),
        DType::F32 => read::<f32>(&reader, wishes),
        DType::F64 => read::<f64>(&reader, wishes),
        DType::U8 => read::<u8>(&reader, wishes),
        DType::I8 => read::<i8>(&reader, wishes),
        DType::U16 => read::<u16>(&reader, wishes),
        DType::I16 => read::<i16>(&reader, wishes),
        DType::U32 => read::<u32>(&reader, wishes),
        DType::I32 => read::<i32>(&reader, wishes),
        DType::U64 => read::<u64>(&reader, wishes),
        DType::I64 => read::<i64>(&reader, wishes),
    }
    Corpus::Keep
});

/// Rows as they were first read.
struct Seen(HashMap<usize, Vec<u8>>);

impl Seen {
    fn check<T: Element>(&mut self, rows: &[usize], values: &[T]) {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        for (&row, bytes) in rows.iter().zip(bytes.chunks_exact(bytes.len() / rows.len())) {
            let first = self.0.entry(row).or_insert_with(|| bytes.to_vec());
            assert_eq!(first, bytes, "row {row} differs");
        }
    }
}

/// A box of the array is what its rows have there.
fn regions(reader: &Reader<impl Source>, wishes: &[u8; 32], whole_is_sound: bool) {
    let shape = reader.shape();
    let (size, width) = (reader.dtype().size(), reader.schema().width());
    let mut wishes = wishes.iter().map(|&n| usize::from(n)).cycle();
    let mut wish = || wishes.next().unwrap_or(0);
    let ranges: Vec<_> = shape
        .iter()
        .map(|&n| {
            let start = wish() * 0x9e37 % n;
            start..(start + wish() % 40 + 1).min(n)
        })
        .collect();
    let values: usize = ranges.iter().map(|range| range.len()).product();
    if values > 1 << 16 {
        return;
    }
    let mut region = vec![0x33; values * size];
    if let Err(error) = reader.read_region_bytes(&ranges, &mut region) {
        assert!(!whole_is_sound, "{ranges:?} of a sound file: {error}");
        return;
    }
    let Some((rows, columns)) = ranges.split_first() else { return };
    let mut row = vec![0x77; width * size];
    let mut own = region.chunks_exact(region.len() / rows.len());
    for i in rows.clone() {
        if reader.read_bytes(i, &mut row).is_err() {
            return;
        }
        let mut places = vec![0];
        for (&n, range) in shape[1..].iter().zip(columns) {
            places = places.iter().flat_map(|at| range.clone().map(move |j| at * n + j)).collect();
        }
        let wanted: Vec<u8> =
            places.iter().flat_map(|at| row[at * size..][..size].to_vec()).collect();
        assert_eq!(own.next(), Some(&wanted[..]), "row {i} of {ranges:?}");
    }
}

fn read<T: Element>(reader: &Reader<impl Source>, wishes: &[u8; 32]) {
    let (total, width) = (reader.rows(), reader.schema().width());
    let mut seen = Seen(HashMap::new());
    // What is in the room before must not matter.
    let stale = T::zeroed();
    let room = |rows: usize, fill: u8| -> Vec<T> {
        let mut values = vec![stale; rows * width];
        bytemuck::cast_slice_mut(&mut values).fill(fill);
        values
    };

    // The whole, where it is small and sound: then nothing else may fail.
    let mut whole_is_sound = false;
    if total <= 512 {
        let mut whole = room(total, 0x55);
        if reader.read_rows(0..total, &mut whole).is_ok() {
            whole_is_sound = true;
            let rows: Vec<usize> = (0..total).collect();
            seen.check(&rows, &whole);
        }
    }
    regions(reader, wishes, whole_is_sound);
    for pair in wishes.as_chunks::<4>().0 {
        let [kind, a, b, c] = pair.map(usize::from);
        let spot = |n: usize| n * 0x9e37 % total;
        let rows: Vec<usize> = match kind % 3 {
            0 => vec![spot(a + (b << 8))],
            1 => [a, b, c, a ^ b, a, b ^ c].map(spot).to_vec(),
            _ => {
                let start = spot(a + (b << 8));
                (start..(start + c % 70 + 1).min(total)).collect()
            }
        };
        let mut values = room(rows.len(), kind as u8);
        let read = match kind % 3 {
            0 => reader.read_row(rows[0], &mut values),
            1 => reader.gather(&rows, &mut values),
            _ => reader.read_rows(rows[0]..rows[0] + rows.len(), &mut values),
        };
        match read {
            Ok(()) => seen.check(&rows, &values),
            Err(error) => assert!(!whole_is_sound, "rows {rows:?} of a sound file: {error}"),
        }
    }
}
