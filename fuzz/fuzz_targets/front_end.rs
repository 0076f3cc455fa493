//! The front end on any bytes: it must neither panic nor hang, and what must always hold is checked.
//!
//!     cargo +nightly fuzz run front_end

#![no_main]

use libfuzzer_sys::fuzz_target;
use snapc::diagnostic::render::render;
use snapc::diagnostic::{Report, Source, SourceId};
use snapc::graph::{Laws, build, canonical_text, canonicalise};
use snapc::syntax::{format, parse, source_from_bytes};
use snapc::types::{DefinitionId, Kind, check};

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
        compile(&source);
    }
});

/// Checks what parses. Every net that is accepted must expand, and its canonical form must print as
/// a program that is accepted too and has the same certificate.
fn compile(source: &Source) {
    let checked = check(&parse(source).file);
    render(&checked.diagnostics, std::slice::from_ref(source), false);
    if checked.has_errors() {
        return;
    }
    let nets: Vec<DefinitionId> = checked
        .program
        .of_kind(Kind::Net)
        .filter(|(_, net)| !net.has_hole)
        .map(|(id, _)| id)
        .collect();
    for net in nets {
        let graph = build(&checked.program, net).expect("an accepted net expands");
        // The printer's schedules take longer than fuzzing can wait for on huge graphs.
        if graph.nodes.len() > 200 {
            continue;
        }
        let canonical = canonicalise(&graph, Laws::Real);
        let printed = Source::new("canonical.snap", canonical_text(&canonical));
        let again = check(&parse(&printed).file);
        assert_eq!(again.diagnostics, [], "{}", printed.text);
        let (id, _) = again
            .program
            .of_kind(Kind::Net)
            .next()
            .expect("a net is printed");
        let graph = build(&again.program, id).expect("a printed net expands");
        let certificate = canonicalise(&graph, Laws::Real).certificate;
        assert!(certificate == canonical.certificate, "{}", printed.text);
    }
}
