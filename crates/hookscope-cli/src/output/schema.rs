//! Holds the schemas in `docs/` against what is printed: the report, its lines, and those of a live run.
//!
//! As they are published they let further fields pass, since fields are added; here they let none pass. They are written
//! by hand, a field on a line; `HOOKSCOPE_BLESS=1` renews the words of fields that are there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use hookscope::report::schema::Report;
use hookscope::report::{Event, Input};
use hookscope::{Config, Inspector, Keep};
use hookscope_capture::{Options, for_each_batch};
use jsonschema::Validator;
use serde_json::{Map, Value, json};

#[cfg(feature = "live")]
use crate::text::Pulse;
use crate::{cluster, log};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn published(name: &str) -> Value {
    let path = root().join("docs").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The definition that a schema refers to.
fn referred(schema: &Value) -> Option<String> {
    schema["$ref"].as_str()?.strip_prefix("#/$defs/").map(str::to_owned)
}

/// The same schema, which lets nothing pass that it does not name.
fn strict(mut schema: Value) -> Value {
    // A line is an object with a type: together they are all that is in it.
    let mut lines = BTreeSet::new();
    for line in schema.get_mut("oneOf").and_then(Value::as_array_mut).into_iter().flatten() {
        lines.extend(referred(line));
        line["unevaluatedProperties"] = false.into();
    }
    if schema.get("properties").is_some() {
        schema["additionalProperties"] = false.into();
    }
    for (name, definition) in schema["$defs"].as_object_mut().unwrap() {
        if definition.get("properties").is_some() && !lines.contains(name) {
            definition["additionalProperties"] = false.into();
        }
    }
    schema
}

fn validator(schema: &Value) -> Validator {
    jsonschema::draft202012::new(schema).unwrap()
}

/// What is printed of one capture.
struct Printed {
    report: Report,
    /// Lines of a file, and those of a live run.
    lines: Vec<Value>,
}

impl Printed {
    fn json(&self) -> Value {
        let mut out = Vec::new();
        super::json(&mut out, &self.report, false).unwrap();
        serde_json::from_slice(&out).unwrap()
    }
}

/// Reads a capture as `analyze` and `live` do.
fn print(capture: &Path, keep: Keep, objects: &[PathBuf], logs: &[PathBuf]) -> Printed {
    let cluster = cluster::read(objects).unwrap().cluster;
    let log = log::read(logs).unwrap().log;
    let mut inspector =
        Inspector::new(Config { keep, cluster, retain: log.retain(), watch: true, ..Config::default() });
    let mut out = Vec::new();
    let summary = for_each_batch(&[capture], &Options::default(), |packets, _| {
        inspector.observe_batch(packets);
        tell(inspector.take_events(), &mut out);
        ControlFlow::Continue(())
    });
    summary.unwrap();
    inspector.close();
    tell(inspector.take_events(), &mut out);
    let files = vec![capture.display().to_string()];
    let report = inspector.finish().report_with(&Input { files, ..Input::default() }, &log);
    super::ndjson(&mut out, &report).unwrap();
    #[cfg(feature = "live")]
    out.extend(pulse(&report).into_bytes());
    let text = String::from_utf8(out).unwrap();
    Printed { report, lines: text.lines().map(|line| serde_json::from_str(line).unwrap()).collect() }
}

#[cfg(feature = "live")]
fn pulse(report: &Report) -> String {
    let at = report.capture.last.clone().unwrap_or_else(|| "1970-01-01T00:00:00.000000000Z".to_owned());
    let pulse = Pulse { at: &at, summary: &report.summary, packets: 1, open: 0, dropped: 0 };
    super::pulse(&pulse).unwrap()
}

fn tell(events: Vec<Event>, out: &mut Vec<u8>) {
    for event in events {
        match event {
            Event::Notice(notice) => out.extend(super::notice(&notice).unwrap().into_bytes()),
            Event::Lookup(lookup) => out.extend(super::lookup(&lookup).unwrap().into_bytes()),
            _ => {}
        }
    }
}

fn incident() -> Printed {
    let objects = root().join("crates/hookscope-cluster/tests/objects/incident.json");
    let log = root().join("crates/hookscope/tests/data/incident.apiserver.log");
    print(&root().join("fixtures/incident/incident.pcap.zst"), Keep::Failures, &[objects], &[log])
}

/// All captures of `fixtures/`.
fn fixtures() -> Vec<PathBuf> {
    let entries = |path: &Path| fs::read_dir(path).unwrap().map(|entry| entry.unwrap().path()).collect();
    let folders: Vec<PathBuf> = entries(&root().join("fixtures"));
    let mut files: Vec<PathBuf> =
        folders.iter().filter(|it| it.is_dir()).flat_map(|it| entries(it)).collect();
    files.retain(|file| !file.extension().is_some_and(|kind| kind == "json" || kind == "md"));
    assert!(files.len() > 100, "the fixtures are missing");
    files
}

fn refusals(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|error| format!("{}: {error}", error.instance_path())).collect()
}

