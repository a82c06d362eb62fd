//! Whether standard output was closed when the program began (`>&-`).
//!
//! Before `main`, Rust's runtime opens `/dev/null` where it finds standard output closed. Others open it so
//! on purpose, to read and write as the runtime does, so that afterwards nobody can tell: it is looked at
//! before the runtime begins.
#![allow(unsafe_code)]

use std::io;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

static CLOSED: AtomicBool = AtomicBool::new(false);

/// Runs before `main`: where the system's loader has a list of such functions.
// SAFETY: entries of this section are pointers to functions that may be called with no arguments or
// with those of `main`, which the C calling convention lets them ignore.
#[cfg(unix)]
#[used]
#[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__mod_init_func"))]
#[cfg_attr(not(target_vendor = "apple"), unsafe(link_section = ".init_array"))]
static BEFORE_MAIN: extern "C" fn() = look;

#[cfg(unix)]
extern "C" fn look() {
    // SAFETY: the call only asks for the flags of a descriptor, whether it is open or not.
    let flags = unsafe { libc::fcntl(libc::STDOUT_FILENO, libc::F_GETFD) };
    CLOSED.store(flags == -1, Ordering::Relaxed);
}

/// Fails where what is written to standard output would be lost without a word.
pub(crate) fn expect_open() -> io::Result<()> {
    match CLOSED.load(Ordering::Relaxed) {
        true => Err(io::Error::other("it is closed")),
        false => Ok(()),
    }
}

/// Says whether `path` is another name for standard output.
pub(crate) fn is_stdout(path: &Path) -> bool {
    ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"].iter().any(|name| path == Path::new(name))
}
