//! Codecs that bring their encoder.

use super::case::{Case, case};
use super::file::{Parts, Row, schema, stream};
use super::records::{Random, hidden, ladder, linear, plain, with_latents};
use crate::container::bytes::put_varint;
use crate::container::encoder::EncoderRecord;
use crate::container::forever::{ENCODER, MODEL};
use crate::container::head;
use crate::container::mixture::MixtureRecord;
use crate::container::model::ModelRecord;
use crate::container::section::Header;
use crate::matrix::DType;

/// Four columns, two latents.
fn model() -> ModelRecord {
    let m = plain(4, vec![linear(0.0, 0.01, 4)], vec![ladder(0, 18)]);
    let mut m = with_latents(m, &[300, 50], 0, 3, Random(61).list(8, 100));
    m.hidden = Some(hidden(2, &[3], 4, 61));
    m
}

pub(super) fn codec() -> Parts {
    let mut file = Parts::with_head(head::encode(&schema(DType::F32, &[4]), None));
    file.header = Header::encode(true);
    file.model(&model(), 4)
}

pub(super) fn floats(count: usize, seed: u64) -> Vec<f32> {
    Random(seed)
        .list(count, 1 << 20)
        .into_iter()
        .map(|n| n as f32 / f32::from(1_u16 << 15))
        .collect()
}

/// One hidden layer of three units, and a skip path.
pub(super) fn encoder() -> EncoderRecord {
    EncoderRecord {
        centre: vec![0.5, -3.0, 1e6, 0.1],
        scale: vec![1.0, 0.25, 300.0, 0.0],
        clip: vec![6.0, 6.0, 8.5, 1.0],
        latent: vec![120.0, 15.5],
        layers: vec![(3, 1), (2, 0)],
        skip: true,
        masked: false,
        variational: false,
        params: floats(4 * 3 + 3 + 3 * 2 + 2 + 4 * 2, 62),
        mixture: None,
    }
}

/// Told which values are hidden; its latents are ReLUs.
pub(super) fn masked() -> EncoderRecord {
    let params = floats(8 * 3 + 3 + 3 * 2 + 2, 64);
    EncoderRecord { layers: vec![(3, 1), (2, 2)], skip: false, masked: true, params, ..encoder() }
}

/// All that an encoder can be.
fn flagged() -> EncoderRecord {
    let params = floats(8 * 3 + 3 + 3 * 2 + 2 + 8 * 2, 65);
    EncoderRecord { masked: true, variational: true, params, mixture: mixture(1), ..encoder() }
}

/// So many normal distributions of two latents, which are packed to few bytes.
fn mixture(count: usize) -> Option<MixtureRecord> {
    let list = |count: usize, of: [f32; 3]| of.into_iter().cycle().take(count).collect();
    Some(MixtureRecord {
        weights: list(count, [0.125, 2.0, 0.5]),
        means: list(2 * count, [-1.5, 0.0, 3.25]),
        factors: list(3 * count, [1.0, -0.5, 0.75]),
    })
}

/// As many layers as there can be, with all functions and without a skip path.
pub(super) fn deep() -> EncoderRecord {
    let layers: Vec<(usize, u8)> = (0..17).map(|i| (2, i % 5)).collect();
    EncoderRecord { layers, skip: false, params: floats(4 * 2 + 2 + 16 * 6, 63), ..encoder() }
}

/// Numbers at the ends of their types, and zeros with a sign.
fn extreme() -> EncoderRecord {
    EncoderRecord {
        centre: vec![f64::MAX, f64::MIN, f64::from_bits(1), -0.0],
        scale: vec![-0.0, f64::from_bits(1), f64::MAX, f64::MIN_POSITIVE],
        clip: vec![f32::MAX, f32::from_bits(1), -0.0, 0.0],
        latent: vec![f32::MIN, -0.0],
        layers: vec![(2, 4)],
        skip: false,
        params: vec![0.0; 10],
        ..encoder()
    }
}

pub(super) fn valid() -> Vec<(&'static str, Parts)> {
    let variational = EncoderRecord { variational: true, ..encoder() };
    let mixed = EncoderRecord { mixture: mixture(3), ..variational.clone() };
    vec![
        ("codec-encoder", codec().section(ENCODER, encoder().encode())),
        ("codec-masked", codec().section(ENCODER, masked().encode())),
        ("codec-variational", codec().section(ENCODER, variational.encode())),
        ("codec-mixture", codec().section(ENCODER, mixed.encode())),
    ]
}

