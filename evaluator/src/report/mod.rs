//! `report.html`: the evaluation as one page that needs nothing beside it.

mod chart;
mod html;
mod scenes;
mod tables;

use image::RgbImage;

use crate::error::Error;
use crate::gate::Outcome;
use crate::scores::Scores;
use html::{escape, number};

const STYLE: &str = include_str!("page.css");

/// The whole page. `pictures` are small copies of `scores.images` and `photos`
/// of `scores.references`, each in the same order.
pub(crate) fn report(
    scores: &Scores,
    pictures: &[&RgbImage],
    photos: &[RgbImage],
) -> Result<String, Error> {
    let title = format!("Evaluation of {}", escape(&scores.recipe.trigger));
    let parts = [
        banner(scores, &title),
        tables::sentences("Before trusting these numbers", "warnings", &scores.warnings),
        numbers(scores),
        tables::readings(scores),
        scenes::references(scores, photos)?,
        scenes::scenes(scores, pictures)?,
        format!("<section><h2>By scene</h2>{}</section>", tables::by_prompt(scores)),
        tables::sentences("What was not measured", "unmeasured", &scores.unmeasured),
        format!("<section><h2>Settings and files</h2>{}</section>", tables::settings(scores)),
    ];
    Ok(format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\">\
         <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; img-src data:; \
         style-src 'unsafe-inline'\"><title>{title}</title><style>{STYLE}</style></head><body><main>\n{}\n\
         </main></body></html>\n",
        parts.join("\n")
    ))
}

/// The verdict in words.
fn banner(scores: &Scores, title: &str) -> String {
    let (class, says) = match scores.gate.outcome {
        Outcome::Pass => ("pass", "the adapter keeps the likeness"),
        Outcome::Fail => ("fail", "the adapter does not keep the likeness"),
        Outcome::Inconclusive if scores.identity.is_none() => {
            ("open", "the likeness was not measured")
        }
        Outcome::Inconclusive => ("open", "these images cannot decide"),
    };
    let compared = scores.identity.as_ref().map(|identity| {
        format!(
            "<p>Against the bare base, on the same scenes and seeds: <b>{}</b> ({}{} NIS, 95 % {}).{}</p>",
            identity.verdict,
            if identity.difference.mean > 0.0 { "+" } else { "" },
            number(Some(identity.difference.mean)),
            tables::brackets(Some(&identity.difference)),
            weakest(scores)
        )
    });
    format!(
        "<header class=\"{class}\"><p class=\"over\">{title}</p><h1>{}: {says}</h1><p>{}.</p>{}</header>",
        scores.gate.outcome,
        escape(&sentence(&scores.gate.reason)),
        compared.unwrap_or_default()
    )
}

fn weakest(scores: &Scores) -> String {
    let scored = scores.prompts.iter().filter_map(|prompt| Some((prompt, prompt.adapter_nis?)));
    let Some((prompt, nis)) = scored.min_by(|a, b| a.1.total_cmp(&b.1)) else {
        return String::new();
    };
    format!(" Weakest scene: <b>{}</b> at {}.", escape(&prompt.name), number(Some(nis)))
}

fn sentence(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

fn numbers(scores: &Scores) -> String {
    let hint = match &scores.identity {
        Some(_) => {
            "NIS, the identity score, reads the cosine of two faces between two fixed points: 0 is a random \
             character of this base, 1 as alike as the references are to each other. Images without a face \
             count as 0. Intervals are drawn over scenes, then seeds."
        }
        None => "The identity score could not be measured; see below why.",
    };
    format!(
        "<section><h2>Likeness</h2><p class=\"hint\">{hint}</p>{}{}</section>",
        chart::chart(scores),
        tables::key_numbers(scores)
    )
}
