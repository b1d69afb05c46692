//! `store rotate-key`: another sealing key, while everybody goes on.

use loomkin_auth::account::AccountKey;
use loomkin_auth::auth::Auth;
use loomkin_auth::error::ErrorCode;
use loomkin_auth::store::key::KeySetting;
use loomkin_auth::store::vault::RotationReport;

use crate::failure::Failure;
use crate::output::{Output, plain};
use crate::shapes::RotationShape;
use crate::words;

pub(super) async fn run(auth: &Auth, source: Option<&KeySetting>, output: Output) -> Result<(), Failure> {
    let configured = &auth.config().store().key.value;
    // Where either says `auto`, whatever the store records is right.
    let says_another =
        |source: &&KeySetting| *source != configured && ![*source, configured].contains(&&KeySetting::Auto);
    if let Some(source) = source.filter(says_another) {
        // Before anything is done: as soon as the new key is there, what starts needs this line.
        output.note(&format!(
            "the key moves to {}: set key = \"{source}\" under [auth.store], wherever this store is used, once it is \
             there",
            words::place_of_key(source)
        ));
    }
    let report = auth.rotate_key(source, &|count| tell_progress(count, output)).await;
    output.end_progress();
    let report = report?;
    if output.json {
        output.json(&RotationShape::from(&report))?;
    } else {
        output.line(sentence(&report))?;
        tell_damage(&report, output);
    }
    let is_whole =
        report.damaged.is_empty() && report.damaged_revocations == 0 && report.damaged_credentials.is_empty();
    if is_whole { Ok(()) } else { Err(Failure::Told(ErrorCode::StoreFailed.exit_code())) }
}

/// A small store is done before anybody could read a number.
fn tell_progress(count: u64, output: Output) {
    if count >= WORTH_TELLING {
        output.progress(format_args!("{count} records sealed anew"));
    }
}

fn sentence(report: &RotationReport) -> String {
    let place = words::place_of_key(&report.source);
    let beginning = match (report.made_key, report.finished_earlier) {
        (true, false) => format!("The store has a new key from {place}"),
        (true, true) => format!("An earlier rotation is finished, and the store has a new key from {place}"),
        (false, _) if report.kept_keys > 0 => {
            format!("An earlier rotation is still unfinished, and the key comes from {place}")
        }
        (false, _) => format!("An earlier rotation is finished, and the key comes from {place}"),
    };
    let records =
        if report.resealed == 1 { "1 record was" } else { &*format!("{} records were", report.resealed) };
    let old_keys = match (report.removed_keys, report.kept_keys) {
        (_, kept @ 1..) => {
            format!("{kept} old {} there", if kept == 1 { "key is still" } else { "keys are still" })
        }
        (0, _) => "no old key is left".to_owned(),
        (1, _) => "the old key is gone".to_owned(),
        (removed, _) => format!("{removed} old keys are gone"),
    };
    format!("{beginning}; {records} sealed anew, and {old_keys}.")
}

fn tell_damage(report: &RotationReport, output: Output) {
    if !report.damaged.is_empty() {
        let names: Vec<_> = report.damaged.iter().map(name).collect();
        output.aside(format_args!(
            "{} cannot be unsealed: {}.\nConnect or disconnect what is listed, then run this command again.",
            if names.len() == 1 { "One record" } else { "Some records" },
            names.join(", ")
        ));
    }
    for (account, kind) in &report.damaged_credentials {
        output.aside(format_args!(
            "The {} of {} cannot be unsealed. Remove it or store it anew, then run this command again.",
            kind.noun(),
            name(account)
        ));
    }
    if report.damaged_revocations > 0 {
        output.aside(format_args!(
            "{} of the revocations that wait to be sent cannot be unsealed. They end within a day; run this command \
             again then.",
            report.damaged_revocations
        ));
    }
}

/// The account, and whose it is where that is not the person at the terminal.
fn name(account: &AccountKey) -> String {
    let owner = account.owner.as_str();
    let of_whom = if account.owner == Default::default() { String::new() } else { format!(" of {owner}") };
    plain(&format!("{account}{of_whom}"))
}

const WORTH_TELLING: u64 = 500;
