//! Files to which rows were appended.

use super::case::{Case, base_model, base_stream, case, head_only};
use super::file::{Parts, Row, stream};
use super::tiles;
use crate::container::block;
use crate::container::forever::{FOOTER_LEN, INDEX, MORE, ROOM};
use crate::container::more::More;
use crate::container::section::{self, Footer};
use crate::matrix::DType;

/// A run of blocks: where it begins, and bytes and rows of each.
type Run = (u64, Vec<(u32, u16)>);

/// A file that grows, and what its last index is to say.
#[derive(Clone)]
struct Grown {
    bytes: Vec<u8>,
    rows: u64,
    runs: Vec<Run>,
}

/// What stands behind the blocks that are appended; `None` for what follows from the others.
#[derive(Default)]
struct End {
    tag: Option<[u8; 4]>,
    base: u64,
    first_axis: u64,
    runs: Option<Vec<Run>>,
    rows: Option<u64>,
    room: Vec<u8>,
    index_at: Option<u64>,
}

impl Grown {
    /// A file of so many rows in its only block, or of none.
    fn new(file: &Parts) -> Self {
        let bytes = file.join();
        let rows = file.next_row();
        let start = file.place(crate::container::forever::DATA).end as u64;
        let list = file.blocks.iter().map(|(rows, b)| (b.len() as u32, *rows as u16 - 1)).collect();
        Self { bytes, rows, runs: vec![(start, list)] }
    }

    /// Appends a block of two rows, and an end as `end` says; it is given the length of the file before
    /// and all runs.
    fn more(mut self, end: impl FnOnce(u64, &[Run]) -> End) -> Self {
        let before = self.bytes.len() as u64;
        let block = block::encode_coded(self.rows, &base_stream(), &[]);
        self.bytes.extend(&block);
        self.rows += 2;
        self.runs.push((before, vec![(block.len() as u32, 1)]));
        let end = end(before, &self.runs);
        self.end(end)
    }

    fn end(mut self, end: End) -> Self {
        self.bytes.extend(&end.room);
        let index = end.index_at.unwrap_or(self.bytes.len() as u64);
        let last = self.runs.len() - 1;
        let runs = end.runs.unwrap_or_else(|| self.runs[last..].to_vec());
        let payload = More::encode(end.base, end.first_axis, &encoded(&runs));
        self.bytes.extend(section::encode(end.tag.unwrap_or(MORE), &payload));
        let length = (self.bytes.len() + FOOTER_LEN) as u64;
        let rows = end.rows.unwrap_or(self.rows);
        self.bytes.extend(Footer { index, rows, length }.encode());
        self
    }
}

fn encoded(runs: &[Run]) -> Vec<u8> {
    let mut out = Vec::new();
    for (start, blocks) in runs {
        out.extend(start.to_le_bytes());
        out.extend((blocks.len() as u32).to_le_bytes());
        for (length, rows) in blocks {
            out.extend(length.to_le_bytes());
            out.extend(rows.to_le_bytes());
        }
    }
    out
}

/// A file of two rows.
fn base() -> Grown {
    Grown::new(&head_only().model(&base_model(), 2).coded(2, &base_stream(), &[]))
}

fn goes_on(base: u64, _: &[Run]) -> End {
    End { base, ..End::default() }
}

fn lists_all(_: u64, runs: &[Run]) -> End {
    End { runs: Some(runs.to_vec()), ..End::default() }
}

pub(super) fn valid() -> Vec<(String, Vec<u8>)> {
    let first = base().more(goes_on);
    let length = base().bytes.len() as u64;
    let merged = first.clone().more(|_, runs| End {
        base: length,
        runs: Some(runs[1..].to_vec()),
        ..End::default()
    });
    let none = Grown::new(&head_only().model(&base_model(), 2));
    let none = Grown { runs: Vec::new(), ..none };
    let room =
        |base, _: &[Run]| End { base, room: section::encode(ROOM, &[0; 9]), ..End::default() };
    let list = [
        ("appended", first.clone()),
        ("appended-twice", first.clone().more(goes_on)),
        ("appended-twice-joined", merged.clone()),
        ("appended-listed-anew", first.clone().more(lists_all)),
        ("appended-4-times", merged.more(lists_all).more(goes_on)),
        ("appended-with-room", base().more(room).more(goes_on)),
        ("appended-to-none", none.clone().more(goes_on)),
        ("appended-to-none-listed", none.more(lists_all).more(goes_on)),
        ("appended-tiles", tiled(6)),
    ];
    list.into_iter().map(|(name, file)| (name.to_string(), file.bytes)).collect()
}

