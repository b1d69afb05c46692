//! Which flow a login takes: the one that was asked for, or the best of those that the provider offers and that can
//! succeed where the person is; and which comes next when that one cannot begin.

use std::collections::VecDeque;

use url::Url;

use super::place::Place;
use crate::config::is_loopback;
use crate::error::{Error, ErrorCode, Result};
use crate::provider::{Flow, Provider};

/// The flow that a login takes, and why it takes none better.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Choice {
    /// The flow.
    pub flow: Flow,
    /// What stood against better ones, or went wrong since, a clause each that is safe to show, in the order in which it
    /// turned out. Empty where the best one was taken, or one was asked for by name.
    pub reasons: Vec<String>,
    /// Whether the person's browser is where it can be opened from here.
    pub browser_is_here: bool,
}

impl Choice {
    /// Whether to ask the person for what the browser shows in the end. Besides [`Flow::Paste`] that is so for
    /// [`Flow::Loopback`] where the browser is elsewhere: it cannot come back, and its address bar holds the answer.
    pub fn asks_for_paste(&self) -> bool {
        match self.flow {
            Flow::Device | Flow::Hosted => false,
            Flow::Loopback => !self.browser_is_here,
            Flow::Paste => true,
        }
    }

    /// Whether to open the login page in a browser of this machine. In the device flow the person goes to another one.
    pub fn opens_browser(&self) -> bool {
        self.browser_is_here && self.flow != Flow::Device
    }

    /// Why this flow was chosen and what the person has to do in it, as a sentence without its end; `None` where there is
    /// nothing to explain.
    pub fn explanation(&self) -> Option<String> {
        if self.reasons.is_empty() {
            return None;
        }
        let way_out = match self.flow {
            Flow::Device => "so enter a code on any device",
            Flow::Hosted | Flow::Loopback | Flow::Paste => {
                "so log in with any browser, and paste the address that it ends up at, even if that page does not load"
            }
        };
        Some(format!("{}; {way_out}", self.reasons.join(", and ")))
    }
}

/// What a provider offers to somebody at a terminal or a desktop.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
struct Offer {
    loopback: bool,
    device: bool,
    paste: bool,
}

impl Offer {
    fn of(provider: &Provider) -> Self {
        let can_redirect = provider.endpoints.authorization.is_some();
        let comes_here = provider.redirect_uri.as_deref().is_none_or(is_of_this_machine);
        Self {
            loopback: can_redirect && comes_here && provider.flows.contains(&Flow::Loopback),
            device: provider.flows.contains(&Flow::Device),
            paste: can_redirect && provider.redirect_uri.is_some(),
        }
    }

    fn includes(self, flow: Flow) -> bool {
        match flow {
            Flow::Device => self.device,
            Flow::Hosted => false,
            Flow::Loopback => self.loopback,
            Flow::Paste => self.paste,
        }
    }
}

/// The flows that a login may take, the best first.
#[derive(Debug)]
pub struct Plan {
    choice: Choice,
    next: VecDeque<Flow>,
    is_automatic: bool,
}

impl Plan {
    /// The plan of a login at `provider` by the `wanted` flow, or without one by what `place` allows:
    ///
    /// | Place | Order |
    /// | --- | --- |
    /// | here | loopback, device, paste |
    /// | elsewhere | device, loopback with its answer pasted, paste |
    /// | nowhere | none: nobody would ever finish it |
    ///
    /// # Errors
    ///
    /// `usage` where the provider does not offer the flow, or nobody is there and none is named; `config_invalid` for the
    /// device flow without its endpoint.
    pub fn make(wanted: Option<Flow>, provider: &Provider, place: Place) -> Result<Self> {
        match wanted {
            Some(flow) => Self::of_one(flow, provider, place),
            None => Self::automatic(Offer::of(provider), place),
        }
        .map_err(|error| error.with_provider(&provider.id))
    }

