//! Arrays that are cut into tiles read as those that are not.

use super::*;
use crate::container::file::FileWriter;
use crate::matrix::Tiling;
use std::ops::Range;

/// What a cell of a tile holds that the array has not.
const BEYOND: u32 = 0xdead_beef;

/// Returns a file of an array whose values are their places in memory, with blocks of 1 to `most`
/// tiles.
fn file(tiling: &Tiling, most: u64, random: &mut Random) -> Vec<u8> {
    let schema =
        Schema { tiling: Some(tiling.clone()), ..Schema::new(DType::U32, &tiling.row_shape()) };
    let mut out = Vec::new();
    let promise = Fidelity::Lossless;
    let mut writer = FileWriter::begin_with(&mut out, &schema, Some(&promise), None, &[]).unwrap();
    let mut next = 0;
    while next < tiling.tiles() {
        let count = (1 + random.below(most) as usize).min(tiling.tiles() - next);
        let mut bytes = Vec::new();
        for number in next..next + count {
            let mut cells = vec![BEYOND; schema.width()];
            tiling.own_lines(number, |offset, at, length| {
                (0..length).for_each(|i| cells[offset + i] = (at + i) as u32);
            });
            bytes.extend(cells.iter().flat_map(|cell| cell.to_le_bytes()));
        }
        let block = block::encode_exact(next as u64, &bytes, 4, 1);
        writer.block(count, &block).unwrap();
        next += count;
    }
    writer.finish().unwrap();
    out
}

/// The same array in rows, and in a shape that has an axis.
fn plain(shape: &[usize]) -> Vec<u8> {
    let (rows, row_shape) = shape.split_first().unwrap_or((&1, &[]));
    let schema = Schema::new(DType::U32, row_shape);
    let mut out = Vec::new();
    let promise = Fidelity::Lossless;
    let mut writer = FileWriter::begin_with(&mut out, &schema, Some(&promise), None, &[]).unwrap();
    let bytes: Vec<u8> =
        (0..(rows * schema.width()) as u32).flat_map(|cell| cell.to_le_bytes()).collect();
    writer.block(*rows, &block::encode_exact(0, &bytes, 4, 1)).unwrap();
    writer.finish().unwrap();
    out
}

/// Returns the places in memory of a box's values, found one by one.
fn places(shape: &[usize], ranges: &[Range<usize>]) -> Vec<u32> {
    let mut out = vec![0];
    for (&n, range) in shape.iter().zip(ranges) {
        out = out
            .iter()
            .flat_map(|at| range.clone().map(move |i| at * n as u32 + i as u32))
            .collect();
    }
    out
}

fn below(random: &mut Random, end: usize) -> usize {
    random.below(end as u64) as usize
}

fn range(random: &mut Random, end: usize) -> Range<usize> {
    let (a, b) = (below(random, end + 1), below(random, end + 1));
    a.min(b)..a.max(b)
}

/// An array of rank 0 to 5, cut in its own shape or another.
fn tiling(random: &mut Random) -> Tiling {
    let rank = below(random, 6);
    let most = [1, 200, 30, 12, 7, 5][rank];
    let array: Vec<usize> = (0..rank).map(|_| 1 + below(random, most)).collect();
    let values = array.iter().product();
    let view: Vec<usize> = match below(random, 6) {
        _ if rank == 0 => vec![1; 1 + below(random, 3)],
        0 => array.iter().rev().copied().collect(),
        1 => vec![values],
        2 => [&[array[0] * array.get(1).unwrap_or(&1)], array.get(2..).unwrap_or(&[])].concat(),
        _ => array.clone(),
    };
    let tile: Vec<usize> = view.iter().map(|&n| 1 + below(random, n)).collect();
    let grid: Vec<usize> = view.iter().zip(&tile).map(|(v, t)| v.div_ceil(*t)).collect();
    let patch: Vec<usize> = grid.iter().map(|&n| 1 + below(random, n)).collect();
    Tiling::with_patch(&array, &view, &tile, &patch).unwrap()
}

