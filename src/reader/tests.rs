//! Files made by hand from the container's parts, so that every part can be wrong by itself.

mod damage;
mod hostile;
mod reading;
#[cfg(feature = "compress")]
mod tiled;
#[cfg(feature = "compress")]
mod written;

use super::*;
use crate::ErrorKind;
use crate::codec::program::Program;
use crate::codec::quantisers::second_quantiser;
use crate::container::block;
#[cfg(feature = "compress")]
use crate::container::forever::COLUMNS;
use crate::container::forever::{DATA, FOOTER_LEN, HEAD, HEADER_LEN, INDEX, MODEL};
use crate::container::head;
use crate::container::index::Index;
use crate::container::model::{Classes, Grid, Hidden, HiddenPath, ModelRecord, Value};
use crate::container::section::{self, Footer, Header};
use crate::entropy::rans::RansEncoder;
use crate::entropy::table::TableSpec;
use crate::error::{Error, Result};
use crate::fidelity::Fidelity;
use crate::limits::Limits;
use crate::matrix::{DType, Rows, Schema};

/// A small generator of numbers; the tests need no good ones.
struct Random(u64);

impl Random {
    fn below(&mut self, end: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) % end
    }

    fn within(&mut self, most: i64) -> i64 {
        self.below(2 * most as u64 + 1) as i64 - most
    }
}

/// A file's parts, each of which a test may spoil before the checksums are made.
#[derive(Clone)]
struct FileParts {
    codec: bool,
    sections: Vec<([u8; 4], Vec<u8>)>,
    /// Rows, stream and packed exact values.
    blocks: Vec<(usize, Vec<u8>, Vec<u8>)>,
    /// Bytes between the blocks and the index.
    gap: Vec<u8>,
    /// The index's payload, if not the right one.
    index: Option<Vec<u8>>,
    /// Added to the footer's three numbers.
    footer: [u64; 3],
}

impl FileParts {
    fn build(&self) -> Vec<u8> {
        let mut out = Header::encode(self.codec);
        for (tag, payload) in &self.sections {
            out.extend(section::encode(*tag, payload));
        }
        let mut index = Index::new(out.len() as u64);
        for (rows, stream, escapes) in &self.blocks {
            let bytes = block::encode_coded(index.total_rows(), stream, escapes);
            index.push(*rows, bytes.len());
            out.extend(bytes);
        }
        out.extend(&self.gap);
        let at = out.len() as u64;
        let payload = self.index.clone().unwrap_or_else(|| index.encode());
        out.extend(section::encode(INDEX, &payload));
        let length = (out.len() + FOOTER_LEN) as u64;
        let footer = Footer {
            index: at.wrapping_add(self.footer[0]),
            rows: index.total_rows().wrapping_add(self.footer[1]),
            length: length.wrapping_add(self.footer[2]),
        };
        out.extend(footer.encode());
        out
    }

    fn section(&mut self, tag: [u8; 4]) -> &mut Vec<u8> {
        &mut self.sections.iter_mut().find(|s| s.0 == tag).unwrap().1
    }
}

/// One class, no latents: `x = (base + e) / 2`.
fn plain(width: usize) -> ModelRecord {
    let value = Value::Linear { offset: 0.0, unit: 0.5 };
    ModelRecord {
        grids: vec![Grid { value, fraction: 0, step: 1 }],
        grid_of: vec![0; width],
        base: (0..width as i64).map(|j| 10 * j).collect(),
        temporal: vec![0; width],
        classes: Classes {
            count: 1,
            quantum: vec![0],
            residual_tables: vec![0; width],
            ..Classes::default()
        },
        tables: vec![TableSpec::Ladder { shape: 2, scale: 22 }],
        ..ModelRecord::default()
    }
}

