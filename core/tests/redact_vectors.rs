//! The corpus that every language reads: what is masked in it, and what is not.

#![expect(clippy::unwrap_used, reason = "a helper of a test fails like the test")]

use loomkin_auth::redact::{MASK, Redactor};
use serde_json::Value;

fn corpus() -> Value {
    serde_json::from_str(include_str!("../../tests/vectors/redact.json")).unwrap()
}

fn texts(value: &Value) -> impl Iterator<Item = &str> {
    value.as_array().unwrap().iter().map(|text| text.as_str().unwrap())
}

#[test]
fn every_secret_of_the_corpus_is_masked_and_what_is_beside_it_stays() {
    let redactor = Redactor::default();
    let corpus = corpus();
    let wrong: Vec<_> = corpus["masked"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|case| redactor.redact(case["input"].as_str().unwrap()) != case["output"].as_str().unwrap())
        .map(|case| (case, redactor.redact(case["input"].as_str().unwrap())))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_ordinary_line_of_the_corpus_is_touched() {
    let redactor = Redactor::default();
    let corpus = corpus();
    let wrong: Vec<_> = texts(&corpus["ordinary"])
        .map(|text| redactor.redact(text))
        .filter(|text| text.contains(MASK))
        .collect();
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_corpus_has_every_shape_with_the_keys_of_many_providers() {
    let corpus = corpus();
    let cases = corpus["masked"].as_array().unwrap();
    for shape in ["JSON body", "form body", "callback URL", "Basic header", "Bearer header", "inspected map"]
    {
        for provider in ["anthropic", "codeberg", "github", "gitlab", "google api key", "openai", "z.ai"] {
            let has = |case: &&Value| {
                case["shape"] == shape && case["name"].as_str().unwrap().starts_with(provider)
            };
            assert!(cases.iter().any(|case| has(&case)), "{shape} {provider}");
        }
    }
    assert!(cases.iter().any(|case| case["shape"] == "bare JWT"));
}
