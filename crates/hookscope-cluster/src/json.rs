//! JSON text -> the objects in it, each where it lies: nothing of what is not asked for is kept.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use crate::collect::{Collection, Head, Place, Source};
use crate::{Error, newlines};

/// Lists in lists are read this deep.
const MAX_LISTS: usize = 4;

pub(crate) fn read(file: &str, text: &str, collection: &mut Collection) -> Result<(), Error> {
    let mut lines = Lines { text, offset: 0, line: 1 };
    let documents = serde_json::Deserializer::from_str(text).into_iter::<&RawValue>();
    for (document, raw) in (1..).zip(documents) {
        let raw = raw.map_err(|error| Error::Json {
            file: file.to_owned(),
            line: error.line(),
            column: error.column(),
            reason: reason(&error),
        })?;
        walk(raw, None, 0, &mut |raw, kind| {
            let place = Place { file, document, line: lines.of(raw) };
            collection.take(place, &Source::Json(raw.get()), kind);
        });
    }
    Ok(())
}

/// What takes an object, and its kind where it does not say it itself.
type Sink<'s> = dyn FnMut(&RawValue, Option<&str>) + 's;

/// Hands out the objects of a document one after another; `kind` is what those of a typed list leave out.
fn walk(raw: &RawValue, kind: Option<&str>, depth: usize, sink: &mut Sink<'_>) {
    let mut reader = serde_json::Deserializer::from_str(raw.get());
    if depth < MAX_LISTS && raw.get().starts_with('[') {
        // It is JSON, or it would not have come here.
        let _ = reader.deserialize_seq(Items { kind, depth, sink });
        return;
    }
    let own = if raw.get().starts_with('{') { serde_json::from_str::<Head>(raw.get()).ok() } else { None };
    let own = own.and_then(|head| head.kind);
    let may_be_list = own.as_ref().is_none_or(|kind| kind.ends_with("List"));
    if depth < MAX_LISTS && may_be_list && raw.get().starts_with('{') {
        let kind = own.as_deref().and_then(|kind| kind.strip_suffix("List")).filter(|kind| !kind.is_empty());
        let list = List { items: Items { kind, depth, sink: &mut *sink }, has_items: false };
        if reader.deserialize_map(list).is_ok_and(|has_items| has_items) {
            return;
        }
    }
    sink(raw, kind);
}

/// The items of a list, as they come.
struct Items<'a, 's> {
    kind: Option<&'a str>,
    depth: usize,
    sink: &'a mut Sink<'s>,
}

impl<'de> DeserializeSeed<'de> for Items<'_, '_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_seq(self)
    }
}

impl<'de> Visitor<'de> for Items<'_, '_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<(), A::Error> {
        while let Some(item) = items.next_element::<&RawValue>()? {
            walk(item, self.kind, self.depth + 1, self.sink);
        }
        Ok(())
    }
}

/// An object that may have items: says whether it had.
struct List<'a, 's> {
    items: Items<'a, 's>,
    has_items: bool,
}

impl<'de> Visitor<'de> for List<'_, '_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut fields: A) -> Result<bool, A::Error> {
        while let Some(name) = fields.next_key::<String>()? {
            if name == "items" && !self.has_items {
                let Items { kind, depth, sink } = &mut self.items;
                fields.next_value_seed(Items { kind: *kind, depth: *depth, sink: &mut **sink })?;
                self.has_items = true;
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(self.has_items)
    }
}

/// The lines of places that only go forward.
struct Lines<'a> {
    text: &'a str,
    offset: usize,
    line: usize,
}

impl Lines<'_> {
    fn of(&mut self, part: &RawValue) -> usize {
        let offset = (part.get().as_ptr() as usize).saturating_sub(self.text.as_ptr() as usize);
        if let Some(passed) = self.text.as_bytes().get(self.offset..offset) {
            self.line += newlines(passed);
            self.offset = offset;
        }
        self.line
    }
}

/// What is wrong, without the place, which is told apart.
pub(crate) fn reason(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(place) => text.get(..place).unwrap_or(&text).to_owned(),
        None => text,
    }
}