pub(super) fn uncommon() -> Vec<(&'static str, Parts)> {
    let packed = extreme().encode();
    assert_eq!(packed[4] & 1, 1, "zeros are packed");
    let most = EncoderRecord { mixture: mixture(256), ..encoder() };
    let mut before = codec();
    before.sections.insert(1, (ENCODER, encoder().encode()));
    assert_eq!((before.sections[1].0, before.sections[2].0), (ENCODER, MODEL));
    let row =
        Row { latents: vec![7, -3], residuals: vec![0, 1, 2, -9], class: 0, ..Row::default() };
    let rows = Parts::new(&schema(DType::F32, &[4]), "max-error 1")
        .model(&model(), 4)
        .section(ENCODER, encoder().encode())
        .coded(1, &stream(&model(), DType::F32, &[row]), &[]);
    vec![
        ("encoder-before-model", before),
        ("encoder-of-17-layers", codec().section(ENCODER, deep().encode())),
        ("encoder-at-its-limits", codec().section(ENCODER, packed)),
        ("encoder-with-rows", rows),
        ("encoder-with-256-distributions", codec().section(ENCODER, most.encode())),
        ("encoder-with-all-flags", codec().section(ENCODER, flagged().encode())),
    ]
}

pub(super) fn invalid() -> Vec<Case> {
    let file = |payload: Vec<u8>| codec().section(ENCODER, payload).join();
    let with = |change: &dyn Fn(&mut EncoderRecord)| {
        let mut own = encoder();
        change(&mut own);
        file(own.encode())
    };
    let mixed = |change: &dyn Fn(&mut MixtureRecord)| {
        with(&|e| {
            let mut mixture = mixture(2);
            mixture.iter_mut().for_each(change);
            e.mixture = mixture;
        })
    };
    let good = encoder().encode();
    let twice = codec().section(ENCODER, good.clone()).section(ENCODER, good.clone());
    let mut damaged = file(good.clone());
    let place = codec().section(ENCODER, good.clone()).place(ENCODER);
    damaged[place.end - 1] ^= 1;
    let mut flag = good.clone();
    assert_eq!(flag[..6], [2, 3, 1, 2, 0, 1]);
    flag[5] = 2;
    let mut undefined = good.clone();
    undefined[5] = 17;
    // A codec of a model without latents.
    let mut flat = Parts::with_head(head::encode(&schema(DType::F32, &[4]), None));
    flat.header = Header::encode(true);
    let flat = flat.model(&plain(4, vec![linear(0.0, 0.01, 4)], vec![ladder(0, 18)]), 4);
    let flat = flat.section(ENCODER, good.clone());
    // 2^32 weights and more.
    let mut huge = vec![3];
    for n in [1 << 16, 1 << 16, 2] {
        put_varint(&mut huge, n);
        huge.push(0);
    }
    huge.extend([0, 0]);
    let no_model = Parts::new(&schema(DType::F32, &[4]), "lossless");
    let broken = [&good[..6], &[0xa9, 0x03, 0x28, 0xb5, 0x2f, 0xfd, 0]].concat();
    vec![
        case("encoder-checksum", "corrupt", damaged),
        case("encoder-twice", "corrupt", twice.join()),
        case("encoder-empty", "truncated", file(Vec::new())),
        case("encoder-ends-early", "truncated", file(good[..4].to_vec())),
        case("encoder-goes-on", "corrupt", file([&good[..], &[0]].concat())),
        case("encoder-without-latents", "corrupt", flat.join()),
        case("encoder-without-model", "corrupt", no_model.section(ENCODER, good).join()),
        case("encoder-of-no-layers", "corrupt", with(&|e| e.layers.clear())),
        case("encoder-of-18-layers", "corrupt", with(&|e| e.layers = vec![(2, 0); 18])),
        case("encoder-layer-0", "corrupt", with(&|e| e.layers[0].0 = 0)),
        case("encoder-layer-too-wide", "corrupt", with(&|e| e.layers[0].0 = (1 << 16) + 1)),
        case("encoder-function-undefined", "corrupt", with(&|e| e.layers[0].1 = 5)),
        case("encoder-other-latents", "corrupt", with(&|e| e.layers[1].0 = 3)),
        case("encoder-mixture-of-none", "corrupt", mixed(&|m| m.weights.clear())),
        case("encoder-mixture-of-257", "corrupt", mixed(&|m| m.weights = vec![1.0; 257])),
        case("encoder-mixture-weight-0", "corrupt", mixed(&|m| m.weights[1] = 0.0)),
        case("encoder-mixture-too-short", "corrupt", mixed(&|m| m.factors.truncate(5))),
        case("encoder-mixture-nan", "corrupt", mixed(&|m| m.means[2] = f32::NAN)),
        case("encoder-flag", "corrupt", file(flag)),
        case("encoder-flags-undefined", "corrupt", file(undefined)),
        case("encoder-floats-too-few", "corrupt", with(&|e| e.params.truncate(30))),
        case("encoder-floats-too-many", "corrupt", with(&|e| e.params.push(0.0))),
        case("encoder-masked-floats-too-few", "corrupt", with(&|e| e.masked = true)),
        case("encoder-zstd-broken", "corrupt", file(broken)),
        case("encoder-centre-nan", "corrupt", with(&|e| e.centre[0] = f64::NAN)),
        case("encoder-weight-infinite", "corrupt", with(&|e| e.params[5] = f32::INFINITY)),
        case("encoder-scale-negative", "corrupt", with(&|e| e.scale[2] = -1.0)),
        case("encoder-clip-negative", "corrupt", with(&|e| e.clip[3] = -1.0)),
        case("encoder-too-large", "limit", file(huge)),
    ]
}
