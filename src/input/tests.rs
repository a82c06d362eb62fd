use super::*;
use crate::error::ErrorKind;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

fn open_bytes(bytes: &[u8], name: &str) -> Result<Box<dyn Rows>> {
    open_reader(&mut &*bytes, name, &OpenOptions::default())
}

fn fault(bytes: &[u8], name: &str, options: &OpenOptions) -> (ErrorKind, String) {
    let error = open_reader(&mut &*bytes, name, options).err().expect("must be refused");
    (error.kind(), error.to_string())
}

fn read_all(rows: &dyn Rows) -> Vec<u8> {
    let mut out = vec![0; rows.len() * rows.schema().row_bytes()];
    rows.read(0, &mut out).unwrap();
    out
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Three images of two by one pixels.
const IDX: [u8; 22] = [0, 0, 8, 3, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0, 1, 1, 2, 3, 4, 5, 6];

#[test]
fn formats_have_names_and_extensions() {
    for format in Format::ALL {
        assert_eq!(format.to_string().parse::<Format>().unwrap(), format);
        // Pictures lie in a folder, whatever it is called.
        let by_name = Some(format).filter(|format| *format != Format::Png);
        assert_eq!(Format::from_extension(format!("a.b/c.{format}")), by_name);
        assert_eq!(Format::from_extension(format!("a.b/c.{format}.gz")), by_name);
    }
    assert!("xlsx".parse::<Format>().unwrap_err().to_string().contains("npy, csv, idx"));
    assert_eq!(Format::from_extension("a.TSV"), Some(Format::Csv));
    assert_eq!(Format::from_extension("a.txt"), Some(Format::Csv));
    assert_eq!(Format::from_extension("train-images-idx3-ubyte"), Some(Format::Idx));
    assert_eq!(Format::from_extension("train-images.idx3-ubyte"), Some(Format::Idx));
    for none in ["", "npy", "a.gz", "a.dat", ".."] {
        assert_eq!(Format::from_extension(none), None, "{none}");
    }
}

#[test]
fn content_goes_before_the_extension() {
    let npy = b"\x93NUMPY\x01\x00\x38\x00{'descr':'|u1','fortran_order':False,'shape':(2,)}      ";
    let npy = [&npy[..], &[1, 2]].concat();
    assert_eq!(read_all(&*open_bytes(&npy, "a.csv").unwrap()), [1, 2]);
    assert_eq!(open_bytes(b"1 \n2\n", "").unwrap().len(), 2);
    assert_eq!(open_bytes(&IDX, "").unwrap().schema().row_shape, [2, 1]);
    let none = OpenOptions::default();
    assert_eq!(fault(b"\x01\x02\x03", "a", &none).0, ErrorKind::Argument);
    assert_eq!(fault(b"", "a", &none).0, ErrorKind::Argument);
    assert!(fault(b"PK\x03\x04...", "a.npz", &none).1.contains("zip archive"));
    assert!(fault(b"PK\x03\x04...", "a", &none).1.contains("zip archive"));
    assert!(fault(b"1234", "a.bin", &none).1.contains("type and shape"));
    assert!(fault(b"hello", "a.npy", &none).1.contains("not an npy file"));
}

#[test]
fn options_that_contradict_are_refused() {
    let raw = Some(RawLayout { dtype: DType::U8, bfloat16: false, rows: None, row_shape: vec![2] });
    let options = OpenOptions { raw, format: Some(Format::Npy), ..Default::default() };
    assert_eq!(fault(b"", "a", &options).0, ErrorKind::Argument);
    let options = OpenOptions { columns: Some(vec!["a".into()]), ..Default::default() };
    assert!(fault(&IDX, "a", &options).1.contains("only from CSV"));
    let options = OpenOptions { format: Some(Format::Csv), ..Default::default() };
    let rows = open_reader(&mut &b"1;2\n"[..], "a.npy", &options).unwrap();
    assert_eq!((rows.schema().width(), rows.schema().name.as_str()), (2, "a.npy"));
}

#[test]
fn raw_numbers_have_the_shape_that_they_are_given() {
    let layout = |rows, row_shape: &[usize]| OpenOptions {
        raw: Some(RawLayout {
            dtype: DType::U16,
            bfloat16: false,
            rows,
            row_shape: row_shape.to_vec(),
        }),
        ..Default::default()
    };
    let bytes: Vec<u8> = (0..24).collect();
    for rows in [None, Some(2)] {
        let opened = open_reader(&mut &bytes[..], "a.dat", &layout(rows, &[3, 2])).unwrap();
        assert_eq!((opened.len(), read_all(&*opened)), (2, bytes.clone()));
    }
    assert_eq!(open_reader(&mut &bytes[..], "", &layout(None, &[])).unwrap().len(), 12);
    assert_eq!(fault(&bytes, "", &layout(None, &[5])).0, ErrorKind::Truncated);
    assert_eq!(fault(&bytes, "", &layout(Some(3), &[6])).0, ErrorKind::Truncated);
    assert_eq!(fault(&bytes, "", &layout(Some(1), &[6])).0, ErrorKind::Corrupt);
    assert_eq!(fault(&bytes, "", &layout(None, &[0])).0, ErrorKind::Argument);
    assert_eq!(fault(&bytes, "", &layout(None, &[usize::MAX, 3])).0, ErrorKind::Limit);
    assert_eq!(fault(&bytes, "", &layout(Some(u64::MAX), &[1 << 20])).0, ErrorKind::Limit);
}

#[test]
fn a_file_that_says_what_it_is_is_not_read_as_raw_numbers() {
    let npy = b"\x93NUMPY\x01\x00\x38\x00{'descr':'|u1','fortran_order':False,'shape':(2,)}      ";
    let npy = [&npy[..], &[1, 2]].concat();
    let told = |dtype, format| OpenOptions {
        raw: Some(RawLayout { dtype, bfloat16: false, rows: None, row_shape: vec![1] }),
        format,
        ..Default::default()
    };
    let numbers = [7; 24];
    for (bytes, name, dtype, why) in [
        (&npy[..], "a.npy", DType::U8, "an npy file"),
        (&npy, "a", DType::U8, "an npy file"),
        (b"\x89AEZ\r\n\x1a\n", "a", DType::U8, "an .aez file"),
        (&gzip(&npy), "a", DType::U8, "an npy file"),
        (b"PK\x03\x04", "a", DType::U8, "a zip archive"),
        (&numbers, "a.fvecs", DType::U8, "format fvecs"),
        (&numbers, "a.csv", DType::U8, "format csv"),
        (&b"1.5,2.5\n".repeat(4), "a", DType::F64, "text"),
    ] {
        let (kind, message) = fault(bytes, name, &told(dtype, None));
        assert_eq!(kind, ErrorKind::Argument);
        assert!(message.contains(why), "{name}: {message}");
        // Who insists gets the bytes.
        let insisted = told(DType::U8, Some(Format::Raw));
        let rows = open_reader(&mut &*bytes, name, &insisted).unwrap();
        assert_eq!(rows.len(), bytes.len(), "{name}");
    }
    for name in ["a", "a.bin", "a.raw", "a.dat"] {
        open_reader(&mut &numbers[..], name, &told(DType::F64, None)).unwrap();
    }
    assert_eq!(open_reader(&mut &b"text"[..], "a", &told(DType::U8, None)).unwrap().len(), 4);
}

#[test]
fn raw_bfloat16_comes_as_f32() {
    let layout = |dtype| OpenOptions {
        raw: Some(RawLayout { dtype, bfloat16: true, rows: None, row_shape: vec![2] }),
        ..Default::default()
    };
    let bytes = [0xc0, 0x3f, 0x00, 0xc0, 0x80, 0x7f, 0x01, 0x00];
    let rows = open_reader(&mut &bytes[..], "a", &layout(DType::F32)).unwrap();
    assert_eq!((rows.len(), rows.schema().dtype), (2, DType::F32));
    let expected = [1.5_f32, -2.0, f32::INFINITY, f32::from_bits(0x1_0000)];
    assert_eq!(read_all(&*rows), crate::matrix::to_little_endian(&expected));
    let mut second = [0; 8];
    rows.read(1, &mut second).unwrap();
    assert_eq!(second, *crate::matrix::to_little_endian(&expected[2..]));
    assert_eq!(fault(&bytes, "a", &layout(DType::F64)).0, ErrorKind::Argument);
    assert_eq!(fault(&bytes[1..], "a", &layout(DType::F32)).0, ErrorKind::Truncated);
}

#[test]
fn idx_is_read_plain_and_packed() {
    for (bytes, name) in [(IDX.to_vec(), "a.idx"), (gzip(&IDX), "a.idx.gz")] {
        let rows = open_bytes(&bytes, name).unwrap();
        assert_eq!((rows.len(), rows.schema().row_shape.as_slice()), (3, &[2, 1][..]));
        assert_eq!((rows.schema().name.as_str(), read_all(&*rows)), (name, vec![1, 2, 3, 4, 5, 6]));
    }
    let float = [0, 0, 13, 1, 0, 0, 0, 1, 0x3f, 0x80, 0, 0];
    assert_eq!(read_all(&*open_bytes(&float, "").unwrap()), 1.0_f32.to_le_bytes());
}

#[test]
fn packed_files_are_no_longer_than_they_say() {
    let none = OpenOptions::default();
    let long = [&IDX[..], &[0; 100_000]].concat();
    assert_eq!(fault(&gzip(&long), "a.gz", &none).0, ErrorKind::Corrupt);
    assert_eq!(fault(&gzip(&IDX[..21]), "a.gz", &none).0, ErrorKind::Truncated);
    assert_eq!(open_bytes(&gzip(b"1,2\n"), "a.csv.gz").unwrap().schema().row_shape, [2]);
    let mut packed = gzip(&IDX);
    let end = packed.len();
    assert_eq!(fault(&packed[..end - 1], "a.gz", &none).0, ErrorKind::Truncated);
    packed[end - 6] ^= 1;
    assert_eq!(fault(&packed, "a.gz", &none).0, ErrorKind::Corrupt);
}

#[test]
fn vectors_must_have_one_dimension() {
    let bytes = [2, 0, 0, 0, 7, 8, 2, 0, 0, 0, 9, 10];
    let rows = open_bytes(&bytes, "a.bvecs").unwrap();
    assert_eq!((rows.len(), read_all(&*rows)), (2, vec![7, 8, 9, 10]));
    let mut one = [0; 2];
    rows.read(1, &mut one).unwrap();
    assert_eq!(one, [9, 10]);
    rows.read(2, &mut []).unwrap();
    let mut other = bytes;
    other[6] = 1;
    let rows = open_bytes(&other, "a.bvecs").unwrap();
    rows.read(0, &mut one).unwrap();
    let error = rows.read(1, &mut one).unwrap_err();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(6)));
    assert!(error.to_string().contains("row 1"), "{error}");
    let none = OpenOptions::default();
    assert_eq!(fault(&bytes[..11], "a.bvecs", &none).0, ErrorKind::Truncated);
    assert_eq!(fault(&[], "a.fvecs", &none).0, ErrorKind::Truncated);
    assert_eq!(fault(&[0, 0, 0, 0], "a.fvecs", &none).0, ErrorKind::Corrupt);
    assert_eq!(fault(&[0xff; 8], "a.ivecs", &none).0, ErrorKind::Corrupt);
    assert_eq!(fault(&[0xff, 0xff, 0xff, 0x7f], "a.ivecs", &none).0, ErrorKind::Corrupt);
}

#[test]
fn a_file_that_shrinks_is_an_error() {
    let mut file = tempfile::NamedTempFile::with_suffix(".idx").unwrap();
    file.write_all(&IDX).unwrap();
    let rows = open(file.path(), &OpenOptions::default()).unwrap();
    file.as_file().set_len(20).unwrap();
    let mut out = [0; 6];
    assert_eq!(rows.read(0, &mut out).unwrap_err().kind(), ErrorKind::Truncated);
}

#[test]
fn what_is_not_a_file_is_an_error() {
    let none = OpenOptions::default();
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(open(folder.path(), &none).err().unwrap().kind(), ErrorKind::Argument);
    let error = open(folder.path().join("absent.npy"), &none).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Io);
    assert!(error.to_string().contains("absent.npy"), "{error}");
}
