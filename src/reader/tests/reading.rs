//! Rows of sound files, asked for in every way.

use super::*;

/// Asks for rows in every way and expects the same of each.
fn asked_in_every_way<S: Source>(reader: &Reader<S>, expected: &[f32]) {
    let width = reader.schema().width();
    let rows = reader.rows();
    let row_of = |i: usize| &expected[i * width..(i + 1) * width];
    let mut random = Random(3);
    let mut row = vec![0.0; width];
    // Some rows often, so that blocks come from the cache as well.
    for _ in 0..150 {
        let i = random.below(rows as u64) as usize;
        reader.read_row(i, &mut row).unwrap();
        assert_eq!(row, row_of(i), "row {i}");
    }
    for _ in 0..20 {
        let wanted: Vec<usize> = (0..9).map(|_| random.below(rows as u64) as usize).collect();
        let mut out = vec![0.0; 9 * width];
        reader.gather(&wanted, &mut out).unwrap();
        for (out, i) in out.chunks_exact(width).zip(wanted) {
            assert_eq!(out, row_of(i));
        }
    }
    for _ in 0..20 {
        let a = random.below(rows as u64 + 1) as usize;
        let b = a + random.below((rows - a) as u64 + 1) as usize;
        let mut out = vec![0.0; (b - a) * width];
        reader.read_rows(a..b, &mut out).unwrap();
        assert_eq!(out, &expected[a * width..b * width], "{a}..{b}");
        let mut bytes = vec![0; (b - a) * width * 4];
        Rows::read(reader, a, &mut bytes).unwrap();
        assert_eq!(bytes, crate::matrix::to_little_endian(&out));
    }
    reader.verify().unwrap();
}

#[test]
fn rows_are_the_same_however_they_are_asked_for() {
    for record in [plain(5), rich(6)] {
        let bytes = parts(record, &[3, 40, 1, 70]).build();
        let whole = Reader::new(&bytes).unwrap();
        assert_eq!(whole.rows(), 114);
        let mut expected = vec![0.0; 114 * whole.schema().width()];
        whole.read_rows(0..114, &mut expected).unwrap();
        assert!(expected.iter().any(|v| *v != expected[0]));
        for cache in [0, 100, 1 << 20] {
            asked_in_every_way(&Reader::new_with(&bytes, options(cache)).unwrap(), &expected);
        }
        let file = Scratch::new(&format!("ways-{}", whole.schema().width()), &bytes);
        asked_in_every_way(&Reader::open(&file.0).unwrap(), &expected);
        // SAFETY: nobody changes the file while the reader lives.
        #[allow(unsafe_code)]
        let mapped = unsafe { Reader::map(&file.0) }.unwrap();
        asked_in_every_way(&mapped, &expected);
    }
}

#[test]
fn values_are_what_the_record_says() {
    let record = plain(2);
    let program = Program::new(record.clone(), DType::F32).unwrap();
    let mut coder = RansEncoder::default();
    for r in [1, -3, 0, 7, 100, -2] {
        assert!(program.tables[0].encode(r, &mut coder));
    }
    let mut own = parts(record, &[3]);
    own.blocks[0].1 = vec![0];
    coder.finish(&mut own.blocks[0].1);
    let mut out = [0.0_f32; 6];
    Reader::new(own.build()).unwrap().read_rows(0..3, &mut out).unwrap();
    // Bases 0 and 10, halves.
    assert_eq!(out, [0.5, 3.5, 0.0, 8.5, 50.0, 4.0]);
}

#[test]
fn latents_follow_their_recursion() {
    let reader = Reader::new(parts(rich(6), &[4, 30]).build()).unwrap();
    let all = reader.latents(0..34).unwrap();
    assert_eq!(all.len(), 34 * reader.info().latents);
    assert!(all.iter().skip(1).step_by(3).all(|y| y.abs() <= 400), "clamped");
    assert_eq!(reader.latents(2..9).unwrap(), all[6..27]);
    assert!(reader.latents(7..7).unwrap().is_empty());
    assert_eq!(reader.latents(0..35).unwrap_err().kind(), ErrorKind::Argument);
    let without = Reader::new(parts(plain(2), &[5]).build()).unwrap();
    assert!(without.latents(0..5).unwrap().is_empty());
}

