//! `likeness curate calibrate`: limits from the photos that were accepted.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use likeness_dataset::{Calibration, Change, calibrate, forget_calibration};

/// Arguments of `likeness curate calibrate`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Folder of the dataset, such as mika.dataset
    dataset: PathBuf,
    /// Bring limits nearer, too, where the accepted photos lie closer together
    #[arg(long, conflicts_with = "reset")]
    tighten: bool,
    /// Take the dataset's own limits away
    #[arg(long)]
    reset: bool,
    /// Show the limits and write nothing
    #[arg(long, conflicts_with = "reset")]
    dry_run: bool,
    /// Print one JSON object instead of text
    #[arg(long, conflicts_with = "reset")]
    json: bool,
}

/// Calibrates, and says which limits and verdicts change.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let dataset = args.dataset.display();
    let cannot = || format!("cannot calibrate `{dataset}`");
    if args.reset {
        match forget_calibration(&args.dataset).with_context(cannot)? {
            true => writeln!(out, "the usual limits hold again; curate again to judge by them")?,
            false => writeln!(out, "`{dataset}` has no limits of its own")?,
        }
        return Ok(());
    }
    let found = calibrate(&args.dataset, args.tighten, !args.dry_run).with_context(cannot)?;
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&found)?)?;
        return Ok(());
    }
    print(&found, out)?;
    match args.dry_run {
        true => writeln!(out, "nothing was written")?,
        false => writeln!(out, "limits   {dataset}/limits.toml; curate again to judge by them")?,
    }
    Ok(())
}

fn print(found: &Calibration, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(out, "{} accepted photos", found.accepted)?;
    writeln!(out, "{:<12} {:>17}  {:>17}  {:>17}", "", "natural", "review", "drop")?;
    for change in &found.limits {
        let Change { measure, natural, review, drop, .. } = change;
        let natural =
            natural.map_or("too few".into(), |(low, high)| format!("{low:.3} to {high:.3}"));
        let drop = drop.map_or(String::new(), pair);
        writeln!(out, "{measure:<12} {natural:>17}  {:>17}  {drop:>17}", pair(*review))?;
    }
    writeln!(out, "{} photos change their verdict", found.verdicts.len())?;
    for (path, from, to) in &found.verdicts {
        writeln!(out, "  {path}: {} becomes {}", from.name(), to.name())?;
    }
    Ok(())
}

/// "10 -> 14", or "10" where nothing changes.
fn pair((from, to): (f64, f64)) -> String {
    if from == to { format!("{from}") } else { format!("{from} -> {to}") }
}
