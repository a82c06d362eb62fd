use super::*;
use crate::error::ErrorKind;
use crate::matrix::{DType, Matrix, Origin, Rows, TextLayout, Tiling};

/// What `format` makes of the rows.
fn written(format: Format, rows: &Matrix) -> Result<Vec<u8>> {
    let mut out = Vec::new();
    let mut sink = create_sink(format, rows.schema(), rows.len() as u64, Box::new(&mut out))?;
    sink.write(rows.bytes())?;
    sink.finish()?;
    Ok(out)
}

fn text(rows: &Matrix) -> String {
    String::from_utf8(written(Format::Csv, rows).unwrap()).unwrap()
}

#[test]
fn npy_is_what_numpy_writes() {
    let rows = Matrix::from_slice(&[1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0], &[3]).unwrap();
    let bytes = written(Format::Npy, &rows).unwrap();
    let head = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
    assert!(bytes.starts_with(head));
    assert_eq!((bytes.len(), bytes[127]), (128 + 24, b'\n'));
    assert!(bytes[head.len()..127].iter().all(|&b| b == b' '));
    assert_eq!(bytes[128..], *rows.bytes());
    let column = Matrix::from_slice(&[1_u8, 2], &[]).unwrap();
    let bytes = written(Format::Npy, &column).unwrap();
    assert!(bytes[10..].starts_with(b"{'descr': '|u1', 'fortran_order': False, 'shape': (2,), }"));
}

#[test]
fn a_table_has_so_many_columns_at_most() {
    let schema = Schema::new(DType::F32, &[1 << 30]);
    let out = Box::new(Vec::new());
    let error = create_sink(Format::Csv, &schema, 0, out).err().unwrap();
    assert!(error.to_string().contains("columns"), "{error}");
}

#[test]
fn a_number_without_an_axis_has_no_shape() {
    let mut schema = Schema::new(DType::F64, &[]);
    schema.tiling = Some(Tiling::new(&[], &[1], &[1]).unwrap());
    let number = Matrix::new(schema, 1.5_f64.to_le_bytes().to_vec()).unwrap();
    let bytes = written(Format::Npy, &number).unwrap();
    assert!(bytes[10..].starts_with(b"{'descr': '<f8', 'fortran_order': False, 'shape': (), }  "));
    assert_eq!(bytes[128..], *number.bytes());
}

#[test]
fn rows_may_come_in_parts_where_their_numbers_just_follow_each_other() {
    let rows = Matrix::from_slice(&[1_i16, 2, 3, 4, 5, 6], &[3]).unwrap();
    for format in [Format::Npy, Format::Raw, Format::Idx] {
        let mut out = Vec::new();
        let mut sink = create_sink(format, rows.schema(), 2, Box::new(&mut out)).unwrap();
        for part in rows.bytes().chunks(4) {
            sink.write(part).unwrap();
        }
        assert!(sink.write(&[0]).is_err() && sink.write(&[0, 0]).is_err());
        sink.finish().unwrap();
        assert_eq!(out, written(format, &rows).unwrap());
    }
    let mut text = create_sink(Format::Csv, rows.schema(), 2, Box::new(Vec::new())).unwrap();
    assert!(text.write(&rows.bytes()[..4]).is_err());
}

#[test]
fn blanks_in_the_name_of_a_lone_column_are_no_delimiters() {
    let mut schema = crate::matrix::Schema::new(DType::F64, &[1]);
    schema.columns = Some(vec!["time now".to_string()]);
    let rows = Matrix::new(schema, 1.0_f64.to_le_bytes().to_vec()).unwrap();
    assert_eq!(text(&rows), "\"time now\"\n1\n");
}

#[test]
fn a_first_row_without_numbers_is_no_empty_line() {
    let rows = Matrix::from_slice(&[f64::NAN, f64::NAN], &[2]).unwrap();
    let mut schema = rows.schema().clone();
    schema.columns = Some(["a", "b;"].map(String::from).to_vec());
    let layout = TextLayout { delimiter: b'\t', ..TextLayout::default() };
    schema.origin = Some(Origin::new("csv").with_text(layout));
    let rows = Matrix::new(schema, rows.bytes().to_vec()).unwrap();
    assert_eq!(text(&rows), "a\t\"b;\"\n\"\"\t\n");
}

