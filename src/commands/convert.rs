//! `likeness convert`: a LoRA in another program's naming.

use std::io::Write;
use std::path::PathBuf;

use likeness_diffusion::adapter::{self, Dialect};
use likeness_diffusion::pipeline::Pipeline;

use super::BaseArgs;
use crate::exit::Usage;

/// Arguments of `likeness convert`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// The LoRA file, in any dialect that likeness reads
    adapter: PathBuf,
    #[command(flatten)]
    base: BaseArgs,
    /// kohya (A1111, Forge, ComfyUI) or diffusers (diffusers, PEFT)
    #[arg(long, value_name = "DIALECT", value_parser = dialect)]
    to: Dialect,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
}

fn dialect(text: &str) -> Result<Dialect, String> {
    match text {
        "kohya" => Ok(Dialect::Kohya),
        "diffusers" => Ok(Dialect::Diffusers),
        _ => Err("choose kohya or diffusers".into()),
    }
}

/// Converts, and prints the file.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    if args.out.exists() {
        let reason = format!("`{}` is there already; give another `--out`", args.out.display());
        return Err(Usage(reason).into());
    }
    let device = likeness_diffusion::device("auto")?;
    let mut pipeline = Pipeline::load(&args.base.open("auto")?, &device)?;
    let places = pipeline.places();
    let read = adapter::read(&args.adapter, &places)?;
    adapter::write(&read, args.to, &args.out, &places)?;
    writeln!(out, "{}  {} layers", args.out.display(), read.modules.len())?;
    Ok(())
}
