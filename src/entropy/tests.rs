use super::array::ArrayModel;
use super::intcoder::{IntDecoder, IntEncoder, IntModel};
use super::rans::{RansDecoder, RansEncoder};
use super::table::{Table, TableSpec, token_count, token_interval, token_of};
use proptest::prelude::*;

fn specs() -> Vec<TableSpec> {
    let mut specs = vec![
        TableSpec::Zero,
        TableSpec::Histogram { raw: 5, entries: vec![(-9, 700), (2, 32_060)], escape: 8 },
        TableSpec::Histogram { raw: 0, entries: vec![(-7, 32_000), (i64::MAX, 768)], escape: 0 },
        TableSpec::Histogram { raw: 0, entries: vec![(0, 1), (5, 2), (6, 30_000)], escape: 2765 },
    ];
    for shape in 0..4 {
        for scale in [0, 1, 5, 16, 23, 24, 27, 28, 31, 35, 40, 99, 239] {
            specs.push(TableSpec::Ladder { shape, scale });
        }
    }
    for lead in [0, 1, 3] {
        let n = 2 * token_count(lead) - 1;
        let mut frequencies = vec![32768 / n as u32; n];
        frequencies[n / 2] += 32768 - frequencies.iter().sum::<u32>();
        specs.push(TableSpec::Tokens { lead, frequencies });
    }
    specs
}

#[test]
fn numbers_at_both_ends_of_a_stream_are_coded() {
    for first in [0, 1, 255, 256, 1 << 20, i64::MAX, i64::MIN] {
        for zeros in [0, 9, 300_000] {
            let (mut coder, mut model) = (IntEncoder::new(), IntModel::of_kinds());
            coder.int(&mut model, 0, first);
            (0..zeros).for_each(|_| coder.int(&mut model, 0, 0));
            let bytes = coder.finish();
            let (mut coder, mut model) = (IntDecoder::new(&bytes).unwrap(), IntModel::of_kinds());
            assert_eq!(coder.int(&mut model, 0).unwrap(), first);
            assert!((0..zeros).all(|_| coder.int(&mut model, 0).unwrap() == 0));
            coder.finish().unwrap();
        }
    }
}

#[test]
fn every_table_gives_back_what_it_took() {
    let mut numbers: Vec<i64> = (-300..300).collect();
    for k in 0..63 {
        numbers.extend([
            1_i64 << k,
            -(1_i64 << k),
            (1_i64 << k) - 1,
            (1 - (1_i64 << k)).wrapping_mul(3),
        ]);
    }
    numbers.extend([i64::MAX, i64::MIN + 1]);
    for spec in specs() {
        let table = Table::new(&spec).unwrap();
        let mut encoder = RansEncoder::default();
        let said: Vec<i64> =
            numbers.iter().copied().filter(|&n| table.encode(n, &mut encoder)).collect();
        match spec {
            TableSpec::Zero => assert!(!said.is_empty() && said.iter().all(|&n| n == 0)),
            TableSpec::Ladder { .. } => assert_eq!(said.len(), numbers.len(), "{spec:?}"),
            _ => assert!(said.len() > 1 || said == [i64::MAX] || said.contains(&-7), "{spec:?}"),
        }
        assert!(said.iter().all(|&n| table.cost(n).is_finite()));
        let mut bytes = Vec::new();
        encoder.finish(&mut bytes);
        let mut decoder = RansDecoder::new(&bytes).unwrap();
        for n in said {
            assert_eq!(table.decode(&mut decoder), n, "{spec:?}");
        }
        decoder.finish().unwrap();
    }
}

#[test]
fn a_tables_cost_is_what_the_coder_pays() {
    let table = Table::new(&TableSpec::Ladder { shape: 1, scale: 24 }).unwrap();
    let numbers: Vec<i64> = (0..40_000).map(|i: i64| (i * i * 7919) % 23 - 11).collect();
    let mut encoder = RansEncoder::default();
    let mut bits = 0.0;
    for &n in &numbers {
        assert!(table.encode(n, &mut encoder));
        bits += f64::from(table.cost(n));
    }
    let mut bytes = Vec::new();
    encoder.finish(&mut bytes);
    let paid = bytes.len() as f64 * 8.0 - 24.0;
    assert!((paid / bits - 1.0).abs() < 1e-3, "{paid} bits paid, {bits} reckoned");
}

#[test]
fn ladders_are_near_the_distribution_that_they_are_named_after() {
    // Laplace with scale 2^(20/4 − 4) = 2: P(0) = 1 − e^(−1/4).
    let table = Table::new(&TableSpec::Ladder { shape: 2, scale: 20 }).unwrap();
    let p = (-table.cost(0)).exp2();
    assert!((p - (1.0 - (-0.25_f32).exp())).abs() < 2e-3, "{p}");
}

