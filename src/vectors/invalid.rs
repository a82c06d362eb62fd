//! Files that must be refused, and with which kind of error: frame, sections, heads.

use super::case::{Case, base_model, base_stream, case, head_only};
use super::file::{Parts, schema};
use crate::container::bytes::put_varint;
use crate::container::forever::{COLUMNS, DATA, FILLS, HEAD, INDEX, MODEL, ORIGIN, ROOM, TEXT};
use crate::container::head;
use crate::container::section::{self, Header, seal};
use crate::matrix::DType;

pub(super) fn all() -> Vec<Case> {
    let mut out = frame();
    out.extend(sections());
    out.extend(heads());
    out.extend(origins());
    out.extend(texts());
    out.extend(fill_values());
    out.extend(super::refused::models());
    out.extend(super::refused::blocks());
    out.extend(super::refused::work());
    out.extend(super::columns::invalid());
    out.extend(super::networks::invalid());
    out.extend(super::neighbours_refused::invalid());
    out.extend(super::by_row::invalid());
    out.extend(super::encoders::invalid());
    out.extend(super::tasks::invalid());
    out.extend(super::transformers::invalid());
    out.extend(super::tiles::invalid());
    out.extend(super::appended::invalid());
    out.extend(super::companders::invalid());
    out
}

/// A good file that the others are made from.
fn base() -> Parts {
    let names = head_only().names(&["a", "b"]).section(*b"note", vec![1, 2, 3]);
    names.model(&base_model(), 2).coded(2, &base_stream(), &[]).exact(1, &[1, 2, 3, 4], 2)
}

/// The header with a field changed and its checksum made right.
fn header(at: usize, value: u8) -> Vec<u8> {
    let mut bytes = Header::encode(false);
    bytes.truncate(16);
    bytes[at] = value;
    let mut file = base();
    file.header = seal(bytes);
    file.join()
}

fn frame() -> Vec<Case> {
    let file = base();
    let good = file.join();
    let mut out = vec![
        case("empty", "truncated", Vec::new()),
        case("signature-wrong", "corrupt", header(3, b'z')),
        case("text-file", "corrupt", b"a,b\n1,2\n3,4\n5,6\n7,8\n9,10\n".to_vec()),
        case("version-newer-needed", "unsupported", header(10, 1)),
        case("flags-reserved", "corrupt", header(12, 2)),
        case("flags-reserved-high", "corrupt", header(15, 0x80)),
    ];
    let places = [
        ("head", file.place(HEAD)),
        ("cols", file.place(COLUMNS)),
        ("note", file.place(*b"note")),
        ("modl", file.place(MODEL)),
        ("data", file.place(DATA)),
        ("indx", file.place(INDEX)),
    ];
    let mut damage = |name: &str, at: usize| {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        out.push(case(&format!("checksum-{name}"), "corrupt", bytes));
    };
    damage("header", 8);
    for (name, place) in places.iter().cloned() {
        damage(name, place.end - 1);
    }
    // Damaged tags: one that would be critical and unknown, one that would be skipped, and one that
    // begins with no letter.
    let tag = |name: &str| places.iter().find(|p| p.0 == name).expect("listed").1.start;
    damage("tag-modl", tag("modl") + 1);
    damage("tag-cols", tag("cols") + 3);
    damage("tag-note", tag("note") + 2);
    let first = file.place(DATA).end;
    damage("block-coded", first + 5);
    damage("block-exact", first + file.blocks[0].1.len() + 2);
    damage("footer", good.len() - 20);
    let cuts = [
        ("signature", 5),
        ("header", 19),
        ("after-header", 20),
        ("modl", places[3].1.start + 20),
        ("block", first + 9),
        ("footer", good.len() - 1),
    ];
    for (name, at) in cuts {
        out.push(case(&format!("cut-in-{name}"), "truncated", good[..at].to_vec()));
    }
    // A footer that states another length: two files one after another.
    out.push(case("two-files", "corrupt", [&good[..], &good[..]].concat()));
    out
}

/// Section fill: none, too many, in another order, parts of values.
fn fill_values() -> Vec<Case> {
    let case = |name: &str, payload: &[u8]| {
        let file = head_only().section(FILLS, payload.to_vec());
        let file = file.model(&base_model(), 2).coded(2, &base_stream(), &[]).join();
        case(&format!("fill-{name}"), "corrupt", file)
    };
    let many: Vec<u8> = (1..=17_u16).flat_map(|bits| bits.to_le_bytes()).collect();
    vec![
        case("none", b""),
        case("a-part", &[1; 9]),
        case("17", &many),
        case("twice", &[1; 16]),
        case("descending", &[2, 0, 1, 0]),
    ]
}

