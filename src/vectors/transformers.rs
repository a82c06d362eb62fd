//! Codecs that restore hidden parts of rows.

use super::case::{Case, case};
use super::encoders::floats;
use super::file::{Parts, schema};
use super::records::{ladder, linear, plain};
use crate::container::bytes::put_varint;
use crate::container::forever::{MODEL, TASK, TRANSFORMER};
use crate::container::head;
use crate::container::section::Header;
use crate::container::task::{Targets, TaskRecord};
use crate::container::transformer::{StackRecord, TransformerRecord};
use crate::matrix::DType;

/// Columns of the codecs here: two lines of three values.
const WIDTH: usize = 6;

/// A codec whose model has no latents.
fn codec() -> Parts {
    let mut file = Parts::with_head(head::encode(&schema(DType::F32, &[2, 3]), None));
    file.header = Header::encode(true);
    file.model(&plain(WIDTH, vec![linear(0.0, 0.01, 6)], vec![ladder(0, 18)]), 3)
}

/// Patches of 1 × 2 values, of which each line has two, one of them smaller.
fn small() -> TransformerRecord {
    TransformerRecord {
        lines: 2,
        patch: [1, 2],
        seen: 1,
        encoder: StackRecord { dim: 4, heads: 2, depth: 1 },
        decoder: StackRecord { dim: 2, heads: 1, depth: 2 },
        centre: vec![0.5, -3.0, 1e6, 0.1, 0.0, 7.0],
        scale: 2.5,
        params: floats(PARAMS, 81),
    }
}

/// Embedding, positions, a block and a norm of the encoder; bridge, mask, positions, blocks, norm and values of the
/// decoder.
const PARAMS: usize = 3 * 4 + 4 * 4 + 244 + 8 + 5 * 2 + 2 + 4 * 2 + 2 * 74 + 4 + 3 * 2;

/// Numbers at the ends of their types, one patch of a value for each column, as few numbers of tokens as can be.
fn extreme() -> TransformerRecord {
    let stack = StackRecord { dim: 1, heads: 1, depth: 1 };
    let params = 2 + 6 + 25 + 2 + 2 + 1 + 6 + 25 + 2 + 2;
    TransformerRecord {
        lines: 1,
        patch: [1, 1],
        seen: 5,
        encoder: stack,
        decoder: stack,
        centre: vec![f64::MAX, f64::MIN, -0.0, 1e-310, 0.0, 1.0],
        scale: f64::from_bits(1),
        params: (0..params).map(|i| if i % 2 == 0 { f32::MAX } else { -0.0 }).collect(),
    }
}

/// A patch of a value for each column, and tokens of two numbers.
fn tiny() -> TransformerRecord {
    let encoder = StackRecord { dim: 2, heads: 1, depth: 1 };
    let decoder = StackRecord { dim: 1, ..encoder };
    let params = floats(4 + 12 + 74 + 4 + 3 + 1 + 6 + 25 + 2 + 2, 83);
    TransformerRecord { lines: 1, patch: [1, 1], encoder, decoder, params, ..small() }
}

/// A head on top of its embeddings.
fn head_on_top() -> TaskRecord {
    TaskRecord {
        targets: Targets::Classes(vec![0, 3, 9]),
        encoder: None,
        centre: vec![0.5, -1.0],
        scale: vec![0.25, 1e-3],
        layers: vec![(2, 3), (3, 0)],
        params: floats(2 * 2 + 2 + 2 * 3 + 3, 82),
    }
}

pub(super) fn valid() -> Vec<(&'static str, Parts)> {
    let task = codec().section(TRANSFORMER, tiny().encode()).section(TASK, head_on_top().encode());
    vec![
        ("codec-transformer", codec().section(TRANSFORMER, small().encode())),
        ("codec-transformer-labels", task),
    ]
}

pub(super) fn uncommon() -> Vec<(&'static str, Parts)> {
    let mut before = codec();
    before.sections.insert(1, (TRANSFORMER, small().encode()));
    assert_eq!((before.sections[1].0, before.sections[2].0), (TRANSFORMER, MODEL));
    vec![
        ("transformer-before-model", before),
        (
            "task-before-its-transformer",
            codec().section(TASK, head_on_top().encode()).section(TRANSFORMER, tiny().encode()),
        ),
        ("transformer-at-its-limits", codec().section(TRANSFORMER, extreme().encode())),
    ]
}

