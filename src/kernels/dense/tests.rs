use super::*;
use std::cell::Cell;

thread_local! {
    /// The path that this thread took last.
    pub(super) static RAN: Cell<Option<Isa>> = const { Cell::new(None) };
}

/// Numbers in `-bound..=bound`, the largest ones often.
fn numbers(count: usize, bound: i64, seed: u64) -> Vec<i64> {
    let mut state = seed;
    let mut next = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 33) as i64
    };
    (0..count)
        .map(|_| match next() % 8 {
            0 => bound,
            1 => -bound,
            _ => next() % (2 * bound + 1) - bound,
        })
        .collect()
}

#[test]
fn every_path_equals_the_plain_sum() {
    for isa in Isa::available() {
        for inputs in [1, 2, 3, 7, 16, 33] {
            for width in [1, 15, 16, 17, 31, 33, 40] {
                for rows in (0..=14).chain([25, 48]) {
                    let weights = numbers(inputs * width, 32_767, 1);
                    let panels = Panels::new(inputs, width, |i, c| weights[i * width + c]);
                    let padded = panels.padded_inputs();
                    let x: Vec<i16> =
                        numbers(rows * padded, 900, 2).into_iter().map(|x| x as i16).collect();
                    let mut sums = vec![-1; rows * panels.padded_width()];
                    let pairs = inputs / 5..inputs.div_ceil(2);
                    panels.sums_on(isa, pairs.clone(), &x, &mut sums);
                    assert_eq!(RAN.take(), Some(isa));
                    for r in 0..rows {
                        for c in 0..width {
                            let used = 2 * pairs.start..inputs.min(2 * pairs.end);
                            let plain: i64 = used
                                .map(|i| weights[i * width + c] * i64::from(x[r * padded + i]))
                                .sum();
                            let sum = i64::from(sums[r * panels.padded_width() + c]);
                            assert_eq!(sum, plain, "{isa:?} {inputs} {width} {rows}");
                        }
                    }
                }
            }
        }
    }
}

#[test]
fn extremes_are_exact() {
    for isa in Isa::available() {
        // -2^15 · -2^15 · 2 leaves 32 bits by one and wraps.
        let panels = Panels::new(2, 16, |_, _| -32_768);
        let mut sums = [0; 16];
        panels.sums_on(isa, 0..1, &[-32_768, -32_768], &mut sums);
        assert_eq!(sums, [i32::MIN; 16], "{isa:?}");
        panels.sums_on(isa, 0..1, &[-32_768, 32_767], &mut sums);
        assert_eq!(sums, [32_768; 16], "{isa:?}");
        panels.sums_on(isa, 0..0, &[7, 7], &mut sums);
        assert_eq!(sums, [0; 16], "{isa:?}");
    }
}

#[test]
#[cfg(target_arch = "x86_64")]
fn vectors_of_512_bits_need_no_fused_sums() {
    let Some(avx512) = crate::kernels::x86::Avx512::new() else { return };
    for (inputs, width, rows) in [(1, 1, 1), (7, 33, 5), (16, 48, 8), (33, 70, 25)] {
        let weights = numbers(inputs * width, 32_767, 3);
        let panels = Panels::new(inputs, width, |i, c| weights[i * width + c]);
        let padded = panels.padded_inputs();
        let x: Vec<i16> = numbers(rows * padded, 900, 4).into_iter().map(|x| x as i16).collect();
        let mut sums = [(); 2].map(|()| vec![-1; rows * panels.padded_width()]);
        let pairs = 0..inputs.div_ceil(2);
        panels.sums_on(Isa::Scalar, pairs.clone(), &x, &mut sums[0]);
        run(avx512.without_vnni(), panels.product(pairs, &x, &mut sums[1]));
        assert_eq!(sums[0], sums[1], "{inputs} {width} {rows}");
    }
}
