//! Without loss: every bit comes back, and each column takes the bytes of what it is like.

use aezip::{Config, Element, Fidelity, Matrix, Reader, Rows, compress};

const ROWS: usize = 20_000;

/// Numbers without pattern, from 0 to 1.
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let x = self.0 ^ self.0 >> 33;
        x.wrapping_mul(0xff51_afd7_ed55_8ccd) ^ x >> 29
    }

    fn below(&mut self, n: u64) -> u64 {
        (self.next() >> 11) % n
    }
}

/// Compresses columns of equal length, checks that every bit of them comes back, all at once and row
/// by row, and returns the size of the file.
fn bytes_of<T: Element + Default>(columns: &[Vec<T>], level: u8) -> usize {
    let (rows, width) = (columns[0].len(), columns.len());
    let values: Vec<T> = (0..rows).flat_map(|i| columns.iter().map(move |c| c[i])).collect();
    let matrix = Matrix::from_slice(&values, &[width]).unwrap();
    let mut config = Config::default();
    config.fidelity = Fidelity::Lossless;
    config.level = level;
    let mut file = Vec::new();
    compress(&matrix, &config, &mut file).unwrap();
    let reader = Reader::new(&file).unwrap();
    reader.verify().unwrap();
    let row_bytes = width * size_of::<T>();
    let mut back = vec![0; rows * row_bytes];
    reader.read_bytes(0, &mut back).unwrap();
    let mut bytes = vec![0; back.len()];
    matrix.read(0, &mut bytes).unwrap();
    assert!(back == bytes, "bits have changed");
    for i in [0, 1, rows / 2, rows - 1] {
        let mut row = vec![0; row_bytes];
        reader.read_bytes(i, &mut row).unwrap();
        assert!(row == bytes[i * row_bytes..(i + 1) * row_bytes], "row {i}");
    }
    file.len()
}

/// Bytes of columns that are packed by pco, each by itself.
fn pco_by_column<T: pco::data_types::Number>(columns: &[Vec<T>]) -> usize {
    let config = pco::ChunkConfig::default().with_enable_8_bit(true);
    let packed = |c: &Vec<T>| pco::standalone::simple_compress(c, &config).unwrap().len();
    columns.iter().map(packed).sum()
}

fn decimals(noise: &mut Noise) -> Vec<f64> {
    (0..ROWS).map(|_| noise.below(4000) as f64 / 1e6).collect()
}

/// A third of the values a unit in the last place off, as sums of decimals are.
fn off(values: Vec<f64>, noise: &mut Noise) -> Vec<f64> {
    let shift = |x: f64, n| match n {
        0 if x > 0.0 => f64::from_bits(x.to_bits() - 1),
        1 => f64::from_bits(x.to_bits() + 1),
        _ => x,
    };
    values.into_iter().map(|x| shift(x, noise.below(6))).collect()
}

#[test]
fn a_column_whose_last_bits_are_noise_does_not_spoil_the_others() {
    let noise = &mut Noise(1);
    let few: Vec<f64> = (0..40).map(|_| noise.below(1 << 40) as f64 / 7.0).collect();
    let columns = [
        off(decimals(noise), noise),
        off(decimals(noise), noise),
        decimals(noise),
        (0..ROWS).map(|_| few[noise.below(40) as usize]).collect(),
    ];
    // 11.97 bits each for the decimals, 1.25 for a third that is off, 5.32 for one of 40: 109,300.
    let bytes = bytes_of(&columns, 1);
    assert!(bytes < 111_500, "{bytes}");
    assert!(bytes as f64 <= 1.01 * pco_by_column(&columns) as f64);
}

