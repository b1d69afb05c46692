//! How long an answer may be kept, and how to ask whether it has changed (RFC 9111 §4.2, §4.3; RFC 9110 §13.1).

use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL, ETAG, IF_MODIFIED_SINCE, IF_NONE_MATCH, LAST_MODIFIED};
use http::{HeaderMap, HeaderName, HeaderValue};

/// The shortest time for which a document is kept, whatever its server says: every login would ask for it otherwise.
pub const SHORTEST: Duration = Duration::from_secs(5 * 60);

/// How long a document is kept whose server does not say.
pub const USUAL: Duration = Duration::from_secs(60 * 60);

/// The longest time for which a document is kept without asking.
pub const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// What an answer says about keeping it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Caching {
    lifetime: Option<Duration>,
    etag: Option<HeaderValue>,
    last_modified: Option<HeaderValue>,
}

impl Caching {
    /// Reads the headers of an answer.
    ///
    /// Of `Cache-Control`, `max-age` counts, less the `Age` that a cache on the way reports; `no-store` and `no-cache`
    /// count as no time at all. `Expires` is not looked at: it compares two clocks, and HTTP/1.1 has `max-age`.
    pub fn read(headers: &HeaderMap) -> Self {
        Self {
            lifetime: read_lifetime(headers),
            etag: headers.get(ETAG).cloned(),
            last_modified: headers.get(LAST_MODIFIED).cloned(),
        }
    }

    /// What holds once the server has answered 304: what it says now, and for the rest what it said before (RFC 9111 §4.3.4).
    #[must_use]
    pub fn updated(&self, headers: &HeaderMap) -> Self {
        let newer = Self::read(headers);
        Self {
            lifetime: newer.lifetime.or(self.lifetime),
            etag: newer.etag.or_else(|| self.etag.clone()),
            last_modified: newer.last_modified.or_else(|| self.last_modified.clone()),
        }
    }

    /// How long the answer counts as it is: what the server says, within [`SHORTEST`] and [`LONGEST`].
    pub fn lifetime(&self) -> Duration {
        self.lifetime.unwrap_or(USUAL).clamp(SHORTEST, LONGEST)
    }

    /// The headers that ask for the document only if it has changed.
    pub fn conditions(&self) -> impl Iterator<Item = (HeaderName, HeaderValue)> {
        let etag = self.etag.clone().map(|etag| (IF_NONE_MATCH, etag));
        let last_modified = self.last_modified.clone().map(|date| (IF_MODIFIED_SINCE, date));
        etag.into_iter().chain(last_modified)
    }
}

fn read_lifetime(headers: &HeaderMap) -> Option<Duration> {
    let lines = headers.get_all(CACHE_CONTROL).into_iter().filter_map(|line| line.to_str().ok());
    let lifetime = lines.flat_map(|line| line.split(',')).filter_map(read_directive).min()?;
    let age = headers.get(AGE).and_then(|age| age.to_str().ok()?.trim().parse().ok()).unwrap_or(0);
    Some(lifetime.saturating_sub(Duration::from_secs(age)))
}

fn read_directive(directive: &str) -> Option<Duration> {
    let (name, value) = directive.split_once('=').unwrap_or((directive, ""));
    match name.trim().to_ascii_lowercase().as_str() {
        "no-cache" | "no-store" => Some(Duration::ZERO),
        "max-age" => {
            let digits = value.trim().trim_matches('"');
            let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
            // More than fits is as good as for ever.
            is_number.then(|| Duration::from_secs(digits.parse().unwrap_or(u32::MAX.into())))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(name.parse::<HeaderName>().unwrap(), value.parse().unwrap());
        }
        headers
    }

    fn seconds(pairs: &[(&str, &str)]) -> u64 {
        Caching::read(&headers(pairs)).lifetime().as_secs()
    }

    #[test]
    fn the_server_says_how_long_within_bounds() {
        let by = |text: &str| seconds(&[("cache-control", text)]);
        for (text, expected) in [
            ("max-age=7200", 7200),
            ("public, max-age=7200, must-revalidate", 7200),
            ("MAX-AGE=\"7200\"", 7200),
            ("max-age=7200, max-age=600", 600),
            ("max-age=1", 300),
            ("max-age=0", 300),
            ("no-store", 300),
            ("no-cache, max-age=7200", 300),
            ("max-age=31536000", 86_400),
            ("max-age=99999999999999999999999999", 86_400),
            ("s-maxage=10", 3600),
            ("max-age", 3600),
            ("max-age=-1", 3600),
            ("max-age=soon", 3600),
            ("private", 3600),
            ("", 3600),
        ] {
            assert_eq!(by(text), expected, "{text}");
        }
        assert_eq!(seconds(&[]), 3600);
        assert_eq!(seconds(&[("expires", "0")]), 3600);
        assert_eq!(seconds(&[("cache-control", "private"), ("cache-control", "max-age=7200")]), 7200);
    }

    #[test]
    fn time_in_another_cache_counts() {
        let aged = |age: &str| seconds(&[("cache-control", "max-age=7200"), ("age", age)]);
        assert_eq!(aged("200"), 7000);
        assert_eq!(aged("7200"), 300);
        assert_eq!(aged("99999999999"), 300);
        assert_eq!(aged("soon"), 7200);
    }

    #[test]
    fn what_marks_the_version_is_given_back() {
        let caching = Caching::read(&headers(&[("etag", "\"v1\""), ("last-modified", "yesterday")]));
        let conditions: Vec<_> = caching.conditions().collect();
        assert_eq!(
            conditions,
            [(IF_NONE_MATCH, "\"v1\"".parse().unwrap()), (IF_MODIFIED_SINCE, "yesterday".parse().unwrap())]
        );
        assert_eq!(Caching::default().conditions().count(), 0);
    }

    #[test]
    fn an_unchanged_document_keeps_what_is_not_said_anew() {
        let caching = Caching::read(&headers(&[("etag", "\"v1\""), ("cache-control", "max-age=7200")]));
        assert_eq!(caching.updated(&HeaderMap::new()), caching);
        let updated = caching.updated(&headers(&[("cache-control", "max-age=600")]));
        assert_eq!(updated.lifetime().as_secs(), 600);
        assert_eq!(updated.conditions().count(), 1);
    }
}
