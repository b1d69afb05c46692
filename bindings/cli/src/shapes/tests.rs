use std::collections::BTreeSet;

use loomkin_auth::error::ErrorCode;
use serde_json::Value;

use super::*;

/// The JSON blocks of README.md below the heading `## {command}`, one value for each line or block.
fn documented(command: &str) -> Vec<Value> {
    let readme = include_str!("../../README.md");
    let (_, section) = readme.split_once(&format!("\n## {command}\n")).unwrap();
    let section = section.split("\n## ").next().unwrap();
    let blocks = section.split("```json\n").skip(1).map(|block| block.split("```").next().unwrap());
    blocks
        .flat_map(|block| serde_json::Deserializer::from_str(block).into_iter().map(Result::unwrap))
        .collect()
}

fn keys(value: &Value) -> BTreeSet<String> {
    value.as_object().unwrap().keys().cloned().collect()
}

fn assert_documented(command: &str, index: usize, shape: &impl Serialize) {
    let documented = &documented(command)[index];
    let documented = documented.as_array().map_or(documented, |list| &list[0]);
    assert_eq!(keys(&serde_json::to_value(shape).unwrap()), keys(documented), "{command}");
}

fn account() -> AccountKey {
    "github/work".parse().unwrap()
}

#[test]
fn the_documented_status_is_the_real_one() {
    let status = StatusShape {
        provider: String::new(),
        account: String::new(),
        active: true,
        state: "connected",
        reason: None,
        usable: None,
        next_attempt_at: None,
        account_login: None,
        account_id: None,
        scopes: Vec::new(),
        missing_scopes: Vec::new(),
        expires_at: None,
        base_url: None,
        since: None,
        revocation_until: None,
        credentials: vec![CredentialShape { kind: "api_key", source: None }],
        note: None,
        next_step: None,
    };
    assert_documented("status", 0, &status);
    let credential = serde_json::to_value(&status.credentials[0]).unwrap();
    assert_eq!(keys(&credential), keys(&documented("status")[0][0]["credentials"][0]));
}

#[test]
fn the_documented_token_is_the_real_one() {
    let (provider, account, token, kind, token_type) = ("github", "work", "t", "oauth", "Bearer");
    let shape = TokenShape { provider, account, token, kind, token_type, expires_at: None, scopes: &[] };
    assert_documented("token", 0, &shape);
}

#[test]
fn the_documented_me_is_the_real_one() {
    let shape = MeShape {
        provider: String::new(),
        account: String::new(),
        account_login: None,
        account_id: None,
        base_url: None,
        since: String::new(),
    };
    assert_documented("me", 0, &shape);
}

#[test]
fn the_documented_events_are_the_real_ones() {
    let (provider, account) = ("github", "work");
    let authorize = ConnectEvent::Authorize {
        provider,
        account,
        flow: "paste",
        reasons: &[],
        reads_paste: true,
        url: "https://",
        deadline: None,
    };
    let (message, advice) = ("no", "do");
    let rejected = ConnectEvent::Rejected { provider, account, message, advice };
    let device = ConnectEvent::Device {
        provider,
        account,
        reasons: &[],
        user_code: "WDJB-MJHT",
        verification_uri: "https://",
        verification_uri_complete: None,
        interval: 5,
        deadline: String::new(),
    };
    let connected = ConnectEvent::Connected {
        provider,
        account,
        account_login: None,
        account_id: None,
        scopes: &[],
        missing_scopes: &[],
        expires_at: None,
    };
    let events = documented("connect");
    for (index, event) in [authorize, rejected, device, connected].iter().enumerate() {
        assert_documented("connect", index, event);
        assert_eq!(serde_json::to_value(event).unwrap()["event"], events[index]["event"]);
    }
}

#[test]
fn the_documented_disconnect_is_the_real_one() {
    let account = account();
    let shape = DisconnectShape {
        provider: account.provider.as_str(),
        account: account.account.as_str(),
        was_connected: true,
        revoked: false,
        queued_until: None,
        reason: None,
        kept: Vec::new(),
    };
    assert_documented("disconnect", 0, &shape);
}

#[test]
fn the_documented_use_is_the_real_one() {
    assert_documented("use", 0, &UseShape::from(Some(&account())));
    let none = serde_json::to_value(UseShape::from(None)).unwrap();
    assert_eq!(none, documented("use")[1]);
}