#[test]
fn tokens_partition_the_magnitudes() {
    for lead in 0..4 {
        let mut next = 0_u64;
        for t in 0..token_count(lead) {
            let (low, bits) = token_interval(lead, t);
            assert_eq!(low, next);
            assert_eq!(token_of(lead, low), t);
            next = low + (1 << bits);
            assert_eq!(token_of(lead, next - 1), t);
        }
        assert_eq!(next, 1 << 63);
    }
}

#[test]
fn frequencies_that_do_not_add_up_are_refused() {
    for entries in [vec![(0, 32767)], vec![(0, 32769)], vec![(0, u32::MAX), (1, u32::MAX)]] {
        assert!(Table::new(&TableSpec::Histogram { raw: 0, entries, escape: 0 }).is_err());
    }
    let entries = vec![(3, 16384), (3, 16384)];
    assert!(Table::new(&TableSpec::Histogram { raw: 0, entries, escape: 0 }).is_err());
    assert!(Table::new(&TableSpec::Ladder { shape: 4, scale: 0 }).is_err());
}

#[test]
fn a_cut_stream_is_noticed() {
    let table = Table::new(&TableSpec::Ladder { shape: 0, scale: 30 }).unwrap();
    let mut encoder = RansEncoder::default();
    for n in 0..200 {
        table.encode(n % 37 - 18, &mut encoder);
    }
    let mut bytes = Vec::new();
    encoder.finish(&mut bytes);
    for cut in 0..bytes.len() {
        let Ok(mut decoder) = RansDecoder::new(&bytes[..cut]) else { continue };
        (0..200).for_each(|_| {
            table.decode(&mut decoder);
        });
        assert!(decoder.finish().is_err(), "{cut}");
    }
}

#[test]
fn a_cut_or_longer_model_is_noticed() {
    let values: Vec<i64> = (0..400).map(|i| (i * i * 7919) % 1009 - 500).collect();
    let mut coder = IntEncoder::new();
    ArrayModel::new().encode(&mut coder, &values, 20);
    let mut bytes = coder.finish();
    let read = |bytes: &[u8]| {
        let mut coder = IntDecoder::new(bytes)?;
        let values = ArrayModel::new().decode(&mut coder, 400, 20)?;
        coder.finish().map(|()| values)
    };
    assert_eq!(read(&bytes).unwrap(), values);
    assert!((0..bytes.len()).all(|cut| read(&bytes[..cut]).is_err()));
    bytes.extend([0, 0]);
    assert!(read(&bytes).is_err());
}

#[test]
fn integers_cost_less_once_their_like_was_seen() {
    let bytes = |count: i64| {
        let mut coder = IntEncoder::new();
        ArrayModel::new().encode(
            &mut coder,
            &(0..count).map(|i| i % 7 * i % 5).collect::<Vec<_>>(),
            1,
        );
        coder.finish().len()
    };
    // The first are not known to be small, and the states take eight.
    assert!(
        bytes(30) > 15 && bytes(4000) - bytes(3000) < 300,
        "{} {} {}",
        bytes(30),
        bytes(3000),
        bytes(4000)
    );
}

proptest! {
    #[test]
    fn arrays_round_trip(
        values in prop::collection::vec(prop_oneof![any::<i64>(), -20_i64..20, Just(0)], 0..200),
        shift in 0_u32..8,
        line in 0_usize..40,
    ) {
        let values: Vec<i64> = values.iter().map(|v| v.wrapping_shl(shift)).collect();
        let (mut model, mut other) = (ArrayModel::new(), IntModel::of_kinds());
        let mut coder = IntEncoder::new();
        coder.int(&mut other, 3, -5);
        model.encode(&mut coder, &values, line);
        coder.int(&mut other, 3, i64::MIN);
        model.encode(&mut coder, &values, line);
        let bytes = coder.finish();
        let (mut model, mut other) = (ArrayModel::new(), IntModel::of_kinds());
        let mut decoder = IntDecoder::new(&bytes).unwrap();
        prop_assert_eq!(decoder.int(&mut other, 3).unwrap(), -5);
        prop_assert_eq!(&model.decode(&mut decoder, values.len(), line).unwrap(), &values);
        prop_assert_eq!(decoder.int(&mut other, 3).unwrap(), i64::MIN);
        prop_assert_eq!(&model.decode(&mut decoder, values.len(), line).unwrap(), &values);
        decoder.finish().unwrap();
    }
}