/// Section text: every field of it wrong by itself; there are two rows of two numbers.
fn texts() -> Vec<Case> {
    let case = |name: &str, kind, payload: &[u8]| {
        let file = head_only().section(TEXT, payload.to_vec());
        let file = file.model(&base_model(), 2).coded(2, &base_stream(), &[]).join();
        case(&format!("text-{name}"), kind, file)
    };
    // Fields: an empty one, and one of one byte.
    vec![
        case("empty", "truncated", b""),
        case("no-columns", "corrupt", b"\x00"),
        case("too-many-columns", "corrupt", b"\x81\x80\x04"),
        case("place-beyond", "corrupt", b"\x01\x03\x00\x04\x06\x00\x01x"),
        case("places-descend", "corrupt", b"\x02\x01\x00\x01\x00"),
        case("name-not-utf-8", "corrupt", b"\x01\x00\x01\xff\x04\x06\x00\x01x"),
        case("name-too-long", "truncated", b"\x01\x00\x09a"),
        case("goes-on", "corrupt", b"\x01\x00\x00\x04\x06\x00\x01x\x00"),
        case("column-ends-early", "truncated", b"\x01\x00\x00\x05\x06\x00\x01x"),
        case("fields-too-few", "corrupt", b"\x01\x00\x00\x02\x02\x00"),
        case("field-too-long", "truncated", b"\x01\x00\x00\x04\x06\x00\x02x"),
        case("field-goes-on", "corrupt", b"\x01\x00\x00\x05\x08\x00\x01xy"),
        case("too-large", "limit", b"\x01\x00\x00\x05\x80\x80\x80\x80\x04"),
    ]
}

/// Section from: every field of it wrong by itself.
fn origins() -> Vec<Case> {
    let with = |payload: &[u8]| {
        let file = head_only().section(ORIGIN, payload.to_vec());
        file.model(&base_model(), 2).coded(2, &base_stream(), &[]).join()
    };
    let case =
        |name: &str, kind, payload: &[u8]| case(&format!("from-{name}"), kind, with(payload));
    let long = [&[17][..], b"abcdefghijklmnopq"].concat();
    vec![
        case("empty", "truncated", b""),
        case("no-format", "corrupt", b"\x00"),
        case("format-no-letters", "corrupt", b"\x03c v"),
        case("format-too-long", "corrupt", &long),
        case("format-ends-early", "truncated", b"\x04csv"),
        case("part-empty", "corrupt", b"\x03npz\x00\x00"),
        case("part-ends-early", "truncated", b"\x03npz\x00"),
        case("part-too-short", "corrupt", b"\x03npz\x00\x06ab"),
        case("part-not-utf-8", "corrupt", b"\x03npz\x00\x02\xff"),
        case("part-too-long", "corrupt", b"\x03npz\x00\x82\x80\x80\x10ab"),
        case("table-ends-early", "truncated", b"\x03csv,."),
        case("delimiter-a-digit", "corrupt", b"\x03csv1.\x00\x00"),
        case("delimiter-a-quote", "corrupt", b"\x03csv\".\x00\x00"),
        case("delimiter-the-mark", "corrupt", b"\x03csv,,\x00\x00"),
        case("mark-undefined", "corrupt", b"\x03csv;:\x00\x00"),
        case("flags-undefined", "corrupt", b"\x03csv;.\x10\x00"),
        case("ranges-without-columns", "corrupt", b"\x03csv;.\x08\x00"),
        case("missing-not-utf-8", "corrupt", b"\x03csv;.\x00\x01\xff"),
        case("goes-on", "corrupt", b"\x03csv;.\x00\x00\x00"),
        case("columns-too-few", "truncated", b"\x03csv;.\x04\x00\x02\x01"),
        case("columns-go-on", "corrupt", b"\x03csv;.\x04\x00\x06\x01\x01\x01"),
        case("digits-undefined", "corrupt", b"\x03csv;.\x04\x00\x04\x01\x61"),
        case("ranges-too-few", "truncated", b"\x03csv;.\x0c\x00\x06\x01\x01\x05"),
        case("columns-too-long", "corrupt", b"\x03csv;.\x04\x00\x7e"),
    ]
}