#[test]
fn the_documented_rotation_is_the_real_one() {
    let shape = RotationShape {
        key: String::new(),
        made_key: true,
        finished_earlier: false,
        resealed: 0,
        removed_keys: 0,
        kept_keys: 0,
        damaged: vec![DamagedShape { owner: "", provider: "", account: "" }],
        damaged_revocations: 0,
        damaged_credentials: vec![DamagedCredentialShape { owner: "", provider: "", account: "", kind: "" }],
    };
    assert_documented("store rotate-key", 0, &shape);
    let damaged = serde_json::to_value(&shape.damaged[0]).unwrap();
    assert_eq!(keys(&damaged), keys(&documented("store rotate-key")[0]["damaged"][0]));
    let damaged = serde_json::to_value(&shape.damaged_credentials[0]).unwrap();
    assert_eq!(keys(&damaged), keys(&documented("store rotate-key")[0]["damaged_credentials"][0]));
}

#[test]
fn the_documented_answers_of_key_are_the_real_ones() {
    let (account, kind) = (account(), StaticKind::ApiKey);
    assert_documented("key set", 0, &KeyShape::new(&account, kind, KeyOutcome::Stored));
    assert_documented("key remove", 0, &KeyRemovedShape::new(&account, kind, true));
}

#[test]
fn the_documented_resolution_is_the_real_one() {
    let passed_over = PassedOverShape { kind: "api_key", place: "", reason: "" };
    let shape = ResolveShape {
        tier: None,
        provider: "openai",
        account: "default",
        auth_mode: "auto",
        kind: "api_key",
        place: "environment",
        source: String::new(),
        passed_over: vec![passed_over],
        limits: &[],
    };
    assert_documented("resolve", 0, &shape);
    let passed_over = serde_json::to_value(&shape.passed_over[0]).unwrap();
    assert_eq!(keys(&passed_over), keys(&documented("resolve")[0]["passed_over"][0]));
}

#[test]
fn the_documented_error_is_the_real_one() {
    let error = Error::new(ErrorCode::Unavailable, "github does not answer")
        .with_account(&account())
        .with_details(vec!["why".to_owned()])
        .with_retry_after(std::time::Duration::from_millis(29_001));
    let shape = serde_json::to_value(ErrorShape::from(&error)).unwrap();
    let documented = documented("Errors");
    assert_eq!(keys(&shape["error"]), keys(&documented[0]["error"]));
    assert_eq!(shape["error"]["retry_after"], 30);
}

#[test]
fn what_an_error_does_not_know_is_left_out() {
    let error = Error::new(ErrorCode::Usage, "no");
    let shape = serde_json::to_value(ErrorShape::from(&error)).unwrap();
    assert_eq!(keys(&shape["error"]), ["advice", "code", "message"].map(String::from).into());
}

#[test]
fn the_documented_doctor_is_the_real_one() {
    use loomkin_auth::doctor::{Diagnosis, Finding, FindingCode, Severity};

    let finding = Finding::new(FindingCode::StoreNew, "x", "y");
    let diagnosis = Diagnosis::new(vec![finding], Vec::new());
    let shape = serde_json::to_value(DoctorShape::from(&diagnosis)).unwrap();
    let documented = &documented("doctor")[0];
    assert_eq!(keys(&shape), keys(documented));
    assert_eq!(keys(&shape["findings"][0]), keys(&documented["findings"][0]));
    let proof = doctor::ProofShape { tier: None, provider: "", account: "", kind: "", source: String::new() };
    assert_eq!(keys(&serde_json::to_value(proof).unwrap()), keys(&documented["proofs"][0]));

    let readme = include_str!("../../README.md");
    for severity in [Severity::Error, Severity::Warning, Severity::Note] {
        let codes = FindingCode::ALL.into_iter().filter(|code| code.severity() == severity);
        let list: Vec<_> = codes.map(|code| format!("`{code}`")).collect();
        let row = format!("| `{}` | {} |", severity.as_str(), list.join(", "));
        assert!(readme.contains(&row), "{row}");
    }
}

#[test]
fn the_documented_import_is_the_real_one() {
    let shape = ImportShape { provider: "openai", account: "default", kind: "api_key", outcome: "stored" };
    assert_documented("import", 0, &shape);
}
