//! Training of an autoencoder: rows per second.
//!
//! By itself it measures a few windows. With `--serve` it measures one window of so many steps for
//! each number on its input, for `versus_torch.py`.

use aezip::internals::Autoencoder;
use std::io::BufRead;
use std::time::Instant;

const BATCH: usize = 256;
const ROWS: usize = 16_384;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let widths: Vec<usize> = arguments.iter().filter_map(|a| a.parse().ok()).collect();
    let widths = if widths.is_empty() { vec![784, 512, 256, 32, 256, 512, 784] } else { widths };
    let mut state = 1_u64;
    let mut random = || {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (state >> 40) as f32 / (1 << 24) as f32
    };
    let rows: Vec<f32> = (0..ROWS * widths[0]).map(|_| random()).collect();
    // A shuffled order that stays.
    let mut order: Vec<usize> = (0..ROWS).collect();
    order.sort_by_key(|i| (i.wrapping_mul(2_654_435_761)) & 0xffff_ffff);
    let mut net = Autoencoder::new(&widths, false, 0);
    let mut at = 0;
    let mut window = |steps: usize| {
        let start = Instant::now();
        let mut loss = 0.0;
        for _ in 0..steps {
            loss = net.step(&rows, &order[at..at + BATCH], 1e-3);
            at = (at + BATCH) % ROWS;
        }
        ((steps * BATCH) as f64 / start.elapsed().as_secs_f64(), loss)
    };
    window(20);
    if arguments.iter().any(|a| a == "--serve") {
        for line in std::io::stdin().lock().lines() {
            let steps = line.expect("input").trim().parse().expect("a number of steps");
            let (speed, loss) = window(steps);
            println!("{speed:.0} {loss:.6}");
        }
        return;
    }
    for _ in 0..5 {
        let (speed, loss) = window(50);
        println!("{speed:.0} rows/s, loss {loss:.4}");
    }
}
