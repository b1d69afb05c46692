//! The README's lists are complete: whoever adds a control, a fault or an option is told here to describe it.

const README: &str = include_str!("../../README.md");

#[test]
fn every_fault_is_described() {
    let mut kinds = fault_kinds();
    let described: Vec<_> = README.lines().filter_map(|line| line.strip_prefix("| `")).collect();
    assert!(kinds.len() > 20, "{kinds:?}");
    kinds.retain(|kind| !described.iter().any(|line| line.starts_with(&format!("{kind}`"))));
    assert!(kinds.is_empty(), "the README does not describe {kinds:?}");
}

#[test]
fn every_control_is_described() {
    let routes = include_str!("../../src/endpoints.rs");
    let controls: Vec<_> = routes.split('"').filter(|text| text.starts_with("/dev/")).collect();
    assert!(controls.len() > 7);
    for control in controls {
        assert!(README.contains(&format!(" {control}")), "the README does not describe {control}");
    }
}

/// The kinds, as the refusal of an unknown one lists them.
fn fault_kinds() -> Vec<String> {
    let refusal = serde_json::from_str::<loomkin_auth_dev_provider::Fault>(r#"{"kind": "explode"}"#);
    let text = refusal.unwrap_err().to_string();
    text.split('`').skip(3).step_by(2).map(str::to_owned).collect()
}
