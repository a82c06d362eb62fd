use super::*;
use crate::error::ErrorKind;
use crate::input::options::TextOptions;
use crate::matrix::{Rows, TextColumn};
use records::MAX_RECORD;
use std::io::{self, Read};

fn open_text(text: &[u8], columns: Option<&[&str]>) -> Result<ArrayRows> {
    let columns: Option<Vec<String>> = columns.map(|c| c.iter().map(|c| c.to_string()).collect());
    opened(text, columns.as_deref(), &TextOptions::default()).map(|opened| opened.rows)
}

fn opened(text: &[u8], columns: Option<&[String]>, options: &TextOptions) -> Result<Opened> {
    let columns = columns.map(<[String]>::to_vec);
    let options = OpenOptions { columns, text: *options, ..OpenOptions::default() };
    open(&Source::from_memory(text.to_vec()), "t.csv", &options)
}

/// The values of a table that is read with `options`.
fn read(text: &[u8], options: &TextOptions) -> Vec<f64> {
    values(&opened(text, None, options).unwrap().rows)
}

fn values(rows: &ArrayRows) -> Vec<f64> {
    let mut bytes = vec![0; rows.len() * rows.schema().row_bytes()];
    rows.read(0, &mut bytes).unwrap();
    bytes.as_chunks().0.iter().map(|&b| f64::from_le_bytes(b)).collect()
}

fn names(rows: &ArrayRows) -> Vec<&str> {
    rows.schema().columns.as_deref().unwrap().iter().map(String::as_str).collect()
}

fn fault(text: &[u8], columns: Option<&[&str]>) -> (ErrorKind, String) {
    let error = open_text(text, columns).err().expect("must be refused");
    (error.kind(), error.to_string())
}

#[test]
fn a_header_is_told_from_numbers() {
    let rows = open_text(b"x,y\n1,2\n3,4\n", None).unwrap();
    assert_eq!(
        (rows.len(), names(&rows), values(&rows)),
        (2, vec!["x", "y"], vec![1.0, 2.0, 3.0, 4.0])
    );
    let rows = open_text(b"1,2\n3,4", None).unwrap();
    assert_eq!((rows.len(), &rows.schema().columns), (2, &None));
    let rows = open_text(b"NA,2\r\n3,4\r\n", None).unwrap();
    assert_eq!((rows.len(), rows.schema().row_shape.as_slice()), (2, &[2][..]));
    let rows = open_text(b"\xef\xbb\xbfx,,x\n1,2,3\n", None).unwrap();
    assert_eq!(names(&rows), ["x", "column 1", "x"]);
    let rows = open_text(b"\xef\xbb\xbf1,2\n", None).unwrap();
    assert_eq!((rows.len(), values(&rows)), (1, vec![1.0, 2.0]));
    assert_eq!(open_text(b"x,y\n", None).unwrap().len(), 0);
    assert_eq!(fault(b"", None).0, ErrorKind::Truncated);
}

#[test]
fn delimiters_are_found() {
    for text in ["a,b\n1,2\n", "a;b\n1;2\n", "a\tb\n1\t2\n", "a;\"b;c\"\n1;2\n", "a;b,c\n1;2\n"] {
        let rows = open_text(text.as_bytes(), None).unwrap();
        assert_eq!(values(&rows), [1.0, 2.0], "{text:?}");
    }
    let rows = open_text(b"t (C; mean),u\n1,2\n3,4\n", None).unwrap();
    assert_eq!(names(&rows), ["t (C; mean)", "u"]);
    assert_eq!(values(&open_text(b"1\n2\n", None).unwrap()), [1.0, 2.0]);
}

