//! `likeness caption write`: captions from measures, tags and descriptions.

use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::Context;
use likeness_dataset::captions::{self, Captioned, Captioner, Plan, Sources};
use likeness_faces::Tagger;

use crate::endpoint::Endpoint;
use crate::exit::Usage;
use crate::meter::{Meter, note};

/// Arguments of `likeness caption write`.
#[derive(clap::Args, Debug)]
pub struct Args {
    /// Dataset folder
    dataset: PathBuf,
    /// WD14-style tagger: an ONNX file with its selected_tags.csv beside it
    #[arg(long, value_name = "FILE.onnx")]
    tagger: Option<PathBuf>,
    /// OpenAI-compatible vision endpoint, such as http://localhost:8080 (llama.cpp, Ollama, vLLM)
    #[arg(long, value_name = "URL", requires = "captioner_model")]
    captioner: Option<String>,
    /// The endpoint's model
    #[arg(long, value_name = "NAME", requires = "captioner")]
    captioner_model: Option<String>,
    /// Environment variable that holds the endpoint's key
    #[arg(long, value_name = "VARIABLE", requires = "captioner")]
    captioner_key_env: Option<String>,
    /// Seconds that one request may take
    #[arg(long, value_name = "SECONDS", default_value_t = 120, value_parser = clap::value_parser!(u64).range(1..))]
    captioner_timeout: u64,
    /// Seconds that all requests together may take
    #[arg(long, value_name = "SECONDS", default_value_t = 3600, value_parser = clap::value_parser!(u64).range(1..))]
    captioner_limit: u64,
    /// Keep tags and phrases about hair, eyes, skin and other traits, which belong to the trigger
    #[arg(long)]
    keep_identity_tags: bool,
    /// Say what would be asked and how long it would take, and stop
    #[arg(long)]
    dry_run: bool,
    /// Print one JSON object instead of text
    #[arg(long)]
    json: bool,
}

/// Asks, writes, and says what came out.
pub fn run(args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut endpoint = args.endpoint()?;
    let failed = || format!("cannot write the captions of `{}`", args.dataset.display());
    if let Some(endpoint) = &endpoint {
        let plan = captions::plan(&args.dataset, endpoint.model()).with_context(failed)?;
        note(&estimate(&plan, endpoint, args.captioner_limit));
    }
    let tagger =
        args.tagger.as_deref().map(Tagger::open).transpose().context("cannot open the tagger")?;
    if args.dry_run {
        return Ok(());
    }
    let sources = Sources {
        tagger: tagger.as_ref(),
        captioner: endpoint.as_mut().map(|endpoint| endpoint as &mut dyn Captioner),
        keep_identity: args.keep_identity_tags,
    };
    let mut meter: Option<Meter> = None;
    let done = captions::caption(&args.dataset, sources, &mut |step| {
        meter.get_or_insert_with(|| Meter::new("caption", step.photos)).set(step.done, step.path);
    })
    .with_context(failed)?;
    if let Some(meter) = meter {
        meter.finish();
    }
    match args.json {
        true => writeln!(out, "{}", serde_json::to_string(&done)?)?,
        false => print(&done, args, out)?,
    }
    Ok(())
}

impl Args {
    fn endpoint(&self) -> anyhow::Result<Option<Endpoint>> {
        let (Some(url), Some(model)) = (&self.captioner, &self.captioner_model) else {
            return Ok(None);
        };
        if !url.starts_with("http://") && !url.starts_with("https://") {
            let text = format!(
                "`--captioner {url}` is no address; give one such as http://localhost:8080"
            );
            return Err(Usage(text).into());
        }
        let key = self.captioner_key_env.as_ref().map(|name| {
            let missing = || Usage(format!("`--captioner-key-env {name}`: there is no such environment variable; set it to the key"));
            std::env::var(name).map_err(|_| missing())
        });
        let each = Duration::from_secs(self.captioner_timeout);
        let in_all = Duration::from_secs(self.captioner_limit);
        Ok(Some(Endpoint::new(url, model, key.transpose()?, each, in_all)))
    }
}

/// What asking would take, in words.
fn estimate(plan: &Plan, endpoint: &Endpoint, limit_s: u64) -> String {
    let Plan { to_ask, known, by_hand, seconds_each, tokens_each } = plan;
    let time = match seconds_each {
        Some(each) => format!("about {:.0} s, {each:.1} s each so far", each * *to_ask as f64),
        None => "this model was not timed yet".to_owned(),
    };
    let tokens = tokens_each.map(|each| format!(", about {:.0} tokens", each * *to_ask as f64));
    format!(
        "captioner: {to_ask} requests to {} ({}); {known} answers are known, {by_hand} captions are a person's; \
         {time}, at most {limit_s} s{}",
        endpoint.url(),
        endpoint.model(),
        tokens.unwrap_or_default()
    )
}

fn print(done: &Captioned, args: &Args, out: &mut dyn Write) -> anyhow::Result<()> {
    let Captioned { photos, by_hand, tagged, described, asked, tokens, changed, failed } = done;
    writeln!(
        out,
        "{photos} photos: {tagged} tagged, {described} described, {by_hand} captions of a person kept"
    )?;
    if *asked > 0 {
        writeln!(out, "{asked} requests, {tokens} tokens as far as the endpoint told")?;
    }
    writeln!(out, "{changed} captions changed")?;
    for (path, reason) in failed {
        writeln!(out, "  no description of {path}: {reason}")?;
    }
    if !failed.is_empty() {
        writeln!(
            out,
            "  their captions say what was measured; run the same again to ask for these alone"
        )?;
    }
    writeln!(out, "\nnext     likeness caption lint {}", args.dataset.display())?;
    Ok(())
}
