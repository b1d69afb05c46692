//! The keys whose value is one of a few words.

use std::fmt;

/// Makes an enum and the words it is written as, so that the two are one list.
macro_rules! choice {
    ($(#[$about:meta])* $name:ident { $($(#[$variant_about:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$variant_about])* $variant,)+
        }

        impl $name {
            /// The words, as they are written in the file.
            pub const WORDS: &[&str] = &[$($word),+];

            /// The word.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            pub(super) fn from_word(word: &str) -> Option<Self> {
                match word {
                    $($word => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}

choice! {
    /// How the client proves who it is at the token endpoint (RFC 6749 §2.3, named as in RFC 8414 §2).
    AuthMethod {
        /// HTTP Basic.
        ClientSecretBasic = "client_secret_basic",
        /// In the body.
        ClientSecretPost = "client_secret_post",
        /// A public client sends its id alone.
        None = "none",
    }
}

choice! {
    /// The kind of credential that a tier uses.
    AuthMode {
        /// An API key, and nothing else.
        ApiKey = "api_key",
        /// An API key where there is one, else as with `oauth`.
        Auto = "auto",
        /// A bearer token: the static one where there is one, else that of the connection.
        Oauth = "oauth",
    }
}

choice! {
    /// Where connections are kept.
    Backend {
        /// In this process only; gone with it.
        Memory = "memory",
        /// In a PostgreSQL database, for many hosts.
        Postgres = "postgres",
        /// In a file of this host.
        Sqlite = "sqlite",
    }
}

choice! {
    /// How the person is sent through the login.
    Flow {
        /// Whatever fits the environment, with the others to fall back on.
        Auto = "auto",
        /// A code to type in on another device (RFC 8628).
        Device = "device",
        /// The redirect goes to the web app's own callback.
        Hosted = "hosted",
        /// The redirect goes to a listener on this machine (RFC 8252 §7.3).
        Loopback = "loopback",
        /// The person pastes what the provider's page shows.
        Paste = "paste",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back() {
        for word in Flow::WORDS {
            assert_eq!(Flow::from_word(word).unwrap().as_str(), *word);
        }
        assert_eq!(Flow::from_word("Device"), None);
    }
}
