//! A vision model behind an OpenAI-compatible address: llama.cpp, Ollama, vLLM or a hosted one.
//!
//! Protocol: `POST .../chat/completions` with the picture as a data URL, as in
//! <https://platform.openai.com/docs/api-reference/chat>. Whatever comes back is bounded in size and
//! time; requests that may do better later are repeated, each after twice the wait.

use std::time::{Duration, Instant};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use likeness_dataset::captions::{Answer, Captioner, INSTRUCTION, Refusal};
use serde_json::{Value, json};

/// An answer is a line of text; a longer body is no answer.
const MOST_BYTES: u64 = 1 << 20;
/// How often one request is made at most.
const ATTEMPTS: u32 = 3;
/// The wait before the second; it doubles from there.
const FIRST_WAIT: Duration = Duration::from_millis(500);
/// Tokens of the longest answer that is asked for: 60 words, and room for a model that thinks aloud.
const MOST_TOKENS: u32 = 1000;

/// An endpoint with its limits.
pub struct Endpoint {
    agent: ureq::Agent,
    url: String,
    model: String,
    key: Option<String>,
    until: Instant,
}

/// Why one request failed.
enum Failure {
    /// Another try may do better.
    Passing(String),
    /// Another try would not, but another photo may.
    Lasting(String),
    /// No other photo would do better either.
    Final(String),
}

impl Endpoint {
    /// The endpoint at `url`, which may leave out `/v1/chat/completions`. A request takes at most
    /// `each`, all of them together at most `in_all`.
    pub fn new(
        url: &str,
        model: &str,
        key: Option<String>,
        each: Duration,
        in_all: Duration,
    ) -> Self {
        let config = ureq::Agent::config_builder()
            .timeout_global(Some(each))
            .http_status_as_error(false)
            .max_redirects(0) // the key is for this address alone
            .max_redirects_will_error(false);
        let agent = ureq::Agent::new_with_config(config.build());
        let (url, model) = (completions(url), model.to_owned());
        Self { agent, url, model, key, until: Instant::now() + in_all }
    }

    /// Where requests go.
    pub fn url(&self) -> &str {
        &self.url
    }

    fn ask(&self, body: &[u8]) -> Result<(String, Option<u64>), Failure> {
        let mut request = self.agent.post(&self.url).header("content-type", "application/json");
        if let Some(key) = &self.key {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        let mut response =
            request.send(body).map_err(|error| Failure::Passing(error.to_string()))?;
        let status = response.status().as_u16();
        let read = response.body_mut().with_config().limit(MOST_BYTES).read_to_vec();
        let said = |bytes: &[u8]| {
            let text = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
            let line = text
                .split(|c: char| c.is_whitespace() || c.is_control())
                .filter(|word| !word.is_empty());
            line.collect::<Vec<_>>().join(" ")
        };
        let refused = |read: Result<Vec<u8>, _>| {
            format!("it answered with status {status}: {}", said(&read.unwrap_or_default()))
        };
        match status {
            200 => {}
            408 | 425 | 429 | 500.. => return Err(Failure::Passing(refused(read))),
            300..=399 | 401..=405 => return Err(Failure::Final(refused(read))),
            _ => return Err(Failure::Lasting(refused(read))),
        }
        let bytes = read.map_err(|error| match error {
            ureq::Error::BodyExceedsLimit(_) => {
                Failure::Lasting(format!("its answer is longer than {} KiB", MOST_BYTES >> 10))
            }
            error => Failure::Passing(error.to_string()),
        })?;
        let value: Value = serde_json::from_slice(&bytes)
            .map_err(|_| Failure::Lasting(format!("its answer is no JSON: {}", said(&bytes))))?;
        let text = text_of(&value["choices"][0]["message"]["content"]);
        let text = text.ok_or_else(|| {
            Failure::Lasting(format!("its answer holds no text: {}", said(&bytes)))
        })?;
        Ok((text, value["usage"]["total_tokens"].as_u64()))
    }
}

impl Captioner for Endpoint {
    fn model(&self) -> &str {
        &self.model
    }

    fn describe(&mut self, jpeg: &[u8]) -> Result<Answer, Refusal> {
        let picture = format!("data:image/jpeg;base64,{}", STANDARD.encode(jpeg));
        let content = json!([
            { "type": "text", "text": INSTRUCTION },
            { "type": "image_url", "image_url": { "url": picture } },
        ]);
        let body = json!({
            "model": self.model, "temperature": 0, "max_tokens": MOST_TOKENS, "stream": false,
            "messages": [{ "role": "user", "content": content }],
        });
        let body = body.to_string();
        let begun = Instant::now();
        let mut wait = FIRST_WAIT;
        for attempt in 1.. {
            if Instant::now() >= self.until {
                let message = "the time for all requests is over (`--captioner-limit`)".into();
                return Err(Refusal { message, last: true });
            }
            match self.ask(body.as_bytes()) {
                Ok((text, tokens)) => {
                    return Ok(Answer { text, seconds: begun.elapsed().as_secs_f64(), tokens });
                }
                Err(Failure::Passing(message)) if attempt == ATTEMPTS => {
                    let message = format!("{message}, {ATTEMPTS} times");
                    return Err(Refusal { message, last: false });
                }
                Err(Failure::Passing(_)) => {
                    let left = self.until.saturating_duration_since(Instant::now());
                    std::thread::sleep(wait.min(left));
                    wait *= 2;
                }
                Err(Failure::Lasting(message)) => return Err(Refusal { message, last: false }),
                Err(Failure::Final(message)) => return Err(Refusal { message, last: true }),
            }
        }
        unreachable!("the last attempt returns")
    }
}

/// The text of a message, which some endpoints give in parts.
fn text_of(content: &Value) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
            (!texts.is_empty()).then(|| texts.join(" "))
        }
        _ => None,
    }
}

/// The address of chat completions under `url`.
fn completions(url: &str) -> String {
    let url = url.trim().trim_end_matches('/');
    match url {
        _ if url.ends_with("/chat/completions") => url.to_owned(),
        _ if url.ends_with("/v1") => format!("{url}/chat/completions"),
        _ => format!("{url}/v1/chat/completions"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_usual_address_leads_to_completions() {
        let whole = "http://localhost:8080/v1/chat/completions";
        for url in ["http://localhost:8080", "http://localhost:8080/v1/", whole] {
            assert_eq!(completions(url), whole);
        }
    }

    #[test]
    fn text_comes_whole_or_in_parts() {
        assert_eq!(text_of(&json!("a")), Some("a".to_owned()));
        assert_eq!(text_of(&json!([{ "text": "a" }, { "text": "b" }])), Some("a b".to_owned()));
        assert_eq!(text_of(&json!(null)), None);
        assert_eq!(text_of(&json!([1])), None);
    }
}