#[test]
fn numbers_are_parsed_as_rust_does_and_missing_ones_are_nan() {
    let text = b"x\n0.1\n-1e-400\n inf \n-infinity\n+7\n\"8\"\n1e308\n";
    let expected = [0.1, -0.0, f64::INFINITY, f64::NEG_INFINITY, 7.0, 8.0, 1e308];
    let parsed = values(&open_text(text, None).unwrap());
    assert!(parsed.iter().zip(expected).all(|(a, b)| a.to_bits() == b.to_bits()), "{parsed:?}");
    let text = b"x,y\n,1\nNA,1\nN/A,1\nNaN,1\nnan,1\nnull,1\nNone,1\n?,1\n-nan,1\n\"\",1\n";
    let parsed = values(&open_text(text, None).unwrap());
    assert_eq!(parsed.len(), 20);
    for pair in parsed.chunks(2) {
        assert_eq!((pair[0].to_bits(), pair[1]), (0x7ff8_0000_0000_0000, 1.0));
    }
}

#[test]
fn columns_are_chosen_by_name() {
    let text = b"a,b,c\n1,x,3\n4,y,6\n";
    let rows = open_text(text, Some(&["c", "a"])).unwrap();
    assert_eq!((names(&rows), values(&rows)), (vec!["c", "a"], vec![3.0, 1.0, 6.0, 4.0]));
    let rows = open_text(b"1,2\n3,4\n", Some(&["column 1"])).unwrap();
    assert_eq!((&rows.schema().columns, values(&rows)), (&None, vec![2.0, 4.0]));
    let (kind, message) = fault(text, Some(&["d"]));
    assert_eq!(kind, ErrorKind::Argument);
    assert!(message.contains("\"d\"") && message.contains("a,b,c"), "{message}");
    assert_eq!(fault(text, Some(&[])).0, ErrorKind::Argument);
    assert!(fault(b"a,a\n1,2\n", Some(&["a"])).1.contains("2 columns are called"));
}

#[test]
fn faults_name_their_line() {
    let (kind, message) = fault(b"a,b,c\r\n1,2,3\r\n\r\n4,oops,6\r\n", None);
    assert_eq!(kind, ErrorKind::Argument);
    for part in ["line 4", "\"b\"", "\"oops\"", "--columns", "a,c", "(at byte 16)"] {
        assert!(message.contains(part), "{part} in {message}");
    }
    let (kind, message) = fault(b"a,b\n\"1\",2\n3\n", None);
    assert_eq!(kind, ErrorKind::Corrupt);
    assert!(message.contains("line 3 has 1 field instead of 2"), "{message}");
    let (kind, message) = fault(b"a,b\n\n\n1,2,3\n", None);
    assert_eq!(kind, ErrorKind::Corrupt);
    assert!(message.contains("line 4 has 3 fields instead of 2"), "{message}");
    assert!(fault(b"a,b\nx,y\n", None).1.contains("line 2"));
}

#[test]
fn an_open_quote_does_not_take_all_memory() {
    struct Letters(u64);
    impl Read for Letters {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            let count = out.len().min(self.0 as usize);
            out[..count].fill(b'a');
            self.0 -= count as u64;
            Ok(count)
        }
    }
    let mut input = b"x\n\"".chain(Letters(MAX_RECORD + (1 << 20)));
    let source = crate::input::source::spool(&mut input).unwrap();
    let error = open(&source, "t.csv", &OpenOptions::default()).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}

#[test]
fn a_header_of_numbers_is_known_and_can_be_asked_for() {
    let text = b"400,410,420\n0.1,0.3,0.2\n0.2,0.1,0.3\n";
    let found = opened(text, None, &TextOptions::default()).unwrap();
    assert_eq!((names(&found.rows), found.rows.len()), (vec!["400", "410", "420"], 2));
    assert!(found.layout.bare_names && found.notes[0].contains("--header no"), "{:?}", found.notes);
    let told = |header| TextOptions { header: Some(header), ..TextOptions::default() };
    assert_eq!(opened(text, None, &told(false)).unwrap().rows.len(), 3);
    assert_eq!(read(b"1,2\n3,4\n", &told(true)), [3.0, 4.0]);
    // The first line of a comment's kind, as NumPy writes it.
    for text in ["# x,y\n1,2\n3,4\n", "# made by hand\n#x,y\n1,2\n3,4\n"] {
        let rows = open_text(text.as_bytes(), None).unwrap();
        assert_eq!((names(&rows), values(&rows)), (vec!["x", "y"], vec![1.0, 2.0, 3.0, 4.0]));
    }
}

