//! Reads tables of the file by the table of known keys, and collects everything that is to be reported.

mod compound;
mod fields;

use std::borrow::Cow;
use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

pub(super) use fields::Fields;
use fields::{Outcome, Place};

use super::check::check;
use super::file::File;
use super::interpolate::{Fault, Text, interpolate};
use super::known::{self, Key, Kind, Section};
use super::origin::Origin;
use super::path::Directories;
use super::problem::{Problem, Problems};
use super::row::{Row, join};
use super::suggest;
use super::text::clip;
use super::value::Value;
use crate::environment::Environment;

/// A key or a value of the file, with the bytes it stands at.
pub(super) type Name<'i> = Spanned<Cow<'i, str>>;
pub(super) type Item<'i> = Spanned<DeValue<'i>>;

/// A table of the file, its name as written in messages, and the byte it is named at.
#[derive(Clone, Copy)]
pub(super) struct Table<'a, 'i> {
    pub(super) path: &'a str,
    pub(super) at: usize,
    pub(super) table: &'a DeTable<'i>,
}

/// Reads tables, and goes on after a problem.
pub(super) struct Reader<'a> {
    pub(super) environment: &'a Environment,
    file: File<'a>,
    notes: Vec<(usize, Fault)>,
    problems: Vec<(usize, Fault)>,
    rows: BTreeMap<String, Row>,
}

impl<'a> Reader<'a> {
    pub(super) fn new(environment: &'a Environment, file: File<'a>) -> Self {
        Self { environment, file, notes: Vec::new(), problems: Vec::new(), rows: BTreeMap::new() }
    }

    /// Records what is wrong at the byte `at`.
    pub(super) fn problem(&mut self, at: usize, message: impl Into<String>, help: impl Into<String>) {
        self.problems.push((at, Fault::new(message, help)));
    }

    /// Records what is worth knowing at the byte `at`.
    pub(super) fn note(&mut self, at: usize, message: impl Into<String>, help: impl Into<String>) {
        self.notes.push((at, Fault::new(message, help)));
    }

    /// Records a value in force, in place of what was recorded for its key before.
    pub(super) fn row(&mut self, row: Row) {
        self.rows.insert(row.key.clone(), row);
    }

    /// Forgets a value that turned out not to be in force.
    pub(super) fn forget_row(&mut self, key: &str) {
        self.rows.remove(key);
    }

    /// Ends the reading with a problem at the byte `at`.
    pub(super) fn fail(&self, at: usize, message: impl Into<String>, help: impl Into<String>) -> Problems {
        Problems::new(&self.file.shown, self.place(vec![(at, Fault::new(message, help))]))
    }

    /// The notes and the rows, or the problems.
    pub(super) fn finish(mut self) -> Result<(Vec<Problem>, Vec<Row>), Problems> {
        let problems = std::mem::take(&mut self.problems);
        if !problems.is_empty() {
            return Err(Problems::new(&self.file.shown, self.place(problems)));
        }
        let notes = std::mem::take(&mut self.notes);
        let notes = self.place(notes);
        Ok((notes, self.rows.into_values().collect()))
    }

    /// The table `name` at `value`, or a problem.
    pub(super) fn table<'v, 'i>(&mut self, name: &Name<'i>, value: &'v Item<'i>) -> Option<&'v DeTable<'i>> {
        if let DeValue::Table(table) = value.get_ref() {
            return Some(table);
        }
        self.wrong_type(name.get_ref(), "a table", value);
        None
    }

    /// Every key of `section` in `table`; what is missing has its default.
    pub(super) fn fields(&mut self, section: Section, table: Table<'_, '_>) -> Fields {
        let mut fields = Fields::new(table.at);
        for (name, value) in table.table {
            let Some(key) = known::find(section, name.get_ref()) else {
                self.unknown(section, table, name, value);
                continue;
            };
            let at = name.span().start;
            if let Some(other) = fields.place(key.name) {
                let alias = key.alias.unwrap_or(key.name);
                self.problem(
                    at.max(other),
                    format!("`{alias}` and `{}` are two spellings of one key", key.name),
                    format!("Keep `{}`.", key.name),
                );
                continue;
            }
            let outcome = self.value(key, table.path, value);
            fields.insert(key, Some(Place { key: at, value: value.span().start }), outcome);
        }
        for key in known::keys(section) {
            if let Some(default) = key.default
                && fields.is_missing(key.name)
            {
                let outcome = self.default(key, default);
                self.show(key, table.path, &outcome);
                fields.insert(key, None, outcome);
            }
        }
        fields
    }

    /// One string that no table of known keys describes, filled in.
    pub(super) fn text(&mut self, value: &Item<'_>, text: &str) -> Option<(Text, Origin)> {
        match interpolate(text, self.environment) {
            Ok(text) => {
                let origin = self.origin(value.span().start, text.variable.as_deref());
                Some((text, origin))
            }
            Err(faults) => {
                self.failed(value.span().start, faults);
                None
            }
        }
    }

