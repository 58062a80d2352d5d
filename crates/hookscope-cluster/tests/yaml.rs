//! YAML says what JSON says.

mod common;

use std::fmt::Write;

use common::{incident, read, recordings};
use hookscope_cluster::Reader;
use serde_json::Value;

/// Block style, as `kubectl -o yaml` writes it.
fn yaml(value: &Value, indent: usize, out: &mut String) {
    match value {
        Value::Object(entries) if !entries.is_empty() => {
            for (key, value) in entries {
                write!(out, "\n{:indent$}{}:", "", Value::from(key.as_str())).unwrap();
                yaml(value, indent + 2, out);
            }
        }
        Value::Array(list) if !list.is_empty() => {
            for value in list {
                write!(out, "\n{:indent$}-", "").unwrap();
                yaml(value, indent + 2, out);
            }
        }
        scalar => write!(out, " {scalar}").unwrap(),
    }
}

#[test]
fn yaml_gives_the_objects_that_json_gives() {
    for objects in [recordings(), incident()] {
        let mut list = String::from("---");
        yaml(&objects, 0, &mut list);
        let mut documents = String::new();
        for item in objects["items"].as_array().unwrap() {
            documents.push_str("---");
            yaml(item, 0, &mut documents);
            documents.push('\n');
        }
        for text in [list, documents] {
            let mut reader = Reader::default();
            reader.read("objects.yaml", text.as_bytes()).unwrap();
            let reading = reader.finish();
            assert_eq!(reading.problems, []);
            assert_eq!(reading.objects, read(&objects));
        }
    }
}

#[test]
fn bytes_cut_or_flipped_never_stop_it() {
    let objects = incident();
    let mut text = String::from("---");
    yaml(&objects["items"][0], 0, &mut text);
    yaml(&objects["items"][20], 0, &mut text);
    for text in [text, objects["items"][0].to_string()] {
        let bytes = text.as_bytes();
        for place in (0..bytes.len()).step_by(7) {
            for flip in [1, 4, 0x20, 0x80] {
                let mut damaged = bytes.to_vec();
                damaged[place] ^= flip;
                let _ = Reader::default().read("damaged", &damaged);
            }
            let _ = Reader::default().read("cut", &bytes[..place]);
        }
    }
}
