//! The JSON Schema of the tables that are read here, made from the table of known keys.

use serde_json::{Map, Value, json};

use super::known::{FIXED_SECTIONS, Key, Kind, PRESETS, RESERVED_PARAMETERS, Section, keys};
use super::uri::Purpose;

/// Draft 7, because the TOML editors know that one.
pub(super) fn json_schema() -> Value {
    let mut auth = properties(Section::Auth);
    for (name, section) in FIXED_SECTIONS {
        let table = closed(properties(*section));
        let table = match section {
            Section::Tier => json!({ "type": "object", "additionalProperties": table }),
            _ => table,
        };
        auth.insert((*name).to_owned(), table);
    }
    for preset in PRESETS {
        auth.insert((*preset).to_owned(), json!({ "$ref": "#/definitions/provider" }));
    }
    let endpoint = json!({ "type": "object", "properties": properties(Section::Endpoint) });
    json!({
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": ".loomkin.toml",
        "description": "The tables of .loomkin.toml that Loomkin Auth reads. The others belong to the app.",
        "type": "object",
        "properties": {
            "auth": {
                "type": "object",
                "properties": auth,
                "additionalProperties": { "$ref": "#/definitions/provider" },
            },
            "model": { "type": "object" },
            "provider": {
                "type": "object",
                "properties": { "endpoints": { "type": "object", "properties": {}, "additionalProperties": {
                    "anyOf": [endpoint, { "not": { "type": "object" } }],
                } } },
            },
        },
        "definitions": { "provider": closed(properties(Section::Provider)) },
    })
}

fn properties(section: Section) -> Map<String, Value> {
    let mut properties = Map::new();
    for key in keys(section) {
        properties.insert(key.name.to_owned(), property(key, key.about.to_owned()));
        if let Some(alias) = key.alias {
            let about = format!("{} Another spelling of {}.", key.about, key.name);
            properties.insert(alias.to_owned(), property(key, about));
        }
    }
    properties
}

fn closed(properties: Map<String, Value>) -> Value {
    json!({ "type": "object", "properties": properties, "additionalProperties": false })
}

fn property(key: &Key, mut about: String) -> Value {
    if let Some(preset) = key.preset {
        about.push_str(&format!(" Only with the preset {preset}."));
    }
    let mut property = match key.kind {
        Kind::Choice(words) => or_variable(json!({ "enum": words })),
        Kind::Duration => or_variable(json!({ "type": "string", "pattern": "^[0-9]" })),
        Kind::Flag => or_variable(json!({ "type": "boolean" })),
        Kind::KeySource => {
            or_variable(json!({ "type": "string", "pattern": "^(auto$|keychain$|file:.|env:.)" }))
        }
        Kind::Parameters => json!({
            "type": "object",
            "propertyNames": { "not": { "enum": RESERVED_PARAMETERS } },
            "additionalProperties": { "type": "string" },
        }),
        Kind::Scopes => json!({
            "anyOf": [{ "type": "string" }, { "type": "array", "items": { "type": "string" } }],
        }),
        Kind::Uri(purpose) => or_variable(json!({ "type": "string", "pattern": pattern(purpose) })),
        Kind::Credential | Kind::Path | Kind::ProviderName | Kind::Text | Kind::VariableName => {
            json!({ "type": "string" })
        }
    };
    property["description"] = json!(about);
    if let Some(default) = key.default {
        property["default"] = json!(default);
    }
    property
}

/// Every string may have a variable in it, or be empty because one is.
fn or_variable(form: Value) -> Value {
    json!({ "anyOf": [form, { "type": "string", "pattern": r"^$|\$\{" }] })
}

fn pattern(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Database => "^postgres(ql)?://",
        Purpose::Endpoint | Purpose::Issuer => r"^(https://|http://(localhost|127\.|\[::1\]))",
        Purpose::Proxy => "^(https?|socks5h?)://",
        Purpose::Redirect => r"^(https://|http://(localhost|127\.|\[::1\])|[^:/]*\.[^:/]*:|urn:)",
        Purpose::Server => "^https?://",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_known_key_has_a_description() {
        let schema = json_schema();
        let provider = &schema["definitions"]["provider"]["properties"];
        for key in keys(Section::Provider) {
            assert!(
                provider[key.name]["description"].as_str().unwrap().starts_with(key.about),
                "{}",
                key.name
            );
        }
        assert_eq!(
            schema["properties"]["auth"]["properties"]["store"]["properties"]["key"]["default"],
            "auto"
        );
        assert!(provider["authorize_url"].is_object());
    }
}
