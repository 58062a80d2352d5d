//! YAML text -> the objects in it, one after another: of a long list only the object at hand is kept.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, Tag};
use serde_json::{Map, Number, Value};

use crate::collect::{Collection, Place, Source};
use crate::{Error, MAX_ALIASED, MAX_DEPTH};

/// Reads objects of at most `max_object` bytes each.
pub(crate) fn read(
    file: &str,
    text: &str,
    max_object: usize,
    collection: &mut Collection,
) -> Result<(), Error> {
    let mut documents = Documents::new(file, max_object, collection);
    let mut line = 1;
    for event in Parser::new_from_str(text) {
        let result =
            event.map_err(|error| (error.marker().line(), error.marker().col(), error.info().to_owned()));
        let result = result.and_then(|(event, span)| {
            line = span.start.line();
            let column = span.start.col();
            documents.event(event, line).map_err(|reason| (line, column, reason))
        });
        if let Err((line, column, reason)) = result {
            let document = documents.document.max(1);
            return Err(Error::Yaml { file: file.to_owned(), line, column: column + 1, document, reason });
        }
    }
    Ok(())
}

/// What is being read.
struct Documents<'a> {
    file: &'a str,
    collection: &'a mut Collection,
    document: usize,
    /// Lists and mappings that have begun and not ended, the outermost first.
    open: Vec<Open>,
    /// What aliases of this document may stand for.
    anchors: HashMap<usize, Value>,
    /// Bytes of what is being read.
    held: usize,
    max_object: usize,
    /// Bytes that aliases may still add.
    aliases_left: usize,
    /// Objects of a list that do not say what they are, until the list does.
    waiting: Vec<(Place<'a>, Value)>,
}

/// A list or mapping under way.
struct Open {
    anchor: usize,
    line: usize,
    node: Node,
}

enum Node {
    List(Vec<Value>),
    Mapping {
        entries: Map<String, Value>,
        key: Option<String>,
    },
    /// The `items` of a document's mapping: handed out one by one.
    Items,
}

impl<'a> Documents<'a> {
    fn new(file: &'a str, max_object: usize, collection: &'a mut Collection) -> Self {
        Self {
            file,
            collection,
            document: 0,
            open: Vec::new(),
            anchors: HashMap::new(),
            held: 0,
            max_object,
            aliases_left: MAX_ALIASED,
            waiting: Vec::new(),
        }
    }

    fn event(&mut self, event: Event<'_>, line: usize) -> Result<(), String> {
        match event {
            Event::DocumentStart(_) => {
                self.document += 1;
                self.anchors.clear();
                self.held = 0;
                self.aliases_left = MAX_ALIASED;
            }
            Event::SequenceStart(anchor, _) => {
                let node =
                    if self.is_at_items() && anchor == 0 { Node::Items } else { Node::List(Vec::new()) };
                self.begin(Open { anchor, line, node })?;
            }
            Event::MappingStart(anchor, _) => {
                let node = Node::Mapping { entries: Map::new(), key: None };
                self.begin(Open { anchor, line, node })?;
            }
            Event::SequenceEnd | Event::MappingEnd => {
                if let Some(Open { anchor, line, node }) = self.open.pop() {
                    let value = match node {
                        Node::List(list) => Value::Array(list),
                        Node::Mapping { entries, .. } => Value::Object(entries),
                        Node::Items => Value::Null,
                    };
                    self.node(value, anchor, line)?;
                }
            }
            Event::Scalar(text, style, anchor, tag) => {
                self.hold(text.len(), anchor)?;
                self.node(scalar(&text, style, tag.as_deref()), anchor, line)?;
            }
            Event::Alias(anchor) => {
                let value =
                    self.anchors.get(&anchor).cloned().ok_or("an alias of something that is not complete")?;
                let weight = weight(&value);
                self.aliases_left = self
                    .aliases_left
                    .checked_sub(weight)
                    .ok_or_else(|| format!("its aliases add more than {MAX_ALIASED} bytes"))?;
                self.hold(weight, 0)?;
                self.node(value, 0, line)?;
            }
            Event::Nothing | Event::StreamStart | Event::StreamEnd | Event::DocumentEnd => {}
        }
        Ok(())
    }

    /// Takes note of so many bytes more; what has an anchor is kept twice.
    fn hold(&mut self, bytes: usize, anchor: usize) -> Result<(), String> {
        let times = if anchor > 0 { 2 } else { 1 };
        self.held = self.held.saturating_add((bytes + NODE) * times);
        if self.held > self.max_object {
            return Err(format!("an object takes more than {} MiB", self.max_object >> 20));
        }
        Ok(())
    }

    /// Whether the next node is the value of `items` in a document's outermost mapping.
    fn is_at_items(&self) -> bool {
        matches!(self.open.as_slice(),
            [Open { node: Node::Mapping { key: Some(key), .. }, .. }] if key == "items")
    }

