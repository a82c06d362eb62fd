//! Models and blocks that must be refused.

use super::case::{Case, base_model, base_rows, base_stream, case, head_only};
use super::file::{Parts, Row, schema};
use super::neighbours::neighbours;
use super::neighbours_refused::model_of;
use super::records::{
    Random, hidden, integer, ladder, linear, ordered, plain, ratio, with_latents,
};
use crate::container::block::{encode_coded, encode_escapes};
use crate::container::bytes::put_varint;
use crate::container::forever::MODEL;
use crate::container::model::ModelRecord;
use crate::container::parts;
use crate::entropy::array::ArrayModel;
use crate::entropy::intcoder::{IntEncoder, IntModel};
use crate::entropy::rans::PROB_SCALE;
use crate::entropy::table::TableSpec;
use crate::matrix::DType;

pub(super) fn models() -> Vec<Case> {
    let file = |m: &ModelRecord| {
        let shape = schema(DType::I16, &[m.width()]);
        Parts::new(&shape, "max-error 1").model(m, m.width()).join()
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
        Parts::new(&schema(DType::F32, &[2]), "max-error 1").model(&m, 2).join()
    };
    let one_grid = [(0, 1), (0, 0), (0, 0), (1, 0), (4, 1), (2, 0), (5, 0), (3, 0), (6, 1)];
    let good = base_model().encode(2);
    let raw = |payload: Vec<u8>| head_only().section(MODEL, payload).join();
    let in_contexts = |list: &[(usize, i64)]| {
        let (mut coder, mut model) = (IntEncoder::new(), IntModel::of_kinds());
        list.iter().for_each(|&(context, n)| coder.int(&mut model, context, n));
        raw(coder.finish())
    };
    // Where the base of two columns begins.
    let array = |shift: i64, kind: i64| {
        let (mut coder, mut head) = (IntEncoder::new(), IntModel::of_kinds());
        one_grid.into_iter().for_each(|(context, n)| coder.int(&mut head, context, n));
        let mut own = IntModel::of_kinds();
        [shift, kind].into_iter().enumerate().for_each(|(at, n)| coder.int(&mut own, at, n));
        raw(coder.finish())
    };
    let low_state = |at: usize| {
        let mut payload = good.clone();
        payload[at..at + 3].copy_from_slice(&[0xff, 0xff, 0]);
        payload[at + 3] &= if at == 0 || good.len().is_multiple_of(2) { 0 } else { 0xff };
        raw(payload)
    };
    let ending = |first: u32, second: u32| raw(model_of(1, &[]).finish_at([first, second]));
    let numbers = |list: &[i64]| in_contexts(&list.iter().map(|&n| (0, n)).collect::<Vec<_>>());
    let grid_of_kind = |kind| {
        let fields = (1..=3).flat_map(|field| [(field, 0), (field + 3, 0)]);
        in_contexts(&[(0, 1), (0, kind), (0, 0)].into_iter().chain(fields).collect::<Vec<_>>())
    };
    let mut random = Random(3);
    let incompressible = random.list(200, i64::MAX / 4);
    let long = plain(200, vec![integer(1, 0, 1)], vec![ladder(0, 9)]);
    let long = ModelRecord { base: incompressible, ..long }.encode(200);
    let cut = |bytes: usize| {
        let shape = schema(DType::I16, &[200]);
        Parts::new(&shape, "max-error 1").section(MODEL, long[..long.len() - bytes].to_vec()).join()
    };
    // 2^15 columns and 2^16 latents: weights of 16 GiB.
    let huge = {
        let (mut coder, mut head) = (IntEncoder::new(), IntModel::of_kinds());
        one_grid.into_iter().for_each(|(context, n)| coder.int(&mut head, context, n));
        for _ in 0..2 {
            ArrayModel::new().encode(&mut coder, &[0; 1 << 15], 1 << 15);
        }
        coder.int(&mut head, 0, 1 << 16);
        for _ in 0..2 {
            ArrayModel::new().encode(&mut coder, &[0; 1 << 16], 1);
        }
        (0..2).for_each(|_| coder.int(&mut head, 0, 0));
        let shape = schema(DType::U8, &[1 << 15]);
        Parts::new(&shape, "max-error 1").section(MODEL, coder.finish()).join()
    };
    vec![
        case("model-empty", "truncated", raw(Vec::new())),
        case("model-cut", "truncated", cut(700)),
        case("model-goes-on", "corrupt", raw([&good[..], &[1, 2, 3, 4]].concat())),
        case("model-second-state-too-low", "corrupt", low_state(0)),
        case("model-state-too-low", "corrupt", low_state(4)),
        case("model-ends-in-another-state", "corrupt", ending((1 << 16) + 1, 1 << 16)),
        case("model-ends-in-another-second-state", "corrupt", ending(1 << 16, (1 << 16) + 1)),
        case("array-shift-64", "corrupt", array(64, 0)),
        case("array-shift-negative", "corrupt", array(-1, 0)),
        case("array-kind-10", "corrupt", array(0, 10)),
        case("array-kind-negative", "corrupt", array(0, -1)),
        case("model-no-grids", "corrupt", numbers(&[0])),
        case("model-more-grids-than-columns", "corrupt", numbers(&[3])),
        case("model-grid-kind-undefined", "corrupt", grid_of_kind(4)),
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
                h.layers[1].weights.fill(-32_768);
                h.layers[0].clamp = 22_000;
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

/// Files whose rows take no bits and much work.
pub(super) fn work() -> Vec<Case> {
    let one = TableSpec::Histogram { raw: 0, entries: vec![(1, PROB_SCALE)], escape: 0 };
    let stream = NO_BITS;
    let file = |m: &ModelRecord| {
        let width = m.width();
        let parts = Parts::new(&schema(DType::U8, &[width]), "max-error 1").model(m, width);
        parts.coded(1 << 16, &stream, &[]).coded(1 << 16, &stream, &[]).join()
    };
    let wide = plain(600, vec![integer(1, 0, 1)], vec![one.clone()]);
    let mut deep = plain(1, vec![integer(1, 0, 1)], vec![one.clone()]);
    deep = with_latents(deep, &[100], 0, 4, vec![0]);
    let mut path = hidden(1, &[256, 256], 1, 1);
    path.weights.fill(0);
    path.layers.iter_mut().for_each(|layer| layer.weights.fill(0));
    deep.hidden = Some(path);
    let mut linear = plain(64, vec![integer(1, 0, 1)], vec![TableSpec::Zero, one]);
    linear = with_latents(linear, &[1 << 20; 64], 0, 4, vec![0; 64 * 64]);
    let mut near = plain(200, vec![integer(1, 0, 1)], vec![TableSpec::Zero]);
    near.neighbours = Some(neighbours([1, 0, 0]));
    vec![
        case("work-of-columns", "limit", file(&wide)),
        case("work-of-neighbours", "limit", file(&near)),
        case("work-of-hidden-layers", "limit", file(&deep)),
        case("work-of-wide-latents", "limit", file(&linear)),
    ]
}

/// A stream whose rows take no bits: a single part, with the state that the coder ends in.
const NO_BITS: [u8; 4] = [0, 0, 0, 1];

pub(super) fn blocks() -> Vec<Case> {
    let s = schema(DType::I16, &[2]);
    let stream = base_stream();
    // Without the byte which says that they are single parts.
    let rows_apart =
        base_rows().map(|row| super::file::stream(&base_model(), DType::I16, &[row])[1..].to_vec());
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
    let state = if stream.len().is_multiple_of(2) { 1..4 } else { 1..5 };
    low[state].fill(0);
    let mut classes = base_model();
    classes.classes.count = 2;
    classes.classes.next = vec![0; 2];
    classes.classes.quantum = vec![-1; 2];
    classes.classes.residual_tables = vec![0; 4];
    let stray = super::file::stream(&classes, DType::I16, &[Row { class: 2, ..Row::default() }]);
    let limit = Parts {
        blocks: vec![(1 << 16, encode_coded(0, &stream, &[]))],
        ..Parts::new(&schema(DType::F64, &[1 << 14]), "max-error 1")
    };
    vec![
        case("block-without-model", "corrupt", head_only().coded(2, &stream, &[]).join()),
        case("block-kind-undefined", "corrupt", own(&[3, 0])),
        case("block-empty", "truncated", own(&[])),
        case("block-shorter-than-a-checksum", "truncated", file(vec![1, 2, 3])),
        case("block-too-large", "limit", limit.join()),
        case("stream-empty", "truncated", coded(&[], &[])),
        case("stream-too-short", "truncated", coded(&stream[..2], &[])),
        case("stream-state-too-low", "corrupt", coded(&low, &[])),
        case("stream-ends-early", "corrupt", coded(&NO_BITS, &[])),
        case("stream-goes-on", "corrupt", coded(&[&stream[..], &[0; 2]].concat(), &[])),
        case("stream-state-at-end", "corrupt", {
            let mut other = stream.clone();
            other[1] ^= 1;
            coded(&other, &[])
        }),
        // Parts of one row, the shortest of 3 bytes, their lengths in no bytes.
        case("parts-longer-than-stream", "truncated", coded(&[1, 3, 0, 0, 0], &[])),
        case("parts-lengths-cut", "truncated", coded(&[1, 0, 4, 3, 0, 0], &[])),
        case(
            "parts-lengths-of-5-bytes",
            "corrupt",
            coded(&[&[1, 0, 5][..], &[0; 9]].concat(), &[]),
        ),
        case("parts-empty", "truncated", coded(&[&[1, 0, 0][..], &NO_BITS[1..]].concat(), &[])),
        case("parts-first-goes-on", "corrupt", {
            let [first, last] = &rows_apart;
            coded(&parts::encode(&[[first, &[0; 2][..]].concat(), last.clone()], 1), &[])
        }),
        case("parts-first-ends-early", "corrupt", {
            let last = rows_apart[1].clone();
            coded(&parts::encode(&[NO_BITS[1..].to_vec(), last], 1), &[])
        }),
        case("row-of-unknown-class", "corrupt", {
            Parts::new(&s, "max-error 1").model(&classes, 2).coded(1, &stray, &[]).join()
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