    /// The device flow and pasting need no word of the preset's: the first has an endpoint or has not, and any redirect can
    /// be brought back by hand.
    fn of_one(flow: Flow, provider: &Provider, place: Place) -> Result<Self> {
        match flow {
            Flow::Device => drop(provider.device_authorization_endpoint()?),
            Flow::Paste => {}
            Flow::Loopback if provider.flows.contains(&flow) => {}
            Flow::Hosted | Flow::Loopback => return Err(not_offered(&flow.to_string())),
        }
        let choice = Choice { flow, reasons: Vec::new(), browser_is_here: place == Place::Here };
        Ok(Self { choice, next: VecDeque::new(), is_automatic: false })
    }

    fn automatic(offer: Offer, place: Place) -> Result<Self> {
        let order = order_at(place).ok_or_else(nobody_there)?;
        let mut next: VecDeque<_> = order.into_iter().filter(|flow| offer.includes(*flow)).collect();
        let flow = next.pop_front().ok_or_else(|| not_offered("any"))?;
        let reasons = match place {
            Place::Elsewhere(reason) if offer.loopback => vec![reason.to_owned()],
            _ => Vec::new(),
        };
        let choice = Choice { flow, reasons, browser_is_here: place == Place::Here };
        Ok(Self { choice, next, is_automatic: true })
    }

    /// The flow to begin.
    pub fn choice(&self) -> &Choice {
        &self.choice
    }

    /// Goes on to the next flow, because the present one could not begin.
    ///
    /// # Errors
    ///
    /// `error` itself, where it says nothing about the flow alone, the flow was asked for by name, or none is left.
    pub fn fall_forward(&mut self, error: Error) -> Result<()> {
        // A server that cannot be reached is as far away by any other way.
        let is_of_the_flow = self.choice.flow != Flow::Device || !error.is_transient();
        if !is_of_the_flow || !self.is_automatic {
            return Err(error);
        }
        let Some(flow) = self.next.pop_front() else { return Err(error) };
        self.choice.flow = flow;
        self.choice.reasons.push(error.message().to_owned());
        Ok(())
    }

    /// Notes that no browser could be opened, and says whether a code on another device may take its place. If that cannot
    /// begin either, the login goes on as it is: the person opens the address wherever there is a browser.
    pub fn lose_browser(&mut self, error: &Error) -> bool {
        self.choice.reasons.push(error.message().to_owned());
        self.choice.browser_is_here = false;
        self.choice.flow == Flow::Loopback && self.next.contains(&Flow::Device)
    }

    /// Notes that a code on another device takes the place of what was chosen.
    pub fn change_to_device(&mut self) {
        self.next.clear();
        self.choice.flow = Flow::Device;
    }
}

/// The flows, the best for a person at `place` first; `None` where nobody is.
pub(crate) fn order_at(place: Place) -> Option<[Flow; 3]> {
    match place {
        Place::Elsewhere(_) => Some([Flow::Device, Flow::Loopback, Flow::Paste]),
        Place::Here => Some([Flow::Loopback, Flow::Device, Flow::Paste]),
        Place::Nowhere => None,
    }
}

/// Whether a browser that is sent to `redirect_uri` comes back to the machine it runs on (RFC 8252 §7.3).
fn is_of_this_machine(redirect_uri: &str) -> bool {
    Url::parse(redirect_uri).is_ok_and(|url| url.scheme() == "http" && is_loopback(&url))
}

fn not_offered(flow: &str) -> Error {
    Error::new(ErrorCode::Usage, format!("the provider cannot be connected by the {flow} flow here"))
        .with_advice("Choose `loopback`, `device` or `paste`.")
}

fn nobody_there() -> Error {
    Error::new(ErrorCode::Usage, "nobody can log in here: this is a build server, and there is no terminal")
        .with_advice(
            "Connect where a person is, and give this machine the store; or choose `--flow device` for whoever reads the log.",
        )
}

#[cfg(test)]
mod tests;
