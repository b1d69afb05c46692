//! The port to the person's browser.

use std::fmt;

use url::Url;

use crate::error::{Error, ErrorCode, Result};

/// Shows a page to the person. Called off the async threads; it may take a moment, and must not wait for the person.
pub trait Browser: fmt::Debug + Send + Sync {
    /// Asks the desktop to open `url`.
    ///
    /// # Errors
    ///
    /// `unavailable` where there is no browser. That is never fatal: the URL is shown as well.
    fn open(&self, url: &Url) -> Result<()>;

    /// Whether there is something to open a page with, as far as that can be told without doing so.
    fn is_there(&self) -> bool {
        true
    }
}

/// The desktop's own choice of browser; `BROWSER` is honoured where that is the custom.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemBrowser;

impl Browser for SystemBrowser {
    fn open(&self, url: &Url) -> Result<()> {
        webbrowser::open(url.as_str()).map_err(|_| no_browser())
    }

    fn is_there(&self) -> bool {
        webbrowser::Browser::default().exists()
    }
}

/// Opens nothing: for apps that show the address in a way of their own.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _url: &Url) -> Result<()> {
        Err(no_browser())
    }
}

fn no_browser() -> Error {
    Error::new(ErrorCode::Unavailable, "no browser could be opened here")
        .with_advice("Open the printed address yourself, on this machine.")
}
