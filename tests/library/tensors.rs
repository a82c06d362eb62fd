//! Files of tensors: one is chosen by name, and damage is refused in one line.

use crate::support::{damaged, refused};
use aezip::input::{Format, OpenOptions, open_reader, sink::create_sink};
use aezip::{DType, Matrix, Schema};

fn file(header: &str, data: &[u8]) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), data].concat()
}

fn read(bytes: &[u8], array: Option<&str>) -> aezip::Result<(Schema, Vec<u8>)> {
    let options = OpenOptions { array: array.map(str::to_string), ..OpenOptions::default() };
    let rows = open_reader(&mut &*bytes, "a.safetensors", &options)?;
    let mut out = vec![0; rows.len() * rows.schema().row_bytes()];
    rows.read(0, &mut out)?;
    Ok((rows.schema().clone(), out))
}

const TWO: &str = r#"{"__metadata__":{"format":"pt"},"b":{"dtype":"BF16","shape":[2],"data_offsets":[8,12]},"layer.0.weight":{"dtype":"I32","shape":[2,1],"data_offsets":[0,8]}}"#;
const DATA: &[u8] = &[1, 0, 0, 0, 255, 255, 255, 255, 0x80, 0x3f, 0, 0xc0];

#[test]
fn a_tensor_is_chosen_by_name_and_comes_back_with_it() {
    let two = file(TWO, DATA);
    let (schema, bytes) = read(&two, Some("layer.0.weight")).unwrap();
    assert_eq!(
        (schema.dtype, &schema.row_shape[..], &bytes[..]),
        (DType::I32, &[1][..], &DATA[..8])
    );
    let (floats, values) = read(&two, Some("b")).unwrap();
    assert_eq!(floats.dtype, DType::F32);
    assert_eq!(values, [1.0_f32, -2.0].map(f32::to_le_bytes).concat());
    refused(&read(&two, None).unwrap_err(), "choose one with --array: b, layer.0.weight");
    refused(&read(&two, Some("c")).unwrap_err(), "it has b, layer.0.weight");

    let mut out = Vec::new();
    let rows = Matrix::new(schema.clone(), bytes.clone()).unwrap();
    let mut sink = create_sink(Format::Safetensors, &schema, 2, Box::new(&mut out)).unwrap();
    sink.write(rows.bytes()).unwrap();
    sink.finish().unwrap();
    assert_eq!(out.len() % 8, 0);
    let (again, back) = read(&out, None).unwrap();
    assert_eq!((again.origin, back), (schema.origin, bytes));
    // Known by what is in it, too.
    let rows = open_reader(&mut &out[..], "", &OpenOptions::default()).unwrap();
    assert_eq!(rows.schema().dtype, DType::I32);
}

#[test]
fn damaged_tensors_are_refused() {
    let good = file(TWO, DATA);
    assert_eq!(damaged(&good, 30, |bytes| read(bytes, Some("b")).map(drop)), 30);
    let one = |entry: &str, data: &[u8]| file(&format!(r#"{{"x":{entry}}}"#), data);
    let entry = |dtype: &str, shape: &str, end: u64| {
        format!(r#"{{"dtype":"{dtype}","shape":{shape},"data_offsets":[0,{end}]}}"#)
    };
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "length needs"),
        (vec![1, 2, 3], "length needs"),
        (u64::MAX.to_le_bytes().to_vec(), "is this a safetensors file"),
        (100_u64.to_le_bytes().to_vec(), "fetch it again"),
        (file("", b""), "no JSON"),
        (file("[]", b""), "no JSON object"),
        (file("{}", b""), "no tensors"),
        (file(&"[".repeat(100_000), b""), "no JSON"),
        (file("{\"x\":1}", b""), "describes no tensor"),
        (one(&entry("F32", "[1]", 4), &[0; 3]), "only 3 are there"),
        (one(&entry("F32", "[1]", 4), &[0; 5]), "but 5 are there"),
        (one(&entry("F32", "[2]", 4), &[0; 4]), "needs 8 bytes"),
        (one(&entry("F32", "[-1]", 4), &[0; 4]), "describes no tensor"),
        (one(&entry("F32", "[1.5]", 4), &[0; 4]), "describes no tensor"),
        (one(&entry("F32", "[]", 4), &[0; 4]), "single number"),
        (one(&entry("F32", "[1,0]", 0), b""), "no numbers"),
        (one(&entry("BOOL", "[4]", 4), &[0; 4]), "of type BOOL"),
        (one(&entry("F8_E4M3", "[4]", 4), &[0; 4]), "of type F8_E4M3"),
        (one(&entry("F32", "[4294967296,4294967296,4]", 4), &[0; 4]), "over the limit"),
        (one(r#"{"dtype":"F32","shape":[1]}"#, &[0; 4]), "describes no tensor"),
        (one(r#"{"dtype":"U8","shape":[1],"data_offsets":[1,0]}"#, &[0; 1]), "describes no tensor"),
        (one(r#"{"dtype":"U8","shape":[1],"data_offsets":[1,2]}"#, &[0; 2]), "was expected"),
        (one(r#"{"dtype":"U8","shape":[1],"data_offsets":[0]}"#, &[0; 1]), "describes no tensor"),
    ];
    for (bytes, says) in cases {
        refused(&read(&bytes, None).unwrap_err(), says);
    }
}
