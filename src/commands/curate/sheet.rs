//! `likeness curate sheet`: the character sheet of a dataset.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use likeness_dataset::make_sheet;

/// Arguments of `likeness curate sheet`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder of the dataset, such as mika.dataset
    dataset: PathBuf,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Chooses the photos, draws them, and says which they are.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let sheet = make_sheet(&args.dataset)
        .with_context(|| format!("cannot make a sheet of `{}`", args.dataset.display()))?;
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&sheet)?)?;
        return Ok(());
    }
    for photo in &sheet.photos {
        writeln!(out, "{:<14} {}", photo.view.name(), photo.path)?;
    }
    for name in &sheet.missing {
        writeln!(out, "  note: `{name}` is in `references` and no photo of the dataset")?;
    }
    let lacking: Vec<_> = sheet.lacking.iter().map(|view| view.name()).collect();
    if !sheet.named && !lacking.is_empty() {
        writeln!(out, "  note: no kept photo shows: {}", lacking.join(", "))?;
    }
    if !sheet.traits.is_empty() {
        writeln!(out, "traits         {}", sheet.traits.join(", "))?;
    }
    if !sheet.traits_said.is_empty() {
        writeln!(out, "said           {}", sheet.traits_said.join(", "))?;
    }
    let by = if sheet.named {
        "as `references` names them"
    } else {
        "chosen; name others in `references` of character.toml"
    };
    writeln!(out, "sheet          {} ({by})", sheet.picture.display())?;
    Ok(())
}