#[test]
fn means_put_in_place_of_missing_readings_cost_little() {
    let noise = &mut Noise(2);
    let mut tenths = 150_i64;
    let mut column = |share: u64| -> Vec<f64> {
        let mut reading = || {
            tenths += noise.below(11) as i64 - 5;
            match noise.below(100) {
                n if n < share => ((tenths as f64 / 10.0 + 0.1 / 3.0) * 1e6).round() / 1e6,
                _ => tenths as f64 / 10.0,
            }
        };
        (0..ROWS).map(|_| reading()).collect()
    };
    let clean = bytes_of(&[column(0)], 1);
    let filled = bytes_of(&[column(3)], 1);
    // Three in a hundred: 0.2 bits to say which, and 3 % of about 16.
    assert!(filled < clean + 3000, "{clean} {filled}");
}

#[test]
fn no_table_is_larger_than_its_columns_packed_by_pco() {
    let noise = &mut Noise(3);
    let mut time = 1_700_000_000_000_000_000_i64;
    let nanoseconds: Vec<i64> = (0..ROWS)
        .map(|_| {
            time += 1_000_000_000 + noise.below(2000) as i64;
            time
        })
        .collect();
    let curve: Vec<i64> = (0..ROWS as i64).map(|i| i * i * i + noise.below(3) as i64).collect();
    let wide: Vec<i64> = (0..ROWS).map(|_| noise.next() as i64).collect();
    let thousands: Vec<i64> = (0..ROWS).map(|_| 1000 * noise.below(500) as i64 + 7).collect();
    let integers = [nanoseconds, curve, wide, thousands];
    let mut walk = 0.0;
    let steps: Vec<f32> = (0..ROWS)
        .map(|_| {
            walk += noise.below(1000) as f32 / 999.0 - 0.5;
            walk
        })
        .collect();
    let quantised: Vec<f32> = (0..ROWS)
        .map(|_| f32::from_bits(0x3f80_0000 | (noise.below(1 << 10) << 13) as u32))
        .collect();
    let skewed: Vec<f32> = (0..ROWS).map(|_| 1.0 / (1.0 + noise.below(1 << 20) as f32)).collect();
    let floats = [steps, quantised, skewed];
    // Besides, a file has a head, an index and a footer.
    let most = |pco: usize| (pco as f64 * 1.01) as usize + 300;
    for column in &integers {
        let column = std::slice::from_ref(column);
        let bytes = bytes_of(column, 1);
        assert!(bytes <= most(pco_by_column(column)), "{bytes} {}", pco_by_column(column));
    }
    for column in &floats {
        let column = std::slice::from_ref(column);
        let bytes = bytes_of(column, 1);
        assert!(bytes <= most(pco_by_column(column)), "{bytes} {}", pco_by_column(column));
    }
    assert!(bytes_of(&integers, 1) <= most(pco_by_column(&integers)));
    assert!(bytes_of(&floats, 2) <= most(pco_by_column(&floats)));
}

#[test]
fn specials_among_decimals_come_back_to_the_bit() {
    let noise = &mut Noise(4);
    let patterns = [
        (-0.0_f64).to_bits(),
        f64::INFINITY.to_bits(),
        f64::NEG_INFINITY.to_bits(),
        f64::NAN.to_bits() | 0x2a,
        0x7ff0_0000_0000_0001,
        0xfff8_0000_0000_0003,
        1,
        f64::MAX.to_bits(),
        f64::MIN.to_bits(),
    ];
    for every in [3, 60, 2000] {
        let mut sprinkled = |column: Vec<f64>| -> Vec<f64> {
            let mut pick = |x: f64| match noise.below(every) {
                0 => f64::from_bits(patterns[noise.below(9) as usize]),
                _ => x,
            };
            column.into_iter().map(&mut pick).collect()
        };
        let own = &mut Noise(every);
        let clean = decimals(own);
        let columns =
            [sprinkled(off(clean.clone(), own)), sprinkled(clean), sprinkled(vec![0.1; ROWS])];
        let columns = columns.map(|c| c[..5000].to_vec());
        bytes_of(&columns, 1);
        bytes_of(&columns.map(|c| c.iter().map(|x| *x as f32).collect()), 2);
    }
}