#[test]
fn a_name_of_blanks_is_a_name() {
    for (text, name) in
        [("\" \"\n1\n2\n", " "), ("\"\t\"\n1\n2\n", "\t"), ("x,\"  \"\n1,2\n", "  ")]
    {
        let rows = open_text(text.as_bytes(), None).unwrap();
        assert_eq!(names(&rows).last(), Some(&name), "{text:?}");
    }
}

#[test]
fn integers_that_no_f64_holds_are_read_as_integers_or_refused() {
    let rows = open_text(b"a,b\n1234567890123456781,-2\n-1,9223372036854775807\n", None).unwrap();
    assert_eq!(rows.schema().dtype, DType::I64);
    let mut bytes = [0; 32];
    rows.read(0, &mut bytes).unwrap();
    let integers: Vec<i64> = bytes.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b)).collect();
    assert_eq!(integers, [1_234_567_890_123_456_781, -2, -1, i64::MAX]);
    let rows = open_text(b"18446744073709551615\n1\n", None).unwrap();
    assert_eq!(rows.schema().dtype, DType::U64);
    // Integers that f64 holds, or that come back as the same text, need no other type.
    for text in [
        "9007199254740992\n1\n",
        "100000000000000000000,0.5\n1,2\n",
        "1e300\n2\n",
        "123456789012345680000,.5\n",
        "1.234567890123456780e+18\n",
    ] {
        assert_eq!(open_text(text.as_bytes(), None).unwrap().schema().dtype, DType::F64, "{text}");
    }
    let (kind, message) = fault(b"id,x\n1234567890123456781,0.5\n2,0.25\n", None);
    assert_eq!(kind, ErrorKind::Argument);
    for part in ["\"id\"", "1234567890123456781", "--columns 'id'", "--columns 'x'"] {
        assert!(message.contains(part), "{part} in {message}");
    }
    let (_, message) = fault(b"id,x\n1234567890123456781,1\n,2\n", None);
    assert!(message.contains("missing") && message.contains("--columns 'x'"), "{message}");
    let (_, message) = fault(b"amount,x\n1234567890123456789.25,1\n", None);
    assert!(message.contains("\"amount\"") && message.contains("--columns 'x'"), "{message}");
    assert_eq!(
        open_text(b"id,x\n1234567890123456781,0.5\n", Some(&["id"])).unwrap().schema().dtype,
        DType::I64
    );
}

#[test]
fn tables_are_written_in_many_ways() {
    let none = TextOptions::default();
    for text in [
        "a;b\n1,5;2\n3;4,25\n",
        "a\tb\n1,5\t2\n3\t4,25\n",
        "a|b\n1.5|2\n3|4.25\n",
        "a b\n1.5 2\n 3   4.25 \n",
        "1.5\t 2\n3\t4.25\n",
        "a,b,\n1.5,2,\n3,4.25,\n",
        "a,b\n1.5,2,\n3,4.25,\n",
        "# title; one\n#\na,b\n1.5,2\n# between, them\n3,4.25\n",
        "sep=;\na;b\n1.5;2\n3;4.25\n",
        "a,b\nm,kg\n1.5,2\n3,4.25\n",
        "a,b\n\"1,5\",\"2\"\n\"3\",\"4,25\"\n",
        "\"Temp\n(C)\",b\n1.5,2\n3,4.25\n",
        "a, b\n 1.5, 2\n 3, 4.25\n",
        "a;b\r\n1,5;2\r\n3;4,25\r\n",
    ] {
        assert_eq!(read(text.as_bytes(), &none), [1.5, 2.0, 3.0, 4.25], "{text:?}");
    }
    for text in
        ["1,234.5;2\n3;4\n", "1.234,5;2\n3;4\n", "1 234,5;2\n3;4\n", "a,b\n\"1,234.5\",2\n3,4\n"]
    {
        assert_eq!(read(text.as_bytes(), &none), [1234.5, 2.0, 3.0, 4.0], "{text:?}");
    }
    let units: Vec<u16> = "Größe;b\n1,5;2\n3;4,25\n".encode_utf16().collect();
    let utf16: Vec<u8> = [0xfeff].iter().chain(&units).flat_map(|u| u.to_le_bytes()).collect();
    for text in [&utf16[..], b"Gr\xf6\xdfe;b\n1,5;2\n3;4,25\n"] {
        let rows = open_text(text, None).unwrap();
        assert_eq!((names(&rows), values(&rows)), (vec!["Größe", "b"], vec![1.5, 2.0, 3.0, 4.25]));
    }
    let skip = TextOptions { skip: 2, ..none };
    assert_eq!(read(b"A title, and\nanother\na,b\n1,2\n", &skip), [1.0, 2.0]);
    let bar = TextOptions { delimiter: Some(b'/'), ..none };
    assert_eq!(read(b"1/2\n3/4\n", &bar), [1.0, 2.0, 3.0, 4.0]);
}

