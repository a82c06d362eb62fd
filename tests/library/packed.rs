//! Packed files and archives: read as what is in them, and refused in one line where they are damaged.

use crate::support::{damaged, refused};
use aezip::input::{Format, OpenOptions, Packing, open_reader, sink::create_packed_sink};
use aezip::{DType, ErrorKind, Matrix, Rows, Schema};
use std::io::Write;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// Rows of `f32`, 3 numbers each.
fn rows() -> Matrix {
    let values: Vec<f32> = (0..300_u16).map(|i| f32::from(i % 7) * 0.5).collect();
    let mut schema = Schema::new(DType::F32, &[3]);
    schema.name = "a".into();
    Matrix::new(schema, values.iter().flat_map(|v| v.to_le_bytes()).collect()).unwrap()
}

fn written(packing: Option<Packing>, format: Format, rows: &Matrix) -> Vec<u8> {
    let mut out = Vec::new();
    let count = rows.len() as u64;
    let to = Box::new(&mut out);
    let mut sink = create_packed_sink(packing, format, rows.schema(), count, to).unwrap();
    sink.write(rows.bytes()).unwrap();
    sink.finish().unwrap();
    out
}

fn options() -> OpenOptions {
    OpenOptions::default()
}

fn read(bytes: &[u8], name: &str, options: &OpenOptions) -> aezip::Result<(Schema, Vec<u8>)> {
    let opened = open_reader(&mut &*bytes, name, options)?;
    let mut out = vec![0; opened.len() * opened.schema().row_bytes()];
    opened.read(0, &mut out)?;
    Ok((opened.schema().clone(), out))
}

