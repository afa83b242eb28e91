//! The server of `likeness curate review`: a page on this machine alone.
//!
//! It listens on the loopback address, and every address below it starts with a
//! random token. A connection carries one request, read and answered on a thread
//! of its own (`http`); `guard` says whether it is ours, `routes` what it gets.
//! Own code around `httparse`, since the small blocking servers at hand trust
//! a request's claimed length with their memory.

mod guard;
mod http;
mod pictures;
mod routes;

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use anyhow::Context;
use likeness_dataset::Review;

use guard::Guard;
use http::Answer;
use pictures::Pictures;

const PATIENCE: Duration = Duration::from_secs(10); // for a request's next byte
const MOST_CONNECTIONS: usize = 64; // a browser has six
const PAUSE: Duration = Duration::from_millis(50); // after a connection that failed to come

/// A running server.
pub struct Server {
    site: Arc<Site>,
}

/// What the threads share.
struct Site {
    review: Review,
    guard: Guard,
    pictures: Pictures,
    /// Held during a write, so that the program ends before or after one.
    writing: Mutex<()>,
    connections: AtomicUsize,
}

impl Server {
    /// Serves `review` on the loopback address at `port`, 0 for any free one.
    /// `token` and `key` are random words: the page's address has the token,
    /// and the first request for the key is sent there.
    pub fn start(review: Review, port: u16, token: String, key: String) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).with_context(|| {
            format!("cannot listen on port {port} of this machine; choose another --port, or none")
        })?;
        let port = listener.local_addr().context("cannot tell the port")?.port();
        let site = Arc::new(Site {
            review,
            guard: Guard::new(port, token, key),
            pictures: Pictures::default(),
            writing: Mutex::new(()),
            connections: AtomicUsize::new(0),
        });
        let shared = Arc::clone(&site);
        std::thread::spawn(move || listen(&listener, &shared));
        Ok(Self { site })
    }

    /// The page's address.
    pub fn address(&self) -> String {
        self.site.guard.address()
    }

    /// An address that leads to the page once. Other users may see it in the
    /// list of processes when a browser is started with it.
    pub fn address_for_once(&self) -> String {
        self.site.guard.address_for_once()
    }

    /// Waits for a write that is under way; none begins from here on.
    pub fn settle(&self) {
        std::mem::forget(self.site.hold());
    }
}

fn listen(listener: &TcpListener, site: &Arc<Site>) {
    loop {
        let Ok((stream, _)) = listener.accept() else {
            std::thread::sleep(PAUSE);
            continue;
        };
        if site.connections.fetch_add(1, Ordering::SeqCst) >= MOST_CONNECTIONS {
            site.connections.fetch_sub(1, Ordering::SeqCst);
            continue;
        }
        let site = Arc::clone(site);
        std::thread::spawn(move || {
            let count = Counted(&site.connections);
            site.serve(stream);
            drop(count);
        });
    }
}

/// Counts a connection out, whatever happens on it.
struct Counted<'a>(&'a AtomicUsize);

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Site {
    /// Reads one request and answers it. A connection that breaks has no one
    /// to tell.
    fn serve(&self, mut stream: TcpStream) {
        let patient = stream.set_read_timeout(Some(PATIENCE)).is_ok()
            && stream.set_write_timeout(Some(PATIENCE)).is_ok();
        if !patient {
            return;
        }
        let answer = match http::head(&mut stream) {
            Ok(Some(head)) => self.answer(&head, &mut stream),
            Ok(None) => return, // opened for later, and not used
            Err(refusal) => refusal,
        };
        http::respond(&mut stream, &answer);
    }

    fn answer(&self, head: &http::Head, stream: &mut TcpStream) -> Answer {
        match self.guard.admit(head) {
            guard::Admitted::Page(path) => match http::body(head, stream) {
                Ok(body) => self.route(&head.method, &path, &head.query, &body),
                Err(refusal) => refusal,
            },
            guard::Admitted::Redirect(to) => Answer::redirect(&to),
            guard::Admitted::Refused(answer) => answer,
        }
    }

    /// The right to write, one thread at a time.
    fn hold(&self) -> MutexGuard<'_, ()> {
        self.writing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
