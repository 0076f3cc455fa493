//! The program as people and scripts run it: arguments and files in, text, JSON, files and exit
//! codes out.
#![cfg(feature = "cli")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

fn snapc(folder: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_snapc"));
    command.current_dir(folder);
    command
}

fn run(folder: &Path, arguments: &[&str]) -> Output {
    snapc(folder)
        .args(arguments)
        .output()
        .expect("snapc starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("snapc writes UTF-8")
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", text(&output.stdout)))
}

fn json_lines(output: &Output) -> Vec<Value> {
    let lines = text(&output.stdout);
    let parse =
        |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    lines.lines().map(parse).collect()
}

fn example(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("examples")
        .join(name)
}

/// A folder with the example of this name.
fn folder_with(name: &str) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::copy(example(name), folder.path().join(name)).expect("the example is there");
    folder
}

#[test]
fn the_examples_are_good_and_formatted() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let check = run(folder, &["check", "examples"]);
    assert!(check.status.success(), "{}", text(&check.stderr));
    let format = run(folder, &["fmt", "--check", "examples"]);
    assert!(format.status.success(), "{}", text(&format.stdout));
}

#[test]
fn exit_codes_tell_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(
        path.join("good.snap"),
        "net n : [1, 8, 8] -> [10] = gap dense(10)\n",
    )
    .unwrap();
    fs::write(
        path.join("bad.snap"),
        "net n : [1, 8, 8] -> [10] = gap dence(10)\n",
    )
    .unwrap();
    let code = |arguments: &[&str]| run(path, arguments).status.code();
    assert_eq!(code(&["check", "good.snap"]), Some(0));
    assert_eq!(code(&["check", "bad.snap"]), Some(1));
    assert_eq!(code(&["check", "missing.snap"]), Some(2));
    assert_eq!(code(&["check"]), Some(2));
    assert_eq!(code(&["dance"]), Some(2));
    assert_eq!(code(&["explain", "E9999"]), Some(2));
    assert_eq!(code(&["explain", "e0301"]), Some(0));
    assert_eq!(code(&["train", "good.snap", "--data", "nowhere"]), Some(2));
    assert_eq!(code(&["show", "good.snap", "--name", "m"]), Some(2));
    assert_eq!(code(&["--help"]), Some(0));
    assert_eq!(code(&["eval", "good.snap", "--run", "nowhere"]), Some(2));
    let weights = ["emit", "onnx", "good.snap", "--weights", "nowhere"];
    assert_eq!(code(&weights), Some(2));
    fs::create_dir(path.join("empty")).unwrap();
    for arguments in [&["check"][..], &["fmt", "--check"], &["doc"]] {
        assert_eq!(code(&[arguments, &["empty"]].concat()), Some(2));
    }
}

#[test]
#[cfg(target_os = "linux")]
fn results_that_can_not_be_written_are_an_error() {
    let folder = folder_with("search.snap");
    for arguments in [
        &["check", "search.snap", "--format", "json"][..],
        &["show", "search.snap"],
        &["doc", "search.snap"],
        &["explain"],
        &[
            "enumerate",
            "--alphabet",
            "search.snap:classic",
            "--max-length",
            "4",
        ],
    ] {
        let full = fs::File::create("/dev/full").unwrap();
        let mut command = snapc(folder.path());
        let output = command.args(arguments).stdout(full).output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{arguments:?}");
        let message = text(&output.stderr);
        assert!(
            message.contains("error: can't write the results: "),
            "{message}"
        );
    }
}

#[test]
fn a_reader_that_went_away_is_no_error() {
    let folder = folder_with("search.snap");
    let mut command = snapc(folder.path());
    command.args(["doc", "search.snap"]).stderr(Stdio::piped());
    let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(text(&output.stderr), "");
}

/// What a command writes that reads this.
fn run_with(folder: &Path, arguments: &[&str], input: &str) -> Output {
    fs::write(folder.join("input"), input).unwrap();
    let input = fs::File::open(folder.join("input")).unwrap();
    let mut command = snapc(folder);
    command.args(arguments).stdin(input).output().unwrap()
}

#[test]
fn definitions_of_the_standard_input_are_named() {
    let folder = folder_with("residual.snap");
    let program = fs::read_to_string(example("residual.snap")).unwrap();
    let equal = |left| {
        let arguments = ["equal", left, "residual.snap:basic"];
        run_with(folder.path(), &arguments, &program)
    };
    assert!(equal("-:basic").status.success());
    let message = text(&equal("-").stderr);
    assert!(message.contains("say which with `-:NAME`"), "{message}");
}

#[test]
fn numbers_out_of_range_are_told() {
    let folder = folder_with("digits.snap");
    let message = |arguments: &[&str]| {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        let message = text(&output.stderr);
        message.lines().next().unwrap_or_default().to_string()
    };
    let messages = [
        message(&["import", "darts", "--channels", "0"]),
        message(&["import", "darts", "--channels", "4097"]),
        message(&["import", "darts", "--cells", "-1"]),
        message(&["import", "darts", "--classes", "1000001"]),
        message(&["train", "digits.snap", "--epochs", "-1"]),
        message(&["emit", "onnx", "digits.snap", "--seed", "-1"]),
    ];
    insta::assert_snapshot!(messages.join("\n"));
}

#[test]
fn a_wrong_command_line_is_told_in_json() {
    let folder = folder_with("digits.snap");
    for format in [&["--format=json"][..], &["--format", "json"]] {
        let arguments = [&["train", "digits.snap", "--epoch=3"], format].concat();
        let output = run(folder.path(), &arguments);
        assert_eq!(output.status.code(), Some(2));
        let message = json(&output)["error"].as_str().unwrap().to_owned();
        assert!(
            message.starts_with("unexpected argument '--epoch'") && message.contains("--epochs"),
            "{message}"
        );
        assert!(!message.contains("Usage"), "{message}");
    }
    let help = run(folder.path(), &["train", "--help", "--format=json"]);
    assert!(help.status.success() && text(&help.stdout).contains("Usage"));
}

#[test]
fn options_that_exclude_one_another_are_told() {
    let folder = folder_with("digits.snap");
    for arguments in [
        &["show", "digits.snap", "--memory", "64", "--inference"][..],
        &["show", "digits.snap", "--plan", "--output", "plan.txt"],
        &["show", "digits.snap", "--plan", "--detail", "layers"],
        &["emit", "onnx", "digits.snap:digits", "--net", "other"],
    ] {
        let output = run(folder.path(), arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
    }
}

#[test]
fn sources_without_an_end_are_refused() {
    if cfg!(target_os = "linux") {
        let folder = tempfile::tempdir().unwrap();
        let output = run(folder.path(), &["show", "/dev/zero"]);
        assert_eq!(output.status.code(), Some(1));
        let message = text(&output.stderr);
        assert!(message.contains("E0106"), "{message}");
    }
}

#[test]
fn diagnostics_come_as_json() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("bad.snap"),
        "# ä\nnet n : [1, 8, 8] -> [10] = gap dence(10)\n",
    )
    .unwrap();
    let output = run(folder.path(), &["check", "bad.snap", "--format", "json"]);
    assert_eq!(output.status.code(), Some(1));
    insta::assert_json_snapshot!(json(&output));
}

