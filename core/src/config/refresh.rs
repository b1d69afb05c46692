//! `[auth.refresh]`: when tokens are renewed.

use std::time::Duration;

use super::known::Section;
use super::reader::{Reader, Table};

/// `[auth.refresh]`. `margin` is never longer than `ahead`, and both lie between a second and an hour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct RefreshConfig {
    /// A returned token is good for at least this long, or a tenth of its lifetime if that is less.
    pub margin: Duration,
    /// Renewal starts this long before the end, in the background.
    pub ahead: Duration,
}

/// Reads `[auth.refresh]`; the defaults stand in for what was reported.
pub(super) fn read(reader: &mut Reader<'_>, table: Table<'_, '_>) -> RefreshConfig {
    let mut fields = reader.fields(Section::Refresh, table);
    let (margin, ahead) = (fields.take::<Duration>("margin"), fields.take::<Duration>("ahead"));
    if let (Some(margin), Some(ahead)) = (&margin, &ahead)
        && **margin > **ahead
    {
        let name = if fields.place("ahead").is_some() { "ahead" } else { "margin" };
        reader.problem(
            fields.value_at(name),
            "`margin` is longer than `ahead`, so that every renewal would come too late",
            "Make `ahead` at least as long as `margin` (60s where it is not set).",
        );
    }
    let (margin, ahead) = (margin.map(|margin| margin.value), ahead.map(|ahead| ahead.value));
    RefreshConfig { margin: margin.unwrap_or_default(), ahead: ahead.unwrap_or_default() }
}