#[test]
fn all_that_is_printed_is_in_the_schemas() {
    let report = validator(&strict(published("report.schema.json")));
    let line = validator(&strict(published("events.schema.json")));
    let mut kinds = BTreeSet::new();
    let is_incident = |path: &Path| path.to_string_lossy().contains("incident");
    let printed = fixtures().into_iter().filter(|path| !is_incident(path)).map(|path| {
        let printed = print(&path, Keep::All, &[], &[]);
        (path.display().to_string(), printed)
    });
    for (name, printed) in printed.chain([("the incident".to_owned(), incident())]) {
        assert_eq!(refusals(&report, &printed.json()), Vec::<String>::new(), "{name}");
        for object in &printed.lines {
            let refused: Vec<_> =
                refusals(&line, object).iter().map(|it| it.chars().take(500).collect::<String>()).collect();
            assert_eq!(refused, Vec::<String>::new(), "{name}: {object}");
            let is_live = if object["at"].is_null() { "" } else { " live" };
            kinds.insert(format!("{}{is_live}", object["type"].as_str().unwrap()));
        }
    }
    let all = ["capture", "cluster", "connection", "connection live", "endpoint", "log", "lookup", "summary"];
    let live = cfg!(feature = "live").then_some("pulse live");
    assert_eq!(kinds, all.into_iter().chain(live).map(str::to_owned).collect());
}

/// A change to a document: one that has to be refused, whoever looks.
type Change = Box<dyn Fn(&mut Value)>;

/// For each field of a document, once for all elements of an array: without it, and with a value of another type.
fn changes(document: &Value) -> BTreeMap<String, Change> {
    let mut changes = BTreeMap::new();
    let mut places = vec![(String::new(), String::new(), document)];
    while let Some((pointer, name, value)) = places.pop() {
        match value {
            Value::Object(fields) => {
                let is_map = name.ends_with("/verdicts");
                for (key, value) in fields {
                    let (at, of, key) = (format!("{pointer}/{key}"), pointer.clone(), key.clone());
                    let name = if is_map { format!("{name}/*") } else { format!("{name}/{key}") };
                    let other = if value.is_object() { json!([0]) } else { json!({ "no": 0 }) };
                    let place = at.clone();
                    let replace: Change =
                        Box::new(move |document| *document.pointer_mut(&place).unwrap() = other.clone());
                    changes.entry(format!("another type of {name}")).or_insert(replace);
                    if !is_map {
                        let remove: Change = Box::new(move |document| {
                            document.pointer_mut(&of).unwrap().as_object_mut().unwrap().remove(&key);
                        });
                        changes.entry(format!("without {name}")).or_insert(remove);
                    }
                    places.push((at, name, value));
                }
            }
            Value::Array(elements) => {
                let elements = elements.iter().enumerate();
                places.extend(
                    elements.map(|(at, value)| (format!("{pointer}/{at}"), format!("{name}[]"), value)),
                );
            }
            _ => {}
        }
    }
    changes
}

#[test]
fn what_is_wrong_is_refused() {
    let report = validator(&published("report.schema.json"));
    let lines = validator(&published("events.schema.json"));
    let incident = incident();
    let rejected = print(&root().join("fixtures/tls-bad-certificate/tls12-nosan.pcap"), Keep::All, &[], &[]);
    let lookup = print(
        &fixtures().into_iter().find(|it| it.to_string_lossy().contains("dns-nxdomain/")).unwrap(),
        Keep::All,
        &[],
        &[],
    );
    let mut count = 0;
    for printed in [&incident, &rejected, &lookup] {
        // A few of each are enough to have every field once.
        let mut document = printed.json();
        for list in ["connections", "log", "endpoints"] {
            document[list].as_array_mut().unwrap().truncate(12);
        }
        let kinds = ["connection", "log", "lookup", "cluster", "pulse"];
        let some =
            kinds.into_iter().filter_map(|kind| printed.lines.iter().find(|line| line["type"] == kind));
        for (validator, document) in some.map(|line| (&lines, line.clone())).chain([(&report, document)]) {
            assert!(validator.is_valid(&document));
            for (what, change) in changes(&document) {
                let mut changed = document.clone();
                change(&mut changed);
                assert!(!validator.is_valid(&changed), "{what} is let pass");
                count += 1;
            }
            let mut added = document.clone();
            added["a_field_of_a_later_version"] = 1.into();
            assert!(validator.is_valid(&added), "fields are added");
        }
    }
    assert!(count > 300, "{count}");
    for wrong in [json!({}), json!([]), json!({ "type": "nonsense" }), json!({ "schema": "hookscope/2" })] {
        assert!(!report.is_valid(&wrong) && !lines.is_valid(&wrong), "{wrong}");
    }
    let mut words = incident.json();
    words["connections"][0]["verdict"]["severity"] = "error".into();
    assert!(!report.is_valid(&words), "severities are listed");
}

