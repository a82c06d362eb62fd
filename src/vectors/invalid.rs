//! Files that must be refused, and with which kind of error.

use super::file::{Parts, Row, schema, stream};
use super::records::{
    Random, hidden, integer, ladder, linear, ordered, plain, ratio, with_latents,
};
use crate::container::block::{encode_coded, encode_escapes};
use crate::container::bytes::put_varint;
use crate::container::forever::{COLUMNS, DATA, HEAD, INDEX, MODEL};
use crate::container::model::ModelRecord;
use crate::container::section::{Header, seal};
use crate::entropy::array::ArrayModel;
use crate::entropy::intcoder::{IntEncoder, IntModel};
use crate::entropy::table::TableSpec;
use crate::matrix::DType;

type Case = (String, &'static str, Vec<u8>);

pub(super) fn all() -> Vec<Case> {
    let mut out = frame();
    out.extend(sections());
    out.extend(heads());
    out.extend(models());
    out.extend(blocks());
    out
}

fn case(name: &str, kind: &'static str, bytes: Vec<u8>) -> Case {
    (name.to_string(), kind, bytes)
}

fn base_model() -> ModelRecord {
    plain(2, vec![integer(1, 0, 1)], vec![ladder(0, 20)])
}

fn base_stream() -> Vec<u8> {
    let rows = [[1, 2], [-3, 4]].map(|r| Row { residuals: r.to_vec(), ..Row::default() });
    stream(&base_model(), DType::I16, &rows)
}

fn head_only() -> Parts {
    Parts::new(&schema(DType::I16, &[2]), ("max-error", "0.5"))
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
    out.push(case("bytes-after-footer", "truncated", [&good[..], b"\n"].concat()));
    // A footer that states another length: two files one after another.
    out.push(case("two-files", "corrupt", [&good[..], &good[..]].concat()));
    out
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
    let mut full_data = base();
    full_data.sections.last_mut().unwrap().1 = vec![0];
    let mut codec = base();
    codec.header = Header::encode(true);
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
        case("names-packed-too-large", "corrupt", packed(&[0xff, 0xff, 0xff, 0xff, 0x7f])),
        case("names-zstd-broken", "corrupt", packed(&[0x0b, 0x28, 0xb5, 0x2f, 0xfd, 0, 0])),
        case("names-zstd-skippable", "corrupt", packed(&skippable)),
    ]
}

