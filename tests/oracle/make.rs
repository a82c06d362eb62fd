//! Random matrices and promises, described by a few numbers each.

use super::{Case, Training};
use aezip::{DType, F16, Fidelity, Matrix, Schema};

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Random(pub u64);

impl Random {
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub fn below(&mut self, end: usize) -> usize {
        (self.bits() % end.max(1) as u64) as usize
    }

    /// Between 0 and 1.
    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn one_in(&mut self, n: usize) -> bool {
        self.below(n) == 0
    }
}

/// Kinds of rows; those of the last but one mix the others column by column.
pub const SHAPES: usize = 18;
/// The one that mixes.
const MIXED: usize = 13;
/// Scales of the numbers.
const SCALES: [f64; 12] =
    [1.0, 1.0, 1.0, 100.0, 1e-3, 1e6, 1e30, 1e-30, 1e-42, 1e300, 1e-310, 1e-170];

/// How many special values there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noise {
    None,
    Few,
    Many,
    Columns,
}

/// Which promise.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wish {
    MaxError,
    Relative,
    Columns,
    Lossless,
    Nmse,
    Psnr,
    Cosine,
    Ratio,
    BytesPerRow,
    RowNmse,
    RowCosine,
    RowL2,
    PointwiseRelative,
}

impl Wish {
    pub const ALL: [Self; 13] = [
        Wish::MaxError,
        Wish::Relative,
        Wish::Columns,
        Wish::Lossless,
        Wish::Nmse,
        Wish::Psnr,
        Wish::Cosine,
        Wish::Ratio,
        Wish::BytesPerRow,
        Wish::RowNmse,
        Wish::RowCosine,
        Wish::RowL2,
        Wish::PointwiseRelative,
    ];
}

/// One matrix in so many has a network.
const TRAINED: usize = 8;
/// Decimal exponents between which scales are drawn that are given.
const EXPONENTS: [f64; 2] = [-300.0, 300.0];

/// What a case is made from.
#[derive(Debug, Clone)]
pub struct Recipe {
    pub seed: u64,
    pub dtype: DType,
    pub width: usize,
    pub rows: usize,
    pub shape: usize,
    pub noise: Noise,
    pub wish: Wish,
    pub level: u8,
    /// Scale of the values; one of a few where none is given.
    pub scale: Option<f64>,
    pub training: Training,
}

impl Recipe {
    /// One of everything at random, mostly small.
    pub fn random(random: &mut Random) -> Self {
        let width = if random.one_in(8) { 1 + random.below(64) } else { 1 + random.below(9) };
        let most = [4, 20, 40, 80, 500 / width.min(100)][random.below(5)];
        let noise = [Noise::None, Noise::None, Noise::Few, Noise::Many, Noise::Columns];
        // Promises about values four times as often as others; they are what is exact.
        let wish = if random.one_in(3) { random.below(11) } else { random.below(4) };
        let recipe = Self {
            seed: random.bits(),
            dtype: DType::ALL[random.below(11)],
            width,
            rows: random.below(most + 1),
            shape: random.below(SHAPES),
            noise: noise[random.below(5)],
            wish: Wish::ALL[wish],
            level: if random.one_in(4) { 5 } else { 1 },
            scale: random.one_in(3).then(|| {
                let [low, high] = EXPONENTS;
                10_f64.powf(low + (high - low) * random.unit())
            }),
            training: Training::None,
        };
        if random.one_in(TRAINED) { recipe.trained(random) } else { recipe }
    }

    /// The same with a network, whose training is so short that it learns next to nothing, of every
    /// kind and for every promise; of few columns and as many rows as it takes.
    fn trained(self, random: &mut Random) -> Self {
        let rows = [64, 65 + random.below(40), 150, random.below(64)][random.below(4)];
        Self {
            rows,
            width: 2 + random.below(7),
            wish: Wish::ALL[random.below(Wish::ALL.len())],
            training: Training::ALL[1 + random.below(Training::ALL.len() - 1)],
            level: 1,
            ..self
        }
    }

    pub fn case(&self) -> Case {
        let mut random = Random(self.seed);
        let usual = SCALES[random.below(SCALES.len())];
        let scale = self.scale.unwrap_or(usual);
        let size = self.dtype.size();
        let columns: Vec<Column> =
            (0..self.width).map(|_| Column::new(self.shape, scale, &mut random)).collect();
        let mut walk = vec![0.0; self.width];
        let mut bytes = Vec::with_capacity(self.rows * self.width * size);
        for i in 0..self.rows {
            let wave = random.unit();
            for (column, walk) in columns.iter().zip(&mut walk) {
                let bits = match column.bits(self.dtype, &mut random) {
                    Some(bits) => bits,
                    None => {
                        *walk += random.unit() - 0.5;
                        to_bits(self.dtype, column.value(i, wave, *walk, &mut random))
                    }
                };
                let wild = match self.noise {
                    Noise::None => false,
                    Noise::Few => random.one_in(50),
                    Noise::Many => random.one_in(2),
                    Noise::Columns => column.special,
                };
                let bits = if wild { special(self.dtype, &mut random) } else { bits };
                bytes.extend(&bits.to_le_bytes()[..size]);
            }
        }
        let mut schema = Schema::new(self.dtype, &[self.width]);
        if random.one_in(2) {
            schema.columns = Some((0..self.width).map(|j| format!("c{j}")).collect());
        }
        let fidelity = self.fidelity(scale, schema.columns.is_some(), &mut random);
        let matrix = Matrix::new(schema, bytes).expect("whole rows");
        Case { matrix, fidelity, level: self.level, training: self.training }
    }

