//! `likeness curate review`: a local page to look through a dataset and decide.

use std::io::Write;
use std::path::PathBuf;
use std::sync::mpsc;

use anyhow::Context;
use likeness_dataset::Review;

use crate::exit::Usage;
use crate::meter::note;
use crate::review::Server;

/// Arguments of `likeness curate review`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder of the dataset, such as mika.dataset
    dataset: PathBuf,
    /// Port of this machine to serve the page on; any free one unless given
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Open the page in the browser
    #[arg(long)]
    open: bool,
}

/// Serves the page until Ctrl-C.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    if !args.dataset.is_dir() {
        let shown = args.dataset.display();
        let reason = format!(
            "`{shown}` is not a folder; name a dataset, or write `./review` for a folder of photos of that name"
        );
        return Err(Usage(reason).into());
    }
    let review = Review::open(&args.dataset)
        .with_context(|| format!("cannot review `{}`", args.dataset.display()))?;
    let server = Server::start(review, args.port, random_word()?, random_word()?)?;
    let (sender, receiver) = mpsc::channel();
    ctrlc::set_handler(move || {
        let _ = sender.send(()); // a second Ctrl-C may find no one waiting
    })
    .context("cannot catch Ctrl-C")?;
    writeln!(out, "review   {}", server.address())?;
    out.flush()?;
    if args.open && open::that_detached(server.address_for_once()).is_err() {
        note("no browser could be opened; open the address above in one");
    }
    note("decisions go to decisions.jsonl as you make them; Ctrl-C ends the review");
    receiver.recv().context("cannot wait for Ctrl-C")?;
    server.settle();
    Ok(())
}

/// 128 random bits in hex.
fn random_word() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("the system gives no random numbers")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