const DOUBTFUL: &str = "use \"lib.snap\"
block spare = relu
net n : [1, 8, 8] -> [10] =
    conv(3, 16, bias: true) bm rleu * 1
    conv(3, strid: 2) thing let unused
    residul { conv(3) } dup let x
    gap dense(10)
";

/// A folder with a program that has much to fix, and uses a file that has something too.
fn doubtful() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("main.snap"), DOUBTFUL).unwrap();
    fs::write(folder.path().join("lib.snap"), "block thing = dup rellu\n").unwrap();
    folder
}

#[test]
fn warnings_fail_only_if_they_are_denied() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("a.snap"), "net n : [4] -> [4] = relu * 1\n").unwrap();
    let check = run(path, &["check", "a.snap"]);
    assert!(check.status.success());
    assert!(text(&check.stderr).ends_with("1 file checked, 1 warning\n"));
    let denied = run(path, &["check", "a.snap", "--deny-warnings"]);
    assert_eq!(denied.status.code(), Some(1));
    let shown = json(&run(path, &["check", "a.snap", "--format", "json"]));
    assert_eq!(shown["diagnostics"][0]["severity"], "warning");
    let other = run(path, &["show", "a.snap"]);
    assert_eq!(text(&other.stderr), "", "only `check` warns");
}

#[test]
fn fix_mends_what_is_certain_and_tells_what_is_left() {
    let folder = doubtful();
    let path = folder.path();
    let one = run(path, &["check", "--fix", "main.snap"]);
    assert_eq!(one.status.code(), Some(1), "the other file is not touched");
    let both = run(path, &["check", "--fix", "main.snap", "lib.snap"]);
    assert!(both.status.success());
    let outputs = [&one, &both].map(|it| format!("{}{}", text(&it.stdout), text(&it.stderr)));
    let mended = fs::read_to_string(path.join("main.snap")).unwrap();
    insta::assert_snapshot!(format!("{}\n{mended}", outputs.join("\n")));
    let again = json(&run(path, &["check", "--fix", ".", "--format", "json"]));
    assert_eq!(again["fixed"], serde_json::json!([]));
    assert_eq!(fs::read_to_string(path.join("main.snap")).unwrap(), mended);
    assert_eq!(fs::read_dir(path).unwrap().count(), 2);
}

#[test]
fn fix_tells_in_json_what_it_did() {
    let folder = doubtful();
    let arguments = ["check", "--fix", "--types", ".", "--format", "json"];
    let shown = json(&run(folder.path(), &arguments));
    let codes: Vec<&str> = shown["fixed"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["code"].as_str().unwrap())
        .collect();
    assert_eq!(codes[..2], ["E0201"; 2], "{codes:?}");
    assert!(
        codes.contains(&"W0004") && codes.contains(&"W0007"),
        "{codes:?}"
    );
    assert_eq!(shown["diagnostics"][0]["code"], "W0001");
    assert!(shown["signatures"].is_array());
    let refused = run(folder.path(), &["check", "--fix", "-"]);
    assert_eq!(refused.status.code(), Some(2));
}

#[test]
fn types_are_printed_and_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let program = "block basic = dup conv(3) add\nblock down(n) = conv(3, n, stride: 2)\n\
                   block any = dup add\nblock written : [c, h, w] -> [_, h, w] = conv(3, c)\n";
    fs::write(path.join("a.snap"), program).unwrap();
    let printed = run(path, &["check", "--types", "a.snap"]);
    assert_eq!(fs::read_to_string(path.join("a.snap")).unwrap(), program);
    let wrote = run(path, &["check", "--types", "--fix", "a.snap"]);
    assert_eq!(text(&printed.stdout), text(&wrote.stdout));
    let written = fs::read_to_string(path.join("a.snap")).unwrap();
    insta::assert_snapshot!(format!("{}\n{written}", text(&printed.stdout)));
    let shown = json(&run(
        path,
        &["check", "--types", "a.snap", "--format", "json"],
    ));
    let signatures = shown["signatures"].as_array().unwrap();
    assert!(signatures.iter().all(|one| one["edit"].is_null()));
}

#[test]
fn documentation_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(
        path.join("a.snap"),
        "## Doubles what it is given.\n##\n## Nothing else.\nblock twice = dup add\n",
    )
    .unwrap();
    let shown = text(&run(path, &["show", "a.snap", "--name", "twice"]).stdout);
    assert!(
        shown.contains("  Doubles what it is given.\n\n  Nothing else.\n"),
        "{shown}"
    );
    let prelude = json(&run(
        path,
        &["show", "a.snap", "--name", "residual", "--format", "json"],
    ));
    assert!(
        prelude[0]["documentation"]
            .as_str()
            .unwrap()
            .contains("He et al., 2016")
    );
    let word = text(&run(path, &["explain", "conv"]).stdout);
    assert!(
        word.starts_with("# `conv`\n\nForm: `conv(kernel, "),
        "{word}"
    );
    let block = json(&run(path, &["explain", "residual", "--format", "json"]));
    assert_eq!(block["prelude"], true);
    assert!(
        block["explanation"]
            .as_str()
            .unwrap()
            .contains("block residual{f} =")
    );
    assert_eq!(run(path, &["explain", "residuel"]).status.code(), Some(2));
}

#[test]
fn nothing_is_coloured_unless_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("bad.snap"),
        "net n : [1] -> [1] = dence(1)\n",
    )
    .unwrap();
    let plain = run(folder.path(), &["check", "bad.snap"]);
    assert!(!text(&plain.stderr).contains('\u{1b}'));
    let coloured = run(folder.path(), &["check", "bad.snap", "--color", "always"]);
    assert!(text(&coloured.stderr).contains('\u{1b}'));
}

#[test]
fn fmt_rewrites_files_and_reads_the_standard_input() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("a.snap");
    fs::write(&file, "net   n:[1,8,8]->[10]=gap dense( 10 ) # end\n").unwrap();
    assert_eq!(
        run(folder.path(), &["fmt", "--check", "a.snap"])
            .status
            .code(),
        Some(1)
    );
    assert_eq!(
        run(folder.path(), &["fmt", "a.snap"]).status.code(),
        Some(0)
    );
    let formatted = fs::read_to_string(&file).unwrap();
    assert_eq!(
        formatted,
        "net n : [1, 8, 8] -> [10] = gap dense(10)  # end\n"
    );
    assert_eq!(
        run(folder.path(), &["fmt", "--check", "a.snap"])
            .status
            .code(),
        Some(0)
    );
}

#[test]
fn formatted_text_is_part_of_the_json() {
    let folder = tempfile::tempdir().unwrap();
    let arguments = ["fmt", "-", "--format", "json"];
    let output = run_with(folder.path(), &arguments, "net n:[4]->[2]=dense(2)\n");
    let expected = serde_json::json!([{
        "file": "<stdin>",
        "changed": true,
        "text": "net n : [4] -> [2] = dense(2)\n",
    }]);
    assert_eq!(json(&output), expected);
}