fn sections() -> Vec<Case> {
    let swap = |tag: [u8; 4], with: [u8; 4]| {
        let mut file = base();
        file.sections.iter_mut().find(|s| s.0 == tag).unwrap().0 = with;
        file
    };
    let twice = |tag: [u8; 4]| {
        let mut file = base();
        let i = file.sections.iter().position(|s| s.0 == tag).unwrap();
        file.sections.insert(i, file.sections[i].clone());
        file.join()
    };
    let mut no_head = base();
    no_head.sections.remove(0);
    let mut late_head = base();
    late_head.sections.swap(0, 1);
    let mut no_data = base();
    no_data.sections.pop();
    no_data.blocks.clear();
    let mut full_data = base();
    full_data.sections.last_mut().unwrap().1 = vec![0];
    let mut codec = base();
    codec.header = Header::encode(true);
    let mut no_model = Parts::with_head(head::encode(&schema(DType::I16, &[2]), None));
    no_model.header = Header::encode(true);
    let mut promising = head_only().model(&base_model(), 2);
    promising.header = Header::encode(true);
    let mut no_promise = base();
    no_promise.sections[0] = no_model.sections[0].clone();
    let index = |change: &dyn Fn(&mut Parts)| {
        let mut file = base();
        change(&mut file);
        file.join()
    };
    let blocks: Vec<(u32, u16)> =
        base().blocks.iter().map(|b| (b.1.len() as u32, b.0 as u16 - 1)).collect();
    let entries = |list: &[(u32, u16)]| -> Option<Vec<u8>> {
        let entry = |e: &(u32, u16)| [&e.0.to_le_bytes()[..], &e.1.to_le_bytes()].concat();
        Some(list.iter().flat_map(entry).collect())
    };
    // A section whose length reaches far beyond the file.
    let mut long = base().join();
    let at = base().place(*b"note").start;
    long[at + 4..at + 12].copy_from_slice(&u64::MAX.to_le_bytes());
    let (a, b) = (blocks[0], blocks[1]);
    vec![
        case("section-critical-unknown", "unsupported", swap(*b"note", *b"Note").join()),
        case("section-tag-no-letter", "corrupt", swap(*b"note", *b"1ote").join()),
        case("section-head-missing", "corrupt", no_head.join()),
        case("section-head-late", "corrupt", late_head.join()),
        case("section-head-twice", "corrupt", twice(HEAD)),
        case("section-cols-twice", "corrupt", twice(COLUMNS)),
        case("section-modl-twice", "corrupt", twice(MODEL)),
        case("section-data-missing", "corrupt", no_data.join()),
        case("section-data-not-empty", "corrupt", full_data.join()),
        case("section-too-long", "truncated", long),
        case("section-indx-renamed", "corrupt", {
            let mut bytes = base().join();
            let at = base().place(INDEX).start;
            bytes[at] = b'i';
            bytes
        }),
        case("codec-with-rows", "corrupt", codec.join()),
        case("codec-without-model", "corrupt", no_model.join()),
        case("codec-with-promise", "corrupt", promising.join()),
        case("promise-absent", "corrupt", no_promise.join()),
        case("index-other-rows", "corrupt", index(&|f| f.rows = Some(4))),
        case("index-place-wrong", "corrupt", index(&|f| f.index_at = Some(21))),
        case("index-place-beyond", "corrupt", index(&|f| f.index_at = Some(u64::MAX))),
        case("index-one-block-less", "corrupt", index(&|f| f.index = entries(&[a]))),
        case(
            "index-lengths-wrong",
            "corrupt",
            index(&|f| {
                f.index = entries(&[(a.0 + 1, a.1), (b.0 - 1, b.1)]);
            }),
        ),
        case(
            "index-rows-moved",
            "corrupt",
            index(&|f| {
                f.index = entries(&[(a.0, a.1 - 1), (b.0, b.1 + 1)]);
            }),
        ),
        case("index-odd-length", "corrupt", index(&|f| f.index = Some(vec![0; 13]))),
        case("blocks-in-wrong-order", "corrupt", index(&|f| f.blocks.swap(0, 1))),
        case("bytes-behind-blocks", "corrupt", index(&|f| f.behind = vec![0; 3])),
        case(
            "section-behind-blocks",
            "corrupt",
            index(&|f| f.behind = section::encode(*b"note", &[1, 2, 3])),
        ),
        case(
            "room-twice-behind-blocks",
            "corrupt",
            index(&|f| f.behind = section::encode(ROOM, &[]).repeat(2)),
        ),
    ]
}

