//! `me`: who you are at the active provider.

use loomkin_auth::account::Owner;
use loomkin_auth::auth::Auth;
use loomkin_auth::clock::{Clock, SystemClock};

use crate::failure::Failure;
use crate::output::{Output, Style, plain};
use crate::shapes::MeShape;
use crate::table::{Cell, align};
use crate::words;

pub(super) async fn run(auth: &Auth, output: Output) -> Result<(), Failure> {
    let me = auth.me(&Owner::default()).await?;
    if output.json {
        return output.json(&MeShape::from(me));
    }
    let text = |value: Option<&String>| value.map_or_else(|| "-".to_owned(), |value| plain(value));
    let rows = [
        ("provider", me.account.provider.to_string()),
        ("account", me.account.account.to_string()),
        ("login", text(me.account_login.as_ref())),
        ("id", text(me.account_id.as_ref())),
        ("base url", text(me.base_url.as_ref())),
        ("since", format!("{} ({})", me.since, words::distance(me.since, SystemClock.now()))),
    ];
    let rows = rows.map(|(name, value)| [Cell::styled(Style::Dim, name), Cell::plain(value)]);
    align(&rows, output).iter().try_for_each(|line| output.line(line))
}