#[test]
fn rows_without_numbers_between_tabs_are_no_blank_lines() {
    let values = [f64::NAN, f64::NAN, 3.0, f64::NAN, f64::NAN, f64::NAN];
    let rows = Matrix::from_slice(&values, &[2]).unwrap();
    let mut schema = rows.schema().clone();
    schema.columns = Some(["a", "-"].map(String::from).to_vec());
    let layout = TextLayout { delimiter: b'\t', ..TextLayout::default() };
    schema.origin = Some(Origin::new("csv").with_text(layout));
    let rows = Matrix::new(schema, rows.bytes().to_vec()).unwrap();
    assert_eq!(text(&rows), "a\t\"-\"\n\"\"\t\n3\t\n\"\"\t\n");
}

#[test]
fn names_that_are_numbers_are_read_as_names_again() {
    let header = |values: &[f64]| {
        let rows = Matrix::from_slice(values, &[3]).unwrap();
        let layout = TextLayout { bare_names: true, ..TextLayout::default() };
        let origin = Origin::new("csv").with_text(layout);
        let mut schema = rows.schema().clone();
        schema.columns = Some(["100", "200", "300"].map(String::from).to_vec());
        schema.origin = Some(origin);
        let rows = Matrix::new(schema, rows.bytes().to_vec()).unwrap();
        text(&rows).lines().next().unwrap().to_string()
    };
    let plain: Vec<f64> = (0..30).map(|i| f64::from(i * 7 % 10) + 0.25).collect();
    assert_eq!(header(&plain), "100,200,300");
    // Rows that have integers, too, and rise as the names do, do not tell.
    let alike: Vec<f64> = (0..30).map(|i| f64::from(i % 3 * 100 + i)).collect();
    assert_eq!(header(&alike), "\"100\",\"200\",\"300\"");
    assert_eq!(header(&[]), "\"100\",\"200\",\"300\"");
}

#[test]
fn idx_is_big_endian() {
    let rows = Matrix::from_slice(&[1_i16, 2, -1, 4], &[2, 1]).unwrap();
    let expected =
        [0, 0, 0x0b, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1, 0, 2, 0xff, 0xff, 0, 4];
    assert_eq!(written(Format::Idx, &rows).unwrap(), expected);
}

#[test]
fn vectors_have_their_dimension_in_front() {
    let rows = Matrix::from_slice(&[7_u8, 8, 9, 10], &[2]).unwrap();
    assert_eq!(written(Format::Bvecs, &rows).unwrap(), [2, 0, 0, 0, 7, 8, 2, 0, 0, 0, 9, 10]);
}

#[test]
fn text_is_the_shortest_that_gives_the_number_back() {
    let values = [0.1, -0.0, 1e300, 5e-324, f64::INFINITY, f64::NAN, 1e20, 123456.789, -2.5e-7];
    let rows = Matrix::from_slice(&values, &[9]).unwrap();
    assert_eq!(
        text(&rows),
        "0.1,-0,1e300,5e-324,inf,,100000000000000000000,123456.789,-0.00000025\n"
    );
    let long = [9007199254740991.0, -9007199254740992.0, 1.8e19, 18446744073709551616.0];
    assert_eq!(
        text(&Matrix::from_slice(&long, &[4]).unwrap()),
        "9007199254740991,-9007199254740992.0,18000000000000000000.0,18446744073709552000\n"
    );
    assert_eq!(text(&Matrix::from_slice(&[0.1_f32, 16777216.0], &[2]).unwrap()), "0.1,16777216\n");
    let half = Matrix::from_slice(&[crate::F16(0x2e66), crate::F16(0xfc00)], &[2]).unwrap();
    assert_eq!(text(&half), "0.099975586,-inf\n");
    let whole = Matrix::from_slice(&[i64::MIN, i64::MAX], &[]).unwrap();
    assert_eq!(text(&whole), "-9223372036854775808\n9223372036854775807\n");
    let lone = Matrix::from_slice(&[1.0, f64::NAN, 2.0], &[]).unwrap();
    assert_eq!(text(&lone), "1\n\"\"\n2\n");
}

