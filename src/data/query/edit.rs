//! Changing one word of a query and leaving the rest as the user wrote it, for controls beside the text field.

use super::Query;

impl Query {
    /// The value of the only word with this key, as it is written, if there is one word and it is not turned round.
    #[must_use]
    pub fn value(&self, key: &str) -> Option<String> {
        let mut found = self.words.iter().filter(|word| word.key == key);
        let (Some(word), None) = (found.next(), found.next()) else { return None };
        let text = &self.text[word.span.clone()];
        let value = text.split_once([':', '=']).map(|(_, value)| value.trim().replace('"', ""))?;
        (!word.negated).then_some(value)
    }

    /// The text with the words of this key replaced by `key:value`, or taken out.
    #[must_use]
    pub fn with(&self, key: &str, value: Option<&str>) -> String {
        let mut text = String::new();
        for word in self.words.iter().filter(|word| word.key != key) {
            push(&mut text, &self.text[word.span.clone()]);
        }
        if let Some(value) = value {
            let quoted = value.contains(|c: char| c.is_whitespace() || c == ',');
            push(&mut text, &if quoted { format!("{key}:\"{value}\"") } else { format!("{key}:{value}") });
        }
        text
    }
}

fn push(text: &mut String, word: &str) {
    if !text.is_empty() {
        text.push(' ');
    }
    text.push_str(word);
}