    fn value(&mut self, key: &'static Key, path: &str, value: &Item<'_>) -> Outcome {
        let at = value.span().start;
        let outcome = match (key.kind, value.get_ref()) {
            (Kind::Flag, DeValue::Boolean(flag)) => Outcome::Valid(Value::Flag(*flag), self.origin(at, None)),
            (Kind::Parameters, DeValue::Table(table)) => {
                return self.parameters(&join(path, key.name), table);
            }
            (Kind::Scopes, DeValue::Array(list)) => self.scope_list(key, value, list),
            (Kind::Scopes, DeValue::String(text)) => self.scope_string(key, value, text),
            (Kind::Parameters, _) => return self.wrong_type(key.name, "a table", value),
            (_, DeValue::String(text)) => {
                let Some((text, origin)) = self.text(value, text) else { return Outcome::Failed };
                self.one(key, text, origin, at)
            }
            (Kind::Flag, _) => return self.wrong_type(key.name, "true or false", value),
            (Kind::Scopes, _) => return self.wrong_type(key.name, "a list of strings, or a string", value),
            (_, _) => return self.wrong_type(key.name, "a string", value),
        };
        self.show(key, path, &outcome);
        outcome
    }

    fn one(&mut self, key: &Key, text: Text, origin: Origin, at: usize) -> Outcome {
        if text.value.is_empty() {
            return Outcome::Empty;
        }
        match check(key, text, &self.directories()) {
            Ok(value) => Outcome::Valid(value, origin),
            Err(fault) => self.failed(at, vec![fault]),
        }
    }

    /// A default that cannot be had, as below an unknown home, is missing; whoever needs the value says so.
    fn default(&self, key: &Key, default: &str) -> Outcome {
        let Ok(text) = interpolate(default, self.environment) else { return Outcome::Empty };
        match check(key, text, &self.directories()) {
            Ok(value) => Outcome::Valid(value, Origin::Default),
            Err(_) => Outcome::Empty,
        }
    }

    fn unknown(&mut self, section: Section, table: Table<'_, '_>, name: &Name<'_>, value: &Item<'_>) {
        // The app's own tables have keys that we do not know, and the tables below `[auth]` are read apart.
        let is_apart = matches!(value.get_ref(), DeValue::Table(_)) || known::is_reserved(name.get_ref());
        if section == Section::Endpoint {
            self.note_slip(table, name);
            return;
        }
        if section == Section::Auth && is_apart {
            return;
        }
        if section == Section::Auth && matches!(value.get_ref(), DeValue::Array(_)) {
            self.wrong_type(name.get_ref(), "a table", value);
            return;
        }
        let names = || known::keys(section).map(|key| key.name);
        let help = suggest::did_you_mean(name.get_ref(), names(), || {
            let tables =
                if section == Section::Auth { "; a provider is a table, such as [auth.github]" } else { "" };
            format!("Known here: {}{tables}.", names().collect::<Vec<_>>().join(", "))
        });
        self.problem(
            name.span().start,
            format!("unknown key `{}` in [{}]", clip(name.get_ref()), clip(table.path)),
            help,
        );
    }

    /// A key of the app's own that is spelled nearly as one of ours.
    fn note_slip(&mut self, table: Table<'_, '_>, name: &Name<'_>) {
        let ours = known::keys(Section::Endpoint).map(|key| key.name);
        if let Some(meant) = suggest::nearest(name.get_ref(), ours) {
            self.note(
                name.span().start,
                format!("`{}` in [{}] is not read here", clip(name.get_ref()), clip(table.path)),
                format!("Did you mean `{meant}`? If it is the app's own, all is well."),
            );
        }
    }

    fn wrong_type(&mut self, name: &str, wanted: &str, value: &Item<'_>) -> Outcome {
        let found = match value.get_ref() {
            DeValue::Array(_) => "a list",
            DeValue::Boolean(_) => "true or false",
            DeValue::Datetime(_) => "a date or time",
            DeValue::Float(_) | DeValue::Integer(_) => "a number",
            DeValue::String(_) => "a string",
            DeValue::Table(_) => "a table",
        };
        let help = match (wanted, value.get_ref()) {
            ("a string", DeValue::Boolean(_) | DeValue::Float(_) | DeValue::Integer(_)) => {
                "Put it in quotes.".to_owned()
            }
            ("a table", _) => "Write it as a table of its own, with its name in brackets.".to_owned(),
            _ => format!("Write {wanted}."),
        };
        self.problem(value.span().start, format!("`{}` must be {wanted}, not {found}", clip(name)), help);
        Outcome::Failed
    }

    fn failed(&mut self, at: usize, faults: Vec<Fault>) -> Outcome {
        self.problems.extend(faults.into_iter().map(|fault| (at, fault)));
        Outcome::Failed
    }

    fn show(&mut self, key: &Key, path: &str, outcome: &Outcome) {
        if let Outcome::Valid(value, origin) = outcome {
            self.row(Row::new(join(path, key.name), &value.shown(), origin, key.secret));
        }
    }

    fn origin(&self, at: usize, variable: Option<&str>) -> Origin {
        let (path, line) = (self.file.shown.clone(), self.file.line(at));
        match variable {
            Some(name) => Origin::Variable { name: name.to_owned(), path, line },
            None => Origin::FileLine { path, line },
        }
    }

    /// What paths start from.
    pub(super) fn directories(&self) -> Directories<'_> {
        Directories { file: &self.file.directory, home: self.environment.home() }
    }

    fn place(&self, mut faults: Vec<(usize, Fault)>) -> Vec<Problem> {
        faults.sort_by_key(|(at, _)| *at);
        let positions = self.file.positions(faults.iter().map(|(at, _)| *at));
        let place = |((_, Fault { message, help }), (line, column))| {
            let file = self.file.shown.to_string();
            Problem { file, line, column, message, help }
        };
        faults.into_iter().zip(positions).map(place).collect()
    }
}