#[test]
fn show_tells_shapes_and_costs() {
    let folder = folder_with("digits.snap");
    let human = run(folder.path(), &["show", "digits.snap"]);
    insta::assert_snapshot!(text(&human.stdout));
    let shown = json(&run(
        folder.path(),
        &["show", "digits.snap", "--format", "json"],
    ));
    let net = shown
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["kind"] == "net")
        .unwrap();
    assert_eq!(net["name"], "digits");
    assert_eq!(net["inputs"], serde_json::json!([[1, 8, 8]]));
    assert_eq!(net["outputs"], serde_json::json!([[10]]));
    assert_eq!(net["parameters"], 51_642);
    assert_eq!(net["multiply_adds"], 1_262_912);
    assert_eq!(net["layers"].as_array().unwrap().len(), 36);
}

#[test]
fn show_draws() {
    let folder = folder_with("residual.snap");
    let svg = run(
        folder.path(),
        &["show", "residual.snap", "--name", "down", "--draw", "svg"],
    );
    assert!(text(&svg.stdout).starts_with("<svg"));
    let drawn = json(&run(
        folder.path(),
        &["show", "residual.snap", "--draw", "dot", "--format", "json"],
    ));
    assert_eq!(drawn["name"], "narrow", "the last net is meant");
    let drawing = drawn["drawing"].as_str().unwrap();
    assert!(drawing.starts_with("digraph"));
    let written = run(
        folder.path(),
        &[
            "show",
            "residual.snap",
            "--name",
            "resnet8",
            "--draw",
            "dot",
            "--output",
            "net.dot",
        ],
    );
    assert!(written.status.success());
    assert!(
        fs::read_to_string(folder.path().join("net.dot"))
            .unwrap()
            .starts_with("digraph")
    );
}

#[test]
fn canonical_text_has_the_key_of_what_it_was_made_from() {
    let folder = folder_with("residual.snap");
    let first = json(&run(
        folder.path(),
        &["canon", "residual.snap", "--format", "json"],
    ));
    for program in first.as_array().unwrap() {
        let text = program["text"].as_str().unwrap();
        fs::write(folder.path().join("again.snap"), format!("{text}\n")).unwrap();
        let again = json(&run(
            folder.path(),
            &["canon", "again.snap", "--format", "json"],
        ));
        assert_eq!(again[0]["key"], program["key"], "{text}");
        assert_eq!(again[0]["text"], program["text"]);
    }
}

#[test]
fn explain_prints_the_page_of_a_code() {
    let folder = tempfile::tempdir().unwrap();
    let page = run(folder.path(), &["explain", "E0301"]);
    assert!(text(&page.stdout).contains("not enough tensors on the stack"));
    let listed = text(&run(folder.path(), &["explain"]).stdout);
    assert!(listed.contains("E0203  recursive definition"));
    let keyword = text(&run(folder.path(), &["explain", "let"]).stdout);
    assert!(keyword.contains("takes tensors off the stack"), "{keyword}");
}

#[test]
fn new_writes_a_file_that_checks_and_never_overwrites() {
    let folder = tempfile::tempdir().unwrap();
    assert!(run(folder.path(), &["new", "first"]).status.success());
    assert!(
        run(folder.path(), &["new", "sketch.snap", "--search"])
            .status
            .success()
    );
    let check = run(folder.path(), &["check", "first.snap", "sketch.snap"]);
    assert!(check.status.success(), "{}", text(&check.stderr));
    assert_eq!(run(folder.path(), &["new", "first"]).status.code(), Some(2));
}

#[test]
fn emit_writes_a_net_with_its_weights_and_never_overwrites() {
    let folder = folder_with("digits.snap");
    let path = folder.path();
    let emit = |arguments: &[&str]| run(path, &[&["emit"], arguments].concat());
    let first = emit(&["torch", "digits.snap", "--seed", "3", "--format", "json"]);
    assert_eq!(
        json(&first),
        serde_json::json!({ "file": "digits.py", "weights": "digits.safetensors" })
    );
    let module = fs::read_to_string(path.join("digits.py")).expect("a module");
    assert!(module.contains("class Digits(nn.Module):"), "{module}");

    let again = emit(&["torch", "digits.snap"]);
    assert_eq!(again.status.code(), Some(2));
    assert!(text(&again.stderr).contains("`digits.py` exists already"));
    let unknown = emit(&["torch", "digits.snap:other"]);
    assert_eq!(unknown.status.code(), Some(2));

    // Weights are taken over as they are, and make the same model as the seed that they are of.
    let given = ["--weights", "digits.safetensors"];
    let rust = [&["rust", "digits.snap:digits", "-o", "net.rs"], &given[..]].concat();
    assert!(emit(&rust).status.success());
    let weights = |name: &str| fs::read(path.join(name)).expect("weights");
    assert_eq!(weights("net.safetensors"), weights("digits.safetensors"));
    let onnx = [&["onnx", "digits.snap", "-o", "given.onnx"], &given[..]].concat();
    assert!(emit(&onnx).status.success());
    let seeded = ["onnx", "digits.snap", "--seed", "3", "-o", "seeded.onnx"];
    assert!(emit(&seeded).status.success());
    assert_eq!(weights("given.onnx"), weights("seeded.onnx"));

    fs::write(path.join("other.snap"), "net n : [2] -> [3] = dense(3)\n").unwrap();
    let misfit = emit(&["onnx", "other.snap", "--weights", "digits.safetensors"]);
    assert_eq!(misfit.status.code(), Some(1));
    let message = text(&misfit.stderr);
    assert!(message.contains("does not fit the net `n`"), "{message}");
    assert!(message.contains("not shown: "), "{message}");
    assert!(message.lines().count() < 10, "{message}");
}

#[test]
fn every_command_has_an_example_in_its_help() {
    let folder = tempfile::tempdir().unwrap();
    for command in [
        "check", "fmt", "canon", "show", "train", "eval", "search", "emit", "explain", "new",
    ] {
        let help = text(&run(folder.path(), &[command, "--help"]).stdout);
        assert!(help.contains(&format!("snapc {command} ")), "{help}");
    }
}

const SMALL_NET: &str =
    "net small : [1, 8, 8] -> [10] =\n    conv(3, 8, stride: 2) bn relu\n    gap dense(10)\n";

#[test]
fn a_net_is_trained_measured_and_resumed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_NET).unwrap();
    let train = run(
        path,
        &["train", "small.snap", "--epochs", "3", "--format", "json"],
    );
    assert!(train.status.success(), "{}", text(&train.stdout));
    let lines = json_lines(&train);
    assert_eq!(lines.len(), 4);
    for (index, line) in lines[..3].iter().enumerate() {
        assert_eq!(line["epoch"], index + 1);
        assert!(line["loss"].is_f64() && line["metric"].is_f64());
    }
    let last = &lines[3];
    assert!(last["seconds"].is_f64());
    let weights = path.join(last["paths"]["weights"].as_str().unwrap());
    assert!(weights.exists());
    let eval = json(&run(path, &["eval", "small.snap", "--format", "json"]));
    assert_eq!(eval["accuracy"], last["test_accuracy"]);
    // The run is complete: resuming it changes nothing, starting another in its place is refused.
    let again = run(
        path,
        &["train", "small.snap", "--resume", "--format", "json"],
    );
    assert_eq!(
        json_lines(&again).last().unwrap()["test_accuracy"],
        last["test_accuracy"]
    );
    let refused = run(path, &["train", "small.snap", "--epochs", "3"]);
    assert_eq!(refused.status.code(), Some(1), "{}", text(&refused.stderr));
    let other = run(path, &["train", "small.snap", "--resume", "--epochs", "4"]);
    assert_eq!(other.status.code(), Some(1));
    assert!(
        text(&other.stderr).contains("epochs"),
        "{}",
        text(&other.stderr)
    );
}