/// Compares regions, rows and gathered rows with the places that they should hold.
fn check(bytes: &[u8], shape: &[usize], random: &mut Random) {
    let cache = [0, 400, 1 << 20][below(random, 3)];
    let reader = Reader::new_with(bytes, options(cache)).unwrap();
    let (rows, row_shape) = shape.split_first().unwrap_or((&1, &[]));
    let width: usize = row_shape.iter().product();
    assert_eq!((reader.rows(), reader.row_shape()), (*rows, row_shape));
    reader.verify().unwrap();
    for _ in 0..3 {
        let ranges: Vec<Range<usize>> = shape.iter().map(|&n| range(random, n)).collect();
        let wanted = places(shape, &ranges);
        let mut out = vec![1; wanted.len()];
        // A number without an axis is read as one of an axis by those that have rows.
        let mut axes = ranges.clone();
        axes.resize(reader.shape().len(), 0..1);
        reader.read_region(&axes, &mut out).unwrap();
        assert_eq!(out, wanted, "{ranges:?} of {shape:?}");
        let own = range(random, *rows);
        let mut out = vec![1; own.len() * width];
        reader.read_rows(own.clone(), &mut out).unwrap();
        let first = (own.start * width) as u32;
        assert_eq!(out, Vec::from_iter(first..first + (own.len() * width) as u32));
        let picks: Vec<usize> = (0..below(random, 9)).map(|_| below(random, *rows)).collect();
        let mut out = vec![1; picks.len() * width];
        reader.gather(&picks, &mut out).unwrap();
        for (row, out) in picks.iter().zip(out.chunks(width)) {
            let first = (row * width) as u32;
            assert_eq!(out, Vec::from_iter(first..first + width as u32));
        }
    }
}

#[test]
fn tiles_give_what_slices_of_the_array_give() {
    let mut random = Random(19);
    for _ in 0..1000 {
        let tiling = tiling(&mut random);
        let most = [1, 5, 1000][below(&mut random, 3)];
        let bytes = file(&tiling, most, &mut random);
        let reader = Reader::new(&bytes[..]).unwrap();
        assert_eq!((reader.tiling(), &reader.shape()[..]), (Some(&tiling), tiling.array()));
        assert_eq!(reader.coded_rows(), tiling.tiles());
        check(&bytes, tiling.array(), &mut random);
    }
}

#[test]
fn regions_of_rows_are_slices_too() {
    let mut random = Random(23);
    for _ in 0..200 {
        let shape = tiling(&mut random).array().to_vec();
        check(&plain(&shape), &shape, &mut random);
    }
}

#[test]
fn regions_that_are_not_there_are_refused() {
    let tiling = Tiling::with_patch(&[5, 6], &[5, 6], &[2, 4], &[2, 2]).unwrap();
    let tiled = file(&tiling, 2, &mut Random(1));
    for bytes in [tiled, plain(&[5, 6])] {
        let reader = Reader::new(&bytes[..]).unwrap();
        let mut out = [1_u32; 30];
        let mut told = |ranges: &[Range<usize>], n: usize| {
            reader.read_region(ranges, &mut out[..n]).unwrap_err().to_string()
        };
        assert_eq!(told(&[0..5, 3..7], 20), "3..7 asked for on axis 1, which has 6");
        let few = "a region of 1 axes asked for, the array has 2: its shape is [5, 6]";
        assert_eq!(told(&vec![0..1; 1], 1), few);
        #[allow(clippy::reversed_empty_ranges)]
        let reversed = told(&[3..2, 0..6], 0);
        assert_eq!(reversed, "3..2 asked for on axis 0, which has 5");
        let room = "20 bytes of room for a region of 6 numbers of type u32";
        assert_eq!(told(&[0..2, 0..3], 5), room);
        let other = reader.read_region(&[0..1, 0..1], &mut [0_u8; 4]).unwrap_err();
        assert_eq!(other.to_string(), "asked for u8, the file holds u32");
        reader.read_region(&[0..0, 2..4], &mut out[..0]).unwrap();
    }
}

#[test]
fn rows_end_where_tiles_end() {
    let at_once = |shape: &[usize], tile: &[usize], patch: &[usize], rows: usize| {
        let tiling = Tiling::with_patch(shape, shape, tile, patch).unwrap();
        let bytes = file(&tiling, 1 << 16, &mut Random(1));
        let row: usize = shape[1..].iter().product();
        Reader::new(bytes).unwrap().rows_at_once(rows * row * 4)
    };
    assert_eq!(at_once(&[100, 6], &[4, 3], &[5, 2], 50), 40);
    assert_eq!(at_once(&[100, 6], &[4, 3], &[5, 2], 19), 16);
    assert_eq!(at_once(&[100, 6], &[4, 3], &[5, 2], 3), 3);
    assert_eq!(at_once(&[100, 6], &[1, 3], &[5, 2], 7), 5);
    assert_eq!(at_once(&[1, 60], &[1, 3], &[1, 2], 0), 1);
    let rows = Reader::new(plain(&[100, 6])).unwrap();
    assert_eq!((rows.rows_at_once(100), rows.rows_at_once(1)), (4, 1));
}
