use serde::Serialize;
use serde_json::{Map, Value};

use crate::console::Console;

/// Tells the story step by step, and remembers it for machines.
pub(super) struct Teller {
    console: Console,
    steps: Vec<Step>,
}

/// One call of the story, and the parts of its answer that matter.
#[derive(Debug, Serialize)]
pub(super) struct Step {
    /// What happens, in words.
    title: String,
    /// Method and path.
    call: String,
    /// The parts of the answer.
    answer: Map<String, Value>,
}

/// Longer texts, such as tokens, are cut when told to people.
const LONGEST: usize = 64;

impl Teller {
    pub(super) fn new(console: Console) -> Self {
        Self { console, steps: Vec::new() }
    }

    pub(super) fn steps(self) -> Vec<Step> {
        self.steps
    }

    /// Tells one step.
    pub(super) fn step(&mut self, title: &str, call: &str, answer: &[(&str, Value)]) {
        self.console.say(&format!("{:>2}. {title}\n    {call}", self.steps.len() + 1));
        for (name, value) in answer {
            for (index, line) in lines(value).iter().enumerate() {
                let name = if index == 0 { name } else { "" };
                self.console.say(&format!("      {name:<16} {line}"));
            }
        }
        self.console.say("");
        let answer = answer.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        self.steps.push(Step { title: title.into(), call: call.into(), answer });
    }
}

/// A list of texts is told line by line, anything else in one.
fn lines(value: &Value) -> Vec<String> {
    match value {
        Value::Array(items) if items.iter().all(Value::is_string) => items.iter().map(told).collect(),
        other => vec![told(other)],
    }
}

fn told(value: &Value) -> String {
    let text = match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    if text.chars().count() <= LONGEST {
        return text;
    }
    let beginning: String = text.chars().take(LONGEST - 1).collect();
    format!("{beginning}…")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn long_texts_are_cut_for_people_and_whole_for_machines() {
        let token = "x".repeat(300);
        assert_eq!(told(&json!(token)).chars().count(), LONGEST);
        assert_eq!(told(&json!("waiting")), "waiting");
        assert_eq!(lines(&json!([17, 18])), ["[17,18]"]);
        assert_eq!(lines(&json!(["a", "b"])), ["a", "b"]);
        let mut teller = Teller::new(Console::new(true));
        teller.step("Enter", "POST /v1/queue/tokens", &[("queue_token", json!(token))]);
        assert_eq!(teller.steps()[0].answer["queue_token"], json!(token));
    }
}
