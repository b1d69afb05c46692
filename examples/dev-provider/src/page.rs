//! The pages a person sees. Whatever comes from outside is escaped on its way in.

/// The page that asks who the person is and whether the client may have what it asks for; `action` is the address that
/// the answer goes to.
pub(crate) fn login(client: &str, scopes: &[String], users: &[String], action: &str) -> String {
    page("Allow access?", &question(client, scopes, users, action))
}

/// As [`login`], for a device that shows `user_code`, and that may have a name.
pub(crate) fn device_login(
    client: &str,
    scopes: &[String],
    users: &[String],
    user_code: &str,
    device_name: Option<&str>,
) -> String {
    let code = escape(user_code);
    let device =
        device_name.map_or_else(|| "your device".to_owned(), |name| format!("<b>{}</b>", escape(name)));
    let question = question(client, scopes, users, &format!("/device?user_code={user_code}"));
    page(
        "Allow access?",
        &format!("<p>This is for {device}. It shows <b>{code}</b>, or else deny.</p>{question}"),
    )
}

/// The page that asks for the code that a device shows, after `complaint` about another one.
pub(crate) fn user_code(complaint: Option<&str>) -> String {
    let complaint = complaint.map(|text| format!("<p><b>{}</b></p>", escape(text))).unwrap_or_default();
    page(
        "Connect a device",
        &format!(
            r#"{complaint}<form method="post" action="/device">
<label>The code that your device shows <input name="user_code" autocomplete="off" required autofocus></label>
<div class="row"><button class="main">Continue</button></div>
</form>"#
        ),
    )
}

/// The page after the person has decided on a device.
pub(crate) fn decided(is_allowed: bool) -> String {
    if is_allowed {
        page("Done", "<p>Go back to your device; it goes on by itself.</p>")
    } else {
        page("Denied", "<p>Your device will be told.</p>")
    }
}

fn question(client: &str, scopes: &[String], users: &[String], action: &str) -> String {
    let (client, action) = (escape(client), escape(action));
    let scopes: String = scopes.iter().map(|scope| format!("<li>{}</li>", escape(scope))).collect();
    let scopes =
        if scopes.is_empty() { String::new() } else { format!("<p>It asks for:</p><ul>{scopes}</ul>") };
    let choices: String = users.iter().map(|user| format!(r#"<option value="{}">"#, escape(user))).collect();
    let first = users.first().map(|user| escape(user)).unwrap_or_default();
    format!(
        r#"<p><b>{client}</b> wants to act for you.</p>{scopes}
<form method="post" action="{action}">
<label>You are <input name="user" value="{first}" list="users" autocomplete="off" required></label>
<datalist id="users">{choices}</datalist>
<div class="row"><button name="decision" value="allow" class="main">Allow</button>
<button name="decision" value="deny">Deny</button></div>
</form>"#
    )
}

/// The page that shows what to paste back into the app.
pub(crate) fn paste(text: &str) -> String {
    let text = escape(text);
    page(
        "Almost there",
        &format!(
            r#"<p>Copy this and paste it into the app that sent you here:</p><code id="paste">{text}</code>"#
        ),
    )
}

/// The page for a request that cannot be answered by a redirect.
pub(crate) fn refusal(reason: &str) -> String {
    page("This did not work", &format!("<p>{}</p>", escape(reason)))
}

/// What a gateway in front of a broken server shows.
pub(crate) fn gateway_error(status: u16) -> String {
    format!(
        "<html>\n<head><title>{status}</title></head>\n<body><h1>{status}</h1><hr>gateway</body>\n</html>\n"
    )
}

/// `text` for use in HTML, between tags and in quoted attributes.
fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '"' => escaped.push_str("&quot;"),
            '&' => escaped.push_str("&amp;"),
            '\'' => escaped.push_str("&#39;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            other => escaped.push(other),
        }
    }
    escaped
}

fn page(title: &str, body: &str) -> String {
    format!(
        r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · dev provider</title><style>{STYLE}</style></head>
<body><main><small>Loomkin dev provider · nothing here is real</small><h1>{title}</h1>
{body}
</main></body></html>
"#
    )
}

const STYLE: &str = "\
:root{color-scheme:light dark;--line:#8884;--main:#5b4bdb}\
body{margin:0;min-height:100vh;display:grid;place-items:center;font:16px/1.5 system-ui,sans-serif}\
main{width:min(23rem,86vw);padding:1.6rem 1.8rem 1.9rem;border:1px solid var(--line);border-radius:14px;\
box-shadow:0 12px 40px #0002}\
small{opacity:.65}h1{margin:.3rem 0 .6rem;font-size:1.45rem}ul{margin:.2rem 0 1rem;padding-left:1.2rem}\
input,button{font:inherit;box-sizing:border-box;width:100%;padding:.6rem .8rem;border:1px solid var(--line);\
border-radius:9px;background:none;color:inherit}\
input{margin-top:.3rem}.row{display:flex;gap:.7rem;margin-top:1.1rem}button{cursor:pointer}\
.main{background:var(--main);border-color:var(--main);color:#fff;font-weight:600}\
code{display:block;padding:.7rem .8rem;border:1px dashed var(--line);border-radius:9px;\
overflow-wrap:anywhere;user-select:all}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_from_outside_becomes_markup() {
        let hostile = r#""><script>alert('x')</script>&"#;
        let list = [hostile.to_owned()];
        for page in [
            login(hostile, &list, &list, hostile),
            device_login(hostile, &list, &list, hostile, Some(hostile)),
            user_code(Some(hostile)),
            paste(hostile),
            refusal(hostile),
        ] {
            assert!(!page.contains("<script"), "{page}");
            assert!(page.contains("&quot;&gt;&lt;script&gt;alert(&#39;x&#39;)"), "{page}");
        }
    }
}
