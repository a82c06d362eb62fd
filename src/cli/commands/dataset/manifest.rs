//! What a data set says of itself, checked before anything of it is believed.

use aezip::DType;
use serde_json::{Map, Value};
use std::collections::HashSet;

/// The version that is known.
const VERSION: u64 = 1;
/// Numbers of rows and bytes that other languages can count, too.
const MOST: u64 = i64::MAX as u64;
/// Axes that the shape of a row has at most, as in files.
const MOST_AXES: usize = 32;
/// Most bytes of the name of a part behind `data/`.
const NAME_BYTES: usize = 204;
/// Digits of a hash.
const HASH_DIGITS: usize = 64;
/// Fewest digits of a hash in the name of a codec.
const LEAST_DIGITS: usize = 8;
/// Characters of a wrong value that are shown.
const SHOWN: usize = 60;

/// A file of the data set, and how to know that it is the right one.
pub(super) struct Stored {
    /// Where it is, counted from the folder; it does not leave it.
    pub(super) path: String,
    pub(super) bytes: u64,
    pub(super) sha256: String,
}

/// A file of so many rows.
pub(super) struct Part {
    pub(super) file: Stored,
    pub(super) rows: u64,
}

/// The manifest.
pub(super) struct Manifest {
    pub(super) dtype: DType,
    pub(super) row_shape: Vec<usize>,
    pub(super) columns: Option<Vec<String>>,
    /// Kind and value of the promise that each part keeps.
    pub(super) promise: (String, String),
    pub(super) rows: u64,
    pub(super) codec: Option<Stored>,
    pub(super) parts: Vec<Part>,
}

impl Manifest {
    /// Reads the manifest; an error is what is wrong with it.
    pub(super) fn parse(text: &[u8]) -> Result<Self, String> {
        let found: Value = serde_json::from_slice(text).map_err(|e| e.to_string())?;
        let found = found.as_object().ok_or("no object of JSON")?;
        if found.get("aezip_dataset").and_then(Value::as_u64) != Some(VERSION) {
            return Err(format!(
                "its aezip_dataset is not {VERSION}: no manifest, or one of a newer aezip"
            ));
        }
        let promise = found.get("promise").and_then(Value::as_object);
        let promise = promise.ok_or("promise is missing or of the wrong kind")?;
        let dtype = text_of(found, "dtype")?;
        let parts = list_of(found, "parts")?.iter().enumerate();
        let manifest = Self {
            dtype: dtype.parse().map_err(|_| format!("dtype {} is unknown", shown(&dtype)))?,
            row_shape: row_shape(found)?,
            columns: columns(found)?,
            promise: (text_of(promise, "kind")?, text_of(promise, "value")?),
            rows: count(found, "rows", "")?,
            codec: match found.get("codec") {
                None | Some(Value::Null) => None,
                Some(codec) => Some(stored(codec, "codec", is_codec)?),
            },
            parts: parts.map(|(i, found)| part(found, i)).collect::<Result<_, _>>()?,
        };
        manifest.check()?;
        Ok(manifest)
    }

    /// Checks that the parts agree with the whole.
    fn check(&self) -> Result<(), String> {
        let rows = self.parts.iter().try_fold(0_u64, |sum, part| sum.checked_add(part.rows));
        if rows != Some(self.rows) {
            let there =
                rows.map_or_else(|| "more than can be counted".to_string(), |n| n.to_string());
            return Err(format!("rows is {}, its parts have {there} together", self.rows));
        }
        let mut seen = HashSet::new();
        if let Some(part) = self.parts.iter().find(|part| !seen.insert(&part.file.path)) {
            return Err(format!("{} is named twice", part.file.path));
        }
        match self.plain_bytes() {
            Some(_) => Ok(()),
            None => Err(format!(
                "{} rows of shape {:?} are more than can be counted",
                self.rows, self.row_shape
            )),
        }
    }

    /// Returns the bytes that all rows take once decoded, if they can be counted.
    pub(super) fn plain_bytes(&self) -> Option<u64> {
        let lengths = self.row_shape.iter().map(|&n| n as u64);
        let mut factors = lengths.chain([self.dtype.size() as u64]);
        factors.try_fold(self.rows, u64::checked_mul).filter(|bytes| *bytes <= MOST)
    }

    /// Returns the bytes of all parts.
    pub(super) fn part_bytes(&self) -> u64 {
        self.parts.iter().fold(0, |sum, part| sum.saturating_add(part.file.bytes))
    }
}

fn part(found: &Value, number: usize) -> Result<Part, String> {
    let name = format!("parts[{number}]");
    let file = stored(found, &name, is_part)?;
    let rows = found.as_object().map(|found| count(found, "rows", &name));
    Ok(Part { file, rows: rows.ok_or("no object")?? })
}

