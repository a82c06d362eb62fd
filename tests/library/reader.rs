//! Every way to read rows gives the same rows.

use crate::oracle::Random;
use aezip::{
    Config, ErrorKind, Fidelity, Limits, Matrix, Reader, ReaderOptions, Rows, Source, compress,
};
use std::ops::Range;
use std::sync::{LazyLock, Mutex};

const WIDTH: usize = 7;
const ROWS: usize = 9000;

fn rows() -> Matrix {
    let mut random = Random(5);
    let mut values = Vec::new();
    for i in 0..ROWS {
        let (a, b) = (random.unit() as f32, (i as f32 * 0.01).sin());
        values.extend((0..WIDTH).map(|j| a * (j as f32).cos() + b * j as f32));
    }
    values[1234] = f32::NAN;
    Matrix::from_slice(&values, &[WIDTH]).unwrap()
}

fn file(rows: &Matrix, kind: &str, text: &str) -> Vec<u8> {
    let mut config = Config::default();
    config.fidelity = Fidelity::parse(kind, text).unwrap();
    (config.level, config.threads) = (2, 1);
    let mut out = Vec::new();
    compress(rows, &config, &mut out).unwrap();
    out
}

/// Files with one class and with many, with latents and without.
static FILES: LazyLock<[Vec<u8>; 4]> = LazyLock::new(|| {
    let rows = rows();
    [("max-error", "0.001"), ("nmse", "0.01"), ("row-nmse", "0.01"), ("lossless", "")]
        .map(|(kind, text)| file(&rows, kind, text))
});

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// All rows, from the longest read there is.
fn all<S: Source>(reader: &Reader<S>) -> Vec<u32> {
    let mut out = vec![0_f32; ROWS * WIDTH];
    reader.read_rows(0..ROWS, &mut out).unwrap();
    bits(&out)
}

fn agrees<S: Source>(reader: &Reader<S>, whole: &[u32], seed: u64) {
    let mut random = Random(seed);
    let of = |row: usize| &whole[row * WIDTH..(row + 1) * WIDTH];
    for _ in 0..300 {
        let row = random.below(ROWS);
        let mut one = [9.5_f32; WIDTH];
        reader.read_row(row, &mut one).unwrap();
        assert_eq!(bits(&one), of(row), "row {row}");
    }
    for _ in 0..30 {
        let first = random.below(ROWS);
        let end = first + random.below((ROWS - first).min(1500) + 1);
        let mut some = vec![9.5_f32; (end - first) * WIDTH];
        reader.read_rows(first..end, &mut some).unwrap();
        assert_eq!(bits(&some), &whole[first * WIDTH..end * WIDTH], "rows {first}..{end}");
        let mut bytes = vec![7_u8; some.len() * 4];
        reader.read_bytes(first, &mut bytes).unwrap();
        let expected: Vec<u8> = some.iter().flat_map(|v| v.to_le_bytes()).collect();
        assert!(bytes == expected, "bytes of {first}..{end}");
        let near = random.below(ROWS);
        let wanted: Vec<usize> = (0..random.below(200))
            .map(|_| if random.one_in(2) { random.below(ROWS) } else { near / 2 + random.below(9) })
            .collect();
        let mut some = vec![9.5_f32; wanted.len() * WIDTH];
        reader.gather(&wanted, &mut some).unwrap();
        let expected: Vec<u32> = wanted.iter().flat_map(|&r| of(r).to_vec()).collect();
        assert_eq!(bits(&some), expected, "gather {wanted:?}");
    }
}

#[test]
fn random_access_agrees_with_a_full_decode() {
    for (i, file) in FILES.iter().enumerate() {
        for cache_bytes in [0, 5000, 16 << 20] {
            let options = ReaderOptions::new(Limits::default(), cache_bytes);
            let reader = Reader::new_with(file, options).unwrap();
            let whole = all(&reader);
            agrees(&reader, &whole, i as u64);
        }
    }
}

