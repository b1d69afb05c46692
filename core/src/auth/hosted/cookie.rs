//! What binds a login to the browser that began it.

use std::time::Duration;

use url::Url;

use crate::protocol::state::StateDigest;
use crate::secret::Secret;

/// The cookie of one login. Its value proves that the person who comes back is at the browser that began the login, so
/// that nobody can be made to finish a login of somebody else's (RFC 9700 §4.7). Each login has one of its own: the
/// app's session may renew meanwhile, and several logins in one browser do not meet.
#[derive(Clone, Debug)]
pub struct LoginCookie {
    name: String,
    value: Secret,
    path: String,
    max_age: Duration,
    is_secure: bool,
}

impl LoginCookie {
    pub(super) fn new(id: StateDigest, value: Secret, redirect_uri: &Url, max_age: Duration) -> Self {
        // A `;` may stand in a path, and would end the attribute.
        let path = if redirect_uri.path().contains(';') { "/" } else { redirect_uri.path() };
        let is_secure = redirect_uri.scheme() == "https";
        Self { name: name_of(id), value, path: path.to_owned(), max_age, is_secure }
    }

    /// Its name: `loomkin-login-` and 32 hexadecimal digits of the digest of the login's state.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its value, in characters that need no quotes.
    pub fn value(&self) -> &Secret {
        &self.value
    }

    /// The path of the callback: no other request carries it.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// How long the login waits.
    pub fn max_age(&self) -> Duration {
        self.max_age
    }

    /// Whether it is for https alone. It is, unless the app itself is reached over http on this machine.
    pub fn is_secure(&self) -> bool {
        self.is_secure
    }

    /// The value of a `Set-Cookie` header (RFC 6265 §4.1.1) with all of that.
    ///
    /// `HttpOnly`, because no script needs it; `SameSite=Lax`, which lets it come with the redirect and not with a
    /// request that another site makes behind the person's back. A server that posts its answer as a form is another
    /// site, and that request comes without it.
    pub fn set_cookie(&self) -> Secret {
        let Self { name, value, path, max_age, is_secure } = self;
        let secure = if *is_secure { "; Secure" } else { "" };
        // The browser has to get it.
        let value = value.expose();
        let max_age = max_age.as_secs();
        Secret::new(format!("{name}={value}; Path={path}; Max-Age={max_age}; HttpOnly; SameSite=Lax{secure}"))
    }
}

/// The name of the cookie of the login `id`.
pub(super) fn name_of(id: StateDigest) -> String {
    let digits = id.to_string();
    format!("loomkin-login-{}", &digits[..32])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie(redirect_uri: &str) -> LoginCookie {
        let (id, value) = (StateDigest([0xa7; 32]), Secret::new("canary"));
        LoginCookie::new(id, value, &Url::parse(redirect_uri).unwrap(), Duration::from_millis(599_999))
    }

    fn header(redirect_uri: &str) -> String {
        cookie(redirect_uri).set_cookie().expose().to_owned() // a throw-away value of this test
    }

    #[test]
    fn the_header_says_all_of_it() {
        assert_eq!(
            header("https://app.example.com/auth/idp/callback?tenant=a"),
            "loomkin-login-a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7a7=canary; Path=/auth/idp/callback; Max-Age=599; \
             HttpOnly; SameSite=Lax; Secure"
        );
        assert!(header("http://localhost:4200/auth/idp/callback").ends_with("; HttpOnly; SameSite=Lax"));
    }

    #[test]
    fn a_path_adds_no_attribute() {
        assert!(header("https://app.example.com/a;Domain=example.com/cb").contains("; Path=/; Max-Age"));
    }

    #[test]
    fn it_does_not_show_its_value() {
        assert!(
            !format!("{:?} {:?}", cookie("https://a/"), cookie("https://a/").set_cookie()).contains("canary")
        );
    }
}
