//! JSON text -> the objects in it, each where it lies: nothing of what is not asked for is kept.

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::collect::{Collection, Head, Source};
use crate::{At, Error, newlines};

/// An object, and what makes it a list of objects.
#[derive(Deserialize)]
struct List<'a> {
    #[serde(borrow)]
    items: Option<Vec<&'a RawValue>>,
}

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
        take(raw, None, &mut |raw, kind| {
            let at = At { file: file.to_owned(), document, line: lines.of(raw) };
            collection.take(at, &Source::Json(raw.get()), kind);
        });
    }
    Ok(())
}

/// Hands out the objects of a document; `kind` is what those of a typed list leave out.
fn take<'a>(document: &'a RawValue, kind: Option<&str>, sink: &mut impl FnMut(&'a RawValue, Option<&str>)) {
    // A list that is handed out before those in it, so that places only go forward.
    let mut open = vec![(document, kind.map(str::to_owned), 0)];
    while let Some((raw, kind, depth)) = open.pop() {
        let items = match serde_json::from_str::<Vec<&RawValue>>(raw.get()) {
            Ok(items) => Some(items),
            Err(_) => serde_json::from_str::<List<'_>>(raw.get()).ok().and_then(|list| list.items),
        };
        let own = serde_json::from_str::<Head>(raw.get()).ok().and_then(|head| head.kind);
        let is_list = own.as_ref().is_none_or(|kind| kind.ends_with("List"));
        match items.filter(|_| is_list && depth < MAX_LISTS) {
            Some(items) => {
                let kind = own.and_then(|kind| Some(kind.strip_suffix("List")?.to_owned()));
                let kind = kind.filter(|kind| !kind.is_empty());
                open.extend(items.into_iter().rev().map(|item| (item, kind.clone(), depth + 1)));
            }
            None => sink(raw, kind.as_deref()),
        }
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
