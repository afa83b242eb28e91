//! As much of HTTP/1.1 (RFC 9112) as a local page needs: one request a
//! connection, with limits on everything that is read.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use serde_json::json;

const LONGEST_HEAD: usize = 16 << 10; // bytes
const MOST_HEADERS: usize = 64;
const LONGEST_BODY: usize = 64 << 10; // bytes: a caption of 2000 characters, escaped, is 12 kB
const LEFT_OVER: usize = 1 << 20; // bytes of a refused body that are read to get the answer through

/// What nothing on the page may do: load or send anything elsewhere, run inline
/// scripts, be framed, or be remembered.
const HEADERS: &str = "Content-Security-Policy: default-src 'none'; script-src 'self'; \
style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
frame-ancestors 'none'\r\n\
X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n\
Cross-Origin-Resource-Policy: same-origin\r\nCross-Origin-Opener-Policy: same-origin\r\n\
Cache-Control: no-store\r\nConnection: close\r\n";

/// A request without its body.
#[derive(Debug, Default)]
pub struct Head {
    /// Such as "GET".
    pub method: String,
    /// From the first slash to the question mark.
    pub path: String,
    /// Behind the question mark.
    pub query: String,
    /// The `Host` header.
    pub host: String,
    /// The `Origin` header, where there is one.
    pub origin: Option<String>,
    length: usize,
    /// What was read behind the head: the body's first bytes.
    rest: Vec<u8>,
}

/// An answer.
#[derive(Debug, PartialEq)]
pub struct Answer {
    status: u16,
    kind: &'static str,
    header: String,
    body: Vec<u8>,
}

impl Answer {
    /// A file of type `kind`.
    pub fn file(kind: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status: 200, kind, header: String::new(), body: body.into() }
    }

    /// A JSON object.
    pub fn json(value: &impl serde::Serialize) -> Self {
        match serde_json::to_vec(value) {
            Ok(body) => Self::file("application/json", body),
            Err(error) => Self::refusal(500, &format!("this cannot be told as JSON: {error}")),
        }
    }

    /// An error with its reason.
    pub fn refusal(status: u16, reason: &str) -> Self {
        let body = json!({ "error": reason }).to_string().into_bytes();
        Self { status, kind: "application/json", header: String::new(), body }
    }

    /// A method that does not apply; `allowed` does.
    pub fn wrong_method(allowed: &str) -> Self {
        let header = format!("Allow: {allowed}\r\n");
        Self { header, ..Self::refusal(405, &format!("use {allowed} here")) }
    }

    /// Sends the browser to `to`.
    pub fn redirect(to: &str) -> Self {
        let header = format!("Location: {to}\r\n");
        Self { status: 303, kind: "text/plain", header, body: Vec::new() }
    }

    /// The status code.
    #[cfg(test)]
    pub fn status(&self) -> u16 {
        self.status
    }
}

/// Reads a request up to its body; `None` if nothing comes.
pub fn head(stream: &mut impl Read) -> Result<Option<Head>, Answer> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 2048]);
    loop {
        let count = match stream.read(&mut chunk) {
            Ok(0) => return ended(&bytes),
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            Err(_) => return ended(&bytes),
            Ok(count) => count,
        };
        bytes.extend_from_slice(&chunk[..count]);
        if let Some(head) = parsed(&bytes)? {
            return Ok(Some(head));
        }
        if bytes.len() > LONGEST_HEAD {
            return Err(Answer::refusal(431, "the request's headers are longer than 16 KiB"));
        }
    }
}

fn ended(bytes: &[u8]) -> Result<Option<Head>, Answer> {
    match bytes.is_empty() {
        true => Ok(None),
        false => Err(Answer::refusal(408, "the request did not come to its end")),
    }
}

/// The head in `bytes`, once all of it is there.
fn parsed(bytes: &[u8]) -> Result<Option<Head>, Answer> {
    let broken = |what: &str| Answer::refusal(400, what);
    let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
    let mut request = httparse::Request::new(&mut headers);
    let end = match request.parse(bytes) {
        Ok(httparse::Status::Complete(end)) => end,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(error) => return Err(broken(&format!("the request cannot be read: {error}"))),
    };
    let target = request.path.unwrap_or_default();
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut head = Head {
        method: request.method.unwrap_or_default().to_owned(),
        path: path.to_owned(),
        query: query.to_owned(),
        rest: bytes[end..].to_vec(),
        ..Head::default()
    };
    let (mut hosts, mut lengths) = (0, 0);
    for header in request.headers.iter() {
        let value = str::from_utf8(header.value).unwrap_or_default().trim();
        match header.name.to_ascii_lowercase().as_str() {
            "host" => (head.host, hosts) = (value.to_owned(), hosts + 1),
            "origin" => head.origin = Some(value.to_owned()),
            "content-length" => {
                let length = value.parse();
                head.length = length.map_err(|_| broken("the length is not a number"))?;
                lengths += 1;
            }
            "transfer-encoding" => return Err(broken("a request has to say its length")),
            _ => {}
        }
    }
    match hosts == 1 && lengths <= 1 {
        true => Ok(Some(head)),
        false => Err(broken("a request has to have one host and at most one length")),
    }
}

