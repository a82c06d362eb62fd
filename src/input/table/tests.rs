use super::*;
use crate::error::ErrorKind;
use crate::matrix::Rows;

fn open_text(text: &[u8], columns: Option<&[&str]>) -> Result<ArrayRows> {
    let columns: Option<Vec<String>> = columns.map(|c| c.iter().map(|c| c.to_string()).collect());
    open(&Source::from_memory(text.to_vec()), "t.csv", columns.as_deref())
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
    assert_eq!(names(&rows), ["x", "column 2", "x"]);
    let rows = open_text(b"\xef\xbb\xbf1,2\n", None).unwrap();
    assert_eq!((rows.len(), values(&rows)), (1, vec![1.0, 2.0]));
    assert_eq!(open_text(b"x,y\n", None).unwrap().len(), 0);
    assert_eq!(fault(b"", None).0, ErrorKind::Truncated);
    assert_eq!(fault(b"\xff\xfex\0", None).0, ErrorKind::Unsupported);
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
    let text = b"x\n0.1\n-1e-400\n inf \n-infinity\n+7\n\"8\"\n1e999\n";
    let expected = [0.1, -0.0, f64::INFINITY, f64::NEG_INFINITY, 7.0, 8.0, f64::INFINITY];
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
    let rows = open_text(b"1,2\n3,4\n", Some(&["column 2"])).unwrap();
    assert_eq!((&rows.schema().columns, values(&rows)), (&None, vec![2.0, 4.0]));
    let (kind, message) = fault(text, Some(&["d"]));
    assert_eq!(kind, ErrorKind::Argument);
    assert!(message.contains("\"d\"") && message.contains("a, b, c"), "{message}");
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
    assert!(message.contains("line 3 has 1 fields instead of 2"), "{message}");
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
    let error = open(&source, "t.csv", None).err().unwrap();
    assert_eq!(error.kind(), ErrorKind::Limit, "{error}");
}
