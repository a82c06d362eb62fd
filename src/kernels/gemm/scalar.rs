//! The micro-kernel in plain Rust: the reference.

use super::micro::{Micro, Strip};

/// Any CPU.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scalar;

impl Micro<4, 8> for Scalar {
    fn tile(self, k: usize, a: Strip<'_>, b: &[f32], c: &mut [&mut [f32]], at: usize, fresh: bool) {
        for (r, c) in c.iter_mut().enumerate() {
            let c = &mut c[at..at + 8];
            if fresh {
                c.fill(0.0);
            }
            for (k, b) in b.as_chunks::<8>().0.iter().enumerate().take(k) {
                let x = a.data[r * a.row + k * a.step];
                c.iter_mut().zip(b).for_each(|(sum, b)| *sum = x.mul_add(*b, *sum));
            }
        }
    }
}
