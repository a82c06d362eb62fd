//! One of the tensors of a safetensors file: a length, a header in JSON, the numbers.
//!
//! See <https://huggingface.co/docs/safetensors>.

use super::array::{ArrayRows, Layout, Order};
use super::magic::MOST_JSON;
use super::npz::choose;
use super::options::OpenOptions;
use super::source::Source;
use crate::error::{Error, Result};
use crate::matrix::{DType, Origin};
use serde_json::Value;

/// Bytes of the header's length.
const LENGTH: usize = 8;
/// The entry of the header that is no tensor.
const METADATA: &str = "__metadata__";
/// The types by their names; bfloat16, which comes first, is read as `f32`.
pub(super) const DTYPES: [(&str, DType); 12] = [
    ("BF16", DType::F32),
    ("F16", DType::F16),
    ("F32", DType::F32),
    ("F64", DType::F64),
    ("U8", DType::U8),
    ("I8", DType::I8),
    ("U16", DType::U16),
    ("I16", DType::I16),
    ("U32", DType::U32),
    ("I32", DType::I32),
    ("U64", DType::U64),
    ("I64", DType::I64),
];

/// What the header says of a tensor.
struct Tensor {
    name: String,
    dtype: String,
    shape: Vec<u64>,
    /// Where its bytes begin and end behind the header.
    range: [u64; 2],
}

/// Opens the tensor that is asked for, or the only one.
pub(super) fn open(source: Source, name: &str, options: &OpenOptions) -> Result<ArrayRows> {
    let (tensors, start) = read_header(&source)?;
    expect_no_holes(&tensors, source.len() - start)?;
    let names: Vec<String> = tensors.iter().map(|tensor| tensor.name.clone()).collect();
    let chosen = choose(&names, options.array.as_deref(), "tensor", "safetensors")?;
    if names.len() > 1 {
        options.notes.extend(vec![format!("its tensor {chosen:?} is taken, of {}", names.len())]);
    }
    let what = format!("tensor {chosen:?}");
    let tensor = tensors.iter().find(|tensor| tensor.name == chosen);
    let Some(Tensor { dtype, shape, range: [begin, end], .. }) = tensor else {
        return Err(Error::corrupt(format!("{what} is not there")));
    };
    let known = DTYPES.iter().find(|(name, _)| name == dtype).map(|(_, dtype)| *dtype);
    let known = known.ok_or_else(|| {
        Error::unsupported(format!(
            "{what} is of type {dtype}; convert it, as with tensor.to(torch.float32)"
        ))
    })?;
    let bfloat16 = *dtype == DTYPES[0].0;
    let shape = shape.clone();
    let layout = Layout { dtype: known, big_endian: false, bfloat16, order: Order::C, shape };
    let part = source.part(start + begin, end - begin);
    let rows = ArrayRows::new(part, name, &layout, 0).map_err(|e| e.about(&what))?;
    Ok(rows.with_origin(Some(Origin::new("safetensors").with_part(chosen))))
}

/// Reads what the header says, and where it ends.
fn read_header(source: &Source) -> Result<(Vec<Tensor>, u64)> {
    let head = source.head(LENGTH)?;
    let Ok(length) = <[u8; LENGTH]>::try_from(head) else {
        let there = source.len();
        return Err(Error::truncated(format!(
            "the header's length needs {LENGTH} bytes, but the file has {there}"
        ))
        .at(there));
    };
    let length = u64::from_le_bytes(length);
    if length > MOST_JSON {
        return Err(Error::corrupt(format!(
            "the header says it has {length} bytes, {MOST_JSON} are allowed; is this a safetensors \
             file?"
        ))
        .at(0));
    }
    let end = LENGTH as u64 + length;
    if end > source.len() {
        return Err(Error::truncated(format!(
            "the header needs {end} bytes, but the file has {}; fetch it again",
            source.len()
        ))
        .at(source.len()));
    }
    let mut text = vec![0; length as usize];
    source.read_at(LENGTH as u64, &mut text)?;
    let wrong = |what: String| Error::corrupt(what).at(LENGTH as u64);
    let header = serde_json::from_slice(&text)
        .map_err(|e| wrong(format!("the header is no JSON: {e}; fetch the file again")))?;
    let Value::Object(entries) = header else {
        return Err(wrong("the header is no JSON object; fetch the file again".to_string()));
    };
    let tensors = entries.into_iter().filter(|(name, _)| name != METADATA).map(|(name, entry)| {
        let faulty = || wrong(format!("the header's entry {name:?} describes no tensor"));
        parse(&name, &entry).ok_or_else(faulty)
    });
    Ok((tensors.collect::<Result<_>>()?, end))
}

/// Reads an entry of the header.
fn parse(name: &str, entry: &Value) -> Option<Tensor> {
    let numbers = |key: &str| -> Option<Vec<u64>> {
        entry.get(key)?.as_array()?.iter().map(Value::as_u64).collect()
    };
    let range: [u64; 2] = numbers("data_offsets")?.try_into().ok()?;
    let dtype = entry.get("dtype")?.as_str()?.to_string();
    let is_range = range[0] <= range[1];
    is_range.then_some(Tensor { name: name.to_string(), dtype, shape: numbers("shape")?, range })
}

/// Fails unless the tensors fill `length` bytes, one behind the other.
fn expect_no_holes(tensors: &[Tensor], length: u64) -> Result<()> {
    let mut ranges: Vec<[u64; 2]> = tensors.iter().map(|tensor| tensor.range).collect();
    ranges.sort_unstable();
    let mut end = 0;
    for [begin, next] in ranges {
        if begin != end {
            return Err(Error::corrupt(format!(
                "a tensor begins at byte {begin} of the numbers, where {end} was expected; fetch the \
                 file again"
            )));
        }
        end = next;
    }
    match end.cmp(&length) {
        std::cmp::Ordering::Equal => Ok(()),
        std::cmp::Ordering::Less => Err(Error::corrupt(format!(
            "the tensors take {end} bytes, but {length} are there; fetch the file again"
        ))),
        std::cmp::Ordering::Greater => Err(Error::truncated(format!(
            "the tensors take {end} bytes, but only {length} are there; fetch the file again"
        ))),
    }
}