fn heads() -> Vec<Case> {
    let head = |payload: Vec<u8>| Parts::with_head(payload).join();
    let mut wide = vec![3, 2];
    put_varint(&mut wide, 1 << 12);
    put_varint(&mut wide, (1 << 12) + 1);
    wide.extend([0, 0, 0]);
    let mut overflowing = vec![3, 2];
    put_varint(&mut overflowing, 1 << 32);
    put_varint(&mut overflowing, 1 << 32);
    overflowing.extend([0, 0, 0]);
    let mut dimensions = vec![3, 33];
    dimensions.extend([1; 33]);
    dimensions.extend([0, 0, 0]);
    let promise = |kind: &str, number: &str| {
        let mut out = vec![1, 1, 2];
        for text in [kind, number, "name"] {
            out.push(text.len() as u8);
            out.extend(text.as_bytes());
        }
        head(out)
    };
    let long = [&[1, 1, 2, 0x80, 0x80, 0x80][..], &[0x80; 6], &[2]].concat();
    let names = |names: &[&str]| head_only().names(names).join();
    let packed = |payload: &[u8]| head_only().section(COLUMNS, payload.to_vec()).join();
    let mut good = vec![1, 1, 2, 0, 0, 0];
    good.push(9);
    let skippable = [&[0x03][..], &[0x50, 0x2a, 0x4d, 0x18, 1, 0, 0, 0, 7]].concat();
    vec![
        case("head-width-0", "corrupt", head(vec![1, 2, 5, 0, 0, 0, 0])),
        case("head-width-too-large", "corrupt", head(wide)),
        case("head-width-overflows", "corrupt", head(overflowing)),
        case("head-type-undefined", "corrupt", head(vec![11, 0, 0, 0, 0])),
        case("head-dimensions-33", "corrupt", head(dimensions)),
        case("head-ends-early", "truncated", head(vec![1, 1, 2, 5, b'p'])),
        case("head-goes-on", "corrupt", head(good)),
        case("head-varint-too-long", "corrupt", head(long)),
        case("head-name-not-utf-8", "corrupt", head(vec![1, 1, 2, 0, 0, 2, 0xc3, 0x28])),
        case("promise-undefined", "corrupt", promise("best-effort", "1")),
        case("promise-no-number", "corrupt", promise("max-error", "1x")),
        case("promise-infinite", "corrupt", promise("max-error", "1e999")),
        case("promise-negative", "corrupt", promise("max-error-rel", "-1e-3")),
        case("promise-two-bounds", "corrupt", promise("max-error-columns", "a\\\\=1,b=2,a\\=3")),
        case("promise-nmse-0", "corrupt", promise("nmse", "0")),
        case("promise-cosine-1", "corrupt", promise("cosine", "1.0")),
        case(
            "promise-cosine-rounds-to-1",
            "corrupt",
            promise("row-cosine", "0.99999999999999999999"),
        ),
        case("promise-ratio-rounds-to-0", "corrupt", promise("ratio", "1e-330")),
        case(
            "promise-exponent-beyond-64-bits",
            "corrupt",
            promise("max-error", "0e9223372036854775808"),
        ),
        case("promise-psnr-too-high", "corrupt", promise("psnr", "301")),
        case("promise-columns-without-bound", "corrupt", promise("max-error-columns", "a=1,b")),
        case("names-too-few", "truncated", names(&["a"])),
        case("names-too-many", "corrupt", names(&["a", "b", "c"])),
        case("names-length-wrong", "corrupt", packed(&[10, 1, b'a', 1, b'b'])),
        case("names-packed-too-large", "corrupt", packed(&[0x83, 0x80, 0x80, 0x80, 0x02])),
        case("names-packed-over-budget", "limit", packed(&[0x81, 0x80, 0x80, 0x80, 0x02])),
        case("names-zstd-broken", "corrupt", packed(&[0x0b, 0x28, 0xb5, 0x2f, 0xfd, 0, 0])),
        case("names-zstd-skippable", "corrupt", packed(&skippable)),
    ]
}
