//! The page that the person comes back to. Nothing from a query is ever put into it.

/// What the person reads after the redirect.
#[derive(Clone, Debug)]
pub struct Page {
    status: u16,
    title: &'static str,
    text: String,
}

impl Page {
    /// The login came to its end; `account` is `provider` or `provider/account`, from the configuration.
    pub fn connected(account: &str) -> Self {
        Self {
            status: 200,
            title: "Connected",
            text: format!(
                "{account} is connected. You can close this page and go back to where you came from."
            ),
        }
    }

    /// The login failed for good; `message` is one of our own sentences.
    pub fn failed(message: &str) -> Self {
        Self {
            status: 400,
            title: "Not connected",
            text: format!("{message}. Go back to where you came from; it says what to do."),
        }
    }

    /// The redirect answers no login that waits here. The login goes on waiting.
    pub fn rejected() -> Self {
        Self {
            status: 400,
            title: "This is not the answer to a login",
            text:
                "The address that led here does not belong to the login that is waiting. Nothing was changed."
                    .to_owned(),
        }
    }

    /// Nothing lives at this address.
    pub fn not_found() -> Self {
        Self {
            status: 404,
            title: "Nothing here",
            text: "Only the answer to a login is expected here.".to_owned(),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The page as HTML, complete in itself: no script, no font, no image, nothing from elsewhere.
    pub fn to_html(&self) -> String {
        format!(
            "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
             <title>{title}</title><style>{STYLE}</style><main><h1>{title}</h1><p>{text}</p></main></html>\n",
            title = self.title,
            text = escape(&self.text),
        )
    }
}

fn escape(text: &str) -> String {
    text.chars().fold(String::with_capacity(text.len()), |mut html, c| {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            _ => html.push(c),
        }
        html
    })
}

const STYLE: &str = ":root{color-scheme:light dark}\
body{margin:0;min-height:100vh;display:grid;place-items:center;font:1.05rem/1.6 system-ui,sans-serif;\
background:light-dark(#f6f5f2,#16181d);color:light-dark(#1d1f24,#e8e6e1)}\
main{max-width:26rem;margin:1.5rem;padding:2rem 2.25rem;border-radius:.9rem;\
background:light-dark(#fff,#1f2229);box-shadow:0 1px 2px #0002,0 8px 30px #0001}\
h1{font-size:1.35rem;margin:0 0 .5rem}p{margin:0}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_could_be_markup_is_escaped() {
        let html = Page::failed("<script>alert('1' & \"2\")</script>").to_html();
        assert!(html.contains("&lt;script&gt;alert(&#39;1&#39; &amp; &quot;2&quot;)&lt;/script&gt;"));
        assert!(!html.contains("<script"));
    }

    #[test]
    fn a_page_loads_nothing_from_elsewhere() {
        for page in [Page::connected("github"), Page::failed("x"), Page::rejected(), Page::not_found()] {
            let html = page.to_html();
            assert!(!html.contains("http") && !html.contains("src=") && !html.contains("url("), "{html}");
        }
    }
}
