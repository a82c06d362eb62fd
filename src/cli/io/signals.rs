//! What ends the program from outside: Ctrl-C, a closed terminal, a request to stop.
#![allow(unsafe_code)]

/// Calls `end`, on a thread of its own, when the program is to end.
///
/// A signal that is ignored when the program starts stays ignored: under nohup that is the closed
/// terminal's, in the background of a script that of Ctrl-C. The others are handled all the same.
#[cfg(unix)]
pub(crate) fn on_interrupt(end: impl Fn() + Send + 'static) {
    use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
    use signal_hook::iterator::Signals;
    let wanted = [SIGHUP, SIGINT, SIGTERM].into_iter().filter(|&signal| !is_ignored(signal));
    // Without a handler the system ends the program, and the next run sweeps up what it leaves.
    let Ok(mut signals) = Signals::new(wanted) else { return };
    let watch = move || signals.forever().for_each(|_| end());
    let _ = std::thread::Builder::new().name("signals".to_string()).spawn(watch);
}

#[cfg(not(unix))]
pub(crate) fn on_interrupt(end: impl Fn() + Send + 'static) {
    let _ = ctrlc::try_set_handler(end);
}

/// Says whether a signal is ignored.
#[cfg(unix)]
fn is_ignored(signal: std::ffi::c_int) -> bool {
    let mut now = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: without a new action the call only writes the present one to `now`. A structure of
    // zeros, which it stays if the call fails, is valid too.
    let (done, now) = unsafe {
        let done = libc::sigaction(signal, std::ptr::null(), now.as_mut_ptr());
        (done, now.assume_init())
    };
    done == 0 && now.sa_sigaction == libc::SIG_IGN
}
