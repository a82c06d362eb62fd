//! What rounding the decoder's weights to few bits costs the rows of a file: latents and residuals
//! with weights as the file has them against weights 16 times as fine, all else equal.
//!
//! `cargo bench -p aezip-benches --bench baking -- FILE PROMISE VALUE [LEVEL]`, as in
//! `data.npy nmse 0.1 9`; by itself it takes the sample.

use aezip::internals::compress_finer;
use aezip::{Config, Fidelity, Rows};
use aezip_benches::sample;

fn main() {
    let given: Vec<String> = std::env::args().skip(1).filter(|a| a != "--bench").collect();
    let rows: Box<dyn Rows> = match given.first() {
        Some(path) => aezip::input::open(path, &Default::default()).expect("rows"),
        None => Box::new(sample()),
    };
    let mut config = Config::default();
    let word = |i: usize, usual: &'static str| given.get(i).map_or(usual, |s| s.as_str());
    config.fidelity = Fidelity::parse(word(1, "nmse"), word(2, "0.05")).expect("a promise");
    config.level = word(3, "5").parse().expect("a level");
    let mut baked = None;
    let mut hidden = None;
    for finer in [1.0, 16.0] {
        let report = compress_finer(&*rows, &config, finer).expect("compressed");
        let same = hidden.get_or_insert_with(|| report.hidden.clone());
        assert_eq!(*same, report.hidden, "another codec was taken");
        // The tables belong to what they code: there may be more of them, and less of it.
        let bytes = report.bytes_out - report.decoder_bytes;
        let more = 100.0 * (*baked.get_or_insert(bytes) as f64 / bytes as f64 - 1.0);
        println!(
            "{} {} -{}: weights {finer:>2} times as fine: decoder {:>8}, rest {:>9}, baked {more:+.2} % \
             (NMSE {:.5}, hidden {:?})",
            word(0, "sample"),
            config.fidelity,
            config.level,
            report.decoder_bytes,
            bytes,
            report.measured.nmse,
            report.hidden
        );
    }
}