/// An array of 4 × 4 in tiles of 2 × 2 that becomes `first_axis` long.
fn tiled(first_axis: u64) -> Grown {
    let file = Grown::new(&tiles::growing());
    let before = file.bytes.len() as u64;
    let m = tiles::growing_model();
    let rows: Vec<Row> =
        (0..2).map(|i| Row { residuals: vec![i, 2, 3, -i], ..Row::default() }).collect();
    let block = block::encode_coded(file.rows, &stream(&m, DType::I16, &rows), &[]);
    let mut file = file;
    file.bytes.extend(&block);
    file.rows += 2;
    file.runs.push((before, vec![(block.len() as u32, 1)]));
    file.end(End { base: before, first_axis, ..End::default() })
}

pub(super) fn uncommon() -> Vec<(String, Vec<u8>)> {
    let old = base().bytes;
    let new = base().more(goes_on).bytes;
    let cut = |at: usize| new[..at].to_vec();
    // What is behind the end may hold a copy of it, and much that is no end.
    let copy = [&old[..], b"\nAEZend\n", &old[old.len() - FOOTER_LEN..], b"end"].concat();
    let list = [
        ("bytes-after-footer", [&old[..], b"\n"].concat()),
        ("appended-cut-in-block", cut(old.len() + 3)),
        ("appended-cut-before-footer", cut(new.len() - FOOTER_LEN)),
        ("appended-cut-in-footer", cut(new.len() - 5)),
        ("appended-of-zeros", [&old[..], &[0; 99]].concat()),
        ("copy-of-footer-after-footer", copy),
    ];
    list.into_iter().map(|(name, bytes)| (name.to_string(), bytes)).collect()
}

pub(super) fn invalid() -> Vec<Case> {
    let named = |name: &str, kind, file: Grown| case(&format!("appended-{name}"), kind, file.bytes);
    let one = |change: fn(&mut Run)| {
        base().more(move |base, runs| {
            let mut run = runs[1].clone();
            change(&mut run);
            End { base, runs: Some(vec![run]), ..End::default() }
        })
    };
    let twice = base().more(goes_on).more(goes_on);
    let mut footer_damaged = twice.clone();
    let end = footer_damaged.bytes.len();
    footer_damaged.bytes[end - 30] ^= 1;
    let listed = base().more(goes_on).more(lists_all);
    let mut dead_damaged = listed.clone();
    let dead = base().more(goes_on).bytes.len() - FOOTER_LEN - 6;
    dead_damaged.bytes[dead] ^= 1;
    let mut no_footer = base();
    let last = no_footer.bytes.len() - 1;
    no_footer.bytes[last] ^= 1;
    let mut many = base();
    for _ in 0..64 {
        many = many.more(goes_on);
    }
    vec![
        named("run-of-no-blocks", "corrupt", one(|run| run.1.clear())),
        named("run-before-its-base", "corrupt", one(|run| run.0 -= 1)),
        named("run-beyond-the-index", "corrupt", one(|run| run.0 += 1000)),
        named("block-beyond-the-index", "corrupt", one(|run| run.1[0].0 += 1)),
        named("block-too-short", "corrupt", one(|run| run.1[0].0 -= 1)),
        named("other-rows", "corrupt", one(|run| run.1[0].1 += 1)),
        named(
            "nothing",
            "corrupt",
            base().more(|base, _| End { base, runs: Some(Vec::new()), ..End::default() }),
        ),
        named(
            "blocks-twice",
            "corrupt",
            base().more(|base, runs| End {
                base,
                runs: Some(vec![runs[1].clone(), runs[1].clone()]),
                rows: Some(6),
                ..End::default()
            }),
        ),
        named(
            "base-no-footer",
            "corrupt",
            base().more(|base, _| End { base: base - 1, ..End::default() }),
        ),
        named("base-first-byte", "corrupt", base().more(|_, _| End { base: 1, ..End::default() })),
        named(
            "base-behind",
            "corrupt",
            base().more(|base, _| End { base: base + 5000, ..End::default() }),
        ),
        named("base-damaged", "corrupt", no_footer.more(goes_on)),
        named(
            "footer-says-more-rows",
            "corrupt",
            base().more(|base, _| End { base, rows: Some(5), ..End::default() }),
        ),
        named(
            "footer-says-old-index",
            "corrupt",
            base().more(|base, _| End { base, index_at: Some(base - 58), ..End::default() }),
        ),
        named("footer-damaged", "corrupt", footer_damaged),
        named(
            "tag-of-first-index",
            "corrupt",
            base().more(|base, _| End { tag: Some(INDEX), base, ..End::default() }),
        ),
        named("end-between-damaged", "corrupt", dead_damaged),
        named(
            "axis-of-no-array",
            "corrupt",
            base().more(|base, _| End { base, first_axis: 3, ..End::default() }),
        ),
        named("axis-shorter", "corrupt", tiled(2)),
        named("axis-of-other-tiles", "corrupt", tiled(9)),
        named("axis-not-said", "corrupt", tiled(0)),
        named("65-footers", "corrupt", many),
    ]
}