fn models() -> Vec<Case> {
    let file = |m: &ModelRecord| {
        let shape = schema(DType::I16, &[m.width()]);
        Parts::new(&shape, ("max-error", "1")).model(m, m.width()).join()
    };
    let with = |change: &dyn Fn(&mut ModelRecord)| {
        let mut m = with_latents(base_model(), &[1000, 50], 0, 4, vec![5, -6, 7, 8]);
        m.hidden = Some(hidden(2, &[3, 2], 2, 1));
        file(&m);
        change(&mut m);
        file(&m)
    };
    let layer = |change: &dyn Fn(&mut crate::container::model::HiddenPath)| {
        with(&|m| change(m.hidden.as_mut().unwrap()))
    };
    let table = |spec: TableSpec| with(&|m| m.tables = vec![spec.clone()]);
    let histogram = |raw, entries: &[(i64, u32)], escape| {
        table(TableSpec::Histogram { raw, entries: entries.to_vec(), escape })
    };
    let grid = |g| with(&|m| m.grids = vec![g]);
    let floats = |g| {
        let m = plain(2, vec![g], vec![TableSpec::Zero]);
        Parts::new(&schema(DType::F32, &[2]), ("max-error", "1")).model(&m, 2).join()
    };
    let good = base_model().encode(2);
    let raw = |payload: Vec<u8>| head_only().section(MODEL, payload).join();
    let numbers = |list: &[i64]| {
        let (mut coder, mut model) = (IntEncoder::new(), IntModel::new());
        list.iter().for_each(|&n| coder.int(&mut model, 0, n));
        raw(coder.finish())
    };
    let mut random = Random(3);
    let incompressible = random.list(200, i64::MAX / 4);
    let long = plain(200, vec![integer(1, 0, 1)], vec![ladder(0, 9)]);
    let long = ModelRecord { base: incompressible, ..long }.encode(200);
    let cut = |keep: usize| {
        let shape = schema(DType::I16, &[200]);
        Parts::new(&shape, ("max-error", "1")).section(MODEL, long[..keep].to_vec()).join()
    };
    // 2^15 columns and 2^16 latents: weights of 16 GiB.
    let huge = {
        let (mut coder, mut head) = (IntEncoder::new(), IntModel::new());
        let grid = [(0, 1), (0, 0), (0, 0), (1, 0), (4, 1), (2, 0), (5, 0), (3, 0), (6, 1)];
        grid.into_iter().for_each(|(context, n)| coder.int(&mut head, context, n));
        for _ in 0..2 {
            ArrayModel::new().encode(&mut coder, &[0; 1 << 15], 1 << 15);
        }
        coder.int(&mut head, 0, 1 << 16);
        for _ in 0..2 {
            ArrayModel::new().encode(&mut coder, &[0; 1 << 16], 1);
        }
        (0..2).for_each(|_| coder.int(&mut head, 0, 0));
        let shape = schema(DType::U8, &[1 << 15]);
        Parts::new(&shape, ("max-error", "1")).section(MODEL, coder.finish()).join()
    };
    vec![
        case("model-empty", "corrupt", raw(Vec::new())),
        case("model-cut", "truncated", cut(700)),
        case("model-goes-on", "corrupt", raw([&good[..], &[1, 2, 3, 4, 5]].concat())),
        case("model-no-grids", "corrupt", numbers(&[0])),
        case("model-more-grids-than-columns", "corrupt", numbers(&[3])),
        case("model-grid-kind-undefined", "corrupt", numbers(&[1, 4, 0, 0, 0])),
        case("model-fraction-33", "corrupt", numbers(&[1, 0, 33])),
        case("model-too-large", "limit", huge),
        case("grid-does-not-fit-integers", "corrupt", grid(linear(0.0, 1.0, 0))),
        case("grid-does-not-fit-floats", "corrupt", floats(integer(1, 0, 1))),
        case("grid-infinite", "corrupt", floats(linear(f64::INFINITY, 1.0, 0))),
        case("grid-nan", "corrupt", floats(ordered(0.0, f64::NAN))),
        case("grid-divides-by-0", "corrupt", floats(ratio(1, 0, 0))),
        case("temporal-above-1", "corrupt", with(&|m| m.temporal = vec![0, 257])),
        case("temporal-lowest", "corrupt", with(&|m| m.temporal = vec![i64::MIN, 0])),
        case("latent-temporal-above-1", "corrupt", with(&|m| m.latent_temporal = vec![-257, 0])),
        case("latent-range", "corrupt", with(&|m| m.latent_clamp = vec![5, 1 << 30])),
        case(
            "trellis-of-2",
            "corrupt",
            with(&|m| {
                m.trellis = 2;
                m.classes.latent_tables = vec![0; 4];
            }),
        ),
        case("gain-63", "corrupt", with(&|m| m.gain = 63)),
        case("overflow-gain-62", "corrupt", with(&|m| m.gain = 62)),
        case("overflow-skip", "corrupt", with(&|m| m.skip[0] = 1 << 32)),
        case("overflow-bias", "corrupt", with(&|m| m.bias = vec![0, i64::MIN])),
        case("overflow-prediction", "corrupt", with(&|m| m.bias = vec![((1 << 31) - 1) << 4, 0])),
        case("overflow-hidden-scale", "corrupt", layer(&|h| h.multiplier = 1 << 31)),
        case("overflow-hidden-joined", "corrupt", layer(&|h| h.multiplier = 16)),
        case("overflow-layer-scale", "corrupt", layer(&|h| h.layers[1].multiplier = -1 << 31)),
        case("overflow-layer-weight", "corrupt", layer(&|h| h.layers[1].weights[0] = 1 << 15)),
        case(
            "overflow-layer-sum",
            "corrupt",
            layer(&|h| {
                h.layers[0].weights.fill(-32_768);
                h.layers[0].bias[0] = 1 << 16;
            }),
        ),
        case("overflow-layer-bias", "corrupt", layer(&|h| h.layers[0].bias[1] = 1 << 31)),
        case("layer-clamp", "corrupt", layer(&|h| h.layers[0].clamp = 1 << 15)),
        case("layer-leak", "corrupt", layer(&|h| h.layers[0].leak = 63)),
        case("input-shift-32", "corrupt", layer(&|h| h.input_shift = vec![0, 32])),
        case("table-ladder-shape", "corrupt", table(ladder(4, 0))),
        case("table-ladder-scale", "corrupt", table(ladder(0, 240))),
        case("table-does-not-add-up", "corrupt", histogram(0, &[(0, 32_767)], 0)),
        case("table-adds-up-to-more", "corrupt", histogram(0, &[(0, 32_768)], 1)),
        case("table-not-ascending", "corrupt", histogram(0, &[(3, 1), (3, 32_767)], 0)),
        case("table-raw-64", "corrupt", histogram(64, &[(0, 32_768)], 0)),
        case("table-number-beyond-64-bits", "corrupt", histogram(62, &[(0, 1), (2, 32_767)], 0)),
        case("class-table-undefined", "corrupt", with(&|m| m.classes.residual_tables[0] = 1)),
        case("class-step-too-large", "corrupt", with(&|m| m.classes.quantum[0] = 1 << 40)),
        case("class-step-negative", "corrupt", with(&|m| m.classes.quantum[0] = -2)),
    ]
}