#[test]
fn a_summary_tells_what_is_there() {
    let bytes = parts(rich(6), &[4, 30]).build();
    let info = Reader::new(&bytes).unwrap().info();
    assert_eq!((info.rows, info.blocks, info.rows_per_block), (34, 2, 4));
    assert_eq!((info.latents, info.hidden, info.classes), (3, vec![5, 4], 3));
    assert_eq!((info.tables, info.trellis_states, info.index_bytes), (4, 4, 12));
    assert_eq!((info.contexts, info.atoms), (0, 0));
    assert_eq!((info.file_bytes, info.dtype), (bytes.len() as u64, DType::F32));
    assert_eq!(info.fidelity.unwrap().text(), "0.25");
    assert!(!info.codec && !info.named_columns && info.model_bytes > 20);
}

#[test]
fn what_makes_no_sense_is_the_callers_fault() {
    let reader = Reader::new(parts(plain(2), &[5]).build()).unwrap();
    let mut two = [0.0_f32; 2];
    let mut errors = vec![
        reader.read_row(0, &mut [0.0_f64; 2]),
        reader.read_row(0, &mut [0.0_f32; 3]),
        reader.read_row(5, &mut two),
        reader.read_row(usize::MAX, &mut two),
        reader.gather(&[0, 9], &mut [0.0_f32; 4]),
        reader.read_rows(4..6, &mut [0.0_f32; 4]),
        reader.read_rows(usize::MAX - 1..usize::MAX, &mut two),
        reader.read_bytes(0, &mut [0; 7]),
        reader.read_bytes(5, &mut [0; 8]),
    ];
    #[allow(clippy::reversed_empty_ranges)]
    errors.push(reader.read_rows::<f32>(3..1, &mut []));
    for (i, error) in errors.into_iter().enumerate() {
        assert_eq!(error.expect_err("refused").kind(), ErrorKind::Argument, "{i}");
    }
    reader.read_rows::<f32>(5..5, &mut []).unwrap();
    let message = reader.read_row(5, &mut two).unwrap_err().to_string();
    assert!(message.contains("row 5") && message.contains("there are 5"), "{message}");
}

#[test]
fn a_missing_file_is_named() {
    let error = Reader::open("no such folder/no such file.aez").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("no such file.aez"));
}

#[test]
fn readers_are_shared_between_threads() {
    let reader = Reader::new_with(parts(rich(6), &[20; 12]).build(), options(2000)).unwrap();
    let mut expected = vec![0.0_f32; 240 * 6];
    reader.read_rows(0..240, &mut expected).unwrap();
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (reader, expected) = (&reader, &expected);
            scope.spawn(move || {
                let mut random = Random(seed);
                let mut row = [0.0_f32; 6];
                for _ in 0..400 {
                    let i = random.below(240) as usize;
                    reader.read_row(i, &mut row).unwrap();
                    assert_eq!(row, expected[i * 6..][..6]);
                }
            });
        }
    });
}

#[cfg(feature = "compress")]
#[test]
fn parts_that_are_read_side_by_side_are_as_those_read_alone() {
    use crate::{Config, Fidelity, Matrix, compress};
    let wave = |at: i32| (0.37 * (at / 24) as f32).sin() * ((at % 24) as f32 * 0.2).cos();
    let values: Vec<f32> = (0..24 * 500).map(wave).collect();
    let rows = Matrix::from_slice(&values, &[24]).unwrap();
    for access in ["1", "2", "3", "7", "11", "16", "40", "scan", "auto"] {
        let fidelity = Fidelity::Nmse("0.001".parse().unwrap());
        let access_of = access.parse().unwrap();
        let config = Config { fidelity, level: 1, access: access_of, ..Config::default() };
        let mut file = Vec::new();
        compress(&rows, &config, &mut file).unwrap();
        let reader = Reader::new(&file).unwrap();
        let mut whole = vec![0.0_f32; values.len()];
        reader.read_rows(0..500, &mut whole).unwrap();
        let mut row = [0.0_f32; 24];
        for i in 0..500 {
            reader.read_row(i, &mut row).unwrap();
            assert_eq!(row, whole[i * 24..(i + 1) * 24], "{access}: row {i}");
        }
        asked_in_every_way(&reader, &whole);
    }
}
