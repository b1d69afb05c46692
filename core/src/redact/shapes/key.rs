//! Secrets that can be told by themselves: keys with a provider's prefix, JWTs, private keys.

use super::{Kept, Shape, after, from};
use crate::redact::rest::Rest;

pub(super) fn shapes() -> Vec<Shape> {
    let mut shapes: Vec<_> = PREFIXED.iter().map(|prefixed| from(prefixed, Rest::Word)).collect();
    shapes.extend([
        // Authorization codes and refresh tokens of Google, which have slashes in them.
        from("(?:4/0A|1//0)[A-Za-z0-9_-]{16}", Rest::Bare),
        // JSON that begins with a registered header parameter (RFC 7515 §4.1), or two pieces of JSON and a dot.
        from(&format!(r"eyJ(?:{PARAMETER}|[A-Za-z0-9_-]{{1,256}}\.eyJ)"), Rest::Word),
        // Its line may be the only one, as in the settings of an environment.
        Shape {
            opener:
                r"-----BEGIN [A-Z ]{0,64}PRIVATE KEY(?: BLOCK)?-----(?:\\|\r?\n|[ \t]{0,4}[A-Za-z0-9+/]{16})"
                    .to_owned(),
            kept: Kept::Through(b"-"),
            rest: Rest::Pem,
        },
        // An encrypted one goes on behind its header (RFC 1421 §4.6.1.3).
        after("DEK-Info: [A-Z0-9-]{1,32},", Rest::Pem),
    ]);
    shapes
}

/// By the providers' own documentation, with fewer characters than they have, because formats grow.
const PREFIXED: [&str; 20] = [
    // OpenAI, Anthropic, OpenRouter, Langfuse and many who follow them
    "sk-(?:ant|proj|svcacct|admin|or|lf|None)-[A-Za-z0-9_-]{16}",
    "sk-[A-Za-z0-9]{20}",
    // GitHub
    "gh[opsur]_[A-Za-z0-9]{20}",
    "github_pat_[A-Za-z0-9_]{20}",
    // GitLab
    "gl(?:pat|oas|dt|rt|rtr|cbt|ptt|ft|imt|agent|soat|ffct|wt)-[A-Za-z0-9_-]{16}",
    // Google: API keys, access tokens, client secrets
    "AIza[A-Za-z0-9_-]{24}",
    r"ya29\.[A-Za-z0-9_-]{16}",
    "GOCSPX-[A-Za-z0-9_-]{16}",
    // Z.ai
    r"[0-9a-f]{32}\.[A-Za-z0-9]{16}\b",
    // Slack
    "xox[a-z]-[A-Za-z0-9-]{10}",
    r"xoxe\.xox[a-z]-[A-Za-z0-9-]{10}",
    "xapp-[0-9]-[A-Z0-9]{1,32}-[A-Za-z0-9-]{10}",
    // AWS
    r"(?:AKIA|ASIA)[A-Z0-9]{16}\b",
    // Hugging Face, Groq, Replicate
    "(?:hf_|gsk_|r8_)[A-Za-z0-9]{24}",
    // xAI, Perplexity
    "(?:xai|pplx)-[A-Za-z0-9]{24}",
    // Stripe
    "(?:(?:sk|rk)_(?:live|test)|whsec)_[A-Za-z0-9]{16}",
    // npm
    "npm_[A-Za-z0-9]{30}",
    // PyPI
    "pypi-[A-Za-z0-9_-]{24}",
    // Docker
    "dckr_[a-z]{3}_[A-Za-z0-9_-]{16}",
    // DigitalOcean
    "do[opr]_v1_[0-9a-f]{20}",
];

/// In base64url behind `{"`: alg, typ, kid, enc, cty, jku, jwk, x5t, x5c, x5u, zip, crit.
const PARAMETER: &str = "hbGci|0eXAi|raWQi|lbmMi|jdHki|qa3Ui|qd2si|4NXQi|4NWMi|4NXUi|6aXAi|jcml0";
