//! A browser without a screen, which clicks through login pages as a person would.

mod cookies;
mod form;

use std::io;

use reqwest::header::{ACCEPT, CONTENT_TYPE, COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, StatusCode};
use url::Url;

use crate::http;
use cookies::Cookies;
use form::Form;

/// What the person does with the question whether the app may have access.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Choice {
    /// Agrees to everything.
    Allow,
    /// Refuses, by the page's button or link for it.
    Deny,
}

/// A browser with its cookies and the person in front of it.
#[derive(Debug)]
pub struct Browser {
    choice: Choice,
    cookies: Cookies,
    http: Client,
    user: String,
    /// What is entered at the next page that asks for a device's code.
    user_code: Option<String>,
}

/// A page that was reached.
#[derive(Debug)]
pub struct Page {
    /// The status of the answer.
    pub status: StatusCode,
    /// Its body.
    pub text: String,
    /// Its address.
    pub url: Url,
}

impl Browser {
    /// A new browser with an empty jar, in front of `user`, who makes the same choice every time.
    ///
    /// # Errors
    ///
    /// The HTTP client cannot be built.
    pub fn new(user: &str, choice: Choice) -> io::Result<Self> {
        Ok(Self {
            choice,
            cookies: Cookies::default(),
            http: http::client()?,
            user: user.to_owned(),
            user_code: None,
        })
    }

    /// Begins at `start` and goes on until an address begins with `stop`, which is returned and not fetched.
    ///
    /// # Errors
    ///
    /// A page that leads nowhere, or a server that does not answer.
    pub async fn walk(&mut self, start: &str, stop: &str) -> io::Result<Url> {
        let mut step = Step::get(parse(start)?);
        for _ in 0..MOST_STEPS {
            if step.url.as_str().starts_with(stop) {
                return Ok(step.url);
            }
            let (page, next) = self.take(step).await?;
            let Some(next) = next else {
                let (status, path) = (page.status, page.url.path());
                return Err(io::Error::other(format!("{path} ({status}) leads nowhere")));
            };
            step = next;
        }
        Err(io::Error::other("the pages lead in a circle"))
    }

    /// As [`Browser::walk`], and then fetches that address too, as the browser of a loopback login does.
    ///
    /// # Errors
    ///
    /// As [`Browser::walk`].
    pub async fn walk_into(&mut self, start: &str, stop: &str) -> io::Result<Page> {
        let url = self.walk(start, stop).await?;
        self.open(url.as_str()).await
    }

    /// Begins at `start`, goes on until nothing is left to do, and stays there.
    ///
    /// # Errors
    ///
    /// A server that does not answer, or pages without an end.
    pub async fn visit(&mut self, start: &str) -> io::Result<Page> {
        let mut step = Step::get(parse(start)?);
        for _ in 0..MOST_STEPS {
            match self.take(step).await? {
                (page, None) => return Ok(page),
                (_, Some(next)) => step = next,
            }
        }
        Err(io::Error::other("the pages lead in a circle"))
    }

    /// As [`Browser::visit`], and enters `user_code` where the code of a device is asked for.
    ///
    /// # Errors
    ///
    /// As there.
    pub async fn enter(&mut self, user_code: &str, start: &str) -> io::Result<Page> {
        self.user_code = Some(user_code.to_owned());
        self.visit(start).await
    }

    /// Fetches `address` alone: no redirect is followed, no form is sent.
    ///
    /// # Errors
    ///
    /// The server does not answer.
    pub async fn open(&mut self, address: &str) -> io::Result<Page> {
        Ok(self.take(Step::get(parse(address)?)).await?.0)
    }

    /// Keeps the cookie of a `Set-Cookie` header that came from `url`.
    pub fn take_cookie(&mut self, url: &Url, header: &str) {
        self.cookies.keep(url, header);
    }

    /// The `Cookie` header that it sends to `url`.
    pub fn cookies_for(&self, url: &Url) -> Option<String> {
        self.cookies.header_for(url)
    }

    async fn take(&mut self, step: Step) -> io::Result<(Page, Option<Step>)> {
        // At one address a server may have something for people and something else for machines.
        let mut request =
            self.http.request(step.method, step.url.clone()).header(ACCEPT, "text/html, */*;q=0.8");
        if let Some(cookies) = self.cookies.header_for(&step.url) {
            request = request.header(COOKIE, cookies);
        }
        if let Some(form) = step.form {
            request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(form);
        }
        let answer = request.send().await.map_err(|error| io::Error::other(error.without_url()))?;
        for cookie in answer.headers().get_all(SET_COOKIE) {
            self.cookies.keep(&step.url, cookie.to_str().unwrap_or_default());
        }
        let location =
            answer.headers().get(LOCATION).and_then(|value| value.to_str().ok()).map(str::to_owned);
        let status = answer.status();
        let bytes = answer.bytes().await.map_err(|error| io::Error::other(error.without_url()))?;
        let page = Page { status, text: String::from_utf8_lossy(&bytes).into_owned(), url: step.url };
        let next = match location {
            Some(location) => Some(Step::get(page.url.join(&location).map_err(io::Error::other)?)),
            None => self.answer(&page)?,
        };
        Ok((page, next))
    }

    /// What the person does on `page`: nothing, a click on its way out, or its form.
    fn answer(&mut self, page: &Page) -> io::Result<Option<Step>> {
        if page.status != StatusCode::OK {
            return Ok(None);
        }
        let join = |address: &str| page.url.join(address).map_err(io::Error::other);
        if self.choice == Choice::Deny
            && let Some(way_out) = form::link_ending_in(&page.text, "/abort")
        {
            return Ok(Some(Step::get(join(&way_out)?)));
        }
        let Some(mut form) = Form::find(&page.text) else {
            return Ok(None);
        };
        if let Some(asked) = form.user_code() {
            let Some(user_code) = self.user_code.take() else { return Ok(None) };
            *asked = user_code;
        }
        let url = join(&form.action)?;
        Ok(Some(Step { form: Some(form.fill(&self.user, self.choice)), method: Method::POST, url }))
    }
}

/// One request to be made.
struct Step {
    form: Option<String>,
    method: Method,
    url: Url,
}

impl Step {
    fn get(url: Url) -> Self {
        Self { form: None, method: Method::GET, url }
    }
}

fn parse(address: &str) -> io::Result<Url> {
    Url::parse(address).map_err(io::Error::other)
}

/// No login takes as many.
const MOST_STEPS: usize = 20;
