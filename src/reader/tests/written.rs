//! FileParts that only the writing side can make.

use super::damage::refused;
use super::*;
use crate::container::encoder::EncoderRecord;
use crate::container::forever::ENCODER;

#[test]
fn exact_values_come_back_bit_for_bit() {
    let nan = f32::from_bits(0x7fc1_2345);
    let mut own = parts(plain(3), &[4, 6]);
    let exact = [nan, f32::INFINITY, -0.0];
    let packed = crate::matrix::to_little_endian(&exact);
    own.blocks[1].2 = block::encode_escapes(&[0, 8, 17], &packed, 4);
    let reader = Reader::new(own.build()).unwrap();
    reader.verify().unwrap();
    let mut all = [0.0_f32; 30];
    reader.read_rows(0..10, &mut all).unwrap();
    let bits: Vec<u32> = [12, 20, 29].iter().map(|&i| all[i].to_bits()).collect();
    assert_eq!(bits, exact.map(f32::to_bits));
    for i in 0..10 {
        let mut row = [0.0_f32; 3];
        reader.read_row(i, &mut row).unwrap();
        assert_eq!(row.map(f32::to_bits), [0, 1, 2].map(|j| all[3 * i + j].to_bits()));
    }
}

#[test]
fn exact_values_out_of_place_are_refused() {
    let encode =
        |positions: &[u64]| block::encode_escapes(positions, &vec![1; positions.len() * 4], 4);
    for escapes in [encode(&[18]), encode(&[0, 1 << 40]), vec![0xff; 9], vec![2], vec![0x80]] {
        refused(|p| p.blocks[1].2 = escapes);
    }
    // A hundred bytes that claim to be more than the limit.
    let escapes = crate::container::shuffle::compress(&vec![0; 1 << 16], 9);
    let mut own = parts(plain(3), &[6000]);
    own.blocks[0].2 = escapes;
    let limits = Limits { block_bytes: 75_000, ..Limits::default() };
    let options =
        ReaderOptions { limits: Limits { block_bytes: 72_000, ..limits }, cache_bytes: 0 };
    let bytes = own.build();
    let wide = Reader::new_with(&bytes, options).unwrap().verify().unwrap_err();
    assert_eq!(wide.kind(), ErrorKind::Corrupt, "the claim fits: {wide}");
    own.blocks[0].2 = crate::container::shuffle::compress(&vec![0; 1 << 17], 9);
    let over = Reader::new_with(own.build(), options).unwrap().verify().unwrap_err();
    assert_eq!(over.kind(), ErrorKind::Limit, "{over}");
}

#[test]
fn names_may_be_as_alike_as_they_like() {
    let width = 20_000;
    let schema = Schema::new(DType::F32, &[width]);
    let names = vec![String::new(); width];
    let mut own = parts(plain(1), &[]);
    own.sections.retain(|s| s.0 != MODEL);
    *own.section(HEAD) = head::encode(&schema, Some(&Fidelity::Lossless));
    own.sections.insert(1, (COLUMNS, head::encode_columns(&names)));
    let bytes = own.build();
    let reader = Reader::new(&bytes).unwrap();
    assert_eq!(reader.schema().columns.as_ref().unwrap().len(), width);
    let limits = Limits { model_bytes: 100_000, ..Limits::default() };
    let options = ReaderOptions { limits, cache_bytes: 0 };
    assert_eq!(Reader::new_with(&bytes, options).unwrap_err().kind(), ErrorKind::Limit);
    own.section(COLUMNS).truncate(3);
    check(&own.build()).expect_err("half the names");
}

#[test]
fn the_encoder_is_read_only_when_asked_for() {
    let encoder = EncoderRecord {
        centre: vec![0.5; 3],
        scale: vec![2.0; 3],
        clip: vec![9.0; 3],
        latent: vec![7.0; 3],
        layers: vec![(1 << 10, 1), (3, 0)],
        skip: false,
        masked: false,
        variational: false,
        params: (0..4096 + 3075).map(|i| (i as f32).sin()).collect(),
        mixture: None,
    };
    let mut own = parts(rich(3), &[4]);
    assert_eq!(Reader::new(own.build()).unwrap().encoder().unwrap(), None);
    let sections = own.sections.len();
    own.sections.insert(sections - 1, (ENCODER, encoder.encode()));
    let good = own.build();
    let reader = Reader::new(&good).unwrap();
    assert_eq!(reader.encoder().unwrap(), Some(encoder));
    reader.verify().unwrap();

    let limits = Limits { model_bytes: 20_000, ..Limits::default() };
    let options = ReaderOptions { limits, cache_bytes: 0 };
    let small = Reader::new_with(&good, options).unwrap();
    assert_eq!(small.encoder().unwrap_err().kind(), ErrorKind::Limit);

    // Its checksum is looked at without reading it, what is within is not.
    let at = good.windows(4).position(|w| w == ENCODER).unwrap();
    let mut damaged = good.clone();
    damaged[at + 5000] ^= 1;
    assert_eq!(Reader::new(&damaged).unwrap_err().kind(), ErrorKind::Corrupt);
    own.section(ENCODER)[0] = 0;
    let reader = Reader::new(own.build()).unwrap();
    reader.read_row(0, &mut [0.0_f32; 3]).unwrap();
    assert_eq!(reader.encoder().unwrap_err().kind(), ErrorKind::Corrupt);
    assert_eq!(reader.verify().unwrap_err().kind(), ErrorKind::Corrupt);
    let again = own.sections[sections - 1].clone();
    own.sections.insert(1, again);
    assert_eq!(Reader::new(own.build()).unwrap_err().kind(), ErrorKind::Corrupt);
}
