//! Latents of parts side by side, against the same read part by part.

use super::record;
use crate::codec::context::LANES;
use crate::codec::decode::{Batch, RowDecoder};
use crate::codec::program::Program;
use crate::codec::quantisers::second_quantiser;
use crate::codec::swift_latents::{GROUPS, Work};
use crate::container::model::ModelRecord;
use crate::container::parts;
use crate::entropy::rans::{RansDecoder, RansEncoder};
use crate::entropy::table::TableSpec;
use crate::kernels::Isa;
use crate::kernels::run::has_vectors;
use crate::matrix::DType;
use crate::matrix::rng::Rng;

const LATENTS: usize = 9;

/// A model of latents alone, with tables of all kinds; the last one names classes.
fn latents_alone(rng: &mut Rng, classes: usize, states: usize) -> ModelRecord {
    let mut m = record(3, [1; 3], &[]);
    m.neighbours = None;
    // Those of one sign, the other, and zero; they add up to 2^15.
    let mut frequencies = vec![260; 127];
    frequencies[0] = 32_768 - 126 * 260;
    let escaped = TableSpec::Histogram {
        raw: 0,
        entries: vec![
            (-1 << 40, 4000),
            (-1 << 30, 2000),
            (-3, 6000),
            (0, 8768),
            (5, 6000),
            (1 << 30, 2000),
            (1 << 31, 3000),
        ],
        escape: 1000,
    };
    let named = |n: usize| TableSpec::Histogram {
        raw: 0,
        entries: (0..n as i64 + 1)
            .map(|i| (i, if i == 0 { 32_768 - 300 * n as u32 } else { 300 }))
            .collect(),
        escape: 0,
    };
    let ladder = |shape, scale| TableSpec::Ladder { shape, scale };
    m.tables = vec![TableSpec::Zero, ladder(0, 14), ladder(2, 20), ladder(1, 30), ladder(3, 90)];
    m.tables.extend([TableSpec::Tokens { lead: 0, frequencies }, escaped]);
    // Rarely, a class that is not there.
    m.tables.push(named(classes));
    let sets = if states > 0 { 2 } else { 1 };
    m.trellis = states;
    m.latent_clamp = (0..LATENTS).map(|_| 1 << rng.below(29)).collect();
    m.latent_temporal = vec![0; LATENTS];
    m.skip = vec![0; LATENTS * 3];
    m.classes.count = classes;
    m.classes.next = vec![7; classes];
    m.classes.quantum = vec![-1; classes];
    m.classes.residual_tables = vec![0; classes * 3];
    let mean = |rng: &mut Rng| match rng.below(4) {
        0 => 1 << 28,
        1 => -1 << 28,
        _ => rng.below(2000) as i64 - 1000,
    };
    m.classes.means = (0..classes * LATENTS).map(|_| mean(rng)).collect();
    m.classes.latent_tables = (0..classes * LATENTS * sets).map(|_| rng.below(7)).collect();
    m
}

/// Any bits are some rows, until they end.
fn random_part(rng: &mut Rng) -> Vec<u8> {
    let mut stream = (rng.next_u64() as u32 | 1 << 31).to_le_bytes().to_vec();
    let words = [0, 3, 40, 400][rng.below(4)];
    (0..words).for_each(|_| stream.extend((rng.next_u64() as u16).to_le_bytes()));
    stream
}

/// Where a decoder is.
fn place(coder: &RansDecoder<'_>) -> String {
    format!("{:?}", coder.place())
}

/// Reads rows of a part one after another: latents, whether a class was not there, and where reading ended.
fn read_alone(p: &Program, part: &[u8], rows: usize) -> (Vec<i32>, bool, String) {
    let stream = parts::encode(&[part.to_vec()], 1);
    let mut decoder = RowDecoder::new(p, &stream, rows).unwrap();
    let mut latents = Vec::new();
    for _ in 0..rows {
        decoder.advance();
        latents.extend(&decoder.latents);
    }
    let coder = decoder.coder.single().unwrap();
    (latents, decoder.stray, place(&coder))
}