#[test]
fn names_become_a_header() {
    let mut schema = Schema::new(DType::U8, &[3]);
    schema.columns = Some(vec!["a".into(), "b, c".into(), "say \"d\"".into()]);
    let rows = Matrix::new(schema, vec![1, 2, 3]).unwrap();
    assert_eq!(text(&rows), "a,\"b, c\",\"say \"\"d\"\"\"\n1,2,3\n");
}

#[test]
fn a_delimiter_in_a_name_is_not_that_of_the_table() {
    for name in ["a\t", "a;b", "a,b;\t"] {
        for names in [vec![name], vec!["x", name]] {
            let columns: Vec<String> = names.iter().map(|name| name.to_string()).collect();
            let mut schema = Schema::new(DType::U8, &[names.len()]);
            schema.columns = Some(columns.clone());
            let file = text(&Matrix::new(schema, vec![7; names.len()]).unwrap());
            let options = crate::input::OpenOptions {
                format: Some(Format::Csv),
                ..crate::input::OpenOptions::default()
            };
            let back = crate::input::open_reader(&mut file.as_bytes(), "", &options).unwrap();
            assert_eq!(back.schema().columns, Some(columns), "{file}");
            assert_eq!(back.len(), 1);
        }
    }
}

#[test]
fn what_a_format_cannot_hold_is_refused() {
    let refused = |format, dtype, shape: &[usize], rows| {
        let result = create_sink(format, &Schema::new(dtype, shape), rows, Box::new(io::sink()));
        assert_eq!(result.err().unwrap().kind(), ErrorKind::Argument, "{format} {dtype} {shape:?}");
    };
    refused(Format::Fvecs, DType::F64, &[4], 1);
    refused(Format::Bvecs, DType::I8, &[4], 1);
    refused(Format::Ivecs, DType::U32, &[4], 1);
    refused(Format::Fvecs, DType::F32, &[2, 2], 1);
    refused(Format::Fvecs, DType::F32, &[], 1);
    refused(Format::Fbin, DType::F64, &[4], 1);
    refused(Format::I8bin, DType::U8, &[4], 1);
    refused(Format::U8bin, DType::U8, &[4], 1 << 32);
    refused(Format::Idx, DType::U16, &[4], 1);
    refused(Format::Idx, DType::U8, &[4], 1 << 32);
    refused(Format::Idx, DType::U8, &[1; 255], 1);
    refused(Format::Npy, DType::U8, &[0], 1);
    refused(Format::Npy, DType::U8, &[usize::MAX, 2], 1);
    refused(Format::Npy, DType::U8, &[1; 40_000], 1);
}

#[test]
fn rows_are_counted() {
    let schema = Schema::new(DType::U16, &[2]);
    let sink = || create_sink(Format::Raw, &schema, 2, Box::new(io::sink())).unwrap();
    let mut two = sink();
    assert_eq!(two.write(&[0; 3]).unwrap_err().kind(), ErrorKind::Argument);
    two.write(&[0; 4]).unwrap();
    assert_eq!(two.write(&[0; 8]).unwrap_err().kind(), ErrorKind::Argument);
    two.write(&[0; 4]).unwrap();
    two.write(&[]).unwrap();
    two.finish().unwrap();
    assert_eq!(sink().finish().unwrap_err().kind(), ErrorKind::Argument);
}

#[test]
fn a_full_disk_is_an_error() {
    struct Full;
    impl Write for Full {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::Error::other("full"))
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let schema = Schema::new(DType::U8, &[1]);
    let mut sink = create_sink(Format::Raw, &schema, 1, Box::new(Full)).unwrap();
    let result = sink.write(&[0]).and_then(|()| sink.finish());
    assert_eq!(result.unwrap_err().kind(), ErrorKind::Io);
}

