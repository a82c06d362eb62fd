//! Damage done to files, and what may come of it.

use aezip::Error;

/// Fails unless an error is one line that says `says`.
pub(crate) fn refused(error: &Error, says: &str) {
    let text = error.to_string();
    assert!(text.contains(says) && !text.contains('\n'), "{says:?} is not said by {text:?}");
}

/// Damages `good` in many ways of each kind, and counts those of the kind that was refused the least
/// often: what is left may by chance be a file as good. A panic is the failure looked for.
pub(crate) fn damaged(
    good: &[u8],
    times: usize,
    read: impl Fn(&[u8]) -> aezip::Result<()>,
) -> usize {
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut below = |n: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % n.max(1) as u64) as usize
    };
    let mut refusals = 0;
    for case in 0..8 * times {
        let mut bytes = good.to_vec();
        let at = below(bytes.len());
        match case % 4 {
            0 => bytes.truncate(at),
            1 => bytes[at] ^= 1 << below(8),
            2 => {
                let end = (at + 1 + below(16)).min(bytes.len());
                bytes[at..end].fill([0, 0xff][below(2)]);
            }
            _ => drop(bytes.drain(at..(at + 1 + below(8)).min(good.len()))),
        }
        if let Err(error) = read(&bytes) {
            let text = error.to_string();
            assert!(!text.contains('\n') && text.len() > 10, "{text:?}");
            refusals += 1;
        }
    }
    refusals.min(times)
}