#[test]
fn vectors_read_what_is_read_part_by_part() {
    let mut rng = Rng::new(31);
    for case in 0..300 {
        let (classes, states) = ([1, 1, 2, 3, 8][rng.below(5)], [0, 4, 8][rng.below(3)]);
        let p = Program::new(latents_alone(&mut rng, classes, states), DType::I32).unwrap();
        let swift = p.swift_latents().expect("small numbers");
        let (count, rows) = (1 + rng.below(GROUPS * LANES), 1 + rng.below(6));
        let streams: Vec<_> = (0..count).map(|_| random_part(&mut rng)).collect();
        let expected: Vec<_> = streams.iter().map(|part| read_alone(&p, part, rows)).collect();
        for isa in Isa::available().filter(|&isa| has_vectors(isa)) {
            let first = RansDecoder::new(&streams[0]).unwrap();
            let mut coders = vec![[first; LANES]; count.div_ceil(LANES)];
            let all = coders.as_flattened_mut().iter_mut().zip(&streams);
            all.for_each(|(coder, stream)| *coder = RansDecoder::new(stream).unwrap());
            let mut out = vec![0; count * rows * LATENTS];
            let mut stray = false;
            let (record, tables) = (&p.record, &p.tables[..]);
            let work = Work {
                record,
                tables,
                coders: &mut coders,
                count,
                rows,
                out: &mut out,
                stray: &mut stray,
            };
            swift.read(work, isa);
            for (i, (latents, _, end)) in expected.iter().enumerate() {
                let own = &out[i * rows * LATENTS..(i + 1) * rows * LATENTS];
                assert_eq!(own, latents, "case {case}, part {i}, {isa:?}");
                assert_eq!(place(&coders[i / LANES][i % LANES]), *end, "case {case}, part {i}");
            }
            assert_eq!(stray, expected.iter().any(|(_, stray, _)| *stray), "case {case}");
        }
    }
}

#[test]
fn parts_side_by_side_are_those_read_one_by_one() {
    let mut rng = Rng::new(32);
    for case in 0..200 {
        let (classes, states) = ([1, 2][rng.below(2)], [0, 8][rng.below(2)]);
        let mut m = latents_alone(&mut rng, classes, states);
        if rng.below(4) == 0 {
            // Too large for vectors.
            m.classes.means[0] = 1 << 40;
        }
        let p = Program::new(m, DType::I32).unwrap();
        let (own, count) = (1 + rng.below(4), 1 + rng.below(40));
        let streams: Vec<_> = (0..count).map(|_| random_part(&mut rng)).collect();
        let rows = own * count - rng.below(own);
        let stream = parts::encode(&streams, own);
        let mut one_by_one = RowDecoder::new(&p, &stream, rows).unwrap();
        let mut expected: Vec<i32> = Vec::new();
        for _ in 0..rows {
            one_by_one.advance();
            expected.extend(&one_by_one.latents);
        }
        let mut rows_read = RowDecoder::new(&p, &stream, rows).unwrap();
        let mut out = vec![0; rows * LATENTS];
        let mut done = 0;
        while done < rows {
            let many = rows_read.read_abreast(&mut out[done * LATENTS..]);
            if many == 0 {
                rows_read.advance();
                out[done * LATENTS..(done + 1) * LATENTS].copy_from_slice(&rows_read.latents);
            }
            done += many.max(1);
        }
        assert_eq!(out, expected, "case {case}");
        let fault = |decoder: &mut RowDecoder<'_, '_>| {
            (decoder.check().is_err(), decoder.finish().is_err(), decoder.stray)
        };
        assert_eq!(fault(&mut rows_read), fault(&mut one_by_one), "case {case}");
    }
}

