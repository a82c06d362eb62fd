//! Small files that claim much.

use super::*;

/// No stream but the coder's state, in one part: rows whose symbols take no bits.
fn nothing() -> Vec<u8> {
    let mut out = vec![0];
    RansEncoder::default().finish(&mut out);
    out
}

/// Rows of which each is one more than the one before, at no bits.
fn ramp(width: usize) -> ModelRecord {
    let one = TableSpec::Histogram { raw: 0, entries: vec![(1, 1 << 15)], escape: 0 };
    ModelRecord {
        base: vec![0; width],
        temporal: vec![256; width],
        tables: vec![one],
        ..plain(width)
    }
}

fn of_one_block(record: ModelRecord, rows: usize) -> FileParts {
    let mut own = parts(record, &[]);
    own.blocks = vec![(rows, nothing(), Vec::new())];
    own
}

#[test]
fn a_block_is_decoded_once_whatever_the_pieces() {
    let bytes = of_one_block(ramp(3), 1 << 16).build();
    let file = Scratch::new("pieces", &bytes);
    let reader = Reader::open(&file.0).unwrap();
    let mut three = [0.0_f32; 9];
    reader.read_rows(5..8, &mut three).unwrap();
    assert_eq!(three, [3.0, 3.0, 3.0, 3.5, 3.5, 3.5, 4.0, 4.0, 4.0]);
    // Whoever began with the block's first row again would find it damaged.
    let place = reader.blocks.frame().index.place(0);
    let mut other = bytes.clone();
    other[place.offset as usize + 1] ^= 1;
    std::fs::write(&file.0, &other).unwrap();
    let mut row = [0.0_f32; 3];
    for i in (8..1 << 16).step_by(500) {
        reader.read_rows(i..i + 1, &mut row).unwrap();
        assert_eq!(row, [(i + 1) as f32 / 2.0; 3]);
    }
    reader.read_rows(0..1, &mut row).expect_err("the block begins anew");
    // Without memory for later calls, none is kept.
    std::fs::write(&file.0, &bytes).unwrap();
    let forgetful = Reader::open_with(&file.0, options(0)).unwrap();
    forgetful.read_rows(5..6, &mut row).unwrap();
    std::fs::write(&file.0, &other).unwrap();
    forgetful.read_rows(6..7, &mut row).unwrap_err();
}

#[test]
fn rows_far_apart_in_a_large_block_are_gathered() {
    let reader = Reader::new(of_one_block(ramp(300), 1 << 16).build()).unwrap();
    let picks = [65_535, 0, 40_000, 40_001, 0, 7];
    let mut out = vec![0.0_f32; 6 * 300];
    reader.gather(&picks, &mut out).unwrap();
    for (row, i) in out.chunks(300).zip(picks) {
        assert!(row.iter().all(|&x| x == (i + 1) as f32 / 2.0), "row {i}");
    }
}

#[test]
fn constant_rows_are_what_any_rows_are() {
    let mut record = plain(4);
    record.tables = vec![TableSpec::Zero];
    assert!(Program::new(record.clone(), DType::F32).unwrap().constant);
    let constant = Reader::new(of_one_block(record.clone(), 1000).build()).unwrap();
    constant.verify().unwrap();
    let mut out = vec![0.0_f32; 4 * 1000];
    constant.read_rows(0..1000, &mut out).unwrap();
    assert_eq!(out, [0.0, 5.0, 10.0, 15.0].repeat(1000));
    let mut own = of_one_block(record, 1000);
    own.blocks[0].1.extend([0; 4]);
    Reader::new(own.build()).unwrap().verify().expect_err("the stream goes on");
}

#[test]
fn few_bytes_make_no_large_model() {
    let width = 1 << 22;
    let mut record = plain(width);
    record.base.fill(0);
    let mut own = of_one_block(record, 1);
    let small = own.build();
    assert!(small.len() < 12_000, "{}", small.len());
    assert_eq!(Reader::new(&small).unwrap_err().kind(), ErrorKind::Limit);
    // A longer file may have it.
    own.sections.insert(1, (*b"room", vec![0; 20_000]));
    Reader::new(own.build()).unwrap();
}

