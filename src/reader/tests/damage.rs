//! Files that are cut, changed, or wrong behind right checksums.

use super::*;

/// A file with everything in it that a reader knows, and one section that it does not.
fn everything() -> Vec<u8> {
    #[allow(unused_mut)]
    let mut own = parts(rich(6), &[3, 17]);
    #[cfg(feature = "compress")]
    {
        let names: Vec<String> = (0..6).map(|j| format!("column {j}")).collect();
        own.sections.insert(1, (COLUMNS, head::encode_columns(&names)));
        let values = crate::matrix::to_little_endian(&[f32::NAN, 1e30, -0.0]);
        own.blocks[1].2 = block::encode_escapes(&[0, 7, 101], &values, 4);
    }
    own.build()
}

#[test]
fn a_file_cut_anywhere_is_refused() {
    let bytes = everything();
    check(&bytes).unwrap();
    for length in 0..bytes.len() {
        let error = check(&bytes[..length]).expect_err("cut off");
        assert_eq!(error.kind(), ErrorKind::Truncated, "{length}: {error}");
    }
    for extra in [&b"\0"[..], b"\n", b"more"] {
        let longer = [&bytes[..], extra].concat();
        check(&longer).expect_err("longer");
        // It is read nevertheless: rows may not have been appended completely.
        let info = Reader::new(&longer).unwrap().info();
        assert_eq!(info.unfinished_bytes, extra.len() as u64);
        assert_eq!(info.file_bytes, bytes.len() as u64);
    }
    let error = check(&[]).unwrap_err().to_string();
    assert!(error.contains("0 bytes"), "{error}");
    for other in ["x", "col_a,col_b\n1,2\n", &"long text ".repeat(20)] {
        let error = check(other.as_bytes()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains("not an .aez file"), "{error}");
    }
}

#[test]
fn every_flipped_bit_is_noticed() {
    let mut bytes = everything();
    for bit in 0..bytes.len() * 8 {
        bytes[bit / 8] ^= 1 << (bit % 8);
        assert!(check(&bytes).is_err(), "bit {} of byte {}", bit % 8, bit / 8);
        bytes[bit / 8] ^= 1 << (bit % 8);
    }
}

/// The error of a file that a test has spoilt.
#[track_caller]
pub(super) fn refused(spoil: impl FnOnce(&mut FileParts)) -> Error {
    let mut own = parts(plain(3), &[4, 6]);
    spoil(&mut own);
    check(&own.build()).expect_err("spoilt")
}

#[test]
fn a_wrong_frame_is_refused_although_its_checksums_are_right() {
    let corrupt = |spoil: &dyn Fn(&mut FileParts)| {
        let error = refused(spoil);
        assert_eq!(error.kind(), ErrorKind::Corrupt, "{error}");
        error.to_string()
    };
    for i in [0, 2] {
        let text = corrupt(&|p| {
            let again = p.sections[i].clone();
            p.sections.insert(3, again);
        });
        assert!(text.contains("twice"), "{text}");
    }
    corrupt(&|p| p.sections.swap(0, 2));
    corrupt(&|p| drop(p.sections.remove(0)));
    corrupt(&|p| p.section(DATA).push(0));
    corrupt(&|p| drop(p.sections.remove(2)));
    corrupt(&|p| p.codec = true);
    corrupt(&|p| p.gap = vec![0; 3]);
    corrupt(&|p| p.blocks[1].0 = 5);
    corrupt(&|p| p.blocks[1].0 = 7);
    corrupt(&|p| p.index = Some(vec![0; 12]));
    corrupt(&|p| p.index = Some(vec![1; 7]));
    corrupt(&|p| p.index = Some(vec![0xff; 60]));
    for i in 0..3 {
        for by in [1, u64::MAX, 1 << 40, 1 << 63] {
            corrupt(&|p| p.footer[i] = by);
        }
    }
    let error = refused(|p| p.sections.insert(2, (*b"Soon", vec![1, 2])));
    assert_eq!(error.kind(), ErrorKind::Unsupported);
    assert!(error.to_string().contains("Soon") && error.to_string().contains("version 0"));
    assert!(error.offset().is_some());
}

#[test]
fn a_codec_has_a_model_and_nothing_else() {
    let schema = Schema::new(DType::F32, &[3]);
    let mut own = parts(plain(3), &[]);
    own.codec = true;
    check(&own.build()).expect_err("a promise of no rows");
    *own.section(HEAD) = head::encode(&schema, None);
    let reader = Reader::new(own.build()).unwrap();
    reader.verify().unwrap();
    assert!(reader.info().codec && reader.rows() == 0 && reader.promise().is_none());
    reader.read_rows::<f32>(0..0, &mut []).unwrap();
    reader.gather::<f32>(&[], &mut []).unwrap();
    assert!(reader.read_row(0, &mut [0.0_f32; 3]).is_err());
    own.codec = false;
    check(&own.build()).expect_err("rows without a promise");
    own.codec = true;
    own.sections.retain(|s| s.0 != MODEL);
    check(&own.build()).expect_err("no model");
}

#[test]
fn lengths_beyond_the_file_are_refused_before_memory_is_taken() {
    let bytes = parts(plain(3), &[4]).build();
    for length in [u64::MAX, u64::MAX - 16, 1 << 62, 1 << 32, bytes.len() as u64] {
        let mut own = bytes.clone();
        own[HEADER_LEN + 4..HEADER_LEN + 12].copy_from_slice(&length.to_le_bytes());
        assert_eq!(check(&own).unwrap_err().kind(), ErrorKind::Truncated, "{length}");
    }
}

