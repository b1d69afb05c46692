//! How a resource server says that an access token is no good any more.

use serde_json::Value;

/// Whether an answer of a resource server means "get a new access token".
///
/// 401 always does. 400 and 403 do when they say so: `error="invalid_token"` in `WWW-Authenticate` (RFC 6750 §3.1), or
/// a code such as `token_expired` in a JSON body. Any other status does not, whatever the body says.
pub fn is_token_rejection(status: u16, www_authenticate: Option<&str>, body: &[u8]) -> bool {
    match status {
        401 => true,
        400 | 403 => www_authenticate.is_some_and(challenge_says_so) || body_says_so(body),
        _ => false,
    }
}

fn challenge_says_so(challenge: &str) -> bool {
    let Some((_, params)) = challenge.trim().split_once(' ') else { return false };
    params.split(',').any(|param| match param.split_once('=') {
        Some((name, value)) => {
            name.trim().eq_ignore_ascii_case("error") && value.trim().trim_matches('"') == "invalid_token"
        }
        None => false,
    })
}

/// Looks at `error` and `code`, plain or inside an `error` object. Free text is not searched: it can quote anything.
fn body_says_so(body: &[u8]) -> bool {
    if body.len() > MAX_BODY {
        return false;
    }
    let Ok(Value::Object(fields)) = serde_json::from_slice(body) else { return false };
    let nested = fields.get("error").and_then(Value::as_object);
    let words = [Some(&fields), nested].into_iter().flatten();
    words.flat_map(|object| ["error", "code", "type"].map(|name| object.get(name))).flatten().any(|word| {
        word.as_str().is_some_and(|word| CODES.iter().any(|code| code.eq_ignore_ascii_case(word)))
    })
}

const CODES: [&str; 6] =
    ["expired_token", "ExpiredToken", "invalid_token", "InvalidToken", "token_expired", "token_invalid"];
const MAX_BODY: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::fixture::body_of;

    #[test]
    fn the_shared_vectors() {
        let vectors: Value =
            serde_json::from_str(include_str!("../../../tests/vectors/token_rejections.json")).unwrap();
        for case in vectors["cases"].as_array().unwrap() {
            let status = u16::try_from(case["status"].as_u64().unwrap()).unwrap();
            let rejected = is_token_rejection(status, case["www_authenticate"].as_str(), &body_of(case));
            assert_eq!(Some(rejected), case["rejected"].as_bool(), "{}", case["name"]);
        }
    }
}