#[test]
fn a_net_that_does_not_fit_the_data_is_refused_before_training() {
    let folder = tempfile::tempdir().unwrap();
    let nets = "net a : [3, 8, 8] -> [10] = gap dense(10)\nnet b : [1, 8, 8] -> [7] = gap dense(7)\nnet c : [1, 8, 8] -> [1, 8, 8] = relu\n";
    fs::write(folder.path().join("nets.snap"), nets).unwrap();
    let message = |net: &str| {
        let output = run(folder.path(), &["train", "nets.snap", "--net", net]);
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    insta::assert_snapshot!([message("a"), message("b"), message("c"), message("d")].join("\n"));
}

/// Folders with images of two pixels, and how much brighter the left one is.
fn quantities() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut table = "image,contrast\n".to_owned();
    fs::create_dir(folder.path().join("data")).unwrap();
    for number in 0..60_u8 {
        let (left, right) = (number * 4, number.wrapping_mul(37));
        let image = image::GrayImage::from_raw(2, 1, vec![left, right]).unwrap();
        let name = format!("{number}.png");
        image.save(folder.path().join("data").join(&name)).unwrap();
        table += &format!("{name},{}\n", i32::from(left) - i32::from(right));
    }
    fs::write(folder.path().join("data/targets.csv"), table).unwrap();
    let net = "net small : [1, 1, 2] -> [1] = flatten dense(1)\n";
    fs::write(folder.path().join("small.snap"), net).unwrap();
    let sketch = "alphabet k {\n    c = conv(1) relu\n    : = dup\n    + = add\n}\n\
                  pattern cell : k = \"?{1..5}\"\nnet small : [1, 1, 2] -> [1] =\n    cell\n    flatten dense(1)\n";
    fs::write(folder.path().join("sketch.snap"), sketch).unwrap();
    folder
}

#[test]
fn quantities_are_learnt_and_measured() {
    let folder = quantities();
    let path = folder.path();
    let train = ["train", "small.snap", "--data", "data", "--epochs", "40"];
    let train = [
        &train[..],
        &["--batch-size", "8", "--learning-rate", "0.05"],
    ]
    .concat();
    let trained = run(path, &[&train[..], &["--format", "json"]].concat());
    assert!(trained.status.success(), "{}", text(&trained.stderr));
    let lines = json_lines(&trained);
    assert!(lines[0]["metric"].as_f64() > lines[39]["metric"].as_f64());
    assert_eq!(lines[39]["metric"], lines[39]["validation_mae"]);
    let last = &lines[40];
    assert!(last["test_r2"].as_f64() > Some(0.99), "{last}");
    assert_eq!(last["test_errors"]["contrast"], last["test_mae"]);
    assert!(last.get("test_accuracy").is_none(), "{last}");
    let eval = ["eval", "small.snap", "--data", "data"];
    let measured = json(&run(path, &[&eval[..], &["--format", "json"]].concat()));
    assert_eq!(measured["mae"], last["test_mae"]);
    assert_eq!(measured["errors"], last["test_errors"]);

    let unsaid = run(path, &["eval", "small.snap"]);
    assert_eq!(unsaid.status.code(), Some(2));
    let said = text(&unsaid.stderr);
    assert!(
        said.contains("the run learnt from `data`; say with `--data` where that is"),
        "{said}"
    );
    let said = text(&run(path, &eval).stdout);
    assert!(
        said.contains("mean absolute error ") && said.contains("R² "),
        "{said}"
    );
    assert!(said.contains("\n  `contrast` is off by "), "{said}");
    let trained = run(path, &[&train[..], &["--output", "again"]].concat());
    let said = text(&trained.stdout);
    assert!(said.starts_with("test mean absolute error "), "{said}");
    assert!(
        !text(&trained.stderr).contains("accuracy"),
        "{}",
        text(&trained.stderr)
    );
}

#[test]
fn a_search_makes_the_error_of_quantities_small() {
    let folder = quantities();
    let path = folder.path();
    let search = ["search", "sketch.snap", "--data", "data", "--epochs", "4"];
    let search = [&search[..], &["--budget", "4", "--strategy", "random"]].concat();
    let found = run(path, &search);
    assert!(found.status.success(), "{}", text(&found.stderr));
    let said = text(&found.stdout);
    assert!(said.contains("\n  test mean absolute error "), "{said}");
    let table = fs::read_to_string(path.join("snapc-search-small/candidates.csv")).unwrap();
    let header: Vec<&str> = table.lines().next().unwrap().split(',').collect();
    let column = |name: &str| header.iter().position(|it| *it == name).unwrap();
    for line in table.lines().skip(1) {
        let fields: Vec<&str> = line.split(',').collect();
        let number = |name: &str| fields[column(name)].parse::<f64>().unwrap();
        assert_eq!(number("value"), -number("validation_mae"));
        assert_eq!(fields[column("validation_accuracy")], "");
    }
    let report = run(path, &["report", "snapc-search-small"]);
    assert!(report.status.success(), "{}", text(&report.stderr));
    let page = fs::read_to_string(path.join("snapc-search-small/report.html")).unwrap();
    assert!(page.contains("negative validation mean absolute error"));

    let refused = |value: &str| {
        let output = run(
            path,
            &[&search[..], &["--value", value, "-o", "other"]].concat(),
        );
        assert_eq!(output.status.code(), Some(2));
        assert!(!path.join("other").exists());
        text(&output.stderr)
    };
    insta::assert_snapshot!([refused("accuracy"), refused("loss")].join(""));
}

#[test]
fn a_device_that_is_not_there_is_told_before_anything_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_NET).unwrap();
    let refused = |device: &str| {
        let output = run(path, &["train", "small.snap", "--device", device]);
        assert_eq!(output.status.code(), Some(2), "{device}");
        assert_eq!(fs::read_dir(path).unwrap().count(), 1, "{device}");
        text(&output.stderr)
    };
    assert!(refused("gpu").contains("say `cpu`, `cuda`, or `cuda:1`"));
    // No machine has a thousand; a build without the feature has none.
    assert!(refused("cuda:999").contains("no `cuda:999`"));
}