/// Fields of the types that are printed, each with its words: by type and by name in JSON.
fn fields() -> BTreeMap<String, BTreeMap<String, String>> {
    let folder = root().join("crates/hookscope/src/report");
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let source = read("schema.rs") + &read("schema/cluster.rs");
    let mut types: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    let (mut words, mut renamed, mut is_printed, mut inside) = (Vec::new(), None, false, None);
    for line in source.lines() {
        let text = line.trim();
        if let Some(comment) = text.strip_prefix("///") {
            words.push(comment.trim());
        } else if let Some((_, name)) = text.split_once("rename = \"") {
            renamed = name.split('"').next();
        } else if text.starts_with("#[") {
            is_printed |= text.contains("Serialize");
        } else if let Some(name) = text.strip_prefix("pub struct ").and_then(|it| it.strip_suffix(" {")) {
            inside = is_printed.then(|| name.to_owned());
            words.clear();
        } else if let (Some(name), Some((field, _))) =
            (&inside, text.strip_prefix("pub ").and_then(|it| it.split_once(": ")))
        {
            let field = renamed.take().unwrap_or(field).to_owned();
            types.entry(name.clone()).or_default().insert(field, words.join(" "));
            words.clear();
        } else {
            if text == "}" {
                (inside, is_printed) = (None, false);
            }
            words.clear();
        }
    }
    types
}

/// Writes the words of the types into both schemas, in which each field is on a line of its own.
fn bless(types: &BTreeMap<String, BTreeMap<String, String>>) {
    for file in ["report.schema.json", "events.schema.json"] {
        let path = root().join("docs").join(file);
        let (mut out, mut of_type) = (String::new(), "Report".to_owned());
        for line in fs::read_to_string(&path).unwrap().lines() {
            let (text, indent) = (line.trim_start(), line.len() - line.trim_start().len());
            let name = text.strip_prefix('"').and_then(|text| text.split('"').next()).unwrap_or_default();
            if indent == 4 && text.ends_with('{') && types.contains_key(name) {
                of_type = name.to_owned();
            }
            let is_field = indent == if of_type == "Report" { 4 } else { 8 };
            let words = types.get(&of_type).and_then(|fields| fields.get(name)).filter(|_| is_field);
            let described = words.zip(line.rsplit_once("\"description\": "));
            match described.filter(|_| file == "report.schema.json" || of_type != "Report") {
                Some((words, (front, old))) => {
                    let end = if old.ends_with(',') { " }," } else { " }" };
                    out += &format!("{front}\"description\": {}{end}", json!(words));
                }
                None => out += line,
            }
            out.push('\n');
        }
        fs::write(path, out).unwrap();
    }
}

#[test]
fn the_schema_has_each_field_of_the_types_with_its_words() {
    let types = fields();
    if std::env::var_os("HOOKSCOPE_BLESS").is_some() {
        bless(&types);
    }
    let report = published("report.schema.json");
    let events = published("events.schema.json");
    assert_eq!(report["$defs"], events["$defs"], "what both define is the same in both");
    assert!(types.len() > 15, "{:?}", types.keys());
    for (name, fields) in types {
        let definition = if name == "Report" { &report } else { &report["$defs"][&name] };
        let none = Map::new();
        let properties = definition["properties"].as_object().unwrap_or(&none);
        let described = |(key, value): (&String, &Value)| {
            (key.clone(), value["description"].as_str().unwrap_or_default().to_owned())
        };
        let described: BTreeMap<String, String> = properties.iter().map(described).collect();
        assert_eq!(
            described, fields,
            "{name} in docs/report.schema.json and report/schema.rs: add or remove fields in both schemas; \
             HOOKSCOPE_BLESS=1 renews their words"
        );
        let required: BTreeSet<&str> =
            definition["required"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
        assert_eq!(required, fields.keys().map(String::as_str).collect(), "{name}: nothing is left out");
    }
}