#[test]
fn latents_of_a_range_are_those_of_the_whole() {
    for file in &*FILES {
        let reader = Reader::new(file).unwrap();
        let latents = reader.info().latents;
        let whole = reader.latents(0..ROWS).unwrap();
        assert_eq!(whole.len(), ROWS * latents);
        let mut random = Random(1);
        for _ in 0..40 {
            let first = random.below(ROWS);
            let end = first + random.below(ROWS - first + 1);
            let some = reader.latents(first..end).unwrap();
            assert_eq!(some, &whole[first * latents..end * latents], "{first}..{end}");
        }
        assert!(reader.latents(0..ROWS + 1).is_err());
        #[allow(clippy::reversed_empty_ranges)]
        let reversed = reader.latents(5..3);
        assert!(reversed.is_err());
    }
}

#[test]
fn wrong_questions_are_arguments() {
    let reader = Reader::new(&FILES[0]).unwrap();
    let argument = |outcome: aezip::Result<()>| {
        assert_eq!(outcome.unwrap_err().kind(), ErrorKind::Argument);
    };
    let mut row = [0_f32; WIDTH];
    argument(reader.read_row(0, &mut [0_f64; WIDTH]));
    argument(reader.read_row(0, &mut [0_i32; WIDTH]));
    argument(reader.read_row(0, &mut row[..WIDTH - 1]));
    argument(reader.read_row(0, &mut [0_f32; WIDTH + 1]));
    argument(reader.read_row(ROWS, &mut row));
    argument(reader.read_row(usize::MAX, &mut row));
    argument(reader.read_rows(ROWS..ROWS + 1, &mut row));
    argument(reader.read_rows(usize::MAX - 1..usize::MAX, &mut row));
    argument(reader.read_rows::<f32>(ROWS + 1..ROWS + 1, &mut []));
    argument(reader.gather(&[0, ROWS], &mut [0_f32; 2 * WIDTH]));
    argument(reader.gather(&[0], &mut [0_f32; 2 * WIDTH]));
    argument(reader.read_bytes(0, &mut [0; 4 * WIDTH - 1]));
    argument(reader.read_bytes(usize::MAX, &mut [0; 4 * WIDTH]));
    reader.read_rows::<f32>(ROWS..ROWS, &mut []).unwrap();
    reader.gather::<f32>(&[], &mut []).unwrap();
}

#[test]
fn a_reader_is_shared_between_threads() {
    let reader = Reader::new(&FILES[1]).unwrap();
    let whole = all(&reader);
    std::thread::scope(|scope| {
        for seed in 0..4 {
            let (reader, whole) = (&reader, &whole);
            scope.spawn(move || agrees(reader, whole, seed));
        }
    });
}

#[test]
#[allow(unsafe_code)]
fn maps_files_and_memory_are_read_alike() {
    let file = &FILES[0];
    let path = std::env::temp_dir().join(format!("aezip-reader-{}.aez", std::process::id()));
    std::fs::write(&path, file).unwrap();
    let memory = Reader::new(file).unwrap();
    let opened = Reader::open(&path).unwrap();
    // SAFETY: nobody else knows of the file, and it is removed only at the end.
    let mapped = unsafe { Reader::map(&path) }.unwrap();
    let whole = all(&memory);
    assert!(whole == all(&opened) && whole == all(&mapped));
    agrees(&opened, &whole, 1);
    agrees(&mapped, &whole, 2);
    opened.verify().unwrap();
    mapped.verify().unwrap();
    drop((opened, mapped));
    std::fs::remove_file(&path).unwrap();
}

/// Bytes of a file that are far away, of which only those may be fetched that were named before.
pub(crate) struct Far<'a> {
    pub(crate) file: &'a [u8],
    /// All of them, until something is named.
    pub(crate) named: Mutex<Option<Vec<Range<u64>>>>,
}

impl<'a> Far<'a> {
    pub(crate) fn new(file: &'a [u8]) -> Self {
        Self { file, named: Mutex::new(None) }
    }

