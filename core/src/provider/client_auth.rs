//! How a client presents its secret, and what a server's metadata says about that.

use serde_json::{Map, Value};

/// How a client presents its secret (RFC 6749 §2.3.1).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientAuth {
    /// `client_secret_basic`: the `Authorization` header.
    Basic,
    /// `client_secret_post`: the request body.
    Body,
}

/// The methods that an endpoint takes, by the server's metadata (RFC 8414 §2).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct OfferedMethods(Vec<String>);

impl OfferedMethods {
    /// The list `name` of a metadata document; `None` where there is no list.
    pub(super) fn read(document: &Map<String, Value>, name: &str) -> Option<Self> {
        let methods = document.get(name)?.as_array()?;
        Some(Self(methods.iter().filter_map(Value::as_str).map(str::to_owned).collect()))
    }

    /// The method to use, `client_secret_basic` where both are offered; `None` where neither is.
    pub(super) fn preferred(&self) -> Option<ClientAuth> {
        let offers = |name: &str| self.0.iter().any(|method| method == name);
        if offers("client_secret_basic") {
            Some(ClientAuth::Basic)
        } else if offers("client_secret_post") {
            Some(ClientAuth::Body)
        } else {
            None
        }
    }

    /// The methods, for the person. They are the server's words: those that do not look like one are left out.
    pub(super) fn words(&self) -> String {
        let is_word = |method: &&String| {
            method.len() <= LONGEST_WORD
                && method
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        };
        let words: Vec<_> = self.0.iter().filter(is_word).take(MOST_WORDS).map(String::as_str).collect();
        if words.is_empty() { "nothing that is known here".to_owned() } else { words.join(", ") }
    }
}

const LONGEST_WORD: usize = 40;
const MOST_WORDS: usize = 8;

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn offered(list: Value) -> Option<OfferedMethods> {
        OfferedMethods::read(json!({ "methods": list }).as_object().unwrap(), "methods")
    }

    #[test]
    fn basic_is_preferred_and_what_is_not_known_is_no_choice() {
        let preferred = |list: Value| offered(list).unwrap().preferred();
        assert_eq!(preferred(json!(["client_secret_post", "client_secret_basic"])), Some(ClientAuth::Basic));
        assert_eq!(preferred(json!(["private_key_jwt", "client_secret_post"])), Some(ClientAuth::Body));
        for other in
            [json!([]), json!(["none"]), json!(["private_key_jwt", 7]), json!(["Client_Secret_Basic"])]
        {
            assert_eq!(preferred(other), None);
        }
        assert_eq!(offered(json!("client_secret_basic")), None);
        assert_eq!(offered(Value::Null), None);
    }

    #[test]
    fn the_servers_words_are_shown_as_far_as_they_are_words() {
        let words = |list: Value| offered(list).unwrap().words();
        assert_eq!(words(json!(["none", "private_key_jwt"])), "none, private_key_jwt");
        assert_eq!(words(json!(["<b>", "a b", "x".repeat(41), "tls"])), "tls");
        assert_eq!(words(json!([])), "nothing that is known here");
    }
}