#[test]
fn mixed_precision_trains_as_full_precision_does() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_NET).unwrap();
    let loss = |precision: &str| {
        let train = ["train", "small.snap", "--epochs", "2", "--format", "json"];
        let chosen = ["--precision", precision, "--output", precision];
        let output = run(path, &[&train[..], &chosen[..]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        let last = json_lines(&output).pop().unwrap();
        last["test_loss"].as_f64().unwrap()
    };
    let (full, mixed) = (loss("f32"), loss("bf16"));
    assert!((full - mixed).abs() < 0.02, "{full} and {mixed}");
    assert_ne!(full, mixed);
}

const SMALL_SEARCH: &str = "alphabet k {
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

const SEARCH: &[&str] = &[
    "search",
    "small.snap",
    "--budget",
    "10",
    "--epochs",
    "1",
    "--strategy",
    "random",
    "--format",
    "json",
];

#[test]
fn a_search_leaves_its_results() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_SEARCH).unwrap();
    let search = run(path, SEARCH);
    assert!(search.status.success(), "{}", text(&search.stderr));
    let lines = json_lines(&search);
    assert_eq!(lines.len(), 11);
    for candidate in &lines[..10] {
        assert_eq!(candidate["status"], "done");
        assert_eq!(candidate["key"].as_str().unwrap().len(), 32);
        assert!(candidate["value"].is_f64() && candidate["seconds"].is_f64());
    }
    let best = &lines[10]["best"];
    let values = lines[..10]
        .iter()
        .map(|line| line["value"].as_f64().unwrap());
    assert_eq!(
        best["value"].as_f64().unwrap(),
        values.reduce(f64::max).unwrap()
    );
    let results = path.join("snapc-search-small");
    for file in [
        "best.snap",
        "best.svg",
        "best.safetensors",
        "candidates.csv",
        "result.json",
    ] {
        assert!(results.join(file).exists(), "{file}");
    }
    let result = fs::read_to_string(results.join("result.json")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(&result).unwrap(), lines[10]);
    let check = run(path, &["check", "snapc-search-small/best.snap"]);
    assert!(check.status.success(), "{}", text(&check.stderr));
    // The same command again has nothing to do and tells the same best.
    let again = json_lines(&run(path, SEARCH));
    assert_eq!(again.len(), 1);
    assert_eq!(again[0]["best"], *best);
    // Other settings are not mixed into these results.
    let other = run(
        path,
        &[
            "search",
            "small.snap",
            "--epochs",
            "2",
            "--strategy",
            "random",
        ],
    );
    assert_eq!(other.status.code(), Some(1));
    assert!(
        text(&other.stderr).contains("another search"),
        "{}",
        text(&other.stderr)
    );
}

/// A normal cell and one that halves the image, both open.
#[test]
fn a_search_fills_all_holes_of_a_net() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let sketch = SMALL_SEARCH
        .replace("pattern cell : k = \"?{1..5}\"", "block cell : [c, h, w] -> [c, h, w] = ?{1..3}\n\
            block half : [c, h, w] -> [2 * c, (h + 1) // 2, (w + 1) // 2] = ?{1..3} conv(3, 2 * c, stride: 2)")
        .replace("    cell\n", "    cell half cell\n");
    fs::write(path.join("small.snap"), sketch).unwrap();
    let search = run(path, SEARCH);
    assert!(search.status.success(), "{}", text(&search.stderr));
    let lines = json_lines(&search);
    assert_eq!(lines.len(), 11);
    for candidate in &lines[..10] {
        assert_eq!(candidate["status"], "done");
        let program = candidate["program"].as_str().unwrap();
        assert_eq!(program.split(' ').count(), 2, "{program}");
    }
    let program = lines[10]["best"]["program"].as_str().unwrap();
    let best = fs::read_to_string(path.join("snapc-search-small/best.snap")).unwrap();
    for filling in program.split(' ') {
        assert!(best.contains(&format!("= \"{filling}\"")), "{best}");
    }
    let best = "snapc-search-small/best.snap";
    let check = run(path, &["check", best]);
    assert!(check.status.success(), "{}", text(&check.stderr));
    let train = run(
        path,
        &["train", best, "--epochs", "1", "--output", "trained"],
    );
    assert!(train.status.success(), "{}", text(&train.stderr));
    let report = run(path, &["report", "snapc-search-small"]);
    assert!(report.status.success(), "{}", text(&report.stderr));
    let page = fs::read_to_string(path.join("snapc-search-small/report.html")).unwrap();
    // Each of the ten has the drawings of both cells.
    let drawings = page.split("<div class=\"drawing\">").skip(1);
    let drawn: Vec<usize> = drawings
        .map(|it| it.split("</div>").next().unwrap().matches("<svg").count())
        .collect();
    assert_eq!(drawn, [2; 10]);
}

#[test]
fn the_configuration_of_a_search_is_a_file_and_flags() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_SEARCH).unwrap();
    let file = "[search]\nbudget = 4\nstrategy = \"local\"\n[training]\nepochs = 1\n";
    fs::write(path.join("search.toml"), file).unwrap();
    let configured = ["search", "small.snap", "--config", "search.toml"];
    let with = |more: &[&str]| run(path, &[&configured, more].concat());
    let search = with(&[
        "--format=json",
        "--set",
        "search.initial=2",
        "--budget=5",
        "--value=macro-f1",
        "--max-params=600",
        "--price-params=0.01",
    ]);
    assert!(search.status.success(), "{}", text(&search.stderr));
    let lines = json_lines(&search);
    assert_eq!(lines.len(), 6);
    for (number, candidate) in lines[..5].iter().enumerate() {
        assert_eq!(candidate["round"] == 0, number < 2);
        let details = &candidate["details"];
        let parameters = details["parameters"].as_f64().unwrap();
        assert!(parameters <= 600.0, "{parameters}");
        let value = details["validation_macro_f1"].as_f64().unwrap() - 0.01 * parameters.log10();
        assert!((candidate["value"].as_f64().unwrap() - value).abs() < 1e-9);
    }
    assert!(!lines[5]["front"].as_array().unwrap().is_empty());
    // What was chosen is recorded, and another choice is another search.
    let other = with(&["--set", "search.initial=2", "--max-params=700"]);
    let message = text(&other.stderr);
    assert!(
        message.contains("limits.parameters: 600 there, 700 now"),
        "{message}"
    );
    assert!(
        message.contains(r#"objective.measurement: "macro-f1" there"#),
        "{message}"
    );
}

#[test]
fn flags_say_how_candidates_are_evaluated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_SEARCH).unwrap();
    let with = |more: &[&str]| {
        let search = "search small.snap --budget 6 --strategy random --epochs 2";
        let search: Vec<&str> = search.split(' ').collect();
        run(path, &[&search, more].concat())
    };
    let flags = [
        "--repeats=2",
        "--halving=1",
        "--time-limit=1000",
        "--max-memory=1GiB",
        "--max-latency=10000",
        "--price-latency=0.001",
        "--value=fgsm",
        "--epsilon=0.02",
        "--zero-cost=jacob-cov",
        "--filter=synflow:0.5",
    ];
    let search = with(&[&flags[..], &["--format=json"]].concat());
    assert!(search.status.success(), "{}", text(&search.stderr));
    let lines = json_lines(&search);
    assert_eq!(lines.len(), 7);
    for candidate in &lines[..6] {
        let details = &candidate["details"];
        assert!(details["synflow"].is_f64() && details["jacob_cov"].is_f64());
        if candidate["status"] == "failed" {
            let reason = candidate["reason"].as_str().unwrap();
            assert!(reason.starts_with("filtered: "), "{reason}");
            continue;
        }
        let number = |name: &str| details[name].as_f64().unwrap();
        let latency = number("latency").max(0.001).log10();
        let value = number("validation_robust_accuracy") - 0.001 * latency;
        assert!((candidate["value"].as_f64().unwrap() - value).abs() < 1e-9);
        let stopped = details["stopped_at_epoch"] == 1;
        assert_eq!(details["values"].is_array(), !stopped, "{details}");
        assert_eq!(details["rungs"].as_array().unwrap().len(), 1);
    }
    let table = fs::read_to_string(path.join("snapc-search-small/candidates.csv")).unwrap();
    assert!(table.lines().next().unwrap().contains(",latency,synflow,"));

    let mut others = flags;
    others[0] = "--repeats=3";
    others[3] = "--max-memory=2GiB";
    let message = text(&with(&others).stderr);
    for difference in [
        "evaluation.repeats: 2 there, 3 now",
        "limits.memory: 1073741824 there, 2147483648 now",
    ] {
        assert!(message.contains(difference), "{message}");
    }
    for (flag, problem) in [
        (
            "--repeats=0",
            "`evaluation.repeats` must be at least 1, not 0",
        ),
        (
            "--max-latency=0",
            "`limits.latency` must be a number of milliseconds above 0",
        ),
        (
            "--epsilon=-1",
            "`objective.attack.epsilon` must be a number of at least 0",
        ),
        (
            "--zero-cost=flow",
            "no score `flow`; there are synflow, jacob-cov, naswot",
        ),
        (
            "--filter=synflow",
            "write a score and a share, as in `synflow:0.5`",
        ),
        (
            "--filter=synflow:1",
            "`evaluation.filter.share` must be at least 0 and below 1, not 1",
        ),
    ] {
        let output = with(&[flag]);
        assert_eq!(output.status.code(), Some(2), "{flag}");
        let message = text(&output.stderr);
        assert!(message.contains(problem), "{message}");
    }
}

