use super::*;
use crate::error::ErrorKind;
use crate::matrix::{DType, Rows};
use proptest::prelude::*;

/// A file of version `major` with header `text` and then `data`.
fn file(major: u8, text: &[u8], data: &[u8]) -> Vec<u8> {
    let mut bytes = [magic::NPY, &[major, 0]].concat();
    match major {
        1 => bytes.extend((text.len() as u16).to_le_bytes()),
        _ => bytes.extend((text.len() as u32).to_le_bytes()),
    }
    bytes.extend(text);
    bytes.extend(data);
    bytes
}

fn header(descr: &str, fortran: &str, shape: &str) -> Vec<u8> {
    format!("{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}   \n").into()
}

fn open_bytes(bytes: Vec<u8>) -> Result<Box<dyn Rows>> {
    open(Source::from_memory(bytes), "a.npy", None)
}

fn read_all(rows: &dyn Rows) -> Vec<u8> {
    let mut out = vec![0; rows.len() * rows.schema().row_bytes()];
    rows.read(0, &mut out).unwrap();
    out
}

fn kind_of(text: &[u8]) -> (ErrorKind, String) {
    let error = open_bytes(file(1, text, &[0; 48])).err().expect("must be refused");
    (error.kind(), error.to_string())
}

#[test]
fn every_type_is_read_in_both_byte_orders() {
    let types = [
        ("f2", DType::F16),
        ("f4", DType::F32),
        ("f8", DType::F64),
        ("u1", DType::U8),
        ("i1", DType::I8),
        ("u2", DType::U16),
        ("i2", DType::I16),
        ("u4", DType::U32),
        ("i4", DType::I32),
        ("u8", DType::U64),
        ("i8", DType::I64),
    ];
    for (code, dtype) in types {
        let size = dtype.size();
        let little: Vec<u8> = (0..6 * size as u8).collect();
        let mut big = little.clone();
        big.chunks_exact_mut(size).for_each(<[u8]>::reverse);
        for (order, data) in [("<", &little), (">", &big)] {
            for major in 1..=3 {
                let head = header(&format!("{order}{code}"), "False", "(3, 2)");
                let rows = open_bytes(file(major, &head, data)).unwrap();
                assert_eq!((rows.len(), rows.schema().dtype), (3, dtype));
                assert_eq!(rows.schema().row_shape, [2]);
                assert_eq!(rows.schema().name, "a.npy");
                assert_eq!(read_all(&*rows), little, "{order}{code}");
                let mut middle = vec![0; 2 * size];
                rows.read(1, &mut middle).unwrap();
                assert_eq!(middle, little[2 * size..4 * size]);
            }
        }
        if size == 1 {
            let rows = open_bytes(file(1, &header(&format!("|{code}"), "False", "(6,)"), &little));
            assert_eq!(rows.unwrap().schema().row_shape, [0; 0]);
        }
    }
}

#[test]
fn headers_are_read_as_python_would() {
    let odd: [&[u8]; 4] = [
        b"{\"shape\":(2,3L),\"fortran_order\":False,\"descr\":\"<u2\"}",
        b" { 'shape' : ( 2 , 3 , ) , 'descr' : '<u2' , 'fortran_order' : False , } \n",
        b"{'descr': '<u2', 'fortran_order': False, 'shape': (2, 3), 'extra': 'd\xe9j\xe0'}",
        b"{'fortran_order': False, 'shape': (02, 3), 'descr': '<u2'}",
    ];
    for text in odd {
        let rows = open_bytes(file(1, text, &[0; 12])).unwrap();
        assert_eq!((rows.len(), rows.schema().width()), (2, 3));
    }
}

