//! `likeness models`: face models that are here, and how to get them.

use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use likeness_faces::catalog::{self, Known};
use sha2::{Digest, Sha256};

use crate::exit::Usage;
use crate::face_models;
use crate::meter::Meter;

/// The public hub, unless `HF_ENDPOINT` names a mirror.
const HUB: &str = "https://huggingface.co";

/// Arguments of `likeness models`.
#[derive(clap::Args, Debug)]
pub struct Args {
    #[command(subcommand)]
    action: Action,
}

#[derive(clap::Subcommand, Debug)]
enum Action {
    /// Show the face models that are found
    List {
        /// Folder of models; `builtin` for those that know pictures of `likeness studio`
        #[arg(long, value_name = "DIR", value_parser = crate::builtin::judges_parser())]
        models: Option<PathBuf>,
    },
    /// Download face models from their public hub
    Pull {
        /// What to pull: faces
        what: String,
        /// Folder to put them in; the user's cache unless given
        #[arg(long, value_name = "DIR")]
        models: Option<PathBuf>,
    },
}

/// Lists or pulls.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    match &args.action {
        Action::List { models } => list(models.as_deref(), out),
        Action::Pull { what, models } if what == "faces" => pull(models.clone(), out),
        Action::Pull { what, .. } => {
            Err(Usage(format!("there are no models called `{what}`; pull `faces`")).into())
        }
    }
}

fn list(given: Option<&Path>, out: &mut dyn Write) -> anyhow::Result<()> {
    match face_models::find(given)? {
        Some(models) => {
            for card in models.describe() {
                let file = card.file.display();
                writeln!(out, "{:<9} {}  {}  {file}", card.kind.word(), card.name, card.licence)?;
            }
        }
        None => {
            let searched = face_models::folders(given);
            let searched: Vec<_> = searched.iter().map(|f| f.display().to_string()).collect();
            writeln!(out, "no face models in {}", searched.join(", "))?;
            writeln!(out, "get them by `likeness models pull faces`")?;
        }
    }
    Ok(())
}

fn pull(given: Option<PathBuf>, out: &mut dyn Write) -> anyhow::Result<()> {
    let folder = given.or_else(face_models::cache).ok_or_else(|| {
        Usage("this system names no cache folder; give one by `--models DIR`".into())
    })?;
    let folder = folder.join("faces");
    fs::create_dir_all(&folder).with_context(|| format!("cannot create `{}`", folder.display()))?;
    let hub = std::env::var("HF_ENDPOINT").unwrap_or_else(|_| HUB.to_owned());
    for known in catalog::downloadable() {
        let target = folder.join(known.file);
        writeln!(out, "{}  {}  licence {}", known.name, known.source, known.licence)?;
        if fs::read(&target).is_ok_and(|bytes| hash(&bytes) == known.sha256) {
            writeln!(out, "  here already: {}", target.display())?;
            continue;
        }
        download(&hub, known, &target)?;
        writeln!(out, "  {}", target.display())?;
    }
    Ok(())
}

/// Fetches a file, checks its bytes, and gives it its name only then.
fn download(hub: &str, known: &Known, target: &Path) -> anyhow::Result<()> {
    let repository = known.hub.context("the catalogue names no hub for this model")?;
    let url = format!("{}/{repository}/resolve/main/{}", hub.trim_end_matches('/'), known.file);
    let failed = || {
        format!(
            "cannot download `{url}`; check the connection, or put the file into `{}` by hand",
            target.parent().unwrap_or(target).display()
        )
    };
    let response = ureq::get(&url).call().with_context(failed)?;
    let mut body = response.into_body().into_reader().take(known.size_bytes + 1);
    let mut bytes = Vec::new();
    let mut meter = Meter::new("download", known.size_bytes as usize);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let read = body.read(&mut buffer).with_context(failed)?;
        if read == 0 {
            break;
        }
        bytes.extend_from_slice(&buffer[..read]);
        meter.set(bytes.len(), known.file);
    }
    meter.finish();
    let got = hash(&bytes);
    if got != known.sha256 {
        bail!(
            "`{url}` has the sha256 {got} instead of {}, so it was not saved; the file was changed or cut off: try again later",
            known.sha256
        );
    }
    Ok(likeness_diffusion::atomic::write(target, &bytes)?)
}

fn hash(bytes: &[u8]) -> String {
    format!("{:x}", Sha256::digest(bytes))
}