/// Writes rows as text and reads them.
fn back(rows: &Matrix) -> (String, Box<dyn Rows>) {
    let file = text(rows);
    let options = crate::input::OpenOptions {
        format: Some(Format::Csv),
        ..crate::input::OpenOptions::default()
    };
    let back = crate::input::open_reader(&mut file.as_bytes(), "", &options).unwrap();
    (file, back)
}

#[test]
fn names_of_every_kind_are_read_back_as_names() {
    for names in [
        &["400", "410"][..],
        &[" ", "x"],
        &["\t"],
        &["NA", "-"],
        &["#id", "b"],
        &["1,5", "2"],
        &["sep=;"],
        &["a\nb", " c"],
        &["1", "x"],
    ] {
        let columns: Vec<String> = names.iter().map(|name| name.to_string()).collect();
        let mut schema = Schema::new(DType::F64, &[names.len()]);
        schema.columns = Some(columns.clone());
        let numbers: Vec<u8> =
            (0..3 * names.len()).flat_map(|k| (k as f64).to_le_bytes()).collect();
        let (file, back) = back(&Matrix::new(schema, numbers).unwrap());
        assert_eq!((back.schema().columns.as_ref(), back.len()), (Some(&columns), 3), "{file}");
    }
}

#[test]
fn a_first_row_that_looks_like_names_is_read_back_as_a_row() {
    let tables = [
        [400.0, 410.0, 420.0, 0.5, 0.25, 0.75, 0.125, 0.5, 0.25],
        [0.0, 1.0, 2.0, 9.0, 3.0, 5.0, 4.0, 4.0, 1.0],
        [399.5, 401.5, 403.5, 0.5, 0.25, 0.75, 0.125, 0.5, 0.25],
    ];
    for values in tables {
        let (file, back) = back(&Matrix::from_slice(&values, &[3]).unwrap());
        let mut bytes = vec![0; 72];
        assert_eq!((back.len(), &back.schema().columns), (3, &None), "{file}");
        back.read(0, &mut bytes).unwrap();
        assert_eq!(bytes, Matrix::from_slice(&values, &[3]).unwrap().bytes(), "{file}");
    }
    for values in
        [[f64::NAN, 1.0, 0.0, 5.0, 1.0, 3.0], [1.0, f64::NAN, 2.0, f64::NAN, 4.0, f64::NAN]]
    {
        let (file, back) = back(&Matrix::from_slice(&values, &[2]).unwrap());
        assert_eq!(
            (back.len(), back.schema().width(), &back.schema().columns),
            (3, 2, &None),
            "{file}"
        );
    }
    // Integers beyond what f64 holds stay such, be they in the first column or beside it.
    let large = 13763000463150543562;
    for values in [
        [11096869481840902144_u64, 39582418599936, 0, 0, 0, large],
        [large, large + 1, large + 2, 0, 0, 1],
        [0, 1, 2, 5, large, 3],
    ] {
        let rows = Matrix::from_slice(&values, &[3]).unwrap();
        let (file, back) = back(&rows);
        let mut bytes = vec![0; 48];
        back.read(0, &mut bytes).unwrap();
        assert_eq!((back.schema().dtype, &bytes[..]), (DType::U64, rows.bytes()), "{file}");
    }
    let (file, _) = back(&Matrix::from_slice(&[5_u8, 3, 7, 1, 2, 2], &[3]).unwrap());
    assert_eq!(file, "5,3,7\n1,2,2\n");
}

#[test]
fn a_table_is_written_as_it_was_read() {
    for file in [
        "t;v\r\n0;0,000\r\n1;NA\r\n2;0,571\r\n",
        "400\t410\n0.10\t0.30\n0.20\tnull\n",
        "a b\n1.5 nan\n2.5 3\n",
        "a|b\n-1|2\n",
        "id\n1234567890123456781\n",
    ] {
        let options = crate::input::OpenOptions::default();
        let rows = crate::input::open_reader(&mut file.as_bytes(), "t.txt", &options).unwrap();
        let mut bytes = vec![0; rows.len() * rows.schema().row_bytes()];
        rows.read(0, &mut bytes).unwrap();
        assert_eq!(text(&Matrix::new(rows.schema().clone(), bytes).unwrap()), file);
    }
}