#[test]
fn a_wrong_configuration_is_told_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_SEARCH).unwrap();
    let told = |file: &str, more: &[&str]| {
        fs::write(path.join("search.toml"), file).unwrap();
        let configured = ["search", "small.snap", "--config", "search.toml"];
        let output = run(path, &[&configured, more].concat());
        assert_eq!(output.status.code(), Some(2));
        text(&output.stderr)
    };
    let message = told("[search]\nbudget = 4\nstrategi = \"local\"\n", &[]);
    assert!(
        message.contains("search.toml:3:1: unknown field `strategi`"),
        "{message}"
    );
    assert!(
        message.ends_with("  strategi = \"local\"\n  ^^^^^^^^\n"),
        "{message}"
    );
    let message = told("[training]\nepochs = \"two\"\n", &[]);
    assert!(
        message.contains("search.toml:2:10: invalid type: string"),
        "{message}"
    );
    let message = told("", &["--set", "search.evolution.size=3"]);
    assert!(
        message.contains("`--set search.evolution.size=3`: unknown field `size`"),
        "{message}"
    );
    let message = told("search.round = 0", &[]);
    assert!(
        message.contains("`search.round` must be at least 1, not 0"),
        "{message}"
    );
    let message = told("", &["--price-macs=-1"]);
    assert!(
        message.contains("`objective.multiply_adds_price` must be"),
        "{message}"
    );
}

#[test]
fn a_search_within_limits_that_nothing_keeps_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_SEARCH).unwrap();
    let search = run(path, &["search", "small.snap", "--max-macs=1"]);
    assert_eq!(search.status.code(), Some(1));
    let said = text(&search.stderr);
    assert!(
        said.contains("no program of the space is within the limits"),
        "{said}"
    );
    // A search that has found nothing makes way for another one.
    let search = run(path, &[SEARCH, &["--max-macs=1000000"]].concat());
    assert!(search.status.success(), "{}", text(&search.stderr));
    let other = run(path, &[SEARCH, &["--max-macs=2000000"]].concat());
    assert_eq!(other.status.code(), Some(1));
    let said = text(&other.stdout);
    assert!(
        said.contains("limits.multiply_adds: 1000000 there, 2000000 now")
            && !said.contains("fingerprint"),
        "{said}"
    );
}

#[test]
fn a_search_in_which_nothing_can_be_trained_says_why_and_fails() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_SEARCH).unwrap();
    let with = |more: &[&str]| {
        let search = ["search", "small.snap", "--budget=2", "--max-memory=1"];
        run(path, &[&search[..], more].concat())
    };
    let search = with(&[]);
    assert_eq!(search.status.code(), Some(1));
    let said = text(&search.stderr);
    let table = Path::new("snapc-search-small").join("candidates.csv");
    let expected = format!(
        "no candidate could be trained; the reasons are in {}",
        table.display()
    );
    assert!(said.contains(&expected), "{said}");
    let table = fs::read_to_string(path.join(table)).unwrap();
    let mut lines = table.lines();
    assert!(lines.next().unwrap().ends_with(",seconds,round,reason"));
    assert!(lines.all(|line| line.contains("memory")), "{table}");
    let result = json_lines(&with(&["--format=json"])).pop().unwrap();
    assert!(result["paths"]["candidates"].is_string());
    for missing in ["program", "drawing", "weights"] {
        assert!(result["paths"][missing].is_null(), "{missing}");
    }
}

#[test]
fn every_strategy_is_chosen_by_its_name() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_SEARCH).unwrap();
    fs::write(path.join("known.csv"), "cell,value\nc,1\nm,2\ncm,3\n").unwrap();
    let help = text(&run(path, &["search", "--help"]).stdout);
    for strategy in snapc::search::StrategyName::ALL.map(|strategy| strategy.name()) {
        assert!(help.contains(&format!("- {strategy}:")), "{help}");
        let search = "search small.snap --evaluate table:known.csv --value value --budget 1";
        let search: Vec<&str> = search.split(' ').collect();
        let chosen = ["--strategy", strategy, "--output", strategy];
        let output = run(path, &[&search[..], &chosen].concat());
        assert!(
            !text(&output.stderr).contains("invalid value"),
            "{strategy}"
        );
        assert!(path.join(strategy).join("result.json").exists());
    }
}

#[test]
fn options_that_a_search_does_not_heed_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_SEARCH).unwrap();
    fs::write(path.join("known.csv"), "cell,value\nc,1\n").unwrap();
    let table = ["--evaluate=table:known.csv", "--value=value"];
    let refused = |more: &[&str]| {
        let output = run(path, &[&["search", "small.snap"], more].concat());
        assert_eq!(output.status.code(), Some(2), "{more:?}");
        text(&output.stderr)
    };
    for flag in [
        "--price-params=1",
        "--repeats=2",
        "--max-latency=1",
        "--epochs=3",
    ] {
        let message = refused(&[&table[..], &[flag]].concat());
        assert!(
            message.contains("those of a table are looked up"),
            "{message}"
        );
    }
    let set = ["--set", "training.epochs=3"];
    let message = refused(&[&table[..], &set].concat());
    assert!(
        message.contains("`--set training.epochs=3` is for candidates that are trained"),
        "{message}"
    );
    fs::write(path.join("search.toml"), "[training]\nepochs = 3\n").unwrap();
    let more = ["--config=search.toml", "--budget=1", "-o", "told"];
    let output = run(
        path,
        &[&["search", "small.snap"], &table[..], &more].concat(),
    );
    let said = text(&output.stderr);
    assert!(
        said.contains("not heeded of the configuration: training"),
        "{said}"
    );
    let messages = [
        refused(&["--evaluate=tabel:known.csv", "--value=value"]),
        refused(&["--set", "search.seed=-1"]),
        refused(&["--set", "search.autosnap.uncertainty=3"]),
        refused(&["--set", "search.autosnap.model.value_layers=2"]),
        refused(&["--report=value"]),
        refused(&["--epsilon=0.1"]),
        refused(&["--epsilon=0.1", "--value=macro-f1"]),
        refused(&["--halving=3", "--epochs=3"]),
        refused(&["--threads=1000000"]),
        refused(&["--threads=-1"]),
        refused(&["--budget=1e3"]),
        refused(&["--output=known.csv"]),
    ];
    insta::assert_snapshot!(messages.join(""));
    assert!(!path.join("snapc-search-small").exists());
}

