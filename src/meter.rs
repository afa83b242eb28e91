//! Progress on stderr: a bar where someone looks, plain lines where no one does.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// Time between plain lines.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// A bar, or lines.
pub struct Meter {
    bar: ProgressBar,
    plain: bool,
    last_line: Option<Instant>,
    title: String,
}

impl Meter {
    /// A meter over `of` things.
    pub fn new(title: &str, of: usize) -> Self {
        let plain = !std::io::stderr().is_terminal();
        let bar = if plain { ProgressBar::hidden() } else { ProgressBar::new(of as u64) };
        let style = "{prefix:>10} {bar:30} {pos}/{len}  {msg}  {elapsed} + {eta} left";
        bar.set_style(ProgressStyle::with_template(style).expect("the template is valid"));
        bar.set_prefix(title.to_owned());
        bar.set_length(of as u64);
        Self { bar, plain, last_line: None, title: title.to_owned() }
    }

    /// `done` are done; `message` says how it goes.
    pub fn set(&mut self, done: usize, message: impl Into<String>) {
        let message = message.into();
        let of = self.bar.length().unwrap_or_default();
        let due = self.last_line.is_none_or(|last| last.elapsed() >= LINE_EVERY);
        if self.plain && (due || done as u64 == of) {
            self.say(&format!("{}: {done}/{of}  {message}", self.title));
            self.last_line = Some(Instant::now());
        }
        self.bar.set_position(done as u64);
        self.bar.set_message(message);
    }

    /// Starts counting from `done`, so that the time left is right after a resume.
    pub fn start_at(&mut self, done: usize) {
        self.bar.set_position(done as u64);
        self.bar.reset_eta();
    }

    /// A line above the bar.
    pub fn say(&self, line: &str) {
        if self.plain {
            note(line);
        } else {
            self.bar.suspend(|| note(line));
        }
    }

    /// Takes the bar away.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// A line on stderr.
pub fn note(line: &str) {
    use std::io::Write;
    // If stderr is closed there is no one to tell.
    let _ = writeln!(std::io::stderr(), "{line}");
}
