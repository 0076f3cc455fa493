//! The canonical form: what it makes equal, what it keeps apart, and how it prints.

mod architecture;
mod difference;
mod graphs;
mod laws;
mod nas_bench_101;
mod oracles;
mod sharing;
mod symmetry;
mod text;
mod variables;

use std::collections::HashSet;

use graphs::stack;
use snapc::diagnostic::Source;
use snapc::graph::{
    Canonicaliser, Graph, Laws, NodeId, NodeKind, build, canonical_text, canonicalise,
};
use snapc::operations::Class;
use snapc::types::DefinitionId;
use snapc::{syntax, types};

/// The sets that the slow oracle knows.
const BOTH: [Laws; 2] = [Laws::Exact, Laws::Real];

const ALL: [Laws; 3] = [Laws::Exact, Laws::Real, Laws::Architecture];

fn are_equal(left: &Graph, right: &Graph, laws: Laws) -> bool {
    let (left, right) = (canonicalise(left, laws), canonicalise(right, laws));
    assert_eq!(left.certificate == right.certificate, left.key == right.key);
    left.certificate == right.certificate
}

/// Checks everything that holds of the form of a single graph.
fn check_form(graph: &Graph, laws: Laws) {
    let canonical = canonicalise(graph, laws);
    let again = canonicalise(&canonical.graph, laws);
    assert_eq!(
        again.certificate, canonical.certificate,
        "not a normal form"
    );
    assert_eq!(Canonicaliser::new().key(graph, laws), canonical.key);

    let mut layers = HashSet::new();
    for (node, index) in graph.nodes.iter().zip(&canonical.index) {
        let Some(index) = index else { continue };
        let form = canonical.graph.node(NodeId(*index));
        assert_eq!(form.shape.rank(), node.shape.rank());
        let is_known = node.shape.sizes().is_some();
        assert!(!is_known || form.shape == node.shape);
        let is_nothing =
            matches!(&form.kind, NodeKind::Operation(operation) if operation.is_zero());
        if let NodeKind::Operation(operation) = &node.kind
            && !operation.parameters().is_empty()
            && !is_nothing
        {
            assert!(!is_known || form.kind == node.kind);
            let may_merge = node.weights.is_some() && operation.class() == Class::Parameters;
            assert!(layers.insert(index) || may_merge, "two layers became one");
        }
    }

    let text = canonical_text(&canonical);
    let read = canonicalise(&stack::run(&text), laws);
    assert_eq!(read.certificate, canonical.certificate, "{text}");
    assert_eq!(canonical_text(&read), text);
    let compiled = canonicalise(&compiled(&text), laws);
    assert_eq!(compiled.certificate, canonical.certificate, "{text}");
}

/// The graph of the only definition of a source, by way of the whole front end.
fn compiled(text: &str) -> Graph {
    let parsed = syntax::parse(&Source::new("printed.snap", text));
    assert_eq!(parsed.diagnostics, [], "{text}");
    let checked = types::check(&parsed.file);
    assert_eq!(checked.diagnostics, [], "{text}");
    let last = DefinitionId(checked.program.definitions.len() as u32 - 1);
    build(&checked.program, last).unwrap()
}

fn check_forms(graph: &Graph) {
    for laws in ALL {
        check_form(graph, laws);
    }
}