/// An archive of files, some of them deflated.
fn archive(files: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let mut zip = ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for (name, bytes) in files {
        let options = SimpleFileOptions::default().compression_method(method);
        zip.start_file(*name, options).unwrap();
        zip.write_all(bytes).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

const METHODS: [CompressionMethod; 2] = [CompressionMethod::Stored, CompressionMethod::Deflated];

#[test]
fn packed_files_of_every_format_are_read() {
    let rows = rows();
    for (packing, suffix) in [(Packing::Gzip, "gz"), (Packing::Zstd, "zst")] {
        for format in
            [Format::Npy, Format::Npz, Format::Idx, Format::Fvecs, Format::Fbin, Format::Csv]
        {
            let name = format!("a.{format}.{suffix}");
            let packed = written(Some(packing), format, &rows);
            assert_ne!(packed, written(None, format, &rows));
            let (schema, bytes) = read(&packed, &name, &options()).unwrap();
            assert_eq!((schema.name.as_str(), &schema.row_shape[..]), (name.as_str(), &[3][..]));
            if format == Format::Csv {
                assert_eq!(schema.dtype, DType::F64);
            } else {
                assert_eq!(bytes, rows.bytes(), "{name}");
            }
            assert_eq!(Format::from_extension(&name), Some(format));
        }
        // The name need not tell it, and several packed files may follow one another.
        let npy = written(None, Format::Npy, &rows);
        let (first, second) = npy.split_at(200);
        let both = [first, second].map(|part| packed(packing, part)).concat();
        assert_eq!(read(&both, "", &options()).unwrap().1, rows.bytes());
    }
}

fn packed(packing: Packing, bytes: &[u8]) -> Vec<u8> {
    match packing {
        Packing::Gzip => {
            let mut out = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            out.write_all(bytes).unwrap();
            out.finish().unwrap()
        }
        Packing::Zstd => zstd::encode_all(bytes, 1).unwrap(),
    }
}

#[test]
fn damaged_packed_files_are_refused() {
    let npy = written(None, Format::Npy, &rows());
    let csv = written(None, Format::Csv, &rows());
    for packing in [Packing::Gzip, Packing::Zstd] {
        let good = packed(packing, &npy);
        assert_eq!(damaged(&good, 30, |bytes| read(bytes, "a.npy", &options()).map(drop)), 30);
        let cases: Vec<(Vec<u8>, &str)> = vec![
            (good[..good.len() - 5].to_vec(), "fetch it again"),
            (good[..6].to_vec(), "too early"),
            ([&good[..], b"and more"].concat(), "fetch it again"),
            (packed(packing, &good), "packed twice"),
            (packed(packing, b""), "cannot tell the format"),
            (packed(packing, &npy[..npy.len() - 1]), "needs"),
            (packed(packing, &[&npy[..], b"x"].concat()), "ends at byte"),
            (packed(packing, &npy[..50]), "header needs"),
            (packed(packing, &[&csv[..], b"1,2,words\n"].concat()), "words"),
        ];
        for (bytes, says) in cases {
            refused(&read(&bytes, "", &options()).unwrap_err(), says);
        }
    }
}

#[test]
fn an_array_of_an_archive_is_chosen_by_name() {
    let npy = written(None, Format::Npy, &rows());
    let one = written(None, Format::Npy, &Matrix::from_slice(&[1_i16, 2, 3], &[]).unwrap());
    for method in METHODS {
        let files = [("deep/x.npy", &npy[..]), ("y.npy", &one[..]), ("read.me", b"text")];
        let npz = archive(&files, method);
        let choose = |array: &str| {
            read(&npz, "a.npz", &OpenOptions { array: Some(array.into()), ..options() })
        };
        let (schema, bytes) = choose("deep/x").unwrap();
        assert_eq!((schema.dtype, bytes), (DType::F32, rows().bytes().to_vec()));
        assert_eq!(schema.origin.unwrap().part.as_deref(), Some("deep/x"));
        assert_eq!(choose("y.npy").unwrap().0.dtype, DType::I16);
        refused(&choose("z").unwrap_err(), "it has deep/x, y");
        refused(&read(&npz, "a.npz", &options()).unwrap_err(), "--array: deep/x, y");
        // The name comes back with the rows.
        let (schema, bytes) = choose("deep/x").unwrap();
        let again = written(None, Format::Npz, &Matrix::new(schema, bytes.clone()).unwrap());
        let (schema, back) = read(&again, "b.npz", &options()).unwrap();
        assert_eq!((schema.origin.unwrap().part.as_deref(), back), (Some("deep/x"), bytes));
    }
}

#[test]
fn damaged_archives_are_refused() {
    let npy = written(None, Format::Npy, &rows());
    let head = |descr: &str, count: u64| {
        let text =
            format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({count},), }}\n");
        [b"\x93NUMPY\x01\x00", &[text.len() as u8, 0][..], text.as_bytes(), b"\x80\x04"].concat()
    };
    let (object, huge) = (head("|O", 3), head("<f8", 99_999_999_999_999));
    for method in METHODS {
        let of = |name: &str, bytes: &[u8]| archive(&[(name, bytes)], method);
        let good = of("x.npy", &npy);
        let read = |bytes: &[u8]| read(bytes, "a.npz", &options()).map(drop);
        assert_eq!(damaged(&good, 30, read), 30);
        let cases: Vec<(Vec<u8>, &str)> = vec![
            (archive(&[], method), "no arrays"),
            (of("read.me", b"text"), "no arrays"),
            (of("x.npy", b""), "header needs"),
            (of("x.npy", b"text"), "not an npy file"),
            (of("x.npy", &npy[..npy.len() - 1]), "needs"),
            (of("x.npy", &[&npy[..], b"1"].concat()), "ends at byte"),
            (of("x.npy", &object), "Python objects"),
            (of("x.npy", &huge), "needs"),
            (archive(&[("x.npy", &npy), ("y.npy", &npy)], method), "choose one with --array"),
            (good[..good.len() - 30].to_vec(), "fetch the file again"),
            (good[..40].to_vec(), "fetch the file again"),
            (b"PK\x03\x04".to_vec(), "fetch the file again"),
            (npy.clone(), "zip"),
        ];
        for (bytes, says) in cases {
            let error = read(&bytes);
            if bytes == npy {
                continue; // An .npy file that is called .npz is read as what it is.
            }
            refused(&error.unwrap_err(), says);
        }
    }
}

#[test]
fn options_for_archives_are_refused_elsewhere() {
    let npy = written(None, Format::Npy, &rows());
    let array = OpenOptions { array: Some("x".into()), ..options() };
    let error = read(&npy, "a.npy", &array).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Argument);
    refused(&error, "from .npz and");
}