    fn fidelity(&self, scale: f64, named: bool, random: &mut Random) -> Fidelity {
        let pick = |list: &[&str], random: &mut Random| list[random.below(list.len())].to_string();
        let bound = |random: &mut Random| -> String {
            if random.one_in(2) {
                let digits = 1 + random.below(9);
                let power = [0.1, 0.01, 1e-4, 1e-7, 1e-16][random.below(5)];
                return format!("{:e}", digits as f64 * (scale * power).clamp(1e-320, 1e300));
            }
            let fixed = [
                "0",
                "0.1",
                "0.5",
                "1",
                "1.5",
                "2",
                "7",
                "1e-3",
                "1e-7",
                "1e-9",
                "1e-30",
                "1e-320",
                "1e30",
                "1e308",
                "127.5",
                "1e19",
                "0.30000000000000004",
            ];
            pick(&fixed, random)
        };
        let (name, text) = match self.wish {
            Wish::MaxError => ("max-error", bound(random)),
            Wish::Relative => {
                let list = ["0", "0.001", "0.01", "0.1", "0.5", "1", "1e-6", "1e-12", "1e-17", "3"];
                ("max-error-rel", pick(&list, random))
            }
            Wish::Columns => {
                let mut parts = Vec::new();
                for j in 0..self.width {
                    if random.one_in(2) {
                        let name = if named { format!("c{j}") } else { j.to_string() };
                        parts.push(format!("{name}={}", bound(random)));
                    }
                }
                if parts.is_empty() || random.one_in(2) {
                    parts.push(format!("*={}", bound(random)));
                }
                ("max-error-columns", parts.join(","))
            }
            Wish::Lossless => ("lossless", String::new()),
            Wish::Nmse => ("nmse", pick(&["1e-2", "1e-6", "0.5", "1", "1e-12"], random)),
            Wish::Psnr => ("psnr", pick(&["30", "60", "120", "0", "200"], random)),
            Wish::Cosine => ("cosine", pick(&["0.9", "0.999", "0.999999999", "0.1"], random)),
            Wish::Ratio => ("ratio", pick(&["1.1", "2", "10", "0.3", "0.1"], random)),
            Wish::BytesPerRow => {
                let row = (self.width * self.dtype.size()) as f64;
                let share = [0.1, 0.5, 0.9, 3.0, 40.0][random.below(5)];
                ("bytes-per-row", format!("{}", row * share))
            }
            Wish::RowNmse => ("row-nmse", pick(&["1e-2", "1e-6", "0.5", "1"], random)),
            Wish::RowCosine => ("row-cosine", pick(&["0.9", "0.999", "0.9999999"], random)),
            Wish::PointwiseRelative => {
                let shares = ["0", "1e-7", "1e-4", "0.003", "0.01", "0.1", "0.7", "0.999"];
                ("max-error-pointwise-rel", pick(&shares, random))
            }
            Wish::RowL2 => match bound(random) {
                // Exact rows are asked for in another way.
                exact if exact == "0" => ("row-l2", "1".to_string()),
                length => ("row-l2", length),
            },
        };
        Fidelity::parse(name, &text).expect("a promise")
    }
}

/// How a column's values come about.
struct Column {
    shape: usize,
    scale: f64,
    centre: f64,
    slope: f64,
    levels: Vec<f64>,
    wild: Vec<u64>,
    special: bool,
}

impl Column {
    fn new(shape: usize, scale: f64, random: &mut Random) -> Self {
        let shape = match shape {
            MIXED => random.below(MIXED),
            // The same with the kinds that came later.
            17 => [14, 15, 16, random.below(MIXED)][random.below(4)],
            own => own,
        };
        let centre = [0.0, 0.0, 1.0, -1000.0][random.below(4)] * scale;
        let levels = (0..1 + random.below(5)).map(|_| (random.unit() - 0.5) * scale).collect();
        let wild = (0..3).map(|_| random.bits()).collect();
        let special = random.one_in(3);
        Self { shape, scale, centre, slope: random.unit() - 0.5, levels, wild, special }
    }