fn stored(found: &Value, name: &str, is_good: fn(&str) -> bool) -> Result<Stored, String> {
    let found = found.as_object().ok_or_else(|| format!("{name} is no object"))?;
    let path = text_of(found, "path").map_err(|e| format!("{name}.{e}"))?;
    if !is_good(&path) {
        let what = "not the name of a file of this data set";
        return Err(format!("{name}.path {} is {what}", shown(&path)));
    }
    let sha256 = text_of(found, "sha256").map_err(|e| format!("{name}.{e}"))?;
    if sha256.len() != HASH_DIGITS || !is_hex(&sha256) {
        return Err(format!("{name}.sha256 is no hash of {HASH_DIGITS} digits"));
    }
    Ok(Stored { path, bytes: count(found, "bytes", name)?, sha256 })
}

/// Says whether this is `data/` and a file directly in it.
fn is_part(path: &str) -> bool {
    let Some(name) = path.strip_prefix("data/").filter(|name| name.len() <= NAME_BYTES) else {
        return false;
    };
    let stem = name.strip_suffix(".aez").unwrap_or_default();
    stem.starts_with(|c: char| c.is_ascii_alphanumeric())
        && stem.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// Says whether this is the name of a codec.
fn is_codec(path: &str) -> bool {
    let hash = path.strip_prefix("codec-").and_then(|name| name.strip_suffix(".aez"));
    hash.is_some_and(|h| (LEAST_DIGITS..=HASH_DIGITS).contains(&h.len()) && is_hex(h))
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'))
}

fn columns(found: &Map<String, Value>) -> Result<Option<Vec<String>>, String> {
    let names = match found.get("columns") {
        None | Some(Value::Null) => return Ok(None),
        Some(names) => names.as_array(),
    };
    let names = names.into_iter().flatten().map(|name| name.as_str().map(str::to_string));
    let names: Option<Vec<String>> = names.collect();
    names.filter(|n| !n.is_empty()).map(Some).ok_or_else(|| "columns is no list of names".into())
}

fn row_shape(found: &Map<String, Value>) -> Result<Vec<usize>, String> {
    let lengths = list_of(found, "row_shape")?;
    if lengths.len() > MOST_AXES {
        return Err(format!(
            "row_shape has {} axes, files have {MOST_AXES} at most",
            lengths.len()
        ));
    }
    lengths.iter().map(length).collect()
}

fn length(found: &Value) -> Result<usize, String> {
    let length = found.as_u64().and_then(|n| usize::try_from(n).ok()).filter(|n| *n > 0);
    length.ok_or_else(|| format!("row_shape has {}", shown(&found.to_string())))
}

fn count(found: &Map<String, Value>, name: &str, of: &str) -> Result<u64, String> {
    let dot = if of.is_empty() { "" } else { "." };
    let value = found.get(name).unwrap_or(&Value::Null);
    value.as_u64().filter(|n| (1..=MOST).contains(n)).ok_or_else(|| {
        let value = shown(&value.to_string());
        format!("{of}{dot}{name} is {value}, not a number from 1 to {MOST}")
    })
}

fn text_of(found: &Map<String, Value>, name: &str) -> Result<String, String> {
    let text = found.get(name).and_then(Value::as_str);
    text.map(str::to_string).ok_or_else(|| format!("{name} is missing or of the wrong kind"))
}

fn list_of<'a>(found: &'a Map<String, Value>, name: &str) -> Result<&'a [Value], String> {
    let list = found.get(name).and_then(Value::as_array);
    list.map(Vec::as_slice).ok_or_else(|| format!("{name} is missing or of the wrong kind"))
}

/// Returns the first characters of a value, quoted.
fn shown(text: &str) -> String {
    format!("{:?}", text.chars().take(SHOWN).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::Manifest;

    const GOOD: &str = r#"{"aezip_dataset": 1, "dtype": "f32", "row_shape": [4, 2], "columns": null,
        "promise": {"kind": "max-error", "value": "0.01"}, "rows": 5, "codec": null, "parts": [
        {"path": "data/part-0.aez", "bytes": 77, "sha256": "HASH", "rows": 5}]}"#;

    #[test]
    fn damaged_manifests_are_read_or_refused() {
        let good = GOOD.replace("HASH", &"0a".repeat(32));
        assert_eq!(Manifest::parse(good.as_bytes()).map(|m| m.plain_bytes()), Ok(Some(160)));
        let pieces: [&[u8]; 9] = [b"", b"9", b"-", b"\"", b"[", b"}", b"null", b"\xff", b"."];
        let mut state = 1_u64;
        let mut below = |end: usize| {
            state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (state >> 33) as usize % end
        };
        for _ in 0..20_000 {
            let mut spoilt = good.clone().into_bytes();
            for _ in 0..1 + below(3) {
                let at = below(spoilt.len() - 2);
                spoilt.splice(at..at + below(3), pieces[below(9)].iter().copied());
            }
            if let Err(what) = Manifest::parse(&spoilt) {
                assert!(!what.contains('\n') && what.len() < 300, "{what}");
            }
        }
    }
}
