use snapc::diagnostic::Source;
use snapc::graph::{Canonical, Change, Laws, build, canonicalise, difference};
use snapc::{syntax, types};

fn nets(text: &str) -> Vec<(String, Canonical)> {
    let parsed = syntax::parse(&Source::new("printed.snap", text));
    assert_eq!(parsed.diagnostics, []);
    let checked = types::check(&parsed.file);
    assert!(!checked.has_errors(), "{:?}", checked.diagnostics);
    checked
        .program
        .of_kind(types::Kind::Net)
        .map(|(id, net)| {
            (
                net.name.to_string(),
                canonicalise(&build(&checked.program, id).unwrap(), Laws::Real),
            )
        })
        .collect()
}

fn compare(left: &Canonical, right: &Canonical, what: &str) {
    let start = std::time::Instant::now();
    let found = difference(left, right);
    let kinds: [usize; 5] = found.changes.iter().fold([0; 5], |mut all, change| {
        all[match change {
            Change::Operation { .. } => 0,
            Change::OnlyLeft(_) => 1,
            Change::OnlyRight(_) => 2,
            Change::Operands { .. } => 3,
            _ => 4,
        }] += 1;
        all
    });
    println!(
        "{what}: {} / {} nodes: {} changes {kinds:?} in {:?}",
        left.graph.nodes.len(),
        right.graph.nodes.len(),
        found.changes.len(),
        start.elapsed()
    );
}

#[test]
fn zoo() {
    for entry in std::fs::read_dir("examples/zoo").unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|it| it != "snap") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        if text.contains("use \"") {
            println!("skip {path:?}");
            continue;
        }
        let all = nets(&text);
        for pair in all.windows(2) {
            compare(
                &pair[0].1,
                &pair[1].1,
                &format!("{} {}", pair[0].0, pair[1].0),
            );
        }
        if all.is_empty() {
            continue;
        }
        for (from, to) in [
            ("relu", "silu"),
            ("gelu", "silu"),
            ("bn", "bn gelu"),
            ("conv(3", "conv(5"),
            ("add", "add dropout"),
        ] {
            let other = text.replace(from, to);
            if other == text || !std::panic::catch_unwind(|| nets(&other)).is_ok() {
                continue;
            }
            let others = nets(&other);
            compare(
                &all[0].1,
                &others[0].1,
                &format!("{} {from} -> {to}", all[0].0),
            );
        }
    }
}
#[test]
fn one() {
    let left =
        nets("net test : [4, 6, 6] -> [4, 6, 6] [4, 6, 6] = conv(3) dup conv(3) tuck mul tuck add");
    let right = nets("net test : [4, 6, 6] -> [4, 6, 6] [4, 6, 6] = conv(3) dup dup mul tuck add");
    println!("{:?}", difference(&left[0].1, &right[0].1));
}