#[test]
fn a_run_and_a_search_keep_out_of_the_folders_of_each_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_NET).unwrap();
    let train = |output: &str| {
        let train = ["train", "small.snap", "--epochs=1", "--output", output];
        run(path, &train)
    };
    assert!(train("run").status.success());
    fs::write(path.join("small.snap"), SMALL_SEARCH).unwrap();
    let search = |output: &str| run(path, &[SEARCH, &["--output", output]].concat());
    let refused = search("run");
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stdout).contains("run holds a run of `snapc train`"));
    assert!(search("found").status.success());
    let weights = fs::read(path.join("found/best.safetensors")).unwrap();
    fs::write(path.join("small.snap"), SMALL_NET).unwrap();
    let refused = train("found");
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("found holds a search"));
    assert_eq!(
        fs::read(path.join("found/best.safetensors")).unwrap(),
        weights
    );
}

#[test]
fn the_best_program_of_a_sketch_that_uses_another_file_is_a_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let block = "block first : [1, h, w] -> [4, (h + 1) // 2, (w + 1) // 2] =\n    conv(3, 4, stride: 2) bn relu\n";
    fs::write(path.join("lib.snap"), block).unwrap();
    let sketch = SMALL_SEARCH.replace(
        "    conv(3, 4, stride: 2) bn relu\n    cell",
        "    first cell",
    );
    fs::write(
        path.join("small.snap"),
        format!("use \"lib.snap\"\n{sketch}"),
    )
    .unwrap();
    let search = run(path, &[SEARCH, &["--output=some/where"]].concat());
    assert!(search.status.success(), "{}", text(&search.stderr));
    let best = fs::read_to_string(path.join("some/where/best.snap")).unwrap();
    assert!(best.starts_with("use \"../../lib.snap\""), "{best}");
    let check = run(path, &["check", "some/where/best.snap"]);
    assert!(check.status.success(), "{}", text(&check.stderr));
}

#[test]
fn what_is_stopped_says_how_it_goes_on() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_NET).unwrap();
    fs::write(path.join("small search.snap"), SMALL_SEARCH).unwrap();
    let stopped = |arguments: &[&str]| {
        let mut command = snapc(path);
        let command = command.args(arguments).stderr(Stdio::piped());
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        std::thread::sleep(Duration::from_millis(600));
        let process = child.id().to_string();
        let interrupted = Command::new("kill").args(["-INT", &process]).status();
        assert!(interrupted.unwrap().success());
        text(&child.wait_with_output().unwrap().stderr)
    };
    let message = stopped(&[
        "train",
        "small.snap",
        "--epochs=100000",
        "--output",
        "a run",
    ]);
    let again = "go on with `snapc train small.snap --epochs=100000 --output 'a run' --resume`";
    assert!(message.contains(again), "{message}");
    let search = [
        "search",
        "small search.snap",
        "--strategy=random",
        "--budget=500",
    ];
    let message = stopped(&[&search[..], &["--epochs=100000", "--seed=3"]].concat());
    let again = "stopped; go on with `snapc search 'small search.snap' --strategy=random --budget=500 --epochs=100000 --seed=3`";
    assert!(message.contains(again), "{message}");
    assert!(!message.contains("no candidate"), "{message}");
}

#[test]
fn a_run_goes_on_only_with_the_same_precision() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_NET).unwrap();
    let train = |more: &[&str]| {
        run(
            path,
            &[&["train", "small.snap", "--epochs=1"], more].concat(),
        )
    };
    assert!(train(&[]).status.success());
    let message = text(&train(&["--resume", "--precision=bf16"]).stderr);
    let difference = r#"`precision` was "f32" and is now "bf16""#;
    assert!(message.contains(difference), "{message}");
}

#[test]
fn batches_that_a_limit_makes_smaller_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_NET).unwrap();
    let train = |limit: &str| {
        let train = ["train", "small.snap", "--epochs=1", "--memory-limit", limit];
        run(path, &train)
    };
    let message = text(&train("60KiB").stderr);
    assert!(
        message.contains("instead of 64 fit into 60.0 KiB"),
        "{message}"
    );
    let message = text(&train("much").stderr);
    assert!(
        message.contains("write a number and a unit, as in `512MiB`"),
        "{message}"
    );
}

/// Starts a search and kills it, without a warning, after this time.
fn kill_after(folder: &Path, search: &[&str], milliseconds: u64) {
    let mut child: Child = snapc(folder)
        .args(search)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_millis(milliseconds);
    while Instant::now() < end && child.try_wait().unwrap().is_none() {
        std::thread::sleep(Duration::from_millis(5));
    }
    // SIGKILL on Unix.
    child.kill().ok();
    child.wait().unwrap();
}

#[test]
fn a_search_that_is_killed_again_and_again_loses_and_repeats_nothing() {
    killed_again_and_again(SEARCH);
}

#[test]
fn so_does_one_that_repeats_trainings() {
    killed_again_and_again(&[SEARCH, &["--repeats=4"]].concat());
}

fn killed_again_and_again(search: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    fs::write(path.join("small.snap"), SMALL_SEARCH).unwrap();
    // Where a kill falls does not matter for what must hold, only for what is tried.
    for milliseconds in [40, 80, 60, 120, 90] {
        kill_after(path, search, milliseconds);
    }
    let killed = run(path, search);
    assert!(killed.status.success(), "{}", text(&killed.stderr));
    let table = |folder: &Path| -> Vec<(String, String, String)> {
        let table = fs::read_to_string(folder.join("snapc-search-small/candidates.csv")).unwrap();
        let row = |line: &str| {
            let cells: Vec<&str> = line.split(',').collect();
            (
                cells[1].to_string(),
                cells[2].to_string(),
                cells[4].to_string(),
            )
        };
        table.lines().skip(1).map(row).collect()
    };
    let whole = tempfile::tempdir().unwrap();
    fs::write(whole.path().join("small.snap"), SMALL_SEARCH).unwrap();
    assert!(run(whole.path(), search).status.success());
    let (killed, whole) = (table(path), table(whole.path()));
    assert_eq!(killed, whole, "the same programs, with the same values");
    let mut keys: Vec<&String> = killed.iter().map(|(_, key, _)| key).collect();
    keys.sort();
    keys.dedup();
    assert_eq!(keys.len(), 10, "no program twice");
}

