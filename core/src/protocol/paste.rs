//! What a person pastes after a login that ended on the provider's own page.

use super::redirect::{AuthorizationResponse, ResponseForm};
use crate::error::{Error, ErrorCode, Result};
use crate::secret::Secret;

impl AuthorizationResponse {
    /// Reads `code#state`, `code=…&state=…` (with or without a leading `?`) or the whole address of the page.
    ///
    /// White space around and inside is dropped: terminals and mails wrap long lines. A code without a state is not
    /// accepted, because nothing would tie it to the login.
    ///
    /// # Errors
    ///
    /// `callback_rejected` when it is none of these.
    pub fn read_pasted(text: &str) -> Result<Self> {
        // Long-lived copies of a code do no harm after its use, but there is no need to leave one.
        let text = zeroize::Zeroizing::new(text.chars().filter(|c| !c.is_whitespace()).collect::<String>());
        if text.contains("code=") || text.contains("error=") {
            return Self::read(&text);
        }
        match text.split_once('#') {
            Some((code, state)) if is_value(code) && is_value(state) => Ok(Self {
                state: Some(Secret::new(state)),
                code: Some(Secret::new(code)),
                iss: None,
                error: None,
                form: ResponseForm::CodeAndState,
            }),
            _ => Err(Error::new(ErrorCode::CallbackRejected, "that is not what the page shows").with_advice(
                "Copy the whole text that the page shows, with the part after '#', or the page's whole address.",
            )),
        }
    }
}

/// Whether it could be a code or a state (RFC 6749 Appendix A.5, A.11), and no address.
fn is_value(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= MAX_VALUE
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && !text.contains("://")
}

const MAX_VALUE: usize = 8 * 1024;