#[test]
fn hostile_headers_are_refused() {
    use ErrorKind::{Argument, Corrupt, Limit, Truncated, Unsupported};
    let max = u64::MAX;
    let cases = [
        ("<f4", "False", "()".to_string(), Argument),
        ("<f4", "False", "(5, 0)".to_string(), Argument),
        ("<f4", "False", "(0, 0)".to_string(), Argument),
        ("<f4", "False", "(-1, 4)".to_string(), Corrupt),
        ("<f4", "False", "(3, 4".to_string(), Corrupt),
        ("<f4", "False", "(3 4)".to_string(), Corrupt),
        ("<f4", "False", "(,)".to_string(), Corrupt),
        ("<f4", "False", "12".to_string(), Corrupt),
        ("<f4", "False", "(3.0, 4)".to_string(), Corrupt),
        ("<f4", "False", "True".to_string(), Corrupt),
        ("<f4", "Maybe", "(12,)".to_string(), Corrupt),
        ("<f4", "Truee", "(12,)".to_string(), Corrupt),
        ("<f4", "(1,)", "(12,)".to_string(), Corrupt),
        ("<f4", "False", "(13,)".to_string(), Truncated),
        ("<f4", "False", "(11,)".to_string(), Corrupt),
        ("<f4", "False", format!("({max},)"), Limit),
        ("<f4", "False", format!("({max}, {max})"), Limit),
        ("<f4", "False", format!("(0, {max})"), Limit),
        ("<f4", "False", format!("(0, {max}, {max}, {max})"), Limit),
        ("<f4", "False", "(4294967296, 4294967296)".to_string(), Limit),
        ("<f4", "False", format!("({max}0,)"), Limit),
        ("<f4", "False", format!("({})", "1,".repeat(65)), Limit),
        ("<c8", "True", "(3, 2)".to_string(), Unsupported),
        ("<V2", "True", "(4, 6)".to_string(), Unsupported),
        ("|V16", "False", "(3,)".to_string(), Unsupported),
        ("<c32", "False", "(3,)".to_string(), Unsupported),
        ("<f16", "False", "(3,)".to_string(), Unsupported),
        ("=f4", "False", "(12,)".to_string(), Unsupported),
        ("|O", "False", "(6,)".to_string(), Unsupported),
        ("<U3", "False", "(4,)".to_string(), Unsupported),
        ("<M8[ns]", "False", "(6,)".to_string(), Unsupported),
        ("|f4", "False", "(12,)".to_string(), Corrupt),
        ("", "False", "(12,)".to_string(), Unsupported),
        ("é4", "False", "(12,)".to_string(), Unsupported),
    ];
    for (descr, fortran, shape, expected) in cases {
        let (kind, message) = kind_of(&header(descr, fortran, &shape));
        assert_eq!(kind, expected, "{descr} {fortran} {shape}: {message}");
    }
    for (descr, advice) in
        [("|V16", "view('u1')"), ("<U3", "if the texts are numbers"), ("|O", "objects")]
    {
        let message = kind_of(&header(descr, "False", "(3,)")).1;
        assert!(message.contains(advice), "{message}");
    }
    let texts: [&[u8]; 12] = [
        b"",
        b"{",
        b"}",
        b"{}",
        b"{'descr'",
        b"{'descr':",
        b"{'descr': '<f4",
        b"{'descr': '<f4', 'fortran_order': False}",
        b"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (12,)}",
        b"{'descr': '<f4', 'fortran_order': False, 'shape': (12,)} x",
        b"{'d\\x65scr': '<f4', 'fortran_order': False, 'shape': (12,)}",
        b"\xff\xfe\x00\x80{'descr'",
    ];
    for text in texts {
        assert_eq!(kind_of(text).0, ErrorKind::Corrupt, "{text:?}");
    }
    let deep = format!("{{'descr': {}", "[".repeat(60_000));
    assert_eq!(kind_of(deep.as_bytes()).0, ErrorKind::Limit);
}

/// The rows of records of this type, which are `data`.
fn records(descr: &str, shape: &str, data: &[u8]) -> Result<Box<dyn Rows>> {
    let text = format!("{{'descr': {descr}, 'fortran_order': False, 'shape': {shape}}}");
    open_bytes(file(1, text.as_bytes(), data))
}

