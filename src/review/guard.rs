//! Which requests are the page's own.
//!
//! Loopback alone is not enough: other users of the machine reach it, and so does
//! any web page by a name of its own that it points there (DNS rebinding). So the
//! host has to be this machine's, and every path starts with the token.

use std::sync::{Mutex, PoisonError};

use super::http::{Answer, Head};

/// The folder of the key that leads to the page once.
const ONCE: &str = "open";

/// Knows the port, the token and the key.
pub struct Guard {
    port: u16,
    token: String,
    key: Mutex<Option<String>>,
}

/// What becomes of a request.
#[derive(Debug, PartialEq)]
pub enum Admitted {
    /// It is for the page: the path behind the token.
    Page(String),
    /// It had the key and goes to the page.
    Redirect(String),
    /// It is not ours.
    Refused(Answer),
}

impl Guard {
    /// A guard of what listens on `port`.
    pub fn new(port: u16, token: String, key: String) -> Self {
        Self { port, token, key: Mutex::new(Some(key)) }
    }

    /// The page's address.
    pub fn address(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.port, self.token)
    }

    /// The address that leads to the page once.
    pub fn address_for_once(&self) -> String {
        let key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        format!("http://127.0.0.1:{}/{ONCE}/{}", self.port, key.as_deref().unwrap_or_default())
    }

    /// Lets a request in, or not.
    pub fn admit(&self, head: &Head) -> Admitted {
        let refuse = |reason: &str| Admitted::Refused(Answer::refusal(403, reason));
        let hosts = [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)];
        if !hosts.contains(&head.host) {
            let reason = "this page is only for this machine, at the address that was printed";
            return refuse(reason);
        }
        let ours = |origin: &String| hosts.iter().any(|host| *origin == format!("http://{host}"));
        if head.origin.as_ref().is_some_and(|origin| !ours(origin)) {
            return refuse("another page sent this request");
        }
        let path = head.path.strip_prefix('/').unwrap_or_default();
        let (first, rest) = path.split_once('/').unwrap_or((path, ""));
        if first == ONCE && head.method == "GET" && self.take_key(rest) {
            return Admitted::Redirect(format!("/{}/", self.token));
        }
        match same(first, &self.token) {
            true => Admitted::Page(rest.to_owned()),
            false => refuse(
                "the token in the address is not that of this review; use the address that was printed",
            ),
        }
    }

    /// Whether `given` is the key, which is used up then.
    fn take_key(&self, given: &str) -> bool {
        let mut key = self.key.lock().unwrap_or_else(PoisonError::into_inner);
        let right = key.as_deref().is_some_and(|key| same(given, key));
        if right {
            *key = None;
        }
        right
    }
}

/// Whether two words are the same, in a time that does not tell where they
/// differ.
fn same(a: &str, b: &str) -> bool {
    let differs = a.bytes().zip(b.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    a.len() == b.len() && differs == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guard() -> Guard {
        Guard::new(8000, "token".into(), "key".into())
    }

    fn head(host: &str, origin: Option<&str>, path: &str) -> Head {
        let mut head = Head::default();
        (head.method, head.path, head.host) = ("GET".into(), path.into(), host.into());
        head.origin = origin.map(str::to_owned);
        head
    }

    fn refused(host: &str, origin: Option<&str>, path: &str) -> bool {
        match guard().admit(&head(host, origin, path)) {
            Admitted::Refused(answer) => answer.status() == 403,
            _ => false,
        }
    }

    #[test]
    fn only_this_machines_names_with_the_token_get_in() {
        for host in ["127.0.0.1:8000", "localhost:8000"] {
            let admitted = guard().admit(&head(host, None, "/token/api/state"));
            assert_eq!(admitted, Admitted::Page("api/state".into()));
        }
        for host in ["", "127.0.0.1", "127.0.0.1:8001", "evil.example:8000", "0.0.0.0:8000"] {
            assert!(refused(host, None, "/token/"), "{host}");
        }
        for path in ["", "*", "é", "/", "/toke/", "/token1/", "/TOKEN/", "//token/", "/open/token"]
        {
            assert!(refused("127.0.0.1:8000", None, path), "{path}");
        }
    }

    #[test]
    fn another_pages_request_is_refused() {
        let host = "127.0.0.1:8000";
        assert!(refused(host, Some("http://evil.example"), "/token/"));
        assert!(refused(host, Some("null"), "/token/"));
        assert!(!refused(host, Some("http://127.0.0.1:8000"), "/token/"));
    }

    #[test]
    fn the_key_opens_once() {
        let guard = guard();
        assert_eq!(guard.address_for_once(), "http://127.0.0.1:8000/open/key");
        let knock = || guard.admit(&head("127.0.0.1:8000", None, "/open/key"));
        assert_eq!(knock(), Admitted::Redirect("/token/".into()));
        assert!(matches!(knock(), Admitted::Refused(_)));
    }
}