fn blocks() -> Vec<Case> {
    let s = schema(DType::I16, &[2]);
    let stream = base_stream();
    let file = |bytes: Vec<u8>| {
        let mut file = head_only().model(&base_model(), 2);
        file.blocks.push((2, bytes));
        file.join()
    };
    let coded = |stream: &[u8], escapes: &[u8]| file(encode_coded(0, stream, escapes));
    let own = |body: &[u8]| {
        let crc = crc32fast::hash(&[&[0; 8][..], body].concat());
        file([body, &crc.to_le_bytes()].concat())
    };
    let listed = |bytes: &[u8]| {
        let mut out = Vec::new();
        put_varint(&mut out, (bytes.len() as u64) << 1);
        out.extend(bytes);
        coded(&stream, &out)
    };
    let mut low = stream.clone();
    low[..8].copy_from_slice(&((1_u64 << 31) - 1).to_le_bytes());
    let mut high = stream.clone();
    high[15] |= 0x80;
    let mut classes = base_model();
    classes.classes.count = 2;
    classes.classes.next = vec![0; 2];
    classes.classes.quantum = vec![-1; 2];
    classes.classes.residual_tables = vec![0; 4];
    let stray = super::file::stream(&classes, DType::I16, &[Row { class: 2, ..Row::default() }]);
    let limit = Parts {
        blocks: vec![(1 << 16, encode_coded(0, &stream, &[]))],
        ..Parts::new(&schema(DType::F64, &[1 << 14]), ("max-error", "1"))
    };
    vec![
        case("block-without-model", "corrupt", head_only().coded(2, &stream, &[]).join()),
        case("block-kind-undefined", "corrupt", own(&[2, 0])),
        case("block-empty", "truncated", own(&[])),
        case("block-shorter-than-a-checksum", "truncated", file(vec![1, 2, 3])),
        case("block-too-large", "limit", limit.join()),
        case("stream-too-short", "truncated", coded(&stream[..12], &[])),
        case("stream-odd-length", "corrupt", coded(&[&stream[..], &[0, 0]].concat(), &[])),
        case("stream-state-too-low", "corrupt", coded(&low, &[])),
        case("stream-state-too-high", "corrupt", coded(&high, &[])),
        case(
            "stream-ends-early",
            "corrupt",
            coded(&1_u64.rotate_left(31).to_le_bytes().repeat(2), &[]),
        ),
        case("stream-goes-on", "corrupt", coded(&[&stream[..], &[0; 4]].concat(), &[])),
        case("stream-state-at-end", "corrupt", {
            let mut other = stream.clone();
            other[12] ^= 1;
            coded(&other, &[])
        }),
        case("row-of-unknown-class", "corrupt", {
            Parts::new(&s, ("max-error", "1")).model(&classes, 2).coded(1, &stray, &[]).join()
        }),
        case(
            "escapes-longer-than-block",
            "corrupt",
            own(&[&[0, 0xff, 0x01][..], &stream].concat()),
        ),
        case("escapes-too-many", "corrupt", listed(&[5, 0, 0, 0, 0, 0])),
        case("escapes-outside", "corrupt", coded(&stream, &encode_escapes(&[1, 4], &[9; 4], 2))),
        case("escapes-values-missing", "truncated", listed(&[1, 0, 7])),
        case("escapes-go-on", "corrupt", listed(&[1, 0, 7, 7, 7])),
        case("escapes-claim-too-much", "corrupt", coded(&stream, &[0xff, 0x7f, 0])),
        case("exact-too-short", "corrupt", own(&[1, 6 << 1, 1, 2, 3, 4, 5, 6])),
        case("exact-too-long", "corrupt", own(&[&[1, 10 << 1][..], &[0; 10]].concat())),
        case("exact-stored-length", "corrupt", own(&[1, 8 << 1, 1, 2, 3])),
        case("exact-zstd-broken", "corrupt", own(&[1, 8 << 1 | 1, 0x28, 0xb5, 0x2f, 0xfd, 0x20])),
    ]
}