    fn begin(&mut self, open: Open) -> Result<(), String> {
        if self.open.len() >= MAX_DEPTH {
            return Err(format!("it is nested deeper than {MAX_DEPTH} levels"));
        }
        if let Some(Open { node: Node::Mapping { key: None, .. }, .. }) = self.open.last() {
            return Err("a key that is a list or a mapping".to_owned());
        }
        self.hold(0, open.anchor)?;
        self.open.push(open);
        Ok(())
    }

    /// A node is complete.
    fn node(&mut self, value: Value, anchor: usize, line: usize) -> Result<(), String> {
        if anchor > 0 {
            self.anchors.insert(anchor, value.clone());
        }
        match self.open.last_mut().map(|open| &mut open.node) {
            Some(Node::List(list)) => list.push(value),
            Some(Node::Mapping { entries, key }) => match key.take() {
                Some(key) if key == "<<" => merge(entries, value),
                Some(key) => {
                    entries.insert(key, value);
                }
                None => *key = Some(as_key(value)?),
            },
            Some(Node::Items) => self.item(value, line),
            None => self.whole(value, line),
        }
        Ok(())
    }

    /// An object of a list is complete.
    fn item(&mut self, value: Value, line: usize) {
        let at = self.at(line);
        if value.get("kind").is_some() || !value.is_object() {
            self.collection.take(at, &Source::Value(&value), None);
            if self.waiting.is_empty() && self.anchors.is_empty() {
                self.held = 0;
            }
        } else {
            self.waiting.push((at, value));
        }
    }

    /// A document is complete.
    fn whole(&mut self, value: Value, line: usize) {
        let kind = value.get("kind").and_then(Value::as_str).unwrap_or_default();
        let waiting = std::mem::take(&mut self.waiting);
        let of_list = kind.strip_suffix("List").filter(|kind| !kind.is_empty());
        for (at, value) in &waiting {
            self.collection.take(*at, &Source::Value(value), of_list);
        }
        let is_list = kind.ends_with("List") || kind.is_empty() && value.get("items").is_some();
        match value {
            Value::Null => {}
            Value::Array(list) => {
                let at = self.at(line);
                for value in list {
                    self.collection.take(at, &Source::Value(&value), None);
                }
            }
            value if !is_list => self.collection.take(self.at(line), &Source::Value(&value), None),
            _ => {}
        }
    }

    const fn at(&self, line: usize) -> Place<'a> {
        Place { file: self.file, document: self.document, line }
    }
}

/// `<<: *base`: what is not said, the base says (YAML 1.1; Helm charts use it).
fn merge(entries: &mut Map<String, Value>, value: Value) {
    let bases = match value {
        Value::Array(bases) => bases,
        base => vec![base],
    };
    for base in bases {
        if let Value::Object(base) = base {
            for (key, value) in base {
                entries.entry(key).or_insert(value);
            }
        }
    }
}

fn as_key(value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Null => Ok(String::new()),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Array(_) | Value::Object(_) => Err("a key that is a list or a mapping".to_owned()),
    }
}

/// Roughly the bytes of a node beside its text: its place in a list, or an entry of a mapping.
const NODE: usize = 64;

/// Roughly the bytes that a value takes. It is nested no deeper than a document may be.
fn weight(value: &Value) -> usize {
    NODE + match value {
        Value::String(text) => text.len(),
        Value::Array(list) => list.iter().map(weight).sum(),
        Value::Object(entries) => entries.iter().map(|(key, value)| NODE + key.len() + weight(value)).sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) => 0,
    }
}

/// What a scalar means: by its tag, else by its form (YAML 1.2, section 10.3), where it is not quoted.
fn scalar(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let is_text = tag.is_some_and(|tag| {
        !(tag.is_yaml_core_schema() && matches!(&*tag.suffix, "int" | "float" | "bool" | "null"))
    });
    if is_text || style != ScalarStyle::Plain && tag.is_none() {
        return Value::String(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => number(text).map_or_else(|| Value::String(text.to_owned()), Value::Number),
    }
}

fn number(text: &str) -> Option<Number> {
    if !text.starts_with(|first: char| first.is_ascii_digit() || matches!(first, '-' | '+' | '.')) {
        return None;
    }
    let radix = |digits: &str, radix| u64::from_str_radix(digits, radix).ok().map(Number::from);
    if let Some(digits) = text.strip_prefix("0x") {
        return radix(digits, 16);
    }
    if let Some(digits) = text.strip_prefix("0o") {
        return radix(digits, 8);
    }
    let positive = text.strip_prefix('+').unwrap_or(text);
    let integer =
        positive.parse::<u64>().map(Number::from).or_else(|_| positive.parse::<i64>().map(Number::from));
    integer.ok().or_else(|| Number::from_f64(positive.parse().ok()?))
}
