//! Interrupting long work: the first Ctrl-C asks it to stop, the second ends the program.

use std::io::IsTerminal;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::output::Failure;

/// A flag that is set when the program is asked to stop (Ctrl-C, `kill`).
pub(super) fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::SeqCst) {
            if std::io::stderr().is_terminal() {
                // A live view leaves the cursor behind its last line.
                eprintln!();
            }
            // 130: ended by an interrupt, as shells have it.
            std::process::exit(130);
        }
    })
    .map_err(|error| Failure::Runtime(format!("can't listen for interrupts: {error}")))?;
    Ok(stop)
}
