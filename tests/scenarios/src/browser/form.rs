//! As much HTML as login pages are made of: a form, its fields, its buttons, and links.

use url::form_urlencoded;

use super::Choice;

/// The first form of a page.
#[derive(Debug)]
pub(super) struct Form {
    pub(super) action: String,
    buttons: Vec<Field>,
    fields: Vec<Field>,
}

#[derive(Debug)]
struct Field {
    is_hidden: bool,
    name: String,
    value: String,
}

impl Form {
    pub(super) fn find(page: &str) -> Option<Self> {
        let start = page.find("<form")?;
        let whole = &page[start..];
        let whole = &whole[..whole.find("</form>").unwrap_or(whole.len())];
        // A button may stand anywhere on the page.
        Some(Self {
            action: attribute(tags(whole, "form").next()?, "action")?,
            buttons: tags(page, "button").filter_map(Field::read).collect(),
            fields: tags(whole, "input").filter_map(Field::read).collect(),
        })
    }

    /// The field for the code of a device, while it is still empty.
    pub(super) fn user_code(&mut self) -> Option<&mut String> {
        let empty = self.fields.iter_mut().filter(|field| field.value.is_empty());
        let mut asking = empty.filter(|field| matches!(&*field.name, "device_user_code" | "user_code"));
        asking.next().map(|field| &mut field.value)
    }

    /// The form as `user` sends it: the name where a name is asked, the rest as it stands or anything at all.
    pub(super) fn fill(&self, user: &str, choice: Choice) -> String {
        let mut form = form_urlencoded::Serializer::new(String::new());
        for field in &self.fields {
            let value = match &*field.name {
                "login" | "user" | "username" => user,
                _ if field.value.is_empty() && !field.is_hidden => "anything",
                _ => &field.value,
            };
            form.append_pair(&field.name, value);
        }
        let is_wanted = |button: &&Field| match choice {
            Choice::Allow => button.value == "allow" || button.name == "accept",
            Choice::Deny => button.value == "deny" || matches!(&*button.name, "abort" | "cancel"),
        };
        // A form whose one button has no name is sent by it all the same.
        if let Some(button) = self.buttons.iter().find(is_wanted) {
            form.append_pair(&button.name, &button.value);
        }
        form.finish()
    }
}

impl Field {
    fn read(tag: &str) -> Option<Self> {
        Some(Self {
            is_hidden: attribute(tag, "type").as_deref() == Some("hidden"),
            name: attribute(tag, "name")?,
            value: attribute(tag, "value").unwrap_or_default(),
        })
    }
}

/// The address of the first link that ends in `ending`.
pub(super) fn link_ending_in(page: &str, ending: &str) -> Option<String> {
    tags(page, "a").filter_map(|tag| attribute(tag, "href")).find(|address| address.ends_with(ending))
}

/// The text between `<kind` and `>`, for every such tag.
fn tags<'p>(page: &'p str, kind: &'p str) -> impl Iterator<Item = &'p str> {
    page.split('<').skip(1).filter_map(move |tag| {
        let attributes = tag.strip_prefix(kind)?;
        let attributes = &attributes[..attributes.find('>')?];
        (attributes.is_empty() || attributes.starts_with(|next: char| next.is_whitespace() || next == '/'))
            .then_some(attributes)
    })
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let opening = format!("{name}=\"");
    let before = tag.match_indices(&opening).map(|(index, _)| index);
    // `data-name="…"` is another attribute than `name="…"`.
    let start =
        before.into_iter().find(|index| tag[..*index].ends_with(char::is_whitespace))? + opening.len();
    let value = &tag[start..];
    Some(unescape(&value[..value.find('"')?]))
}

fn unescape(text: &str) -> String {
    // The ampersand last, or `&amp;lt;` would become a bracket.
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (entity, character)| text.replace(entity, character))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = r#"<p><a class="x" href="/interaction/7/abort">[ Cancel ]</a>
        <form data-action="/wrong" action="/go?a=1&amp;b=%26" method="post">
        <input type="hidden" name="prompt" value="lo&quot;gin"/><input type="hidden" name="id" /><input required name="user" value="ada">
        <input type="password" name="password" placeholder="x">
        <button name="decision" value="allow">Yes</button><button name="decision" value="deny">No</button></form>"#;

    #[test]
    fn a_form_is_filled_as_a_person_would() {
        let form = Form::find(PAGE).unwrap();
        assert_eq!(form.action, "/go?a=1&b=%26");
        let sent = form.fill("grace", Choice::Allow);
        assert_eq!(sent, "prompt=lo%22gin&id=&user=grace&password=anything&decision=allow");
        assert!(form.fill("grace", Choice::Deny).ends_with("&decision=deny"));
    }

    #[test]
    fn a_page_without_a_form_has_none() {
        assert!(Form::find("<formula>x</formula>").is_none());
        assert_eq!(link_ending_in(PAGE, "/abort").as_deref(), Some("/interaction/7/abort"));
    }
}