#[test]
fn what_exceeds_a_limit_is_refused() {
    let wide = parts(plain(3), &[4, 6]).build();
    let limited = |change: &dyn Fn(&mut Limits)| {
        let mut limits = Limits::default();
        change(&mut limits);
        Reader::new_with(&wide, ReaderOptions { limits, cache_bytes: 0 })
            .and_then(|r| r.verify())
            .map_err(|e| e.kind())
    };
    assert_eq!(limited(&|_| {}), Ok(()));
    assert_eq!(limited(&|l| l.model_bytes = 100), Err(ErrorKind::Limit));
    assert_eq!(limited(&|l| l.index_bytes = 31), Err(ErrorKind::Limit));
    assert_eq!(limited(&|l| l.index_bytes = 32), Ok(()));
    assert_eq!(limited(&|l| l.block_bytes = 70), Err(ErrorKind::Limit));
    // 65536 rows of 2^20 numbers: a file of some hundred bytes must not get 256 GiB.
    let mut bomb = parts(plain(1), &[1]);
    let schema = Schema::new(DType::F32, &[1 << 20]);
    let promise = Fidelity::Lossless;
    *bomb.section(HEAD) = head::encode(&schema, Some(&promise));
    bomb.sections.retain(|s| s.0 != MODEL);
    bomb.blocks = vec![(1 << 16, vec![0; 16], Vec::new())];
    let reader = Reader::new(bomb.build()).unwrap();
    assert_eq!(reader.verify().unwrap_err().kind(), ErrorKind::Limit);
    let mut row = vec![0.0_f32; 1 << 20];
    assert_eq!(reader.read_row(0, &mut row).unwrap_err().kind(), ErrorKind::Limit);
}

#[test]
fn damage_behind_right_checksums_does_no_harm() {
    let mut random = Random(11);
    let (mut refused, mut accepted) = (0, 0);
    for round in 0..3000 {
        let mut own = parts(if round % 2 == 0 { plain(3) } else { rich(6) }, &[2, 9]);
        #[cfg(feature = "compress")]
        if round % 3 == 0 {
            own.blocks[1].2 = block::encode_escapes(&[1, 5], &[1, 2, 3, 4, 5, 6, 7, 8], 4);
        }
        for _ in 0..=random.below(2) {
            let target = match random.below(8) {
                0 => own.section(HEAD),
                1..=4 => own.section(MODEL),
                5 => &mut own.blocks[1].2,
                _ => &mut own.blocks[1].1,
            };
            if target.is_empty() {
                continue;
            }
            let at = random.below(target.len() as u64) as usize;
            match random.below(4) {
                0 => target.truncate(at),
                1 => target.insert(at, random.below(256) as u8),
                2 => target[at] = random.below(256) as u8,
                _ => target[at] ^= 1 << random.below(8),
            }
        }
        let limits = Limits { model_bytes: 1 << 24, block_bytes: 1 << 24, index_bytes: 1 << 20 };
        let options = ReaderOptions { limits, cache_bytes: 1 << 12 };
        match Reader::new_with(own.build(), options).and_then(|r| {
            let mut bytes = vec![0; r.rows() * r.schema().row_bytes()];
            let whole = r.read_bytes(0, &mut bytes);
            let _ = r.latents(0..r.rows());
            r.verify().and(whole)
        }) {
            Ok(()) => accepted += 1,
            Err(_) => refused += 1,
        }
    }
    assert!(refused > 1500 && accepted > 0, "{refused} refused, {accepted} accepted");
}

#[test]
fn a_file_that_changes_after_opening_is_noticed() {
    let bytes = everything();
    let file = Scratch::new("changing", &bytes);
    let reader = Reader::open(&file.0).unwrap();
    reader.verify().unwrap();
    for at in [3, HEADER_LEN + 14, bytes.len() - 50, bytes.len() - 10] {
        let mut other = bytes.clone();
        other[at] ^= 4;
        std::fs::write(&file.0, &other).unwrap();
        assert!(reader.verify().is_err(), "byte {at}");
    }
    std::fs::write(&file.0, &bytes[..bytes.len() / 2]).unwrap();
    let whole = reader.verify().unwrap_err();
    assert_eq!(whole.kind(), ErrorKind::Truncated, "{whole}");
}

#[test]
fn a_block_in_anothers_place_is_noticed() {
    let own = parts(plain(2), &[5, 5]);
    let mut swapped = own.clone();
    swapped.blocks.swap(0, 1);
    // The same blocks in the other order are a valid file…
    check(&swapped.build()).unwrap();
    // …but a block's checksum belongs to its first row.
    let (a, b) = (own.build(), swapped.build());
    assert_eq!(a.len(), b.len());
    let start = a.iter().zip(&b).position(|(a, b)| a != b).unwrap();
    let index = Reader::new(&a).unwrap().blocks.frame().index.place(0);
    assert!(start > index.offset as usize && index.rows == 5);
    let first = &a[index.offset as usize..][..index.length];
    let mut doubled = own.clone();
    doubled.blocks[1] = doubled.blocks[0].clone();
    let mut bytes = doubled.build();
    let second = index.offset as usize + index.length;
    bytes[second..second + index.length].copy_from_slice(first);
    assert_eq!(check(&bytes).unwrap_err().kind(), ErrorKind::Corrupt);
}
