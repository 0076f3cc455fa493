//! A search while the clock on the wall jumps: the same search as with one that goes on evenly.
//!
//! `jumping.c` is loaded before the C library, which takes a C compiler (the package needs one anyway, for SQLite) and
//! a system that has `LD_PRELOAD`.
#![cfg(all(feature = "cli", target_os = "linux"))]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

const SKETCH: &str = "alphabet k {
    c = conv(3) bn relu
    m = maxpool(3)
    : = dup
    + = add
}
pattern cell : k = \"?{1..5}\"
net small : [1, 8, 8] -> [10] =
    conv(3, 4, stride: 2) bn relu
    cell
    gap dense(10)
";

/// With a limit of time, which a search that believed the clock on the wall would exceed.
const SEARCH: &[&str] = &[
    "search",
    "small.snap",
    "--budget=10",
    "--epochs=1",
    "--strategy=random",
    "--time-limit=600",
];

/// Compiles the clock that jumps.
fn jumping_clock(folder: &Path) -> PathBuf {
    let library = folder.join("jumping.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/clock/jumping.c");
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let compiled = Command::new(compiler)
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([library.as_os_str(), source.as_ref()])
        .arg("-ldl")
        .status();
    assert!(compiled.expect("there is a C compiler").success());
    library
}

/// A search in this folder, with this clock.
fn search(folder: &Path, clock: Option<&Path>) -> Command {
    fs::write(folder.join("small.snap"), SKETCH).expect("the sketch can be written");
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapc"));
    command.current_dir(folder).args(SEARCH);
    command.stdout(Stdio::null()).stderr(Stdio::piped());
    if let Some(clock) = clock {
        command.env("LD_PRELOAD", clock);
    }
    command
}

/// The programs of a search with their keys and values.
fn candidates(folder: &Path) -> Vec<[String; 3]> {
    let path = folder.join("snapc-search-small/candidates.csv");
    let table = fs::read_to_string(path).expect("the search has a table");
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        [cells[1], cells[2], cells[4]].map(str::to_owned)
    };
    table.lines().skip(1).map(row).collect()
}

#[test]
fn a_clock_that_jumps_changes_nothing() {
    let (even, odd) = (tempfile::tempdir(), tempfile::tempdir());
    let (even, odd) = (even.expect("a folder"), odd.expect("a folder"));
    let clock = jumping_clock(odd.path());
    let year = |clock: Option<&Path>| {
        let mut date = Command::new("date");
        date.arg("+%Y");
        clock.map(|clock| date.env("LD_PRELOAD", clock));
        date.output().expect("the system has `date`").stdout
    };
    assert_ne!(year(Some(&clock)), year(None), "the clock jumps");

    // Killed while it runs, and gone on with at another time.
    let mut killed = search(odd.path(), Some(&clock)).spawn().expect("it starts");
    std::thread::sleep(Duration::from_millis(150));
    killed.kill().ok();
    killed.wait().expect("it ends");
    for (folder, clock) in [(odd.path(), Some(clock.as_path())), (even.path(), None)] {
        let output = search(folder, clock).output().expect("it starts");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    let (even, odd) = (candidates(even.path()), candidates(odd.path()));
    assert_eq!(even.len(), 10);
    assert_eq!(even, odd, "the same programs, with the same values");
}