/// Reads the body behind `head`.
pub fn body(head: &Head, stream: &mut impl Read) -> Result<Vec<u8>, Answer> {
    if head.length > LONGEST_BODY {
        return Err(Answer::refusal(413, "the request is longer than 64 KiB"));
    }
    let mut body = head.rest.clone();
    body.truncate(head.length);
    let missing = (head.length - body.len()) as u64;
    match stream.take(missing).read_to_end(&mut body) {
        Ok(_) if body.len() == head.length => Ok(body),
        _ => Err(Answer::refusal(408, "the request did not come to its end")),
    }
}

/// Writes `answer` and closes. What a refused request still sends is read for
/// a moment: closing on unread bytes would take the answer away with them.
pub fn respond(stream: &mut TcpStream, answer: &Answer) {
    let Answer { status, kind, header, body } = answer;
    let name = name(*status);
    let head = format!(
        "HTTP/1.1 {status} {name}\r\nContent-Type: {kind}\r\nContent-Length: {}\r\n{header}{HEADERS}\r\n",
        body.len()
    );
    let sent = stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body));
    if sent.is_err() || stream.shutdown(Shutdown::Write).is_err() {
        return; // there is no one to tell
    }
    let _ = stream.set_read_timeout(Some(Duration::from_secs(1)));
    let (mut chunk, mut left) = ([0; 8192], LEFT_OVER);
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        left = left.saturating_sub(count);
        if left == 0 {
            return;
        }
    }
}

fn name(status: u16) -> &'static str {
    match status {
        200 => "OK",
        303 => "See Other",
        400 => "Bad Request",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        408 => "Request Timeout",
        409 => "Conflict",
        413 => "Content Too Large",
        422 => "Unprocessable Content",
        431 => "Request Header Fields Too Large",
        _ => "Internal Server Error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Head, u16> {
        let head = head(&mut text.as_bytes()).map_err(|refusal| refusal.status)?;
        Ok(head.expect("a request"))
    }

    #[test]
    fn a_request_is_read_to_its_last_byte_and_no_further() {
        let text = "POST /t/api?a=1 HTTP/1.1\r\nHost: h:1\r\nContent-Length: 4\r\n\r\nabcdefgh";
        let head = read(text).expect("a head");
        assert_eq!((head.method.as_str(), head.path.as_str()), ("POST", "/t/api"));
        assert_eq!((head.query.as_str(), head.host.as_str()), ("a=1", "h:1"));
        assert_eq!(body(&head, &mut "".as_bytes()), Ok(b"abcd".to_vec()));
        let half = Head { rest: b"ab".to_vec(), ..head };
        assert_eq!(body(&half, &mut "cdef".as_bytes()), Ok(b"abcd".to_vec()));
        assert_eq!(body(&half, &mut "".as_bytes()).expect_err("cut").status, 408);
        assert!(super::head(&mut "".as_bytes()).expect("no error").is_none());
    }

    #[test]
    fn what_is_not_a_plain_request_is_refused() {
        let many = "X: y\r\n".repeat(MOST_HEADERS + 1);
        let long = format!("X: {}\r\n", "y".repeat(LONGEST_HEAD));
        for (text, status) in [
            ("nonsense\r\n\r\n".to_owned(), 400),
            ("GET / HTTP/1.1\r\n\r\n".into(), 400), // no host
            ("GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n".into(), 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n".into(), 400),
            ("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n".into(), 400),
            ("GET / HTTP/1.1\r\nHost: a\r\n".into(), 408),
            (format!("GET / HTTP/1.1\r\n{many}\r\n"), 400),
            (format!("GET / HTTP/1.1\r\n{long}"), 431),
        ] {
            assert_eq!(read(&text).expect_err("a refusal"), status, "{text:.60}");
        }
        let huge = format!("GET / HTTP/1.1\r\nHost: a\r\nContent-Length: {}\r\n\r\n", u64::MAX);
        let head = read(&huge).expect("a head");
        assert_eq!(body(&head, &mut "".as_bytes()).expect_err("too long").status, 413);
    }
}