    /// Bit patterns, for the shapes that are about them.
    fn bits(&self, dtype: DType, random: &mut Random) -> Option<u64> {
        match self.shape {
            0 => Some(random.bits()),
            1 => Some(extreme(dtype, random)),
            // A few patterns, so that grids with odd units are found.
            2 => Some(self.wild[random.below(3)]),
            // Neighbours of an extreme.
            3 => Some(extreme(dtype, &mut Random(self.wild[0])).wrapping_add(random.bits() % 5)),
            // A crowd at the lowest or the highest finite number.
            14 => {
                Some(towards_zero(dtype, self.wild[0], random.below(1 + self.wild[1] as usize % 5)))
            }
            // The lowest among others, as where attention is masked; or a fill value.
            15 if random.one_in(2) => Some(towards_zero(dtype, self.wild[0], 0)),
            16 if random.one_in(5) => Some(to_bits(dtype, self.fill())),
            _ => None,
        }
    }

    /// What stands for nothing.
    fn fill(&self) -> f64 {
        const FILLS: [f64; 7] =
            [1e20, 9.969_209_968_386_869e36, -9999.0, -32768.0, 999_999.0, f64::MAX, -1e30];
        FILLS[self.wild[0] as usize % FILLS.len()]
    }

    fn value(&self, i: usize, wave: f64, walk: f64, random: &mut Random) -> f64 {
        let (scale, centre) = (self.scale, self.centre);
        match self.shape {
            4 => centre + scale * (i as f64 * 0.07 + self.slope).sin(),
            5 => centre + scale * walk,
            6 => self.levels[0],
            // Decimals with gaps.
            7 => (random.below(400) as f64 * 3.0 - 500.0) / 100.0 * scale,
            8 => self.levels[random.below(self.levels.len())],
            9 if random.one_in(40) => [1e30, -1e30, f64::MAX, 1e9][random.below(4)],
            9 => scale * (random.unit() - 0.5),
            // Columns that follow each other, which makes latents worth it.
            10 => centre + scale * (self.slope * wave + 0.01 * random.unit()),
            11 => centre + scale * (random.unit() + random.unit() + random.unit() - 1.5),
            15 => scale * (random.unit() - 0.5),
            16 => centre + scale * (i as f64 * 0.07 + self.slope).sin(),
            // Mostly nothing.
            _ if random.one_in(10) => scale * random.unit(),
            _ => 0.0,
        }
    }
}

fn to_bits(dtype: DType, x: f64) -> u64 {
    match dtype {
        DType::F16 => F16::from_f64(x).0.into(),
        DType::F32 => (x as f32).to_bits().into(),
        DType::F64 => x.to_bits(),
        DType::U8 => (x as u8).into(),
        DType::I8 => x as i8 as u64,
        DType::U16 => (x as u16).into(),
        DType::I16 => x as i16 as u64,
        DType::U32 => (x as u32).into(),
        DType::I32 => x as i32 as u64,
        DType::U64 => x as u64,
        DType::I64 => x as i64 as u64,
    }
}

/// Zeros, ends of the range, and of the subnormal range.
fn extreme(dtype: DType, random: &mut Random) -> u64 {
    let bits = 8 * dtype.size() as u32;
    let sign = 1_u64 << (bits - 1);
    let infinity = match dtype {
        DType::F16 => 0x7c00,
        DType::F32 => 0x7f80_0000,
        DType::F64 => 0x7ff0_0000_0000_0000,
        _ => sign - 1,
    };
    let quantum = infinity & infinity.wrapping_neg();
    let list = [0, 1, quantum, quantum - 1, infinity - 1, sign - 1, 2, u64::MAX >> (64 - bits)];
    let own = list[random.below(list.len())];
    if random.one_in(2) { own } else { own ^ sign }
}

/// The number `steps` representable ones from an end of the type's range; `which` says which end.
fn towards_zero(dtype: DType, which: u64, steps: usize) -> u64 {
    let sign = 1_u64 << (8 * dtype.size() - 1);
    let largest = match dtype {
        DType::F16 => 0x7bff,
        DType::F32 => 0x7f7f_ffff,
        DType::F64 => 0x7fef_ffff_ffff_ffff,
        DType::I8 | DType::I16 | DType::I32 | DType::I64 => {
            let own = if which & 1 == 0 { sign - 1 - steps as u64 } else { sign + steps as u64 };
            return own;
        }
        _ => return if which & 1 == 0 { sign - 1 + sign - steps as u64 } else { steps as u64 },
    };
    (largest - steps as u64) | if which & 1 == 0 { 0 } else { sign }
}

/// NaN with any payload and sign, infinities; extremes of integers.
fn special(dtype: DType, random: &mut Random) -> u64 {
    let (infinity, mantissa, sign) = match dtype {
        DType::F16 => (0x7c00, 0x3ff, 0x8000),
        DType::F32 => (0x7f80_0000, 0x007f_ffff, 1 << 31),
        DType::F64 => (0x7ff0_0000_0000_0000, 0x000f_ffff_ffff_ffff, 1 << 63),
        _ => return extreme(dtype, random),
    };
    let payload = [0, 0, mantissa, random.bits() & mantissa][random.below(4)];
    infinity | payload | if random.one_in(2) { sign } else { 0 }
}