    pub(crate) fn name(&self, ranges: Vec<Range<u64>>) {
        *self.named.lock().unwrap() = Some(ranges);
    }

    pub(crate) fn fetch(&self, offset: u64, out: &mut [u8]) -> std::io::Result<()> {
        let end = offset + out.len() as u64;
        if let Some(named) = &*self.named.lock().unwrap() {
            let holds = |range: &Range<u64>| range.start <= offset && end <= range.end;
            assert!(named.iter().any(holds), "{offset}..{end} of {named:?}");
        }
        out.copy_from_slice(&self.file[offset as usize..end as usize]);
        Ok(())
    }
}

#[test]
fn what_is_fetched_is_what_was_named_before() {
    for (seed, file) in (7..).zip(&*FILES) {
        let (far, length) = (Far::new(file), file.len() as u64);
        let fetch = |offset: u64, out: &mut [u8]| far.fetch(offset, out);
        let reader = Reader::fetch(length, fetch, ReaderOptions::default()).unwrap();
        agrees(&reader, &all(&Reader::new(file).unwrap()), seed);

        let uncached = ReaderOptions::new(Limits::default(), 0);
        let reader = Reader::fetch(length, fetch, uncached).unwrap();
        for rows in [vec![], vec![8999], vec![5000, 3, 4, 5000]] {
            far.name(reader.bytes_of_rows(&rows).unwrap());
            reader.gather(&rows, &mut vec![0_f32; rows.len() * WIDTH]).unwrap();
        }
        let region = [4000..4300, 2..5];
        far.name(reader.bytes_of_region(&region).unwrap());
        reader.read_region(&region, &mut [0_f32; 900]).unwrap();
        assert!(reader.bytes_of_region(&[7..7, 0..WIDTH]).unwrap().is_empty());
        assert_eq!(reader.bytes_of_rows(&[ROWS]).unwrap_err().kind(), ErrorKind::Argument);
    }
    let broken = |_: u64, _: &mut [u8]| Err(std::io::Error::other("no way there"));
    let error = Reader::fetch(5000, broken, ReaderOptions::default()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("no way there"), "{error}");
}

#[test]
fn limits_refuse_what_is_larger() {
    let open = |limits: Limits| {
        let options = ReaderOptions::new(limits, 0);
        Reader::new_with(&FILES[1], options).and_then(|r| r.read_row(0, &mut [0_f32; WIDTH]))
    };
    let all = Limits::default();
    open(all).unwrap();
    let [mut model, mut block, mut index] = [all; 3];
    model.model_bytes = 50;
    block.block_bytes = 50;
    index.index_bytes = 5;
    for limits in [model, block, index] {
        assert_eq!(open(limits).unwrap_err().kind(), ErrorKind::Limit, "{limits:?}");
    }
}

#[test]
fn names_that_all_repeat_are_read_back() {
    let mut schema = aezip::Schema::new(aezip::DType::U8, &[20_000]);
    schema.columns = Some(vec!["the same".into(); 20_000]);
    let matrix = Matrix::new(schema.clone(), vec![3; 40_000]).unwrap();
    let reader = Reader::new(file(&matrix, "lossless", "")).unwrap();
    assert_eq!(reader.schema(), &schema);
}

#[test]
fn shapes_that_no_reader_takes_are_refused() {
    let matrix = Matrix::from_slice(&[1_u8, 2], &[1; 33]).unwrap();
    let error = compress(&matrix, &Config::default(), Vec::new()).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
}

#[test]
fn an_empty_file_has_no_rows() {
    let matrix = Matrix::from_slice::<f32>(&[], &[WIDTH]).unwrap();
    let reader = Reader::new(file(&matrix, "max-error", "1")).unwrap();
    assert_eq!((reader.rows(), reader.len()), (0, 0));
    reader.verify().unwrap();
    assert!(reader.latents(0..0).unwrap().is_empty());
    assert!(reader.read_row(0, &mut [0_f32; WIDTH]).is_err());
}
