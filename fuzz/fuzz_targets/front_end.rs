//! The front end on any bytes: it must neither panic nor hang, and what must always hold is checked.
//!
//!     cargo +nightly fuzz run front_end

#![no_main]

use libfuzzer_sys::fuzz_target;
use snapc::diagnostic::render::render;
use snapc::diagnostic::{Report, SourceId};
use snapc::syntax::{format, parse, source_from_bytes};

fuzz_target!(|bytes: &[u8]| {
    let (source, diagnostics) = match source_from_bytes(SourceId(0), "fuzz.snap", bytes) {
        Ok(source) => {
            let diagnostics = parse(&source).diagnostics;
            (source, diagnostics)
        }
        Err(refused) => {
            let (source, diagnostic) = *refused;
            (source, vec![diagnostic])
        }
    };
    let sources = [source];
    let text = render(&diagnostics, &sources, false);
    let snippets = text.matches("─[ fuzz.snap:").count();
    assert!(
        snippets >= diagnostics.len(),
        "a snippet is missing:\n{text}"
    );
    Report::new(&diagnostics, &sources);

    let [mut source] = sources;
    if diagnostics.is_empty() {
        let formatted = format(&source).expect("the source parses");
        source.text.clone_from(&formatted);
        let again = format(&source).expect("a formatted source parses");
        assert_eq!(again, formatted, "formatting twice changes something");
    }
});
