//! The schema of the JSON of diagnostics describes what is written.
//!
//! The validator knows the part of JSON Schema (2020-12) that the schema uses, and refuses any other
//! keyword. It is small enough to read; a crate would bring some thirty others.

use std::fs;

use serde_json::{Value, json};
use snapc::diagnostic::Report;

use super::pages::{pages, report, root};
use super::programs::{diagnostics, source};

/// The schema.
pub fn schema() -> Value {
    let path = root().join("book/src/reference/diagnostics.schema.json");
    let text = fs::read_to_string(path).expect("the schema is there");
    serde_json::from_str(&text).expect("it is JSON")
}

/// Says where `value` is not what `schema` describes; `root` is the whole schema.
pub fn misfits(value: &Value, schema: &Value, root: &Value, place: &str) -> Vec<String> {
    let mut found = Vec::new();
    let keywords = schema.as_object().expect("a schema is an object");
    for (keyword, rule) in keywords {
        match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "properties" => {}
            "$ref" => {
                let pointer = rule.as_str().and_then(|it| it.strip_prefix('#'));
                let target = pointer.and_then(|it| root.pointer(it));
                let target = target.unwrap_or_else(|| panic!("{rule} leads nowhere"));
                found.extend(misfits(value, target, root, place));
            }
            "anyOf" => {
                let mut forms = rule.as_array().expect("a list").iter();
                if !forms.any(|form| misfits(value, form, root, place).is_empty()) {
                    found.push(format!("{place} has none of its forms: {value}"));
                }
            }
            "items" => {
                for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                    found.extend(misfits(item, rule, root, &format!("{place}/{index}")));
                }
            }
            "additionalProperties" => {
                assert_eq!(rule, &json!(false));
                let known = &schema["properties"];
                for (name, field) in value.as_object().into_iter().flatten() {
                    match known.get(name) {
                        Some(rule) => {
                            found.extend(misfits(field, rule, root, &format!("{place}/{name}")));
                        }
                        None => found.push(format!("{place} has the unknown field {name}")),
                    }
                }
            }
            _ if !is_met(keyword, rule, value) => {
                found.push(format!(
                    "{place}: {keyword} {rule} does not hold for {value}"
                ));
            }
            _ => {}
        }
    }
    found
}

/// Whether a value meets a rule about itself alone.
fn is_met(keyword: &str, rule: &Value, value: &Value) -> bool {
    let length = || value.as_str().map(|text| text.chars().count() as u64);
    match keyword {
        "type" => match rule {
            Value::Array(kinds) => kinds.iter().any(|kind| is_kind(value, kind)),
            kind => is_kind(value, kind),
        },
        "enum" => rule.as_array().is_some_and(|all| all.contains(value)),
        "required" => {
            let mut names = rule.as_array().into_iter().flatten();
            names.all(|name| name.as_str().is_some_and(|name| value.get(name).is_some()))
        }
        "minimum" => value.as_i64() >= rule.as_i64(),
        "minLength" => length() >= rule.as_u64(),
        "maxLength" => length() <= rule.as_u64(),
        other => panic!("the validator does not know `{other}`"),
    }
}

fn is_kind(value: &Value, kind: &Value) -> bool {
    match kind.as_str() {
        Some("object") => value.is_object(),
        Some("array") => value.is_array(),
        Some("string") => value.is_string(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("null") => value.is_null(),
        other => panic!("the validator does not know the type {other:?}"),
    }
}

#[test]
fn the_json_of_all_programs_fits_the_schema() {
    let schema = schema();
    let mut problems = Vec::new();
    let mut count = 0;
    for page in pages() {
        for block in page.blocks() {
            if block.language() != "snap" {
                continue;
            }
            let (diagnostics, sources) = diagnostics(&source(&block));
            count += diagnostics.len();
            let report = Report::new(&diagnostics, &sources);
            let value = serde_json::to_value(&report).expect("it can be written");
            let place = page.place(&block);
            problems.extend(misfits(&value, &schema, &schema, &place));
        }
    }
    assert!(count > 40, "there are only {count} diagnostics");
    report(problems);
}

#[test]
fn the_schema_describes_nothing_else() {
    let schema = schema();
    let place = json!({"file": "a.snap", "span": {"start": 0, "end": 1},
        "start": {"line": 1, "column": 1}, "end": {"line": 1, "column": 2}});
    let mut good = place.clone();
    for (name, value) in [
        ("code", json!("E0201")),
        ("severity", json!("error")),
        ("message", json!("m")),
        ("label", json!("")),
        ("labels", json!([])),
        ("notes", json!(["n"])),
        ("help", json!(null)),
        ("suggestion", json!(null)),
    ] {
        good[name] = value;
    }
    let fits = |one: &Value| {
        let document = json!({ "diagnostics": [one] });
        misfits(&document, &schema, &schema, "").is_empty()
    };
    assert!(fits(&good));
    for (pointer, wrong) in [
        ("/code", json!("E201")),
        ("/severity", json!("fatal")),
        ("/message", json!("")),
        ("/span/start", json!(-1)),
        ("/start/line", json!(0)),
        ("/notes/0", json!(1)),
        ("/labels", json!([place])),
        ("/help", json!(1)),
        ("/suggestion", json!({})),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).expect("it is there") = wrong;
        assert!(!fits(&bad), "{pointer}");
    }
    let mut more = good.clone();
    more["more"] = json!(1);
    assert!(!fits(&more));
}
