//! How a training with a textbook objective went, pass by pass.

/// A pass over the rows in a training with a textbook objective. Errors are shares of the variance
/// of all values; losses add to the error the terms that were asked for.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Epoch {
    /// From 0.
    pub index: usize,
    /// Mean loss of the batches, measured while training.
    pub loss: f64,
    /// The squared error in that loss; where values are hidden, of those only.
    pub error: f64,
    /// Mean loss of the rows held out, with the same noise in each pass; none where all rows are
    /// trained on.
    pub held_out: Option<f64>,
    /// The squared error in that loss.
    pub held_out_error: Option<f64>,
    /// With a variational objective: the divergence, in nats per row, on rows held out.
    pub kl: Option<f64>,
    /// With a variational objective: the lower bound on `ln p(row)`, on rows held out, with a
    /// normal distribution of the deviation of all values around what the decoder gives.
    pub elbo: Option<f64>,
    /// Share of latents that are exactly 0, on rows held out.
    pub zeros: f64,
    /// Seconds since the training began.
    pub seconds: f64,
}

/// How a training with a textbook objective went.
#[derive(Debug, Clone, PartialEq, Default)]
#[non_exhaustive]
pub struct History {
    /// All passes, in order.
    pub epochs: Vec<Epoch>,
}

impl History {
    /// The pass whose weights were kept: the best on rows held out, or the last where none were;
    /// none of no passes.
    pub fn kept(&self) -> Option<&Epoch> {
        let judged = |e: &&Epoch| e.held_out.is_some();
        let loss = |e: &&Epoch| e.held_out.unwrap_or(f64::INFINITY);
        let best = self.epochs.iter().filter(judged).min_by(|a, b| loss(a).total_cmp(&loss(b)));
        best.or(self.epochs.last())
    }

    /// The passes as CSV: a line of names, then a line for each pass, with empty cells for what a
    /// pass does not have. Epochs count from 1.
    pub fn to_csv(&self) -> String {
        let mut out =
            String::from("epoch,loss,error,held_out,held_out_error,kl,elbo,zeros,seconds\n");
        let number = |x: Option<f64>| x.map_or_else(String::new, |x| format!("{x:.6e}"));
        for e in &self.epochs {
            let numbers = [
                Some(e.loss),
                Some(e.error),
                e.held_out,
                e.held_out_error,
                e.kl,
                e.elbo,
                Some(e.zeros),
            ];
            let numbers: Vec<String> = numbers.into_iter().map(number).collect();
            let line = format!("{},{},{:.2}\n", e.index + 1, numbers.join(","), e.seconds);
            out.push_str(&line);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn epoch(index: usize, held_out: Option<f64>) -> Epoch {
        Epoch {
            index,
            loss: 0.5,
            error: 0.25,
            held_out,
            held_out_error: held_out,
            kl: None,
            elbo: None,
            zeros: 0.0,
            seconds: 1.5,
        }
    }

    #[test]
    fn the_best_pass_is_kept_and_told_in_a_table() {
        let told = |held: &[Option<f64>]| {
            let epochs = held.iter().enumerate().map(|(i, h)| epoch(i, *h)).collect();
            History { epochs }
        };
        let history = told(&[Some(3.0), Some(1.0), Some(2.0)]);
        assert_eq!(history.kept().unwrap().index, 1);
        assert_eq!(told(&[None, None]).kept().unwrap().index, 1);
        assert_eq!(told(&[]).kept(), None);
        let csv = history.to_csv();
        let lines: Vec<&str> = csv.lines().collect();
        assert_eq!(lines.len(), 4);
        let names = lines[0].split(',').count();
        assert!(lines.iter().all(|l| l.split(',').count() == names), "{csv}");
        assert!(lines[2].starts_with("2,5.000000e-1,2.500000e-1,1.0"), "{csv}");
    }
}
