//! A canonicaliser that has seen a program allocates no more memory for it.

use std::sync::Arc;

use allocation_counter::measure;
use snapc::diagnostic::Source;
use snapc::graph::{Canonicaliser, Key, Laws, build};
use snapc::sketch::{Patterns, Reading};
use snapc::{syntax, types};

const PROGRAM: &str = "alphabet classic {
    c = conv(3) bn relu
    p = conv(1) bn relu
    m = maxpool(3)
    : = dup
    ~ = swap
    + = add
    | = cat
}

block cell : [c, h, w] -> [_, _, _] = ?{1..20}

block residual : [c, h, w] -> [c, h, w] =
    dup conv(3) bn relu conv(3) bn add relu
    dup maxpool(3) conv(1) add
";

#[test]
fn keys_of_programs_whose_colours_differ_cost_no_memory() {
    let source = Source::new("test.snap", PROGRAM);
    let checked = types::check(&syntax::parse(&source).file);
    let block = checked.program.named("residual").expect("it is defined");
    let graph = build(&checked.program, block).expect("it checks");
    let mut canonicaliser = Canonicaliser::new();
    let mut patterns = Patterns::new(Arc::new(checked), "cell").expect("the block is a hole");
    let mut opcodes = Vec::new();
    let pattern = b":cm+:p:c~m++c";
    patterns
        .opcodes(pattern, &mut opcodes)
        .expect("all are symbols");
    for laws in [Laws::Exact, Laws::Real] {
        let mut keys = || {
            assert_eq!(patterns.read(&opcodes), Reading::Valid);
            let key = Key::of(patterns.certificate(laws));
            (canonicaliser.key(&graph, laws), key)
        };
        let first = keys();
        let mut second = None;
        let used = measure(|| second = Some(keys()));
        assert_eq!(second, Some(first));
        assert_eq!(used.count_total, 0, "{laws}");
    }
}