#[test]
fn numbers_that_vectors_would_hold_otherwise_are_read_without() {
    let mut rng = Rng::new(33);
    let possible = |spoil: &dyn Fn(&mut ModelRecord)| {
        let mut m = latents_alone(&mut Rng::new(34), 2, 0);
        spoil(&mut m);
        Program::new(m, DType::I32).unwrap().swift_latents().is_some()
    };
    assert!(possible(&|m| m.latent_clamp[3] = 1 << 28));
    assert!(!possible(&|m| m.latent_clamp[3] = (1 << 28) + 1));
    assert!(!possible(&|m| m.classes.means[LATENTS + 1] = -(1 << 28) - 1));
    let many = latents_alone(&mut rng, 9, 0);
    assert!(Program::new(many, DType::I32).unwrap().swift_latents().is_none());
}

/// Rows of small latents, coded in parts of `own` rows, each to its end.
fn coded(rng: &mut Rng, p: &Program, rows: usize, own: usize) -> Vec<u8> {
    let (m, sets) = (&p.record, p.record.table_sets());
    let part = |rows: usize, rng: &mut Rng| {
        let (mut coder, mut last) = (RansEncoder::default(), 0);
        for _ in 0..rows {
            let class = rng.below(m.classes.count);
            if m.classes.count > 1 {
                assert!(p.tables[m.classes.next[last]].encode(class as i64, &mut coder));
            }
            last = class;
            let mut state = 0;
            for k in 0..LATENTS {
                let second = m.trellis > 0 && second_quantiser(state, m.trellis);
                let at = (class * LATENTS + k) * sets + usize::from(second);
                let s = rng.below(9) as i64 - 4;
                assert!(p.tables[m.classes.latent_tables[at]].encode(s, &mut coder));
                state = p.trellis().map_or(0, |next| next[usize::from(state)][(s & 1) as usize]);
            }
        }
        let mut out = Vec::new();
        coder.finish(&mut out);
        out
    };
    let lengths = (0..rows).step_by(own).map(|first| own.min(rows - first));
    let streams: Vec<_> = lengths.map(|rows| part(rows, rng)).collect();
    parts::encode(&streams, own)
}

#[test]
fn rows_decoded_together_are_those_decoded_alone() {
    let mut rng = Rng::new(35);
    for case in 0..120 {
        let (classes, states) = ([1, 1, 3][rng.below(3)], [0, 8][rng.below(2)]);
        let mut m = latents_alone(&mut rng, classes, states);
        m.latent_clamp = vec![1 << 18; LATENTS];
        m.skip = (0..3 * LATENTS).map(|_| rng.below(9) as i64 - 4).collect();
        m.classes.means.iter_mut().for_each(|mean| *mean %= 1 << 10);
        m.classes.latent_tables.iter_mut().for_each(|table| *table = 1 + *table % 4);
        let p = Program::new(m, DType::I32).unwrap();
        let own = 1 + rng.below(5);
        let rows = own * [3, 5, 17, 32, 33, 40, 70][rng.below(7)] - rng.below(own);
        let stream = coded(&mut rng, &p, rows, own);
        let row_bytes = 3 * size_of::<i32>();
        let decode = |steps: &mut dyn FnMut() -> usize| {
            let mut decoder = RowDecoder::new(&p, &stream, rows).unwrap();
            let (mut batch, mut out) = (Batch::default(), vec![0; rows * row_bytes]);
            let mut rest = &mut out[..];
            while !rest.is_empty() {
                let (own, tail) = rest.split_at_mut(rest.len().min(steps() * row_bytes));
                batch.decode(&mut decoder, DType::I32, own).unwrap();
                decoder = RowDecoder::resume(&p, (&stream, rows), decoder.pause()).unwrap();
                rest = tail;
            }
            decoder.finish().unwrap();
            out
        };
        let alone = decode(&mut || 1);
        assert_eq!(decode(&mut || rows), alone, "case {case}");
        let mut steps = Rng::new(case);
        assert_eq!(decode(&mut || 1 + steps.below(90)), alone, "case {case}, in steps");
    }
}