pub(super) fn invalid() -> Vec<Case> {
    let file = |payload: Vec<u8>| codec().section(TRANSFORMER, payload).join();
    let with = |change: &dyn Fn(&mut TransformerRecord)| {
        let mut own = small();
        change(&mut own);
        file(own.encode())
    };
    let good = small().encode();
    let twice = codec().section(TRANSFORMER, good.clone()).section(TRANSFORMER, good.clone());
    let mut damaged = file(good.clone());
    let place = codec().section(TRANSFORMER, good.clone()).place(TRANSFORMER);
    damaged[place.end - 1] ^= 1;
    let claims = |numbers: [u64; 10]| {
        let mut out = Vec::new();
        numbers.iter().for_each(|n| put_varint(&mut out, *n));
        file([&out[..], &good[10..]].concat())
    };
    let on_top = |change: &dyn Fn(&mut TaskRecord)| {
        let mut own = head_on_top();
        change(&mut own);
        codec().section(TRANSFORMER, tiny().encode()).section(TASK, own.encode()).join()
    };
    assert_eq!(good[..10], [2, 1, 2, 1, 4, 2, 1, 2, 1, 2]);
    vec![
        case("task-on-another-embedding", "corrupt", on_top(&|t| t.centre.push(0.0))),
        case("task-on-embedding-spread-0", "corrupt", on_top(&|t| t.scale[1] = 0.0)),
        case("transformer-checksum", "corrupt", damaged),
        case("transformer-twice", "corrupt", twice.join()),
        case("transformer-empty", "truncated", file(Vec::new())),
        case("transformer-ends-early", "truncated", file(good[..9].to_vec())),
        case("transformer-goes-on", "corrupt", file([&good[..], &[0]].concat())),
        case("transformer-no-lines", "corrupt", claims([0, 1, 2, 1, 4, 2, 1, 2, 1, 2])),
        case("transformer-lines-unequal", "corrupt", claims([4, 1, 1, 1, 4, 2, 1, 2, 1, 2])),
        case("transformer-patch-empty", "corrupt", claims([2, 0, 2, 1, 4, 2, 1, 2, 1, 2])),
        case("transformer-patch-too-high", "corrupt", claims([2, 3, 2, 1, 4, 2, 1, 2, 1, 2])),
        case("transformer-patch-too-wide", "corrupt", claims([2, 1, 4, 1, 4, 2, 1, 2, 1, 2])),
        case("transformer-sees-nothing", "corrupt", claims([2, 1, 2, 0, 4, 2, 1, 2, 1, 2])),
        case("transformer-sees-all", "corrupt", claims([2, 1, 2, 4, 4, 2, 1, 2, 1, 2])),
        case("transformer-no-heads", "corrupt", claims([2, 1, 2, 1, 4, 0, 1, 2, 1, 2])),
        case("transformer-heads-unequal", "corrupt", claims([2, 1, 2, 1, 4, 3, 1, 2, 1, 2])),
        case("transformer-token-too-large", "corrupt", claims([2, 1, 2, 1, 8193, 1, 1, 2, 1, 2])),
        case("transformer-no-blocks", "corrupt", claims([2, 1, 2, 1, 4, 2, 0, 2, 1, 2])),
        case("transformer-65-blocks", "corrupt", claims([2, 1, 2, 1, 4, 2, 1, 2, 1, 65])),
        case("transformer-of-many-numbers", "limit", claims([2, 1, 1, 1, 8192, 8192, 64, 2, 1, 2])),
        case("transformer-too-large", "limit", claims([2, 1, 2, 1, 2048, 1, 64, 2, 1, 2])),
        case("transformer-floats-too-few", "corrupt", with(&|t| t.params.truncate(PARAMS - 1))),
        case("transformer-floats-too-many", "corrupt", with(&|t| t.params.push(0.0))),
        case("transformer-weight-infinite", "corrupt", with(&|t| t.params[3] = f32::INFINITY)),
        case("transformer-centre-nan", "corrupt", with(&|t| t.centre[5] = f64::NAN)),
        case("transformer-scale-0", "corrupt", with(&|t| t.scale = 0.0)),
        case("transformer-scale-infinite", "corrupt", with(&|t| t.scale = f64::INFINITY)),
    ]
}
