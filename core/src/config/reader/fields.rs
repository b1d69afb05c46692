//! What one table of the file holds.

use std::collections::BTreeMap;

use crate::config::known::Key;
use crate::config::origin::{Origin, Sourced};
use crate::config::value::{FromValue, Value};

/// The keys of one table. A value is taken out once; whether and where its key stands stays known.
pub(in crate::config) struct Fields {
    /// The byte that the table is named at.
    pub(in crate::config) at: usize,
    fields: BTreeMap<&'static str, Field>,
}

struct Field {
    /// `None` where the key does not stand in the file.
    place: Option<Place>,
    is_missing: bool,
    key: &'static Key,
    value: Option<(Value, Origin)>,
}

/// The bytes that a key and its value stand at.
#[derive(Clone, Copy)]
pub(super) struct Place {
    pub(super) key: usize,
    pub(super) value: usize,
}

/// What came of reading a value.
pub(super) enum Outcome {
    /// It is empty, which counts as absent.
    Empty,
    /// It was reported.
    Failed,
    /// It passed.
    Valid(Value, Origin),
}

impl Fields {
    pub(super) fn new(at: usize) -> Self {
        Self { at, fields: BTreeMap::new() }
    }

    pub(super) fn insert(&mut self, key: &'static Key, place: Option<Place>, outcome: Outcome) {
        // An empty key keeps its place when the default takes its part.
        let place = place.or_else(|| self.fields.get(key.name)?.place);
        let is_missing = matches!(outcome, Outcome::Empty);
        let value = match outcome {
            Outcome::Valid(value, origin) => Some((value, origin)),
            Outcome::Empty | Outcome::Failed => None,
        };
        self.fields.insert(key.name, Field { place, is_missing, key, value });
    }

    /// The value of `name`; `None` where it is missing, was reported or was taken before.
    pub(in crate::config) fn take<T: FromValue>(&mut self, name: &str) -> Option<Sourced<T>> {
        let (value, origin) = self.fields.get_mut(name)?.value.take()?;
        Some(Sourced::new(T::from_value(value)?, origin))
    }

    /// Whether `name` has a value that was not taken yet.
    pub(in crate::config) fn has_value(&self, name: &str) -> bool {
        self.fields.get(name).is_some_and(|field| field.value.is_some())
    }

    /// Whether `name` has no value, so that saying so is news: a value that was reported is not missing.
    pub(in crate::config) fn is_missing(&self, name: &str) -> bool {
        self.fields.get(name).is_none_or(|field| field.is_missing)
    }

    /// The byte that the key `name` stands at.
    pub(in crate::config) fn place(&self, name: &str) -> Option<usize> {
        Some(self.fields.get(name)?.place?.key)
    }

    /// The byte to report the value of `name` at, or the table's where there is none.
    pub(in crate::config) fn value_at(&self, name: &str) -> usize {
        self.fields.get(name).and_then(|field| field.place).map_or(self.at, |place| place.value)
    }

    /// The byte to report `name` at: the key's, else the table's.
    pub(in crate::config) fn key_at(&self, name: &str) -> usize {
        self.place(name).unwrap_or(self.at)
    }

    /// The keys that stand in the file, in its order, with the bytes they stand at.
    pub(in crate::config) fn given(&self) -> Vec<(usize, &'static Key)> {
        let given = |field: &Field| field.place.map(|place| (place.key, field.key));
        let mut given: Vec<_> = self.fields.values().filter_map(given).collect();
        given.sort_by_key(|(at, _)| *at);
        given
    }
}
