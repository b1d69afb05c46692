//! The device flow at a terminal: a code to enter elsewhere, and a line that counts down until that is done.

mod card;
mod live;

use std::pin::pin;
use std::time::Duration;

use loomkin_auth::auth::PendingLogin;
use loomkin_auth::error::{Error, ErrorCode};
use loomkin_auth::lifecycle::Connected;
use tokio::time::MissedTickBehavior;

use super::nobody_reads;
use crate::failure::Failure;
use crate::output::Output;
use crate::shapes::{ConnectEvent, whole_seconds};
use live::Live;

/// Shows where to go and what to enter. The addresses stand alone on their lines, so that they can be clicked.
pub(super) fn show(login: &PendingLogin, output: Output) -> Result<(), Failure> {
    let (account, device) = (login.account(), login.device().ok_or_else(over)?);
    if output.json {
        output.aside(login.authorization_url());
        let event = ConnectEvent::Device {
            provider: account.provider.as_str(),
            account: account.account.as_str(),
            reasons: &login.choice().reasons,
            user_code: device.user_code(),
            verification_uri: device.verification_uri().as_str(),
            verification_uri_complete: device.verification_uri_complete().map(|url| url.as_str()),
            interval: whole_seconds(device.interval()),
            deadline: device.expires_at().to_string(),
        };
        // A reader that is gone has not seen the code: nobody will finish this login.
        return output.json(&event).map_err(|_| nobody_reads(account).into());
    }
    output.aside(format_args!("To connect {account}, open this page on any device:\n"));
    output.aside(device.verification_uri());
    if let Some(complete) = device.verification_uri_complete() {
        output.aside(complete);
    }
    output.aside("");
    for line in card::lines(device, output) {
        output.aside(line);
    }
    output.aside("");
    Ok(())
}

/// Waits for the person, and tells meanwhile how long there is left and what is wrong with the network.
pub(super) async fn wait(login: &mut PendingLogin, output: Output) -> Result<Connected, Failure> {
    let (Some(mut progress), Some(deadline)) = (login.device_progress(), login.deadline()) else {
        return Err(over().into());
    };
    let mut live = Live::begin(deadline, output);
    let mut waiting = pin!(login.wait());
    let mut ticks = tokio::time::interval(Duration::from_secs(1));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            connected = &mut waiting => return Ok(connected?),
            // The sender lives as long as the login, so that this fails with it alone.
            Ok(()) = progress.changed() => {}
            _ = ticks.tick() => {}
        }
        live.tell(&progress.borrow_and_update());
    }
}

fn over() -> Error {
    Error::new(ErrorCode::LoginClosed, "this login is over")
}
