//! What finds latents, for every codec in the same form: a network in floats.

use crate::codec::units::units;
use crate::container::encoder::EncoderRecord;
use crate::container::model::{ModelRecord, Value};
use crate::encode::floats;
use crate::error::{Error, Result};
use crate::nn::network::Network;

/// From values to latents, in the integer program's units.
#[derive(Debug, Clone)]
pub(super) struct Encoder {
    pub(super) record: EncoderRecord,
    pub(super) network: Network,
}

impl Encoder {
    /// Of a record that was read.
    pub(super) fn new(record: EncoderRecord) -> Self {
        Self { network: floats::encoder(&record), record }
    }

    /// Of a linear codec: the latents whose prediction is nearest to a row, in steps of each
    /// column. That is `y = (V·Vᵀ)⁻¹·V·x` for directions `V`; where they are at right angles, as
    /// principal components nearly are once they have been rounded, `y = V·x` over their squared
    /// lengths.
    pub(super) fn linear(m: &ModelRecord, origin: &[f64]) -> Result<Self> {
        let (latents, width) = (m.latents(), m.width());
        let (units, gain) = (units(m), (-f64::from(m.gain)).exp2());
        let scale: Vec<f64> = (0..width)
            .map(|j| match m.grids[m.grid_of[j]].value {
                Value::Ordered { unit, .. } => unit,
                _ => units[j] * f64::from(m.grids[m.grid_of[j]].fraction.min(62)).exp2(),
            })
            .collect();
        let per_step: Vec<f64> = (0..width)
            .map(|j| if scale[j] > 0.0 { gain * units[j] / scale[j] } else { 0.0 })
            .collect();
        let v: Vec<f64> =
            m.skip.iter().enumerate().map(|(at, &w)| w as f64 * per_step[at % width]).collect();
        let solved = solve(&v, latents, width)?;
        let mut params = vec![0.0; width * latents];
        for (k, row) in solved.chunks_exact(width).enumerate() {
            row.iter().enumerate().for_each(|(j, w)| params[j * latents + k] = *w as f32);
        }
        params.resize(params.len() + latents, 0.0);
        let bias = (0..width).map(|j| m.bias.get(j).map_or(0.0, |b| *b as f64 * gain * units[j]));
        let record = EncoderRecord {
            centre: origin.iter().zip(bias).map(|(o, b)| o + b).collect(),
            clip: vec![f32::MAX; width],
            latent: vec![1.0; latents],
            layers: vec![(latents, 0)],
            params,
            scale,
            ..EncoderRecord::default()
        };
        Ok(Self::new(record))
    }

    /// See [`floats::encoder_inputs`].
    pub(super) fn inputs(&self, values: &[f64], hidden: &dyn Fn(usize) -> bool) -> Vec<f32> {
        floats::encoder_inputs(&self.record, values, hidden)
    }

    /// Latents in the integer program's units: rows × latents.
    pub(super) fn latents(&self, inputs: &[f32]) -> Vec<f32> {
        let mut out = self.network.infer(inputs, inputs.len() / self.network.shape.inputs);
        for row in out.chunks_exact_mut(self.record.latent.len()) {
            row.iter_mut().zip(&self.record.latent).for_each(|(y, u)| *y *= u);
        }
        out
    }
}

/// `(V·Vᵀ)⁻¹·V` of `latents × width` directions, by Cholesky's decomposition.
fn solve(v: &[f64], latents: usize, width: usize) -> Result<Vec<f64>> {
    let row = |k: usize| &v[k * width..(k + 1) * width];
    let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let mut l = vec![0.0; latents * latents];
    for i in 0..latents {
        for j in 0..=i {
            let before: f64 = product(&l[i * latents..][..j], &l[j * latents..][..j]);
            let mut own = product(row(i), row(j)) - before;
            if i == j {
                // A direction of nothing, or one that others give: its latent is then small.
                own += 1e-9 * product(row(i), row(i)) + f64::MIN_POSITIVE;
            }
            l[i * latents + j] = if i == j { own.sqrt() } else { own / l[j * latents + j] };
        }
    }
    if l.iter().any(|x| !x.is_finite()) {
        return Err(Error::argument("the codec's directions cannot be told from each other"));
    }
    let mut out = v.to_vec();
    for k in 0..latents {
        for i in 0..k {
            let w = l[k * latents + i];
            let (above, here) = out.split_at_mut(k * width);
            here[..width].iter_mut().zip(&above[i * width..]).for_each(|(h, a)| *h -= w * a);
        }
        let d = l[k * latents + k];
        out[k * width..(k + 1) * width].iter_mut().for_each(|x| *x /= d);
    }
    for k in (0..latents).rev() {
        for i in k + 1..latents {
            let w = l[i * latents + k];
            let (here, below) = out.split_at_mut(i * width);
            let here = &mut here[k * width..(k + 1) * width];
            here.iter_mut().zip(&below[..width]).for_each(|(h, b)| *h -= w * b);
        }
        let d = l[k * latents + k];
        out[k * width..(k + 1) * width].iter_mut().for_each(|x| *x /= d);
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skew_directions_are_told_apart() {
        let v = [2.0, 0.0, 1.0, 0.0, 1.0, 3.0, -1.0, 0.5];
        let p = solve(&v, 2, 4).unwrap();
        // Rows of P times directions give 1 for the own one, 0 for the other.
        for k in 0..2 {
            for i in 0..2 {
                let dot: f64 = (0..4).map(|j| p[k * 4 + j] * v[i * 4 + j]).sum();
                assert!((dot - f64::from(u8::from(i == k))).abs() < 1e-7, "{k} {i}: {dot}");
            }
        }
    }
}