/// Everything at once: three latents that depend on each other, two hidden layers, three
/// classes of which one has no residual, columns that depend on the previous row.
fn rich(width: usize) -> ModelRecord {
    let mut random = Random(7);
    let mut weights =
        |count: usize, most: i64| -> Vec<i64> { (0..count).map(|_| random.within(most)).collect() };
    let (latents, units, classes) = (3, [5, 4], 3);
    let layer = |weights: Vec<i64>, bias: Vec<i64>| Hidden {
        weights,
        bias,
        multiplier: 9,
        shift: 6,
        leak: 2,
        clamp: 500,
    };
    let hidden = HiddenPath {
        input_shift: vec![0, 1, 2],
        layers: vec![
            layer(weights(units[0] * latents, 60), weights(units[0], 20)),
            layer(weights(units[1] * units[0], 60), weights(units[1], 20)),
        ],
        weights: weights(width * units[1], 50),
        multiplier: 3,
    };
    let coin = TableSpec::Histogram {
        raw: 0,
        entries: vec![(0, 20_000), (1, 10_000), (2, 2768)],
        escape: 0,
    };
    let wide = TableSpec::Ladder { shape: 1, scale: 24 };
    let narrow = TableSpec::Ladder { shape: 0, scale: 18 };
    let value = Value::Linear { offset: 0.25, unit: 0.125 };
    ModelRecord {
        grids: vec![Grid { value, fraction: 4, step: 16 }, Grid { value, fraction: 4, step: 2 }],
        grid_of: (0..width).map(|j| usize::from(j > 3)).collect(),
        base: weights(width, 100),
        temporal: (0..width as i64).map(|j| j * 64 % 257).collect(),
        latent_clamp: vec![30_000, 400, 1 << 20],
        latent_temporal: vec![0, 256, 100],
        trellis: 4,
        gain: 7,
        skip: weights(latents * width, 40),
        bias: weights(width, 1000),
        hidden: Some(hidden),
        classes: Classes {
            count: classes,
            next: vec![0; classes],
            quantum: vec![0, 5, -1],
            means: weights(classes * latents, 50),
            latent_tables: (0..classes * latents * 2).map(|i| 1 + i % 2).collect(),
            residual_tables: (0..classes * width)
                .map(|i| if i / width == 2 { 0 } else { 1 + i % 3 })
                .collect(),
        },
        tables: vec![coin, wide, narrow, TableSpec::Zero],
        neighbours: None,
    }
}

/// A stream of `rows` rows in the order in which the decoder reads, of random symbols.
fn stream(program: &Program, rows: usize, random: &mut Random) -> Vec<u8> {
    let m = &program.record;
    let mut coder = RansEncoder::default();
    let mut say = |table: usize, number: i64| {
        assert!(program.tables[table].encode(number, &mut coder), "{number}");
    };
    let mut class = 0;
    for _ in 0..rows {
        if m.classes.count > 1 {
            let table = m.classes.next[class];
            class = random.below(m.classes.count as u64) as usize;
            say(table, class as i64);
        }
        let mut state = 0_u8;
        for k in 0..m.latents() {
            let s = random.within(40);
            let second = program.trellis().is_some() && second_quantiser(state, m.trellis);
            let at = (class * m.latents() + k) * m.table_sets() + usize::from(second);
            say(m.classes.latent_tables[at], s);
            if let Some(next) = program.trellis() {
                state = next[usize::from(state)][(s & 1) as usize];
            }
        }
        if m.classes.quantum[class] >= 0 {
            for j in 0..m.width() {
                if !program.silent[class][j] {
                    say(m.classes.residual_tables[class * m.width() + j], random.within(30));
                }
            }
        }
    }
    // All rows are one part.
    let mut out = vec![0];
    coder.finish(&mut out);
    out
}

/// A file of `f32` rows, blocks of the given numbers of rows.
fn parts(record: ModelRecord, blocks: &[usize]) -> FileParts {
    let schema = Schema::new(DType::F32, &[record.width()]);
    let promise = Fidelity::parse("max-error", "0.25").unwrap();
    let program = Program::new(record.clone(), DType::F32).unwrap();
    let mut random = Random(blocks.len() as u64);
    FileParts {
        codec: false,
        sections: vec![
            (HEAD, head::encode(&schema, Some(&promise))),
            (*b"note", b"skip me".to_vec()),
            (MODEL, record.encode(record.width())),
            (DATA, Vec::new()),
        ],
        blocks: blocks
            .iter()
            .map(|&rows| (rows, stream(&program, rows, &mut random), Vec::new()))
            .collect(),
        gap: Vec::new(),
        index: None,
        footer: [0; 3],
    }
}

fn options(cache_bytes: usize) -> ReaderOptions {
    ReaderOptions { cache_bytes, ..ReaderOptions::default() }
}

/// Opens and verifies.
fn check(bytes: &[u8]) -> Result<()> {
    Reader::new(bytes)?.verify()
}

/// A file of its own for a test, removed at its end.
struct Scratch(std::path::PathBuf);

impl Scratch {
    fn new(name: &str, bytes: &[u8]) -> Self {
        let path = std::env::temp_dir().join(format!("aezip-{}-{name}", std::process::id()));
        std::fs::write(&path, bytes).unwrap();
        Self(path)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}