/// One latent, `1 << hidden` units in each of two hidden layers, and weights of 0.
fn deep(hidden: u32) -> ModelRecord {
    let units = 1_usize << hidden;
    let layer = |inputs: usize| Hidden {
        weights: vec![0; inputs * units],
        bias: vec![0; units],
        multiplier: 1,
        ..Hidden::default()
    };
    let layers = vec![layer(1), layer(units)];
    let weights = vec![0; units];
    let mut record = ModelRecord {
        latent_clamp: vec![9],
        latent_temporal: vec![256],
        gain: 4,
        skip: vec![1],
        hidden: Some(HiddenPath { input_shift: vec![0], layers, weights, multiplier: 1 }),
        ..ramp(1)
    };
    record.classes.means = vec![0];
    record.classes.latent_tables = vec![0];
    record
}

#[test]
fn few_bytes_make_little_work() {
    let rows = 1 << 16;
    for (record, longer) in [(ramp(2000), 30_000), (deep(9), 30_000)] {
        let mut own = of_one_block(record.clone(), rows);
        let small = own.build();
        assert!(small.len() < 12_000, "{}", small.len());
        assert_eq!(Reader::new(&small).unwrap_err().kind(), ErrorKind::Limit);
        // A longer file may have it, wherever it is longer.
        let room = vec![0; longer];
        own.gap = section::encode(*b"room", &room);
        Reader::new(own.build()).unwrap();
        own.gap.clear();
        own.sections.insert(1, (*b"room", room));
        Reader::new(own.build()).unwrap();
        // And so may fewer rows.
        Reader::new(of_one_block(record, rows / 16).build()).unwrap();
    }
    // Rows that are all alike take none.
    let mut record = plain(2000);
    record.tables = vec![TableSpec::Zero];
    Reader::new(of_one_block(record, rows).build()).unwrap().verify().unwrap();
}

#[cfg(feature = "compress")]
#[test]
fn a_file_is_as_long_as_its_rows_take_work() {
    use crate::container::file::FileWriter;
    let width = 2000;
    let record = ramp(width);
    let work = Program::new(record.clone(), DType::F32).unwrap().row_work();
    let schema = Schema::new(DType::F32, &[width]);
    let promise = Some(&Fidelity::Lossless);
    let write = |rows: usize| {
        let model = record.encode(width);
        let file = FileWriter::begin(Vec::new(), &schema, promise, Some(&model), None).unwrap();
        let mut file = file.with_row_work(work);
        file.block(rows, &block::encode_coded(0, &nothing(), &[])).unwrap();
        file.finish_into().unwrap().1
    };
    let (few, many) = (write(100), write(1 << 16));
    assert!(few.len() < 1000 && many.len() > 10_000, "{} {}", few.len(), many.len());
    let mut row = vec![0.0_f32; width];
    Reader::new(&many).unwrap().read_row(9, &mut row).unwrap();
    assert_eq!(row, vec![5.0; width]);
    let mut damaged = many.clone();
    damaged[many.len() - 5000] ^= 1;
    assert_eq!(Reader::new(&damaged).unwrap_err().kind(), ErrorKind::Corrupt);
    Reader::new(&many[..many.len() - 1]).unwrap_err();
}

#[cfg(feature = "compress")]
#[test]
fn what_is_written_may_be_read_however_few_its_bytes() {
    use crate::container::file::FileWriter;
    let width = 1 << 21;
    let mut record = plain(width);
    record.base.fill(0);
    record.tables = vec![TableSpec::Zero];
    let model = record.encode(width);
    let mut schema = Schema::new(DType::F32, &[width]);
    for names in [None, Some(vec!["same".to_string(); width])] {
        schema.columns = names;
        let promise = Some(&Fidelity::Lossless);
        let mut out = FileWriter::begin(Vec::new(), &schema, promise, Some(&model), None).unwrap();
        out.block(2, &block::encode_coded(0, &nothing(), &[])).unwrap();
        let file = out.finish_into().unwrap().1;
        assert!(file.len() < 80_000, "{}", file.len());
        let reader = Reader::new(&file).unwrap();
        let mut back = vec![1.0_f32; width];
        reader.read_row(1, &mut back).unwrap();
        assert!(back.iter().all(|x| *x == 0.0));
    }
}
