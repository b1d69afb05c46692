//! The store's files, and the key that opens it.

use super::{Finding, FindingCode};
use crate::error::{Error, ErrorCode};
use crate::store::key::KeyOutlook;

/// What the store looks like.
#[derive(Clone, Debug, Default)]
pub struct StoreFacts {
    /// Whether it has been made.
    pub is_there: bool,
    /// What is wrong with its directory and its files, one by one.
    pub faults: Vec<Error>,
    /// Why its locks cannot be relied on.
    pub locks: Option<Error>,
    /// Why it cannot be opened, where it was tried.
    pub refused: Option<Error>,
    /// For one that has no key yet: what the key would come from.
    pub outlook: Option<KeyOutlook>,
}

/// Everything that keeps the store from being opened.
pub fn examine(facts: &StoreFacts) -> Vec<Finding> {
    let mut findings: Vec<_> =
        facts.faults.iter().map(|fault| Finding::of_error(FindingCode::StoreFile, fault)).collect();
    findings.extend(facts.locks.iter().map(|error| Finding::of_error(FindingCode::StoreLocks, error)));
    findings.extend(facts.refused.iter().map(|error| Finding::of_error(code_of(error), error)));
    match &facts.outlook {
        Some(KeyOutlook::KeyFile(reason)) => findings.push(Finding::new(
            FindingCode::KeychainPassedOver,
            format!("the new store will be sealed with a key in a file beside it, because {reason}"),
            "Nothing has to be done; to keep the key elsewhere, set key under [auth.store] before the first login.",
        )),
        Some(KeyOutlook::Unavailable(error)) => {
            findings.push(Finding::of_error(FindingCode::KeyUnavailable, error));
        }
        Some(KeyOutlook::Ready) | None => {}
    }
    if !facts.is_there && findings.iter().all(|finding| finding.cause.is_none()) {
        findings.push(Finding::new(
            FindingCode::StoreNew,
            "there is no store yet",
            "Run `loomkin-auth connect` or `loomkin-auth key set PROVIDER`, which makes it.",
        ));
    }
    findings
}

fn code_of(error: &Error) -> FindingCode {
    match error.code() {
        ErrorCode::ConfigInvalid => FindingCode::ConfigInvalid,
        ErrorCode::KeyUnavailable => FindingCode::KeyUnavailable,
        _ => FindingCode::StoreUnusable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn codes(facts: &StoreFacts) -> Vec<FindingCode> {
        examine(facts).into_iter().map(|finding| finding.code).collect()
    }

    fn failed(code: ErrorCode) -> Error {
        Error::new(code, "x")
    }

    #[test]
    fn a_good_store_is_nothing_to_speak_of() {
        assert_eq!(codes(&StoreFacts { is_there: true, ..StoreFacts::default() }), []);
    }

    #[test]
    fn each_fault_is_told() {
        let facts = StoreFacts {
            is_there: true,
            faults: vec![failed(ErrorCode::StoreFailed), failed(ErrorCode::StoreFailed)],
            locks: Some(failed(ErrorCode::StoreFailed)),
            ..StoreFacts::default()
        };
        assert_eq!(codes(&facts), [FindingCode::StoreFile, FindingCode::StoreFile, FindingCode::StoreLocks]);
    }

    #[test]
    fn what_refuses_to_open_is_told_apart() {
        for (code, found) in [
            (ErrorCode::StoreFailed, FindingCode::StoreUnusable),
            (ErrorCode::KeyUnavailable, FindingCode::KeyUnavailable),
            (ErrorCode::ConfigInvalid, FindingCode::ConfigInvalid),
        ] {
            let refused = Some(failed(code));
            assert_eq!(codes(&StoreFacts { is_there: true, refused, ..StoreFacts::default() }), [found]);
        }
    }

    #[test]
    fn a_new_store_is_a_note_unless_it_could_not_be_made() {
        let new = |outlook| codes(&StoreFacts { outlook: Some(outlook), ..StoreFacts::default() });
        assert_eq!(new(KeyOutlook::Ready), [FindingCode::StoreNew]);
        let passed_over = KeyOutlook::KeyFile("the keychain is locked".to_owned());
        assert_eq!(new(passed_over), [FindingCode::KeychainPassedOver, FindingCode::StoreNew]);
        let unavailable = KeyOutlook::Unavailable(failed(ErrorCode::KeyUnavailable));
        assert_eq!(new(unavailable), [FindingCode::KeyUnavailable]);
    }
}
