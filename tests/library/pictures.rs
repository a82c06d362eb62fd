//! Folders of pictures: read as an array, written again under their names, and refused where they are
//! not alike or not whole.

use crate::support::{damaged, refused};
use aezip::input::sink::create_pictures;
use aezip::input::{OpenOptions, open};
use aezip::{DType, Matrix, Rows, Schema};
use png::{BitDepth, ColorType};
use std::fs;
use std::path::Path;

fn picture(color: ColorType, depth: BitDepth, size: [u32; 2], data: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut encoder = png::Encoder::new(&mut out, size[0], size[1]);
    encoder.set_color(color);
    encoder.set_depth(depth);
    if color == ColorType::Indexed {
        encoder.set_palette(vec![10, 20, 30, 40, 50, 60]);
    }
    let mut writer = encoder.write_header().unwrap();
    writer.write_image_data(data).unwrap();
    writer.finish().unwrap();
    out
}

fn grey(size: [u32; 2]) -> Vec<u8> {
    let data: Vec<u8> = (0..size[0] * size[1]).map(|i| (i * 37 % 251) as u8).collect();
    picture(ColorType::Grayscale, BitDepth::Eight, size, &data)
}

fn read(folder: &Path) -> aezip::Result<(Schema, Vec<u8>)> {
    let rows = open(folder, &OpenOptions::default())?;
    let mut out = vec![0; rows.len() * rows.schema().row_bytes()];
    rows.read(0, &mut out)?;
    Ok((rows.schema().clone(), out))
}

fn folder(files: &[(&str, &[u8])]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
    }
    folder
}

#[test]
fn pictures_of_every_kind_come_back() {
    use BitDepth::{Eight, One, Sixteen};
    use ColorType::{Grayscale, GrayscaleAlpha, Indexed, Rgb, Rgba};
    let noise: Vec<u8> = (0..48_u8).map(|i| i.wrapping_mul(91)).collect();
    let kinds = [
        (Grayscale, Eight, 6, vec![2, 3], DType::U8),
        (Grayscale, Sixteen, 12, vec![2, 3], DType::U16),
        (GrayscaleAlpha, Eight, 12, vec![2, 3, 2], DType::U8),
        (Rgb, Eight, 18, vec![2, 3, 3], DType::U8),
        (Rgb, Sixteen, 36, vec![2, 3, 3], DType::U16),
        (Rgba, Sixteen, 48, vec![2, 3, 4], DType::U16),
        (Grayscale, One, 2, vec![2, 3], DType::U8),
        (Indexed, One, 2, vec![2, 3, 3], DType::U8),
    ];
    for (color, depth, bytes, shape, dtype) in kinds {
        let one = picture(color, depth, [3, 2], &noise[..bytes]);
        let from =
            folder(&[("b.png", &one), ("a 1.PNG", &one), ("notes.txt", b""), (".x.png", b"")]);
        let (schema, data) = read(from.path()).unwrap();
        assert_eq!((schema.dtype, &schema.row_shape), (dtype, &shape), "{color:?} {depth:?}");
        assert_eq!(schema.origin.as_ref().unwrap().part.as_deref(), Some("a 1.PNG\nb.png"));
        match (color, depth) {
            (Grayscale, Eight) => assert_eq!(data[..6], noise[..6]),
            (Grayscale, Sixteen) => assert_eq!(data[..2], [noise[1], noise[0]]),
            (Grayscale, One) => assert!(data.iter().all(|b| [0, 255].contains(b))),
            (Indexed, _) => assert_eq!(data[..3], [10, 20, 30]),
            _ => {}
        }
        let to = tempfile::tempdir().unwrap();
        let mut sink = create_pictures(to.path(), &schema, 2).unwrap();
        sink.write(&data).unwrap();
        sink.finish().unwrap();
        let (mut again, back) = read(to.path()).unwrap();
        again.name.clone_from(&schema.name);
        assert_eq!((again, back), (schema, data));
    }
}

#[test]
fn names_from_strangers_lead_nowhere() {
    let rows = Matrix::from_slice(&[1_u8; 8], &[2, 2]).unwrap();
    for part in
        ["../a.png\nb.png", "/a.png\nb.png", "a.png\nA.png", "a.png\nb.txt", "a.png", ".png\nb.png"]
    {
        let to = tempfile::tempdir().unwrap();
        let mut schema = rows.schema().clone();
        schema.origin = Some(aezip::Origin::new("png").with_part(part));
        let mut sink = create_pictures(to.path(), &schema, 2).unwrap();
        sink.write(rows.bytes()).unwrap();
        sink.finish().unwrap();
        assert!(to.path().join("000000.png").exists() && to.path().join("000001.png").exists());
    }
}

#[test]
fn rows_that_are_no_pictures_are_refused() {
    let to = tempfile::tempdir().unwrap();
    for (dtype, shape) in [
        (DType::F32, &[2, 2][..]),
        (DType::I8, &[2, 2]),
        (DType::U8, &[2]),
        (DType::U8, &[]),
        (DType::U8, &[2, 2, 5]),
        (DType::U8, &[2, 2, 2, 2]),
    ] {
        let error = create_pictures(to.path(), &Schema::new(dtype, shape), 1).err().unwrap();
        refused(&error, "write npy instead");
    }
}

#[test]
fn damaged_pictures_are_refused() {
    let good = grey([40, 30]);
    let other = folder(&[("a.png", &good)]);
    let refusals = damaged(&good, 30, |bytes| {
        fs::write(other.path().join("b.png"), bytes).unwrap();
        read(other.path()).map(drop)
    });
    assert_eq!(refusals, 30);
    let rgb = picture(ColorType::Rgb, BitDepth::Eight, [40, 30], &[7; 3600]);
    let deep = picture(ColorType::Grayscale, BitDepth::Sixteen, [40, 30], &[7; 2400]);
    // A header that claims 2^31 - 1 lines of as many pixels, with its checksum.
    let mut bomb = good.clone();
    bomb[16..24].copy_from_slice(&[0x7f, 0xff, 0xff, 0xff, 0x7f, 0xff, 0xff, 0xff]);
    let crc = crc32(&bomb[12..29]).to_be_bytes();
    bomb[29..33].copy_from_slice(&crc);
    let mut wide = good.clone();
    wide[16..20].copy_from_slice(&[0, 1, 0, 0]);
    let crc = crc32(&wide[12..29]).to_be_bytes();
    wide[29..33].copy_from_slice(&crc);
    let cases: Vec<(Vec<u8>, &str)> = vec![
        (Vec::new(), "b.png"),
        (b"text".to_vec(), "b.png"),
        (good[..20].to_vec(), "too early"),
        (good[..good.len() - 20].to_vec(), "b.png"),
        (grey([30, 40]), "all must be of one size"),
        (grey([40, 31]), "b.png is 40 × 31"),
        (rgb, "b.png is 40 × 30, RGB"),
        (deep, "16 bits"),
        (bomb, "b.png"),
        (wide, "b.png"),
        (b"GIF89a".to_vec(), "b.png"),
    ];
    for (bytes, says) in cases {
        fs::write(other.path().join("b.png"), bytes).unwrap();
        refused(&read(other.path()).unwrap_err(), says);
    }
    refused(&read(folder(&[]).path()).unwrap_err(), "no pictures");
    refused(&read(folder(&[("a.jpg", b"")]).path()).unwrap_err(), "no pictures");
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut crc = !0_u32;
    for &byte in bytes {
        crc ^= u32::from(byte);
        for _ in 0..8 {
            crc = (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg());
        }
    }
    !crc
}