#[test]
fn a_field_of_records_is_a_column() {
    // As of numpy.dtype([('a', '>i2'), ('b', 'f4', (2,))], align=True), and a record in it.
    let descr = "[('a', '>i2'), ('', '|V2'), (('title', 'b'), '<f4', (2,)), \
                 ('in', [('c', '|b1'), ('d', '<V2')])]";
    let one = |a: i16, b: [f32; 2], c: u8, d: f32| {
        let b = b.map(f32::to_le_bytes).concat();
        [&a.to_be_bytes()[..], &[9, 9], &b, &[c], &d.to_le_bytes()[2..]].concat()
    };
    let data = [one(-3, [0.5, f32::NAN], 1, 2.0), one(300, [1e30, -0.0], 0, -1.5)].concat();
    let rows = records(descr, "(2,)", &data).unwrap();
    let names = ["a", "b[0]", "b[1]", "in.c", "in.d"].map(String::from);
    assert_eq!(rows.schema().columns.as_deref(), Some(&names[..]));
    assert_eq!((rows.len(), rows.schema().dtype), (2, DType::F32));
    let expected = [-3.0, 0.5, f32::NAN, 1.0, 2.0, 300.0, 1e30, -0.0, 0.0, -1.5];
    assert_eq!(read_all(&*rows), crate::matrix::to_little_endian(&expected));
    let mut second = vec![0; 20];
    rows.read(1, &mut second).unwrap();
    assert_eq!(second, crate::matrix::to_little_endian(&expected[5..]));
    for (descr, shape) in
        [("[('a', '<f4'), ('name', '<U8')]", "(1,)"), ("[('a', '<f4')]", "(2, 2)")]
    {
        let error = records(descr, shape, &[0; 36]).err().expect("refused");
        assert_eq!(error.kind(), ErrorKind::Unsupported, "{error}");
    }
    for descr in ["[]", "['a', '<f4']", "[('a',)]", "[('a', 5)]", "[(5, '<f4')]", "5"] {
        assert!(records(descr, "(1,)", &[0; 4]).is_err(), "{descr}");
    }
}

#[test]
fn fields_become_the_smallest_type_that_holds_them() {
    for (types, expected) in [
        ("u1 i1", DType::I16),
        ("u2 u4", DType::U32),
        ("u4 i4", DType::I64),
        ("u1 f2", DType::F16),
        ("i2 f2", DType::F32),
        ("i4 f4", DType::F64),
        ("u8 i1", DType::F64),
        ("i8 f8", DType::F64),
        ("c8 u1", DType::F32),
    ] {
        let (a, b) = types.split_once(' ').unwrap();
        let rows = records(&format!("[('a', '<{a}'), ('b', '<{b}')]"), "(0,)", &[]).unwrap();
        assert_eq!(rows.schema().dtype, expected, "{types}");
    }
    let large = |n: i64| [&n.to_le_bytes()[..], &0.5_f64.to_le_bytes()].concat();
    let read = |n: i64| {
        let rows = records("[('id', '<i8'), ('x', '<f8')]", "(1,)", &large(n)).unwrap();
        let mut out = [0; 16];
        rows.read(0, &mut out).map(|()| f64::from_le_bytes(out[..8].try_into().unwrap()))
    };
    assert_eq!(read(-(1 << 53)).unwrap(), -9_007_199_254_740_992.0);
    let error = read((1 << 53) + 1).unwrap_err().to_string();
    assert!(error.contains("\"id\"") && error.contains("2^53"), "{error}");
}

#[test]
fn booleans_complex_numbers_and_bfloat16_are_read() {
    let rows = open_bytes(file(1, &header("|b1", "False", "(2, 2)"), &[1, 0, 0, 1])).unwrap();
    assert_eq!((rows.schema().dtype, read_all(&*rows)), (DType::U8, vec![1, 0, 0, 1]));
    let parts: Vec<u8> = (0..8).flat_map(|i| (i as f32).to_be_bytes()).collect();
    let rows = open_bytes(file(1, &header(">c8", "False", "(2, 2)"), &parts)).unwrap();
    assert_eq!(rows.schema().row_shape, [2, 2]);
    let expected: Vec<f32> = (0..8).map(|i| i as f32).collect();
    assert_eq!(read_all(&*rows), crate::matrix::to_little_endian(&expected));
    let rows = open_bytes(file(1, &header("<c16", "True", "(3,)"), &[0; 48])).unwrap();
    assert_eq!((rows.len(), &rows.schema().row_shape[..]), (3, &[2][..]));
    let values = [1.5_f32, -2.0, f32::INFINITY, 3e38];
    let halves: Vec<u8> =
        values.iter().flat_map(|x| x.to_bits().to_be_bytes()[..2].to_vec()).collect();
    let rows = open_bytes(file(1, &header(">V2", "False", "(2, 2)"), &halves)).unwrap();
    let cut = values.map(|x| f32::from_bits(x.to_bits() & 0xffff_0000));
    assert_eq!(read_all(&*rows), crate::matrix::to_little_endian(&cut));
}

#[test]
fn headers_longer_than_the_file_or_the_limit_are_refused() {
    let mut bytes = file(2, &header("<f4", "False", "(1,)"), &[0; 4]);
    bytes[8..12].copy_from_slice(&u32::MAX.to_le_bytes());
    assert_eq!(open_bytes(bytes.clone()).err().unwrap().kind(), ErrorKind::Limit);
    bytes[8..12].copy_from_slice(&1000_u32.to_le_bytes());
    assert_eq!(open_bytes(bytes.clone()).err().unwrap().kind(), ErrorKind::Truncated);
    bytes[6] = 4;
    assert_eq!(open_bytes(bytes).err().unwrap().kind(), ErrorKind::Unsupported);
}