#[test]
fn patterns_are_put_into_classes() {
    let folder = folder_with("search.snap");
    let path = folder.path();
    fs::write(path.join("patterns.txt"), ":c+\n:c~+\n\n c c\nc+\ncx\n:\n").unwrap();
    let arguments = [
        "dedupe",
        "patterns.txt",
        "--alphabet",
        "search.snap:classic",
    ];
    let output = run(path, &arguments);
    assert_eq!(output.status.code(), Some(1), "some lines are wrong");
    let lines = text(&output.stdout);
    let columns: Vec<Vec<&str>> = lines
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let counts: Vec<_> = columns.iter().map(|line| (line[0], line[2])).collect();
    assert_eq!(counts, [("2", ":c+"), ("1", "cc")]);
    let notes = text(&output.stderr);
    for expected in [
        "line 5: `c+`: symbol 2, `+`, does not type-check",
        "line 6: `cx`: there is no such symbol at 2",
        "line 7: `:`: it leaves something else than the signature says",
        "7 lines, 2 distinct, 3 invalid",
    ] {
        assert!(notes.contains(expected), "{expected} in {notes}");
    }

    let skipping = [&arguments[..], &["--skip-invalid", "--format", "json"]].concat();
    let output = run(path, &skipping);
    assert!(output.status.success());
    let lines = json_lines(&output);
    assert_eq!(lines.len(), 6);
    assert_eq!(lines[0]["line"], 5);
    assert_eq!(lines[0]["pattern"], "c+");
    assert_eq!(lines[0]["reason"], "symbol 2, `+`, does not type-check");
    assert_eq!(lines[3]["pattern"], ":c+");
    assert_eq!(lines[3]["count"], 2);
    assert_eq!(lines[3]["key"], columns[0][1]);
    assert_eq!(lines[5]["distinct"], 2);
    assert_eq!(lines[5]["invalid"], 3);
    assert_eq!(text(&output.stderr), "");

    fs::create_dir(path.join("folder")).unwrap();
    let folder = ["dedupe", "folder", "--alphabet", "search.snap:classic"];
    let output = run(path, &folder);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("`folder`: it is a folder"));
}

#[test]
fn distinct_patterns_are_enumerated() {
    let folder = folder_with("search.snap");
    let path = folder.path();
    let arguments = [
        "enumerate",
        "--alphabet",
        "search.snap:classic",
        "--max-length",
        "3",
    ];
    let output = run(path, &arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    let patterns = text(&output.stdout);
    assert_eq!(patterns.lines().count(), 187);
    fs::write(path.join("patterns.txt"), &patterns).unwrap();
    let dedupe = [
        "dedupe",
        "patterns.txt",
        "--alphabet",
        "search.snap:classic",
    ];
    let distinct = text(&run(path, &dedupe).stdout);
    assert_eq!(distinct.lines().count(), 187);

    let count = [&arguments[..], &["--count", "--format", "json"]].concat();
    let output = run(path, &count);
    assert_eq!(text(&output.stderr), "");
    let lengths = json_lines(&output);
    assert_eq!(lengths[2]["distinct_so_far"], 187);
    assert_eq!(lengths[3]["distinct"], 187);
    let patterns = [&arguments[..], &["--format", "json"]].concat();
    let output = run(path, &patterns);
    assert_eq!(text(&output.stderr), "");
    assert_eq!(json_lines(&output).len(), 187 + 1);

    let wrong = |alphabet: &str, signature: &str| {
        let arguments = [
            "enumerate",
            "--alphabet",
            alphabet,
            "--signature",
            signature,
        ];
        let output = run(path, &[&arguments[..], &["--max-length", "2"]].concat());
        (output.status.code(), text(&output.stderr))
    };
    let (code, message) = wrong("search.snap:modern", "[c, h, w] -> [c, h, w]");
    assert_eq!(code, Some(2));
    assert!(
        message.contains("defines no alphabet `modern`"),
        "{message}"
    );
    let (code, message) = wrong("search.snap", "[c, h, w] -> [c, h, w]");
    assert_eq!(code, Some(2));
    assert!(message.contains("`file.snap:classic`"), "{message}");
    let (code, message) = wrong("search.snap:classic", "[c, h, w -> [c, h, w]");
    assert_eq!(code, Some(1));
    assert!(message.contains("E0103"), "{message}");
}

#[test]
fn a_page_tells_of_all_definitions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path();
    let program = "## Adds what two layers make of it.\n\
                   block basic = dup conv(3) bn relu conv(3) bn add\n\n\
                   ## Two symbols.\n\
                   alphabet k {\n    c = conv(3) bn\n    | = cat\n}\n\n\
                   net n : [1, 8, 8] -> [10] = basic gap dense(10)\n";
    fs::write(path.join("file.snap"), program).unwrap();
    let output = run(path, &["doc", "file.snap"]);
    assert!(output.status.success(), "{}", text(&output.stderr));
    insta::assert_snapshot!(text(&output.stdout));
    let output = run(path, &["doc", "file.snap", "--output", "page.md"]);
    assert!(output.status.success());
    let written = fs::read_to_string(path.join("page.md")).unwrap();
    assert!(written.contains("## alphabet `k`"), "{written}");
    let all = json(&run(path, &["doc", "file.snap", "--format", "json"]));
    assert_eq!(all[1]["symbols"][1]["symbol"], "|");
    assert_eq!(all[2]["parameters"], "42");
    let to_file = ["doc", "file.snap", "--format", "json", "-o", "page.json"];
    let told = json(&run(path, &to_file));
    assert_eq!(told, serde_json::json!({ "file": "page.json" }));
    let written = fs::read_to_string(path.join("page.json")).unwrap();
    let written: Value = serde_json::from_str(&written).unwrap();
    assert_eq!(written, all);
}

#[test]
fn programs_are_compared() {
    let folder = folder_with("residual.snap");
    let path = folder.path();
    fs::write(
        path.join("mine.snap"),
        "block basic = dup dup swap drop conv(3) bn relu conv(5) bn add relu\n",
    )
    .unwrap();
    let equal = |arguments: &[&str]| run(path, &[&["equal"], arguments].concat());

    let same = equal(&["residual.snap:basic", "residual.snap:basic"]);
    assert_eq!(same.status.code(), Some(0));
    assert!(text(&same.stdout).starts_with("equal under real/2\n"));

    let other = equal(&["residual.snap", "mine.snap", "--name", "basic"]);
    assert_eq!(other.status.code(), Some(1));
    assert_eq!(text(&other.stderr), "");
    let lines = text(&other.stdout);
    assert!(lines.contains("residual.snap:basic on the left"), "{lines}");
    assert!(lines.ends_with("1 operation differs\n"), "{lines}");

    let document = json(&equal(&[
        "residual.snap:basic",
        "mine.snap",
        "--format",
        "json",
    ]));
    assert_eq!(document["equal"], false);
    assert_eq!(document["differences"][0]["kind"], "changed");
    let right = &document["differences"][0]["right"][0];
    assert_eq!(right["file"], "mine.snap");
    assert_eq!(right["start"]["column"], 49);

    let code = |arguments: &[&str]| equal(arguments).status.code();
    assert_eq!(code(&["mine.snap:basic", "mine.snap"]), Some(0));
    assert_eq!(code(&["mine.snap:other", "mine.snap"]), Some(2));
    assert_eq!(code(&["missing.snap:basic", "mine.snap"]), Some(2));
    assert_eq!(code(&["mine.snap"]), Some(2));
    assert_eq!(
        code(&["residual.snap:basic", "mine.snap", "--laws", "reel"]),
        Some(2)
    );
}
