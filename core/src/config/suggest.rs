//! "Did you mean".

/// The candidate that `name` is most likely a slip of, or `None` where none is near.
///
/// Near is one slip in three characters, a swap of neighbours being one slip.
pub(super) fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let name = name.to_lowercase().replace('-', "_");
    let length = name.chars().count();
    let allowed = (length / 3).clamp(1, 4);
    candidates
        .into_iter()
        .take(MAX_CANDIDATES)
        .filter(|candidate| candidate.chars().count().abs_diff(length) <= allowed)
        .map(|candidate| (distance(&name, candidate), candidate))
        .filter(|(distance, candidate)| *distance <= allowed && *distance < candidate.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// "Did you mean `x`?", or `otherwise` where nothing is near.
pub(super) fn did_you_mean<'a>(
    name: &str,
    candidates: impl IntoIterator<Item = &'a str>,
    otherwise: impl FnOnce() -> String,
) -> String {
    match nearest(name, candidates) {
        Some(candidate) => format!("Did you mean `{candidate}`?"),
        None => otherwise(),
    }
}

fn distance(name: &str, candidate: &str) -> usize {
    strsim::osa_distance(name, &candidate.to_lowercase().replace('-', "_"))
}

/// A file of the largest size must not take minutes because every name in it is a slip.
const MAX_CANDIDATES: usize = 500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_finds_what_was_meant() {
        let known = ["client_id", "client_secret", "scopes", "flow"];
        for (slip, meant) in [
            ("client-id", Some("client_id")),
            ("clientid", Some("client_id")),
            ("client_sercet", Some("client_secret")),
            ("Scopes", Some("scopes")),
            ("scope", Some("scopes")),
            ("colour", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(nearest(slip, known), meant, "{slip}");
        }
    }
}