#[test]
fn a_wrong_length_is_reported_in_bytes() {
    let head = header("<f4", "False", "(3, 2)");
    let start = 10 + head.len();
    let error = open_bytes(file(1, &head, &[0; 20])).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Truncated);
    let message = error.to_string();
    assert!(message.contains(&(start + 24).to_string()), "{message}");
    assert!(message.contains(&(start + 20).to_string()), "{message}");
    let error = open_bytes(file(1, &head, &[0; 25])).err().unwrap();
    assert_eq!((error.kind(), error.offset()), (ErrorKind::Corrupt, Some(start as u64 + 24)));
}

#[test]
fn no_rows_are_fine() {
    let rows = open_bytes(file(1, &header("<f4", "True", "(0, 7)"), &[])).unwrap();
    assert_eq!((rows.len(), rows.schema().width()), (0, 7));
    rows.read(0, &mut []).unwrap();
    assert_eq!(rows.read(0, &mut [0; 28]).unwrap_err().kind(), ErrorKind::Argument);
}

/// The same array in C order, element by element as the definition says.
fn transpose(fortran: &[u8], shape: &[usize], size: usize) -> Vec<u8> {
    let count: usize = shape.iter().product();
    let mut out = Vec::with_capacity(fortran.len());
    for mut c in 0..count {
        let mut place = 0;
        let mut step = count;
        for &n in shape.iter().rev() {
            step /= n;
            place += c % n * step;
            c /= n;
        }
        out.extend(&fortran[place * size..(place + 1) * size]);
    }
    out
}

fn check_fortran(descr: &str, shape: &[usize], first: usize, count: usize) {
    let size: usize = descr[2..].parse().unwrap();
    let data: Vec<u8> =
        (0..shape.iter().product::<usize>() * size).map(|i| (i * 31 + i / 251) as u8).collect();
    let axes: String = shape.iter().map(|n| format!("{n},")).collect();
    let rows = open_bytes(file(1, &header(descr, "True", &format!("({axes})")), &data)).unwrap();
    let mut expected = transpose(&data, shape, size);
    if descr.starts_with('>') {
        expected.chunks_exact_mut(size).for_each(<[u8]>::reverse);
    }
    let row = rows.schema().row_bytes();
    let mut out = vec![0; count * row];
    rows.read(first, &mut out).unwrap();
    assert_eq!(
        out,
        expected[first * row..(first + count) * row],
        "{descr} {shape:?} {first} {count}"
    );
}

#[test]
fn fortran_order_equals_c_order() {
    check_fortran("<f4", &[5], 1, 3);
    check_fortran("<f4", &[1, 6], 0, 1);
    check_fortran("<u2", &[4, 3, 5], 0, 4);
    check_fortran("<u2", &[4, 3, 5], 2, 1);
    check_fortran(">f8", &[7, 2, 3, 4], 3, 4);
    // Short runs of long columns, several groups of columns, several blocks of rows.
    check_fortran("<u1", &[3000, 9], 100, 16);
    check_fortran("<f4", &[9000, 70], 0, 9000);
    check_fortran("<f8", &[40, 9000], 3, 30);
    check_fortran("<f8", &[400, 5, 60], 3, 17);
}

proptest! {
    #[test]
    fn any_array_is_read_in_either_order(
        shape in prop::collection::vec(1_usize..7, 1..5),
        size in prop::sample::select(vec!["<u1", ">i2", "<f4", ">f8"]),
        part in (0.0..1.0_f64, 0.0..1.0_f64),
    ) {
        let first = (part.0 * shape[0] as f64) as usize;
        let count = 1 + (part.1 * (shape[0] - first) as f64) as usize;
        check_fortran(size, &shape, first, count.min(shape[0] - first));
    }

    #[test]
    fn any_bytes_after_the_magic_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = open_bytes([magic::NPY, &bytes].concat());
    }

    #[test]
    fn any_header_text_is_refused_or_read(text in "[{}()\\[\\]',: \"0-9a-zTF<L\\-]{0,80}") {
        let _ = open_bytes(file(1, text.as_bytes(), &[]));
    }
}