#[test]
fn what_is_refused_names_the_right_remedy() {
    let contains = |text: &[u8], part: &str| {
        let message = fault(text, None).1;
        assert!(message.contains(part), "{part} in {message}");
    };
    contains(b"a|b\n12,345|1\n10,250|2\n", "--decimal ,");
    contains(b"a|b\n12,345|1\n10,250|2\n", "--thousands ,");
    assert_eq!(read(b"a;b\n12,345;1\n", &TextOptions::default()), [12.345, 1.0]);
    contains(b"A title\na,b\n1,2\n3,4\n", "--skip 1");
    let many = format!("a;b\n{}12,5;1\n", "1.5;2\n".repeat(9000));
    contains(many.as_bytes(), "--decimal ,");
    let many = format!("a;b\n{}12 345;1\n", "1.5;2\n".repeat(9000));
    contains(many.as_bytes(), "--thousands ' '");
    contains(b"a,b\n1,2\nn. d.,4\n", "leave the field empty");
    contains(b"name;b,c;d\nx;1;2\ny;3;4\n", r"--columns 'b\,c,d'");
}

#[test]
fn columns_are_found_by_their_name_without_blanks_and_by_place() {
    let rows = open_text(b"\" a\",b\n1,2\n", Some(&["a"])).unwrap();
    assert_eq!((names(&rows), values(&rows)), (vec![" a"], vec![1.0]));
    let rows = open_text(b"a,a\n1,2\n", Some(&["column 1"])).unwrap();
    assert_eq!((names(&rows), values(&rows)), (vec!["a"], vec![2.0]));
    // From 0, as in bounds and in all that is said of columns without names.
    for (place, value) in [("0", 1.0), ("1", 2.0), ("column 0", 1.0), ("column 1", 2.0)] {
        assert_eq!(values(&open_text(b"1,2\n", Some(&[place])).unwrap()), [value], "{place}");
    }
    assert_eq!(values(&open_text(b"1,0\n3,2\n", Some(&["0"])).unwrap()), [1.0, 3.0]);
    assert!(fault(b"1,2\n", Some(&["2"])).1.contains("column 0,column 1"));
}

#[test]
fn the_way_that_a_table_was_written_is_kept() {
    let text = b"t;v;w\r\n0;0,000;1e5\r\n1;NA;2\r\n2;0,571;3\r\n";
    let layout = opened(text, None, &TextOptions::default()).unwrap().layout;
    let known = |decimals, fixed, range| {
        let decimals = Some(decimals);
        TextColumn { decimals, fixed, range, ..TextColumn::default() }
    };
    let columns = vec![known(0, true, 2), known(3, true, 571), TextColumn::default()];
    let expected = TextLayout {
        delimiter: b';',
        decimal_mark: b',',
        crlf: true,
        bare_names: false,
        missing: "NA".to_string(),
        columns,
        kept: None,
    };
    assert_eq!(layout, expected);
}
