//! Codecs that predict something of a row.

use super::case::{Case, case};
use super::encoders::{codec, deep, encoder, floats, masked};
use super::file::{Parts, schema};
use super::records::{ladder, linear, plain};
use crate::container::encoder::EncoderRecord;
use crate::container::forever::{ENCODER, MODEL, TASK};
use crate::container::head;
use crate::container::section::Header;
use crate::container::task::{Targets, TaskRecord};
use crate::matrix::DType;

/// One layer, which gives two labels.
fn labels() -> TaskRecord {
    TaskRecord {
        targets: Targets::Classes(vec![-1, 7]),
        encoder: Some(encoder()),
        centre: vec![0.25, -3.0],
        scale: vec![1.5, 0.125],
        layers: vec![(2, 0)],
        params: floats(2 * 2 + 2, 71),
    }
}

/// A hidden layer, and three numbers.
fn numbers() -> TaskRecord {
    TaskRecord {
        targets: Targets::Values { centre: vec![2.5, 0.0, -1e9], scale: vec![1.0, 3.0, 1e6] },
        layers: vec![(4, 1), (3, 0)],
        params: floats(2 * 4 + 4 + 4 * 3 + 3, 72),
        ..labels()
    }
}

/// Numbers at the ends of their types, and zeros with a sign.
fn extreme() -> TaskRecord {
    let targets =
        Targets::Values { centre: vec![f64::MAX, -0.0], scale: vec![f64::MIN, f64::from_bits(1)] };
    TaskRecord {
        targets,
        centre: vec![f32::MIN, -0.0],
        scale: vec![f32::from_bits(1), f32::MAX],
        params: vec![0.0; 6],
        ..labels()
    }
}

pub(super) fn valid() -> Vec<(&'static str, Parts)> {
    let both = codec().section(ENCODER, encoder().encode());
    vec![
        ("codec-labels", both.section(TASK, labels().encode())),
        ("codec-numbers", codec().section(TASK, numbers().encode())),
    ]
}

pub(super) fn uncommon() -> Vec<(&'static str, Parts)> {
    let mut before = codec();
    before.sections.insert(1, (TASK, labels().encode()));
    assert_eq!((before.sections[1].0, before.sections[2].0), (TASK, MODEL));
    let tall = TaskRecord {
        encoder: Some(deep()),
        layers: (0..17).map(|i| (2, i % 5)).collect(),
        params: floats(17 * 6, 73),
        ..labels()
    };
    let one = TaskRecord {
        targets: Targets::Classes(vec![i64::MIN]),
        layers: vec![(1, 0)],
        params: floats(3, 74),
        ..labels()
    };
    vec![
        ("task-before-model", before),
        ("task-of-17-layers", codec().section(TASK, tall.encode())),
        ("task-at-its-limits", codec().section(TASK, extreme().encode())),
        ("task-of-one-label", codec().section(TASK, one.encode())),
        (
            "task-with-masked-encoder",
            codec().section(TASK, TaskRecord { encoder: Some(masked()), ..numbers() }.encode()),
        ),
    ]
}

pub(super) fn invalid() -> Vec<Case> {
    let file = |payload: Vec<u8>| codec().section(TASK, payload).join();
    let with = |change: &dyn Fn(&mut TaskRecord)| {
        let mut own = labels();
        change(&mut own);
        file(own.encode())
    };
    let within =
        |change: &dyn Fn(&mut EncoderRecord)| with(&|t| t.encoder.iter_mut().for_each(change));
    let good = labels().encode();
    let twice = codec().section(TASK, good.clone()).section(TASK, good.clone());
    let mut damaged = file(good.clone());
    let place = codec().section(TASK, good.clone()).place(TASK);
    damaged[place.end - 1] ^= 1;
    // Kind, two outputs, two labels; then one layer of two units.
    assert_eq!(good[..2], [0, 2]);
    assert_eq!(good[18..21], [1, 2, 0]);
    let put = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        file(bytes)
    };
    let values = |centre: f64, scale: f64| {
        let targets = Targets::Values { centre: vec![0.0, centre], scale: vec![1.0, scale] };
        with(&|t| t.targets = targets.clone())
    };
    let mut flat = Parts::with_head(head::encode(&schema(DType::F32, &[4]), None));
    flat.header = Header::encode(true);
    let flat = flat.model(&plain(4, vec![linear(0.0, 0.01, 4)], vec![ladder(0, 18)]), 4);
    let no_model = Parts::new(&schema(DType::F32, &[4]), "lossless");
    vec![
        case("task-checksum", "corrupt", damaged),
        case("task-twice", "corrupt", twice.join()),
        case("task-empty", "truncated", file(Vec::new())),
        case("task-ends-in-labels", "truncated", file(good[..9].to_vec())),
        case("task-ends-in-encoder", "truncated", file(good[..40].to_vec())),
        case("task-goes-on", "corrupt", file([&good[..], &[0]].concat())),
        case("task-without-latents", "corrupt", flat.section(TASK, good.clone()).join()),
        case("task-without-model", "corrupt", no_model.section(TASK, good.clone()).join()),
        case("task-kind-undefined", "corrupt", put(0, 2)),
        case("task-of-no-outputs", "corrupt", put(1, 0)),
        case("task-labels-alike", "corrupt", with(&|t| t.targets = Targets::Classes(vec![7, 7]))),
        case("task-labels-descend", "corrupt", with(&|t| t.targets = Targets::Classes(vec![7, 6]))),
        case("task-centre-nan", "corrupt", values(f64::NAN, 1.0)),
        case("task-scale-infinite", "corrupt", values(0.0, f64::INFINITY)),
        case("task-of-no-layers", "corrupt", with(&|t| t.layers.clear())),
        case("task-of-18-layers", "corrupt", with(&|t| t.layers = vec![(2, 0); 18])),
        case("task-other-outputs", "corrupt", with(&|t| t.layers[0].0 = 3)),
        case("task-function-undefined", "corrupt", with(&|t| t.layers[0].1 = 5)),
        case("task-encoder-scale-negative", "corrupt", within(&|e| e.scale[0] = -1.0)),
        case("task-encoder-other-latents", "corrupt", within(&|e| e.layers[1].0 = 3)),
        case("task-without-encoder", "corrupt", with(&|t| t.encoder = None)),
        case("task-floats-too-few", "corrupt", with(&|t| t.params.truncate(5))),
        case("task-floats-too-many", "corrupt", with(&|t| t.params.push(0.0))),
        case("task-weight-infinite", "corrupt", with(&|t| t.params[3] = f32::INFINITY)),
        case("task-spread-0", "corrupt", with(&|t| t.scale[1] = 0.0)),
    ]
}
