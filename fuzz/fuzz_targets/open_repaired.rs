//! Files that are right outside and mutated inside: promise, names, model, tables, blocks.
#![no_main]

use libfuzzer_sys::{Corpus, fuzz_target};

fuzz_target!(|bytes: &[u8]| -> Corpus {
    let Some(file) = aezip_fuzz::repair(bytes) else { return Corpus::Reject };
    aezip_fuzz::look_at_all(&file);
    Corpus::Keep
});
